//! By what a book's tags are read: the built-in rules, the book's own table of categories over them, and its actors.

use std::fs::File;
use std::io;

use book::Book;
use decode::DecodeError;
use know::{Actors, Rules, Stops};

use crate::UpkeepError;
use crate::tags::read_file;

/// The book's own table of categories.
pub const CATEGORIES_FILE: &str = "categories.csv";
/// The book's actors.
pub const ACTORS_FILE: &str = "actors.ndjson";

/// By what a book's tags are read.
pub fn stops(book: &Book) -> Result<Stops, UpkeepError> {
    let path = book.folder().join(CATEGORIES_FILE);
    let bytes = read_file(&path)?;
    let rules = if bytes.is_empty() {
        Rules::default()
    } else {
        let fault = |fault: decode::Fault| UpkeepError::Fault(fault.in_file(&path.display().to_string()));
        Rules::default().overridden_by(&bytes).map_err(fault)?
    };
    Ok(Stops::new(rules).with_actors(actors(book)?))
}

/// The actors that a book knows by name.
pub fn actors(book: &Book) -> Result<Actors, UpkeepError> {
    let path = book.folder().join(ACTORS_FILE);
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Actors::default()),
        file => file.map_err(|source| UpkeepError::Io { path: path.clone(), source })?,
    };
    know::read_actors(file).map_err(|error| match error {
        DecodeError::Fault(fault) => UpkeepError::Fault(fault.in_file(&path.display().to_string())),
        DecodeError::Read(source) => UpkeepError::Io { path: path.clone(), source },
    })
}
