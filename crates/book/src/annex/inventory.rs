//! [`Inventory`]: an annex's manifest: which files it consists of, and how much of each counts. Replacing it is the commit.
//!
//! Two lines as a ledger's manifest has: JSON, and the SHA-256 of the first line. Numbers that a reader relies on are
//! checked here, before any file is opened.

use std::path::Path;
use std::{fs, io};

use ledger::{LedgerId, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::AnnexSpec;
use crate::column::ROWS_MAX;
use crate::manifest::MANIFEST;
use crate::{BookError, disk};

/// The version of the format of all annexes.
const FORMAT: u32 = 1;
/// A larger one is none of ours.
const BYTES_MAX: u64 = 4 << 20;
/// The logarithmic method needs 40 at most.
const PIECES_MAX: usize = 64;
/// What a manifest may say of what it is up to.
pub(super) const NOTE_BYTES_MAX: usize = 1 << 20;
/// A table's entries are asked for by a number of 32 bits.
pub(super) const ENTRIES_MAX: u64 = u32::MAX as u64;

/// A file of a column's rows, which follow those of the piece before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Piece {
    pub(super) file: u64,
    pub(super) rows: u64,
    /// Whether the file has had more rows that counted. Then nothing may be appended to it: somebody may be reading them.
    pub(super) is_cut: bool,
}

/// A file of a table's changes, sorted by entry, which hide those of the run before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    pub(super) file: u64,
    pub(super) changes: u64,
    /// Changes of entries from here on do not count: the table was cut meanwhile.
    pub(super) below: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListedColumn {
    pub(super) name: String,
    pub(super) width: usize,
    pub(super) pieces: Vec<Piece>,
}

impl ListedColumn {
    pub(super) fn rows(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.rows).sum()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListedTable {
    pub(super) base: ListedColumn,
    pub(super) runs: Vec<Run>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListedBlob {
    pub(super) name: String,
    /// The file, its length, and its SHA-256 in hex; none before it was first written.
    pub(super) content: Option<(u64, u64, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inventory {
    format: u32,
    ledger: String,
    annex: String,
    version: u32,
    /// The number of the next file that is made.
    pub(super) next: u64,
    pub(super) columns: Vec<ListedColumn>,
    pub(super) tables: Vec<ListedTable>,
    pub(super) blobs: Vec<ListedBlob>,
    pub(super) note: String,
}

impl Inventory {
    /// That of an annex with nothing in it.
    pub(super) fn new(ledger: &LedgerId, spec: &AnnexSpec) -> Self {
        let column = |name: &str, width| ListedColumn { name: name.to_owned(), width, pieces: Vec::new() };
        Self {
            format: FORMAT,
            ledger: ledger.as_str().to_owned(),
            annex: spec.name.to_owned(),
            version: spec.version,
            next: 0,
            columns: spec.columns.iter().map(|(name, width)| column(name, *width)).collect(),
            tables: spec.tables.iter().map(|name| ListedTable { base: column(name, 4), runs: Vec::new() }).collect(),
            blobs: spec.blobs.iter().map(|name| ListedBlob { name: (*name).to_owned(), content: None }).collect(),
            note: String::new(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("plain fields become JSON");
        let digest = Sha256::digest(&bytes);
        bytes.push(b'\n');
        bytes.extend_from_slice(hex::text(&digest).as_bytes());
        bytes.push(b'\n');
        bytes
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), BookError> {
        disk::replace(&folder.join(MANIFEST), &self.bytes())
    }

    /// Reads the manifest in a folder; `None` where there is none, or one of another version.
    pub(super) fn read(folder: &Path, ledger: &LedgerId, spec: &AnnexSpec) -> Result<Option<Self>, BookError> {
        let path = folder.join(MANIFEST);
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BookError::io("open", &path)(error)),
            Ok(meta) if !meta.is_file() || meta.len() > BYTES_MAX => {
                return Err(BookError::annex(&path, "it is no manifest of an annex"));
            }
            Ok(_) => {}
        }
        let bytes = fs::read(&path).map_err(BookError::io("read", &path))?;
        let inventory = Self::parse(&bytes).map_err(|what| BookError::annex(&path, what))?;
        if inventory.ledger != ledger.as_str() || inventory.annex != spec.name {
            let whose = format!("it is that of {:?} of ledger {:?}", inventory.annex, inventory.ledger);
            return Err(BookError::annex(&path, whose));
        }
        if inventory.format != FORMAT || inventory.version != spec.version {
            return Ok(None);
        }
        inventory.check(&Self::new(ledger, spec)).map_err(|what| BookError::annex(&path, what))?;
        Ok(Some(inventory))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let at = bytes.iter().position(|byte| *byte == b'\n').ok_or("it is cut off")?;
        let inventory: Self =
            serde_json::from_slice(&bytes[..at]).map_err(|error| format!("it is no manifest ({error})"))?;
        if inventory.bytes() != bytes {
            return Err("its checksum is wrong".to_owned());
        }
        Ok(inventory)
    }

    /// Whether all that is said fits what such an annex has.
    fn check(&self, empty: &Self) -> Result<(), String> {
        let columns = |inventory: &Self| -> Vec<(String, usize)> {
            let tables = inventory.tables.iter().map(|table| &table.base);
            inventory.columns.iter().chain(tables).map(|column| (column.name.clone(), column.width)).collect()
        };
        let blobs = |inventory: &Self| inventory.blobs.iter().map(|blob| blob.name.clone()).collect::<Vec<_>>();
        let counts = |inventory: &Self| (inventory.columns.len(), inventory.tables.len());
        if columns(self) != columns(empty) || blobs(self) != blobs(empty) || counts(self) != counts(empty) {
            return Err("it names other columns than this version has".to_owned());
        }
        for column in &self.columns {
            check_column(column, ROWS_MAX)?;
        }
        for table in &self.tables {
            check_column(&table.base, ENTRIES_MAX)?;
            let rows = table.base.rows();
            let fits = |run: &Run| run.below <= rows && run.changes <= ENTRIES_MAX;
            if table.runs.len() > PIECES_MAX || !table.runs.iter().all(fits) {
                return Err(format!("{} has changes of entries that it does not have", table.base.name));
            }
        }
        Ok(())
    }

    /// The numbers of all files that count.
    pub(super) fn files(&self) -> Vec<u64> {
        let columns = self.columns.iter().chain(self.tables.iter().map(|table| &table.base));
        let pieces = columns.flat_map(|column| column.pieces.iter().map(|piece| piece.file));
        let runs = self.tables.iter().flat_map(|table| table.runs.iter().map(|run| run.file));
        let blobs = self.blobs.iter().filter_map(|blob| blob.content.as_ref().map(|content| content.0));
        let mut files: Vec<u64> = pieces.chain(runs).chain(blobs).collect();
        files.sort_unstable();
        files
    }
}

fn check_column(column: &ListedColumn, rows_max: u64) -> Result<(), String> {
    let rows = column.pieces.iter().try_fold(0u64, |sum, piece| sum.checked_add(piece.rows));
    if column.pieces.len() > PIECES_MAX || rows.is_none_or(|rows| rows > rows_max) {
        return Err(format!("{} has more rows than a column can have", column.name));
    }
    Ok(())
}
