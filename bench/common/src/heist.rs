//! [`Heist`]: an exercise in a book, ready to be traced. Made once and kept, since making takes longer than tracing.

use std::fs;
use std::path::{Path, PathBuf};

use book::{Book, BookLedger, UtxoLedger};
use exercise::{CHAIN_FILE, MANIFEST_FILE, Plan, Summary};
use incident::Incident;
use ledger::LedgerId;
use money::Asset;
use trace::{LabelId, Seed};

use crate::{Result, folder};

const BOOK: &str = "book";
const INCIDENT_FILE: &str = "incident-harbour-heist.yaml";
/// Written last: a folder without it is of a run that was stopped.
const READY_FILE: &str = "ready";

/// A theft on a UTXO ledger.
pub struct Heist {
    /// The exercise's files, and the book among them.
    pub folder: PathBuf,
    /// What the exercise counted.
    pub summary: Summary,
    book: Book,
    id: LedgerId,
}

impl Heist {
    /// The plan's heist in a folder of that name, made unless it is there.
    pub fn prepare(name: &str, plan: &Plan) -> Result<Self> {
        let home = folder::named(name);
        if !(home.join(READY_FILE).exists() && summary_in(&home).is_ok_and(|summary| summary.plan == *plan)) {
            let home = folder::empty(name)?;
            eprintln!("{name}: making the exercise");
            let summary = exercise::write(plan, &home)?;
            eprintln!("{name}: filling the book");
            let book = Book::create(home.join(BOOK))?;
            let id = chain_of(&summary)?;
            feed::ingest_utxo_blocks(&book, &home.join(CHAIN_FILE), &id, &coin(), &std::env::temp_dir(), &mut ())?;
            fs::write(home.join(READY_FILE), "")?;
        }
        let summary = summary_in(&home)?;
        let book = Book::open(home.join(BOOK))?;
        let id = chain_of(&summary)?;
        Ok(Self { folder: home, summary, book, id })
    }

    /// The ledger, open.
    pub fn ledger(&self) -> Result<UtxoLedger> {
        match self.book.ledger(&self.id)? {
            BookLedger::Utxo(ledger) => Ok(ledger),
            BookLedger::Account(_) => Err("the exercise's chain is a UTXO ledger".into()),
        }
    }

    /// Where the trace starts: all stolen outputs under one label.
    pub fn seeds(&self, ledger: &UtxoLedger) -> Result<Vec<Seed>> {
        let incident = Incident::parse(fs::read(self.folder.join(INCIDENT_FILE))?)?;
        let loss = incident.losses.iter().find(|loss| loss.ledger.value == self.id);
        let loss = loss.ok_or("the incident has a loss on the chain")?;
        let resolved = incident::resolve(loss, ledger)?;
        let seed = |start: &incident::Start| {
            let incident::Start { seq, leg, purse, amount } = *start;
            Seed { seq, leg, purse, label: LabelId(0), amount }
        };
        Ok(resolved.starts.iter().map(seed).collect())
    }
}

/// The exercise's coin.
pub fn coin() -> Asset {
    Asset { symbol: "BTC".into(), scale: 8 }
}

/// The id of the exercise's chain.
pub fn chain_of(summary: &Summary) -> Result<LedgerId> {
    let chain = summary.ledgers.iter().find(|ledger| ledger.file == CHAIN_FILE);
    Ok(LedgerId::parse(&chain.ok_or("every exercise has a chain")?.ledger)?)
}

/// What the exercise in a folder counted when it was made.
pub fn summary_in(folder: &Path) -> Result<Summary> {
    Ok(serde_json::from_slice(&fs::read(folder.join(MANIFEST_FILE))?)?)
}
