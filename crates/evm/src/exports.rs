//! Exported tables instead of a node: the layout of `blocks.csv`, `transactions.csv`, `traces.csv` and `logs.json` that
//! `docs/ethereum.md` shows, and the tables of ethereum-etl, as CSV or as one JSON object a line.
//!
//! Tables are read side by side, block by block: each must be in the order of blocks. Only transactions may be in any
//! order where their table is cut by hash, and are then all held in memory. What is missing shows as a gap. A chain's
//! blocks are not held against their hashes here: an export has seldom all of a header.

mod block;
mod rows;
mod table;

use std::fmt;
use std::io::Read;

use decode::{DecodeError, Fault};

use crate::assemble::Assembler;
use crate::chain::Chain;
use crate::material::{Decoded, KeepEvents};
use crate::tokens::Tokens;
use block::Group;
use rows::{BlockRow, Grouped, LogRow, ReceiptRow, TraceRow, TransactionRow};
use table::Table;

pub use table::ROWS_HELD_MAX;

/// Which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableName {
    /// Headers.
    Blocks,
    /// Transactions.
    Transactions,
    /// Receipts, without their logs.
    Receipts,
    /// Logs.
    Logs,
    /// Traces, genesis and rewards among them.
    Traces,
}

impl TableName {
    /// The table's name, as files are called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Transactions => "transactions",
            Self::Receipts => "receipts",
            Self::Logs => "logs",
            Self::Traces => "traces",
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The tables of an export. Only headers must be there.
#[derive(Debug)]
pub struct Tables<R> {
    /// Headers.
    pub blocks: R,
    /// Transactions.
    pub transactions: Option<R>,
    /// Receipts.
    pub receipts: Option<R>,
    /// Logs.
    pub logs: Option<R>,
    /// Traces.
    pub traces: Option<R>,
}

/// What is wrong with an export, and in which table.
#[derive(Debug)]
pub struct ExportFault {
    /// The table.
    pub table: TableName,
    /// What is wrong, with its place.
    pub error: DecodeError,
}

impl fmt::Display for ExportFault {
    /// `TABLE:LINE:COLUMN: what; help`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            DecodeError::Fault(fault) => f.write_str(&fault.in_file(self.table.name())),
            DecodeError::Read(_) => write!(f, "{}: {}", self.table, self.error),
        }
    }
}

impl std::error::Error for ExportFault {}

impl ExportFault {
    pub(crate) fn of(table: TableName) -> impl Fn(DecodeError) -> Self {
        move |error| Self { table, error }
    }
}

/// The blocks of an export, ascending. After an error there is nothing more.
pub struct Exports<'a, R> {
    chain: &'a Chain,
    tokens: &'a Tokens,
    keep: &'a KeepEvents,
    blocks: Grouped<R, BlockRow>,
    transactions: Option<Grouped<R, TransactionRow>>,
    receipts: Option<Grouped<R, ReceiptRow>>,
    logs: Option<Grouped<R, LogRow>>,
    traces: Option<Grouped<R, TraceRow>>,
    ended: bool,
}

impl<'a, R: Read> Exports<'a, R> {
    /// Opens tables: their columns are read and held against what is known of such exports.
    pub fn new(
        chain: &'a Chain,
        tokens: &'a Tokens,
        keep: &'a KeepEvents,
        tables: Tables<R>,
    ) -> Result<Self, ExportFault> {
        let open = Table::open;
        let table = |name: TableName, reader: Option<R>| reader.map(|reader| open(name, reader)).transpose();
        Ok(Self {
            chain,
            tokens,
            keep,
            blocks: Grouped::new(open(TableName::Blocks, tables.blocks)?)?,
            transactions: table(TableName::Transactions, tables.transactions)?.map(Grouped::new).transpose()?,
            receipts: table(TableName::Receipts, tables.receipts)?.map(Grouped::new).transpose()?,
            logs: table(TableName::Logs, tables.logs)?.map(Grouped::new).transpose()?,
            traces: table(TableName::Traces, tables.traces)?.map(Grouped::new).transpose()?,
            ended: false,
        })
    }

    fn read(&mut self) -> Result<Option<Decoded>, ExportFault> {
        // What a chain began with stands in traces alone.
        let genesis = match (&self.traces, self.blocks.next_number()) {
            (Some(traces), first) if traces.next_number() == Some(0) && first != Some(0) => {
                let header = BlockRow::genesis(self.chain).ok_or_else(|| ExportFault {
                    table: TableName::Blocks,
                    error: Fault::whole("block 0 is not there, and traces has what it allots", "add its row").into(),
                })?;
                Some(header)
            }
            _ => None,
        };
        let header = match genesis {
            Some(header) => header,
            None => match self.blocks.next_row()? {
                Some(header) => header,
                None => return self.finish(),
            },
        };
        let number = header.number;
        if self.blocks.next_number() == Some(number) {
            return Err(self.blocks.fault(format!("block {number} stands twice")));
        }
        let group = Group {
            transactions: take(&mut self.transactions, number)?,
            receipts: take(&mut self.receipts, number)?,
            logs: take(&mut self.logs, number)?,
            traces: take(&mut self.traces, number)?,
            header,
        };
        group.deed(Assembler::new(self.chain, self.tokens), self.keep).map(Some)
    }

    /// Rows that are left over are of blocks that are not there.
    fn finish(&mut self) -> Result<Option<Decoded>, ExportFault> {
        take(&mut self.transactions, u64::MAX)?;
        take(&mut self.receipts, u64::MAX)?;
        take(&mut self.logs, u64::MAX)?;
        take(&mut self.traces, u64::MAX)?;
        Ok(None)
    }
}

/// The rows of a block; `None` where there is no such table.
fn take<R: Read, T: rows::Row>(table: &mut Option<Grouped<R, T>>, number: u64) -> Result<Option<Vec<T>>, ExportFault> {
    table.as_mut().map(|table| table.take(number)).transpose()
}

impl<R: Read> Iterator for Exports<'_, R> {
    type Item = Result<Decoded, ExportFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.read();
        self.ended = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}
