//! [`ingest_table`]: a ledger table into the book, all of it or nothing.
//!
//! The table is read twice. The first reading ([`crate::survey`]) checks every row and touches nothing, so that bad
//! input leaves no trace. The second pushes transactions: row by row where they come in order, by way of two external
//! sorts ([`crate::order`]) where they do not. What only the book can find (a purse past its limit) takes back whatever
//! this run has committed. A killed run is resumed by running it again; a finished one is recognised.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use book::{AccountWriter, Book, BookError};
use decode::table::{Row, TableOptions, TableReader};
use ledger::{AccountTransaction, LedgerId};
use money::{Amount, Asset};
use sha2::Digest;

use crate::error::FeedError;
use crate::input::Input;
use crate::order::{Assembler, Gatherer, Ready};
use crate::progress::{Phase, Progress, Step};
use crate::spill::RUN_BYTES_MAX;
use crate::standing::Standing;
use crate::survey::{STEP_ROWS, Survey, survey};

/// How a table is to be taken in.
#[derive(Clone, Debug)]
pub struct TableIngest {
    /// How its rows are read.
    pub options: TableOptions,
    /// Scales that the user states, by asset.
    pub scales: BTreeMap<String, u8>,
    /// The folder for temporary files: what comes by a pipe, and rows out of order.
    pub spool: PathBuf,
    /// How many bytes of rows are sorted in memory at once.
    pub run_bytes_max: usize,
}

impl TableIngest {
    /// With these options, no stated scales, and the system's folder for temporary files.
    pub fn new(options: TableOptions) -> Self {
        Self { options, scales: BTreeMap::new(), spool: std::env::temp_dir(), run_bytes_max: RUN_BYTES_MAX }
    }
}

/// What an ingest did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many rows the table has.
    pub rows: u64,
    /// Whether they came in the order of transactions; if not, they were sorted.
    pub was_in_order: bool,
    /// What became of each ledger that the table names, by name.
    pub ledgers: Vec<LedgerReport>,
    /// What a user should know and need not act on.
    pub notes: Vec<String>,
}

/// What became of one ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerReport {
    /// The ledger.
    pub ledger: LedgerId,
    /// How many transactions this run has added.
    pub added: u64,
    /// How many transactions of this table were there already.
    pub already_there: u64,
}

impl Report {
    /// Whether the book held all of it before.
    pub fn was_already_there(&self) -> bool {
        self.ledgers.iter().all(|ledger| ledger.added == 0)
    }
}

/// Takes a table into the book. `path` may be `-` for standard input.
pub fn ingest_table(
    book: &Book,
    path: &Path,
    ingest: &TableIngest,
    progress: &mut dyn Progress,
) -> Result<Report, FeedError> {
    let input = Input::open(path, &ingest.spool, progress)?;
    let survey = survey(&input, ingest, &mut |id| Standing::of(book, id, &input.name), progress)?;
    for (id, ledger) in &survey.ledgers {
        if let Some(fault) = ledger.standing.foreign(&survey.digest, id) {
            return Err(FeedError::fault(&input.name, fault));
        }
    }
    let mut filling = Filling::new(book, &input.name, survey)?;
    let filled = if filling.in_order {
        filling.fill_in_order(&input, ingest, progress)
    } else {
        filling.fill_sorted(&input, ingest, progress)
    };
    match filled.and_then(|()| filling.finish()) {
        Ok(()) => Ok(filling.report()),
        Err(error) => Err(filling.take_back(book, error)),
    }
}

/// One ledger that is being filled.
struct Writing {
    id: LedgerId,
    scales: HashMap<String, u8>,
    /// Nothing where the ledger has all of this source.
    writer: Option<AccountWriter>,
    assembler: Assembler,
    /// How many transactions of the source are to be skipped, as an earlier run has committed them.
    skip: u64,
    /// How many transactions the ledger had before this run.
    before: u64,
    report: LedgerReport,
}

struct Filling {
    file: String,
    digest: [u8; 32],
    rows: u64,
    in_order: bool,
    line_without_end: Option<u64>,
    writings: Vec<Writing>,
    numbers: HashMap<LedgerId, usize>,
}

