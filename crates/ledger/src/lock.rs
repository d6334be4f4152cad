//! [`Lock`]: who holds an output of a Bitcoin-like chain: what its script asks of a spender, in the shortest form that
//! says it, and the name that people know it by.
//!
//! Every script has exactly one lock, so the holder of an output does not depend on where it was read. A script that
//! has an address is its address; any other is itself, or its SHA-256 where it is long. Public keys alone (`p2pk`) have
//! no address and are not their hash's: that the two are one owner's is for clustering to say.
//!
//! Sources: BIP 13, BIP 16, BIP 141, BIP 173, BIP 350; `solver.cpp` and `key_io.cpp` of Bitcoin Core for what has an
//! address.

use bech32::{Fe32, Hrp, segwit};
use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use crate::{Network, hex};

/// The longest script that is its own name; a longer one is named by its hash.
pub const SCRIPT_BYTES_MAX: usize = 100;

const KEY_HASH: u8 = 0;
const SCRIPT_HASH: u8 = 1;
const WITNESS: u8 = 16;
const WITNESS_LAST: u8 = WITNESS + 16;
const TEXT: u8 = 0xfd;
const HASHED: u8 = 0xfe;
const SCRIPT: u8 = 0xff;

const OP_1: u8 = 0x51;
const OP_16: u8 = 0x60;

/// What locks an output: a kind, and the bytes that say which of that kind.
///
/// | first byte | the rest |
/// |---|---|
/// | 0 | the hash of a public key (20 bytes) |
/// | 1 | the hash of a script (20 bytes) |
/// | 16 + version | a witness program (2 to 40 bytes) |
/// | 253 | a name in UTF-8, of whoever no script is known |
/// | 254 | the SHA-256 of a script |
/// | 255 | a script |
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lock(SmallVec<[u8; 36]>);

impl Lock {
    fn new(kind: u8, bytes: &[u8]) -> Self {
        let mut lock = SmallVec::with_capacity(1 + bytes.len());
        lock.push(kind);
        lock.extend_from_slice(bytes);
        Self(lock)
    }

    /// The lock of a script (`scriptPubKey`).
    pub fn of_script(script: &[u8]) -> Self {
        match script {
            [0x76, 0xa9, 0x14, hash @ .., 0x88, 0xac] if hash.len() == 20 => Self::new(KEY_HASH, hash),
            [0xa9, 0x14, hash @ .., 0x87] if hash.len() == 20 => Self::new(SCRIPT_HASH, hash),
            [0, length, program @ ..] if program.len() == usize::from(*length) && matches!(length, 20 | 32) => {
                Self::new(WITNESS, program)
            }
            [version @ OP_1..=OP_16, length @ 2..=40, program @ ..] if program.len() == usize::from(*length) => {
                Self::new(WITNESS + 1 + (version - OP_1), program)
            }
            _ if script.len() <= SCRIPT_BYTES_MAX => Self::new(SCRIPT, script),
            _ => Self::new(HASHED, &Sha256::digest(script)),
        }
    }

    /// The lock that has this name on a network. What is no script's name is a name of its own.
    pub fn of_name(network: &Network, name: &str) -> Self {
        Self::parse(network, name).unwrap_or_else(|| Self::new(TEXT, name.as_bytes()))
    }

    /// The lock of an address, `script:HEX` or `scripthash:HEX`; `None` for anything else.
    pub fn parse(network: &Network, name: &str) -> Option<Self> {
        if let Some(digits) = name.strip_prefix("script:") {
            return hex::bytes(digits).map(|script| Self::of_script(&script));
        }
        if let Some(digits) = name.strip_prefix("scripthash:") {
            return hex::bytes(digits).filter(|hash| hash.len() == 32).map(|hash| Self::new(HASHED, &hash));
        }
        witness(network, name).or_else(|| hash(network, name))
    }

    /// The lock that was kept as these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(SmallVec::from_slice(bytes))
    }

    /// Its bytes, as the table above says.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its name on a network: an address where it has one, else `script:HEX`, `scripthash:HEX`, or a name as it is.
    pub fn name(&self, network: &Network) -> String {
        let Some((kind, bytes)) = self.0.split_first() else { return String::new() };
        match *kind {
            KEY_HASH => base58(network.key_hash, bytes),
            SCRIPT_HASH => base58(network.script_hash[0], bytes),
            version @ WITNESS..=WITNESS_LAST => {
                bech32_address(network, version - WITNESS, bytes).unwrap_or_else(|| self.script_name())
            }
            TEXT => String::from_utf8_lossy(bytes).into_owned(),
            HASHED => format!("scripthash:{}", hex::text(bytes)),
            _ => self.script_name(),
        }
    }

    fn script_name(&self) -> String {
        format!("script:{}", hex::text(&self.script().unwrap_or_default()))
    }

    /// The script, where the lock tells it.
    pub fn script(&self) -> Option<Vec<u8>> {
        let (kind, bytes) = self.0.split_first()?;
        let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        Some(match *kind {
            KEY_HASH => [&[0x76, 0xa9, 0x14], bytes, &[0x88, 0xac]].concat(),
            SCRIPT_HASH => [&[0xa9, 0x14], bytes, &[0x87]].concat(),
            WITNESS => [&[0, length], bytes].concat(),
            version @ WITNESS..=WITNESS_LAST => [&[OP_1 - 1 + (version - WITNESS), length], bytes].concat(),
            SCRIPT => bytes.to_vec(),
            _ => return None,
        })
    }

    /// Whether nobody can ever spend it: its script begins with `OP_RETURN`.
    pub fn is_unspendable(&self) -> bool {
        matches!(self.as_bytes(), [SCRIPT, 0x6a, ..])
    }
}

