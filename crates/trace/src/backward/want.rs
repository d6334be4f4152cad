//! What is wanted of a purse while the pass goes back in time, and how a policy undoes a payment.
//!
//! A [`Want`] is a part of a movement or of a purse whose source is asked for. Going back, an arrival is undone by
//! taking out what is wanted of it, and a payment by wanting its part of the payer as it stood before. Haircut keeps
//! one amount per label. FIFO and LIFO keep intervals on the same line of units as the forward pass (`lots`), and
//! undo exactly its mapping, which is why the two passes agree unit by unit.

use std::cmp::Reverse;
use std::collections::VecDeque;

use money::Amount;
use smallvec::SmallVec;

use crate::label::LabelId;
use crate::lots::Order;
use crate::shares::Haircut;

/// A part of a movement whose source is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// For which target.
    pub label: LabelId,
    /// Where it lies within the movement, counted from the unit that left first. Only FIFO and LIFO tell.
    pub offset: Amount,
    /// How much.
    pub amount: Amount,
    /// Transfers from here to the target, on the shortest way.
    pub hops: u32,
}

/// One policy's arithmetic, backwards. Lists of wants are ordered by label, then last place first.
pub(crate) trait Unwind {
    /// What is wanted of one purse, or of a transaction's pot.
    type State: Default;

    /// Whether nothing is wanted.
    fn is_clear(state: &Self::State) -> bool;

    /// Undoes an arrival of `amount` on top of `before`: moves what is wanted of it into `out` (cleared first).
    fn arrived(&self, state: &mut Self::State, before: Amount, amount: Amount, out: &mut Vec<Want>);

    /// Undoes a payment of `amount` out of a purse that held `before`: what is wanted of it is wanted of the purse.
    fn paid(&self, state: &mut Self::State, before: Amount, amount: Amount, wants: &[Want]);

    /// Turns places within a purse of `amount` that was poured into a pot, which keeps the order within, into places
    /// in the order in which a payment takes them out.
    fn unpour(&self, amount: Amount, wants: &mut Vec<Want>);

    /// Wants `amount` more of a movement of `moved` for a label, first what leaves first, and nothing twice. Says how
    /// much of it was not wanted already.
    fn ask(&self, wants: &mut Vec<Want>, moved: Amount, label: LabelId, amount: Amount) -> Amount;

    /// All that is wanted of a purse that holds `balance`, as if it paid everything, into `out` (cleared first).
    fn everything(&self, state: &Self::State, balance: Amount, out: &mut Vec<Want>);
}

/// Haircut: one amount per label, ascending.
#[derive(Debug, Default)]
pub(crate) struct WantedShares(SmallVec<[Want; 1]>);

impl Unwind for Haircut {
    type State = WantedShares;

    fn is_clear(state: &WantedShares) -> bool {
        state.0.is_empty()
    }

    fn arrived(&self, state: &mut WantedShares, before: Amount, amount: Amount, out: &mut Vec<Want>) {
        out.clear();
        for share in &mut state.0 {
            let wanted = share.amount;
            // Rounded half to even, but never more than arrived, and never leaving more than was there before.
            let here = wanted.share(amount, before + amount);
            let here = here.max(wanted.saturating_sub(before)).min(wanted.min(amount));
            if !here.is_zero() {
                out.push(Want { amount: here, ..*share });
                share.amount -= here;
            }
        }
        state.0.retain(|share| !share.amount.is_zero());
    }

    fn paid(&self, state: &mut WantedShares, _before: Amount, _amount: Amount, wants: &[Want]) {
        for want in wants {
            let at = state.0.partition_point(|share| share.label < want.label);
            match state.0.get_mut(at).filter(|share| share.label == want.label) {
                Some(share) => {
                    share.amount += want.amount;
                    share.hops = share.hops.min(want.hops);
                }
                None => state.0.insert(at, *want),
            }
        }
    }

    fn unpour(&self, _amount: Amount, _wants: &mut Vec<Want>) {}

