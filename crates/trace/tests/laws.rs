//! The laws every tracer must keep (I1–I8), on random ledgers, and the fast passes against the slow model.

mod common;

use std::collections::BTreeMap;

use common::{Accounts, Chain, model};
use ledger::memory::MemoryLedger;
use ledger::{Ledger, PurseId, Seq};
use money::Amount;
use proptest::prelude::*;
use trace::{LabelId, Outcome, Policy, Seed, Settings, StopKind, Terminal, forward::forward};

const NAMES: [&str; 7] = ["P0", "P1", "P2", "P3", "P4", "P5", "P6"];

/// A random account ledger: who starts with what (label 0 is clean), and who pays how much of what it has.
#[derive(Clone, Debug)]
struct Plan {
    starts: Vec<(usize, u32, u128)>,
    moves: Vec<(usize, usize, u32)>,
}

fn plans(labels: u32) -> impl Strategy<Value = Plan> {
    let start = (0..NAMES.len(), 0..=labels, 1..900u128);
    let step = (0..NAMES.len(), 1..NAMES.len(), 0..=1000u32);
    (prop::collection::vec(start, 1..10), prop::collection::vec(step, 1..40))
        .prop_map(|(starts, moves)| Plan { starts, moves })
}

fn build(plan: &Plan) -> Accounts {
    let mut accounts = Accounts::new(&["A"]);
    let mut balances = [0u128; NAMES.len()];
    for (who, label, amount) in &plan.starts {
        accounts.bring(NAMES[*who], *amount, (*label > 0).then_some(*label));
        balances[*who] += amount;
    }
    for (payer, step, per_mille) in &plan.moves {
        let payee = (payer + step) % NAMES.len();
        // Sometimes a bit more than is there: the ledger then records an opening balance.
        let amount = balances[*payer] * u128::from(*per_mille) / 970;
        accounts.pay(NAMES[*payer], NAMES[payee], amount);
        balances[*payer] = balances[*payer].saturating_sub(amount);
        balances[payee] += amount;
    }
    accounts
}

/// A random chain of transactions, each spending some of the unspent outputs.
fn chains() -> impl Strategy<Value = Vec<(Vec<usize>, Vec<u32>, u32)>> {
    let transaction = (prop::collection::vec(0..1000usize, 0..4), prop::collection::vec(0..100u32, 1..5), 0..5u32);
    prop::collection::vec(transaction, 2..25)
}

fn build_chain(plan: &[(Vec<usize>, Vec<u32>, u32)]) -> Chain {
    let mut chain = Chain::new();
    let mut unspent: Vec<(Seq, u32, u128)> = Vec::new();
    for (at, (picks, weights, kind)) in plan.iter().enumerate() {
        let mut inputs = Vec::new();
        let mut sum = 0;
        for pick in picks {
            if !unspent.is_empty() {
                let (seq, vout, amount) = unspent.remove(pick % unspent.len());
                inputs.push((seq, vout));
                sum += amount;
            }
        }
        if inputs.is_empty() {
            sum = u128::from(weights[0]) + 1;
        }
        let whole: u128 = weights.iter().map(|weight| u128::from(*weight)).sum::<u128>() + u128::from(*kind);
        let outputs: Vec<(&str, u128)> = weights
            .iter()
            .enumerate()
            .map(|(vout, weight)| (NAMES[(at + vout) % NAMES.len()], sum * u128::from(*weight) / whole.max(1)))
            .collect();
        let seq = chain.transact(&inputs, &outputs);
        for (vout, (_, amount)) in (0u32..).zip(&outputs) {
            unspent.push((seq, vout, *amount));
        }
        if inputs.is_empty() && *kind < 3 && outputs[0].1 > 0 {
            let loot = outputs[0].1;
            chain.loot(seq, 0, 1 + kind % 2, loot);
        }
    }
    chain
}

fn trace(ledger: &MemoryLedger, seeds: &[Seed], policy: Policy, settings: &Settings) -> Outcome {
    forward(ledger, seeds, policy, settings, &mut ())
}

