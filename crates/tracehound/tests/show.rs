//! `tracehound show`: what the book knows of a transaction, an output, a holder, a block.

mod common;

use std::collections::BTreeMap;
use std::io::Read as _;

use common::{Desk, data, list, text, town};
use expect_test::expect;
use serde_json::Value;

#[test]
fn things_of_a_chain() {
    let desk = town::ingested();
    expect![[r#"
        exit 0
        --- out
        transaction 00000000000000000000000000000000000000000000000000000000000000d1
        on bip122:746f776e000000000000000000000000, block 2, 2024-01-01T02:00:00Z
        in block 0000000000000000000000000000000000000000000000000000000000000ba2
        fee 0 BTC
        1 input:
          6 BTC  merchant  00000000000000000000000000000000000000000000000000000000000000a1:0
        1 output:
          0  6 BTC  thief  spent by 00000000000000000000000000000000000000000000000000000000000000d2

    "#]]
    .assert_eq(&desk.shows(&format!("show {}", town::id("d1"))));
    expect![[r#"
        exit 0
        --- out
        output 00000000000000000000000000000000000000000000000000000000000000d1:0
        on bip122:746f776e000000000000000000000000: 6 BTC, held by thief
        made in block 2, 2024-01-01T02:00:00Z
        spent by 00000000000000000000000000000000000000000000000000000000000000d2, block 3, 2024-01-01T03:00:00Z

    "#]]
    .assert_eq(&desk.shows(&format!("show {}:0", town::id("d1"))));
    expect![[r#"
        exit 0
        --- out
        holder bcrt1qnx0fgh0pu8dtd8ejlwkzlssukcgcw9lmkmverw
        on bip122:746f776e000000000000000000000000
        balance 5 BTC
          received 5 in 1 output, spent 0, 1 unspent
        first seen block 3, 2024-01-01T03:00:00Z
        last seen block 3, 2024-01-01T03:00:00Z
        movements, newest first:
          2024-01-01T03:00:00Z  +5 BTC  00000000000000000000000000000000000000000000000000000000000000d2:0

    "#]]
    .assert_eq(&desk.shows(&format!("show {}", town::LEFT)));
    expect![[r#"
        exit 0
        --- out
        block 3 0000000000000000000000000000000000000000000000000000000000000ba3
        on bip122:746f776e000000000000000000000000, 2024-01-01T03:00:00Z
        after 0000000000000000000000000000000000000000000000000000000000000ba2
        2 transactions, fees 0.1 BTC
          0000000000000000000000000000000000000000000000000000000000000ca3  0 → 1   10 BTC  fee 0
          00000000000000000000000000000000000000000000000000000000000000d2  2 → 2  9.9 BTC  fee 0.1

    "#]]
    .assert_eq(&desk.shows("show 3"));
    expect![[r#"
        exit 0
        --- out
        {"schema":"tracehound/show/1","ledger":"bip122:746f776e000000000000000000000000","kind":"holder","holder":"bcrt1qykseg6pm9c9pmuw498gr5g2e4k9st9x8uska9y","balances":[{"asset":"BTC","balance":"3","received":"3","spent":"0","outputs":1,"unspent":1}],"first":{"height":4,"time":"2024-01-01T04:00:00Z"},"last":{"height":4,"time":"2024-01-01T04:00:00Z"},"history":[{"height":4,"time":"2024-01-01T04:00:00Z","tx":"00000000000000000000000000000000000000000000000000000000000000d3","direction":"in","asset":"BTC","amount":"3","output":"00000000000000000000000000000000000000000000000000000000000000d3:0"}],"movements":1}
        {"schema":"tracehound/show/1","ledger":"bip122:746f776e000000000000000000000000","kind":"block","height":4,"hash":"0000000000000000000000000000000000000000000000000000000000000ba4","previous":"0000000000000000000000000000000000000000000000000000000000000ba3","time":"2024-01-01T04:00:00Z","transactions":2,"fees":{"asset":"BTC","amount":"0"},"listed":[{"tx":"0000000000000000000000000000000000000000000000000000000000000ca4","inputs":0,"outputs":1,"asset":"BTC","amount":"10","fee":"0"}]}
    "#]].assert_eq(&desk.shows(&format!("show {} 4 --json --top 1", town::MARKET)));
}

#[test]
fn things_of_a_bank() {
    let desk = town::ingested();
    expect![[r#"
        exit 0
        --- out
        transaction pay
        on bank:TOWNXXPP, 2024-01-02T04:00:00Z
        2 movements:
          200 EUR  mallory  →  mule
            1 EUR  mallory  →  fee

        holder mallory
        on bank:TOWNXXPP
        balance 138.5 EUR
        first seen 2024-01-01T12:00:00Z
        last seen 2024-01-09T06:00:00Z
        movements, newest first:
          2024-01-09T06:00:00Z  −0.5 EUR  shop     late
          2024-01-02T06:00:00Z   −60 EUR  outside  cash
          2024-01-02T04:00:00Z    −1 EUR  fee      pay
          2024-01-02T04:00:00Z  −200 EUR  mule     pay
          2024-01-02T03:00:00Z  +300 EUR  vault    heist
          2024-01-01T12:00:00Z  +100 EUR  pia      rent

    "#]]
    .assert_eq(&desk.shows("show pay mallory --ledger bank:TOWNXXPP"));
    expect![[r#"
        exit 0
        --- out
        {"schema":"tracehound/show/1","ledger":"bank:TOWNXXPP","kind":"holder","holder":"mallory","balances":[{"asset":"EUR","balance":"138.5"}],"first":null,"last":{"time":"2024-01-09T06:00:00Z"},"history":[{"time":"2024-01-09T06:00:00Z","tx":"late","direction":"out","asset":"EUR","amount":"0.5","with":"shop"}],"movements":null}
    "#]].assert_eq(&desk.shows("show mallory --json --top 1"));
}

#[test]
fn what_is_not_there() {
    let desk = town::ingested();
    expect![[r#"
        exit 5
        --- err
        error: nobody: no such transaction, output, block or holder on bank:TOWNXXPP, bip122:746f776e000000000000000000000000
    "#]].assert_eq(&desk.shows("show nobody"));
    expect![[r#"
        exit 5
        --- err
        error: 5: no such transaction, output, block or holder on bank:TOWNXXPP, bip122:746f776e000000000000000000000000
    "#]]
    .assert_eq(&desk.shows("show 5"));
    expect![[r#"
        exit 5
        --- err
        error: 1: no such transaction, output, block or holder on bank:TOWNXXPP
    "#]]
    .assert_eq(&desk.shows("show 1 --ledger bank:TOWNXXPP"));
    expect![[r#"
        exit 2
        --- err
        error: --ledger: "bank" is not a ledger id; write bitcoin, ethereum, a CAIP-2 id such as eip155:1, bank:BIC or table:NAME
    "#]].assert_eq(&desk.shows("show vault --ledger bank"));
    let mistyped = town::LEFT.replace("bcrt1qn", "bcrt1qm");
    expect![[r#"
        exit 2
        --- err
        error: bcrt1qmx0fgh0pu8dtd8ejlwkzlssukcgcw9lmkmverw: the Bech32 checksum is wrong: a character was mistyped or lost (bip122:746f776e000000000000000000000000)
    "#]].assert_eq(&desk.shows(&format!("show {mistyped}")));
}

/// Every transaction of a real node's chain, as that node itself told it.
#[test]
fn every_transaction_of_a_real_chain_reads_as_its_node_told_it() {
    let Some(path) = data("bitcoin/regtest-node-29.5/ground-truth-getblock3.jsonl.gz") else { return };
    let desk = Desk::new();
    desk.run(&format!("ingest utxo-blocks '{}' --ledger bitcoin-regtest", path.display())).done();
    let mut lines = String::new();
    let file = std::fs::File::open(path).expect("it is there");
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut lines).expect("it is whole");
    let blocks: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let transactions: Vec<&Value> = blocks.iter().flat_map(|block| list(&block["tx"])).collect();
    let mut spenders: BTreeMap<String, &str> = BTreeMap::new();
    for tx in &transactions {
        for input in list(&tx["vin"]).iter().filter(|input| input["coinbase"].is_null()) {
            spenders.insert(format!("{}:{}", text(&input["txid"]), input["vout"]), text(&tx["txid"]));
        }
    }
    // A command line holds some thousands of ids.
    let mut seen = 0;
    for some in transactions.chunks(1_000) {
        let ids: Vec<&str> = some.iter().map(|tx| text(&tx["txid"])).collect();
        let shown = desk.run(&format!("show --json {}", ids.join(" "))).done().json_lines();
        assert_eq!(shown.len(), some.len());
        for (page, tx) in shown.iter().zip(some) {
            assert_eq!(page["tx"], tx["txid"]);
            for (row, input) in list(&page["inputs"]).iter().zip(list(&tx["vin"])) {
                let spent = &input["prevout"];
                assert_eq!(text(&row["output"]), format!("{}:{}", text(&input["txid"]), input["vout"]));
                same(row, spent);
                seen += 1;
            }
            assert_eq!(list(&page["outputs"]).len(), list(&tx["vout"]).len());
            for (row, output) in list(&page["outputs"]).iter().zip(list(&tx["vout"])) {
                same(row, output);
                let name = format!("{}:{}", text(&tx["txid"]), output["n"]);
                assert_eq!(row["spent_by"].as_str(), spenders.get(&name).copied(), "{name}");
            }
        }
    }
    assert_eq!(seen, 12_932, "every spent output was looked at");
}

/// Value and holder of a row are those that the node told.
fn same(row: &Value, told: &Value) {
    let whole = told["value"].as_f64().expect("a number").to_string();
    let digits = |text: &str| {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        format!("{whole}{fraction:0<8}").trim_start_matches('0').to_owned()
    };
    assert_eq!(digits(text(&row["amount"])), digits(&whole), "{row}");
    match told["scriptPubKey"]["address"].as_str() {
        Some(address) => assert_eq!(row["holder"], address),
        None => assert!(text(&row["holder"]).starts_with("script"), "{row}"),
    }
}
