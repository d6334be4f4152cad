//! Which chain of the files goes into the ledger, and from where on.
//!
//! The chain with the most work from block 0 on. Where block 0 is not in the files (pruned, copied in part) the tree with
//! the most work, its height by its coinbase (BIP 34). Blocks that hang on what the ledger has already go on from there.

use book::UtxoWriter;
use decode::bitcoin::{Contents, Work};
use ledger::txid_text;

use super::block::{Decoder, Source};
use super::chain::Branches;
use super::index::{Entry, Lost};
use super::report::FileProblem;

/// Of how many trees without block 0 the height is read.
const ROOTS_READ_MAX: usize = 64;
/// How many blocks that no file of this folder knows are taken back without asking.
pub const UNKNOWN_REORG_MAX: u64 = 1_000;

/// The magic and the size before a block.
const HEAD_BYTES: u64 = 8;

const GET_PARENT: &str = "get the file that has it from the node again; \
                          if the node is still downloading, run the same command again later";

/// The chain to be taken.
#[derive(Debug)]
pub(super) struct Chosen {
    /// The height of its first block.
    pub base: u64,
    /// Its entries.
    pub chain: Vec<u32>,
    pub stale: u64,
    pub left_out: u64,
    /// Blocks that hang on one that no file holds.
    pub problems: Vec<FileProblem>,
    /// Whether some of them are above the chain's end.
    pub lacks: bool,
}

/// A tree whose height is known.
struct Candidate {
    number: usize,
    base: u64,
    tip: u32,
    work: Work,
    is_genesis: bool,
}

/// Chooses the chain; what is wrong, where none can be.
pub(super) fn choose(
    source: Source<'_>,
    trees: &[Branches],
    lost: &[Lost],
    writer: &UtxoWriter,
) -> Result<Chosen, String> {
    let mut decoder = Decoder::new(source);
    let mut heights = Vec::with_capacity(trees.len());
    for (number, tree) in trees.iter().enumerate() {
        let is_genesis = source.entries[tree.root as usize].previous == [0; 32];
        let read = (!is_genesis && number < ROOTS_READ_MAX).then(|| decoder.coinbase_height(tree.root)).flatten();
        heights.push(if is_genesis { Some(0) } else { read });
    }
    let candidates: Vec<Candidate> = trees
        .iter()
        .zip(&heights)
        .enumerate()
        .filter_map(|(number, (tree, height))| {
            let tip = *tree.tips.first()?;
            let is_genesis = source.entries[tree.root as usize].previous == [0; 32];
            Some(Candidate { number, base: (*height)?, tip, work: source.tree.work(tip), is_genesis })
        })
        .collect();
    let best = best(source, &candidates, writer)
        .ok_or("it does not begin with block 0, and its first block does not say its height; get the earlier files")?;
    let tip = tip(&mut decoder, &trees[best.number]);
    let mut chain = source.tree.chain(tip);
    if !best.is_genesis && chain.get(1).is_some_and(|next| decoder.coinbase_height(*next) != Some(best.base + 1)) {
        return Err("its first blocks do not say their heights; get the earlier files as well".to_owned());
    }
    let end = best.base + chain.len() as u64 - 1;
    let (mut problems, mut left_out, mut lacks, mut highest) = (Vec::new(), 0, false, None);
    for (tree, height) in trees.iter().zip(&heights).filter(|(tree, _)| tree.root != chain[0]) {
        let top = height.map(|height| height + u64::from(source.tree.depth(tree.tips[0])));
        let is_above = top.is_none_or(|top| top > end) && !is_remains(&source.entries[tree.root as usize], lost);
        left_out += tree.blocks;
        lacks |= is_above;
        if is_above {
            highest = highest.max(top.zip(*height));
        }
        problems.push(left(source, tree, *height, is_above));
    }
    let mut keeps = chain.len() as u64;
    if let Some((_, height)) = highest {
        // What is above builds on another block than this chain has right below it, if it has one there: that is stale,
        // or its header is damaged, and so is all that follows it.
        keeps = keeps.min(height.saturating_sub(1 + best.base).max(1));
    }
    chain.truncate(index(keeps));
    let stale = trees[best.number].blocks - keeps;
    Ok(Chosen { base: best.base, stale, chain, left_out, problems, lacks })
}

/// Whether a block comes right after bytes that are no damaged copy of its parent. A node that was killed forgets what it
/// had not flushed and writes over it later: what is left is a piece of a block, then blocks without their parents.
fn is_remains(root: &Entry, lost: &[Lost]) -> bool {
    lost.iter()
        .filter(|lost| lost.file == root.file)
        .any(|lost| lost.gap.is_some_and(|(end, hash)| end + HEAD_BYTES == root.offset && hash != Some(root.previous)))
}

