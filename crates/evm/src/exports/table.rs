//! [`Table`]: a table whose columns go by several names, as CSV or as one JSON object a line.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;

use decode::fault::quoted;
use decode::lines::Lines;
use decode::table::Record;
use decode::{DecodeError, Fault};
use money::Decimal;
use ruint::aliases::U256;
use serde_json::value::RawValue;

use super::{ExportFault, TableName};
use crate::words::{AddressBytes, HashBytes, prefixed, quantity};

/// The longest line: the input of one transaction, as text.
const LINE_BYTES_MAX: usize = 32 << 20;

/// The most rows that are held in memory, where a table is not in the order of its blocks.
pub const ROWS_HELD_MAX: usize = 1 << 23;

/// A column by the names that exports give it.
pub struct Column {
    pub names: &'static [&'static str],
    pub required: bool,
}

/// A column that must be there.
pub const fn needed(names: &'static [&'static str]) -> Column {
    Column { names, required: true }
}

/// A column that may be missing.
pub const fn optional(names: &'static [&'static str]) -> Column {
    Column { names, required: false }
}

enum Form {
    Csv {
        record: Record,
        /// For each column that is known, where it stands.
        places: Vec<Option<usize>>,
        width: usize,
    },
    Json {
        /// The first line, which told the form.
        first: Option<(u64, String)>,
        fields: Vec<String>,
    },
}

/// A table being read, with its current row.
pub struct Table<R> {
    pub name: TableName,
    lines: Lines<R>,
    form: Form,
    columns: &'static [Column],
    line: u64,
    /// Whether a CSV header has a column of this name.
    header: Vec<String>,
}

impl<R: Read> Table<R> {
    pub fn open(name: TableName, reader: R) -> Result<Self, ExportFault> {
        let fail = ExportFault::of(name);
        let columns = super::rows::columns(name);
        let mut lines = Lines::new(reader, LINE_BYTES_MAX);
        let mut header = Vec::new();
        let form = match lines.next_line().map_err(&fail)? {
            None => return Err(fail(Fault::whole("the table is empty", "a table has a header at least").into())),
            Some(line) if line.bytes.trim_ascii_start().starts_with(b"{") => {
                let text = line.text().map_err(|fault| fail(fault.into()))?.to_owned();
                Form::Json { first: Some((line.number, text)), fields: vec![String::new(); columns.len()] }
            }
            Some(line) => {
                let mut record = Record::default();
                record.read_line(line, b',').map_err(|fault| fail(fault.into()))?;
                header = (0..record.len()).map(|at| record.get(at).trim().to_owned()).collect();
                let place = |column: &Column| header.iter().position(|name| column.names.contains(&name.as_str()));
                let places: Vec<Option<usize>> = columns.iter().map(place).collect();
                let missing = columns.iter().zip(&places).find(|(column, place)| column.required && place.is_none());
                if let Some((column, _)) = missing {
                    let what = format!("there is no column {}", column.names.join(" or "));
                    return Err(fail(Fault::line(1, what, "see docs/ethereum.md for the layouts").into()));
                }
                Form::Csv { width: record.len(), record, places }
            }
        };
        Ok(Self { name, lines, form, columns, line: 1, header })
    }

    /// Whether the header has a column of that name.
    pub fn has(&self, name: &str) -> bool {
        self.header.iter().any(|column| column == name)
    }

    /// Goes to the next row; `false` at the end.
    pub fn advance(&mut self) -> Result<bool, ExportFault> {
        let fail = ExportFault::of(self.name);
        match &mut self.form {
            Form::Csv { record, width, .. } => {
                if !record.read(&mut self.lines, b',').map_err(&fail)? {
                    return Ok(false);
                }
                self.line = record.line;
                if record.len() != *width {
                    let what = format!("{} fields where the header has {width}", record.len());
                    return Err(fail(Fault::line(self.line, what, "the row may be cut off").into()));
                }
            }
            Form::Json { first, fields } => {
                if let Some((number, text)) = first.take() {
                    self.line = number;
                    json(&text, number, self.columns, fields).map_err(|fault| fail(fault.into()))?;
                    return Ok(true);
                }
                loop {
                    let Some(line) = self.lines.next_line().map_err(&fail)? else { return Ok(false) };
                    if line.is_blank() {
                        continue;
                    }
                    self.line = line.number;
                    let text = line.text().map_err(|fault| fail(fault.into()))?;
                    json(text, line.number, self.columns, fields).map_err(|fault| fail(fault.into()))?;
                    break;
                }
            }
        }
        Ok(true)
    }

