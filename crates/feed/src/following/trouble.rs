//! [`FollowError`]: why a node is not followed any more, one line each.

use std::fmt;

use book::BookError;

use crate::error::{FeedError, Kind};
use crate::wire::NodeError;

/// Why a node is not followed any more.
#[derive(Debug)]
pub enum FollowError {
    /// The node's side.
    Node(NodeError),
    /// The side of files that hold what a node would have said.
    Source(FeedError),
    /// The book's side.
    Book(BookError),
    /// The book refuses a block that is whole in itself: it contradicts the blocks before it.
    Refused {
        /// The node's address.
        node: String,
        /// The block's height.
        height: u64,
        /// Its hash, as people write it.
        hash: String,
        /// What the book says.
        error: Box<BookError>,
    },
    /// What was waited for did not come, and the book was only to catch up.
    Waited(String),
}

impl FollowError {
    /// Whether waiting may mend it.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Node(error) if error.is_passing())
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Source(error) => error.kind(),
            Self::Node(NodeError::Away { .. } | NodeError::Busy { .. } | NodeError::Starting { .. }) => Kind::System,
            Self::Node(_) | Self::Refused { .. } | Self::Book(BookError::Deed(_) | BookError::WrongKind { .. }) => {
                Kind::BadInput
            }
            Self::Book(_) | Self::Waited(_) => Kind::System,
        }
    }
}

impl From<NodeError> for FollowError {
    fn from(error: NodeError) -> Self {
        Self::Node(error)
    }
}

impl From<FeedError> for FollowError {
    fn from(error: FeedError) -> Self {
        Self::Source(error)
    }
}

impl From<BookError> for FollowError {
    fn from(error: BookError) -> Self {
        Self::Book(error)
    }
}

impl fmt::Display for FollowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(error) => error.fmt(f),
            Self::Source(error) => error.fmt(f),
            Self::Book(error) => error.fmt(f),
            Self::Waited(why) => write!(f, "{why}; run it again later"),
            Self::Refused { node, height, hash, error } => {
                write!(f, "{node}: block {height}, {hash}: {error}; the blocks before it are kept")
            }
        }
    }
}

impl std::error::Error for FollowError {}
