//! Who owns what on the exercise's UTXO ledger: owners, their keys, and the locks (scripts and addresses) of those.
//!
//! A lock is a hash of seed, owner and key number: nothing is stored, and nobody has a private key to any of them. In the
//! world of wallets the hash is first taken for a public key, so that one key has locks of several kinds.
//! Addresses carry the prefixes of Bitcoin's regression-test network (`bcrt1…`, `m…`/`n…`), so that none can be
//! mistaken for one on mainnet; their checksums are right (BIP 173, BIP 350, Base58Check).

use std::fmt;

use bech32::{Hrp, segwit};
use ledger::hex;
use ripemd::Ripemd160;
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
}

/// The bit that owners of the world of wallets have (`wallets`): their keys have several kinds of lock each.
const OF_WALLETS: u32 = 1 << 31;
/// Bits of such a key's number that say which kind.
const STYLE_BITS: u32 = 3;
/// Public keys there are of an owner in the world of wallets.
pub const POINTS_MAX: u32 = 1 << (32 - STYLE_BITS);

/// A kind of lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Style {
    /// `p2pkh`.
    KeyHash,
    /// `p2sh-p2wpkh`.
    Nested,
    /// `p2wpkh`.
    WitnessKeyHash,
    /// `p2tr`.
    Taproot,
    /// `p2pk`: the public key itself. It has no address.
    PublicKey,
    /// `p2wsh`, of several keys.
    WitnessScriptHash,
    /// `p2sh`, of several keys.
    ScriptHash,
    /// No lock but data; nobody's.
    Data,
}

impl Style {
    const ALL: [Self; 8] = [
        Self::KeyHash,
        Self::Nested,
        Self::WitnessKeyHash,
        Self::Taproot,
        Self::PublicKey,
        Self::WitnessScriptHash,
        Self::ScriptHash,
        Self::Data,
    ];
}

impl Key {
    /// Key number `point` of an owner in the world of wallets, under a lock of kind `style`. Keys of one number are one
    /// key: what locks them by its hash has the same hash.
    pub const fn of_wallets(owner: u32, point: u32, style: Style) -> Self {
        Self { owner: Owner(owner | OF_WALLETS), number: point << STYLE_BITS | style as u32 }
    }

    /// Which of its owner's public keys it is, in the world of wallets.
    pub const fn point(self) -> u32 {
        self.number >> STYLE_BITS
    }

    /// Its owner in the world of wallets.
    pub const fn wallets_owner(self) -> u32 {
        self.owner.0 & !OF_WALLETS
    }

    /// The kind of its lock. Outside the world of wallets owners keep to one, as wallet software does: seven of ten
    /// witness key hashes, two taproot.
    pub fn style(self) -> Style {
        match self.owner {
            Owner(wallet) if wallet & OF_WALLETS != 0 => Style::ALL[(self.number & ((1 << STYLE_BITS) - 1)) as usize],
            Owner(firm) if firm >= 1 << 30 => Style::WitnessKeyHash,
            Owner(person) => match person % 10 {
                0..=6 => Style::WitnessKeyHash,
                7..=8 => Style::Taproot,
                _ => Style::KeyHash,
            },
        }
    }
}

/// What an output says about who may spend it.
#[derive(Clone, Debug)]
pub struct Lock {
    style: Style,
    /// The hash, point or key: 20, 32 or 33 bytes, as the kind asks for.
    program: [u8; 33],
}

impl Lock {
    /// The lock of `key` in the world of `seed`.
    pub fn of(seed: u64, key: Key) -> Self {
        let style = key.style();
        let mut program = [0; 33];
        if key.owner.0 & OF_WALLETS == 0 {
            let hash = Sha256::new()
                .chain_update(b"exercise lock")
                .chain_update(seed.to_le_bytes())
                .chain_update(key.owner.0.to_le_bytes())
                .chain_update(key.number.to_le_bytes())
                .finalize();
            program[..32].copy_from_slice(&hash);
            return Self { style, program };
        }
        let hash = Sha256::new()
            .chain_update(b"exercise key")
            .chain_update(seed.to_le_bytes())
            .chain_update(key.owner.0.to_le_bytes())
            .chain_update((key.number >> STYLE_BITS).to_le_bytes())
            .finalize();
        let mut point = [0; 33];
        point[0] = 2 | (hash[0] & 1);
        point[1..].copy_from_slice(&hash);
        match style {
            Style::KeyHash | Style::WitnessKeyHash => program[..20].copy_from_slice(&hash160(&point)),
            Style::Nested => {
                let mut wrapped = [0; 22];
                wrapped[1] = 20;
                wrapped[2..].copy_from_slice(&hash160(&point));
                program[..20].copy_from_slice(&hash160(&wrapped));
            }
            Style::PublicKey => program = point,
            // A script of several keys, and a tweaked point, show nothing of the key beside them.
            Style::ScriptHash => program[..20].copy_from_slice(&hash160(&[&point[..], b"script"].concat())),
            Style::Taproot | Style::WitnessScriptHash | Style::Data => {
                let hidden = Sha256::new().chain_update(point).chain_update([style as u8]).finalize();
                program[..32].copy_from_slice(&hidden);
            }
        }
        Self { style, program }
    }

