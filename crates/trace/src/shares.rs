//! Policies that know only how much of a purse is stolen, not which units: haircut, taint-first-out, taint-last-out,
//! TIHO and poison.
//!
//! Haircut treats each label by itself, so that incidents traced together and apart agree to the last unit. The
//! others serve the stolen part as one class, and share it among its labels pro rata.

use ledger::Seq;
use money::Amount;
use smallvec::SmallVec;

use crate::label::{LabelId, Portion, Seed, origin_of, sum_of};
use crate::rule::{Parcel, Rule};

/// One label's content of a purse.
#[derive(Clone, Copy, Debug)]
struct Share {
    label: LabelId,
    hops: u32,
    since: Seq,
    held: Amount,
    origin: Amount,
}

/// A purse's stolen content without order: nearly always a single label.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shares {
    shares: SmallVec<[Share; 1]>,
    /// How much of the purse is stolen at all (see [`Parcel::dirty`]); unused by haircut and poison.
    dirty: Amount,
}

impl Shares {
    fn add(&mut self, portion: &Portion, since: Seq) {
        match self.shares.iter_mut().find(|share| share.label == portion.label) {
            Some(share) => {
                share.held += portion.amount;
                share.origin += portion.origin;
                share.hops = share.hops.min(portion.hops);
                share.since = share.since.min(since);
            }
            None => {
                let at = self.shares.partition_point(|share| share.label < portion.label);
                self.shares.insert(
                    at,
                    Share {
                        label: portion.label,
                        hops: portion.hops,
                        since,
                        held: portion.amount,
                        origin: portion.origin,
                    },
                );
            }
        }
    }

    fn merge(&mut self, other: Self) {
        if self.shares.is_empty() && self.dirty.is_zero() {
            *self = other;
            return;
        }
        for share in other.shares {
            self.add(&share.portion(), share.since);
        }
        self.dirty += other.dirty;
    }

    fn drop_empty(&mut self) {
        self.shares.retain(|share| !(share.held.is_zero() && share.origin.is_zero()));
    }
}

impl Share {
    fn portion(&self) -> Portion {
        Portion {
            label: self.label,
            offset: Amount::ZERO,
            amount: self.held,
            origin: self.origin,
            hops: self.hops,
            since: self.since,
        }
    }

    /// Takes `amount` of the label's content out, with its share of the origin.
    fn take(&mut self, amount: Amount) -> Portion {
        let origin = origin_of(amount, self.held, self.origin);
        self.held -= amount;
        self.origin -= origin;
        Portion { amount, origin, ..self.portion() }
    }
}

/// Adds a seed's loot to a parcel and keeps the union right: the seed takes what is not this label's yet, and of what
/// is loot of others there, its share is stolen again.
fn seed_shares(parcel: &mut Parcel, moved: Amount, seed: &Seed) {
    let (own, _) = sum_of(&parcel.portions, seed.label);
    let others = parcel.dirty.saturating_sub(own);
    let again = others.share(seed.amount, moved.saturating_sub(own));
    parcel.dirty += seed.amount - again;
    parcel.portions.push(Portion {
        label: seed.label,
        offset: Amount::ZERO,
        amount: seed.amount,
        origin: seed.amount,
        hops: 0,
        since: seed.seq,
    });
}

fn deposit_shares(state: &mut Shares, parcel: &Parcel, at: Seq) {
    for portion in &parcel.portions {
        state.add(portion, at);
    }
    state.dirty += parcel.dirty;
}

fn content_of(state: &Shares, out: &mut Vec<Portion>) {
    out.extend(state.shares.iter().map(Share::portion));
}

/// Pro rata what `amount` out of `before` takes of the `held` in it: rounded half to even, but never more than is there,
/// and never leaving more than stays in the purse.
fn portion_of(held: Amount, before: Amount, amount: Amount) -> Amount {
    let clean = before.saturating_sub(held);
    amount.share(held, before).max(amount.saturating_sub(clean)).min(amount.min(held))
}

/// Every unit carries the purse's stolen fraction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Haircut;

impl Rule for Haircut {
    type State = Shares;

