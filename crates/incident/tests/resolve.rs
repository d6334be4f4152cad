//! Where a trace starts, for each kind of start, on small ledgers whose answer is plain to see.

use std::fmt::Write as _;

use incident::{Incident, Resolved, resolve};
use ledger::memory::MemoryLedger;
use ledger::{
    AccountLeg, AccountTransaction, End, Kind, Ledger, LedgerId, LegKind, Outpoint, Time, UtxoBlock, UtxoInput,
    UtxoOutput, UtxoTransaction, txid_text,
};
use money::{Amount, Asset};
use proptest::prelude::*;

/// `NAME DATE: FROM>TO AMOUNT ASSET, …`; `-` is outside; amounts are in hundredths.
fn account_ledger(transactions: &[&str]) -> MemoryLedger {
    let asset = |symbol: &str| Asset { symbol: symbol.into(), scale: 2 };
    let id = LedgerId::parse("table:t").unwrap();
    let mut ledger = MemoryLedger::new(id, Kind::Account, vec![asset("EUR"), asset("USD")]);
    for line in transactions {
        let (head, legs) = line.split_once(": ").unwrap();
        let (name, date) = head.split_once(' ').unwrap();
        let legs = legs.split(", ").map(|leg| {
            let [ends, amount, asset] = leg.split(' ').collect::<Vec<_>>()[..] else { panic!("{leg}") };
            let (from, to) = ends.split_once('>').unwrap();
            let holder = |name: &str| (name != "-").then(|| name.to_owned());
            AccountLeg {
                from: holder(from),
                to: holder(to),
                asset: asset.into(),
                amount: Amount::new(amount.parse().unwrap()),
                fee: Amount::ZERO,
                kind: LegKind::Transfer,
            }
        });
        let time = Time::parse(date).unwrap();
        ledger.push(&AccountTransaction { name: name.into(), time, legs: legs.collect() });
    }
    ledger
}

/// A transaction id that starts with `number`.
fn txid(number: u8) -> [u8; 32] {
    let mut id = [0; 32];
    id[31] = number;
    id
}

/// Three blocks on three days: A mines 50, A pays B 30 and itself 19 (fee 1), B pays C 30 with 10 from elsewhere.
fn utxo_ledger() -> MemoryLedger {
    let bitcoin = Asset { symbol: "BTC".into(), scale: 8 };
    let mut ledger = MemoryLedger::new(LedgerId::parse("table:u").unwrap(), Kind::Utxo, vec![bitcoin]);
    let output = |holder: &str, units| UtxoOutput { amount: Amount::new(units), holder: holder.into() };
    let input = |number, vout, spent| UtxoInput { outpoint: Outpoint { txid: txid(number), vout }, spent };
    let transaction = |number, inputs, outputs| UtxoTransaction { txid: txid(number), inputs, outputs, fee: None };
    let days = [
        transaction(1, vec![], vec![output("A", 50), output("A", 0)]),
        transaction(2, vec![input(1, 0, None)], vec![output("B", 30), output("A", 19)]),
        transaction(
            3,
            vec![input(2, 0, None), input(9, 4, Some(output("X", 10)))],
            vec![output("C", 15), output("C", 20), output("B", 5)],
        ),
    ];
    for (height, transaction) in (0u8..).zip(days) {
        ledger.push_block(&UtxoBlock {
            height: height.into(),
            hash: [height; 32],
            previous: height.checked_sub(1).map(|below| [below; 32]),
            time: Time::parse(&format!("2022-01-0{}", height + 1)).unwrap(),
            transactions: vec![transaction],
        });
    }
    ledger
}

/// `seq.leg=amount …` of the starts, then `!kind` of each problem.
fn shown(resolved: &Resolved) -> String {
    let starts = resolved.starts.iter().map(|start| format!("{}.{}={}", start.seq.0, start.leg, start.amount.units()));
    let problems = resolved.problems.iter().map(|problem| format!("!{}@{}", problem.kind.as_str(), problem.place.line));
    starts.chain(problems).collect::<Vec<_>>().join(" ")
}

