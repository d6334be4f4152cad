//! [`AnnexWriter`]: the one writer of an annex. What it was told is kept from the next commit on, all of it or nothing.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ledger::{LedgerId, hex};
use sha2::{Digest as _, Sha256};

use super::AnnexSpec;
use super::column::Growing;
use super::folder::{clear, next_number, path_of};
use super::inventory::{Inventory, NOTE_BYTES_MAX};
use super::table::GrowingTable;
use crate::manifest::MANIFEST;
use crate::{BookError, disk};

/// Held by the one writer.
const WRITER_LOCK: &str = "writer.lock";

/// A commit, told from any other: what its manifest says, and when it was written. The time is there for an annex that was
/// made anew and says the same by other rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitMark(Option<([u8; 32], SystemTime)>);

/// An annex, open for writing.
#[derive(Debug)]
pub struct AnnexWriter {
    folder: PathBuf,
    inventory: Inventory,
    columns: Vec<Growing>,
    tables: Vec<GrowingTable>,
    /// The blobs that this batch replaces.
    blobs: Vec<Option<Vec<u8>>>,
    has_failed: bool,
    _lock: File,
}

impl AnnexWriter {
    pub(crate) fn open(folder: &Path, ledger: &LedgerId, spec: &AnnexSpec) -> Result<Self, BookError> {
        if !folder.exists() {
            fs::create_dir_all(folder).map_err(BookError::io("create", folder))?;
            folder.ancestors().skip(1).take(3).try_for_each(disk::sync_folder)?;
        }
        let lock = lock(folder)?;
        disk::remove(&disk::unfinished(&folder.join(MANIFEST)))?;
        let found = Inventory::read(folder, ledger, spec)?;
        if let Some(inventory) = &found {
            clear(folder, &inventory.files())?;
        }
        let mut inventory = found.unwrap_or_else(|| Inventory::new(ledger, spec));
        // What an annex of another version has stays until the first commit replaces it.
        inventory.next = inventory.next.max(next_number(folder)?);
        let open = |column| Growing::open(folder, column);
        let columns = inventory.columns.iter().map(open).collect::<Result<_, _>>()?;
        let tables = inventory.tables.iter().map(|table| GrowingTable::open(folder, table));
        let tables = tables.collect::<Result<_, _>>()?;
        inventory.blobs.iter().try_for_each(|blob| super::read::check_blob(folder, blob))?;
        let blobs = inventory.blobs.iter().map(|_| None).collect();
        Ok(Self { folder: folder.to_owned(), inventory, columns, tables, blobs, has_failed: false, _lock: lock })
    }

    /// Deletes what is in an annex's folder, but for the lock.
    pub(crate) fn remove(folder: &Path) -> Result<(), BookError> {
        if !folder.exists() {
            return Ok(());
        }
        let _lock = lock(folder)?;
        // The manifest first: without it the rest counts for nothing.
        disk::remove(&folder.join(MANIFEST))?;
        disk::remove(&disk::unfinished(&folder.join(MANIFEST)))?;
        disk::sync_folder(folder)?;
        clear(folder, &[])
    }

    /// What was said with the last commit; nothing before the first.
    pub fn note(&self) -> &str {
        &self.inventory.note
    }

    /// How many rows a column has, the batch's included.
    pub fn rows(&self, column: usize) -> u64 {
        self.columns[column].rows()
    }

    /// A row of a column; `None` past its end.
    pub fn row(&self, column: usize, row: u64) -> Option<&[u8]> {
        let column = &self.columns[column];
        (row < column.rows()).then(|| column.row(row))
    }

    /// Appends rows, one after the other.
    pub fn append(&mut self, column: usize, rows: &[u8]) -> Result<(), BookError> {
        self.columns[column].append(rows)
    }

    /// Keeps a column's first rows only. To replace a column, cut it to nothing and append.
    pub fn truncate(&mut self, column: usize, rows: u64) {
        self.columns[column].truncate(rows);
    }

    /// How many entries a table has, the batch's included.
    pub fn entries(&self, table: usize) -> u64 {
        self.tables[table].len()
    }

