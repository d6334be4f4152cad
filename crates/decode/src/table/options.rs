//! What a user says about a table before it is read: which of its columns is which, and what stands in for a missing one.

use std::fmt::Write as _;

use crate::Fault;
use crate::fault::quoted;

/// The fields of a ledger table, by the names of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The transaction's id; rows of the same id are one atomic transaction.
    Tx,
    /// When it was booked.
    Time,
    /// The payer; empty is outside.
    From,
    /// The paid; empty is outside.
    To,
    /// Of what.
    Asset,
    /// How much.
    Amount,
    /// What the payer pays on top.
    Fee,
    /// Free text.
    Memo,
    /// Which ledger the row belongs to.
    Ledger,
}

/// How many fields there are.
pub(crate) const FIELDS: usize = 9;

impl Field {
    /// All fields, in the contract's order.
    pub const ALL: [Self; FIELDS] =
        [Self::Tx, Self::Time, Self::From, Self::To, Self::Asset, Self::Amount, Self::Fee, Self::Memo, Self::Ledger];

    /// The name in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tx => "tx",
            Self::Time => "time",
            Self::From => "from",
            Self::To => "to",
            Self::Asset => "asset",
            Self::Amount => "amount",
            Self::Fee => "fee",
            Self::Memo => "memo",
            Self::Ledger => "ledger",
        }
    }

    /// Whether a table without it says too little.
    pub const fn is_required(self) -> bool {
        !matches!(self, Self::Fee | Self::Memo | Self::Ledger)
    }

    /// What other programs call it, for a suggestion in an error; never taken without being asked for.
    const fn hints(self) -> &'static [&'static str] {
        match self {
            Self::Tx => &["txid", "tx_hash", "txhash", "hash", "transaction_hash", "transaction", "tx_id", "id"],
            Self::Time => &["block_time", "timestamp", "block_timestamp", "datetime", "date", "booked"],
            Self::From => &["from_address", "sender", "payer", "source", "debtor"],
            Self::To => &["to_address", "receiver", "recipient", "payee", "target", "creditor"],
            Self::Asset => &["currency", "symbol", "token", "coin"],
            Self::Amount => &["value", "total", "quantity", "total_eth", "sum"],
            Self::Fee => &["fees"],
            Self::Memo => &["description", "note", "text"],
            Self::Ledger => &["chain", "network"],
        }
    }

    fn parse(name: &str) -> Result<Self, Fault> {
        Self::ALL.into_iter().find(|field| field.name() == name.trim()).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.into_iter().map(Self::name).collect();
            Fault::whole(
                format!("{} is no field of a ledger table", quoted(name)),
                format!("known: {}", known.join(", ")),
            )
        })
    }
}

/// How to read a table.
#[derive(Clone, Debug, Default)]
pub struct TableOptions {
    /// The file's own name for a field; `#row` for the id makes each row its own transaction.
    columns: [Option<String>; FIELDS],
    /// What stands in where the file has no such column, or the cell is empty.
    defaults: [Option<String>; FIELDS],
    /// Whether amounts may be in scientific notation; they are then read exactly.
    pub scientific: bool,
}

impl TableOptions {
    /// Takes `tx=txid`: the field `tx` is the file's column `txid`.
    pub fn set_column(&mut self, mapping: &str) -> Result<(), Fault> {
        let (field, column) = pair(mapping, "tx=txid")?;
        if column.starts_with(ROW) && field != Field::Tx {
            return Err(Fault::whole(format!("{ROW} can only stand for tx"), "name a column of the file"));
        }
        self.columns[field as usize] = Some(column.to_owned());
        Ok(())
    }

    /// Takes `asset=BTC`: where the file has no asset, it is BTC.
    pub fn set_default(&mut self, mapping: &str) -> Result<(), Fault> {
        let (field, value) = pair(mapping, "asset=BTC")?;
        self.defaults[field as usize] = Some(value.to_owned());
        Ok(())
    }

    /// The file's name for a field.
    pub fn column(&self, field: Field) -> &str {
        self.columns[field as usize].as_deref().unwrap_or(field.name())
    }

