//! Exported tables (`evm::exports`) into the book: which files of a folder they are, and block after block.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use book::{Book, BookError};
use evm::Decoded;
use evm::exports::{ExportFault, Exports, TableName, Tables};

use super::follow::commit;
use super::options::EvmOptions;
use super::problems::Problems;
use super::run::{chain, tokens};
use super::shelf::Shelf;
use super::source::hash_text;
use crate::error::FeedError;
use crate::following::{Event, FollowError};
use crate::input::{Input, Reading};
use crate::wire::NodeError;

/// How a table's file may end.
const ENDS: [&str; 8] = [".csv", ".json", ".ndjson", ".jsonl", ".csv.gz", ".json.gz", ".ndjson.gz", ".jsonl.gz"];
/// The chain of tables, unless the user names another: nothing in them says it.
const CHAIN: u64 = 1;

/// Takes exported tables into the book.
pub fn export_evm(
    book: &Book,
    folder: &Path,
    options: &EvmOptions,
    stop: &AtomicBool,
    tell: &mut dyn FnMut(Event),
) -> Result<(), FollowError> {
    let number = options.chain.unwrap_or(CHAIN);
    let name = folder.display().to_string();
    let files = TableFiles::find(folder)?;
    let shelf = Shelf::open(book, &evm::ledger_id(number))?;
    let chain = chain(number, options, &shelf).map_err(|what| NodeError::Chain { node: name.clone(), what })?;
    let tokens = tokens(&chain, options, &shelf)?;
    let exports = Exports::new(&chain, &tokens, &options.keep, files.open()?).map_err(|fault| files.wrong(fault))?;
    let mut filling = Filling { name, shelf, problems: Problems::default(), options, tell };
    for decoded in exports {
        let taken = match decoded {
            Ok(decoded) => filling.take(&decoded),
            Err(fault) => Err(files.wrong(fault).into()),
        };
        let goes_on = taken.or_else(|error| filling.commit().and(Err(error)))?;
        if !goes_on || stop.load(Ordering::Relaxed) {
            break;
        }
    }
    filling.commit()?;
    let last = filling.shelf.tip();
    if let (Some(tip), false) = (last, stop.load(Ordering::Relaxed)) {
        (filling.tell)(Event::AtTip { height: tip.height });
    }
    Ok(())
}

/// The files of an export.
struct TableFiles {
    folder: PathBuf,
    blocks: Input,
    others: [Option<Input>; 4],
}

impl TableFiles {
    fn find(folder: &Path) -> Result<Self, FeedError> {
        let find = |table: TableName| -> Result<Option<Input>, FeedError> {
            let mut there =
                ENDS.iter().map(|end| folder.join(format!("{}{end}", table.name()))).filter(|path| path.is_file());
            let (Some(path), more) = (there.next(), there.next()) else { return Ok(None) };
            if let Some(more) = more {
                let what = format!("the table of {table} is there twice: {} as well; leave one", more.display());
                return Err(FeedError::Source { file: path.display().to_string(), what });
            }
            Input::open(&path, &std::env::temp_dir(), &mut ()).map(Some)
        };
        let Some(blocks) = find(TableName::Blocks)? else {
            let what = "there is no table of blocks in it (blocks.csv or blocks.json); give the folder of an export"
                .to_owned();
            return Err(FeedError::Source { file: folder.display().to_string(), what });
        };
        let others = [TableName::Transactions, TableName::Receipts, TableName::Logs, TableName::Traces];
        let [transactions, receipts, logs, traces] = others.map(find);
        Ok(Self { folder: folder.to_owned(), blocks, others: [transactions?, receipts?, logs?, traces?] })
    }

    fn open(&self) -> Result<Tables<Reading>, FeedError> {
        let read = |input: &Option<Input>| input.as_ref().map(Input::read).transpose();
        let [transactions, receipts, logs, traces] = &self.others;
        Ok(Tables {
            blocks: self.blocks.read()?,
            transactions: read(transactions)?,
            receipts: read(receipts)?,
            logs: read(logs)?,
            traces: read(traces)?,
        })
    }

    /// What is wrong, with the name of the file that it is in.
    fn wrong(&self, fault: ExportFault) -> FeedError {
        let [transactions, receipts, logs, traces] = &self.others;
        let input = match fault.table {
            TableName::Blocks => Some(&self.blocks),
            TableName::Transactions => transactions.as_ref(),
            TableName::Receipts => receipts.as_ref(),
            TableName::Logs => logs.as_ref(),
            TableName::Traces => traces.as_ref(),
        };
        let file = input.map_or_else(|| self.folder.display().to_string(), |input| input.name.clone());
        FeedError::decode(&file, fault.error)
    }
}

/// What takes blocks.
struct Filling<'a, 'b> {
    name: String,
    shelf: Shelf<'a>,
    problems: Problems,
    options: &'a EvmOptions,
    tell: &'b mut dyn FnMut(Event),
}

impl Filling<'_, '_> {
    /// Takes a block, if it is wanted and not there yet; says no after the last that is wanted.
    fn take(&mut self, decoded: &Decoded) -> Result<bool, FollowError> {
        let (height, hash) = (decoded.block.height, decoded.block.hash);
        if self.options.to.is_some_and(|to| height > to) {
            return Ok(false);
        }
        let wrong = |what: String| {
            let (node, hash) = (self.name.clone(), hash_text(&hash));
            Err(NodeError::Block { node, height, hash, what }.into())
        };
        match self.shelf.tip() {
            None if self.options.from.is_some_and(|from| height < from) => return Ok(true),
            // What is below the ledger's first block is not wanted, and what is in it must be the same.
            Some(tip) if height <= tip.height => match self.shelf.writer().block_hash(height) {
                Some(has) if has != hash => {
                    return wrong(format!("the book has {} there: these are not of one chain", hash_text(&has)));
                }
                _ => return Ok(true),
            },
            Some(tip) if height > tip.height + 1 => {
                return wrong(format!(
                    "it comes after block {}, and those between are missing; take one run of blocks with --from and --to",
                    tip.height
                ));
            }
            _ => {}
        }
        match self.shelf.push(decoded) {
            Ok(()) => {}
            Err(error @ BookError::Deed(_)) => {
                let (node, hash) = (self.name.clone(), hash_text(&hash));
                return Err(FollowError::Refused { node, height, hash, error: Box::new(error) });
            }
            Err(error) => return Err(error.into()),
        }
        self.problems.report(&[], decoded, self.tell);
        if self.shelf.is_full() {
            self.commit()?;
        }
        Ok(true)
    }

    fn commit(&mut self) -> Result<(), FollowError> {
        commit(&mut self.shelf, None, self.tell)
    }
}
