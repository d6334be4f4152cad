//! A town small enough to check by hand: a bank, a chain of five blocks, two robberies and two tags.
//!
//! At the bank, mallory's account holds 100 of pia's honest money when 300 of the vault's stolen money arrive, so every
//! policy gives another answer. On the chain the loot of 6 is joined with 4 of clean money.

use super::Desk;

pub const BANK: &str = "\
tx,time,from,to,asset,amount,ledger,fee,memo
open,2024-01-01T09:00:00Z,,vault,EUR,1000.00,bank:TOWNXXPP,,
open,2024-01-01T09:00:00Z,,pia,EUR,100.00,bank:TOWNXXPP,,
rent,2024-01-01T12:00:00Z,pia,mallory,EUR,100.00,bank:TOWNXXPP,,rent
heist,2024-01-02T03:00:00Z,vault,mallory,EUR,300.00,bank:TOWNXXPP,,
pay,2024-01-02T04:00:00Z,mallory,mule,EUR,200.00,bank:TOWNXXPP,1.00,\"shoes, red\"
sell,2024-01-02T05:00:00Z,mule,kiosk,EUR,150.00,bank:TOWNXXPP,,
cash,2024-01-02T06:00:00Z,mallory,,EUR,60.00,bank:TOWNXXPP,,atm
late,2024-01-09T06:00:00Z,mallory,shop,EUR,0.50,bank:TOWNXXPP,,
";

pub const BANK_HEIST: &str = r#"incident: vault
title: The vault of Town Bank
victim: {name: Town Bank, kind: bank}
occurred: 2024-01-02
status: taken
losses:
  - ledger: "bank:TOWNXXPP"
    asset: EUR
    amount: "300"
    stolen:
      - tx: heist
        to: mallory
"#;

pub const CHAIN_HEIST: &str = r#"incident: purse
title: The purse of a merchant
victim: {name: A merchant, kind: person}
occurred: 2024-01-02
status: taken
losses:
  - ledger: "bip122:746f776e000000000000000000000000"
    asset: BTC
    amount: "6"
    stolen:
      - output: "00000000000000000000000000000000000000000000000000000000000000d1:0"
"#;

/// Two holders of the chain whom tags speak of. Tags apply to addresses only, so these have the form of one.
pub const LEFT: &str = "bcrt1qnx0fgh0pu8dtd8ejlwkzlssukcgcw9lmkmverw";
pub const MARKET: &str = "bcrt1qykseg6pm9c9pmuw498gr5g2e4k9st9x8uska9y";

pub const TAGS: &str = "\
address,label,category,source,confidence
kiosk,Corner Kiosk,exchange,https://example.org/kiosk,service_data
bcrt1qykseg6pm9c9pmuw498gr5g2e4k9st9x8uska9y,Night Market,exchange,,web_crawl
";

/// A 64-digit id from its last digits.
pub fn id(end: &str) -> String {
    format!("{end:0>64}")
}

/// One output: who gets how much.
pub type Output<'a> = (&'a str, &'a str);

/// One transaction: its id, the outputs that it spends (all by index), what it pays.
pub type Payment<'a> = (&'a str, &'a [(&'a str, u32)], &'a [Output<'a>]);

/// A block's line, with a coinbase of its own that pays 10 to `miner`.
pub fn block(height: u64, fork: &str, parent: &str, payments: &[Payment<'_>]) -> String {
    let outputs = |outputs: &[Output<'_>]| {
        let output = |(n, (to, value)): (usize, &Output<'_>)| {
            format!(r#"{{"value":{value},"n":{n},"scriptPubKey":{{"hex":"51","address":"{to}"}}}}"#)
        };
        outputs.iter().enumerate().map(output).collect::<Vec<_>>().join(",")
    };
    let coinbase = id(&format!("c{fork}{height}"));
    let mut txs = vec![format!(
        r#"{{"txid":"{coinbase}","vin":[{{"coinbase":"00"}}],"vout":[{}]}}"#,
        outputs(&[("miner", "10.0")])
    )];
    for (txid, spends, pays) in payments {
        let spends: Vec<_> =
            spends.iter().map(|(txid, vout)| format!(r#"{{"txid":"{}","vout":{vout}}}"#, id(txid))).collect();
        txs.push(format!(r#"{{"txid":"{}","vin":[{}],"vout":[{}]}}"#, id(txid), spends.join(","), outputs(pays)));
    }
    let hash = id(&format!("b{fork}{height}"));
    let parent = if height == 0 { String::new() } else { format!(r#""previousblockhash":"{}","#, id(parent)) };
    // 1704067200 is 2024-01-01T00:00:00Z; a block an hour.
    let time = 1_704_067_200 + 3_600 * height;
    format!("{{\"hash\":\"{hash}\",\"height\":{height},\"time\":{time},{parent}\"tx\":[{}]}}\n", txs.join(","))
}

/// Five blocks: 6 of a merchant's 10 are stolen, joined with 4 of clean money, and sold.
pub fn chain() -> Vec<String> {
    vec![
        block(0, "a", "", &[]),
        block(1, "a", "ba0", &[("a1", &[("ca0", 0)], &[("merchant", "6.0"), ("pia", "4.0")])]),
        block(2, "a", "ba1", &[("d1", &[("a1", 0)], &[("thief", "6.0")])]),
        block(3, "a", "ba2", &[("d2", &[("d1", 0), ("a1", 1)], &[(LEFT, "5.0"), ("right", "4.9")])]),
        block(4, "a", "ba3", &[("d3", &[("d2", 1)], &[(MARKET, "3.0"), ("right", "1.9")])]),
    ]
}

/// A desk with the town's files, and nothing ingested.
pub fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("bank.csv", BANK);
    desk.write("chain.ndjson", chain().concat());
    desk.write("vault.yaml", BANK_HEIST);
    desk.write("purse.yaml", CHAIN_HEIST);
    desk.write("tags.csv", TAGS);
    desk
}

/// The same with everything in the book.
pub fn ingested() -> Desk {
    let desk = desk();
    desk.run("ingest table bank.csv").done();
    desk.run("ingest utxo-blocks chain.ndjson --ledger bip122:746f776e000000000000000000000000").done();
    desk.run("tags import tags.csv").done();
    desk
}
