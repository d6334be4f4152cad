//! [`Survey`]: the first reading of a table. It checks every row, touches nothing, and learns what the second reading
//! must know: each asset's scale, whether rows are in order already, and who the source is.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use decode::Fault;
use decode::fault::quoted;
use decode::table::{Row, TableReader};
use ledger::{LedgerId, Time};
use money::{Amount, Decimal, SCALE_MAX};
use sha2::Digest;

use crate::error::FeedError;
use crate::input::Input;
use crate::progress::{Phase, Progress, Step};
use crate::spill::Sorter;
use crate::standing::Standing;
use crate::table::TableIngest;

/// The most rows that one transaction may have.
pub const LEGS_MAX: u64 = 1_000_000;
/// The most ledgers that one table may fill.
pub const LEDGERS_MAX: usize = 256;
/// The most assets of one ledger that one table may name; a ledger keeps as many.
pub const ASSETS_MAX: usize = 65_536;
/// How many transaction ids are compared in memory before they go through temporary files.
const FINGERPRINTS_MAX: usize = 8 << 20;
/// How often progress is told, in rows.
pub(crate) const STEP_ROWS: u64 = 1 << 14;

/// What the first reading learnt.
pub(crate) struct Survey {
    /// Identifies the source: its content, and the options that shape its rows.
    pub digest: [u8; 32],
    pub rows: u64,
    pub ledgers: BTreeMap<LedgerId, LedgerSurvey>,
    /// Whether the second reading can push rows as they come.
    pub in_order: bool,
    /// The last line, if it had no line end.
    pub line_without_end: Option<u64>,
}

/// What it learnt of one ledger.
pub(crate) struct LedgerSurvey {
    /// What the book holds of it.
    pub standing: Standing,
    pub assets: BTreeMap<String, AssetSurvey>,
    number: u64,
    current: Option<Current>,
}

/// The transaction whose rows are being read.
struct Current {
    tx: String,
    time: Time,
    line: u64,
    rows: u64,
}

impl Current {
    fn take(&mut self, row: &Row) -> Result<(), Fault> {
        self.rows += 1;
        if self.time != row.time {
            return Err(other_time(row.line, &row.tx, row.time, self.line, self.time));
        }
        if self.rows > LEGS_MAX { Err(too_many_rows(row.line, &row.tx)) } else { Ok(()) }
    }
}

/// The amounts of one asset.
pub(crate) struct AssetSurvey {
    /// The scale, which later rows may raise unless it is `fixed`.
    pub scale: u8,
    fixed: Option<Fixed>,
    /// By the scale that they are written with: the largest digits, and their line and column.
    largest: BTreeMap<u8, (Amount, u64, &'static str)>,
}

/// Why an asset's scale cannot grow.
#[derive(Clone, Copy)]
enum Fixed {
    Stated,
    InBook,
}

/// Reads and checks the whole table.
pub(crate) fn survey(
    input: &Input,
    ingest: &TableIngest,
    standing: &mut dyn FnMut(&LedgerId) -> Result<Standing, FeedError>,
    progress: &mut dyn Progress,
) -> Result<Survey, FeedError> {
    let reading = input.read()?;
    let done = reading.bytes_done();
    let mut reader = TableReader::new(reading, ingest.options.clone());
    let mut surveyor = Surveyor {
        ingest,
        file: &input.name,
        ledgers: BTreeMap::new(),
        in_order: true,
        fingerprints: Fingerprints::new(ingest),
    };
    while let Some(row) = reader.next() {
        let row = row.map_err(|error| FeedError::decode(&input.name, error))?;
        surveyor.take(&row, standing)?;
        if reader.rows().is_multiple_of(STEP_ROWS) {
            let total = Some(input.bytes);
            progress.step(Step { phase: Phase::Checking, done: done.get(), total, items: reader.rows() });
        }
    }
    let (rows, line_without_end) = (reader.rows(), reader.line_without_end());
    let Surveyor { ledgers, in_order, fingerprints, .. } = surveyor;
    let unique = fingerprints.are_unique()?;
    for survey in ledgers.values() {
        survey.check_largest(&input.name)?;
    }
    let mut hash = reader.into_inner().into_hash();
    hash.update(ingest.options.identity());
    Ok(Survey { digest: hash.finalize().into(), rows, ledgers, in_order: in_order && unique, line_without_end })
}

struct Surveyor<'a> {
    ingest: &'a TableIngest,
    file: &'a str,
    ledgers: BTreeMap<LedgerId, LedgerSurvey>,
    in_order: bool,
    fingerprints: Fingerprints,
}

