//! Loot that crosses from ledger to ledger: the worked example of a bridge (E14) and its neighbours, case by case.

mod common;

use std::slice::from_ref;

use common::{Accounts, Chain, together};
use ledger::memory::MemoryLedger;
use ledger::{AssetId, End, Ledger, Seq};
use money::Amount;
use trace::{Arrival, BILLION, Crossing, Departure, LabelId, Policy, Settings, StopKind, TerminalKind};

/// Terminals as plain values: (ledger, kind, reason, holder, amount, origin).
type Rows = Vec<(usize, &'static str, &'static str, String, u128, u128)>;

fn rows(ledgers: &[&MemoryLedger], journey: &trace::together::Journey) -> Rows {
    let mut rows = Vec::new();
    for (at, outcome) in journey.outcomes.iter().enumerate() {
        for terminal in &outcome.terminals {
            let ledger = ledgers[at];
            let holder = terminal.purse.map(|purse| ledger.holder_name(ledger.purse(purse).holder));
            let (kind, reason) = (terminal.kind.name(), terminal.reason.name());
            rows.push((at, kind, reason, holder.unwrap_or_default(), terminal.amount.units(), terminal.origin.units()));
        }
    }
    rows.sort();
    rows
}

fn row(
    ledger: usize,
    kind: &'static str,
    reason: &'static str,
    who: &str,
    amount: u128,
    origin: u128,
) -> (usize, &'static str, &'static str, String, u128, u128) {
    (ledger, kind, reason, who.to_owned(), amount, origin)
}

fn closes(journey: &trace::together::Journey, policy: Policy) {
    if !policy.conserves() {
        return;
    }
    for label in (0..4).map(LabelId) {
        let loot: u128 =
            journey.outcomes.iter().filter_map(|outcome| outcome.loot.get(&label)).map(|loot| loot.units()).sum();
        let found: u128 = journey.outcomes.iter().map(|outcome| common::total(outcome, label.0)).sum();
        assert_eq!(found, loot, "{policy}: {label:?} closes");
    }
}

fn purse(ledger: &MemoryLedger, seq: Seq, leg: usize) -> ledger::PurseId {
    let mut legs = Vec::new();
    ledger.transaction(seq, &mut legs);
    legs[leg].payee.purse().expect("it pays a purse")
}

fn departure(at: usize, ledger: &MemoryLedger, seq: Seq, leg: usize) -> Departure {
    let mut legs = Vec::new();
    ledger.transaction(seq, &mut legs);
    let leg = legs[leg];
    Departure { ledger: at, seq, payee: leg.payee, asset: leg.asset, index: 0, amount: leg.amount }
}

fn arrival(at: usize, ledger: &MemoryLedger, seq: Seq, leg: usize) -> Arrival {
    let mut legs = Vec::new();
    ledger.transaction(seq, &mut legs);
    let amount = legs[leg].amount;
    let purse = purse(ledger, seq, leg);
    Arrival { ledger: at, seq, purse, amount, share: BILLION, probability: BILLION, gross: None }
}

/// 12 ETH, all stolen, go into a vault; 0.598 BTC come out, in thousandths here. The bank has other money.
fn e14() -> (Accounts, Chain, Crossing) {
    let mut ether = Accounts::new(&["A"]);
    ether.bring("T", 12_000, Some(1));
    let into = ether.pay("T", "Vault", 12_000);
    let mut bitcoin = Chain::new();
    let pool = bitcoin.mint("Vault", 5_000, None);
    let out = bitcoin.transact(&[pool], &[("T2", 598), ("Vault", 4_400)]);
    let mut legs = Vec::new();
    bitcoin.ledger.transaction(out, &mut legs);
    let leg = legs.iter().position(|leg| leg.payer == End::Pot).unwrap();
    let crossing = Crossing {
        from: departure(0, &ether.ledger, into, 0),
        to: vec![arrival(1, &bitcoin.ledger, out, leg)],
        away: Vec::new(),
    };
    (ether, bitcoin, crossing)
}

#[test]
fn e14_a_certain_link_carries_everything_over() {
    let (ether, bitcoin, crossing) = e14();
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let journey = together(&[(&ether.ledger, &ether.seeds), (&bitcoin.ledger, &[])], from_ref(&crossing), policy);
        let want = [row(1, "balance", "unspent", "T2", 598, 12_000)];
        assert_eq!(rows(&[&ether.ledger, &bitcoin.ledger], &journey), want, "{policy}");
        assert_eq!(journey.carried.len(), 1);
        assert_eq!(
            (
                journey.carried[0].departed.units(),
                journey.carried[0].arrived.units(),
                journey.carried[0].origin.units()
            ),
            (12_000, 598, 12_000)
        );
    }
    let flagged =
        together(&[(&ether.ledger, &ether.seeds), (&bitcoin.ledger, &[])], from_ref(&crossing), Policy::Poison);
    assert_eq!(rows(&[&ether.ledger, &bitcoin.ledger], &flagged), [row(1, "balance", "unspent", "T2", 598, 598)]);
}

