//! [`BlockFiles`]: a `blocks/` folder as Bitcoin Core and Knots leave it on disk: `blk*.dat`, `rev*.dat`, `xor.dat`.
//!
//! Responsible for records, file lengths, preallocation and obfuscation. It takes serialised blocks and undo data as
//! they come ([`undo`] helps with the latter) and checks neither. It keeps no block index (`blocks/index`).
//!
//! Source of the form: Bitcoin Core's `src/node/blockstorage.cpp`, `src/flatfile.cpp` and `src/streams.h`, held against
//! a folder that a real node wrote (tests).

pub mod undo;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What records of the regression-test network start with.
pub const MAGIC_REGTEST: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];
/// A block file that would grow beyond this is closed, and the next one begun (`MAX_BLOCKFILE_SIZE`).
pub const FILE_BYTES_MAX: u64 = 0x800_0000;
/// Block files grow by this much at a time (`BLOCKFILE_CHUNK_SIZE`).
pub const BLOCK_CHUNK_BYTES: u64 = 0x100_0000;
/// Undo files grow by this much at a time (`UNDOFILE_CHUNK_SIZE`).
pub const UNDO_CHUNK_BYTES: u64 = 0x10_0000;

/// A folder under construction.
pub struct BlockFiles {
    folder: PathBuf,
    magic: [u8; 4],
    key: [u8; 8],
    /// The number of the block file that is being filled.
    number: u32,
    blocks: Growing,
    /// Undo files that may still grow: blocks may be stored before their parents, and get their undo data later.
    undo: BTreeMap<u32, Growing>,
    record: Vec<u8>,
    bytes: u64,
}

impl BlockFiles {
    /// Begins a folder; block and undo files that an earlier run left there go. With a `key` there is a `xor.dat`,
    /// and everything but preallocated space is obfuscated with it (a key of zeros changes nothing); without one
    /// there is none, as before Bitcoin Core 28. A folder with a block index is a node's and stays as it is.
    pub fn create(folder: &Path, magic: [u8; 4], key: Option<[u8; 8]>) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        if folder.join("index").exists() {
            let text = format!("{} has a block index, so it is a node's; name another folder", folder.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.file_name().and_then(|name| name.to_str()).is_some_and(is_ours) {
                fs::remove_file(path)?;
            }
        }
        if let Some(key) = key {
            fs::write(folder.join("xor.dat"), key)?;
        }
        Ok(Self {
            blocks: Growing::create(&file(folder, "blk", 0), BLOCK_CHUNK_BYTES)?,
            folder: folder.to_owned(),
            magic,
            key: key.unwrap_or_default(),
            number: 0,
            undo: BTreeMap::new(),
            record: Vec::new(),
            bytes: 0,
        })
    }

    /// Appends a block, given in parts that follow one another, and says in which file it is: its undo data must go
    /// into the file of the same number.
    pub fn block(&mut self, parts: &[&[u8]]) -> io::Result<u32> {
        self.begin(parts.iter().map(|part| part.len()).sum())?;
        for part in parts {
            self.record.extend_from_slice(part);
        }
        let length = self.record.len() as u64;
        if self.blocks.used > 0 && self.blocks.used + length >= FILE_BYTES_MAX {
            self.blocks.close()?;
            self.number += 1;
            self.blocks = Growing::create(&file(&self.folder, "blk", self.number), BLOCK_CHUNK_BYTES)?;
            // A node shortens an undo file when its last block is connected. Here that is one file later.
            while let Some(old) = self.undo.first_entry().filter(|old| *old.key() + 1 < self.number) {
                old.remove().close()?;
            }
        }
        self.bytes += length;
        self.blocks.append(&mut self.record, self.key)?;
        Ok(self.number)
    }

    /// Appends the undo data of a block that is in file `number` and whose parent is `previous`. That file must be
    /// the current one or the one before.
    pub fn undo(&mut self, number: u32, previous: &[u8; 32], undo: &[u8]) -> io::Result<()> {
        if number > self.number || number + 1 < self.number {
            let text = format!("undo data for file {number} while blocks go into file {}", self.number);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        self.begin(undo.len())?;
        self.record.extend_from_slice(undo);
        let checksum = Sha256::digest(Sha256::new().chain_update(previous).chain_update(undo).finalize());
        self.record.extend_from_slice(&checksum);
        self.bytes += self.record.len() as u64;
        let growing = match self.undo.entry(number) {
            std::collections::btree_map::Entry::Occupied(old) => old.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                new.insert(Growing::create(&file(&self.folder, "rev", number), UNDO_CHUNK_BYTES)?)
            }
        };
        growing.append(&mut self.record, self.key)
    }

    /// Leaves the folder as a node that stops does: full files at their length, the last pair with space in reserve.
    /// Says how many bytes of records there are.
    pub fn finish(mut self) -> io::Result<u64> {
        self.blocks.file.flush()?;
        for (number, mut growing) in std::mem::take(&mut self.undo) {
            if number < self.number {
                growing.close()?;
            }
        }
        Ok(self.bytes)
    }

