//! What a real node's block files say of every spent output, against the node's own `getblock 3`: value, script, height
//! and whether a coinbase made it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use book::Book;
use feed::{BlockFilesIngest, ingest_block_files};
use ledger::{End, Ledger, Lock, Network, txid_bytes};
use serde_json::Value;
use serde_json::value::RawValue;

fn data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/bitcoin/regtest-node-29.5").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is missing", path.display());
    None
}

#[test]
fn every_spent_output_is_what_the_node_says() {
    let (Some(packed), Some(truth)) = (data("blocks.tar.xz"), data("ground-truth-getblock3.jsonl.gz")) else { return };
    let desk = tempfile::tempdir().unwrap();
    let unpacked = lzma_rust2::XzReader::new(BufReader::new(File::open(packed).unwrap()), true);
    tar::Archive::new(unpacked).unpack(desk.path()).unwrap();
    let book = Book::create(desk.path().join("book")).unwrap();
    let never = AtomicBool::new(false);
    let folder = desk.path().join("blocks");
    let report = ingest_block_files(&book, &folder, &BlockFilesIngest::default(), &never, &mut ()).unwrap();
    assert!(report.is_whole && report.problems.is_empty(), "{:?}", report.problems);
    let opened = book.ledger(&report.ledger).unwrap();
    let ledger = opened.as_ledger();
    let unpacked = flate2::read::MultiGzDecoder::new(File::open(truth).unwrap());
    let mut spent = 0;
    for line in BufReader::new(unpacked).lines() {
        let block: Value = serde_json::from_str(&line.unwrap()).unwrap();
        for transaction in block["tx"].as_array().unwrap() {
            let inputs = transaction["vin"].as_array().unwrap().iter().filter(|input| input["prevout"].is_object());
            for input in inputs {
                check(ledger, transaction["txid"].as_str().unwrap(), input);
                spent += 1;
            }
        }
    }
    assert_eq!(spent, 12_932);
}

fn check(ledger: &dyn Ledger, spender: &str, input: &Value) {
    let (maker, vout, prevout) = (input["txid"].as_str().unwrap(), &input["vout"], &input["prevout"]);
    assert!(txid_bytes(maker).is_some());
    let place = format!("{maker}:{vout}");
    let output = ledger.find_output(maker, u32::try_from(vout.as_u64().unwrap()).unwrap()).expect(&place);
    let made = ledger.find_transaction(maker).unwrap();
    assert_eq!(ledger.stamp(made).height, prevout["height"].as_u64(), "{place}");
    let mut legs = Vec::new();
    ledger.transaction(made, &mut legs);
    let from_outside = legs.iter().any(|leg| leg.payer == End::Outside);
    assert_eq!(Some(from_outside), prevout["generated"].as_bool(), "{place}");
    let script = prevout["scriptPubKey"]["hex"].as_str().unwrap();
    let network = Network::of(ledger.id());
    let lock = Lock::parse(network, &format!("script:{script}")).unwrap();
    assert_eq!(ledger.holder_name(ledger.purse(output).holder), lock.name(network), "{place}");
    let spending = ledger.find_transaction(spender).unwrap();
    assert_eq!(ledger.previous(output, ledger.end()), Some(spending), "{place}");
    let value: &RawValue = &serde_json::value::to_raw_value(&prevout["value"]).unwrap();
    assert_eq!(ledger.balance(output, spending).units(), sats(value.get()), "{place}");
}

/// A number of bitcoins in satoshis, digit by digit; small ones are printed with an exponent.
fn sats(text: &str) -> u128 {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let zeros = 8 + exponent.parse::<i32>().unwrap() - i32::try_from(fraction.len()).unwrap();
    let number: u128 = format!("{whole}{fraction}").parse().unwrap();
    match u32::try_from(zeros) {
        Ok(zeros) => number * 10_u128.pow(zeros),
        Err(_) => number / 10_u128.pow(zeros.unsigned_abs()),
    }
}