#[test]
fn e14_the_fee_of_a_bridge_takes_its_share_of_the_loot_where_asked_for() {
    let (ether, bitcoin, mut crossing) = e14();
    crossing.to[0].gross = Some(Amount::new(600));
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let journey = together(&[(&ether.ledger, &ether.seeds), (&bitcoin.ledger, &[])], from_ref(&crossing), policy);
        // 12 × 0.598 / 0.600 = 11.96, and 0.04 for the bridge.
        let want = [row(1, "balance", "unspent", "T2", 598, 11_960), row(1, "fee", "bridge-fee", "", 2, 40)];
        assert_eq!(rows(&[&ether.ledger, &bitcoin.ledger], &journey), want, "{policy}");
    }
}

#[test]
fn e14_a_link_that_is_likely_carries_its_part_over_and_leaves_the_rest_at_the_bridge() {
    let (ether, bitcoin, mut crossing) = e14();
    crossing.to[0].probability = 900_000_000;
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let journey = together(&[(&ether.ledger, &ether.seeds), (&bitcoin.ledger, &[])], from_ref(&crossing), policy);
        let want =
            [row(0, "bridge", "unlinked", "Vault", 1_200, 1_200), row(1, "balance", "unspent", "T2", 538, 10_800)];
        assert_eq!(rows(&[&ether.ledger, &bitcoin.ledger], &journey), want, "{policy}");
    }
}

#[test]
fn a_swap_paid_out_in_parts_carries_its_share_with_each() {
    // Three payments answer one departure, of which only half is loot.
    for policy in Policy::ALL {
        let mut ether = Accounts::new(&["A"]);
        ether.bring("T", 50, Some(1));
        ether.bring("T", 50, None);
        let into = ether.pay("T", "Vault", 100);
        let mut other = Accounts::new(&["A"]);
        let outs: Vec<Seq> = (0..3).map(|_| other.pay("", "T2", 1_000)).collect();
        let shares = [333_333_333, 333_333_333, 333_333_334];
        let to = outs
            .iter()
            .zip(shares)
            .map(|(seq, share)| Arrival { share, ..arrival(1, &other.ledger, *seq, 0) })
            .collect();
        let crossing = Crossing { from: departure(0, &ether.ledger, into, 0), to, away: Vec::new() };
        let journey = together(&[(&ether.ledger, &ether.seeds), (&other.ledger, &[])], &[crossing], policy);
        closes(&journey, policy);
        let held: u128 = journey.outcomes[1].terminals.iter().map(|terminal| terminal.amount.units()).sum();
        assert_eq!(held, if policy == Policy::Poison { 3_000 } else { 1_500 }, "{policy}: half of each payment");
        assert!(journey.outcomes[0].terminals.is_empty(), "{policy}: the shares add up to one");
    }
}

#[test]
fn several_candidates_split_what_departed_by_their_probabilities() {
    let mut ether = Accounts::new(&["A"]);
    ether.bring("T", 1_000, Some(1));
    let into = ether.pay("T", "Pool", 1_000);
    let first = ether.pay("Pool", "X", 1_000);
    let second = ether.pay("Pool", "Y", 1_000);
    let way = |seq, probability| Arrival { probability, ..arrival(0, &ether.ledger, seq, 0) };
    let crossing = Crossing {
        from: departure(0, &ether.ledger, into, 0),
        to: vec![way(first, 500_000_000), way(second, 300_000_000)],
        away: Vec::new(),
    };
    let pool = ether.ledger.find_holder("Pool").unwrap();
    let settings = Settings { stops: [(pool, StopKind::Mixer)].into(), ..Settings::default() };
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let journey = common::together_with(&[(&ether.ledger, &ether.seeds, &settings)], from_ref(&crossing), policy);
        let want = [
            row(0, "balance", "held", "X", 500, 500),
            row(0, "balance", "held", "Y", 300, 300),
            row(0, "mixer", "unlinked", "Pool", 200, 200),
        ];
        assert_eq!(rows(&[&ether.ledger], &journey), want, "{policy}: a link may lead back to the same ledger");
    }
}

