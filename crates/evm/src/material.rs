//! [`Material`]: what a node answered about one block, and [`decode_block`]: the deed that it makes.
//!
//! The order of legs: the sender's fee; the native coin in the order of calls; tokens in the order of logs; what the
//! producer gets of the fee. Each asset's own legs are in their true order, which is what balances need. Between assets
//! there is no order to keep: a transaction is atomic, and no purse holds two of them.

use std::collections::BTreeSet;

use ledger::{AccountBlock, AccountLeg, AccountTransaction, BlockEvent, Event, Gaps, LegKind, Time};
use money::Asset;
use ruint::aliases::U256;

use crate::answers::{Block, Log, Receipt, Transaction};
use crate::assemble::{Assembler, Legs, Parts};
use crate::chain::Chain;
use crate::check;
use crate::fault::{BlockFault, Method, Problem};
use crate::fees::{Fee, fee};
use crate::rewards;
use crate::tokens::{Standard, Tokens};
use crate::trace::{Move, Traced, geth, parity};
use crate::transfers;
use crate::words::{AddressBytes, HashBytes, hash_text};

/// Wei in a gwei, the unit of the beacon chain.
const GWEI: u64 = 1_000_000_000;

/// What a plain payment costs: whoever used no more ran no contract.
const PLAIN_GAS: u64 = 21_000;

/// The JSON of logs, as `result` of the method that gave them.
#[derive(Clone, Copy, Debug)]
pub enum Logs<'a> {
    /// `eth_getBlockReceipts`, with their logs.
    Receipts(&'a str),
    /// `eth_getLogs` of the block.
    Logs(&'a str),
    /// Nothing was to be had.
    None,
}

/// The JSON of traces, as `result` of the method that gave them.
#[derive(Clone, Copy, Debug)]
pub enum Traces<'a> {
    /// `trace_block`.
    Parity(&'a str),
    /// `debug_traceBlockByNumber` with `{"tracer": "callTracer"}`.
    Geth(&'a str),
    /// Nothing was to be had.
    None,
}

/// What is known of one block.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// The `result` of `eth_getBlockByNumber` with full transactions.
    pub block: &'a str,
    /// What its contracts wrote.
    pub logs: Logs<'a>,
    /// What its transactions called.
    pub traces: Traces<'a>,
}

/// Which logs are kept as events, beside being read for movements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeepEvents {
    /// None.
    #[default]
    None,
    /// Those whose first topic is in the set.
    Topics(BTreeSet<[u8; 32]>),
    /// All but plain transfers and approvals.
    All,
}

impl KeepEvents {
    fn keeps(&self, log: &Log<'_>) -> bool {
        let topic = log.topics.first();
        match self {
            Self::None => false,
            Self::Topics(topics) => topic.is_some_and(|topic| topics.contains(topic)),
            Self::All => topic.is_none_or(|topic| ![transfers::TRANSFER, transfers::APPROVAL].contains(topic)),
        }
    }
}

/// A block, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The deed.
    pub block: AccountBlock,
    /// Every asset that occurs in it, the chain's coin first.
    pub assets: Vec<Asset>,
    /// What could not be held as it is.
    pub problems: Vec<Problem>,
}

/// What was found of receipts and logs.
enum Written<'a> {
    Receipts(Vec<Receipt<'a>>),
    Logs(Vec<Log<'a>>),
    None,
}

/// Answers about one block, read and checked, but not made into a deed yet.
pub struct Answers<'a> {
    block: Block<'a>,
    written: Written<'a>,
    traced: Option<Traced>,
}

fn parse<'a, T: serde::Deserialize<'a>>(method: Method, text: &'a str) -> Result<T, BlockFault> {
    let parsed: Option<T> = serde_json::from_str(text).map_err(|error| BlockFault::new(method, error.to_string()))?;
    parsed.ok_or_else(|| BlockFault::new(method, "the answer is null: the node does not have it"))
}

impl<'a> Answers<'a> {
    /// Reads answers and holds them against each other.
    pub fn read(chain: &Chain, material: &Material<'a>) -> Result<Self, BlockFault> {
        let block: Block<'a> = parse(Method::Block, material.block)?;
        check::block(chain, &block)?;
        let written = match material.logs {
            Logs::Receipts(text) => {
                let receipts: Vec<Receipt<'a>> = parse(Method::Receipts, text)?;
                check::receipts(chain, &block, &receipts)?;
                Written::Receipts(receipts)
            }
            Logs::Logs(text) => {
                let logs: Vec<Log<'a>> = parse(Method::Logs, text)?;
                check::flat_logs(chain, &block, &logs)?;
                Written::Logs(logs)
            }
            Logs::None => Written::None,
        };
        let (method, traced) = match material.traces {
            Traces::Parity(text) => (Method::ParityTraces, Some(parity::read(text, &block)?)),
            Traces::Geth(text) => (Method::GethTraces, Some(geth::read(text, &block)?)),
            Traces::None => (Method::ParityTraces, None),
        };
        let answers = Self { block, written, traced };
        answers.check_failures(method)?;
        Ok(answers)
    }

