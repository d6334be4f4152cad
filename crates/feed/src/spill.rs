//! [`Sorter`]: sorts more records than memory holds, by way of temporary files.
//!
//! Records are byte strings and sort as such; whoever writes them puts the key first, big end first. Full runs are
//! sorted and written out, a level of runs is merged into one of the next level, and the last merge is streamed. Memory
//! stays at one run plus one buffer a run file, and files are nameless, so a killed process leaves nothing behind.
//!
//! Idea: external merge sort (Knuth, The Art of Computer Programming, volume 3, 5.4).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::FeedError;
use crate::input::{spool_error, temporary};

/// How many bytes of records are sorted in memory.
pub(crate) const RUN_BYTES_MAX: usize = 64 << 20;
/// How many runs are merged at once.
const FAN_IN: usize = 64;
/// The longest record; a longer one in a run file means that the file is damaged.
const RECORD_BYTES_MAX: usize = 64 << 10;
const BUFFER_BYTES: usize = 128 << 10;

/// Collects records, then gives them back in order.
pub(crate) struct Sorter {
    spool: PathBuf,
    run_bytes_max: usize,
    fan_in: usize,
    bytes: Vec<u8>,
    /// Where each record of the run in memory lies: start and length.
    records: Vec<(usize, usize)>,
    /// Run files by level; a level that is full becomes one file of the next.
    levels: Vec<Vec<File>>,
}

impl Sorter {
    pub fn new(spool: &Path, run_bytes_max: usize) -> Self {
        let spool = spool.to_owned();
        Self { spool, run_bytes_max, fan_in: FAN_IN, bytes: Vec::new(), records: Vec::new(), levels: Vec::new() }
    }

    pub fn push(&mut self, record: &[u8]) -> Result<(), FeedError> {
        assert!(record.len() <= RECORD_BYTES_MAX, "decoders limit what makes up a record");
        let held = self.bytes.len() + self.records.len() * size_of::<(usize, usize)>();
        if held + record.len() > self.run_bytes_max && !self.records.is_empty() {
            self.spill()?;
        }
        self.records.push((self.bytes.len(), record.len()));
        self.bytes.extend_from_slice(record);
        Ok(())
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        self.records.sort_unstable_by(|a, b| bytes[a.0..a.0 + a.1].cmp(&bytes[b.0..b.0 + b.1]));
    }

    /// Writes the run in memory to a file.
    fn spill(&mut self) -> Result<(), FeedError> {
        self.sort();
        let records = self.records.iter().map(|(start, length)| &self.bytes[*start..*start + *length]);
        let run = write_run(&self.spool, records.map(Ok))?;
        self.records.clear();
        self.bytes.clear();
        self.keep(run, 0)
    }

    fn keep(&mut self, run: File, level: usize) -> Result<(), FeedError> {
        if level == self.levels.len() {
            self.levels.push(Vec::new());
        }
        self.levels[level].push(run);
        if self.levels[level].len() < self.fan_in {
            return Ok(());
        }
        let runs = std::mem::take(&mut self.levels[level]);
        let merged = self.merged(runs)?;
        self.keep(merged, level + 1)
    }

    fn merged(&self, runs: Vec<File>) -> Result<File, FeedError> {
        let mut merge = Merge::new(&self.spool, runs)?;
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, temporary(&self.spool)?);
        while let Some(record) = merge.next_record()? {
            write_record(&mut file, &record).map_err(spool_error(&self.spool))?;
        }
        finished(file).map_err(spool_error(&self.spool))
    }

    /// All records in order.
    pub fn finish(mut self) -> Result<Sorted, FeedError> {
        if self.levels.is_empty() {
            self.sort();
            return Ok(Sorted::Memory { bytes: self.bytes, records: self.records.into_iter() });
        }
        if !self.records.is_empty() {
            self.spill()?;
        }
        self.bytes = Vec::new();
        let mut runs: Vec<File> = std::mem::take(&mut self.levels).into_iter().flatten().collect();
        while runs.len() > self.fan_in {
            let rest = runs.split_off(self.fan_in);
            let merged = self.merged(runs)?;
            runs = rest;
            runs.push(merged);
        }
        Ok(Sorted::Files(Merge::new(&self.spool, runs)?))
    }
}

