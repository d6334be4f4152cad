//! How fast a file goes into a book: `cargo run --release -p feed --example ingest_speed -- table|blocks FILE BOOK`.

use std::path::Path;
use std::time::Instant;

use book::Book;
use decode::table::TableOptions;
use feed::{Phase, Step, TableIngest, ingest_table, ingest_utxo_blocks};
use ledger::LedgerId;
use money::Asset;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [form, path, folder] = arguments.as_slice() else { panic!("usage: ingest_speed table|blocks FILE BOOK") };
    let start = Instant::now();
    let mut phase: Option<Phase> = None;
    let mut tell = |step: Step| {
        if phase != Some(step.phase) {
            eprintln!("{:>7.2} s {:?}", start.elapsed().as_secs_f64(), step.phase);
            phase = Some(step.phase);
        }
    };
    let ended = match form.as_str() {
        "table" => {
            let mut options = TableOptions::default();
            options.set_default("ledger=ethereum").expect("a good mapping");
            let book = Book::create(folder).map_err(|error| error.to_string());
            book.and_then(|book| {
                ingest_table(&book, Path::new(path), &TableIngest::new(options), &mut tell)
                    .map(|report| format!("{report:?}"))
                    .map_err(|error| error.to_string())
            })
        }
        "blocks" => {
            let (ledger, asset) = (LedgerId::parse("bitcoin-regtest"), Asset { symbol: "BTC".into(), scale: 8 });
            let book = Book::create(folder).map_err(|error| error.to_string());
            let (ledger, spool) = (ledger.expect("a good id"), std::env::temp_dir());
            book.and_then(|book| {
                ingest_utxo_blocks(&book, Path::new(path), &ledger, &asset, &spool, &mut tell)
                    .map(|report| format!("{report:?}"))
                    .map_err(|error| error.to_string())
            })
        }
        other => panic!("unknown form {other}"),
    };
    println!("{:>7.2} s {}", start.elapsed().as_secs_f64(), ended.unwrap_or_else(|error| error));
}
