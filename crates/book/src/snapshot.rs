//! [`Snapshot`]: the reader's side of a ledger's folder: one commit, mapped.
//!
//! Readers and the writer never wait for each other; only whoever cuts the ledger short needs readers to be gone. If that
//! one was killed, readers have what it left cleared away first: it may have set words back that are committed.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use ledger::{Kind, LedgerId};

use crate::account::Spelling;
use crate::chain::Heads;
use crate::column::{Column, Rows as _, Spec};
use crate::lookup::{Lookup, open_runs};
use crate::manifest::{Manifest, Source};
use crate::store::READERS_LOCK;
use crate::{BookError, disk, journal};

/// How often a reader looks again when a writer replaces runs under its eyes.
const TRIES_MAX: usize = 50;
/// How often it looks for the journal of an undo to go, and how long apart: ten seconds, for a writer to put back what a
/// killed one left.
const UNDONE_TRIES_MAX: usize = 1_000;
const UNDONE_PAUSE: Duration = Duration::from_millis(10);

/// One commit of a ledger.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) columns: Vec<Column>,
    /// The look-ups, in the order asked for.
    pub(crate) lookups: Vec<Lookup>,
    pub(crate) sources: Vec<Source>,
    pub(crate) spelling: Option<Spelling>,
    pub(crate) heads: Heads,
    _lock: File,
}

/// A look-up: its name, and the column whose rows are its entries.
pub(crate) type LookupSpec = (&'static str, usize);

/// What kind of ledger a folder holds.
pub(crate) fn kind(folder: &Path, ledger: &LedgerId) -> Result<Kind, BookError> {
    let manifest = Manifest::read(folder, ledger)?;
    manifest.map(|manifest| manifest.kind.into()).ok_or_else(|| BookError::NoLedger(ledger.clone()))
}

impl Snapshot {
    /// Opens the last commit. `repair` is called when a run is missing though nobody writes; it makes it anew. So it is
    /// when an undo was killed: the words that it changed are not the commit's.
    pub(crate) fn open(
        folder: &Path,
        ledger: &LedgerId,
        specs: &[Spec],
        lookups: &[LookupSpec],
        repair: impl Fn() -> Result<(), BookError>,
    ) -> Result<Self, BookError> {
        let path = folder.join(READERS_LOCK);
        let lock = File::open(&path).map_err(BookError::io("open", &path))?;
        if !disk::lock(&path, || lock.try_lock_shared())? {
            return Err(BookError::Undoing(ledger.clone()));
        }
        wait_for_undone(folder, ledger, &repair)?;
        for _ in 0..TRIES_MAX {
            let Some(manifest) = Manifest::read(folder, ledger)? else {
                return Err(BookError::NoLedger(ledger.clone()));
            };
            let rows = manifest.rows(folder, specs)?;
            let runs: Option<Vec<_>> =
                lookups.iter().map(|(name, column)| open_runs(folder, name, rows[*column])).collect();
            let Some(runs) = runs else {
                // A later commit has replaced the runs, or they are lost; a writer that is at work will make them.
                if Manifest::read(folder, ledger)?.as_ref() == Some(&manifest) {
                    match repair() {
                        // Whoever asks for the writer's lock has waited for it.
                        Ok(()) | Err(BookError::Locked(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
                continue;
            };
            let columns: Result<Vec<_>, _> =
                specs.iter().zip(rows).map(|(spec, rows)| Column::open(folder, *spec, rows)).collect();
            let columns = columns?;
            let entries = lookups.iter().map(|(_, column)| columns[*column].rows());
            let lookups = runs.into_iter().zip(entries).map(|(runs, entries)| Lookup::new(runs, entries)).collect();
            let heads = manifest.heads.unwrap_or_default();
            return Ok(Self {
                columns,
                lookups,
                sources: manifest.sources,
                spelling: manifest.names,
                heads,
                _lock: lock,
            });
        }
        Err(BookError::Locked(ledger.clone()))
    }
}

/// Has put back what an undo that was killed took away. None can begin while this reader holds its lock.
fn wait_for_undone(
    folder: &Path,
    ledger: &LedgerId,
    repair: &impl Fn() -> Result<(), BookError>,
) -> Result<(), BookError> {
    for _ in 0..UNDONE_TRIES_MAX {
        let Some(base) = journal::undone(folder)? else { return Ok(()) };
        if Manifest::read(folder, ledger)?.is_none_or(|manifest| manifest.base() != base) {
            return Ok(());
        }
        match repair() {
            Ok(()) => {}
            Err(BookError::Locked(_)) => std::thread::sleep(UNDONE_PAUSE),
            Err(error) => return Err(error),
        }
    }
    Err(BookError::Locked(ledger.clone()))
}
