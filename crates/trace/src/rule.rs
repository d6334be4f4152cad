//! [`Rule`]: what a policy must be able to do with one purse's stolen content.
//!
//! The passes are written once against this trait and compiled per policy. A purse's state holds only its stolen
//! content; how much lies in the purse in all is the ledger's business and is handed in as `before`. That is why a
//! trace never visits the clean deposits of a busy purse.

use ledger::Seq;
use money::Amount;

use crate::label::{Portion, Seed, origin_of};

/// A stolen parcel in motion: its portions, and how much of the movement is stolen at all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parcel {
    pub portions: Vec<Portion>,
    /// The union of all portions where the policy asks "is it stolen?": portions of two thefts of the same coin
    /// overlap. Policies that treat labels one by one leave it at nothing.
    pub dirty: Amount,
}

impl Parcel {
    pub(crate) fn clear(&mut self) {
        self.portions.clear();
        self.dirty = Amount::ZERO;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.portions.is_empty()
    }
}

/// One policy's arithmetic on purses.
pub(crate) trait Rule: Copy {
    /// The stolen content of one purse, or of a transaction's pot.
    type State: Default + Clone;

    /// Whether the policy flags movements in full and does not account. What lies in a purse then is a question of its
    /// balance.
    const FLAGS: bool = false;

    /// Whether nothing stolen is left.
    fn is_clean(state: &Self::State) -> bool;

    /// Takes what a payment of `amount` carries out of a purse that held `before`, into `out` (cleared first).
    fn withdraw(&self, state: &mut Self::State, before: Amount, amount: Amount, out: &mut Parcel);

    /// Puts an arriving parcel on top of a purse that held `before`.
    fn deposit(&self, state: &mut Self::State, before: Amount, parcel: &Parcel, at: Seq);

    /// Pours a whole purse into a pot that already holds `level`, keeping the order within.
    fn pour(&self, state: Self::State, pot: &mut Self::State, level: Amount);

    /// Marks part of an arriving parcel of `moved` as loot of a seed.
    fn seed(&self, parcel: &mut Parcel, moved: Amount, seed: &Seed);

    /// The rule by which a movement is cut into parts that lie in it one behind the other.
    fn in_order(&self) -> Self {
        *self
    }

    /// Turns `parcel`, part of a movement of `amount_in`, into what it is of `amount_out` units of another asset.
    fn convert(&self, parcel: &mut Parcel, amount_in: Amount, amount_out: Amount) {
        convert(parcel, amount_in, amount_out);
    }

    /// Puts `arriving` (a parcel by itself, within `moved`) into a movement of `moved` that may carry loot already: it
    /// takes the place of what is not loot yet. What finds no room goes to `over`.
    fn join(&self, parcel: &mut Parcel, moved: Amount, arriving: Parcel, over: &mut Vec<Portion>);

    /// Takes what a loss of `amount` takes out of a purse that held `before`: the same share of everything, whatever the
    /// policy, since nobody pays.
    fn shrink(&self, state: &mut Self::State, before: Amount, amount: Amount, out: &mut Parcel);

    /// Whether a transaction's payments are served largest first instead of in order.
    fn largest_first(&self) -> bool {
        false
    }

    /// What lies in a purse that holds `balance`, as portions (order: by label, then place).
    fn content(&self, state: &Self::State, balance: Amount, out: &mut Vec<Portion>);
}

impl Portion {
    /// Cuts `amount` of it off the front, with its share of the origin.
    pub(crate) fn cut(&mut self, amount: Amount) -> Self {
        let origin = origin_of(amount, self.amount, self.origin);
        let first = Self { amount, origin, ..*self };
        self.offset += amount;
        self.amount -= amount;
        self.origin -= origin;
        first
    }
}

/// The parcel that `amount_in` units of one asset become as `amount_out` units of another: order and origin stay.
pub(crate) fn convert(parcel: &mut Parcel, amount_in: Amount, amount_out: Amount) {
    if amount_in == amount_out {
        return;
    }
    parcel.dirty = amount_out.share(parcel.dirty, amount_in);
    for portion in &mut parcel.portions {
        // Both ends are mapped, so that lots stay apart and in order and their sum cannot exceed the whole.
        let start = amount_out.share(portion.offset, amount_in);
        let end = amount_out.share(portion.offset + portion.amount, amount_in);
        portion.offset = start;
        portion.amount = end - start;
    }
}
