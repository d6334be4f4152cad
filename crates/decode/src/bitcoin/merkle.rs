//! The merkle root of a block's transactions, and the second shape of a block that has the same root.

use super::digest::{LANES, double_sha256_of_pairs};

/// The merkle root of transaction ids in block order; `None` where there are none, or where two hashes that would be
/// joined are equal. A tree repeats its last hash where it has no partner, so a block with its last transactions twice
/// has the root of the block without; such a list is nobody's block (CVE-2012-2459).
///
/// The list is used up: its levels are computed in its place.
pub fn merkle_root(hashes: &mut [[u8; 32]]) -> Option<[u8; 32]> {
    let mut count = hashes.len();
    while count > 1 {
        let level = &mut hashes[..count];
        let (pairs, alone) = level.as_chunks::<2>();
        if pairs.iter().any(|[left, right]| left == right) {
            return None;
        }
        let alone = alone.first().map(|hash| joined(hash, hash));
        let whole = count / 2;
        for first in (0..whole).step_by(LANES) {
            let mut lanes = [[0; 64]; LANES];
            let used = LANES.min(whole - first);
            let pairs = level[2 * first..2 * (first + used)].as_chunks::<2>().0;
            for (lane, [left, right]) in lanes.iter_mut().zip(pairs) {
                *lane = joined(left, right);
            }
            level[first..first + used].copy_from_slice(&double_sha256_of_pairs(&lanes[..used])[..used]);
        }
        if let Some(pair) = alone {
            level[whole] = double_sha256_of_pairs(&[pair])[0];
        }
        count = count.div_ceil(2);
    }
    hashes.first().copied()
}

fn joined(left: &[u8; 32], right: &[u8; 32]) -> [u8; 64] {
    let mut pair = [0; 64];
    pair[..32].copy_from_slice(left);
    pair[32..].copy_from_slice(right);
    pair
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitcoin::double_sha256;

    /// The definition, level by level.
    fn slow(hashes: &[[u8; 32]]) -> [u8; 32] {
        if let [root] = hashes {
            return *root;
        }
        let level: Vec<[u8; 32]> =
            hashes.chunks(2).map(|pair| double_sha256(&[&pair[0], pair.last().unwrap()])).collect();
        slow(&level)
    }

    #[test]
    fn it_is_the_root_of_every_small_tree_and_refuses_doubled_tails() {
        let leaves: Vec<[u8; 32]> = (1..=40).map(|number| [number; 32]).collect();
        for count in 1..=leaves.len() {
            let mut hashes = leaves[..count].to_vec();
            assert_eq!(merkle_root(&mut hashes), Some(slow(&leaves[..count])), "{count}");
        }
        // 6 leaves: the second level has 3 hashes, of which the last is joined with itself; so has 1 2 3 4 5 6 5 6.
        let mut doubled = leaves[..6].to_vec();
        doubled.extend_from_slice(&leaves[4..6]);
        assert_eq!(slow(&doubled), slow(&leaves[..6]));
        assert_eq!(merkle_root(&mut doubled), None);
        assert_eq!(merkle_root(&mut []), None);
    }
}
