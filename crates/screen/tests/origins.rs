//! Where money came from and went to, on chains small enough to check by hand.

mod common;

use std::collections::BTreeMap;

use exposure::{Category, Exposure, Facts};
use ledger::memory::MemoryLedger;
use ledger::{
    Coins as _, HolderId, Kind, Ledger as _, LedgerId, Outpoint, Seq, Time, UtxoBlock, UtxoInput, UtxoOutput,
    UtxoTransaction,
};
use money::{Amount, Asset};
use screen::Origins;
use screen::finding::{Flow, Proof};

const THEFT: Category = Category(5);

#[derive(Default)]
struct Known(BTreeMap<HolderId, Category>);

impl Facts for Known {
    fn category(&self, holder: HolderId) -> Option<Category> {
        self.0.get(&holder).copied()
    }
    fn resets_poison(&self, _: HolderId) -> bool {
        false
    }
    fn is_join(&self, _: Seq) -> bool {
        false
    }
    fn is_risk(&self, category: Category) -> bool {
        category == THEFT
    }
}

struct Street {
    ledger: MemoryLedger,
    known: Known,
    exposure: Exposure,
}

fn txid(number: u64) -> [u8; 32] {
    let mut txid = [0; 32];
    txid[..8].copy_from_slice(&number.to_le_bytes());
    txid
}

type Payment<'a> = (&'a [(u64, u32)], &'a [(&'a str, u64)]);

/// Transactions by their numbers; those that spend nothing are coinbases. `thieves` are tagged.
fn street(payments: &[Payment<'_>], thieves: &[&str]) -> Street {
    let asset = Asset { symbol: "BTC".into(), scale: 0 };
    let mut ledger = MemoryLedger::new(LedgerId::parse("bitcoin-regtest").unwrap(), Kind::Utxo, vec![asset]);
    for (number, (spends, pays)) in (0u64..).zip(payments) {
        let input =
            |(of, vout): &(u64, u32)| UtxoInput { outpoint: Outpoint { txid: txid(*of), vout: *vout }, spent: None };
        let output =
            |(to, value): &(&str, u64)| UtxoOutput { amount: Amount::new(u128::from(*value)), holder: (*to).into() };
        let transaction = UtxoTransaction {
            txid: txid(number),
            inputs: spends.iter().map(input).collect(),
            outputs: pays.iter().map(output).collect(),
            fee: None,
        };
        let time = Time::from_seconds(i64::try_from(number).unwrap()).unwrap();
        let hash = txid(number);
        ledger.push_block(&UtxoBlock { height: number, hash, previous: None, time, transactions: vec![transaction] });
    }
    let known = Known(thieves.iter().map(|name| (ledger.find_holder(name).unwrap(), THEFT)).collect());
    let mut exposure = Exposure::new();
    exposure.advance(&ledger, &known, Seq(ledger.transactions())).unwrap();
    Street { ledger, known, exposure }
}

impl Street {
    fn of(&self, name: &str) -> screen::finding::Exposure {
        let entity = |holder| format!("<{}>", self.ledger.holder_name(holder));
        let origins = Origins { ledger: &self.ledger, facts: &self.known, vectors: &self.exposure, entity: &entity };
        origins.holder(self.ledger.find_holder(name).unwrap(), &|_| Vec::new()).0
    }
}

fn said(flow: &Flow) -> String {
    let slice = |slice: &screen::finding::Slice| {
        format!("{}: {} + {}", slice.category, slice.direct.units(), slice.indirect.units())
    };
    let slices: Vec<String> = flow.categories.iter().map(slice).collect();
    format!("{} = {} ~{}", flow.total.units(), slices.join(", "), flow.truncated.units())
}

fn path(proof: Option<&Proof>) -> String {
    let Some(proof) = proof else { return "none".to_owned() };
    let hops: Vec<String> = proof.hops.iter().map(|hop| format!("{}:{}", hop.to, hop.amount.units())).collect();
    format!("{} {} > {}", proof.holder, proof.entity, hops.join(" > "))
}

#[test]
fn loot_is_told_from_what_is_clean_and_the_path_proves_it() {
    let street = street(
        &[
            (&[], &[("thief", 60), ("pia", 40)]),
            (&[(0, 0)], &[("hop", 60)]),
            (&[(1, 0), (0, 1)], &[("mix", 99)]),
            (&[(2, 0)], &[("end", 50), ("mix", 49)]),
        ],
        &["thief"],
    );
    let mix = street.of("mix");
    // The 49 that it pays to itself are nothing new: 59.4 of 99 are loot, cut to base units.
    assert_eq!(said(&mix.received), "99 = 1: 0 + 39, 5: 0 + 59 ~1");
    assert_eq!(path(mix.received.categories[1].nearest.as_ref()), "thief <thief> > hop:60 > mix:99");
    assert_eq!(said(&mix.sent), "50 = 0: 0 + 50 ~0");
    assert_eq!(said(&street.of("hop").received), "60 = 5: 60 + 0 ~0");
    assert_eq!(street.of("hop").received.categories[0].entities, [("<thief>".to_owned(), Amount::new(60))]);
    assert_eq!(mix.poison, screen::CategorySet::one(5));
    assert_eq!(street.of("pia").poison, screen::CategorySet::default());
}

#[test]
fn churning_dilutes_nothing() {
    let mut payments: Vec<Payment<'_>> =
        vec![(&[], &[("thief", 10)]), (&[], &[("me", 90)]), (&[(0, 0)], &[("me", 10)])];
    let once = said(&street(&payments, &["thief"]).of("me").received);
    payments.push((&[(1, 0)], &[("me", 90)]));
    payments.push((&[(3, 0)], &[("me", 90)]));
    assert_eq!(once, "100 = 1: 90 + 0, 5: 10 + 0 ~0");
    assert_eq!(said(&street(&payments, &["thief"]).of("me").received), once);
}

#[test]
fn what_is_sent_is_followed_to_whom_it_reaches() {
    let street = street(
        &[
            (&[], &[("me", 100)]),
            (&[(0, 0)], &[("hop", 80), ("thief", 15)]),
            (&[(1, 0)], &[("thief", 60), ("far", 20)]),
        ],
        &["thief"],
    );
    let sent = street.of("me").sent;
    // 5 went to miners and 20 to somebody of whom nothing is known.
    assert_eq!(said(&sent), "100 = 0: 0 + 25, 5: 15 + 60 ~0");
    assert_eq!(path(sent.categories[1].nearest.as_ref()), "thief <thief> > thief:15");
}

#[test]
fn a_transaction_that_nobody_has_confirmed_is_told_by_its_inputs() {
    let street = street(&[(&[], &[("thief", 10), ("pia", 30)])], &["thief"]);
    let entity = |holder| street.ledger.holder_name(holder);
    let origins = Origins { ledger: &street.ledger, facts: &street.known, vectors: &street.exposure, entity: &entity };
    let mut made = Vec::new();
    street.ledger.made(Seq(0), &mut made);
    let payee = made[0].holder;
    let exposure = origins.unconfirmed(&made, &[(payee, 20)], false, 0);
    assert_eq!(said(&exposure.received), "20 = 1: 0 + 15, 5: 5 + 0 ~0");
    assert_eq!(said(&exposure.sent), "20 = 5: 20 + 0 ~0");
    // Half of what it spends is of transactions that the chain does not have.
    let exposure = origins.unconfirmed(&made, &[(payee, 20)], false, 40);
    assert_eq!(said(&exposure.received), "20 = 0: 0 + 10, 1: 0 + 7, 5: 2 + 0 ~1");
}
