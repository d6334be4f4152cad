//! [`Standing`]: how a table stands to what the book holds of a ledger already.
//!
//! A transaction of the table that the ledger has may be this source's own, from a run that was cut short, or another
//! source's, which is an error; which of the two is known only when the whole table has been read and hashed.

use book::{AccountLedger, Book, BookError, BookLedger, Source};
use decode::Fault;
use decode::fault::quoted;
use decode::table::Row;
use ledger::{Kind, Ledger, LedgerId, Time};

use crate::error::FeedError;

/// How many stretches of known transactions are told apart. A source that was cut short makes one, and one more for
/// each other source that came between.
const STRETCHES_MAX: usize = 1 << 16;

/// What the book holds of a ledger, and what of the table is in it.
pub(crate) struct Standing {
    ledger: Option<AccountLedger>,
    last_time: Option<Time>,
    known: Vec<Stretch>,
}

/// Transactions of the table that the ledger has under consecutive numbers.
struct Stretch {
    from: u64,
    until: u64,
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
        Ok(Self { last_time: last.map(|stamp| stamp.time), ledger, known: Vec::new() })
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
        let same = |hex: &str| {
            hex.len() == 2 * digest.len()
                && digest
                    .iter()
                    .zip(hex.as_bytes().chunks(2))
                    .all(|(byte, pair)| format!("{byte:02x}").as_bytes() == pair)
        };
        self.ledger.as_ref()?.sources().iter().find(|source| same(&source.digest))
    }

    /// Takes note of a transaction's first row.
    pub fn meet(&mut self, row: &Row) -> Result<(), Fault> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        if let Some(seq) = ledger.find_transaction(&row.tx) {
            if let Some(stretch) = self.known.last_mut().filter(|stretch| stretch.until == seq.0) {
                stretch.until += 1;
            } else if self.known.len() == STRETCHES_MAX {
                return Err(duplicate(row.line, &row.tx, &row.ledger));
            } else {
                self.known.push(Stretch { from: seq.0, until: seq.0 + 1, line: row.line, tx: row.tx.clone() });
            }
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

    /// The first transaction of the table that the ledger has from elsewhere.
    pub fn foreign(&self, digest: &[u8; 32], id: &LedgerId) -> Option<Fault> {
        let taken = self.source(digest).map_or([].as_slice(), |source| &source.taken);
        let own =
            |stretch: &Stretch| taken.iter().any(|[from, until]| *from <= stretch.from && stretch.until <= *until);
        let stretch = self.known.iter().find(|stretch| !own(stretch))?;
        Some(duplicate(stretch.line, &stretch.tx, id))
    }
}

fn duplicate(line: u64, tx: &str, ledger: &LedgerId) -> Fault {
    let what = format!("transaction {} is already in ledger {ledger}, from another source", quoted(tx));
    Fault::line(line, what, "leave out what both sources have, or use a ledger of its own").field("tx")
}
