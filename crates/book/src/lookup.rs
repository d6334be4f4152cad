//! Look-ups: from a key (transaction id, holder name, outpoint, block hash) to its number, over a column that has the
//! keys.
//!
//! The first entries are covered by sorted [runs](crate::run); the rest, fewer than [`BASE`] after a commit, is kept in
//! memory ([`crate::rest`]). Which runs there are is a **pure function of the number of entries**: one run for each
//! one-bit of `entries / BASE`, the largest first. So the files say nothing of when commits happened, any of them can be
//! made anew from the column, and there are at most a few dozen.
//!
//! It is not a hash table on disk: those want random writes and a journal of their own.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

use crate::filter::Filter;
use crate::rest::{ReaderRest, Rest};
use crate::run::{self, Entry, Run, Source, file_name};
use crate::{BookError, disk};

/// How many entries the smallest run has.
pub(crate) const BASE: u64 = 65_536;
/// A filter is made when one search in vain has been made for so many entries.
const FILTER_MISSES: u64 = 16;
/// How many entries are sorted in memory when a run must be made anew from its column: 64 MiB.
const SORT_ENTRIES_MAX: u64 = 4 << 20;

/// The runs `(start, count)` that cover the first entries of a look-up of `entries`.
pub(crate) fn layout(entries: u64) -> Vec<(u64, u64)> {
    let blocks = entries / BASE;
    let mut start = 0;
    (0..u64::BITS)
        .rev()
        .filter(|bit| blocks >> bit & 1 == 1)
        .map(|bit| {
            let count = BASE << bit;
            let run = (start, count);
            start += count;
            run
        })
        .collect()
}

/// How many entries those runs cover.
pub(crate) fn covered(entries: u64) -> u64 {
    entries / BASE * BASE
}

/// Opens the runs of a look-up of `entries`; `None` where one is missing.
pub(crate) fn open_runs(folder: &Path, name: &str, entries: u64) -> Option<Vec<Run>> {
    layout(entries).into_iter().map(|(start, count)| Run::open(folder, name, start, count)).collect()
}

/// The number of the key with this fingerprint in the runs, newest entries first.
fn find_in_runs(runs: &[Run], fingerprint: u64, is_it: &mut impl FnMut(u64) -> bool) -> Option<u64> {
    runs.iter().rev().find_map(|run| run.find(fingerprint, is_it))
}

/// A reader's look-up.
#[derive(Debug)]
pub(crate) struct Lookup {
    runs: Vec<Run>,
    rest: ReaderRest,
}

impl Lookup {
    pub(crate) fn new(runs: Vec<Run>, entries: u64) -> Self {
        Self { runs, rest: ReaderRest::new(covered(entries), entries) }
    }

    /// The number of the key with this fingerprint, newest entries first.
    pub(crate) fn find(
        &self,
        fingerprint: u64,
        fingerprint_of: impl Fn(u64) -> u64,
        mut is_it: impl FnMut(u64) -> bool,
    ) -> Option<u64> {
        let newest = self.rest.find(fingerprint, fingerprint_of, &mut is_it);
        newest.or_else(|| find_in_runs(&self.runs, fingerprint, &mut is_it))
    }
}

/// The writer's look-up.
#[derive(Debug)]
pub(crate) struct Index {
    folder: PathBuf,
    name: &'static str,
    runs: Vec<Run>,
    rest: Rest,
    /// Of what is in the runs, once enough was asked for that is not there.
    filter: Option<Filter>,
    /// Whether anybody has searched: a chain that is filled from its first block never does so by id.
    is_asked: Cell<bool>,
    /// How often all runs were asked in vain.
    misses: Cell<u64>,
}

impl Index {
    /// Opens the look-up of `entries`, making runs that are missing from the column's `fingerprint_of`.
    pub(crate) fn open(
        folder: &Path,
        name: &'static str,
        entries: u64,
        fingerprint_of: &dyn Fn(u64) -> u64,
    ) -> Result<Self, BookError> {
        let mut new = Self {
            folder: folder.to_owned(),
            name,
            runs: Vec::new(),
            rest: Rest::new(0),
            filter: None,
            is_asked: Cell::new(false),
            misses: Cell::new(0),
        };
        new.reset(entries, fingerprint_of)?;
        Ok(new)
    }

    /// Makes the look-up that of exactly `entries`; other runs stay where they are until [`Index::tidy`].
    pub(crate) fn reset(&mut self, entries: u64, fingerprint_of: &dyn Fn(u64) -> u64) -> Result<(), BookError> {
        let old = std::mem::take(&mut self.runs);
        self.runs = self.make(layout(entries), &old, &[], fingerprint_of)?;
        self.rest.restart(covered(entries));
        self.filter = None;
        for number in covered(entries)..entries {
            self.push(fingerprint_of(number));
        }
        Ok(())
    }

    /// How many entries there are.
    pub(crate) fn entries(&self) -> u64 {
        self.rest.end()
    }

    /// Adds the next number's key.
    pub(crate) fn push(&mut self, fingerprint: u64) {
        if self.is_asked.get() {
            self.rest.keep_ready();
        }
        self.rest.push(fingerprint);
    }

    /// Many searches are to come, with few new entries between them: none of them should go through all the newest.
    pub(crate) fn keep_ready(&mut self) {
        self.is_asked.set(true);
        self.rest.keep_ready();
    }

