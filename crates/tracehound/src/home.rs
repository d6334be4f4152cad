//! Where the book lies: `--book`, else `$TRACEHOUND_BOOK`, else the platform's data folder.

use std::path::PathBuf;

use book::Book;
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
    match std::fs::read(&path) {
        Ok(bytes) => {
            know::from_ndjson(&bytes).map_err(|fault| Failure::internal(fault.in_file(&path.display().to_string())))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::internal(format!("{}: {error}", path.display()))),
    }
}

/// Replaces the tags kept in a book, whole or not at all.
pub fn write_tags(book: &Book, claims: &[Claim]) -> Result<(), Failure> {
    let path = book.folder().join(TAGS_FILE);
    let failed = |error: std::io::Error| Failure::internal(format!("{}: {error}", path.display()));
    let mut file = tempfile::NamedTempFile::new_in(book.folder()).map_err(failed)?;
    std::io::Write::write_all(&mut file, know::to_ndjson(claims).as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}
