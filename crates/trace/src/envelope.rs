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
use rustc_hash::{FxHashMap, FxHashSet};

use crate::crossing::{Arrival, BILLION, Crossing, Sent, Way};
use crate::flow::{Edge, Observer, Step};
use crate::label::{LabelId, Seed};
use crate::network::{Draft, Node, UNLIMITED};
use crate::outcome::{Reason, TerminalKey, TerminalKind};
use crate::policy::Policy;
use crate::settings::Settings;
use crate::together::{Ground, Territory, forward_over};

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
    let territory = Territory { ground: Ground::<L, L>::Account(ledger), seeds, settings };
    envelope_over(&[territory], &[], label).pop().unwrap_or_default()
}

/// The envelopes of one loot over several ledgers, one a ledger. A way with a probability below one may be taken or not;
/// one with a probability of one must.
pub fn envelope_over<U: Ledger + ?Sized, A: Ledger + ?Sized>(
    territories: &[Territory<'_, U, A>],
    crossings: &[Crossing],
    label: LabelId,
) -> Vec<Envelope> {
    let none = || territories.iter().map(|_| Envelope::default()).collect();
    let own = |seeds: &[Seed]| -> Vec<Seed> {
        let mut own: Vec<Seed> = seeds.iter().filter(|seed| seed.label == label).copied().collect();
        own.sort_unstable();
        own
    };
    let seeds: Vec<Vec<Seed>> = territories.iter().map(|territory| own(territory.seeds)).collect();
    let Some(home) = seeds.iter().position(|seeds| !seeds.is_empty()) else { return none() };
    let settings: Vec<Settings> =
        territories.iter().map(|territory| Settings { share_floor: None, ..territory.settings.clone() }).collect();
    let alone: Vec<Territory<'_, U, A>> = territories
        .iter()
        .zip(&seeds)
        .zip(&settings)
        .map(|((territory, seeds), settings)| Territory { ground: territory.ground.again(), seeds, settings })
        .collect();
    let mut builder = Builder {
        asset: (home, alone[home].ground.asset_of(seeds[home][0].purse)),
        loot: seeds.iter().flatten().map(|seed| seed.amount).sum(),
        at: 0,
        asset_of: |ledger: usize, purse| alone[ledger].ground.asset_of(purse),
        seeds: &seeds,
        draft: Draft::default(),
        purses: FxHashMap::default(),
        pots: FxHashMap::default(),
        gates: FxHashMap::default(),
        arrivals: FxHashMap::default(),
        landing: Vec::new(),
        changed: FxHashSet::default(),
        ends: BTreeMap::new(),
        label,
        open: seeds.iter().map(|seeds| seeds.iter().map(|seed| seed.amount).collect()).collect(),
        again: Vec::new(),
    };
    let journey = forward_over(&alone, crossings, Policy::Poison, &mut builder);
    for (ledger, outcome) in journey.outcomes.iter().enumerate() {
        for terminal in outcome.terminals.iter().filter(|terminal| terminal.kind == TerminalKind::Balance) {
            if let Some(node) = terminal.purse.and_then(|purse| builder.purses.get(&(ledger, purse))) {
                builder.ends.insert((ledger, terminal.key()), *node);
            }
        }
    }
    let Builder { mut draft, ends, again, .. } = builder;
    for node in ends.values().chain(&again) {
        draft.terminal(*node);
    }
    let bounds = draft.bounds();
    let mut envelopes: Vec<Envelope> = none();
    for envelope in &mut envelopes {
        envelope.edges = draft.edges();
    }
    for ((ledger, key), (low, high)) in ends.into_keys().zip(bounds) {
        let bounds = Bounds { low: Amount::new(low), high: Amount::new(high) };
        envelopes[ledger].bounds.insert(key, bounds);
    }
    envelopes
}

/// Draws the network while poison walks the cone.
struct Builder<'a, F> {
    /// The stolen asset, and on which ledger.
    asset: (usize, AssetId),
    loot: Amount,
    label: LabelId,
    /// Which ledger movements are told of.
    at: usize,
    asset_of: F,
    seeds: &'a [Vec<Seed>],
    draft: Draft,
    /// Each purse between two of its payments.
    purses: FxHashMap<(usize, PurseId), Node>,
    /// The pot of a UTXO transaction, or the inside of a swap.
    pots: FxHashMap<(usize, Seq), Node>,
    /// What departs from a payee in a transaction.
    gates: FxHashMap<(usize, Seq, End, AssetId), Node>,
    /// What arrives for a purse in a transaction, and the fees that bridges may keep of it.
    arrivals: FxHashMap<(usize, Seq, PurseId), (Node, Fees)>,
    /// What comes in with the movement that is told next.
    landing: Vec<(Node, PurseId)>,
    /// Where loot may be that was something else in between: its amount says nothing of its origin.
    changed: FxHashSet<Node>,
    ends: BTreeMap<(usize, TerminalKey), Node>,
    /// How much of each seed has not been met yet.
    open: Vec<Vec<Amount>>,
    /// Where loot goes that is stolen again: it counts once.
    again: Vec<Node>,
}

