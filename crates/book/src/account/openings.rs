//! [`Openings`]: the opening balances of one commit, gathered in memory from the log.
//!
//! Balances on disk are relative to openings, so each end of each leg read asks for one. Most purses have none, and one
//! bit of memory a purse says so; for those that have, the totals stand together in the order of their purses, found
//! by counting bits. On disk the same answer takes two reads far apart.

use super::rows::OpeningRow;
use crate::column::{Column, Rows as _};
use crate::numbers::index;

/// Beyond this many purses with an opening (64 MiB), totals are read from the log each time.
const TOTALS_MAX: u64 = 4 << 20;
/// Bits in a line; with the count before them they fill a cache line.
const LINE_BITS: u64 = 7 * 64;

/// A cache line: how many bits are set before it, then its bits.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Line([u64; 8]);

/// What the log of one commit comes to.
#[derive(Debug, Default)]
pub(super) struct Openings {
    lines: Vec<Line>,
    /// The totals by rank of their purses; none where they are too many.
    totals: Vec<u128>,
}

/// An answer.
pub(super) enum Opening {
    /// The purse has this one, or nothing.
    Total(u128),
    /// It has one, which the log tells.
    Logged,
}

impl Openings {
    pub(super) fn gather(log: &Column, purses: u64) -> Self {
        let mut openings = Self { lines: vec![Line::default(); index(purses / LINE_BITS + 1)], totals: Vec::new() };
        let rows = || (0..log.rows()).map(|row| OpeningRow::of(log.words(row))).filter(|row| row.purse < purses);
        for row in rows() {
            let (line, word, bit) = place(row.purse);
            openings.lines[line].0[word] |= bit;
        }
        let mut before = 0;
        for line in &mut openings.lines {
            line.0[0] = before;
            before += line.0[1..].iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        }
        if before <= TOTALS_MAX {
            openings.totals = vec![0; index(before)];
            for row in rows() {
                let rank = openings.rank(row.purse);
                openings.totals[rank] = row.total;
            }
        }
        openings
    }

    #[inline]
    pub(super) fn of(&self, purse: u64) -> Opening {
        let (line, word, bit) = place(purse);
        if self.lines[line].0[word] & bit == 0 {
            return Opening::Total(0);
        }
        if self.totals.is_empty() { Opening::Logged } else { Opening::Total(self.totals[self.rank(purse)]) }
    }

    /// How many purses before this one have an opening.
    #[inline]
    fn rank(&self, purse: u64) -> usize {
        let (line, word, bit) = place(purse);
        let words = &self.lines[line].0;
        let before: u32 = words[1..word].iter().map(|word| word.count_ones()).sum();
        index(words[0] + u64::from(before + (words[word] & (bit - 1)).count_ones()))
    }
}

/// A purse's line, word and bit.
#[inline]
fn place(purse: u64) -> (usize, usize, u64) {
    let within = purse % LINE_BITS;
    (index(purse / LINE_BITS), 1 + index(within / 64), 1 << (within % 64))
}
