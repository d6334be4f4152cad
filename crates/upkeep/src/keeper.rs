//! [`Keeper`]: brings up what is kept of a ledger, again and again, without reading all of it each time.
//!
//! What an update holds in memory fits the commit that it ends with. A keeper holds on to it, but not to the annex, so that
//! others may write meanwhile; whether somebody has, the commit's mark says, and then everything is read anew. How an update
//! works is [`crate::bring_up()`]'s.

use book::{Book, BookError, BookLedger, CommitMark};
use cluster::HOLDERS_MAX;
use ledger::{Coins as _, LedgerId};

use crate::bring_up::{Held, Pace, Progress, Work};
use crate::spec::SPEC;
use crate::{Report, UpkeepError};

/// Brings up what is kept of a ledger, from nothing where nothing is kept. `progress` is told each step, and ends the update
/// with `false`; what is done by then is kept. What is damaged is made anew.
pub fn bring_up(book: &Book, ledger: &LedgerId, progress: &mut Progress<'_>) -> Result<Report, UpkeepError> {
    bring_up_at(book, ledger, Pace::default(), progress)
}

/// The same at a pace of the caller's.
pub fn bring_up_at(
    book: &Book,
    ledger: &LedgerId,
    pace: Pace,
    progress: &mut Progress<'_>,
) -> Result<Report, UpkeepError> {
    Keeper::new(ledger.clone()).at(pace).bring_up(book, progress)
}

/// Who brings up what is kept of one ledger time after time, as a follower of a node does with each block. Between two
/// updates it keeps clusters and exposure in memory.
pub struct Keeper {
    ledger: LedgerId,
    pace: Pace,
    /// What the last update held, and the commit that it fits.
    memory: Option<(Held, CommitMark)>,
}

impl Keeper {
    /// A keeper that has nothing in memory yet.
    pub fn new(ledger: LedgerId) -> Self {
        Self { ledger, pace: Pace::default(), memory: None }
    }

    /// The same at a pace of the caller's.
    #[must_use]
    pub fn at(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// The ledger.
    pub const fn ledger(&self) -> &LedgerId {
        &self.ledger
    }

    /// Does what the function [`bring_up`] does.
    pub fn bring_up(&mut self, book: &Book, progress: &mut Progress<'_>) -> Result<Report, UpkeepError> {
        match self.attempt(book, progress, Vec::new()) {
            Err(UpkeepError::Book(error @ BookError::DamagedAnnex { .. })) => {
                book.remove_annex(&self.ledger, &SPEC)?;
                self.attempt(book, progress, vec![error.to_string()])
            }
            Err(UpkeepError::Outdated(why)) => {
                book.remove_annex(&self.ledger, &SPEC)?;
                self.attempt(book, progress, why)
            }
            result => result,
        }
    }

    fn attempt(
        &mut self,
        book: &Book,
        progress: &mut Progress<'_>,
        rebuilt: Vec<String>,
    ) -> Result<Report, UpkeepError> {
        let ledger = &self.ledger;
        let coins = match book.ledger(ledger)? {
            BookLedger::Utxo(coins) => coins,
            BookLedger::Account(_) => return Err(UpkeepError::Accounts(ledger.clone())),
        };
        if coins.holders() > HOLDERS_MAX || coins.transactions() > HOLDERS_MAX {
            let text =
                format!("ledger {ledger} has more holders or transactions than clusters can number ({HOLDERS_MAX})");
            return Err(UpkeepError::TooMany(text));
        }
        let writer = book.annex_writer(ledger, &SPEC)?;
        let mark = writer.mark()?;
        // Taken out, so that an update that fails leaves nothing half done here.
        let memory = self.memory.take().filter(|(_, fits)| *fits == mark);
        let mut work = Work::new(book, &coins, writer, self.pace, progress)?;
        work.report.rebuilt = rebuilt;
        if work.is_current() {
            self.memory = memory;
            return Ok(work.report);
        }
        let mut held = match memory {
            Some((held, _)) => held,
            None => work.load()?,
        };
        work.run(&mut held)?;
        self.memory = Some((held, work.writer.mark()?));
        Ok(work.report)
    }
}
