//! What departs from a ledger over crossings, and what arrives on it: the ends that one pass has of them.
//!
//! Which crossing leads where, and in which order passes go on, is for [`crate::together`] to know. A pass collects what
//! is paid to a payee from which crossings depart, cut into their amounts in order, and lays what it is given into the
//! payments in which it arrives.

use ledger::{AssetId, End, Ledger, Leg, PurseId, Seq};
use money::Amount;
use rustc_hash::FxHashMap;

use crate::crossing::{Departure, Sent};
use crate::flow::Observer;
use crate::forward::{Movement, Pass, count_hop};
use crate::label::Portion;
use crate::outcome::{Reason, Terminal, TerminalKind, stop_terminal};
use crate::rule::{Parcel, Rule};

/// What a portion bears instead of the moment that it came, while it is between two ledgers: it has come from afar.
pub(crate) const ELSEWHERE: Seq = Seq(u64::MAX);

/// A crossing's part of what a payee gets in one transaction.
#[derive(Clone, Debug)]
struct Slot {
    crossing: usize,
    index: u32,
    amount: Amount,
    filled: Amount,
    parcel: Parcel,
}

/// A payee, in a transaction and an asset, from which crossings depart.
#[derive(Clone, Debug)]
struct Gate {
    payee: End,
    asset: AssetId,
    slots: Vec<Slot>,
    /// What no slot takes, and whether there was loot in anything that came.
    rest: Amount,
    has_loot: bool,
}

/// What is to arrive in a transaction for a purse.
#[derive(Clone, Debug)]
pub(crate) struct Landing<S> {
    purse: PurseId,
    /// The leg that it comes with, where one fits exactly.
    leg: Option<usize>,
    /// Whether the purse keeps nothing in this transaction: what arrives goes with what its payer pays.
    through: bool,
    left: Amount,
    content: S,
}

/// A crossing's departure that a pass has come by.
#[derive(Clone, Debug)]
pub(crate) struct Departed {
    pub crossing: usize,
    pub amount: Amount,
    pub parcel: Parcel,
    /// What becomes of that which does not go over.
    pub end: (TerminalKind, Reason),
}

/// The ends of crossings on one ledger.
#[derive(Clone, Debug)]
pub(crate) struct Bridges<S> {
    departures: FxHashMap<Seq, Vec<Gate>>,
    arrivals: FxHashMap<Seq, Vec<Landing<S>>>,
    // Those of the transaction that is visited.
    gates: Vec<Gate>,
    landings: Vec<Landing<S>>,
    departed: Vec<Departed>,
}

impl<S> Default for Bridges<S> {
    fn default() -> Self {
        Self {
            departures: FxHashMap::default(),
            arrivals: FxHashMap::default(),
            gates: Vec::new(),
            landings: Vec::new(),
            departed: Vec::new(),
        }
    }
}

impl<S> Bridges<S> {
    /// Whether there is anything to look for.
    pub(crate) fn any(&self) -> bool {
        !(self.departures.is_empty() && self.arrivals.is_empty() && self.gates.is_empty() && self.landings.is_empty())
    }

    /// Which gate of the transaction a payment goes into.
    pub(crate) fn gate(&self, payee: End, asset: AssetId) -> Option<usize> {
        if self.gates.is_empty() {
            return None;
        }
        self.gates.iter().position(|gate| gate.payee == payee && gate.asset == asset)
    }

    /// Adds a departure. To be done before the pass gets there.
    pub(crate) fn add_departure(&mut self, crossing: usize, from: &Departure) {
        let gates = self.departures.entry(from.seq).or_default();
        let is_same = |gate: &Gate| gate.payee == from.payee && gate.asset == from.asset;
        let at = gates.iter().position(is_same).unwrap_or_else(|| {
            let Departure { payee, asset, .. } = *from;
            gates.push(Gate { payee, asset, slots: Vec::new(), rest: Amount::ZERO, has_loot: false });
            gates.len() - 1
        });
        let slots = &mut gates[at].slots;
        let behind = slots.partition_point(|slot| (slot.index, slot.crossing) <= (from.index, crossing));
        let (amount, filled) = (from.amount, Amount::ZERO);
        slots.insert(behind, Slot { crossing, index: from.index, amount, filled, parcel: Parcel::default() });
    }

