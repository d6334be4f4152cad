//! [`Problem`]: what is wrong with a block or with undo data, and at which byte of it.
//!
//! It does not know the file or the record that the bytes came from; whoever does adds the record's own offset.

use std::fmt;

/// One thing that is wrong. It is small, because every step of the scanner returns a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(Box<Place>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    offset: usize,
    what: String,
    help: &'static str,
}

/// What to do where bytes are not what a node wrote.
pub(super) const DAMAGED: &str = "the bytes are damaged, or of another chain: get the block from a node again";

impl Problem {
    #[cold]
    pub(super) fn new(offset: usize, what: impl Into<String>) -> Self {
        Self(Box::new(Place { offset, what: what.into(), help: DAMAGED }))
    }

    #[cold]
    pub(super) fn with_help(offset: usize, what: impl Into<String>, help: &'static str) -> Self {
        Self(Box::new(Place { offset, what: what.into(), help }))
    }

    /// The byte at which it was found, from the beginning of what was decoded.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// What is wrong, in lower case.
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        self.0.help
    }
}

impl fmt::Display for Problem {
    /// `byte OFFSET: what; help`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}; {}", self.0.offset, self.0.what, self.0.help)
    }
}

impl std::error::Error for Problem {}
