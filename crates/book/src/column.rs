//! Columns: fixed-width rows in one file each, append-only but for a few link words.
//!
//! [`Column`] is what a reader holds: the committed rows as memory. [`Growing`] is what the writer holds: the committed
//! rows, the batch's own rows in a buffer, and the batch's changes to link words of committed rows in an overlay that
//! the store journals before it writes them. Rows that are numbers are whole 8-byte words, so that each load is one
//! aligned move; rows of bytes (names, hashes, input lists) are never changed.
//!
//! It is not a table: no types, no nulls, no compression, no index.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::map::Map;
use crate::numbers::index;
use crate::patches::Patches;
use crate::{BookError, disk};

/// The most rows that a column may have: numbers are kept in 40 bits, of which the top values mean "none".
pub(crate) const ROWS_MAX: u64 = (1 << 40) - 16;

/// Changed words of one column go out together up to this distance: copying a page costs less than a system call.
const GAP_BYTES_MAX: u64 = 512;
/// The longest such piece.
const PIECE_BYTES_MAX: usize = 1 << 20;

/// A column's file name and row width.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) width: u64,
    /// Whether a manifest leaves it out while it has no rows, as manifests from before it was thought of do.
    pub(crate) is_optional: bool,
}

impl Spec {
    /// A column that every ledger of its kind has.
    pub(crate) const fn new(name: &'static str, width: u64) -> Self {
        Self { name, width, is_optional: false }
    }

    /// A column that a ledger need not have. Such columns come last.
    pub(crate) const fn optional(name: &'static str, width: u64) -> Self {
        Self { name, width, is_optional: true }
    }
}

/// What readers and the writer have in common, so that both can look a name up.
pub(crate) trait Rows {
    /// How many rows can be read.
    fn rows(&self) -> u64;
    /// `N` words of a row, from its word `first` on.
    fn words_from<const N: usize>(&self, row: u64, first: usize) -> [u64; N];
    /// A row's first `N` words, often all of them.
    #[inline]
    fn words<const N: usize>(&self, row: u64) -> [u64; N] {
        self.words_from(row, 0)
    }
    /// `len` bytes from byte `start` of a column of bytes; they were appended at once.
    fn bytes(&self, start: u64, len: u64) -> &[u8];
}

/// A reader's column: the rows of one commit.
#[derive(Debug)]
pub(crate) struct Column {
    /// None of a column that the ledger does not have.
    file: Option<File>,
    map: Map,
    width: usize,
    rows: u64,
}

impl Column {
    pub(crate) fn open(folder: &Path, spec: Spec, rows: u64) -> Result<Self, BookError> {
        let path = folder.join(spec.name);
        if spec.is_optional && rows == 0 {
            return Ok(Self { file: File::open(&path).ok(), map: Map::empty(), width: index(spec.width), rows });
        }
        let file = File::open(&path).map_err(BookError::io("open", &path))?;
        let map = map(&file, &path, spec, rows)?;
        Ok(Self { file: Some(file), map, width: index(spec.width), rows })
    }

    /// The words of a row that may lie past the reader's commit, read from the file; `None` where it is not there.
    pub(crate) fn words_anywhere<const N: usize>(&self, row: u64) -> Option<[u64; N]> {
        if row < self.rows {
            return Some(self.words(row));
        }
        let mut bytes = [0; 64];
        let bytes = &mut bytes[..8 * N];
        disk::read_at(self.file.as_ref()?, bytes, row.checked_mul(self.width as u64)?).ok()?;
        let (words, _) = bytes.as_chunks::<8>();
        Some(std::array::from_fn(|at| u64::from_le_bytes(words[at])))
    }

    /// One word of a row.
    #[inline]
    pub(crate) fn word(&self, row: u64, word: usize) -> u64 {
        self.map.word(index(row) * self.width + 8 * word)
    }
}

impl Rows for Column {
    #[inline]
    fn rows(&self) -> u64 {
        self.rows
    }

