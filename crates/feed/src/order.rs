//! Rows that do not come in order: brought into the order of transactions by two external sorts.
//!
//! The order (FORMATS, "ledger table"): rows of the same `tx` are one transaction wherever they stand, in file order;
//! transactions are ordered by time, then by file order of their first row. The first sort gathers the rows of each
//! transaction and finds its first row, the second brings the transactions into their order.

use std::path::Path;

use decode::Fault;
use decode::table::Row;
use ledger::{AccountLeg, AccountTransaction, LegKind, Time};
use money::Amount;

use crate::error::FeedError;
use crate::spill::{Sorted, Sorter};
use crate::survey::{LEGS_MAX, other_time, too_many_rows};

/// One row, ready to be pushed: its ledger by number, amounts in base units.
pub(crate) struct Ready {
    pub ledger: u32,
    pub line: u64,
    pub tx: String,
    pub time: Time,
    pub leg: AccountLeg,
}

impl Ready {
    pub fn new(row: Row, ledger: u32, amount: Amount, fee: Amount) -> Self {
        let leg = AccountLeg { from: row.from, to: row.to, asset: row.asset, amount, fee, kind: LegKind::Transfer };
        Self { ledger, line: row.line, tx: row.tx, time: row.time, leg }
    }
}

/// Takes rows in file order, gives them back by transaction.
pub(crate) struct Gatherer {
    by_transaction: Sorter,
    rows: u64,
}

impl Gatherer {
    pub fn new(spool: &Path, run_bytes_max: usize) -> Self {
        Self { by_transaction: Sorter::new(spool, run_bytes_max), rows: 0 }
    }

    pub fn push(&mut self, row: &Ready) -> Result<(), FeedError> {
        let mut record = Vec::with_capacity(300);
        record.extend_from_slice(&row.ledger.to_be_bytes());
        // Ids hold no control characters, so a zero ends them and sorts before everything.
        record.extend_from_slice(row.tx.as_bytes());
        record.push(0);
        record.extend_from_slice(&self.rows.to_be_bytes());
        write_row(&mut record, row);
        self.rows += 1;
        self.by_transaction.push(&record)
    }

    /// Sorts everything. An id at two times, or with too many rows, is found here, before anything is pushed.
    pub fn finish(self, file: &str, spool: &Path, run_bytes_max: usize) -> Result<Ordered, FeedError> {
        let mut by_time = Sorter::new(spool, run_bytes_max);
        let mut gathered = self.by_transaction.finish()?;
        let mut current: Option<First> = None;
        while let Some(record) = gathered.next_record()? {
            let key = 5 + record[4..].iter().position(|byte| *byte == 0).expect("a zero ends the id");
            let number: [u8; 8] = record[key..key + 8].try_into().expect("eight bytes are eight bytes");
            let row = read_row(&record, key);
            let first = match current.as_mut().filter(|first| first.key == record[..key]) {
                Some(first) => first,
                None => current.insert(First {
                    key: record[..key].to_vec(),
                    number,
                    line: row.line,
                    time: row.time,
                    rows: 0,
                }),
            };
            first.take(&row).map_err(|fault| FeedError::fault(file, fault))?;
            let mut record_by_time = Vec::with_capacity(record.len() + 24);
            record_by_time.extend_from_slice(&record[..4]);
            record_by_time.extend_from_slice(&sortable(row.time).to_be_bytes());
            record_by_time.extend_from_slice(&first.number);
            record_by_time.extend_from_slice(&number);
            record_by_time.extend_from_slice(&record[4..key]);
            record_by_time.extend_from_slice(&record[key + 8..]);
            by_time.push(&record_by_time)?;
        }
        Ok(Ordered { rows: by_time.finish()? })
    }
}

/// The first row of the transaction that is being gathered.
struct First {
    /// Its ledger and id.
    key: Vec<u8>,
    /// Its place in the file.
    number: [u8; 8],
    line: u64,
    time: Time,
    /// How many rows have been seen.
    rows: u64,
}

