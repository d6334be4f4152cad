//! Runs: immutable files of (fingerprint, number) pairs sorted by fingerprint, and how they are made and merged.
//!
//! A run answers "which numbers may have this key"; whoever asks compares the real keys. It is not a store: nothing is
//! ever added to a run, it is replaced by a larger one. Fingerprints are spread evenly, so a directory of their top
//! bits leads to the right cache line in one step.
//!
//! Idea: sorted runs as in O'Neil et al., "The log-structured merge-tree" (1996), and the logarithmic method of Bentley and
//! Saxe (1980). The layout is in `docs/book.md`.

use std::fs::{self, File};
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use siphasher::sip::SipHasher13;

use crate::BookError;
use crate::map::Map;
use crate::numbers::index;

const MAGIC: u64 = u64::from_le_bytes(*b"thRUN\0\0\x01");
const HEADER_WORDS: u64 = 4;
/// How many entries a bucket of the directory has on average: one cache line of fingerprints.
const BUCKET_ENTRIES: u64 = 8;
/// Any fixed key does; this one is part of the format.
const HASH_KEYS: (u64, u64) = (0x7472_6163_6568_6f75, 0x6e64_2062_6f6f_6b31);

/// An entry: a key's fingerprint and its number.
pub(crate) type Entry = (u64, u64);

/// The fingerprint of a key.
#[inline]
pub(crate) fn fingerprint(key: &[u8]) -> u64 {
    let full = SipHasher13::new_with_keys(HASH_KEYS.0, HASH_KEYS.1).hash(key);
    #[cfg(test)]
    let full = full & KEPT_BITS.get();
    full
}

#[cfg(test)]
thread_local! {
    /// The bits of fingerprints that are kept on this thread: fewer make keys collide that nobody could find otherwise.
    pub(crate) static KEPT_BITS: std::cell::Cell<u64> = const { std::cell::Cell::new(u64::MAX) };
}

/// A run as a reader maps it: the entries with numbers `start..start + count`.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) start: u64,
    pub(crate) count: u64,
    bits: u32,
    map: Map,
}

/// The name of the run of look-up `name` that holds the numbers `start..start + count`.
pub(crate) fn file_name(name: &str, start: u64, count: u64) -> String {
    format!("{name}.{start:013}-{count:013}.run")
}

fn directory_bits(count: u64) -> u32 {
    (count / BUCKET_ENTRIES).max(1).ilog2()
}

fn file_len(count: u64) -> u64 {
    8 * (HEADER_WORDS + (1 << directory_bits(count)) + 1 + count) + 5 * count
}

impl Run {
    /// Maps a run; `None` where the file is missing, torn or another one.
    pub(crate) fn open(folder: &Path, name: &str, start: u64, count: u64) -> Option<Self> {
        let file = File::open(folder.join(file_name(name, start, count))).ok()?;
        let len = file_len(count);
        if file.metadata().ok()?.len() != len {
            return None;
        }
        let map = Map::new(&file, len).ok()?;
        let header = map.words::<4>(0);
        let run = Self { start, count, bits: directory_bits(count), map };
        (header == [MAGIC, start, count, u64::from(run.bits)] && run.bucket_start(1 << run.bits) == count)
            .then_some(run)
    }

    fn bucket_start(&self, bucket: u64) -> u64 {
        self.map.word(index(8 * (HEADER_WORDS + bucket)))
    }

    fn first_fingerprint(&self) -> u64 {
        8 * (HEADER_WORDS + (1 << self.bits) + 1)
    }

    #[inline]
    fn fingerprint_at(&self, at: u64) -> u64 {
        self.map.word(index(self.first_fingerprint() + 8 * at))
    }

    /// All fingerprints, in ascending order.
    pub(crate) fn fingerprints(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.count).map(|at| self.fingerprint_at(at))
    }

    #[inline]
    fn number_at(&self, at: u64) -> u64 {
        let first = self.first_fingerprint() + 8 * self.count;
        let bytes = self.map.bytes(index(first + 5 * at), 5);
        let mut word = [0; 8];
        word[..5].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    }

    /// The last number with this fingerprint that `is_it` accepts.
    pub(crate) fn find(&self, fingerprint: u64, is_it: &mut impl FnMut(u64) -> bool) -> Option<u64> {
        let bucket = if self.bits == 0 { 0 } else { fingerprint >> (64 - self.bits) };
        // A damaged directory finds nothing, or runs over a longer stretch; it cannot leave the file.
        let (mut low, end) = (self.bucket_start(bucket), self.bucket_start(bucket + 1).min(self.count));
        let mut size = end.saturating_sub(low);
        while size > 4 {
            let half = size / 2;
            if self.fingerprint_at(low + half - 1) < fingerprint {
                low += half;
            }
            size -= half;
        }
        let mut found = None;
        while low < end {
            let here = self.fingerprint_at(low);
            if here > fingerprint {
                break;
            }
            if here == fingerprint && is_it(self.number_at(low)) {
                found = Some(self.number_at(low));
            }
            low += 1;
        }
        found
    }
}

