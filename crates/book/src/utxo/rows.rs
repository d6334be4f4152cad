//! The columns of a UTXO ledger, and how their rows lie in words. The layout is in `docs/book.md`.

use ledger::Outpoint;

use crate::column::{Rows, Spec, partition_point};
use crate::names::{
    ASSET_NAMES_SPEC, ASSETS_SPEC, HOLDER_NAMES_SPEC, HOLDERS, HOLDERS_LOOKUP, HOLDERS_SPEC, holder_fingerprint,
};
use crate::numbers::{NONE, NONE_40};
use crate::run::fingerprint;
use crate::snapshot::LookupSpec;

pub(crate) const BLOCKS: usize = 4;
pub(crate) const TRANSACTIONS: usize = 5;
pub(crate) const INPUTS: usize = 6;
pub(crate) const OUTPUTS: usize = 7;
pub(crate) const FOREIGN: usize = 8;

pub(crate) const SPECS: [Spec; 9] = [
    HOLDERS_SPEC,
    HOLDER_NAMES_SPEC,
    ASSETS_SPEC,
    ASSET_NAMES_SPEC,
    Spec::new("blocks", 64),
    Spec::new("transactions", 64),
    Spec::new("inputs", 5),
    Spec::new("outputs", 32),
    Spec::new("foreign", 48),
];
pub(crate) const TXIDS_LOOKUP: &str = "transactions-by-txid";
pub(crate) const FOREIGN_LOOKUP: &str = "foreign-by-outpoint";
pub(crate) const BLOCKS_LOOKUP: &str = "blocks-by-hash";

/// The word of an output that names the spending transaction.
pub(crate) const SPENT_BY: usize = 1;
/// Counts of a transaction's inputs and outputs stand in 24 bits.
pub(crate) const ENDS_MAX: usize = (1 << 24) - 1;

/// A row of `blocks`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockRow {
    pub(crate) height: u64,
    pub(crate) time: i64,
    /// The latest time of this block and all before it that have transactions.
    pub(crate) time_max: i64,
    pub(crate) first_transaction: u64,
    pub(crate) hash: [u8; 32],
}

impl BlockRow {
    pub(crate) fn words(self) -> [u64; 8] {
        let [a, b, c, d] = hash_words(self.hash);
        [self.height, self.time.cast_unsigned(), self.time_max.cast_unsigned(), self.first_transaction, a, b, c, d]
    }

    #[inline]
    pub(crate) fn of([height, time, time_max, first_transaction, a, b, c, d]: [u64; 8]) -> Self {
        let (time, time_max) = (time.cast_signed(), time_max.cast_signed());
        Self { height, time, time_max, first_transaction, hash: hash_of([a, b, c, d]) }
    }
}

/// Where a row of `transactions` has its id, in words; a row of `blocks` has its hash there.
const ID: usize = 4;

/// A row of `transactions` but for its id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransactionRow {
    pub(crate) first_output: u64,
    pub(crate) outputs: u64,
    pub(crate) first_input: u64,
    /// None has none: it is a coinbase.
    pub(crate) inputs: u64,
    pub(crate) fee: u64,
    pub(crate) block: u64,
}

impl TransactionRow {
    pub(crate) fn words(self, txid: [u8; 32]) -> [u64; 8] {
        let [a, b, c, d] = hash_words(txid);
        let (outputs, inputs) = (self.first_output | self.outputs << 40, self.first_input | self.inputs << 40);
        [outputs, inputs, self.fee, self.block, a, b, c, d]
    }

    #[inline]
    pub(crate) fn of([outputs, inputs, fee, block]: [u64; 4]) -> Self {
        Self {
            first_output: outputs & NONE_40,
            outputs: outputs >> 40,
            first_input: inputs & NONE_40,
            inputs: inputs >> 40,
            fee,
            block,
        }
    }
}

/// A row of `outputs`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutputRow {
    pub(crate) value: u64,
    /// The spending transaction, or none. In the writer's hands this may be stale: ask for the word.
    pub(crate) spent_by: u64,
    pub(crate) holder: u64,
    /// The holder's output before this one, or none.
    pub(crate) previous: u64,
    /// The transaction that made it; none for an output from before the first block.
    pub(crate) made_by: u64,
    /// Whether its value was inferred, because no source told it.
    pub(crate) is_inferred: bool,
    /// Whether nobody can ever spend it, as its holder's lock says.
    pub(crate) is_unspendable: bool,
}

impl OutputRow {
    pub(crate) fn words(self) -> [u64; 4] {
        let flags = u64::from(self.is_inferred) | u64::from(self.is_unspendable) << 1;
        let previous = self.previous & NONE_40;
        [
            self.value,
            self.spent_by,
            self.holder | previous << 40,
            previous >> 24 | (self.made_by & NONE_40) << 16 | flags << 56,
        ]
    }

