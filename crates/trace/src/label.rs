//! Labels and portions: whose stolen money a parcel of value holds.
//!
//! A label is one thing stolen: an incident's loss in one asset. A parcel is the list of stolen portions within one
//! movement; what no portion names is clean or unknown.

use ledger::{PurseId, Seq};
use money::Amount;

/// Which loot: the caller's number for one incident's loss in one asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelId(pub u32);

/// Where a trace starts: of what this leg brings to its payee, so much is loot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seed {
    /// The transaction.
    pub seq: Seq,
    /// The leg's index in it.
    pub leg: usize,
    /// The purse that the leg pays into.
    pub purse: PurseId,
    /// The loot that it is counted to.
    pub label: LabelId,
    /// How much, at most the leg's amount.
    pub amount: Amount,
}

/// A stolen part of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion {
    /// Whose.
    pub label: LabelId,
    /// Where it lies within the parcel, counted from the unit that left first. Only lot policies ask for it.
    pub offset: Amount,
    /// How much, in base units of the asset that moves.
    pub amount: Amount,
    /// How much of the loot this is, in base units of the stolen asset at the theft. Survives swaps.
    pub origin: Amount,
    /// Transfers since the theft, on the shortest way.
    pub hops: u32,
    /// When the oldest part of it came into the purse that it lies in.
    pub since: Seq,
}

/// Sums of a parcel for one label.
pub(crate) fn sum_of(portions: &[Portion], label: LabelId) -> (Amount, Amount) {
    portions
        .iter()
        .filter(|portion| portion.label == label)
        .fold((Amount::ZERO, Amount::ZERO), |(amount, origin), p| (amount + p.amount, origin + p.origin))
}

/// What `part` of something that holds `held` is of the loot, if all of it is `origin`. Where nothing was converted yet
/// the two are one, and no division is needed.
#[inline]
pub(crate) fn origin_of(part: Amount, held: Amount, origin: Amount) -> Amount {
    if part == held {
        origin
    } else if origin == held {
        part
    } else {
        origin.share(part, held)
    }
}
