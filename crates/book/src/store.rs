//! [`Store`]: the writer's side of a ledger's folder: lock, recovery, batch, commit, and cutting back.
//!
//! It knows columns and link words, and nothing of what they mean: accounts and UTXO ledgers lay their rows out on it.
//! The order of a commit's steps is the whole of its safety, see [`Store::commit`] and `docs/book.md`.

use std::fs::File;
use std::path::{Path, PathBuf};

use ledger::{Kind, LedgerId};

use crate::account::Spelling;
use crate::chain::Heads;
use crate::column::{Growing, Rows as _, Spec};
use crate::journal::{self, Journal, SECTION_CHANGES_MAX};
use crate::lookup::Index;
use crate::manifest::{Base, Manifest, Source};
use crate::together::each;
use crate::{BookError, disk};

/// Held by the one writer.
const WRITER_LOCK: &str = "writer.lock";
/// Held together by readers; alone by whoever cuts the ledger short.
pub(crate) const READERS_LOCK: &str = "readers.lock";

/// A batch of an account ledger that has this many legs should be committed.
pub const BATCH_ROWS: u64 = 250_000;
/// So should one that has this many bytes of new rows, whatever they are.
pub const BATCH_BYTES: usize = 32 << 20;
/// A long ledger's batches may have more, a 16th of what is committed, up to this: fewer commits, which each
/// rewrite runs and wait for the disk.
pub const BATCH_BYTES_MAX: usize = 256 << 20;
const BATCH_SHARE: usize = 16;
/// Files with so much to write are written at the same time.
const LONG_BYTES: usize = 1 << 20;
/// So are those with so many changed words.
const LONG_WORDS: usize = 1 << 12;

/// A ledger's folder, open for writing.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    ledger: LedgerId,
    specs: &'static [Spec],
    pub(crate) columns: Vec<Growing>,
    /// What is committed; its sources are what the next commit will write.
    manifest: Manifest,
    /// The digest of the manifest as it is on disk.
    base: Base,
    journal: Journal,
    /// How many changed words the batch may hold in memory.
    pub(crate) changes_max: usize,
    failed: bool,
    /// Whether the manifest on disk is ahead of what the columns here know.
    is_replaced: bool,
    _lock: File,
}

impl Store {
    /// Takes the lock, recovers from whatever happened to the last writer, and opens the columns.
    pub(crate) fn open(
        folder: &Path,
        ledger: &LedgerId,
        kind: Kind,
        specs: &'static [Spec],
    ) -> Result<Self, BookError> {
        if !folder.exists() {
            std::fs::create_dir_all(folder).map_err(BookError::io("create", folder))?;
            // A commit in a folder that a power cut takes away would be none.
            folder.ancestors().skip(1).take(2).try_for_each(disk::sync_folder)?;
        }
        let path = folder.join(WRITER_LOCK);
        let lock = disk::open_or_make(&path)?;
        if !disk::lock(&path, || lock.try_lock())? {
            return Err(BookError::Locked(ledger.clone()));
        }
        disk::open_or_make(&folder.join(READERS_LOCK))?;
        Manifest::clear(folder)?;
        let found = Manifest::read(folder, ledger)?;
        let base = found.as_ref().map_or([0; 32], Manifest::base);
        let manifest = found.unwrap_or_else(|| Manifest::new(ledger, kind, specs));
        let is = Kind::from(manifest.kind);
        if is != kind {
            return Err(BookError::WrongKind { ledger: ledger.clone(), is });
        }
        let rows = manifest.rows(folder, specs)?;
        let columns: Result<Vec<_>, _> =
            specs.iter().zip(rows).map(|(spec, rows)| Growing::open(folder, *spec, rows)).collect();
        let mut store = Self {
            folder: folder.to_owned(),
            ledger: ledger.clone(),
            specs,
            columns: columns?,
            manifest,
            base,
            journal: Journal::new(folder),
            changes_max: SECTION_CHANGES_MAX,
            failed: false,
            is_replaced: false,
            _lock: lock,
        };
        store.restore()?;
        Ok(store)
    }

