//! [`Follower`]: the book brought to a node's active chain, one turn at a time.
//!
//! A turn looks at the node and does one thing: nothing, taking blocks back to the last common one, or adding blocks up
//! to the node's last. It trusts no two answers to be of the same chain: whatever does not follow the book's last block
//! ends the turn, and the next one looks again. It does not wait, does not retry and does not know how the node is
//! reached; `run.rs` does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use book::{Book, BookError, Pushed, Tip, UtxoWriter};
use ledger::{UtxoBlock, txid_text};

use super::bitcoind::Identity;
use super::chain::{Need, Node, State};
use crate::following::{Event, FollowError, Turn, in_order, last_common};
use crate::wire::NodeError;

/// How many requests are under way at a time. A node answers 4 (16 since Core 30) at once by default, others may ask too.
pub const REQUESTS_MAX: usize = 4;
/// How many hashes are asked for at a time while catching up.
const WINDOW_BLOCKS: u64 = 1000;
/// A turn of at most this many blocks tells of each; a longer one is a catch-up and tells of its commits.
const NAMED_BLOCKS_MAX: u64 = 12;
/// How often in a row a chain may turn under our hands before the node is taken to contradict itself.
const MISFITS_MAX: u32 = 8;
/// How far the book is cut back for a node that has merely fewer blocks: such a node is more likely not ready yet.
pub const BEHIND_BLOCKS_MAX: u64 = 1000;
/// How long such a node must have stood still.
const BEHIND_TIME_MIN: Duration = Duration::from_secs(5);

/// A UTXO ledger of the book that follows a node.
pub struct Follower<'a> {
    book: &'a Book,
    identity: Identity,
    /// Where an empty ledger begins.
    from: u64,
    /// Whether to go after a node that has fewer blocks at once.
    once: bool,
    /// There but while it is opened anew.
    writer: Option<UtxoWriter>,
    /// The first height of the batch that is not committed, and its transactions so far.
    batch: Option<(u64, u64)>,
    misfits: u32,
    /// A block that the book refused, and why; those before it are committed first.
    refused: Option<([u8; 32], BookError)>,
    /// Since when the node has had this last block, which is below the book's.
    behind: Option<([u8; 32], Instant)>,
}

impl<'a> Follower<'a> {
    /// Opens the ledger of a node's chain. `from` is where it begins if it is empty.
    pub fn open(book: &'a Book, identity: &Identity, from: u64, once: bool) -> Result<Self, BookError> {
        let writer = book.utxo_writer(&identity.ledger, &identity.asset)?;
        let identity = identity.clone();
        let (batch, refused, behind) = (None, None, None);
        Ok(Self { book, identity, from, once, writer: Some(writer), batch, misfits: 0, refused, behind })
    }

    /// The book's last height.
    pub fn height(&self) -> Option<u64> {
        self.tip().map(|tip| tip.height)
    }

    fn writer(&self) -> &UtxoWriter {
        self.writer.as_ref().expect("whatever fails to open it anew ends the follower")
    }

    fn writer_mut(&mut self) -> &mut UtxoWriter {
        self.writer.as_mut().expect("whatever fails to open it anew ends the follower")
    }

    fn tip(&self) -> Option<Tip> {
        self.writer().tip()
    }

