//! [`Index`]: every block of the files by its header, 88 bytes a block; bodies are not read.
//!
//! Files are walked in parallel and put together in order of their numbers, so that the index does not depend on how
//! many threads made it. A header that does not prove its work is no block (on chains where that can be told).

use std::num::NonZeroUsize;

use decode::bitcoin::{BlockHeader, Contents, GapKind, HEADER_BYTES};
use ledger::network::Header;
use ledger::{Network, txid_text};

use super::folder::{Folder, Reader};
use super::parallel::in_parallel;
use super::report::{FileProblem, SkippedBytes};
use super::walk::{Found, walk};
use crate::error::FeedError;
use crate::progress::{Phase, Progress, Step};

/// The most blocks; the main chain has a million.
pub const BLOCKS_MAX: usize = 1 << 24;
/// The most places without a block that are told of one file.
const PLACES_MAX: usize = 1_000;
/// The last bytes of a record that are zeros where a node has not written it to its end.
const UNWRITTEN_BYTES: usize = 64;
/// How many transactions a block has is not always seen from its beginning.
pub(super) const UNKNOWN: u32 = u32::MAX;

const CUT: &str = "get the file from the node again";

/// A block's place and what its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub hash: [u8; 32],
    pub previous: [u8; 32],
    pub offset: u64,
    pub length: u32,
    pub file: u32,
    /// The target in its short form.
    pub bits: u32,
    /// How many transactions there are besides the coinbase, or [`UNKNOWN`].
    pub paying: u32,
}

/// A record that is a block no more. What it was decides, once the chain is known, whether anything is missing.
pub(super) struct Lost {
    pub file: u32,
    pub offset: u64,
    pub what: String,
    /// Its parent, where its header is whole.
    pub previous: Option<[u8; 32]>,
    /// Where bytes end that hold no block, and the hash of a header that they may begin with.
    pub gap: Option<(u64, Option<[u8; 32]>)>,
}

/// Every block of a folder.
pub(super) struct Index {
    pub entries: Vec<Entry>,
    pub lost: Vec<Lost>,
    pub skipped: Vec<SkippedBytes>,
    pub problems: Vec<FileProblem>,
    pub bytes: u64,
}

#[derive(Default)]
struct OfFile {
    entries: Vec<Entry>,
    lost: Vec<Lost>,
    skipped: Vec<SkippedBytes>,
    problems: Vec<FileProblem>,
    bytes: u64,
}

impl Index {
    pub fn read(
        folder: &Folder,
        magic: [u8; 4],
        network: &Network,
        threads: NonZeroUsize,
        progress: &mut dyn Progress,
    ) -> Result<Self, FeedError> {
        let count = folder.blocks.len();
        let last = count - 1;
        let (mut files, mut blocks) = (0, 0);
        let parts = in_parallel(
            threads,
            count,
            |file| of_file(folder, u32::try_from(file).expect("files are limited"), file == last, magic, network),
            |_, part| {
                files += 1;
                blocks += part.entries.len() as u64;
                progress.step(Step { phase: Phase::Indexing, done: files, total: Some(count as u64), items: blocks });
            },
        );
        let mut index =
            Self { entries: Vec::new(), lost: Vec::new(), skipped: Vec::new(), problems: Vec::new(), bytes: 0 };
        let total: usize = parts.iter().map(|part| part.entries.len()).sum();
        if total > BLOCKS_MAX {
            let what = format!("there are {total} blocks in it, more than {BLOCKS_MAX}");
            return Err(FeedError::Source { file: "blk*.dat".to_owned(), what });
        }
        index.entries.reserve_exact(total);
        for part in parts {
            index.entries.extend(part.entries);
            index.lost.extend(part.lost);
            index.skipped.extend(part.skipped);
            index.problems.extend(part.problems);
            index.bytes += part.bytes;
        }
        Ok(index)
    }

    /// Whether a record is the last one of the newest file, and the node has not written it to its end.
    pub fn is_being_written(folder: &Folder, reader: &mut Reader<'_>, entry: &Entry) -> bool {
        let end = entry.offset + u64::from(entry.length);
        entry.file as usize + 1 == folder.blocks.len()
            && entry.length as usize >= UNWRITTEN_BYTES
            && is_unwritten(folder, reader, entry.file, end)
    }
}

/// Whether the bytes before `end` are zeros in the file, and no magic follows.
fn is_unwritten(folder: &Folder, reader: &mut Reader<'_>, file: u32, end: u64) -> bool {
    let start = end - UNWRITTEN_BYTES as u64;
    let mut buffer = Vec::new();
    reader.read((Contents::Blocks, file), start, UNWRITTEN_BYTES, &mut buffer).is_ok() && {
        folder.key.apply(start, &mut buffer);
        buffer.iter().all(|byte| *byte == 0)
    }
}

