//! [`Book`]: the folder that holds many ledgers, each in a sub-folder of its own.
//!
//! It knows names and folders; what is in a ledger's folder is for the ledger. Other rooms may keep their own files
//! beside `ledgers`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ledger::{Kind, Ledger, LedgerId};
use money::Asset;

use crate::manifest::MANIFEST;
use crate::{
    AccountLedger, AccountWriter, Annex, AnnexSpec, AnnexWriter, BookError, FORMAT, UtxoLedger, UtxoWriter, disk,
    snapshot,
};

const FORMAT_FILE: &str = "book";
const LEDGERS: &str = "ledgers";
const KEPT: &str = "kept";
const FORMAT_BYTES_MAX: u64 = 256;

/// A folder of ledgers.
#[derive(Clone, Debug)]
pub struct Book {
    folder: PathBuf,
}

/// A ledger of either kind, open for reading.
#[derive(Debug)]
pub enum BookLedger {
    /// Outputs as purses.
    Utxo(UtxoLedger),
    /// Accounts as purses.
    Account(AccountLedger),
}

impl BookLedger {
    /// The ledger as the tracer takes it.
    pub fn as_ledger(&self) -> &dyn Ledger {
        match self {
            Self::Utxo(ledger) => ledger,
            Self::Account(ledger) => ledger,
        }
    }
}

impl Book {
    /// Opens a book that is there.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, BookError> {
        let folder = folder.into();
        let path = folder.join(FORMAT_FILE);
        let missing = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
        let text = match fs::metadata(&path) {
            Err(error) if missing.contains(&error.kind()) => return Err(BookError::NotABook(folder)),
            Err(error) => return Err(BookError::io("open", path)(error)),
            Ok(meta) if !meta.is_file() || meta.len() > FORMAT_BYTES_MAX => return Err(BookError::NotABook(folder)),
            Ok(_) => fs::read(&path).map_err(BookError::io("read", &path))?,
        };
        let text = String::from_utf8_lossy(&text);
        let Some(version) = text.strip_prefix("tracehound book ") else { return Err(BookError::NotABook(folder)) };
        match version.trim_end().parse::<u32>() {
            Ok(FORMAT) => Ok(Self { folder }),
            Ok(found) => Err(BookError::OtherFormat { path, found }),
            Err(_) => Err(BookError::damaged(path, "it states no version")),
        }
    }

    /// Opens a book, making the folder where there is none. A folder with other things in it is no place for a book.
    pub fn create(folder: impl Into<PathBuf>) -> Result<Self, BookError> {
        let folder = folder.into();
        match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&folder).map_err(BookError::io("create", &folder))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(BookError::NotABook(folder)),
            Err(error) => return Err(BookError::io("open", &folder)(error)),
            Ok(mut entries) => {
                let is_empty = entries.all(|entry| entry.is_ok_and(|entry| is_leftover(&entry.file_name())));
                if !is_empty {
                    return Self::open(folder);
                }
            }
        }
        disk::replace(&folder.join(FORMAT_FILE), format!("tracehound book {FORMAT}\n").as_bytes())?;
        Self::open(folder)
    }

    /// The book's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn ledger_folder(&self, ledger: &LedgerId) -> PathBuf {
        self.folder.join(LEDGERS).join(folder_name(ledger))
    }

    /// The ledgers that have been committed to, in order of their names.
    pub fn ledgers(&self) -> Result<Vec<LedgerId>, BookError> {
        let folder = self.folder.join(LEDGERS);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(BookError::io("list", &folder))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(BookError::io("list", &folder))?;
            let ledger = entry.file_name().to_str().and_then(ledger_of);
            if let Some(ledger) = ledger
                && entry.path().join(MANIFEST).exists()
            {
                found.push(ledger);
            }
        }
        found.sort();
        Ok(found)
    }

    /// Opens a ledger's last commit for reading.
    pub fn ledger(&self, ledger: &LedgerId) -> Result<BookLedger, BookError> {
        let folder = self.ledger_folder(ledger);
        Ok(match snapshot::kind(&folder, ledger)? {
            Kind::Utxo => BookLedger::Utxo(UtxoLedger::open(&folder, ledger)?),
            Kind::Account => BookLedger::Account(AccountLedger::open(&folder, ledger)?),
        })
    }

    /// Opens an account ledger for writing, making it where there is none, and clears away what a killed writer left.
    pub fn account_writer(&self, ledger: &LedgerId) -> Result<AccountWriter, BookError> {
        AccountWriter::open(&self.ledger_folder(ledger), ledger)
    }

    /// Opens a UTXO ledger for writing, making it where there is none, and clears away what a killed writer left.
    pub fn utxo_writer(&self, ledger: &LedgerId, asset: &Asset) -> Result<UtxoWriter, BookError> {
        UtxoWriter::open(&self.ledger_folder(ledger), ledger, Some(asset))
    }
}