impl Surveyor<'_> {
    fn take(
        &mut self,
        row: &Row,
        standing: &mut dyn FnMut(&LedgerId) -> Result<Standing, FeedError>,
    ) -> Result<(), FeedError> {
        let count = self.ledgers.len();
        let fault = |fault| FeedError::fault(self.file, fault);
        // A look-up before an entry: the entry would clone the id for every row.
        if !self.ledgers.contains_key(&row.ledger) {
            if count == LEDGERS_MAX {
                let what = format!("the table names more than {LEDGERS_MAX} ledgers");
                return Err(fault(Fault::line(row.line, what, "check the column").field("ledger")));
            }
            self.ledgers.insert(row.ledger.clone(), LedgerSurvey::new(standing(&row.ledger)?, count as u64));
        }
        let survey = self.ledgers.get_mut(&row.ledger).expect("it is there, or was made a line above");
        survey.amounts(row, self.ingest).map_err(fault)?;
        if let Some(current) = survey.current.as_mut().filter(|current| current.tx == row.tx) {
            return current.take(row).map_err(fault);
        }
        self.in_order &= survey.current.as_ref().is_none_or(|current| current.time <= row.time);
        survey.standing.meet(row).map_err(fault)?;
        self.fingerprints.push(survey.number, &row.tx)?;
        survey.current = Some(Current { tx: row.tx.clone(), time: row.time, line: row.line, rows: 1 });
        Ok(())
    }
}

impl LedgerSurvey {
    fn new(standing: Standing, number: u64) -> Self {
        Self { standing, assets: BTreeMap::new(), number, current: None }
    }

    fn amounts(&mut self, row: &Row, ingest: &TableIngest) -> Result<(), Fault> {
        let survey = if let Some(survey) = self.assets.get_mut(&row.asset) {
            survey
        } else {
            if self.assets.len() == ASSETS_MAX {
                let what = format!("the table names more than {ASSETS_MAX} assets");
                return Err(Fault::line(row.line, what, "split it by asset").field("asset"));
            }
            let fresh = AssetSurvey::new(row, &self.standing, ingest)?;
            match self.assets.entry(row.asset.clone()) {
                Entry::Vacant(vacant) => vacant.insert(fresh),
                Entry::Occupied(_) => unreachable!("it was not there a line above"),
            }
        };
        survey.take(row, row.amount, "amount")?;
        match row.fee {
            Some(fee) => survey.take(row, fee, "fee"),
            None => Ok(()),
        }
    }

    /// Whether the largest amounts fit the scale that the assets end with.
    fn check_largest(&self, file: &str) -> Result<(), FeedError> {
        for (symbol, survey) in &self.assets {
            for (scale, (digits, line, column)) in &survey.largest {
                if let Err(error) = Decimal::new(digits.units(), *scale).to_amount(survey.scale) {
                    let what = format!("{error} ({} has {} decimals in this table)", quoted(symbol), survey.scale);
                    let help = "look for an amount with too many decimals elsewhere, or state --scale";
                    return Err(FeedError::fault(file, Fault::line(*line, what, help).field(*column)));
                }
            }
        }
        Ok(())
    }
}

impl AssetSurvey {
    fn new(row: &Row, standing: &Standing, ingest: &TableIngest) -> Result<Self, Fault> {
        let stated = ingest.scales.get(&row.asset).copied();
        let in_book = standing.scale(&row.asset);
        if let (Some(stated), Some(has)) = (stated, in_book)
            && stated != has
        {
            let what = format!("{} has {has} decimals in the book, {stated} are stated", quoted(&row.asset));
            return Err(Fault::line(row.line, what, format!("state --scale {}={has}", row.asset)).field("asset"));
        }
        let fixed = in_book.map(|_| Fixed::InBook).or(stated.map(|_| Fixed::Stated));
        let scale = in_book.or(stated).or(row.ledger.native_scale(&row.asset)).unwrap_or(0);
        Ok(Self { scale, fixed, largest: BTreeMap::new() })
    }

