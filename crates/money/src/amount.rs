//! [`Amount`]: a non-negative whole number of base units, and the arithmetic that tracing needs.
//!
//! It is not a signed number (a balance that would go negative is an opening balance, not a debt) and it carries no
//! asset: the asset stands beside it, once per purse.

use ruint::aliases::U256;

/// A whole number of base units of some asset (satoshi, wei, cents).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount accepted from outside: 2^126 − 1, about 8.5 × 10^37. Two of them add without overflow in
    /// a signed 128-bit integer, so running balances cannot wrap.
    pub const MAX: Self = Self((1 << 126) - 1);

    /// An amount of `units` base units.
    pub const fn new(units: u128) -> Self {
        Self(units)
    }

    /// The number of base units.
    pub const fn units(self) -> u128 {
        self.0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or `None` past 128 bits.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or `None` where `other` is larger.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }

    /// The difference, or nothing where `other` is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self × part / whole`, rounded half to even: the share of `self` that falls to `part` out of `whole`.
    ///
    /// The product is formed in 256 bits, so nothing is lost before the division. A `whole` of nothing has no
    /// shares: the answer is nothing. The result saturates at 128 bits, which cannot happen for `part ≤ whole`.
    #[must_use]
    pub fn share(self, part: Self, whole: Self) -> Self {
        if whole.0 == 0 || part.0 == 0 || self.0 == 0 {
            return Self::ZERO;
        }
        if part.0 == whole.0 {
            return self;
        }
        match self.0.checked_mul(part.0) {
            // Most amounts fit 64 bits, and then a 128-bit product and a cheap division do.
            Some(product) => {
                let (quotient, rest) = match (u64::try_from(product), u64::try_from(whole.0)) {
                    (Ok(p), Ok(w)) => (u128::from(p / w), u128::from(p % w)),
                    _ => (product / whole.0, product % whole.0),
                };
                Self(half_even(quotient, rest, whole.0))
            }
            None => self.share_wide(part, whole),
        }
    }

    #[cold]
    fn share_wide(self, part: Self, whole: Self) -> Self {
        let product = U256::from(self.0) * U256::from(part.0);
        let (quotient, rest) = product.div_rem(U256::from(whole.0));
        match u128::try_from(quotient) {
            Ok(quotient) => {
                let rest = u128::try_from(rest).expect("a remainder is below its 128-bit divisor");
                Self(half_even(quotient, rest, whole.0))
            }
            Err(_) => Self(u128::MAX),
        }
    }
}

/// `quotient` plus one where `rest / whole` is above a half, or is a half and `quotient` is odd.
fn half_even(quotient: u128, rest: u128, whole: u128) -> u128 {
    let above = match rest.cmp(&(whole - rest)) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient % 2 == 1,
        std::cmp::Ordering::Less => false,
    };
    quotient + u128::from(above)
}

impl std::ops::Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl std::ops::AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl std::ops::Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl std::ops::SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, |sum, amount| sum + amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_round_half_to_even() {
        let share = |a, p, w| Amount::new(a).share(Amount::new(p), Amount::new(w)).units();
        assert_eq!(share(3, 1, 9), 0, "1/3 rounds down");
        assert_eq!(share(1, 1, 2), 0, "1/2 goes to the even 0");
        assert_eq!(share(3, 1, 2), 2, "3/2 goes to the even 2");
        assert_eq!(share(5, 1, 2), 2, "5/2 goes to the even 2");
        assert_eq!(share(7, 0, 0), 0);
        assert_eq!(share(7, 9, 9), 7);
    }

    #[test]
    fn wide_products_agree_with_narrow_ones() {
        let big = 1u128 << 100;
        assert_eq!(Amount::new(3 * big).share(Amount::new(big), Amount::new(6 * big)).units(), big / 2);
        assert_eq!(Amount::new(u128::MAX).share(Amount::new(3), Amount::new(3)).units(), u128::MAX);
        assert_eq!(
            Amount::new(u128::MAX).share(Amount::new(u128::MAX - 1), Amount::new(u128::MAX)).units(),
            u128::MAX - 1
        );
    }
}