    /// Puts the old values of an uncommitted batch back.
    fn restore(&mut self) -> Result<(), BookError> {
        let columns = &mut self.columns;
        let restored = journal::restore(&self.folder, &self.base, |[column, offset, value]| {
            let column = usize::try_from(column).ok().and_then(|at| columns.get_mut(at)).ok_or_else(|| {
                BookError::damaged(self.folder.join(journal::JOURNAL), "it names a column that is not there")
            })?;
            column.restore_word(offset, value)
        })?;
        if restored {
            for column in &mut self.columns {
                column.sync()?;
            }
            journal::remove(&self.folder)?;
        }
        Ok(())
    }

    pub(crate) fn ledger(&self) -> &LedgerId {
        &self.ledger
    }

    pub(crate) fn sources(&self) -> &[Source] {
        &self.manifest.sources
    }

    pub(crate) fn sources_mut(&mut self) -> &mut Vec<Source> {
        &mut self.manifest.sources
    }

    pub(crate) fn spelling(&self) -> Option<Spelling> {
        self.manifest.names
    }

    pub(crate) fn heads(&self) -> Heads {
        self.manifest.heads.unwrap_or_default()
    }

    /// Says up to where the chain is settled; the next commit records it.
    pub(crate) fn set_heads(&mut self, heads: Heads) {
        self.manifest.heads = Some(heads).filter(|heads| *heads != Heads::default());
    }

    /// Whether the batch has any rows or changes.
    pub(crate) fn is_dirty(&self) -> bool {
        self.journal.is_begun() || self.columns.iter().any(Growing::is_dirty)
    }

    /// Whether the batch has more bytes of new rows than memory should hold.
    pub(crate) fn is_full(&self) -> bool {
        let sum = |bytes: fn(&Growing) -> usize| self.columns.iter().map(bytes).sum::<usize>();
        let share = sum(Growing::committed_len) / BATCH_SHARE;
        sum(Growing::tail_bytes) >= share.clamp(BATCH_BYTES, BATCH_BYTES_MAX)
    }

    /// An error once a step has failed: what the batch then holds is not what anybody wanted.
    pub(crate) fn check(&self) -> Result<(), BookError> {
        if self.failed { Err(BookError::Failed) } else { Ok(()) }
    }

    pub(crate) fn fail(&mut self) {
        self.failed = true;
    }

    /// Writes the batch's changes of link words out early when there are more than memory should hold.
    pub(crate) fn relieve(&mut self) -> Result<(), BookError> {
        let changes: usize = self.columns.iter().map(Growing::patch_count).sum();
        if changes < self.changes_max { Ok(()) } else { self.patch() }
    }

    /// Journals the old values of the changed words, then changes them.
    ///
    /// Readers do not notice: a link that points past their commit is none to them.
    fn patch(&mut self) -> Result<(), BookError> {
        let patches: Vec<_> = self.columns.iter_mut().map(Growing::take_patches).collect();
        if patches.iter().all(Vec::is_empty) {
            return Ok(());
        }
        // A tail that is patched in must find its row, in this process or in a reader's.
        for column in &mut self.columns {
            column.write_tail()?;
        }
        let old = (0u64..).zip(&self.columns).zip(&patches).flat_map(|((number, column), words)| {
            words.iter().map(move |(offset, _)| [number, *offset, column.word_on_disk(*offset)])
        });
        self.journal.append(&self.base, old)?;
        let changes = self.columns.iter_mut().zip(&patches);
        each(changes, |(_, words)| words.len() >= LONG_WORDS, |(column, words)| column.write_words(words))
    }

    /// Makes the batch part of the ledger, or leaves the ledger as it was.
    ///
    /// In this order: the runs that the new entries complete; the new rows, behind the committed ones, where nobody
    /// looks; the journal, durable; the changed words; all of it durable; the manifest, replaced whole. That replacing
    /// is the commit. What comes after is tidying, which the next writer does if this one is killed.
    pub(crate) fn commit(&mut self, indexes: &mut [&mut Index]) -> Result<(), BookError> {
        self.check()?;
        let result = self.commit_steps(indexes);
        self.failed = result.is_err();
        result
    }

