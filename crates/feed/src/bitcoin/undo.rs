//! [`UndoIndex`]: which record of the `rev*.dat` files is which block's.
//!
//! Nothing in a record says so but its checksum, which is made with the hash of the block's parent. Nodes write the undo
//! data of a block into the file with the number of the block's own, in the order in which blocks were connected. So a
//! record is first guessed by that order and by how many transactions it is for, and whoever reads it checks. Only where a
//! guess is wrong is a whole file matched by its checksums.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::OnceLock;

use decode::bitcoin::{Contents, GapKind, UNDO_CHECKSUM_BYTES, undo_record};

use super::chain::Tree;
use super::folder::{Folder, Reader};
use super::index::{Entry, UNKNOWN, count};
use super::parallel::in_parallel;
use super::report::FileProblem;
use super::walk::{Found, walk};
use crate::progress::{Phase, Progress, Step};

/// How far a guess looks for a record that is for as many transactions as the block has.
const GUESS_AHEAD_MAX: usize = 64;
/// How many guesses of a file must be wrong before the file counts as another one's.
const TRIES_TO_FIT: usize = 8;
/// The most checksums that are computed to find the blocks of a file's records, and the most bytes for them.
const TRIES_MAX: u64 = 2_000_000;
const TRIED_BYTES_MAX: u64 = 2 << 30;
const NONE: u32 = u32::MAX;

const FEES: &str = "fees of these blocks are not checked";
const OTHER_NODE: &str = "they are damaged or of another node: take rev*.dat and blk*.dat from the same folder";

/// How many records of a file are told one by one where they fit no block.
const UNFIT_TOLD_MAX: usize = 8;
const UNFIT: &str = "the checksum of this undo data fits no block";

/// A record: undo data and its checksum.
#[derive(Clone, Copy, Debug)]
struct UndoRecord {
    offset: u64,
    length: u32,
    /// For how many transactions it is.
    paying: u32,
}

struct UndoFile {
    records: Vec<UndoRecord>,
    /// Its records' blocks by checksum, once they were needed.
    exact: OnceLock<Exact>,
}

/// What the checksums of a file say.
#[derive(Default)]
struct Exact {
    /// (entry, record), in order.
    of_entry: Vec<(u32, u32)>,
    /// Records that fit no block.
    unmatched: Vec<u32>,
}

/// Where undo data is.
pub(super) struct UndoIndex<'a> {
    folder: &'a Folder,
    entries: &'a [Entry],
    tree: &'a Tree,
    files: Vec<UndoFile>,
    /// The undo file of each block file, or [`NONE`].
    of_blocks: Vec<u32>,
    /// The record of each block, as the order suggests, or [`NONE`].
    guess: Vec<u32>,
    pub problems: Vec<FileProblem>,
}

/// What was found for a block.
pub(super) enum Located<'b> {
    /// Its undo data, at this offset of this file.
    There(&'b [u8], u32, u64),
    /// There is none, and nothing says that there should be.
    Absent,
    /// There is none, and a record fits no block.
    Damaged(FileProblem),
}

impl<'a> UndoIndex<'a> {
    pub fn read(
        folder: &'a Folder,
        entries: &'a [Entry],
        tree: &'a Tree,
        magic: [u8; 4],
        threads: NonZeroUsize,
        progress: &mut dyn Progress,
    ) -> Self {
        let (total, mut done) = (folder.undo.len(), 0);
        let parts = in_parallel(
            threads,
            total,
            |file| of_file(folder, u32::try_from(file).expect("files are limited"), magic),
            |_, _| {
                done += 1;
                progress.step(Step { phase: Phase::Indexing, done, total: Some(total as u64), items: done });
            },
        );
        let (files, problems): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let mut index = Self {
            folder,
            entries,
            tree,
            files,
            of_blocks: vec![NONE; folder.blocks.len()],
            guess: vec![NONE; entries.len()],
            problems: problems.into_iter().flatten().collect(),
        };
        index.pair_files(threads);
        index
    }

    /// Finds the undo file of each block file: the one with its number, or, where files were renamed, the one that fits.
    fn pair_files(&mut self, threads: NonZeroUsize) {
        let pairs = in_parallel(
            threads,
            self.files.len(),
            |file| {
                let number = self.folder.undo[file].number;
                let blocks = self.folder.blocks.iter().position(|blocks| blocks.number == number)?;
                let blocks = u32::try_from(blocks).expect("files are limited");
                let guesses = self.guesses(file, blocks);
                (self.fits(file, &guesses) || !self.match_file(file, blocks).of_entry.is_empty())
                    .then_some((blocks, guesses))
            },
            |_, _| (),
        );
        let mut stray = Vec::new();
        for (file, pair) in pairs.into_iter().enumerate() {
            match pair {
                Some((blocks, guesses)) => self.pair(file, blocks, guesses),
                None if self.files[file].records.is_empty() => {}
                None => stray.push(file),
            }
        }
        if stray.is_empty() {
            return;
        }
        let mut by_count: HashMap<u32, Vec<u32>> = HashMap::new();
        for (entry, number) in self.entries.iter().zip(0..) {
            by_count.entry(entry.paying).or_default().push(number);
        }
        let mut budget = Budget::default();
        for file in stray {
            match self.partner(file, &by_count, &mut budget) {
                Some(blocks) if self.of_blocks[blocks as usize] == NONE => {
                    let guesses = self.guesses(file, blocks);
                    self.pair(file, blocks, guesses);
                }
                _ => {
                    let (name, records) = (&self.folder.undo[file].name, self.files[file].records.len());
                    let what = format!("none of its {records} records of undo data fits a block of these files");
                    self.problems.push(FileProblem::damage(name, None, what, OTHER_NODE));
                }
            }
        }
    }

