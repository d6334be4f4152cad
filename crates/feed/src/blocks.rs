//! [`ingest_utxo_blocks`]: blocks into the book, all of a file or nothing.
//!
//! The file is read twice. The first reading decodes every block, checks it against itself and against its neighbours
//! (heights, parents) and against the ledger's tip, and touches nothing. The second pushes. What only the ledger can find
//! (an output spent twice, a value that contradicts it) takes back the blocks that this run has committed. Blocks that
//! are there already are skipped, so a killed run is resumed by running it again.

use std::path::Path;

use book::{Book, BookError, BookLedger, UtxoWriter};
use decode::Fault;
use decode::utxo_blocks::{BlockLine, BlockReader};
use ledger::{Kind, LedgerId, UtxoBlock, txid_text};
use money::Asset;
use sha2::Digest;

use crate::error::FeedError;
use crate::input::Input;
use crate::progress::{Phase, Progress, Step};

/// What an ingest of blocks did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlocksReport {
    /// The ledger.
    pub ledger: LedgerId,
    /// How many blocks this run has added.
    pub added: u64,
    /// How many blocks of the file were there already.
    pub already_there: u64,
    /// How many transactions this run has added.
    pub transactions: u64,
}

/// Takes blocks of `ledger`, whose coin is `asset`, into the book. `path` may be `-`; `spool` is the folder for
/// temporary files.
pub fn ingest_utxo_blocks(
    book: &Book,
    path: &Path,
    ledger: &LedgerId,
    asset: &Asset,
    spool: &Path,
    progress: &mut dyn Progress,
) -> Result<BlocksReport, FeedError> {
    let input = Input::open(path, spool, progress)?;
    refuse_accounts(book, ledger, &input.name)?;
    let blocks = Blocks { input: &input, ledger, asset };
    let mut chain = Chain::default();
    let digest = blocks.read(Phase::Checking, progress, |line| {
        chain.follow(&line).map_err(|fault| FeedError::fault(&input.name, fault))
    })?;
    let failed = FeedError::book(&input.name);
    let mut writer = book.utxo_writer(ledger, asset).map_err(&failed)?;
    let before = writer.blocks();
    attaches(&writer, &chain).map_err(|fault| FeedError::fault(&input.name, fault))?;
    let transactions = writer.end().0;
    let mut report = BlocksReport { ledger: ledger.clone(), added: 0, already_there: 0, transactions: 0 };
    let pushed = blocks.read(Phase::Filling, progress, |line| push(&mut writer, &line, &mut report, &input.name));
    let finished = pushed.and_then(|again| {
        let what = "it changed while it was being read; nothing was kept, run it again".to_owned();
        if again == digest { Ok(()) } else { Err(FeedError::Source { file: input.name.clone(), what }) }
    });
    match finished.and_then(|()| writer.commit().map_err(&failed)) {
        Ok(()) => {
            report.transactions = writer.end().0 - transactions;
            Ok(report)
        }
        Err(error) if error.kind() == crate::Kind::System => Err(error),
        Err(error) => {
            drop(writer);
            let mut writer = book.utxo_writer(ledger, asset).map_err(&failed)?;
            let committed = writer.blocks() - before;
            // What was never committed is gone with its writer.
            if committed > 0 {
                writer.undo(committed).map_err(&failed)?;
            }
            Err(error)
        }
    }
}

pub(crate) fn refuse_accounts(book: &Book, ledger: &LedgerId, file: &str) -> Result<(), FeedError> {
    match book.ledger(ledger) {
        Ok(BookLedger::Account(_)) => {
            Err(FeedError::book(file)(BookError::WrongKind { ledger: ledger.clone(), is: Kind::Account }))
        }
        Ok(BookLedger::Utxo(_)) | Err(BookError::NoLedger(_)) => Ok(()),
        Err(error) => Err(FeedError::book(file)(error)),
    }
}

/// The file, for both readings.
struct Blocks<'a> {
    input: &'a Input,
    ledger: &'a LedgerId,
    asset: &'a Asset,
}