    #[inline]
    fn words_from<const N: usize>(&self, row: u64, first: usize) -> [u64; N] {
        debug_assert!(8 * (first + N) <= self.width);
        self.map.words(index(row) * self.width + 8 * first)
    }

    #[inline]
    fn bytes(&self, start: u64, len: u64) -> &[u8] {
        self.map.bytes(index(start), index(len))
    }
}

fn map(file: &File, path: &Path, spec: Spec, rows: u64) -> Result<Map, BookError> {
    let len = rows
        .checked_mul(spec.width)
        .filter(|_| spec.width == 1 || rows <= ROWS_MAX)
        .ok_or_else(|| BookError::damaged(path, format!("{rows} rows are more than a column can have")))?;
    let has = file.metadata().map_err(BookError::io("read", path))?.len();
    if has < len {
        return Err(BookError::damaged(path, format!("it has {has} bytes, {len} are committed")));
    }
    Map::new(file, len).map_err(BookError::io("map", path))
}

/// The writer's column.
#[derive(Debug)]
pub(crate) struct Growing {
    spec: Spec,
    path: PathBuf,
    file: File,
    map: Map,
    /// The batch's rows, which follow the mapped ones.
    tail: Vec<u8>,
    /// How many rows there are, the batch's included.
    rows: u64,
    /// How much of the tail stands in the file as it is here.
    written: usize,
    /// Whether something was written since it was last made durable.
    is_unsynced: bool,
    /// New values of words of committed rows.
    patches: Patches,
}

impl Growing {
    /// Opens or makes the column and cuts what is not committed. Link words must have been restored before.
    pub(crate) fn open(folder: &Path, spec: Spec, rows: u64) -> Result<Self, BookError> {
        let path = folder.join(spec.name);
        let file = disk::open_or_make(&path)?;
        let map = map(&file, &path, spec, rows)?;
        let column = Self {
            spec,
            path,
            file,
            map,
            tail: Vec::new(),
            rows,
            written: 0,
            is_unsynced: false,
            patches: Patches::default(),
        };
        column.cut()?;
        Ok(column)
    }

    /// Cuts what a batch left behind its committed rows.
    pub(crate) fn cut(&self) -> Result<(), BookError> {
        let has = self.file.metadata().map_err(BookError::io("read", &self.path))?.len();
        if has > self.committed_bytes() {
            self.file.set_len(self.committed_bytes()).map_err(BookError::io("cut", &self.path))?;
        }
        Ok(())
    }

    fn committed_bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// How many rows are committed.
    pub(crate) fn committed_rows(&self) -> u64 {
        self.committed_bytes() / self.spec.width
    }

