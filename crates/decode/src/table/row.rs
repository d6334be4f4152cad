//! One row's fields, checked: times, amounts, holders with their checksums.

use std::collections::HashMap;
use std::sync::Arc;

use ledger::{LedgerId, Time, address};
use money::Decimal;

use super::options::{FIELDS, Field, TableOptions};
use crate::Fault;
use crate::fault::quoted;

/// The longest transaction id.
pub const TX_BYTES_MAX: usize = 256;
/// The longest asset name.
pub const ASSET_BYTES_MAX: usize = 128;
/// The longest memo.
pub const MEMO_BYTES_MAX: usize = 4096;
/// How many checked holder names are remembered: checksums cost more than the rest of a row.
const HOLDERS_KEPT_MAX: usize = 1 << 16;

/// One movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line it starts on.
    pub line: u64,
    /// The transaction's id.
    pub tx: String,
    /// When it was booked.
    pub time: Time,
    /// The payer in canonical form; `None` is outside.
    pub from: Option<String>,
    /// The paid; `None` is outside.
    pub to: Option<String>,
    /// The asset's name.
    pub asset: String,
    /// How much.
    pub amount: Decimal,
    /// What the payer pays on top.
    pub fee: Option<Decimal>,
    /// Free text.
    pub memo: String,
    /// The ledger it belongs to.
    pub ledger: LedgerId,
}

/// A row's texts by field, before they are checked; empty where the file has none.
pub(super) type Cells<'a> = [&'a str; FIELDS];

/// Turns cells into rows, one file long.
pub(super) struct Checker {
    options: Arc<TableOptions>,
    rows: u64,
    /// The last ledger and time, which mostly are the next row's too.
    ledger: Option<(String, LedgerId)>,
    time: Option<(String, Time)>,
    holders: HashMap<String, String>,
}

impl Checker {
    pub fn new(options: TableOptions) -> Self {
        Self { options: Arc::new(options), rows: 0, ledger: None, time: None, holders: HashMap::new() }
    }

