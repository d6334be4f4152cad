//! [`Record`]: what is kept about a transaction, and how it lies in rows of eight bytes.
//!
//! | row | holds |
//! |---|---|
//! | first | bits 0–15: categories with a share; 16–31: categories that touched it; 32–47: categories with a first-out amount; 48: the one share is the whole and not written |
//! | then | the shares, 4 bytes each, two a row, lowest category first, the last row filled up with 0 |
//! | then | the first-out amounts, a row each, lowest category first |
//!
//! Most vectors have few categories, so that a record takes 8 to 32 bytes where all shares would take 66.

use ledger::{Coin, Coins, Seq};

use crate::category::{CATEGORIES_MAX, Category, places};
use crate::vector::{ONE, Vector};

/// The most rows that a record takes.
pub const RECORD_ROWS_MAX: usize = 1 + CATEGORIES_MAX / 2 + CATEGORIES_MAX;

/// What is kept about a transaction: of what its outputs are made, and how much of them is tainted if taint leaves first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Shares and poison.
    pub vector: Vector,
    /// By category of risk, how much tainted money all outputs and the fee hold together, in base units. Taint leaves
    /// first: the first output takes what it can, then the next.
    pub firsts: [u64; CATEGORIES_MAX],
}

/// The first row of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header(pub(crate) u64);

const WHOLE: u64 = 1 << 48;

impl Header {
    pub(crate) const fn unit(category: Category) -> Self {
        let bit = category.bit() as u64;
        Self(bit | bit << 16 | WHOLE)
    }

    #[inline]
    pub(crate) const fn shares(self) -> u16 {
        (self.0 & 0xffff) as u16
    }

    #[inline]
    pub(crate) const fn poison(self) -> u16 {
        (self.0 >> 16 & 0xffff) as u16
    }

    #[inline]
    pub(crate) const fn firsts(self) -> u16 {
        (self.0 >> 32 & 0xffff) as u16
    }

    #[inline]
    pub(crate) const fn is_whole(self) -> bool {
        self.0 & WHOLE != 0
    }

    /// How many rows hold shares.
    #[inline]
    pub(crate) const fn share_rows(self) -> usize {
        if self.is_whole() { 0 } else { self.shares().count_ones().div_ceil(2) as usize }
    }

    /// How many rows the record has.
    #[inline]
    pub(crate) const fn rows(self) -> usize {
        1 + self.share_rows() + self.firsts().count_ones() as usize
    }

    /// Whether no record can begin otherwise.
    const fn is_sound(self) -> bool {
        let inside = (self.shares() | self.firsts()) & !self.poison() == 0;
        self.0 >> 49 == 0 && inside && (!self.is_whole() || self.shares().is_power_of_two())
    }
}

impl Record {
    /// The record with number `id`, from whoever can read a row of the pool by number. Rows that are not there are read
    /// as 0; [`crate::Exposure::of_parts`] finds what is damaged.
    pub fn read(id: u32, row: impl Fn(u64) -> u64) -> Self {
        let first = u64::from(id);
        let header = Header(row(first));
        let mut record = Self { vector: Vector { poison: header.poison(), ..Vector::default() }, ..Self::default() };
        for (nth, place) in (0u64..).zip(places(header.shares())) {
            let pair = if header.is_whole() { u64::from(ONE) } else { row(first + 1 + nth / 2) };
            let share = if nth % 2 == 1 { pair >> 32 } else { pair & u64::from(u32::MAX) };
            record.vector.shares[place] = u32::try_from(share).expect("32 bits of 64");
        }
        let amounts = first + 1 + header.share_rows() as u64;
        for (row_at, place) in (amounts..).zip(places(header.firsts())) {
            record.firsts[place] = row(row_at);
        }
        record
    }

    /// Its rows, and how many they are.
    pub(crate) fn rows(&self) -> ([u64; RECORD_ROWS_MAX], usize) {
        let mut rows = [0; RECORD_ROWS_MAX];
        let set = |is_in: &dyn Fn(usize) -> bool| -> u64 {
            (0..CATEGORIES_MAX).filter(|place| is_in(*place)).map(|place| 1 << place).sum()
        };
        let shares = set(&|place| self.vector.shares[place] > 0);
        let firsts = set(&|place| self.firsts[place] > 0);
        let is_whole = self.vector.shares.contains(&ONE);
        rows[0] = shares | u64::from(self.vector.poison) << 16 | firsts << 32 | if is_whole { WHOLE } else { 0 };
        let header = Header(rows[0]);
        if !is_whole {
            for (nth, place) in places(header.shares()).enumerate() {
                rows[1 + nth / 2] |= u64::from(self.vector.shares[place]) << (32 * (nth % 2));
            }
        }
        for (at, place) in (1 + header.share_rows()..).zip(places(header.firsts())) {
            rows[at] = self.firsts[place];
        }
        (rows, header.rows())
    }

