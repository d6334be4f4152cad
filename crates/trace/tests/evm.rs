//! What is peculiar to EVM ledgers: tokens made by their contracts, producers' parts of fees, drift, pieces, bait.

mod common;

use common::{Accounts, at_holder, leg, total};
use ledger::{AccountTransaction, Ledger, LegKind, Seq, Time};
use trace::{Aside, Outcome, Policy, Settings, TerminalKind, forward::forward};

const WETH: &str = "eip155:1/erc20:0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2";
const WETH_CONTRACT: &str = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2";
const PAIR: &str = "eip155:1/erc20:0x1111111111111111111111111111111111111111";
const PAIR_CONTRACT: &str = "0x1111111111111111111111111111111111111111";
const PIECES: &str = "eip155:1/erc721:0x2222222222222222222222222222222222222222";

fn conserving() -> impl Iterator<Item = Policy> {
    Policy::ALL.into_iter().filter(|policy| policy.conserves())
}

fn trace_with(accounts: &Accounts, policy: Policy, settings: &Settings) -> Outcome {
    let outcome = forward(&accounts.ledger, &accounts.seeds, policy, settings, &mut ());
    if policy.conserves() {
        for (label, loot) in &outcome.loot {
            assert_eq!(total(&outcome, label.0), loot.units(), "{policy} closes");
        }
    }
    outcome
}

/// Where label 1 is: (holder, asset, kind, amount, origin).
fn found(accounts: &Accounts, outcome: &Outcome) -> Vec<(String, String, &'static str, u128, u128)> {
    let mut found: Vec<_> = outcome
        .terminals
        .iter()
        .map(|terminal| {
            let ledger = &accounts.ledger;
            let holder =
                terminal.purse.map_or_else(String::new, |purse| ledger.holder_name(ledger.purse(purse).holder));
            let asset = ledger.asset(terminal.asset).symbol.clone();
            (holder, asset, terminal.kind.name(), terminal.amount.units(), terminal.origin.units())
        })
        .collect();
    found.sort();
    found
}

fn of(holder: &str, asset: &str, amount: u128, origin: u128) -> (String, String, &'static str, u128, u128) {
    (holder.to_owned(), asset.to_owned(), "balance", amount, origin)
}

#[test]
fn wrapping_by_a_router_passes_to_whom_the_wrapped_coin_is_made() {
    // The router wraps T's coin and pays a bridge: T gets nothing, the wrapper's contract keeps the coin.
    let mut accounts = Accounts::new(&["ETH", WETH]);
    let seq = accounts.transact(&[("", "T", "ETH", 10)]);
    accounts.loot(seq, 0, 1, 10);
    accounts.transact(&[
        ("T", "Router", "ETH", 10),
        ("Router", WETH_CONTRACT, "ETH", 10),
        ("", "Router", WETH, 10),
        ("Router", "Vault", WETH, 10),
    ]);
    for policy in conserving() {
        let outcome = trace_with(&accounts, policy, &Settings::default());
        assert_eq!(found(&accounts, &outcome), [of("Vault", WETH, 10, 10)], "{policy}");
    }
}

#[test]
fn wrapping_for_somebody_else_without_any_router_is_netted_too() {
    let mut accounts = Accounts::new(&["ETH", WETH]);
    let seq = accounts.transact(&[("", "T", "ETH", 10)]);
    accounts.loot(seq, 0, 1, 10);
    accounts.transact(&[("", WETH_CONTRACT, "ETH", 1)]);
    accounts.transact(&[("T", WETH_CONTRACT, "ETH", 10), ("", "U", WETH, 10)]);
    for policy in conserving() {
        let outcome = trace_with(&accounts, policy, &Settings::default());
        assert_eq!(found(&accounts, &outcome), [of("U", WETH, 10, 10)], "{policy}");
    }
}

#[test]
fn a_swap_for_somebody_else_that_ends_in_an_unwrapping() {
    let mut accounts = Accounts::new(&["USDC", "ETH", WETH]);
    let seq = accounts.transact(&[("", "T", "USDC", 30_000)]);
    accounts.loot(seq, 0, 1, 30_000);
    accounts.transact(&[("", WETH_CONTRACT, "ETH", 100), ("", "Pool", WETH, 100)]);
    accounts.transact(&[
        ("T", "Pool", "USDC", 30_000),
        ("Pool", "Router", WETH, 10),
        ("Router", "", WETH, 10),
        (WETH_CONTRACT, "Router", "ETH", 10),
        ("Router", "U", "ETH", 10),
    ]);
    for policy in conserving() {
        let outcome = trace_with(&accounts, policy, &Settings::default());
        assert_eq!(found(&accounts, &outcome), [of("U", "ETH", 10, 30_000)], "{policy}");
    }
}

