//! The rows of each table, and their grouping by block.

use std::collections::BTreeMap;
use std::io::Read;

use decode::Fault;
use ledger::Time;
use ruint::aliases::U256;

use super::table::{Column, Fields, ROWS_HELD_MAX, Table, needed, optional};
use super::{ExportFault, TableName};
use crate::answers::{Log, Topics};
use crate::chain::Chain;
use crate::trace::{Action, DEPTH_MAX};
use crate::words::{Address, AddressBytes, Data, Hash, HashBytes, Small, prefixed};

/// A row that belongs to a block.
pub trait Row: Sized {
    /// Reads the current row of a table.
    fn read(fields: &Fields<'_>) -> Result<Self, Fault>;
    /// The block's number.
    fn number(&self) -> u64;
}

const BLOCKS: &[Column] = &[
    needed(&["number", "blockId", "block_number"]),
    needed(&["hash", "blockHash", "block_hash"]),
    needed(&["parent_hash", "parentHash"]),
    needed(&["timestamp"]),
    needed(&["miner"]),
    optional(&["base_fee_per_gas", "baseFeePerGas"]),
    optional(&["transaction_count", "transactionCount"]),
    optional(&["logs_bloom", "logsBloom"]),
    optional(&["excess_blob_gas", "excessBlobGas"]),
];

const TRANSACTIONS: &[Column] = &[
    needed(&["block_number", "blockId"]),
    needed(&["hash", "txHash", "transaction_hash"]),
    needed(&["transaction_index", "transactionIndex"]),
    needed(&["from_address", "fromAddress"]),
    optional(&["to_address", "toAddress"]),
    needed(&["value"]),
    needed(&["gas"]),
    optional(&["gas_price", "gasPrice"]),
    optional(&["max_fee_per_gas"]),
    optional(&["max_priority_fee_per_gas"]),
    optional(&["receipt_gas_used", "receiptGasUsed"]),
    optional(&["receipt_status"]),
    optional(&["receipt_effective_gas_price"]),
    optional(&["block_hash", "blockHash"]),
];

const RECEIPTS: &[Column] = &[
    needed(&["block_number", "blockId"]),
    needed(&["transaction_hash", "txHash"]),
    needed(&["gas_used", "gasUsed"]),
    optional(&["effective_gas_price"]),
    optional(&["status"]),
    optional(&["contract_address"]),
    optional(&["l1_fee"]),
    optional(&["blob_gas_used"]),
    optional(&["blob_gas_price"]),
];

const LOGS: &[Column] = &[
    needed(&["block_number", "blockId"]),
    needed(&["transaction_hash", "txHash"]),
    needed(&["transaction_index", "transactionIndex"]),
    needed(&["log_index", "logIndex"]),
    needed(&["address"]),
    needed(&["data"]),
    needed(&["topics"]),
    needed(&["block_hash", "blockHash"]),
];

const TRACES: &[Column] = &[
    needed(&["block_number", "blockId"]),
    optional(&["transaction_hash", "txHash"]),
    optional(&["transaction_index"]),
    needed(&["trace_id", "traceId"]),
    optional(&["trace_type"]),
    optional(&["trace_address"]),
    optional(&["call_type", "callType"]),
    optional(&["from_address", "fromAddress"]),
    optional(&["to_address", "toAddress"]),
    optional(&["value"]),
    optional(&["status"]),
    optional(&["error"]),
    optional(&["traceIndex"]),
];

/// The columns of a table.
pub const fn columns(table: TableName) -> &'static [Column] {
    match table {
        TableName::Blocks => BLOCKS,
        TableName::Transactions => TRANSACTIONS,
        TableName::Receipts => RECEIPTS,
        TableName::Logs => LOGS,
        TableName::Traces => TRACES,
    }
}

/// A header.
pub struct BlockRow {
    pub number: u64,
    pub hash: HashBytes,
    pub parent: Option<HashBytes>,
    pub time: Time,
    pub miner: AddressBytes,
    pub base_fee: U256,
    pub transactions: Option<u64>,
    pub bloom: String,
    /// Headers have such a field since the Cancun upgrade.
    pub cancun: bool,
}

/// The genesis of Ethereum: its hash, and its time in seconds.
const GENESIS: (&str, i64) = ("0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3", 1_438_269_973);

impl BlockRow {
    /// Ethereum's first block, of which exports have allotments but often no header.
    pub fn genesis(chain: &Chain) -> Option<Self> {
        if chain.number != 1 {
            return None;
        }
        Some(Self {
            number: 0,
            hash: prefixed(GENESIS.0)?,
            parent: None,
            time: Time::from_seconds(GENESIS.1)?,
            miner: crate::words::ZERO,
            base_fee: U256::ZERO,
            transactions: Some(0),
            bloom: String::new(),
            cancun: false,
        })
    }
}

