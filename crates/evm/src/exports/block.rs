//! The rows of one block, put together into its deed.
//!
//! Transactions are known from wherever they are named: their own table may be a sample, and then traces and logs know of
//! more. Their order is by index; one whose index nobody says stands where its root call does among those of the others.

use std::collections::BTreeMap;

use decode::Fault;
use ledger::{AccountBlock, AccountTransaction, Gaps, LegKind};
use ruint::aliases::U256;

use super::rows::{BlockRow, LogRow, ReceiptRow, Told, TraceRow, TransactionRow};
use super::{ExportFault, TableName};
use crate::answers::{Log, Receipt, Transaction};
use crate::assemble::{Assembler, Legs, Parts};
use crate::bloom::Bloom;
use crate::fault::Problem;
use crate::fees::{Fee, fee};
use crate::material::{Decoded, KeepEvents, keep_events};
use crate::trace::{Move, Step, Traced};
use crate::words::{Address, AddressBytes, Data, Hash, HashBytes, Quantity, Small, ZERO, hash_text};

/// The rows of a block; `None` where there is no such table.
pub struct Group {
    pub header: BlockRow,
    pub transactions: Option<Vec<TransactionRow>>,
    pub receipts: Option<Vec<ReceiptRow>>,
    pub logs: Option<Vec<LogRow>>,
    pub traces: Option<Vec<TraceRow>>,
}

/// What the tables know of one transaction.
#[derive(Default)]
struct Known<'g> {
    row: Option<&'g TransactionRow>,
    receipt: Option<&'g ReceiptRow>,
    index: Option<u64>,
    /// In call order.
    traces: Vec<&'g TraceRow>,
    logs: Vec<Log<'static>>,
}

fn fault(table: TableName, what: impl Into<String>) -> ExportFault {
    ExportFault { table, error: Fault::whole(what, "").into() }
}

impl Group {
    /// The deed of the block.
    pub fn deed(mut self, mut assembler: Assembler<'_>, keep: &KeepEvents) -> Result<Decoded, ExportFault> {
        let mut logs: Vec<Log<'static>> = self.logs.iter_mut().flat_map(std::mem::take).map(|row| row.0).collect();
        logs.sort_by_key(|log| log.log_index);
        self.check_logs(&assembler, &logs)?;
        let mut known = self.known(logs, &mut assembler.problems)?;
        let order = order(&known);
        let count = order.len() as u64;
        if let Some(stated) = self.header.transactions.filter(|stated| *stated < count) {
            let what = format!("block {} has {stated} transactions, the tables know {count}", self.header.number);
            return Err(fault(TableName::Transactions, what));
        }
        let mut gaps = self.gaps(count);
        let (mut transactions, mut events) = (Vec::with_capacity(order.len() + 1), Vec::new());
        for (at, hash) in order.iter().enumerate() {
            let known = known.remove(hash).unwrap_or_default();
            let name = hash_text(hash);
            let legs = self.legs(&known, &name, &mut assembler, &mut gaps)?;
            transactions.push(AccountTransaction { name, time: self.header.time, legs });
            keep_events(keep, at, &known.logs, &mut events).map_err(|odd| fault(TableName::Logs, odd.what))?;
        }
        let name = format!("block:{}", self.header.number);
        let legs = self.block_legs(&name, &mut assembler);
        if !legs.list.is_empty() {
            let legs = legs.list;
            transactions.push(AccountTransaction { name, time: self.header.time, legs });
        }
        let BlockRow { number: height, hash, parent: previous, time, .. } = self.header;
        let block = AccountBlock { height, hash, previous, time, transactions, events, gaps };
        Ok(Decoded { block, assets: assembler.assets, problems: assembler.problems })
    }

