//! [`Work`], an update: brings what is kept of a ledger up to its last block, its tags and its rulings, whatever is behind.
//!
//! The same steps in the same order, whether a block is new or everything: blocks that the chain no longer has are taken
//! back, new transactions get verdicts, tags are read where they may say something new, the clusters grow, and exposure is
//! set right where a holder's category changed, and mixed for what is new. What a commit holds fits together, but for
//! stages that are behind ([`crate::AsOf::is_whole`]); holders whose category changed and whose money is not mixed again yet
//! are listed in it. So an update may end between any two batches, by an interrupt or a kill, and the next goes on.

use std::collections::BTreeSet;

use book::{AnnexWriter, Book, UtxoLedger};
use cluster::{Judge, Layer, METHOD_VERSION};
use exposure::Exposure;
use know::Stops;
use ledger::{Coins as _, HolderId, Seq, txid_text};

use crate::as_of::AsOfBlock;
use crate::blocks::{self, Extent};
use crate::clustering::{Clustering, Judged, parse_rulings};
use crate::kinds::{Kinds, MixedBy, Tagged};
use crate::spec::{BLOCKS, CLUSTERS, DUE, MEMBERS, RULINGS, SPEC, VERDICTS, u32_at};
use crate::standings::{self, Row};
use crate::tags::{self, Tags};
use crate::{AsOf, Report, Stage, Step, UpkeepError, mixing};

/// What a user is told by, and asked whether to go on.
pub type Progress<'a> = dyn FnMut(Step) -> bool + 'a;

/// The version of how exposure is mixed and of how holders get their categories.
const EXPOSURE_VERSION: u32 = 1;
/// The digest of the tags where they are to be read again, whatever they are.
const UNREAD: &str = "to be read again";
/// How often an update asks whether to go on, and commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many transactions are worked on between two questions.
    pub step_transactions: u64,
    /// After how many transactions verdicts and vectors are committed.
    pub commit_transactions: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { step_transactions: 100_000, commit_transactions: 4_000_000 }
    }
}

/// Clusters grow in steps of this share of what is missing: each step of many passes over all holders.
const CLUSTER_STEPS: u64 = 16;

/// The versions of the methods, as this program has them.
fn methods() -> [u32; 3] {
    [METHOD_VERSION, Clustering::VERSION, EXPOSURE_VERSION]
}

/// An update at work.
pub(crate) struct Work<'a, 'p> {
    coins: &'a UtxoLedger,
    pub(crate) writer: AnnexWriter,
    as_of: AsOf,
    tags: Tags,
    stops: Stops,
    rulings: Vec<u8>,
    pub(crate) report: Report,
    pace: Pace,
    progress: &'a mut Progress<'p>,
}

/// What is held in memory while an update works. After a commit it fits that commit.
pub(crate) struct Held {
    clusters: Clustering,
    exposure: Exposure,
    /// What exposure was last mixed or is due to be mixed by.
    kinds: Kinds,
    due: BTreeSet<u32>,
}

impl<'a, 'p> Work<'a, 'p> {
    pub(crate) fn new(
        book: &Book,
        coins: &'a UtxoLedger,
        writer: AnnexWriter,
        pace: Pace,
        progress: &'a mut Progress<'p>,
    ) -> Result<Self, UpkeepError> {
        let note = writer.note();
        let as_of = if note.is_empty() { Ok(AsOf::default()) } else { serde_json::from_str(note) };
        let as_of: AsOf = as_of.map_err(|error| tags::unfit(&format!("it does not say what it is up to ({error})")))?;
        let ledger = ledger::Ledger::id(coins);
        let mut work = Self {
            coins,
            writer,
            as_of,
            tags: Tags::read(book)?,
            stops: crate::stops(book)?,
            rulings: tags::read_file(&book.kept_folder(ledger).join(crate::RULINGS_FILE))?,
            report: Report::default(),
            pace,
            progress,
        };
        work.check_methods()?;
        Ok(work)
    }

    /// What another version of a method made is made anew, with all that follows from it.
    fn check_methods(&mut self) -> Result<(), UpkeepError> {
        let names = ["the rules of verdicts", "the rules of clusters", "the rules of exposure"];
        let (is, now) = (self.as_of.methods, methods());
        if self.as_of == AsOf::default() || is == now {
            self.as_of.methods = now;
            return Ok(());
        }
        let changed = names.iter().zip(is.iter().zip(&now)).filter(|(_, (is, now))| is != now);
        Err(UpkeepError::Outdated(changed.map(|(name, _)| format!("{name} have another version")).collect()))
    }

    pub(crate) fn is_current(&self) -> bool {
        self.writer.rows(BLOCKS) == self.coins.blocks()
            && blocks::common(&self.writer, self.coins) == self.coins.blocks()
            && self.as_of.judged == self.coins.transactions()
            && self.as_of.is_whole()
            && self.as_of.tags == self.tags.digest
            && self.as_of.tag_rules == self.stops.version().to_string()
            && self.as_of.rulings == crate::as_of::digest(&self.rulings)
    }

