//! Policies that know which units of a purse are stolen: FIFO and LIFO.
//!
//! A purse is a line of units. Stolen units are intervals on it ("lots"); the gaps are clean and are not kept. FIFO
//! counts places from everything that ever left the purse, so a withdrawal only moves the head; LIFO counts heights
//! from the bottom. Either way clean deposits need no visit: the ledger says how long the line is when a lot arrives.

use std::collections::VecDeque;

use ledger::Seq;
use money::Amount;
use smallvec::SmallVec;

use crate::label::{LabelId, Portion, Seed, origin_of};
use crate::rule::{Parcel, Rule};

/// An interval of stolen units.
#[derive(Clone, Copy, Debug)]
struct Lot {
    start: Amount,
    amount: Amount,
    origin: Amount,
    hops: u32,
    since: Seq,
}

impl Lot {
    fn end(&self) -> Amount {
        self.start + self.amount
    }

    /// Cuts the first `amount` units off.
    fn cut(&mut self, amount: Amount) -> Self {
        let origin = origin_of(amount, self.amount, self.origin);
        let first = Self { amount, origin, ..*self };
        self.start += amount;
        self.amount -= amount;
        self.origin -= origin;
        first
    }

    /// Whether `next` continues this lot, so that one may stand for both.
    fn takes(&self, next: &Self) -> bool {
        self.end() == next.start && self.origin == self.amount && next.origin == next.amount
    }
}

/// One label's lots: apart from one another, ascending.
#[derive(Clone, Debug)]
struct LabelLots {
    label: LabelId,
    lots: VecDeque<Lot>,
}

impl LabelLots {
    fn push(&mut self, lot: Lot) {
        match self.lots.back_mut() {
            Some(last) if last.takes(&lot) => {
                last.amount += lot.amount;
                last.origin += lot.origin;
                last.hops = last.hops.min(lot.hops);
                last.since = last.since.min(lot.since);
            }
            _ => self.lots.push_back(lot),
        }
    }
}

/// A purse's stolen units.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lots {
    labels: SmallVec<[LabelLots; 1]>,
    /// FIFO only: how much has left, which is the place of the first unit still there.
    head: Amount,
}

impl Lots {
    fn label(&mut self, label: LabelId) -> &mut LabelLots {
        let at = self.labels.partition_point(|lots| lots.label < label);
        if self.labels.get(at).is_none_or(|lots| lots.label != label) {
            self.labels.insert(at, LabelLots { label, lots: VecDeque::new() });
        }
        &mut self.labels[at]
    }

    fn place(&mut self, base: Amount, parcel: &Parcel, at: Seq) {
        for portion in &parcel.portions {
            self.label(portion.label).push(Lot {
                start: base + portion.offset,
                amount: portion.amount,
                origin: portion.origin,
                hops: portion.hops,
                since: at,
            });
        }
    }
}

fn portion(label: LabelId, offset: Amount, lot: &Lot) -> Portion {
    Portion { label, offset, amount: lot.amount, origin: lot.origin, hops: lot.hops, since: lot.since }
}

/// FIFO or LIFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// First in, first out.
    Fifo,
    /// Last in, first out.
    Lifo,
}

impl Rule for Order {
    type State = Lots;

    fn is_clean(state: &Lots) -> bool {
        state.labels.is_empty()
    }

    fn withdraw(&self, state: &mut Lots, before: Amount, amount: Amount, out: &mut Parcel) {
        out.clear();
        let everything = amount == before;
        let head = state.head;
        for LabelLots { label, lots } in &mut state.labels {
            match self {
                Self::Fifo => {
                    let cut = head + amount;
                    while let Some(lot) = lots.front_mut().filter(|lot| lot.start < cut || everything) {
                        let whole = lot.end() <= cut || everything;
                        let leaving = if whole { lot.amount } else { cut - lot.start };
                        let part = lot.cut(leaving);
                        out.portions.push(portion(*label, part.start.saturating_sub(head), &part));
                        if !whole {
                            break;
                        }
                        lots.pop_front();
                    }
                }
                Self::Lifo => {
                    let floor = before.saturating_sub(amount);
                    while let Some(lot) = lots.back_mut().filter(|lot| lot.end() > floor || everything) {
                        let whole = lot.start >= floor || everything;
                        let stays = (!whole).then(|| lot.cut(floor - lot.start));
                        out.portions.push(portion(*label, before.saturating_sub(lot.end()), lot));
                        if let Some(stays) = stays {
                            *lot = stays;
                            break;
                        }
                        lots.pop_back();
                    }
                }
            }
        }
        if *self == Self::Fifo {
            state.head += amount;
        }
        state.labels.retain(|label| !label.lots.is_empty());
    }

    fn deposit(&self, state: &mut Lots, before: Amount, parcel: &Parcel, at: Seq) {
        // LIFO's head stays at nothing, so one line serves both.
        state.place(state.head + before, parcel, at);
    }

    fn pour(&self, state: Lots, pot: &mut Lots, level: Amount) {
        let head = state.head;
        for LabelLots { label, lots } in state.labels {
            let into = pot.label(label);
            for lot in lots {
                into.push(Lot { start: level + (lot.start - head), ..lot });
            }
        }
    }

