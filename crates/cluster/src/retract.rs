//! What changes clusters other than growth: rulings, tags, and blocks that are taken back.
//!
//! Where no quarantine is near, evidence that goes splits what depended on it ([`crate::search::parts`]), and evidence
//! that comes unites. Where one is, the order of evidence matters: the clusters concerned, with those that quarantined
//! edges tie to them, are built anew in chain order. No evidence leaves such a group, so nothing else can change.

use std::collections::BTreeMap;

use ledger::{Coins, HolderId, Seq};
use rustc_hash::FxHashSet;

use crate::clusters::{Clusters, holders_before};
use crate::evidence::{Chain, Payment};
use crate::journal::Tie;
use crate::keys::Nobody;
use crate::partition::{at, narrow};
use crate::search::{Reader, parts};
use crate::wraps::{Wrap, Wraps};
use crate::{Active, Edge, Layer};

impl Clusters {
    /// Takes the services as they are tagged now; those of holders that did not appear yet wait for them.
    pub fn retag<C: Coins + ?Sized>(&mut self, chain: &Chain<'_, C>) {
        let holders = self.partition(Layer::CoSpend).holders();
        let tagged = chain.services.tagged().into_iter().filter(|(holder, _)| holder.0 < holders);
        let services: BTreeMap<u32, u32> = tagged.map(|(holder, service)| (narrow(holder), service)).collect();
        let before = std::mem::replace(&mut self.services, services);
        let gone = before.iter().filter(|(holder, service)| self.services.get(holder) != Some(service));
        let new = self.services.iter().filter(|(holder, service)| before.get(holder) != Some(service));
        let changed: Vec<u32> = gone.chain(new).map(|(holder, _)| *holder).collect();
        self.marked(chain, &changed);
    }

    /// Applies rulings: all that differ from those that were applied before. What stands on transactions and holders that
    /// are yet to come waits for them.
    pub fn rule<C: Coins + ?Sized>(&mut self, chain: &Chain<'_, C>, rules: Active) {
        let apart: Vec<(u32, u32)> =
            if rules.apart() == self.rules.apart() { Vec::new() } else { [rules.apart(), self.rules.apart()].concat() };
        if rules.differs_at_large(&self.rules) {
            self.rules = rules;
            self.rebuild(chain);
            return;
        }
        let edges = self.rules.differences(&rules);
        if !apart.is_empty() {
            self.rules.take_apart(&rules);
            let holders = self.partition(Layer::CoSpend).holders();
            let both = apart.iter().flat_map(|(one, other)| [*one, *other]);
            let changed: Vec<u32> = both.filter(|holder| u64::from(*holder) < holders).collect();
            // The pairs are numbered anew, even if all that changed are yet to come.
            for layer in Layer::ALL {
                self.mark_all(layer);
            }
            self.marked(chain, &changed);
        }
        let nobody = Nobody::of(chain.coins);
        for edge in edges {
            self.toggle(chain, &nobody, edge);
        }
    }

    /// Builds everything anew, with the same rulings and tags.
    pub fn rebuild<C: Coins + ?Sized>(&mut self, chain: &Chain<'_, C>) {
        let rules = std::mem::take(&mut self.rules);
        let done = self.done;
        *self = Self::new();
        self.rules = rules;
        for sheet in &mut self.sheets {
            sheet.partition.all_changed();
        }
        self.advance(chain, Seq(done)).expect("there is room for as many holders as before");
    }