    /// Logs must be of this block, each once, and all that the header's filter knows of.
    fn check_logs(&self, assembler: &Assembler<'_>, logs: &[Log<'_>]) -> Result<(), ExportFault> {
        let number = self.header.number;
        let mut bloom = Bloom::default();
        for (at, log) in logs.iter().enumerate() {
            if log.block_hash.0 != self.header.hash {
                let what = format!("log {} of block {number} has another block's hash", log.log_index.0);
                return Err(fault(TableName::Logs, what));
            }
            if at > 0 && logs[at - 1].log_index == log.log_index {
                return Err(fault(TableName::Logs, format!("log {} of block {number} stands twice", log.log_index.0)));
            }
            if assembler.chain.standard && log.log_index.0 != at as u64 {
                return Err(fault(TableName::Logs, format!("log {at} of block {number} is missing")));
            }
            bloom.add(&log.address.0);
            for topic in log.topics.as_slice() {
                bloom.add(topic);
            }
        }
        let stated = Data(self.header.bloom.as_str().into());
        if self.logs.is_some() && assembler.chain.standard && !stated.0.is_empty() && !bloom.is(&stated) {
            let what = format!("the logs of block {number} are not those of its header's bloom filter");
            return Err(fault(TableName::Logs, what));
        }
        Ok(())
    }

    /// Every transaction that a table names. A row that is of another block, or of nothing else that is known, is left
    /// out: exports that were put together from pieces have such.
    fn known(
        &self,
        logs: Vec<Log<'static>>,
        problems: &mut Vec<Problem>,
    ) -> Result<BTreeMap<HashBytes, Known<'_>>, ExportFault> {
        let stray = |table: TableName, hash: &HashBytes| Problem::Stray {
            table: table.name(),
            transaction: hash_text(hash),
            height: self.header.number,
        };
        let mut known: BTreeMap<HashBytes, Known<'_>> = BTreeMap::new();
        let place = |table, place: &mut Option<u64>, index: u64, hash: &HashBytes| match place.replace(index) {
            Some(before) if before != index => {
                Err(fault(table, format!("transaction {} has two indexes, {before} and {index}", hash_text(hash))))
            }
            _ => Ok(()),
        };
        for row in self.transactions.iter().flatten() {
            if row.block.is_some_and(|block| block != self.header.hash) {
                problems.push(stray(TableName::Transactions, &row.hash));
                continue;
            }
            let own = known.entry(row.hash).or_default();
            place(TableName::Transactions, &mut own.index, row.index, &row.hash)?;
            if own.row.replace(row).is_some() {
                return Err(fault(TableName::Transactions, format!("{} stands twice", hash_text(&row.hash))));
            }
        }
        for row in self.receipts.iter().flatten() {
            known.entry(row.hash).or_default().receipt = Some(row);
        }
        for row in self.traces.iter().flatten() {
            let Some(hash) = row.transaction else { continue };
            let own = known.entry(hash).or_default();
            if let Some(index) = row.index {
                place(TableName::Traces, &mut own.index, index, &hash)?;
            }
            own.traces.push(row);
        }
        for log in logs {
            let hash = log.transaction_hash.0;
            let own = known.entry(hash).or_default();
            place(TableName::Logs, &mut own.index, log.transaction_index.0, &hash)?;
            own.logs.push(log);
        }
        known.retain(|hash, own| {
            let is_stray = own.row.is_none()
                && own.receipt.is_none()
                && own.logs.is_empty()
                && own.traces.iter().all(|row| !row.path.is_empty());
            problems.extend(is_stray.then(|| stray(TableName::Traces, hash)));
            !is_stray
        });
        for (hash, own) in &mut known {
            own.traces.sort_by(|a, b| a.path.cmp(&b.path));
            if own.traces.first().is_some_and(|root| !root.path.is_empty())
                || own.traces.windows(2).any(|pair| pair[0].path == pair[1].path)
            {
                let what = format!("the traces of {} have no root, or two of one place", hash_text(hash));
                return Err(fault(TableName::Traces, what));
            }
        }
        Ok(known)
    }

    fn gaps(&self, count: u64) -> Gaps {
        let missing = self.header.transactions.is_some_and(|stated| stated > count);
        let any = count > 0 || missing;
        let traced =
            self.traces.iter().flatten().filter(|row| row.transaction.is_some() && row.path.is_empty()).count();
        Gaps {
            traces: any && (missing || (traced as u64) < count),
            receipts: missing,
            logs: self.logs.is_none() && any,
        }
    }

    fn legs(
        &self,
        known: &Known<'_>,
        name: &str,
        assembler: &mut Assembler<'_>,
        gaps: &mut Gaps,
    ) -> Result<Vec<ledger::AccountLeg>, ExportFault> {
        let mut traced = Traced::default();
        traced.push(known.traces.iter().copied().filter_map(step), self.header.cancun);
        let top = known.row.and_then(|row| {
            let to = row.to.or(known.receipt.and_then(|receipt| receipt.contract))?;
            let failed = known.receipt.and_then(|receipt| receipt.status).or(row.status) == Some(0);
            (!failed && to != row.from).then_some(Move { from: row.from, to: Some(to), value: row.value })
        });
        let moves = if known.traces.is_empty() { top.as_slice() } else { traced.moves(0) };
        let fee = self.fee(known);
        gaps.receipts |= fee.is_none();
        if let (Some(row), Some(root)) = (known.row, known.traces.first())
            && (root.from != Some(row.from) || root.value != row.value)
        {
            return Err(fault(TableName::Traces, format!("the root call of {name} is not what the transaction says")));
        }
        let parts = Parts {
            sender: known.row.map(|row| row.from),
            mint: U256::ZERO,
            fee: fee.unwrap_or_default(),
            moves,
            logs: &known.logs,
            producer: assembler.producer(self.header.miner),
        };
        Ok(assembler.transaction(name, &parts))
    }

    /// The fee, where gas used and price are both known.
    fn fee(&self, known: &Known<'_>) -> Option<Fee> {
        let row = known.row?;
        let gas_used = known.receipt.map(|receipt| receipt.gas_used).or(row.gas_used)?;
        let price = known.receipt.and_then(|receipt| receipt.effective_price).or(row.effective_price);
        let quantity = |value: Option<U256>| value.map(Quantity);
        let transaction = Transaction {
            hash: Hash(row.hash),
            from: Address(row.from),
            to: row.to.map(Address),
            value: Quantity(row.value),
            gas: Small(row.gas),
            gas_price: quantity(row.gas_price),
            max_fee_per_gas: quantity(row.max_fee),
            max_priority_fee_per_gas: quantity(row.max_tip),
            block_hash: None,
            block_number: None,
            transaction_index: None,
            mint: None,
        };
        let receipt = Receipt {
            transaction_hash: Hash(row.hash),
            transaction_index: Small(row.index),
            block_hash: Hash(self.header.hash),
            block_number: Small(self.header.number),
            gas_used: Small(gas_used),
            cumulative_gas_used: None,
            effective_gas_price: quantity(price),
            status: None,
            root: None,
            kind: None,
            logs_bloom: None,
            contract_address: None,
            blob_gas_used: known.receipt.and_then(|receipt| receipt.blob_gas_used).map(Small),
            blob_gas_price: quantity(known.receipt.and_then(|receipt| receipt.blob_gas_price)),
            l1_fee: quantity(known.receipt.and_then(|receipt| receipt.l1_fee)),
            logs: Vec::new(),
        };
        fee(&transaction, &receipt, self.header.base_fee)
    }

    /// Rewards, what genesis allots, and what a fork decreed.
    fn block_legs<'n>(&self, name: &'n str, assembler: &mut Assembler<'_>) -> Legs<'n> {
        let mut legs = Legs::of(name);
        for row in self.traces.iter().flatten().filter(|row| !row.failed) {
            let ends: [Option<AddressBytes>; 2] = match row.told {
                Told::Step(_) => continue,
                Told::Made => [None, row.to],
                Told::Decreed => [row.from, row.to],
            };
            if ends.iter().any(Option::is_some) {
                assembler.native(&mut legs, ends, row.value, LegKind::Transfer);
            }
        }
        legs
    }
}

