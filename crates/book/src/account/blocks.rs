//! Account ledgers that are chains, from the writer's side: blocks come whole and in order, with their events and gaps.
//!
//! A block's transactions are laid down as any others. It does not choose between forks: a block that does not follow
//! the tip is refused.

use ledger::{AccountBlock, BlockEvent, Time};
use rustc_hash::FxHashSet;

use super::AccountWriter;
use super::block_rows::{BlockRow, EventRow, GapRow, TOPICS_MAX, last_gaps};
use super::rows::{BLOCKS, EVENT_BYTES, EVENTS, GAPS, TRANSACTIONS};
use crate::chain::{Heads, Next, Pushed, Tip};
use crate::column::Rows as _;
use crate::numbers::index;
use crate::run::fingerprint;
use crate::{BookError, DeedError};

impl AccountWriter {
    /// How many blocks there are, those of the batch included. A ledger without blocks is no chain.
    pub fn blocks(&self) -> u64 {
        self.store.columns[BLOCKS].rows()
    }

    /// The height of the first block.
    pub fn first_height(&self) -> Option<u64> {
        self.block_row(0).map(|first| first.height)
    }

    /// The last block, the batch's included.
    pub fn tip(&self) -> Option<Tip> {
        let last = self.block_row(self.blocks().checked_sub(1)?)?;
        Some(Tip { height: last.height, hash: last.hash, time: Time::from_micros(last.time) })
    }

    /// The hash of the block at a height, if the ledger has it.
    pub fn block_hash(&self, height: u64) -> Option<[u8; 32]> {
        self.block_row(height.checked_sub(self.first_height()?)?).map(|block| block.hash)
    }

    fn block_row(&self, row: u64) -> Option<BlockRow> {
        let blocks = &self.store.columns[BLOCKS];
        (row < blocks.rows()).then(|| BlockRow::of(blocks.words(row)))
    }

    /// Up to where the chain calls itself settled, as it was last told.
    pub fn heads(&self) -> Heads {
        self.store.heads()
    }

    /// Notes up to where the chain calls itself settled; the next commit records it.
    pub fn mark_heads(&mut self, heads: Heads) {
        self.store.set_heads(heads);
    }

    /// Appends a block to the batch. The first block may have any height; each other one must follow the tip. Its assets
    /// must have been declared.
    ///
    /// Errors as of [`AccountWriter::push`]: what does not follow or fit leaves the batch as it was.
    pub fn push_block(&mut self, block: &AccountBlock) -> Result<Pushed, BookError> {
        self.store.check()?;
        let next = Next { height: block.height, hash: block.hash, previous: block.previous };
        if next.is_there(self.tip(), self.block_hash(block.height), hash_text)? {
            return Ok(Pushed::Skipped);
        }
        self.check_block(block)?;
        let result = self.lay_down_block(block);
        if result.is_err() {
            self.store.fail();
        }
        result.map(|()| Pushed::Added)
    }

    fn check_block(&mut self, block: &AccountBlock) -> Result<(), DeedError> {
        if self.blocks() == 0 && self.store.columns[TRANSACTIONS].rows() > 0 {
            return Err(DeedError::BlockAmongRows { height: block.height });
        }
        let mut names = FxHashSet::default();
        self.ahead.begin();
        let mut last = self.last_time();
        for transaction in &block.transactions {
            self.check(transaction, last)?;
            if !names.insert(transaction.name.as_str()) {
                return Err(DeedError::Duplicate { transaction: transaction.name.clone() });
            }
            last = Some(transaction.time);
        }
        let mut before = None;
        for BlockEvent { transaction, event } in &block.events {
            let place = (*transaction, event.index);
            let what = if index(u64::from(*transaction)) >= block.transactions.len() {
                "is of a transaction that the block does not have"
            } else if before.is_some_and(|before| before >= place) {
                "comes after one that it must come before"
            } else if event.topics.len() > TOPICS_MAX {
                "has more than four topics"
            } else if u32::try_from(event.data.len()).is_err() {
                "has 4 GiB of data or more"
            } else {
                before = Some(place);
                continue;
            };
            return Err(DeedError::EventMisfit { height: block.height, index: event.index, what });
        }
        Ok(())
    }

    fn lay_down_block(&mut self, block: &AccountBlock) -> Result<(), BookError> {
        let first_transaction = self.end().0;
        let columns = &mut self.store.columns;
        let first_event = columns[EVENTS].rows();
        let (height, time, hash) = (block.height, block.time.micros(), block.hash);
        let number = columns[BLOCKS].append(BlockRow { height, time, first_transaction, first_event, hash }.words())?;
        self.hashes.push(fingerprint(&hash));
        if last_gaps(&columns[GAPS]) != block.gaps {
            let row = GapRow { block: number, first_transaction, gaps: block.gaps };
            columns[GAPS].append(row.words())?;
        }
        for BlockEvent { transaction, event } in &block.events {
            let start = columns[EVENT_BYTES].append_bytes(&event.contract)?;
            columns[EVENT_BYTES].append_bytes(event.topics.as_flattened())?;
            columns[EVENT_BYTES].append_bytes(&event.data)?;
            let row = EventRow::new(first_transaction + u64::from(*transaction), start, event);
            columns[EVENTS].append(row.words())?;
        }
        self.ahead.look(&self.store.columns, &self.holders, &self.purses);
        for transaction in &block.transactions {
            self.lay_down(transaction)?;
        }
        Ok(())
    }
}

/// A block's hash as chains of accounts print it.
fn hash_text(hash: &[u8; 32]) -> String {
    format!("0x{}", ledger::hex::text(hash))
}