    /// Starts a record of `length` bytes: magic and length.
    fn begin(&mut self, length: usize) -> io::Result<()> {
        let claimed = u32::try_from(length).ok().filter(|length| u64::from(*length) < FILE_BYTES_MAX);
        let claimed = claimed.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("a record of {length} bytes does not fit a file"))
        })?;
        self.record.clear();
        self.record.extend_from_slice(&self.magic);
        self.record.extend_from_slice(&claimed.to_le_bytes());
        Ok(())
    }
}

/// A file with space in reserve.
struct Growing {
    file: File,
    used: u64,
    /// The file's length: what lies beyond `used` is zeros, not obfuscated.
    room: u64,
    chunk: u64,
}

impl Growing {
    fn create(path: &Path, chunk: u64) -> io::Result<Self> {
        Ok(Self { file: File::create(path)?, used: 0, room: 0, chunk })
    }

    fn append(&mut self, record: &mut [u8], key: [u8; 8]) -> io::Result<()> {
        obfuscate(record, key, self.used);
        let end = self.used + record.len() as u64;
        if end > self.room {
            self.room = end.next_multiple_of(self.chunk);
            self.file.set_len(self.room)?;
        }
        self.file.seek(SeekFrom::Start(self.used))?;
        self.file.write_all(record)?;
        self.used = end;
        Ok(())
    }

    /// Gives the reserve back.
    fn close(&mut self) -> io::Result<()> {
        self.file.set_len(self.used)
    }
}

/// Changes `bytes`, which stand at offset `at` of their file, into what they are under `key`, or back.
pub fn obfuscate(bytes: &mut [u8], key: [u8; 8], at: u64) {
    let mut turned = key;
    turned.rotate_left((at & 7) as usize);
    let word = u64::from_ne_bytes(turned);
    if word == 0 {
        return;
    }
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(turned) {
        *byte ^= key;
    }
}

fn file(folder: &Path, kind: &str, number: u32) -> PathBuf {
    folder.join(format!("{kind}{number:05}.dat"))
}

/// Whether a file of this name is one that this module writes.
pub(crate) fn is_ours(name: &str) -> bool {
    let number = name.strip_suffix(".dat").and_then(|name| name.strip_prefix("blk").or(name.strip_prefix("rev")));
    name == "xor.dat" || number.is_some_and(|number| number.len() == 5 && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obfuscation_depends_on_the_place_in_the_file_and_undoes_itself() {
        let key = [1, 2, 3, 4, 5, 6, 7, 8];
        for at in [0, 1, 7, 8, 1_000_003] {
            for length in 0..40 {
                let plain: Vec<u8> = (0..length).map(|byte: u8| byte.wrapping_mul(7)).collect();
                let mut bytes = plain.clone();
                obfuscate(&mut bytes, key, at);
                for (index, (byte, was)) in bytes.iter().zip(&plain).enumerate() {
                    assert_eq!(*byte, was ^ key[(usize::try_from(at).unwrap() + index) % 8]);
                }
                obfuscate(&mut bytes, key, at);
                assert_eq!(bytes, plain);
            }
        }
    }

    #[test]
    fn files_roll_are_preallocated_and_shortened() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("blk00007.dat"), "of an earlier run").unwrap();
        fs::write(folder.path().join("notes.txt"), "somebody's").unwrap();
        let mut files = BlockFiles::create(folder.path(), MAGIC_REGTEST, None).unwrap();
        let block = vec![7; 40_000_000];
        let mut places = Vec::new();
        for _ in 0..8 {
            let place = files.block(&[&block[..100], &block[100..]]).unwrap();
            files.undo(place, &[0; 32], &[1, 2, 3]).unwrap();
            places.push(place);
        }
        assert_eq!(places, [0, 0, 0, 1, 1, 1, 2, 2]);
        assert!(files.undo(0, &[0; 32], &[]).is_err() && files.undo(3, &[0; 32], &[]).is_err());
        let bytes = files.finish().unwrap();
        assert_eq!(bytes, 8 * (8 + 40_000_000) + 8 * (8 + 3 + 32));
        let length = |name: &str| fs::metadata(folder.path().join(name)).map(|meta| meta.len()).ok();
        let lengths = ["blk00000.dat", "blk00001.dat", "blk00002.dat", "rev00000.dat", "rev00001.dat", "rev00002.dat"]
            .map(length);
        let (full, undo) = (Some(3 * 40_000_008), Some(3 * 43));
        assert_eq!(lengths, [full, full, Some(5 * BLOCK_CHUNK_BYTES), undo, undo, Some(UNDO_CHUNK_BYTES)]);
        assert_eq!([length("blk00007.dat"), length("xor.dat"), length("notes.txt")], [None, None, Some(10)]);
        assert!(
            BlockFiles::create(folder.path(), MAGIC_REGTEST, None).unwrap().block(&[&vec![0; 1 << 27][..]]).is_err()
        );
    }

    #[test]
    fn a_node_s_own_folder_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("index")).unwrap();
        fs::write(folder.path().join("blk00000.dat"), "a node's").unwrap();
        let refused = BlockFiles::create(folder.path(), MAGIC_REGTEST, None).err().unwrap();
        assert!(refused.to_string().ends_with("has a block index, so it is a node's; name another folder"));
        assert_eq!(fs::read(folder.path().join("blk00000.dat")).unwrap(), b"a node's");
    }
}