    fn is_clean(state: &Shares) -> bool {
        state.shares.is_empty()
    }

    fn withdraw(&self, state: &mut Shares, before: Amount, amount: Amount, out: &mut Parcel) {
        out.clear();
        for share in &mut state.shares {
            let carried = if amount == before { share.held } else { portion_of(share.held, before, amount) };
            if !carried.is_zero() || amount == before {
                out.portions.push(share.take(carried));
            }
        }
        state.drop_empty();
    }

    fn deposit(&self, state: &mut Shares, _before: Amount, parcel: &Parcel, at: Seq) {
        deposit_shares(state, parcel, at);
    }

    fn pour(&self, state: Shares, pot: &mut Shares, _level: Amount) {
        pot.merge(state);
    }

    fn seed(&self, parcel: &mut Parcel, moved: Amount, seed: &Seed) {
        seed_shares(parcel, moved, seed);
        parcel.dirty = Amount::ZERO;
    }

    fn join(&self, parcel: &mut Parcel, moved: Amount, arriving: Parcel, over: &mut Vec<Portion>) {
        // Label by label, as everything under haircut.
        for mut portion in arriving.portions {
            let (there, _) = sum_of(&parcel.portions, portion.label);
            let room = moved.saturating_sub(there);
            if portion.amount <= room {
                parcel.portions.push(portion);
            } else {
                parcel.portions.push(portion.cut(room));
                over.push(portion);
            }
        }
    }

    fn shrink(&self, state: &mut Shares, before: Amount, amount: Amount, out: &mut Parcel) {
        self.withdraw(state, before, amount, out);
    }

    fn content(&self, state: &Shares, _balance: Amount, out: &mut Vec<Portion>) {
        content_of(state, out);
    }
}

/// How a policy that serves the stolen part as one class picks how much of it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Stolen units leave first.
    First,
    /// Stolen units leave last.
    Last,
    /// Stolen units leave first, and a transaction's largest payments are served first.
    Highest,
}

impl Rule for Class {
    type State = Shares;

    fn is_clean(state: &Shares) -> bool {
        state.shares.is_empty()
    }

    fn withdraw(&self, state: &mut Shares, before: Amount, amount: Amount, out: &mut Parcel) {
        out.clear();
        let dirty = state.dirty;
        let moved = match self {
            Self::First | Self::Highest => amount.min(dirty),
            Self::Last => amount.saturating_sub(before.saturating_sub(dirty)).min(dirty),
        };
        if moved.is_zero() && amount != before {
            return;
        }
        let disjoint = state.shares.iter().map(|share| share.held).sum::<Amount>() == dirty;
        let (mut left, mut of) = (moved, dirty);
        for share in &mut state.shares {
            let carried = if amount == before || moved == dirty {
                share.held
            } else if disjoint {
                // One after the other out of what is left, so that the parts add up to the whole.
                let carried = left.share(share.held, of);
                of -= share.held;
                left -= carried;
                carried
            } else {
                moved.share(share.held, dirty)
            };
            if !carried.is_zero() || carried == share.held {
                out.portions.push(share.take(carried));
            }
        }
        out.dirty = if amount == before { dirty } else { moved };
        state.dirty -= out.dirty;
        state.drop_empty();
    }

    fn deposit(&self, state: &mut Shares, _before: Amount, parcel: &Parcel, at: Seq) {
        deposit_shares(state, parcel, at);
    }

    fn pour(&self, state: Shares, pot: &mut Shares, _level: Amount) {
        pot.merge(state);
    }

    fn seed(&self, parcel: &mut Parcel, moved: Amount, seed: &Seed) {
        seed_shares(parcel, moved, seed);
    }

    fn convert(&self, parcel: &mut Parcel, amount_in: Amount, amount_out: Amount) {
        if amount_in == amount_out {
            return;
        }
        let sum: Amount = parcel.portions.iter().map(|portion| portion.amount).sum();
        let disjoint = sum == parcel.dirty;
        parcel.dirty = amount_out.share(parcel.dirty, amount_in);
        // Labels that do not overlap are laid end to end, so that rounding cannot make them more than the whole.
        let mut place = Amount::ZERO;
        for portion in &mut parcel.portions {
            let start = amount_out.share(place, amount_in);
            let end = amount_out.share(place + portion.amount, amount_in);
            if disjoint {
                place += portion.amount;
            }
            portion.amount = end - start;
        }
    }

