//! [`BlockHeader`]: the 80 bytes that a block's hash is of, and the work that they prove.

use std::fmt;

use ruint::aliases::U256;

use super::double_sha256;

/// The bytes of a header, without what some chains put after it.
pub const HEADER_BYTES: usize = 80;

/// A block's header, as it is on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BlockHeader([u8; HEADER_BYTES]);

impl BlockHeader {
    /// A header of these bytes; any 80 bytes are one.
    pub const fn new(bytes: [u8; HEADER_BYTES]) -> Self {
        Self(bytes)
    }

    /// The header that bytes begin with; `None` where there are fewer than 80.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk().copied().map(Self)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; HEADER_BYTES] {
        &self.0
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        *self.0[at..].first_chunk().expect("the fields of a header lie within its 80 bytes")
    }

    /// The version; its bits mean different things on different chains.
    pub fn version(&self) -> i32 {
        i32::from_le_bytes(self.array(0))
    }

    /// The parent's hash, in internal byte order; zeros at genesis.
    pub fn previous(&self) -> [u8; 32] {
        self.array(4)
    }

    /// The merkle root of the transactions.
    pub fn merkle_root(&self) -> [u8; 32] {
        self.array(36)
    }

    /// When the miner says it began, in seconds since 1970.
    pub fn time_seconds(&self) -> u32 {
        u32::from_le_bytes(self.array(68))
    }

    /// The target in its short form.
    pub fn bits(&self) -> u32 {
        u32::from_le_bytes(self.array(72))
    }

    /// What the miner counted up.
    pub fn nonce(&self) -> u32 {
        u32::from_le_bytes(self.array(76))
    }

    /// The block's hash, in internal byte order. Chains whose work is of another function have this hash as well.
    pub fn hash(&self) -> [u8; 32] {
        double_sha256(&[&self.0])
    }

    /// Whether `hash`, read as a number, is not above the target that the header states. Which target a chain asks for
    /// is a rule of consensus.
    pub fn meets_target(&self, hash: &[u8; 32]) -> bool {
        target(self.bits()).is_some_and(|target| U256::from_le_bytes(*hash) <= target)
    }

    /// The work that the stated target stands for: how many hashes one tries on average.
    pub fn work(&self) -> Work {
        // 2^256 / (target + 1), in 256 bits: see GetBlockProof.
        Work(target(self.bits()).map_or(U256::ZERO, |target| !target / (target + U256::ONE) + U256::ONE))
    }
}

impl fmt::Debug for BlockHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockHeader({})", ledger::txid_text(&self.hash()))
    }
}

/// The number that short bits stand for; `None` for those that are zero, negative or too large to be a target.
fn target(bits: u32) -> Option<U256> {
    let (bytes, digits) = (bits >> 24, bits & 0x007f_ffff);
    if digits == 0 || bits & 0x0080_0000 != 0 {
        return None;
    }
    let digits_of = 32 - digits.leading_zeros();
    if bytes > 3 && digits_of + 8 * (bytes - 3) > 256 {
        return None;
    }
    let digits = U256::from(digits);
    let target = if bytes <= 3 { digits >> (8 * (3 - bytes)) } else { digits << (8 * (bytes - 3)) };
    (!target.is_zero()).then_some(target)
}

/// Work that was done, in hashes; a chain's is the sum of its blocks'.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work(U256);

impl Work {
    /// Of no block.
    pub const ZERO: Self = Self(U256::ZERO);

    /// Both together. It stays at the most that 256 bits hold, which only headers that prove nothing can reach.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Work {
    /// In hexadecimal, 64 digits, as nodes print `chainwork`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.to_be_bytes::<32>().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_bits(bits: u32) -> BlockHeader {
        let mut bytes = [0; HEADER_BYTES];
        bytes[72..76].copy_from_slice(&bits.to_le_bytes());
        BlockHeader::new(bytes)
    }

    /// The chainwork of block 0, as nodes print it: of the main chain, and of the regression-test chain.
    #[test]
    fn work_is_what_nodes_print() {
        assert!(with_bits(0x1d00_ffff).work().to_string().ends_with("0000000100010001"));
        assert_eq!(with_bits(0x207f_ffff).work().to_string(), format!("{:064x}", 2));
        assert_eq!(
            with_bits(0x207f_ffff).work().plus(with_bits(0x1d00_ffff).work()),
            Work(U256::from(0x1_0001_0003_u64))
        );
        assert_eq!(Work(U256::MAX).plus(Work(U256::ONE)), Work(U256::MAX));
    }

    /// From Bitcoin Core's `arith_uint256_tests.cpp`, `bignum_SetCompact`.
    #[test]
    fn bits_that_are_no_target_prove_nothing() {
        let none = [0, 0x0012_3456, 0x0100_3456, 0x0200_0056, 0x0300_0000, 0x0400_0000, 0x0092_3456, 0x01fe_dcba];
        for bits in none.into_iter().chain([0x0492_3456, 0xff12_3456, 0x2301_0000]) {
            assert_eq!(target(bits), None, "{bits:08x}");
            assert_eq!(with_bits(bits).work(), Work::ZERO);
            assert!(!with_bits(bits).meets_target(&[0; 32]));
        }
        let some = [
            (0x0112_3456, 0x12),
            (0x0212_3456, 0x1234),
            (0x0312_3456, 0x0012_3456),
            (0x0412_3456, 0x1234_5600),
            (0x0500_9234, 0x9234_0000_u32),
        ];
        for (bits, number) in some {
            assert_eq!(target(bits), Some(U256::from(number)));
        }
        assert_eq!(target(0x2012_3456), Some(U256::from(0x12_3456) << 232));
        assert_eq!(target(0x2200_00ff), Some(U256::from(0xff) << 248));
    }
}
