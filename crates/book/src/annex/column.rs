//! [`Pieces`], a column of an annex as it is read, and [`Growing`], as it is written.
//!
//! A column is a row of files. Rows are appended to the last one. A column that was cut goes on in a new file, because the
//! rows that no longer count may be those of somebody's commit.

use std::io::Write as _;
use std::path::Path;

use super::folder::{map, path_of};
use super::inventory::{ListedColumn, Piece};
use crate::column::ROWS_MAX;
use crate::map::Map;
use crate::numbers::index;
use crate::{BookError, disk};

/// Pieces are copied in steps of this many bytes.
const STEP_BYTES: usize = 1 << 20;

/// A column's committed rows.
#[derive(Debug)]
pub(super) struct Pieces {
    width: usize,
    /// Each with the number of its first row.
    files: Vec<(u64, Map)>,
    rows: u64,
}

impl Pieces {
    /// Maps a column; `None` where one of its files is not there.
    pub(super) fn open(folder: &Path, listed: &ListedColumn) -> Result<Option<Self>, BookError> {
        let mut files = Vec::with_capacity(listed.pieces.len());
        let mut rows = 0;
        for piece in &listed.pieces {
            let bytes = piece.rows.checked_mul(listed.width as u64);
            let Some(map) = map(&path_of(folder, &listed.name, piece.file), bytes)? else { return Ok(None) };
            files.push((rows, map));
            rows += piece.rows;
        }
        Ok(Some(Self { width: listed.width, files, rows }))
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// A row that is there.
    #[inline]
    pub(super) fn row(&self, row: u64) -> &[u8] {
        let at = self.files.partition_point(|(first, _)| *first <= row) - 1;
        let (first, map) = &self.files[at];
        map.bytes(index(row - first) * self.width, self.width)
    }

    /// Rows that lie in one piece; `None` where they do not.
    pub(super) fn stretch(&self, row: u64, rows: u64) -> Option<&[u8]> {
        let end = row.checked_add(rows).filter(|end| *end <= self.rows)?;
        if rows == 0 {
            return Some(&[]);
        }
        let at = self.files.partition_point(|(first, _)| *first <= row).checked_sub(1)?;
        let (first, map) = &self.files[at];
        let next = self.files.get(at + 1).map_or(self.rows, |(next, _)| *next);
        (end <= next).then(|| map.bytes(index(row - first) * self.width, index(rows) * self.width))
    }

    /// All rows of `from..until`, piece by piece, in steps of bounded size.
    pub(super) fn each_step(&self, from: u64, until: u64, mut take: impl FnMut(&[u8])) {
        let step = ((STEP_BYTES / self.width).max(1)) as u64;
        for (at, (first, map)) in self.files.iter().enumerate() {
            let end = self.files.get(at + 1).map_or(self.rows, |(next, _)| *next).min(until);
            let mut row = from.max(*first);
            while row < end {
                let rows = step.min(end - row);
                take(map.bytes(index(row - first) * self.width, index(rows) * self.width));
                row += rows;
            }
        }
    }
}

/// A column that is written.
#[derive(Debug)]
pub(super) struct Growing {
    pub(super) listed: ListedColumn,
    pieces: Pieces,
    /// How many of the committed rows still count.
    kept: u64,
    /// The rows that follow them.
    tail: Vec<u8>,
}

impl Growing {
    pub(super) fn open(folder: &Path, listed: &ListedColumn) -> Result<Self, BookError> {
        let pieces = Pieces::open(folder, listed)?;
        let pieces = pieces.ok_or_else(|| BookError::annex(folder.join(&listed.name), "a file of it is gone"))?;
        Ok(Self { listed: listed.clone(), kept: pieces.rows, pieces, tail: Vec::new() })
    }

    fn width(&self) -> usize {
        self.listed.width
    }

    pub(super) fn rows(&self) -> u64 {
        self.kept + (self.tail.len() / self.width()) as u64
    }

    pub(super) fn row(&self, row: u64) -> &[u8] {
        match row.checked_sub(self.kept) {
            None => self.pieces.row(row),
            Some(in_tail) => &self.tail[index(in_tail) * self.width()..][..self.width()],
        }
    }

    /// A row that is not committed yet, to be changed.
    pub(super) fn tail_row(&mut self, row: u64) -> Option<&mut [u8]> {
        let (at, width) = (index(row.checked_sub(self.kept)?), self.width());
        Some(&mut self.tail[at * width..][..width])
    }

    pub(super) fn append(&mut self, rows: &[u8]) -> Result<(), BookError> {
        debug_assert!(rows.len().is_multiple_of(self.width()));
        if self.rows() + (rows.len() / self.width()) as u64 > ROWS_MAX {
            return Err(BookError::Full { path: self.listed.name.clone().into() });
        }
        self.tail.extend_from_slice(rows);
        Ok(())
    }