    /// An entry of a table; `None` past its end.
    pub fn entry(&self, table: usize, entry: u32) -> Option<u32> {
        self.tables[table].entry(entry)
    }

    /// All entries of a table, read at once.
    pub fn load(&self, table: usize) -> Vec<u32> {
        self.tables[table].load()
    }

    /// Appends entries to a table.
    pub fn extend(&mut self, table: usize, values: impl IntoIterator<Item = u32>) -> Result<(), BookError> {
        self.tables[table].append(values)
    }

    /// Changes an entry of a table.
    ///
    /// # Panics
    /// If the table has no such entry.
    pub fn set(&mut self, table: usize, entry: u32, value: u32) {
        assert!(u64::from(entry) < self.entries(table), "an entry of the table");
        self.tables[table].set(entry, value);
    }

    /// Keeps a table's first entries only.
    pub fn truncate_table(&mut self, table: usize, entries: u64) {
        self.tables[table].truncate(entries);
    }

    /// Reads a blob as this batch has it; nothing where it was never written.
    pub fn blob(&self, blob: usize) -> Result<Vec<u8>, BookError> {
        if let Some(bytes) = &self.blobs[blob] {
            return Ok(bytes.clone());
        }
        super::read::read_blob(&self.folder, &self.inventory.blobs[blob])
    }

    /// Replaces a blob.
    pub fn put(&mut self, blob: usize, bytes: Vec<u8>) {
        self.blobs[blob] = Some(bytes);
    }

    /// Which commit this is. Whoever opens the annex again finds the same mark only if nobody has committed meanwhile.
    pub fn mark(&self) -> Result<CommitMark, BookError> {
        let path = self.folder.join(MANIFEST);
        let digest = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(CommitMark(None)),
            bytes => Sha256::digest(bytes.map_err(BookError::io("read", &path))?).into(),
        };
        let modified = fs::metadata(&path).and_then(|about| about.modified()).map_err(BookError::io("open", &path))?;
        Ok(CommitMark(Some((digest, modified))))
    }

    /// Commits: from here on readers see this, and a kill changes nothing of it. `note` says what it is up to.
    ///
    /// # Panics
    /// If the note is longer than a manifest may say, 1 MiB.
    pub fn commit(&mut self, note: &str) -> Result<(), BookError> {
        assert!(note.len() <= NOTE_BYTES_MAX, "a short note");
        if self.has_failed {
            return Err(BookError::Failed);
        }
        // Until all is well; a batch of which a part was written is not told from one that was not.
        self.has_failed = true;
        note.clone_into(&mut self.inventory.note);
        let mut next = self.inventory.next;
        for column in &mut self.columns {
            column.write(&self.folder, &mut next)?;
        }
        for table in &mut self.tables {
            table.write(&self.folder, &mut next)?;
        }
        for (blob, listed) in self.blobs.iter_mut().zip(&mut self.inventory.blobs) {
            if let Some(bytes) = blob.take() {
                let path = path_of(&self.folder, &listed.name, next);
                let mut file = File::create(&path).map_err(BookError::io("create", &path))?;
                file.write_all(&bytes).map_err(BookError::io("write", &path))?;
                file.sync_data().map_err(BookError::io("write", &path))?;
                listed.content = Some((next, bytes.len() as u64, hex::text(&Sha256::digest(&bytes))));
                next += 1;
            }
        }
        self.inventory.next = next;
        self.inventory.columns = self.columns.iter().map(|column| column.listed.clone()).collect();
        self.inventory.tables = self.tables.iter().map(GrowingTable::listed).collect();
        disk::sync_folder(&self.folder)?;
        self.inventory.write(&self.folder)?;
        clear(&self.folder, &self.inventory.files())?;
        self.has_failed = false;
        Ok(())
    }
}

fn lock(folder: &Path) -> Result<File, BookError> {
    let path = folder.join(WRITER_LOCK);
    let lock = disk::open_or_make(&path)?;
    if !disk::lock(&path, || lock.try_lock())? {
        return Err(BookError::LockedAnnex { path: folder.to_owned() });
    }
    Ok(lock)
}
