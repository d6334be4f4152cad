//! [`Journal`]: whom the newest transactions may tie together, so that they can be taken back after the chain no longer
//! has them.

use std::ops::Range;

use crate::evidence::Payment;

/// How many transactions the journal reaches back: about a week of Bitcoin's, far more than any reorganisation.
pub const JOURNAL_TRANSACTIONS_MAX: u64 = 3_000_000;

/// How many ties it holds before the oldest are dropped.
pub const JOURNAL_TIES_MAX: usize = 1 << 21;

/// Two holders that a transaction may tie, whether or not it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tie {
    /// The transaction.
    pub seq: u64,
    /// A payer.
    pub one: u32,
    /// Another payer, or who holds the change.
    pub other: u32,
}

/// The ties of the newest transactions, in chain order. See the module's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// All ties from this transaction on are there.
    pub from: u64,
    /// The ties, in chain order.
    pub ties: Vec<Tie>,
}

impl Journal {
    pub(crate) fn begin(&mut self, range: Range<u64>) {
        self.cut_to(range.end.saturating_sub(JOURNAL_TRANSACTIONS_MAX));
    }

    pub(crate) fn add(&mut self, seq: u64, payment: &Payment) {
        if seq >= self.from
            && let Some(one) = payment.payers.first()
        {
            self.ties.extend(payment.ends().skip(1).map(|other| Tie { seq, one: *one, other }));
            if self.ties.len() > 2 * JOURNAL_TIES_MAX {
                self.prune();
            }
        }
    }

    pub(crate) fn prune(&mut self) {
        if let Some(extra) = self.ties.len().checked_sub(JOURNAL_TIES_MAX).filter(|extra| *extra > 0) {
            self.cut_to(self.ties[extra - 1].seq + 1);
        }
    }

    fn cut_to(&mut self, from: u64) {
        if from > self.from {
            self.from = from;
            self.ties.drain(..self.ties.partition_point(|tie| tie.seq < from));
        }
    }

    /// Takes out the ties from a transaction on; `None` where it does not reach back so far.
    pub(crate) fn undo(&mut self, seq: u64) -> Option<Vec<Tie>> {
        (seq >= self.from).then(|| self.ties.split_off(self.ties.partition_point(|tie| tie.seq < seq)))
    }
}
