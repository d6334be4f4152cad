//! [`NodeError`]: why a node did not give what it was asked for, one line each. No variant holds a password.

use std::fmt;
use std::time::Duration;

/// How many characters of what a node says are repeated.
const SAID_CHARS_MAX: usize = 200;

/// Why a node did not give what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeError {
    /// What was given to reach the node by is not what it should be.
    Address {
        /// What was given, without any password.
        given: String,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// It cannot be reached, went away in the middle of an answer, or is too busy. It may come back.
    Away {
        /// The node's address, without any password.
        node: String,
        /// What happened.
        why: String,
    },
    /// It says that too much is asked of it. It may answer later.
    Busy {
        /// The node's address.
        node: String,
        /// What it says.
        why: String,
        /// How long to wait, if it says so.
        after: Option<Duration>,
    },
    /// It runs and does not answer yet (RPC error -28).
    Starting {
        /// The node's address.
        node: String,
        /// What it says that it is doing.
        says: String,
    },
    /// It does not accept the login.
    Login {
        /// The node's address.
        node: String,
        /// What is wrong, and what to do.
        what: String,
    },
    /// It answered with an error of its own.
    Rpc {
        /// The node's address.
        node: String,
        /// What was asked.
        asked: String,
        /// The error's number.
        code: i64,
        /// What it says.
        says: String,
    },
    /// Its answer is not one that such a node gives.
    Answer {
        /// The node's address.
        node: String,
        /// What was asked.
        asked: String,
        /// What is wrong with the answer.
        what: String,
    },
    /// A block does not verify: it is not the block that was asked for, or contradicts itself or the chain.
    Block {
        /// The node's address.
        node: String,
        /// The block's height.
        height: u64,
        /// The hash that was asked for, as people write it; empty where it was asked for by its height.
        hash: String,
        /// What is wrong with it.
        what: String,
    },
    /// It has deleted a block that is needed.
    Pruned {
        /// The node's address.
        node: String,
        /// The block's height.
        height: u64,
        /// The first height that it has in full, if it says.
        first: Option<u64>,
    },
    /// Its chain is not the one that the book holds.
    Chain {
        /// The node's address.
        node: String,
        /// How they differ, and what to do.
        what: String,
    },
}

impl NodeError {
    /// Whether waiting may mend it.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Away { .. } | Self::Busy { .. } | Self::Starting { .. })
    }

    /// What happened, without the node's address in front.
    pub fn bare(&self) -> String {
        match self {
            Self::Address { what, .. }
            | Self::Login { what, .. }
            | Self::Chain { what, .. }
            | Self::Busy { why: what, .. }
            | Self::Away { why: what, .. } => what.clone(),
            Self::Starting { says, .. } => format!("it is starting: {says}"),
            Self::Rpc { asked, code, says, .. } => format!("{asked}: error {code}: {says}"),
            Self::Answer { asked, what, .. } => format!("{asked}: {what}"),
            Self::Block { height, hash, what, .. } if hash.is_empty() => format!("block {height}: {what}"),
            Self::Block { height, hash, what, .. } => format!("block {height}, {hash}: {what}"),
            Self::Pruned { height, first, .. } => {
                let has = first.map_or_else(String::new, |first| format!("; it has blocks from height {first} on"));
                format!(
                    "the node has deleted block {height} (pruning){has}; use a node with every block, or begin an empty \
                     book with --from HEIGHT"
                )
            }
        }
    }
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = match self {
            Self::Address { given: node, .. }
            | Self::Away { node, .. }
            | Self::Busy { node, .. }
            | Self::Starting { node, .. }
            | Self::Login { node, .. }
            | Self::Rpc { node, .. }
            | Self::Answer { node, .. }
            | Self::Block { node, .. }
            | Self::Pruned { node, .. }
            | Self::Chain { node, .. } => node,
        };
        write!(f, "{node}: {}", self.bare())
    }
}

impl std::error::Error for NodeError {}

/// What a stranger says, fit for a message: on one line, without control characters, and cut.
pub(crate) fn said(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAID_CHARS_MAX).collect();
    clean.trim().to_owned()
}
