//! Queries from a file: one a line, blank lines and comments aside. A line that cannot be one keeps its number and its
//! reason, and the others are asked all the same.

use std::io::Read;

use decode::fault::quoted;
use decode::lines::Lines;
use decode::{DecodeError, Fault};

/// The most queries of a file.
pub const QUERIES_MAX: usize = 1_000_000;
/// The longest query, in bytes: the longest name that a holder may have.
pub const QUERY_BYTES_MAX: usize = ledger::address::HOLDER_BYTES_MAX;
/// The longest line that is read at all.
const LINE_BYTES_MAX: usize = 1 << 20;

/// A line of a file of queries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its number, from 1.
    pub line: u64,
    /// The query, or the beginning of what is none.
    pub query: String,
    /// Why it is none.
    pub fault: Option<String>,
}

/// Reads queries, all of them or none: a file of too many is refused before the first is asked.
pub fn queries(reader: impl Read) -> Result<Vec<Asked>, DecodeError> {
    let mut lines = Lines::new(reader, LINE_BYTES_MAX);
    let mut all = Vec::new();
    while let Some(line) = lines.next_line()? {
        let trimmed = line.bytes.trim_ascii();
        if trimmed.is_empty() || trimmed.starts_with(b"#") {
            continue;
        }
        if all.len() >= QUERIES_MAX {
            return Err(Fault::line(line.number, format!("more than {QUERIES_MAX} queries"), "split the file").into());
        }
        all.push(asked(line.number, trimmed));
    }
    Ok(all)
}

fn asked(line: u64, bytes: &[u8]) -> Asked {
    let start = || String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
    let bad = |fault: String| Asked { line, query: start(), fault: Some(fault) };
    if bytes.len() > QUERY_BYTES_MAX {
        return bad(format!("the query is longer than {QUERY_BYTES_MAX} bytes"));
    }
    match std::str::from_utf8(bytes) {
        Err(_) => bad("the query is not UTF-8".to_owned()),
        Ok(text) if text.chars().any(char::is_control) => bad(format!("{} holds a control character", quoted(text))),
        Ok(text) => Asked { line, query: text.to_owned(), fault: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<(u64, String, bool)> {
        let all = queries(bytes).expect("it can be read");
        all.into_iter().map(|asked| (asked.line, asked.query, asked.fault.is_none())).collect()
    }

    #[test]
    fn each_line_keeps_its_number_and_none_is_lost() {
        let long = "x".repeat(QUERY_BYTES_MAX + 1);
        let file = format!("\u{feff}a\r\n\n  # note\n b \n{long}\nc\td\n\u{e9}");
        let mut want = vec![(1, "a".to_owned(), true), (4, "b".to_owned(), true), (5, "x".repeat(80), false)];
        want.extend([(6, "c\td".to_owned(), false), (7, "\u{e9}".to_owned(), true)]);
        assert_eq!(all(file.as_bytes()), want);
        assert_eq!(
            all(b"a\n\xff\nb"),
            [(1, "a".to_owned(), true), (2, "\u{fffd}".to_owned(), false), (3, "b".to_owned(), true)]
        );
        assert_eq!(all(b""), []);
    }

    #[test]
    fn too_many_and_too_long_are_refused_before_anything_is_asked() {
        let many = "a\n".repeat(QUERIES_MAX + 1);
        let said = |bytes: &[u8]| queries(bytes).map(|all| all.len()).map_err(|error| error.to_string());
        assert_eq!(said(&many.as_bytes()[2..]), Ok(QUERIES_MAX));
        assert_eq!(said(many.as_bytes()), Err("1000001: more than 1000000 queries; split the file".to_owned()));
        assert!(said(&vec![b'a'; LINE_BYTES_MAX + 1]).unwrap_err().starts_with("1: the line is longer"));
    }
}