impl Blocks<'_> {
    /// Reads every block; gives back the hash of the whole file.
    fn read(
        &self,
        phase: Phase,
        progress: &mut dyn Progress,
        mut take: impl FnMut(BlockLine) -> Result<(), FeedError>,
    ) -> Result<[u8; 32], FeedError> {
        let reading = self.input.read()?;
        let done = reading.bytes_done();
        let mut reader = BlockReader::new(reading, self.ledger.clone(), self.asset.scale);
        for (items, line) in (1..).zip(reader.by_ref()) {
            take(line.map_err(|error| FeedError::decode(&self.input.name, error))?)?;
            progress.step(Step { phase, done: done.get(), total: Some(self.input.bytes), items });
        }
        Ok(reader.into_inner().into_hash().finalize().into())
    }
}

/// The chain that a file's blocks form.
#[derive(Default)]
struct Chain {
    /// Line, height, hash and parent of every block would be much for a whole chain: the first and the last do.
    first: Option<Link>,
    last: Option<Link>,
}

#[derive(Clone, Copy)]
struct Link {
    line: u64,
    height: u64,
    hash: [u8; 32],
    previous: Option<[u8; 32]>,
}

impl Chain {
    fn follow(&mut self, line: &BlockLine) -> Result<(), Fault> {
        let UtxoBlock { height, hash, previous, .. } = line.block;
        let link = Link { line: line.line, height, hash, previous };
        if let Some(last) = self.last {
            if last.height.checked_add(1) != Some(height) {
                let what = format!("block {height} comes after block {} of line {}", last.height, last.line);
                let help = "give blocks in order of height, without gaps";
                return Err(Fault::line(line.line, what, help).field("height"));
            }
            if previous != Some(last.hash) {
                let parent = previous.map_or_else(|| "none".to_owned(), |hash| txid_text(&hash));
                let what = format!(
                    "block {height} names the parent {parent}, the block before it in line {} is {}",
                    last.line,
                    txid_text(&last.hash)
                );
                let help = "give the blocks of one chain, without stale ones";
                return Err(Fault::line(line.line, what, help).field("previousblockhash"));
            }
        }
        self.first.get_or_insert(link);
        self.last = Some(link);
        Ok(())
    }
}

/// Whether the file's first block is in the ledger, or follows its tip.
fn attaches(writer: &UtxoWriter, chain: &Chain) -> Result<(), Fault> {
    let (Some(first), Some(tip)) = (chain.first, writer.tip()) else { return Ok(()) };
    let Link { line, height, hash, previous } = first;
    let fault = |what: String, help: String| Err(Fault::line(line, what, help).field("height"));
    if let Some(has) = writer.block_hash(height) {
        if has == hash {
            return Ok(());
        }
        let what =
            format!("block {height} is {}, the ledger holds {} at that height", txid_text(&hash), txid_text(&has));
        return fault(
            what,
            format!("take back {} blocks with undo first, if this is the better chain", tip.height - height + 1),
        );
    }
    if height != tip.height + 1 {
        let what = format!("the first block has height {height}, the ledger ends at height {}", tip.height);
        return fault(what, format!("give blocks from height {} on", tip.height + 1));
    }
    if previous == Some(tip.hash) {
        return Ok(());
    }
    let parent = previous.map_or_else(|| "none".to_owned(), |hash| txid_text(&hash));
    let what = format!("block {height} names the parent {parent}, the ledger's last block is {}", txid_text(&tip.hash));
    fault(what, "take back 1 block or more with undo first, and give the blocks of one chain from there".to_owned())
}

fn push(writer: &mut UtxoWriter, line: &BlockLine, report: &mut BlocksReport, file: &str) -> Result<(), FeedError> {
    let pushed = writer.push_block(&line.block).map_err(|error| FeedError::refused(file, line.line, error))?;
    match pushed {
        book::Pushed::Added => report.added += 1,
        book::Pushed::Skipped => report.already_there += 1,
    }
    if writer.is_full() {
        writer.commit().map_err(FeedError::book(file))?;
    }
    Ok(())
}
