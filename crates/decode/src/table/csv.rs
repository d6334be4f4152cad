//! One CSV record from as many lines as it has, strictly (RFC 4180).
//!
//! The `csv` crate is lenient by design: a quote in the middle of a field, or one that never closes, silently moves
//! the borders between fields, and so an amount into another row. Here both are faults with their place.

use std::io::Read;
use std::ops::Range;

use crate::Fault;
use crate::lines::{DecodeError, Line, Lines};
use crate::text::chars;

/// The longest record, over all its lines.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// The most columns a table may have.
pub const COLUMNS_MAX: usize = 1000;

/// One record, reused from row to row.
#[derive(Debug, Default)]
pub struct Record {
    /// The fields, unquoted, one after another.
    text: String,
    ranges: Vec<Range<usize>>,
    /// Whether it has no quotes, so that `text` is the line as it stands.
    plain: bool,
    /// The line it starts on.
    pub line: u64,
    /// Whether its last line had an end.
    pub complete: bool,
}

#[derive(Clone, Copy)]
enum State {
    Start,
    Plain,
    Quoted,
    /// Right after a quote in a quoted field: its end, or the first half of a doubled quote.
    Closing,
}

impl Record {
    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether it has no field at all.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// A field, unquoted; empty where there is none.
    pub fn get(&self, index: usize) -> &str {
        self.ranges.get(index).map_or("", |range| &self.text[range.clone()])
    }

    /// Reads the next record that is not a blank line; `false` at the end of the input.
    pub fn read<R: Read>(&mut self, lines: &mut Lines<R>, delimiter: u8) -> Result<bool, DecodeError> {
        self.text.clear();
        self.ranges.clear();
        let mut splitter = Splitter::new(delimiter);
        while let Some(line) = lines.next_line()? {
            if line.is_blank() && !splitter.is_open() {
                continue;
            }
            self.take(line, &mut splitter)?;
            if !splitter.is_open() || self.text.len() > RECORD_BYTES_MAX {
                break;
            }
        }
        self.close(&splitter)?;
        Ok(!self.ranges.is_empty())
    }

    /// Reads a record that must stand on this one line: the header.
    pub fn read_line(&mut self, line: Line<'_>, delimiter: u8) -> Result<(), Fault> {
        self.text.clear();
        self.ranges.clear();
        let mut splitter = Splitter::new(delimiter);
        self.take(line, &mut splitter)?;
        self.close(&splitter)
    }

    /// The column, in characters, at which field `index` starts or is missed; known only without quotes.
    pub fn column_of(&self, index: usize) -> Option<u64> {
        let before = self.ranges.get(index).map_or(self.text.len(), |range| range.start);
        self.plain.then(|| 1 + chars(&self.text.as_bytes()[..before]))
    }

    fn take(&mut self, line: Line<'_>, splitter: &mut Splitter) -> Result<(), Fault> {
        let text = line.text()?;
        self.complete = line.complete;
        if splitter.is_open() {
            self.text.push('\n');
        } else {
            self.line = line.number;
            self.plain = memchr::memchr(b'"', line.bytes).is_none();
            if self.plain {
                self.split_plain(text, splitter.delimiter);
                return Ok(());
            }
        }
        splitter.take(text, line.number, self)
    }

    fn close(&self, splitter: &Splitter) -> Result<(), Fault> {
        if splitter.is_open() {
            let (line, column) = splitter.opened;
            return Err(Fault::line(line, "this quote is never closed", "close it").at(column));
        }
        if self.ranges.len() > COLUMNS_MAX {
            return Err(Fault::line(self.line, format!("more than {COLUMNS_MAX} columns"), "check the delimiter"));
        }
        Ok(())
    }

    fn split_plain(&mut self, text: &str, delimiter: u8) {
        self.text.push_str(text);
        let mut start = 0;
        for end in memchr::memchr_iter(delimiter, text.as_bytes()) {
            self.ranges.push(start..end);
            start = end + 1;
        }
        self.ranges.push(start..text.len());
    }
}

/// Where in a record with quotes the reading is.
struct Splitter {
    delimiter: u8,
    state: State,
    /// Where in the record's text the current field starts.
    start: usize,
    /// Line and column of the quote that opened it.
    opened: (u64, u64),
}

impl Splitter {
    const fn new(delimiter: u8) -> Self {
        Self { delimiter, state: State::Start, start: 0, opened: (0, 0) }
    }

    /// Whether a quoted field goes on in the next line.
    const fn is_open(&self) -> bool {
        matches!(self.state, State::Quoted)
    }

    /// Takes one line of the record. It is complete unless a quote is still open.
    fn take(&mut self, line: &str, number: u64, record: &mut Record) -> Result<(), Fault> {
        let bytes = line.as_bytes();
        let column = |at: usize| 1 + chars(&bytes[..at]);
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            match self.state {
                State::Start if rest.first() == Some(&b'"') => {
                    (self.state, self.opened) = (State::Quoted, (number, column(at)));
                    at += 1;
                }
                State::Start => self.state = State::Plain,
                State::Plain => {
                    let end = memchr::memchr2(self.delimiter, b'"', rest).unwrap_or(rest.len());
                    if rest.get(end) == Some(&b'"') {
                        let help = "put the whole field in quotes, and double the quotes inside";
                        return Err(
                            Fault::line(number, "a quote inside a field without quotes", help).at(column(at + end))
                        );
                    }
                    record.text.push_str(&line[at..at + end]);
                    if self.end_field(record, at + end == bytes.len()) {
                        return Ok(());
                    }
                    at += end + 1;
                }
                State::Quoted => {
                    let Some(end) = memchr::memchr(b'"', rest) else {
                        record.text.push_str(&line[at..]);
                        return Ok(());
                    };
                    record.text.push_str(&line[at..at + end]);
                    self.state = State::Closing;
                    at += end + 1;
                }
                State::Closing => match rest.first() {
                    Some(b'"') => {
                        record.text.push('"');
                        self.state = State::Quoted;
                        at += 1;
                    }
                    Some(byte) if *byte != self.delimiter => {
                        let help = "double the quotes inside a quoted field";
                        return Err(Fault::line(number, "text after a closing quote", help).at(column(at)));
                    }
                    next => {
                        if self.end_field(record, next.is_none()) {
                            return Ok(());
                        }
                        at += 1;
                    }
                },
            }
        }
    }

    fn end_field(&mut self, record: &mut Record, last: bool) -> bool {
        record.ranges.push(self.start..record.text.len());
        self.start = record.text.len();
        self.state = State::Start;
        last
    }
}