#[test]
fn several_crossings_draw_from_one_movement_in_order() {
    // 30 stolen units, then 70 others, arrive at the bridge in one payment; 40 go to X, 60 to Y.
    let wants = [
        (Policy::Haircut, 12, 18),
        (Policy::Fifo, 30, 0),
        (Policy::Lifo, 0, 30),
        (Policy::TaintFirstOut, 30, 0),
        (Policy::TaintLastOut, 0, 30),
    ];
    for (policy, first, second) in wants {
        let mut ether = Accounts::new(&["A"]);
        ether.bring("T", 30, Some(1));
        ether.bring("T", 70, None);
        let into = ether.pay("T", "Vault", 100);
        let mut other = Accounts::new(&["A"]);
        let (x, y) = (other.pay("", "X", 40), other.pay("", "Y", 60));
        let from = departure(0, &ether.ledger, into, 0);
        let cross = |index, amount, seq| Crossing {
            from: Departure { index, amount: Amount::new(amount), ..from },
            to: vec![arrival(1, &other.ledger, seq, 0)],
            away: Vec::new(),
        };
        // The list's order says nothing: the index does.
        let crossings = [cross(9, 60, y), cross(4, 40, x)];
        let journey = together(&[(&ether.ledger, &ether.seeds), (&other.ledger, &[])], &crossings, policy);
        closes(&journey, policy);
        let at = |who| common::at_holder(&other.ledger, &journey.outcomes[1], who, 1);
        assert_eq!((at("X"), at("Y")), (first, second), "{policy}");
    }
}

#[test]
fn what_no_crossing_takes_stays_at_the_bridge() {
    let mut ether = Accounts::new(&["A"]);
    ether.bring("T", 100, Some(1));
    let into = ether.pay("T", "Vault", 100);
    let mut other = Accounts::new(&["A"]);
    let out = other.pay("", "X", 60);
    let from = Departure { amount: Amount::new(60), ..departure(0, &ether.ledger, into, 0) };
    let crossing = Crossing { from, to: vec![arrival(1, &other.ledger, out, 0)], away: Vec::new() };
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let journey = together(&[(&ether.ledger, &ether.seeds), (&other.ledger, &[])], from_ref(&crossing), policy);
        let want = [row(0, "bridge", "unlinked", "Vault", 40, 40), row(1, "balance", "held", "X", 60, 60)];
        assert_eq!(rows(&[&ether.ledger, &other.ledger], &journey), want, "{policy}");
    }
}

#[test]
fn a_burn_departs_from_outside_and_a_mint_arrives() {
    let mut ether = Accounts::new(&["A"]);
    ether.bring("T", 100, Some(1));
    let burnt = ether.pay("T", "", 100);
    let mut other = Accounts::new(&["A"]);
    let minted = other.pay("", "T", 99);
    let crossing = Crossing {
        from: departure(0, &ether.ledger, burnt, 0),
        to: vec![arrival(1, &other.ledger, minted, 0)],
        away: Vec::new(),
    };
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let journey = together(&[(&ether.ledger, &ether.seeds), (&other.ledger, &[])], from_ref(&crossing), policy);
        let want = [row(1, "balance", "held", "T", 99, 100)];
        assert_eq!(rows(&[&ether.ledger, &other.ledger], &journey), want, "{policy}");
    }
}

#[test]
fn there_and_back_again_however_the_clocks_lie() {
    // From the first ledger to the second, on there, and back: each pass has to wait for the other.
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let mut one = Accounts::new(&["A"]);
        one.bring("T", 100, Some(1));
        let over = one.pay("T", "Vault", 100);
        let back = one.pay("", "U", 80);
        one.pay("U", "V", 80);
        let mut two = Accounts::new(&["A"]);
        let came = two.pay("", "T", 90);
        two.pay("T", "W", 90);
        let left = two.pay("W", "Vault", 90);
        let crossings = [
            Crossing {
                from: departure(1, &two.ledger, left, 0),
                to: vec![arrival(0, &one.ledger, back, 0)],
                away: Vec::new(),
            },
            Crossing {
                from: departure(0, &one.ledger, over, 0),
                to: vec![arrival(1, &two.ledger, came, 0)],
                away: Vec::new(),
            },
        ];
        let journey = together(&[(&one.ledger, &one.seeds), (&two.ledger, &[])], &crossings, policy);
        assert_eq!(rows(&[&one.ledger, &two.ledger], &journey), [row(0, "balance", "held", "V", 80, 100)], "{policy}");
        assert!(journey.ignored.is_empty());
    }
}

