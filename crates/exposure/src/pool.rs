//! [`Pool`]: the distinct records of a chain, one after the other in rows of eight bytes; a record's number is its row.
//!
//! It is append-only, so that it can be kept as a column. Records that nothing refers to any more are left where they are
//! until the pool is compacted.

use std::fmt;

use crate::category::Category;
use crate::record::{Header, RECORD_ROWS_MAX, Record};

/// The most rows of a pool, 32 GiB of them: the numbers of records have 32 bits.
pub const POOL_ROWS_MAX: usize = 1 << 32;

/// How many recent records are remembered, so that an equal one is not written again.
const RECENT: usize = 1 << 12;

/// The pool has no room for another record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the vectors of this ledger take more than {POOL_ROWS_MAX} rows; compact them, or compute them anew")
    }
}

impl std::error::Error for Full {}

/// What was kept of an exposure is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damaged {
    /// No record begins at this row, or it is not sound.
    Row(u64),
    /// A transaction's number of a record is no record's.
    Transaction(u64),
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(row) => write!(f, "row {row} of the vectors is damaged; compute them anew"),
            Self::Transaction(seq) => write!(f, "transaction {seq} has no vector; compute them anew"),
        }
    }
}

impl std::error::Error for Damaged {}

#[derive(Clone, Debug)]
pub(crate) struct Pool {
    rows: Vec<u64>,
    /// By hash, the number of a record that was written lately; 0 is no record of interest.
    recent: Vec<u32>,
}

impl Pool {
    /// The pool that every pool begins as: the unit of each category.
    pub(crate) fn new() -> Self {
        Self { rows: Category::all().map(|category| Header::unit(category).0).collect(), recent: vec![0; RECENT] }
    }

    /// The pool of these rows, which must be sound.
    pub(crate) fn of_rows(rows: Vec<u64>) -> Self {
        Self { rows, recent: vec![0; RECENT] }
    }

    pub(crate) fn rows(&self) -> &[u64] {
        &self.rows
    }

    /// The first row of a record.
    #[inline]
    pub(crate) fn header(&self, id: u32) -> Header {
        Header(self.rows[id as usize])
    }

    /// The rows of a record.
    #[inline]
    pub(crate) fn record_rows(&self, id: u32) -> &[u64] {
        let first = id as usize;
        &self.rows[first..first + Header(self.rows[first]).rows()]
    }

    pub(crate) fn record(&self, id: u32) -> Record {
        let rows = self.record_rows(id);
        Record::read(0, |row| rows[usize::try_from(row).expect("a record has few rows")])
    }

    /// The number of a record: a unit's, a recent one's, or a new one's.
    pub(crate) fn put(&mut self, record: &Record) -> Result<u32, Full> {
        let (rows, length) = record.rows();
        let header = Header(rows[0]);
        if header.is_whole() && length == 1 && header.shares() == header.poison() {
            return Ok(header.shares().trailing_zeros());
        }
        let rows = &rows[..length];
        // Amounts that leave first are hardly ever the same twice.
        let slot = (header.firsts() == 0).then(|| hash(rows));
        if let Some(slot) = slot {
            let recent = self.recent[slot];
            if recent != 0 && self.record_rows(recent) == rows {
                return Ok(recent);
            }
        }
        if self.rows.len() + RECORD_ROWS_MAX > POOL_ROWS_MAX {
            return Err(Full);
        }
        let id = u32::try_from(self.rows.len()).expect("below the limit");
        self.rows.extend_from_slice(rows);
        if let Some(slot) = slot {
            self.recent[slot] = id;
        }
        Ok(id)
    }

    /// Writes a record of another pool, which is no unit.
    pub(crate) fn append(&mut self, rows: &[u64]) -> u32 {
        let id = u32::try_from(self.rows.len()).expect("the other pool was within the limit");
        self.rows.extend_from_slice(rows);
        id
    }

    /// Where records begin, a bit a row; the first row that is damaged otherwise.
    pub(crate) fn starts(rows: &[u64]) -> Result<Vec<u64>, Damaged> {
        let mut starts = vec![0; rows.len().div_ceil(64)];
        let is_unit = |(at, category): (usize, Category)| rows.get(at) == Some(&Header::unit(category).0);
        if let Some(damaged) = Category::all().enumerate().position(|unit| !is_unit(unit)) {
            return Err(Damaged::Row(damaged as u64));
        }
        let mut at = 0;
        while at < rows.len() {
            starts[at / 64] |= 1u64 << (at % 64);
            at += Record::checked(&rows[at..]).ok_or(Damaged::Row(at as u64))?;
        }
        Ok(starts)
    }
}

/// Where a record of these rows is remembered.
fn hash(rows: &[u64]) -> usize {
    let mixed = rows.iter().fold(0u64, |mixed, row| (mixed ^ row).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29));
    usize::try_from(mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - RECENT.trailing_zeros())).expect("12 bits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::Vector;

    #[test]
    fn records_that_are_remembered_in_one_place_are_not_taken_for_one_another() {
        let mut pool = Pool::new();
        let record = |share: u32| {
            let mut shares = [0; 16];
            (shares[3], shares[4]) = (share, 7);
            Record { vector: Vector { shares, poison: 0b1_1000 }, firsts: [0; 16] }
        };
        let count = 8 * u32::try_from(RECENT).unwrap();
        let ids: Vec<u32> = (1..count).map(|share| pool.put(&record(share)).unwrap()).collect();
        assert!((1..count).zip(&ids).all(|(share, id)| pool.record(*id) == record(share)));
        let rows = pool.rows().len();
        assert_eq!(pool.put(&record(count - 1)), Ok(*ids.last().unwrap()));
        assert_eq!(pool.rows().len(), rows, "what came last is remembered");
    }
}
