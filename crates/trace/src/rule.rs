//! [`Rule`]: what a policy must be able to do with one purse's stolen content.
//!
//! The passes are written once against this trait and compiled per policy. A purse's state holds only its stolen
//! content; how much lies in the purse in all is the ledger's business and is handed in as `before`. That is why a
//! trace never visits the clean deposits of a busy purse.

use ledger::Seq;
use money::Amount;

use crate::label::{Portion, Seed};

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
pub(crate) trait Rule {
    /// The stolen content of one purse, or of a transaction's pot.
    type State: Default + Clone;

    /// Whether the content of a purse is a question of what lies in it in all.
    const ASKS_BALANCE: bool = false;

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

    /// Whether a transaction's payments are served largest first instead of in order.
    fn largest_first(&self) -> bool {
        false
    }

    /// What lies in a purse that holds `balance`, as portions (order: by label, then place).
    fn content(&self, state: &Self::State, balance: Amount, out: &mut Vec<Portion>);
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
