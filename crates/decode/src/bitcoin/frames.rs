//! [`Frames`]: where the records of a `blk*.dat` or `rev*.dat` lie, found with as few bytes read as possible.
//!
//! Sans-IO: it says which bytes it wants to see, and is given them. An undamaged file costs the head of each record (8
//! bytes, and 80 of a block's header); bodies are stepped over. What is no record is told as a [`Gap`] and searched for the
//! next one, so that one bad byte costs one record.
//!
//! That a record is found here means that its magic and size fit. A stranger can write both into a transaction, and a
//! damaged size makes records overlap: whoever reads the body decides by the block's work, its links and its merkle root, or
//! by the checksum of undo data.

use memchr::memmem;

use super::{BLOCK_BYTES_MAX, BlockHeader, HEADER_BYTES, Obfuscation, UNDO_BYTES_MAX, UNDO_CHECKSUM_BYTES};

/// Magic and size.
const HEAD_BYTES: usize = 8;
/// How many bytes are asked for at a time where records are searched for.
const SCAN_BYTES: u64 = 1 << 18;
/// Header, count, and a coinbase.
const BLOCK_BYTES_MIN: usize = HEADER_BYTES + 1 + super::transaction::TRANSACTION_BYTES_MIN;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// `blk*.dat`: blocks.
    Blocks,
    /// `rev*.dat`: undo data, each with its checksum.
    Undo,
}

impl Contents {
    /// The bytes after the head that a record's size does not count.
    const fn uncounted(self) -> usize {
        match self {
            Self::Blocks => 0,
            Self::Undo => UNDO_CHECKSUM_BYTES,
        }
    }

    const fn wanted(self) -> u64 {
        match self {
            Self::Blocks => (HEAD_BYTES + HEADER_BYTES) as u64,
            Self::Undo => HEAD_BYTES as u64,
        }
    }

    fn fits(self, size: usize) -> bool {
        match self {
            Self::Blocks => (BLOCK_BYTES_MIN..=BLOCK_BYTES_MAX).contains(&size),
            Self::Undo => (1..=UNDO_BYTES_MAX).contains(&size),
        }
    }
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Read `length` bytes of the file at `offset` and [`give`](Frames::give) them; fewer only where the file ends.
    Read {
        /// From the file's beginning.
        offset: u64,
        /// How many.
        length: usize,
    },
    /// There is a record.
    Record(Record),
    /// There is none in these bytes.
    Gap(Gap),
    /// The file is through.
    End,
}

/// A record of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where its body begins.
    pub offset: u64,
    /// The body's length: a block, or undo data and its checksum.
    pub length: usize,
    /// The block's header; `None` in files of undo data.
    pub header: Option<BlockHeader>,
}

/// Bytes of a file that hold no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where they begin.
    pub offset: u64,
    /// How many there are.
    pub length: u64,
    /// What they are.
    pub what: GapKind,
}

/// What lies between records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapKind {
    /// Zeros: space that the node set aside and has not used. Nothing is wrong.
    Unused,
    /// A record that the file ends inside: it is being written, or the file was cut.
    Cut,
    /// Anything else: the file is damaged, or the key or the network is not its own.
    Garbage,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// A record should begin here.
    Head(u64),
    /// A run of zeros began at the first and reaches the second.
    Zeros(u64, u64),
    /// A record is searched for from `at` on; bytes from `gap` on are in none, and zeros up to `zeros`.
    Scan { gap: u64, zeros: u64, at: u64, what: GapKind },
    /// Nothing is left.
    Ended,
}

/// A walk along the records of one file.
#[derive(Clone, Debug)]
pub struct Frames {
    contents: Contents,
    magic: [u8; 4],
    key: Obfuscation,
    end: u64,
    state: State,
    /// Where the record before began that nothing has confirmed yet.
    last: Option<u64>,
    found: Option<Step>,
    window: Vec<u8>,
}

impl Frames {
    /// A walk along a file of `length` bytes, beginning at `start`: 0, or where an earlier walk saw a record's end.
    pub fn new(contents: Contents, magic: [u8; 4], key: Obfuscation, start: u64, length: u64) -> Self {
        let state = State::Head(start.min(length));
        Self { contents, magic, key, end: length, state, last: None, found: None, window: Vec::new() }
    }

    /// What to do next. A [`Step::Read`] comes again until it is answered.
    #[expect(clippy::should_implement_trait, reason = "it needs answers in between, so it is no iterator")]
    pub fn next(&mut self) -> Step {
        if let Some(found) = self.found.take() {
            return found;
        }
        let (offset, length) = match self.state {
            State::Head(at) => (at, self.contents.wanted()),
            State::Zeros(_, at) | State::Scan { at, .. } => (at, SCAN_BYTES),
            State::Ended => return Step::End,
        };
        let length = length.min(self.end - offset);
        if length == 0 {
            self.end_of_file();
            return self.found.take().unwrap_or(Step::End);
        }
        Step::Read { offset, length: usize::try_from(length).expect("a read is at most 256 KiB") }
    }