    pub(super) fn truncate(&mut self, rows: u64) {
        if rows < self.kept {
            self.kept = rows;
            self.tail.clear();
        } else {
            self.tail.truncate(index(rows - self.kept) * self.listed.width);
        }
    }

    /// All rows that count, in steps of bounded size.
    pub(super) fn each_step(&self, mut take: impl FnMut(&[u8])) {
        self.pieces.each_step(0, self.kept, &mut take);
        self.tail.chunks((STEP_BYTES / self.width()).max(1) * self.width()).for_each(take);
    }

    /// Writes what the next manifest is to count, and makes it durable. Nothing that the last one counts is touched.
    pub(super) fn write(&mut self, folder: &Path, next: &mut u64) -> Result<(), BookError> {
        if self.tail.is_empty() && self.kept == self.pieces.rows {
            return Ok(());
        }
        self.cut();
        if !self.tail.is_empty() {
            self.write_tail(folder, next)?;
        }
        let mut from = self.listed.pieces.len().saturating_sub(1);
        let mut rows: u64 = self.listed.pieces[from..].iter().map(|piece| piece.rows).sum();
        while from > 0 && self.listed.pieces[from - 1].rows < 2 * rows {
            from -= 1;
            rows += self.listed.pieces[from].rows;
        }
        self.reopen(folder)?;
        if from + 1 < self.listed.pieces.len() {
            self.merge(folder, from, rows, next)?;
        }
        Ok(())
    }

    /// Replaces the whole column by what `write` writes, which has as many rows.
    pub(super) fn rewrite(
        &mut self,
        folder: &Path,
        next: &mut u64,
        write: impl FnOnce(&Pieces, &mut dyn FnMut(&[u8])),
    ) -> Result<(), BookError> {
        let rows = self.rows();
        if rows == 0 {
            return Ok(());
        }
        let (file, number) = (FileOfRows::make(folder, &self.listed.name, next)?, *next - 1);
        file.fill(|put| write(&self.pieces, put))?;
        self.listed.pieces = vec![Piece { file: number, rows, is_cut: false }];
        self.reopen(folder)
    }

    /// Forgets pieces, and rows of a piece, that no longer count.
    fn cut(&mut self) {
        let mut left = self.kept;
        for piece in &mut self.listed.pieces {
            piece.is_cut |= piece.rows > left;
            piece.rows = piece.rows.min(left);
            left -= piece.rows;
        }
        self.listed.pieces.retain(|piece| piece.rows > 0);
    }

    fn write_tail(&mut self, folder: &Path, next: &mut u64) -> Result<(), BookError> {
        let rows = (self.tail.len() / self.width()) as u64;
        let last = match self.listed.pieces.last() {
            Some(piece) if !piece.is_cut => *piece,
            _ => {
                let piece = Piece { file: *next, rows: 0, is_cut: false };
                *next += 1;
                self.listed.pieces.push(piece);
                piece
            }
        };
        let path = path_of(folder, &self.listed.name, last.file);
        let file = disk::open_or_make(&path)?;
        disk::write_at(&file, &path, &self.tail, last.rows * self.width() as u64)?;
        file.sync_data().map_err(BookError::io("write", &path))?;
        let piece = self.listed.pieces.last_mut().expect("one was there or was pushed");
        piece.rows += rows;
        Ok(())
    }

    fn reopen(&mut self, folder: &Path) -> Result<(), BookError> {
        *self = Self::open(folder, &self.listed)?;
        Ok(())
    }

    /// The pieces from `from` on become one.
    fn merge(&mut self, folder: &Path, from: usize, rows: u64, next: &mut u64) -> Result<(), BookError> {
        let first: u64 = self.listed.pieces[..from].iter().map(|piece| piece.rows).sum();
        let (file, number) = (FileOfRows::make(folder, &self.listed.name, next)?, *next - 1);
        file.fill(|put| self.pieces.each_step(first, first + rows, put))?;
        self.listed.pieces.truncate(from);
        self.listed.pieces.push(Piece { file: number, rows, is_cut: false });
        self.reopen(folder)
    }
}

/// A new file that is filled once.
pub(super) struct FileOfRows {
    path: std::path::PathBuf,
    file: std::io::BufWriter<std::fs::File>,
}

impl FileOfRows {
    pub(super) fn make(folder: &Path, name: &str, next: &mut u64) -> Result<Self, BookError> {
        let path = path_of(folder, name, *next);
        *next += 1;
        let file = std::fs::File::create(&path).map_err(BookError::io("create", &path))?;
        Ok(Self { path, file: std::io::BufWriter::with_capacity(STEP_BYTES, file) })
    }

    pub(super) fn fill(self, write: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Result<(), BookError> {
        let Self { path, mut file } = self;
        let mut result = Ok(());
        write(&mut |bytes| {
            if result.is_ok() {
                result = file.write_all(bytes);
            }
        });
        result.and_then(|()| file.flush()).map_err(BookError::io("write", &path))?;
        file.get_ref().sync_data().map_err(BookError::io("write", &path))
    }
}
