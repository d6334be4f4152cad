//! Several ledgers at once: one pass a ledger, joined by crossings.
//!
//! Passes touch each other only where money crosses. So the order in which they go on is free but for one rule: no
//! pass goes past an arrival as long as it is open what departed towards it. That is decided by the links alone and by no clock:
//! block times of two chains may be hours apart. Links that no order satisfies, each before the other, are bad data; the
//! one that lies most against the clocks is ignored and said.

use ledger::{AssetId, Ledger, PurseId, Seq, Time};
use money::Amount;

use crate::bridge::{Departed, ELSEWHERE};
use crate::crossing::{BILLION, Carried, Crossing, Departure, Sent, Way};
use crate::flow::Observer;
use crate::forward::Pass;
use crate::label::{LabelId, Portion, Seed};
use crate::lots::Order;
use crate::outcome::{Outcome, Reason, Terminal, TerminalKind};
use crate::policy::Policy;
use crate::rule::{Parcel, Rule};
use crate::settings::Settings;
use crate::shares::{Class, Haircut, Poison};

/// A ledger of either kind. Two types, so that a trace is compiled for each and asks nothing twice in its inner loops.
pub enum Ground<'a, U: ?Sized, A: ?Sized> {
    /// The first type; a book's UTXO ledgers.
    Utxo(&'a U),
    /// The second type; a book's account ledgers.
    Account(&'a A),
}

impl<U: Ledger + ?Sized, A: Ledger + ?Sized> Ground<'_, U, A> {
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Utxo(ledger) => Self::Utxo(*ledger),
            Self::Account(ledger) => Self::Account(*ledger),
        }
    }

    pub(crate) fn asset_of(&self, purse: PurseId) -> AssetId {
        match self {
            Self::Utxo(ledger) => ledger.purse(purse).asset,
            Self::Account(ledger) => ledger.purse(purse).asset,
        }
    }
}

/// One ledger of a trace over several.
pub struct Territory<'a, U: ?Sized, A: ?Sized> {
    /// The ledger.
    pub ground: Ground<'a, U, A>,
    /// What was stolen there. Labels count through all ledgers.
    pub seeds: &'a [Seed],
    /// Where to stop there.
    pub settings: &'a Settings,
}

/// What a trace over several ledgers found.
#[derive(Clone, Debug, Default)]
pub struct Journey {
    /// By ledger. A label's loot stands with the ledger of its seeds; what became of it, with the ledgers where it ended.
    pub outcomes: Vec<Outcome>,
    /// What went over, by crossing, arrival and label.
    pub carried: Vec<Carried>,
    /// Arrivals that were not followed, because no order of events satisfies them: (crossing, arrival).
    pub ignored: Vec<(usize, usize)>,
}