/// A name that stands for itself, or a script by its hex: for what has no network.
impl From<&str> for Lock {
    fn from(name: &str) -> Self {
        let bare = name.starts_with("script:") || name.starts_with("scripthash:");
        let parsed = if bare { Self::parse(&crate::network::UNLISTED, name) } else { None };
        parsed.unwrap_or_else(|| Self::new(TEXT, name.as_bytes()))
    }
}

impl From<String> for Lock {
    fn from(name: String) -> Self {
        name.as_str().into()
    }
}

fn witness(network: &Network, name: &str) -> Option<Lock> {
    let (prefix, version, program) = segwit::decode(name).ok()?;
    (prefix.to_lowercase() == network.bech32).then(|| Lock::new(WITNESS + version.to_u8(), &program))
}

fn hash(network: &Network, name: &str) -> Option<Lock> {
    let bytes = bs58::decode(name).with_check(None).into_vec().ok().filter(|bytes| bytes.len() == 21)?;
    let (version, hash) = bytes.split_first()?;
    if *version == network.key_hash {
        return Some(Lock::new(KEY_HASH, hash));
    }
    network.script_hash.contains(version).then(|| Lock::new(SCRIPT_HASH, hash))
}

fn base58(version: u8, hash: &[u8]) -> String {
    let mut payload = Vec::with_capacity(1 + hash.len());
    payload.push(version);
    payload.extend_from_slice(hash);
    bs58::encode(payload).with_check().into_string()
}

fn bech32_address(network: &Network, version: u8, program: &[u8]) -> Option<String> {
    let prefix = Hrp::parse(network.bech32).ok()?;
    segwit::encode(prefix, Fe32::try_from(version).ok()?, program).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{NETWORKS, UNLISTED};

    fn lock(script: &str) -> Lock {
        Lock::of_script(&hex::bytes(script).unwrap())
    }

    /// Scripts and their addresses on the main chain; sources: BIP 173, BIP 350, and Bitcoin Core's `decodescript`.
    const KNOWN: [(&str, &str); 7] = [
        ("76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ("a914748284390f9e263a4b766a75d0633c50426eb87587", "3CK4fEwbMP7heJarmU4eqA3sMbVJyEnU3V"),
        ("0014751e76e8199196d454941c45d1b3a323f1433bd6", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        (
            "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        ),
        ("51024e73", "bc1pfeessrawgf"),
        ("6002751e", "bc1sw50qgdz25j"),
        ("6a0548656c6c6f", "script:6a0548656c6c6f"),
    ];

    #[test]
    fn every_kind_of_script_has_one_name_and_is_found_by_it() {
        let network = &NETWORKS[0];
        for (script, name) in KNOWN {
            let lock = lock(script);
            assert_eq!(lock.name(network), name);
            assert_eq!(Lock::parse(network, name).as_ref(), Some(&lock), "{name}");
            assert_eq!(Lock::parse(network, &format!("script:{script}")), Some(lock.clone()));
            assert_eq!(lock.script(), hex::bytes(script));
            assert_eq!(Lock::from_bytes(lock.as_bytes()), lock);
        }
        assert!(lock("6a").is_unspendable() && !lock("51024e73").is_unspendable() && !lock("").is_unspendable());
    }

    #[test]
    fn what_only_looks_like_a_witness_program_is_a_script() {
        for odd in ["00150000", "0002aaaa", "5101aa", "5103aabb", "00", ""] {
            assert_eq!(lock(odd).name(&NETWORKS[0]), format!("script:{odd}"));
        }
        let long = "51".repeat(SCRIPT_BYTES_MAX + 1);
        let named = lock(&long).name(&NETWORKS[0]);
        assert!(named.starts_with("scripthash:") && named.len() == 75);
        assert_eq!(Lock::parse(&NETWORKS[0], &named), Some(lock(&long)));
        assert_eq!(lock(&long).script(), None);
    }

    #[test]
    fn each_network_prints_its_own_prefix_and_takes_no_other() {
        let script = "0014751e76e8199196d454941c45d1b3a323f1433bd6";
        let names: Vec<String> = NETWORKS.iter().map(|network| lock(script).name(network)).collect();
        let starts = ["bc1q", "tb1q", "tb1q", "tb1q", "bcrt1q", "ltc1q", "script:0014"];
        assert!(names.iter().zip(starts).all(|(name, start)| name.starts_with(start)), "{names:?}");
        assert_eq!(Lock::parse(&NETWORKS[1], &names[0]), None);
        let hashes: Vec<String> = NETWORKS.iter().map(|network| lock(KNOWN[0].0).name(network)).collect();
        let starts = [&["1"][..], &["m", "n"], &["m", "n"], &["m", "n"], &["m", "n"], &["L"], &["D"]];
        let fits = |(name, starts): (&String, &[&str])| starts.iter().any(|start| name.starts_with(start));
        assert!(hashes.iter().zip(starts).all(fits), "{hashes:?}");
        assert_eq!(Lock::parse(&NETWORKS[5], KNOWN[1].1), Some(lock(KNOWN[1].0)), "Litecoin's old prefix");
    }

    #[test]
    fn a_name_without_a_script_stays_a_name() {
        let named = Lock::of_name(&UNLISTED, "unknown");
        assert_eq!(named.name(&NETWORKS[0]), "unknown");
        assert_eq!(named, "unknown".into());
        assert_eq!(Lock::from("script:6A"), lock("6a"));
    }
}