#[test]
fn shares_of_a_pool_inherit_what_was_put_in_and_give_it_back() {
    let mut accounts = Accounts::new(&["A", "B", PAIR]);
    let seq = accounts.transact(&[("", "T", "A", 100), ("", "T", "B", 100)]);
    accounts.loot(seq, 0, 1, 100);
    accounts.transact(&[("", PAIR_CONTRACT, "A", 900), ("", PAIR_CONTRACT, "B", 900)]);
    accounts.transact(&[("T", PAIR_CONTRACT, "A", 100), ("T", PAIR_CONTRACT, "B", 100), ("", "T", PAIR, 50)]);
    for policy in conserving() {
        let outcome = trace_with(&accounts, policy, &Settings::default());
        // Half of the share is paid with loot.
        assert_eq!(found(&accounts, &outcome), [of("T", PAIR, 25, 100)], "{policy}");
    }
    accounts.transact(&[("T", "", PAIR, 50), (PAIR_CONTRACT, "T", "A", 90), (PAIR_CONTRACT, "T", "B", 110)]);
    for policy in conserving() {
        let outcome = trace_with(&accounts, policy, &Settings::default());
        assert_eq!(at_holder(&accounts.ledger, &outcome, PAIR_CONTRACT, 1), 0, "{policy}: the pool stays clean");
        let held = found(&accounts, &outcome);
        assert_eq!(held.iter().map(|row| row.4).sum::<u128>(), 100, "{policy}");
        assert!(held.iter().all(|row| row.0 == "T"), "{policy}: {held:?}");
    }
}

#[test]
fn a_vault_s_receipt_inherits_even_where_it_is_made_for_somebody_else() {
    let mut accounts = Accounts::new(&["A", PAIR]);
    let seq = accounts.transact(&[("", "T", "A", 100)]);
    accounts.loot(seq, 0, 1, 100);
    accounts.transact(&[("", PAIR_CONTRACT, "A", 1)]);
    accounts.transact(&[("T", PAIR_CONTRACT, "A", 100), ("", "Friend", PAIR, 97)]);
    for policy in conserving() {
        let outcome = trace_with(&accounts, policy, &Settings::default());
        assert_eq!(found(&accounts, &outcome), [of("Friend", PAIR, 97, 100)], "{policy}");
    }
}

#[test]
fn split_routes_meet_at_the_payee() {
    let mut accounts = Accounts::new(&["A", "B", "C"]);
    let seq = accounts.transact(&[("", "T", "A", 100)]);
    accounts.loot(seq, 0, 1, 100);
    accounts.transact(&[("", "Pool1", "C", 9_000), ("", "Pool2", "B", 9_000), ("", "Pool3", "C", 9_000)]);
    accounts.transact(&[
        ("T", "Pool1", "A", 60),
        ("Pool1", "Other", "C", 600),
        ("T", "Pool2", "A", 40),
        ("Pool2", "Pool3", "B", 80),
        ("Pool3", "Other", "C", 400),
    ]);
    for policy in conserving() {
        let outcome = trace_with(&accounts, policy, &Settings::default());
        assert_eq!(found(&accounts, &outcome), [of("Other", "C", 1_000, 100)], "{policy}");
    }
}

#[test]
fn a_flash_loan_with_a_swap_inside() {
    // T borrows 900, swaps 1,000 with its own 100 in it, swaps back and repays with a fee of 1.
    let mut accounts = Accounts::new(&["A", "B"]);
    let seq = accounts.transact(&[("", "T", "A", 100)]);
    accounts.loot(seq, 0, 1, 100);
    accounts.transact(&[("", "Lender", "A", 5_000), ("", "Pool", "B", 5_000)]);
    accounts.transact(&[
        ("Lender", "T", "A", 900),
        ("T", "Pool", "A", 1_000),
        ("Pool", "T", "B", 2_000),
        ("T", "Pool", "B", 1_800),
        ("Pool", "T", "A", 901),
        ("T", "Lender", "A", 901),
    ]);
    // In effect T gave 100 A and got 200 B; the pool gained 99 A, the lender 1.
    for policy in conserving() {
        let outcome = trace_with(&accounts, policy, &Settings::default());
        let held = found(&accounts, &outcome);
        assert!(held.iter().all(|row| row.0 == "T" || row.0 == "Lender"), "{policy}: {held:?}");
        assert_eq!(held.iter().map(|row| row.4).sum::<u128>(), 100, "{policy}");
        assert_eq!(at_holder(&accounts.ledger, &outcome, "Pool", 1), 0, "{policy}");
    }
}

