//! The envelope: what holds whichever policy one picks.
//!
//! Any policy that loses nothing, respects time and never moves more than is there is a flow in the time-expanded
//! network of the loot's cone: purses cut at each payment, an edge for each movement (at most its amount) and one for
//! what stays (at most the balance left). The most that a terminal can hold under any such policy is a maximum flow,
//! the least is the loot less the maximum flow to all others (TRACING rules, "Time-respecting paths, max-flow").
//!
//! The cone is where poison goes. Bounds are in units of the stolen asset; behind a swap the units are others and no
//! movement limits the origin any more, so bounds there are wide but still hold.

use std::collections::BTreeMap;

use ledger::{AssetId, End, Ledger, PurseId, Seq};
use money::Amount;
use rustc_hash::FxHashMap;

use crate::flow::{Edge, Observer, Step};
use crate::forward::forward;
use crate::label::{LabelId, Seed};
use crate::network::{Draft, Node, UNLIMITED};
use crate::outcome::{TerminalKey, TerminalKind};
use crate::policy::Policy;
use crate::settings::Settings;

/// The least and the most of a loot that a terminal holds under any policy, in units of the stolen asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// At least this much.
    pub low: Amount,
    /// At most this much.
    pub high: Amount,
}

/// Bounds by terminal, and the size of the network that they come from.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    /// One entry per terminal that any policy can reach; what is not here is `[0, 0]`.
    pub bounds: BTreeMap<TerminalKey, Bounds>,
    /// Edges of the time-expanded network.
    pub edges: usize,
}

/// The envelope of one loot. All `seeds` must bear the label `label`; the settings' share floor must be unset, since a
/// share is a policy's answer and bounds are to hold without one.
pub fn envelope<L: Ledger + ?Sized>(ledger: &L, seeds: &[Seed], label: LabelId, settings: &Settings) -> Envelope {
    let mut seeds: Vec<Seed> = seeds.iter().filter(|seed| seed.label == label).copied().collect();
    seeds.sort_unstable();
    let Some(first) = seeds.first() else { return Envelope::default() };
    let mut builder = Builder {
        asset: ledger.purse(first.purse).asset,
        seeds: &seeds,
        draft: Draft::default(),
        purses: FxHashMap::default(),
        pots: FxHashMap::default(),
        ends: BTreeMap::new(),
        open: seeds.iter().map(|seed| seed.amount).collect(),
        again: Vec::new(),
    };
    let settings = Settings { share_floor: None, ..settings.clone() };
    let outcome = forward(ledger, &seeds, Policy::Poison, &settings, &mut builder);
    for terminal in outcome.terminals.iter().filter(|terminal| terminal.kind == TerminalKind::Balance) {
        if let Some(node) = terminal.purse.and_then(|purse| builder.purses.get(&purse)) {
            builder.ends.insert(terminal.key(), *node);
        }
    }
    let Builder { mut draft, ends, again, .. } = builder;
    for node in ends.values().chain(&again) {
        draft.terminal(*node);
    }
    let edges = draft.edges();
    let bounds = draft.bounds();
    let bounds = ends
        .into_keys()
        .zip(bounds)
        .map(|(key, (low, high))| (key, Bounds { low: Amount::new(low), high: Amount::new(high) }));
    Envelope { bounds: bounds.collect(), edges }
}

/// Draws the network while poison walks the cone.
struct Builder<'a> {
    asset: AssetId,
    seeds: &'a [Seed],
    draft: Draft,
    /// Each purse between two of its payments.
    purses: FxHashMap<PurseId, Node>,
    /// The pot of a UTXO transaction, or the inside of a swap.
    pots: FxHashMap<Seq, Node>,
    ends: BTreeMap<TerminalKey, Node>,
    /// How much of each seed has not been met yet.
    open: Vec<Amount>,
    /// Where loot goes that is stolen again: it counts once.
    again: Vec<Node>,
}