fn best<'a>(source: Source<'_>, candidates: &'a [Candidate], writer: &UtxoWriter) -> Option<&'a Candidate> {
    // `max_by` takes the last of equals, and the first one in the files is meant.
    let first_best = |only_genesis: bool| {
        let fits = candidates.iter().rev().filter(move |candidate| candidate.is_genesis || !only_genesis);
        fits.max_by(|one, other| one.work.cmp(&other.work))
    };
    let best = first_best(true).or_else(|| first_best(false))?;
    let end = |candidate: &Candidate| candidate.base + u64::from(source.tree.depth(candidate.tip));
    let goes_on = |candidate: &&Candidate| {
        let root = &source.entries[source.tree.chain(candidate.tip)[0] as usize];
        let below = candidate.base.checked_sub(1).and_then(|height| writer.block_hash(height));
        end(candidate) > end(best) && below == Some(root.previous)
    };
    Some(candidates.iter().rev().filter(goes_on).max_by_key(|candidate| end(candidate)).unwrap_or(best))
}

/// The last block of the best chain: of equals the one that the node has connected, which left undo data.
fn tip(decoder: &mut Decoder<'_>, tree: &Branches) -> u32 {
    let first = tree.tips[0];
    if tree.tips.len() == 1 {
        return first;
    }
    tree.tips.iter().copied().find(|tip| decoder.has_undo(*tip)).unwrap_or(first)
}

fn left(source: Source<'_>, tree: &Branches, height: Option<u64>, is_above: bool) -> FileProblem {
    let root = &source.entries[tree.root as usize];
    let height = height.map_or_else(String::new, |height| format!(" (height {height})"));
    let (hash, parent) = (txid_text(&root.hash), txid_text(&root.previous));
    let blocks = if tree.blocks == 1 { "1 block is".to_owned() } else { format!("{} blocks are", tree.blocks) };
    let what = format!("block {hash}{height} names parent {parent}, which no file holds: {blocks} left out");
    let name = source.folder.name(Contents::Blocks, root.file);
    if is_above {
        FileProblem::damage(name, Some(root.offset), what, GET_PARENT)
    } else {
        FileProblem::note(name, Some(root.offset), what, "")
    }
}

/// Where the chain goes on in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The first entry of the chain that the ledger does not have.
    pub at: usize,
    /// How many of the ledger's blocks go first.
    pub take_back: u64,
}

/// Finds where the chain goes on in the ledger. `knows` says whether a block is in the files.
pub(super) fn start(
    chosen: &Chosen,
    source: Source<'_>,
    writer: &UtxoWriter,
    knows: impl Fn(&[u8; 32]) -> bool,
) -> Result<Start, String> {
    let Some(tip) = writer.tip() else { return Ok(Start { at: 0, take_back: 0 }) };
    let hash = |at: usize| source.entries[chosen.chain[at] as usize].hash;
    let last = chosen.base + chosen.chain.len() as u64 - 1;
    let is_there = |height: &u64| writer.block_hash(*height) == Some(hash(index(*height - chosen.base)));
    let common = (chosen.base..=last.min(tip.height)).rev().find(is_there).or_else(|| {
        let below = chosen.base.checked_sub(1)?;
        let parent = source.entries[chosen.chain[0] as usize].previous;
        (writer.block_hash(below) == Some(parent)).then_some(below)
    });
    let Some(common) = common else {
        return Err(format!(
            "its blocks begin at height {} and do not hang on the ledger, which ends with block {} at height {}; \
             name the folder of the same chain, with the blocks between",
            chosen.base,
            txid_text(&tip.hash),
            tip.height
        ));
    };
    let at = index(common + 1 - chosen.base);
    if common == tip.height || common == last {
        return Ok(Start { at, take_back: 0 });
    }
    let take_back = tip.height - common;
    if knows(&tip.hash) || (last > tip.height && take_back <= UNKNOWN_REORG_MAX) {
        return Ok(Start { at, take_back });
    }
    Err(format!(
        "its best chain leaves the ledger's at height {common} and ends at height {last}; the ledger ends with block {} at \
         height {}, which no file holds. If these files have the better chain, take back {take_back} blocks with \
         book undo first",
        txid_text(&tip.hash),
        tip.height
    ))
}

fn index(blocks: u64) -> usize {
    usize::try_from(blocks).expect("a chain of the files fits memory")
}