/// Resolves a loss of `asset` with these starts, the first in line 6, the loss's own amount (if any) in line 5.
fn check_loss(ledger: &MemoryLedger, asset: &str, amount: &str, starts: &[&str], want: &str) {
    let starts: Vec<String> = starts.iter().map(|start| format!("\n  - {start}")).collect();
    let starts = starts.concat();
    let amount = if amount.is_empty() { String::new() } else { format!("  amount: {amount}") };
    let yaml =
        format!("incident: a\nlosses:\n- ledger: {}\n  asset: {asset}\n{amount}\n  stolen:{starts}\n", ledger.id());
    let incident = Incident::parse(&yaml).unwrap();
    let got = match resolve(&incident.losses[0], ledger) {
        Ok(resolved) => {
            assert_eq!(resolved.total, resolved.starts.iter().map(|start| start.amount).sum());
            shown(&resolved)
        }
        Err(error) => format!("{:?} {error}", error.kind),
    };
    assert_eq!(got, want, "{yaml}");
}

fn check(ledger: &MemoryLedger, start: &str, want: &str) {
    let asset = &ledger.asset(ledger::AssetId(0)).symbol.clone();
    check_loss(ledger, asset, "", &[start], want);
}

fn robbery() -> MemoryLedger {
    account_ledger(&[
        "t0 2022-01-01: ->Victim 100000 EUR, ->Victim 500 USD",
        "t1 2022-01-02: Victim>Thief 700 EUR, Victim>Shop 100 EUR, Victim>Thief 300 EUR, Victim>Thief 500 USD",
        "T2 2022-01-03: Victim>Thief 200 EUR, Thief>Fence 200 EUR, Thief>Thief 50 EUR",
        "t3 2022-01-04: Shop>Thief 1 EUR",
    ])
}

const TIL: &str = "the ledger holds 4 transactions up to 2022-01-04T00:00:00Z: is it ingested far enough? names are \
                   case-sensitive";

#[test]
fn a_transaction_brings_all_its_legs_to_the_payee() {
    let ledger = robbery();
    check(&ledger, "{tx: t1, to: Thief}", "1.0=700 1.2=300");
    check(&ledger, "{tx: t1, to: Thief, amount: 8}", "1.0=700 1.2=100");
    check(&ledger, "{tx: t1, to: Thief, amount: 7}", "1.0=700");
    check(&ledger, "{tx: t1, to: Thief, amount: 10.00}", "1.0=700 1.2=300");
    check_loss(&ledger, "USD", "", &["{tx: t1, to: Thief}"], "1.3=500");
    check(&ledger, "{tx: T2, to: Thief}", "2.0=200");
}

#[test]
fn a_transaction_that_does_not_hold_what_is_claimed_is_an_error_that_says_what_it_holds() {
    let ledger = robbery();
    let paid = "it paid Thief 10 EUR, Shop 1 EUR";
    check(
        &ledger,
        "{tx: t1, to: Thief, amount: 12}",
        "ClaimsMore 7:5: the start claims 12 EUR, but the transaction brought 10 EUR to \"Thief\"; correct the amount, or \
         name the other movements as further starts",
    );
    check(
        &ledger,
        "{tx: t1}",
        &format!("PayeeMissing 7:5: transaction \"t1\" is named without saying who was paid; add `to:`; {paid}"),
    );
    check(
        &ledger,
        "{tx: t1, to: Victim}",
        &format!("NothingMoved 7:5: transaction \"t1\" brought no EUR to \"Victim\"; {paid}"),
    );
    check(
        &ledger,
        "{tx: t1, to: thief}",
        &format!(
            "UnknownAddress 7:5: transaction \"t1\" brought no EUR to \"thief\", who is nowhere on this ledger; {paid}"
        ),
    );
    check(
        &ledger,
        "{tx: t2, to: Thief}",
        &format!("UnknownTransaction 7:5: transaction \"t2\" is not on table:t; {TIL}"),
    );
    check(
        &ledger,
        "{tx: t1, to: Thief, amount: 1.005}",
        "BadAmount 7:5: 1.005 has 3 decimals, EUR has 2 on this ledger; give the amount in the asset's own unit",
    );
    check(
        &ledger,
        "{output: \"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b:0\"}",
        "UnknownOutput 7:5: table:t has accounts, not outputs; name the start with `tx` and `to`",
    );
}