    /// The block's height, as it states it.
    pub const fn height(&self) -> u64 {
        self.block.number.0
    }

    /// Contracts that log movements of units, or wrap something, ascending: those whose decimals are wanted.
    pub fn tokens(&self) -> Vec<[u8; 20]> {
        let mut contracts: Vec<[u8; 20]> = Vec::new();
        for transaction in 0..self.block.transactions.len() {
            for log in self.logs(transaction) {
                let is_units =
                    |found: Result<transfers::Movement, _>| found.is_ok_and(|m| m.standard == Standard::Erc20);
                let is_token = || transfers::movement(log, false).is_some_and(is_units) || transfers::is_wrapping(log);
                if contracts.last() != Some(&log.address.0) && is_token() {
                    contracts.push(log.address.0);
                }
            }
        }
        contracts.sort_unstable();
        contracts.dedup();
        contracts
    }

    /// Receipts and traces must agree on which transactions failed.
    fn check_failures(&self, method: Method) -> Result<(), BlockFault> {
        let (Written::Receipts(receipts), Some(traced)) = (&self.written, &self.traced) else { return Ok(()) };
        let differs = |(at, receipt): &(usize, &Receipt<'_>)| {
            receipt.status.is_some_and(|status| (status.0 == 0) != traced.failed(*at))
        };
        match receipts.iter().enumerate().find(differs) {
            Some((at, receipt)) => {
                let (receipts, traces) =
                    if traced.failed(at) { ("succeeded", "failed") } else { ("failed", "succeeded") };
                let name = hash_text(&receipt.transaction_hash.0);
                let what = format!("transaction {at} ({name}) {traces}, and by its receipt it {receipts}");
                Err(BlockFault::new(method, what))
            }
            None => Ok(()),
        }
    }

    fn logs(&self, transaction: usize) -> &[Log<'a>] {
        match &self.written {
            Written::Receipts(receipts) => &receipts[transaction].logs,
            Written::Logs(logs) => {
                let own = transaction as u64;
                let start = logs.partition_point(|log| log.transaction_index.0 < own);
                let end = logs.partition_point(|log| log.transaction_index.0 <= own);
                &logs[start..end]
            }
            Written::None => &[],
        }
    }

