//! Times an update from nothing, one after a block is taken back, opening, and answers about single holders, on a book:
//! `cargo run --release -p upkeep --example measure -- BOOK LEDGER`. It takes the book's last block back: use a copy.

use std::time::Instant;

use book::{Book, BookLedger};
use cluster::Layer;
use ledger::{Coins as _, HolderId, LedgerId, Seq};
use money::Asset;
use upkeep::{Kept, Stage};

/// Holders that are asked about.
const ASKED: u64 = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(ledger)) = (arguments.next(), arguments.next()) else {
        return Err("say: measure BOOK LEDGER".into());
    };
    let (book, ledger) = (Book::open(folder)?, LedgerId::parse(&ledger)?);
    update(&book, &ledger, "from nothing, or what was behind")?;
    update(&book, &ledger, "nothing to do")?;
    ask(&book, &ledger)?;
    book.utxo_writer(&ledger, &Asset { symbol: "BTC".into(), scale: 8 })?.undo(1)?;
    update(&book, &ledger, "a block fewer")?;
    Ok(())
}

fn update(book: &Book, ledger: &LedgerId, what: &str) -> Result<(), Box<dyn std::error::Error>> {
    let began = Instant::now();
    let mut stages: Vec<(Stage, Instant)> = Vec::new();
    let report = upkeep::bring_up(book, ledger, &mut |step| {
        if stages.last().is_none_or(|(stage, _)| *stage != step.stage) {
            stages.push((step.stage, Instant::now()));
        }
        true
    })?;
    println!("{what}: {:.3} s, {} transactions", began.elapsed().as_secs_f64(), report.judged);
    for (stage, first) in stages {
        println!("  first step of {} done after {:.3} s", stage.as_str(), (first - began).as_secs_f64());
    }
    Ok(())
}

fn ask(book: &Book, ledger: &LedgerId) -> Result<(), Box<dyn std::error::Error>> {
    let began = Instant::now();
    let kept = Kept::open(book, ledger)?.ok_or("nothing is kept")?;
    println!("opening: {:.3} ms", began.elapsed().as_secs_f64() * 1e3);
    let BookLedger::Utxo(coins) = book.ledger(ledger)? else { return Err("no chain of outputs".into()) };
    let (holders, transactions) = (coins.holders(), coins.transactions());
    let mut times = Vec::new();
    let mut sum = 0;
    for at in 0..ASKED {
        let began = Instant::now();
        let holder = HolderId(at.wrapping_mul(0x9e37_79b9_7f4a_7c15) % holders);
        sum += kept.cluster_size(holder, Layer::CoSpend) + kept.cluster_size(holder, Layer::Change);
        sum += kept.members(holder, Layer::CoSpend, 10).len() as u64;
        sum += u64::from(kept.direct(holder)?.is_some()) + kept.inherited(holder)?.more;
        let record = kept.record(Seq(at.wrapping_mul(0x9e37_79b9_7f4a_7c15) % transactions));
        sum += u64::from(kept.category(holder).is_some()) + u64::from(record.vector.truncated());
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 1000].as_secs_f64() * 1e6;
    println!("{holders} holders, {transactions} transactions (sum of answers {sum})");
    println!("an answer about a holder: median {:.1} µs, p99 {:.1} µs, p99.9 {:.1} µs", at(500), at(990), at(999));
    Ok(())
}