/// Sorted records, streamed.
pub(crate) enum Sorted {
    Memory { bytes: Vec<u8>, records: std::vec::IntoIter<(usize, usize)> },
    Files(Merge),
}

impl Sorted {
    pub fn next_record(&mut self) -> Result<Option<Vec<u8>>, FeedError> {
        match self {
            Self::Memory { bytes, records } => {
                Ok(records.next().map(|(start, length)| bytes[start..start + length].to_vec()))
            }
            Self::Files(merge) => merge.next_record(),
        }
    }
}

/// The merge of sorted run files.
pub(crate) struct Merge {
    spool: PathBuf,
    runs: Vec<BufReader<File>>,
    heads: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
}

impl Merge {
    fn new(spool: &Path, files: Vec<File>) -> Result<Self, FeedError> {
        let mut merge = Self { spool: spool.to_owned(), runs: Vec::new(), heads: BinaryHeap::new() };
        for mut file in files {
            file.rewind().map_err(spool_error(spool))?;
            merge.runs.push(BufReader::with_capacity(BUFFER_BYTES, file));
            merge.advance(merge.runs.len() - 1)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, run: usize) -> Result<(), FeedError> {
        if let Some(record) = read_record(&mut self.runs[run]).map_err(spool_error(&self.spool))? {
            self.heads.push(Reverse((record, run)));
        }
        Ok(())
    }

    fn next_record(&mut self) -> Result<Option<Vec<u8>>, FeedError> {
        let Some(Reverse((record, run))) = self.heads.pop() else { return Ok(None) };
        self.advance(run)?;
        Ok(Some(record))
    }
}

fn write_run<'a>(spool: &Path, records: impl Iterator<Item = Result<&'a [u8], FeedError>>) -> Result<File, FeedError> {
    let mut file = BufWriter::with_capacity(BUFFER_BYTES, temporary(spool)?);
    for record in records {
        write_record(&mut file, record?).map_err(spool_error(spool))?;
    }
    finished(file).map_err(spool_error(spool))
}

fn write_record(file: &mut impl Write, record: &[u8]) -> io::Result<()> {
    let length = u32::try_from(record.len()).expect("records are shorter than RECORD_BYTES_MAX");
    file.write_all(&length.to_le_bytes())?;
    file.write_all(record)
}

fn read_record(file: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match file.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > RECORD_BYTES_MAX {
        return Err(io::Error::other("a temporary file is damaged"));
    }
    let mut record = vec![0; length];
    file.read_exact(&mut record)?;
    Ok(Some(record))
}

fn finished(file: BufWriter<File>) -> io::Result<File> {
    file.into_inner().map_err(io::IntoInnerError::into_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(records: &[Vec<u8>], run_bytes_max: usize) -> Vec<Vec<u8>> {
        let mut sorter = Sorter::new(&std::env::temp_dir(), run_bytes_max);
        sorter.fan_in = 4;
        for record in records {
            sorter.push(record).unwrap();
        }
        let mut sorted = sorter.finish().unwrap();
        std::iter::from_fn(|| sorted.next_record().unwrap()).collect()
    }

    #[test]
    fn records_come_back_in_order_however_small_the_runs() {
        // A fixed walk through the numbers, so that runs overlap.
        let records: Vec<Vec<u8>> =
            (0u32..500).map(|at| (at * 7919 % 10_007).to_be_bytes().repeat(1 + at as usize % 3)).collect();
        let mut want = records.clone();
        want.sort();
        for run_bytes_max in [1, 40, 1000, 10_000, 1 << 20] {
            assert_eq!(sorted(&records, run_bytes_max), want, "runs of {run_bytes_max} bytes");
        }
        assert_eq!(sorted(&[], 10), Vec::<Vec<u8>>::new());
    }
}
