//! [`Filter`]: tells in one cache line that a key is in none of a look-up's runs, so that new keys need not ask them all.
//!
//! It may say of a key that is not there that it could be, once in some hundreds; it never says of a key that is there
//! that it is not. It lives in memory alone and is made of the runs, front to back.
//!
//! Idea: Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007), the blocked kind.

use crate::numbers::index;

/// Bits for each key that there is room for.
const KEY_BITS: u64 = 12;
const BLOCK_BITS: u64 = 512;
/// How many bits a key sets in its block.
const PROBES: u32 = 6;
/// Any odd number that mixes low bits into high ones does.
const MIX: u64 = 0xff51_afd7_ed55_8ccd;

/// A cache line of bits.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Block([u64; 8]);

/// A set of fingerprints that errs to one side.
#[derive(Debug)]
pub(crate) struct Filter {
    blocks: Vec<Block>,
    /// How many more fingerprints it is made for.
    room: u64,
}

impl Filter {
    /// An empty filter with room for so many.
    pub(crate) fn new(capacity: u64) -> Self {
        let blocks = (capacity * KEY_BITS).div_ceil(BLOCK_BITS).max(1);
        Self { blocks: vec![Block::default(); index(blocks)], room: capacity }
    }

    pub(crate) fn has_room(&self, count: u64) -> bool {
        count <= self.room
    }

    /// Fingerprints in ascending order fill the blocks front to back.
    #[inline]
    fn block(&self, fingerprint: u64) -> usize {
        let scaled = (u128::from(fingerprint) * self.blocks.len() as u128) >> 64;
        usize::try_from(scaled).expect("below the number of blocks")
    }

    /// The bits of a fingerprint: nine for each probe, from other bits than those that choose the block.
    #[inline]
    fn bits(fingerprint: u64) -> impl Iterator<Item = (usize, u64)> {
        let mixed = fingerprint.wrapping_mul(MIX);
        (0..PROBES).map(move |probe| {
            let bit = mixed >> (64 - 9 * (probe + 1)) & (BLOCK_BITS - 1);
            (index(bit >> 6), 1 << (bit & 63))
        })
    }

    pub(crate) fn insert(&mut self, fingerprint: u64) {
        let at = self.block(fingerprint);
        for (word, bit) in Self::bits(fingerprint) {
            self.blocks[at].0[word] |= bit;
        }
        self.room = self.room.saturating_sub(1);
    }

    /// Looks at where a fingerprint would be.
    #[inline]
    pub(crate) fn touch(&self, fingerprint: u64) -> u64 {
        self.blocks[self.block(fingerprint)].0[0]
    }

    /// False if it was never inserted; true if it was, or by chance.
    #[inline]
    pub(crate) fn may_have(&self, fingerprint: u64) -> bool {
        let block = &self.blocks[self.block(fingerprint)].0;
        Self::bits(fingerprint).all(|(word, bit)| block[word] & bit != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::fingerprint;

    #[test]
    fn nothing_that_is_there_is_denied_and_little_else_is_claimed() {
        for count in [1u64, 10, 1_000, 50_000] {
            let mut filter = Filter::new(count);
            let key = |number: u64| fingerprint(&number.to_le_bytes());
            (0..count).for_each(|number| filter.insert(key(number)));
            assert!((0..count).all(|number| filter.may_have(key(number))));
            let claimed = (count..count + 100_000).filter(|number| filter.may_have(key(*number))).count();
            assert!(claimed < 2_500, "{claimed} of 100,000 with {count} keys");
            assert!(!filter.has_room(1));
            // More than it was made for make it slow, not wrong.
            (0..3 * count).for_each(|number| filter.insert(key(number)));
            assert!((0..3 * count).all(|number| filter.may_have(key(number))));
        }
        let mut odd = Filter::new(5);
        for fingerprint in [0, u64::MAX, 1, 1 << 63] {
            odd.insert(fingerprint);
            assert!(odd.may_have(fingerprint));
        }
    }
}