impl First {
    fn take(&mut self, row: &Ready) -> Result<(), Fault> {
        self.rows += 1;
        if self.time != row.time {
            return Err(other_time(row.line, &row.tx, row.time, self.line, self.time));
        }
        if self.rows > LEGS_MAX { Err(too_many_rows(row.line, &row.tx)) } else { Ok(()) }
    }
}

/// Rows by ledger, time, transaction.
pub(crate) struct Ordered {
    rows: Sorted,
}

impl Ordered {
    pub fn next_row(&mut self) -> Result<Option<Ready>, FeedError> {
        let Some(record) = self.rows.next_record()? else { return Ok(None) };
        // Ledger, time, first row, row: then the id and the rest as the first sort had them.
        let mut plain = record[..4].to_vec();
        plain.extend_from_slice(&record[28..]);
        let id = 5 + plain[4..].iter().position(|byte| *byte == 0).expect("a zero ends the id");
        plain.splice(id..id, [0; 8]);
        Ok(Some(read_row(&plain, id)))
    }
}

/// Times from before 1970 sort first.
fn sortable(time: Time) -> u64 {
    time.micros().cast_unsigned() ^ (1 << 63)
}

fn write_row(record: &mut Vec<u8>, row: &Ready) {
    record.extend_from_slice(&row.line.to_be_bytes());
    record.extend_from_slice(&row.time.micros().to_be_bytes());
    record.extend_from_slice(&row.leg.amount.units().to_be_bytes());
    record.extend_from_slice(&row.leg.fee.units().to_be_bytes());
    for name in [row.leg.from.as_deref(), row.leg.to.as_deref(), Some(&*row.leg.asset)] {
        // No name is empty, so nothing is nobody.
        let name = name.unwrap_or_default();
        let length = u16::try_from(name.len()).expect("decoders limit names to some hundred bytes");
        record.extend_from_slice(&length.to_be_bytes());
        record.extend_from_slice(name.as_bytes());
    }
}

/// Reads a record of the first sort, whose id ends before `key`.
fn read_row(record: &[u8], key: usize) -> Ready {
    let mut rest = &record[key + 8..];
    let ledger = u32::from_be_bytes(record[..4].try_into().expect("four bytes"));
    let tx = text(&record[4..key - 1]);
    let line = u64::from_be_bytes(take(&mut rest));
    let time = Time::from_micros(i64::from_be_bytes(take(&mut rest)));
    let amount = Amount::new(u128::from_be_bytes(take(&mut rest)));
    let fee = Amount::new(u128::from_be_bytes(take(&mut rest)));
    let mut name = || {
        let length = usize::from(u16::from_be_bytes(take(&mut rest)));
        let (name, after) = rest.split_at(length);
        rest = after;
        text(name)
    };
    let (from, to, asset) = (name(), name(), name());
    let end = |name: String| (!name.is_empty()).then_some(name);
    Ready {
        ledger,
        line,
        tx,
        time,
        leg: AccountLeg { from: end(from), to: end(to), asset, amount, fee, kind: LegKind::Transfer },
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (head, rest) = bytes.split_first_chunk::<N>().expect("a record holds what was written");
    *bytes = rest;
    *head
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("a record holds the text that was written")
}

/// Puts rows that come in order together to transactions.
#[derive(Default)]
pub(crate) struct Assembler {
    current: Option<(u64, AccountTransaction)>,
}

impl Assembler {
    /// Takes a row; gives back the transaction that is complete now, and the line that it began on.
    pub fn take(&mut self, row: Ready) -> Option<(u64, AccountTransaction)> {
        if let Some((_, transaction)) = self.current.as_mut().filter(|(_, current)| current.name == row.tx) {
            transaction.legs.push(row.leg);
            return None;
        }
        let fresh = AccountTransaction { name: row.tx, time: row.time, legs: vec![row.leg] };
        self.current.replace((row.line, fresh))
    }

    /// The last transaction.
    pub fn finish(self) -> Option<(u64, AccountTransaction)> {
        self.current
    }
}
