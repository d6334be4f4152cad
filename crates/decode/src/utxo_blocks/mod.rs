//! UTXO blocks: NDJSON, one block a line, in the shape that Bitcoin Core's `getblock HASH 2` prints (or `3`, which
//! tells the spent outputs as well). See `docs/utxo-blocks.md`.
//!
//! [`BlockReader`] checks a block against itself: hex, indexes, its coinbase, the count of its transactions, sums where
//! it tells what its inputs were worth. Whether it fits the blocks before it is for the ledger to say. Values are read
//! from their digits, whichever way they are written (`5.46e-06`): a node prints JSON numbers, and a reader that takes
//! them for floating point loses satoshis.

mod check;
mod shape;

use std::io::Read;

use ledger::{LedgerId, UtxoBlock};

use crate::fault::quoted_bytes;
use crate::lines::{DecodeError, Line, Lines};
use crate::{Column, Fault};

/// The longest line. Mainnet's largest blocks print as some 20 MB.
pub const BLOCK_LINE_BYTES_MAX: usize = 256 << 20;

/// A block with the line that it stood on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockLine {
    /// The line, from 1.
    pub line: u64,
    /// The block.
    pub block: UtxoBlock,
}

/// Blocks out of any reader, line by line. After an error it is at its end.
pub struct BlockReader<R> {
    lines: Lines<R>,
    ledger: LedgerId,
    scale: u8,
    ended: bool,
    blocks: u64,
}

impl<R: Read> BlockReader<R> {
    /// Blocks of `ledger`, whose coin has `scale` decimals.
    pub fn new(reader: R, ledger: LedgerId, scale: u8) -> Self {
        Self { lines: Lines::new(reader, BLOCK_LINE_BYTES_MAX), ledger, scale, ended: false, blocks: 0 }
    }

    /// How many bytes have been read as blocks.
    pub fn bytes_done(&self) -> u64 {
        self.lines.bytes_done()
    }

    /// The reader, wherever it stands.
    pub fn into_inner(self) -> R {
        self.lines.into_inner()
    }

    fn next_block(&mut self) -> Result<Option<BlockLine>, DecodeError> {
        while let Some(line) = self.lines.next_line()? {
            if line.is_blank() {
                continue;
            }
            self.blocks += 1;
            let block = block(line, &self.ledger, self.scale)?;
            return Ok(Some(BlockLine { line: line.number, block }));
        }
        if self.blocks == 0 {
            return Err(Fault::whole("the file is empty", "give one block a line, as getblock HASH 3 prints it").into());
        }
        Ok(None)
    }
}

impl<R: Read> Iterator for BlockReader<R> {
    type Item = Result<BlockLine, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let block = self.next_block().transpose();
        self.ended = !matches!(block, Some(Ok(_)));
        block
    }
}

fn block(line: Line<'_>, ledger: &LedgerId, scale: u8) -> Result<UtxoBlock, Fault> {
    let text = line.text()?;
    if !text.trim_start().starts_with('{') {
        let what = format!("{} does not begin a block", quoted_bytes(&line.bytes[..line.bytes.len().min(40)]));
        return Err(Fault::line(line.number, what, "give one JSON object a line, as getblock HASH 3 prints it"));
    }
    let shape: shape::Block<'_> = serde_json::from_str(text).map_err(|error| not_a_block(line, &error))?;
    check::Checker { ledger, scale }.block(&shape).map_err(|problem| Fault {
        line: line.number,
        column: Some(Column::Name(problem.path)),
        what: problem.what,
        help: problem.help,
    })
}

fn not_a_block(line: Line<'_>, error: &serde_json::Error) -> Fault {
    let mut fault = crate::json::not_json(line.number, error, line.complete);
    if error.is_eof() && line.complete {
        fault.help = "each block must stand on one line (jq -c . makes it so)".into();
    } else if fault.what.contains("expected struct Transaction") {
        fault.help = "ask the node with verbosity 2 or 3: getblock HASH 3".into();
    } else if error.is_data() {
        fault.help = "give blocks as getblock HASH 3 prints them".into();
    }
    fault
}
