//! Names in columns: holders and assets, which both kinds of ledger keep alike, and the reference to a name's bytes.
//!
//! The first columns of a ledger are the ones named here. Rows: `holders` has the name and the holder's last purse,
//! `assets` the name, the scale, and how many blocks and transactions there were when the asset was declared.

use ledger::HolderId;
use money::Asset;

use crate::column::{Column, Growing, Rows, Spec, partition_point};
use crate::lookup::Lookup;
use crate::numbers::NONE_40;
use crate::run::fingerprint;
use crate::{BookError, DeedError};

pub(crate) const HOLDERS: usize = 0;
pub(crate) const HOLDER_NAMES: usize = 1;
pub(crate) const ASSETS: usize = 2;
pub(crate) const ASSET_NAMES: usize = 3;

pub(crate) const HOLDERS_SPEC: Spec = Spec::new("holders", 16);
pub(crate) const HOLDER_NAMES_SPEC: Spec = Spec::new("holder-names", 1);
pub(crate) const ASSETS_SPEC: Spec = Spec::new("assets", 24);
pub(crate) const ASSET_NAMES_SPEC: Spec = Spec::new("asset-names", 1);
pub(crate) const HOLDERS_LOOKUP: &str = "holders-by-name";

/// The word of a holder's row that names its last purse.
pub(crate) const HOLDER_TAIL: usize = 1;
/// The longest name of a transaction, holder or asset.
pub const NAME_BYTES_MAX: usize = 65_535;
/// The most assets of a ledger: a leg names its asset in 24 bits.
pub const ASSETS_MAX: u64 = 1 << 24;
/// The bits of an asset's second word that are its scale; above them is how many blocks there were.
const SCALE_BITS: u32 = 8;
const SCALE: u64 = (1 << SCALE_BITS) - 1;
/// Whether a name can be kept.
pub(crate) fn check_name(name: &[u8]) -> Result<(), DeedError> {
    if name.len() <= NAME_BYTES_MAX {
        return Ok(());
    }
    let beginning = String::from_utf8_lossy(&name[..160]).chars().take(40).collect();
    Err(DeedError::NameTooLong { beginning, has: name.len(), allowed: NAME_BYTES_MAX })
}

/// Appends a name, which was checked, and returns its reference: where it starts, and its length in the low 16 bits.
pub(crate) fn append_name(names: &mut Growing, name: &[u8]) -> Result<u64, BookError> {
    debug_assert!(name.len() <= NAME_BYTES_MAX);
    Ok(names.append_bytes(name)? << 16 | name.len() as u64)
}

/// The bytes of a referenced name.
#[inline]
pub(crate) fn name_bytes<C: Rows>(names: &C, reference: u64) -> &[u8] {
    names.bytes(reference >> 16, reference & 0xffff)
}

/// Where the bytes of a referenced name start.
pub(crate) fn name_start(reference: u64) -> u64 {
    reference >> 16
}

/// A referenced name as text.
pub(crate) fn name_text<C: Rows>(names: &C, reference: u64) -> String {
    String::from_utf8_lossy(name_bytes(names, reference)).into_owned()
}

/// Whether a holder has this name.
pub(crate) fn holder_is<C: Rows>(columns: &[C], holder: u64, name: &[u8]) -> bool {
    let [reference, _] = columns[HOLDERS].words::<2>(holder);
    name_bytes(&columns[HOLDER_NAMES], reference) == name
}

/// A holder's name: text on account ledgers, a lock on UTXO ledgers.
pub(crate) fn holder_name<C: Rows>(columns: &[C], holder: u64) -> &[u8] {
    let [reference, _] = columns[HOLDERS].words::<2>(holder);
    name_bytes(&columns[HOLDER_NAMES], reference)
}

/// The fingerprint of a holder's name.
pub(crate) fn holder_fingerprint<C: Rows>(columns: &[C], holder: u64) -> u64 {
    fingerprint(holder_name(columns, holder))
}

/// A reader's search for a holder.
pub(crate) fn find_holder(columns: &[Column], lookup: &Lookup, name: &[u8]) -> Option<HolderId> {
    let is_it = |holder| holder_is(columns, holder, name);
    lookup.find(fingerprint(name), |holder| holder_fingerprint(columns, holder), is_it).map(HolderId)
}