    fn ask(&self, wants: &mut Vec<Want>, moved: Amount, label: LabelId, amount: Amount) -> Amount {
        let at = wants.partition_point(|want| want.label < label);
        let own = wants.get_mut(at).filter(|want| want.label == label);
        let counted = amount.min(moved.saturating_sub(own.as_ref().map_or(Amount::ZERO, |want| want.amount)));
        match own {
            _ if counted.is_zero() => {}
            Some(want) => {
                want.amount += counted;
                want.hops = 0;
            }
            None => wants.insert(at, Want { label, offset: Amount::ZERO, amount: counted, hops: 0 }),
        }
        counted
    }

    fn everything(&self, state: &WantedShares, _balance: Amount, out: &mut Vec<Want>) {
        out.clear();
        out.extend_from_slice(&state.0);
    }
}

/// An interval of wanted units.
#[derive(Clone, Copy, Debug)]
struct Lot {
    /// Its place plus the state's head, wrapping (see [`WantedLots::head`]).
    start: u128,
    units: u128,
    hops: u32,
}

/// One label's intervals: apart from one another, ascending by place.
#[derive(Debug)]
struct LabelLots {
    label: LabelId,
    lots: VecDeque<Lot>,
}

impl LabelLots {
    fn push_back(&mut self, lot: Lot) {
        match self.lots.back_mut() {
            Some(last) if last.hops == lot.hops && last.start.wrapping_add(last.units) == lot.start => {
                last.units += lot.units;
            }
            _ => self.lots.push_back(lot),
        }
    }

    fn push_front(&mut self, lot: Lot) {
        match self.lots.front_mut() {
            Some(first) if first.hops == lot.hops && lot.start.wrapping_add(lot.units) == first.start => {
                first.start = lot.start;
                first.units += lot.units;
            }
            _ => self.lots.push_front(lot),
        }
    }
}

/// FIFO and LIFO: intervals. The place of a unit is how many older units lie in the purse; a queue's head and a
/// stack's bottom have place 0.
#[derive(Debug, Default)]
pub(crate) struct WantedLots {
    labels: SmallVec<[LabelLots; 1]>,
    /// FIFO only: going back over a payment moves every unit away from the head; counting the head down instead spares
    /// touching them. It wraps: only differences mean anything.
    head: u128,
}

impl WantedLots {
    fn label(&mut self, label: LabelId) -> &mut LabelLots {
        let at = self.labels.partition_point(|lots| lots.label < label);
        if self.labels.get(at).is_none_or(|lots| lots.label != label) {
            self.labels.insert(at, LabelLots { label, lots: VecDeque::new() });
        }
        &mut self.labels[at]
    }
}

impl Unwind for Order {
    type State = WantedLots;

    fn is_clear(state: &WantedLots) -> bool {
        state.labels.is_empty()
    }

    fn arrived(&self, state: &mut WantedLots, before: Amount, _amount: Amount, out: &mut Vec<Want>) {
        out.clear();
        let (head, before) = (state.head, before.units());
        for LabelLots { label, lots } in &mut state.labels {
            while let Some(lot) = lots.back_mut() {
                let place = lot.start.wrapping_sub(head);
                if place + lot.units <= before {
                    break;
                }
                let stays = before.saturating_sub(place);
                let came = Amount::new(lot.units - stays);
                let offset = Amount::new(place.max(before) - before);
                out.push(Want { label: *label, offset, amount: came, hops: lot.hops });
                if stays > 0 {
                    lot.units = stays;
                    break;
                }
                lots.pop_back();
            }
        }
        state.labels.retain(|label| !label.lots.is_empty());
    }

    fn paid(&self, state: &mut WantedLots, before: Amount, amount: Amount, wants: &[Want]) {
        match self {
            Self::Fifo => {
                // What was paid lay at the head; what stayed lay behind it.
                state.head = state.head.wrapping_sub(amount.units());
                for want in wants {
                    let start = state.head.wrapping_add(want.offset.units());
                    state.label(want.label).push_front(Lot { start, units: want.amount.units(), hops: want.hops });
                }
            }
            Self::Lifo => {
                // What was paid lay at the top, the first unit highest.
                for want in wants {
                    let start = before.saturating_sub(want.offset + want.amount).units();
                    state.label(want.label).push_back(Lot { start, units: want.amount.units(), hops: want.hops });
                }
            }
        }
    }

