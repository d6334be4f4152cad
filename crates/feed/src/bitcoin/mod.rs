//! [`ingest_block_files`]: the `blocks/` folder of a Bitcoin Core or Knots node into the book.
//!
//! Headers of all files first ([`mod@index`]), which hang together as trees ([`mod@chain`]); the chain with the most work is
//! decoded on several threads ([`mod@pipeline`]) and pushed in order of height ([`mod@fill`]). Blocks that the ledger has are not
//! read again, so a killed run is resumed by running it again. Unlike other sources a folder goes in as far as it is good:
//! a chain is right up to each of its blocks, and what is damaged is named and left out.
//!
//! It trusts a node's judgement where it cannot check: no rule of consensus is looked at but work, merkle roots and sums.
//!
//! Sources: `node/blockstorage.cpp`, `validation.cpp` (`CBlockIndexWorkComparator`) and `undo.h` of Bitcoin Core 30;
//! BIP 34.

mod block;
mod chain;
mod choose;
mod fill;
mod folder;
mod index;
mod network;
mod parallel;
mod pipeline;
mod report;
mod undo;
mod walk;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use book::{Book, UtxoWriter};
use ledger::{LedgerId, Network};
use money::Asset;

pub use choose::UNKNOWN_REORG_MAX;
pub use folder::FILES_MAX;
pub use index::BLOCKS_MAX;
pub use pipeline::AHEAD_BYTES_MAX;
pub use report::{BlockFilesReport, BlockName, FileProblem, PROBLEMS_MAX, SkippedBytes};

use crate::blocks::refuse_accounts;
use crate::error::FeedError;
use crate::progress::Progress;
use block::Source;
use chain::Tree;
use choose::{Chosen, choose, start};
use fill::{Filled, Target, fill};
use folder::Folder;
use index::{Index, Lost};
use undo::UndoIndex;

/// How a folder is taken.
#[derive(Clone, Debug)]
pub struct BlockFilesIngest {
    /// The ledger, where the user says it; it must be the folder's.
    pub ledger: Option<LedgerId>,
    /// The magic before each block, for chains that have no name here.
    pub magic: Option<[u8; 4]>,
    /// How many threads read and decode.
    pub threads: NonZeroUsize,
    /// Whether to check fees with the undo files.
    pub use_undo: bool,
}

impl Default for BlockFilesIngest {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { ledger: None, magic: None, threads, use_undo: true }
    }
}

/// Takes the best chain of a `blocks/` folder into the book. Setting `stop` ends it with what is whole committed.
pub fn ingest_block_files(
    book: &Book,
    folder: &Path,
    ingest: &BlockFilesIngest,
    stop: &AtomicBool,
    progress: &mut dyn Progress,
) -> Result<BlockFilesReport, FeedError> {
    let path = folder.display().to_string();
    let refused = |what: String| FeedError::Source { file: path.clone(), what };
    let folder = Folder::open(folder)?;
    let form = network::form(&folder, &path, ingest.magic)?;
    let index = Index::read(&folder, form.magic, form.network, ingest.threads, progress)?;
    if index.entries.is_empty() {
        return Err(refused("there is no whole block in its blk*.dat; get the files from the node again".to_owned()));
    }
    let entries = &index.entries;
    let tree = Tree::new(entries);
    let trees = tree.branches(entries);
    let undo = ingest.use_undo.then(|| UndoIndex::read(&folder, entries, &tree, form.magic, ingest.threads, progress));
    let is_genesis = |tree: &&chain::Branches| entries[tree.root as usize].previous == [0; 32];
    let best_genesis = trees.iter().rev().filter(is_genesis).max_by_key(|branches| tree.work(branches.tips[0]));
    let genesis = best_genesis.map(|branches| entries[branches.root as usize].hash);
    let ledger = network::name_ledger(form, genesis, ingest.ledger.as_ref(), &path)?;
    refuse_accounts(book, &ledger, &path)?;
    let asset = asset(form.network);
    let target = Target { book, ledger: &ledger, asset: &asset, path: &path, threads: ingest.threads, stop };
    let mut writer = target.open()?;
    let source = Source {
        folder: &folder,
        entries,
        tree: &tree,
        undo: undo.as_ref(),
        network: form.network,
        needs_spent: false,
    };
    let chosen = choose(source, &trees, &index.lost, &writer).map_err(refused)?;
    let is_beside = |hash: &[u8; 32]| tree.find(entries, hash).is_some_and(|entry| tree.root(entry) == chosen.chain[0]);
    let begin = start(&chosen, source, &writer, is_beside).map_err(refused)?;
    if begin.take_back > 0 {
        writer.undo(begin.take_back).map_err(FeedError::book(&path))?;
    }
    let needs_spent = first_height(&writer).unwrap_or(chosen.base) > 0;
    let before = (writer.blocks(), writer.end().0);
    let source = Source { needs_spent, ..source };
    let (filled, writer) = fill(&target, source, &chosen, begin.at, writer, progress)?;
    let counts = Counts { before, already_there: begin.at as u64, taken_back: begin.take_back };
    Ok(report(&ledger, source, &index, &chosen, &counts, filled, &writer))
}

