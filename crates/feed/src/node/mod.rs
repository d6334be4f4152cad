//! A running Bitcoin Core or Knots node, followed into the book.
//!
//! The only sockets of the whole program are here, and they go to the node that was named and nowhere else: questions
//! over HTTP (`http.rs`, `rpc.rs`), and being told of blocks over ZMQ (`wake.rs`, `zmtp.rs`). Which blocks to take and
//! which to take back is decided in `follow.rs`, which knows no socket; `run.rs` waits and retries. The mempool can be
//! looked at (`mempool.rs`) and never reaches the book. See `docs/bitcoin-node.md`.

mod address;
mod bitcoind;
mod blocks;
mod chain;
mod error;
mod event;
mod fetch;
mod follow;
mod http;
mod login;
mod mempool;
mod rpc;
mod run;
mod trouble;
mod wake;
mod zmtp;

pub use address::NodeAddress;
pub use bitcoind::{Bitcoind, HASHES_MAX, Identity, Notification};
pub use chain::{Need, Node, State};
pub use error::NodeError;
pub use event::Event;
pub use fetch::REQUESTS_MAX;
pub use follow::{BEHIND_BLOCKS_MAX, Follower, Turn};
pub use login::Login;
pub use mempool::{Unconfirmed, mempool, mempool_transaction};
pub use rpc::Rpc;
pub use run::{FollowOptions, follow};
pub use trouble::FollowError;