    /// Takes the bytes of the last [`Step::Read`] as they are in the file. Fewer than asked for mean that the file is
    /// shorter than was said.
    pub fn give(&mut self, bytes: &[u8]) {
        if self.found.is_some() {
            return; // Nothing was asked for; what was found must not be lost.
        }
        let Step::Read { offset, length } = self.next() else { return };
        let bytes = &bytes[..bytes.len().min(length)];
        if bytes.len() < length {
            self.end = offset + bytes.len() as u64;
            if bytes.is_empty() {
                self.end_of_file();
                return;
            }
        }
        match self.state {
            State::Head(at) => self.head(at, bytes),
            State::Zeros(start, at) => self.zeros(start, at, bytes),
            State::Scan { gap, zeros, at, what } => self.scan((gap, zeros), at, what, bytes),
            State::Ended => {}
        }
    }

    fn end_of_file(&mut self) {
        let (offset, what) = match self.state {
            State::Zeros(start, _) => (start, GapKind::Unused),
            State::Scan { gap, what, .. } => (gap, what),
            State::Head(_) | State::Ended => (self.end, GapKind::Garbage),
        };
        self.state = State::Ended;
        self.gap(offset, self.end, what);
    }

    fn gap(&mut self, offset: u64, end: u64, what: GapKind) {
        self.found = (offset < end).then(|| Step::Gap(Gap { offset, length: end - offset, what }));
    }

    /// Where a record should begin.
    fn head(&mut self, at: u64, bytes: &[u8]) {
        let before = self.last.take();
        let mut plain = [0; HEAD_BYTES + HEADER_BYTES];
        let plain = &mut plain[..bytes.len()];
        plain.copy_from_slice(bytes);
        self.key.apply(at, plain);
        if bytes.iter().take(HEAD_BYTES).all(|byte| *byte == 0) {
            self.state = State::Zeros(at, at);
        } else if plain.starts_with(&self.magic) || self.magic.starts_with(plain) {
            match self.size(plain) {
                Some(size) if self.body_end(at, size) <= self.end => {
                    let header = plain.get(HEAD_BYTES..).and_then(BlockHeader::of);
                    let length = size + self.contents.uncounted();
                    self.found = Some(Step::Record(Record { offset: at + HEAD_BYTES as u64, length, header }));
                    self.state = State::Head(self.body_end(at, size));
                    self.last = Some(at);
                }
                Some(_) => self.state = State::Scan { gap: at, zeros: at, at: at + 4, what: GapKind::Cut },
                // Not even the size is there.
                None if plain.len() < HEAD_BYTES => {
                    self.state = State::Scan { gap: at, zeros: at, at: self.end, what: GapKind::Cut };
                }
                None => self.state = State::Scan { gap: at, zeros: at, at: at + 4, what: GapKind::Garbage },
            }
        } else {
            // Either this record's head is damaged, or the size of the one before: search that one as well.
            let from = before.map_or(at, |before| before + 4);
            self.state = State::Scan { gap: at, zeros: at, at: from, what: GapKind::Garbage };
        }
    }

    /// In space that was set aside.
    fn zeros(&mut self, start: u64, at: u64, bytes: &[u8]) {
        self.state = match bytes.iter().position(|byte| *byte != 0) {
            None => State::Zeros(start, at + bytes.len() as u64),
            Some(count) => {
                // The first bytes of a record's head can be zero once the key is on them.
                let zeros = at + count as u64;
                let from = zeros.saturating_sub(HEAD_BYTES as u64 - 1).max(start);
                State::Scan { gap: start, zeros, at: from, what: GapKind::Garbage }
            }
        };
    }

    /// Where a record is searched for.
    fn scan(&mut self, (gap, zeros): (u64, u64), at: u64, what: GapKind, bytes: &[u8]) {
        let mut window = std::mem::take(&mut self.window);
        window.clear();
        window.extend_from_slice(bytes);
        self.key.apply(at, &mut window);
        let hit = self.search(at, &window);
        self.window = window;
        let after = at + bytes.len() as u64;
        // A magic can lie across the window's end.
        let resumed = if after >= self.end { self.end } else { (after - 3).max(at + 1) };
        let next = hit.map_or(resumed, |(start, _)| start);
        if zeros > gap {
            // First what the zeros were, then what came after them.
            self.gap(gap, zeros.min(next.max(gap)), GapKind::Unused);
            let is_record = matches!(hit, Some((start, true)) if start <= zeros);
            let gap = zeros.min(next.max(gap));
            self.state = if is_record { State::Head(next) } else { State::Scan { gap, zeros: gap, at: next, what } };
        } else if let Some((start, true)) = hit {
            self.gap(gap, start, what);
            self.state = State::Head(start);
        } else {
            self.state = State::Scan { gap, zeros, at: next, what };
        }
    }

    /// The first magic in a window that begins a record, or `false` with it where the window ends before that is clear.
    fn search(&self, at: u64, window: &[u8]) -> Option<(u64, bool)> {
        memmem::find_iter(window, &self.magic).find_map(|hit| {
            let start = at + hit as u64;
            if window.len() - hit < HEAD_BYTES {
                return (start > at && start + HEAD_BYTES as u64 <= self.end).then_some((start, false));
            }
            let size = self.size(&window[hit..])?;
            (self.body_end(start, size) <= self.end).then_some((start, true))
        })
    }

    /// The size in a record's head, if it is one that a record can have.
    fn size(&self, head: &[u8]) -> Option<usize> {
        let size = u32::from_le_bytes(*head.get(4..HEAD_BYTES)?.first_chunk()?);
        usize::try_from(size).ok().filter(|size| self.contents.fits(*size))
    }

    fn body_end(&self, at: u64, size: usize) -> u64 {
        at + (HEAD_BYTES + size + self.contents.uncounted()) as u64
    }
}