    /// Whether the batch has rows or changes here.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.tail.is_empty() || !self.patches.is_empty()
    }

    /// How many bytes the committed rows take.
    pub(crate) fn committed_len(&self) -> usize {
        self.map.len()
    }

    /// Maps the committed rows anew. What the batch has looked at counts as this process's memory until then.
    pub(crate) fn remap(&mut self) -> Result<(), BookError> {
        self.map = Map::new(&self.file, self.committed_bytes()).map_err(BookError::io("map", &self.path))?;
        Ok(())
    }

    /// How many bytes the batch's rows take.
    pub(crate) fn tail_bytes(&self) -> usize {
        self.tail.len()
    }

    /// Appends a row of words and returns its number.
    pub(crate) fn append<const N: usize>(&mut self, words: [u64; N]) -> Result<u64, BookError> {
        debug_assert_eq!(self.spec.width, 8 * N as u64);
        let row = self.rows;
        if row >= ROWS_MAX {
            return Err(BookError::Full { path: self.path.clone() });
        }
        self.tail.extend_from_slice(words.map(u64::to_le_bytes).as_flattened());
        self.rows += 1;
        Ok(row)
    }

    /// Appends a row, or bytes where a byte is a row, and returns the offset of the first.
    pub(crate) fn append_bytes(&mut self, bytes: &[u8]) -> Result<u64, BookError> {
        debug_assert!(self.spec.width == 1 || self.spec.width == bytes.len() as u64);
        let start = self.committed_bytes() + self.tail.len() as u64;
        if self.rows >= ROWS_MAX {
            return Err(BookError::Full { path: self.path.clone() });
        }
        self.tail.extend_from_slice(bytes);
        self.rows += if self.spec.width == 1 { bytes.len() as u64 } else { 1 };
        Ok(start)
    }

    /// Changes a link word: at once in the batch's own rows, in the overlay for committed ones.
    pub(crate) fn set_word(&mut self, row: u64, word: usize, value: u64) {
        let offset = row * self.spec.width + 8 * word as u64;
        match offset.checked_sub(self.committed_bytes()) {
            Some(in_tail) => {
                let at = index(in_tail);
                self.tail[at..at + 8].copy_from_slice(&value.to_le_bytes());
                self.written = self.written.min(at);
            }
            None => self.patches.insert(offset / 8, value),
        }
    }

    /// A word as this batch has it, link words included.
    pub(crate) fn word(&self, row: u64, word: usize) -> u64 {
        let offset = row * self.spec.width + 8 * word as u64;
        match offset.checked_sub(self.committed_bytes()) {
            Some(in_tail) => {
                let (words, _) = self.tail[index(in_tail)..index(in_tail) + 8].as_chunks::<8>();
                u64::from_le_bytes(words[0])
            }
            None => self.patches.get(offset / 8).unwrap_or_else(|| self.map.word(index(offset))),
        }
    }

    /// The overlay in file order, emptied: byte offsets and new values.
    pub(crate) fn take_patches(&mut self) -> Vec<(u64, u64)> {
        let mut patches = self.patches.take();
        for (word, _) in &mut patches {
            *word *= 8;
        }
        patches
    }

    pub(crate) fn patch_count(&self) -> usize {
        self.patches.len()
    }

    /// The word at a byte offset as it stands in the file.
    pub(crate) fn word_on_disk(&self, offset: u64) -> u64 {
        self.map.word(index(offset))
    }

    /// Writes words of committed rows, which come in file order.
    ///
    /// Words that lie close together go out in one write, with what lies between them as it is.
    pub(crate) fn write_words(&mut self, words: &[(u64, u64)]) -> Result<(), BookError> {
        if words.is_empty() {
            return Ok(());
        }
        self.is_unsynced = true;
        let mut buffer = Vec::new();
        let mut start = 0;
        for (offset, value) in words {
            let mut end = start + buffer.len() as u64;
            if *offset > end + GAP_BYTES_MAX || buffer.len() >= PIECE_BYTES_MAX {
                disk::write_at(&self.file, &self.path, &buffer, start)?;
                buffer.clear();
            }
            if buffer.is_empty() {
                (start, end) = (*offset, *offset);
            }
            for between in (end..*offset).step_by(8) {
                buffer.extend_from_slice(&self.map.word(index(between)).to_le_bytes());
            }
            buffer.extend_from_slice(&value.to_le_bytes());
        }
        disk::write_at(&self.file, &self.path, &buffer, start)
    }

    /// Restores a word from the journal, which may be damaged itself.
    pub(crate) fn restore_word(&mut self, offset: u64, value: u64) -> Result<(), BookError> {
        let inside = offset.checked_add(8).is_some_and(|end| end <= self.committed_bytes());
        if !inside || !offset.is_multiple_of(8) {
            return Err(BookError::damaged(&self.path, "the journal names a word that is not in it"));
        }
        self.is_unsynced = true;
        disk::write_at(&self.file, &self.path, &value.to_le_bytes(), offset)
    }

    /// Writes the batch's rows behind the committed ones, where no reader looks unless a link sends it there.
    pub(crate) fn write_tail(&mut self) -> Result<(), BookError> {
        let (from, to) = (self.written, self.tail.len());
        if from == to {
            return Ok(());
        }
        self.is_unsynced = true;
        disk::write_at(&self.file, &self.path, &self.tail[from..], self.committed_bytes() + from as u64)?;
        self.written = to;
        Ok(())
    }

    /// Whether something was written that is not durable.
    pub(crate) fn is_unsynced(&self) -> bool {
        self.is_unsynced
    }

    /// Makes what was written durable, if anything was.
    pub(crate) fn sync(&mut self) -> Result<(), BookError> {
        if self.is_unsynced {
            self.file.sync_data().map_err(BookError::io("write", &self.path))?;
            self.is_unsynced = false;
        }
        Ok(())
    }

    /// After the commit: the batch's rows are rows like all others.
    pub(crate) fn settle(&mut self) -> Result<(), BookError> {
        if !self.tail.is_empty() {
            let len = self.committed_bytes() + self.tail.len() as u64;
            self.map = Map::new(&self.file, len).map_err(BookError::io("map", &self.path))?;
            self.tail.clear();
            self.written = 0;
        }
        Ok(())
    }

    /// After the commit of an undo: only the first `rows` rows are left.
    pub(crate) fn shorten(&mut self, rows: u64) -> Result<(), BookError> {
        self.map = map(&self.file, &self.path, self.spec, rows)?;
        self.rows = rows;
        self.cut()?;
        self.is_unsynced = true;
        self.sync()
    }
}

