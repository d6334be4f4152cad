//! Corrections and undone blocks against a fresh stream: the same records, bit for bit.

mod common;

use common::random::{Step, apply, chain, steps, tags};
use common::{Chain, EXCHANGE, STOLEN};
use exposure::{Changes, Exposure};
use ledger::{Coins as _, HolderId, Seq};
use proptest::prelude::*;

type Tags = Vec<(usize, Option<u8>, bool)>;

/// What happens to a chain that is followed.
#[derive(Clone, Debug)]
enum Event {
    /// Tags come, change and go.
    Tags(Tags),
    /// A transaction is taken for a join, or no longer.
    Join(usize),
    /// So many of the next transactions come.
    Grow(usize),
    /// The last transactions go, and others come in their stead.
    Reorganise(usize, Vec<Step>),
    /// Unreferenced records are left out.
    Compact,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => tags(1..4).prop_map(Event::Tags),
        1 => (0..100usize).prop_map(Event::Join),
        3 => (1..8usize).prop_map(Event::Grow),
        2 => ((0..8usize), steps(0..8)).prop_map(|(depth, steps)| Event::Reorganise(depth, steps)),
        1 => Just(Event::Compact),
    ];
    prop::collection::vec(event, 1..7)
}

/// What somebody keeps who is told of changes only.
#[derive(Default)]
struct Keeper {
    ids: Vec<u32>,
    rows: Vec<u64>,
}

impl Keeper {
    fn take(&mut self, exposure: &mut Exposure) {
        let Changes { from, changed, rows_from } = exposure.take_changes();
        let from = usize::try_from(from).unwrap();
        self.ids.truncate(from);
        self.ids.extend_from_slice(&exposure.ids()[from..]);
        for (seq, id) in changed {
            self.ids[usize::try_from(seq.0).unwrap()] = id;
        }
        self.rows.truncate(rows_from);
        self.rows.extend_from_slice(&exposure.rows()[rows_from..]);
    }
}

fn follow(first: Vec<Step>, events: Vec<Event>) -> Result<(), TestCaseError> {
    let (mut plan, mut keeper) = (first, Keeper::default());
    let Chain { mut ledger, mut known } = chain(&plan);
    let mut exposure = Exposure::new();
    let mut end = ledger.transactions() / 2;
    for event in events {
        exposure.advance(&ledger, &known, Seq(end)).unwrap();
        match event {
            Event::Tags(tags) => {
                let holders = apply(&mut known, &tags);
                let done = exposure.correct(&ledger, &known, &holders).unwrap();
                prop_assert!(done.changed <= done.mixed && done.mixed <= end);
            }
            Event::Join(pick) => {
                // The coinbase before everything spends nothing; no chain takes it for a join.
                let seq = Seq(1 + pick as u64 % ledger.transactions());
                let spends = seq.0 < ledger.transactions() && !spent(&ledger, seq).is_empty();
                if spends && !known.joins.remove(&seq) {
                    known.joins.insert(seq);
                }
                exposure.correct_joins(&ledger, &known, &[seq]).unwrap();
            }
            Event::Grow(count) => end = (end + count as u64).min(ledger.transactions()),
            Event::Reorganise(depth, steps) => {
                let kept = plan.len().saturating_sub(depth);
                plan.truncate(kept);
                plan.extend(steps);
                let fork = Seq(1 + kept as u64);
                exposure.undo_to(fork);
                let other = chain(&plan);
                let joins = other.known.joins.iter().copied().filter(|join| *join >= fork);
                known.joins = known.joins.iter().copied().filter(|join| *join < fork).chain(joins).collect();
                ledger = other.ledger;
                end = end.min(ledger.transactions());
            }
            Event::Compact => {
                exposure.compact();
                prop_assert_eq!(exposure.unreferenced_rows(), 0);
            }
        }
        keeper.take(&mut exposure);
        prop_assert_eq!((&keeper.ids[..], &keeper.rows[..]), (exposure.ids(), exposure.rows()));
        let mut fresh = Exposure::new();
        fresh.advance(&ledger, &known, exposure.end()).unwrap();
        for seq in (0..exposure.end().0).map(Seq) {
            prop_assert_eq!(exposure.record(seq), fresh.record(seq), "{:?}", seq);
        }
        prop_assert!(Exposure::of_parts(keeper.ids.clone(), keeper.rows.clone()).is_ok());
    }
    Ok(())
}

fn spent(ledger: &impl ledger::Coins, seq: Seq) -> Vec<ledger::Coin> {
    let mut spent = Vec::new();
    ledger.spent(seq, &mut spent);
    spent
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn whatever_happens_every_record_is_that_of_a_fresh_stream(first in steps(2..16), events in events()) {
        follow(first, events)?;
    }
}

#[test]
fn a_correction_ends_where_nothing_changes() {
    let mut chain = Chain::new();
    let (stolen, pool) = (chain.mine("T", 10), chain.mine("EX", 90));
    let moved = chain.transact(&[stolen], &[("A", 10)]);
    let deposit = chain.transact(&[(moved, 0)], &[("EX", 10)]);
    let paid = chain.transact(&[(deposit, 0), pool], &[("Z", 100)]);
    let last = chain.transact(&[(paid, 0)], &[("Y", 100)]);
    chain.tag("EX", EXCHANGE, true);
    let mut exposure = chain.streamed();
    chain.tag("T", STOLEN, false);
    let done = exposure.correct(&chain.ledger, &chain.known, &[chain.holder("T")]).unwrap();
    assert_eq!((done.mixed, done.changed, done.first), (2, 2, Some(moved)), "the custodian's payment is not looked at");
    let none = exposure.correct(&chain.ledger, &chain.known, &[chain.holder("T"), HolderId(99)]).unwrap();
    assert_eq!((none.mixed, none.changed, none.first), (1, 0, None));
    chain.known.categories.clear();
    let both = exposure.correct(&chain.ledger, &chain.known, &[chain.holder("T"), chain.holder("EX")]).unwrap();
    assert_eq!((both.mixed, both.changed), (4, 4));
    let unmixed = [moved, deposit, paid, last].map(|seq| exposure.ids()[usize::try_from(seq.0).unwrap()]);
    assert_eq!(unmixed, [1; 4], "everything was mined, and no record of anything else is left");
    assert!(exposure.unreferenced_rows() > 0);
}

#[test]
fn a_correction_of_a_long_chain_misses_nothing() {
    let mut chain = Chain::new();
    let (mut first, mut second) = (chain.mine("A", 1000), chain.mine("B", 1000));
    for hop in 0..300 {
        // The first peels all the way; the second waits, and joins it late.
        first = (chain.transact(&[first], &[(&format!("A{hop}"), 1000)]), 0);
        if hop % 100 == 99 {
            second = (chain.transact(&[second], &[(&format!("B{hop}"), 1000)]), 0);
        }
    }
    chain.transact(&[first, second], &[("C", 2000)]);
    let mut exposure = chain.streamed();
    for (name, category) in [("B99", STOLEN), ("A", STOLEN), ("A150", EXCHANGE), ("B", EXCHANGE)] {
        chain.tag(name, category, category == EXCHANGE);
    }
    let holders = ["B99", "A150", "B", "A"].map(|name| chain.holder(name));
    exposure.correct(&chain.ledger, &chain.known, &holders).unwrap();
    let fresh = chain.streamed();
    for seq in (0..exposure.end().0).map(Seq) {
        assert_eq!(exposure.record(seq), fresh.record(seq), "{seq:?}");
    }
}