    fn join(&self, parcel: &mut Parcel, moved: Amount, arriving: Parcel, over: &mut Vec<Portion>) {
        // What is loot of anybody is loot already, so all of the arriving class is cut alike.
        let room = moved.saturating_sub(parcel.dirty);
        let fits = arriving.dirty <= room;
        let (mut left, mut of) = (room, arriving.dirty);
        let disjoint = arriving.portions.iter().map(|portion| portion.amount).sum::<Amount>() == arriving.dirty;
        for mut portion in arriving.portions {
            if fits {
                parcel.portions.push(portion);
                continue;
            }
            let amount = if disjoint {
                let amount = left.share(portion.amount, of);
                left -= amount;
                of -= portion.amount;
                amount
            } else {
                room.share(portion.amount, arriving.dirty).min(portion.amount)
            };
            parcel.portions.push(portion.cut(amount));
            over.push(portion);
        }
        parcel.dirty += arriving.dirty.min(room);
    }

    fn shrink(&self, state: &mut Shares, before: Amount, amount: Amount, out: &mut Parcel) {
        out.clear();
        // As haircut, label by label and then the class.
        for share in &mut state.shares {
            let carried = if amount == before { share.held } else { portion_of(share.held, before, amount) };
            if !carried.is_zero() || amount == before {
                out.portions.push(share.take(carried));
            }
        }
        let disjoint = state.shares.iter().map(|share| share.held).sum::<Amount>()
            + out.portions.iter().map(|portion| portion.amount).sum::<Amount>()
            == state.dirty;
        out.dirty = if disjoint {
            out.portions.iter().map(|portion| portion.amount).sum()
        } else {
            portion_of(state.dirty, before, amount)
        };
        state.dirty -= out.dirty;
        state.drop_empty();
    }

    fn largest_first(&self) -> bool {
        *self == Self::Highest
    }

    fn content(&self, state: &Shares, _balance: Amount, out: &mut Vec<Portion>) {
        content_of(state, out);
    }
}

/// Whatever leaves a purse that ever held loot is flagged in full, until the purse has been empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Poison;

impl Rule for Poison {
    type State = Shares;

    const FLAGS: bool = true;

    fn is_clean(state: &Shares) -> bool {
        state.shares.is_empty()
    }

    fn withdraw(&self, state: &mut Shares, before: Amount, amount: Amount, out: &mut Parcel) {
        out.clear();
        let flagged = state.shares.iter().map(|share| Portion { amount, origin: amount, ..share.portion() });
        out.portions.extend(flagged);
        if amount == before {
            state.shares.clear();
        }
    }

    fn deposit(&self, state: &mut Shares, _before: Amount, parcel: &Parcel, at: Seq) {
        deposit_shares(state, parcel, at);
    }

    fn pour(&self, state: Shares, pot: &mut Shares, _level: Amount) {
        pot.merge(state);
    }

    fn seed(&self, parcel: &mut Parcel, moved: Amount, seed: &Seed) {
        if parcel.portions.iter().all(|portion| portion.label != seed.label) {
            seed_shares(parcel, moved, seed);
            parcel.dirty = Amount::ZERO;
        }
    }

    fn join(&self, parcel: &mut Parcel, moved: Amount, arriving: Parcel, _over: &mut Vec<Portion>) {
        for portion in arriving.portions {
            if parcel.portions.iter().all(|there| there.label != portion.label) {
                parcel.portions.push(Portion { amount: moved, origin: moved, ..portion });
            }
        }
    }

    fn shrink(&self, state: &mut Shares, before: Amount, amount: Amount, out: &mut Parcel) {
        self.withdraw(state, before, amount, out);
    }

    fn content(&self, state: &Shares, balance: Amount, out: &mut Vec<Portion>) {
        out.extend(state.shares.iter().map(|share| Portion { amount: balance, origin: balance, ..share.portion() }));
    }
}