#[test]
fn an_address_brings_what_reached_it_in_the_window_less_what_it_paid_itself() {
    let ledger = robbery();
    check(&ledger, "{address: Thief}", "1.0=700 1.2=300 2.0=200 3.0=1");
    check(&ledger, "{address: Thief, from: 2022-01-02, until: 2022-01-03}", "1.0=700 1.2=300");
    check(&ledger, "{address: Thief, from: 2022-01-03}", "2.0=200 3.0=1");
    check(&ledger, "{address: Thief, until: 2022-01-04}", "1.0=700 1.2=300 2.0=200");
    check(&ledger, "{address: Thief, until: 2022-01-03T00:00:00.000001Z, amount: 11}", "1.0=700 1.2=300 2.0=100");
    check(
        &ledger,
        "{address: Fence, until: 2022-01-03}",
        &format!(
            "NothingMoved 7:5: no EUR reached \"Fence\" before 2022-01-03T00:00:00Z; `from` is included, `until` is not; {TIL}"
        ),
    );
    check(&ledger, "{address: Nobody}", &format!("UnknownAddress 7:5: \"Nobody\" is nowhere on table:t; {TIL}"));
    check(
        &ledger,
        "{address: Fence, from: 2022-01-01, amount: 3}",
        "ClaimsMore 7:5: the start claims 3 EUR, but 2 EUR reached \"Fence\" from 2022-01-01T00:00:00Z on; correct the \
         amount, or name the other movements as further starts",
    );
}

#[test]
fn times_that_step_back_are_tested_one_by_one() {
    let ledger = account_ledger(&[
        "a 2022-01-03: ->X 1 EUR",
        "b 2022-01-01: ->X 2 EUR",
        "c 2022-01-02: ->X 4 EUR",
        "d 2022-01-04: ->X 8 EUR",
    ]);
    check(&ledger, "{address: X, from: 2022-01-02, until: 2022-01-03}", "2.0=4");
    check(&ledger, "{address: X, from: 2022-01-03}", "0.0=1 3.0=8");
}

#[test]
fn outputs_start_at_the_leg_that_created_them() {
    let ledger = utxo_ledger();
    let output = |number, vout: u32| format!("{{output: \"{}:{vout}\"}}", txid_text(&txid(number)));
    check(&ledger, &output(1, 0), "0.1=50");
    check(&ledger, &output(2, 0), "1.1=30");
    check(&ledger, &output(3, 1), "2.3=20");
    let name = txid_text(&txid(3));
    check(
        &ledger,
        &output(3, 7),
        &format!("UnknownOutput 7:5: transaction {name} has no output 7; it has 3, counted from 0"),
    );
    check(
        &ledger,
        &output(9, 4),
        &format!(
            "UnknownOutput 7:5: output {}:4 was created before the first block of table:u; ingest the block that created \
             it, or start from the transaction that spends it",
            txid_text(&txid(9))
        ),
    );
    check(
        &ledger,
        &output(1, 1),
        &format!("NothingMoved 7:5: output {}:1 holds nothing; leave this start out", txid_text(&txid(1))),
    );
    let unknown = ledger.find_transaction(&txid_text(&txid(8)));
    assert_eq!(unknown, None);
    let start = format!("{{output: \"{}:0\", amount: 1}}", txid_text(&txid(2)));
    check(
        &ledger,
        &start,
        &format!(
            "ClaimsMore 7:5: the start claims 1 BTC, but output {}:0 holds 0.0000003 BTC; correct the amount, or name the \
             other movements as further starts",
            txid_text(&txid(2))
        ),
    );
}

