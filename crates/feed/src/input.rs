//! [`Input`]: a source that can be read more than once, whatever it is: a file, a gzip file, standard input or a pipe.
//!
//! Everything is read twice, first to check and then to fill the book, so what cannot be rewound is spooled to a
//! temporary file, which the system removes however this process ends. Gzip is told by its first bytes, not by the name. A
//! reading hashes what it reads, so the second one can tell that the file changed in between.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::error::FeedError;
use crate::progress::{Phase, Progress, Step};

/// Gzip data up to this size unpacked is read whatever its ratio.
pub const UNPACKED_BYTES_FREE: u64 = 1 << 30;
/// Beyond that, how many bytes one packed byte may become. Tables and blocks stay below 30, a gzip bomb has 1,000.
pub const UNPACKED_RATIO_MAX: u64 = 200;
/// The name under which standard input is given and printed.
pub const STANDARD_INPUT: &str = "-";

const CHUNK_BYTES: usize = 256 << 10;

/// A source, open.
#[derive(Debug)]
pub(crate) struct Input {
    /// Its name for messages.
    pub name: String,
    file: File,
    /// Its size as it lies there, packed or not.
    pub bytes: u64,
    packed: bool,
}

impl Input {
    /// Opens `path`, or standard input for `-`.
    pub fn open(path: &Path, spool: &Path, progress: &mut dyn Progress) -> Result<Self, FeedError> {
        if path == Path::new(STANDARD_INPUT) {
            return Self::spooled("standard input", io::stdin().lock(), spool, progress);
        }
        let name = path.display().to_string();
        let refused = |what: &str| FeedError::Source { file: name.clone(), what: what.to_owned() };
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => refused("there is no such file; check the path"),
            io::ErrorKind::PermissionDenied => refused("it may not be read; check its permissions"),
            _ => refused(&format!("cannot be opened: {error}")),
        })?;
        let meta = file.metadata().map_err(|error| refused(&format!("cannot be read: {error}")))?;
        if meta.is_dir() {
            return Err(refused("it is a folder; name a file"));
        }
        if !meta.is_file() {
            return Self::spooled(&name, file, spool, progress);
        }
        Self::rewindable(name, file, meta.len())
    }

    /// Copies what cannot be rewound to a temporary file.
    fn spooled(name: &str, mut from: impl Read, spool: &Path, progress: &mut dyn Progress) -> Result<Self, FeedError> {
        let mut file = temporary(spool)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut bytes = 0;
        loop {
            let read = match from.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(FeedError::Source { file: name.to_owned(), what: format!("cannot be read: {error}") });
                }
            };
            file.write_all(&chunk[..read]).map_err(spool_error(spool))?;
            bytes += read as u64;
            progress.step(Step { phase: Phase::Spooling, done: bytes, total: None, items: 0 });
        }
        Self::rewindable(name.to_owned(), file, bytes)
    }

    fn rewindable(name: String, mut file: File, bytes: u64) -> Result<Self, FeedError> {
        let mut head = Vec::new();
        let read = file.rewind().and_then(|()| (&file).take(2).read_to_end(&mut head));
        read.map_err(|error| FeedError::Source { file: name.clone(), what: format!("cannot be read: {error}") })?;
        Ok(Self { name, file, bytes, packed: head == [0x1f, 0x8b] })
    }

    /// Whether it is packed.
    pub fn is_packed(&self) -> bool {
        self.packed
    }

    /// Reads it from the start, unpacked.
    pub fn read(&self) -> Result<Reading, FeedError> {
        let failed =
            |error: io::Error| FeedError::Source { file: self.name.clone(), what: format!("cannot be read: {error}") };
        let mut file = self.file.try_clone().map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let done = Arc::new(AtomicU64::new(0));
        let counted = Counted { file, done: Arc::clone(&done) };
        let bytes: Box<dyn Read> = if self.packed {
            let packed = io::BufReader::with_capacity(CHUNK_BYTES, counted);
            let limit = UNPACKED_BYTES_FREE.max(self.bytes.saturating_mul(UNPACKED_RATIO_MAX));
            Box::new(Unpacked { bytes: MultiGzDecoder::new(packed), left: limit })
        } else {
            Box::new(counted)
        };
        Ok(Reading { bytes, hash: Sha256::new(), done: BytesDone(done) })
    }
}

/// A nameless file in the spool folder.
pub(crate) fn temporary(spool: &Path) -> Result<File, FeedError> {
    tempfile::tempfile_in(spool).map_err(spool_error(spool))
}

pub(crate) fn spool_error(spool: &Path) -> impl Fn(io::Error) -> FeedError {
    let folder: PathBuf = spool.to_owned();
    move |error| FeedError::Spool { folder: folder.clone(), error }
}

/// How far into the file a reading is, for whoever cannot ask the reading itself.
#[derive(Clone)]
pub(crate) struct BytesDone(Arc<AtomicU64>);

impl BytesDone {
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One reading of an input: unpacked bytes, hashed on their way.
pub(crate) struct Reading {
    bytes: Box<dyn Read>,
    hash: Sha256,
    done: BytesDone,
}

impl Reading {
    pub fn bytes_done(&self) -> BytesDone {
        self.done.clone()
    }

    /// The hash of everything that was read, to be continued with what else shapes the reading.
    pub fn into_hash(self) -> Sha256 {
        self.hash
    }
}

impl Read for Reading {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(into)?;
        self.hash.update(&into[..read]);
        Ok(read)
    }
}

struct Counted {
    file: File,
    done: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.done.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Unpacking with an end in sight.
struct Unpacked<R> {
    bytes: R,
    left: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(into)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            let what = format!(
                "it unpacks to more than {UNPACKED_RATIO_MAX} times its size; unpack it first if that is meant"
            );
            io::Error::other(what)
        })?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &Input) -> (Vec<u8>, [u8; 32]) {
        let mut reading = input.read().unwrap();
        let mut bytes = Vec::new();
        reading.read_to_end(&mut bytes).unwrap();
        (bytes, reading.into_hash().finalize().into())
    }

    #[test]
    fn what_cannot_be_rewound_is_read_twice_all_the_same() {
        let text = b"some rows".repeat(100_000);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&text).unwrap();
        let packed = packed.finish().unwrap();
        let mut told = 0;
        for bytes in [text.as_slice(), packed.as_slice()] {
            let mut progress = |step: Step| told = step.done;
            let input = Input::spooled("a pipe", bytes, &std::env::temp_dir(), &mut progress).unwrap();
            assert_eq!((input.bytes, told), (bytes.len() as u64, bytes.len() as u64));
            let first = read(&input);
            assert!(first.0 == text, "what comes out is what went in");
            assert!(first == read(&input), "packed or not, it is the same source");
            assert_eq!(first.1, <[u8; 32]>::from(Sha256::digest(&text)));
        }
    }

    #[test]
    fn a_gzip_bomb_goes_off_at_its_limit() {
        let mut bomb = Unpacked { bytes: io::repeat(0), left: 1 << 20 };
        let mut read = Vec::new();
        let error = bomb.read_to_end(&mut read).unwrap_err();
        assert!(error.to_string().starts_with("it unpacks to more than 200 times its size"), "{error}");
        assert!(read.len() <= 1 << 20);
    }
}