    fn pair(&mut self, file: usize, blocks: u32, guesses: Vec<(u32, u32)>) {
        self.of_blocks[blocks as usize] = u32::try_from(file).expect("files are limited");
        for (entry, record) in guesses {
            self.guess[entry as usize] = record;
        }
    }

    /// The blocks of a block file, in order of height.
    fn candidates(&self, blocks: u32) -> Vec<u32> {
        let first = self.entries.partition_point(|entry| entry.file < blocks);
        let count = self.entries[first..].partition_point(|entry| entry.file == blocks);
        let numbers = u32::try_from(first).expect("blocks are limited")..;
        let mut candidates: Vec<u32> = numbers.take(count).collect();
        // Genesis has no undo data.
        candidates.retain(|entry| self.entries[*entry as usize].previous != [0; 32]);
        candidates.sort_by_key(|entry| self.tree.depth(*entry));
        candidates
    }

    /// (entry, record) as the order of both suggests.
    fn guesses(&self, file: usize, blocks: u32) -> Vec<(u32, u32)> {
        let records = &self.files[file].records;
        let (mut guesses, mut next) = (Vec::new(), 0);
        for entry in self.candidates(blocks) {
            let paying = self.entries[entry as usize].paying;
            let ahead = records[next..].iter().take(GUESS_AHEAD_MAX);
            let hit = ahead.enumerate().find(|(_, record)| paying == UNKNOWN || record.paying == paying);
            if let Some((skipped, _)) = hit {
                guesses.push((entry, u32::try_from(next + skipped).expect("records are limited")));
                next += skipped + 1;
            }
        }
        guesses
    }

    fn fits(&self, file: usize, guesses: &[(u32, u32)]) -> bool {
        let (mut reader, mut buffer) = (Reader::new(self.folder), Vec::new());
        guesses.iter().take(TRIES_TO_FIT).any(|(entry, record)| {
            let bytes = self.record(file, *record, &mut reader, &mut buffer);
            bytes.is_some_and(|bytes| undo_record(bytes, &self.entries[*entry as usize].previous).is_some())
        })
    }

