//! Blocks into the book: all of a file or nothing, in one chain.

mod common;

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use common::{Desk, data};
use feed::{BlocksReport, FeedError, ingest_utxo_blocks};
use ledger::LedgerId;
use money::Asset;

fn ingest(desk: &Desk, path: &Path) -> Result<BlocksReport, FeedError> {
    let asset = Asset { symbol: "BTC".into(), scale: 8 };
    ingest_utxo_blocks(
        &desk.book,
        path,
        &LedgerId::parse("bitcoin-regtest").unwrap(),
        &asset,
        &std::env::temp_dir(),
        &mut (),
    )
}

fn outcome(desk: &Desk, name: &str, lines: &[String]) -> String {
    let path = desk.file(name, lines.concat());
    match ingest(desk, &path) {
        Ok(report) => {
            format!("+{} blocks, {} there, +{} transactions", report.added, report.already_there, report.transactions)
        }
        Err(error) => desk.bare(&error),
    }
}

/// A block of a coinbase and payments, each `(txid, spends txid:0, value)`.
fn block(height: u64, hash: &str, previous: &str, payments: &[(&str, &str, u64)]) -> String {
    let id = |text: &str| format!("{text:0>64}");
    let output = |value: u64| format!(r#"[{{"value":{value}.0,"n":0,"scriptPubKey":{{"hex":"51"}}}}]"#);
    let mut txs =
        vec![format!(r#"{{"txid":"{}","vin":[{{"coinbase":"00"}}],"vout":{}}}"#, id(&format!("c{hash}")), output(50))];
    for (txid, spent, value) in payments {
        txs.push(format!(
            r#"{{"txid":"{}","vin":[{{"txid":"{}","vout":0}}],"vout":{}}}"#,
            id(txid),
            id(spent),
            output(*value)
        ));
    }
    let parent = if height == 0 { String::new() } else { format!(r#""previousblockhash":"{}","#, id(previous)) };
    format!(
        "{{\"hash\":\"{}\",\"height\":{height},\"time\":{},{parent}\"tx\":[{}]}}\n",
        id(hash),
        1_700_000_000 + height,
        txs.join(",")
    )
}

fn chain() -> Vec<String> {
    vec![block(0, "a0", "", &[]), block(1, "a1", "a0", &[("b1", "ca0", 50)]), block(2, "a2", "a1", &[("b2", "b1", 49)])]
}

#[test]
fn a_chain_goes_in_once_and_grows() {
    let desk = Desk::new();
    assert_eq!(outcome(&desk, "b.jsonl", &chain()[..2]), "+2 blocks, 0 there, +3 transactions");
    assert_eq!(outcome(&desk, "b.jsonl", &chain()), "+1 blocks, 2 there, +2 transactions");
    assert_eq!(outcome(&desk, "b.jsonl", &chain()), "+0 blocks, 3 there, +0 transactions");
    let whole = Desk::new();
    outcome(&whole, "b.jsonl", &chain());
    assert_eq!(whole.dump("bitcoin-regtest"), desk.dump("bitcoin-regtest"));
}

#[test]
fn what_does_not_fit_is_one_line_and_leaves_the_ledger_as_it_was() {
    let id = |text: &str| format!("{text:0>64}");
    let good = chain();
    let cases: Vec<(&str, Vec<String>, String)> = vec![
        ("a gap", vec![good[0].clone(), good[2].clone()], "b.jsonl:2:height: block 2 comes after block 0 of line 1; give blocks in order of height, without gaps".into()),
        ("another parent", vec![good[0].clone(), block(1, "e1", "e0", &[])], format!("b.jsonl:2:previousblockhash: block 1 names the parent {}, the block before it in line 1 is {}; give the blocks of one chain, without stale ones", id("e0"), id("a0"))),
        ("a broken line", vec![good[0].clone(), good[1].clone(), good[2][..50].to_owned()], "b.jsonl:3:50: not the expected JSON: EOF while parsing a string; the file ends inside this line: get it again in full".into()),
        ("spent twice", vec![good[0].clone(), good[1].clone(), block(2, "a2", "a1", &[("b2", "ca0", 50)])], format!("b.jsonl:3: transaction {} spends output {}:0, which {} has spent already; nothing of this run was kept", id("b2"), id("ca0"), id("b1"))),
        ("empty", vec![], "b.jsonl: the file is empty; give one block a line, as getblock HASH 3 prints it".into()),
    ];
    for (name, lines, want) in cases {
        let desk = Desk::new();
        assert_eq!(outcome(&desk, "b.jsonl", &lines), want, "{name}");
        assert_eq!(desk.book.ledgers().unwrap(), [], "{name}");
        assert_eq!(outcome(&desk, "b.jsonl", &good), "+3 blocks, 0 there, +5 transactions", "{name}");
    }
}

#[test]
fn blocks_that_do_not_follow_the_tip_say_what_to_do() {
    let id = |text: &str| format!("{text:0>64}");
    let desk = Desk::new();
    outcome(&desk, "b.jsonl", &chain());
    let before = desk.dump("bitcoin-regtest");
    let cases = [
        (
            block(5, "a5", "a4", &[]),
            "b.jsonl:1:height: the first block has height 5, the ledger ends at height 2; give blocks from height 3 on"
                .to_owned(),
        ),
        (
            block(3, "e3", "e2", &[]),
            format!(
                "b.jsonl:1:height: block 3 names the parent {}, the ledger's last block is {}; take back 1 block or more with undo first, and give the blocks of one chain from there",
                id("e2"),
                id("a2")
            ),
        ),
        (
            block(1, "e1", "a0", &[]),
            format!(
                "b.jsonl:1:height: block 1 is {}, the ledger holds {} at that height; take back 2 blocks with undo first, if this is the better chain",
                id("e1"),
                id("a1")
            ),
        ),
    ];
    for (line, want) in cases {
        assert_eq!(outcome(&desk, "b.jsonl", &[line]), want);
        assert_eq!(desk.dump("bitcoin-regtest"), before);
    }
    assert!(
        desk.table("t.csv", "ledger,tx,time,from,to,asset,amount\nbitcoin-regtest,a,2024-01-01,,script:51,BTC,1\n")
            .is_err()
    );
}

#[test]
fn a_real_nodes_chain_goes_in() {
    let Some(path) = data("bitcoin/regtest-node-29.5/ground-truth-getblock3.jsonl.gz") else { return };
    let desk = Desk::new();
    let report = ingest(&desk, &path).unwrap();
    assert_eq!((report.added, report.already_there, report.transactions), (315, 0, 6391));
    assert_eq!(ingest(&desk, &path).unwrap().already_there, 315);
    // In two parts it makes the same ledger.
    let lines = BufReader::new(flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap())).lines();
    let lines: Vec<String> = lines.map(|line| line.unwrap() + "\n").collect();
    let parts = Desk::new();
    outcome(&parts, "one.jsonl", &lines[..200]);
    assert_eq!(outcome(&parts, "two.jsonl", &lines[200..]), "+115 blocks, 0 there, +3906 transactions");
    assert_eq!(parts.dump("bitcoin-regtest"), desk.dump("bitcoin-regtest"));
}
