//! [`Follower`]: the book brought to a node's chain, one turn at a time.
//!
//! A turn looks at the node and does one thing: nothing, taking blocks back to the last common one, or adding blocks up
//! to the last that is settled enough. Blocks are asked for by height, so every one is held against the one before it:
//! what does not chain ends the turn, and the next one looks back. It does not wait and does not retry; `following` and
//! `reader.rs` do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use book::{BookError, Heads};

use super::drift;
use super::options::{EvmOptions, Settled};
use super::problems::Problems;
use super::reader::{Reader, Ready};
use super::shelf::Shelf;
use super::source::{NodeHeads, Source, hash_text};
use crate::following::{Event, FollowError, Turn, Turns, in_order, last_common};
use crate::wire::NodeError;

/// A turn of at most this many blocks tells of each; a longer one is a catch-up and tells of its commits.
const NAMED_BLOCKS_MAX: u64 = 12;
/// How many blocks are asked for before the node's heads are looked at again.
const WINDOW_BLOCKS: u64 = 10_000;
/// How often in a row a chain may turn under our hands before the node is taken to contradict itself.
const MISFITS_MAX: u32 = 8;
/// How long a node with fewer blocks than the book must have stood still before it is believed.
const BEHIND_TIME_MIN: Duration = Duration::from_secs(5);

/// An account ledger of the book that follows an EVM chain.
pub(super) struct Follower<'a> {
    pub source: &'a dyn Source,
    pub reader: Reader<'a>,
    pub shelf: Shelf<'a>,
    pub options: &'a EvmOptions,
    /// Where an empty ledger begins.
    pub from: u64,
    misfits: u32,
    /// A block that the book refused, and why; those before it are committed first.
    refused: Option<([u8; 32], BookError)>,
    /// Since when the node has had this last block, which is below the book's.
    behind: Option<([u8; 32], Instant)>,
    problems: Problems,
}

impl<'a> Follower<'a> {
    pub fn new(
        source: &'a dyn Source,
        reader: Reader<'a>,
        shelf: Shelf<'a>,
        options: &'a EvmOptions,
        from: u64,
    ) -> Self {
        let (refused, behind, problems) = (None, None, Problems::default());
        Self { source, reader, shelf, options, from, misfits: 0, refused, behind, problems }
    }

    /// The last height that is to be taken.
    fn target(&self, heads: &NodeHeads) -> Option<u64> {
        let settled = match self.options.settled {
            Settled::Confirmations(count) => heads.latest.height.checked_sub(count),
            Settled::Safe => heads.safe,
            Settled::Finalized => heads.finalized,
        };
        settled.map(|height| height.min(self.options.to.unwrap_or(u64::MAX)))
    }

    /// The height of the last block that book and node have in common.
    fn common(&self, tip: u64, heads: &NodeHeads) -> Result<Option<u64>, NodeError> {
        let first = tip + 1 - self.shelf.writer().blocks();
        last_common(first, tip.min(heads.latest.height), |height| {
            let theirs = self.source.hash(height)?;
            Ok(theirs.is_some() && theirs == self.shelf.writer().block_hash(height))
        })
    }

    /// Why to wait for a node whose last block is one of the book's, below its last.
    fn wait_for_more(&mut self, tip: u64, heads: &NodeHeads) -> Option<String> {
        let since = match self.behind {
            Some((best, since)) if best == heads.latest.hash => since,
            _ => self.behind.insert((heads.latest.hash, Instant::now())).1,
        };
        let less = tip - heads.latest.height;
        let where_it_is = format!("the node is at height {}, {less} below the book's last block", heads.latest.height);
        (!self.options.once && since.elapsed() < BEHIND_TIME_MIN).then_some(where_it_is)
    }

