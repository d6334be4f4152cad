//! The laws across ledgers: on random ledgers linked back and forth nothing is lost or made, labels are blind to one
//! another where the policy is, the bounds hold, and the order in which links are given changes nothing.

mod common;

use common::{Accounts, together_with};
use ledger::memory::MemoryLedger;
use ledger::{Ledger, Seq};
use money::Amount;
use proptest::prelude::*;
use trace::envelope::envelope_over;
use trace::together::{Ground, Journey, Territory};
use trace::{Arrival, BILLION, Crossing, Departure, LabelId, Policy, Seed, Settings, StopKind, Terminal, TerminalKind};

const NAMES: [&str; 5] = ["P0", "P1", "P2", "P3", "P4"];
const ASSETS: [&str; 2] = ["A", "B"];

/// One event of the random world.
#[derive(Clone, Debug)]
enum Deed {
    /// Who, how much, whose loot (0 is nobody's).
    Bring(usize, usize, u128, u32),
    /// Payer, step to the payee, asset, per mille of what it has.
    Pay(usize, usize, usize, u32),
    /// Who swaps how much of asset 0 for asset 1, at what price in tenths.
    Swap(usize, u32, u128),
    /// A balance shrinks.
    Drift(usize, u32),
    /// Who bridges how much, to which ledger, for whom, in how many parts, with what probability, with a fee or not, and
    /// whether it is burnt.
    Bridge { who: usize, per_mille: u32, to: usize, whom: usize, parts: u32, sure: u32, fee: bool, burnt: bool },
}

fn deeds() -> impl Strategy<Value = Vec<(usize, Deed)>> {
    let who = 0..NAMES.len();
    let deed = prop_oneof![
        2 => (who.clone(), 0..2usize, 1..900u128, 0..3u32).prop_map(|(a, b, c, d)| Deed::Bring(a, b, c, d)),
        4 => (who.clone(), 1..NAMES.len(), 0..2usize, 0..=1000u32).prop_map(|(a, b, c, d)| Deed::Pay(a, b, c, d)),
        2 => (who.clone(), 1..=1000u32, 1..40u128).prop_map(|(a, b, c)| Deed::Swap(a, b, c)),
        1 => (who.clone(), 1..=1000u32).prop_map(|(a, b)| Deed::Drift(a, b)),
        4 => (who.clone(), 1..=1000u32, 0..3usize, who, 1..4u32, 1..=10u32, any::<bool>(), any::<bool>()).prop_map(
            |(who, per_mille, to, whom, parts, sure, fee, burnt)| {
                Deed::Bridge { who, per_mille, to, whom, parts, sure: sure * (BILLION / 10), fee, burnt }
            }
        ),
    ];
    prop::collection::vec((0..3usize, deed), 4..40)
}

struct World {
    ledgers: [Accounts; 3],
    crossings: Vec<Crossing>,
}

impl World {
    fn build(deeds: &[(usize, Deed)]) -> Self {
        let mut world = Self { ledgers: [(); 3].map(|()| Accounts::new(&ASSETS)), crossings: Vec::new() };
        for ledger in &mut world.ledgers {
            ledger.transact(&[("", "Pool", "A", 1_000_000), ("", "Pool", "B", 1_000_000)]);
        }
        for (at, deed) in deeds {
            world.act(*at, deed);
        }
        world
    }

    fn balance(&self, at: usize, who: &str, asset: &str) -> u128 {
        let ledger = &self.ledgers[at].ledger;
        let asset = ledger.find_asset(asset).unwrap();
        let purses = ledger.find_holder(who).map_or_else(Vec::new, |holder| ledger.purses(holder));
        let own = purses.into_iter().find(|purse| ledger.purse(*purse).asset == asset);
        own.map_or(0, |purse| ledger.balance(purse, ledger.end()).units())
    }