fn transact(accounts: &mut Accounts, name: &str, legs: Vec<ledger::AccountLeg>) -> Seq {
    accounts.ledger.push(&AccountTransaction { name: name.into(), time: Time::from_micros(1_000), legs })
}

#[test]
fn what_a_producer_gets_of_fees_is_clean_and_no_swap() {
    let mut accounts = Accounts::new(&["ETH"]);
    let seq = accounts.transact(&[("", "T", "ETH", 1_000)]);
    accounts.loot(seq, 0, 1, 1_000);
    let fee = |from, to, amount| leg(from, to, "ETH", amount, LegKind::Fee);
    let pay = |from, to, amount| leg(Some(from), Some(to), "ETH", amount, LegKind::Transfer);
    transact(
        &mut accounts,
        "a",
        vec![
            pay("T", "X", 400),
            fee(Some("T"), None, 10),
            fee(Some("T"), None, 5),
            fee(None, Some("Producer"), 5),
            pay("T", "Producer", 100),
        ],
    );
    // A producer's own transaction pays its own tip: no netting comes of that.
    transact(
        &mut accounts,
        "b",
        vec![pay("Producer", "Y", 50), fee(Some("Producer"), None, 2), fee(None, Some("Producer"), 2)],
    );
    for policy in conserving() {
        let outcome = trace_with(&accounts, policy, &Settings::default());
        let fees: u128 = outcome
            .terminals
            .iter()
            .filter(|terminal| terminal.kind == TerminalKind::Fee)
            .map(|terminal| terminal.amount.units())
            .sum();
        assert!((15..=17).contains(&fees), "{policy}: {fees}");
        assert_eq!(at_holder(&accounts.ledger, &outcome, "X", 1), 400, "{policy}");
    }
}

#[test]
fn a_loss_takes_the_same_share_of_everything_whatever_the_policy() {
    // 30 stolen, 70 others, 20 stolen; then a tenth is gone.
    for policy in conserving() {
        let mut accounts = Accounts::new(&["A"]);
        accounts.bring("T", 30, Some(1));
        accounts.bring("T", 70, None);
        accounts.bring("T", 20, Some(1));
        accounts.drift("T", "A", 12);
        accounts.pay("T", "X", 27);
        let outcome = trace_with(&accounts, policy, &Settings::default());
        let lost: u128 = outcome
            .terminals
            .iter()
            .filter(|terminal| terminal.reason == trace::Reason::Drift)
            .map(|terminal| terminal.origin.units())
            .sum();
        assert_eq!(lost, 5, "{policy}");
        // 27 stolen, 63 others, 18 stolen are left.
        let want = match policy {
            Policy::Fifo | Policy::TaintFirstOut | Policy::Tiho => 27,
            Policy::Lifo => 18,
            Policy::TaintLastOut => 0,
            _ => 11,
        };
        assert_eq!(at_holder(&accounts.ledger, &outcome, "X", 1), want, "{policy}");
    }
}

#[test]
fn a_loss_within_a_netted_transaction() {
    // A tax on a transfer that no log shows, in a swap.
    for policy in conserving() {
        let mut accounts = Accounts::new(&["A", "B"]);
        accounts.bring("T", 100, Some(1));
        accounts.transact(&[("", "Pool", "B", 1_000)]);
        transact(
            &mut accounts,
            "swap",
            vec![
                leg(Some("T"), Some("Pool"), "A", 50, LegKind::Transfer),
                leg(Some("Pool"), Some("T"), "B", 200, LegKind::Transfer),
                leg(Some("T"), None, "A", 10, LegKind::Drift),
                leg(None, Some("Pool"), "A", 3, LegKind::Drift),
            ],
        );
        let outcome = trace_with(&accounts, policy, &Settings::default());
        let want = [(String::new(), "A".to_owned(), "fee", 10, 10), of("T", "A", 40, 40), of("T", "B", 200, 50)];
        assert_eq!(found(&accounts, &outcome), want, "{policy}");
    }
}

#[test]
fn what_is_paid_for_a_piece_is_a_payment_to_its_seller() {
    let mut accounts = Accounts::new(&["ETH", PIECES]);
    let seq = accounts.transact(&[("", "T", "ETH", 100)]);
    accounts.loot(seq, 0, 1, 100);
    accounts.transact(&[("", "Seller", PIECES, 1)]);
    accounts.transact(&[("T", "Seller", "ETH", 90), ("Seller", "T", PIECES, 1)]);
    let settings = Settings { aside: Aside { pieces: true, ..Aside::default() }, ..Settings::default() };
    for policy in conserving() {
        let outcome = trace_with(&accounts, policy, &settings);
        assert_eq!(found(&accounts, &outcome), [of("Seller", "ETH", 90, 90), of("T", "ETH", 10, 10)], "{policy}");
        let asked = trace_with(&accounts, policy, &Settings::default());
        assert_eq!(found(&accounts, &asked), [of("T", "ETH", 10, 10), of("T", PIECES, 1, 90)], "{policy}");
    }
}

