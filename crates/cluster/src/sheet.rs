//! [`Sheet`]: one layer's partition with what watches over it: the marks of its clusters (whose service, which side of
//! a pair that must stay apart) and the edges that are quarantined since they would put two marks together.

use std::collections::BTreeMap;

use ledger::{HolderId, Seq};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::evidence::Payment;
use crate::partition::at;
use crate::wraps::Wrap;
use crate::{Active, Bulk, Edge, Layer, Partition};

/// What a cluster can have one of: in group 0 a service's number, in group `n + 1` a side of the `n`-th pair.
pub(crate) type Mark = (u32, u32);

/// Which two cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Conflict {
    /// Two services, by their numbers.
    Services(u32, u32),
    /// Two holders that were ruled apart.
    Apart(HolderId, HolderId),
}

/// Evidence that would put together what cannot be one. It is kept, and not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Problem {
    /// Where in the chain.
    pub seq: Seq,
    /// Which evidence.
    pub edge: Edge,
    /// On which layer.
    pub layer: Layer,
    /// What it would put together.
    pub conflict: Conflict,
}

/// A quarantined edge: why, and whom it would tie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub seq: u64,
    pub conflict: Conflict,
    pub ends: Vec<u32>,
}

/// Marks by the cluster's label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(FxHashMap<u32, Vec<Mark>>);

impl Marks {
    /// The first two marks of one group among some clusters.
    fn conflict(&self, labels: &[u32]) -> Option<(Mark, Mark)> {
        let mut marks: Vec<Mark> = labels.iter().filter_map(|label| self.0.get(label)).flatten().copied().collect();
        marks.sort_unstable();
        marks.dedup();
        marks.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| (pair[0], pair[1]))
    }

    pub fn conflicts(&self, labels: &[u32]) -> bool {
        !self.0.is_empty() && self.conflict(labels).is_some()
    }

    pub fn add(&mut self, label: u32, mark: Mark) {
        let marks = self.0.entry(label).or_default();
        if let Err(place) = marks.binary_search(&mark) {
            marks.insert(place, mark);
        }
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn has(&self, label: u32) -> bool {
        self.0.contains_key(&label)
    }

    fn join(&mut self, old: u32, young: u32) {
        if let Some(marks) = self.0.remove(&young) {
            for mark in marks {
                self.add(old, mark);
            }
        }
    }
}

/// How holders are united: one by one, or many in bulk.
pub(crate) enum Way<'a> {
    Single(&'a mut Partition),
    Bulk(Bulk<'a>),
}

impl Way<'_> {
    fn find(&mut self, holder: u32) -> u32 {
        match self {
            Self::Single(partition) => partition.label[at(holder)],
            Self::Bulk(bulk) => bulk.find(holder),
        }
    }

    fn unite(&mut self, one: u32, other: u32) {
        match self {
            Self::Single(partition) => {
                partition.unite(HolderId(u64::from(one)), HolderId(u64::from(other)));
            }
            Self::Bulk(bulk) => {
                bulk.link(one, other);
            }
        }
    }
}

/// A layer. See the module's text.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    pub layer: Layer,
    pub partition: Partition,
    pub quarantine: BTreeMap<Edge, Held>,
    pub marks: Marks,
}

impl Sheet {
    pub fn new(layer: Layer) -> Self {
        Self { layer, partition: Partition::new(), quarantine: BTreeMap::new(), marks: Marks::default() }
    }

