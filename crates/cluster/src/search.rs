//! Whom a holder is tied to, read from the chain a little at a time: [`Reader`] says what a transaction ties on a
//! layer, [`Walk`] goes on from holders output by output (a hub has half a million of them and must not be expanded
//! whole), and [`parts`] finds what falls apart when evidence is gone.

use std::collections::VecDeque;

use ledger::{Coins, HolderId, PurseId, Seq};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::evidence::{Chain, Payment};
use crate::keys::Nobody;
use crate::sheet::Sheet;
use crate::wraps::Wraps;
use crate::{Active, Edge, Heuristic};

/// What stands of a chain's evidence on one layer.
pub(crate) struct Reader<'a, C: ?Sized> {
    pub chain: &'a Chain<'a, C>,
    pub nobody: &'a Nobody,
    pub wraps: &'a Wraps,
    pub rules: &'a Active,
    pub sheet: &'a Sheet,
    /// Transactions from here on do not count.
    pub done: u64,
}

impl<C: Coins + ?Sized> Reader<'_, C> {
    fn stands(&self, edge: Edge) -> bool {
        self.sheet.layer.has(edge.heuristic())
            && !self.rules.is_off(edge)
            && (self.sheet.quarantine.is_empty() || !self.sheet.quarantine.contains_key(&edge))
    }

    /// Reads whom a transaction ties: all ends of the payment. `false` where it ties nobody.
    pub fn ties(&self, seq: Seq, payment: &mut Payment) -> bool {
        payment.read(self.chain, self.nobody, seq);
        if payment.co_spends() && !self.stands(Edge::CoSpend(seq)) {
            return false;
        }
        payment.change = payment.change.filter(|_| self.stands(Edge::Change(seq)));
        payment.payers.len() + usize::from(payment.change.is_some()) > 1
    }

    /// The output that a transaction's verdict calls change.
    fn change_of(&self, seq: Seq) -> Option<PurseId> {
        let verdict = self.chain.verdicts.verdict(seq);
        let change = verdict.change.filter(|_| verdict.joins_inputs())?;
        let mut made = Vec::new();
        self.chain.coins.made(seq, &mut made);
        made.get(usize::from(change.output)).map(|coin| coin.purse)
    }

    fn wrapped(&self, holder: u32, mut reach: impl FnMut(u32, Edge)) {
        let edge = |younger: u32| Edge::Wrap(HolderId(u64::from(younger)));
        if let Some(wrap) = self.wraps.of_younger(holder).filter(|_| self.stands(edge(holder))) {
            reach(wrap.oldest, edge(holder));
        }
        for younger in self.wraps.of_oldest(holder) {
            if self.stands(edge(*younger)) {
                reach(*younger, edge(*younger));
            }
        }
    }
}

/// What walks of one search share: which transactions were seen, and which outputs are change.
#[derive(Default)]
pub(crate) struct Seen {
    transactions: FxHashSet<u64>,
    changes: FxHashMap<u64, Option<PurseId>>,
    payment: Payment,
}

/// A walk from some holders over all that they are tied to. It can be left and taken up at any output.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    waiting: VecDeque<u32>,
    /// Where it is: a holder and the next of its outputs; more than one after walks have joined.
    at: Vec<(u32, PurseId)>,
}

impl Walk {
    pub fn push(&mut self, holder: u32) {
        self.waiting.push_back(holder);
    }

    pub fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.at.is_empty()
    }

    /// Looks at one output. `reach` gets each holder that it leads to, from which one, by which edge; a transaction
    /// that was seen before leads nowhere.
    pub fn step<C: Coins + ?Sized>(
        &mut self,
        reader: &Reader<'_, C>,
        seen: &mut Seen,
        mut reach: impl FnMut(u32, u32, Edge),
    ) {
        let coins = reader.chain.coins;
        let Some((holder, purse)) = self.at.pop() else {
            if let Some(holder) = self.waiting.pop_front() {
                reader.wrapped(holder, |other, edge| reach(holder, other, edge));
                self.at.extend(coins.last_purse(HolderId(u64::from(holder))).map(|purse| (holder, purse)));
            }
            return;
        };
        self.at.extend(coins.purse_before(purse).map(|before| (holder, before)));
        if let Some(seq) = coins.spent_by(purse).filter(|seq| seq.0 < reader.done) {
            seen.visit(reader, holder, seq, &mut reach);
        }
        if reader.sheet.layer.has(Heuristic::Change)
            && let Some(seq) = coins.made_by(purse).filter(|seq| seq.0 < reader.done)
        {
            let change = *seen.changes.entry(seq.0).or_insert_with(|| reader.change_of(seq));
            if change == Some(purse) {
                seen.visit(reader, holder, seq, &mut reach);
            }
        }
    }
}

