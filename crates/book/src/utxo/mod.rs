//! UTXO ledgers on disk: every output is a purse, spent whole and once.

mod ahead;
mod coins;
mod explore;
mod live;
mod read;
mod resolve;
mod rows;
mod undo;
mod write;

pub use read::UtxoLedger;
pub(crate) use rows::{hash_of, hash_words};
pub use write::UtxoWriter;
