//! [`Sink`]: passes bytes on, and counts and hashes them on the way.

use std::io::{self, Write};

use ledger::hex;
use sha2::{Digest, Sha256};

use crate::papers::FileSummary;

/// A counting, hashing writer.
pub struct Sink<W> {
    out: W,
    bytes: u64,
    hash: Sha256,
}

impl<W: Write> Sink<W> {
    pub fn new(out: W) -> Self {
        Self { out, bytes: 0, hash: Sha256::new() }
    }

    /// What went through, under a file's name.
    pub fn summary(self, file: &str) -> FileSummary {
        let mut sha256 = String::new();
        hex::push(&mut sha256, &self.hash.finalize());
        FileSummary { file: file.to_owned(), bytes: self.bytes, sha256 }
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