#[test]
fn links_that_no_order_satisfies_end_and_are_said() {
    let mut one = Accounts::new(&["A"]);
    one.bring("T", 100, Some(1));
    let back = one.pay("", "T", 50);
    let over = one.pay("T", "Vault", 100);
    let mut two = Accounts::new(&["A"]);
    let came = two.pay("", "T", 90);
    let left = two.pay("T", "Vault", 90);
    // What left the second ledger is said to have come before that which it is made of.
    let crossings = [
        Crossing {
            from: departure(0, &one.ledger, over, 0),
            to: vec![arrival(1, &two.ledger, came, 0)],
            away: Vec::new(),
        },
        Crossing {
            from: departure(1, &two.ledger, left, 0),
            to: vec![arrival(0, &one.ledger, back, 0)],
            away: Vec::new(),
        },
    ];
    // And a link within one ledger that goes back in time.
    let own = Crossing {
        from: departure(0, &one.ledger, over, 0),
        to: vec![arrival(0, &one.ledger, back, 0)],
        away: Vec::new(),
    };
    for policy in Policy::ALL {
        let journey = together(&[(&one.ledger, &one.seeds), (&two.ledger, &[])], &crossings, policy);
        assert_eq!(journey.ignored.len(), 1, "{policy}");
        closes(&journey, policy);
        let alone = together(&[(&one.ledger, &one.seeds)], from_ref(&own), policy);
        assert_eq!(alone.ignored, [(0, 0)], "{policy}");
        closes(&alone, policy);
    }
}

#[test]
fn what_has_not_come_out_by_the_end_of_the_window_is_in_transit() {
    let (ether, bitcoin, crossing) = e14();
    let settings = (Settings::default(), Settings { until: Some(crossing.to[0].seq), ..Settings::default() });
    let journey = common::together_with(
        &[(&ether.ledger, &ether.seeds, &settings.0), (&bitcoin.ledger, &[], &settings.1)],
        &[crossing],
        Policy::Haircut,
    );
    let want = [row(0, "bridge", "in-transit", "Vault", 12_000, 12_000)];
    assert_eq!(rows(&[&ether.ledger, &bitcoin.ledger], &journey), want);
}

#[test]
fn an_arrival_takes_what_is_not_loot_yet_and_the_rest_ends_at_the_bridge() {
    // The vault's payment is loot to three quarters already, of the same theft.
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let mut ether = Accounts::new(&["A"]);
        ether.bring("T", 40, Some(1));
        let into = ether.pay("T", "Vault", 40);
        let mut other = Accounts::new(&["A"]);
        other.bring("Bank", 30, Some(1));
        other.bring("Bank", 10, None);
        let out = other.pay("Bank", "X", 40);
        let crossing = Crossing {
            from: departure(0, &ether.ledger, into, 0),
            to: vec![arrival(1, &other.ledger, out, 0)],
            away: Vec::new(),
        };
        let journey = together(&[(&ether.ledger, &ether.seeds), (&other.ledger, &other.seeds)], &[crossing], policy);
        closes(&journey, policy);
        let want = [row(1, "balance", "held", "X", 40, 40), row(1, "bridge", "no-room", "X", 30, 30)];
        assert_eq!(rows(&[&ether.ledger, &other.ledger], &journey), want, "{policy}");
    }
}

#[test]
fn what_arrives_at_a_contract_that_swaps_it_at_once_goes_on_to_whom_it_pays() {
    let mut ether = Accounts::new(&["A"]);
    ether.bring("T", 40, Some(1));
    let into = ether.pay("T", "Vault", 40);
    let mut other = Accounts::new(&["A", "USDC"]);
    other.transact(&[("", "Pool", "USDC", 10_000)]);
    let out = other.transact(&[("", "Executor", "A", 39), ("Executor", "Pool", "A", 39), ("Pool", "T", "USDC", 390)]);
    let crossing = Crossing {
        from: departure(0, &ether.ledger, into, 0),
        to: vec![arrival(1, &other.ledger, out, 0)],
        away: Vec::new(),
    };
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let journey = together(&[(&ether.ledger, &ether.seeds), (&other.ledger, &[])], from_ref(&crossing), policy);
        assert_eq!(
            rows(&[&ether.ledger, &other.ledger], &journey),
            [row(1, "balance", "held", "T", 390, 40)],
            "{policy}"
        );
    }
}

