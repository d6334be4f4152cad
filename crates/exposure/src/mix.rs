//! [`Mixer`]: what comes of money of several kinds in one transaction, exactly, and rounded down once.
//!
//! Weights are the values of the inputs in base units. A sum of 2^24 of them, each below 2^64, times a share fits 128 bits,
//! so that no sum is rounded; where all fits 64 bits, the division is a short one.

use ledger::HolderId;

use crate::category::{CATEGORIES_MAX, COINJOIN, Category, Facts, places};
use crate::record::{Header, Record};
use crate::vector::{ONE, Vector};

/// Who holds an input, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody of a category: the money is what it was before.
    Plain,
    /// Somebody of a category; what touched the money before still did.
    Passes(Category),
    /// A custodian: the money is of its category and of nothing else.
    Resets(Category),
}

impl Standing {
    #[inline]
    pub(crate) fn of<F: Facts + ?Sized>(facts: &F, holder: HolderId) -> Self {
        match facts.category(holder).filter(|category| category.index().is_some()) {
            None => Self::Plain,
            Some(category) if facts.resets_poison(holder) => Self::Resets(category),
            Some(category) => Self::Passes(category),
        }
    }

    #[inline]
    pub(crate) const fn category(self) -> Option<Category> {
        match self {
            Self::Plain => None,
            Self::Passes(category) | Self::Resets(category) => Some(category),
        }
    }

    #[inline]
    pub(crate) const fn resets(self) -> bool {
        matches!(self, Self::Resets(_))
    }

    /// What touched the money of this holder, if `before` touched it before.
    #[inline]
    pub(crate) const fn poison(self, before: u16) -> u16 {
        match self {
            Self::Plain => before,
            Self::Passes(category) => before | category.bit(),
            Self::Resets(category) => category.bit(),
        }
    }
}

/// Sums up the inputs of one transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mixer {
    /// By category, value times share in parts of [`ONE`].
    sums: [u128; CATEGORIES_MAX],
    /// The categories with a sum.
    summed: u16,
    total: u128,
    poison: u16,
    firsts: [u128; CATEGORIES_MAX],
    /// The categories with an amount that leaves first.
    first: u16,
}

impl Mixer {
    pub(crate) fn clear(&mut self) {
        for place in places(self.summed) {
            self.sums[place] = 0;
        }
        for place in places(self.first) {
            self.firsts[place] = 0;
        }
        (self.summed, self.total, self.poison, self.first) = (0, 0, 0, 0);
    }

    /// Money of one category.
    #[inline]
    pub(crate) fn add_unit(&mut self, category: Category, value: u64) {
        let Some(place) = category.index() else { return };
        self.sums[place] += u128::from(value) << ONE.trailing_zeros();
        self.summed |= category.bit();
        self.total += u128::from(value);
    }

    /// Money of the kind of a record, given by its rows.
    #[inline]
    pub(crate) fn add_record(&mut self, rows: &[u64], value: u64) {
        let header = Header(rows[0]);
        self.total += u128::from(value);
        self.summed |= header.shares();
        let value = u128::from(value);
        if header.is_whole() {
            self.sums[header.shares().trailing_zeros() as usize] += value << ONE.trailing_zeros();
            return;
        }
        for (nth, place) in places(header.shares()).enumerate() {
            let share = rows[1 + nth / 2] >> (32 * (nth % 2)) & u64::from(u32::MAX);
            self.sums[place] += value * u128::from(share);
        }
    }

    /// Money of the kind of a vector.
    pub(crate) fn add_vector(&mut self, vector: &Vector, value: u64) {
        self.total += u128::from(value);
        for (place, share) in vector.shares.iter().enumerate().filter(|(_, share)| **share > 0) {
            self.sums[place] += u128::from(value) * u128::from(*share);
            self.summed |= 1 << place;
        }
    }

    #[inline]
    pub(crate) fn touch(&mut self, poison: u16) {
        self.poison |= poison;
    }

    #[inline]
    pub(crate) fn add_first(&mut self, place: usize, amount: u64) {
        self.firsts[place] += u128::from(amount);
        self.first |= 1 << place;
    }

    /// Sets an amount that leaves first, whatever was added to it.
    pub(crate) fn set_first(&mut self, place: usize, amount: u64) {
        self.firsts[place] = u128::from(amount);
        self.first |= 1 << place;
    }

    /// By category, the sum of value times share in parts of [`ONE`].
    pub(crate) const fn sums(&self) -> &[u128; CATEGORIES_MAX] {
        &self.sums
    }

    /// The record of the transaction whose inputs were added.
    pub(crate) fn record(&self) -> Record {
        let mut shares = [0; CATEGORIES_MAX];
        for place in places(self.summed) {
            shares[place] = quotient(self.sums[place], self.total);
        }
        self.with(shares)
    }

    /// The record of a join of what was added.
    pub(crate) fn joined(&self) -> Record {
        let Record { mut vector, firsts } = self.with(Vector::unit(COINJOIN).shares);
        vector.poison |= COINJOIN.bit();
        Record { vector, firsts }
    }

    fn with(&self, shares: [u32; CATEGORIES_MAX]) -> Record {
        let mut record = Record { vector: Vector { shares, poison: self.poison }, firsts: [0; CATEGORIES_MAX] };
        for place in places(self.first) {
            record.firsts[place] = u64::try_from(self.firsts[place]).unwrap_or(u64::MAX);
        }
        record
    }
}

/// A sum over the total, rounded down; at most [`ONE`], because no sum is more than the total times it.
#[inline]
fn quotient(sum: u128, total: u128) -> u32 {
    let share = match (u64::try_from(sum), u64::try_from(total)) {
        (Ok(sum), Ok(total)) => sum.checked_div(total).unwrap_or(0),
        _ => sum.checked_div(total).and_then(|share| u64::try_from(share).ok()).unwrap_or(0),
    };
    u32::try_from(share).unwrap_or(ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_sums_fit_and_add_up() {
        let mut mixer = Mixer::default();
        for _ in 0..1u32 << 10 {
            mixer.add_unit(Category(3), u64::MAX);
            mixer.add_record(&[Header::unit(Category(4)).0], u64::MAX);
        }
        let vector = mixer.record().vector;
        assert_eq!((vector.share(Category(3)), vector.share(Category(4)), vector.truncated()), (ONE / 2, ONE / 2, 0));
        mixer.clear();
        mixer.add_unit(Category(5), 1);
        mixer.add_unit(Category(6), 2);
        let vector = mixer.record().vector;
        assert_eq!(
            (vector.share(Category(5)), vector.share(Category(6)), vector.truncated()),
            (ONE / 3, 1_431_655_765, 1)
        );
        assert_eq!(vector.share(Category(3)), 0);
    }
}