    fn act(&mut self, at: usize, deed: &Deed) {
        let share = |balance: u128, per_mille: u32| balance * u128::from(per_mille) / 1000;
        match *deed {
            Deed::Bring(who, asset, amount, label) => {
                let seq = self.ledgers[at].transact(&[("", NAMES[who], ASSETS[asset], amount)]);
                if label > 0 {
                    // A label is one loss: of one asset on one ledger.
                    let label = label + 2 * u32::try_from(at * 2 + asset).unwrap();
                    self.ledgers[at].loot(seq, 0, label, amount);
                }
            }
            Deed::Pay(payer, step, asset, per_mille) => {
                let (payer, payee) = (NAMES[payer], NAMES[(payer + step) % NAMES.len()]);
                let amount = share(self.balance(at, payer, ASSETS[asset]), per_mille);
                self.ledgers[at].transact(&[(payer, payee, ASSETS[asset], amount)]);
            }
            Deed::Swap(who, per_mille, price) => {
                let amount = share(self.balance(at, NAMES[who], "A"), per_mille);
                let legs =
                    [(NAMES[who], "Pool", "A", amount), ("Pool", NAMES[who], "B", (amount * price / 10).min(5_000))];
                self.ledgers[at].transact(&legs);
            }
            Deed::Drift(who, per_mille) => {
                let amount = share(self.balance(at, NAMES[who], "A"), per_mille);
                self.ledgers[at].drift(NAMES[who], "A", amount);
            }
            Deed::Bridge { who, per_mille, to, whom, parts, sure, fee, burnt } => {
                let amount = share(self.balance(at, NAMES[who], "A"), per_mille);
                if amount == 0 {
                    return;
                }
                let vault = if burnt { "" } else { "Vault" };
                let into = self.ledgers[at].pay(NAMES[who], vault, amount);
                let mut legs = Vec::new();
                self.ledgers[at].ledger.transaction(into, &mut legs);
                let from = Departure {
                    ledger: at,
                    seq: into,
                    payee: legs[0].payee,
                    asset: legs[0].asset,
                    index: 0,
                    amount: Amount::new(amount),
                };
                let out = (amount / u128::from(parts)).max(1);
                let to = (0..parts).map(|_| {
                    let seq = self.ledgers[to].pay("Vault", NAMES[whom], out);
                    self.ledgers[to].ledger.transaction(seq, &mut legs);
                    Arrival {
                        ledger: to,
                        seq,
                        purse: legs[0].payee.purse().unwrap(),
                        amount: Amount::new(out),
                        share: BILLION / parts,
                        probability: sure,
                        gross: fee.then(|| Amount::new(out + out / 10 + 1)),
                    }
                });
                let to = to.collect();
                self.crossings.push(Crossing { from, to, away: Vec::new() });
            }
        }
    }

    fn settings(&self, stop: bool) -> [Settings; 3] {
        [0, 1, 2].map(|at| {
            let vault = self.ledgers[at].ledger.find_holder("Vault").filter(|_| stop);
            Settings {
                stops: vault.into_iter().map(|vault| (vault, StopKind::Bridge)).collect(),
                ..Settings::default()
            }
        })
    }

    fn trace(
        &self,
        settings: &[Settings; 3],
        crossings: &[Crossing],
        policy: Policy,
        only: Option<LabelId>,
    ) -> Journey {
        let seeds: Vec<Vec<Seed>> = self.ledgers.iter().map(|ledger| own(&ledger.seeds, only)).collect();
        let grounds: Vec<(&MemoryLedger, &[Seed], &Settings)> =
            (0..3).map(|at| (&self.ledgers[at].ledger, &seeds[at][..], &settings[at])).collect();
        together_with(&grounds, crossings, policy)
    }
}

fn own(seeds: &[Seed], only: Option<LabelId>) -> Vec<Seed> {
    seeds.iter().filter(|seed| only.is_none_or(|label| seed.label == label)).copied().collect()
}

fn labels() -> impl Iterator<Item = LabelId> {
    (1..15).map(LabelId)
}

fn closes(journey: &Journey) -> Result<(), TestCaseError> {
    for label in labels() {
        let loot: u128 =
            journey.outcomes.iter().filter_map(|outcome| outcome.loot.get(&label)).map(|loot| loot.units()).sum();
        let found: u128 = journey.outcomes.iter().map(|outcome| common::total(outcome, label.0)).sum();
        prop_assert_eq!(found, loot, "{:?}", label);
    }
    Ok(())
}

