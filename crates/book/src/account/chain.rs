//! What an explorer, and whoever looks for links between chains, ask an account ledger that is a chain: blocks, events,
//! gaps. Ledgers without blocks answer with nothing.

use std::sync::atomic::Ordering;

use ledger::{Contracts, Event, Gaps, Seq, Time};

use super::AccountLedger;
use super::block_rows::{BlockRow, EventRow, GapRow, block_hash, first_transaction, gaps_from};
use super::rows::{BLOCKS, EVENTS, GAPS};
use crate::chain::{Block, Heads, Tip};
use crate::column::{Rows as _, partition_point, partition_point_near};
use crate::run::fingerprint;

/// Blocks that follow each other and of which the same is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapRun {
    /// The first height.
    pub from: u64,
    /// The last height.
    pub to: u64,
    /// What is not known of them.
    pub gaps: Gaps,
}

impl AccountLedger {
    /// How many blocks there are. A ledger without blocks is no chain.
    pub fn blocks(&self) -> u64 {
        self.column(BLOCKS).rows()
    }

    /// The last block.
    pub fn tip(&self) -> Option<Tip> {
        let last = self.block_row(self.blocks().checked_sub(1)?);
        Some(Tip { height: last.height, hash: last.hash, time: Time::from_micros(last.time) })
    }

    /// The height of the first block.
    pub fn first_height(&self) -> Option<u64> {
        (self.blocks() > 0).then(|| self.block_row(0).height)
    }

    /// Up to where the chain calls itself settled, as the ledger was last told.
    pub fn heads(&self) -> Heads {
        self.snapshot.heads
    }

    fn block_row(&self, number: u64) -> BlockRow {
        BlockRow::of(self.column(BLOCKS).words(number))
    }

    /// The block at a height.
    pub fn block(&self, height: u64) -> Option<Block> {
        let number = height.checked_sub(self.first_height()?)?;
        (number < self.blocks()).then(|| self.numbered(number))
    }

    /// The block with a hash, first byte first.
    pub fn block_by_hash(&self, hash: &[u8; 32]) -> Option<Block> {
        let columns = &self.snapshot.columns;
        let found = self.snapshot.lookups[2].find(
            fingerprint(hash),
            |number| fingerprint(&block_hash(columns, number)),
            |number| block_hash(columns, number) == *hash,
        );
        found.map(|number| self.numbered(number))
    }

    /// The block that a transaction is in.
    pub fn block_of(&self, seq: Seq) -> Option<Block> {
        self.block_number_of(seq).map(|number| self.numbered(number))
    }

    fn numbered(&self, number: u64) -> Block {
        let BlockRow { height, time, first_transaction: first, hash, .. } = self.block_row(number);
        let is_last = number + 1 == self.blocks();
        let end = if is_last { self.end } else { first_transaction(&self.snapshot.columns, number + 1) };
        Block {
            height,
            hash,
            time: Time::from_micros(time),
            first_transaction: Seq(first),
            transactions: end.saturating_sub(first),
        }
    }

    fn block_number_of(&self, seq: Seq) -> Option<u64> {
        // Whoever reads a chain asks for transactions near to each other.
        let near = self.near_block.load(Ordering::Relaxed);
        let is_before = |block| first_transaction(&self.snapshot.columns, block) <= seq.0;
        let number = partition_point_near(self.blocks(), near, is_before).checked_sub(1)?;
        self.near_block.store(number, Ordering::Relaxed);
        Some(number)
    }

    pub(super) fn height_of(&self, seq: Seq) -> Option<u64> {
        // There are no gaps in the numbering of blocks.
        Some(self.first_height()? + self.block_number_of(seq)?)
    }

    /// How many events are kept.
    pub fn events_kept(&self) -> u64 {
        self.column(EVENTS).rows()
    }

    /// What is not known of the block at a height.
    pub fn block_gaps(&self, height: u64) -> Gaps {
        let gaps = self.column(GAPS);
        let number = self.first_height().and_then(|first| height.checked_sub(first));
        let row = number.and_then(|number| gaps_from(gaps, number + 1).checked_sub(1));
        row.map_or_else(Gaps::default, |row| GapRow::of(gaps.words(row)).gaps)
    }

    /// The blocks of which something is not known, in order of height.
    pub fn gap_runs(&self) -> impl Iterator<Item = GapRun> + '_ {
        let gaps = self.column(GAPS);
        let row = move |at: u64| (at < gaps.rows()).then(|| GapRow::of(gaps.words(at)));
        let first = self.first_height().unwrap_or(0);
        (0..gaps.rows()).filter_map(move |at| {
            let run = row(at).filter(|run| run.gaps.any())?;
            let end = row(at + 1).map_or(self.blocks(), |next| next.block);
            Some(GapRun { from: first + run.block, to: first + end.checked_sub(1)?, gaps: run.gaps })
        })
    }
}

impl Contracts for AccountLedger {
    fn events(&self, from: Seq, until: Seq, each: &mut dyn FnMut(Seq, &Event)) {
        let events = self.column(EVENTS);
        let row = |at: u64| EventRow::of(events.words(at));
        let mut event = Event { index: 0, contract: [0; 20], topics: Vec::new(), data: Vec::new() };
        for at in partition_point(events.rows(), |at| row(at).transaction < from.0)..events.rows() {
            let row = row(at);
            if row.transaction >= until.0 {
                break;
            }
            row.read(&self.snapshot.columns, &mut event);
            each(Seq(row.transaction), &event);
        }
    }

    fn gaps(&self, seq: Seq) -> Gaps {
        let gaps = self.column(GAPS);
        let row = partition_point(gaps.rows(), |row| GapRow::of(gaps.words(row)).first_transaction <= seq.0);
        row.checked_sub(1).map_or_else(Gaps::default, |row| GapRow::of(gaps.words(row)).gaps)
    }
}
