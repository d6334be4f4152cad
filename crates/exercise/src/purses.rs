//! [`Purses`]: what the launderer's accounts hold, loot and own money apart, and the notebook that follows from it.
//!
//! Each payment out of a mixed purse says which of the two it is meant to be; that decision is the truth. Loot that
//! was swapped keeps beside its amount how much of the stolen asset it was ("origin").

use std::collections::BTreeMap;

use money::Amount;

use crate::accounts::{Account, Unit};
use crate::notebook::{Note, Notebook};
use crate::truth::PlaceKind;

/// What a purse holds, or a payment moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parcel {
    /// Stolen, in units of the asset it is now.
    pub loot: u128,
    /// How much of the stolen asset that was.
    pub origin: u128,
    /// The launderer's own.
    pub own: u128,
}

impl Parcel {
    /// Loot that is still the asset that was stolen.
    pub const fn loot(units: u128) -> Self {
        Self { loot: units, origin: units, own: 0 }
    }

    /// Clean money.
    pub const fn own(units: u128) -> Self {
        Self { loot: 0, origin: 0, own: units }
    }

    /// All of it.
    pub const fn total(self) -> u128 {
        self.loot + self.own
    }

    fn add(&mut self, other: Self) {
        self.loot += other.loot;
        self.origin += other.origin;
        self.own += other.own;
    }

    fn take(&mut self, amount: u128, meant: Meant) -> Self {
        let loot = match meant {
            Meant::Loot => amount.min(self.loot),
            Meant::Own => amount - amount.min(self.own),
        };
        let origin = Amount::new(self.origin).share(Amount::new(loot), Amount::new(self.loot)).units();
        let taken = Self { loot, origin, own: amount - loot };
        self.loot = self.loot.checked_sub(taken.loot).expect("the launderer knows what a purse holds");
        self.origin -= taken.origin;
        self.own = self.own.checked_sub(taken.own).expect("the launderer knows what a purse holds");
        taken
    }

    /// The same money as `units` of another asset.
    pub fn converted(self, units: u128) -> Self {
        let loot = Amount::new(units).share(Amount::new(self.loot), Amount::new(self.total())).units();
        Self { loot, origin: self.origin, own: units - loot }
    }
}

/// Which money a payment is meant to be, as far as there is enough of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    /// The stolen.
    Loot,
    /// The launderer's own.
    Own,
}

impl Meant {
    /// What a step out of a mixed purse notes.
    pub const fn note(self, mixed: bool) -> &'static str {
        match (mixed, self) {
            (false, _) => "",
            (true, Self::Loot) => "of a mixed purse, the loot first",
            (true, Self::Own) => "of a mixed purse, own money first",
        }
    }
}

/// The launderer's purses on one ledger.
pub struct Purses {
    units: &'static [Unit],
    held: BTreeMap<(Account, usize), Parcel>,
    pub notebook: Notebook,
}

impl Purses {
    pub fn new(units: &'static [Unit]) -> Self {
        Self { units, held: BTreeMap::new(), notebook: Notebook::default() }
    }

    pub fn of(&self, account: Account, asset: usize) -> Parcel {
        self.held.get(&(account, asset)).copied().unwrap_or_default()
    }

    pub fn put(&mut self, account: Account, asset: usize, parcel: Parcel) {
        self.held.entry((account, asset)).or_default().add(parcel);
    }

    pub fn take(&mut self, account: Account, asset: usize, amount: u128, meant: Meant) -> Parcel {
        self.held.entry((account, asset)).or_default().take(amount, meant)
    }

    /// Pays a fee, with own money as far as there is any.
    pub fn pay_fee(&mut self, account: Account, asset: usize, fee: u128) {
        let parcel = self.take(account, asset, fee, Meant::Own);
        self.rest(PlaceKind::Fee, None, asset, parcel, "fee");
    }

    /// Notes that a parcel came to rest.
    pub fn rest(
        &mut self,
        kind: PlaceKind,
        holder: Option<String>,
        asset: usize,
        parcel: Parcel,
        reason: &'static str,
    ) {
        self.notebook.rest(kind, holder, self.units[asset], (parcel.loot, parcel.origin), reason);
    }

    /// Notes a step.
    pub fn step(&mut self, what: (&'static str, &'static str), seconds: i64, asset: usize, parcel: Parcel, tx: String) {
        let (symbol, scale) = self.units[asset];
        let (kind, unseen) = what;
        let note = Note { seconds, kind, asset: symbol, scale, amount: parcel.total(), loot: parcel.loot, unseen };
        self.notebook.step(note, tx);
    }

    /// Closes the books: what is not spent is where it is.
    pub fn close(mut self, name: impl Fn(Account) -> String) -> Notebook {
        for ((account, asset), parcel) in std::mem::take(&mut self.held) {
            if parcel.loot > 0 || parcel.origin > 0 {
                self.rest(PlaceKind::Balance, Some(name(account)), asset, parcel, "unspent");
            }
        }
        self.notebook
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payments_follow_what_they_are_meant_to_be_and_origin_is_never_lost() {
        let mut purse = Parcel { loot: 70, origin: 7, own: 30 };
        let first = purse.take(80, Meant::Loot);
        assert_eq!(first, Parcel { loot: 70, origin: 7, own: 10 });
        let mut purse = Parcel { loot: 70, origin: 7, own: 30 };
        let first = purse.take(40, Meant::Own);
        assert_eq!(first, Parcel { loot: 10, origin: 1, own: 30 });
        assert_eq!(purse, Parcel { loot: 60, origin: 6, own: 0 });
        assert_eq!(Parcel { loot: 30, origin: 3, own: 10 }.converted(400), Parcel { loot: 300, origin: 3, own: 100 });
    }
}
