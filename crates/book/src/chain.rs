//! What ledgers of either kind that are chains have in common: blocks, the tip, and which block may come next.
//!
//! It does not choose between forks; that is for whoever feeds the ledger.

use ledger::{Seq, Time};
use serde::{Deserialize, Serialize};

use crate::DeedError;

/// The last block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its height.
    pub height: u64,
    /// Its hash: in internal byte order on UTXO ledgers, first byte first on account ledgers.
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

/// A block of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its height.
    pub height: u64,
    /// Its hash: in internal byte order on UTXO ledgers, first byte first on account ledgers.
    pub hash: [u8; 32],
    /// Its header's time.
    pub time: Time,
    /// Its first transaction.
    pub first_transaction: Seq,
    /// How many transactions it has.
    pub transactions: u64,
}

/// Up to which heights a chain calls itself settled, as the ledger's source last said. The ledger need not reach so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heads {
    /// The `safe` block: only a large part of the validators acting together could undo it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe: Option<u64>,
    /// The `finalized` block: nobody can undo it without losing what they staked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalized: Option<u64>,
}

impl Heads {
    /// What is still true of them when the ledger was cut back to this tip: what was taken back may come differently.
    pub(crate) fn cut(self, tip: Option<u64>) -> Self {
        let cut = |height: Option<u64>| height.zip(tip).map(|(height, tip)| height.min(tip));
        Self { safe: cut(self.safe), finalized: cut(self.finalized) }
    }
}

/// A block that wants to be the next one.
pub(crate) struct Next {
    pub(crate) height: u64,
    pub(crate) hash: [u8; 32],
    pub(crate) previous: Option<[u8; 32]>,
}

impl Next {
    /// Whether it is there already: `has` is the hash of the ledger's block at its height. An error if it is not, and
    /// does not follow the tip either. `text` is how such a chain prints a hash.
    pub(crate) fn is_there(
        &self,
        tip: Option<Tip>,
        has: Option<[u8; 32]>,
        text: impl Fn(&[u8; 32]) -> String,
    ) -> Result<bool, DeedError> {
        let Some(tip) = tip else { return Ok(false) };
        let height = self.height;
        if let Some(has) = has {
            if has == self.hash {
                return Ok(true);
            }
            return Err(DeedError::OtherBlock { height, hash: text(&self.hash), has: text(&has) });
        }
        if height != tip.height + 1 {
            return Err(DeedError::HeightGap { height, expected: tip.height + 1 });
        }
        if self.previous != Some(tip.hash) {
            let parent = self.previous.as_ref().map_or_else(|| "none".to_owned(), &text);
            return Err(DeedError::OtherParent { height, parent, tip: text(&tip.hash) });
        }
        Ok(false)
    }
}
