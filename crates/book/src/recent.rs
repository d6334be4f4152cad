//! [`Recent`]: a cache from fingerprints to numbers, one cache line a question, that forgets what nobody asks for.
//!
//! Most of a ledger's movements are of holders seen lately. What it proposes must be confirmed by the key; what it
//! does not know may be there all the same. It is bounded, unlike everything it is a cache of.
//!
//! Idea: the set-associative caches of processors; a set keeps its eight entries in order of use, roughly.

use crate::numbers::index;

const WAYS: usize = 8;
/// The bits of the fingerprint that choose among the fewest sets: 1 MiB of them.
const BITS_MIN: u32 = 14;
/// And among the most: 128 MiB, sixteen million entries.
const BITS_MAX: u32 = 21;
/// An entry: the number plus 1 in 40 bits, above it the 24 bits of the fingerprint that follow the first [`BITS_MIN`].
/// So an entry tells its place among more sets as well.
const NUMBER: u64 = (1 << 40) - 1;

/// A set: a cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Set([u64; WAYS]);

/// Entries found or made lately.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    sets: Vec<Set>,
    /// How many entries were ever put into these sets: as many as are there, while they are not full.
    inserted: usize,
}

fn tag(fingerprint: u64) -> u64 {
    fingerprint >> BITS_MIN << 40
}

impl Recent {
    #[inline]
    fn set(&self, fingerprint: u64) -> Option<usize> {
        let mask = (self.sets.len() as u64).checked_sub(1)?;
        Some(index(fingerprint & mask))
    }

    /// The number that has this fingerprint and that `is_it` accepts, if it is remembered.
    #[inline]
    pub(crate) fn find(&mut self, fingerprint: u64, mut is_it: impl FnMut(u64) -> bool) -> Option<u64> {
        let set = self.set(fingerprint)?;
        let ways = &mut self.sets[set].0;
        let tag = tag(fingerprint);
        for at in 0..WAYS {
            let word = ways[at];
            if word != 0 && word & !NUMBER == tag && is_it((word & NUMBER) - 1) {
                ways.swap(at, at.saturating_sub(1));
                return Some((word & NUMBER) - 1);
            }
        }
        None
    }

    /// What [`Recent::find`] would look at first.
    #[inline]
    pub(crate) fn candidate(&self, fingerprint: u64) -> Option<u64> {
        let tag = tag(fingerprint);
        let ways = &self.sets[self.set(fingerprint)?].0;
        ways.iter().find(|word| **word != 0 && **word & !NUMBER == tag).map(|word| (word & NUMBER) - 1)
    }

    /// Remembers an entry that is not remembered yet. Numbers are below 2^40 - 1.
    pub(crate) fn insert(&mut self, fingerprint: u64, number: u64) {
        if self.inserted * 4 >= self.sets.len() * WAYS * 3 && self.sets.len() < 1 << BITS_MAX {
            self.grow();
        }
        let set = self.set(fingerprint).expect("it has just grown if it had none");
        put(&mut self.sets[set], tag(fingerprint) | (number + 1));
        self.inserted += 1;
    }

    fn grow(&mut self) {
        if self.sets.is_empty() {
            self.sets = vec![Set::default(); 1 << BITS_MIN];
            return;
        }
        let old = std::mem::take(&mut self.sets);
        let mask = 2 * old.len() - 1;
        self.sets = vec![Set::default(); 2 * old.len()];
        self.inserted = 0;
        for (at, set) in old.into_iter().enumerate() {
            for word in set.0.into_iter().rev().filter(|word| *word != 0) {
                // The lowest bits of the old place, and the bits that follow them, which the entry has.
                let place = at & ((1 << BITS_MIN) - 1) | index(word >> 40) << BITS_MIN;
                put(&mut self.sets[place & mask], word);
                self.inserted += 1;
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Puts an entry first and drops the last.
fn put(set: &mut Set, word: u64) {
    set.0.copy_within(..WAYS - 1, 1);
    set.0[0] = word;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::fingerprint;

    #[test]
    fn what_is_remembered_is_right_and_the_latest_is_remembered_as_it_grows() {
        let mut recent = Recent::default();
        let key = |number: u64| fingerprint(&number.to_le_bytes());
        assert_eq!(recent.find(key(0), |_| true), None);
        for number in 0..400_000 {
            recent.insert(key(number), number);
            assert_eq!(recent.candidate(key(number)), Some(number));
        }
        assert!(recent.sets.len() > 1 << BITS_MIN);
        let known = (0..400_000).filter(|number| recent.find(key(*number), |found| found == *number).is_some()).count();
        assert!(known > 360_000, "{known}");
        for strange in 400_000..500_000 {
            assert_eq!(recent.find(key(strange), |found| key(found) == key(strange)), None);
        }
        recent.clear();
        assert_eq!(recent.find(key(399_999), |_| true), None);
    }

    #[test]
    fn entries_of_one_fingerprint_are_told_apart_by_who_asks_and_the_oldest_go() {
        let mut recent = Recent::default();
        for number in 0..20 {
            recent.insert(7, number);
        }
        for number in 0..20 {
            assert_eq!(recent.find(7, |found| found == number).is_some(), number >= 12, "{number}");
        }
    }
}
