//! Files and nodes into the book: the room that opens what a user names, and fills ledgers with it.
//!
//! A source goes in whole or not at all: it is read once to be checked and once to be pushed, and whatever is wrong
//! with it is one line with its file, line and column ([`FeedError`]). Decoding is the room `decode`'s, keeping the room
//! `book`'s; this one knows files, pipes, gzip, order and progress. A node's chain ([`ingest_block_files`], [`node`]) goes
//! in block by block instead, each checked before it is pushed. Only `wire` and what listens for news open sockets,
//! and only to the node that they were pointed at.

mod bitcoin;
mod blocks;
mod error;
pub mod evm;
mod following;
mod input;
pub mod node;
mod order;
mod progress;
mod spill;
mod standing;
mod survey;
mod table;
mod wire;

pub use bitcoin::{
    AHEAD_BYTES_MAX, BLOCKS_MAX, BlockFilesIngest, BlockFilesReport, BlockName, FILES_MAX, FileProblem, PROBLEMS_MAX,
    SkippedBytes, UNKNOWN_REORG_MAX, ingest_block_files,
};
pub use blocks::{BlocksReport, ingest_utxo_blocks};
pub use error::{FeedError, Kind};
pub use input::{STANDARD_INPUT, UNPACKED_BYTES_FREE, UNPACKED_RATIO_MAX};
pub use progress::{Phase, Progress, Step};
pub use survey::{ASSETS_MAX, LEDGERS_MAX, LEGS_MAX};
pub use table::{LedgerReport, Report, TableIngest, ingest_table};
