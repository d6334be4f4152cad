//! The few words of the EVM's binary interface that the exercise's contracts speak: hashes of event signatures, and
//! 32-byte words.

use ledger::hex;
use sha3::{Digest, Keccak256};

/// A 20-byte account.
pub type Address = [u8; 20];
/// A word of the machine.
pub type Word = [u8; 32];

/// The Keccak-256 hash.
pub fn keccak(bytes: &[u8]) -> Word {
    Keccak256::digest(bytes).into()
}

/// The first topic of an event.
pub fn topic(signature: &str) -> Word {
    keccak(signature.as_bytes())
}

/// An address as a word.
pub fn of_address(address: Address) -> Word {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&address);
    word
}

/// A number as a word.
pub fn of_number(number: u128) -> Word {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&number.to_be_bytes());
    word
}

/// Bytes as JSON-RPC prints them.
pub fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("0x");
    hex::push(&mut text, bytes);
    text
}

/// A number as JSON-RPC prints it.
pub fn quantity(number: u128) -> String {
    format!("{number:#x}")
}

/// Marks what a log says in the filter of its block (Yellow Paper, 4.3.1: three bits for the contract and each topic).
pub fn mark(bloom: &mut [u8; 256], said: &[u8]) {
    let hash = keccak(said);
    for pair in hash.chunks_exact(2).take(3) {
        let bit = usize::from(u16::from_be_bytes([pair[0], pair[1]]) & 2047);
        bloom[255 - bit / 8] |= 1 << (bit % 8);
    }
}