    pub(crate) fn load(&mut self) -> Result<Held, UpkeepError> {
        let exposure = mixing::load(&self.writer)?;
        let rows = standings::rows(&self.writer);
        let until = blocks::extent(&self.writer, blocks::common(&self.writer, self.coins)).transactions;
        let rulings = parse_rulings(&self.writer.blob(RULINGS)?)?;
        let clusters = Clustering::load(&mut self.writer, self.coins, &rows, &rulings, until)?;
        if clusters.done() != self.as_of.clustered
            || exposure.end().0 != self.as_of.exposed
            || clusters.holders() > self.as_of.holders
        {
            return Err(tags::unfit("it has other lengths than it says"));
        }
        let labels = clusters.labels(Layer::CoSpend);
        let kinds = Kinds::new(&rows, &Tagged::new(&rows, labels), labels, self.as_of.holders);
        let due = self.writer.blob(DUE)?;
        let due = due.chunks_exact(4).map(|row| u32_at(row, 0)).collect();
        Ok(Held { clusters, exposure, kinds, due })
    }

    pub(crate) fn run(&mut self, held: &mut Held) -> Result<(), UpkeepError> {
        let before = self.undo(held);
        if !self.judge(held, before)? {
            return self.interrupted(held);
        }
        self.read_tags()?;
        if !self.grow_clusters(held)? {
            return self.interrupted(held);
        }
        self.categorise(held)?;
        if !self.correct(held)? || !self.mix(held)? {
            return self.interrupted(held);
        }
        self.commit(held)
    }

    fn tell(&mut self, stage: Stage, done: u64, total: u64) -> bool {
        (self.progress)(Step { stage, done, total })
    }

    fn interrupted(&mut self, held: &mut Held) -> Result<(), UpkeepError> {
        self.report.is_interrupted = true;
        self.categorise(held)?;
        self.commit(held)
    }

    fn commit(&mut self, held: &mut Held) -> Result<(), UpkeepError> {
        held.clusters.keep(&mut self.writer)?;
        mixing::keep(&mut self.writer, &mut held.exposure)?;
        self.writer.put(DUE, held.due.iter().flat_map(|holder| holder.to_le_bytes()).collect());
        self.as_of.due = held.due.len() as u64;
        let last = self.writer.rows(BLOCKS).checked_sub(1).and_then(|last| self.coins.block(last));
        self.as_of.block = last.map(|block| AsOfBlock { height: block.height, hash: txid_text(&block.hash) });
        self.as_of.judged = self.writer.rows(VERDICTS);
        self.as_of.clustered = held.clusters.done();
        self.as_of.exposed = held.exposure.end().0;
        let note = serde_json::to_string(&self.as_of).expect("plain fields become JSON");
        Ok(self.writer.commit(&note)?)
    }

    /// Takes back what the chain no longer has. Gives how much of the ledger is left.
    fn undo(&mut self, held: &mut Held) -> Extent {
        let had = self.writer.rows(BLOCKS);
        let common = blocks::common(&self.writer, self.coins);
        let left = blocks::extent(&self.writer, common);
        if common == had {
            return left;
        }
        self.tell(Stage::Undo, 0, had - common);
        self.report.undone_blocks = had - common;
        self.writer.truncate(BLOCKS, common);
        self.writer.truncate(VERDICTS, left.transactions);
        if !held.clusters.undo(self.coins, &mut self.writer, left.transactions) {
            self.report.rebuilt.push("the chain has turned deeper than clusters remember their evidence".to_owned());
        }
        held.exposure.undo_to(Seq(left.transactions));
        held.kinds.truncate(left.holders);
        held.due.retain(|holder| u64::from(*holder) < left.holders);
        self.as_of.holders = self.as_of.holders.min(left.holders);
        if standings::forget_from(&mut self.writer, left.holders) {
            UNREAD.clone_into(&mut self.as_of.tags);
        }
        left
    }

    /// Verdicts on all new transactions, block by block. False if the user wants no more.
    fn judge(&mut self, held: &mut Held, before: Extent) -> Result<bool, UpkeepError> {
        let mut judge = Judge::new(cluster::Rules::default());
        let (mut extent, total) = (before, self.coins.transactions());
        let (mut asked, mut committed, mut bytes) = (extent.transactions, extent.transactions, Vec::new());
        for number in self.writer.rows(BLOCKS)..self.coins.blocks() {
            let block = self.coins.block(number).expect("below the number of blocks");
            bytes.clear();
            for seq in extent.transactions..block.first_transaction.0 + block.transactions {
                bytes.extend_from_slice(&judge.judge(self.coins, Seq(seq)).bytes());
            }
            self.writer.append(VERDICTS, &bytes)?;
            extent = extent.with(self.coins, &block);
            self.writer.append(BLOCKS, &extent.row(&block))?;
            self.report.added_blocks += 1;
            if extent.transactions - asked >= self.pace.step_transactions {
                asked = extent.transactions;
                if !self.tell(Stage::Verdicts, extent.transactions, total) {
                    break;
                }
            }
            if extent.transactions - committed >= self.pace.commit_transactions {
                committed = extent.transactions;
                self.categorise(held)?;
                self.commit(held)?;
            }
        }
        self.report.judged = extent.transactions - before.transactions;
        Ok(self.writer.rows(BLOCKS) == self.coins.blocks())
    }

