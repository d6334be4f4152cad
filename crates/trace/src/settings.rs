//! [`Settings`]: where a trace stops and what it leaves aside.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{AssetId, HolderId, Seq};
use money::Amount;

/// Why a holder's purses end a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StopKind {
    /// A custodian: what a customer deposits is pooled, and what is withdrawn is other money.
    Service,
    /// A mixer: what leaves cannot be told apart.
    Mixer,
    /// A bridge to another ledger: the way goes on there, once a link is known.
    Bridge,
}

/// A share below which a movement is not followed: stolen part / moved amount < `parts` / `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareFloor {
    /// The numerator.
    pub parts: u64,
    /// The denominator.
    pub of: u64,
}

impl ShareFloor {
    /// Whether a stolen part of a movement lies below the floor.
    pub fn is_above(self, stolen: Amount, moved: Amount) -> bool {
        // stolen / moved < parts / of, without a division: a share rounds, a comparison must not.
        match (stolen.units().checked_mul(u128::from(self.of)), moved.units().checked_mul(u128::from(self.parts))) {
            (Some(left), Some(right)) => left < right,
            // Amounts past 2^64 times the denominator: compare at a coarser grain that is still far below a unit of share.
            _ => (stolen.units() >> 64) * u128::from(self.of) < (moved.units() >> 64) * u128::from(self.parts),
        }
    }
}

/// What a trace is told besides its seeds and its policy.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Holders at which a trace ends. A deposit into their purses is a terminal, what they pay is clean.
    pub stops: BTreeMap<HolderId, StopKind>,
    /// Movements of less than this are not followed, per asset; their stolen part is booked as truncated.
    pub dust: BTreeMap<AssetId, Amount>,
    /// Movements with a smaller stolen share are not followed; their stolen part is booked as truncated.
    pub share_floor: Option<ShareFloor>,
    /// The first transaction that is not looked at; `None` is the ledger's end.
    pub until: Option<Seq>,
    /// Assets of which movements are left out.
    pub aside: Aside,
    /// Whether next to nothing that is paid to or by a look-alike of somebody else's address is not followed.
    pub marks_poisoning: bool,
}

/// Assets that nobody values: a trace leaves their movements out, so that what was paid for one is a payment, and no swap.
#[derive(Clone, Debug, Default)]
pub struct Aside {
    /// All that are counted in pieces, known by their names (`…/erc721:…`, `…/erc1155:…`).
    pub pieces: bool,
    /// These.
    pub assets: BTreeSet<AssetId>,
    /// These not, whatever else is said: what was stolen is traced.
    pub but: BTreeSet<AssetId>,
}

impl Aside {
    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        !self.pieces && self.assets.is_empty()
    }

    /// Whether an asset of that name is left out.
    pub fn holds(&self, asset: AssetId, name: &str) -> bool {
        let is_piece = || name.contains("/erc721:") || name.contains("/erc1155:");
        (self.assets.contains(&asset) || (self.pieces && is_piece())) && !self.but.contains(&asset)
    }
}