fn of_label(journey: &Journey, label: LabelId) -> Vec<Vec<Terminal>> {
    let own = |outcome: &trace::Outcome| {
        outcome.terminals.iter().filter(|terminal| terminal.label == label).copied().collect()
    };
    journey.outcomes.iter().map(own).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// I1 and sanity: sums close over all ledgers, and no purse holds more loot of a label than money.
    #[test]
    fn the_account_closes_over_all_ledgers(deeds in deeds(), stop in any::<bool>()) {
        let world = World::build(&deeds);
        let settings = world.settings(stop);
        for policy in Policy::ALL {
            let journey = world.trace(&settings, &world.crossings, policy, None);
            prop_assert!(journey.ignored.is_empty());
            if policy.conserves() {
                closes(&journey)?;
            }
            for (at, outcome) in journey.outcomes.iter().enumerate() {
                let ledger = &world.ledgers[at].ledger;
                for terminal in outcome.terminals.iter().filter(|terminal| terminal.kind == TerminalKind::Balance) {
                    let purse = terminal.purse.unwrap();
                    let balance = ledger.balance(purse, ledger.end());
                    prop_assert!(terminal.amount <= balance, "{}: {:?} of {:?}", policy, terminal, balance);
                }
            }
        }
    }

    /// I4 across links: one run with many labels is the separate runs.
    #[test]
    fn additive_policies_are_blind_to_other_labels(deeds in deeds()) {
        let world = World::build(&deeds);
        let settings = world.settings(true);
        for policy in Policy::ALL.into_iter().filter(|policy| policy.is_additive()) {
            let all = world.trace(&settings, &world.crossings, policy, None);
            for label in labels() {
                let alone = world.trace(&settings, &world.crossings, policy, Some(label));
                prop_assert_eq!(of_label(&all, label), of_label(&alone, label), "{} {:?}", policy, label);
            }
        }
    }

    /// I8: the order in which links are given is no input, as long as they do not share a payment.
    #[test]
    fn links_may_be_given_in_any_order(deeds in deeds()) {
        let world = World::build(&deeds);
        let settings = world.settings(true);
        let backwards: Vec<Crossing> = world.crossings.iter().rev().cloned().collect();
        for policy in Policy::ALL {
            let one = world.trace(&settings, &world.crossings, policy, None);
            let other = world.trace(&settings, &backwards, policy, None);
            for (one, other) in one.outcomes.iter().zip(&other.outcomes) {
                prop_assert_eq!(&one.terminals, &other.terminals, "{}", policy);
            }
        }
    }

    /// I3 across links: what a policy gives lies within the bounds.
    #[test]
    fn every_policy_stays_within_the_bounds(deeds in deeds()) {
        let world = World::build(&deeds);
        let settings = world.settings(true);
        for label in labels() {
            let seeds: Vec<Vec<Seed>> = world.ledgers.iter().map(|ledger| own(&ledger.seeds, Some(label))).collect();
            if seeds.iter().all(Vec::is_empty) {
                continue;
            }
            let territories: Vec<Territory<'_, MemoryLedger, MemoryLedger>> = (0..3)
                .map(|at| Territory {
                    ground: Ground::Account(&world.ledgers[at].ledger),
                    seeds: &seeds[at],
                    settings: &settings[at],
                })
                .collect();
            let bounds = envelope_over(&territories, &world.crossings, label);
            for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
                let journey = world.trace(&settings, &world.crossings, policy, Some(label));
                for (at, outcome) in journey.outcomes.iter().enumerate() {
                    let mut found = bounds[at].bounds.clone();
                    for terminal in outcome.terminals.iter().filter(|terminal| !terminal.origin.is_zero()) {
                        let bounds = found.remove(&terminal.key());
                        prop_assert!(
                            bounds.is_some_and(|b| b.low <= terminal.origin && terminal.origin <= b.high),
                            "{} ledger {}: {:?} in {:?}", policy, at, terminal, bounds
                        );
                    }
                    for (key, bounds) in found {
                        prop_assert!(bounds.low.is_zero(), "{} ledger {}: {:?} {:?} has nothing", policy, at, key, bounds);
                    }
                }
            }
        }
    }
}

#[test]
fn a_share_below_the_clock_is_no_problem() {
    // The second chain's clock is a year behind: what arrives there seems to have come before it departed.
    let mut one = Accounts::new(&ASSETS);
    for _ in 0..5 {
        one.bring("T", 10, Some(1));
    }
    let over = one.pay("T", "Vault", 50);
    let mut two = Accounts::new(&ASSETS);
    let came = two.pay("", "U", 50);
    assert!(two.ledger.stamp(came).time < one.ledger.stamp(over).time);
    let mut legs = Vec::new();
    two.ledger.transaction(came, &mut legs);
    let to = Arrival {
        ledger: 1,
        seq: came,
        purse: legs[0].payee.purse().unwrap(),
        amount: Amount::new(50),
        share: BILLION,
        probability: BILLION,
        gross: None,
    };
    one.ledger.transaction(over, &mut legs);
    let from = Departure {
        ledger: 0,
        seq: over,
        payee: legs[0].payee,
        asset: legs[0].asset,
        index: 0,
        amount: Amount::new(50),
    };
    assert_eq!(over, Seq(5));
    for policy in Policy::ALL {
        let crossing = Crossing { from, to: vec![to], away: Vec::new() };
        let journey = common::together(&[(&one.ledger, &one.seeds), (&two.ledger, &[])], &[crossing], policy);
        assert_eq!(common::at_holder(&two.ledger, &journey.outcomes[1], "U", 1), 50, "{policy}");
    }
}