impl Rows for Growing {
    #[inline]
    fn rows(&self) -> u64 {
        self.rows
    }

    #[inline]
    fn words_from<const N: usize>(&self, row: u64, first: usize) -> [u64; N] {
        debug_assert!(8 * (first + N) as u64 <= self.spec.width);
        let start = row * self.spec.width + 8 * first as u64;
        match start.checked_sub(self.committed_bytes()) {
            Some(in_tail) => {
                let at = index(in_tail);
                let (words, _) = self.tail[at..at + 8 * N].as_chunks::<8>();
                std::array::from_fn(|word| u64::from_le_bytes(words[word]))
            }
            // Link words may be stale here; whoever wants one asks `word`.
            None => self.map.words::<N>(index(start)),
        }
    }

    #[inline]
    fn bytes(&self, start: u64, len: u64) -> &[u8] {
        match start.checked_sub(self.committed_bytes()) {
            Some(in_tail) => &self.tail[index(in_tail)..index(in_tail) + index(len)],
            None => self.map.bytes(index(start), index(len)),
        }
    }
}

/// [`partition_point`] for whoever has an idea where it is: fewer looks, and near to each other.
pub(crate) fn partition_point_near(end: u64, near: u64, is_before: impl Fn(u64) -> bool) -> u64 {
    let near = near.min(end);
    let mut step = 1;
    if near < end && is_before(near) {
        let mut low = near + 1;
        while low + step <= end && is_before(low + step - 1) {
            low += step;
            step *= 2;
        }
        let high = end.min(low + step);
        return low + partition_point(high - low, |at| is_before(low + at));
    }
    let mut high = near;
    while step <= high && !is_before(high - step) {
        high -= step;
        step *= 2;
    }
    let low = high.saturating_sub(step);
    low + partition_point(high - low, |at| is_before(low + at))
}

/// The first of `0..end` for which `is_before` is false; it is true up to there and false from there on.
pub fn partition_point(end: u64, is_before: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_point_is_the_same_wherever_the_search_begins() {
        for end in 0..40 {
            for point in 0..=end {
                assert_eq!(partition_point(end, |at| at < point), point);
                for near in 0..end + 3 {
                    let is_before = |at| {
                        assert!(at < end, "it looks at nothing past the end");
                        at < point
                    };
                    assert_eq!(partition_point_near(end, near, is_before), point, "{end} {near}");
                }
            }
        }
    }
}
