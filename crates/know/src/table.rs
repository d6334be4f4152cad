//! Plain tags from a spreadsheet: CSV with `address` and `label`, and whatever else of a tag is known.
//!
//! Any order of columns; an unknown column is a fault, because `catagory` would otherwise be a tag without one. A
//! mistyped address is a fault too: unlike a published pack, the file is the reader's own to correct.

use decode::fault::quoted;
use decode::{Fault, Pool, Text};
use ledger::address::{HOLDER_BYTES_MAX, canonical};
use ledger::{LedgerId, Time};

use crate::{CLAIMS_MAX, Claim, Rules, Scope};

const COLUMNS: &[&str] =
    &["address", "label", "category", "source", "currency", "ledger", "abuse", "actor", "confidence", "date"];

/// A place in a row, by column name.
pub(crate) struct Columns<'a> {
    places: &'a [(&'static str, usize)],
    record: &'a csv::StringRecord,
}

impl<'a> Columns<'a> {
    /// The field of a column: trimmed, `None` where the column or its value is absent.
    pub(crate) fn get(&self, column: &str) -> Option<&'a str> {
        let at = self.places.iter().find(|(name, _)| *name == column)?.1;
        self.record.get(at).map(str::trim).filter(|text| !text.is_empty())
    }

    /// The same as a text that is kept.
    fn kept(&self, column: &str, pool: &mut Pool) -> Option<Text> {
        self.get(column).map(|text| pool.text(text))
    }

    /// A fault in a column of this row.
    pub(crate) fn fault(&self, column: &str, what: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault::line(self.record.position().map_or(0, csv::Position::line), what, help).field(column)
    }

    /// The field of a column that must be filled.
    pub(crate) fn required(&self, column: &str) -> Result<&'a str, Fault> {
        self.get(column).ok_or_else(|| self.fault(column, "there is nothing here", "fill it, or remove the row"))
    }
}

/// What the CSV reader found wrong.
pub(crate) fn csv_fault(error: &csv::Error) -> Fault {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => Fault::line(
            line,
            format!("this row has {len} fields, the header has {expected_len}"),
            "add or remove commas; a field with a comma in it stands in double quotes",
        ),
        _ => Fault::line(line, format!("not readable as CSV: {error}"), "export the table again as CSV, UTF-8"),
    }
}

/// Reads a CSV table whose header has columns of `known`, among them all of `needed`, row by row.
pub(crate) fn rows(
    bytes: &[u8],
    known: &[&'static str],
    needed: &[&str],
    mut take: impl FnMut(&Columns<'_>) -> Result<Claim, Fault>,
) -> Result<Vec<Claim>, Fault> {
    let text = decode::text::utf8(bytes)?;
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| csv_fault(&error))?.clone();
    let line = header.position().map_or(1, csv::Position::line);
    let mut places: Vec<(&'static str, usize)> = Vec::new();
    for (at, found) in header.iter().enumerate() {
        let found = found.trim().to_ascii_lowercase();
        let Some(name) = known.iter().find(|name| **name == found) else {
            let help = format!("known columns: {}", known.join(", "));
            return Err(Fault::line(line, format!("unknown column {}", quoted(&found)), help));
        };
        if places.iter().any(|(other, _)| other == name) {
            return Err(Fault::line(line, format!("the column {name} stands here twice"), "keep one"));
        }
        places.push((name, at));
    }
    if let Some(missing) = needed.iter().find(|name| !places.iter().any(|(found, _)| found == *name)) {
        let help = format!("start with a header such as {}", needed.join(","));
        return Err(Fault::line(line, format!("there is no column {missing}"), help));
    }
    let mut claims = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| csv_fault(&error))?;
        let columns = Columns { places: &places, record: &record };
        if claims.len() >= CLAIMS_MAX {
            return Err(columns.fault("address", format!("more than {CLAIMS_MAX} tags"), "split the file"));
        }
        claims.push(take(&columns)?);
    }
    Ok(claims)
}

/// Reads tags from CSV: `address`, `label`, and any of `category`, `source`, `currency` or `ledger`, `abuse`, `actor`,
/// `confidence`, `date`.
pub fn from_csv(bytes: &[u8], pack: &str, rules: &Rules) -> Result<Vec<Claim>, Fault> {
    let (mut pool, pack) = (Pool::default(), Text::from(pack));
    rows(bytes, COLUMNS, &["address", "label"], |row| tag(row, &pack, &mut pool, rules))
}

fn tag(row: &Columns<'_>, pack: &Text, pool: &mut Pool, rules: &Rules) -> Result<Claim, Fault> {
    let address = row.required("address")?;
    let mut claim = Claim::new(address, pool.text(row.required("label")?), Text::clone(pack));
    claim.scope = scope(row, pool)?;
    let checked_on = match &claim.scope {
        Scope::Ledger(ledger) => ledger.clone(),
        // Where no ledger is named, only what plainly looks like an address is checked.
        _ => LedgerId::parse("table:any").expect("a plain table id"),
    };
    if address.len() > HOLDER_BYTES_MAX {
        return Err(row.fault("address", format!("longer than {HOLDER_BYTES_MAX} bytes"), "give one address"));
    }
    canonical(&checked_on, address).map_err(|error| {
        row.fault("address", format!("{}: {error}", quoted(address)), "copy the address again, in full")
    })?;
    if let Some(category) = row.get("category") {
        claim.add_category(pool.text(category));
    }
    claim.abuse = row.kept("abuse", pool);
    claim.actor = row.kept("actor", pool);
    claim.source = row.kept("source", pool);
    claim.confidence = row.kept("confidence", pool);
    if let Some(word) = &claim.confidence
        && rules.confidence(word).is_none()
    {
        let words: Vec<&str> = rules.confidence_words().collect();
        let help = format!("write one of {}, or nothing", words.join(", "));
        return Err(row.fault("confidence", format!("{} is no confidence", quoted(word)), help));
    }
    claim.date = row.get("date").map(Time::parse).transpose().map_err(|error| {
        row.fault(
            "date",
            format!("{}: {error}", quoted(row.get("date").unwrap_or_default())),
            "write such a time, or nothing",
        )
    })?;
    Ok(claim)
}

fn scope(row: &Columns<'_>, pool: &mut Pool) -> Result<Scope, Fault> {
    match (row.get("currency"), row.get("ledger")) {
        (None, None) => Ok(Scope::Anywhere),
        (Some(currency), None) => Ok(Scope::Currency(pool.text(currency))),
        (None, Some(ledger)) => match LedgerId::parse(ledger) {
            Ok(ledger) => Ok(Scope::Ledger(ledger)),
            Err(_) => Err(row.fault(
                "ledger",
                format!("{} is no ledger id", quoted(ledger)),
                "write bitcoin, ethereum, a CAIP-2 id such as eip155:1, bank:BIC or table:NAME",
            )),
        },
        (Some(_), Some(_)) => Err(row.fault("ledger", "a currency and a ledger", "give one of the two")),
    }
}
