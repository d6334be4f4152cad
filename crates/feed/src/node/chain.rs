//! [`Node`]: what following a chain needs to ask of a node, and nothing more; tests answer it with a script.

use ledger::UtxoBlock;

use crate::wire::NodeError;

/// How far a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The height of the active chain's last block.
    pub height: u64,
    /// How far the node knows headers; it will get their blocks.
    pub headers: u64,
    /// The last block's hash, in internal byte order.
    pub best: [u8; 32],
    /// Whether the node says that it is far behind the network still.
    pub is_syncing: bool,
    /// The first height whose block it has, where it deletes old ones.
    pub first_stored: Option<u64>,
}

/// How much a block must tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The block alone: the book has every output that it can spend.
    Block,
    /// What its inputs spent as well: the book begins after genesis.
    Spent,
}

/// A node, as whoever follows it sees it. Any two answers may be of different chains: it lives on meanwhile.
pub trait Node: Sync {
    /// Its address as messages have it.
    fn name(&self) -> String;

    /// The last block's hash; cheap.
    fn best(&self) -> Result<[u8; 32], NodeError>;

    /// How far it is.
    fn state(&self) -> Result<State, NodeError>;

    /// The active chain's hashes from a height on, `count` of them or up to the last block.
    fn hashes(&self, from: u64, count: u64) -> Result<Vec<[u8; 32]>, NodeError>;

    /// A block, of this hash for certain, with its height set to `height`.
    fn block(&self, height: u64, hash: &[u8; 32], need: Need) -> Result<UtxoBlock, NodeError>;
}
