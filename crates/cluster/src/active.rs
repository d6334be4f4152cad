//! [`Active`]: what rulings come to, in a ledger's own numbers: which edges are off, and who must stay apart.

use ledger::HolderId;
use rustc_hash::FxHashSet;

use crate::partition::narrow;
use crate::{Edge, Heuristic};

/// Which edges do not count, and which holders must not share a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Active {
    /// Heuristics that are off altogether, in the order of [`Heuristic::ALL`].
    off: [bool; 3],
    /// Edges that stand otherwise than their heuristic.
    except: FxHashSet<Edge>,
    /// Pairs that must stay apart, the older first, in the order in which they were ruled.
    apart: Vec<(u32, u32)>,
}

impl Active {
    /// Whether an edge is off.
    #[inline]
    pub fn is_off(&self, edge: Edge) -> bool {
        self.off[edge.heuristic() as usize] != (!self.except.is_empty() && self.except.contains(&edge))
    }

    /// Takes an edge off, or puts it back.
    pub fn set(&mut self, edge: Edge, off: bool) {
        if self.off[edge.heuristic() as usize] == off {
            self.except.remove(&edge);
        } else {
            self.except.insert(edge);
        }
    }

    /// Takes all edges of a heuristic off, or puts them back.
    pub fn set_all(&mut self, heuristic: Heuristic, off: bool) {
        self.off[heuristic as usize] = off;
        self.except.retain(|edge| edge.heuristic() != heuristic);
    }

    /// Rules that two holders must not share a cluster, or that they may.
    pub fn set_apart(&mut self, one: HolderId, other: HolderId, apart: bool) {
        let pair = (narrow(one.min(other)), narrow(one.max(other)));
        self.apart.retain(|known| *known != pair);
        if apart && pair.0 != pair.1 {
            self.apart.push(pair);
        }
    }

    /// The pairs that must stay apart.
    pub(crate) fn apart(&self) -> &[(u32, u32)] {
        &self.apart
    }

    pub(crate) fn take_apart(&mut self, other: &Self) {
        self.apart.clone_from(&other.apart);
    }

    /// Whether they differ in whole heuristics.
    pub(crate) fn differs_at_large(&self, other: &Self) -> bool {
        self.off != other.off
    }

    /// The edges that are on in one and off in the other, where no whole heuristic differs.
    pub(crate) fn differences(&self, other: &Self) -> Vec<Edge> {
        let mut edges: Vec<Edge> = self.except.symmetric_difference(&other.except).copied().collect();
        edges.sort_unstable();
        edges
    }

    /// Forgets what stands on transactions and holders that are no longer there.
    pub(crate) fn forget_from(&mut self, seq: u64, holders: u32) {
        self.except.retain(|edge| match edge {
            Edge::Wrap(holder) => holder.0 < u64::from(holders),
            Edge::CoSpend(at) | Edge::Change(at) => at.0 < seq,
        });
        self.apart.retain(|(_, younger)| *younger < holders);
    }
}