    fn take(&mut self, row: &Row, amount: Decimal, column: &'static str) -> Result<(), Fault> {
        let mut amount = amount;
        if amount.scale() > self.scale {
            // A chain's own coin does not get more decimals from zeros at the end.
            if self.fixed.is_some() || row.ledger.native_scale(&row.asset).is_some() {
                amount = amount.trimmed();
            }
            if amount.scale() > self.scale {
                self.raise(row, amount.scale(), column)?;
            }
        }
        let digits = amount.to_amount(amount.scale()).expect("a decimal's digits are an amount");
        let largest = self.largest.entry(amount.scale()).or_insert((digits, row.line, column));
        if digits > largest.0 {
            *largest = (digits, row.line, column);
        }
        Ok(())
    }

    fn raise(&mut self, row: &Row, scale: u8, column: &'static str) -> Result<(), Fault> {
        let (asset, has) = (quoted(&row.asset), self.scale);
        let fault = |what: String, help: &str| Err(Fault::line(row.line, what, help).field(column));
        match self.fixed {
            Some(Fixed::InBook) => fault(
                format!("{scale} decimals, the book keeps {asset} with {has}"),
                "correct the amount, or ingest everything anew with a larger --scale",
            ),
            Some(Fixed::Stated) => {
                fault(format!("{scale} decimals, --scale states {has} for {asset}"), "correct the amount or the scale")
            }
            None => {
                self.scale = scale.min(SCALE_MAX);
                Ok(())
            }
        }
    }
}

pub(crate) fn other_time(line: u64, tx: &str, time: Time, first_line: u64, first_time: Time) -> Fault {
    let what = format!("transaction {} is of {time} here and of {first_time} in line {first_line}", quoted(tx));
    Fault::line(line, what, "rows of one transaction have one time; give other transactions other ids").field("time")
}

pub(crate) fn too_many_rows(line: u64, tx: &str) -> Fault {
    let what = format!("transaction {} has more than {LEGS_MAX} rows", quoted(tx));
    Fault::line(line, what, "split it into several").field("tx")
}

/// Whether any id stands in two places. Equal fingerprints of unequal ids only cost time: the rows are then sorted.
struct Fingerprints {
    hasher: BuildHasherDefault<DefaultHasher>,
    held: Vec<u64>,
    spilled: Option<Sorter>,
    spool: std::path::PathBuf,
    run_bytes_max: usize,
}

impl Fingerprints {
    fn new(ingest: &TableIngest) -> Self {
        let (spool, run_bytes_max) = (ingest.spool.clone(), ingest.run_bytes_max);
        Self { hasher: BuildHasherDefault::default(), held: Vec::new(), spilled: None, spool, run_bytes_max }
    }

    fn push(&mut self, ledger: u64, tx: &str) -> Result<(), FeedError> {
        self.held.push(self.hasher.hash_one((ledger, tx)));
        if self.held.len() == FINGERPRINTS_MAX { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), FeedError> {
        self.held.sort_unstable();
        let sorter = self.spilled.get_or_insert_with(|| Sorter::new(&self.spool, self.run_bytes_max));
        self.held.drain(..).try_for_each(|fingerprint| sorter.push(&fingerprint.to_be_bytes()))
    }

    fn are_unique(mut self) -> Result<bool, FeedError> {
        if self.spilled.is_some() {
            self.spill()?;
        }
        let Some(sorter) = self.spilled else {
            self.held.sort_unstable();
            return Ok(self.held.windows(2).all(|pair| pair[0] != pair[1]));
        };
        let mut sorted = sorter.finish()?;
        let mut last = None;
        while let Some(record) = sorted.next_record()? {
            if last.as_ref() == Some(&record) {
                return Ok(false);
            }
            last = Some(record);
        }
        Ok(true)
    }
}