    /// Looks at the node once and does what follows. `seen` is when the node was heard or seen to have something new.
    pub fn turn(
        &mut self,
        node: &dyn Node,
        seen: Instant,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Turn, FollowError> {
        if stop.load(Ordering::Relaxed) {
            return Ok(Turn::Stopped);
        }
        let best = node.best()?;
        let Some(tip) = self.tip() else { return self.begin(node, seen, stop, tell) };
        if tip.hash == best {
            self.behind = None;
            self.misfits = 0;
            return Ok(Turn::AtTip);
        }
        let state = node.state()?;
        let Some(common) = self.common(node, tip.height, &state)? else {
            let what = "its chain and the book's have no block in common; follow it into another book".to_owned();
            return Err(NodeError::Chain { node: node.name(), what }.into());
        };
        if common == tip.height {
            self.behind = None;
            return self.add(node, tip.height + 1, &state, seen, stop, tell);
        }
        if common == state.height
            && let Some(why) = self.wait_for_more(tip.height, &state)
        {
            return Ok(Turn::Wait(why));
        }
        self.take_back(common, tell)
    }

    /// The first turn of an empty ledger.
    fn begin(
        &mut self,
        node: &dyn Node,
        seen: Instant,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Turn, FollowError> {
        let state = node.state()?;
        if let Some(first) = state.first_stored.filter(|first| *first > self.from) {
            return Err(NodeError::Pruned { node: node.name(), height: self.from, first: Some(first) }.into());
        }
        if self.from > state.height {
            return Ok(Turn::Wait(format!("the node is at height {}, before height {}", state.height, self.from)));
        }
        self.add(node, self.from, &state, seen, stop, tell)
    }

    /// The height of the last block that book and node have in common.
    fn common(&self, node: &dyn Node, tip: u64, state: &State) -> Result<Option<u64>, NodeError> {
        let first = self.first_height(tip);
        let is_common = |height: u64| -> Result<bool, NodeError> {
            let theirs = node.hashes(height, 1)?.first().copied();
            Ok(theirs.is_some() && theirs == self.writer().block_hash(height))
        };
        last_common(first, tip.min(state.height), is_common)
    }

    fn first_height(&self, tip: u64) -> u64 {
        tip + 1 - self.writer().blocks()
    }

    /// Why to wait for a node whose last block is one of the book's, below its last: it may have lost blocks when it
    /// was killed, or be reading them anew, and will have them again. One that stands still has really dropped them.
    fn wait_for_more(&mut self, tip: u64, state: &State) -> Option<String> {
        let less = tip - state.height;
        let since = match self.behind {
            Some((best, since)) if best == state.best => since,
            _ => self.behind.insert((state.best, Instant::now())).1,
        };
        let where_it_is = format!("the node is at height {}, {less} below the book's last block", state.height);
        if state.headers > state.height {
            return Some(format!("{where_it_is}, and still connecting blocks"));
        }
        if less > BEHIND_BLOCKS_MAX {
            return Some(format!(
                "{where_it_is}; if that is meant to be, take them back: tracehound book undo --ledger {} {less}",
                self.identity.ledger
            ));
        }
        (!self.once && since.elapsed() < BEHIND_TIME_MIN).then_some(where_it_is)
    }

    fn take_back(&mut self, common: u64, tell: &mut dyn FnMut(Event)) -> Result<Turn, FollowError> {
        self.commit(None, tell)?;
        let tip = self.tip().expect("it was there when the common block was looked for");
        let blocks = tip.height - common;
        match self.writer_mut().undo(blocks) {
            Ok(()) => {}
            Err(BookError::Read(ledger)) => {
                let what = if blocks == 1 { "1 block".to_owned() } else { format!("{blocks} blocks") };
                return Ok(Turn::Wait(format!(
                    "the chain has turned at height {common}, and {what} cannot be taken back while {ledger} is being read"
                )));
            }
            Err(error) => return Err(error.into()),
        }
        self.behind = None;
        let hash = self.writer().block_hash(common).expect("the common block stays");
        tell(Event::Undone { blocks, height: common, hash, stale: tip.hash });
        Ok(Turn::Again)
    }

    /// Adds blocks from a height up to where the node was when it was looked at.
    fn add(
        &mut self,
        node: &dyn Node,
        from: u64,
        state: &State,
        seen: Instant,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Turn, FollowError> {
        let target = state.height;
        let named = (target.saturating_sub(from) < NAMED_BLOCKS_MAX).then_some(seen);
        // A ledger from genesis on knows every output that can be spent.
        let begins = self.height().map_or(self.from, |tip| self.first_height(tip));
        let need = if begins == 0 { Need::Block } else { Need::Spent };
        let (mut next, mut is_new) = (from, false);
        while next <= target {
            let hashes = node.hashes(next, WINDOW_BLOCKS.min(target - next + 1))?;
            if hashes.is_empty() {
                break;
            }
            is_new = true;
            let height_of = |at: usize| next + at as u64;
            let fetch = |at: usize| node.block(height_of(at), &hashes[at], need);
            let result = in_order(hashes.len(), REQUESTS_MAX, fetch, |at, block| {
                let height = height_of(at);
                let goes_on = self.take(node, height, &block?, named, tell)?;
                if named.is_none() && goes_on {
                    tell(Event::Filling { height, target });
                }
                Ok::<bool, FollowError>(goes_on && !stop.load(Ordering::Relaxed))
            });
            let fits = match result {
                Ok(fits) => fits,
                Err(error) => {
                    self.keep_what_is_whole(named, tell);
                    return Err(error);
                }
            };
            next += hashes.len() as u64;
            if !fits {
                break;
            }
        }
        self.commit(named, tell)?;
        if !is_new {
            self.misfit(node, state.height, &state.best)?;
        }
        if stop.load(Ordering::Relaxed) {
            return Ok(Turn::Stopped);
        }
        Ok(Turn::Again)
    }

    /// Takes one block into the batch; says no if it does not follow.
    fn take(
        &mut self,
        node: &dyn Node,
        height: u64,
        block: &UtxoBlock,
        named: Option<Instant>,
        tell: &mut dyn FnMut(Event),
    ) -> Result<bool, FollowError> {
        if let Some((_, error)) = self.refused.take_if(|(refused, _)| *refused == block.hash) {
            self.commit(named, tell)?;
            let (node, hash) = (node.name(), txid_text(&block.hash));
            return Err(FollowError::Refused { node, height, hash, error: Box::new(error) });
        }
        let tip = self.tip();
        let fits = match tip {
            Some(tip) => block.previous == Some(tip.hash) && height == tip.height + 1,
            None => height == self.from,
        };
        if !fits {
            return self.misfit(node, height, &block.hash).map(|()| false);
        }
        let transactions = block.transactions.len() as u64;
        match self.writer_mut().push_block(block) {
            Ok(Pushed::Added | Pushed::Skipped) => {}
            Err(error @ BookError::Deed(_)) => {
                // What stood in the batch before it is lost with the writer: it is pushed again, up to this block.
                self.reopen()?;
                self.refused = Some((block.hash, error));
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
        self.misfits = 0;
        let batch = self.batch.get_or_insert((height, 0));
        batch.1 += transactions;
        if named.is_some() || self.writer().is_full() {
            self.commit(named, tell)?;
        }
        Ok(true)
    }

    /// A block that does not follow the book's last one: the chain has turned since its hash was asked for.
    fn misfit(&mut self, node: &dyn Node, height: u64, hash: &[u8; 32]) -> Result<(), FollowError> {
        self.misfits += 1;
        if self.misfits < MISFITS_MAX {
            return Ok(());
        }
        let what = "what the node says of its chain does not fit together".to_owned();
        Err(NodeError::Block { node: node.name(), height, hash: txid_text(hash), what }.into())
    }

    /// Drops the batch, and a writer that cannot go on.
    fn reopen(&mut self) -> Result<(), FollowError> {
        self.batch = None;
        // The old one holds the ledger's lock.
        drop(self.writer.take());
        self.writer = Some(self.book.utxo_writer(&self.identity.ledger, &self.identity.asset)?);
        Ok(())
    }

    fn commit(&mut self, named: Option<Instant>, tell: &mut dyn FnMut(Event)) -> Result<(), FollowError> {
        let Some((first, transactions)) = self.batch.take() else { return Ok(()) };
        self.writer_mut().commit()?;
        let tip = self.tip().expect("a batch has a block");
        tell(match named {
            Some(seen) => Event::Added { height: tip.height, hash: tip.hash, transactions, after: seen.elapsed() },
            None => Event::Filled { first, height: tip.height, hash: tip.hash, transactions },
        });
        Ok(())
    }

    /// Commits what came before an error; the error is what is told.
    fn keep_what_is_whole(&mut self, named: Option<Instant>, tell: &mut dyn FnMut(Event)) {
        let _ = self.commit(named, tell);
    }
}
