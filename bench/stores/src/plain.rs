//! A column as plain as can be: a file of 8-byte rows, appended to, mapped for reading. The baseline of the race.
//!
//! It has no commit and no recovery; the book's columns add those (`crates/book/src/column.rs`).
#![allow(unsafe_code, reason = "a memory map is memory that the compiler cannot know; nobody else writes these files")]

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use bench_common::Result;
use memmap2::Mmap;

/// A file that grows by whole rows.
pub struct PlainWriter {
    file: File,
    written: u64,
    tail: Vec<u8>,
    patches: Vec<(u64, u64)>,
}

impl PlainWriter {
    /// A new, empty column.
    pub fn create(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        Ok(Self { file, written: 0, tail: Vec::new(), patches: Vec::new() })
    }

    /// Appends a row.
    pub fn push(&mut self, row: u64) {
        self.tail.extend_from_slice(&row.to_le_bytes());
    }

    /// Changes a row: at once in the tail, with the next commit before it.
    pub fn set(&mut self, at: u64, row: u64) {
        match (8 * at).checked_sub(self.written) {
            Some(start) => {
                let start = usize::try_from(start).expect("in memory");
                self.tail[start..start + 8].copy_from_slice(&row.to_le_bytes());
            }
            None => self.patches.push((8 * at, row)),
        }
    }

    /// Writes what is new, and makes it durable if asked to.
    pub fn write(&mut self, durable: bool) -> Result<()> {
        self.file.write_all_at(&self.tail, self.written)?;
        self.written += self.tail.len() as u64;
        self.tail.clear();
        self.patches.sort_unstable();
        for (offset, row) in self.patches.drain(..) {
            self.file.write_all_at(&row.to_le_bytes(), offset)?;
        }
        if durable {
            self.file.sync_data()?;
        }
        Ok(())
    }
}

/// A column, mapped.
pub struct Plain {
    map: Mmap,
}

impl Plain {
    /// Maps a column that is not empty.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        // SAFETY: the file is in this race's own folder and nobody writes it while it is mapped.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Self { map })
    }

    /// A row.
    #[inline]
    pub fn get(&self, at: usize) -> u64 {
        let (rows, _) = self.map.as_chunks::<8>();
        u64::from_le_bytes(rows[at])
    }
}