/// A trace as a step; `None` where it is none.
fn step(row: &TraceRow) -> Option<Step> {
    let Told::Step(action) = row.told else { return None };
    let from = row.from.unwrap_or(ZERO);
    Some(Step { depth: row.path.len(), action, from, to: row.to, value: row.value, failed: row.failed })
}

/// The transactions of a block in order.
fn order(known: &BTreeMap<HashBytes, Known<'_>>) -> Vec<HashBytes> {
    // Roots that are calls stand in the order of transactions; those that are creations may stand at the end.
    let mut roots: Vec<(Option<u64>, &HashBytes, &Known<'_>)> = known
        .iter()
        .map(|(hash, own)| {
            let root = own.traces.first().filter(|root| root.told == Told::Step(crate::trace::Action::Call));
            (root.and_then(|root| root.order), hash, own)
        })
        .collect();
    roots.sort_by_key(|(order, hash, _)| (order.is_none(), *order, *hash));
    let mut last = 0;
    let mut placed: Vec<(u64, u64, &HashBytes)> = Vec::with_capacity(roots.len());
    for (turn, (order, hash, own)) in roots.into_iter().enumerate() {
        let index = own.index.unwrap_or(if order.is_some() { last } else { u64::MAX });
        // Without an index of its own it comes right after the one before it.
        placed.push((index, 1 + turn as u64 * u64::from(own.index.is_none()), hash));
        last = if order.is_some() { index } else { last };
    }
    placed.sort_unstable();
    placed.into_iter().map(|(_, _, hash)| *hash).collect()
}
