//! [`Inquiry`]: what a question about holders or transactions is answered from, and [`Split`]: an amount by category, told
//! apart by whether it came from such a holder at once or through others.

use ledger::{Coins, HolderId};

use crate::category::{CATEGORIES_MAX, Category, Facts};
use crate::vector::Vectors;

/// How far a search or a pass goes for one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many transactions are visited.
    pub transactions: u64,
    /// How many of their inputs and outputs are read.
    pub ends: u64,
}

/// The limits unless others are set.
pub const LIMITS: Limits = Limits { transactions: 20_000, ends: 200_000 };

/// A ledger, what is known about its holders, and its transactions' vectors.
#[derive(Debug)]
pub struct Inquiry<'a, C: ?Sized, F: ?Sized, V: ?Sized> {
    pub(crate) coins: &'a C,
    pub(crate) facts: &'a F,
    pub(crate) vectors: &'a V,
    pub(crate) limits: Limits,
}

impl<'a, C, F, V> Inquiry<'a, C, F, V>
where
    C: Coins + ?Sized,
    F: Facts + ?Sized,
    V: Vectors + ?Sized,
{
    /// Asks these, within [`LIMITS`].
    pub fn new(coins: &'a C, facts: &'a F, vectors: &'a V) -> Self {
        Self { coins, facts, vectors, limits: LIMITS }
    }

    /// The same within other limits.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The category of a holder that there is.
    pub(crate) fn category(&self, holder: HolderId) -> Option<Category> {
        self.facts.category(holder).filter(|category| category.index().is_some())
    }
}

/// An amount in base units, by where it came from or went. The parts add up to the whole exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// By category: from, or to, a holder of it at once.
    pub direct: [u128; CATEGORIES_MAX],
    /// By category: through holders of none.
    pub indirect: [u128; CATEGORIES_MAX],
    /// From, or to, the very holders that were asked about.
    pub own: u128,
    /// What rounding took from the parts above: the true amount of a category lies within so much above what is said.
    pub truncated: u128,
}

impl Split {
    /// The sum of all parts.
    pub fn total(&self) -> u128 {
        self.direct.iter().chain(&self.indirect).sum::<u128>() + self.own + self.truncated
    }

    /// Direct and indirect together.
    pub fn of(&self, category: Category) -> u128 {
        category.index().map_or(0, |index| self.direct[index] + self.indirect[index])
    }

    /// Takes in another amount's parts.
    pub fn add(&mut self, other: &Self) {
        for (own, other) in self.direct.iter_mut().zip(other.direct).chain(self.indirect.iter_mut().zip(other.indirect))
        {
            *own += other;
        }
        self.own += other.own;
        self.truncated += other.truncated;
    }
}

/// Puts money where its category says; of a category that there is not, nowhere.
pub(crate) fn put(parts: &mut [u128; CATEGORIES_MAX], category: Category, amount: u128) {
    if let Some(part) = category.index().and_then(|index| parts.get_mut(index)) {
        *part += amount;
    }
}

/// `value × part ÷ whole`, rounded down; `part` is not above `whole`. Where the product has more than 128 bits, which takes
/// millions of bitcoin in one transaction, it may be less than that, and never more.
pub(crate) fn portion(value: u128, part: u128, whole: u128) -> u128 {
    if part == whole {
        return value;
    }
    if let Some(product) = value.checked_mul(part) {
        return product.checked_div(whole).unwrap_or(0);
    }
    let excess = (128 - whole.leading_zeros()).saturating_sub(64);
    let (part, whole) = (part >> excess, (whole >> excess) + u128::from(excess > 0));
    value.checked_mul(part).and_then(|product| product.checked_div(whole)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::portion;

    #[test]
    fn a_portion_is_exact_where_it_fits_and_never_too_much() {
        assert_eq!(portion(10, 1, 3), 3);
        assert_eq!(portion(0, 0, 0), 0);
        assert_eq!(
            portion(u128::from(u64::MAX), u128::from(u64::MAX - 1), u128::from(u64::MAX)),
            u128::from(u64::MAX - 1)
        );
        let (whole, half) = (1u128 << 80, 1 << 79);
        assert!((1 << 40) - 1 <= portion(1 << 41, half, whole) && portion(1 << 41, half, whole) <= 1 << 40);
        assert_eq!(portion(1 << 41, whole, whole), 1 << 41);
    }
}