    /// What stands in for an empty or missing field.
    pub fn default_of(&self, field: Field) -> Option<&str> {
        self.defaults[field as usize].as_deref()
    }

    /// A text that two readings share exactly if they make the same rows of the same bytes.
    pub fn identity(&self) -> String {
        let mut text = format!("scientific={:?}\n", self.scientific);
        for field in Field::ALL {
            let (name, default) = (field.name(), self.default_of(field));
            // Debug quotes the texts, so no value can pass for the end of another.
            writeln!(text, "{name}={:?} else {default:?}", self.column(field)).expect("a string takes any text");
        }
        text
    }

    /// `row` for `#row`, `NAME` for `#row:NAME`: transactions are numbered by row.
    pub(crate) fn numbered(&self) -> Option<&str> {
        let rest = self.columns[Field::Tx as usize].as_deref()?.strip_prefix(ROW)?;
        Some(rest.strip_prefix(':').filter(|name| !name.is_empty()).unwrap_or("row"))
    }

    /// Whether the field needs no column of the file.
    pub(crate) fn is_given(&self, field: Field) -> bool {
        !field.is_required() || self.default_of(field).is_some() || (field == Field::Tx && self.numbered().is_some())
    }

    /// The fault of a file that lacks `missing` fields and has `found` ones: says how to name them.
    pub(crate) fn missing(&self, line: u64, missing: &[Field], found: &[&str]) -> Fault {
        let names: Vec<_> = missing.iter().map(|field| quoted(self.column(*field))).collect();
        let shown: Vec<_> = found.iter().take(FOUND_SHOWN_MAX).map(|name| quoted(name)).collect();
        let more = if found.len() > FOUND_SHOWN_MAX { ", …" } else { "" };
        let noun = if names.len() == 1 { "there is no column" } else { "there are no columns" };
        let what = format!("{noun} {} (found: {}{more})", names.join(", "), shown.join(", "));
        let advice: Vec<_> = missing.iter().map(|field| advice(*field, found)).collect();
        Fault::line(line, what, format!("try {}", advice.join(" ")))
    }
}

/// What makes each row its own transaction.
const ROW: &str = "#row";
/// How many of the file's columns a message lists.
const FOUND_SHOWN_MAX: usize = 20;

fn pair<'a>(mapping: &'a str, example: &str) -> Result<(Field, &'a str), Fault> {
    let Some((field, value)) = mapping.split_once('=').filter(|(_, value)| !value.trim().is_empty()) else {
        return Err(Fault::whole(
            format!("{} is not FIELD=VALUE", quoted(mapping)),
            format!("write it like {example}"),
        ));
    };
    Ok((Field::parse(field)?, value.trim()))
}

fn advice(field: Field, found: &[&str]) -> String {
    let name = field.name();
    let alike = field.hints().iter().find_map(|hint| found.iter().find(|column| column.eq_ignore_ascii_case(hint)));
    match (alike, field) {
        (Some(column), _) => format!("--column {name}={column}"),
        (None, Field::Asset) => "--set asset=BTC".to_owned(),
        (None, Field::Time) => "--set time=2016-08-02".to_owned(),
        (None, Field::Tx) => "--column tx=#row".to_owned(),
        (None, _) => format!("--column {name}=NAME"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_are_checked() {
        let mut options = TableOptions::default();
        options.set_column("tx=txid").unwrap();
        options.set_default("asset = BTC").unwrap();
        assert_eq!((options.column(Field::Tx), options.column(Field::To)), ("txid", "to"));
        assert_eq!(options.default_of(Field::Asset), Some("BTC"));
        assert_eq!(options.numbered(), None);
        options.set_column("tx=#row").unwrap();
        assert_eq!(options.numbered(), Some("row"));
        options.set_column("tx=#row:ronin").unwrap();
        assert_eq!(options.numbered(), Some("ronin"));
        for bad in ["", "tx", "tx=", "txid=tx", "amount=#row"] {
            assert!(options.set_column(bad).is_err(), "{bad:?}");
        }
    }
}
