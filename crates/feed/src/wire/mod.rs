//! JSON-RPC over HTTP, for whatever node speaks it: where it is, who asks, what its answers and refusals mean.
//!
//! It knows no chain and no method. What a Bitcoin node says is read in `node`, what an EVM node says in `evm`.

mod address;
mod error;
mod http;
mod login;
mod rpc;

pub use address::{Form, NodeAddress};
pub use error::NodeError;
pub use http::Dialect;
pub use login::Login;
pub use rpc::Rpc;
pub(crate) use rpc::SMALL_BYTES_MAX;
