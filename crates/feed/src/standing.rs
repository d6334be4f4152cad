//! [`Standing`]: how a table stands to what the book holds of a ledger already.
//!
//! A transaction of the table that the ledger has may be this source's own, from a run that was cut short, or another
//! source's, which is an error; which of the two is known only when the whole table has been read and hashed.

use std::collections::BTreeMap;

use book::{AccountLedger, Book, BookError, BookLedger, Source};
use decode::Fault;
use decode::fault::quoted;
use decode::table::Row;
use ledger::{Kind, Ledger, LedgerId, Time};

use crate::error::FeedError;

/// What the book holds of a ledger, and what of the table is in it.
pub(crate) struct Standing {
    ledger: Option<AccountLedger>,
    last_time: Option<Time>,
    /// Which transactions came from which source: from, until, the source's number; ascending.
    taken: Vec<(u64, u64, usize)>,
    /// By source, the first transaction of the table that the ledger has from it. Nothing is those without a source.
    known: BTreeMap<Option<usize>, Known>,
}

/// A transaction of the table that the ledger has.
struct Known {
    line: u64,
    tx: String,
}

impl Standing {
    pub fn of(book: &Book, id: &LedgerId, file: &str) -> Result<Self, FeedError> {
        let ledger = match book.ledger(id) {
            Ok(BookLedger::Account(ledger)) => Some(ledger),
            Ok(BookLedger::Utxo(_)) => {
                return Err(FeedError::book(file)(BookError::WrongKind { ledger: id.clone(), is: Kind::Utxo }));
            }
            Err(BookError::NoLedger(_)) => None,
            Err(error) => return Err(FeedError::book(file)(error)),
        };
        let last = ledger.as_ref().and_then(|ledger| Some(ledger.stamp(ledger::Seq(ledger.end().0.checked_sub(1)?))));
        let sources = ledger.as_ref().map_or([].as_slice(), AccountLedger::sources);
        let mut taken: Vec<_> = (0..)
            .zip(sources)
            .flat_map(|(at, source)| source.taken.iter().map(move |[from, until]| (*from, *until, at)))
            .collect();
        taken.sort_unstable();
        Ok(Self { last_time: last.map(|stamp| stamp.time), ledger, taken, known: BTreeMap::new() })
    }

    /// The scale of an asset that the ledger has.
    pub fn scale(&self, symbol: &str) -> Option<u8> {
        let ledger = self.ledger.as_ref()?;
        ledger.find_asset(symbol).map(|asset| ledger.asset(asset).scale)
    }

    /// How many transactions the ledger has.
    pub fn end(&self) -> u64 {
        self.ledger.as_ref().map_or(0, |ledger| ledger.end().0)
    }

    /// What is known of the source with this digest.
    pub fn source(&self, digest: &[u8; 32]) -> Option<&Source> {
        self.ledger.as_ref()?.sources().get(self.number_of(digest)?)
    }

    fn number_of(&self, digest: &[u8; 32]) -> Option<usize> {
        let same = |hex: &str| {
            hex.len() == 2 * digest.len()
                && digest
                    .iter()
                    .zip(hex.as_bytes().chunks(2))
                    .all(|(byte, pair)| format!("{byte:02x}").as_bytes() == pair)
        };
        self.ledger.as_ref()?.sources().iter().position(|source| same(&source.digest))
    }

    /// Takes note of a transaction's first row.
    pub fn meet(&mut self, row: &Row) -> Result<(), Fault> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        if let Some(seq) = ledger.find_transaction(&row.tx) {
            let source = self.source_of(seq.0);
            self.known.entry(source).or_insert_with(|| Known { line: row.line, tx: row.tx.clone() });
            return Ok(());
        }
        match self.last_time {
            Some(last) if row.time < last => {
                let what = format!(
                    "time runs backwards: transaction {} is of {}, the last one in ledger {} of {last}",
                    quoted(&row.tx),
                    row.time,
                    row.ledger
                );
                let help = "ingest sources oldest first, or into a ledger of their own";
                Err(Fault::line(row.line, what, help).field("time"))
            }
            _ => Ok(()),
        }
    }

    /// The number of the source that a transaction came from.
    fn source_of(&self, seq: u64) -> Option<usize> {
        let next = self.taken.partition_point(|(from, ..)| *from <= seq);
        let (_, until, source) = *self.taken.get(next.checked_sub(1)?)?;
        (seq < until).then_some(source)
    }

    /// The first transaction of the table that the ledger has from elsewhere.
    pub fn foreign(&self, digest: &[u8; 32], id: &LedgerId) -> Option<Fault> {
        let own = self.number_of(digest);
        let foreign = self.known.iter().filter(|(source, _)| source.is_none() || **source != own);
        let first = foreign.map(|(_, known)| known).min_by_key(|known| known.line)?;
        Some(duplicate(first.line, &first.tx, id))
    }
}

fn duplicate(line: u64, tx: &str, ledger: &LedgerId) -> Fault {
    let what = format!("transaction {} is already in ledger {ledger}, from another source", quoted(tx));
    Fault::line(line, what, "leave out what both sources have, or use a ledger of its own").field("tx")
}