fn of_file(folder: &Folder, file: u32, is_newest: bool, magic: [u8; 4], network: &Network) -> OfFile {
    let mut part = OfFile::default();
    let name = folder.name(Contents::Blocks, file);
    let walked = walk(folder, (Contents::Blocks, file), magic, |found| match found {
        Found::Record(record, peek) => {
            let Some(header) = record.header else { return };
            let length = u32::try_from(record.length).expect("a size is 32 bits");
            let entry = entry(file, record.offset, length, &header, peek, network);
            if network.header == Header::Work && !header.meets_target(&entry.hash) {
                if is_newest && Index::is_being_written(folder, &mut Reader::new(folder), &entry) {
                    part.problems.push(being_written(name, record.offset));
                } else if part.lost.len() < PLACES_MAX {
                    let what = "the header of a block is damaged: its hash is above its target".to_owned();
                    part.lost.push(Lost {
                        file,
                        offset: record.offset,
                        what,
                        previous: Some(entry.previous),
                        gap: None,
                    });
                }
            } else {
                part.entries.push(entry);
            }
        }
        Found::Gap(gap, peek) => match gap.what {
            GapKind::Unused => {}
            GapKind::Cut if is_newest => part.problems.push(being_written(name, gap.offset)),
            kind if part.skipped.len() < PLACES_MAX => {
                let what = if kind == GapKind::Cut { "cut off" } else { "garbage" };
                part.skipped.push(SkippedBytes { file: name.to_owned(), offset: gap.offset, bytes: gap.length, what });
                part.lost.push(lost_in_gap(file, gap.offset, gap.length, kind, peek, network));
            }
            _ => {}
        },
    });
    match walked {
        Ok(bytes) => part.bytes = bytes,
        Err(what) => part.problems.push(FileProblem::damage(name, None, what, "")),
    }
    part
}

fn being_written(name: &str, offset: u64) -> FileProblem {
    let what = "a block is still being written there";
    FileProblem::note(name, Some(offset), what, "run the same command again to take it as well")
}

fn lost_in_gap(file: u32, offset: u64, length: u64, kind: GapKind, peek: &[u8], network: &Network) -> Lost {
    let header = BlockHeader::of(peek);
    let gap = Some((offset + length, header.map(|header| header.hash())));
    if kind != GapKind::Cut {
        let what = format!("{length} bytes hold no block, and are not unused space either");
        return Lost { file, offset, what, previous: None, gap };
    }
    let header = header.filter(|header| network.header != Header::Work || header.meets_target(&header.hash()));
    let named = header.map_or_else(|| "a block".to_owned(), |header| format!("block {}", txid_text(&header.hash())));
    let what = format!("{named} is cut off: {length} bytes of it are left");
    Lost { file, offset, what, previous: header.map(|header| header.previous()), gap }
}

impl Lost {
    pub fn problem(&self, folder: &Folder, is_damage: bool) -> FileProblem {
        let name = folder.name(Contents::Blocks, self.file);
        FileProblem { is_damage, ..FileProblem::damage(name, Some(self.offset), self.what.clone(), CUT) }
    }
}

fn entry(file: u32, offset: u64, length: u32, header: &BlockHeader, peek: &[u8], network: &Network) -> Entry {
    let is_plain = network.header != Header::AuxiliaryWork;
    let count = peek.get(HEADER_BYTES..).filter(|_| is_plain).and_then(count).and_then(|count| count.checked_sub(1));
    let paying = count.and_then(|count| u32::try_from(count).ok()).unwrap_or(UNKNOWN);
    Entry { hash: header.hash(), previous: header.previous(), offset, length, file, bits: header.bits(), paying }
}

/// The number that bytes begin with (`CompactSize`).
pub(super) fn count(bytes: &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first()?;
    Some(match first {
        0xfd => u64::from(u16::from_le_bytes(*rest.first_chunk()?)),
        0xfe => u64::from(u32::from_le_bytes(*rest.first_chunk()?)),
        0xff => u64::from_le_bytes(*rest.first_chunk()?),
        small => u64::from(*small),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_nodes_write_them() {
        assert_eq!(count(&[0xfc]), Some(0xfc));
        assert_eq!(count(&[0xfd, 1, 2]), Some(0x201));
        assert_eq!(count(&[0xfe, 1, 2, 3, 4, 9]), Some(0x0403_0201));
        assert_eq!(count(&[0xff, 1, 0, 0, 0, 0, 0, 0, 0]), Some(1));
        assert_eq!(count(&[]), None);
        assert_eq!(count(&[0xfd, 1]), None);
    }

    #[test]
    fn a_block_takes_as_much_room_as_it_should() {
        assert!(size_of::<Entry>() <= 88);
    }
}