    pub fn options(&self) -> &TableOptions {
        &self.options
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn check(&mut self, line: u64, cells: Cells<'_>) -> Result<Row, Fault> {
        self.rows += 1;
        let options = Arc::clone(&self.options);
        let mut cells: Cells<'_> = cells;
        for (cell, field) in cells.iter_mut().zip(Field::ALL) {
            *cell = cell.trim();
            if cell.is_empty() {
                *cell = options.default_of(field).unwrap_or_default();
            }
        }
        let cell = |field: Field| cells[field as usize];
        let tx = match self.options.numbered() {
            Some(name) => format!("{name}-{}", self.rows),
            None => self.name(line, Field::Tx, cell(Field::Tx), TX_BYTES_MAX)?,
        };
        let time = self.time(line, cell(Field::Time))?;
        let ledger = self.ledger(line, cell(Field::Ledger))?;
        let from = self.holder(line, Field::From, &ledger, cell(Field::From))?;
        let to = self.holder(line, Field::To, &ledger, cell(Field::To))?;
        let asset = self.name(line, Field::Asset, cell(Field::Asset), ASSET_BYTES_MAX)?;
        let amount = self.decimal(line, Field::Amount, cell(Field::Amount))?;
        let fee = match cell(Field::Fee) {
            "" => None,
            text => Some(self.decimal(line, Field::Fee, text)?),
        };
        let memo = cell(Field::Memo);
        if from.is_none() && to.is_none() {
            let help = "name a payer, a payee, or both (empty is outside the ledger)";
            return Err(self.fault(line, Field::From, "from and to are both empty", help));
        }
        if from.is_none() && fee.is_some_and(|fee| fee.to_amount(money::SCALE_MAX) != Ok(money::Amount::ZERO)) {
            return Err(self.fault(line, Field::Fee, "a fee without a payer", "name who paid it in from"));
        }
        if memo.len() > MEMO_BYTES_MAX {
            let what = format!("the text has {} bytes, at most {MEMO_BYTES_MAX} are kept", memo.len());
            return Err(self.fault(line, Field::Memo, what, "shorten it"));
        }
        Ok(Row { line, tx, time, from, to, asset, amount, fee, memo: memo.to_owned(), ledger })
    }

    fn fault(&self, line: u64, field: Field, what: impl Into<String>, help: impl Into<String>) -> Fault {
        let name = self.options.column(field);
        let name = if name.starts_with('#') { field.name() } else { name };
        Fault::line(line, what, help).field(quoted(name).trim_matches('"'))
    }

    /// A name that must be there, short, and without control characters.
    fn name(&self, line: u64, field: Field, text: &str, bytes_max: usize) -> Result<String, Fault> {
        if text.is_empty() {
            return Err(self.fault(line, field, format!("the {} is empty", field.name()), "every row needs one"));
        }
        if text.len() > bytes_max {
            let what = format!("{} has {} bytes, at most {bytes_max} are allowed", quoted(text), text.len());
            return Err(self.fault(line, field, what, "check the row's columns"));
        }
        if text.bytes().any(|byte| byte.is_ascii_control()) || (!text.is_ascii() && text.chars().any(char::is_control))
        {
            return Err(self.fault(line, field, format!("{} holds a control character", quoted(text)), "remove it"));
        }
        Ok(text.to_owned())
    }

    fn time(&mut self, line: u64, text: &str) -> Result<Time, Fault> {
        if let Some((last, time)) = &self.time
            && last == text
        {
            return Ok(*time);
        }
        let time = Time::parse(text).map_err(|_| {
            let what =
                if text.is_empty() { "the time is empty".into() } else { format!("{} is not a time", quoted(text)) };
            self.fault(line, Field::Time, what, "write RFC 3339, such as 2022-03-23T13:29:00Z or 2022-03-23")
        })?;
        self.time = Some((text.to_owned(), time));
        Ok(time)
    }

    fn ledger(&mut self, line: u64, text: &str) -> Result<LedgerId, Fault> {
        if let Some((last, ledger)) = &self.ledger
            && last == text
        {
            return Ok(ledger.clone());
        }
        if text.is_empty() {
            let help = "add a column ledger, or say --ledger bitcoin, --ledger eip155:1, --ledger table:NAME";
            return Err(self.fault(line, Field::Ledger, "no ledger is named", help));
        }
        let ledger = LedgerId::parse(text).map_err(|error| {
            let said = error.to_string();
            let (what, help) = said.split_once("; ").unwrap_or((&said, ""));
            self.fault(line, Field::Ledger, what, help)
        })?;
        self.ledger = Some((text.to_owned(), ledger.clone()));
        // Holders are remembered in the canonical form of one ledger.
        self.holders.clear();
        Ok(ledger)
    }

    fn holder(&mut self, line: u64, field: Field, ledger: &LedgerId, text: &str) -> Result<Option<String>, Fault> {
        if text.is_empty() {
            return Ok(None);
        }
        // A hexadecimal address without capitals has no checksum, so nothing is saved by remembering it.
        let cheap = text.starts_with(['0', '\\']) && !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if !cheap && let Some(known) = self.holders.get(text) {
            return Ok(Some(known.clone()));
        }
        let holder = address::canonical(ledger, text).map_err(|error| {
            self.fault(line, field, format!("{}: {error}", quoted(text)), "check it against its source")
        })?;
        if !cheap {
            if self.holders.len() >= HOLDERS_KEPT_MAX {
                self.holders.clear();
            }
            self.holders.insert(text.to_owned(), holder.clone());
        }
        Ok(Some(holder))
    }

    fn decimal(&self, line: u64, field: Field, text: &str) -> Result<Decimal, Fault> {
        let read = if self.options.scientific { Decimal::parse_scientific(text) } else { Decimal::parse(text) };
        read.map_err(|error| {
            let help = match error {
                money::DecimalError::Exponent => "or pass --scientific to read such amounts exactly",
                money::DecimalError::NotANumber if text.contains(',') => {
                    "use a point for decimals and nothing for thousands"
                }
                _ => "",
            };
            self.fault(line, field, format!("{}: {error}", quoted(text)), help)
        })
    }
}