/// Follows the seeds of several ledgers forward under a policy, over crossings.
pub fn forward_over<U: Ledger + ?Sized, A: Ledger + ?Sized, O: Observer>(
    territories: &[Territory<'_, U, A>],
    crossings: &[Crossing],
    policy: Policy,
    observer: &mut O,
) -> Journey {
    match policy {
        Policy::Poison => run(territories, crossings, Poison, observer),
        Policy::Haircut => run(territories, crossings, Haircut, observer),
        Policy::Fifo => run(territories, crossings, Order::Fifo, observer),
        Policy::Lifo => run(territories, crossings, Order::Lifo, observer),
        Policy::TaintFirstOut => run(territories, crossings, Class::First, observer),
        Policy::TaintLastOut => run(territories, crossings, Class::Last, observer),
        Policy::Tiho => run(territories, crossings, Class::Highest, observer),
    }
}

fn run<U: Ledger + ?Sized, A: Ledger + ?Sized, R: Rule, O: Observer>(
    territories: &[Territory<'_, U, A>],
    crossings: &[Crossing],
    rule: R,
    observer: &mut O,
) -> Journey {
    let walks = territories.iter().map(|Territory { ground, seeds, settings }| match ground {
        Ground::Utxo(ledger) => Box::new(Pass::new(*ledger, seeds, rule, settings)) as Box<dyn Walk<O> + '_>,
        Ground::Account(ledger) => Box::new(Pass::new(*ledger, seeds, rule, settings)) as Box<dyn Walk<O> + '_>,
    });
    let mut driver = Driver::new(walks.collect(), crossings, rule);
    driver.drive(observer);
    driver.finish()
}

/// A pass over one ledger, whichever its type.
trait Walk<O> {
    /// The first transaction that is not looked at.
    fn end(&self) -> Seq;
    fn time(&self, seq: Seq) -> Time;
    fn asset_of(&self, purse: PurseId) -> AssetId;
    fn run_until(&mut self, end: Seq, observer: &mut O);
    fn add_departure(&mut self, crossing: usize, from: &Departure);
    fn take_departed(&mut self) -> Vec<Departed>;
    fn expect_arrival(&mut self, seq: Seq, purse: PurseId, amount: Amount, parcel: &Parcel);
    fn book(&mut self, terminal: Terminal);
    fn finish(self: Box<Self>) -> Outcome;
}

impl<L: Ledger + ?Sized, R: Rule, O: Observer> Walk<O> for Pass<'_, L, R> {
    fn end(&self) -> Seq {
        self.settings.until.unwrap_or_else(|| self.ledger.end())
    }

    fn time(&self, seq: Seq) -> Time {
        self.ledger.stamp(seq).time
    }

    fn asset_of(&self, purse: PurseId) -> AssetId {
        self.ledger.purse(purse).asset
    }

    fn run_until(&mut self, end: Seq, observer: &mut O) {
        self.run_until(end, observer);
    }

    fn add_departure(&mut self, crossing: usize, from: &Departure) {
        self.bridges.add_departure(crossing, from);
    }

    fn take_departed(&mut self) -> Vec<Departed> {
        self.bridges.take_departed()
    }

    fn expect_arrival(&mut self, seq: Seq, purse: PurseId, amount: Amount, parcel: &Parcel) {
        self.expect_arrival(seq, purse, amount, parcel);
    }

    fn book(&mut self, terminal: Terminal) {
        self.terminals.add(terminal);
    }

    fn finish(self: Box<Self>) -> Outcome {
        (*self).finish()
    }
}

/// An arrival that a pass may have to wait for.
#[derive(Clone, Copy, Debug)]
struct Awaited {
    seq: Seq,
    crossing: usize,
    arrival: usize,
}

struct Driver<'a, R, O> {
    walks: Vec<Box<dyn Walk<O> + 'a>>,
    crossings: &'a [Crossing],
    rule: R,
    /// Up to where each pass has come, exclusive.
    places: Vec<Seq>,
    ends: Vec<Seq>,
    /// By ledger: the arrivals there in order, and how many of them need no more waiting for.
    awaited: Vec<(Vec<Awaited>, usize)>,
    ignored: Vec<(usize, usize)>,
    carried: Vec<Carried>,
}

impl<'a, R: Rule, O: Observer> Driver<'a, R, O> {
    fn new(mut walks: Vec<Box<dyn Walk<O> + 'a>>, crossings: &'a [Crossing], rule: R) -> Self {
        let ends: Vec<Seq> = walks.iter().map(|walk| walk.end()).collect();
        let mut awaited = vec![(Vec::new(), 0); walks.len()];
        for (crossing, Crossing { from, to, .. }) in crossings.iter().enumerate() {
            if from.amount.is_zero() || from.seq >= ends[from.ledger] {
                continue;
            }
            walks[from.ledger].add_departure(crossing, from);
            for (arrival, way) in to.iter().enumerate().filter(|(_, way)| way.seq < ends[way.ledger]) {
                awaited[way.ledger].0.push(Awaited { seq: way.seq, crossing, arrival });
            }
        }
        for (list, _) in &mut awaited {
            list.sort_unstable_by_key(|awaited| (awaited.seq, awaited.crossing, awaited.arrival));
        }
        let places = vec![Seq(0); walks.len()];
        Self { walks, crossings, rule, places, ends, awaited, ignored: Vec::new(), carried: Vec::new() }
    }

    /// Lets passes go on, each as far as it may, until all have come to their end.
    fn drive(&mut self, observer: &mut O) {
        loop {
            let mut went_on = false;
            for at in 0..self.walks.len() {
                let until = self.blocked_at(at).map_or(self.ends[at], |awaited| awaited.seq.min(self.ends[at]));
                if self.places[at] < until {
                    went_on = true;
                    observer.on(at);
                    self.walks[at].run_until(until, observer);
                    self.places[at] = until;
                    for departed in self.walks[at].take_departed() {
                        self.send(&departed, observer);
                    }
                }
            }
            if !went_on {
                match self.worst_of_a_cycle() {
                    Some(awaited) => self.ignored.push((awaited.crossing, awaited.arrival)),
                    None => break,
                }
            }
        }
        self.ignored.sort_unstable();
    }

