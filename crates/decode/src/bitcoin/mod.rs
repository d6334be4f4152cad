//! Blocks and undo data of Bitcoin-like chains, as nodes keep them in files and serve them over REST.
//!
//! Sans-IO and without copies: a caller hands over bytes, [`RawBlock`] and [`Undo`] are views into them, and [`block()`],
//! [`undo()`] and [`attach()`] make the ledger's deeds of these. What can be checked of one block alone is checked here (form,
//! merkle root, proof of work, checksum of undo data, fees that are not negative); how blocks hang together, whether an
//! output was there to be spent and every other rule of consensus are not this module's business.
//!
//! Bytes are hostile. No length is believed before the bytes behind it are there, nothing panics, and each [`Problem`]
//! says the offset at which it was found.
//!
//! Sources: `primitives/`, `serialize.h`, `undo.h`, `compressor.cpp`, `node/blockstorage.cpp` and `rest.cpp` of Bitcoin
//! Core 30; BIP 34, 141, 144; `undo.h` and `primitives/block.h` of Litecoin Core 0.21; `auxpow.h` of Dogecoin Core 1.14.

mod attach;
mod block;
mod compressed;
mod cursor;
mod digest;
mod frames;
mod header;
mod merkle;
mod obfuscation;
mod problem;
mod raw;
mod transaction;
mod undo;

pub use attach::{attach, attach_fees};
pub use block::{Options, block, transaction};
pub use compressed::SpentScript;
pub use digest::double_sha256;
pub use frames::{Contents, Frames, Gap, GapKind, Record, Step};
pub use header::{BlockHeader, HEADER_BYTES, Work};
pub use merkle::merkle_root;
pub use obfuscation::Obfuscation;
pub use problem::Problem;
pub use raw::RawBlock;
pub use transaction::{RawInput, RawOutput, RawTransaction};
pub use undo::{Origin, Spent, UNDO_CHECKSUM_BYTES, Undo, spent_outputs, undo, undo_checksum, undo_record};

/// The most bytes that a block may have: above what any of these chains allows (4 MB of weight, and MWEB beside it).
pub const BLOCK_BYTES_MAX: usize = 32 << 20;
/// The most bytes that a block's undo data may have: an input of 41 bytes may spend a script of 10,000.
pub const UNDO_BYTES_MAX: usize = 256 << 20;
/// The most base units of one output: a value is a signed 64-bit number and must not be negative.
pub const VALUE_UNITS_MAX: u64 = i64::MAX as u64;
