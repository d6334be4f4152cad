//! Walks along the records of one file: [`decode::bitcoin::Frames`] says what it wants to see, this reads it.
//!
//! Where records are large, a few bytes of each are read; where they are small, neighbours come with one read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use decode::bitcoin::{Contents, Frames, Gap, Obfuscation, Record, Step};

use super::folder::{Folder, cannot_be_read};

/// Read where the next record is far: a head and what is looked at of a body.
const SPARSE_BYTES: usize = 512;
/// Read where the next record is near.
const DENSE_BYTES: usize = 1 << 16;

/// What there is in a file.
pub(super) enum Found<'a> {
    /// A record, and up to [`PEEK_BYTES`] of its body.
    Record(Record, &'a [u8]),
    /// Something else, and up to [`PEEK_BYTES`] of it.
    Gap(Gap, &'a [u8]),
}

/// How much of a body is shown: a header, and how many transactions follow it.
pub(super) const PEEK_BYTES: usize = 80 + 9;

/// Tells what a file holds, in order; gives back its length, or what is wrong with the file.
pub(super) fn walk(
    folder: &Folder,
    (contents, file): (Contents, u32),
    magic: [u8; 4],
    mut take: impl FnMut(Found<'_>),
) -> Result<u64, String> {
    let (handle, length) = folder.open_file(contents, file)?;
    let mut window = Window { file: handle, length, bytes: Vec::new(), start: 0 };
    let mut frames = Frames::new(contents, magic, folder.key, 0, length);
    let mut peek = Vec::with_capacity(PEEK_BYTES);
    loop {
        match frames.next() {
            Step::Read { offset, length } => {
                frames.give(window.at(offset, length).map_err(|error| cannot_be_read(&error))?);
            }
            Step::Record(record) => {
                let wanted = PEEK_BYTES.min(record.length);
                look(&mut window, folder.key, record.offset, wanted, &mut peek)?;
                take(Found::Record(record, &peek));
            }
            Step::Gap(gap) => {
                // Past magic and size, where a record that is cut off has its header.
                let wanted = gap.length.saturating_sub(8).min(PEEK_BYTES as u64);
                let wanted = usize::try_from(wanted).expect("it is not more than the bytes of a peek");
                look(&mut window, folder.key, gap.offset + 8, wanted, &mut peek)?;
                take(Found::Gap(gap, &peek));
            }
            Step::End => return Ok(length),
        }
    }
}

fn look(window: &mut Window, key: Obfuscation, offset: u64, length: usize, peek: &mut Vec<u8>) -> Result<(), String> {
    let bytes = if length == 0 { &[] } else { window.at(offset, length).map_err(|error| cannot_be_read(&error))? };
    peek.clear();
    peek.extend_from_slice(bytes);
    key.apply(offset, peek);
    Ok(())
}

/// A part of a file.
struct Window {
    file: File,
    length: u64,
    bytes: Vec<u8>,
    start: u64,
}

impl Window {
    /// Bytes of the file as they are, fewer only where it ends.
    fn at(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let end = self.start + self.bytes.len() as u64;
        if offset < self.start || offset + length as u64 > end {
            let is_near = offset >= self.start && offset < end + DENSE_BYTES as u64;
            let wanted = length.max(if is_near { DENSE_BYTES } else { SPARSE_BYTES });
            self.fill(offset, wanted)?;
        }
        let from = usize::try_from(offset - self.start).expect("it lies in the window").min(self.bytes.len());
        Ok(&self.bytes[from..(from + length).min(self.bytes.len())])
    }

    fn fill(&mut self, offset: u64, wanted: usize) -> io::Result<()> {
        self.bytes.clear();
        self.start = offset;
        let wanted = (wanted as u64).min(self.length.saturating_sub(offset));
        self.file.seek(SeekFrom::Start(offset))?;
        (&mut self.file).take(wanted).read_to_end(&mut self.bytes).map(|_| ())
    }
}