    /// Takes back all transactions from one on. The chain may have lost them already, and may hold others in their place.
    /// Says whether that was possible without building everything anew.
    pub fn undo_to<C: Coins + ?Sized>(&mut self, chain: &Chain<'_, C>, seq: Seq) -> bool {
        if seq.0 >= self.done {
            return true;
        }
        let keep = holders_before(chain.coins, seq.0);
        let keep = u32::try_from(keep).expect("no more holders than a partition has");
        self.done = seq.0;
        self.rules.forget_from(seq.0, keep);
        self.services.retain(|holder, _| *holder < keep);
        let Some(ties) = self.journal.undo(seq.0) else {
            self.rebuild(chain);
            return false;
        };
        let gone = self.wraps.edges().iter().filter(|wrap| wrap.seq >= seq.0);
        let wraps = gone.map(|Wrap { younger, oldest, seq }| Tie { seq: *seq, one: *oldest, other: *younger });
        let mut ends: Vec<u32> = wraps.chain(ties).flat_map(|tie| [tie.one, tie.other]).collect();
        ends.retain(|end| *end < keep);
        ends.sort_unstable();
        ends.dedup();
        self.wraps.shrink(keep);
        for sheet in &mut self.sheets {
            sheet.partition.shrink(u64::from(keep));
            sheet.quarantine.retain(|_, held| held.seq < seq.0);
        }
        let nobody = Nobody::of(chain.coins);
        for layer in Layer::ALL {
            self.fall_apart(chain, &nobody, layer, &ends);
        }
        // Marks of holders that are gone are gone from clusters that lost nothing else, too.
        for layer in Layer::ALL {
            self.mark_all(layer);
        }
        true
    }

    /// What follows where the marks of some holders changed.
    fn marked<C: Coins + ?Sized>(&mut self, chain: &Chain<'_, C>, changed: &[u32]) {
        if changed.is_empty() {
            return;
        }
        for layer in Layer::ALL {
            self.mark_all(layer);
            let sheet = &self.sheets[layer as usize];
            let mut anew: Vec<u32> = Vec::new();
            for label in sheet.labels(changed.iter().copied()) {
                if sheet.is_tied(&[label]) || sheet.marks.conflicts(&[label]) {
                    anew.push(label);
                }
            }
            if !anew.is_empty() {
                self.build_anew(chain, layer, &anew);
            }
        }
    }

    /// Writes the marks of a layer's clusters anew.
    pub(crate) fn mark_all(&mut self, layer: Layer) {
        let marks: Vec<_> = self.each_mark().collect();
        let sheet = &mut self.sheets[layer as usize];
        sheet.marks.clear();
        for (holder, mark) in marks {
            sheet.marks.add(sheet.partition.label[at(holder)], mark);
        }
    }

    /// Whom an edge would tie; nobody where it is yet to come.
    fn ends<C: Coins + ?Sized>(&self, chain: &Chain<'_, C>, nobody: &Nobody, edge: Edge) -> (Payment, Vec<u32>) {
        let mut payment = Payment::default();
        match edge {
            Edge::Wrap(younger) => {
                let wrap =
                    if younger.0 < self.partition(Layer::CoSpend).holders() { self.wraps.of(younger) } else { None };
                (payment, wrap.map_or(Vec::new(), |wrap| vec![wrap.oldest, wrap.younger]))
            }
            Edge::CoSpend(seq) | Edge::Change(seq) if seq.0 < self.done => {
                payment.read(chain, nobody, seq);
                let ends = payment.ends().collect();
                (payment, ends)
            }
            Edge::CoSpend(_) | Edge::Change(_) => (payment, Vec::new()),
        }
    }

    /// Turns one edge off, or on again.
    fn toggle<C: Coins + ?Sized>(&mut self, chain: &Chain<'_, C>, nobody: &Nobody, edge: Edge) {
        let off = !self.rules.is_off(edge);
        self.rules.set(edge, off);
        let (payment, ends) = self.ends(chain, nobody, edge);
        if ends.len() < 2 {
            return;
        }
        for layer in Layer::ALL.into_iter().filter(|layer| layer.has(edge.heuristic())) {
            let sheet = &mut self.sheets[layer as usize];
            let labels = sheet.labels(ends.iter().copied());
            if sheet.is_tied(&labels) || (!off && sheet.marks.conflicts(&labels)) {
                self.build_anew(chain, layer, &labels);
            } else if off {
                self.fall_apart(chain, nobody, layer, &ends);
            } else {
                let mut open = sheet.open(false);
                match edge {
                    Edge::Wrap(younger) => {
                        let wrap = self.wraps.of(younger).expect("its ends were found by it");
                        open.take_wrap(&self.rules, wrap);
                    }
                    Edge::CoSpend(seq) | Edge::Change(seq) => open.take(&self.rules, seq.0, &payment),
                }
            }
        }
    }