    fn receipt(&self, transaction: usize) -> Option<&Receipt<'a>> {
        match &self.written {
            Written::Receipts(receipts) => receipts.get(transaction),
            _ => None,
        }
    }

    fn gaps(&self, chain: &Chain) -> Gaps {
        let is_plain = |at: usize| self.receipt(at).is_some_and(|receipt| receipt.gas_used.0 == PLAIN_GAS);
        let count = self.block.transactions.len();
        Gaps {
            traces: self.traced.is_none() && !(0..count).all(is_plain),
            receipts: !matches!(self.written, Written::Receipts(_)) && count > 0,
            logs: matches!(self.written, Written::None) && count > 0 && !check::is_without_logs(chain, &self.block),
        }
    }

    /// The deed of the block.
    pub fn decode(&self, chain: &Chain, tokens: &Tokens, keep: &KeepEvents) -> Result<Decoded, BlockFault> {
        let block = &self.block;
        let wrong = |what: String| BlockFault::new(Method::Block, what);
        let time = i64::try_from(block.timestamp.0).ok().and_then(Time::from_seconds);
        let time = time.ok_or_else(|| wrong(format!("the time {} is beyond any calendar", block.timestamp.0)))?;
        let mut assembler = Assembler::new(chain, tokens);
        let mut transactions = Vec::with_capacity(block.transactions.len() + 1);
        let mut events = Vec::new();
        for (at, transaction) in block.transactions.iter().enumerate() {
            let name = hash_text(&transaction.hash.0);
            let legs = self.legs(at, transaction, &name, &mut assembler)?;
            transactions.push(AccountTransaction { name, time, legs });
            keep_events(keep, at, self.logs(at), &mut events)?;
        }
        let name = format!("block:{}", block.number.0);
        let legs = self.block_legs(&name, &mut assembler);
        if !legs.is_empty() {
            transactions.push(AccountTransaction { name, time, legs });
        }
        let deed = AccountBlock {
            height: block.number.0,
            hash: block.hash.0,
            previous: (block.number.0 > 0).then_some(block.parent_hash.0),
            time,
            transactions,
            events,
            gaps: self.gaps(chain),
        };
        Ok(Decoded { block: deed, assets: assembler.assets, problems: assembler.problems })
    }

    fn legs(
        &self,
        at: usize,
        transaction: &Transaction,
        name: &str,
        assembler: &mut Assembler<'_>,
    ) -> Result<Vec<AccountLeg>, BlockFault> {
        // Whom a creation pays is only known to its receipt and its trace.
        let created = self.receipt(at).and_then(|receipt| receipt.contract_address);
        let from = transaction.from.0;
        let top = Move { from, to: transaction.to.or(created).map(|to| to.0), value: transaction.value.0 };
        let moves = match &self.traced {
            Some(traced) => traced.moves(at),
            None if top.to.is_none() || top.to == Some(from) || self.failed(at, transaction) => &[],
            None => std::slice::from_ref(&top),
        };
        let parts = Parts {
            sender: Some(from),
            mint: transaction.mint.map_or(U256::ZERO, |mint| mint.0),
            fee: self.fee(at, transaction)?,
            moves,
            logs: self.logs(at),
            producer: assembler.producer(self.block.miner.0),
        };
        Ok(assembler.transaction(name, &parts))
    }

    fn fee(&self, at: usize, transaction: &Transaction) -> Result<Fee, BlockFault> {
        let Some(receipt) = self.receipt(at) else { return Ok(Fee::default()) };
        let base_price = self.block.base_fee_per_gas.map_or(U256::ZERO, |price| price.0);
        fee(transaction, receipt, base_price).ok_or_else(|| {
            BlockFault::new(Method::Receipts, format!("receipt {at} does not say at what price gas was paid"))
        })
    }

    /// Whether a transaction is known to have moved nothing, without traces.
    fn failed(&self, at: usize, transaction: &Transaction) -> bool {
        let Some(receipt) = self.receipt(at) else { return false };
        match receipt.status {
            Some(status) => status.0 == 0,
            // Before the Byzantium upgrade a failure always took all gas, and no receipt says that it was one.
            None => receipt.gas_used == transaction.gas && receipt.gas_used.0 > PLAIN_GAS && receipt.logs.is_empty(),
        }
    }

    /// What happens outside of transactions: rewards and withdrawals of stakers.
    fn block_legs(&self, name: &str, assembler: &mut Assembler<'_>) -> Vec<AccountLeg> {
        let mut legs = Legs::of(name);
        let told = self.traced.as_ref().map_or(&[][..], |traced| &traced.rewards);
        // By rule, where traces do not tell it.
        let is_mined = self.block.difficulty.is_some_and(|difficulty| !difficulty.0.is_zero());
        let by_rule = (assembler.chain.number == 1 && is_mined && told.is_empty())
            .then(|| (self.block.miner.0, rewards::of_miner(self.block.number.0, self.block.uncles.len())));
        let rewards = told.iter().copied().chain(by_rule);
        let withdrawals = self.block.withdrawals.iter().flatten();
        let withdrawals =
            withdrawals.map(|to| (to.address.0, U256::from(to.amount.0).saturating_mul(U256::from(GWEI))));
        for (to, value) in rewards.chain(withdrawals) {
            assembler.native(&mut legs, [None, Some(to)], value, LegKind::Transfer);
        }
        legs.list
    }
}

pub(crate) fn keep_events(
    keep: &KeepEvents,
    transaction: usize,
    logs: &[Log<'_>],
    events: &mut Vec<BlockEvent>,
) -> Result<(), BlockFault> {
    for log in logs.iter().filter(|log| keep.keeps(log)) {
        let index = log.log_index.0;
        let odd = |what| BlockFault::new(Method::Logs, format!("log {index} {what}"));
        events.push(BlockEvent {
            transaction: u32::try_from(transaction).map_err(|_| odd("is of a transaction past all numbers"))?,
            event: Event {
                index: u32::try_from(index).map_err(|_| odd("has an index that no log can have"))?,
                contract: log.address.0,
                topics: log.topics.as_slice().to_vec(),
                data: log.data.bytes().ok_or_else(|| odd("has data that is not hexadecimal"))?,
            },
        });
    }
    Ok(())
}

/// Reads what a node answered about a block.
pub fn decode_block(
    chain: &Chain,
    tokens: &Tokens,
    keep: &KeepEvents,
    material: &Material<'_>,
) -> Result<Decoded, BlockFault> {
    Answers::read(chain, material)?.decode(chain, tokens, keep)
}

/// The contracts of a block that log movements of units, ascending: those whose decimals are wanted. Of answers that
/// cannot be read there are none; [`decode_block`] says why.
pub fn tokens_of(chain: &Chain, material: &Material<'_>) -> Vec<AddressBytes> {
    Answers::read(chain, material).map(|answers| answers.tokens()).unwrap_or_default()
}

/// The hash that a block states for itself, and its parent's, without reading the rest twice.
impl Answers<'_> {
    /// The block's own hash.
    pub const fn hash(&self) -> HashBytes {
        self.block.hash.0
    }
}
