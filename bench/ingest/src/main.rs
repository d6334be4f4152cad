//! Times the ingest of an exercise's files into an empty book: blocks of a UTXO chain, and a ledger table.
//!
//! Checked twice, committed, looked up by name and hash, linked both ways: what a book has when an ingest is done.
//! What the figures mean is in docs/bench/ingest.md; `bench/duckdb/ingest.py` runs this and a rival on the same files.

use std::fs;
use std::path::Path;

use bench_common::clock::{Times, Took, once, rate_text, three_digits};
use bench_common::heist::{chain_of, coin};
use bench_common::table::{grouped, print};
use bench_common::{Result, folder, machine};
use book::{Book, BookLedger};
use decode::table::TableOptions;
use exercise::{CHAIN_FILE, MANIFEST_FILE, Plan, TOKENS_FILE};
use feed::TableIngest;
use ledger::{Leg, Seq};

const USAGE: &str = "usage: bench-ingest (blocks | table) TRANSACTIONS...";
const RUNS: usize = 3;

#[derive(Clone, Copy)]
enum Kind {
    Blocks,
    Table,
}

impl Kind {
    const fn file(self) -> &'static str {
        match self {
            Self::Blocks => CHAIN_FILE,
            Self::Table => TOKENS_FILE,
        }
    }
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [what, sizes @ ..] = words.as_slice() else { return Err(USAGE.into()) };
    let kind = match what.as_str() {
        "blocks" => Kind::Blocks,
        "table" => Kind::Table,
        _ => return Err(USAGE.into()),
    };
    machine::print();
    let head =
        ["file", "transactions", "legs", "wall", "core", "MB/s per core", "legs per core", "bytes per leg", "memory"];
    let sizes = sizes.iter().map(|size| size.replace('_', "").parse()).collect::<std::result::Result<Vec<u64>, _>>()?;
    let rows = sizes.into_iter().map(|size| row(kind, size)).collect::<Result<Vec<_>>>()?;
    print(&format!("ingest of {}", kind.file()), &head, &rows);
    Ok(())
}

fn row(kind: Kind, transactions: u64) -> Result<Vec<String>> {
    let home = prepare(kind, transactions)?;
    let file = home.join(kind.file());
    let bytes = fs::metadata(&file)?.len();
    let mut took = Vec::new();
    let before = machine::own_bytes();
    machine::forget_peak();
    for _ in 0..RUNS {
        took.push(ingest(kind, &home)?);
    }
    let own_bytes = machine::peak_own_bytes().saturating_sub(before);
    let times = Times::from(took);
    let book = home.join("book");
    let (count, legs) = count(&Book::open(&book)?)?;
    let per_leg = folder::disk_bytes(&book)? as f64 / legs as f64;
    fs::write(home.join("ours.json"), format!("{{\"wall_s\": {}}}\n", times.wall.median().as_secs_f64()))?;
    Ok(vec![
        format!("{} MB", three_digits(bytes as f64 / 1e6)),
        grouped(count),
        grouped(legs),
        times.wall.text(),
        times.core.text(),
        three_digits(times.core_rate(bytes) / 1e6),
        format!("{}/s", rate_text(times.core_rate(legs))),
        three_digits(per_leg),
        format!("{} MiB", own_bytes >> 20),
    ])
}

/// The exercise with so many ordinary transactions on one ledger, made unless it is there.
fn prepare(kind: Kind, transactions: u64) -> Result<std::path::PathBuf> {
    let scaled = Plan { bank_transactions: 0, ..Plan::scaled(transactions) };
    let (name, plan) = match kind {
        Kind::Blocks => ("blocks", Plan { chain_transactions: transactions, token_transactions: 0, ..scaled }),
        Kind::Table => ("table", Plan { chain_transactions: 10, token_transactions: transactions, ..scaled }),
    };
    let name = format!("ingest-{name}-{transactions}");
    let home = folder::named(&name);
    if !home.join(MANIFEST_FILE).exists() {
        eprintln!("{name}: making the exercise");
        exercise::write(&plan, &folder::empty(&name)?)?;
    }
    Ok(home)
}

/// Into an empty book, which stays for whoever wants to look at it.
fn ingest(kind: Kind, home: &Path) -> Result<Took> {
    let folder = home.join("book");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let book = Book::create(&folder)?;
    let file = home.join(kind.file());
    let took = match kind {
        Kind::Blocks => {
            let manifest: exercise::Summary = bench_common::heist::summary_in(home)?;
            let id = chain_of(&manifest)?;
            let (report, took) =
                once(|| feed::ingest_utxo_blocks(&book, &file, &id, &coin(), &std::env::temp_dir(), &mut ()));
            report?;
            took
        }
        Kind::Table => {
            let ingest = TableIngest::new(TableOptions::default());
            let (report, took) = once(|| feed::ingest_table(&book, &file, &ingest, &mut ()));
            report?;
            took
        }
    };
    Ok(took)
}

/// How many transactions and legs a book holds.
fn count(book: &Book) -> Result<(u64, u64)> {
    let (mut transactions, mut sum) = (0, 0);
    let mut legs: Vec<Leg> = Vec::new();
    for id in book.ledgers()? {
        let opened: BookLedger = book.ledger(&id)?;
        let ledger = opened.as_ledger();
        transactions += ledger.end().0;
        for seq in 0..ledger.end().0 {
            ledger.transaction(Seq(seq), &mut legs);
            sum += legs.len() as u64;
        }
    }
    Ok((transactions, sum))
}
