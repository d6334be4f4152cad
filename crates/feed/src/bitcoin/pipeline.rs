//! Decodes a chain on several threads, and hands its blocks over in order.
//!
//! Threads take stretches of the chain in order, and take no more than a budget of bytes ahead of whoever consumes them.
//! The stretch that is consumed next was admitted first, so the budget cannot lock anybody out. Consumed blocks go back to
//! the threads to be freed, which is a good part of what they cost.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::block::{Decoded, Decoder, Source};

/// How much memory decoded blocks ahead of the book may take, about, however many threads there are.
pub const AHEAD_BYTES_MAX: u64 = 96 << 20;
/// The same for each thread: two blocks of the largest size that is usual.
const AHEAD_BYTES_PER_THREAD: u64 = 12 << 20;
/// What a block's deed takes in memory for each byte of it in the file, about.
const DEED_BYTES_PER_BYTE: u64 = 3;
/// What a block takes beside its bytes.
const DEED_BYTES_MIN: u64 = 1_024;
/// A stretch ends with the block that makes it this long.
const STRETCH_BYTES: u64 = 256 << 10;
const STRETCH_BLOCKS_MAX: usize = 128;

/// A part of the best chain that is to be decoded.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub source: Source<'a>,
    /// The entries of the chain.
    pub chain: &'a [u32],
    /// The height of the chain's first block.
    pub base: u64,
    /// Entries whose undo data contradicts the ledger.
    pub without_undo: &'a BTreeSet<u32>,
    pub threads: NonZeroUsize,
}

impl Job<'_> {
    /// The blocks that a thread takes next, and about how much memory they will need.
    fn stretch(&self, from: usize, until: usize) -> (Range<usize>, u64) {
        let (mut end, mut bytes) = (from, 0);
        while end < until && end - from < STRETCH_BLOCKS_MAX && bytes < STRETCH_BYTES {
            bytes += u64::from(self.source.entries[self.chain[end] as usize].length);
            end += 1;
        }
        (from..end, bytes * DEED_BYTES_PER_BYTE + (end - from) as u64 * DEED_BYTES_MIN)
    }

    fn ahead_bytes(&self) -> u64 {
        (self.threads.get() as u64).saturating_mul(AHEAD_BYTES_PER_THREAD).min(AHEAD_BYTES_MAX)
    }

    fn decode(&self, decoder: &mut Decoder<'_>, range: Range<usize>) -> Vec<Decoded> {
        range
            .map(|at| {
                let entry = self.chain[at];
                decoder.decode(entry, self.base + at as u64, !self.without_undo.contains(&entry))
            })
            .collect()
    }

    /// Decodes `range` of the chain and calls `take` with each stretch, in order. It ends early once `take` says so.
    pub fn run<E>(
        &self,
        range: Range<usize>,
        mut take: impl FnMut(&mut [Decoded]) -> Result<bool, E>,
    ) -> Result<(), E> {
        let queue = Queue { state: Mutex::new(State::new(range.start)), room: Condvar::new(), ready: Condvar::new() };
        std::thread::scope(|scope| {
            for _ in 0..self.threads.get() {
                scope.spawn(|| {
                    let _bell = Bell { queue: &queue, ends_run: false };
                    let mut decoder = Decoder::new(self.source);
                    while let Some((stretch, weight)) = queue.admit(self, range.end) {
                        let decoded = self.decode(&mut decoder, stretch.clone());
                        queue.deliver(stretch, weight, decoded);
                    }
                });
            }
            // Threads must not wait for a consumer that has gone.
            let _bell = Bell { queue: &queue, ends_run: true };
            let mut at = range.start;
            while at < range.end {
                let Some(mut decoded) = queue.next(at) else { break };
                at += decoded.len();
                if !take(&mut decoded)? {
                    break;
                }
                queue.discard(decoded);
            }
            Ok(())
        })
    }
}

struct Queue {
    state: Mutex<State>,
    /// Somebody may be admitted.
    room: Condvar,
    /// A stretch has arrived.
    ready: Condvar,
}

struct State {
    /// The first block that nobody has taken on.
    next: usize,
    /// Decoded stretches by their first block: what they take, and their blocks.
    done: BTreeMap<usize, (u64, Vec<Decoded>)>,
    /// What admitted stretches take that are not consumed.
    weight: u64,
    spent: Vec<Vec<Decoded>>,
    is_over: bool,
}

impl State {
    fn new(start: usize) -> Self {
        Self { next: start, done: BTreeMap::new(), weight: 0, spent: Vec::new(), is_over: false }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked has ended the run; what it left is only read to end as well.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room and takes the next stretch; `None` when there is none or the run is over.
    fn admit(&self, job: &Job<'_>, until: usize) -> Option<(Range<usize>, u64)> {
        let mut state = self.lock();
        loop {
            if state.is_over || state.next >= until {
                return None;
            }
            if let Some(spent) = state.spent.pop() {
                drop(state);
                drop(spent);
                state = self.lock();
                continue;
            }
            let (stretch, weight) = job.stretch(state.next, until);
            if state.weight == 0 || state.weight + weight <= job.ahead_bytes() {
                state.weight += weight;
                state.next = stretch.end;
                return Some((stretch, weight));
            }
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn deliver(&self, stretch: Range<usize>, weight: u64, decoded: Vec<Decoded>) {
        self.lock().done.insert(stretch.start, (weight, decoded));
        self.ready.notify_one();
    }

    /// Waits for the stretch that begins at `at`; `None` when a thread has failed.
    fn next(&self, at: usize) -> Option<Vec<Decoded>> {
        let mut state = self.lock();
        loop {
            if let Some((weight, decoded)) = state.done.remove(&at) {
                state.weight -= weight;
                drop(state);
                self.room.notify_all();
                return Some(decoded);
            }
            if state.is_over {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn discard(&self, decoded: Vec<Decoded>) {
        self.lock().spent.push(decoded);
        self.room.notify_one();
    }
}

/// Wakes everybody when a thread leaves, and ends the run when it was the consumer or when it panicked.
struct Bell<'a> {
    queue: &'a Queue,
    ends_run: bool,
}

impl Drop for Bell<'_> {
    fn drop(&mut self) {
        if self.ends_run || std::thread::panicking() {
            self.queue.lock().is_over = true;
        }
        self.queue.room.notify_all();
        self.queue.ready.notify_all();
    }
}
