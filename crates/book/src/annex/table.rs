//! Tables of an annex: 32-bit numbers of which any may change.
//!
//! The base is a column. Each commit's changes are a run, sorted by entry, that hides what the base and earlier runs say;
//! a reader searches the runs, the newest first, and reads no more of them than that. Runs are merged like pieces, and
//! when they are long beside the base, a new base is written.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::column::{FileOfRows, Growing, Pieces};
use super::folder::{map, path_of};
use super::inventory::{ENTRIES_MAX, ListedTable, Run};
use crate::BookError;
use crate::map::Map;
use crate::numbers::index;

/// A change in a run: the entry and its value.
const CHANGE_BYTES: usize = 8;
/// A new base is written when there are more changes than this share of its entries...
const BASE_SHARE: u64 = 4;
/// ...and more than this many.
const CHANGES_MIN: u64 = 1 << 14;
/// What a run's file is called after its table.
const RUN_SUFFIX: &str = "-changes";

fn pair(bytes: &[u8]) -> (u32, u32) {
    let (words, _) = bytes.as_chunks::<4>();
    (u32::from_le_bytes(words[0]), u32::from_le_bytes(words[1]))
}

fn push_all(all: &mut Vec<u32>, bytes: &[u8]) {
    all.extend(bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)));
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("rows of a table have four bytes"))
}

/// A run, mapped.
#[derive(Debug)]
struct Changes {
    map: Map,
    below: u64,
}

impl Changes {
    fn len(&self) -> usize {
        self.map.len() / CHANGE_BYTES
    }

    fn at(&self, at: usize) -> (u32, u32) {
        pair(self.map.bytes(at * CHANGE_BYTES, CHANGE_BYTES))
    }

    fn get(&self, entry: u32) -> Option<u32> {
        if u64::from(entry) >= self.below {
            return None;
        }
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let (found, value) = self.at(middle);
            if found == entry {
                return Some(value);
            }
            if found < entry {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        None
    }
}

fn open_runs(folder: &Path, listed: &ListedTable) -> Result<Option<Vec<Changes>>, BookError> {
    let mut runs = Vec::with_capacity(listed.runs.len());
    for run in &listed.runs {
        let path = path_of(folder, &run_name(listed), run.file);
        let Some(map) = map(&path, run.changes.checked_mul(CHANGE_BYTES as u64))? else { return Ok(None) };
        runs.push(Changes { map, below: run.below });
    }
    Ok(Some(runs))
}

fn run_name(listed: &ListedTable) -> String {
    format!("{}{RUN_SUFFIX}", listed.base.name)
}

fn changed(runs: &[Changes], entry: u32) -> Option<u32> {
    runs.iter().rev().find_map(|run| run.get(entry))
}

/// The changes of runs, later ones hiding earlier ones, in order of the entries.
fn merged(runs: &[Changes]) -> Vec<(u32, u32)> {
    let mut all: Vec<(u32, u32)> = Vec::with_capacity(runs.iter().map(Changes::len).sum());
    for run in runs.iter().rev() {
        all.extend((0..run.len()).map(|at| run.at(at)).filter(|(entry, _)| u64::from(*entry) < run.below));
    }
    // Stable, and the newest come first.
    all.sort_by_key(|(entry, _)| *entry);
    all.dedup_by_key(|(entry, _)| *entry);
    all
}

/// A table, as it is read.
#[derive(Debug)]
pub(super) struct Table {
    base: Pieces,
    runs: Vec<Changes>,
}

impl Table {
    /// Maps a table; `None` where one of its files is not there.
    pub(super) fn open(folder: &Path, listed: &ListedTable) -> Result<Option<Self>, BookError> {
        let (Some(base), Some(runs)) = (Pieces::open(folder, &listed.base)?, open_runs(folder, listed)?) else {
            return Ok(None);
        };
        Ok(Some(Self { base, runs }))
    }

    pub(super) fn len(&self) -> u64 {
        self.base.rows()
    }

    /// The whole table.
    pub(super) fn load(&self) -> Vec<u32> {
        let mut all = Vec::with_capacity(index(self.len()));
        self.base.each_step(0, self.len(), |bytes| push_all(&mut all, bytes));
        for (entry, value) in merged(&self.runs) {
            all[entry as usize] = value;
        }
        all
    }

    pub(super) fn entry(&self, entry: u32) -> Option<u32> {
        if u64::from(entry) >= self.len() {
            return None;
        }
        Some(changed(&self.runs, entry).unwrap_or_else(|| number(self.base.row(u64::from(entry)))))
    }
}

/// A table, as it is written.
#[derive(Debug)]
pub(super) struct GrowingTable {
    base: Growing,
    runs: Vec<Changes>,
    listed_runs: Vec<Run>,
    /// The batch's changes of committed entries.
    changes: FxHashMap<u32, u32>,
}

impl GrowingTable {
    pub(super) fn open(folder: &Path, listed: &ListedTable) -> Result<Self, BookError> {
        let base = Growing::open(folder, &listed.base)?;
        let runs = open_runs(folder, listed)?;
        let runs = runs.ok_or_else(|| BookError::annex(folder.join(run_name(listed)), "a file of it is gone"))?;
        Ok(Self { base, runs, listed_runs: listed.runs.clone(), changes: FxHashMap::default() })
    }

