//! [`AsOf`]: what kept state is up to: how much of the chain, which tags, which rulings, which versions of the methods.

use ledger::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What kept state is up to. Two states with the same one, if it is whole, say the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsOf {
    /// The last block whose transactions have verdicts; none before the first.
    pub block: Option<AsOfBlock>,
    /// How many transactions have verdicts.
    pub judged: u64,
    /// How many transactions are in the clusters.
    pub clustered: u64,
    /// How many transactions have vectors.
    pub exposed: u64,
    /// How many holders' categories have changed whose money is not mixed again yet.
    pub due: u64,
    /// How many holders there are.
    pub holders: u64,
    /// The SHA-256 of the tags, in hex; nothing where there are none.
    pub tags: String,
    /// The SHA-256 of the rules by which tags are read, and of the actors that give them names.
    pub tag_rules: String,
    /// The SHA-256 of the rulings; nothing where there are none.
    pub rulings: String,
    /// The versions of the rules of verdicts, of clusters, and of exposure.
    pub methods: [u32; 3],
}

/// A block, as people know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsOfBlock {
    /// Its height.
    pub height: u64,
    /// Its hash, as it is printed.
    pub hash: String,
}

impl AsOf {
    /// Whether clusters and vectors are up to the same block as the verdicts, and as the tags. An update that was interrupted leaves them
    /// behind.
    pub const fn is_whole(&self) -> bool {
        self.judged == self.clustered && self.judged == self.exposed && self.due == 0
    }
}

/// The SHA-256 of bytes in hex; nothing for none.
pub(crate) fn digest(bytes: &[u8]) -> String {
    if bytes.is_empty() { String::new() } else { hex::text(&Sha256::digest(bytes)) }
}

/// 64 bits of the SHA-256 of a holder's name.
pub(crate) fn fingerprint(name: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    crate::spec::u64_at(&digest, 0)
}
