//! However a chain grew and was cut, and whatever was ruled and tagged when: its clusters are those that an obvious
//! model makes of the result in one go.

mod common;

use std::collections::BTreeMap;

use cluster::{Active, Chain, Clusters, Edge, Heuristic, Layer, Unexplained, Verdict};
use common::{Dice, Model, Ruling, Source, dice};
use ledger::memory::MemoryLedger;
use ledger::{Coins, HolderId, Seq};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// New transactions, of which all but some are taken.
    Grow(Vec<Dice>, u8),
    Rule(u8, u16, bool),
    RuleAll(u8, bool),
    Apart(u16, u16, bool),
    Retag(Vec<(u16, Option<u8>)>),
    /// Some are taken back, and others come in their place before anybody notices.
    Fork(u8, Vec<Dice>),
    /// Kept and read again.
    Reload,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (vec(dice(), 1..10), any::<u8>()).prop_map(|(dice, behind)| Step::Grow(dice, behind)),
        8 => any::<(u8, u16, bool)>().prop_map(|(kind, at, off)| Step::Rule(kind, at, off)),
        1 => any::<(u8, bool)>().prop_map(|(kind, off)| Step::RuleAll(kind, off)),
        2 => any::<(u16, u16, bool)>().prop_map(|(one, other, on)| Step::Apart(one, other, on)),
        3 => vec((any::<u16>(), prop::option::weighted(0.7, 0u8..3)), 1..4).prop_map(Step::Retag),
        2 => (any::<u8>(), vec(dice(), 0..6)).prop_map(|(back, dice)| Step::Fork(back, dice)),
        1 => Just(Step::Reload),
    ];
    let tags = vec((any::<u16>(), prop::option::weighted(0.9, 0u8..3)), 0..8);
    (vec(dice(), 1..20), tags, vec(step, 1..14)).prop_map(|(dice, tags, mut steps)| {
        steps.splice(0..0, [Step::Grow(dice, 0), Step::Retag(tags)]);
        steps
    })
}

#[derive(Default)]
struct World {
    source: Source,
    services: BTreeMap<HolderId, u32>,
    rulings: Vec<Ruling>,
    clusters: Clusters,
}

fn active(rulings: &[Ruling]) -> Active {
    let mut active = Active::default();
    for ruling in rulings {
        match ruling {
            Ruling::Edge(edge, off) => active.set(*edge, *off),
            Ruling::All(heuristic, off) => active.set_all(*heuristic, *off),
            Ruling::Apart(one, other, on) => active.set_apart(*one, *other, *on),
        }
    }
    active
}