/// What follows from a ledger, kept beside it.
impl Book {
    /// The folder of what is kept beside a ledger: its annexes, and files of other rooms. It need not be there.
    pub fn kept_folder(&self, ledger: &LedgerId) -> PathBuf {
        self.folder.join(KEPT).join(folder_name(ledger))
    }

    /// Opens an annex's last commit for reading; `None` where there is none, or one of another version.
    pub fn annex(&self, ledger: &LedgerId, spec: &AnnexSpec) -> Result<Option<Annex>, BookError> {
        Annex::open(&self.kept_folder(ledger).join(spec.name), ledger, spec)
    }

    /// Opens an annex for writing, making it where there is none, and clears away what a killed writer left.
    pub fn annex_writer(&self, ledger: &LedgerId, spec: &AnnexSpec) -> Result<AnnexWriter, BookError> {
        AnnexWriter::open(&self.kept_folder(ledger).join(spec.name), ledger, spec)
    }

    /// Deletes an annex, damaged or not. Whoever reads it has it until they close it.
    pub fn remove_annex(&self, ledger: &LedgerId, spec: &AnnexSpec) -> Result<(), BookError> {
        AnnexWriter::remove(&self.kept_folder(ledger).join(spec.name))
    }
}

/// What a kill between the making of the folder and of its format file can leave.
fn is_leftover(name: &std::ffi::OsStr) -> bool {
    name == "book.new"
}

/// A ledger's folder: `:` becomes `+`, a capital letter `=` and the small one, a dot `=_`. So names that differ only in
/// case stay apart where file systems do not tell case, and none ends in a dot.
fn folder_name(ledger: &LedgerId) -> String {
    let mut name = String::with_capacity(ledger.as_str().len() + 8);
    for letter in ledger.as_str().chars() {
        match letter {
            ':' => name.push('+'),
            '.' => name.push_str("=_"),
            'A'..='Z' => name.extend(['=', letter.to_ascii_lowercase()]),
            other => name.push(other),
        }
    }
    name
}

fn ledger_of(folder: &str) -> Option<LedgerId> {
    let mut id = String::with_capacity(folder.len());
    let mut letters = folder.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '+' => id.push(':'),
            '=' => match letters.next()? {
                '_' => id.push('.'),
                capital => id.push(capital.to_ascii_uppercase()),
            },
            other => id.push(other),
        }
    }
    LedgerId::parse(&id).ok().filter(|ledger| folder_name(ledger) == folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ledgers_may_be_read_from_many_threads() {
        fn check<T: Send + Sync>() {}
        check::<BookLedger>();
    }

    #[test]
    fn folder_names_tell_every_ledger_apart_and_lead_back() {
        for (id, folder) in [
            ("bitcoin", "bip122+000000000019d6689c085ae165831e93"),
            ("eip155:1", "eip155+1"),
            ("table:My.Table_2", "table+=my=_=table_2"),
            ("bank:DEUTDEFF", "bank+=d=e=u=t=d=e=f=f"),
        ] {
            let ledger = LedgerId::parse(id).unwrap();
            assert_eq!(folder_name(&ledger), folder);
            assert_eq!(ledger_of(folder), Some(ledger));
        }
        for none in ["", "x", "lost+found+x", "=", "a+b.", "A+b", ".."] {
            assert_eq!(ledger_of(none), None, "{none}");
        }
    }
}
