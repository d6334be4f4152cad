//! EVM chains into the book: from a node (`node.rs`), from recorded answers, or from exported tables.
//!
//! What the answers mean is the room `evm`'s. Here they are asked for in the pace that a node bears (`pace.rs`,
//! `means.rs`), read by several threads (`reader.rs`), handed over in order, and held against the chain so far
//! (`follow.rs`). See `docs/ethereum-node.md`.

mod drift;
mod export;
mod follow;
mod means;
mod news;
mod node;
mod options;
mod pace;
mod problems;
mod reader;
mod record;
mod replay;
mod run;
mod shape;
mod shelf;
mod source;
mod tokens;

pub use export::export_evm;
pub use node::EVM_FORM;
pub use options::{ANSWER_BYTES_MAX, EvmOptions, REORG_BLOCKS_MAX, REQUESTS, REQUESTS_MAX, Settled, WantedTraces};
pub use replay::{REPLAY_FILE_BYTES_MAX, REPLAY_FILES_MAX};
pub use run::{EvmAccess, follow_evm, replay_evm};
pub use source::hash_text;