    /// Splits the clusters of some holders where nothing ties those to each other any more.
    fn fall_apart<C: Coins + ?Sized>(&mut self, chain: &Chain<'_, C>, nobody: &Nobody, layer: Layer, ends: &[u32]) {
        let Self { sheets, wraps, rules, done, .. } = self;
        let sheet = &sheets[layer as usize];
        let mut by_label: Vec<(u32, u32)> = ends.iter().map(|end| (sheet.partition.label[at(*end)], *end)).collect();
        by_label.sort_unstable();
        by_label.dedup();
        let reader = Reader { chain, nobody, wraps, rules, sheet, done: *done };
        let mut found = Vec::new();
        let mut had_marks = false;
        for group in by_label.chunk_by(|one, other| one.0 == other.0).filter(|group| group.len() > 1) {
            let ends: Vec<u32> = group.iter().map(|(_, end)| *end).collect();
            found.extend(parts(&reader, &ends));
            had_marks |= sheet.marks.has(group[0].0);
        }
        if found.is_empty() {
            return;
        }
        let sheet = &mut sheets[layer as usize];
        for part in &found {
            sheet.partition.split(part);
        }
        if had_marks {
            self.mark_all(layer);
        }
    }

    /// Builds some clusters anew, with all that quarantined edges tie to them, in chain order.
    fn build_anew<C: Coins + ?Sized>(&mut self, chain: &Chain<'_, C>, layer: Layer, labels: &[u32]) {
        let done = self.done;
        let sheet = &mut self.sheets[layer as usize];
        let mut members: Vec<u32> = Vec::new();
        for label in sheet.closure(labels) {
            members.extend(sheet.partition.circle(label));
        }
        let within: FxHashSet<u32> = members.iter().copied().collect();
        sheet.quarantine.retain(|_, held| !held.ends.iter().any(|end| within.contains(end)));
        sheet.partition.scatter(&members);
        self.mark_all(layer);
        let evidence = evidence_of(chain, &self.wraps, &members, layer, done);
        let Self { sheets, wraps, rules, .. } = self;
        let nobody = Nobody::of(chain.coins);
        let mut payment = Payment::default();
        let mut open = sheets[layer as usize].open(false);
        for (seq, younger) in evidence {
            if let Some(younger) = younger {
                open.take_wrap(rules, wraps.of_younger(younger).expect("it was found by it"));
                continue;
            }
            payment.read(chain, &nobody, Seq(seq));
            // Others' payments are only here since a member was paid.
            if payment.payers.first().is_some_and(|payer| within.contains(payer)) {
                open.take(rules, seq, &payment);
            }
        }
    }
}

/// All that may tie some holders, in the order in which it is taken: transactions, each after the wraps of the holders
/// that appear in it.
fn evidence_of<C: Coins + ?Sized>(
    chain: &Chain<'_, C>,
    wraps: &Wraps,
    members: &[u32],
    layer: Layer,
    done: u64,
) -> Vec<(u64, Option<u32>)> {
    let mut wrapped: Vec<(u64, u32)> =
        members.iter().filter_map(|member| wraps.of_younger(*member)).map(|wrap| (wrap.seq, wrap.younger)).collect();
    wrapped.sort_unstable();
    let mut transactions: Vec<u64> = Vec::new();
    for member in members {
        let mut purse = chain.coins.last_purse(HolderId(u64::from(*member)));
        while let Some(here) = purse {
            transactions.extend(chain.coins.spent_by(here).map(|seq| seq.0));
            if layer == Layer::Change {
                transactions.extend(chain.coins.made_by(here).map(|seq| seq.0));
            }
            purse = chain.coins.purse_before(here);
        }
    }
    transactions.sort_unstable();
    transactions.dedup();
    transactions.truncate(transactions.partition_point(|seq| *seq < done));
    let mut evidence: Vec<(u64, Option<u32>)> =
        wrapped.into_iter().map(|(seq, younger)| (seq, Some(younger))).collect();
    evidence.extend(transactions.into_iter().map(|seq| (seq, None)));
    // Stable, so that wraps stay before their transaction.
    evidence.sort_by_key(|(seq, _)| *seq);
    evidence
}
