//! Puts a chain into the ledger, as far as it is good.
//!
//! A block that is damaged, or that contradicts the ledger, ends the chain: what came before it is kept. Where undo data
//! made the contradiction, the block is taken without.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};

use book::{Book, BookError, UtxoWriter};
use ledger::{LedgerId, txid_text};
use money::Asset;

use super::block::{Decoded, NoBlock, Source};
use super::choose::Chosen;
use super::pipeline::Job;
use super::report::FileProblem;
use crate::error::FeedError;
use crate::progress::{Phase, Progress, Step};
use decode::bitcoin::Contents;

/// About how long a transaction is in a block.
const TRANSACTION_BYTES: u64 = 400;
/// A stretch is long from this part of the ledger on.
const LONG_STRETCH_PART: u64 = 16;

/// Where blocks go, and who may stop it.
pub(super) struct Target<'a> {
    pub book: &'a Book,
    pub ledger: &'a LedgerId,
    pub asset: &'a Asset,
    pub path: &'a str,
    pub threads: NonZeroUsize,
    pub stop: &'a AtomicBool,
}

impl Target<'_> {
    pub fn open(&self) -> Result<UtxoWriter, FeedError> {
        self.book.utxo_writer(self.ledger, self.asset).map_err(FeedError::book(self.path))
    }
}

/// What filling the ledger came to.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub problems: Vec<FileProblem>,
    /// How many committed blocks had undo data that fits.
    pub with_undo: u64,
    /// Whether a block ended the chain before its end.
    pub is_cut: bool,
    pub is_interrupted: bool,
}

/// Why a run over the chain ended early.
enum Ended {
    /// The block cannot be had.
    At(NoBlock),
    /// The ledger refuses the block.
    Refused(usize, BookError),
    Interrupted,
}

/// One run over the chain.
struct Run<'a> {
    source: Source<'a>,
    chosen: &'a Chosen,
    at: usize,
    done: u64,
    total: u64,
    filled: Filled,
    ended: Option<Ended>,
    used_undo: bool,
    with_undo: u64,
}

pub(super) fn fill(
    target: &Target<'_>,
    source: Source<'_>,
    chosen: &Chosen,
    start: usize,
    mut writer: UtxoWriter,
    progress: &mut dyn Progress,
) -> Result<(Filled, UtxoWriter), FeedError> {
    let length = |entry: &u32| u64::from(source.entries[*entry as usize].length);
    let (mut without_undo, mut end) = (BTreeSet::new(), chosen.chain.len());
    let total = chosen.chain[start..].iter().map(length).sum();
    let mut from = start;
    prepare(&mut writer, total);
    // What earlier runs had to say; a run begins anew after the last commit of the one before.
    let (mut problems, mut with_undo) = (Vec::new(), 0);
    loop {
        let done = chosen.chain[start..from].iter().map(length).sum();
        let job = Job {
            source,
            chain: &chosen.chain,
            base: chosen.base,
            without_undo: &without_undo,
            threads: target.threads,
        };
        let mut run = Run {
            source,
            chosen,
            at: from,
            done,
            total,
            filled: Filled::default(),
            ended: None,
            used_undo: false,
            with_undo: 0,
        };
        job.run(from..end, |stretch| run.take(stretch, target, &mut writer, progress))?;
        let Run { ended, used_undo, mut filled, with_undo: run_with_undo, .. } = run;
        problems.append(&mut filled.problems);
        if let Some(Ended::Refused(at, error)) = ended {
            // The whole batch is gone: go on from the last commit, up to the block or without its undo data.
            let (entry, height) = (chosen.chain[at], chosen.base + at as u64);
            problems.push(refusal(source, entry, height, used_undo, &error));
            if used_undo {
                without_undo.insert(entry);
            } else {
                end = at;
            }
            with_undo += filled.with_undo;
            drop(writer);
            writer = target.open()?;
            prepare(&mut writer, total);
            from = writer.tip().map_or(start, |tip| index_of(chosen, tip.height)).max(start);
            continue;
        }
        writer.commit().map_err(FeedError::book(target.path))?;
        filled.with_undo = with_undo + run_with_undo;
        match ended {
            Some(Ended::At(NoBlock::Damaged(problem))) => {
                problems.push(problem);
                filled.is_cut = true;
            }
            Some(Ended::At(NoBlock::BeingWritten(note))) => problems.push(note),
            Some(Ended::Interrupted) => filled.is_interrupted = true,
            Some(Ended::At(NoBlock::Taken) | Ended::Refused(..)) | None => {}
        }
        filled.is_cut |= end < chosen.chain.len();
        filled.problems = problems;
        return Ok((filled, writer));
    }
}

/// Before a stretch that is long against the ledger, what is left to spend is read once, so that it need not be searched
/// for each input.
fn prepare(writer: &mut UtxoWriter, bytes: u64) {
    if bytes >= writer.end().0 * TRANSACTION_BYTES / LONG_STRETCH_PART {
        writer.remember_live();
    }
}

fn index_of(chosen: &Chosen, tip: u64) -> usize {
    usize::try_from((tip + 1).saturating_sub(chosen.base)).expect("a chain of the files fits memory")
}

fn refusal(source: Source<'_>, entry: u32, height: u64, used_undo: bool, error: &BookError) -> FileProblem {
    let place = &source.entries[entry as usize];
    let name = source.folder.name(Contents::Blocks, place.file);
    let said = error.to_string();
    let said = said.split_once("; ").map_or(said.as_str(), |(what, _)| what);
    let label = format!("block {} (height {height})", txid_text(&place.hash));
    if used_undo {
        let what = format!("{label} and its undo data contradict the ledger: {said}");
        return FileProblem::damage(name, Some(place.offset), what, "the block was tried without its undo data");
    }
    let help = "the chain ends before it; are these the files of the chain that the ledger holds?";
    FileProblem::damage(name, Some(place.offset), format!("{label}: {said}"), help)
}

impl Run<'_> {
    /// Takes a stretch of the chain; says whether to go on.
    fn take(
        &mut self,
        stretch: &mut [Decoded],
        target: &Target<'_>,
        writer: &mut UtxoWriter,
        progress: &mut dyn Progress,
    ) -> Result<bool, FeedError> {
        for decoded in stretch {
            if target.stop.load(Ordering::Relaxed) {
                self.ended = Some(Ended::Interrupted);
                return Ok(false);
            }
            self.filled.problems.append(&mut decoded.notes);
            let block = match std::mem::replace(&mut decoded.block, Err(NoBlock::Taken)) {
                Ok(block) => block,
                Err(none) => {
                    self.ended = Some(Ended::At(none));
                    return Ok(false);
                }
            };
            let pushed = writer.push_block(&block);
            decoded.block = Ok(block);
            match pushed {
                Ok(_) => {}
                Err(error @ BookError::Deed(_)) => {
                    self.used_undo = decoded.has_undo;
                    self.ended = Some(Ended::Refused(self.at, error));
                    return Ok(false);
                }
                Err(error) => return Err(FeedError::book(target.path)(error)),
            }
            self.at += 1;
            self.with_undo += u64::from(decoded.has_undo);
            self.done += u64::from(self.source.entries[decoded.entry as usize].length);
            if writer.is_full() {
                writer.commit().map_err(FeedError::book(target.path))?;
                self.filled.with_undo = self.with_undo;
            }
        }
        let items = self.chosen.base + self.at as u64;
        progress.step(Step { phase: Phase::Filling, done: self.done, total: Some(self.total), items });
        Ok(true)
    }
}
