//! Why two holders are in one cluster: the shortest way from one to the other over evidence that stands.

use ledger::{Coins, HolderId, Seq};
use rustc_hash::FxHashMap;

use crate::evidence::Chain;
use crate::keys::Nobody;
use crate::partition::{at, narrow};
use crate::search::{Reader, Seen, Walk};
use crate::{Clusters, Edge, Layer, Verdict};

/// How many outputs are looked at for one explanation.
pub const EXPLAIN_OUTPUTS_MAX: u64 = 5_000_000;

/// One step of an explanation: from a holder to another, and the evidence that ties the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Whence.
    pub from: HolderId,
    /// Where to.
    pub to: HolderId,
    /// Why.
    pub edge: Edge,
    /// The transaction that shows it; of a wrap, that in which the younger holder appears.
    pub seq: Seq,
    /// The verdict on that transaction; `None` for a wrap, which is mathematics.
    pub verdict: Option<Verdict>,
}

/// Why there is no explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unexplained {
    /// A holder that is not in the clusters (yet).
    Unknown(HolderId),
    /// The two are in different clusters of this layer.
    Apart,
    /// There is a way, and it was not found within so many outputs.
    TooFar(u64),
}

impl std::fmt::Display for Unexplained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(holder) => write!(f, "holder {} appears after the last block that is clustered", holder.0),
            Self::Apart => write!(f, "the two are in different clusters on this layer"),
            Self::TooFar(outputs) => {
                write!(f, "the two are in one cluster, but no way was found among the nearest {outputs} outputs")
            }
        }
    }
}

impl std::error::Error for Unexplained {}

/// One end's half of the search.
struct Half {
    /// How each holder was reached: its distance, and from whom by what; `None` at the end itself.
    reached: FxHashMap<u32, (u32, Option<(u32, Edge)>)>,
    frontier: Vec<u32>,
    seen: Seen,
    depth: u32,
}

impl Half {
    fn new(end: u32) -> Self {
        let reached = std::iter::once((end, (0, None))).collect();
        Self { reached, frontier: vec![end], seen: Seen::default(), depth: 0 }
    }

    /// Goes one step further in all directions; `false` when too many outputs were looked at.
    fn widen<C: Coins + ?Sized>(&mut self, reader: &Reader<'_, C>, left: &mut u64) -> bool {
        self.depth += 1;
        let mut walk = Walk::default();
        for holder in self.frontier.drain(..) {
            walk.push(holder);
        }
        let (reached, frontier, depth) = (&mut self.reached, &mut self.frontier, self.depth);
        while !walk.is_done() {
            let Some(less) = left.checked_sub(1) else { return false };
            *left = less;
            walk.step(reader, &mut self.seen, |from, to, edge| {
                reached.entry(to).or_insert_with(|| {
                    frontier.push(to);
                    (depth, Some((from, edge)))
                });
            });
        }
        true
    }

    /// From a holder back to this half's end.
    fn back(&self, mut holder: u32) -> Vec<(u32, u32, Edge)> {
        let mut steps = Vec::new();
        while let Some((_, Some((from, edge)))) = self.reached.get(&holder) {
            steps.push((*from, holder, *edge));
            holder = *from;
        }
        steps
    }
}

impl Clusters {
    /// The shortest way from one holder to another of its cluster on a layer; empty from a holder to itself.
    pub fn explain<C: Coins + ?Sized>(
        &self,
        chain: &Chain<'_, C>,
        one: HolderId,
        other: HolderId,
        layer: Layer,
    ) -> Result<Vec<Step>, Unexplained> {
        let sheet = &self.sheets[layer as usize];
        if let Some(unknown) = [one, other].into_iter().find(|holder| holder.0 >= sheet.partition.holders()) {
            return Err(Unexplained::Unknown(unknown));
        }
        let (one, other) = (narrow(one), narrow(other));
        if sheet.partition.label[at(one)] != sheet.partition.label[at(other)] {
            return Err(Unexplained::Apart);
        }
        if one == other {
            return Ok(Vec::new());
        }
        let nobody = Nobody::of(chain.coins);
        let (wraps, rules) = (&self.wraps, &self.rules);
        let reader = Reader { chain, nobody: &nobody, wraps, rules, sheet, done: self.done };
        let mut halves = [Half::new(one), Half::new(other)];
        let mut left = EXPLAIN_OUTPUTS_MAX;
        let meeting = loop {
            let narrower = usize::from(halves[1].frontier.len() < halves[0].frontier.len());
            if halves[narrower].frontier.is_empty() || !halves[narrower].widen(&reader, &mut left) {
                return Err(Unexplained::TooFar(EXPLAIN_OUTPUTS_MAX));
            }
            let far = &halves[1 - narrower].reached;
            // Each way that is now complete goes through this frontier.
            let met = halves[narrower].frontier.iter().filter_map(|holder| Some((far.get(holder)?.0, *holder)));
            if let Some((_, holder)) = met.min() {
                break holder;
            }
        };
        let mut way = halves[0].back(meeting);
        way.reverse();
        way.extend(halves[1].back(meeting).into_iter().map(|(from, to, edge)| (to, from, edge)));
        Ok(way.into_iter().map(|(from, to, edge)| self.step(chain, from, to, edge)).collect())
    }

    fn step<C: Coins + ?Sized>(&self, chain: &Chain<'_, C>, from: u32, to: u32, edge: Edge) -> Step {
        let (seq, verdict) = match edge {
            Edge::Wrap(younger) => (self.wraps.of(younger).map_or(Seq(0), |wrap| Seq(wrap.seq)), None),
            Edge::CoSpend(seq) | Edge::Change(seq) => (seq, Some(chain.verdicts.verdict(seq))),
        };
        Step { from: HolderId(u64::from(from)), to: HolderId(u64::from(to)), edge, seq, verdict }
    }
}