    /// The first arrival on a ledger of which it is not yet decided what comes over.
    fn blocked_at(&mut self, ledger: usize) -> Option<Awaited> {
        let (list, decided) = &mut self.awaited[ledger];
        while let Some(awaited) = list.get(*decided) {
            let from = &self.crossings[awaited.crossing].from;
            if self.places[from.ledger] > from.seq || self.ignored.contains(&(awaited.crossing, awaited.arrival)) {
                *decided += 1;
            } else {
                return Some(*awaited);
            }
        }
        None
    }

    /// Where passes wait for one another in a circle: the link of it that lies most against the clocks.
    fn worst_of_a_cycle(&mut self) -> Option<Awaited> {
        let mut at = (0..self.walks.len()).find(|at| self.places[*at] < self.ends[*at])?;
        // After as many steps as there are passes one is in the circle.
        for _ in 0..self.walks.len() {
            at = self.waits_for(at)?;
        }
        let (first, mut worst) = (at, None);
        loop {
            let awaited = self.blocked_at(at)?;
            let from = &self.crossings[awaited.crossing].from;
            let left = self.walks[from.ledger].time(from.seq);
            let early = left.micros() - self.walks[at].time(awaited.seq).micros();
            if worst.is_none_or(|(other, _)| early > other) {
                worst = Some((early, awaited));
            }
            at = from.ledger;
            if at == first {
                return worst.map(|(_, awaited)| awaited);
            }
        }
    }

    fn waits_for(&mut self, ledger: usize) -> Option<usize> {
        let awaited = self.blocked_at(ledger)?;
        Some(self.crossings[awaited.crossing].from.ledger)
    }

    /// Splits what departed over the ways of its crossing; what takes none stays behind.
    fn send(&mut self, departed: &Departed, observer: &mut O) {
        let crossing = &self.crossings[departed.crossing];
        let from = &crossing.from;
        let is_followed = |number: &usize| !self.ignored.contains(&(departed.crossing, *number));
        let ways: Vec<Way> = (0..crossing.to.len())
            .filter(is_followed)
            .map(|number| (number, crossing.to[number]))
            .map(|(number, to)| Way { number, to, is_out: to.seq < self.ends[to.ledger] })
            .collect();
        if O::WATCHES {
            let Departure { seq, payee, asset, .. } = *from;
            let (number, amount, end) = (Some(departed.crossing), departed.amount, departed.end);
            let away = &crossing.away;
            observer.on(from.ledger);
            observer.sent(&Sent { crossing: number, seq, payee, asset, amount, ways: &ways, away, end });
        }
        let mut rest = departed.parcel.portions.clone();
        let mut parts_left = BILLION;
        for way in &ways {
            let parts = way.to.parts().min(parts_left);
            if parts == 0 {
                continue;
            }
            let taken = take_parts::<R>(&mut rest, parts, parts_left);
            parts_left -= parts;
            if way.is_out {
                self.carry(departed, way, &taken);
            } else {
                self.stay(from, (TerminalKind::Bridge, Reason::InTransit), &taken);
            }
        }
        for (number, away) in (crossing.to.len()..).zip(&crossing.away) {
            let parts = away.parts().min(parts_left);
            if parts == 0 {
                continue;
            }
            let taken = take_parts::<R>(&mut rest, parts, parts_left);
            parts_left -= parts;
            self.stay(from, (departed.end.0, away.reason), &taken);
            for portion in &taken {
                let gone = Portion { amount: Amount::ZERO, ..*portion };
                self.count((departed.crossing, number), portion.label, portion.amount, &gone);
            }
        }
        if !R::FLAGS || parts_left > 0 {
            self.stay(from, departed.end, &rest);
        }
    }

    /// Books what does not go over, where it departed.
    fn stay(&mut self, from: &Departure, end: (TerminalKind, Reason), portions: &[Portion]) {
        for portion in portions.iter().filter(|portion| !(portion.amount.is_zero() && portion.origin.is_zero())) {
            let portion = Portion { since: from.seq, ..*portion };
            self.walks[from.ledger].book(Terminal::of(end, from.payee.purse(), from.asset, &portion));
        }
    }

