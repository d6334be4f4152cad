//! The bloom filter of a header: three of 2,048 bits for every address and topic of the block's logs.
//!
//! Source: the Ethereum yellow paper, 4.3.1 (the function M).

use rustc_hash::FxHashSet;

use crate::abi::keccak256;
use crate::words::{Data, fixed};

const BYTES: usize = 256;

/// A filter that is being filled. What comes again is not hashed again: half of a block's topics are `Transfer`.
pub struct Bloom {
    bits: [u8; BYTES],
    addresses: FxHashSet<[u8; 20]>,
    topics: FxHashSet<[u8; 32]>,
}

/// What a log has in the filter.
pub trait Filtered {
    /// Whether it is new, and is new no more.
    fn is_new(&self, bloom: &mut Bloom) -> bool;
    /// Its bytes.
    fn bytes(&self) -> &[u8];
}

impl Filtered for [u8; 20] {
    fn is_new(&self, bloom: &mut Bloom) -> bool {
        bloom.addresses.insert(*self)
    }

    fn bytes(&self) -> &[u8] {
        self
    }
}

impl Filtered for [u8; 32] {
    fn is_new(&self, bloom: &mut Bloom) -> bool {
        bloom.topics.insert(*self)
    }

    fn bytes(&self) -> &[u8] {
        self
    }
}

impl Default for Bloom {
    fn default() -> Self {
        Self { bits: [0; BYTES], addresses: FxHashSet::default(), topics: FxHashSet::default() }
    }
}

impl Bloom {
    /// Puts an address or a topic in.
    pub fn add(&mut self, item: &impl Filtered) {
        if !item.is_new(self) {
            return;
        }
        let hash = keccak256(item.bytes());
        for at in [0, 2, 4] {
            let bit = (usize::from(hash[at]) << 8 | usize::from(hash[at + 1])) & 2047;
            self.bits[BYTES - 1 - bit / 8] |= 1 << (bit % 8);
        }
    }

    /// Whether it equals the filter that a header states.
    pub fn is(&self, stated: &Data<'_>) -> bool {
        fixed::<BYTES>(stated.digits()).is_some_and(|bits| bits == self.bits)
    }
}
