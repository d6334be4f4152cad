//! [`Snapshot`]: the reader's side of a ledger's folder: one commit, mapped.
//!
//! Readers and the writer never wait for each other; only whoever cuts the ledger short needs readers to be gone.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use ledger::{Kind, LedgerId};

use crate::BookError;
use crate::column::{Column, Spec};
use crate::lookup::{Rest, open_runs};
use crate::manifest::{Manifest, Source};
use crate::run::Run;
use crate::store::READERS_LOCK;

/// How often a reader looks again when a writer replaces runs under its eyes.
const TRIES_MAX: usize = 200;
const PAUSE: Duration = Duration::from_millis(10);

/// One commit of a ledger.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) columns: Vec<Column>,
    /// The runs of each look-up, in the order asked for.
    pub(crate) runs: Vec<Vec<Run>>,
    pub(crate) sources: Vec<Source>,
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
    /// Opens the last commit. `repair` is called when a run is missing though nobody writes; it makes it anew.
    pub(crate) fn open(
        folder: &Path,
        ledger: &LedgerId,
        specs: &[Spec],
        lookups: &[LookupSpec],
        repair: impl Fn() -> Result<(), BookError>,
    ) -> Result<Self, BookError> {
        let path = folder.join(READERS_LOCK);
        let lock = File::open(&path).map_err(BookError::io("open", &path))?;
        match lock.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BookError::Undoing(ledger.clone())),
            Err(TryLockError::Error(source)) => return Err(BookError::io("lock", path)(source)),
        }
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
                        Ok(()) => {}
                        Err(BookError::Locked(_)) => std::thread::sleep(PAUSE),
                        Err(error) => return Err(error),
                    }
                }
                continue;
            };
            let columns: Result<_, _> =
                specs.iter().zip(rows).map(|(spec, rows)| Column::open(folder, *spec, rows)).collect();
            return Ok(Self { columns: columns?, runs, sources: manifest.sources, _lock: lock });
        }
        Err(BookError::Locked(ledger.clone()))
    }

    /// The entries of a look-up that are in no run.
    pub(crate) fn rest(&self, lookup: usize, entries: u64, fingerprint_of: impl Fn(u64) -> u64) -> Rest {
        let covered = self.runs[lookup].iter().map(|run| run.count).sum();
        let mut rest = Rest::default();
        for number in covered..entries {
            rest.insert((fingerprint_of(number), number));
        }
        rest
    }
}
