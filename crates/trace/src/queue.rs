//! The tracer's agenda: sequence numbers to visit, each once, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ledger::Seq;

/// A queue of transactions, lowest first. Asking for one twice visits it once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<u64>>,
}

impl Queue {
    pub(crate) fn push(&mut self, seq: Seq) {
        self.heap.push(Reverse(seq.0));
    }

    /// The next transaction before `end`; later ones stay for another run.
    pub(crate) fn pop_before(&mut self, end: Seq) -> Option<Seq> {
        let next = *self.heap.peek()?;
        if next.0 >= end.0 {
            return None;
        }
        while self.heap.peek() == Some(&next) {
            self.heap.pop();
        }
        Some(Seq(next.0))
    }
}