/// Where fees go, and how much at most.
type Fees = Vec<(Node, u128)>;

/// A part of an amount, never too little: limits must let through whatever rounding lets through.
fn part_above(amount: Amount, part: u128, whole: u128) -> Amount {
    if part >= whole { amount } else { amount.share(Amount::new(part), Amount::new(whole)) + Amount::new(1) }
}

impl<F: Fn(usize, PurseId) -> AssetId> Builder<'_, F> {
    /// A limit in units of the stolen asset; movements of other assets have none, nor has what came back from others.
    fn limit(&self, from: Node, asset: AssetId, amount: Amount) -> u128 {
        let is_stolen = (self.at, asset) == self.asset && !self.changed.contains(&from);
        if is_stolen { amount.units() } else { UNLIMITED }
    }

    fn draw(&mut self, from: Node, to: Node, most: u128) {
        self.draft.edge(from, to, most);
        if !self.changed.is_empty() && self.changed.contains(&from) {
            self.changed.insert(to);
        }
    }

    fn purse(&mut self, purse: PurseId) -> Node {
        let draft = &mut self.draft;
        *self.purses.entry((self.at, purse)).or_insert_with(|| draft.node())
    }

    fn pot(&mut self, seq: Seq) -> Node {
        let draft = &mut self.draft;
        *self.pots.entry((self.at, seq)).or_insert_with(|| draft.node())
    }

    fn end(&mut self, ledger: usize, end: (TerminalKind, Reason), purse: Option<PurseId>, asset: AssetId) -> Node {
        let key = TerminalKey { label: self.label, kind: end.0, reason: end.1, purse, asset };
        let draft = &mut self.draft;
        *self.ends.entry((ledger, key)).or_insert_with(|| draft.node())
    }

    /// Where a movement comes from; a paying purse is cut: what stays is a new node behind an edge.
    fn source(&mut self, edge: &Edge<'_>) -> Option<Node> {
        match (edge.step, edge.payer) {
            (Step::Swap, _) | (_, End::Pot) => Some(self.pot(edge.seq)),
            (_, End::Purse(purse)) => self.purses.get(&(self.at, purse)).copied(),
            _ => None,
        }
    }

    fn target(&mut self, edge: &Edge<'_>) -> Node {
        if edge.departs {
            let draft = &mut self.draft;
            let gate = (self.at, edge.seq, edge.payee, edge.asset);
            return *self.gates.entry(gate).or_insert_with(|| draft.node());
        }
        if let Some(end) = edge.end {
            return self.end(self.at, end, edge.payee.purse(), edge.asset);
        }
        match edge.payee {
            End::Purse(purse) if edge.step != Step::Exchange => self.purse(purse),
            _ => self.pot(edge.seq),
        }
    }

    /// What arrived over crossings comes in with a movement. Where that is loot already, there may be no room for it.
    fn come_in(&mut self, edge: &Edge<'_>, is_loot: bool) {
        for (node, purse) in std::mem::take(&mut self.landing) {
            let target = self.target(edge);
            self.draw(node, target, UNLIMITED);
            if is_loot {
                self.no_room(node, purse);
            }
        }
    }

    fn no_room(&mut self, node: Node, purse: PurseId) {
        let asset = (self.asset_of)(self.at, purse);
        let end = self.end(self.at, (TerminalKind::Bridge, Reason::NoRoom), Some(purse), asset);
        self.draft.edge(node, end, UNLIMITED);
    }

    /// One way over from a gate: at most its share of what departed there.
    fn way(&mut self, gate: Node, sent: &Sent<'_>, way: &Way) {
        let most = part_above(sent.amount, u128::from(way.to.share), u128::from(BILLION));
        let most = self.limit(gate, sent.asset, most);
        if !way.is_out {
            let end = self.end(self.at, (TerminalKind::Bridge, Reason::InTransit), sent.payee.purse(), sent.asset);
            self.draft.edge(gate, end, most);
            return;
        }
        let Arrival { ledger, seq, purse, amount, gross, .. } = way.to;
        let draft = &mut self.draft;
        let arrival = self.arrivals.entry((ledger, seq, purse)).or_insert_with(|| (draft.node(), Vec::new()));
        self.changed.insert(arrival.0);
        self.draft.edge(gate, arrival.0, most);
        if let Some(gross) = gross.filter(|gross| *gross > amount) {
            let fee = part_above(self.loot, (gross - amount).units(), gross.units());
            let asset = (self.asset_of)(ledger, purse);
            let end = self.end(ledger, (TerminalKind::Fee, Reason::BridgeFee), None, asset);
            let arrival = self.arrivals.get_mut(&(ledger, seq, purse)).expect("it was made above");
            arrival.1.push((end, fee.units()));
        }
    }

    /// What arrived for a purse. Edges out of it are drawn when it arrives, since all that lead to it are known by then.
    fn arrived(&mut self, seq: Seq, purse: PurseId) -> Option<Node> {
        let (node, fees) = self.arrivals.get_mut(&(self.at, seq, purse))?;
        for (end, most) in fees.drain(..) {
            self.draft.edge(*node, end, most);
        }
        Some(*node)
    }

    /// How much loot enters with this movement, by its seeds: of its leg, or of its payee where legs are netted.
    fn stolen(&mut self, edge: &Edge<'_>) -> Amount {
        let mut stolen = Amount::ZERO;
        let (seeds, open) = (&self.seeds[self.at], &mut self.open[self.at]);
        let first = seeds.partition_point(|seed| seed.seq < edge.seq);
        let here = seeds[first..].iter().zip(&mut open[first..]).take_while(|(seed, _)| seed.seq == edge.seq);
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
            self.draw(source, arriving, self.limit(source, edge.asset, edge.amount));
            self.draw(arriving, target, self.limit(source, edge.asset, rest));
            self.draw(arriving, again, self.limit(source, edge.asset, stolen));
            self.again.push(again);
        }
        self.draft.feed(target, stolen.units());
    }
}

