//! [`Fault`]: what every decoder says of input that it cannot read: where, what, and what to do, on one line.
//!
//! It does not know the file's name (decoders read bytes, not files); whoever opened the file puts it in front:
//! [`Fault::in_file`]. Whatever is quoted from the input is cut short and stripped of control characters, because it
//! comes from strangers and ends up on a terminal.

use std::fmt;

/// How many characters of the input a message quotes at most.
pub const QUOTED_CHARS_MAX: usize = 80;

/// The column of a fault: a number (in characters, from 1) or a field's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// The place in the line, in characters, from 1.
    Number(u64),
    /// A field's name, where a line has named fields.
    Name(String),
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// One thing that is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1; 0 where it is the whole input.
    pub line: u64,
    /// Where in the line.
    pub column: Option<Column>,
    /// What is wrong, in lower case, with the offending input.
    pub what: String,
    /// What to do about it.
    pub help: String,
}

impl Fault {
    /// A fault of the whole input.
    pub fn whole(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { line: 0, column: None, what: what.into(), help: help.into() }
    }

    /// A fault of a line.
    pub fn line(line: u64, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { line, column: None, what: what.into(), help: help.into() }
    }

    /// The same fault, at a column of its line.
    #[must_use]
    pub fn at(mut self, column: u64) -> Self {
        self.column = Some(Column::Number(column));
        self
    }

    /// The same fault, in a named field of its line.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.column = Some(Column::Name(name.into()));
        self
    }

    /// `FILE:LINE:COLUMN: what; help`, on one line.
    pub fn in_file(&self, file: &str) -> String {
        if self.line == 0 { format!("{file}: {self}") } else { format!("{file}:{self}") }
    }
}

impl fmt::Display for Fault {
    /// `LINE:COLUMN: what; help`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}", self.line)?;
            if let Some(column) = &self.column {
                write!(f, ":{column}")?;
            }
            write!(f, ": ")?;
        }
        harmless(f, &self.what)?;
        if !self.help.is_empty() {
            f.write_str("; ")?;
            harmless(f, &self.help)?;
        }
        Ok(())
    }
}

/// The most characters of what is wrong, or of what to do, that are printed.
const SAID_CHARS_MAX: usize = 800;

/// What a library says of an input may hold a piece of it as it is, of any length: it is cut, and what a terminal would
/// obey is spelt out.
fn harmless(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let cut = text.char_indices().nth(SAID_CHARS_MAX).map(|(at, _)| &text[..at]);
    if let Some(cut) = cut {
        harmless(f, cut)?;
        return f.write_str("…");
    }
    for piece in text.split_inclusive(char::is_control) {
        match piece.chars().next_back() {
            Some(last) if last.is_control() => {
                write!(f, "{}{}", &piece[..piece.len() - last.len_utf8()], last.escape_default())?;
            }
            _ => f.write_str(piece)?,
        }
    }
    Ok(())
}

impl std::error::Error for Fault {}

/// The quotes, and what says that something was cut.
const MARKS: usize = 3;

/// A piece of the input in quotes, fit for a message: escaped, and cut at [`QUOTED_CHARS_MAX`].
pub fn quoted(text: &str) -> String {
    let mut take = QUOTED_CHARS_MAX;
    loop {
        let mut cut: String = text.chars().take(take).collect();
        if cut.len() < text.len() {
            cut.push('…');
        }
        let printed = format!("{cut:?}");
        // Escaped, a character of control takes five or more.
        if printed.chars().count() <= QUOTED_CHARS_MAX + MARKS {
            return printed;
        }
        take = take * 3 / 4;
    }
}

/// The same for bytes that may not be text.
pub fn quoted_bytes(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(4 * QUOTED_CHARS_MAX)];
    quoted(&String::from_utf8_lossy(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_line_with_its_place() {
        let fault = Fault::line(7, format!("{} is no amount", quoted("a\nb")), "write digits").field("amount");
        assert_eq!(fault.in_file("x.csv"), "x.csv:7:amount: \"a\\nb\" is no amount; write digits");
        assert_eq!(Fault::line(7, "bad", "").at(3).in_file("x.csv"), "x.csv:7:3: bad");
        assert_eq!(Fault::whole("the file is empty", "").in_file("x.csv"), "x.csv: the file is empty");
        let bare = Fault::line(2, "unknown field `a\u{7f}\u{1b}[2Jé`", "");
        assert!(Fault::line(1, "x".repeat(5_000), "").to_string().chars().count() < 1_000);
        assert_eq!(bare.in_file("x.csv"), r"x.csv:2: unknown field `a\u{7f}\u{1b}[2Jé`");
    }

    #[test]
    fn what_is_quoted_is_short_and_harmless() {
        assert_eq!(quoted("\u{1b}[31mred"), "\"\\u{1b}[31mred\"");
        assert!(quoted(&"é".repeat(1000)).chars().count() < 90);
        assert!(quoted(&"\u{c}".repeat(1000)).chars().count() <= QUOTED_CHARS_MAX + MARKS);
        assert!(quoted(&"\u{10ffff}".repeat(1000)).chars().count() <= QUOTED_CHARS_MAX + MARKS);
        assert!(quoted_bytes(&[0xff; 4000]).len() < 400);
    }
}