    fn commit_steps(&mut self, indexes: &mut [&mut Index]) -> Result<(), BookError> {
        each(
            self.columns.iter_mut(),
            |column| column.tail_bytes() >= LONG_BYTES,
            |column| {
                column.remap()?;
                column.write_tail()
            },
        )?;
        each(indexes.iter_mut(), |index| index.is_unsettled(), |index| index.settle())?;
        self.patch()?;
        each(self.columns.iter_mut(), |column| column.is_unsynced(), Growing::sync)?;
        self.manifest.set_rows(self.specs, self.columns.iter().map(Growing::rows));
        self.commit_manifest(indexes)?;
        self.columns.iter_mut().try_for_each(Growing::settle)?;
        self.is_replaced = false;
        Ok(())
    }

    fn commit_manifest(&mut self, indexes: &[&mut Index]) -> Result<(), BookError> {
        let base = self.manifest.base();
        if base == self.base {
            return self.journal.drop_file();
        }
        self.manifest.write(&self.folder)?;
        self.base = base;
        self.is_replaced = true;
        // It is committed; what cannot be deleted now, the next writer deletes.
        let _ = self.journal.drop_file();
        let _ = indexes.iter().try_for_each(|index| index.tidy());
        Ok(())
    }

    /// Begins to take back the last `asked` of `has` blocks or transactions: how many stay, and the lock that keeps
    /// readers out until it is dropped. `None` where there is nothing to do.
    pub(crate) fn begin_undo(&mut self, asked: u64, has: u64) -> Result<Option<(u64, File)>, BookError> {
        self.check()?;
        if self.is_dirty() {
            return Err(BookError::Uncommitted);
        }
        let Some(staying) = has.checked_sub(asked) else { return Err(BookError::UndoTooMany { asked, has }) };
        if asked == 0 {
            return Ok(None);
        }
        let alone = self.lock_readers_out()?;
        self.journal.begin_undo();
        Ok(Some((staying, alone)))
    }

    /// Readers out: whoever cuts mapped files short must be alone. The lock ends with the file.
    fn lock_readers_out(&self) -> Result<File, BookError> {
        let path = self.folder.join(READERS_LOCK);
        let lock = disk::open_or_make(&path)?;
        if disk::lock(&path, || lock.try_lock())? { Ok(lock) } else { Err(BookError::Read(self.ledger.clone())) }
    }

    /// Commits an undo: the link words changed back, and only the first `rows` rows of each column left.
    ///
    /// `remake` makes the look-ups of the rows that stay, between the changed words and the commit.
    pub(crate) fn commit_shorter(
        &mut self,
        rows: &[u64],
        indexes: &mut [&mut Index],
        remake: impl FnOnce(&[Growing], &mut [&mut Index]) -> Result<(), BookError>,
    ) -> Result<(), BookError> {
        let result = self.commit_shorter_steps(rows, indexes, remake);
        self.failed = result.is_err();
        result
    }

    fn commit_shorter_steps(
        &mut self,
        rows: &[u64],
        indexes: &mut [&mut Index],
        remake: impl FnOnce(&[Growing], &mut [&mut Index]) -> Result<(), BookError>,
    ) -> Result<(), BookError> {
        debug_assert_eq!(rows.len(), self.specs.len());
        self.patch()?;
        for column in &mut self.columns {
            column.sync()?;
        }
        remake(&self.columns, indexes)?;
        self.manifest.set_rows(self.specs, rows.iter().copied());
        self.commit_manifest(indexes)?;
        self.columns.iter_mut().zip(rows).try_for_each(|(column, rows)| column.shorten(*rows))?;
        self.is_replaced = false;
        Ok(())
    }
}

impl Drop for Store {
    /// A batch that is dropped leaves nothing behind, if the disk lets us; otherwise the next writer clears it away.
    fn drop(&mut self) {
        // If a step failed after the manifest was replaced, what looks like a batch here is committed.
        if self.is_replaced || (!self.is_dirty() && !self.failed) {
            return;
        }
        let on_disk = Manifest::read(&self.folder, &self.ledger).map(|found| found.map_or([0; 32], |m| m.base()));
        if on_disk.is_ok_and(|base| base == self.base) && self.restore().is_ok() {
            let _ = self.columns.iter().try_for_each(Growing::cut);
        }
    }
}
