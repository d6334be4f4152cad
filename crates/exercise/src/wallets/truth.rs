//! The truth about a world of wallets, read back: [`OwnerRow`] of `owners.csv`, [`MadeRow`] of `made-as.csv`.
//!
//! Pure functions over text: a row borrows from its line, and what to do with millions of them is the reader's business.
//! Nothing here knows how the files came about; anybody may write such files about another chain.

use std::fmt;
use std::io::{self, BufRead};

use crate::wallets::kind::Kind;

/// The first line of `owners.csv`.
pub const OWNERS_HEADER: &str = "address,owner,family,role";
/// The first line of `made-as.csv`.
pub const MADE_AS_HEADER: &str = "txid,kind,payers,change";
/// The longest line that is read.
pub const LINE_BYTES_MAX: usize = 1 << 16;

/// A row of `owners.csv`: whose an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerRow<'a> {
    /// The address, or `script:HEX` where a lock has none.
    pub address: &'a str,
    /// The owner: `wallet-12`, or a service's name. All wallets of a service are one owner.
    pub owner: &'a str,
    /// The wallet's family, or `service`.
    pub family: &'a str,
    /// What it was first used for: `receive`, `change`, `mix`; `deposit`, `hot`, `cold`, `pool`, `fee`.
    pub role: &'a str,
}

/// A row of `made-as.csv`: what a transaction was made as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeRow<'a> {
    /// The transaction.
    pub txid: &'a str,
    /// What it was made as.
    pub kind: Kind,
    /// How many different owners its inputs have; 0 for coinbases.
    pub payers: u32,
    /// Where one owner pays: the outputs that are the payer's own. Empty for joins and coinbases.
    pub change: Vec<u32>,
}

/// Why a file of the truth cannot be read.
#[derive(Debug)]
pub enum TruthError {
    /// The file itself.
    Io(io::Error),
    /// The first line is another.
    Header {
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A line is not as it should be.
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
}

impl fmt::Display for TruthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Header { expected, found } => write!(f, "the first line is {found:?}; expected {expected:?}"),
            Self::Line { line, what } => write!(f, "line {line}: {what}"),
        }
    }
}

impl std::error::Error for TruthError {}

impl From<io::Error> for TruthError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A line of `owners.csv`, without its end.
pub fn owner_row(line: &str) -> Result<OwnerRow<'_>, &'static str> {
    let mut fields = line.split(',');
    let mut next = || fields.next().filter(|field| !field.is_empty()).ok_or("an owner's row has four fields");
    let row = OwnerRow { address: next()?, owner: next()?, family: next()?, role: next()? };
    if fields.next().is_some() { Err("an owner's row has four fields") } else { Ok(row) }
}

/// A line of `made-as.csv`, without its end.
pub fn made_row(line: &str) -> Result<MadeRow<'_>, &'static str> {
    let fields: Vec<&str> = line.splitn(5, ',').collect();
    let [txid, kind, payers, change] = fields[..] else { return Err("a transaction's row has four fields") };
    if txid.len() != 64 || !txid.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("a transaction's id has 64 digits");
    }
    let kind = Kind::parse(kind).ok_or("no such kind")?;
    let payers = payers.parse().map_err(|_| "the number of payers is no number")?;
    let outputs = change.split(' ').filter(|output| !output.is_empty());
    let change = outputs.map(str::parse).collect::<Result<_, _>>().map_err(|_| "an output's number is no number")?;
    Ok(MadeRow { txid, kind, payers, change })
}

/// Reads all of `owners.csv`.
pub fn each_owner(read: impl BufRead, mut row: impl FnMut(OwnerRow<'_>)) -> Result<(), TruthError> {
    each_line(read, OWNERS_HEADER, |line| owner_row(line).map(&mut row))
}

/// Reads all of `made-as.csv`.
pub fn each_made(read: impl BufRead, mut row: impl FnMut(MadeRow<'_>)) -> Result<(), TruthError> {
    each_line(read, MADE_AS_HEADER, |line| made_row(line).map(&mut row))
}

fn each_line(
    mut read: impl BufRead,
    header: &'static str,
    mut each: impl FnMut(&str) -> Result<(), &'static str>,
) -> Result<(), TruthError> {
    let mut bytes = Vec::new();
    for line in 1u64.. {
        bytes.clear();
        let most = LINE_BYTES_MAX as u64 + 1;
        if io::Read::take(&mut read, most).read_until(b'\n', &mut bytes)? == 0 {
            if line == 1 {
                return Err(TruthError::Header { expected: header, found: String::new() });
            }
            break;
        }
        if bytes.len() > LINE_BYTES_MAX {
            return Err(TruthError::Line { line, what: "the line is too long" });
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| TruthError::Line { line, what: "the line is no text" })?;
        let text = text.trim_end_matches(['\n', '\r']);
        if line > 1 {
            each(text).map_err(|what| TruthError::Line { line, what })?;
        } else if text != header {
            let found = text.chars().take(80).collect();
            return Err(TruthError::Header { expected: header, found });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TXID: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    #[test]
    fn rows_are_read_and_bad_ones_named() {
        let text = format!("{OWNERS_HEADER}\nbcrt1qx,wallet-7,native,change\nscript:21ac,pool-1,service,pool\n");
        let mut rows = Vec::new();
        each_owner(text.as_bytes(), |row| rows.push((row.address.to_owned(), row.owner.to_owned()))).unwrap();
        assert_eq!(rows, [("bcrt1qx".into(), "wallet-7".into()), ("script:21ac".into(), "pool-1".into())]);

        let text = format!("{MADE_AS_HEADER}\r\n{TXID},pay,1,0 2\r\n{TXID},wasabi-1,31,\r\n");
        let mut rows = Vec::new();
        each_made(text.as_bytes(), |row| rows.push((row.kind, row.payers, row.change))).unwrap();
        assert_eq!(rows, [(Kind::Pay, 1, vec![0, 2]), (Kind::WasabiOne, 31, vec![])]);

        let line = |text: &str| each_made(format!("{MADE_AS_HEADER}\n{text}\n").as_bytes(), |_| ()).unwrap_err();
        for (text, what) in [
            ("", "line 2: a transaction's row has four fields"),
            (&format!("{TXID},pay,1,0,"), "line 2: a transaction's row has four fields"),
            ("00,pay,1,0", "line 2: a transaction's id has 64 digits"),
            (&format!("{TXID},gift,1,0"), "line 2: no such kind"),
            (&format!("{TXID},pay,-1,0"), "line 2: the number of payers is no number"),
            (&format!("{TXID},pay,1,0 x"), "line 2: an output's number is no number"),
            (&"x".repeat(LINE_BYTES_MAX + 1), "line 2: the line is too long"),
        ] {
            assert_eq!(line(text).to_string(), what);
        }
        let owners = |text: &str| each_owner(text.as_bytes(), |_| ()).unwrap_err().to_string();
        assert_eq!(owners(""), format!("the first line is \"\"; expected {OWNERS_HEADER:?}"));
        assert_eq!(owners("a,b\n"), format!("the first line is \"a,b\"; expected {OWNERS_HEADER:?}"));
        assert_eq!(owners(&format!("{OWNERS_HEADER}\na,b,c\n")), "line 2: an owner's row has four fields");
        assert_eq!(owners(&format!("{OWNERS_HEADER}\na,b,c,d,e\n")), "line 2: an owner's row has four fields");
    }
}
