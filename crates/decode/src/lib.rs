//! Decoders: bytes in, plain values or a [`Fault`] out.
//!
//! Each reads one public form (ledger tables, blocks as Bitcoin Core prints and as it keeps them, tag packs) from bytes or any
//! reader that it is given. None opens a file, knows a book or remembers anything; every one expects hostile input, so
//! sizes, depths and memory are limited and nothing panics.

pub mod bitcoin;
pub mod fault;
mod json;
pub mod lines;
pub mod pool;
pub mod table;
pub mod tagpack;
pub mod text;
pub mod utxo_blocks;
pub mod yaml;

pub use fault::{Column, Fault};
pub use lines::DecodeError;
pub use pool::{Pool, Text};