#[test]
fn change_to_a_payer_of_a_utxo_transaction_is_not_an_arrival() {
    let ledger = utxo_ledger();
    check(&ledger, "{address: A}", "0.1=50");
    check(&ledger, "{address: B}", "1.1=30");
    check(&ledger, "{address: C, amount: 0.00000016}", "2.2=15 2.3=1");
    // Named by its transaction, change counts: the file says so in as many words.
    check(&ledger, &format!("{{tx: {}, to: B}}", txid_text(&txid(3))), "2.4=5");
}

#[test]
fn a_loss_and_its_starts_are_held_against_each_other() {
    let ledger = robbery();
    let starts = ["{tx: t1, to: Thief}", "{tx: T2, to: Thief, amount: 1}"];
    check_loss(&ledger, "EUR", "11", &starts, "1.0=700 1.2=300 2.0=100");
    check_loss(&ledger, "EUR", "10.99", &starts, "1.0=700 1.2=300 2.0=100 !loss-differs@5");
    check_loss(
        &ledger,
        "EUR",
        "11.01",
        &starts,
        "ClaimsMore 5:11: the loss claims 11.01 EUR, but its starts bring only 11 EUR; correct the amount, or name the \
         missing movements under `stolen`",
    );
    check_loss(
        &ledger,
        "EUR",
        "11.001",
        &starts,
        "BadAmount 5:11: 11.001 has 3 decimals, EUR has 2 on this ledger; give the amount in the asset's own unit",
    );
    check_loss(
        &ledger,
        "EUR",
        "1",
        &[],
        "NoStart 3:3: this loss names no start; add `stolen:` with a tx and to, an output, or an address",
    );
    check_loss(
        &ledger,
        "BTC",
        "",
        &starts,
        "UnknownAsset 4:10: table:t holds no asset \"BTC\"; it holds EUR, USD; names are case-sensitive",
    );
}

#[test]
fn a_leg_named_twice_counts_once() {
    let ledger = robbery();
    let twice = ["{tx: t1, to: Thief, amount: 8}", "{address: Thief, from: 2022-01-02, until: 2022-01-03}"];
    check_loss(&ledger, "EUR", "", &twice, "1.0=700 1.2=300 !named-twice@8 !named-twice@8");
    check_loss(
        &ledger,
        "EUR",
        "14",
        &["{tx: t1, to: Thief, amount: 7}", "{tx: t1, to: Thief, amount: 7}"],
        "ClaimsMore 5:11: the loss claims 14 EUR, but its starts bring only 7 EUR; correct the amount, or name the missing \
         movements under `stolen`",
    );
}

#[test]
fn starts_are_in_ledger_order_whatever_the_file_says() {
    let ledger = robbery();
    check_loss(&ledger, "EUR", "", &["{tx: t3, to: Thief}", "{tx: t1, to: Thief}"], "1.0=700 1.2=300 3.0=1");
}

#[test]
fn another_ledger_is_an_error() {
    let yaml = "incident: a\nlosses: [{ledger: table:x, asset: EUR, stolen: [{address: A}]}]\n";
    let error = resolve(&Incident::parse(yaml).unwrap().losses[0], &robbery()).unwrap_err();
    assert_eq!(error.to_string(), "2:19: this loss is on table:x, looked for on table:t; open the loss's ledger");
}

#[test]
fn an_empty_ledger_says_that_it_is_empty() {
    let ledger = account_ledger(&[]);
    check(
        &ledger,
        "{tx: a, to: b}",
        "UnknownTransaction 7:5: transaction \"a\" is not on table:t; the ledger is empty; ingest it first",
    );
}