/// An asset's name.
pub(crate) fn asset_name<C: Rows>(columns: &[C], asset: u64) -> &[u8] {
    let [reference] = columns[ASSETS].words_from::<1>(asset, 0);
    name_bytes(&columns[ASSET_NAMES], reference)
}

/// An asset as its row has it.
pub(crate) fn asset_at<C: Rows>(columns: &[C], asset: u64) -> Asset {
    let [reference, scale] = columns[ASSETS].words::<2>(asset);
    let scale = u8::try_from(scale & SCALE).expect("masked to eight bits");
    Asset { symbol: name_text(&columns[ASSET_NAMES], reference), scale }
}

/// All assets of a ledger that has few.
pub(crate) fn read_assets<C: Rows>(columns: &[C]) -> Result<Vec<Asset>, BookError> {
    let rows = columns[ASSETS].rows();
    if rows > ASSETS_MAX {
        return Err(BookError::damaged(ASSETS_SPEC.name, "it has more rows than there can be assets"));
    }
    let asset = |row| Some(asset_at(columns, row)).filter(|asset| asset.scale <= money::SCALE_MAX);
    (0..rows)
        .map(|row| asset(row).ok_or_else(|| BookError::damaged(ASSETS_SPEC.name, "a scale is out of range")))
        .collect()
}

/// When an asset was declared.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Declared {
    /// How many transactions there were.
    pub(crate) transactions: u64,
    /// How many blocks there were.
    pub(crate) blocks: u64,
}

/// Appends an asset.
pub(crate) fn append_asset(columns: &mut [Growing], asset: &Asset, declared: Declared) -> Result<u64, BookError> {
    let reference = append_name(&mut columns[ASSET_NAMES], asset.symbol.as_bytes())?;
    let scale = u64::from(asset.scale) | declared.blocks << SCALE_BITS;
    columns[ASSETS].append([reference, scale, declared.transactions])
}

/// How many assets, and how many bytes of their names, were declared before there was as much as `keep`: blocks on a
/// chain, transactions elsewhere.
pub(crate) fn assets_before(columns: &[Growing], keep: Declared, is_chain: bool) -> (u64, u64) {
    let rows = columns[ASSETS].rows();
    let kept = partition_point(rows, |row| {
        let [_, scale, transactions] = columns[ASSETS].words::<3>(row);
        if is_chain { scale >> SCALE_BITS < keep.blocks } else { transactions < keep.transactions }
    });
    let bytes = if kept < rows { name_start(columns[ASSETS].words::<3>(kept)[0]) } else { columns[ASSET_NAMES].rows() };
    (kept, bytes)
}

/// All rows of a holder's chain as a reader of `committed` rows sees it, ascending. `row` gives a row's holder and the
/// row before it in that holder's chain.
pub(crate) fn settled_chain(
    holder: u64,
    committed: u64,
    tail: impl FnMut() -> u64,
    row: impl Fn(u64) -> Option<(u64, u64)>,
) -> Vec<u64> {
    let own = |at| row(at).filter(|(of, _)| *of == holder).map(|(_, previous)| previous);
    let mut next = settled_tail(committed, tail, own);
    let mut found = Vec::new();
    while let Some(at) = next {
        found.push(at);
        next = row(at).map(|(_, previous)| previous).filter(|previous| *previous < at);
    }
    found.reverse();
    found
}

/// The last row of a chain as a reader of `committed` rows sees it: a tail past its commit is followed back.
///
/// `earlier` gives the row before one of them, if that one is indeed of the chain. A writer that recovers at this
/// very moment can pull such rows away; then the link is read again, which by then is whole.
pub(crate) fn settled_tail(
    committed: u64,
    mut tail: impl FnMut() -> u64,
    earlier: impl Fn(u64) -> Option<u64>,
) -> Option<u64> {
    const TRIES_MAX: usize = 1_000;
    for _ in 0..TRIES_MAX {
        let mut at = tail();
        loop {
            if at < committed {
                return Some(at);
            }
            if at >= NONE_40 {
                return None;
            }
            match earlier(at).filter(|before| *before < at || *before >= NONE_40) {
                Some(before) => at = before,
                None => break,
            }
        }
        std::thread::yield_now();
    }
    None
}
