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

pub use explore::Block;
pub use read::UtxoLedger;
pub use write::{Pushed, Tip, UtxoWriter};
