//! Atomic netting and swaps: E9, E21 and their neighbours, and the law that the account closes across any of them.

mod common;

use common::{Accounts, at_holder, total};
use proptest::prelude::*;
use trace::{Outcome, Policy, Settings, forward::forward};

fn trace(accounts: &Accounts, policy: Policy) -> Outcome {
    let outcome = forward(&accounts.ledger, &accounts.seeds, policy, &Settings::default(), &mut ());
    if policy.conserves() {
        for (label, loot) in &outcome.loot {
            assert_eq!(total(&outcome, label.0), loot.units(), "{policy} closes");
        }
    }
    outcome
}

/// (amount, origin) that a holder ends up with, over all assets but `except`.
fn proceeds(accounts: &Accounts, outcome: &Outcome, holder: &str) -> Vec<(String, u128, u128)> {
    use ledger::Ledger;
    let mut found: Vec<_> = outcome
        .terminals
        .iter()
        .filter(|terminal| {
            terminal
                .purse
                .is_some_and(|purse| accounts.ledger.holder_name(accounts.ledger.purse(purse).holder) == holder)
        })
        .map(|terminal| {
            let symbol = accounts.ledger.asset(terminal.asset).symbol.clone();
            (symbol, terminal.amount.units(), terminal.origin.units())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn e9_a_swap_carries_the_stolen_fraction_and_the_pool_stays_clean() {
    let wants = [
        (Policy::Haircut, 60_000, 20, 20),
        (Policy::Fifo, 120_000, 40, 0),
        (Policy::TaintFirstOut, 120_000, 40, 0),
        (Policy::Lifo, 0, 0, 40),
        (Policy::TaintLastOut, 0, 0, 40),
    ];
    for (policy, dollars, origin, left) in wants {
        let mut accounts = Accounts::new(&["A", "USDC"]);
        accounts.bring("T", 40, Some(1));
        accounts.bring("T", 60, None);
        accounts.transact(&[("", "Pool", "USDC", 900_000)]);
        accounts.transact(&[("T", "Pool", "A", 50), ("Pool", "T", "USDC", 150_000)]);
        let outcome = trace(&accounts, policy);
        let mut want = Vec::new();
        if left > 0 {
            want.push(("A".to_owned(), left, left));
        }
        if dollars > 0 {
            want.push(("USDC".to_owned(), dollars, origin));
        }
        assert_eq!(proceeds(&accounts, &outcome, "T"), want, "{policy}");
        assert_eq!(at_holder(&accounts.ledger, &outcome, "Pool", 1), 0, "{policy}");
    }
}

#[test]
fn e21_routers_are_conduits() {
    let mut accounts = Accounts::new(&["A", "USDC"]);
    accounts.bring("T", 5, Some(1));
    accounts.transact(&[("", "Pool", "USDC", 900_000)]);
    accounts.transact(&[
        ("T", "Router", "A", 5),
        ("Router", "Pool", "A", 5),
        ("Pool", "Router", "USDC", 15_000),
        ("Router", "T", "USDC", 15_000),
    ]);
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let outcome = trace(&accounts, policy);
        assert_eq!(proceeds(&accounts, &outcome, "T"), [("USDC".to_owned(), 15_000, 5)], "{policy}");
        assert_eq!(outcome.terminals.len(), 1, "{policy}: neither router nor pool holds loot");
    }
}

#[test]
fn a_swap_that_pays_somebody_else_passes_the_loot_to_them() {
    let mut accounts = Accounts::new(&["A", "USDC"]);
    accounts.bring("T", 5, Some(1));
    accounts.transact(&[("", "Pool", "USDC", 900_000)]);
    accounts.transact(&[("T", "Pool", "A", 5), ("Pool", "Other", "USDC", 15_000)]);
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let outcome = trace(&accounts, policy);
        assert_eq!(proceeds(&accounts, &outcome, "Other"), [("USDC".to_owned(), 15_000, 5)], "{policy}");
    }
}

#[test]
fn a_commission_in_the_same_transaction_stays_in_its_asset() {
    let mut accounts = Accounts::new(&["A", "USDC"]);
    accounts.bring("T", 50, Some(1));
    accounts.transact(&[("", "Pool", "USDC", 900_000)]);
    accounts.transact(&[("T", "Broker", "A", 1), ("T", "Pool", "A", 49), ("Pool", "T", "USDC", 15_000)]);
    let outcome = trace(&accounts, Policy::Fifo);
    assert_eq!(proceeds(&accounts, &outcome, "Broker"), [("A".to_owned(), 1, 1)]);
    assert_eq!(proceeds(&accounts, &outcome, "T"), [("USDC".to_owned(), 15_000, 49)]);
}

#[test]
fn wrapping_through_the_outside_is_a_swap_as_well() {
    let mut accounts = Accounts::new(&["A", "WA"]);
    accounts.bring("T", 10, Some(1));
    accounts.transact(&[("T", "", "A", 10), ("", "T", "WA", 10)]);
    let outcome = trace(&accounts, Policy::Haircut);
    assert_eq!(proceeds(&accounts, &outcome, "T"), [("WA".to_owned(), 10, 10)]);
}

#[test]
fn assets_without_a_price_weigh_the_same_and_the_outcome_says_so() {
    let mut accounts = Accounts::new(&["A", "B", "LP"]);
    accounts.bring("T", 10, Some(1));
    accounts.transact(&[("", "T", "B", 1_000), ("", "Pool", "LP", 500)]);
    accounts.transact(&[("T", "Pool", "A", 10), ("T", "Pool", "B", 1_000), ("Pool", "T", "LP", 100)]);
    let outcome = trace(&accounts, Policy::Haircut);
    assert_eq!(proceeds(&accounts, &outcome, "T"), [("LP".to_owned(), 50, 10)]);
    assert!(!outcome.weighed.is_empty());
}

#[test]
fn what_only_passes_through_is_not_touched() {
    // A flash loan: T borrows and repays within the transaction. Its own loot does not move.
    let mut accounts = Accounts::new(&["A"]);
    accounts.bring("T", 10, Some(1));
    accounts.bring("Lender", 1_000, None);
    accounts.transact(&[("Lender", "T", "A", 900), ("T", "Lender", "A", 900)]);
    for policy in Policy::ALL {
        let outcome = trace(&accounts, policy);
        assert_eq!(at_holder(&accounts.ledger, &outcome, "Lender", 1), 0, "{policy}");
        assert_eq!(at_holder(&accounts.ledger, &outcome, "T", 1), 10, "{policy}");
    }
}

#[test]
fn a_fee_in_a_netted_transaction_takes_no_more_than_itself() {
    // T pays 5 and a fee of 1 out of 10 clean units, then gets 20 stolen ones back within the same transaction.
    let mut accounts = Accounts::new(&["A"]);
    accounts.bring("T", 10, None);
    accounts.bring("Lender", 20, Some(1));
    accounts.transact_with_fees(&[("T", "Router", "A", 5, 1), ("Lender", "T", "A", 20, 0)]);
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let outcome = trace(&accounts, policy);
        let fee = outcome.terminals.iter().filter(|terminal| terminal.kind == trace::TerminalKind::Fee);
        assert!(fee.map(|terminal| terminal.amount.units()).sum::<u128>() <= 1, "{policy}");
    }
}

