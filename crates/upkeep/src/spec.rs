//! What the annex of holders consists of, and how its rows are laid out. Numbers are little-endian.

use book::AnnexSpec;
use cluster::{Layer, VERDICT_BYTES};

/// The annex. Columns, tables and blobs are named by their place here.
pub(crate) const SPEC: AnnexSpec = AnnexSpec {
    name: "holders",
    version: 1,
    columns: &[
        ("blocks", BLOCK_BYTES),
        ("verdicts", VERDICT_BYTES),
        ("standings", STANDING_BYTES),
        ("texts", 1),
        ("tagged-clusters", CLUSTER_BYTES),
        ("tagged-members", MEMBER_BYTES),
        ("unmet", UNMET_BYTES),
        ("vectors", VECTOR_BYTES),
        ("wraps", WRAP_BYTES),
        ("ties", TIE_BYTES),
    ],
    tables: &[
        "co-spend-labels",
        "co-spend-next",
        "co-spend-sizes",
        "change-labels",
        "change-next",
        "change-sizes",
        "vector-ids",
        "wrap-tags",
    ],
    blobs: &["clusters", "due", "rulings"],
};

/// Blocks whose transactions have verdicts: see [`crate::blocks`].
pub(crate) const BLOCKS: usize = 0;
/// A verdict for each transaction.
pub(crate) const VERDICTS: usize = 1;
/// Holders of whom a tag speaks, ascending: see [`crate::standings`].
pub(crate) const STANDINGS: usize = 2;
/// What is said of them, in JSON and NDJSON.
pub(crate) const TEXTS: usize = 3;
/// Co-spend clusters with a category, ascending.
pub(crate) const CLUSTERS: usize = 4;
/// Cluster and holder, ascending, of holders of whom a tag speaks.
pub(crate) const MEMBERS: usize = 5;
/// Fingerprints of tagged names that the ledger does not know yet, ascending.
pub(crate) const UNMET: usize = 6;
/// The rows of the pool of exposure vectors.
pub(crate) const VECTORS: usize = 7;
/// Pairs of locks of one key: younger, oldest, transaction.
pub(crate) const WRAPS: usize = 8;
/// The journal of the newest transactions' evidence: transaction, two holders.
pub(crate) const TIES: usize = 9;

/// Where a transaction's vector begins.
pub(crate) const VECTOR_IDS: usize = 6;
/// By holder, the beginning of the hash of its key.
pub(crate) const WRAP_TAGS: usize = 7;

/// What the clusters need beside their labels.
pub(crate) const CLUSTER_STATE: usize = 0;
/// Holders whose category has changed since the vectors were mixed: 4 bytes each.
pub(crate) const DUE: usize = 1;
/// The rulings that were applied, as they are in their file.
pub(crate) const RULINGS: usize = 2;

pub(crate) const BLOCK_BYTES: usize = 56;
pub(crate) const STANDING_BYTES: usize = 24;
pub(crate) const CLUSTER_BYTES: usize = 8;
pub(crate) const MEMBER_BYTES: usize = 8;
pub(crate) const UNMET_BYTES: usize = 8;
pub(crate) const VECTOR_BYTES: usize = 8;
pub(crate) const WRAP_BYTES: usize = 16;
pub(crate) const TIE_BYTES: usize = 16;

/// The tables of a layer: labels, next members, sizes.
pub(crate) const fn tables(layer: Layer) -> [usize; 3] {
    match layer {
        Layer::CoSpend => [0, 1, 2],
        Layer::Change => [3, 4, 5],
    }
}

/// 32 bits at a place in a row; 0 past its end, which no sound row has.
pub(crate) fn u32_at(row: &[u8], at: usize) -> u32 {
    row.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// 64 bits at a place in a row.
pub(crate) fn u64_at(row: &[u8], at: usize) -> u64 {
    row.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}
