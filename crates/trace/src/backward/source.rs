//! Questions and answers of the backward pass: targets, settings, and the origins that add up to what was asked for.

use std::collections::BTreeMap;
use std::fmt;

use ledger::{AssetId, End, HolderId, PurseId, Seq};
use money::Amount;

use super::want::Want;
use crate::flow::Step;
use crate::label::LabelId;
use crate::policy::Policy;
use crate::settings::StopKind;

/// Money whose source is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The caller's number for the question; targets of one label are answered as one. They should be of one asset.
    pub label: LabelId,
    /// Which money.
    pub money: Money,
    /// How much of it; `None` is all. Under FIFO and LIFO a part is the part that leaves first.
    pub amount: Option<Amount>,
}

/// Which money a target means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Money {
    /// What a purse holds.
    Content {
        /// The purse.
        purse: PurseId,
        /// As it stands just before this transaction; the ledger's end is now.
        before: Seq,
    },
    /// What a leg brings to its payee.
    Leg {
        /// The transaction.
        seq: Seq,
        /// The leg's index in it.
        leg: usize,
    },
}

/// What a backward trace is told besides its targets and its policy.
#[derive(Clone, Debug, Default)]
pub struct BackwardSettings {
    /// Holders at which the way back ends: what they paid comes from them, whoever paid them.
    pub stops: BTreeMap<HolderId, StopKind>,
    /// Per asset: where less than this is wanted of a movement, it is not followed and booked as truncated.
    pub dust: BTreeMap<AssetId, Amount>,
    /// The first transaction that is looked at; what is wanted of a purse as it stood then is booked as window.
    /// Targets from before are not answered. `None` is the ledger's beginning.
    pub from: Option<Seq>,
}

/// Why a policy has no way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoWayBack(
    /// The policy.
    pub Policy,
);

impl fmt::Display for NoWayBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} asks \"is it stolen?\", which has no meaning backwards; choose haircut, fifo or lifo for the source of funds",
            self.0
        )
    }
}

impl std::error::Error for NoWayBack {}

/// What kind of source a part of the money has: a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OriginKind {
    /// It came into the ledger there: issued, mined, paid in as cash.
    Outside,
    /// It lay in the purse before the ledger's first transaction: the history is incomplete.
    Opening,
    /// A custodian paid it.
    Service,
    /// A mixer paid it.
    Mixer,
    /// A bridge paid it.
    Bridge,
    /// It came out of a swap.
    Exchange,
    /// It lay in the purse when the window begins.
    Window,
    /// It was not followed, because it was little.
    Truncated,
}

impl OriginKind {
    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Opening => "opening",
            Self::Service => "service",
            Self::Mixer => "mixer",
            Self::Bridge => "bridge",
            Self::Exchange => "exchange",
            Self::Window => "window",
            Self::Truncated => "truncated",
        }
    }

    pub(crate) const fn of_stop(stop: StopKind) -> Self {
        match stop {
            StopKind::Service => Self::Service,
            StopKind::Mixer => Self::Mixer,
            StopKind::Bridge => Self::Bridge,
        }
    }
}

/// What tells one origin from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginKey {
    /// Whose question.
    pub label: LabelId,
    /// What kind of source.
    pub kind: OriginKind,
    /// The asset.
    pub asset: AssetId,
    /// Whose purse paid: the stop's, the one that was not followed, or the other side of a swap where it is one.
    pub payer: Option<PurseId>,
    /// Whose purse it came into or lay in; `None` where it came into a UTXO transaction's pot or left the ledger.
    pub payee: Option<PurseId>,
    /// The transaction that brought it; `None` for what lay there already.
    pub seq: Option<Seq>,
}

/// A part of the money and where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// What it is.
    pub key: OriginKey,
    /// How much, in base units of the asset.
    pub amount: Amount,
    /// Transfers from there to the target, on the shortest way.
    pub hops: u32,
}

/// Where the money came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Ascending by key. The amounts of a label add up to what `wanted` says.
    pub origins: Vec<Origin>,
    /// What the targets of each label ask for, every unit once.
    pub wanted: BTreeMap<LabelId, Amount>,
    /// What targets asked for and was not there, was asked for already, or lies before the window.
    pub uncounted: BTreeMap<LabelId, Amount>,
    /// Movements looked at of which something is wanted.
    pub events: u64,
}

/// One movement of which something is wanted, with the arithmetic that a spreadsheet can redo.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'a> {
    /// The transaction.
    pub seq: Seq,
    /// The kind of movement. `Exchange` stands for all that a purse received in a swap.
    pub step: Step,
    /// Where it comes from.
    pub payer: End,
    /// Where it goes.
    pub payee: End,
    /// The asset that moves.
    pub asset: AssetId,
    /// How much moves in all.
    pub amount: Amount,
    /// What the payee's purse, or the pot, held just before.
    pub before: Amount,
    /// What is wanted of the payee just after, per label: under haircut, `wanted × amount / (before + amount)` of it
    /// came with this movement.
    pub wanted: &'a [(LabelId, Amount)],
    /// What is wanted of this movement, targets that name it included.
    pub wants: &'a [Want],
    /// How the way back ends here; `None` where it goes on behind the payer.
    pub end: Option<OriginKind>,
}

/// Someone who watches a backward trace hop by hop.
pub trait HopObserver {
    /// Whether hops are wanted at all; where not, their arithmetic is not even formed.
    const WATCHES: bool;
    /// One movement, latest first.
    fn hop(&mut self, hop: &Hop<'_>);
}

/// Nobody watches.
impl HopObserver for () {
    const WATCHES: bool = false;
    fn hop(&mut self, _hop: &Hop<'_>) {}
}