/// A sorted stream of entries that a merge reads.
pub(crate) enum Source<'a> {
    /// Entries in memory.
    Memory(&'a [Entry]),
    /// The entries of a run whose numbers lie in `from..to`.
    Run { run: &'a Run, from: u64, to: u64, at: u64 },
}

impl<'a> Source<'a> {
    pub(crate) fn of(run: &'a Run, from: u64, to: u64) -> Self {
        Self::Run { run, from, to, at: 0 }
    }

    fn next(&mut self) -> Option<Entry> {
        match self {
            Self::Memory(entries) => {
                let (first, rest) = entries.split_first()?;
                *entries = rest;
                Some(*first)
            }
            Self::Run { run, from, to, at } => {
                while *at < run.count {
                    let number = run.number_at(*at);
                    *at += 1;
                    if (*from..*to).contains(&number) {
                        return Some((run.fingerprint_at(*at - 1), number));
                    }
                }
                None
            }
        }
    }
}

/// Merges sorted sources into the run `start..start + count`, under a temporary name first.
pub(crate) fn write(
    folder: &Path,
    name: &str,
    (start, count): (u64, u64),
    mut sources: Vec<Source<'_>>,
) -> Result<(), BookError> {
    let path = folder.join(file_name(name, start, count));
    let new = path.with_extension("new");
    let mut heads: Vec<Option<Entry>> = sources.iter_mut().map(Source::next).collect();
    let mut out = RunWriter::create(new.clone(), start, count)?;
    for _ in 0..count {
        let least = heads.iter().enumerate().filter_map(|(at, head)| head.map(|head| (head, at))).min();
        let Some((entry, at)) = least else {
            return Err(BookError::damaged(&path, "the runs that it is merged from lack entries"));
        };
        heads[at] = sources[at].next();
        out.push(entry)?;
    }
    out.finish()?;
    fs::rename(&new, &path).map_err(BookError::io("rename", &new))
}

/// Writes one run front to back in bounded memory: fingerprints and numbers lie in two stretches of the file.
struct RunWriter {
    path: PathBuf,
    fingerprints: BufWriter<File>,
    numbers: BufWriter<File>,
    directory: BufWriter<File>,
    bits: u32,
    written: u64,
    /// The next bucket whose start is to be written.
    bucket: u64,
}

impl RunWriter {
    fn create(path: PathBuf, start: u64, count: u64) -> Result<Self, BookError> {
        let bits = directory_bits(count);
        let at = |offset: u64, file: File| {
            let mut file = file;
            file.seek(SeekFrom::Start(offset)).map(|_| BufWriter::with_capacity(1 << 16, file))
        };
        let open = || fs::OpenOptions::new().write(true).open(&path);
        let made = File::create(&path).and_then(|file| {
            let mut directory = BufWriter::with_capacity(1 << 16, file);
            for word in [MAGIC, start, count, u64::from(bits)] {
                directory.write_all(&word.to_le_bytes())?;
            }
            let first = 8 * (HEADER_WORDS + (1 << bits) + 1);
            Ok((directory, at(first, open()?)?, at(first + 8 * count, open()?)?))
        });
        let (directory, fingerprints, numbers) = made.map_err(BookError::io("create", &path))?;
        Ok(Self { path, fingerprints, numbers, directory, bits, written: 0, bucket: 0 })
    }

    fn push(&mut self, (fingerprint, number): Entry) -> Result<(), BookError> {
        let bucket = if self.bits == 0 { 0 } else { fingerprint >> (64 - self.bits) };
        self.start_buckets(bucket)?;
        self.written += 1;
        let wrote = self.fingerprints.write_all(&fingerprint.to_le_bytes());
        let wrote = wrote.and_then(|()| self.numbers.write_all(&number.to_le_bytes()[..5]));
        wrote.map_err(BookError::io("write", &self.path))
    }

    fn start_buckets(&mut self, through: u64) -> Result<(), BookError> {
        while self.bucket <= through {
            self.directory.write_all(&self.written.to_le_bytes()).map_err(BookError::io("write", &self.path))?;
            self.bucket += 1;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), BookError> {
        self.start_buckets(1 << self.bits)?;
        let flushed = [&mut self.directory, &mut self.fingerprints, &mut self.numbers]
            .into_iter()
            .try_for_each(std::io::Write::flush);
        flushed.and_then(|()| self.directory.get_ref().sync_data()).map_err(BookError::io("write", &self.path))
    }
}
