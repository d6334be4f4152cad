//! [`Answer`]: what comes of one query: a finding and what the rules say of it, or why there is none.

use crate::finding::Finding;
use crate::{Judgement, Level};

/// What comes of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The query as it was asked.
    pub query: String,
    /// Its line, where it came from a file.
    pub line: Option<u64>,
    /// What it comes to.
    pub status: Status,
    /// Why there is no finding, or what is to be known before it is believed.
    pub text: Option<String>,
    /// What was found, and what the rules say of that.
    pub found: Option<(Finding, Judgement)>,
}

/// What a query comes to. Ordered: of a batch, the last counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// No rule fired, on what is known as of the last block.
    Clear,
    /// Nobody knows it: no ledger of the book has it. That is not clear.
    Unknown,
    /// Nothing fired, but what is kept lags behind the ledger or its tags.
    Stale,
    /// It is neither an address nor a transaction.
    BadInput,
    /// A rule asks for a look.
    Review,
    /// A rule says that it must not pass.
    Hit,
}

impl Status {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Unknown => "unknown",
            Self::Stale => "stale",
            Self::BadInput => "bad-input",
            Self::Review => "review",
            Self::Hit => "hit",
        }
    }
}

impl Answer {
    /// A query that names nothing.
    pub fn bad(query: &str, line: Option<u64>, text: impl Into<String>) -> Self {
        let text = Some(text.into());
        Self { query: query.to_owned(), line, status: Status::BadInput, text, found: None }
    }

    /// A finding with what the rules say of it. One that no ledger has is never clear, and nor is one that is kept stale.
    pub fn judged(query: &str, line: Option<u64>, finding: Finding, judgement: Judgement, is_stale: bool) -> Self {
        let status = match judgement.level {
            Level::Hit => Status::Hit,
            Level::Review => Status::Review,
            Level::Clear if finding.ledger.is_none() => Status::Unknown,
            Level::Clear if is_stale => Status::Stale,
            Level::Clear => Status::Clear,
        };
        let text = finding.ledger.is_none().then(|| UNKNOWN.to_owned());
        Self { query: query.to_owned(), line, status, text, found: Some((finding, judgement)) }
    }

    /// The finding.
    pub fn finding(&self) -> Option<&Finding> {
        self.found.as_ref().map(|(finding, _)| finding)
    }

    /// What the rules say.
    pub fn judgement(&self) -> Option<&Judgement> {
        self.found.as_ref().map(|(_, judgement)| judgement)
    }
}

/// What is said of an address that no ledger has.
pub const UNKNOWN: &str = "unknown address: not in any ledger of this book";
