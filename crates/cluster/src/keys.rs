//! What the locks themselves tell: which are of one key ([`family`]), and which are nobody's ([`Nobody`]).
//!
//! Sources: BIP 16 and BIP 141 for what is hashed into what; Bitcoin Core's `policy` for pay-to-anchor (`51024e73`).

use ledger::memory::UNKNOWN_HOLDER;
use ledger::{Coins, Lock};
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};

use crate::partition::narrow;

/// First bytes of locks, see [`Lock`].
const KEY_HASH: u8 = 0;
const SCRIPT_HASH: u8 = 1;
const WITNESS_0: u8 = 16;
const SCRIPT: u8 = 255;

const OP_1: u8 = 0x51;
const OP_16: u8 = 0x60;
const OP_CHECKSIG: u8 = 0xac;

/// A hash that all locks of one key, or of one witness script, share.
pub type Family = [u8; 20];

/// RIPEMD-160 of SHA-256: how keys and scripts are hashed.
fn hash160(bytes: &[u8]) -> Family {
    hash160_of(&[bytes])
}

fn hash160_of(parts: &[&[u8]]) -> Family {
    let sha = parts.iter().fold(Sha256::new(), Digest::chain_update);
    Ripemd160::digest(sha.finalize()).into()
}

/// The hash under which a witness program of version 0 is wrapped into an old-style script hash.
fn wrapped(program: &[u8]) -> Family {
    let length = u8::try_from(program.len()).expect("a witness program has at most 40 bytes");
    hash160_of(&[&[0, length], program])
}

/// The family of a lock: the script hash that wraps its witness. A key, its hash, its witness and the wrap of its
/// witness have the same, and so have a witness script and its wrap. A key counts as it stands: the compressed and the
/// long form of one key have different hashes. `None` where nothing can be derived.
pub fn family(lock: &Lock) -> Option<Family> {
    match lock.as_bytes() {
        [KEY_HASH, key_hash @ ..] => Some(wrapped(key_hash)),
        [WITNESS_0, program @ ..] if matches!(program.len(), 20 | 32) => Some(wrapped(program)),
        [SCRIPT_HASH, script_hash @ ..] => script_hash.try_into().ok(),
        [SCRIPT, 33, key @ .., OP_CHECKSIG] if key.len() == 33 && matches!(key[0], 2 | 3) => {
            Some(wrapped(&hash160(key)))
        }
        [SCRIPT, 65, key @ .., OP_CHECKSIG] if key.len() == 65 && key[0] == 4 => Some(wrapped(&hash160(key))),
        _ => None,
    }
}

/// Holders that are nobody: outputs of which the source told nothing, and locks that anybody can open (`OP_TRUE` plain
/// and hashed, the empty script, pay-to-anchor). That two parties both spend one of those ties them to nothing.
#[derive(Clone, Debug, Default)]
pub struct Nobody(Vec<u32>);

impl Nobody {
    /// Those that a ledger has.
    pub fn of<C: Coins + ?Sized>(coins: &C) -> Self {
        let mut holders: Vec<u32> = Self::locks().iter().filter_map(|lock| coins.find_lock(lock)).map(narrow).collect();
        holders.sort_unstable();
        Self(holders)
    }

    /// Their locks.
    pub fn locks() -> Vec<Lock> {
        let yes = [OP_1];
        let witness = [&[0, 32], Sha256::digest(yes).as_slice()].concat();
        let script_hash = |hash: Family| Lock::of_script(&[&[0xa9, 20], &hash[..], &[0x87]].concat());
        let mut locks: Vec<Lock> = (OP_1..=OP_16).map(|number| Lock::of_script(&[number])).collect();
        locks.extend([
            Lock::from(UNKNOWN_HOLDER),
            Lock::of_script(&[]),
            Lock::of_script(&[OP_1, 2, 0x4e, 0x73]),
            Lock::of_script(&witness),
            script_hash(hash160(&yes)),
            script_hash(hash160(&witness)),
        ]);
        locks
    }

    /// Whether a holder is one of them.
    #[inline]
    pub fn has(&self, holder: u32) -> bool {
        !self.0.is_empty() && self.0.binary_search(&holder).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use ledger::hex;
    use ledger::network::NETWORKS;

    use super::*;

    fn named(name: &str) -> Lock {
        Lock::parse(&NETWORKS[0], name).unwrap()
    }

    /// The generator point's key; its addresses are in BIP 173 and in every textbook.
    #[test]
    fn a_key_its_hash_its_witness_and_the_wrap_of_it_are_one_family() {
        let key = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
        let family_of = |name: &str| family(&named(name));
        let bare = family_of(&format!("script:21{key}ac"));
        assert!(bare.is_some());
        for name in [
            "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "3JvL6Ymt8MVWiCNHC7oWU6nLeHNJKLZGLN",
        ] {
            assert_eq!(family_of(name), bare, "{name}");
        }
        let long = "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\
                    483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
        let long = family_of(&format!("script:41{long}ac"));
        assert_ne!(long, bare, "the long form has another hash");
        assert_eq!(long, family_of("1EHNa6Q4Jz2uvNExL497mE43ikXhwF6kZm"));
    }

    #[test]
    fn a_witness_script_and_its_wrap_are_one_family_and_the_rest_has_none() {
        let program = Sha256::digest([OP_1]);
        let witness = Lock::of_script(&[&[0, 32], program.as_slice()].concat());
        let wrap = family(&witness).unwrap();
        assert_eq!(family(&Lock::of_script(&[&[0xa9, 20], &wrap[..], &[0x87]].concat())), Some(wrap));
        for none in ["script:6a0548656c6c6f", "script:21ac", "script:", "bc1pfeessrawgf"] {
            assert_eq!(family(&named(none)), None, "{none}");
        }
        assert_eq!(hex::text(&hash160(b"")), "b472a266d0bd89c13706a4132ccfb16f7c3b9fcb");
    }
}
