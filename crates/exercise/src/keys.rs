//! Who owns what on the exercise's UTXO ledger: owners, their keys, and the locks (scripts and addresses) of those.
//!
//! A lock is a hash of seed, owner and key number: nothing is stored, and nobody has a private key to any of them.
//! Addresses carry the prefixes of Bitcoin's regression-test network (`bcrt1…`, `m…`/`n…`), so that none can be
//! mistaken for one on mainnet; their checksums are right (BIP 173, BIP 350, Base58Check).

use std::fmt;

use bech32::{Hrp, segwit};
use sha2::{Digest, Sha256};

/// One key of one owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Whose.
    pub owner: Owner,
    /// Which of the owner's.
    pub number: u32,
}

/// An owner of keys. People stand at the low numbers, everybody else is named below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(pub u32);

impl Owner {
    /// Harbour Exchange's hot wallet.
    pub const HARBOUR_HOT: Self = Self(1 << 30);
    /// Harbour Exchange's deposit addresses, one key a customer.
    pub const HARBOUR_DEPOSITS: Self = Self((1 << 30) + 1);
    /// Meridian Exchange's hot wallet.
    pub const MERIDIAN_HOT: Self = Self((1 << 30) + 2);
    /// Meridian Exchange's deposit addresses.
    pub const MERIDIAN_DEPOSITS: Self = Self((1 << 30) + 3);
    /// The coordinator of joins.
    pub const COORDINATOR: Self = Self((1 << 30) + 4);
    /// The launderer.
    pub const LAUNDERER: Self = Self((1 << 30) + 5);

    /// Owners keep to one kind of lock, as wallet software does: seven of ten witness key hashes, two taproot.
    fn style(self) -> Style {
        match self {
            Self(firm) if firm >= 1 << 30 => Style::WitnessKeyHash,
            Self(person) => match person % 10 {
                0..=6 => Style::WitnessKeyHash,
                7..=8 => Style::Taproot,
                _ => Style::KeyHash,
            },
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    WitnessKeyHash,
    Taproot,
    KeyHash,
}

/// What an output says about who may spend it.
#[derive(Clone, Debug)]
pub struct Lock {
    style: Style,
    /// The hash or point: 20 bytes, or 32 for taproot.
    program: [u8; 32],
}

impl Lock {
    /// The lock of `key` in the world of `seed`.
    pub fn of(seed: u64, key: Key) -> Self {
        let program = Sha256::new()
            .chain_update(b"exercise lock")
            .chain_update(seed.to_le_bytes())
            .chain_update(key.owner.0.to_le_bytes())
            .chain_update(key.number.to_le_bytes())
            .finalize();
        Self { style: key.owner.style(), program: program.into() }
    }

    /// The script's name in Bitcoin Core's words.
    pub fn kind(&self) -> &'static str {
        match self.style {
            Style::WitnessKeyHash => "witness_v0_keyhash",
            Style::Taproot => "witness_v1_taproot",
            Style::KeyHash => "pubkeyhash",
        }
    }

    /// Appends the script's bytes to `bytes` and says how many.
    pub fn script(&self, bytes: &mut Vec<u8>) -> usize {
        let before = bytes.len();
        match self.style {
            Style::WitnessKeyHash => {
                bytes.extend([0x00, 0x14]);
                bytes.extend(&self.program[..20]);
            }
            Style::Taproot => {
                bytes.extend([0x51, 0x20]);
                bytes.extend(&self.program);
            }
            Style::KeyHash => {
                bytes.extend([0x76, 0xa9, 0x14]);
                bytes.extend(&self.program[..20]);
                bytes.extend([0x88, 0xac]);
            }
        }
        bytes.len() - before
    }
}

impl fmt::Display for Lock {
    /// The address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hrp = Hrp::parse_unchecked("bcrt");
        match self.style {
            Style::WitnessKeyHash => {
                segwit::encode_lower_to_fmt_unchecked(f, hrp, segwit::VERSION_0, &self.program[..20])
            }
            Style::Taproot => segwit::encode_lower_to_fmt_unchecked(f, hrp, segwit::VERSION_1, &self.program),
            Style::KeyHash => {
                let mut payload = [0x6f; 21];
                payload[1..].copy_from_slice(&self.program[..20]);
                f.write_str(&bs58::encode(payload).with_check().into_string())
            }
        }
    }
}

/// The address of `key` in the world of `seed`.
pub fn address(seed: u64, key: Key) -> String {
    Lock::of(seed, key).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::LedgerId;

    #[test]
    fn every_address_passes_the_checks_that_real_ones_pass() {
        let chain = LedgerId::parse("bip122:0123456789abcdef0123456789abcdef").unwrap();
        let mut kinds = std::collections::BTreeSet::new();
        for owner in [Owner(0), Owner(7), Owner(9), Owner::HARBOUR_HOT, Owner::LAUNDERER] {
            for number in 0..50 {
                let key = Key { owner, number };
                let text = address(1, key);
                assert_eq!(ledger::address::canonical(&chain, &text).as_deref(), Ok(text.as_str()));
                assert_ne!(text, address(2, key), "another seed is another world");
                kinds.insert(text.chars().take(5).collect::<String>());
            }
        }
        assert!(kinds.contains("bcrt1") && kinds.iter().any(|kind| kind.starts_with(['m', 'n'])));
    }
}