impl Row for BlockRow {
    fn read(fields: &Fields<'_>) -> Result<Self, Fault> {
        let number = fields.number(0)?;
        let time = match fields.text(3).parse().ok().and_then(Time::from_seconds) {
            Some(time) => time,
            None => Time::parse(fields.text(3)).map_err(|_| fields.fault(3, "no time"))?,
        };
        Ok(Self {
            number,
            hash: fields.hash(1)?,
            parent: if number == 0 { None } else { Some(fields.hash(2)?) },
            time,
            miner: fields.address(4)?,
            base_fee: fields.units_if(5)?.unwrap_or_default(),
            transactions: fields.number_if(6)?,
            bloom: fields.text(7).to_owned(),
            cancun: !fields.text(8).is_empty(),
        })
    }

    fn number(&self) -> u64 {
        self.number
    }
}

/// A transaction, as both layouts tell it.
pub struct TransactionRow {
    pub number: u64,
    pub hash: HashBytes,
    pub index: u64,
    pub from: AddressBytes,
    pub to: Option<AddressBytes>,
    pub value: U256,
    pub gas: u64,
    pub gas_price: Option<U256>,
    pub max_fee: Option<U256>,
    pub max_tip: Option<U256>,
    pub gas_used: Option<u64>,
    pub status: Option<u64>,
    pub effective_price: Option<U256>,
    pub block: Option<HashBytes>,
}

impl Row for TransactionRow {
    fn read(fields: &Fields<'_>) -> Result<Self, Fault> {
        Ok(Self {
            number: fields.number(0)?,
            hash: fields.hash(1)?,
            index: fields.number(2)?,
            from: fields.address(3)?,
            to: fields.address_if(4)?,
            value: fields.units(5)?,
            gas: fields.number(6)?,
            gas_price: fields.units_if(7)?,
            max_fee: fields.units_if(8)?,
            max_tip: fields.units_if(9)?,
            gas_used: fields.number_if(10)?,
            status: fields.number_if(11)?,
            effective_price: fields.units_if(12)?,
            block: fields.hash_if(13)?,
        })
    }

    fn number(&self) -> u64 {
        self.number
    }
}

/// A receipt.
pub struct ReceiptRow {
    pub number: u64,
    pub hash: HashBytes,
    pub gas_used: u64,
    pub effective_price: Option<U256>,
    pub status: Option<u64>,
    pub contract: Option<AddressBytes>,
    pub l1_fee: Option<U256>,
    pub blob_gas_used: Option<u64>,
    pub blob_gas_price: Option<U256>,
}

impl Row for ReceiptRow {
    fn read(fields: &Fields<'_>) -> Result<Self, Fault> {
        Ok(Self {
            number: fields.number(0)?,
            hash: fields.hash(1)?,
            gas_used: fields.number(2)?,
            effective_price: fields.units_if(3)?,
            status: fields.number_if(4)?,
            contract: fields.address_if(5)?,
            l1_fee: fields.units_if(6)?,
            blob_gas_used: fields.number_if(7)?,
            blob_gas_price: fields.units_if(8)?,
        })
    }

    fn number(&self) -> u64 {
        self.number
    }
}

/// A log.
pub struct LogRow(pub Log<'static>);

impl Row for LogRow {
    fn read(fields: &Fields<'_>) -> Result<Self, Fault> {
        let mut topics = Topics::default();
        let text = fields.text(6).trim_matches(['[', ']']);
        for topic in text.split([',', '|']).map(|topic| topic.trim().trim_matches(['\'', '"'])) {
            let is_good = topic.is_empty() || prefixed(topic).is_some_and(|word| topics.push(word));
            if !is_good {
                return Err(fields.fault(6, "no list of up to four topics of 64 hexadecimal digits after 0x"));
            }
        }
        Ok(Self(Log {
            block_number: Small(fields.number(0)?),
            transaction_hash: Hash(fields.hash(1)?),
            transaction_index: Small(fields.number(2)?),
            log_index: Small(fields.number(3)?),
            address: Address(fields.address(4)?),
            data: Data(fields.text(5).to_owned().into()),
            topics,
            block_hash: Hash(fields.hash(7)?),
            removed: false,
        }))
    }

    fn number(&self) -> u64 {
        self.0.block_number.0
    }
}

/// What a trace tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A step of a transaction.
    Step(Action),
    /// Coin from nowhere: a reward, or an allotment of genesis.
    Made,
    /// Coin that a fork moved by decree.
    Decreed,
}

/// A trace.
pub struct TraceRow {
    pub number: u64,
    pub transaction: Option<HashBytes>,
    pub index: Option<u64>,
    pub told: Told,
    pub path: Vec<u32>,
    pub from: Option<AddressBytes>,
    pub to: Option<AddressBytes>,
    pub value: U256,
    pub failed: bool,
    /// Its place in the block, where the export has one.
    pub order: Option<u64>,
}

