//! [`Shelf`]: the book's side of an EVM chain: blocks in, batch by batch, and out again when the chain turns.

use std::time::{Duration, Instant};

use book::{AccountWriter, Book, BookError, Tip};
use evm::Decoded;
use ledger::LedgerId;

/// How long a batch may grow: what a kill can cost.
const BATCH_TIME_MAX: Duration = Duration::from_secs(30);

/// A batch that is not committed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    /// Its first height.
    pub first: u64,
    /// How many transactions it has.
    pub transactions: u64,
    since: Instant,
}

/// An account ledger that takes blocks.
pub(super) struct Shelf<'a> {
    book: &'a Book,
    ledger: LedgerId,
    /// There but while it is opened anew.
    writer: Option<AccountWriter>,
    batch: Option<Batch>,
}

impl<'a> Shelf<'a> {
    pub fn open(book: &'a Book, ledger: &LedgerId) -> Result<Self, BookError> {
        let writer = book.account_writer(ledger)?;
        if writer.blocks() == 0 && writer.end().0 > 0 {
            return Err(book::DeedError::BlockAmongRows { height: 0 }.into());
        }
        Ok(Self { book, ledger: ledger.clone(), writer: Some(writer), batch: None })
    }

    pub fn ledger(&self) -> &LedgerId {
        &self.ledger
    }

    pub fn writer(&self) -> &AccountWriter {
        self.writer.as_ref().expect("whatever fails to open it anew ends the shelf")
    }

    pub fn writer_mut(&mut self) -> &mut AccountWriter {
        self.writer.as_mut().expect("whatever fails to open it anew ends the shelf")
    }

    /// The last block, the batch's included.
    pub fn tip(&self) -> Option<Tip> {
        self.writer().tip()
    }

    /// Takes a block into the batch.
    pub fn push(&mut self, decoded: &Decoded) -> Result<(), BookError> {
        let block = &decoded.block;
        let follows = self.tip().is_none_or(|tip| tip.height + 1 == block.height && block.previous == Some(tip.hash));
        let writer = self.writer_mut();
        // What does not follow is refused below, and its assets would stay in the batch.
        for asset in decoded.assets.iter().filter(|_| follows) {
            writer.declare_asset(asset)?;
        }
        writer.push_block(&decoded.block)?;
        let first = decoded.block.height;
        let batch = self.batch.get_or_insert(Batch { first, transactions: 0, since: Instant::now() });
        batch.transactions += decoded.block.transactions.len() as u64;
        Ok(())
    }

    /// Whether the batch should be committed.
    pub fn is_full(&self) -> bool {
        self.writer().is_full() || self.batch.is_some_and(|batch| batch.since.elapsed() >= BATCH_TIME_MAX)
    }

    /// Makes the batch part of the ledger; gives it, if there was one.
    pub fn commit(&mut self) -> Result<Option<Batch>, BookError> {
        let Some(batch) = self.batch.take() else { return Ok(None) };
        self.writer_mut().commit()?;
        Ok(Some(batch))
    }

    /// Drops the batch, and a writer that cannot go on.
    pub fn reopen(&mut self) -> Result<(), BookError> {
        self.batch = None;
        // The old one holds the ledger's lock.
        drop(self.writer.take());
        self.writer = Some(self.book.account_writer(&self.ledger)?);
        Ok(())
    }
}