#[test]
fn a_swap_and_a_bridge_in_one_transaction() {
    // T swaps its tokens in a pool, which pays the bridge at once; the bridge is no exchanger.
    let mut ether = Accounts::new(&["A", "USDC"]);
    ether.bring("T", 40, Some(1));
    ether.transact(&[("", "Pool", "USDC", 10_000)]);
    let into = ether.transact(&[("T", "Router", "A", 40), ("Router", "Pool", "A", 40), ("Pool", "Vault", "USDC", 400)]);
    let mut other = Accounts::new(&["A"]);
    let out = other.pay("", "T", 399);
    let crossing = Crossing {
        from: departure(0, &ether.ledger, into, 2),
        to: vec![arrival(1, &other.ledger, out, 0)],
        away: Vec::new(),
    };
    assert_eq!(crossing.from.asset, AssetId(1));
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let journey = together(&[(&ether.ledger, &ether.seeds), (&other.ledger, &[])], from_ref(&crossing), policy);
        assert_eq!(
            rows(&[&ether.ledger, &other.ledger], &journey),
            [row(1, "balance", "held", "T", 399, 40)],
            "{policy}"
        );
    }
}

#[test]
fn nothing_crosses_that_is_not_loot() {
    let (mut ether, bitcoin, crossing) = e14();
    ether.seeds.clear();
    for policy in Policy::ALL {
        let journey = together(&[(&ether.ledger, &[]), (&bitcoin.ledger, &[])], from_ref(&crossing), policy);
        assert!(journey.outcomes.iter().all(|outcome| outcome.terminals.is_empty()), "{policy}");
        assert!(journey.carried.is_empty());
    }
}

#[test]
fn a_stop_that_is_no_bridge_keeps_its_own_kind_only_for_what_is_not_linked() {
    let (ether, bitcoin, crossing) = e14();
    let vault = ether.ledger.find_holder("Vault").unwrap();
    let settings = Settings { stops: [(vault, StopKind::Bridge)].into(), ..Settings::default() };
    let none = Settings::default();
    let grounds = [(&ether.ledger, &ether.seeds[..], &settings), (&bitcoin.ledger, &[][..], &none)];
    let linked = common::together_with(&grounds, &[crossing], Policy::Haircut);
    assert!(linked.outcomes[0].terminals.is_empty(), "a link goes before a stop");
    let unlinked = common::together_with(&grounds, &[], Policy::Haircut);
    assert_eq!(unlinked.outcomes[0].terminals[0].kind, TerminalKind::Bridge);
}

#[test]
fn what_goes_to_a_ledger_that_nobody_has_ends_with_that_reason() {
    let (ether, _, mut crossing) = e14();
    crossing.to.clear();
    crossing.away.push(trace::Away { share: BILLION, probability: 750_000_000, reason: trace::Reason::OtherLedger });
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let journey = together(&[(&ether.ledger, &ether.seeds)], from_ref(&crossing), policy);
        let want = [
            row(0, "bridge", "other-ledger", "Vault", 9_000, 9_000),
            row(0, "bridge", "unlinked", "Vault", 3_000, 3_000),
        ];
        assert_eq!(rows(&[&ether.ledger], &journey), want, "{policy}");
        assert_eq!((journey.carried[0].arrival, journey.carried[0].departed.units()), (0, 9_000));
    }
}

/// Two pools, a bridge behind them, and what became of somebody else's tokens on the way.
#[test]
fn a_swap_through_two_pools_and_a_bridge_in_one_transaction() {
    let mut ether = Accounts::new(&["A", "B", "C"]);
    ether.bring("T", 40, Some(1));
    ether.transact(&[("", "Pool1", "B", 10_000), ("", "Pool2", "C", 10_000)]);
    let into = ether.transact(&[
        ("T", "Router", "A", 40),
        ("Router", "Pool1", "A", 40),
        ("Pool1", "Pool2", "B", 80),
        ("Pool2", "Router", "C", 400),
        ("Router", "Vault", "C", 400),
    ]);
    let mut other = Accounts::new(&["A"]);
    let out = other.pay("", "T", 399);
    let crossing = Crossing {
        from: departure(0, &ether.ledger, into, 4),
        to: vec![arrival(1, &other.ledger, out, 0)],
        away: Vec::new(),
    };
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let journey = together(&[(&ether.ledger, &ether.seeds), (&other.ledger, &[])], from_ref(&crossing), policy);
        let want = [row(1, "balance", "held", "T", 399, 40)];
        assert_eq!(rows(&[&ether.ledger, &other.ledger], &journey), want, "{policy}: no pool holds loot");
    }
}