    fn seed(&self, parcel: &mut Parcel, moved: Amount, seed: &Seed) {
        let mut taken: Vec<(Amount, Amount)> = parcel
            .portions
            .iter()
            .filter(|portion| portion.label == seed.label)
            .map(|portion| (portion.offset, portion.offset + portion.amount))
            .collect();
        taken.push((moved, moved));
        let (mut place, mut left) = (Amount::ZERO, seed.amount);
        for (start, end) in taken {
            let amount = start.saturating_sub(place).min(left);
            if !amount.is_zero() {
                parcel.portions.push(Portion {
                    label: seed.label,
                    offset: place,
                    amount,
                    origin: amount,
                    hops: 0,
                    since: seed.seq,
                });
                left -= amount;
            }
            place = place.max(end);
        }
        parcel.portions.sort_by_key(|portion| (portion.label, portion.offset));
    }

    fn in_order(&self) -> Self {
        Self::Fifo
    }

    fn join(&self, parcel: &mut Parcel, moved: Amount, arriving: Parcel, over: &mut Vec<Portion>) {
        let mut rest = arriving.portions.as_slice();
        while let Some(first) = rest.first() {
            let label = first.label;
            let (own, others) = rest.split_at(rest.partition_point(|portion| portion.label == label));
            rest = others;
            let is_taken = parcel.portions.iter().any(|portion| portion.label == label);
            if is_taken {
                fill_gaps(&mut parcel.portions, moved, own, over);
            } else {
                parcel.portions.extend_from_slice(own);
            }
        }
        parcel.portions.sort_by_key(|portion| (portion.label, portion.offset));
    }

    fn shrink(&self, state: &mut Lots, before: Amount, amount: Amount, out: &mut Parcel) {
        out.clear();
        let (head, after) = (state.head, before.saturating_sub(amount));
        for LabelLots { label, lots } in &mut state.labels {
            for lot in lots.iter_mut() {
                // Both ends are mapped, so that lots stay apart, in order and within what is left.
                let place = lot.start.saturating_sub(head);
                let start = after.share(place, before);
                let kept = after.share(place + lot.amount, before) - start;
                let lost = lot.amount - kept.min(lot.amount);
                let gone = lot.cut(lost);
                if !(gone.amount.is_zero() && gone.origin.is_zero()) {
                    out.portions.push(portion(*label, place, &gone));
                }
                lot.start = head + start;
            }
            lots.retain(|lot| !lot.amount.is_zero());
        }
        state.labels.retain(|label| !label.lots.is_empty());
    }

    fn content(&self, state: &Lots, _balance: Amount, out: &mut Vec<Portion>) {
        for LabelLots { label, lots } in &state.labels {
            out.extend(lots.iter().map(|lot| portion(*label, lot.start.saturating_sub(state.head), lot)));
        }
    }
}

/// Lays portions of one label into the gaps between those that are there, first gap first.
fn fill_gaps(there: &mut Vec<Portion>, moved: Amount, own: &[Portion], over: &mut Vec<Portion>) {
    let label = own[0].label;
    let mut taken: Vec<(Amount, Amount)> = there
        .iter()
        .filter(|portion| portion.label == label)
        .map(|portion| (portion.offset, portion.offset + portion.amount))
        .collect();
    taken.push((moved, moved));
    let mut arriving = own.iter().copied();
    let mut next = arriving.next();
    let mut place = Amount::ZERO;
    for (start, end) in taken {
        while let Some(portion) = &mut next {
            let room = start.saturating_sub(place);
            if room.is_zero() {
                break;
            }
            let part = portion.cut(portion.amount.min(room));
            there.push(Portion { offset: place, ..part });
            place += part.amount;
            if portion.amount.is_zero() {
                next = arriving.next();
            }
        }
        place = place.max(end);
    }
    over.extend(next.into_iter().chain(arriving));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(portions: &[(u128, u128)]) -> Parcel {
        let portions = portions
            .iter()
            .map(|(offset, amount)| Portion {
                label: LabelId(0),
                offset: Amount::new(*offset),
                amount: Amount::new(*amount),
                origin: Amount::new(*amount),
                hops: 0,
                since: Seq(0),
            })
            .collect();
        Parcel { portions, dirty: Amount::ZERO }
    }

    fn places(parcel: &Parcel) -> Vec<(u128, u128)> {
        parcel.portions.iter().map(|p| (p.offset.units(), p.amount.units())).collect()
    }

    #[test]
    fn a_queue_gives_its_head_and_a_stack_its_top() {
        for (order, wants) in [(Order::Fifo, [vec![(2, 3)], vec![(0, 1)]]), (Order::Lifo, [vec![(4, 1)], vec![(0, 3)]])]
        {
            // Two clean units, four stolen ones, four clean ones on top.
            let mut state = Lots::default();
            order.deposit(&mut state, Amount::ZERO, &parcel(&[(2, 4)]), Seq(0));
            let mut out = Parcel::default();
            order.withdraw(&mut state, Amount::new(10), Amount::new(5), &mut out);
            assert_eq!(places(&out), wants[0], "{order:?}");
            order.withdraw(&mut state, Amount::new(5), Amount::new(4), &mut out);
            assert_eq!(places(&out), wants[1], "{order:?}");
        }
    }

    #[test]
    fn a_seed_fills_only_what_is_not_loot_of_the_same_theft_already() {
        let mut arriving = parcel(&[(2, 3)]);
        let seed = Seed { seq: Seq(1), leg: 0, purse: ledger::PurseId(0), label: LabelId(0), amount: Amount::new(10) };
        Order::Fifo.seed(&mut arriving, Amount::new(10), &seed);
        assert_eq!(places(&arriving), [(0, 2), (2, 3), (5, 5)]);
    }
}
