//! [`UpkeepError`]: why what follows from a ledger cannot be kept, or read.

use std::fmt;
use std::io;
use std::path::PathBuf;

use book::BookError;
use ledger::LedgerId;

/// Why what follows from a ledger cannot be kept, or read.
#[derive(Debug)]
#[non_exhaustive]
pub enum UpkeepError {
    /// The book.
    Book(BookError),
    /// The ledger has accounts, and clusters and exposure are of outputs.
    Accounts(LedgerId),
    /// A file beside the ledger cannot be read.
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Tags or rulings are not as they were written: the file, the line, and what to do.
    Fault(String),
    /// Something does not fit the numbers that are kept.
    TooMany(String),
    /// What is kept was made by other versions of the methods, and has to be made anew; which they are.
    Outdated(Vec<String>),
}

impl fmt::Display for UpkeepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Book(error) => error.fmt(f),
            Self::Accounts(ledger) => {
                write!(f, "ledger {ledger} has accounts; clusters and exposure are kept of outputs (UTXO) only")
            }
            Self::Io { path, source } => write!(f, "cannot read {}: {source}", path.display()),
            Self::Fault(text) | Self::TooMany(text) => f.write_str(text),
            Self::Outdated(why) => f.write_str(&why.join("; ")),
        }
    }
}

impl std::error::Error for UpkeepError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Book(error) => Some(error),
            Self::Io { source, .. } => Some(source),
            Self::Accounts(_) | Self::Fault(_) | Self::TooMany(_) | Self::Outdated(_) => None,
        }
    }
}

impl From<BookError> for UpkeepError {
    fn from(error: BookError) -> Self {
        Self::Book(error)
    }
}
