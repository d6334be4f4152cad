//! [`Decoder`]: from a block's place in the files to the ledger's deed of it, checked.
//!
//! What is checked: that the block is the one of the index, its form, its merkle root, and with undo data that no
//! transaction pays out more than it takes in. Undo data that does not fit is told and left away; the block is good
//! without it, since the book looks up what inputs spend.

use decode::bitcoin::{Contents, Options, RawBlock, attach, attach_fees, undo};
use ledger::{Network, UtxoBlock, txid_text};

use super::chain::Tree;
use super::folder::{Folder, Reader};
use super::index::{Entry, Index};
use super::report::FileProblem;
use super::undo::{Located, UndoIndex};

const NOT_CHECKED: &str = "the block was taken without it, and what its inputs spend was looked up";
const GET_AGAIN: &str =
    "the chain ends before it; get the file from the node again and run the same command to go on from there";

/// The files and what is known of them: all that a decoder needs, shared by all of them.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub folder: &'a Folder,
    pub entries: &'a [Entry],
    pub tree: &'a Tree,
    pub undo: Option<&'a UndoIndex<'a>>,
    pub network: &'a Network,
    /// Whether inputs must say what they spent, and not only transactions their fees.
    pub needs_spent: bool,
}

/// Why there is no deed of a block.
#[derive(Debug)]
pub(super) enum NoBlock {
    /// It is damaged.
    Damaged(FileProblem),
    /// The node has not written it to its end.
    BeingWritten(FileProblem),
    /// Somebody else has it.
    Taken,
}

/// What became of a block.
#[derive(Debug)]
pub(super) struct Decoded {
    pub entry: u32,
    pub block: Result<UtxoBlock, NoBlock>,
    /// What else there is to say: of a damaged copy, or of undo data.
    pub notes: Vec<FileProblem>,
    pub has_undo: bool,
}

/// Decodes blocks one after the other, in the same buffers.
pub(super) struct Decoder<'a> {
    source: Source<'a>,
    reader: Reader<'a>,
    block_bytes: Vec<u8>,
    undo_bytes: Vec<u8>,
}

impl<'a> Decoder<'a> {
    pub fn new(source: Source<'a>) -> Self {
        Self { source, reader: Reader::new(source.folder), block_bytes: Vec::new(), undo_bytes: Vec::new() }
    }

    /// The height that a block's coinbase says (BIP 34), if it is whole and says one.
    pub fn coinbase_height(&mut self, entry: u32) -> Option<u64> {
        let Entry { file, offset, length, .. } = self.source.entries[entry as usize];
        let bytes = self.reader.read((Contents::Blocks, file), offset, length as usize, &mut self.block_bytes).ok()?;
        RawBlock::parse(bytes, self.source.network).ok()?.coinbase_height()
    }

    /// Whether a block's undo data is there.
    pub fn has_undo(&mut self, entry: u32) -> bool {
        let located = self.source.undo.map(|undo| undo.locate(entry, &mut self.reader, &mut self.undo_bytes));
        matches!(located, Some(Located::There(..)))
    }

    /// The deed of a block, from the first copy of it that is whole.
    pub fn decode(&mut self, entry: u32, height: u64, use_undo: bool) -> Decoded {
        let mut failed = Vec::new();
        let (mut notes, mut has_undo) = (Vec::new(), false);
        for copy in self.source.tree.copies(self.source.entries, entry) {
            match self.decode_copy(copy, height, use_undo, &mut notes, &mut has_undo) {
                Ok(block) => {
                    let told = failed.into_iter().map(|problem| FileProblem {
                        help: "another copy of the block is whole, and was taken".to_owned(),
                        is_damage: false,
                        ..problem
                    });
                    notes.extend(told);
                    return Decoded { entry, block: Ok(block), notes, has_undo };
                }
                Err(problem) => failed.push(problem),
            }
        }
        let first = failed.into_iter().next().expect("an entry is among its own copies");
        let place = &self.source.entries[entry as usize];
        let block = Err(if Index::is_being_written(self.source.folder, &mut self.reader, place) {
            let (what, help) =
                ("a block is still being written there", "run the same command again to take it as well");
            NoBlock::BeingWritten(FileProblem::note(&first.file, Some(place.offset), what, help))
        } else {
            NoBlock::Damaged(first)
        });
        Decoded { entry, block, notes: Vec::new(), has_undo: false }
    }

    fn decode_copy(
        &mut self,
        entry: u32,
        height: u64,
        use_undo: bool,
        notes: &mut Vec<FileProblem>,
        has_undo: &mut bool,
    ) -> Result<UtxoBlock, FileProblem> {
        let Self { source, reader, block_bytes, undo_bytes } = self;
        let Entry { file, offset, length, hash, .. } = source.entries[entry as usize];
        let name = source.folder.name(Contents::Blocks, file);
        let label = || format!("block {} (height {height})", txid_text(&hash));
        let damaged =
            |at: u64, what: &str| FileProblem::damage(name, Some(at), format!("{}: {what}", label()), GET_AGAIN);
        let bytes = reader
            .read((Contents::Blocks, file), offset, length as usize, block_bytes)
            .map_err(|what| damaged(offset, &what))?;
        let checked = RawBlock::parse(bytes, source.network).and_then(|raw| {
            let txids = raw.check(Options { check_work: false })?;
            raw.deed(height, &txids).map(|block| (raw, txids, block))
        });
        let (raw, txids, mut block) =
            checked.map_err(|problem| damaged(offset + problem.offset() as u64, problem.what()))?;
        if block.hash != hash {
            return Err(damaged(offset, "the file has changed since it was indexed"));
        }
        let undo_index = source.undo.filter(|_| use_undo);
        match undo_index.map_or(Located::Absent, |undo| undo.locate(entry, reader, undo_bytes)) {
            Located::Absent => {}
            Located::Damaged(problem) => {
                let what = format!("{}; {} has none", problem.what, label());
                notes.push(FileProblem { what, help: NOT_CHECKED.to_owned(), ..problem });
            }
            Located::There(bytes, file, offset) => {
                let attached = undo(bytes, source.network).and_then(|undo| {
                    if source.needs_spent { attach(&mut block, &undo) } else { attach_fees(&mut block, &undo) }
                });
                match attached {
                    Ok(_) => *has_undo = true,
                    Err(problem) => {
                        let at = offset + problem.offset() as u64;
                        let what = format!("undo data of {}: {}", label(), problem.what());
                        let name = source.folder.name(Contents::Undo, file);
                        notes.push(FileProblem::damage(name, Some(at), what, NOT_CHECKED));
                        // Part of it may be filled in.
                        block = raw.deed(height, &txids).map_err(|problem| damaged(offset, problem.what()))?;
                    }
                }
            }
        }
        Ok(block)
    }
}