    fn record<'b>(
        &self,
        file: usize,
        record: u32,
        reader: &mut Reader<'_>,
        buffer: &'b mut Vec<u8>,
    ) -> Option<&'b [u8]> {
        let UndoRecord { offset, length, .. } = *self.files[file].records.get(record as usize)?;
        let which = (Contents::Undo, u32::try_from(file).expect("files are limited"));
        reader.read(which, offset, length as usize, buffer).ok()
    }

    /// Matches all records of a file by their checksums.
    fn match_file(&self, file: usize, blocks: u32) -> Exact {
        let candidates = self.candidates(blocks);
        let mut by_count: HashMap<u32, Vec<u32>> = HashMap::new();
        for entry in candidates {
            by_count.entry(self.entries[entry as usize].paying).or_default().push(entry);
        }
        let (mut reader, mut buffer, mut budget) = (Reader::new(self.folder), Vec::new(), Budget::default());
        let mut exact = Exact::default();
        for (record, number) in self.files[file].records.iter().zip(0..) {
            let bytes = self.record(file, number, &mut reader, &mut buffer);
            let lists = [record.paying, UNKNOWN];
            let found = bytes.and_then(|bytes| {
                lists.iter().find_map(|list| {
                    let list = by_count.get_mut(list)?;
                    let at = self.first_that_fits(bytes, list, &mut budget)?;
                    // In order, so that the next record's block is nearly always the first one left.
                    Some(list.remove(at))
                })
            });
            match found {
                Some(entry) => exact.of_entry.push((entry, number)),
                None => exact.unmatched.push(number),
            }
        }
        exact.of_entry.sort_unstable();
        exact
    }

    fn first_that_fits(&self, record: &[u8], list: &[u32], budget: &mut Budget) -> Option<usize> {
        list.iter().position(|entry| {
            budget.take(record.len()) && undo_record(record, &self.entries[*entry as usize].previous).is_some()
        })
    }

    /// The block file that has the blocks of an undo file's first records.
    fn partner(&self, file: usize, by_count: &HashMap<u32, Vec<u32>>, budget: &mut Budget) -> Option<u32> {
        let (mut reader, mut buffer) = (Reader::new(self.folder), Vec::new());
        let records = self.files[file].records.iter().zip(0..).take(TRIES_TO_FIT);
        for (record, number) in records {
            let Some(bytes) = self.record(file, number, &mut reader, &mut buffer) else { continue };
            for list in [record.paying, UNKNOWN].iter().filter_map(|paying| by_count.get(paying)) {
                if let Some(at) = self.first_that_fits(bytes, list, budget) {
                    return Some(self.entries[list[at] as usize].file);
                }
            }
        }
        None
    }

    /// Looks for the undo data of a block.
    pub fn locate<'b>(&self, entry: u32, reader: &mut Reader<'_>, buffer: &'b mut Vec<u8>) -> Located<'b> {
        let Entry { previous, file: blocks, .. } = self.entries[entry as usize];
        let number = self.of_blocks[blocks as usize];
        if number == NONE || previous == [0; 32] {
            return Located::Absent;
        }
        let (file, guess) = (number as usize, self.guess[entry as usize]);
        let mut record = guess;
        if !self.is_of(file, guess, &previous, reader, buffer) {
            let exact = self.files[file].exact.get_or_init(|| self.match_file(file, blocks));
            match exact.of_entry.binary_search_by_key(&entry, |(entry, _)| *entry) {
                Ok(at) => record = exact.of_entry[at].1,
                Err(_) => return self.missing(file, guess, exact),
            }
            if !self.is_of(file, record, &previous, reader, buffer) {
                return Located::Absent;
            }
        }
        let UndoRecord { offset, length, .. } = self.files[file].records[record as usize];
        Located::There(&buffer[..length as usize - UNDO_CHECKSUM_BYTES], number, offset)
    }

    fn is_of(
        &self,
        file: usize,
        record: u32,
        previous: &[u8; 32],
        reader: &mut Reader<'_>,
        buffer: &mut Vec<u8>,
    ) -> bool {
        self.record(file, record, reader, buffer).is_some_and(|bytes| undo_record(bytes, previous).is_some())
    }

    /// A block has no undo data: the fault of a record that fits no block, where there is one.
    fn missing<'b>(&self, file: usize, guess: u32, exact: &Exact) -> Located<'b> {
        let suspect = exact.unmatched.binary_search(&guess).map(|_| guess).ok();
        let Some(record) = suspect.or_else(|| exact.unmatched.first().copied()) else { return Located::Absent };
        let offset = self.files[file].records[record as usize].offset;
        Located::Damaged(FileProblem::damage(&self.folder.undo[file].name, Some(offset), UNFIT, ""))
    }
}

/// Makes one problem of a file's many records that fit no block; `problems` are sorted.
pub(super) fn sum_up(problems: &[FileProblem]) -> Vec<FileProblem> {
    let mut kept = Vec::with_capacity(problems.len());
    for of_file in problems.chunk_by(|one, other| one.file == other.file) {
        let (unfit, others): (Vec<_>, Vec<_>) = of_file.iter().cloned().partition(|one| one.what.starts_with(UNFIT));
        kept.extend(others);
        if unfit.len() > UNFIT_TOLD_MAX {
            let what = format!("the checksums of {} records of undo data fit no block", unfit.len());
            kept.push(FileProblem::damage(&unfit[0].file, unfit[0].offset, what, OTHER_NODE));
        } else {
            kept.extend(unfit);
        }
    }
    kept.sort();
    kept
}

fn of_file(folder: &Folder, file: u32, magic: [u8; 4]) -> (UndoFile, Vec<FileProblem>) {
    let (mut records, mut problems) = (Vec::new(), Vec::new());
    let name = folder.name(Contents::Undo, file);
    let is_newest = file as usize + 1 == folder.undo.len();
    let walked = walk(folder, (Contents::Undo, file), magic, |found| match found {
        Found::Record(record, peek) => {
            let paying = count(peek).and_then(|count| u32::try_from(count).ok()).unwrap_or(UNKNOWN - 1);
            let length = u32::try_from(record.length).expect("a size is 32 bits");
            records.push(UndoRecord { offset: record.offset, length, paying });
        }
        Found::Gap(gap, _) if gap.what == GapKind::Unused || (gap.what == GapKind::Cut && is_newest) => {}
        Found::Gap(gap, _) => {
            let what = format!("{} bytes hold no whole record of undo data", gap.length);
            problems.push(FileProblem::damage(name, Some(gap.offset), what, FEES));
        }
    });
    if let Err(what) = walked {
        problems.push(FileProblem::damage(name, None, what, FEES));
    }
    (UndoFile { records, exact: OnceLock::new() }, problems)
}

/// How much may still be tried.
struct Budget {
    tries: u64,
    bytes: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { tries: TRIES_MAX, bytes: TRIED_BYTES_MAX }
    }
}

impl Budget {
    fn take(&mut self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        if self.tries == 0 || self.bytes < bytes {
            return false;
        }
        self.tries -= 1;
        self.bytes -= bytes;
        true
    }
}