    /// What has departed since this was asked last.
    pub(crate) fn take_departed(&mut self) -> Vec<Departed> {
        std::mem::take(&mut self.departed)
    }
}

impl<L: Ledger + ?Sized, R: Rule> Pass<'_, L, R> {
    /// Lays out what arrives for a purse in a transaction that the pass has not come to yet.
    pub(crate) fn expect_arrival(&mut self, seq: Seq, purse: PurseId, amount: Amount, parcel: &Parcel) {
        let mut content = R::State::default();
        self.rule.in_order().deposit(&mut content, Amount::ZERO, parcel, ELSEWHERE);
        let landing = Landing { purse, leg: None, through: false, left: amount, content };
        self.bridges.arrivals.entry(seq).or_default().push(landing);
        self.queue.push(seq);
    }

    /// Begins a visit: which gates and landings are here.
    pub(crate) fn open_bridges(&mut self, seq: Seq, legs: &[Leg]) {
        self.bridges.gates = self.bridges.departures.remove(&seq).unwrap_or_default();
        self.bridges.landings = self.bridges.arrivals.remove(&seq).unwrap_or_default();
        for at in 0..self.bridges.landings.len() {
            let landing = &self.bridges.landings[at];
            let (payee, left) = (End::Purse(landing.purse), landing.left);
            let is_taken = |leg: usize| self.bridges.landings[..at].iter().any(|other| other.leg == Some(leg));
            let leg =
                (0..legs.len()).find(|leg| legs[*leg].payee == payee && legs[*leg].amount == left && !is_taken(*leg));
            self.bridges.landings[at].leg = leg;
        }
    }

    /// The legs of a netted transaction stand for nothing by themselves. A purse that is left with nothing there only
    /// passed on what arrived.
    pub(crate) fn landings_are_netted(&mut self, keeps: impl Fn(PurseId) -> bool) {
        for landing in &mut self.bridges.landings {
            landing.leg = None;
            landing.through = !keeps(landing.purse);
        }
    }

    /// Lays what arrives over crossings into a payment.
    pub(crate) fn land<O: Observer>(
        &mut self,
        seq: Seq,
        leg: Option<usize>,
        payee: End,
        moved: Amount,
        parcel: &mut Parcel,
        observer: &mut O,
    ) {
        if self.bridges.landings.is_empty() {
            return;
        }
        let Some(purse) = payee.purse() else { return };
        let fits = |landing: &Landing<R::State>| {
            landing.purse == purse && !landing.through && (landing.leg.is_none() || landing.leg == leg)
        };
        self.lay_in(seq, fits, moved, parcel, observer);
    }

    /// Lays what only passes through its payee into what was paid to it, where that is paid by somebody who carries no
    /// loot himself: a stop, or the outside.
    pub(crate) fn land_through<O: Observer>(
        &mut self,
        seq: Seq,
        (payer, asset): (End, AssetId),
        moved: Amount,
        parcel: &mut Parcel,
        observer: &mut O,
    ) {
        if self.bridges.landings.is_empty() {
            return;
        }
        let holder = |purse: PurseId| self.ledger.purse(purse).holder;
        let is_source = payer.purse().is_none_or(|purse| self.settings.stops.contains_key(&holder(purse)));
        if is_source {
            let ledger = self.ledger;
            let fits = |landing: &Landing<R::State>| landing.through && ledger.purse(landing.purse).asset == asset;
            self.lay_in(seq, fits, moved, parcel, observer);
        }
    }

    fn lay_in<O: Observer>(
        &mut self,
        seq: Seq,
        fits: impl Fn(&Landing<R::State>) -> bool,
        moved: Amount,
        parcel: &mut Parcel,
        observer: &mut O,
    ) {
        let mut base = Amount::ZERO;
        for at in 0..self.bridges.landings.len() {
            let landing = &mut self.bridges.landings[at];
            if !fits(landing) || R::is_clean(&landing.content) {
                continue;
            }
            let taken = landing.left.min(moved.saturating_sub(base));
            if taken.is_zero() && !landing.left.is_zero() {
                continue;
            }
            let mut slice = Parcel::default();
            self.rule.in_order().withdraw(&mut landing.content, landing.left, taken, &mut slice);
            landing.left -= taken;
            let purse = landing.purse;
            for portion in &mut slice.portions {
                portion.offset += base;
            }
            base += taken;
            if O::WATCHES {
                observer.landed(seq, purse);
            }
            let mut over = Vec::new();
            self.rule.join(parcel, moved, slice, &mut over);
            self.strand(seq, purse, &over, observer);
        }
    }

    /// Books what arrived and found no room.
    fn strand<O: Observer>(&mut self, seq: Seq, purse: PurseId, portions: &[Portion], observer: &mut O) {
        if portions.is_empty() {
            return;
        }
        if O::WATCHES {
            observer.stranded(seq, purse);
        }
        let asset = self.ledger.purse(purse).asset;
        for portion in portions {
            let stranded = Portion { since: seq, ..*portion };
            let end = (TerminalKind::Bridge, Reason::NoRoom);
            self.terminals.add(Terminal::of(end, Some(purse), asset, &stranded));
        }
    }

    /// A payment into a gate: cut into the amounts of its crossings, in order; the rest stays behind.
    pub(crate) fn depart<O: Observer>(
        &mut self,
        gate: usize,
        movement: &Movement,
        parcel: &mut Parcel,
        observer: &mut O,
    ) {
        let end = (self.stays_as(movement.payee), Reason::Unlinked);
        let has_loot = !parcel.is_empty();
        if has_loot {
            self.outcome.events += 1;
            count_hop(movement, parcel);
            if O::WATCHES {
                let edge = movement.edge(&self.held, &parcel.portions, None);
                observer.edge(&crate::flow::Edge { departs: true, ..edge });
            }
        }
        let rule = self.rule.in_order();
        let mut source = R::State::default();
        rule.deposit(&mut source, Amount::ZERO, parcel, movement.seq);
        let mut left = movement.amount;
        let mut slice = Parcel::default();
        let gate = &mut self.bridges.gates[gate];
        for slot in &mut gate.slots {
            let taken = left.min(slot.amount - slot.filled);
            if taken.is_zero() {
                continue;
            }
            slice.clear();
            if !R::is_clean(&source) {
                rule.withdraw(&mut source, left, taken, &mut slice);
            }
            for portion in &slice.portions {
                slot.parcel.portions.push(Portion {
                    offset: portion.offset + slot.filled,
                    since: ELSEWHERE,
                    ..*portion
                });
            }
            slot.parcel.dirty += slice.dirty;
            slot.filled += taken;
            left -= taken;
        }
        gate.rest += left;
        gate.has_loot |= has_loot;
        let mut rest = Vec::new();
        rule.content(&source, left, &mut rest);
        for portion in &rest {
            self.terminals.add(Terminal::of(end, movement.payee.purse(), movement.asset, portion));
        }
    }

    /// What loot is called that stays with whom it was paid to.
    fn stays_as(&self, payee: End) -> TerminalKind {
        let stop = payee.purse().and_then(|purse| self.settings.stops.get(&self.ledger.purse(purse).holder));
        match stop.map(|stop| stop_terminal(*stop)) {
            Some(TerminalKind::Mixer) => TerminalKind::Mixer,
            _ => TerminalKind::Bridge,
        }
    }

    /// Ends a visit: what departed is handed on, what found no place is booked.
    pub(crate) fn close_bridges<O: Observer>(&mut self, seq: Seq, observer: &mut O) {
        for gate in std::mem::take(&mut self.bridges.gates) {
            let end = (self.stays_as(gate.payee), Reason::Unlinked);
            if O::WATCHES && gate.has_loot {
                let Gate { payee, asset, rest: amount, .. } = gate;
                observer.sent(&Sent { crossing: None, seq, payee, asset, amount, ways: &[], away: &[], end });
            }
            for Slot { crossing, filled, mut parcel, .. } in gate.slots {
                if R::FLAGS {
                    // A flag is up or not, however many payments raised it.
                    parcel.portions.sort_by_key(|portion| portion.label);
                    parcel.portions.dedup_by_key(|portion| portion.label);
                }
                if !parcel.is_empty() {
                    self.bridges.departed.push(Departed { crossing, amount: filled, parcel, end });
                }
            }
        }
        for landing in std::mem::take(&mut self.bridges.landings) {
            let mut content = Vec::new();
            self.rule.in_order().content(&landing.content, landing.left, &mut content);
            self.strand(seq, landing.purse, &content, observer);
        }
    }
}
