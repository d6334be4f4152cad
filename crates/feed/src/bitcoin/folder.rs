//! [`Folder`]: which files a node's `blocks/` folder has, and the key that they are obfuscated with.
//!
//! It lists and opens; what is in the files is for [`super::walk`] and the others. Files are told by name alone
//! (`blk00000.dat`, `rev00000.dat`): the number is what ties undo data to blocks.
//!
//! Source of the names: `node/blockstorage.cpp` of Bitcoin Core 30.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use decode::bitcoin::{Contents, Obfuscation};

use crate::error::FeedError;

/// The most files of a kind; the main chain has some 5,500.
pub const FILES_MAX: usize = 1 << 17;
/// How many files one reader keeps open.
const OPEN_MAX: usize = 6;
const KEY_FILE: &str = "xor.dat";
/// `xor.dat` has 8 bytes; one more is read to tell that it has more.
const KEY_BYTES_READ: u64 = 9;

/// A `blocks/` folder.
pub(super) struct Folder {
    path: PathBuf,
    pub key: Obfuscation,
    /// Whether there is a `xor.dat`.
    pub has_key: bool,
    /// In order of their numbers.
    pub blocks: Vec<DataFile>,
    /// The same.
    pub undo: Vec<DataFile>,
}

/// One file of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DataFile {
    pub number: u32,
    pub name: String,
}

impl Folder {
    pub fn open(path: &Path) -> Result<Self, FeedError> {
        let refused = |what: String| FeedError::Source { file: path.display().to_string(), what };
        let entries = fs::read_dir(path).map_err(|error| {
            refused(match error.kind() {
                io::ErrorKind::NotFound => "there is no such folder; check the path".to_owned(),
                io::ErrorKind::NotADirectory => "it is a file; name the blocks folder of a node".to_owned(),
                _ => cannot_be_read(&error),
            })
        })?;
        let (mut blocks, mut undo) = (Vec::new(), Vec::new());
        for entry in entries {
            let name = entry.map_err(|error| refused(cannot_be_read(&error)))?.file_name();
            let Some(name) = name.to_str() else { continue };
            for (prefix, files) in [("blk", &mut blocks), ("rev", &mut undo)] {
                if let Some(number) = numbered(name, prefix) {
                    files.push(DataFile { number, name: name.to_owned() });
                }
            }
            if blocks.len().max(undo.len()) > FILES_MAX {
                return Err(refused(format!("there are more than {FILES_MAX} block files in it; name another folder")));
            }
        }
        if blocks.is_empty() {
            let inner = path.join("blocks");
            let hint = if inner.is_dir() { inner } else { PathBuf::from("the blocks folder of a node's data folder") };
            return Err(refused(format!("there is no blk*.dat in it; name {}", hint.display())));
        }
        blocks.sort_unstable();
        undo.sort_unstable();
        let (key, has_key) = read_key(path)?;
        Ok(Self { path: path.to_owned(), key, has_key, blocks, undo })
    }

    pub fn files(&self, contents: Contents) -> &[DataFile] {
        match contents {
            Contents::Blocks => &self.blocks,
            Contents::Undo => &self.undo,
        }
    }

    /// A file's name for messages.
    pub fn name(&self, contents: Contents, file: u32) -> &str {
        &self.files(contents)[file as usize].name
    }

    /// Opens a file and gives its length; what is wrong with it, otherwise.
    pub fn open_file(&self, contents: Contents, file: u32) -> Result<(File, u64), String> {
        let path = self.path.join(self.name(contents, file));
        let meta = fs::metadata(&path).map_err(|error| cannot_be_read(&error))?;
        if !meta.is_file() {
            // Opening a pipe would wait for somebody to write.
            return Err("it is a folder or no ordinary file; put the node's own file there".to_owned());
        }
        let file = File::open(&path).map_err(|error| cannot_be_read(&error))?;
        Ok((file, meta.len()))
    }
}

pub(super) fn cannot_be_read(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "it may not be read; check its permissions".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

fn numbered(name: &str, prefix: &str) -> Option<u32> {
    let digits = name.strip_prefix(prefix)?.strip_suffix(".dat")?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn read_key(folder: &Path) -> Result<(Obfuscation, bool), FeedError> {
    let path = folder.join(KEY_FILE);
    let refused = |what: String| FeedError::Source { file: path.display().to_string(), what };
    let mut bytes = Vec::new();
    match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Obfuscation::NONE, false)),
        file => file.and_then(|file| file.take(KEY_BYTES_READ).read_to_end(&mut bytes)),
    }
    .map_err(|error| refused(cannot_be_read(&error)))?;
    let key = Obfuscation::of_file(&bytes)
        .ok_or_else(|| refused("a key has 8 bytes, this file has not; copy it from the node again".to_owned()))?;
    Ok((key, true))
}

/// Reads records here and there, and keeps the files that it used last open.
pub(super) struct Reader<'a> {
    folder: &'a Folder,
    open: Vec<(Contents, u32, File)>,
}

impl<'a> Reader<'a> {
    pub fn new(folder: &'a Folder) -> Self {
        Self { folder, open: Vec::new() }
    }

    /// Reads `length` bytes at `offset` of a file, without the key, into a buffer that only grows. The caller has seen
    /// that the file is that long.
    pub fn read<'b>(
        &mut self,
        (contents, file): (Contents, u32),
        offset: u64,
        length: usize,
        buffer: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], String> {
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        let bytes = &mut buffer[..length];
        let handle = self.handle(contents, file)?;
        handle.seek(SeekFrom::Start(offset)).and_then(|_| handle.read_exact(bytes)).map_err(|error| {
            match error.kind() {
                io::ErrorKind::UnexpectedEof => "the file has become shorter while it was read".to_owned(),
                _ => cannot_be_read(&error),
            }
        })?;
        self.folder.key.apply(offset, bytes);
        Ok(bytes)
    }

    fn handle(&mut self, contents: Contents, file: u32) -> Result<&mut File, String> {
        let at = self.open.iter().position(|(what, number, _)| (*what, *number) == (contents, file));
        let entry = match at {
            Some(at) => self.open.remove(at),
            None => {
                if self.open.len() >= OPEN_MAX {
                    self.open.remove(0);
                }
                (contents, file, self.folder.open_file(contents, file)?.0)
            }
        };
        self.open.push(entry);
        Ok(&mut self.open.last_mut().expect("one was just put there").2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_names() {
        assert_eq!(numbered("blk00012.dat", "blk"), Some(12));
        assert_eq!(numbered("rev123456.dat", "rev"), Some(123_456));
        for other in ["blk.dat", "blk00001.dat.bak", "blk-0001.dat", "blk+1.dat", "rev00001.dat", "blk99999999999.dat"]
        {
            assert_eq!(numbered(other, "blk"), None, "{other}");
        }
    }
}