    fn take_back(&mut self, tip: u64, common: u64, tell: &mut dyn FnMut(Event)) -> Result<Turn, FollowError> {
        // Another chain's node in this one's place may have the first blocks in common.
        self.source.meet_again()?;
        self.commit(None, tell)?;
        let blocks = tip - common;
        let stale = self.shelf.tip().map(|tip| tip.hash).unwrap_or_default();
        let finalized = self.shelf.writer().heads().finalized.map(|height| height.min(tip));
        let undo = format!("tracehound book undo --ledger {} {blocks}", self.shelf.ledger());
        if let Some(finalized) = finalized.filter(|finalized| common < *finalized) {
            let what = format!(
                "its chain parts from the book's after block {common}, below block {finalized}, which was finalized: \
                 nothing is taken back; if that is meant to be, say {undo}"
            );
            return Err(NodeError::Chain { node: self.source.name(), what }.into());
        }
        if blocks > self.options.reorg_blocks_max {
            let what = format!(
                "its chain parts from the book's after block {common}, {blocks} blocks deep, and no more than {} are \
                 taken back unasked; if that is meant to be, say {undo}",
                self.options.reorg_blocks_max
            );
            return Err(NodeError::Chain { node: self.source.name(), what }.into());
        }
        match self.shelf.writer_mut().undo_blocks(blocks) {
            Ok(()) => {}
            Err(BookError::Read(ledger)) => {
                return Ok(Turn::Wait(format!(
                    "the chain has turned at height {common}, and blocks cannot be taken back while {ledger} is being read"
                )));
            }
            Err(error) => return Err(error.into()),
        }
        self.behind = None;
        let hash = self.shelf.writer().block_hash(common).expect("the common block stays");
        tell(Event::Undone { blocks, height: common, hash, stale });
        Ok(Turn::Again)
    }

    /// Adds blocks from a height up to another.
    fn add(
        &mut self,
        from: u64,
        target: u64,
        seen: Instant,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Turn, FollowError> {
        let named = (target - from < NAMED_BLOCKS_MAX).then_some(seen);
        let count = usize::try_from(WINDOW_BLOCKS.min(target - from + 1)).expect("a window is small");
        // The reader is lent to threads while blocks are taken.
        let mut taken = Ok(true);
        let (reader, requests) = (&self.reader, self.options.requests);
        let mut hands = Hands {
            shelf: &mut self.shelf,
            source: self.source,
            from: self.from,
            misfits: &mut self.misfits,
            refused: &mut self.refused,
            problems: &mut self.problems,
        };
        let fetch = |at: usize| reader.block(from + at as u64);
        let result = in_order(count, requests, fetch, |at, ready: Result<Ready, NodeError>| {
            let height = from + at as u64;
            let goes_on = hands.take(height, ready?, named, tell)?;
            if named.is_none() && goes_on {
                tell(Event::Filling { height, target });
            }
            Ok::<bool, FollowError>(goes_on && !stop.load(Ordering::Relaxed))
        });
        if let Err(error) = result {
            taken = Err(error);
        }
        // What came before an error is whole, and the error is what is told.
        let committed = self.commit(named, tell);
        taken?;
        committed?;
        Ok(if stop.load(Ordering::Relaxed) { Turn::Stopped } else { Turn::Again })
    }

    fn commit(&mut self, named: Option<Instant>, tell: &mut dyn FnMut(Event)) -> Result<(), FollowError> {
        commit(&mut self.shelf, named, tell)
    }

    /// Keeps what the node calls settled.
    fn mark(&mut self, heads: &NodeHeads) -> Result<(), BookError> {
        let marks = Heads { safe: heads.safe, finalized: heads.finalized };
        let writer = self.shelf.writer_mut();
        if writer.blocks() > 0 && writer.heads() != marks {
            writer.mark_heads(marks);
            writer.commit()?;
        }
        Ok(())
    }
}

impl Turns for Follower<'_> {
    fn turn(&mut self, seen: Instant, stop: &AtomicBool, tell: &mut dyn FnMut(Event)) -> Result<Turn, FollowError> {
        if stop.load(Ordering::Relaxed) {
            return Ok(Turn::Stopped);
        }
        let heads = self.source.heads()?;
        let target = self.target(&heads);
        let Some(tip) = self.shelf.tip() else {
            let Some(target) = target.filter(|target| *target >= self.from) else {
                let (last, from) = (heads.latest.height, self.from);
                return Ok(Turn::Wait(format!("the node is at height {last}, and block {from} is not settled")));
            };
            return self.add(self.from, target, seen, stop, tell);
        };
        let is_same = if heads.latest.height == tip.height {
            heads.latest.hash == tip.hash
        } else {
            heads.latest.height > tip.height && self.source.hash(tip.height)? == Some(tip.hash)
        };
        if is_same {
            self.behind = None;
            if let Some(target) = target.filter(|target| *target > tip.height) {
                return self.add(tip.height + 1, target, seen, stop, tell);
            }
            self.misfits = 0;
            self.mark(&heads)?;
            return Ok(Turn::AtTip);
        }
        if let Some(first) = self.source.first().filter(|first| *first > tip.height + 1) {
            let what = format!("it begins with block {first}, and the book ends with block {}", tip.height);
            return Err(NodeError::Chain { node: self.source.name(), what }.into());
        }
        let Some(common) = self.common(tip.height, &heads)? else {
            let what = "its chain and the book's have no block in common; take it into another book".to_owned();
            return Err(NodeError::Chain { node: self.source.name(), what }.into());
        };
        if common == heads.latest.height && !self.source.is_live() {
            // A recording that ends earlier says nothing of what came after.
            return Ok(Turn::AtTip);
        }
        if common == heads.latest.height
            && let Some(why) = self.wait_for_more(tip.height, &heads)
        {
            return Ok(Turn::Wait(why));
        }
        if common == tip.height {
            return Ok(Turn::Again);
        }
        self.take_back(tip.height, common, tell)
    }

