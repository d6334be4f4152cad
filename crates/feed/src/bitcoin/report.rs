//! What an ingest of block files has to say: [`BlockFilesReport`], and a [`FileProblem`] for each thing that is wrong.

use std::fmt;

use ledger::LedgerId;

/// The most problems that are told one by one; more are counted.
pub const PROBLEMS_MAX: usize = 1_000;

/// Something about a file that a user should know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileProblem {
    /// The file's name within the folder; empty where it is not one file's.
    pub file: String,
    /// At which byte of it.
    pub offset: Option<u64>,
    /// What is wrong.
    pub what: String,
    /// What to do about it; empty where nothing needs to be done.
    pub help: String,
    /// Whether anything is missing because of it, or wrong in a file; otherwise it is just told.
    pub is_damage: bool,
}

impl FileProblem {
    pub(super) fn damage(file: &str, offset: Option<u64>, what: impl Into<String>, help: &str) -> Self {
        Self { file: file.to_owned(), offset, what: what.into(), help: help.to_owned(), is_damage: true }
    }

    pub(super) fn note(file: &str, offset: Option<u64>, what: impl Into<String>, help: &str) -> Self {
        Self { is_damage: false, ..Self::damage(file, offset, what, help) }
    }
}

impl fmt::Display for FileProblem {
    /// `blk00003.dat:1234567: what; help`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            f.write_str(&self.file)?;
            if let Some(offset) = self.offset {
                write!(f, ":{offset}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.what)?;
        if self.help.is_empty() { Ok(()) } else { write!(f, "; {}", self.help) }
    }
}

/// Bytes of a block file that hold no block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SkippedBytes {
    /// The file's name within the folder.
    pub file: String,
    /// Where they begin.
    pub offset: u64,
    /// How many there are.
    pub bytes: u64,
    /// What they are: `garbage`, or a record that is `cut off`. Space that the node set aside is not told.
    pub what: &'static str,
}

/// A block by height and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockName {
    /// Its height.
    pub height: u64,
    /// Its hash, in internal byte order.
    pub hash: [u8; 32],
}

/// What an ingest of block files did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockFilesReport {
    /// The ledger.
    pub ledger: LedgerId,
    /// How many blocks this run has added.
    pub added: u64,
    /// How many blocks of the best chain were there already.
    pub already_there: u64,
    /// How many blocks of the ledger were on a branch that lost, and were taken back.
    pub taken_back: u64,
    /// How many transactions this run has added.
    pub transactions: u64,
    /// How many blocks the files hold, each counted once.
    pub blocks_in_files: u64,
    /// How many of them are beside the best chain.
    pub stale: u64,
    /// How many of them hang on a block that no file holds.
    pub left_out: u64,
    /// How many of the added blocks had undo data to check fees with.
    pub with_undo: u64,
    /// How many block files there are.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// The ledger's last block.
    pub tip: Option<BlockName>,
    /// Bytes that hold no block.
    pub skipped: Vec<SkippedBytes>,
    /// What is wrong, in order of the files.
    pub problems: Vec<FileProblem>,
    /// How many more problems there are.
    pub problems_untold: u64,
    /// Whether the files' best chain is in the ledger whole, as far as can be known.
    pub is_whole: bool,
    /// Whether it was stopped before the end.
    pub is_interrupted: bool,
}
