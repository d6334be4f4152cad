//! [`Event`]: what following a node has to tell; the binary prints it, as lines or as JSON.

use std::time::Duration;

use ledger::LedgerId;

/// Something happened while a node was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The node answers, and its ledger is open.
    Began {
        /// The node's address, without any password.
        node: String,
        /// The ledger.
        ledger: LedgerId,
        /// The book's last height before anything was done.
        height: Option<u64>,
        /// The node's last height.
        node_height: u64,
        /// Where new blocks are announced, if that is heard.
        wake: Option<String>,
    },
    /// A block is in the batch of a catch-up; not committed yet.
    Filling {
        /// The block's height.
        height: u64,
        /// The height that this catch-up goes to.
        target: u64,
    },
    /// A block is in the book.
    Added {
        /// Its height.
        height: u64,
        /// Its hash, in the chain's own byte order.
        hash: [u8; 32],
        /// How many transactions it has.
        transactions: u64,
        /// How long it took since the node was heard or seen to have a new block.
        after: Duration,
    },
    /// Many blocks are in the book: a part of a catch-up.
    Filled {
        /// The first one's height.
        first: u64,
        /// The last one's height.
        height: u64,
        /// The last one's hash, in the chain's own byte order.
        hash: [u8; 32],
        /// How many transactions they have.
        transactions: u64,
    },
    /// Blocks were taken back: the node's chain has turned.
    Undone {
        /// How many.
        blocks: u64,
        /// The last height that stayed.
        height: u64,
        /// The last hash that stayed, in the chain's own byte order.
        hash: [u8; 32],
        /// The hash of the block that was the last one before, in the chain's own byte order.
        stale: [u8; 32],
    },
    /// It cannot go on yet.
    Waiting {
        /// Why.
        why: String,
    },
    /// The node is away. It is asked again and again; this is said once.
    Lost {
        /// What happened.
        why: String,
    },
    /// The node is back.
    Back {
        /// How long it was away.
        away: Duration,
    },
    /// Something of a block is not known or could not be represented; the block is in the book without it.
    Problem {
        /// The block's height.
        height: u64,
        /// What is wrong, and with what.
        what: String,
    },
    /// The book has the node's last block.
    AtTip {
        /// Its height.
        height: u64,
    },
}