    /// Takes over what goes one way, as what it is on the other side.
    fn carry(&mut self, departed: &Departed, Way { number, to: way, .. }: &Way, taken: &[Portion]) {
        let amount_in = self.crossings[departed.crossing].from.amount;
        let of_way = |amount: Amount| {
            let mut parcel = departed.parcel.clone();
            if R::FLAGS {
                parcel.portions.iter_mut().for_each(|portion| portion.amount = amount);
            } else {
                self.rule.convert(&mut parcel, amount_in, amount);
                scale(&mut parcel, way.probability.min(BILLION));
            }
            parcel
        };
        let gross = way.gross.filter(|gross| *gross > way.amount && !R::FLAGS);
        let whole = gross.map(of_way);
        let mut arriving = of_way(way.amount);
        for (place, portion) in arriving.portions.iter_mut().enumerate() {
            portion.origin = if R::FLAGS { way.amount } else { taken[place].origin };
            if let (Some(gross), Some(whole)) = (gross, &whole) {
                let origin = portion.origin.share(gross - way.amount, gross);
                portion.origin -= origin;
                let amount = whole.portions[place].amount.saturating_sub(portion.amount);
                let fee = Portion { amount, origin, since: way.seq, ..*portion };
                let asset = self.walks[way.ledger].asset_of(way.purse);
                let end = (TerminalKind::Fee, Reason::BridgeFee);
                self.walks[way.ledger].book(Terminal::of(end, None, asset, &fee));
            }
            portion.since = ELSEWHERE;
            self.count((departed.crossing, *number), portion.label, taken[place].amount, portion);
        }
        self.walks[way.ledger].expect_arrival(way.seq, way.purse, way.amount, &arriving);
    }

    fn count(&mut self, (crossing, arrival): (usize, usize), label: LabelId, departed: Amount, portion: &Portion) {
        let is_same = |old: &&mut Carried| (old.crossing, old.arrival, old.label) == (crossing, arrival, label);
        match self.carried.iter_mut().rev().take_while(|old| old.crossing == crossing).find(is_same) {
            Some(old) => {
                old.departed += departed;
                old.arrived += portion.amount;
                old.origin += portion.origin;
            }
            None => {
                let (arrived, origin) = (portion.amount, portion.origin);
                self.carried.push(Carried { crossing, arrival, label, departed, arrived, origin });
            }
        }
    }

    fn finish(self) -> Journey {
        let outcomes = self.walks.into_iter().map(Walk::finish).collect();
        let mut carried = self.carried;
        carried.sort_by_key(|carried| (carried.crossing, carried.arrival, carried.label));
        Journey { outcomes, carried, ignored: self.ignored }
    }
}

/// Takes `parts` of the `parts_left` that have not been taken yet out of portions: the rest by subtraction, so that
/// nothing is lost. Flags are taken whole.
fn take_parts<R: Rule>(rest: &mut [Portion], parts: u32, parts_left: u32) -> Vec<Portion> {
    let mut taken = rest.to_vec();
    if R::FLAGS {
        return taken;
    }
    let (part, whole) = (Amount::new(u128::from(parts)), Amount::new(u128::from(parts_left)));
    for (taken, left) in taken.iter_mut().zip(rest) {
        taken.amount = left.amount.share(part, whole);
        taken.origin = left.origin.share(part, whole);
        left.amount -= taken.amount;
        left.origin -= taken.origin;
    }
    taken
}

/// Scales what a parcel holds by a probability. Lots keep their places and get thinner.
fn scale(parcel: &mut Parcel, probability: u32) {
    if probability == BILLION {
        return;
    }
    let (part, whole) = (Amount::new(u128::from(probability)), Amount::new(u128::from(BILLION)));
    let sum: Amount = parcel.portions.iter().map(|portion| portion.amount).sum();
    let disjoint = sum == parcel.dirty;
    for portion in &mut parcel.portions {
        portion.amount = portion.amount.share(part, whole);
    }
    parcel.dirty = if disjoint {
        parcel.portions.iter().map(|portion| portion.amount).sum()
    } else {
        parcel.dirty.share(part, whole)
    };
}
