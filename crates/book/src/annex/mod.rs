//! Annexes: what follows from a ledger and from what is known about it, kept beside it so that it need not be worked out again.
//!
//! An annex is a folder of columns that grow and can be cut, tables of numbers whose entries change, and blobs that are
//! replaced whole. No file is ever changed where a commit counts it, so readers need no lock and a writer may be killed at
//! any instant: what the manifest does not count is not there. It knows nothing of what the columns mean. Whatever is in
//! it can be made again, so a damaged annex is deleted, never repaired. Format: `docs/book.md`.
//!
//! The rule that keeps files few is that of the logarithmic method: the last two pieces become one as soon as the
//! earlier is less than twice as long (Bentley & Saxe 1980, "Decomposable searching problems I").

mod column;
mod folder;
mod inventory;
mod read;
mod table;
#[cfg(test)]
mod tests;
mod write;

pub use read::Annex;
pub use write::{AnnexWriter, CommitMark};

/// What an annex consists of. Columns, tables and blobs are asked for by their place in these lists.
#[derive(Clone, Copy, Debug)]
pub struct AnnexSpec {
    /// Its folder's name.
    pub name: &'static str,
    /// The version of what is in it: an annex of another version counts as not there.
    pub version: u32,
    /// Columns that grow at their end: a name, and how many bytes a row has.
    pub columns: &'static [(&'static str, usize)],
    /// Tables of 32-bit numbers of which any may change.
    pub tables: &'static [&'static str],
    /// Bytes that are replaced whole.
    pub blobs: &'static [&'static str],
}
