//! Double SHA-256 over pieces of a block without joining them.
//!
//! `sha2`'s own hasher keeps a buffer and counts for each call; ids of transactions are short, so that this shows. Here
//! whole blocks go straight to its compression function, which picks the processor's instructions.

use sha2::block_api::compress256;

const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
/// What follows 64 bytes of message: one bit, zeros, and the length, 512 bits.
const PADDING_OF_64: [u8; 64] = {
    let mut block = [0; 64];
    block[0] = 0x80;
    block[62] = 2;
    block
};

/// The double SHA-256 of the pieces, one after the other.
pub fn double_sha256(pieces: &[&[u8]]) -> [u8; 32] {
    let mut state = INITIAL;
    let mut block = [0; 64];
    let (mut held, mut total) = (0, 0_u64);
    for piece in pieces {
        total += piece.len() as u64;
        let mut rest = *piece;
        if held > 0 {
            let taken = rest.len().min(64 - held);
            block[held..held + taken].copy_from_slice(&rest[..taken]);
            held += taken;
            rest = &rest[taken..];
            if held < 64 {
                continue;
            }
            compress256(&mut state, &[block]);
        }
        let (whole, tail) = rest.as_chunks::<64>();
        compress256(&mut state, whole);
        held = tail.len();
        block[..held].copy_from_slice(tail);
    }
    block[held] = 0x80;
    block[held + 1..].fill(0);
    if held >= 56 {
        compress256(&mut state, &[block]);
        block = [0; 64];
    }
    block[56..].copy_from_slice(&(total * 8).to_be_bytes());
    compress256(&mut state, &[block]);
    again(&state)
}

/// How many hashes are made side by side.
pub(super) const LANES: usize = 8;
/// The most bytes of a message that is hashed beside others: most transactions without their witnesses are shorter, and
/// copying longer ones costs more than it saves.
pub(super) const LANE_BYTES_MAX: usize = 64 * LANE_BLOCKS - 9;
const LANE_BLOCKS: usize = 10;

/// Messages that are hashed side by side.
///
/// The steps of one hash wait for each other and those of different hashes do not, so that a processor which is given
/// them in turns works on several at once.
pub(super) struct Lanes {
    blocks: Box<[[[u8; 64]; LANE_BLOCKS]; LANES]>,
    counts: [usize; LANES],
    used: usize,
}

impl Lanes {
    pub fn new() -> Self {
        Self { blocks: Box::new([[[0; 64]; LANE_BLOCKS]; LANES]), counts: [0; LANES], used: 0 }
    }

    /// Puts a message of at most [`LANE_BYTES_MAX`] bytes into the next lane; there must be one.
    #[inline]
    pub fn push(&mut self, pieces: &[&[u8]]) {
        let bytes = self.blocks[self.used].as_flattened_mut();
        let mut length = 0;
        for piece in pieces {
            bytes[length..length + piece.len()].copy_from_slice(piece);
            length += piece.len();
        }
        let count = (length + 9).div_ceil(64);
        bytes[length] = 0x80;
        bytes[length + 1..64 * count - 8].fill(0);
        bytes[64 * count - 8..64 * count].copy_from_slice(&(8 * length as u64).to_be_bytes());
        self.counts[self.used] = count;
        self.used += 1;
    }

    pub fn is_full(&self) -> bool {
        self.used == LANES
    }

    /// The double SHA-256 of each message, in the order in which they came; the lanes are free again.
    pub fn finish(&mut self) -> impl Iterator<Item = [u8; 32]> + use<> {
        let used = std::mem::take(&mut self.used);
        let mut states = [INITIAL; LANES];
        for step in 0..LANE_BLOCKS {
            let lanes = states.iter_mut().zip(&self.blocks[..]).zip(&self.counts).take(used);
            let mut busy = false;
            for ((state, blocks), _) in lanes.filter(|(_, count)| step < **count) {
                compress256(state, std::slice::from_ref(&blocks[step]));
                busy = true;
            }
            if !busy {
                break;
            }
        }
        states.into_iter().take(used).map(|state| again(&state))
    }
}

/// The double SHA-256 of each of up to [`LANES`] pairs of hashes, side by side: nodes of the merkle tree.
#[inline]
pub(super) fn double_sha256_of_pairs(pairs: &[[u8; 64]]) -> [[u8; 32]; LANES] {
    let mut states = [INITIAL; LANES];
    for (state, pair) in states.iter_mut().zip(pairs) {
        compress256(state, std::slice::from_ref(pair));
    }
    for (state, _) in states.iter_mut().zip(pairs) {
        compress256(state, &[PADDING_OF_64]);
    }
    let mut hashes = [[0; 32]; LANES];
    for ((hash, state), _) in hashes.iter_mut().zip(&states).zip(pairs) {
        *hash = again(state);
    }
    hashes
}

/// The SHA-256 of a hash.
#[inline]
fn again(state: &[u32; 8]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..32].copy_from_slice(&bytes(state));
    block[32] = 0x80;
    block[62] = 1; // 256 bits
    let mut state = INITIAL;
    compress256(&mut state, &[block]);
    bytes(&state)
}

#[inline]
fn bytes(state: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (place, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *place = word.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn lanes_hash_as_one_does() {
        let bytes: Vec<u8> = (0..=255_u8).cycle().take(LANE_BYTES_MAX).collect();
        let mut lanes = Lanes::new();
        let mut want = Vec::new();
        let mut hashes = Vec::new();
        for length in (0..=LANE_BYTES_MAX).chain([5, LANE_BYTES_MAX, 1, 64, 55, 56, 119, 120]) {
            let pieces = [&bytes[..length.min(4)], &bytes[length.min(4)..length]];
            want.push(double_sha256(&pieces));
            lanes.push(&pieces);
            if lanes.is_full() {
                hashes.extend(lanes.finish());
            }
        }
        hashes.extend(lanes.finish());
        assert_eq!(hashes, want);
        assert_eq!(lanes.finish().count(), 0);
    }

    #[test]
    fn pieces_hash_as_the_whole_does_wherever_they_are_cut() {
        let bytes: Vec<u8> = (0..=255_u8).cycle().take(300).collect();
        for length in 0..=300 {
            let want: [u8; 32] = Sha256::digest(Sha256::digest(&bytes[..length])).into();
            for first in [0, 1, 4, 55, 56, 63, 64, 65, 128, 200] {
                let first = first.min(length);
                let second = (first + 4).min(length);
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..length]];
                assert_eq!(double_sha256(&pieces), want, "{length} bytes, cut at {first} and {second}");
            }
        }
        let pairs: Vec<[u8; 64]> = (0..LANES).map(|at| *bytes[at..].first_chunk().unwrap()).collect();
        for count in 0..=LANES {
            let hashes = double_sha256_of_pairs(&pairs[..count]);
            assert!(hashes.iter().zip(&pairs[..count]).all(|(hash, pair)| *hash == double_sha256(&[pair])));
        }
    }
}