    fn height(&self) -> Option<u64> {
        self.shelf.tip().map(|tip| tip.height)
    }

    fn meet_again(&mut self) -> Result<(), NodeError> {
        self.source.meet_again()
    }
}

/// What takes blocks while the reader is at work.
struct Hands<'a, 'b> {
    shelf: &'a mut Shelf<'b>,
    source: &'a dyn Source,
    from: u64,
    misfits: &'a mut u32,
    refused: &'a mut Option<([u8; 32], BookError)>,
    problems: &'a mut Problems,
}

impl Hands<'_, '_> {
    /// Takes one block into the batch; says no if it does not follow.
    fn take(
        &mut self,
        height: u64,
        mut ready: Ready,
        named: Option<Instant>,
        tell: &mut dyn FnMut(Event),
    ) -> Result<bool, FollowError> {
        let block = &mut ready.decoded.block;
        if let Some((_, error)) = self.refused.take_if(|(refused, _)| *refused == block.hash) {
            commit(self.shelf, named, tell)?;
            let (node, hash) = (self.source.name(), hash_text(&block.hash));
            return Err(FollowError::Refused { node, height, hash, error: Box::new(error) });
        }
        match self.shelf.tip() {
            Some(tip) if block.previous != Some(tip.hash) => {
                return self.misfit(height, &block.hash, block.previous, tip.hash).map(|()| false);
            }
            None if height != self.from => return Ok(false),
            _ => {}
        }
        if !ready.stated.is_empty() {
            let writer = self.shelf.writer_mut();
            drift::book(block, &ready.stated, |holder, asset| writer.balance(holder, asset));
        }
        let hash = block.hash;
        match self.shelf.push(&ready.decoded) {
            Ok(()) => {}
            Err(error @ BookError::Deed(_)) => {
                // What stood in the batch before it may be lost with the writer: it is pushed again, up to this block.
                self.shelf.reopen()?;
                *self.refused = Some((hash, error));
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
        *self.misfits = 0;
        self.problems.report(&ready.notes, &ready.decoded, tell);
        if named.is_some() || self.shelf.is_full() {
            commit(self.shelf, named, tell)?;
        }
        Ok(true)
    }

    /// A block that does not follow the book's last one: the chain has turned since that one was asked for.
    fn misfit(
        &mut self,
        height: u64,
        hash: &[u8; 32],
        previous: Option<[u8; 32]>,
        last: [u8; 32],
    ) -> Result<(), FollowError> {
        *self.misfits += 1;
        if *self.misfits < MISFITS_MAX && self.source.is_live() {
            return Ok(());
        }
        let parent = previous.map_or_else(|| "nothing".to_owned(), |hash| hash_text(&hash));
        let what = format!(
            "eth_getBlockByNumber: it follows {parent}, but block {} is {}: these are not of one chain",
            height.saturating_sub(1),
            hash_text(&last)
        );
        Err(NodeError::Block { node: self.source.name(), height, hash: hash_text(hash), what }.into())
    }
}

/// Commits the batch and tells of it.
pub(super) fn commit(
    shelf: &mut Shelf<'_>,
    named: Option<Instant>,
    tell: &mut dyn FnMut(Event),
) -> Result<(), FollowError> {
    let Some(batch) = shelf.commit()? else { return Ok(()) };
    let (tip, transactions) = (shelf.tip().expect("a batch has a block"), batch.transactions);
    tell(match named {
        Some(seen) => Event::Added { height: tip.height, hash: tip.hash, transactions, after: seen.elapsed() },
        None => Event::Filled { first: batch.first, height: tip.height, hash: tip.hash, transactions },
    });
    Ok(())
}
