//! A running Bitcoin Core or Knots node, followed into the book.
//!
//! Its sockets go to the node that was named and nowhere else: questions over HTTP (`wire`), and being told of blocks over ZMQ (`wake.rs`, `zmtp.rs`). Which blocks to take and
//! which to take back is decided in `follow.rs`, which knows no socket; `following` waits and retries. The mempool can be
//! looked at (`mempool.rs`) and never reaches the book. See `docs/bitcoin-node.md`.

mod bitcoind;
mod blocks;
mod chain;
mod follow;
mod mempool;
mod run;
mod wake;
mod zmtp;

pub use crate::following::{Event, FollowError, Turn};
pub use crate::wire::{Login, NodeAddress, NodeError, Rpc};
pub use bitcoind::{Bitcoind, HASHES_MAX, Identity, Notification};
pub use chain::{Need, Node, State};
pub use follow::{BEHIND_BLOCKS_MAX, Follower, REQUESTS_MAX};
pub use mempool::{Unconfirmed, mempool, mempool_transaction};
pub use run::{FollowOptions, follow};

use crate::wire::Dialect;

/// How Bitcoin Core and its family are spoken with.
pub const BITCOIN: Dialect = Dialect {
    kind: "a Bitcoin node",
    refused: "is the node running, with server=1?",
    forbidden: ", see rpcallowip in its bitcoin.conf",
    users: "; see rpcauth in its bitcoin.conf",
    login: "give --rpc-cookie FILE, or --rpc-user with TRACEHOUND_RPC_PASSWORD in the environment",
    // `RPC_IN_WARMUP`.
    starting: Some(-28),
    busy: &[],
};
