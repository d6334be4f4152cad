//! Where the book lies: `--book`, else `$TRACEHOUND_BOOK`, else the platform's data folder.

use std::io::BufWriter;
use std::path::PathBuf;

use book::Book;
use decode::DecodeError;
use etcetera::BaseStrategy;
use know::Claim;

use crate::exit::Failure;

const TAGS_FILE: &str = "tags.ndjson";

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

/// The tags kept in a book.
pub fn read_tags(book: &Book) -> Result<Vec<Claim>, Failure> {
    let path = book.folder().join(TAGS_FILE);
    let failed = |error: &dyn std::fmt::Display| Failure::internal(format!("{}: {error}", path.display()));
    match std::fs::File::open(&path) {
        Ok(file) => know::from_ndjson(file).map_err(|error| match error {
            DecodeError::Fault(fault) => Failure::internal(fault.in_file(&path.display().to_string())),
            DecodeError::Read(error) => failed(&error),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(&error)),
    }
}

/// Replaces the tags kept in a book, whole or not at all.
pub fn write_tags(book: &Book, claims: &[Claim]) -> Result<(), Failure> {
    let path = book.folder().join(TAGS_FILE);
    let failed = |error: std::io::Error| Failure::internal(format!("{}: {error}", path.display()));
    let mut file = BufWriter::new(tempfile::NamedTempFile::new_in(book.folder()).map_err(failed)?);
    know::write_ndjson(claims, &mut file).map_err(failed)?;
    let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}