    pub(super) fn listed(&self) -> ListedTable {
        ListedTable { base: self.base.listed.clone(), runs: self.listed_runs.clone() }
    }

    pub(super) fn len(&self) -> u64 {
        self.base.rows()
    }

    pub(super) fn entry(&self, entry: u32) -> Option<u32> {
        if u64::from(entry) >= self.len() {
            return None;
        }
        let changed = self.changes.get(&entry).copied().or_else(|| changed(&self.runs, entry));
        Some(changed.unwrap_or_else(|| number(self.base.row(u64::from(entry)))))
    }

    /// The whole table, as this batch has it.
    pub(super) fn load(&self) -> Vec<u32> {
        let mut all = Vec::with_capacity(index(self.len()));
        self.base.each_step(|bytes| push_all(&mut all, bytes));
        for (entry, value) in merged(&self.runs) {
            all[entry as usize] = value;
        }
        for (entry, value) in &self.changes {
            all[*entry as usize] = *value;
        }
        all
    }

    pub(super) fn append(&mut self, values: impl IntoIterator<Item = u32>) -> Result<(), BookError> {
        let bytes: Vec<u8> = values.into_iter().flat_map(u32::to_le_bytes).collect();
        if self.len() + (bytes.len() / 4) as u64 > ENTRIES_MAX {
            return Err(BookError::Full { path: self.base.listed.name.clone().into() });
        }
        self.base.append(&bytes)
    }

    /// Changes an entry that is there.
    pub(super) fn set(&mut self, entry: u32, value: u32) {
        match self.base.tail_row(u64::from(entry)) {
            Some(row) => row.copy_from_slice(&value.to_le_bytes()),
            None => {
                self.changes.insert(entry, value);
            }
        }
    }

    pub(super) fn truncate(&mut self, len: u64) {
        self.base.truncate(len);
        self.changes.retain(|entry, _| u64::from(*entry) < len);
        for (run, listed) in self.runs.iter_mut().zip(&mut self.listed_runs) {
            run.below = run.below.min(len);
            listed.below = run.below;
        }
    }

    /// Writes what the next manifest is to count, and makes it durable.
    pub(super) fn write(&mut self, folder: &Path, next: &mut u64) -> Result<(), BookError> {
        self.base.write(folder, next)?;
        let mut changes: Vec<(u32, u32)> = self.changes.drain().collect();
        changes.sort_unstable();
        if !changes.is_empty() {
            self.write_run(folder, next, &changes)?;
        }
        let all: u64 = self.listed_runs.iter().map(|run| run.changes).sum();
        if all > (self.len() / BASE_SHARE).max(CHANGES_MIN) || (self.len() == 0 && all > 0) {
            return self.write_base(folder, next);
        }
        let mut from = self.runs.len().saturating_sub(1);
        let mut sum: u64 = self.listed_runs[from..].iter().map(|run| run.changes).sum();
        while from > 0 && self.listed_runs[from - 1].changes < 2 * sum {
            from -= 1;
            sum += self.listed_runs[from].changes;
        }
        if from + 1 < self.runs.len() {
            let changes = merged(&self.runs[from..]);
            self.runs.truncate(from);
            self.listed_runs.truncate(from);
            self.write_run(folder, next, &changes)?;
        }
        Ok(())
    }

    fn write_run(&mut self, folder: &Path, next: &mut u64, changes: &[(u32, u32)]) -> Result<(), BookError> {
        let name = format!("{}{RUN_SUFFIX}", self.base.listed.name);
        let number = *next;
        FileOfRows::make(folder, &name, next)?.fill(|put| {
            for (entry, value) in changes {
                put([entry.to_le_bytes(), value.to_le_bytes()].as_flattened());
            }
        })?;
        let run = Run { file: number, changes: changes.len() as u64, below: self.len() };
        let path = path_of(folder, &name, number);
        let map = map(&path, Some(run.changes * CHANGE_BYTES as u64))?;
        let map = map.ok_or_else(|| BookError::annex(&path, "it has gone while it was written"))?;
        self.runs.push(Changes { map, below: run.below });
        self.listed_runs.push(run);
        Ok(())
    }

    /// A new base with all changes in it.
    fn write_base(&mut self, folder: &Path, next: &mut u64) -> Result<(), BookError> {
        let changes = merged(&self.runs);
        self.base.rewrite(folder, next, |pieces, put| {
            let (mut changes, mut entry) = (changes.into_iter().peekable(), 0u64);
            let mut step = Vec::new();
            pieces.each_step(0, pieces.rows(), |bytes| {
                step.clear();
                step.extend_from_slice(bytes);
                for word in step.as_chunks_mut::<4>().0 {
                    if let Some((_, value)) = changes.next_if(|(changed, _)| u64::from(*changed) == entry) {
                        *word = value.to_le_bytes();
                    }
                    entry += 1;
                }
                put(&step);
            });
        })?;
        self.runs.clear();
        self.listed_runs.clear();
        Ok(())
    }
}