    /// Reads the tags if they are others, or if they may speak of new holders.
    fn read_tags(&mut self) -> Result<(), UpkeepError> {
        let rules = self.stops.version().to_string();
        let holders = self.coins.holders();
        let is_other = self.as_of.tags != self.tags.digest || self.as_of.tag_rules != rules;
        if is_other || tags::may_know(&self.writer, self.coins, self.as_of.holders..holders) {
            self.tell(Stage::Tags, 0, 1);
            self.report.tag_problems = self.tags.keep(&mut self.writer, self.coins, &self.stops)?;
            self.report.has_read_tags = true;
        }
        self.as_of.tags.clone_from(&self.tags.digest);
        self.as_of.tag_rules = rules;
        self.as_of.holders = holders;
        Ok(())
    }

    /// Grows the clusters to the last transaction. False if the user wants no more.
    fn grow_clusters(&mut self, held: &mut Held) -> Result<bool, UpkeepError> {
        let rows = standings::rows(&self.writer);
        held.clusters.rule(self.coins, &self.writer, &rows, &parse_rulings(&self.rulings)?);
        if self.writer.blob(RULINGS)? != self.rulings {
            self.writer.put(RULINGS, self.rulings.clone());
        }
        self.as_of.rulings = crate::as_of::digest(&self.rulings);
        let total = self.coins.transactions();
        let step = ((total - held.clusters.done()) / CLUSTER_STEPS).max(self.pace.step_transactions);
        while held.clusters.done() < total {
            let until = (held.clusters.done() + step).min(total);
            held.clusters.advance(self.coins, &self.writer, &rows, until)?;
            if !self.tell(Stage::Clusters, until, total) {
                return Ok(until == total);
            }
        }
        Ok(true)
    }

    /// Works out the categories of all holders, keeps those of clusters, and notes whose have changed.
    fn categorise(&mut self, held: &mut Held) -> Result<(), UpkeepError> {
        let rows: Vec<Row> = standings::rows(&self.writer);
        let labels = held.clusters.labels(Layer::CoSpend);
        let tagged = Tagged::new(&rows, labels);
        let kinds = Kinds::new(&rows, &tagged, labels, self.as_of.holders);
        let before = held.due.len();
        held.due.extend(kinds.differing(&held.kinds));
        self.report.recategorised += (held.due.len() - before) as u64;
        held.kinds = kinds;
        for (column, bytes) in [(CLUSTERS, tagged.cluster_rows()), (MEMBERS, tagged.member_rows())] {
            if !is_kept(&self.writer, column, &bytes) {
                self.writer.truncate(column, 0);
                self.writer.append(column, &bytes)?;
            }
        }
        Ok(())
    }

    /// Mixes again what changed categories change. It is done in one go: what is mixed again is mixed by the same facts.
    fn correct(&mut self, held: &mut Held) -> Result<bool, UpkeepError> {
        if held.due.is_empty() {
            return Ok(true);
        }
        let count = held.due.len() as u64;
        if !self.tell(Stage::Correction, 0, count) {
            return Ok(false);
        }
        let due: Vec<HolderId> =
            std::mem::take(&mut held.due).into_iter().map(|holder| HolderId(holder.into())).collect();
        let facts = MixedBy { kinds: &held.kinds, verdicts: &Judged(&self.writer) };
        let correction = held.exposure.correct(self.coins, &facts, &due).map_err(full)?;
        self.report.mixed_again += correction.mixed;
        self.report.corrected += correction.changed;
        if correction.changed > 0 && 2 * held.exposure.unreferenced_rows() > held.exposure.rows().len() {
            held.exposure.compact();
        }
        Ok(self.tell(Stage::Correction, count, count))
    }

    /// Mixes new transactions. False if the user wants no more.
    fn mix(&mut self, held: &mut Held) -> Result<bool, UpkeepError> {
        let total = self.coins.transactions();
        let mut committed = held.exposure.end().0;
        while held.exposure.end().0 < total {
            let until = (held.exposure.end().0 + self.pace.step_transactions).min(total);
            let facts = MixedBy { kinds: &held.kinds, verdicts: &Judged(&self.writer) };
            held.exposure.advance(self.coins, &facts, Seq(until)).map_err(full)?;
            if !self.tell(Stage::Exposure, until, total) {
                return Ok(until == total);
            }
            if until - committed >= self.pace.commit_transactions {
                committed = until;
                self.commit(held)?;
            }
        }
        Ok(true)
    }
}

fn full(error: exposure::Full) -> UpkeepError {
    UpkeepError::TooMany(error.to_string())
}

/// Whether a column has these bytes already.
fn is_kept(writer: &AnnexWriter, column: usize, bytes: &[u8]) -> bool {
    let width = SPEC.columns[column].1;
    let rows = bytes.chunks_exact(width);
    writer.rows(column) == rows.len() as u64 && (0u64..).zip(rows).all(|(at, row)| writer.row(column, at) == Some(row))
}
