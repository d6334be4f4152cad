//! [`Map`]: a file's committed bytes as memory, read only. The one place of this room with unsafe code.
//!
//! Responsible for turning a file into loads. It never writes: a store into a mapped page of a full disk kills the
//! process (SIGBUS), a `write` returns an error. It knows nothing of rows.
//!
//! Why this is sound: only bytes of files that are **never written again** below their committed length are handed out
//! as slices ([`Map::bytes`], used for names, hashes, input lists and runs). Rows of words, of which a writer in this or
//! another process may change links and tails meanwhile, are read by atomic loads of 8 aligned bytes ([`Map::word`]);
//! systems copy such a word in one piece. What remains is the hazard of every memory map: somebody else's program cutting the file. The
//! book itself cuts files only past every reader's length, or under the lock that excludes readers.
#![allow(unsafe_code, reason = "a memory map is memory that the compiler cannot know; see the text above")]
#![allow(clippy::cast_ptr_alignment, reason = "mappings start at pages, and words are loaded at multiples of 8 only")]

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::{MmapOptions, MmapRaw};

/// The first bytes of a file, as memory.
#[derive(Debug)]
pub(crate) struct Map {
    raw: Option<MmapRaw>,
    len: usize,
}

impl Map {
    /// Maps the first `len` bytes of `file`, which must be there.
    pub(crate) fn new(file: &File, len: u64) -> io::Result<Self> {
        if file.metadata()?.len() < len {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than its committed length"));
        }
        let len = usize::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        // No mapping has no bytes; an empty column simply has no map.
        let raw = if len == 0 { None } else { Some(MmapOptions::new().len(len).map_raw_read_only(file)?) };
        Ok(Self { raw, len })
    }

    /// Nothing, of no file.
    pub(crate) const fn empty() -> Self {
        Self { raw: None, len: 0 }
    }

    /// How many bytes are mapped.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes that nobody writes again.
    #[inline]
    pub(crate) fn bytes(&self, start: usize, len: usize) -> &[u8] {
        let end = start.checked_add(len).filter(|end| *end <= self.len).expect("a row inside its column");
        let Some(raw) = &self.raw else { return &[] };
        debug_assert!(end <= raw.len());
        // SAFETY: `start + len` lies within the mapping, which lives as long as `self`; the caller's bytes are of
        // fields that are never written after their commit (see the module text).
        unsafe { std::slice::from_raw_parts(raw.as_ptr().add(start), len) }
    }

    /// The `N` words at byte `start`, each loaded whole.
    #[inline]
    pub(crate) fn words<const N: usize>(&self, start: usize) -> [u64; N] {
        let fits = start.is_multiple_of(8) && start.checked_add(8 * N).is_some_and(|end| end <= self.len);
        assert!(fits, "a row inside its column");
        let Some(raw) = &self.raw else { return [0; N] };
        let first = raw.as_ptr().cast::<AtomicU64>();
        std::array::from_fn(|at| {
            // SAFETY: the mapping is page-aligned and `start` a multiple of 8, so the word is aligned; it lies within
            // the mapping by the assertion; an atomic load may race with the kernel writing the word.
            let word = unsafe { &*first.add(start / 8 + at) };
            u64::from_le(word.load(Ordering::Relaxed))
        })
    }

    /// The word at byte `start`.
    #[inline]
    pub(crate) fn word(&self, start: usize) -> u64 {
        self.words::<1>(start)[0]
    }
}