    /// The script's name in Bitcoin Core's words.
    pub fn kind(&self) -> &'static str {
        match self.style {
            Style::WitnessKeyHash => "witness_v0_keyhash",
            Style::Taproot => "witness_v1_taproot",
            Style::KeyHash => "pubkeyhash",
            Style::Nested | Style::ScriptHash => "scripthash",
            Style::PublicKey => "pubkey",
            Style::WitnessScriptHash => "witness_v0_scripthash",
            Style::Data => "nulldata",
        }
    }

    /// Whether it has an address.
    pub const fn has_address(&self) -> bool {
        !matches!(self.style, Style::PublicKey | Style::Data)
    }

    /// Appends the script's bytes to `bytes` and says how many.
    pub fn script(&self, bytes: &mut Vec<u8>) -> usize {
        let before = bytes.len();
        let (head, length, tail): (&[u8], usize, &[u8]) = match self.style {
            Style::WitnessKeyHash => (&[0x00, 20], 20, &[]),
            Style::Taproot => (&[0x51, 32], 32, &[]),
            Style::KeyHash => (&[0x76, 0xa9, 20], 20, &[0x88, 0xac]),
            Style::Nested | Style::ScriptHash => (&[0xa9, 20], 20, &[0x87]),
            Style::PublicKey => (&[33], 33, &[0xac]),
            Style::WitnessScriptHash => (&[0x00, 32], 32, &[]),
            Style::Data => (&[0x6a, 32], 32, &[]),
        };
        bytes.extend(head);
        bytes.extend(&self.program[..length]);
        bytes.extend(tail);
        bytes.len() - before
    }
}

impl fmt::Display for Lock {
    /// The address, or `script:HEX` where there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hrp = Hrp::parse_unchecked("bcrt");
        let base58 = |f: &mut fmt::Formatter<'_>, prefix| {
            let mut payload = [prefix; 21];
            payload[1..].copy_from_slice(&self.program[..20]);
            f.write_str(&bs58::encode(payload).with_check().into_string())
        };
        match self.style {
            Style::WitnessKeyHash => {
                segwit::encode_lower_to_fmt_unchecked(f, hrp, segwit::VERSION_0, &self.program[..20])
            }
            Style::WitnessScriptHash => {
                segwit::encode_lower_to_fmt_unchecked(f, hrp, segwit::VERSION_0, &self.program[..32])
            }
            Style::Taproot => segwit::encode_lower_to_fmt_unchecked(f, hrp, segwit::VERSION_1, &self.program[..32]),
            Style::KeyHash => base58(f, 0x6f),
            Style::Nested | Style::ScriptHash => base58(f, 0xc4),
            Style::PublicKey | Style::Data => {
                let mut script = Vec::new();
                self.script(&mut script);
                let mut text = String::new();
                hex::push(&mut text, &script);
                write!(f, "script:{text}")
            }
        }
    }
}

/// What Bitcoin calls a hash of a key or a script: RIPEMD-160 of SHA-256.
fn hash160(bytes: &[u8]) -> [u8; 20] {
    Ripemd160::digest(Sha256::digest(bytes)).into()
}

/// The address of `key` in the world of `seed`.
pub fn address(seed: u64, key: Key) -> String {
    Lock::of(seed, key).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;
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

    #[test]
    fn locks_of_one_key_are_what_another_library_makes_of_it() {
        let chain = LedgerId::parse("bip122:0123456789abcdef0123456789abcdef").unwrap();
        let script = |point, style| {
            let mut script = Vec::new();
            Lock::of(7, Key::of_wallets(3, point, style)).script(&mut script);
            bitcoin::ScriptBuf::from_bytes(script)
        };
        for point in [0, 1, 77, POINTS_MAX - 1] {
            for style in Style::ALL {
                let key = Key::of_wallets(3, point, style);
                assert_eq!((key.style(), key.wallets_owner()), (style, 3));
                let lock = Lock::of(7, key);
                if lock.has_address() {
                    let name = lock.to_string();
                    assert_eq!(ledger::address::canonical(&chain, &name).as_deref(), Ok(name.as_str()));
                }
            }
            let bare = script(point, Style::PublicKey);
            assert!(bare.is_p2pk());
            let hash = bitcoin::hashes::hash160::Hash::hash(&bare.as_bytes()[1..34]);
            let (key, witness) = (bitcoin::PubkeyHash::from(hash), bitcoin::WPubkeyHash::from(hash));
            assert_eq!(script(point, Style::KeyHash), bitcoin::ScriptBuf::new_p2pkh(&key));
            let witness = bitcoin::ScriptBuf::new_p2wpkh(&witness);
            assert_eq!(script(point, Style::WitnessKeyHash), witness);
            assert_eq!(script(point, Style::Nested), bitcoin::ScriptBuf::new_p2sh(&witness.script_hash()));
            assert!(script(point, Style::Taproot).is_p2tr() && script(point, Style::WitnessScriptHash).is_p2wsh());
            assert!(script(point, Style::ScriptHash).is_p2sh() && script(point, Style::Data).is_op_return());
        }
    }
}