    /// How many rows the record at the start of `rows` takes; `None` where there is none, or it is not in the one form
    /// that such a record has.
    pub(crate) fn checked(rows: &[u64]) -> Option<usize> {
        let header = Header(*rows.first()?);
        let length = header.rows();
        if !header.is_sound() || rows.len() < length {
            return None;
        }
        let record = Self::read(0, |row| usize::try_from(row).ok().and_then(|row| rows.get(row)).copied().unwrap_or(0));
        let sum: u64 = record.vector.shares.iter().map(|share| u64::from(*share)).sum();
        let (again, again_length) = record.rows();
        (sum <= u64::from(ONE) && again[..again_length] == rows[..length]).then_some(length)
    }

    /// How much of an output of this record's transaction is tainted, by category, if taint leaves first: outputs take it
    /// in their order, and the fee last. Only risks, and only what is above 0.
    pub fn first_out<C: Coins + ?Sized>(&self, coins: &C, maker: Seq, coin: Coin) -> Vec<(Category, u64)> {
        let mut made = Vec::new();
        coins.made(maker, &mut made);
        let before = value_before(&made, coin);
        let carried =
            Category::all().zip(self.firsts).map(|(category, first)| (category, carried(first, before, coin.value)));
        carried.filter(|(_, amount)| *amount > 0).collect()
    }
}

/// The value of the outputs before one, of all that its transaction made.
pub(crate) fn value_before(made: &[Coin], coin: Coin) -> u64 {
    made.iter().take_while(|other| other.purse < coin.purse).fold(0, |sum, other| sum.saturating_add(other.value))
}

/// What an output takes of an amount that leaves first, when outputs worth `before` stand before it.
#[inline]
pub(crate) fn carried(first: u64, before: u64, value: u64) -> u64 {
    first.saturating_sub(before).min(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records() -> impl Strategy<Value = Record> {
        let share = prop_oneof![3 => Just(0u32), 1 => 1..ONE / 16];
        let first = prop_oneof![4 => Just(0u64), 1 => 1..u64::MAX];
        let whole = prop::option::weighted(0.2, 0..16u8);
        (prop::array::uniform16(share), prop::array::uniform16(first), any::<u16>(), whole).prop_map(
            |(shares, firsts, poison, whole)| {
                let shares = whole.map_or(shares, |whole| Vector::unit(Category(whole)).shares);
                let set =
                    |is_in: &dyn Fn(usize) -> bool| (0..16).filter(|at| is_in(*at)).map(|at| 1u16 << at).sum::<u16>();
                let poison = poison | set(&|at| shares[at] > 0) | set(&|at| firsts[at] > 0);
                Record { vector: Vector { shares, poison }, firsts }
            },
        )
    }

    proptest! {
        #[test]
        fn a_record_comes_back_as_it_was_written(record in records(), damage in any::<(prop::sample::Index, u8)>()) {
            let (rows, length) = record.rows();
            let mut rows = rows[..length].to_vec();
            prop_assert_eq!(Record::checked(&rows), Some(length));
            prop_assert_eq!(Record::read(0, |row| rows[usize::try_from(row).unwrap()]), record);
            prop_assert_eq!(Record::checked(&rows[..length - 1]), None);
            // Whatever stands there instead, nothing panics, and what is taken for sound is the one form of its record.
            rows[damage.0.index(length)] ^= 1 << (damage.1 % 64);
            if let Some(length) = Record::checked(&rows) {
                let read = Record::read(0, |row| rows[usize::try_from(row).unwrap()]);
                prop_assert!(read.vector.shares.iter().map(|share| u64::from(*share)).sum::<u64>() <= u64::from(ONE));
                prop_assert_eq!(&read.rows().0[..length], &rows[..length]);
            }
        }
    }

    #[test]
    fn a_unit_is_one_row_and_its_number_is_its_category() {
        for category in Category::all() {
            let record = Record { vector: Vector::unit(category), ..Record::default() };
            let (rows, length) = record.rows();
            assert_eq!((rows[0], length), (Header::unit(category).0, 1));
        }
    }
}