    /// Opens it to take evidence, in bulk or one by one.
    pub fn open(&mut self, in_bulk: bool) -> Open<'_> {
        let Self { layer, partition, quarantine, marks } = self;
        let way = if in_bulk { Way::Bulk(partition.bulk()) } else { Way::Single(partition) };
        Open { layer: *layer, way, quarantine, marks, roots: Vec::new() }
    }

    /// The labels of some holders, ascending, each once.
    pub fn labels(&self, holders: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let mut labels: Vec<u32> = holders.into_iter().map(|holder| self.partition.label[at(holder)]).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }

    /// Whether a quarantined edge has an end in one of these clusters.
    pub fn is_tied(&self, labels: &[u32]) -> bool {
        let here = |holder: &u32| labels.binary_search(&self.partition.label[at(*holder)]).is_ok();
        self.quarantine.values().any(|held| held.ends.iter().any(here))
    }

    /// These clusters and all that quarantined edges tie to them, one after the other.
    pub fn closure(&self, labels: &[u32]) -> Vec<u32> {
        let mut within: FxHashSet<u32> = labels.iter().copied().collect();
        let ties: Vec<Vec<u32>> = self.quarantine.values().map(|held| self.labels(held.ends.iter().copied())).collect();
        let mut held = 0;
        while held != within.len() {
            held = within.len();
            for tie in &ties {
                if tie.iter().any(|label| within.contains(label)) {
                    within.extend(tie);
                }
            }
        }
        let mut within: Vec<u32> = within.into_iter().collect();
        within.sort_unstable();
        within
    }
}

/// A sheet that takes evidence in chain order.
pub(crate) struct Open<'a> {
    layer: Layer,
    way: Way<'a>,
    quarantine: &'a mut BTreeMap<Edge, Held>,
    marks: &'a mut Marks,
    roots: Vec<u32>,
}

impl Open<'_> {
    /// Takes what a transaction says.
    pub fn take(&mut self, rules: &Active, seq: u64, payment: &Payment) {
        let co_spend = Edge::CoSpend(Seq(seq));
        if payment.co_spends() {
            if rules.is_off(co_spend) {
                return;
            }
            let change = payment.change.filter(|_| self.layer.has(crate::Heuristic::Change));
            if !self.tie(rules, co_spend, seq, &payment.payers, change) {
                return;
            }
        }
        let edge = Edge::Change(Seq(seq));
        if let Some(change) = payment.change
            && self.layer.has(edge.heuristic())
            && !rules.is_off(edge)
        {
            self.tie(rules, edge, seq, &[payment.payers[0], change], None);
        }
    }

    /// Takes a wrap.
    pub fn take_wrap(&mut self, rules: &Active, wrap: Wrap) {
        let edge = Edge::Wrap(HolderId(u64::from(wrap.younger)));
        if !rules.is_off(edge) {
            self.tie(rules, edge, wrap.seq, &[wrap.oldest, wrap.younger], None);
        }
    }

    /// Makes all ends one cluster, or quarantines the edge. `also` hangs on the edge without being its end.
    fn tie(&mut self, rules: &Active, edge: Edge, seq: u64, ends: &[u32], also: Option<u32>) -> bool {
        self.roots.clear();
        for end in ends {
            self.roots.push(self.way.find(*end));
        }
        self.roots.sort_unstable();
        self.roots.dedup();
        if self.roots.len() < 2 {
            return true;
        }
        if !self.marks.0.is_empty() {
            if let Some(((group, one), (_, other))) = self.marks.conflict(&self.roots) {
                let conflict = match group.checked_sub(1) {
                    None => Conflict::Services(one, other),
                    Some(pair) => {
                        let (one, other) = rules.apart()[at(pair)];
                        Conflict::Apart(HolderId(u64::from(one)), HolderId(u64::from(other)))
                    }
                };
                let ends = ends.iter().copied().chain(also).collect();
                self.quarantine.insert(edge, Held { seq, conflict, ends });
                return false;
            }
            for young in &self.roots[1..] {
                self.marks.join(self.roots[0], *young);
            }
        }
        for young in &self.roots[1..] {
            self.way.unite(self.roots[0], *young);
        }
        true
    }

    /// Done taking.
    pub fn close(self) {
        if let Way::Bulk(bulk) = self.way {
            bulk.finish();
        }
    }
}
