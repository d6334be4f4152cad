//! What the judge makes of real chains: the joins of a real node's chain, where it is known what each transaction was
//! made as, and a full block of the main chain.

mod common;

use std::collections::BTreeMap;

use book::{Book, BookLedger, UtxoLedger};
use cluster::{Judge, Rules, Verdict};
use common::{Desk, blocks, data, mainnet};
use ledger::{Coins as _, Ledger as _, LedgerId, Seq};
use serde_json::Value;

/// The ledger that was filled on this desk.
fn ledger(desk: &Desk, name: &str) -> UtxoLedger {
    let book = Book::open(desk.path("book")).unwrap();
    let id = LedgerId::parse(name).unwrap();
    let BookLedger::Utxo(open) = book.ledger(&id).unwrap() else { panic!("it is a UTXO ledger") };
    open
}

fn verdicts(ledger: &UtxoLedger) -> Vec<(String, Verdict)> {
    let mut judge = Judge::new(Rules::default());
    (0..ledger.transactions()).map(Seq).map(|seq| (ledger.transaction_name(seq), judge.judge(ledger, seq))).collect()
}

/// What each transaction of the real node's chain was made as.
fn made_as() -> Option<BTreeMap<String, String>> {
    let packed = std::fs::File::open(data("bitcoin/regtest-node-29.5/made-as.json.xz")?).unwrap();
    let plain = lzma_rust2::XzReader::new(std::io::BufReader::new(packed), true);
    let all: Value = serde_json::from_reader(plain).unwrap();
    let kind = |tx: &Value| tx["kind"].as_str().expect("each has a kind").to_owned();
    Some(all["tx"].as_object().unwrap().iter().map(|(txid, tx)| (txid.clone(), kind(tx))).collect())
}

#[test]
fn the_real_node_s_joins_and_nothing_else() {
    let desk = Desk::new();
    let (Some(kinds), Some(truth)) = (made_as(), blocks::truth(&desk, 315)) else { return };
    desk.run(&format!("ingest utxo-blocks {truth} --ledger {}", blocks::LEDGER)).done();
    let mut seen = BTreeMap::new();
    for (txid, verdict) in verdicts(&ledger(&desk, blocks::LEDGER)) {
        let kind = kinds.get(&txid).map_or("none", String::as_str);
        let is_join = verdict.join.is_some();
        assert_eq!(is_join, kind == "coinjoin", "{txid}, made as {kind}: {verdict:?}");
        assert!(verdict.join.is_none() || verdict.change.is_none());
        *seen.entry((kind.to_owned(), is_join, verdict.is_doubtful)).or_insert(0) += 1;
    }
    assert_eq!(seen[&("coinjoin".to_owned(), true, false)], 374);
    let doubtful: i32 = seen.iter().filter(|((_, _, is_doubtful), _)| *is_doubtful).map(|(_, count)| count).sum();
    println!("{seen:?}; doubtful: {doubtful}");
}

/// A block of 2015: `JoinMarket` was months old and most of its 420 transactions are one party's.
#[test]
fn few_of_a_main_chain_block_are_joins() {
    let Some(folder) = data("bitcoin/mainnet-block-367891") else { return };
    let desk = Desk::new();
    desk.write("block.ndjson", &mainnet::block(&folder, 367_891).line);
    desk.run("ingest utxo-blocks block.ndjson").done();
    let verdicts = verdicts(&ledger(&desk, "bitcoin"));
    let set_apart: Vec<_> = verdicts.iter().filter(|(_, verdict)| !verdict.joins_inputs()).collect();
    println!("{set_apart:#?}");
    assert!(set_apart.len() <= 420 / 50, "{} of {}", set_apart.len(), verdicts.len());
}
