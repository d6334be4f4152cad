//! The theft from Bitfinex of 2 August 2016: every theft transaction named in one incident, resolved to the satoshi.
//!
//! The table of thefts is a public data set that is not part of this repository; without it the test says so and passes.

use std::fmt::Write as _;

use incident::{Incident, resolve};
use ledger::memory::MemoryLedger;
use ledger::{AccountLeg, AccountTransaction, Kind, LedgerId, LegKind, Time};
use money::{Amount, Asset, Decimal};

const TABLE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/bitcoin/bitfinex-2016/bitfinex_tx_dataset.csv");

#[test]
fn two_thousand_starts_sum_to_the_satoshi() {
    let Ok(table) = std::fs::read_to_string(TABLE) else {
        eprintln!("SKIPPED: {TABLE} is not here");
        return;
    };
    let bitcoin = Asset { symbol: "BTC".into(), scale: 8 };
    let mut ledger = MemoryLedger::new(LedgerId::parse("bitcoin").unwrap(), Kind::Account, vec![bitcoin.clone()]);
    let mut yaml = String::from(
        "incident: bitfinex-2016\nlosses:\n- ledger: bitcoin\n  asset: BTC\n  amount: 119756.62032288\n  stolen:\n",
    );
    for row in table.lines().skip(1) {
        let [txid, from, to, amount] = row.split(',').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let leg = AccountLeg {
            from: Some(from.to_owned()),
            to: Some(to.to_owned()),
            asset: "BTC".into(),
            amount: Decimal::parse(amount).unwrap().to_amount(8).unwrap(),
            fee: Amount::ZERO,
            kind: LegKind::Transfer,
        };
        let time = Time::parse("2016-08-02").unwrap();
        ledger.push(&AccountTransaction { name: txid.to_owned(), time, legs: vec![leg] });
        writeln!(yaml, "  - {{tx: {txid}, to: {to}}}").unwrap();
    }
    let incident = Incident::parse(&yaml).unwrap();
    let resolved = resolve(&incident.losses[0], &ledger).unwrap();
    assert_eq!(resolved.starts.len(), 2072);
    assert_eq!(bitcoin.text(resolved.total), "119756.62032288");
    assert_eq!(resolved.problems, []);
}
