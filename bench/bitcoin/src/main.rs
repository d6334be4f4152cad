//! Races the ingest of block files against another reader of the same files, and times look-ups in what came of it.
//!
//! Each side of each run is a process of its own that this one starts, so that processor time and memory are that side's
//! alone. What the figures mean is in docs/bench/bitcoin.md.

mod lookups;
mod sides;

use std::path::{Path, PathBuf};

use bench_common::clock::{Times, Took, three_digits};
use bench_common::table::{grouped, print};
use bench_common::{Result, folder, machine};
use exercise::scale::{self, ChainPlan, ChainReport};

use sides::{Side, Told};

const USAGE: &str =
    "usage: bench-bitcoin race TRANSACTIONS... | lookups TRANSACTIONS TRACEHOUND | (ours | peer) BLOCKS BOOK";
const RUNS: usize = 3;
/// Larger chains are raced once: they take minutes.
const SEVERAL_RUNS_MAX: u64 = 5_000_000;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["race", sizes @ ..] if !sizes.is_empty() => race(sizes),
        ["lookups", size, binary] => lookups::time(&chain(number(size)?)?, Path::new(binary)),
        ["ours", blocks, book] => sides::ours(Path::new(blocks), Path::new(book)),
        ["peer", blocks, _] => sides::peer(Path::new(blocks)),
        _ => Err(USAGE.into()),
    }
}

fn number(text: &str) -> Result<u64> {
    Ok(text.replace('_', "").parse()?)
}

/// A made chain: its folder and what is in it.
pub struct Chain {
    home: PathBuf,
    report: ChainReport,
}

impl Chain {
    fn blocks(&self) -> PathBuf {
        self.home.join(scale::BLOCKS_FOLDER)
    }

    fn book(&self) -> PathBuf {
        self.home.join("book")
    }
}

/// The chain with so many transactions, made unless it is there.
fn chain(transactions: u64) -> Result<Chain> {
    let name = format!("bitcoin-{transactions}");
    let home = folder::named(&name);
    if !home.join("manifest.json").exists() {
        eprintln!("{name}: making the chain");
        let plan = ChainPlan { seed: 1, transactions, obfuscated: true, stale: 0, shuffled: false };
        scale::write_chain(&plan, &folder::empty(&name)?, &mut |_| {})?;
    }
    let report = serde_json::from_slice(&std::fs::read(home.join("manifest.json"))?)?;
    Ok(Chain { home, report })
}

fn race(sizes: &[&str]) -> Result<()> {
    machine::print();
    let head = [
        "transactions",
        "side",
        "wall",
        "core",
        "core s per M tx",
        "MB/s",
        "peak memory",
        "of it its own",
        "book B per output",
    ];
    let mut rows = Vec::new();
    for size in sizes {
        let chain = chain(number(size)?)?;
        let runs = if chain.report.transactions > SEVERAL_RUNS_MAX { 1 } else { RUNS };
        let (mut ours, mut peers) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            ours.push(sides::run(Side::Ours, &chain)?);
            peers.push(sides::run(Side::Peer, &chain)?);
        }
        let book_bytes = folder::disk_bytes(&chain.book())?;
        rows.push(row("tracehound", &chain, &ours, Some(book_bytes)));
        rows.push(row("blocks_iterator", &chain, &peers, None));
    }
    print("block files into a book, and block files read with every spent output", &head, &rows);
    Ok(())
}

fn row(name: &str, chain: &Chain, told: &[Told], book_bytes: Option<u64>) -> Vec<String> {
    let times = Times::from(told.iter().map(|told| told.took).collect::<Vec<Took>>());
    let most = |of: fn(&Told) -> u64| told.iter().map(of).max().unwrap_or(0) >> 20;
    let millions = chain.report.transactions as f64 / 1e6;
    let wall = times.wall.median().as_secs_f64();
    vec![
        grouped(chain.report.transactions),
        name.to_owned(),
        times.wall.text(),
        times.core.text(),
        three_digits(times.core.median().as_secs_f64() / millions),
        three_digits(chain.report.bytes as f64 / 1e6 / wall),
        format!("{} MiB", most(|told| told.peak_bytes)),
        format!("{} MiB", most(|told| told.own_bytes)),
        book_bytes.map_or_else(|| "–".to_owned(), |bytes| three_digits(bytes as f64 / chain.report.outputs as f64)),
    ]
}
