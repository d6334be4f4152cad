//! How fast a node's block files are read on one core, step by step:
//! `cargo run --release -p decode --example bitcoin_speed -- FOLDER`, with files that fit into memory.

use std::fs;
use std::path::Path;
use std::time::Instant;

use decode::bitcoin::{
    Contents, Frames, Obfuscation, Options, RawBlock, RawTransaction, Record, Step, merkle_root, undo, undo_checksum,
};
use ledger::Network;
use ledger::network::UNLISTED;

struct File {
    bytes: Vec<u8>,
    records: Vec<Record>,
}

impl File {
    fn read(path: &Path, key: Obfuscation, magic: [u8; 4], contents: Contents) -> Self {
        let bytes = fs::read(path).expect("the file can be read");
        let mut frames = Frames::new(contents, magic, key, 0, bytes.len() as u64);
        let mut records = Vec::new();
        loop {
            match frames.next() {
                Step::Read { offset, length } => {
                    let start = usize::try_from(offset).expect("it is in memory");
                    frames.give(&bytes[start..start + length]);
                }
                Step::Record(record) => records.push(record),
                Step::Gap(gap) => println!("{}: {gap:?}", path.display()),
                Step::End => return Self { bytes, records },
            }
        }
    }

    fn bodies(&self) -> impl Iterator<Item = &[u8]> {
        self.records.iter().map(|record| {
            let start = usize::try_from(record.offset).expect("it is in memory");
            &self.bytes[start..start + record.length]
        })
    }
}

fn main() {
    let folder = std::env::args().nth(1).expect("usage: bitcoin_speed FOLDER");
    let mut paths: Vec<_> =
        fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("a name").path()).collect();
    paths.sort();
    let key = fs::read(Path::new(&folder).join("xor.dat")).ok();
    let key = key.map_or(Obfuscation::NONE, |bytes| Obfuscation::of_file(&bytes).expect("a key of 8 bytes"));
    let named = |prefix: &'static str| {
        paths.iter().filter(move |path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)))
    };
    let first = fs::read(named("blk").next().expect("a block file")).expect("it can be read");
    let mut magic = *first.first_chunk::<4>().expect("a magic");
    key.apply(0, &mut magic);
    let network = Network::of_magic(magic).unwrap_or(&UNLISTED);

    let start = Instant::now();
    let mut blocks: Vec<File> = named("blk").map(|path| File::read(path, key, magic, Contents::Blocks)).collect();
    let mut undone: Vec<File> = named("rev").map(|path| File::read(path, key, magic, Contents::Undo)).collect();
    println!("{}: read and framed in {:.3} s", network.alias, start.elapsed().as_secs_f64());
    let total: usize = blocks.iter().flat_map(|file| &file.records).map(|record| record.length).sum();
    let total_undo: usize = undone.iter().flat_map(|file| &file.records).map(|record| record.length).sum();

    timed("key off", total + total_undo, || {
        for file in blocks.iter_mut().chain(&mut undone) {
            key.apply(0, &mut file.bytes);
        }
        0
    });
    let bodies = || blocks.iter().flat_map(File::bodies);
    let parse = |bytes| RawBlock::parse(bytes, network).expect("a good block");
    let txs = timed("parse", total, || bodies().map(|bytes| parse(bytes).transactions().len()).sum());
    println!("{txs} transactions, {total} bytes of blocks, {total_undo} of undo data");
    timed("parse, txids", total, || {
        bodies()
            .map(|bytes| parse(bytes).transactions().iter().map(|tx| usize::from(tx.txid()[0])).sum::<usize>())
            .sum()
    });
    let options = Options { check_work: false };
    timed("parse, txids, merkle root", total, || {
        bodies().map(|bytes| parse(bytes).check(options).expect("a good root").len()).sum()
    });
    timed("parse, txids, merkle root, deed", total, || {
        let deeds = bodies().map(|bytes| {
            let raw = parse(bytes);
            let txids = raw.check(options).expect("a good root");
            let height = u64::from(raw.header().previous() != [0; 32]);
            raw.deed(height, &txids).expect("a good deed").transactions.len()
        });
        deeds.sum()
    });
    timed("merkle root alone", total, || {
        bodies()
            .map(|bytes| {
                let raw = parse(bytes);
                let mut ids: Vec<[u8; 32]> =
                    raw.transactions().iter().map(|tx: &RawTransaction<'_>| [tx.as_bytes()[5]; 32]).collect();
                for (number, id) in ids.iter_mut().enumerate() {
                    id[..8].copy_from_slice(&number.to_le_bytes());
                }
                usize::from(merkle_root(&mut ids).expect("different ids")[0])
            })
            .sum()
    });
    let records = || undone.iter().flat_map(File::bodies).map(|record| &record[..record.len() - 32]);
    timed("undo", total_undo, || {
        records().map(|bytes| undo(bytes, network).expect("good undo data").spent().len()).sum()
    });
    timed("undo, locks", total_undo, || {
        let locks = records().map(|bytes| {
            let undo = undo(bytes, network).expect("good undo data");
            undo.spent().iter().filter_map(|spent| spent.script.lock()).map(|lock| lock.as_bytes().len()).sum::<usize>()
        });
        locks.sum()
    });
    timed("undo checksum", total_undo, || records().map(|bytes| usize::from(undo_checksum(&[0; 32], bytes)[0])).sum());
}

/// The best of nine: the first pays for cold caches, others for who else is on the machine. Odd, so that the key is off.
fn timed(what: &str, bytes: usize, mut run: impl FnMut() -> usize) -> usize {
    let mut best = f64::INFINITY;
    let mut result = 0;
    for _ in 0..9 {
        let start = Instant::now();
        result = std::hint::black_box(run());
        best = best.min(start.elapsed().as_secs_f64());
    }
    #[expect(clippy::cast_precision_loss, reason = "a speed for people, not money")]
    let speed = bytes as f64 / best / 1e6;
    println!("{what}: {best:.3} s, {speed:.0} MB/s");
    result
}
