//! [`UtxoWriter`]: takes blocks in order of height and lays down their transactions, inputs and outputs.
//!
//! What must hold (nothing spent twice, sums that fit, the chain of parents) is checked in [`super::resolve`] before a
//! transaction is laid down. It does not read block files and does not choose between forks.

use std::path::Path;

use ledger::{Kind, LedgerId, Lock, Network, Outpoint, Seq, Time, UtxoBlock, UtxoTransaction, txid_text};
use money::Asset;

use super::ahead::{Ahead, InputAhead};
use super::live::Live;
use super::resolve::{Facts, Resolved, Resolver, Spent, is_left};
use super::rows::{
    BLOCKS, BLOCKS_AT, BlockRow, FOREIGN, FOREIGN_AT, ForeignRow, HOLDERS_AT, INPUTS, LOOKUPS, OUTPUTS, OutputRow,
    SPECS, SPENT_BY, TRANSACTIONS, TXIDS_AT, TransactionRow, key_fingerprint, outpoint_fingerprint, txid,
};
use crate::chain::{Next, Pushed, Tip};
use crate::column::Rows as _;
use crate::holders::Holders;
use crate::lookup::Index;
use crate::names::{Declared, HOLDER_TAIL, HOLDERS, append_asset, check_name, read_assets};
use crate::numbers::{NONE, NONE_40};
use crate::run::fingerprint;
use crate::store::Store;
use crate::{BookError, DeedError};

/// What was looked up of a transaction beforehand.
#[derive(Clone, Copy)]
struct TransactionAhead<'a> {
    txid: u64,
    inputs: &'a [InputAhead],
    holders: &'a [u64],
}

/// What a new output says besides its holder.
#[derive(Clone, Copy)]
struct Made {
    value: u64,
    /// The transaction that makes it.
    by: u64,
    is_inferred: bool,
    spent_by: u64,
}

/// A UTXO ledger, open for writing. What is pushed becomes part of the ledger with [`UtxoWriter::commit`].
#[derive(Debug)]
pub struct UtxoWriter {
    pub(crate) store: Store,
    pub(super) holders: Holders,
    pub(super) txids: Index,
    pub(super) foreign: Index,
    pub(super) hashes: Index,
    resolver: Resolver,
    pub(super) live: Live,
    ahead: Ahead,
    network: &'static Network,
}

impl UtxoWriter {
    pub(crate) fn open(folder: &Path, ledger: &LedgerId, asset: Option<&Asset>) -> Result<Self, BookError> {
        let mut store = Store::open(folder, ledger, Kind::Utxo, &SPECS)?;
        let open = |lookup: usize| {
            let (columns, (name, column)) = (&store.columns, LOOKUPS[lookup]);
            Index::open(folder, name, columns[column].rows(), &|number| key_fingerprint(columns, lookup, number))
        };
        let holders = open(HOLDERS_AT)?;
        let txids = open(TXIDS_AT)?;
        let foreign = open(FOREIGN_AT)?;
        let hashes = open(BLOCKS_AT)?;
        for index in [&holders, &txids, &foreign, &hashes] {
            index.tidy()?;
        }
        let live = Live::new(txids.entries() == 0);
        let assets = read_assets(&store.columns)?;
        match (assets.first(), asset) {
            (None, Some(asset)) => {
                check_name(asset.symbol.as_bytes())?;
                append_asset(&mut store.columns, asset, Declared::default())?;
            }
            (Some(has), Some(asked)) if has.symbol != asked.symbol => {
                let (has, asked) = (has.symbol.clone(), asked.symbol.clone());
                return Err(DeedError::OtherAsset { has, asked }.into());
            }
            (Some(has), Some(asked)) if has.scale != asked.scale => {
                let symbol = has.symbol.clone();
                return Err(DeedError::ScaleChanged { symbol, has: has.scale, asked: asked.scale }.into());
            }
            _ => {}
        }
        Ok(Self {
            store,
            holders: Holders::new(holders),
            txids,
            foreign,
            hashes,
            resolver: Resolver::default(),
            live,
            ahead: Ahead::default(),
            network: Network::of(ledger),
        })
    }

    /// The ledger's name.
    pub fn id(&self) -> &LedgerId {
        self.store.ledger()
    }