impl Filling {
    /// Opens the ledgers for writing. The survey's readers are closed by then, so that a take-back finds nobody reading.
    fn new(book: &Book, file: &str, survey: Survey) -> Result<Self, FeedError> {
        let Survey { digest, rows, ledgers, in_order, line_without_end } = survey;
        let mut writings = Vec::new();
        let mut plans = Vec::new();
        for (id, ledger) in ledgers {
            let is_done = ledger.standing.source(&digest).is_some_and(|source| source.done);
            let taken = ledger.standing.source(&digest).map_or(0, book::Source::transactions);
            plans.push((id, ledger.assets, is_done, taken, ledger.standing.end()));
        }
        for (id, assets, is_done, taken, end) in plans {
            let scales = assets.iter().map(|(symbol, asset)| (symbol.clone(), asset.scale)).collect();
            let report = LedgerReport { ledger: id.clone(), added: 0, already_there: taken };
            let mut writing =
                Writing { id, scales, writer: None, assembler: Assembler::default(), skip: taken, before: end, report };
            if is_done {
                // A writer that was killed just after its commit may have left its journal; to open the ledger clears it away. If
                // somebody else is writing, that is done already.
                let _ = book.account_writer(&writing.id);
            } else {
                writing.open(book, file, &digest, end)?;
            }
            writings.push(writing);
        }
        let numbers = (0..).zip(&writings).map(|(at, writing)| (writing.id.clone(), at)).collect();
        Ok(Self { file: file.to_owned(), digest, rows, in_order, line_without_end, writings, numbers })
    }

    fn is_needed(&self) -> bool {
        self.writings.iter().any(|writing| writing.writer.is_some())
    }

    /// A row of the second reading, or nothing where its ledger has all of this source.
    fn ready(&self, row: Row) -> Result<Option<Ready>, FeedError> {
        let number = *self.numbers.get(&row.ledger).ok_or_else(|| self.changed())?;
        let writing = &self.writings[number];
        if writing.writer.is_none() {
            return Ok(None);
        }
        let scale = *writing.scales.get(&row.asset).ok_or_else(|| self.changed())?;
        let amount = row.amount.to_amount(scale).map_err(|_| self.changed())?;
        let fee = row.fee.map_or(Ok(Amount::ZERO), |fee| fee.to_amount(scale)).map_err(|_| self.changed())?;
        let number = u32::try_from(number).expect("a table names at most 256 ledgers");
        Ok(Some(Ready::new(row, number, amount, fee)))
    }

    fn changed(&self) -> FeedError {
        let what = "it changed while it was being read; nothing was kept, run it again".to_owned();
        FeedError::Source { file: self.file.clone(), what }
    }

    /// Reads the table for the second time.
    fn read_again(
        &mut self,
        input: &Input,
        ingest: &TableIngest,
        phase: Phase,
        progress: &mut dyn Progress,
        mut take: impl FnMut(&mut Self, Ready) -> Result<(), FeedError>,
    ) -> Result<(), FeedError> {
        let reading = input.read()?;
        let done = reading.bytes_done();
        let mut reader = TableReader::new(reading, ingest.options.clone());
        while let Some(row) = reader.next() {
            let row = row.map_err(|error| FeedError::decode(&self.file, error))?;
            if let Some(ready) = self.ready(row)? {
                take(self, ready)?;
            }
            if reader.rows().is_multiple_of(STEP_ROWS) {
                progress.step(Step { phase, done: done.get(), total: Some(input.bytes), items: reader.rows() });
            }
        }
        let mut hash = reader.into_inner().into_hash();
        hash.update(ingest.options.identity());
        if <[u8; 32]>::from(hash.finalize()) == self.digest { Ok(()) } else { Err(self.changed()) }
    }

    fn fill_in_order(
        &mut self,
        input: &Input,
        ingest: &TableIngest,
        progress: &mut dyn Progress,
    ) -> Result<(), FeedError> {
        if !self.is_needed() {
            return Ok(());
        }
        self.read_again(input, ingest, Phase::Filling, progress, Self::push)
    }

