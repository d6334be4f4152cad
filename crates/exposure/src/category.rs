//! [`Category`]: what kind of holder money came from, and [`Facts`]: who says which holder is of which.
//!
//! The words for the categories, and which tags make a holder of one, are the caller's.

use ledger::{HolderId, Seq};

/// How many categories there can be.
pub const CATEGORIES_MAX: usize = 16;
/// The same, as numbers of records begin: after the units.
pub(crate) const UNITS: u32 = 16;

/// A category, by its place in the caller's list; the first three are fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Category(pub u8);

/// Money of which the ledger does not tell where it came from.
pub const UNKNOWN: Category = Category(0);
/// Money that a miner made, and the fees that it took with it: fees are not followed.
pub const MINED: Category = Category(1);
/// Money out of a transaction that several parties made together.
pub const COINJOIN: Category = Category(2);

impl Category {
    /// All of them, in order.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        (0..16).map(Self)
    }

    /// Its place, if there is such a category.
    #[inline]
    pub fn index(self) -> Option<usize> {
        Some(usize::from(self.0)).filter(|index| *index < CATEGORIES_MAX)
    }

    /// Its bit in a set of categories; no bit where there is no such category.
    #[inline]
    pub const fn bit(self) -> u16 {
        if (self.0 as usize) < CATEGORIES_MAX { 1 << self.0 } else { 0 }
    }
}

/// What is known about holders and transactions. It must not change while a chain is streamed; what changes between two
/// streams is told to [`crate::Exposure::correct`].
pub trait Facts {
    /// The category of a holder, by its own tag or its cluster's; a category that there is not counts as none.
    fn category(&self, holder: HolderId) -> Option<Category>;
    /// Whether a holder mixes its customers' money out of sight (a custodial service), so that nothing that touched the
    /// money before is said of what it pays. Asked only of holders with a category.
    fn resets_poison(&self, holder: HolderId) -> bool;
    /// Whether a transaction is a recognised join.
    fn is_join(&self, seq: Seq) -> bool;
    /// Whether a category is a risk: taint-first-out amounts are kept for risks only. Unknown and mined never are.
    fn is_risk(&self, category: Category) -> bool;
}

/// The set of risks, as bits.
pub(crate) fn risks(facts: &(impl Facts + ?Sized)) -> u16 {
    let is_risk = |category: &Category| ![UNKNOWN, MINED].contains(category) && facts.is_risk(*category);
    Category::all().filter(is_risk).map(Category::bit).sum()
}

/// The places of the bits of a set, lowest first.
#[inline]
pub(crate) fn places(mut set: u16) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = (set != 0).then(|| set.trailing_zeros() as usize);
        set &= set.wrapping_sub(1);
        place
    })
}
