//! Ledger tables: CSV or NDJSON whose rows are movements, the form that every spreadsheet, bank export or explorer
//! download can reach (`docs/tables.md`).
//!
//! [`TableReader`] streams checked [`Row`]s out of any reader. It does not order rows, gather them into transactions or
//! know the scale of an asset: that takes the whole file, and is the room `feed`'s.

mod csv;
mod json;
mod options;
mod row;

use std::io::Read;

pub use csv::{COLUMNS_MAX, RECORD_BYTES_MAX, Record};
pub use json::KEYS_MAX;
pub use options::{Field, TableOptions};
pub use row::{ASSET_BYTES_MAX, MEMO_BYTES_MAX, Row, TX_BYTES_MAX};

use crate::lines::{DecodeError, Lines};
use crate::{Column, Fault};
use options::FIELDS;
use row::Checker;

/// A table, row by row. After an error it is at its end.
pub struct TableReader<R> {
    lines: Lines<R>,
    checker: Checker,
    record: Record,
    form: Option<Form>,
    ended: bool,
    cut_off: Option<u64>,
}

/// How the file writes its rows.
#[derive(Clone, Copy)]
enum Form {
    Csv { delimiter: u8, columns: usize, places: [Option<usize>; FIELDS] },
    Ndjson,
}

impl<R: Read> TableReader<R> {
    /// A table out of `reader`. CSV or NDJSON is told by the first character, the delimiter by the header.
    pub fn new(reader: R, options: TableOptions) -> Self {
        Self {
            lines: Lines::new(reader, RECORD_BYTES_MAX),
            checker: Checker::new(options),
            record: Record::default(),
            form: None,
            ended: false,
            cut_off: None,
        }
    }

    /// How many bytes of the table have been read as rows.
    pub fn bytes_done(&self) -> u64 {
        self.lines.bytes_done()
    }

    /// How many rows have been read.
    pub fn rows(&self) -> u64 {
        self.checker.rows()
    }

    /// The last line, if it had no line end: in a file that was cut off there, its last field may be short.
    pub fn line_without_end(&self) -> Option<u64> {
        self.cut_off
    }

    /// The reader, wherever it stands.
    pub fn into_inner(self) -> R {
        self.lines.into_inner()
    }

    fn next_row(&mut self) -> Result<Option<Row>, DecodeError> {
        let row = match self.form {
            None => self.begin()?,
            Some(Form::Csv { delimiter, columns, places }) => self.next_csv(delimiter, columns, &places)?,
            Some(Form::Ndjson) => self.next_json()?,
        };
        if row.is_none() && self.checker.rows() == 0 {
            return Err(Fault::line(1, "the file has a header and no rows", "give a table with rows").into());
        }
        Ok(row)
    }

    /// Reads the first line, which says what the file is.
    fn begin(&mut self) -> Result<Option<Row>, DecodeError> {
        loop {
            let Some(line) = self.lines.next_line()? else {
                return Err(Fault::whole("the file is empty", "give a table with a header and rows").into());
            };
            if line.is_blank() {
                continue;
            }
            if line.bytes.trim_ascii_start().starts_with(b"{") {
                self.form = Some(Form::Ndjson);
                self.cut_off = (!line.complete).then_some(line.number);
                let text = line.text()?;
                let cells = json::cells(line.number, text, line.complete, self.checker.options())?;
                return Ok(Some(self.checker.check(line.number, cells.each_ref().map(|cell| &**cell))?));
            }
            if line.bytes.contains(&b'\r') {
                let what = "the lines end in bare carriage returns";
                return Err(Fault::line(line.number, what, "save the file with LF or CRLF line ends").into());
            }
            let delimiter = delimiter(line.bytes);
            let number = line.number;
            self.record.read_line(line, delimiter)?;
            let form = header(&self.record, number, delimiter, self.checker.options())?;
            self.form = Some(form);
            return self.next_row();
        }
    }

    fn next_csv(
        &mut self,
        delimiter: u8,
        columns: usize,
        places: &[Option<usize>; FIELDS],
    ) -> Result<Option<Row>, DecodeError> {
        let record = &mut self.record;
        if !record.read(&mut self.lines, delimiter)? {
            return Ok(None);
        }
        if !record.complete {
            self.cut_off = Some(record.line);
        }
        if record.len() != columns {
            let what = format!("this row has {} fields, the header has {columns}", record.len());
            let help = if record.complete {
                "put fields that contain the delimiter in quotes"
            } else {
                "the file ends inside this line: get it again in full"
            };
            let mut fault = Fault::line(record.line, what, help);
            fault.column = record.column_of(columns.min(record.len())).map(Column::Number);
            return Err(fault.into());
        }
        let cells = places.map(|place| place.map_or("", |place| record.get(place)));
        Ok(Some(self.checker.check(record.line, cells)?))
    }

    fn next_json(&mut self) -> Result<Option<Row>, DecodeError> {
        loop {
            let Some(line) = self.lines.next_line()? else { return Ok(None) };
            if line.is_blank() {
                continue;
            }
            self.cut_off = (!line.complete).then_some(line.number);
            let cells = json::cells(line.number, line.text()?, line.complete, self.checker.options())?;
            return Ok(Some(self.checker.check(line.number, cells.each_ref().map(|cell| &**cell))?));
        }
    }
}

impl<R: Read> Iterator for TableReader<R> {
    type Item = Result<Row, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = self.next_row().transpose();
        self.ended = !matches!(row, Some(Ok(_)));
        row
    }
}

/// The delimiter that the header has most of.
fn delimiter(header: &[u8]) -> u8 {
    let count = |delimiter: u8| memchr::memchr_iter(delimiter, header).count();
    // The last of equals wins, so the comma stands last.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).expect("the list is not empty")
}

/// Finds each field's column.
fn header(record: &Record, line: u64, delimiter: u8, options: &TableOptions) -> Result<Form, Fault> {
    let names: Vec<_> = (0..record.len()).map(|index| record.get(index).trim()).collect();
    let mut places = [None; FIELDS];
    let mut missing = Vec::new();
    for field in Field::ALL {
        let name = options.column(field);
        let mut found = (0..).zip(&names).filter(|(_, column)| **column == name).map(|(index, _)| index);
        places[field as usize] = found.next();
        if found.next().is_some() {
            let fault =
                Fault::line(line, format!("two columns are named {}", crate::fault::quoted(name)), "rename one");
            return Err(fault);
        }
        let renamed = name != field.name() && !name.starts_with('#');
        if places[field as usize].is_none() && (renamed || !options.is_given(field)) {
            missing.push(field);
        }
    }
    if !missing.is_empty() {
        return Err(options.missing(line, &missing, &names));
    }
    Ok(Form::Csv { delimiter, columns: names.len(), places })
}