#[test]
fn a_theft_from_two_victims_in_one_netted_transaction_counts_both() {
    let mut accounts = Accounts::new(&["A"]);
    accounts.bring("V", 5, None);
    accounts.bring("W", 7, None);
    // Something passes through the thief as well, so the transaction is netted.
    let seq =
        accounts.transact(&[("V", "T", "A", 5), ("W", "T", "A", 7), ("T", "Router", "A", 1), ("Router", "T", "A", 1)]);
    accounts.loot(seq, 0, 1, 5);
    accounts.loot(seq, 1, 1, 7);
    for policy in Policy::ALL {
        let outcome = trace(&accounts, policy);
        assert_eq!(outcome.loot[&trace::LabelId(1)].units(), 12, "{policy}");
        assert!(outcome.uncounted.is_empty(), "{policy}");
    }
}

const NAMES: [&str; 6] = ["P0", "P1", "P2", "P3", "P4", ""];
const ASSETS: [&str; 3] = ["A", "B", "C"];

/// Payer, payee, asset and amount of one leg, as indexes.
type Draft = (usize, usize, usize, u128);

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever tangle of legs a transaction is, nothing is lost, nothing is made, and no purse holds more loot than money.
    #[test]
    fn any_tangle_of_legs_closes(
        starts in prop::collection::vec((0..5usize, 1..500u128, any::<bool>()), 1..8),
        drafts in prop::collection::vec(
            prop::collection::vec((0..6usize, 0..6usize, 0..3usize, 0..300u128), 1..6),
            1..12,
        ),
    ) {
        use ledger::Ledger;
        let mut accounts = Accounts::new(&ASSETS);
        for (who, amount, stolen) in starts {
            accounts.bring(NAMES[who], amount, stolen.then_some(1));
        }
        for (at, draft) in drafts.iter().enumerate() {
            let legs: Vec<_> = draft
                .iter()
                .filter(|(payer, payee, ..): &&Draft| payer != payee)
                .map(|(payer, payee, asset, amount)| (NAMES[*payer], NAMES[*payee], ASSETS[*asset], *amount))
                .collect();
            let seq = accounts.transact(&legs);
            if let Some(leg) = legs.iter().position(|leg| !leg.1.is_empty() && leg.3 > 0).filter(|_| at % 4 == 3) {
                accounts.loot(seq, leg, 1, legs[leg].3);
            }
        }
        for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
            let outcome = forward(&accounts.ledger, &accounts.seeds, policy, &Settings::default(), &mut ());
            let loot = outcome.loot.values().map(|amount| amount.units()).sum::<u128>();
            prop_assert_eq!(total(&outcome, 1), loot, "{}", policy);
            for terminal in &outcome.terminals {
                if let (Some(purse), trace::TerminalKind::Balance) = (terminal.purse, terminal.kind) {
                    let balance = accounts.ledger.balance(purse, accounts.ledger.end());
                    prop_assert!(terminal.amount <= balance, "{}: {} holds {:?} of loot in {:?}", policy, accounts.ledger.purse_name(purse), terminal, balance);
                }
            }
        }
    }
}

#[test]
fn a_batch_of_many_thousand_payments_both_ways_is_no_swap_and_does_not_hang() {
    let mut accounts = Accounts::new(&["A", "B"]);
    accounts.bring("T", 1_000_000, Some(1));
    let names: Vec<String> = (0..5_000).map(|at| format!("N{at}")).collect();
    let mut legs: Vec<(&str, &str, &str, u128)> = names.iter().map(|name| ("T", name.as_str(), "A", 10)).collect();
    legs.extend(names.iter().map(|name| (name.as_str(), "T", "B", 1)));
    accounts.transact(&legs);
    for policy in [Policy::Haircut, Policy::Fifo] {
        let outcome = trace(&accounts, policy);
        assert_eq!(at_holder(&accounts.ledger, &outcome, "N4999", 1), 10, "{policy}");
    }
}
