//! The contract ABI: signatures as text, and the values that logs and calldata hold by them.
//!
//! A [`Signature`] is read from what people write (`Send(bytes32 transferId, address indexed sender, uint256 amount)`); it
//! gives the topic of a log, the selector of a call, and named values of either. It knows no contract and no bridge.
//! Bytes are a stranger's: offsets and lengths are checked against what is there, nothing is allocated by a claim, and
//! shared tails, which would let a small input unfold into a large one, come out of a budget.
//!
//! Source: the contract ABI specification of the Solidity documentation.

mod decode;
mod encode;
mod signature;
mod value;

use sha3::{Digest, Keccak256};

pub use decode::AbiError;
pub use ruint::aliases::U256;
pub use signature::{Parameter, SIGNATURE_BYTES_MAX, Signature, SignatureError, TYPE_DEPTH_MAX, Type};
pub use value::{Field, Value, number};

/// The hash that EVM chains use everywhere; not SHA3-256.
pub fn keccak256(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

#[cfg(test)]
mod tests;
