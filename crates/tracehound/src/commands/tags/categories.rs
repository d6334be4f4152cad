//! `tracehound tags categories`: what the words of tags mean, and a table of the user's own over it.

use std::path::Path;

use know::{EXPOSURE_CATEGORIES, Rules, StopKind};

use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::history::replace;
use crate::home::{CATEGORIES_FILE, Home};
use crate::output::text::plural;
use crate::tagstore::{Entry, TagStore};
use crate::tracing::case::read_small;

/// The largest table that is read.
const CATEGORIES_BYTES_MAX: u64 = 16 << 20;

pub fn run(home: &Home, file: Option<&Path>, reset: bool) -> Result<Exit, Failure> {
    match file {
        Some(file) => take(home, file),
        None if reset => forget(home),
        None => print(home),
    }
}

/// Checks a table in full, then keeps it in the book.
fn take(home: &Home, file: &Path) -> Result<Exit, Failure> {
    let name = file.display().to_string();
    let bytes = read_small(file, CATEGORIES_BYTES_MAX, "a table of categories")?;
    let rules = Rules::default().overridden_by(&bytes).map_err(|fault| Failure::bad_input(fault.in_file(&name)))?;
    let builtin = Rules::default();
    let own = rules.categories().filter(|(word, rule)| builtin.category(word) != Some(rule)).count();
    let book = home.create()?;
    let mut store = TagStore::open(&book)?;
    let hash = replace(book.folder(), CATEGORIES_FILE, |out| out.write_all(&bytes))?;
    store.note(Entry { did: "categories", pack_hash: Some(hash.to_string()), ..Entry::default() })?;
    say(format!("{} of the book's own; the built-in table counts for the rest", plural(own, "word")));
    Ok(Exit::Done)
}

/// Back to the built-in table.
fn forget(home: &Home) -> Result<Exit, Failure> {
    let book = home.open()?;
    let mut store = TagStore::open(&book)?;
    let path = book.folder().join(CATEGORIES_FILE);
    match std::fs::remove_file(&path) {
        Ok(()) => store.note(Entry { did: "categories", ..Entry::default() })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::internal(format!("{}: {error}", path.display()))),
    }
    say("the built-in table counts");
    Ok(Exit::Done)
}

/// The table that counts, in the form in which it may be given.
fn print(home: &Home) -> Result<Exit, Failure> {
    let stops = super::rules_of(home)?;
    let mut out = csv::Writer::from_writer(stdout());
    let failed = |error: csv::Error| Failure::from(std::io::Error::from(error));
    out.write_record(["word", "stop", "risk", "exposure", "dwva"]).map_err(failed)?;
    for (word, rule) in stops.rules().categories() {
        let exposure = rule.exposure.map_or("", |at| EXPOSURE_CATEGORIES[usize::from(at)]);
        let (risk, dwva) = (rule.risk.as_deref().unwrap_or_default(), rule.dwva.as_deref().unwrap_or_default());
        out.write_record([word, rule.stop.map_or("", StopKind::as_str), risk, exposure, dwva]).map_err(failed)?;
    }
    out.flush()?;
    Ok(Exit::Done)
}