    #[inline]
    pub(crate) fn of([value, spent_by, holder, rest]: [u64; 4]) -> Self {
        Self {
            value,
            spent_by,
            holder: holder & NONE_40,
            previous: holder >> 40 | (rest & 0xffff) << 24,
            made_by: rest >> 16 & NONE_40,
            is_inferred: rest >> 56 & 1 == 1,
            is_unspendable: rest >> 57 & 1 == 1,
        }
    }

    /// Whether it comes from before the ledger's first block.
    #[inline]
    pub(crate) fn is_foreign(&self) -> bool {
        self.made_by == NONE_40
    }
}

/// A row of `foreign`: where an output from before the first block comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForeignRow {
    pub(crate) output: u64,
    pub(crate) outpoint: Outpoint,
}

impl ForeignRow {
    pub(crate) fn words(self) -> [u64; 6] {
        let [a, b, c, d] = hash_words(self.outpoint.txid);
        [self.output, u64::from(self.outpoint.vout), a, b, c, d]
    }

    pub(crate) fn of([output, vout, a, b, c, d]: [u64; 6]) -> Self {
        let vout = u32::try_from(vout).unwrap_or(u32::MAX);
        Self { output, outpoint: Outpoint { txid: hash_of([a, b, c, d]), vout } }
    }
}

/// A hash as it lies in a row.
pub(crate) fn hash_words(hash: [u8; 32]) -> [u64; 4] {
    let (words, _) = hash.as_chunks::<8>();
    std::array::from_fn(|at| u64::from_le_bytes(words[at]))
}

/// A hash that lies in a row.
pub(crate) fn hash_of(words: [u64; 4]) -> [u8; 32] {
    let mut hash = [0; 32];
    for (chunk, word) in hash.chunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    hash
}

/// The output that input row `input` spends.
#[inline]
pub(crate) fn input_at<C: Rows>(inputs: &C, input: u64) -> u64 {
    let mut word = [0; 8];
    word[..5].copy_from_slice(inputs.bytes(5 * input, 5));
    u64::from_le_bytes(word)
}

/// A transaction's id.
#[inline]
pub(crate) fn txid<C: Rows>(columns: &[C], seq: u64) -> [u8; 32] {
    hash_of(columns[TRANSACTIONS].words_from(seq, ID))
}

/// A block's hash.
#[inline]
pub(crate) fn block_hash<C: Rows>(columns: &[C], block: u64) -> [u8; 32] {
    hash_of(columns[BLOCKS].words_from(block, ID))
}

/// The fingerprint of an outpoint.
pub(crate) fn outpoint_fingerprint(outpoint: &Outpoint) -> u64 {
    let mut key = [0; 36];
    key[..32].copy_from_slice(&outpoint.txid);
    key[32..].copy_from_slice(&outpoint.vout.to_le_bytes());
    fingerprint(&key)
}

/// The outpoint of an output: its maker and its place among the maker's outputs, or where it is noted as foreign.
pub(crate) fn outpoint<C: Rows>(columns: &[C], output: u64) -> Outpoint {
    let row = OutputRow::of(columns[OUTPUTS].words(output));
    if row.is_foreign() {
        let foreign = &columns[FOREIGN];
        let at = partition_point(foreign.rows(), |at| ForeignRow::of(foreign.words(at)).output < output);
        return ForeignRow::of(foreign.words(at)).outpoint;
    }
    let maker = TransactionRow::of(columns[TRANSACTIONS].words(row.made_by));
    let vout = u32::try_from(output.saturating_sub(maker.first_output)).unwrap_or(u32::MAX);
    Outpoint { txid: txid(columns, row.made_by), vout }
}

/// The fingerprints of the look-ups' keys, in the order of [`LOOKUPS`].
pub(crate) fn key_fingerprint<C: Rows>(columns: &[C], lookup: usize, number: u64) -> u64 {
    match lookup {
        HOLDERS_AT => holder_fingerprint(columns, number),
        TXIDS_AT => fingerprint(&txid(columns, number)),
        BLOCKS_AT => fingerprint(&block_hash(columns, number)),
        _ => outpoint_fingerprint(&ForeignRow::of(columns[FOREIGN].words(number)).outpoint),
    }
}

/// The look-ups, and the columns whose rows are their entries.
pub(crate) const LOOKUPS: [LookupSpec; 4] =
    [(HOLDERS_LOOKUP, HOLDERS), (TXIDS_LOOKUP, TRANSACTIONS), (FOREIGN_LOOKUP, FOREIGN), (BLOCKS_LOOKUP, BLOCKS)];
/// The places of the look-ups in that list.
pub(crate) const HOLDERS_AT: usize = 0;
pub(crate) const TXIDS_AT: usize = 1;
pub(crate) const FOREIGN_AT: usize = 2;
pub(crate) const BLOCKS_AT: usize = 3;

/// A link as a reader whose ledger ends at `end` sees it.
#[inline]
pub(crate) fn link(word: u64, end: u64) -> Option<u64> {
    debug_assert!(end < NONE);
    (word < end).then_some(word)
}
