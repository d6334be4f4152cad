//! Numbers of rows: how "none" is written, and how one becomes an index.

/// No row: in words.
pub(crate) const NONE: u64 = u64::MAX;
/// No row: in 40 bits.
pub(crate) const NONE_40: u64 = (1 << 40) - 1;

/// On 64-bit machines, which mapping files needs, this is no operation.
#[inline]
pub(crate) fn index(number: u64) -> usize {
    usize::try_from(number).expect("a 64-bit machine")
}