    fn fill_sorted(
        &mut self,
        input: &Input,
        ingest: &TableIngest,
        progress: &mut dyn Progress,
    ) -> Result<(), FeedError> {
        if !self.is_needed() {
            return Ok(());
        }
        let mut gatherer = Gatherer::new(&ingest.spool, ingest.run_bytes_max);
        self.read_again(input, ingest, Phase::Ordering, progress, |_, row| gatherer.push(&row))?;
        let mut ordered = gatherer.finish(&self.file, &ingest.spool, ingest.run_bytes_max)?;
        let mut done = 0u64;
        while let Some(row) = ordered.next_row()? {
            self.push(row)?;
            done += 1;
            if done.is_multiple_of(STEP_ROWS) {
                progress.step(Step { phase: Phase::Filling, done, total: Some(self.rows), items: done });
            }
        }
        Ok(())
    }

    fn push(&mut self, row: Ready) -> Result<(), FeedError> {
        let writing = &mut self.writings[row.ledger as usize];
        let complete = writing.assembler.take(row);
        complete.map_or(Ok(()), |(line, transaction)| writing.push(line, &transaction, &self.file))
    }

    /// The last transactions, and the last commits.
    fn finish(&mut self) -> Result<(), FeedError> {
        for writing in &mut self.writings {
            if let Some((line, transaction)) = std::mem::take(&mut writing.assembler).finish() {
                writing.push(line, &transaction, &self.file)?;
            }
        }
        for writing in &mut self.writings {
            if let Some(writer) = &mut writing.writer {
                writer.finish_source();
                writer.commit().map_err(FeedError::book(&self.file))?;
            }
        }
        Ok(())
    }

    fn report(self) -> Report {
        let ledgers = self.writings.into_iter().map(|writing| writing.report).collect();
        let cut = |line| {
            format!(
                "line {line}, the last one, has no line end: if the file was cut off there, its last field is short"
            )
        };
        Report {
            rows: self.rows,
            was_in_order: self.in_order,
            ledgers,
            notes: self.line_without_end.map(cut).into_iter().collect(),
        }
    }

    /// After an error that the input is to blame for, the ledgers are as they were before this run. What the machine is
    /// to blame for (a full disk) leaves what was committed, to be resumed.
    fn take_back(self, book: &Book, error: FeedError) -> FeedError {
        if error.kind() == crate::Kind::System {
            return error;
        }
        for writing in self.writings {
            let Some(writer) = writing.writer else { continue };
            let committed = writer.committed().0;
            drop(writer);
            let taken_back = committed.checked_sub(writing.before).filter(|count| *count > 0).map(|count| {
                let mut writer = book.account_writer(&writing.id)?;
                writer.undo(count)
            });
            if let Some(Err(failed)) = taken_back {
                return FeedError::book(&self.file)(failed);
            }
        }
        error
    }
}

impl Writing {
    fn open(&mut self, book: &Book, file: &str, digest: &[u8; 32], end: u64) -> Result<(), FeedError> {
        let failed = FeedError::book(file);
        let mut writer = book.account_writer(&self.id).map_err(&failed)?;
        if writer.committed().0 != end {
            // Another process wrote between our first reading and now, so what was checked may not hold any more.
            return Err(failed(BookError::Locked(self.id.clone())));
        }
        let mut assets: Vec<_> = self.scales.iter().collect();
        assets.sort();
        for (symbol, scale) in assets {
            writer.declare_asset(&Asset { symbol: symbol.clone(), scale: *scale }).map_err(&failed)?;
        }
        writer.begin_source(*digest);
        self.writer = Some(writer);
        Ok(())
    }

    fn push(&mut self, line: u64, transaction: &AccountTransaction, file: &str) -> Result<(), FeedError> {
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(());
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer.push(transaction).map_err(|error| FeedError::refused(file, line, error))?;
        self.report.added += 1;
        if writer.is_full() {
            writer.commit().map_err(FeedError::book(file))?;
        }
        Ok(())
    }
}
