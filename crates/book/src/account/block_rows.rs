//! The columns of an account ledger that is a chain: blocks, gaps and events. The layout is in `docs/book.md`.

use ledger::{Event, Gaps};

use super::rows::{BLOCKS, EVENT_BYTES, low_half};
use crate::column::{Growing, Rows, partition_point};
use crate::numbers::NONE_40;
use crate::utxo::{hash_of, hash_words};

/// The most topics of an event.
pub(crate) const TOPICS_MAX: usize = 4;
/// Bytes of a contract's address, and of a topic.
const CONTRACT_BYTES: usize = 20;
const TOPIC_BYTES: usize = 32;
const TRACES: u64 = 1;
const RECEIPTS: u64 = 2;
const LOGS: u64 = 4;

/// A row of `blocks`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockRow {
    pub(crate) height: u64,
    pub(crate) time: i64,
    pub(crate) first_transaction: u64,
    pub(crate) first_event: u64,
    pub(crate) hash: [u8; 32],
}

impl BlockRow {
    pub(crate) fn words(self) -> [u64; 8] {
        let [a, b, c, d] = hash_words(self.hash);
        [self.height, self.time.cast_unsigned(), self.first_transaction, self.first_event, a, b, c, d]
    }

    pub(crate) fn of([height, time, first_transaction, first_event, a, b, c, d]: [u64; 8]) -> Self {
        let time = time.cast_signed();
        Self { height, time, first_transaction, first_event, hash: hash_of([a, b, c, d]) }
    }
}

/// The word of a row of `blocks` that names its first transaction, and the one with which its hash begins.
const FIRST_TRANSACTION: usize = 2;
const HASH: usize = 4;

/// The first transaction of a block.
pub(crate) fn first_transaction<C: Rows>(columns: &[C], block: u64) -> u64 {
    columns[BLOCKS].words_from::<1>(block, FIRST_TRANSACTION)[0]
}

/// A block's hash.
pub(crate) fn block_hash<C: Rows>(columns: &[C], block: u64) -> [u8; 32] {
    hash_of(columns[BLOCKS].words_from(block, HASH))
}

/// A row of `gaps`: from this block on, until the next row says otherwise, this is not known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GapRow {
    pub(crate) block: u64,
    pub(crate) first_transaction: u64,
    pub(crate) gaps: Gaps,
}

impl GapRow {
    pub(crate) fn words(self) -> [u64; 2] {
        let flag = |is: bool, flag: u64| if is { flag } else { 0 };
        let Gaps { traces, receipts, logs } = self.gaps;
        let flags = flag(traces, TRACES) | flag(receipts, RECEIPTS) | flag(logs, LOGS);
        [self.block | flags << 40, self.first_transaction]
    }

    pub(crate) fn of([block, first_transaction]: [u64; 2]) -> Self {
        let has = |flag: u64| block >> 40 & flag != 0;
        let gaps = Gaps { traces: has(TRACES), receipts: has(RECEIPTS), logs: has(LOGS) };
        Self { block: block & NONE_40, first_transaction, gaps }
    }
}

/// A row of `events`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventRow {
    pub(crate) transaction: u64,
    topics: u64,
    /// Where its bytes begin: contract, topics, data.
    pub(crate) start: u64,
    index: u32,
    data: u32,
}

impl EventRow {
    pub(crate) fn new(transaction: u64, start: u64, event: &Event) -> Self {
        let data = u32::try_from(event.data.len()).expect("checked before it is laid down");
        Self { transaction, topics: event.topics.len() as u64, start, index: event.index, data }
    }

    pub(crate) fn words(self) -> [u64; 3] {
        [self.transaction | self.topics << 40, self.start, u64::from(self.index) | u64::from(self.data) << 32]
    }

    pub(crate) fn of([transaction, start, rest]: [u64; 3]) -> Self {
        Self {
            transaction: transaction & NONE_40,
            topics: (transaction >> 40).min(TOPICS_MAX as u64),
            start,
            index: low_half(rest),
            data: low_half(rest >> 32),
        }
    }

    /// The event itself, into `event`.
    pub(crate) fn read<C: Rows>(&self, columns: &[C], event: &mut Event) {
        let head = CONTRACT_BYTES as u64 + TOPIC_BYTES as u64 * self.topics;
        let bytes = columns[EVENT_BYTES].bytes(self.start, head + u64::from(self.data));
        let (contract, rest) = bytes.split_at(CONTRACT_BYTES);
        let (topics, data) = rest.split_at(TOPIC_BYTES * usize::try_from(self.topics).expect("four at most"));
        event.index = self.index;
        event.contract.copy_from_slice(contract);
        event.topics.clear();
        event.topics.extend_from_slice(topics.as_chunks::<TOPIC_BYTES>().0);
        event.data.clear();
        event.data.extend_from_slice(data);
    }
}

/// What is not known of the block that comes next, if nothing changes: what the last row says.
pub(crate) fn last_gaps(gaps: &Growing) -> Gaps {
    gaps.rows().checked_sub(1).map_or_else(Gaps::default, |last| GapRow::of(gaps.words(last)).gaps)
}

/// The first row of `gaps` that is of a block from `block` on.
pub(crate) fn gaps_from<C: Rows>(gaps: &C, block: u64) -> u64 {
    partition_point(gaps.rows(), |row| GapRow::of(gaps.words(row)).block < block)
}