impl World {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Grow(dice, _) => self.source.extend(dice),
            Step::Fork(back, dice) => {
                let keep = self.source.len() - usize::from(*back) % (self.source.len() + 1);
                self.source.cut(keep);
                self.source.extend(dice);
                // Holders and transactions have other numbers now; what stood on those that are gone is gone.
                let (ledger, verdicts) = self.source.ledger();
                let chain = Chain { coins: &ledger, verdicts: &verdicts, services: &() };
                let mut before = Clusters::new();
                before.advance(&chain, Seq(keep as u64)).unwrap();
                let (seq, holders) = (keep as u64, before.partition(Layer::CoSpend).holders());
                self.services.retain(|holder, _| holder.0 < holders);
                self.rulings.retain(|ruling| match ruling {
                    Ruling::Edge(Edge::Wrap(holder), _) => holder.0 < holders,
                    Ruling::Edge(Edge::CoSpend(at) | Edge::Change(at), _) => at.0 < seq,
                    Ruling::Apart(one, other, _) => one.0.max(other.0) < holders,
                    Ruling::All(..) => true,
                });
                let chain = Chain { coins: &ledger, verdicts: &verdicts, services: &self.services };
                self.clusters.undo_to(&chain, Seq(seq));
            }
            _ => {}
        }
        let (ledger, verdicts) = self.source.ledger();
        // One more than there are: what is yet to come can be ruled on as well.
        let holder = |at: u16| HolderId(u64::from(at) % (ledger.holders() + 1));
        let seq = |at: u16| Seq(u64::from(at) % (self.source.len() as u64 + 1));
        match step {
            Step::Rule(kind, at, off) => {
                // What is restored is mostly something that was retracted.
                let ruled = self.rulings.iter().filter_map(|ruling| match ruling {
                    Ruling::Edge(edge, true) if !*off => Some(*edge),
                    _ => None,
                });
                let ruled: Vec<Edge> = ruled.collect();
                let edge = match kind % 5 {
                    _ if !ruled.is_empty() => ruled[usize::from(*at) % ruled.len()],
                    0 => Edge::Wrap(holder(*at)),
                    1 | 2 => Edge::CoSpend(seq(*at)),
                    _ => Edge::Change(seq(*at)),
                };
                self.rulings.push(Ruling::Edge(edge, *off));
            }
            Step::RuleAll(kind, off) => self.rulings.push(Ruling::All(Heuristic::ALL[usize::from(*kind) % 3], *off)),
            Step::Apart(one, other, on) => self.rulings.push(Ruling::Apart(holder(*one), holder(*other), *on)),
            Step::Retag(tags) => {
                for (at, service) in tags {
                    match service {
                        Some(service) => self.services.insert(holder(*at), u32::from(*service)),
                        None => self.services.remove(&holder(*at)),
                    };
                }
            }
            Step::Reload => {
                let chain = Chain { coins: &ledger, verdicts: &verdicts, services: &self.services };
                self.clusters = Clusters::of_parts(&chain, self.clusters.parts()).unwrap();
            }
            Step::Grow(..) | Step::Fork(..) => {}
        }
        let chain = Chain { coins: &ledger, verdicts: &verdicts, services: &self.services };
        self.clusters.rule(&chain, active(&self.rulings));
        let behind = if let Step::Grow(_, behind) = step { u64::from(behind % 4) } else { 0 };
        let until = (self.source.len() as u64).saturating_sub(behind).max(self.clusters.done().0);
        self.clusters.advance(&chain, Seq(until)).unwrap();
        self.check();
    }

    fn check(&self) {
        let (ledger, verdicts) = self.source.ledger();
        let mut problems = Vec::new();
        for layer in Layer::ALL {
            let mut model = Model {
                ledger: &ledger,
                verdicts: &verdicts,
                services: &self.services,
                rulings: &self.rulings,
                layer,
                clusters: Vec::new(),
                problems: BTreeMap::new(),
                ties: Vec::new(),
            };
            model.run(self.clusters.done().0);
            let labels: Vec<u64> =
                self.clusters.partition(layer).columns()[0].iter().map(|at| u64::from(*at)).collect();
            assert_eq!(labels, model.labels(), "{layer:?}");
            self.check_ways(&ledger, &verdicts, &model);
            problems.extend(model.problems.into_values());
        }
        assert_eq!(self.clusters.problems(), problems);
    }

    /// From the oldest and the youngest holder to all others.
    fn check_ways(&self, ledger: &MemoryLedger, verdicts: &[Verdict], model: &Model<'_>) {
        let verdicts = verdicts.to_vec();
        let chain = Chain { coins: ledger, verdicts: &verdicts, services: &self.services };
        let holders = self.clusters.partition(model.layer).holders();
        for from in [0, holders.saturating_sub(1)].map(HolderId) {
            let distances = model.distances(from);
            for to in (0..holders).map(HolderId) {
                match (self.clusters.explain(&chain, from, to, model.layer), distances.get(&to)) {
                    (Ok(steps), Some(distance)) => {
                        assert_eq!(steps.len(), *distance);
                        let mut at = from;
                        for step in &steps {
                            assert_eq!(step.from, at);
                            assert!(model.ties.contains(&(step.from, step.to, step.edge)), "{step:?}");
                            at = step.to;
                        }
                        assert_eq!(at, to);
                    }
                    (Err(Unexplained::Apart), None) => {}
                    (found, distance) => panic!("{found:?} where the distance is {distance:?}"),
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn clusters_are_what_a_clean_run_makes_of_the_same_chain(steps in steps()) {
        let mut world = World::default();
        for step in &steps {
            world.step(step);
        }
    }
}

/// When a quarantined co-spend is released, its change counts again, and whom that ties may now have to give way: all
/// three clusters must be built anew.
#[test]
fn a_released_co_spend_brings_its_change_along() {
    let mut world = World::default();
    let none = (2, 7);
    let dice = |inputs: &[u16], outputs: &[u8], verdict| Dice {
        inputs: inputs.to_vec(),
        outputs: outputs.to_vec(),
        foreign: None,
        verdict,
    };
    let chain = [dice(&[], &[120, 121, 122, 123], none), dice(&[0, 0], &[122], (2, 0)), dice(&[0, 0], &[124], none)];
    world.step(&Step::Retag(vec![]));
    world.services = BTreeMap::from([(0, 1), (1, 2), (3, 3)].map(|(holder, service)| (HolderId(holder), service)));
    world.step(&Step::Grow(chain.to_vec(), 0));
    let edges = |world: &World| -> Vec<_> {
        world.clusters.problems().iter().map(|problem| (problem.layer, problem.edge)).collect()
    };
    let co_spend = Edge::CoSpend(Seq(1));
    assert_eq!(edges(&world), [(Layer::CoSpend, co_spend), (Layer::Change, co_spend)]);
    world.step(&Step::Retag(vec![(1, None)]));
    assert_eq!(edges(&world), [(Layer::Change, Edge::CoSpend(Seq(2)))]);
}
