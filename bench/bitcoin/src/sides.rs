//! The two sides: our ingest into an empty book, and `blocks_iterator`, which hands every block over in order with the
//! outputs that it spends and keeps nothing. Each prints one line about itself.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bench_common::clock::{Took, once};
use bench_common::{Result, machine};
use blocks_iterator::bitcoin::Network;
use book::Book;
use feed::BlockFilesIngest;

use crate::Chain;

/// How many transactions the last blocks may have that the peer does not hand over.
const HELD_BACK_MAX: u64 = 10_000;

/// Who reads the files.
#[derive(Clone, Copy)]
pub enum Side {
    Ours,
    Peer,
}

/// What a side told of its run.
#[derive(Clone, Copy)]
pub struct Told {
    pub took: Took,
    /// The most memory that was resident, mapped files included.
    pub peak_bytes: u64,
    /// The most of its own, as sampled.
    pub own_bytes: u64,
}

/// Runs one side in a process of its own, and checks that it saw the whole chain.
pub fn run(side: Side, chain: &Chain) -> Result<Told> {
    if chain.book().exists() && matches!(side, Side::Ours) {
        std::fs::remove_dir_all(chain.book())?;
    }
    let name = match side {
        Side::Ours => "ours",
        Side::Peer => "peer",
    };
    let output = Command::new(std::env::current_exe()?).arg(name).args([chain.blocks(), chain.book()]).output()?;
    let text = String::from_utf8(output.stdout)?;
    let numbers: Vec<u64> = text.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
    let [wall, core, peak_bytes, own_bytes, transactions, inputs] = numbers.as_slice() else {
        return Err(format!("{name} failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    };
    let (has, spent) = (chain.report.transactions, chain.report.inputs);
    // The peer keeps its last blocks to itself.
    let held_back = if matches!(side, Side::Peer) { HELD_BACK_MAX } else { 0 };
    if has.abs_diff(*transactions) > held_back || spent.abs_diff(*inputs) > 3 * held_back {
        return Err(format!("{name} saw {transactions} transactions and {inputs} inputs of {has} and {spent}").into());
    }
    let took = Took { wall: Duration::from_micros(*wall), core: Duration::from_micros(*core) };
    Ok(Told { took, peak_bytes: *peak_bytes, own_bytes: *own_bytes })
}

/// Our side.
pub fn ours(blocks: &Path, book: &Path) -> Result<()> {
    let watch = Watch::begin();
    let (report, took) = once(|| {
        let book = Book::create(book)?;
        let stop = AtomicBool::new(false);
        let ingest = BlockFilesIngest::default();
        feed::ingest_block_files(&book, blocks, &ingest, &stop, &mut ()).map_err(Box::<dyn std::error::Error>::from)
    });
    let report = report?;
    let own_bytes = watch.end();
    let opened = Book::open(book)?.ledger(&report.ledger)?;
    let book::BookLedger::Utxo(chain) = &opened else { return Err("it is no chain of outputs".into()) };
    let end = opened.as_ledger().end().0;
    let inputs: usize = (0..end).map(|seq| chain.inputs(ledger::Seq(seq)).len()).sum();
    tell(took, own_bytes, end, inputs as u64);
    Ok(())
}

/// The peer's.
pub fn peer(blocks: &Path) -> Result<()> {
    let watch = Watch::begin();
    let ((transactions, inputs), took) = once(|| {
        // It holds the last blocks back while they might still be reorganised, and one is the least.
        let config = blocks_iterator::Config { max_reorg: 1, ..blocks_iterator::Config::new(blocks, Network::Regtest) };
        blocks_iterator::iter(config).fold((0u64, 0u64), |(transactions, inputs), block| {
            assert!(block.fee().is_some(), "every spent output is told");
            let spent = block.block_total_inputs() as u64 - 1;
            (transactions + block.txids().len() as u64, inputs + spent)
        })
    });
    tell(took, watch.end(), transactions, inputs);
    Ok(())
}

fn tell(took: Took, own_bytes: u64, transactions: u64, inputs: u64) {
    let peak_bytes = machine::peak_bytes();
    println!("{} {} {peak_bytes} {own_bytes} {transactions} {inputs}", took.wall.as_micros(), took.core.as_micros());
}

/// Samples how much memory of its own this process has.
struct Watch {
    ended: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<u64>,
}

impl Watch {
    const EVERY: Duration = Duration::from_millis(20);

    fn begin() -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            let mut most = 0;
            while !asked.load(Ordering::Relaxed) {
                most = most.max(machine::own_bytes());
                std::thread::sleep(Self::EVERY);
            }
            most
        });
        Self { ended, thread }
    }

    fn end(self) -> u64 {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or(0)
    }
}
