//! [`Vector`]: of what the money in a transaction's outputs is made, in fixed point.

use ledger::Seq;

use crate::category::{CATEGORIES_MAX, Category};

/// A share of everything.
pub const ONE: u32 = 1 << 31;

/// Shares of a whole by category, each rounded down, and the categories that ever touched the money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vector {
    /// By category, in parts of [`ONE`]. They add up to [`ONE`] at most.
    pub shares: [u32; CATEGORIES_MAX],
    /// A bit for each category that any of the money ever passed since it last left a custodian.
    pub poison: u16,
}

impl Vector {
    /// Money of one category.
    pub fn unit(category: Category) -> Self {
        let mut shares = [0; CATEGORIES_MAX];
        if let Some(share) = category.index().and_then(|index| shares.get_mut(index)) {
            *share = ONE;
        }
        Self { shares, poison: category.bit() }
    }

    /// The share of a category, rounded down: the true one lies in `[share, share + truncated]`.
    pub fn share(&self, category: Category) -> u32 {
        category.index().map_or(0, |index| self.shares[index])
    }

    /// What rounding lost: what is missing to [`ONE`].
    pub fn truncated(&self) -> u32 {
        let sum: u64 = self.shares.iter().map(|share| u64::from(*share)).sum();
        ONE.saturating_sub(u32::try_from(sum).unwrap_or(ONE))
    }

    /// Whether a category ever touched the money, however little of it.
    pub fn is_touched_by(&self, category: Category) -> bool {
        self.poison & category.bit() != 0
    }
}

/// Whoever knows the vectors of a chain's transactions: [`crate::Exposure`] in memory, or what a book keeps of it.
pub trait Vectors {
    /// The vector of a transaction's outputs; of one that has not been streamed, money of unknown origin.
    fn vector(&self, seq: Seq) -> Vector;
}