impl<F: Fn(usize, PurseId) -> AssetId> Observer for Builder<'_, F> {
    const WATCHES: bool = true;

    fn on(&mut self, ledger: usize) {
        self.at = ledger;
    }

    fn sent(&mut self, sent: &Sent<'_>) {
        let key = (self.at, sent.seq, sent.payee, sent.asset);
        let Some(gate) = self.gates.get(&key).copied() else { return };
        let mut certain = 0u128;
        for way in sent.ways {
            self.way(gate, sent, way);
            certain += if way.to.probability >= BILLION { u128::from(way.to.share) } else { 0 };
        }
        for away in sent.away {
            let most = part_above(sent.amount, u128::from(away.share), u128::from(BILLION));
            let end = self.end(self.at, (sent.end.0, away.reason), sent.payee.purse(), sent.asset);
            self.draft.edge(gate, end, self.limit(gate, sent.asset, most));
            certain += if away.probability >= BILLION { u128::from(away.share) } else { 0 };
        }
        if certain < u128::from(BILLION) && !sent.amount.is_zero() {
            let rest = part_above(sent.amount, u128::from(BILLION) - certain, u128::from(BILLION));
            let end = self.end(self.at, sent.end, sent.payee.purse(), sent.asset);
            self.draft.edge(gate, end, self.limit(gate, sent.asset, rest));
        }
    }

    fn landed(&mut self, seq: Seq, purse: PurseId) {
        if let Some(node) = self.arrived(seq, purse) {
            self.landing.push((node, purse));
        }
    }

    fn stranded(&mut self, seq: Seq, purse: PurseId) {
        if let Some(node) = self.arrived(seq, purse) {
            self.no_room(node, purse);
        }
    }

    fn edge(&mut self, edge: &Edge<'_>) {
        let source = self.source(edge);
        let stolen = self.stolen(edge);
        if !self.landing.is_empty() {
            self.come_in(edge, source.is_some() || !stolen.is_zero());
        }
        if !stolen.is_zero() {
            self.enter(edge, source, stolen);
        } else if let Some(source) = source {
            let target = self.target(edge);
            self.draw(source, target, self.limit(source, edge.asset, edge.amount));
        }
        if edge.step == Step::Exchange {
            let inside = self.pot(edge.seq);
            self.changed.insert(inside);
        }
        if let (End::Purse(purse), Some(source)) = (edge.payer, source)
            && !matches!(edge.step, Step::Input | Step::Swap)
        {
            let left = edge.before.saturating_sub(edge.amount);
            if left.is_zero() {
                self.purses.remove(&(self.at, purse));
            } else {
                let stays = self.draft.node();
                self.draw(source, stays, self.limit(source, edge.asset, left));
                self.purses.insert((self.at, purse), stays);
            }
        }
    }
}