#[test]
fn a_token_that_is_marked_is_left_out_and_a_stolen_one_is_not() {
    let mut accounts = Accounts::new(&["ETH", "SPAM"]);
    let seq = accounts.transact(&[("", "T", "ETH", 100), ("", "T", "SPAM", 5)]);
    accounts.loot(seq, 0, 1, 100);
    accounts.loot(seq, 1, 2, 5);
    accounts.transact(&[("", "Seller", "SPAM", 1_000)]);
    accounts.transact(&[("T", "Seller", "ETH", 90), ("Seller", "T", "SPAM", 1)]);
    let spam = accounts.ledger.find_asset("SPAM").unwrap();
    let aside = |but: bool| Aside {
        assets: [spam].into(),
        but: if but { [spam].into() } else { std::collections::BTreeSet::default() },
        ..Aside::default()
    };
    for policy in conserving() {
        let settings = Settings { aside: aside(false), ..Settings::default() };
        let outcome = forward(&accounts.ledger, &accounts.seeds, policy, &settings, &mut ());
        assert_eq!(at_holder(&accounts.ledger, &outcome, "Seller", 1), 90, "{policy}");
        let settings = Settings { aside: aside(true), ..Settings::default() };
        let outcome = trace_with(&accounts, policy, &settings);
        assert_eq!(total(&outcome, 2), 5, "{policy}");
    }
}

#[test]
fn bait_ends_the_way() {
    let (real, bait, far) = (
        "0xabcd111111111111111111111111111111111234",
        "0xabcd222222222222222222222222222222221234",
        "0xabcd333333333333333333333333333333339999",
    );
    let settings = Settings { marks_poisoning: true, ..Settings::default() };
    for policy in conserving() {
        let mut accounts = Accounts::new(&["A"]);
        accounts.bring("T", 100_000, Some(1));
        accounts.pay("T", real, 50_000);
        accounts.pay("T", bait, 50);
        accounts.pay("T", far, 50);
        let outcome = trace_with(&accounts, policy, &settings);
        let poisoned: Vec<_> =
            outcome.terminals.iter().filter(|terminal| terminal.reason == trace::Reason::Poisoning).collect();
        assert_eq!(poisoned.len(), 1, "{policy}");
        assert_eq!((poisoned[0].kind, poisoned[0].origin.units()), (TerminalKind::Truncated, 50), "{policy}");
        assert_eq!(at_holder(&accounts.ledger, &outcome, far, 1), 50, "{policy}: another's last digits differ");
        let asked = trace_with(&accounts, policy, &Settings::default());
        assert!(asked.terminals.iter().all(|terminal| terminal.kind == TerminalKind::Balance), "{policy}");
        // A real payment to an address that looks like another is one.
        let mut real_payment = Accounts::new(&["A"]);
        real_payment.bring("T", 100_000, Some(1));
        real_payment.pay("T", real, 40_000);
        real_payment.pay("T", bait, 41);
        let outcome = trace_with(&real_payment, policy, &settings);
        assert_eq!(at_holder(&real_payment.ledger, &outcome, bait, 1), 41, "{policy}: more than a thousandth");
    }
}

#[test]
fn bait_is_looked_for_among_the_latest_64_transactions_however_often_it_was_before() {
    let (real, bait) = ("0xabcd111111111111111111111111111111111234", "0xabcd222222222222222222222222222222221234");
    let settings = Settings { marks_poisoning: true, ..Settings::default() };
    for (between, is_bait) in [(0, true), (1, true), (62, true), (63, true), (64, false), (200, false)] {
        let mut accounts = Accounts::new(&["A"]);
        accounts.bring("T", 1_000_000, Some(1));
        accounts.pay("T", real, 100_000);
        for at in 0..between {
            // Each is little, to somebody new: a search of its own.
            accounts.pay("T", &format!("0x{at:040x}"), 50);
        }
        accounts.pay("T", bait, 50);
        let outcome = trace_with(&accounts, Policy::Haircut, &settings);
        let poisoned = outcome.terminals.iter().filter(|terminal| terminal.reason == trace::Reason::Poisoning).count();
        assert_eq!(poisoned, usize::from(is_bait), "{between} transactions between");
    }
}
