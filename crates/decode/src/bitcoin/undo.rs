//! [`Undo`]: what the inputs of a block spent, from a node's undo files or from its REST interface.
//!
//! Two forms, one value: `rev*.dat` compresses amounts and scripts and says where each output came from; REST's
//! `spenttxouts` has outputs as they are in transactions and no more. Which block a record belongs to is not in it: only
//! the checksum, made with the hash of the block before, tells.

use ledger::Network;

use super::compressed::{SpentScript, amount};
use super::cursor::Cursor;
use super::{Problem, UNDO_BYTES_MAX, double_sha256};

/// The bytes of the checksum after each record of an undo file.
pub const UNDO_CHECKSUM_BYTES: usize = 32;
/// Height and flag, amount, script: a byte each where all are short.
const SPENT_BYTES_MIN: usize = 3;
/// Value and length of the script.
const OUTPUT_BYTES_MIN: usize = 9;

/// The block in which a spent output was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its height, never 0: nodes write 0 where they do not know.
    pub height: u32,
    /// Whether the output is a coinbase's.
    pub coinbase: bool,
}

/// One spent output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent<'a> {
    /// How much, in base units.
    pub value_units: u64,
    /// Where it was made, if the source says.
    pub origin: Option<Origin>,
    /// What locked it.
    pub script: SpentScript<'a>,
}

/// What the inputs of a block spent, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undo<'a> {
    spent: Vec<Spent<'a>>,
    /// For each transaction but the coinbase, where its spent outputs end in the list.
    ends: Vec<usize>,
}

impl<'a> Undo<'a> {
    /// How many transactions it is for: all of a block but the coinbase.
    pub fn transaction_count(&self) -> usize {
        self.ends.len()
    }

    /// All spent outputs, in block order.
    pub fn spent(&self) -> &[Spent<'a>] {
        &self.spent
    }

    /// For each transaction but the coinbase, in block order, what its inputs spent.
    pub fn transactions(&self) -> impl ExactSizeIterator<Item = &[Spent<'a>]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let of_one = &self.spent[start..*end];
            start = *end;
            of_one
        })
    }
}

/// The undo data of one block, all of the bytes and without the checksum (`CBlockUndo`). On chains with extension
/// blocks, what those add at the end is stepped over.
pub fn undo<'a>(bytes: &'a [u8], network: &Network) -> Result<Undo<'a>, Problem> {
    let mut cursor = sized(bytes)?;
    let count = cursor.count(1, "the number of transactions")?;
    let mut undo = Undo { spent: Vec::with_capacity(bytes.len() / 32), ends: Vec::with_capacity(count) };
    for _ in 0..count {
        let inputs = cursor.count(SPENT_BYTES_MIN, "the number of a transaction's spent outputs")?;
        for _ in 0..inputs {
            undo.spent.push(spent(&mut cursor)?);
        }
        undo.ends.push(undo.spent.len());
    }
    if network.extension_blocks { Ok(undo) } else { ended(&cursor, undo) }
}

fn spent<'a>(cursor: &mut Cursor<'a>) -> Result<Spent<'a>, Problem> {
    let start = cursor.offset();
    let code = u32::try_from(cursor.varint("a spent output's height")?)
        .map_err(|_| Problem::new(start, "a spent output's height does not fit 31 bits"))?;
    let origin = (code > 1).then_some(Origin { height: code >> 1, coinbase: code & 1 == 1 });
    if origin.is_some() {
        // The transaction's version, in files of old nodes; zero since.
        cursor.varint("a spent output's version")?;
    }
    let start = cursor.offset();
    let value_units = amount(cursor.varint("a spent output's amount")?)
        .ok_or_else(|| Problem::new(start, "a spent output's amount does not fit 63 bits"))?;
    Ok(Spent { value_units, origin, script: SpentScript::read(cursor)? })
}

/// The answer of a node's `/rest/spenttxouts/HASH.bin`, all of the bytes (Bitcoin Core 30 and later).
pub fn spent_outputs(bytes: &[u8]) -> Result<Undo<'_>, Problem> {
    let mut cursor = sized(bytes)?;
    let start = cursor.offset();
    let count = cursor.count(1, "the number of transactions")?;
    let mut undo = Undo { spent: Vec::with_capacity(bytes.len() / 32), ends: Vec::with_capacity(count) };
    if count == 0 || cursor.count(OUTPUT_BYTES_MIN, "the number of the coinbase's spent outputs")? != 0 {
        return Err(Problem::new(start, "the list does not begin with a coinbase, which spends nothing"));
    }
    for _ in 1..count {
        let inputs = cursor.count(OUTPUT_BYTES_MIN, "the number of a transaction's spent outputs")?;
        for _ in 0..inputs {
            let value_units = cursor.value()?;
            let script = SpentScript::Plain(cursor.counted_bytes("a spent output's script")?);
            undo.spent.push(Spent { value_units, origin: None, script });
        }
        undo.ends.push(undo.spent.len());
    }
    ended(&cursor, undo)
}

/// The checksum that a node puts behind undo data: which block it belongs to is known from this alone.
pub fn undo_checksum(previous: &[u8; 32], undo: &[u8]) -> [u8; 32] {
    double_sha256(&[previous, undo])
}

/// The undo data of a record of an undo file (undo data and checksum), for the block whose parent has this hash;
/// `None` where it belongs to another block, or is damaged.
pub fn undo_record<'a>(record: &'a [u8], previous: &[u8; 32]) -> Option<&'a [u8]> {
    let (undo, checksum) = record.split_last_chunk::<UNDO_CHECKSUM_BYTES>()?;
    (undo_checksum(previous, undo) == *checksum).then_some(undo)
}

fn sized(bytes: &[u8]) -> Result<Cursor<'_>, Problem> {
    if bytes.len() > UNDO_BYTES_MAX {
        let what = format!("undo data of {} bytes is larger than {UNDO_BYTES_MAX}", bytes.len());
        return Err(Problem::new(0, what));
    }
    Ok(Cursor::new(bytes))
}

fn ended<'a>(cursor: &Cursor<'a>, undo: Undo<'a>) -> Result<Undo<'a>, Problem> {
    match cursor.left() {
        0 => Ok(undo),
        left => Err(Problem::new(cursor.offset(), format!("{left} bytes are left after the last spent output"))),
    }
}