impl Builder<'_> {
    /// A limit in units of the stolen asset; movements of other assets have none.
    fn limit(&self, asset: AssetId, amount: Amount) -> u128 {
        if asset == self.asset { amount.units() } else { UNLIMITED }
    }

    fn purse(&mut self, purse: PurseId) -> Node {
        let draft = &mut self.draft;
        *self.purses.entry(purse).or_insert_with(|| draft.node())
    }

    fn pot(&mut self, seq: Seq) -> Node {
        let draft = &mut self.draft;
        *self.pots.entry(seq).or_insert_with(|| draft.node())
    }

    /// Where a movement comes from; a paying purse is cut: what stays is a new node behind an edge.
    fn source(&mut self, edge: &Edge<'_>) -> Option<Node> {
        match (edge.step, edge.payer) {
            (Step::Swap, _) | (_, End::Pot) => Some(self.pot(edge.seq)),
            (_, End::Purse(purse)) => self.purses.get(&purse).copied(),
            _ => None,
        }
    }

    fn target(&mut self, edge: &Edge<'_>) -> Node {
        if let Some((kind, reason)) = edge.end {
            let label = edge.portions[0].label;
            let key = TerminalKey { label, kind, reason, purse: edge.payee.purse(), asset: edge.asset };
            let draft = &mut self.draft;
            return *self.ends.entry(key).or_insert_with(|| draft.node());
        }
        match edge.payee {
            End::Purse(purse) if edge.step != Step::Exchange => self.purse(purse),
            _ => self.pot(edge.seq),
        }
    }

    /// How much loot enters with this movement, by its seeds: of its leg, or of its payee where legs are netted.
    fn stolen(&mut self, edge: &Edge<'_>) -> Amount {
        let mut stolen = Amount::ZERO;
        let first = self.seeds.partition_point(|seed| seed.seq < edge.seq);
        let here = self.seeds[first..].iter().zip(&mut self.open[first..]).take_while(|(seed, _)| seed.seq == edge.seq);
        for (seed, open) in here {
            let is_its = edge.leg.is_none_or(|leg| leg == seed.leg);
            if is_its && edge.payee == End::Purse(seed.purse) {
                let here = (*open).min(edge.amount.saturating_sub(stolen));
                *open -= here;
                stolen += here;
            }
        }
        stolen
    }

    /// A movement part of which is stolen by it. What comes with the movement may take the rest of it; as much of it as
    /// is stolen again is loot already, and lies nowhere twice.
    fn enter(&mut self, edge: &Edge<'_>, source: Option<Node>, stolen: Amount) {
        let target = self.target(edge);
        if let Some(source) = source {
            let rest = edge.amount.saturating_sub(stolen);
            let (arriving, again) = (self.draft.node(), self.draft.node());
            self.draft.edge(source, arriving, self.limit(edge.asset, edge.amount));
            self.draft.edge(arriving, target, self.limit(edge.asset, rest));
            self.draft.edge(arriving, again, self.limit(edge.asset, stolen));
            self.again.push(again);
        }
        self.draft.feed(target, stolen.units());
    }
}

impl Observer for Builder<'_> {
    const WATCHES: bool = true;

    fn edge(&mut self, edge: &Edge<'_>) {
        let limit = self.limit(edge.asset, edge.amount);
        let source = self.source(edge);
        let stolen = self.stolen(edge);
        if !stolen.is_zero() {
            self.enter(edge, source, stolen);
        } else if let Some(source) = source {
            let target = self.target(edge);
            self.draft.edge(source, target, limit);
        }
        if let (End::Purse(purse), Some(source)) = (edge.payer, source)
            && !matches!(edge.step, Step::Input | Step::Swap)
        {
            let left = edge.before.saturating_sub(edge.amount);
            if left.is_zero() {
                self.purses.remove(&purse);
            } else {
                let stays = self.draft.node();
                self.draft.edge(source, stays, self.limit(edge.asset, left));
                self.purses.insert(purse, stays);
            }
        }
    }
}