    fn unpour(&self, amount: Amount, wants: &mut Vec<Want>) {
        if *self == Self::Lifo {
            for want in wants.iter_mut() {
                want.offset = amount.saturating_sub(want.offset + want.amount);
            }
            wants.sort_by_key(|want| (want.label, Reverse(want.offset)));
        }
    }

    fn ask(&self, wants: &mut Vec<Want>, moved: Amount, label: LabelId, amount: Amount) -> Amount {
        let own = wants.iter().rev().filter(|want| want.label == label);
        let mut taken: Vec<(Amount, Amount)> = own.map(|want| (want.offset, want.offset + want.amount)).collect();
        taken.push((moved, moved));
        let (mut place, mut left) = (Amount::ZERO, amount);
        for (start, end) in taken {
            let here = start.saturating_sub(place).min(left);
            if !here.is_zero() {
                wants.push(Want { label, offset: place, amount: here, hops: 0 });
                left -= here;
            }
            place = place.max(end);
        }
        wants.sort_by_key(|want| (want.label, Reverse(want.offset)));
        amount - left
    }

    fn everything(&self, state: &WantedLots, balance: Amount, out: &mut Vec<Want>) {
        out.clear();
        for LabelLots { label, lots } in &state.labels {
            let wants = lots.iter().map(|lot| {
                let (place, amount) = (Amount::new(lot.start.wrapping_sub(state.head)), Amount::new(lot.units));
                let offset = match self {
                    Self::Fifo => place,
                    Self::Lifo => balance.saturating_sub(place + amount),
                };
                Want { label: *label, offset, amount, hops: lot.hops }
            });
            match self {
                Self::Fifo => out.extend(wants.rev()),
                Self::Lifo => out.extend(wants),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want(offset: u128, amount: u128) -> Want {
        Want { label: LabelId(0), offset: Amount::new(offset), amount: Amount::new(amount), hops: 0 }
    }

    fn places(wants: &[Want]) -> Vec<(u128, u128)> {
        wants.iter().map(|want| (want.offset.units(), want.amount.units())).collect()
    }

    #[test]
    fn a_payment_from_a_queue_and_from_a_stack_is_undone_where_it_was_drawn() {
        // Four units, then six; a payment of five, of which the last three are wanted.
        for (order, first, second) in [(Order::Fifo, vec![(0, 1)], vec![(2, 2)]), (Order::Lifo, vec![(1, 3)], vec![])] {
            let mut state = WantedLots::default();
            order.paid(&mut state, Amount::new(10), Amount::new(5), &[want(2, 3)]);
            let mut out = Vec::new();
            order.arrived(&mut state, Amount::new(4), Amount::new(6), &mut out);
            assert_eq!(places(&out), first, "{order:?}, the six");
            order.arrived(&mut state, Amount::ZERO, Amount::new(4), &mut out);
            assert_eq!(places(&out), second, "{order:?}, the four");
            assert!(Order::is_clear(&state));
        }
    }

    #[test]
    fn nothing_is_asked_for_twice() {
        for order in [Order::Fifo, Order::Lifo] {
            let mut wants = vec![want(2, 3)];
            assert_eq!(order.ask(&mut wants, Amount::new(10), LabelId(0), Amount::new(9)).units(), 7);
            assert_eq!(places(&wants), [(5, 5), (2, 3), (0, 2)]);
        }
        let mut wants = vec![want(0, 3)];
        assert_eq!(Haircut.ask(&mut wants, Amount::new(10), LabelId(0), Amount::new(9)).units(), 7);
        assert_eq!(places(&wants), [(0, 10)]);
    }

    #[test]
    fn haircut_never_wants_more_than_arrived_or_leaves_more_than_was_there() {
        for (wanted, before, amount, here) in [(1, 1, 1, 0), (3, 1, 3, 2), (10, 3, 7, 7), (9, 1, 8, 8), (5, 0, 5, 5)] {
            let mut state = WantedShares::default();
            Haircut.paid(&mut state, Amount::ZERO, Amount::ZERO, &[want(0, wanted)]);
            let mut out = Vec::new();
            Haircut.arrived(&mut state, Amount::new(before), Amount::new(amount), &mut out);
            let got = out.first().map_or(0, |want| want.amount.units());
            assert_eq!(got, here, "{wanted} of {before} + {amount}");
        }
    }
}
