//! What a store of the book appends to and replaces: a history of lines under a lock, and files replaced whole or not at all.
//!
//! It knows neither tags nor links; their stores (`tagstore`, `linkstore`) say what stands in a line.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use know::PackHash;
use sha2::{Digest, Sha256};

use crate::exit::Failure;

/// How much of the history's end is looked at for its last line.
const LAST_LINE_BYTES_MAX: u64 = 64 << 10;

/// A file that is only ever appended to. Whoever holds it holds its lock: others wait.
pub struct History {
    path: PathBuf,
    file: File,
}

impl History {
    /// Opens a history, and waits for whoever is writing.
    pub fn open(folder: &Path, name: &str) -> Result<Self, Failure> {
        let path = folder.join(name);
        let file = File::options().read(true).append(true).create(true).open(&path);
        let file = file.map_err(|error| failed(&path, &error))?;
        file.lock().map_err(|error| failed(&path, &error))?;
        Ok(Self { path, file })
    }

    /// The last line, whole or not.
    pub fn last(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let path = &self.path;
        let length = self.file.seek(SeekFrom::End(0)).map_err(|error| failed(path, &error))?;
        let from = length.saturating_sub(LAST_LINE_BYTES_MAX);
        self.file.seek(SeekFrom::Start(from)).map_err(|error| failed(path, &error))?;
        let mut last = None;
        for line in BufReader::new(&self.file).split(b'\n') {
            last = Some(line.map_err(|error| failed(path, &error))?).filter(|line| !line.is_empty()).or(last);
        }
        Ok(last)
    }

    /// Appends whole lines; what a crash cut off before gets its line end first.
    pub fn append(&mut self, lines: &[u8]) -> Result<(), Failure> {
        let path = &self.path;
        let mut text = Vec::new();
        let length = self.file.seek(SeekFrom::End(0)).map_err(|error| failed(path, &error))?;
        if length > 0 {
            let mut end = [0];
            self.file.seek(SeekFrom::Start(length - 1)).map_err(|error| failed(path, &error))?;
            self.file.read_exact(&mut end).map_err(|error| failed(path, &error))?;
            if end != *b"\n" {
                text.push(b'\n');
            }
        }
        text.extend(lines);
        self.file.write_all(&text).map_err(|error| failed(path, &error))?;
        self.file.sync_data().map_err(|error| failed(path, &error))
    }
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::internal(format!("{}: {error}", path.display()))
}

/// Replaces a file of the book, whole or not at all, and gives what it hashes to.
pub fn replace(
    folder: &Path,
    name: &str,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<PackHash, Failure> {
    let path = folder.join(name);
    let failed = |error: std::io::Error| failed(&path, &error);
    let file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut out = BufWriter::new(Hashed { inner: file, digest: Sha256::new() });
    write(&mut out).map_err(failed)?;
    let hashed = out.into_inner().map_err(|error| failed(error.into_error()))?;
    hashed.inner.as_file().sync_all().map_err(failed)?;
    hashed.inner.persist(&path).map_err(|error| failed(error.error))?;
    Ok(PackHash::new(hashed.digest.finalize().into()))
}

/// What passes is hashed.
pub struct Hashed<T> {
    inner: T,
    digest: Sha256,
}

impl<T> Hashed<T> {
    pub fn new(inner: T) -> Self {
        Self { inner, digest: Sha256::new() }
    }

    /// What has passed hashes to this.
    pub fn hash(self) -> PackHash {
        PackHash::new(self.digest.finalize().into())
    }
}

impl<T: Read> Read for Hashed<T> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.digest.update(&buffer[..length]);
        Ok(length)
    }
}

impl<T: Write> Write for Hashed<T> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let length = self.inner.write(bytes)?;
        self.digest.update(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
