//! The envelope against an independent maximum flow, and every policy against the envelope (I3).

mod common;

use std::collections::{BTreeMap, VecDeque};

use common::Accounts;
use ledger::memory::MemoryLedger;
use ledger::{End, Ledger, PurseId, Seq};
use proptest::prelude::*;
use trace::envelope::envelope;
use trace::{LabelId, Policy, Seed, Settings, StopKind, forward::forward};

const NAMES: [&str; 6] = ["P0", "P1", "P2", "P3", "P4", "P5"];

/// Starts (who, stolen, amount) and moves (payer, step to the payee, per mille of the balance).
type Plan = (Vec<(usize, bool, u128)>, Vec<(usize, usize, u32)>);

fn plans() -> impl Strategy<Value = Plan> {
    let start = (0..NAMES.len(), any::<bool>(), 1..60u128);
    let step = (0..NAMES.len(), 1..=NAMES.len(), 1..=1000u32);
    (prop::collection::vec(start, 1..7), prop::collection::vec(step, 1..18))
}

fn build((starts, moves): &Plan) -> Accounts {
    let mut accounts = Accounts::new(&["A"]);
    let mut balances = [0u128; NAMES.len()];
    for (who, stolen, amount) in starts {
        accounts.bring(NAMES[*who], *amount, stolen.then_some(1));
        balances[*who] += amount;
    }
    for (payer, step, per_mille) in moves {
        let amount = balances[*payer] * u128::from(*per_mille) / 1000;
        balances[*payer] -= amount;
        if *step == NAMES.len() {
            accounts.pay(NAMES[*payer], "", amount);
        } else {
            let payee = (payer + step) % NAMES.len();
            accounts.pay(NAMES[*payer], NAMES[payee], amount);
            balances[payee] += amount;
        }
    }
    accounts
}

/// Where flow can end: a purse's balance or its stop, or out of the ledger.
type Place = (bool, Option<PurseId>);

/// The whole time-expanded network by its definition: a node per purse and moment, every leg an edge.
#[derive(Default)]
struct Plain {
    room: BTreeMap<(usize, usize), u128>,
    nodes: usize,
}

impl Plain {
    fn node(&mut self) -> usize {
        self.nodes += 1;
        self.nodes - 1
    }

    fn edge(&mut self, from: usize, to: usize, most: u128) {
        *self.room.entry((from, to)).or_default() += most;
        self.room.entry((to, from)).or_default();
    }

    /// Shortest augmenting paths, one after the other.
    fn max_flow(&self, from: usize, to: usize) -> u128 {
        let mut room = self.room.clone();
        let mut sum = 0;
        loop {
            let mut back = vec![None; self.nodes];
            let mut queue = VecDeque::from([from]);
            while let Some(node) = queue.pop_front() {
                for ((tail, head), room) in room.range((node, 0)..(node + 1, 0)) {
                    if *room > 0 && back[*head].is_none() && *head != from {
                        back[*head] = Some(*tail);
                        queue.push_back(*head);
                    }
                }
            }
            let mut path = Vec::new();
            let mut node = to;
            while let Some(tail) = back[node] {
                path.push((tail, node));
                node = tail;
            }
            if path.is_empty() {
                return sum;
            }
            let most = path.iter().map(|edge| room[edge]).min().unwrap();
            for (tail, head) in path {
                *room.get_mut(&(tail, head)).unwrap() -= most;
                *room.get_mut(&(head, tail)).unwrap() += most;
            }
            sum += most;
        }
    }
}

