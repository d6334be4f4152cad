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

/// How many nodes of the merkle tree are hashed side by side.
pub(super) const LANES: usize = 8;

/// The double SHA-256 of each of up to [`LANES`] pairs of hashes: nodes of the merkle tree.
///
/// The steps of one hash wait for each other and those of different hashes do not, so that a processor which is given
/// them in turns works on several at once.
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