    /// The current row.
    pub fn row(&self) -> Fields<'_> {
        Fields { form: &self.form, columns: self.columns, line: self.line }
    }

    /// A fault of the current row.
    pub fn fault(&self, what: impl Into<String>) -> ExportFault {
        ExportFault { table: self.name, error: DecodeError::Fault(Fault::line(self.line, what, "")) }
    }
}

/// Reads an object's fields into the places of their columns; of a list its items with commas between.
fn json(text: &str, line: u64, columns: &[Column], fields: &mut [String]) -> Result<(), Fault> {
    let wrong = |error: &serde_json::Error| {
        Fault::line(line, format!("this is no JSON object: {error}"), "each line is one row").at(error.column() as u64)
    };
    let object: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    for (column, field) in columns.iter().zip(fields) {
        field.clear();
        let Some(value) = column.names.iter().find_map(|name| object.get(*name)) else {
            if column.required {
                let what = format!("there is no field {}", column.names.join(" or "));
                return Err(Fault::line(line, what, "see docs/ethereum.md for the layouts"));
            }
            continue;
        };
        match value.get() {
            "null" => {}
            text if text.starts_with('"') => {
                let text: Cow<'_, str> = serde_json::from_str(text).map_err(|error| wrong(&error))?;
                field.push_str(&text);
            }
            text if text.starts_with('[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| wrong(&error))?;
                let items: Vec<&str> = items.iter().map(|item| item.get().trim_matches('"')).collect();
                field.push_str(&items.join(","));
            }
            text => field.push_str(text),
        }
    }
    Ok(())
}

/// The fields of a row, by the number of their column.
pub struct Fields<'a> {
    form: &'a Form,
    columns: &'static [Column],
    pub line: u64,
}

impl<'a> Fields<'a> {
    /// The text of a field; empty where there is none.
    pub fn text(&self, column: usize) -> &'a str {
        match self.form {
            Form::Csv { record, places, .. } => places[column].map_or("", |place| record.get(place)).trim(),
            Form::Json { fields, .. } => fields[column].trim(),
        }
    }

    pub fn fault(&self, column: usize, what: &str) -> Fault {
        let name = self.columns[column].names[0];
        Fault::line(self.line, format!("{} is {what}", quoted(self.text(column))), "").field(name)
    }

    /// A quantity: decimal digits, also with an exponent, or hexadecimal ones after `0x`.
    pub fn units(&self, column: usize) -> Result<U256, Fault> {
        let text = self.text(column);
        let digits = !text.is_empty() && text.len() <= 78 && text.bytes().all(|byte| byte.is_ascii_digit());
        // Some exports write 199e17, without losing a digit.
        let is_scientific = text.starts_with(|first: char| first.is_ascii_digit()) && text.contains(['e', 'E']);
        if is_scientific && !text.starts_with("0x") {
            let exact = Decimal::parse_scientific(text).and_then(|decimal| decimal.to_amount(0));
            return exact.map(|amount| U256::from(amount.units())).map_err(|_| self.fault(column, "no whole number"));
        }
        let units = if digits { U256::from_str_radix(text, 10).ok() } else { quantity(text) };
        units.ok_or_else(|| self.fault(column, "no whole number of at most 256 bits"))
    }

    /// A quantity, where there is one.
    pub fn units_if(&self, column: usize) -> Result<Option<U256>, Fault> {
        if self.text(column).is_empty() { Ok(None) } else { self.units(column).map(Some) }
    }

    pub fn number(&self, column: usize) -> Result<u64, Fault> {
        u64::try_from(self.units(column)?).map_err(|_| self.fault(column, "no number of at most 64 bits"))
    }

    pub fn number_if(&self, column: usize) -> Result<Option<u64>, Fault> {
        if self.text(column).is_empty() { Ok(None) } else { self.number(column).map(Some) }
    }

    pub fn hash(&self, column: usize) -> Result<HashBytes, Fault> {
        prefixed(self.text(column)).ok_or_else(|| self.fault(column, "no hash of 64 hexadecimal digits after 0x"))
    }

    pub fn hash_if(&self, column: usize) -> Result<Option<HashBytes>, Fault> {
        if self.text(column).is_empty() { Ok(None) } else { self.hash(column).map(Some) }
    }

    pub fn address(&self, column: usize) -> Result<AddressBytes, Fault> {
        prefixed(self.text(column)).ok_or_else(|| self.fault(column, "no address of 40 hexadecimal digits after 0x"))
    }

    pub fn address_if(&self, column: usize) -> Result<Option<AddressBytes>, Fault> {
        if self.text(column).is_empty() { Ok(None) } else { self.address(column).map(Some) }
    }
}