/// What reached a holder, by reading every leg of the ledger.
fn arrivals(ledger: &MemoryLedger, holder: &str, from: Time, until: Time) -> Vec<(u64, usize, u128)> {
    let holder = ledger.find_holder(holder);
    let held = |end: End| end.purse().is_some_and(|purse| Some(ledger.purse(purse).holder) == holder);
    let mut found = Vec::new();
    let mut legs = Vec::new();
    for seq in (0..ledger.end().0).map(ledger::Seq) {
        ledger.transaction(seq, &mut legs);
        let time = ledger.stamp(seq).time;
        for (at, leg) in legs.iter().enumerate() {
            let arrives = held(leg.payee) && !held(leg.payer) && leg.asset.0 == 0 && !leg.amount.is_zero();
            if arrives && from <= time && time < until {
                found.push((seq.0, at, leg.amount.units()));
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is named, no start takes more than its leg brought, each leg stands once and in order, and the total
    /// is the sum; for a single window it is exactly what a reading of the whole ledger finds.
    #[test]
    fn no_start_takes_more_than_moved(
        moves in prop::collection::vec((0u8..5, 0u8..5, 0u128..50, 1u8..9, 0u8..2), 1..40),
        window in (1u8..9, 1u8..9),
        cap in prop::option::of(1u128..200),
        named in prop::collection::vec((0usize..40, 0u8..5), 0..4),
    ) {
        let lines: Vec<String> = moves.iter().enumerate().map(|(at, (from, to, amount, day, asset))| {
            let asset = ["EUR", "USD"][usize::from(*asset)];
            format!("t{at} 2022-01-0{day}: h{from}>h{to} {amount} {asset}, ->h{to} {} EUR", amount / 2)
        }).collect();
        let ledger = account_ledger(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        let (from, until) = (window.0.min(window.1), window.0.max(window.1) + 1);
        let cap = cap.map(|units| format!(", amount: {}", Asset { symbol: String::new(), scale: 2 }.text(Amount::new(units))));
        let mut yaml = format!(
            "incident: a\nlosses:\n- ledger: table:t\n  asset: EUR\n  stolen:\n  \
             - {{address: h0, from: 2022-01-0{from}, until: 2022-01-{until:02}{}}}\n",
            cap.clone().unwrap_or_default(),
        );
        for (at, to) in &named {
            writeln!(yaml, "  - {{tx: t{}, to: h{to}}}", at % moves.len()).unwrap();
        }
        let incident = Incident::parse(&yaml).unwrap();
        let time = |day: u8| Time::parse(&format!("2022-01-{day:02}")).unwrap();
        let model = arrivals(&ledger, "h0", time(from), time(until));
        if let Ok(resolved) = resolve(&incident.losses[0], &ledger) {
            let mut legs = Vec::new();
            let mut moved = Amount::ZERO;
            for start in &resolved.starts {
                ledger.transaction(start.seq, &mut legs);
                let leg = legs[start.leg];
                prop_assert_eq!(leg.payee, End::Purse(start.purse));
                prop_assert!(start.amount <= leg.amount && !start.amount.is_zero());
                moved += leg.amount;
            }
            prop_assert!(resolved.starts.is_sorted_by_key(|start| (start.seq, start.leg)));
            prop_assert!(resolved.total <= moved);
            prop_assert_eq!(resolved.total, resolved.starts.iter().map(|start| start.amount).sum::<Amount>());
            if named.is_empty() && cap.is_none() {
                let got: Vec<_> = resolved.starts.iter().map(|s| (s.seq.0, s.leg, s.amount.units())).collect();
                prop_assert_eq!(got, model);
            }
        } else if named.is_empty() && cap.is_none() {
            prop_assert!(model.is_empty());
        }
    }
}