    /// How many transactions there are, those of the batch included.
    pub fn end(&self) -> Seq {
        Seq(self.store.columns[TRANSACTIONS].rows())
    }

    /// How many transactions are committed.
    pub fn committed(&self) -> Seq {
        Seq(self.store.columns[TRANSACTIONS].committed_rows())
    }

    /// How many blocks there are, those of the batch included.
    pub fn blocks(&self) -> u64 {
        self.store.columns[BLOCKS].rows()
    }

    /// The last block, the batch's included.
    pub fn tip(&self) -> Option<Tip> {
        let last = self.last_block()?;
        Some(Tip { height: last.height, hash: last.hash, time: Time::from_micros(last.time) })
    }

    /// The hash of the block at a height, if the ledger has it.
    pub fn block_hash(&self, height: u64) -> Option<[u8; 32]> {
        let first = self.block(0)?;
        self.block(height.checked_sub(first.height)?).map(|block| block.hash)
    }

    fn block(&self, row: u64) -> Option<BlockRow> {
        let blocks = &self.store.columns[BLOCKS];
        (row < blocks.rows()).then(|| BlockRow::of(blocks.words(row)))
    }

    fn last_block(&self) -> Option<BlockRow> {
        self.block(self.blocks().checked_sub(1)?)
    }

    /// Whether the batch is as large as it should grow: commit then. Memory is bounded if the caller does.
    pub fn is_full(&self) -> bool {
        self.store.is_full()
    }

    /// Appends a block to the batch. The first block may have any height; each other one must follow the tip.
    ///
    /// A block that does not follow leaves the batch as it was. After any other error nothing of the batch can be
    /// committed any more.
    pub fn push_block(&mut self, block: &UtxoBlock) -> Result<Pushed, BookError> {
        self.store.check()?;
        if self.is_there(block)? {
            return Ok(Pushed::Skipped);
        }
        let result = self.lay_down_block(block);
        if result.is_err() {
            self.store.fail();
        }
        result.map(|()| Pushed::Added)
    }

    fn is_there(&self, block: &UtxoBlock) -> Result<bool, DeedError> {
        let next = Next { height: block.height, hash: block.hash, previous: block.previous };
        next.is_there(self.tip(), self.block_hash(block.height), txid_text)
    }

    fn lay_down_block(&mut self, block: &UtxoBlock) -> Result<(), BookError> {
        let time = block.time.micros();
        let before = self.last_block().map_or(i64::MIN, |last| last.time_max);
        let time_max = if block.transactions.is_empty() { before } else { before.max(time) };
        let (height, hash, first_transaction) = (block.height, block.hash, self.end().0);
        let row = BlockRow { height, time, time_max, first_transaction, hash };
        let number = self.store.columns[BLOCKS].append(row.words())?;
        self.hashes.push(fingerprint(&hash));
        let mut ahead = std::mem::take(&mut self.ahead);
        ahead.look(block, &self.store.columns, &self.live, &self.holders);
        let (mut inputs, mut holders) = (ahead.inputs.as_slice(), ahead.holders.as_slice());
        for (transaction, txid) in block.transactions.iter().zip(&ahead.txids) {
            let (its_inputs, other_inputs) = inputs.split_at(transaction.inputs.len());
            let (its_holders, other_holders) = holders.split_at(transaction.outputs.len());
            (inputs, holders) = (other_inputs, other_holders);
            let ahead = TransactionAhead { txid: *txid, inputs: its_inputs, holders: its_holders };
            self.lay_down(transaction, ahead, (number, height))?;
            self.store.relieve()?;
        }
        self.ahead = ahead;
        Ok(())
    }

