//! The rollback journal: the old values of link words, written and made durable before the words are changed.
//!
//! A journal belongs to the commit on which its batch builds. Found on opening, it is undone if that commit is still
//! the current one (the batch never committed), and deleted otherwise. A batch with more changes than memory should
//! hold writes several sections; a section's words are changed only after the section is durable, so a torn section
//! at the end has no changes to undo.
//!
//! Idea: `SQLite`'s rollback journal (<https://www.sqlite.org/atomiccommit.html>). The layout is in `docs/book.md`.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::manifest::Base;
use crate::numbers::{NONE, index};
use crate::run::fingerprint;
use crate::{BookError, disk};

pub(crate) const JOURNAL: &str = "journal";
const MAGIC: &[u8; 8] = b"thJRNL\0\x02";
const MAGIC_UNDO: &[u8; 8] = b"thUNDO\0\x02";
const HEADER_BYTES: usize = 48;
/// The most changes in one section: 8 MiB.
pub(crate) const SECTION_CHANGES_MAX: usize = 1 << 19;
/// A change is a word that names the column and the byte offset, and the old value, which is left out where it was
/// *none* and the first word says so: that of each output that is spent.
const COLUMN_SHIFT: u32 = 56;
const WAS_NONE: u64 = 1 << 63;

/// A word's old value: column, byte offset, value.
pub(crate) type Change = [u64; 3];

/// What the changed words are changed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// New rows. Readers of the commit see through the changes: they point past it.
    Batch,
    /// Taking rows back. The changed words are not the commit's any more.
    Undo,
}

/// The journal of the batch being written.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    purpose: Purpose,
    file: Option<File>,
    len: u64,
}

impl Journal {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { path: folder.join(JOURNAL), purpose: Purpose::Batch, file: None, len: 0 }
    }

    /// The next changes take rows back, until the file is dropped.
    pub(crate) fn begin_undo(&mut self) {
        debug_assert!(!self.is_begun(), "an undo begins on a commit");
        self.purpose = Purpose::Undo;
    }

    pub(crate) fn is_begun(&self) -> bool {
        self.file.is_some()
    }

    /// Appends changes in as many sections as they need, and makes them durable.
    pub(crate) fn append(&mut self, base: &Base, changes: impl Iterator<Item = Change>) -> Result<(), BookError> {
        let mut changes = changes.peekable();
        while changes.peek().is_some() {
            let mut bytes = Vec::new();
            if self.file.is_none() {
                bytes.extend_from_slice(if self.purpose == Purpose::Undo { MAGIC_UNDO } else { MAGIC });
                bytes.extend_from_slice(base);
                bytes.extend_from_slice(&fingerprint(&bytes).to_le_bytes());
            }
            let start = bytes.len();
            bytes.extend_from_slice(&[0; 8]);
            for [column, offset, value] in changes.by_ref().take(SECTION_CHANGES_MAX) {
                let place = column << COLUMN_SHIFT | offset;
                if value == NONE {
                    bytes.extend_from_slice(&(place | WAS_NONE).to_le_bytes());
                } else {
                    bytes.extend_from_slice([place, value].map(u64::to_le_bytes).as_flattened());
                }
            }
            let words = (bytes.len() - start) as u64 / 8 - 1;
            bytes[start..start + 8].copy_from_slice(&words.to_le_bytes());
            bytes.extend_from_slice(&fingerprint(&bytes[start..]).to_le_bytes());
            self.write(&bytes)?;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BookError> {
        let fresh = self.file.is_none();
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::create(&self.path).map_err(BookError::io("create", &self.path))?),
        };
        disk::write_at(file, &self.path, bytes, self.len)?;
        file.sync_data().map_err(BookError::io("write", &self.path))?;
        if fresh {
            disk::sync_folder(self.path.parent().expect("a journal lies in a ledger's folder"))?;
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// After the commit, or after everything was restored.
    pub(crate) fn drop_file(&mut self) -> Result<(), BookError> {
        self.file = None;
        self.purpose = Purpose::Batch;
        self.len = 0;
        disk::remove(&self.path)
    }
}

/// Reads a journal that was left behind, and gives its old values newest first, if it belongs to `base`.
pub(crate) fn restore(
    folder: &Path,
    base: &Base,
    mut restore: impl FnMut(Change) -> Result<(), BookError>,
) -> Result<bool, BookError> {
    let path = folder.join(JOURNAL);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(BookError::io("open", &path)(error)),
    };
    let sections = sections(&file, base).map_err(BookError::io("read", &path))?;
    for (offset, words) in sections.into_iter().rev() {
        let mut bytes = vec![0; 8 * words];
        disk::read_at(&file, &mut bytes, offset).map_err(BookError::io("read", &path))?;
        let (chunks, _) = bytes.as_chunks::<8>();
        let mut words = chunks.iter().map(|bytes| u64::from_le_bytes(*bytes));
        // A section names each word once, so their order in it does not matter.
        while let Some(place) = words.next() {
            let value = if place & WAS_NONE == 0 { words.next().unwrap_or(NONE) } else { NONE };
            let place = place & !WAS_NONE;
            restore([place >> COLUMN_SHIFT, place & ((1 << COLUMN_SHIFT) - 1), value])?;
        }
    }
    Ok(true)
}