fn places(outcome: &Outcome) -> BTreeMap<(LabelId, Option<PurseId>), u128> {
    let mut places = BTreeMap::new();
    for terminal in outcome.terminals.iter().filter(|terminal| !terminal.amount.is_zero()) {
        *places.entry((terminal.label, terminal.purse)).or_default() += terminal.amount.units();
    }
    places
}

fn closes(outcome: &Outcome) {
    for (label, loot) in &outcome.loot {
        assert_eq!(common::total(outcome, label.0), loot.units(), "I1: the account of {label:?} closes");
    }
}

fn stop_at(ledger: &MemoryLedger, names: &[&str]) -> Settings {
    let stops = names.iter().filter_map(|name| Some((ledger.find_holder(name)?, StopKind::Service)));
    Settings { stops: stops.collect(), ..Settings::default() }
}

/// The same ledger with each payment made in another way.
fn rebuilt(whole: &Accounts, pay: impl Fn(&mut Accounts, &str, &str, u128)) -> Accounts {
    let mut other = Accounts::new(&["A"]);
    let mut legs = Vec::new();
    for at in 0..whole.ledger.end().0 {
        whole.ledger.transaction(Seq(at), &mut legs);
        let name = |end: ledger::End| {
            end.purse().map_or_else(String::new, |purse| whole.ledger.holder_name(whole.ledger.purse(purse).holder))
        };
        let (from, to, amount) = (name(legs[0].payer), name(legs[0].payee), legs[0].amount.units());
        if from.is_empty() {
            let seed = whole.seeds.iter().find(|seed| seed.seq == Seq(at));
            other.bring(&to, amount, seed.map(|seed| seed.label.0));
        } else {
            pay(&mut other, &from, &to, amount);
        }
    }
    other
}

/// What each holder has of label 1.
fn by_name(accounts: &Accounts, policy: Policy) -> [u128; NAMES.len()] {
    let outcome = trace(&accounts.ledger, &accounts.seeds, policy, &Settings::default());
    NAMES.map(|name| common::at_holder(&accounts.ledger, &outcome, name, 1))
}

