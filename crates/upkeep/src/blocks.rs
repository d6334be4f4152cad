//! Blocks as they were when their transactions got verdicts: by them a chain that has turned is found.
//!
//! A block's row also says how much of the ledger was there at its end, because a ledger that has taken a block back does
//! not know any more what it had.

use book::{AnnexWriter, Block, UtxoLedger, partition_point};
use ledger::{Coins as _, PurseId};

use crate::spec::{BLOCK_BYTES, BLOCKS, u64_at};

/// How much of a ledger there is up to the end of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) transactions: u64,
    pub(crate) purses: u64,
    pub(crate) holders: u64,
}

impl Extent {
    fn of_row(row: &[u8]) -> Self {
        Self { transactions: u64_at(row, 32), purses: u64_at(row, 40), holders: u64_at(row, 48) }
    }

    /// With one more block, whose outputs follow those of the block before.
    pub(crate) fn with(self, coins: &UtxoLedger, block: &Block) -> Self {
        let transactions = block.first_transaction.0 + block.transactions;
        let made = |seq| coins.made(ledger::Seq(seq)).last().map(|purse: PurseId| purse.0 + 1);
        // Outputs from before the first block stand before those of the transaction that spends them; all of both are
        // below the end of what the block's last transaction with outputs made.
        let purses = (block.first_transaction.0..transactions).rev().find_map(made).unwrap_or(self.purses);
        let newest = |purse| coins.coin(PurseId(purse)).holder.0 + 1;
        let holders = (self.purses..purses).map(newest).fold(self.holders, u64::max);
        Self { transactions, purses, holders }
    }

    pub(crate) fn row(self, block: &Block) -> [u8; BLOCK_BYTES] {
        let mut row = [0; BLOCK_BYTES];
        row[..32].copy_from_slice(&block.hash);
        row[32..40].copy_from_slice(&self.transactions.to_le_bytes());
        row[40..48].copy_from_slice(&self.purses.to_le_bytes());
        row[48..].copy_from_slice(&self.holders.to_le_bytes());
        row
    }
}

/// The extent at the end of the last of the first `blocks` blocks.
pub(crate) fn extent(writer: &AnnexWriter, blocks: u64) -> Extent {
    let row = blocks.checked_sub(1).and_then(|last| writer.row(BLOCKS, last));
    row.map_or_else(Extent::default, Extent::of_row)
}

/// How many of the blocks that were read are still the ledger's. Blocks name their parents, so what is the same at one
/// height is the same below.
pub(crate) fn common(writer: &AnnexWriter, coins: &UtxoLedger) -> u64 {
    let is_same = |number| {
        let (Some(row), Some(block)) = (writer.row(BLOCKS, number), coins.block(number)) else { return false };
        let end = block.first_transaction.0 + block.transactions;
        row.starts_with(&block.hash) && Extent::of_row(row).transactions == end
    };
    partition_point(writer.rows(BLOCKS).min(coins.blocks()), is_same)
}
