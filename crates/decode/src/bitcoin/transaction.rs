//! [`RawTransaction`]: a transaction as a view into its bytes: checked for form once, then read without checks to fail.
//!
//! It knows the marker and flag of BIP 144 and Litecoin's flag for the transaction that ties a block to its extension
//! block (`HogEx`). It does not look into scripts or witnesses.

use ledger::{Network, Outpoint};

use super::cursor::Cursor;
use super::{Problem, double_sha256};

/// Outpoint, length of the script, sequence.
const INPUT_BYTES_MIN: usize = 36 + 1 + 4;
/// Value and length of the script.
const OUTPUT_BYTES_MIN: usize = 8 + 1;
/// Version, one input, one output, lock time.
pub(super) const TRANSACTION_BYTES_MIN: usize = 4 + 1 + INPUT_BYTES_MIN + 1 + OUTPUT_BYTES_MIN + 4;

/// Witnesses follow the outputs (BIP 144).
const FLAG_WITNESS: u8 = 1;
/// An optional MWEB transaction follows; in a block it is always absent, which marks the `HogEx`.
const FLAG_MWEB: u8 = 8;

/// A transaction of a block or on its own.
#[derive(Clone, Copy, Debug)]
pub struct RawTransaction<'a> {
    bytes: &'a [u8],
    offset: usize,
    body: u32,
    inputs: u32,
    outputs: u32,
    body_end: u32,
    input_count: u32,
    output_count: u32,
    null_inputs: u32,
    hogex: bool,
}

/// An input as it is in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawInput<'a> {
    /// What it spends.
    pub outpoint: Outpoint,
    /// The script that unlocks it, or a coinbase's free text.
    pub script: &'a [u8],
}

/// An output as it is in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawOutput<'a> {
    /// How much, in base units.
    pub value_units: u64,
    /// The script that locks it.
    pub script: &'a [u8],
}

impl<'a> RawTransaction<'a> {
    /// The transaction that `bytes` have at `start`; `offset()` and problems count from the beginning of `bytes`.
    pub(super) fn scan(bytes: &'a [u8], start: usize, network: &Network) -> Result<Self, Problem> {
        let mut cursor = Cursor::starting_at(bytes, start);
        cursor.u32("a transaction's version")?;
        let flags = flags(&mut cursor, bytes, network)?;
        let body = cursor.offset();
        let input_count = cursor.count(INPUT_BYTES_MIN, "the number of inputs")?;
        if input_count == 0 {
            return Err(Problem::new(body, "a transaction has no inputs"));
        }
        let inputs = cursor.offset();
        let mut null_inputs = 0;
        for _ in 0..input_count {
            let outpoint: &[u8; 36] = cursor.array("an input's outpoint")?;
            // The last four bytes first: they alone tell nearly always.
            if outpoint[32..] == [0xff; 4] && outpoint[..32] == [0; 32] {
                null_inputs += 1;
            }
            cursor.counted_bytes("an input's script")?;
            cursor.u32("an input's sequence")?;
        }
        let output_count_at = cursor.offset();
        let output_count = cursor.count(OUTPUT_BYTES_MIN, "the number of outputs")?;
        if output_count == 0 {
            return Err(Problem::new(output_count_at, "a transaction has no outputs"));
        }
        let outputs = cursor.offset();
        for _ in 0..output_count {
            cursor.value()?;
            cursor.counted_bytes("an output's script")?;
        }
        let body_end = cursor.offset();
        tail(&mut cursor, flags, input_count)?;
        cursor.u32("a transaction's lock time")?;
        let bytes = &bytes[start..cursor.offset()];
        let narrow = |at: usize| {
            u32::try_from(at).map_err(|_| Problem::new(start, "a transaction of more than 4 GiB cannot be read"))
        };
        narrow(bytes.len())?;
        Ok(Self {
            bytes,
            offset: start,
            body: narrow(body - start)?,
            inputs: narrow(inputs - start)?,
            outputs: narrow(outputs - start)?,
            body_end: narrow(body_end - start)?,
            input_count: narrow(input_count)?,
            output_count: narrow(output_count)?,
            null_inputs,
            hogex: flags & FLAG_MWEB != 0,
        })
    }