/// The commit from which a journal takes rows back; `None` where there is no journal, one of a batch, or one that is torn at
/// its beginning.
pub(crate) fn undone(folder: &Path) -> Result<Option<Base>, BookError> {
    let path = folder.join(JOURNAL);
    let of_undo = |(base, purpose)| (purpose == Purpose::Undo).then_some(base);
    match File::open(&path) {
        Ok(file) => header(&mut &file).map(|found| found.and_then(of_undo)).map_err(BookError::io("read", &path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BookError::io("open", &path)(error)),
    }
}

/// The commit that a header names, and what for, if it is whole.
fn header(reader: &mut impl Read) -> io::Result<Option<(Base, Purpose)>> {
    let mut header = Vec::new();
    reader.take(HEADER_BYTES as u64).read_to_end(&mut header)?;
    let is_whole = header.len() == HEADER_BYTES && header[40..] == fingerprint(&header[..40]).to_le_bytes();
    let purpose = match header.get(..8) {
        Some(magic) if magic == MAGIC => Purpose::Batch,
        Some(magic) if magic == MAGIC_UNDO => Purpose::Undo,
        _ => return Ok(None),
    };
    Ok(if is_whole { header[8..40].try_into().ok().map(|base| (base, purpose)) } else { None })
}

/// Where the whole sections of a journal are: (offset of the first change, number of words).
fn sections(file: &File, base: &Base) -> io::Result<Vec<(u64, usize)>> {
    let mut reader = BufReader::with_capacity(1 << 20, file);
    if header(&mut reader)?.is_none_or(|(of, _)| of != *base) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut at = HEADER_BYTES as u64;
    loop {
        let mut section = Vec::new();
        reader.by_ref().take(8).read_to_end(&mut section)?;
        let Ok(count) = section.as_slice().try_into().map(u64::from_le_bytes) else { break };
        if count == 0 || count > 2 * SECTION_CHANGES_MAX as u64 {
            break;
        }
        reader.by_ref().take(8 * count).read_to_end(&mut section)?;
        let mut sum = Vec::new();
        reader.by_ref().take(8).read_to_end(&mut sum)?;
        if section.len() as u64 != 8 + 8 * count || sum != fingerprint(&section).to_le_bytes() {
            break;
        }
        found.push((at + 8, index(count)));
        at += 16 + 8 * count;
    }
    Ok(found)
}

/// Deletes a journal that has served.
pub(crate) fn remove(folder: &Path) -> Result<(), BookError> {
    let path = folder.join(JOURNAL);
    if fs::exists(&path).map_err(BookError::io("open", &path))? { disk::remove(&path) } else { Ok(()) }
}