impl Row for TraceRow {
    fn read(fields: &Fields<'_>) -> Result<Self, Fault> {
        let id = fields.text(3);
        let kind = match fields.text(4) {
            "" => id.split('_').next().unwrap_or_default(),
            kind => kind,
        };
        let told = match (kind, fields.text(6)) {
            ("call", "call" | "") => Told::Step(Action::Call),
            ("call", "delegatecall" | "staticcall" | "callcode") => Told::Step(Action::Still),
            ("call", _) => return Err(fields.fault(6, "no known type of call")),
            ("create", _) => Told::Step(Action::Create),
            ("suicide" | "selfdestruct", _) => Told::Step(Action::Destroy),
            ("reward" | "genesis", _) => Told::Made,
            ("daofork", _) => Told::Decreed,
            _ => return Err(fields.fault(3, "no known type of trace")),
        };
        let transaction = fields.hash_if(1)?;
        let is_step = matches!(told, Told::Step(_));
        if is_step != transaction.is_some() {
            return Err(fields.fault(1, "not the transaction of such a trace"));
        }
        let place =
            if fields.text(4).is_empty() { id.splitn(3, '_').nth(2).unwrap_or_default() } else { fields.text(5) };
        Ok(Self {
            number: fields.number(0)?,
            transaction,
            index: fields.number_if(2)?,
            told,
            path: if is_step {
                path(place).ok_or_else(|| fields.fault(3, "no place among calls"))?
            } else {
                Vec::new()
            },
            from: fields.address_if(7)?,
            to: fields.address_if(8)?,
            value: fields.units_if(9)?.unwrap_or_default(),
            failed: match fields.text(10) {
                "" => !fields.text(11).is_empty(),
                status => status == "0",
            },
            order: fields.number_if(12)?,
        })
    }

    fn number(&self) -> u64 {
        self.number
    }
}

/// Numbers with commas or underscores between.
fn path(text: &str) -> Option<Vec<u32>> {
    let text = text.trim_matches(['[', ']']);
    if text.is_empty() {
        return Some(Vec::new());
    }
    let places = text.split([',', '_']).take(DEPTH_MAX + 1).map(|place| place.trim().parse().ok());
    places.collect::<Option<Vec<u32>>>().filter(|path| path.len() <= DEPTH_MAX)
}

/// The rows of a table, block by block.
pub struct Grouped<R, T> {
    table: Table<R>,
    next: Option<T>,
    /// Where the table is not in the order of blocks: all of its rows.
    held: Option<BTreeMap<u64, Vec<T>>>,
}

impl<R: Read, T: Row> Grouped<R, T> {
    pub fn new(table: Table<R>) -> Result<Self, ExportFault> {
        // A table that is cut by hash is in the order of hashes.
        let is_cut_by_hash = table.has("txhashPrefix");
        let mut grouped = Self { table, next: None, held: None };
        grouped.advance()?;
        if is_cut_by_hash {
            let mut held: BTreeMap<u64, Vec<T>> = BTreeMap::new();
            let mut count = 0;
            while let Some(row) = grouped.next.take() {
                if count == ROWS_HELD_MAX {
                    let what = format!("more than {ROWS_HELD_MAX} rows that are not in the order of blocks");
                    return Err(grouped.table.fault(what));
                }
                count += 1;
                held.entry(row.number()).or_default().push(row);
                grouped.advance()?;
            }
            grouped.held = Some(held);
        }
        Ok(grouped)
    }

    /// The block of the next row.
    pub fn next_number(&self) -> Option<u64> {
        match &self.held {
            Some(held) => held.keys().next().copied(),
            None => self.next.as_ref().map(Row::number),
        }
    }

    /// The next row.
    pub fn next_row(&mut self) -> Result<Option<T>, ExportFault> {
        let row = self.next.take();
        self.advance()?;
        Ok(row)
    }

    /// The rows of a block. Rows of an earlier one are a fault: it is not there, or they are not in order.
    pub fn take(&mut self, number: u64) -> Result<Vec<T>, ExportFault> {
        if let Some(before) = self.next_number().filter(|before| *before < number) {
            let what = format!("a row of block {before}, which is not among the blocks, or comes after a later one");
            return Err(self.fault(what));
        }
        if let Some(held) = &mut self.held {
            return Ok(held.remove(&number).unwrap_or_default());
        }
        let mut rows = Vec::new();
        while self.next.as_ref().is_some_and(|row| row.number() == number) {
            rows.extend(self.next.take());
            self.advance()?;
        }
        Ok(rows)
    }

    /// A fault at the row that comes next.
    pub fn fault(&self, what: impl Into<String>) -> ExportFault {
        self.table.fault(what)
    }

    fn advance(&mut self) -> Result<(), ExportFault> {
        self.next = None;
        if self.table.advance()? {
            let row = T::read(&self.table.row());
            self.next = Some(row.map_err(|fault| ExportFault::of(self.table.name)(fault.into()))?);
        }
        Ok(())
    }
}