    /// The number of the key with this fingerprint, newest entries first.
    pub(crate) fn find(&self, fingerprint: u64, mut is_it: impl FnMut(u64) -> bool) -> Option<u64> {
        self.is_asked.set(true);
        let newest = self.rest.find(fingerprint, &mut is_it);
        if newest.is_some() || self.filter.as_ref().is_some_and(|filter| !filter.may_have(fingerprint)) {
            return newest;
        }
        let found = find_in_runs(&self.runs, fingerprint, &mut is_it);
        if found.is_none() {
            self.misses.set(self.misses.get() + 1);
        }
        found
    }

    /// Looks at where a new key's fingerprint would be.
    #[inline]
    pub(crate) fn touch(&self, fingerprint: u64) -> u64 {
        self.rest.touch(fingerprint) ^ self.filter.as_ref().map_or(0, |filter| filter.touch(fingerprint))
    }

    /// Takes new entries of runs into the filter, or makes it of all runs if it is worth it or has grown too small.
    fn refilter(&mut self, ready: &[Entry]) {
        let covered = self.rest.start();
        match &mut self.filter {
            Some(filter) if filter.has_room(ready.len() as u64) => {
                for (fingerprint, _) in ready {
                    filter.insert(*fingerprint);
                }
            }
            None if self.misses.get() * FILTER_MISSES < covered => {}
            filter => {
                // Dropped before its successor is made: they are large.
                *filter = None;
                let mut new = Filter::new(covered + covered / 2);
                for fingerprint in self.runs.iter().flat_map(Run::fingerprints) {
                    new.insert(fingerprint);
                }
                *filter = Some(new);
            }
        }
    }

    /// Whether a commit has runs to write.
    pub(crate) fn is_unsettled(&self) -> bool {
        covered(self.entries()) != self.rest.start()
    }

    /// Before a commit: writes the runs of all entries.
    pub(crate) fn settle(&mut self) -> Result<(), BookError> {
        if !self.is_unsettled() {
            return Ok(());
        }
        let (entries, start) = (self.entries(), self.rest.start());
        let mut ready: Vec<Entry> = self.rest.fingerprints().iter().copied().zip(start..covered(entries)).collect();
        ready.sort_unstable();
        let old = std::mem::take(&mut self.runs);
        self.runs = self.make(layout(entries), &old, &ready, &|_| unreachable!("all entries are at hand"))?;
        self.rest.shift(covered(entries));
        self.refilter(&ready);
        Ok(())
    }

    /// After a commit: deletes the runs that are no longer part of the look-up, and leftovers of killed writers.
    pub(crate) fn tidy(&self) -> Result<(), BookError> {
        let keep: FxHashSet<String> = self.runs.iter().map(|run| file_name(self.name, run.start, run.count)).collect();
        let folder = fs::read_dir(&self.folder).map_err(BookError::io("list", &self.folder))?;
        for entry in folder {
            let entry = entry.map_err(BookError::io("list", &self.folder))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let ours = name.strip_prefix(self.name).is_some_and(|rest| rest.starts_with('.'));
            if ours && !keep.contains(&name) {
                disk::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Opens each wanted run, or writes it: from `ready` entries, the `old` runs, or its column.
    fn make(
        &self,
        wanted: Vec<(u64, u64)>,
        old: &[Run],
        ready: &[Entry],
        fingerprint_of: &dyn Fn(u64) -> u64,
    ) -> Result<Vec<Run>, BookError> {
        let mut runs = Vec::with_capacity(wanted.len());
        for (start, count) in wanted {
            if let Some(run) = Run::open(&self.folder, self.name, start, count) {
                runs.push(run);
                continue;
            }
            self.make_one(start, count, old, ready, fingerprint_of)?;
            let run = Run::open(&self.folder, self.name, start, count);
            runs.push(run.ok_or_else(|| {
                let path = self.folder.join(file_name(self.name, start, count));
                BookError::damaged(path, "it was just written and cannot be read")
            })?);
        }
        Ok(runs)
    }

    fn make_one(
        &self,
        start: u64,
        count: u64,
        old: &[Run],
        ready: &[Entry],
        fingerprint_of: &dyn Fn(u64) -> u64,
    ) -> Result<(), BookError> {
        let end = start + count;
        let mut at = start;
        let mut sources = Vec::new();
        for run in old {
            if run.start <= at && at < run.start + run.count {
                let to = end.min(run.start + run.count);
                sources.push(Source::of(run, at, to));
                at = to;
            }
        }
        let mut mine: Vec<Entry>;
        if at < end && !ready.is_empty() {
            mine = ready.iter().copied().filter(|entry| (at..end).contains(&entry.1)).collect();
            at += mine.len() as u64;
            sources.push(Source::Memory(&mine));
        } else if at < end && end - at <= SORT_ENTRIES_MAX {
            mine = (at..end).map(|number| (fingerprint_of(number), number)).collect();
            mine.sort_unstable();
            at = end;
            sources.push(Source::Memory(&mine));
        }
        if at == end {
            return run::write(&self.folder, self.name, (start, count), sources);
        }
        // Too much to sort at once: make the halves first. Counts are powers of two times BASE, so halves are runs too.
        let half = count / 2;
        let halves = self.make(vec![(start, half), (start + half, half)], old, ready, fingerprint_of)?;
        let sources = halves.iter().map(|run| Source::of(run, start, end)).collect();
        run::write(&self.folder, self.name, (start, count), sources)
    }
}
