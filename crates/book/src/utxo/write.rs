//! [`UtxoWriter`]: takes blocks in order of height and lays down their transactions, inputs and outputs.
//!
//! What must hold (nothing spent twice, sums that fit, the chain of parents) is checked in [`super::resolve`] before a
//! transaction is laid down. It does not read block files and does not choose between forks.

use std::path::Path;

use ledger::{Kind, LedgerId, Lock, Network, Outpoint, Seq, Time, UtxoBlock, UtxoTransaction, txid_text};
use money::Asset;

use super::resolve::{Resolved, Resolver, Spent};
use super::rows::{
    BLOCKS, BLOCKS_AT, BlockRow, FOREIGN, FOREIGN_AT, ForeignRow, HOLDERS_AT, INPUTS, LOOKUPS, OUTPUTS, OutputRow,
    SPECS, SPENT_BY, TRANSACTIONS, TXIDS_AT, TransactionRow, key_fingerprint, outpoint_fingerprint,
};
use crate::column::Rows as _;
use crate::lookup::Index;
use crate::names::{HOLDER_TAIL, HOLDERS, Holders, NONE, NONE_40, append_asset, check_name, read_assets};
use crate::run::fingerprint;
use crate::store::Store;
use crate::{BookError, DeedError};

/// The last block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its height.
    pub height: u64,
    /// Its hash, in internal byte order.
    pub hash: [u8; 32],
    /// Its time.
    pub time: Time,
}

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It is the new tip of the batch.
    Added,
    /// It was there already.
    Skipped,
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
        let mut txids = open(TXIDS_AT)?;
        let mut foreign = open(FOREIGN_AT)?;
        let hashes = open(BLOCKS_AT)?;
        for index in [&holders, &txids, &foreign, &hashes] {
            index.tidy()?;
        }
        txids.keep_ready();
        foreign.keep_ready();
        let assets = read_assets(&store.columns)?;
        match (assets.first(), asset) {
            (None, Some(asset)) => {
                check_name(asset.symbol.as_bytes())?;
                append_asset(&mut store.columns, asset, Seq(0))?;
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
        let new = |column: usize| self.store.columns[column].rows() - self.store.columns[column].committed_rows();
        self.store.is_full(new(INPUTS).max(new(OUTPUTS)))
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
        let Some(tip) = self.last_block() else { return Ok(false) };
        if let Some(has) = self.block_hash(block.height) {
            if has == block.hash {
                return Ok(true);
            }
            let (hash, has) = (txid_text(&block.hash), txid_text(&has));
            return Err(DeedError::OtherBlock { height: block.height, hash, has });
        }
        if block.height != tip.height + 1 {
            return Err(DeedError::HeightGap { height: block.height, expected: tip.height + 1 });
        }
        if block.previous != Some(tip.hash) {
            let parent = block.previous.map_or_else(|| "none".to_owned(), |hash| txid_text(&hash));
            return Err(DeedError::OtherParent { height: block.height, parent, tip: txid_text(&tip.hash) });
        }
        Ok(false)
    }

    fn lay_down_block(&mut self, block: &UtxoBlock) -> Result<(), BookError> {
        let time = block.time.micros();
        let before = self.last_block().map_or(i64::MIN, |last| last.time_max);
        let time_max = if block.transactions.is_empty() { before } else { before.max(time) };
        let (height, hash, first_transaction) = (block.height, block.hash, self.end().0);
        let row = BlockRow { height, time, time_max, first_transaction, hash };
        let number = self.store.columns[BLOCKS].append(row.words())?;
        self.hashes.push(fingerprint(&hash));
        for transaction in &block.transactions {
            self.lay_down(transaction, number, height)?;
            self.store.relieve()?;
        }
        Ok(())
    }

    fn lay_down(&mut self, transaction: &UtxoTransaction, block: u64, height: u64) -> Result<(), BookError> {
        let mut resolver = std::mem::take(&mut self.resolver);
        let resolved =
            resolver.resolve(&self.store.columns, &self.txids, &self.foreign, transaction, (height, self.network))?;
        let seq = self.end().0;
        let first_input = self.store.columns[INPUTS].rows();
        for (input, spent) in transaction.inputs.iter().zip(&resolver.spent) {
            self.spend(seq, input.outpoint, spent)?;
        }
        self.resolver = resolver;
        let first_output = self.store.columns[OUTPUTS].rows();
        for output in &transaction.outputs {
            let value = u64::try_from(output.amount.units()).expect("checked when it was resolved");
            self.add_output(&output.holder, value, seq, false, NONE)?;
        }
        let Resolved { fee } = resolved;
        let (inputs, outputs) = (transaction.inputs.len() as u64, transaction.outputs.len() as u64);
        let row = TransactionRow { first_output, outputs, first_input, inputs, fee, block };
        self.store.columns[TRANSACTIONS].append(row.words(transaction.txid))?;
        self.txids.push(fingerprint(&transaction.txid));
        Ok(())
    }

    fn spend(&mut self, seq: u64, outpoint: Outpoint, spent: &Spent) -> Result<(), BookError> {
        let output = match spent {
            Spent::Known(output) => {
                self.store.columns[OUTPUTS].set_word(*output, SPENT_BY, seq);
                *output
            }
            Spent::Foreign { value, holder, is_inferred } => {
                let output = self.add_output(holder, *value, NONE_40, *is_inferred, seq)?;
                self.store.columns[FOREIGN].append(ForeignRow { output, outpoint }.words())?;
                self.foreign.push(outpoint_fingerprint(&outpoint));
                output
            }
        };
        self.store.columns[INPUTS].append_bytes(&output.to_le_bytes()[..5])?;
        Ok(())
    }

    fn add_output(
        &mut self,
        holder: &Lock,
        value: u64,
        made_by: u64,
        is_inferred: bool,
        spent_by: u64,
    ) -> Result<u64, BookError> {
        let columns = &mut self.store.columns;
        let is_unspendable = holder.is_unspendable();
        let holder = self.holders.find_or_add(columns, holder.as_bytes())?;
        let previous = columns[HOLDERS].word(holder, HOLDER_TAIL);
        let row = OutputRow { value, spent_by, holder, previous, made_by, is_inferred, is_unspendable };
        let output = columns[OUTPUTS].append(row.words())?;
        columns[HOLDERS].set_word(holder, HOLDER_TAIL, output);
        Ok(output)
    }

    /// Makes the batch part of the ledger. After an error the ledger is as it was at the last commit.
    pub fn commit(&mut self) -> Result<(), BookError> {
        self.store.commit(&mut [&mut self.holders.index, &mut self.txids, &mut self.foreign, &mut self.hashes])
    }
}