/// Terminals of one label, in the form it has when traced alone.
fn of_label(outcome: &Outcome, label: LabelId) -> Vec<Terminal> {
    outcome.terminals.iter().filter(|terminal| terminal.label == label).copied().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn accounts_agree_with_the_model_and_close(plan in plans(2)) {
        let accounts = build(&plan);
        for stops in [&[][..], &["P3"][..]] {
            let settings = stop_at(&accounts.ledger, stops);
            for policy in Policy::ALL {
                let outcome = trace(&accounts.ledger, &accounts.seeds, policy, &settings);
                let want = model::trace(&accounts.ledger, &accounts.seeds, policy, stops);
                prop_assert_eq!(places(&outcome), want, "{}", policy);
                if policy.conserves() {
                    closes(&outcome);
                }
            }
        }
    }

    #[test]
    fn chains_agree_with_the_model_and_close(plan in chains()) {
        let chain = build_chain(&plan);
        for policy in Policy::ALL {
            let outcome = trace(&chain.ledger, &chain.seeds, policy, &Settings::default());
            let want = model::trace(&chain.ledger, &chain.seeds, policy, &[]);
            prop_assert_eq!(places(&outcome), want, "{}", policy);
            if policy.conserves() {
                closes(&outcome);
            }
        }
    }

    /// I4: one run with many labels is the separate runs, for the additive policies.
    #[test]
    fn additive_policies_are_blind_to_other_labels(plan in plans(3)) {
        let accounts = build(&plan);
        for policy in Policy::ALL.into_iter().filter(|policy| policy.is_additive()) {
            let together = trace(&accounts.ledger, &accounts.seeds, policy, &Settings::default());
            for label in (1..=3).map(LabelId) {
                let own: Vec<Seed> = accounts.seeds.iter().filter(|seed| seed.label == label).copied().collect();
                let alone = trace(&accounts.ledger, &own, policy, &Settings::default());
                prop_assert_eq!(of_label(&together, label), of_label(&alone, label), "{}", policy);
            }
        }
    }

    /// I6: a payment cut in two back to back changes nothing under policies that look at units, and under haircut
    /// nothing but the rounding.
    #[test]
    fn policies_are_split_invariant(plan in plans(1)) {
        let whole = build(&plan);
        let split = rebuilt(&whole, |accounts, from, to, amount| {
            accounts.pay(from, to, amount / 3);
            accounts.pay(from, to, amount - amount / 3);
        });
        let units = [Policy::Fifo, Policy::Lifo, Policy::TaintFirstOut, Policy::TaintLastOut];
        for policy in units {
            prop_assert_eq!(by_name(&whole, policy), by_name(&split, policy), "{}", policy);
        }
        // Each payment rounds by at most half a unit, twice as often where it is cut; what a purse pays on is a share
        // of such errors.
        let slack = 2 * plan.moves.len() as u128;
        for (one, two) in by_name(&whole, Policy::Haircut).into_iter().zip(by_name(&split, Policy::Haircut)) {
            prop_assert!(one.abs_diff(two) <= slack, "haircut: {} and {}", one, two);
        }
    }

    /// I7: a payment to oneself changes nothing.
    #[test]
    fn payments_to_oneself_change_nothing(plan in plans(1)) {
        let plain = build(&plan);
        let circling = rebuilt(&plain, |accounts, from, to, amount| {
            accounts.pay(from, to, amount);
            accounts.pay(to, to, amount);
        });
        for policy in Policy::ALL {
            prop_assert_eq!(by_name(&plain, policy), by_name(&circling, policy), "{}", policy);
        }
    }

    /// I8, and windows: two runs give the same bytes, and a trace up to a moment is the ledger up to that moment.
    #[test]
    fn a_window_is_the_ledger_cut_there(mut plan in plans(2), cut in 0..1000usize) {
        for step in &mut plan.moves {
            step.2 = step.2.min(900);
        }
        let all = build(&plan);
        let steps = plan.moves.len();
        let kept = Plan { moves: plan.moves[..cut % (steps + 1)].to_vec(), ..plan.clone() };
        let part = build(&kept);
        // An opening balance found later lies in the purse from the start: such ledgers have another past.
        let same_past = NAMES.iter().filter_map(|name| part.ledger.find_holder(name)).all(|holder| {
            part.ledger.purses(holder).iter().all(|purse| part.ledger.opening(*purse) == all.ledger.opening(*purse))
        });
        prop_assume!(same_past);
        let until = Some(part.ledger.end());
        for policy in Policy::ALL {
            let settings = Settings { until, ..Settings::default() };
            let windowed = trace(&all.ledger, &all.seeds, policy, &settings);
            let whole = trace(&part.ledger, &part.seeds, policy, &Settings::default());
            prop_assert_eq!(&windowed.terminals, &whole.terminals, "{}", policy);
            prop_assert_eq!(
                &windowed.terminals,
                &trace(&all.ledger, &all.seeds, policy, &settings).terminals
            );
        }
    }

    /// Cut-offs book what they leave aside: the account still closes.
    #[test]
    fn cut_offs_are_booked(plan in plans(2), dust in 0..300u128, parts in 0..100u64) {
        let accounts = build(&plan);
        let settings = Settings {
            dust: [(ledger::AssetId(0), Amount::new(dust))].into(),
            share_floor: Some(trace::ShareFloor { parts, of: 1000 }),
            ..Settings::default()
        };
        for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
            closes(&trace(&accounts.ledger, &accounts.seeds, policy, &settings));
        }
    }
}

#[test]
fn a_share_cut_off_counts_all_lots_of_a_label() {
    // Three lots of 10 stolen units between clean ones: 30 of 60 units, though no lot is more than a sixth.
    let mut accounts = Accounts::new(&["A"]);
    for _ in 0..3 {
        accounts.bring("P", 10, Some(1));
        accounts.bring("P", 10, None);
    }
    accounts.pay("P", "Q", 60);
    let settings = Settings { share_floor: Some(trace::ShareFloor { parts: 1, of: 3 }), ..Settings::default() };
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let outcome = trace(&accounts.ledger, &accounts.seeds, policy, &settings);
        let followed = |terminal: &Terminal| terminal.kind == trace::TerminalKind::Balance;
        assert!(outcome.terminals.iter().all(followed), "{policy}");
    }
}