    /// Its bytes, witnesses included.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where it begins, from the beginning of what was decoded.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What its id is the hash of: version, inputs and outputs, lock time.
    #[inline]
    pub(super) fn stripped(&self) -> [&'a [u8]; 3] {
        let lock_time = self.bytes.len() - 4;
        [&self.bytes[..4], &self.bytes[self.body as usize..self.body_end as usize], &self.bytes[lock_time..]]
    }

    /// How many bytes that are.
    #[inline]
    pub(super) fn stripped_bytes(&self) -> usize {
        8 + (self.body_end - self.body) as usize
    }

    /// Its id in internal byte order: the double SHA-256 of it without marker, flags and witnesses.
    pub fn txid(&self) -> [u8; 32] {
        double_sha256(&self.stripped())
    }

    /// Whether it makes new coins: one input, which spends nothing.
    pub fn is_coinbase(&self) -> bool {
        self.input_count == 1 && self.null_inputs == 1
    }

    /// Whether an input spends nothing, which only a coinbase's may.
    pub(super) fn has_null_input(&self) -> bool {
        self.null_inputs > 0
    }

    /// Whether it ties the block to an extension block (Litecoin); it is a block's last one then.
    pub(super) fn is_hogex(&self) -> bool {
        self.hogex
    }

    /// How many inputs it has.
    pub fn input_count(&self) -> usize {
        self.input_count as usize
    }

    /// How many outputs it has.
    pub fn output_count(&self) -> usize {
        self.output_count as usize
    }

    /// Its inputs in order.
    pub fn inputs(&self) -> impl ExactSizeIterator<Item = RawInput<'a>> + use<'a> {
        let mut cursor = Cursor::starting_at(self.bytes, self.inputs as usize);
        (0..self.input_count()).map(move |_| input(&mut cursor).expect("the inputs were scanned before"))
    }

    /// Its outputs in order.
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = RawOutput<'a>> + use<'a> {
        let mut cursor = Cursor::starting_at(self.bytes, self.outputs as usize);
        (0..self.output_count()).map(move |_| output(&mut cursor).expect("the outputs were scanned before"))
    }
}

/// The flags after the version; none where no marker stands there. Leaves the cursor at the number of inputs.
#[inline]
fn flags(cursor: &mut Cursor<'_>, bytes: &[u8], network: &Network) -> Result<u8, Problem> {
    let at = cursor.offset();
    // No transaction is without inputs, so that a zero in their place is the marker.
    if bytes.get(at) != Some(&0) {
        return Ok(0);
    }
    cursor.byte("a transaction's marker")?;
    let flags = cursor.byte("a transaction's flags")?;
    let known = if network.extension_blocks { FLAG_WITNESS | FLAG_MWEB } else { FLAG_WITNESS };
    if flags == 0 || flags & !known != 0 {
        return Err(Problem::new(at + 1, format!("a transaction has the unknown flags {flags:#04x}")));
    }
    Ok(flags)
}

/// What stands between outputs and lock time.
#[inline]
fn tail(cursor: &mut Cursor<'_>, flags: u8, input_count: usize) -> Result<(), Problem> {
    if flags & FLAG_WITNESS != 0 {
        let start = cursor.offset();
        let mut items = 0;
        for _ in 0..input_count {
            let count = cursor.count(1, "the number of a witness's items")?;
            items += count;
            for _ in 0..count {
                cursor.counted_bytes("an item of a witness")?;
            }
        }
        if items == 0 {
            // Otherwise the same transaction could be written in two ways (BIP 144).
            return Err(Problem::new(start, "a transaction says that it has witnesses, and all are empty"));
        }
    }
    if flags & FLAG_MWEB != 0 && cursor.byte("an MWEB transaction")? != 0 {
        return Err(Problem::new(cursor.offset() - 1, "an MWEB transaction stands outside the extension block"));
    }
    Ok(())
}

#[inline]
fn input<'a>(cursor: &mut Cursor<'a>) -> Result<RawInput<'a>, Problem> {
    let outpoint = Outpoint { txid: *cursor.array("")?, vout: cursor.u32("")? };
    let script = cursor.counted_bytes("")?;
    cursor.u32("")?;
    Ok(RawInput { outpoint, script })
}

#[inline]
fn output<'a>(cursor: &mut Cursor<'a>) -> Result<RawOutput<'a>, Problem> {
    Ok(RawOutput { value_units: cursor.value()?, script: cursor.counted_bytes("")? })
}