/// Bounds by definition: a maximum flow to the place, and the loot less a maximum flow to all other places.
fn by_definition(ledger: &MemoryLedger, seeds: &[Seed], stops: &[PurseId]) -> BTreeMap<Place, (u128, u128)> {
    let mut plain = Plain::default();
    let source = plain.node();
    let mut here: BTreeMap<PurseId, usize> = BTreeMap::new();
    let mut places: BTreeMap<Place, usize> = BTreeMap::new();
    let mut legs = Vec::new();
    let mut loot = 0;
    for at in 0..ledger.end().0 {
        ledger.transaction(Seq(at), &mut legs);
        let leg = &legs[0];
        let amount = leg.amount.units();
        // The movement is a node of its own, so that what is stolen by it and what it carries share its amount.
        let (enter, leave) = (plain.node(), plain.node());
        plain.edge(enter, leave, amount);
        if let End::Purse(payer) = leg.payer {
            let old = *here.entry(payer).or_insert_with(|| plain.node());
            if !stops.contains(&payer) {
                plain.edge(old, enter, amount);
            }
            let new = plain.node();
            plain.edge(old, new, leg.payer_before.units() - amount);
            here.insert(payer, new);
        }
        for seed in seeds.iter().filter(|seed| seed.seq == Seq(at)) {
            plain.edge(source, enter, seed.amount.units());
            loot += seed.amount.units();
        }
        match leg.payee {
            End::Purse(payee) if stops.contains(&payee) => {
                let place = *places.entry((true, Some(payee))).or_insert_with(|| plain.node());
                plain.edge(leave, place, amount);
            }
            End::Purse(payee) => {
                let old = *here.entry(payee).or_insert_with(|| plain.node());
                let new = plain.node();
                plain.edge(old, new, leg.payee_before.units());
                plain.edge(leave, new, amount);
                here.insert(payee, new);
            }
            _ => {
                let place = *places.entry((true, None)).or_insert_with(|| plain.node());
                plain.edge(leave, place, amount);
            }
        }
    }
    for (purse, node) in here {
        places.insert((false, Some(purse)), node);
    }
    let mut bounds = BTreeMap::new();
    for (place, node) in &places {
        let others = plain.nodes;
        let mut to_others = Plain { room: plain.room.clone(), nodes: plain.nodes + 1 };
        for (_, other) in places.iter().filter(|(other, _)| *other != place) {
            to_others.edge(*other, others, u128::from(u64::MAX));
        }
        let high = plain.max_flow(source, *node);
        let low = loot - to_others.max_flow(source, others);
        if high > 0 {
            bounds.insert(*place, (low, high));
        }
    }
    bounds
}

fn place(key: &trace::TerminalKey) -> Place {
    (key.kind != trace::TerminalKind::Balance, key.purse)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_envelope_is_the_maximum_flow_by_definition(plan in plans(), stop in any::<bool>()) {
        let accounts = build(&plan);
        let ledger = &accounts.ledger;
        let stop = ledger.find_holder("P2").filter(|_| stop);
        let settings = Settings {
            stops: stop.iter().map(|holder| (*holder, StopKind::Service)).collect(),
            ..Settings::default()
        };
        let stops: Vec<PurseId> = stop.iter().flat_map(|holder| ledger.purses(*holder)).collect();
        let found = envelope(ledger, &accounts.seeds, LabelId(1), &settings);
        let got: BTreeMap<Place, (u128, u128)> = found
            .bounds
            .iter()
            .map(|(key, bounds)| (place(key), (bounds.low.units(), bounds.high.units())))
            .filter(|(_, (_, high))| *high > 0)
            .collect();
        prop_assert_eq!(got, by_definition(ledger, &accounts.seeds, &stops));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// I3: whatever policy is picked, its answer lies within the bounds.
    #[test]
    fn every_policy_lies_within_the_envelope(plan in plans()) {
        let accounts = build(&plan);
        let found = envelope(&accounts.ledger, &accounts.seeds, LabelId(1), &Settings::default());
        for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
            let outcome = forward(&accounts.ledger, &accounts.seeds, policy, &Settings::default(), &mut ());
            for terminal in &outcome.terminals {
                let bounds = found.bounds.get(&terminal.key()).copied().unwrap_or_default();
                prop_assert!(
                    bounds.low <= terminal.origin && terminal.origin <= bounds.high,
                    "{}: {:?} outside {:?}", policy, terminal, bounds
                );
            }
            for (key, bounds) in &found.bounds {
                let there = outcome.terminals.iter().any(|terminal| terminal.key() == *key);
                prop_assert!(there || bounds.low.is_zero(), "{}: {:?} is missing, {:?}", policy, key, bounds);
            }
        }
    }
}
