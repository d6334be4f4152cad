//! [`Lines`]: any reader cut into numbered lines, in bounded memory.
//!
//! It strips the byte-order mark and `LF` or `CRLF`, tells text in other encodings by its first bytes, and remembers
//! whether the last line had its end (a file that was cut off mostly has not). It does not interpret the lines.

use std::io::{ErrorKind, Read};

use crate::fault::Fault;
use crate::text::{BOM, chars, not_utf8, other_encoding};

/// How much is read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Why decoding stopped: the input is bad, or it could not be read.
#[derive(Debug)]
pub enum DecodeError {
    /// The input is not what it should be.
    Fault(Fault),
    /// The reader failed; the message is its own.
    Read(std::io::Error),
}

impl From<Fault> for DecodeError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Read(error) => write!(f, "cannot be read: {error}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// One line of the input.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// Its bytes without the line end.
    pub bytes: &'a [u8],
    /// Whether a line end was there; only the last line may lack it.
    pub complete: bool,
}

impl<'a> Line<'a> {
    /// The line as text.
    pub fn text(self) -> Result<&'a str, Fault> {
        std::str::from_utf8(self.bytes).map_err(|error| {
            let good = &self.bytes[..error.valid_up_to()];
            not_utf8(self.number, self.bytes[good.len()]).at(1 + chars(good))
        })
    }

    /// Whether it holds nothing but white space.
    pub fn is_blank(self) -> bool {
        self.bytes.iter().all(u8::is_ascii_whitespace)
    }
}

/// A reader in lines.
pub struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What is read and not yet given out: `buffer[start..end]`.
    start: usize,
    end: usize,
    ended: bool,
    number: u64,
    bytes_read: u64,
    line_bytes_max: usize,
}

impl<R: Read> Lines<R> {
    /// Lines of at most `line_bytes_max` bytes; a longer one is a fault.
    pub fn new(reader: R, line_bytes_max: usize) -> Self {
        let buffer = vec![0; CHUNK_BYTES];
        Self { reader, buffer, start: 0, end: 0, ended: false, number: 0, bytes_read: 0, line_bytes_max }
    }

    /// How many bytes have been given out as lines.
    pub fn bytes_done(&self) -> u64 {
        self.bytes_read - (self.end - self.start) as u64
    }

    /// The reader, wherever it stands.
    pub fn into_inner(self) -> R {
        self.reader
    }

    /// The next line.
    // Not an iterator: the line borrows the buffer.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, DecodeError> {
        if self.number == 0 {
            self.begin()?;
        }
        let mut searched = 0;
        loop {
            let waiting = &self.buffer[self.start..self.end];
            let found = memchr::memchr(b'\n', &waiting[searched..]).map(|at| searched + at);
            let length = found.unwrap_or(waiting.len());
            if length > self.line_bytes_max {
                let what = format!("the line is longer than {} bytes", self.line_bytes_max);
                return Err(Fault::line(self.number + 1, what, "check the file's line ends").into());
            }
            if found.is_some() || self.ended {
                if length == 0 && found.is_none() {
                    return Ok(None);
                }
                return Ok(Some(self.give(length, found.is_some())));
            }
            searched = waiting.len();
            self.fill()?;
        }
    }

    fn give(&mut self, length: usize, complete: bool) -> Line<'_> {
        let from = self.start;
        self.start += length + usize::from(complete);
        self.number += 1;
        let bytes = &self.buffer[from..from + length];
        Line { number: self.number, bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes), complete }
    }

    /// Looks at the first bytes for another encoding, and skips the byte-order mark.
    fn begin(&mut self) -> Result<(), DecodeError> {
        while !self.ended && self.end < 4 {
            self.fill()?;
        }
        let head = &self.buffer[..self.end];
        if let Some(fault) = other_encoding(head) {
            return Err(fault.into());
        }
        if head.starts_with(BOM) {
            self.start = BOM.len();
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<(), DecodeError> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.buffer.len(), 0);
        }
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(more) => {
                    self.end += more;
                    self.bytes_read += more as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(DecodeError::Read(error)),
            }
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out one byte at a time: every boundary falls between two reads.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let length = self.0.len().min(1).min(into.len());
            into[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn read(reader: impl Read) -> String {
        let mut lines = Lines::new(reader, 10);
        let mut all = String::new();
        loop {
            match lines.next_line() {
                Ok(Some(line)) => {
                    let end = if line.complete { "|" } else { "" };
                    all += &line.text().map_or_else(|fault| fault.to_string(), str::to_owned);
                    all += end;
                }
                Ok(None) => return all,
                Err(error) => return all + &error.to_string(),
            }
        }
    }

    #[test]
    fn lines_are_cut_numbered_and_limited() {
        let cases: &[(&[u8], &str)] = &[
            (b"", ""),
            (b"\n", "|"),
            (b"a\nb\r\nc", "a|b|c"),
            (b"\xef\xbb\xbfa\n", "a|"),
            (b"\xff\xfea\0", "1: the file is UTF-16; save it as UTF-8 (CSV UTF-8 in Excel)"),
            (b"a\nb\xff\n", "a|2:2: not UTF-8 (byte 0xff); save the file as UTF-8|"),
            (
                b"0123456789\n0123456789a\n",
                "0123456789|2: the line is longer than 10 bytes; check the file's line ends",
            ),
        ];
        for (bytes, want) in cases {
            assert_eq!(read(*bytes), *want, "{:?}", String::from_utf8_lossy(bytes));
            assert_eq!(read(Slow(bytes)), *want, "{:?} byte by byte", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn an_endless_line_stops_at_the_limit() {
        let mut lines = Lines::new(std::io::repeat(b'a'), 3 << 20);
        assert!(lines.next_line().is_err());
        assert!(lines.buffer.len() <= 8 << 20, "memory stays near the limit");
    }
}