fn asset(network: &Network) -> Asset {
    Asset { symbol: network.symbol.to_owned(), scale: network.scale }
}

/// The height of the ledger's first block.
fn first_height(writer: &UtxoWriter) -> Option<u64> {
    Some(writer.tip()?.height + 1 - writer.blocks())
}

struct Counts {
    before: (u64, u64),
    already_there: u64,
    taken_back: u64,
}

fn report(
    ledger: &LedgerId,
    source: Source<'_>,
    index: &Index,
    chosen: &Chosen,
    counts: &Counts,
    filled: Filled,
    writer: &UtxoWriter,
) -> BlockFilesReport {
    let Source { folder, entries, tree, undo, .. } = source;
    let tip = entries[*chosen.chain.last().expect("a chain has a block") as usize].hash;
    let is_missing = |lost: &Lost| {
        lost.previous.is_some_and(|previous| {
            let parent = tree.find(entries, &previous);
            // What hangs on the last block would have been the next one; what hangs on nothing known may be anything.
            previous == tip || parent.is_none()
        })
    };
    let lacks = chosen.lacks || index.problems.iter().any(|problem| problem.is_damage);
    let is_whole = !lacks && !filled.is_cut && !filled.is_interrupted && !index.lost.iter().any(is_missing);
    let lost = index.lost.iter().map(|lost| lost.problem(folder, chosen.lacks || is_missing(lost)));
    let mut problems: Vec<FileProblem> = lost.chain(index.problems.iter().cloned()).collect();
    problems.extend(chosen.problems.iter().cloned());
    problems.extend(undo.iter().flat_map(|undo| undo.problems.iter().cloned()));
    problems.extend(filled.problems);
    problems.sort();
    problems.dedup();
    let mut problems = undo::sum_up(&problems);
    let problems_untold = problems.len().saturating_sub(PROBLEMS_MAX) as u64;
    problems.truncate(PROBLEMS_MAX);
    BlockFilesReport {
        ledger: ledger.clone(),
        added: writer.blocks() - counts.before.0,
        already_there: counts.already_there,
        taken_back: counts.taken_back,
        transactions: writer.end().0 - counts.before.1,
        blocks_in_files: chosen.chain.len() as u64 + chosen.stale + chosen.left_out,
        stale: chosen.stale,
        left_out: chosen.left_out,
        with_undo: filled.with_undo,
        files: folder.blocks.len() as u64,
        bytes: index.bytes,
        tip: writer.tip().map(|tip| BlockName { height: tip.height, hash: tip.hash }),
        skipped: index.skipped.clone(),
        problems,
        problems_untold,
        is_whole,
        is_interrupted: filled.is_interrupted,
    }
}