impl Seen {
    fn visit<C: Coins + ?Sized>(
        &mut self,
        reader: &Reader<'_, C>,
        holder: u32,
        seq: Seq,
        reach: &mut impl FnMut(u32, u32, Edge),
    ) {
        if self.transactions.contains(&seq.0) {
            return;
        }
        if !reader.ties(seq, &mut self.payment) {
            self.transactions.insert(seq.0);
            return;
        }
        let pays = self.payment.payers.binary_search(&holder).is_ok();
        if !pays && self.payment.change != Some(holder) {
            return;
        }
        self.transactions.insert(seq.0);
        for payer in self.payment.payers.iter().filter(|payer| **payer != holder) {
            reach(holder, *payer, if pays { Edge::CoSpend(seq) } else { Edge::Change(seq) });
        }
        if let Some(change) = self.payment.change.filter(|change| *change != holder) {
            reach(holder, change, Edge::Change(seq));
        }
    }
}

/// Walks from several holders of one cluster that may have come apart: all but one of its parts.
///
/// Each part holds one of the holders at least. The walks take turns, output by output; walks that meet become one; a
/// walk that has nowhere left to go has found a part. When only one is under way, it holds the rest, which nobody needs to
/// walk. So the work is that of the smaller parts.
pub(crate) fn parts<C: Coins + ?Sized>(reader: &Reader<'_, C>, ends: &[u32]) -> Vec<Vec<HolderId>> {
    let mut search = Search::new(ends);
    let mut seen = Seen::default();
    let mut parts = Vec::new();
    let mut under_way: Vec<usize> = (0..ends.len()).collect();
    while search.under_way > 1 {
        let mut place = 0;
        while place < under_way.len() && search.under_way > 1 {
            let own = under_way[place];
            if search.leader[own] != own {
                under_way.swap_remove(place);
            } else if search.walks[own].is_done() {
                under_way.swap_remove(place);
                search.under_way -= 1;
                let found = std::mem::take(&mut search.found[own]);
                parts.push(found.into_iter().map(|holder| HolderId(u64::from(holder))).collect());
            } else {
                search.step(reader, &mut seen, own);
                place += 1;
            }
        }
    }
    parts
}

/// Walks that take turns and join where they meet.
struct Search {
    walks: Vec<Walk>,
    found: Vec<Vec<u32>>,
    /// The walk that each was joined into; itself while it is its own.
    leader: Vec<usize>,
    /// Which walk found a holder first.
    finder: FxHashMap<u32, usize>,
    /// How many are neither joined into another nor done.
    under_way: usize,
    reached: Vec<u32>,
}

impl Search {
    fn new(ends: &[u32]) -> Self {
        let walk = |end: &u32| Walk { waiting: VecDeque::from([*end]), at: Vec::new() };
        Self {
            walks: ends.iter().map(walk).collect(),
            found: ends.iter().map(|end| vec![*end]).collect(),
            leader: (0..ends.len()).collect(),
            finder: ends.iter().copied().zip(0..).collect(),
            under_way: ends.len(),
            reached: Vec::new(),
        }
    }

    fn leader(&mut self, mut walk: usize) -> usize {
        while self.leader[walk] != walk {
            self.leader[walk] = self.leader[self.leader[walk]];
            walk = self.leader[walk];
        }
        walk
    }

    fn step<C: Coins + ?Sized>(&mut self, reader: &Reader<'_, C>, seen: &mut Seen, own: usize) {
        let mut reached = std::mem::take(&mut self.reached);
        self.walks[own].step(reader, seen, |_, holder, _| reached.push(holder));
        let mut own = own;
        for holder in reached.drain(..) {
            match self.finder.get(&holder).copied() {
                None => {
                    self.finder.insert(holder, own);
                    self.found[own].push(holder);
                    self.walks[own].push(holder);
                }
                Some(finder) => {
                    let other = self.leader(finder);
                    own = self.join(own, other);
                }
            }
        }
        self.reached = reached;
    }

    /// Makes one walk of two; gives the one that goes on.
    fn join(&mut self, one: usize, other: usize) -> usize {
        if one == other {
            return one;
        }
        let (stays, goes) = if self.found[one].len() >= self.found[other].len() { (one, other) } else { (other, one) };
        self.leader[goes] = stays;
        self.under_way -= 1;
        let mut walk = std::mem::take(&mut self.walks[goes]);
        self.walks[stays].at.append(&mut walk.at);
        self.walks[stays].waiting.append(&mut walk.waiting);
        let mut found = std::mem::take(&mut self.found[goes]);
        self.found[stays].append(&mut found);
        stays
    }
}
