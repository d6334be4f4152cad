//! [`Annex`]: one commit of an annex, as it is read. It stays what it was when it was opened.

use std::fs::File;
use std::path::{Path, PathBuf};

use ledger::{LedgerId, hex};
use sha2::{Digest as _, Sha256};

use super::AnnexSpec;
use super::column::Pieces;
use super::folder::path_of;
use super::inventory::{Inventory, ListedBlob};
use super::table::Table;
use crate::numbers::index;
use crate::{BookError, disk};

/// How often a reader looks again when a writer replaces files under its eyes.
const TRIES_MAX: usize = 50;

/// An annex, open for reading. Opening it reads its manifest and no more.
#[derive(Debug)]
pub struct Annex {
    columns: Vec<Pieces>,
    tables: Vec<Table>,
    blobs: Vec<Option<Blob>>,
    note: String,
}

#[derive(Debug)]
struct Blob {
    path: PathBuf,
    file: File,
    len: u64,
    digest: String,
}

impl Annex {
    pub(crate) fn open(folder: &Path, ledger: &LedgerId, spec: &AnnexSpec) -> Result<Option<Self>, BookError> {
        for _ in 0..TRIES_MAX {
            let Some(inventory) = Inventory::read(folder, ledger, spec)? else { return Ok(None) };
            if let Some(annex) = Self::map(folder, &inventory)? {
                return Ok(Some(annex));
            }
            if Inventory::read(folder, ledger, spec)?.as_ref() == Some(&inventory) {
                return Err(BookError::annex(folder, "a file of it is gone"));
            }
        }
        Err(BookError::LockedAnnex { path: folder.to_owned() })
    }

    /// `None` where a file is not there: a later commit may have replaced it.
    fn map(folder: &Path, inventory: &Inventory) -> Result<Option<Self>, BookError> {
        let columns: Result<Option<Vec<_>>, _> =
            inventory.columns.iter().map(|column| Pieces::open(folder, column)).collect();
        let tables: Result<Option<Vec<_>>, _> =
            inventory.tables.iter().map(|table| Table::open(folder, table)).collect();
        let (Some(columns), Some(tables)) = (columns?, tables?) else { return Ok(None) };
        let mut blobs = Vec::with_capacity(inventory.blobs.len());
        for listed in &inventory.blobs {
            let Some(blob) = Blob::open(folder, listed)? else { return Ok(None) };
            blobs.push(blob);
        }
        Ok(Some(Self { columns, tables, blobs, note: inventory.note.clone() }))
    }

    /// What the writer said with the commit.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// How many rows a column has.
    pub fn rows(&self, column: usize) -> u64 {
        self.columns[column].rows()
    }

    /// A row of a column; `None` past its end.
    #[inline]
    pub fn row(&self, column: usize, row: u64) -> Option<&[u8]> {
        let column = &self.columns[column];
        (row < column.rows()).then(|| column.row(row))
    }

    /// The bytes of rows that were appended at once; `None` where they are not there, or were not.
    pub fn stretch(&self, column: usize, row: u64, rows: u64) -> Option<&[u8]> {
        self.columns[column].stretch(row, rows)
    }

    /// How many entries a table has.
    pub fn entries(&self, table: usize) -> u64 {
        self.tables[table].len()
    }

    /// An entry of a table; `None` past its end.
    #[inline]
    pub fn entry(&self, table: usize, entry: u32) -> Option<u32> {
        self.tables[table].entry(entry)
    }

    /// All entries of a table, read at once.
    pub fn load(&self, table: usize) -> Vec<u32> {
        self.tables[table].load()
    }

    /// Reads a blob and checks its digest; nothing where it was never written.
    pub fn blob(&self, blob: usize) -> Result<Vec<u8>, BookError> {
        self.blobs[blob].as_ref().map_or(Ok(Vec::new()), Blob::read)
    }
}

impl Blob {
    #[allow(clippy::option_option, reason = "the file may be gone; the blob may never have been written")]
    fn open(folder: &Path, listed: &ListedBlob) -> Result<Option<Option<Self>>, BookError> {
        let Some((number, len, digest)) = &listed.content else { return Ok(Some(None)) };
        let path = path_of(folder, &listed.name, *number);
        match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BookError::io("open", &path)(error)),
            Ok(file) => {
                let has = file.metadata().map_err(BookError::io("read", &path))?.len();
                if has < *len {
                    return Err(BookError::annex(&path, format!("it has {has} bytes, {len} are committed")));
                }
                Ok(Some(Some(Self { path, file, len: *len, digest: digest.clone() })))
            }
        }
    }

    fn read(&self) -> Result<Vec<u8>, BookError> {
        let mut bytes = vec![0; index(self.len)];
        disk::read_at(&self.file, &mut bytes, 0).map_err(BookError::io("read", &self.path))?;
        if hex::text(&Sha256::digest(&bytes)) != self.digest {
            return Err(BookError::annex(&self.path, "its checksum is wrong"));
        }
        Ok(bytes)
    }
}

/// A blob of the last commit, as the writer has it.
fn open_blob(folder: &Path, listed: &ListedBlob) -> Result<Option<Blob>, BookError> {
    Blob::open(folder, listed)?.ok_or_else(|| BookError::annex(folder.join(&listed.name), "its file is gone"))
}

/// Whether a blob of the last commit is there.
pub(super) fn check_blob(folder: &Path, listed: &ListedBlob) -> Result<(), BookError> {
    open_blob(folder, listed).map(|_| ())
}

/// Reads a blob of the last commit, as the writer does.
pub(super) fn read_blob(folder: &Path, listed: &ListedBlob) -> Result<Vec<u8>, BookError> {
    open_blob(folder, listed)?.as_ref().map_or(Ok(Vec::new()), Blob::read)
}
