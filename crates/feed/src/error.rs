//! [`FeedError`]: why an ingest stopped, one line each, with the file's name in front.

use std::fmt;
use std::io;
use std::path::PathBuf;

use book::BookError;
use decode::{DecodeError, Fault};

/// What kind of trouble it is: the binary makes exit codes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The input is not what it should be, or is not there. Mend it and run again.
    BadInput,
    /// The machine refused something: a full disk, a missing right, a ledger that another process writes.
    System,
}

/// Why an ingest stopped.
#[derive(Debug)]
pub enum FeedError {
    /// The source cannot be opened or read.
    Source {
        /// Its name.
        file: String,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// The source holds something that it must not.
    Fault {
        /// Its name.
        file: String,
        /// Where, what, and what to do.
        fault: Fault,
    },
    /// The book refused; what it says names its own files.
    Book {
        /// The source that was being read.
        file: String,
        /// What the book says.
        error: BookError,
    },
    /// A temporary file could not be written or read.
    Spool {
        /// The folder for temporary files.
        folder: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
}

impl FeedError {
    /// What kind of trouble it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Source { .. }
            | Self::Fault { .. }
            | Self::Book { error: BookError::Deed(_) | BookError::WrongKind { .. }, .. } => Kind::BadInput,
            Self::Book { .. } | Self::Spool { .. } => Kind::System,
        }
    }

    pub(crate) fn decode(file: &str, error: DecodeError) -> Self {
        let file = file.to_owned();
        match error {
            DecodeError::Fault(fault) => Self::Fault { file, fault },
            DecodeError::Read(error) => Self::Source { file, what: cannot_read(&error) },
        }
    }

    pub(crate) fn fault(file: &str, fault: Fault) -> Self {
        Self::Fault { file: file.to_owned(), fault }
    }

    pub(crate) fn book(file: &str) -> impl Fn(BookError) -> Self {
        let file = file.to_owned();
        move |error| Self::Book { file: file.clone(), error }
    }
    /// What the book says of something that began on a line of the source: it knows the transaction, we know the line.
    pub(crate) fn refused(file: &str, line: u64, error: BookError) -> Self {
        let BookError::Deed(error) = error else { return Self::book(file)(error) };
        let said = error.to_string();
        let (what, help) = said.rsplit_once("; ").unwrap_or((&said, "nothing of this run was kept"));
        Self::fault(file, Fault::line(line, what, help))
    }
}

/// What an error of the reader means: unpacking has errors of its own.
pub(crate) fn cannot_read(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the gzip data is cut off; get the file again in full".to_owned(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            format!("the gzip data is damaged ({error}); get the file again")
        }
        _ => format!("cannot be read: {error}"),
    }
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source { file, what } => write!(f, "{file}: {what}"),
            Self::Fault { file, fault } => f.write_str(&fault.in_file(file)),
            Self::Book { file, error: error @ (BookError::Deed(_) | BookError::WrongKind { .. }) } => {
                write!(f, "{file}: {error}")
            }
            Self::Book { error, .. } => write!(f, "{error}"),
            Self::Spool { folder, error } if error.kind() == io::ErrorKind::StorageFull => {
                write!(f, "{}: the disk is full; free some space, or point TMPDIR elsewhere", folder.display())
            }
            Self::Spool { folder, error } => {
                write!(f, "{}: cannot use it for temporary files: {error}; point TMPDIR elsewhere", folder.display())
            }
        }
    }
}

impl std::error::Error for FeedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Book { error, .. } => Some(error),
            Self::Spool { error, .. } => Some(error),
            Self::Fault { fault, .. } => Some(fault),
            Self::Source { .. } => None,
        }
    }
}
