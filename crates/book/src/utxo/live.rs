//! [`Live`]: the transactions that have outputs left to spend, by fingerprint of their id.
//!
//! In memory, for the writer alone: where an input's transaction is, without asking the look-up on disk. An entry goes
//! when its last spendable output is spent, so the table grows with what is unspent and not with the chain. It is
//! *complete* if it was there from the ledger's first block, or was made anew from all rows: then a transaction that it
//! lacks has nothing left to spend.
//!
//! Fingerprints can be made to collide; whoever asks confirms each candidate by the id in its row, so that costs time
//! and nothing else.

use crate::numbers::index;

const SLOTS_MIN: usize = 1 << 10;
/// A slot's second word: the transaction's number in 40 bits, and how many outputs are left in 24. A count is never 0,
/// so neither is the word, except in an empty slot.
const LEFT_SHIFT: u32 = 40;
const LEFT_ONE: u64 = 1 << LEFT_SHIFT;
const SEQ: u64 = LEFT_ONE - 1;

/// A table with open addressing and linear probing; a removal closes the gap (Knuth, volume 3, algorithm 6.4R).
#[derive(Debug, Default)]
pub(super) struct Live {
    /// A fingerprint, and what stands above. A power of two, never full.
    slots: Vec<[u64; 2]>,
    count: usize,
    is_complete: bool,
}

impl Live {
    /// An empty table; complete if there are no transactions yet.
    pub(super) fn new(is_complete: bool) -> Self {
        Self { slots: Vec::new(), count: 0, is_complete }
    }

    /// Whether a transaction that is not here has nothing left to spend.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.count
    }

    fn home(&self, fingerprint: u64) -> usize {
        let bits = self.slots.len().trailing_zeros();
        index(fingerprint >> (64 - bits))
    }

    /// The first slot for which `accept` says yes, of those with this fingerprint.
    #[inline]
    fn slot(&self, fingerprint: u64, mut accept: impl FnMut(u64) -> bool) -> Option<usize> {
        if self.count == 0 {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut at = self.home(fingerprint);
        loop {
            let [has, word] = self.slots[at];
            if word == 0 {
                return None;
            }
            if has == fingerprint && accept(word & SEQ) {
                return Some(at);
            }
            at = (at + 1) & mask;
        }
    }

    /// Looks at where a fingerprint would be.
    #[inline]
    pub(super) fn touch(&self, fingerprint: u64) -> u64 {
        if self.count == 0 { 0 } else { self.slots[self.home(fingerprint)][0] }
    }

    /// The transaction with this fingerprint that `is_it` accepts.
    #[inline]
    pub(super) fn find(&self, fingerprint: u64, is_it: impl FnMut(u64) -> bool) -> Option<u64> {
        self.slot(fingerprint, is_it).map(|at| self.slots[at][1] & SEQ)
    }

    /// A new transaction with so many spendable outputs, which fit 24 bits.
    pub(super) fn insert(&mut self, fingerprint: u64, seq: u64, outputs: u64) {
        if outputs == 0 {
            return;
        }
        // At most three quarters full.
        if (self.count + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        self.put([fingerprint, seq | outputs << LEFT_SHIFT]);
        self.count += 1;
    }

    fn put(&mut self, slot: [u64; 2]) {
        let mask = self.slots.len() - 1;
        let mut at = self.home(slot[0]);
        while self.slots[at][1] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }

    fn grow(&mut self) {
        let slots = (2 * self.slots.len()).max(SLOTS_MIN);
        let old = std::mem::replace(&mut self.slots, vec![[0; 2]; slots]);
        for slot in old.into_iter().filter(|slot| slot[1] != 0) {
            self.put(slot);
        }
    }

    /// One spendable output less. A transaction that is not here is none of this table's business.
    pub(super) fn spend(&mut self, fingerprint: u64, seq: u64) {
        let Some(at) = self.slot(fingerprint, |other| other == seq) else { return };
        if self.slots[at][1] >> LEFT_SHIFT > 1 {
            self.slots[at][1] -= LEFT_ONE;
        } else {
            self.remove(at);
        }
    }

    /// Drops a transaction whose outputs nobody can spend any more.
    pub(super) fn drop_transaction(&mut self, fingerprint: u64, seq: u64) {
        if let Some(at) = self.slot(fingerprint, |other| other == seq) {
            self.remove(at);
        }
    }

    fn remove(&mut self, at: usize) {
        let mask = self.slots.len() - 1;
        let (mut gap, mut next) = (at, at);
        loop {
            next = (next + 1) & mask;
            if self.slots[next][1] == 0 {
                break;
            }
            // An entry may move into the gap if that is not before its home: distances are counted around the table.
            let home = self.home(self.slots[next][0]);
            if next.wrapping_sub(home) & mask >= next.wrapping_sub(gap) & mask {
                self.slots[gap] = self.slots[next];
                gap = next;
            }
        }
        self.slots[gap] = [0; 2];
        self.count -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Random insertions and spends against a plain map, with fingerprints that collide as often as `values` says.
    fn check(values: u64, spread: u64) {
        let mut live = Live::new(true);
        let mut model: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        let mut random = 1u64;
        let mut roll = |end: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % end
        };
        for seq in 0..6_000 {
            let fingerprint = roll(values).wrapping_mul(spread).wrapping_sub(3);
            let outputs = roll(4);
            live.insert(fingerprint, seq, outputs);
            if outputs > 0 {
                model.insert(seq, (fingerprint, outputs));
            }
            for _ in 0..roll(4) {
                let Some((seq, (fingerprint, left))) =
                    model.range(roll(seq + 1)..).next().map(|(seq, entry)| (*seq, *entry))
                else {
                    continue;
                };
                assert_eq!(live.find(fingerprint, |other| other == seq), Some(seq));
                live.spend(fingerprint, seq);
                model.remove(&seq);
                if left > 1 {
                    model.insert(seq, (fingerprint, left - 1));
                }
                assert_eq!(live.find(fingerprint, |other| other == seq).is_some(), left > 1);
            }
            assert_eq!(live.len(), model.len());
        }
        for (seq, (fingerprint, left)) in model {
            assert_eq!(live.find(fingerprint, |other| other == seq), Some(seq));
            assert_eq!(live.find(fingerprint, |_| false), None);
            (1..left).for_each(|_| live.spend(fingerprint, seq));
            assert_eq!(live.find(fingerprint, |other| other == seq), Some(seq));
            live.drop_transaction(fingerprint, seq);
            live.spend(fingerprint, seq);
        }
        assert_eq!(live.len(), 0);
        assert!(live.slots.iter().all(|slot| *slot == [0; 2]));
    }

    #[test]
    fn every_transaction_with_outputs_left_is_found_and_no_other() {
        check(u64::MAX, 0x9e37_79b9_7f4a_7c15);
    }

    #[test]
    fn also_where_fingerprints_collide_or_crowd_at_the_end_of_the_table() {
        check(1, 1);
        check(7, 1 << 61);
        check(400, 1);
    }
}
