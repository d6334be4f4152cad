//! Account ledgers on disk: every (holder, asset) pair is a purse that is paid into and out of for ever.

mod ahead;
mod assets;
mod block_rows;
mod blocks;
mod chain;
mod crowds;
mod openings;
mod purses;
mod read;
mod rows;
mod spelling;
mod undo;
mod write;

pub use chain::GapRun;
pub use read::AccountLedger;
pub(crate) use spelling::Spelling;
pub use write::AccountWriter;