    fn lay_down(
        &mut self,
        transaction: &UtxoTransaction,
        ahead: TransactionAhead<'_>,
        (block, height): (u64, u64),
    ) -> Result<(), BookError> {
        let facts = Facts {
            columns: &self.store.columns,
            txids: &self.txids,
            foreign: &self.foreign,
            live: &self.live,
            network: self.network,
            height,
        };
        let Resolved { fee, replaced } = self.resolver.resolve(facts, transaction, ahead.txid, ahead.inputs)?;
        if let Some(replaced) = replaced {
            self.live.drop_transaction(ahead.txid, replaced);
        }
        let seq = self.end().0;
        let first_input = self.store.columns[INPUTS].rows();
        let resolver = std::mem::take(&mut self.resolver);
        for ((input, spent), ahead) in transaction.inputs.iter().zip(&resolver.spent).zip(ahead.inputs) {
            self.spend(seq, input.outpoint, spent, ahead.fingerprint)?;
        }
        self.resolver = resolver;
        let first_output = self.store.columns[OUTPUTS].rows();
        let mut spendable = 0;
        for (output, holder) in transaction.outputs.iter().zip(ahead.holders) {
            let value = u64::try_from(output.amount.units()).expect("checked when it was resolved");
            let made = Made { value, by: seq, is_inferred: false, spent_by: NONE };
            self.add_output(&output.holder, *holder, made)?;
            spendable += u64::from(!output.holder.is_unspendable());
        }
        let (inputs, outputs) = (transaction.inputs.len() as u64, transaction.outputs.len() as u64);
        let row = TransactionRow { first_output, outputs, first_input, inputs, fee, block };
        self.store.columns[TRANSACTIONS].append(row.words(transaction.txid))?;
        self.txids.push(ahead.txid);
        self.live.insert(ahead.txid, seq, spendable);
        Ok(())
    }

    fn spend(&mut self, seq: u64, outpoint: Outpoint, spent: &Spent, maker_fingerprint: u64) -> Result<(), BookError> {
        let output = match spent {
            Spent::Known { output, maker } => {
                self.store.columns[OUTPUTS].set_word(*output, SPENT_BY, seq);
                if let Some(maker) = maker {
                    self.live.spend(maker_fingerprint, *maker);
                }
                *output
            }
            Spent::Foreign { value, holder, is_inferred } => {
                let made = Made { value: *value, by: NONE_40, is_inferred: *is_inferred, spent_by: seq };
                let output = self.add_output(holder, fingerprint(holder.as_bytes()), made)?;
                self.store.columns[FOREIGN].append(ForeignRow { output, outpoint }.words())?;
                self.foreign.push(outpoint_fingerprint(&outpoint));
                output
            }
        };
        self.store.columns[INPUTS].append_bytes(&output.to_le_bytes()[..5])?;
        Ok(())
    }

    fn add_output(&mut self, holder: &Lock, fingerprint: u64, made: Made) -> Result<u64, BookError> {
        let columns = &mut self.store.columns;
        let is_unspendable = holder.is_unspendable();
        let holder = self.holders.find_or_add(columns, holder.as_bytes(), fingerprint)?;
        let previous = columns[HOLDERS].word(holder, HOLDER_TAIL);
        let Made { value, by: made_by, is_inferred, spent_by } = made;
        let row = OutputRow { value, spent_by, holder, previous, made_by, is_inferred, is_unspendable };
        let output = columns[OUTPUTS].append(row.words())?;
        columns[HOLDERS].set_word(holder, HOLDER_TAIL, output);
        Ok(output)
    }

    /// Reads which outputs are left to spend, so that filling need not search the ledger for each transaction. It is
    /// known anyway if the ledger was empty when it was opened. All of the ledger is read once: worth it before many
    /// blocks, not before one.
    pub fn remember_live(&mut self) {
        if self.live.is_complete() {
            return;
        }
        let columns = &self.store.columns;
        let mut live = Live::new(true);
        for seq in 0..columns[TRANSACTIONS].rows() {
            let row = TransactionRow::of(columns[TRANSACTIONS].words(seq));
            let outputs = row.first_output..row.first_output + row.outputs;
            let left = outputs.filter(|output| is_left(columns, *output)).count() as u64;
            let id = txid(columns, seq);
            let fingerprint = fingerprint(&id);
            // Of two with the same id the later is meant.
            if let Some(before) = live.find(fingerprint, |other| txid(columns, other) == id) {
                live.drop_transaction(fingerprint, before);
            }
            live.insert(fingerprint, seq, left);
        }
        self.live = live;
    }

    /// Makes the batch part of the ledger. After an error the ledger is as it was at the last commit.
    pub fn commit(&mut self) -> Result<(), BookError> {
        self.store.commit(&mut [&mut self.holders.index, &mut self.txids, &mut self.foreign, &mut self.hashes])
    }
}
