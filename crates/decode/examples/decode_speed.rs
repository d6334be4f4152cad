//! How many megabytes a second a decoder reads: `cargo run --release -p decode --example decode_speed -- table FILE`.

use std::fs::File;
use std::time::Instant;

use decode::table::{TableOptions, TableReader};
use decode::utxo_blocks::BlockReader;
use ledger::LedgerId;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [form, path] = arguments.as_slice() else { panic!("usage: decode_speed table|blocks FILE") };
    let file = File::open(path).expect("the file can be opened");
    let bytes = file.metadata().expect("the file has a size").len();
    let start = Instant::now();
    let count = match form.as_str() {
        "table" => {
            let mut options = TableOptions::default();
            options.set_default("ledger=ethereum").expect("a good mapping");
            TableReader::new(file, options).inspect(|row| assert!(row.is_ok(), "a good row")).count()
        }
        "blocks" => {
            let ledger = LedgerId::parse("bitcoin-regtest").expect("a good id");
            BlockReader::new(file, ledger, 8).inspect(|block| assert!(block.is_ok(), "a good block")).count()
        }
        other => panic!("unknown form {other}"),
    };
    let seconds = start.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a speed for people, not money")]
    let speed = bytes as f64 / seconds / 1e6;
    println!("{count} items, {bytes} bytes, {seconds:.2} s, {speed:.0} MB/s");
}
