//! How the program ends: exit codes, and the one line that says why.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// Exit codes, as documented in `docs/command-line.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Something inside or around the program failed: the disk, a lock, a damaged book.
    Internal = 1,
    /// The command or its input is not what it should be.
    BadInput = 2,
    /// A screening that somebody should look at.
    Review = 3,
    /// A screening that must not pass.
    Hit = 4,
    /// What was asked for is not in the book.
    Missing = 5,
    /// Stopped by the user; what was committed is kept.
    Interrupted = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not be carried out.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    text: String,
}

impl Failure {
    /// Wrong usage or bad input.
    pub fn bad_input(text: impl Display) -> Self {
        Self { exit: Exit::BadInput, text: text.to_string() }
    }

    /// Asked for something that the book does not hold.
    pub fn missing(text: impl Display) -> Self {
        Self { exit: Exit::Missing, text: text.to_string() }
    }

    /// Anything else.
    pub fn internal(text: impl Display) -> Self {
        Self { exit: Exit::Internal, text: text.to_string() }
    }

    /// Stopped by the user.
    pub fn interrupted(text: impl Display) -> Self {
        Self { exit: Exit::Interrupted, text: text.to_string() }
    }

    /// The line, for who goes on in spite of it.
    pub fn into_text(self) -> String {
        self.text
    }

    /// Prints the line and gives the code.
    pub fn report(self) -> ExitCode {
        if !self.text.is_empty() {
            eprintln!("error: {}", self.text);
        }
        self.exit.into()
    }
}

/// Standard output could not be written. A reader that has gone (`| head`) is success.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self { exit: Exit::Done, text: String::new() }
        } else {
            Self::internal(format!("cannot write the result: {error}"))
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        match error.io_error_kind() {
            Some(kind) => io::Error::from(kind).into(),
            None => Self::internal(format!("cannot write the result: {error}")),
        }
    }
}

impl From<book::BookError> for Failure {
    fn from(error: book::BookError) -> Self {
        let exit = match &error {
            book::BookError::NotABook(_) | book::BookError::NoLedger(_) => Exit::Missing,
            book::BookError::Deed(_) | book::BookError::WrongKind { .. } | book::BookError::UndoTooMany { .. } => {
                Exit::BadInput
            }
            _ => Exit::Internal,
        };
        Self { exit, text: error.to_string() }
    }
}

impl From<feed::FeedError> for Failure {
    fn from(error: feed::FeedError) -> Self {
        let exit = match error.kind() {
            feed::Kind::BadInput => Exit::BadInput,
            feed::Kind::System => Exit::Internal,
        };
        Self { exit, text: error.to_string() }
    }
}

/// Tags, tables and rulings that cannot be read are bad input; so is to ask for clusters of accounts.
impl From<upkeep::UpkeepError> for Failure {
    fn from(error: upkeep::UpkeepError) -> Self {
        use upkeep::UpkeepError::{Accounts, Book, Fault, TooMany};
        match error {
            Book(error) => error.into(),
            Accounts(_) | Fault(_) | TooMany(_) => Self::bad_input(error),
            other => Self::internal(other),
        }
    }
}
