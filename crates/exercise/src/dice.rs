//! [`Dice`]: the only source of chance in an exercise: seeded, the same on every platform, whole numbers only.
//!
//! The generator is `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014):
//! small enough to read and good enough to play ordinary life with. It keeps no secrets: never use it for keys.

use sha2::{Digest, Sha256};

/// How far the generator's counter goes each time.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The generator's mixing of what follows `number`: numbers that are close together become unlike one another.
pub const fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(STEP);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A seeded stream of numbers for one purpose, so that a change in one part of the world leaves the others alone.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The stream of `seed` for `purpose`.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(purpose.as_bytes()).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(u64::from_le_bytes(first))
    }

    /// The stream that starts from a number which is noise already.
    pub const fn at(start: u64) -> Self {
        Self(start)
    }

    /// Any 64-bit number.
    pub const fn word(&mut self) -> u64 {
        let word = mixed(self.0);
        self.0 = self.0.wrapping_add(STEP);
        word
    }

    /// Fills `bytes` with noise.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.word().to_le_bytes()[..chunk.len()]);
        }
    }

    /// A number below `end`, each equally likely; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 {
            return 0;
        }
        // Lemire's multiplication; the low words that would favour some numbers (fewer than `end`) are drawn again.
        let unfair = end.wrapping_neg() % end;
        loop {
            let drawn = self.word();
            let low = drawn.wrapping_mul(end);
            let high = (u128::from(drawn) * u128::from(end)) >> 64;
            if low >= unfair {
                return u64::try_from(high).expect("the high half of a 128-bit product");
            }
        }
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// Whether something happens that happens `times` in a hundred.
    pub fn percent(&mut self, times: u64) -> bool {
        self.below(100) < times
    }

    /// An index into something of `length`.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a length, which is a usize")
    }

    /// A number from `low` to `high` (at least 1), small ones as likely as large ones: first a power of two, evenly,
    /// then a number of that size. What people pay one another looks roughly so.
    pub fn log_between(&mut self, low: u64, high: u64) -> u64 {
        let low = low.max(1);
        let high = high.max(low);
        let bits = self.between(u64::from(low.ilog2()), u64::from(high.ilog2()));
        let floor = 1u64 << bits;
        (floor + self.below(floor)).clamp(low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_same_everywhere() {
        let mut dice = Dice::new(7, "test");
        let drawn: Vec<u64> = (0..5).map(|_| dice.below(1000)).collect();
        assert_eq!(drawn, [580, 97, 457, 235, 277], "as a second implementation draws them");
    }

    #[test]
    fn every_face_comes_up_about_as_often() {
        let mut dice = Dice::new(1, "faces");
        let mut faces = [0u32; 6];
        for _ in 0..60_000 {
            faces[dice.index(6)] += 1;
        }
        assert!(faces.iter().all(|count| (9_500..10_500).contains(count)), "{faces:?}");
        for _ in 0..1_000 {
            assert!((100..=5_000).contains(&dice.log_between(100, 5_000)));
            assert!((3..=9).contains(&dice.between(3, 9)));
        }
        assert_eq!(dice.below(0), 0);
        assert_eq!(dice.between(5, 5), 5);
    }
}
