//! [`Patches`]: the batch's changes to words of committed rows, until they are written.
//!
//! A table of pairs, so that to change a word, and to ask whether it was changed, touches one cache line: filling a
//! chain does both for every spent output. It knows words by number and nothing of rows or files.

/// The smallest table.
const SLOTS_MIN: usize = 1 << 10;
/// Spreads numbers that lie close together: 2^64 over the golden ratio (Knuth, volume 3, section 6.4).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// New values of words.
#[derive(Debug, Default)]
pub(crate) struct Patches {
    /// Open addressing: a word's number plus 1, which is 0 where the slot is empty, and its value. A power of two.
    slots: Vec<[u64; 2]>,
    count: usize,
}

impl Patches {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The slot that has the word, or the empty one where it belongs. There must be slots.
    fn slot(&self, word: u64) -> usize {
        let mask = self.slots.len() - 1;
        let bits = self.slots.len().trailing_zeros();
        let mut at = crate::numbers::index(word.wrapping_mul(SPREAD) >> (64 - bits));
        // The table is never full.
        while self.slots[at][0] != 0 && self.slots[at][0] != word + 1 {
            at = (at + 1) & mask;
        }
        at
    }

    #[inline]
    pub(crate) fn get(&self, word: u64) -> Option<u64> {
        if self.count == 0 {
            return None;
        }
        let [key, value] = self.slots[self.slot(word)];
        (key != 0).then_some(value)
    }

    pub(crate) fn insert(&mut self, word: u64, value: u64) {
        // At most five eighths full.
        if (self.count + 1) * 8 > self.slots.len() * 5 {
            self.grow();
        }
        let at = self.slot(word);
        self.count += usize::from(self.slots[at][0] == 0);
        self.slots[at] = [word + 1, value];
    }

    fn grow(&mut self) {
        let slots = (2 * self.slots.len()).max(SLOTS_MIN);
        let old = std::mem::replace(&mut self.slots, vec![[0; 2]; slots]);
        for pair in old.into_iter().filter(|pair| pair[0] != 0) {
            let at = self.slot(pair[0] - 1);
            self.slots[at] = pair;
        }
    }

    /// All of them, by number of the word; none is left.
    pub(crate) fn take(&mut self) -> Vec<(u64, u64)> {
        let slots = std::mem::take(&mut self.slots);
        self.count = 0;
        let mut pairs: Vec<_> =
            slots.into_iter().filter(|pair| pair[0] != 0).map(|[key, value]| (key - 1, value)).collect();
        pairs.sort_unstable();
        pairs
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn words_have_the_value_that_they_were_given_last_and_come_out_in_order() {
        let (mut patches, mut model) = (Patches::default(), BTreeMap::new());
        for round in 0..3u64 {
            for step in 0..5_000u64 {
                let word = step * step * (round + 1) % 3_001 * 4 + 1;
                assert_eq!(patches.get(word), model.get(&word).copied());
                patches.insert(word, step);
                model.insert(word, step);
                assert_eq!(patches.get(word), Some(step));
            }
            assert_eq!((patches.len(), patches.get(0)), (model.len(), None));
            assert!(patches.take().into_iter().eq(std::mem::take(&mut model)));
            assert!(patches.is_empty());
        }
    }
}
