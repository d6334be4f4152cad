//! Where the book lies: `--book`, else `$TRACEHOUND_BOOK`, else the platform's data folder.

use std::fs::File;
use std::path::PathBuf;

use book::Book;
use decode::DecodeError;
use etcetera::BaseStrategy;
use know::{Actors, Claim, Stops};
use ledger::LedgerId;
pub use upkeep::{ACTORS_FILE, CATEGORIES_FILE};

use crate::exit::Failure;

/// What the book keeps of tags (`docs/tags.md`).
pub const TAGS_FILE: &str = "tags.ndjson";

/// What the book keeps of links between ledgers (`docs/links.md`).
pub const LINKS_FILE: &str = "links.ndjson";

/// The book's place, whether or not there is a book yet.
pub struct Home {
    given: Option<PathBuf>,
}

impl Home {
    pub fn new(given: Option<PathBuf>) -> Self {
        Self { given }
    }

    fn folder(&self) -> Result<PathBuf, Failure> {
        if let Some(folder) = &self.given {
            return Ok(folder.clone());
        }
        let strategy = etcetera::choose_base_strategy()
            .map_err(|_| Failure::bad_input("there is no home folder; say --book FOLDER"))?;
        Ok(strategy.data_dir().join("tracehound").join("book"))
    }

    /// Whether there is a book.
    pub fn exists(&self) -> Result<bool, Failure> {
        Ok(self.folder()?.exists())
    }

    /// The book, which must be there.
    pub fn open(&self) -> Result<Book, Failure> {
        let folder = self.folder()?;
        if !folder.exists() {
            let text = format!("there is no book in {}; ingest something first, or say --book", folder.display());
            return Err(Failure::missing(text));
        }
        Ok(Book::open(folder)?)
    }

    /// The book, made if need be.
    pub fn create(&self) -> Result<Book, Failure> {
        let folder = self.folder()?;
        Book::create(folder).map_err(|error| match error {
            // To fill something else than a book is a mistyped --book; nothing is missing.
            book::BookError::NotABook(_) => Failure::bad_input(error),
            other => other.into(),
        })
    }
}

/// The ledger that `--ledger` names, else all of a book.
pub fn ledgers(book: &Book, named: Option<&str>) -> Result<Vec<LedgerId>, Failure> {
    match named {
        Some(text) => {
            let id = LedgerId::parse(text).map_err(|error| Failure::bad_input(format!("--ledger: {error}")))?;
            Ok(vec![id])
        }
        None => Ok(book.ledgers()?),
    }
}

/// The tags kept in a book.
pub fn read_tags(book: &Book) -> Result<Vec<Claim>, Failure> {
    Ok(read_kept(book, TAGS_FILE, know::from_ndjson)?.unwrap_or_default())
}

/// The links kept in a book, those that were taken back apart.
pub fn read_links(book: &Book) -> Result<Vec<link::Claim>, Failure> {
    let kept = read_kept(book, LINKS_FILE, link::from_ndjson)?.unwrap_or_default();
    Ok(kept.into_iter().filter(|kept| kept.withdrawn.is_none()).map(|kept| kept.claim).collect())
}

/// The actors kept in a book.
pub fn read_actors(book: &Book) -> Result<Actors, Failure> {
    Ok(upkeep::actors(book)?)
}

/// By what a book's tags are read: the built-in rules, the book's own table over them, and its actors.
pub fn stops(book: &Book) -> Result<Stops, Failure> {
    Ok(upkeep::stops(book)?)
}

/// What a file of the book says; nothing where there is none.
pub fn read_kept<T>(
    book: &Book,
    name: &str,
    read: impl FnOnce(File) -> Result<T, DecodeError>,
) -> Result<Option<T>, Failure> {
    let path = book.folder().join(name);
    let failed = |error: &dyn std::fmt::Display| Failure::internal(format!("{}: {error}", path.display()));
    match File::open(&path) {
        Ok(file) => read(file).map(Some).map_err(|error| match error {
            DecodeError::Fault(fault) => Failure::internal(fault.in_file(&path.display().to_string())),
            DecodeError::Read(error) => failed(&error),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}
