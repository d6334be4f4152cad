//! Brings up what is kept of a chain before it is asked: progress on standard error, and a word about what was odd.

use book::{Book, BookError};
use ledger::LedgerId;
use upkeep::{Report, UpkeepError};

use crate::commands::say;
use crate::exit::Failure;
use crate::interrupt::Heed;
use crate::progress::Stages;

/// Brings up what is kept of a chain. Where another process is at it, what is kept is used as it is.
pub fn bring_up(book: &Book, id: &LedgerId) -> Result<(), Failure> {
    match with_progress(book, id)? {
        Ok(report) => {
            for why in &report.rebuilt {
                say(format!("warning: {id}: clusters and exposure were made anew: {why}"));
            }
            Ok(())
        }
        Err(UpkeepError::Book(BookError::LockedAnnex { .. })) => {
            say(format!("warning: {id}: another process brings up clusters and exposure; what is kept is used"));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Brings up what is kept of a chain, with progress on standard error, until it is done or until the user wants no more.
pub fn with_progress(book: &Book, id: &LedgerId) -> Result<Result<Report, UpkeepError>, Failure> {
    let heed = Heed::begin();
    let mut bar = Stages::new(id.to_string());
    let report = upkeep::bring_up(book, id, &mut |step| {
        bar.step(step);
        heed.goes_on()
    });
    bar.clear();
    if report.is_ok() && !heed.goes_on() {
        return Err(Failure::interrupted(
            "interrupted; what is done of clusters and exposure is kept, and the next update goes on",
        ));
    }
    Ok(report)
}
