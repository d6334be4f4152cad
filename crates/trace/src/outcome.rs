//! [`Outcome`]: where everything ended, as terminals that add up to the loot.

use std::collections::BTreeMap;

use ledger::{AssetId, PurseId, Seq};
use money::Amount;

use crate::label::{LabelId, Portion};
use crate::settings::StopKind;

/// What became of a part of the loot. Frozen and recovered money is the incident's to tell, not the tracer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TerminalKind {
    /// It still lies there.
    Balance,
    /// It went to a custodian.
    Service,
    /// It went into a mixer.
    Mixer,
    /// It went into a bridge.
    Bridge,
    /// It paid a fee.
    Fee,
    /// It was not followed, because it was little.
    Truncated,
    /// It left what the ledger shows.
    Unknown,
}

impl TerminalKind {
    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Balance => "balance",
            Self::Service => "service",
            Self::Mixer => "mixer",
            Self::Bridge => "bridge",
            Self::Fee => "fee",
            Self::Truncated => "truncated",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a trace ends where it ends: a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// An output that nobody has spent (UTXO ledgers).
    Unspent,
    /// An account's balance.
    Held,
    /// The payee is tagged as a custodian, a mixer or a bridge.
    StopRule,
    /// The fee of a transaction; not chased.
    Fee,
    /// The asset's own books made the balance smaller: a rebase, an unseen tax.
    Drift,
    /// The movement was below the dust cut-off.
    BelowDust,
    /// The stolen share of the movement was below the share cut-off.
    BelowShare,
    /// It was paid out of the ledger: burnt, or withdrawn in cash.
    LeftLedger,
    /// It departed, and no link that is followed says where it came out.
    Unlinked,
    /// It departed, and had not come out by the end of the window.
    InTransit,
    /// It departed for a ledger that is not traced.
    OtherLedger,
    /// It came out in a payment that is smaller than the link says, or loot already.
    NoRoom,
    /// The fee of a bridge.
    BridgeFee,
    /// Next to nothing, paid to or by somebody whose address was made to look like another's.
    Poisoning,
}

impl Reason {
    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspent => "unspent",
            Self::Held => "held",
            Self::StopRule => "stop-rule",
            Self::Fee => "fee",
            Self::Drift => "drift",
            Self::BelowDust => "below-dust",
            Self::BelowShare => "below-share",
            Self::LeftLedger => "left-ledger",
            Self::Unlinked => "unlinked",
            Self::InTransit => "in-transit",
            Self::OtherLedger => "other-ledger",
            Self::NoRoom => "no-room",
            Self::BridgeFee => "bridge-fee",
            Self::Poisoning => "poisoning",
        }
    }
}

/// What tells one terminal from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TerminalKey {
    /// Whose loot.
    pub label: LabelId,
    /// What became of it.
    pub kind: TerminalKind,
    /// Why the trace ends.
    pub reason: Reason,
    /// The purse, where there is one.
    pub purse: Option<PurseId>,
    /// The asset that it is now.
    pub asset: AssetId,
}

/// A part of the loot and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Whose loot.
    pub label: LabelId,
    /// What became of it.
    pub kind: TerminalKind,
    /// Why the trace ends.
    pub reason: Reason,
    /// The purse, where there is one.
    pub purse: Option<PurseId>,
    /// The asset that it is now.
    pub asset: AssetId,
    /// How much of that asset.
    pub amount: Amount,
    /// How much of the loot, in base units of the stolen asset. Poison flags and does not account: it repeats the
    /// flagged amount.
    pub origin: Amount,
    /// Transfers since the theft, on the shortest way.
    pub hops: u32,
    /// When the oldest part came to rest.
    pub since: Seq,
}

impl Terminal {
    /// What tells it from another.
    pub fn key(&self) -> TerminalKey {
        let Self { label, kind, reason, purse, asset, .. } = *self;
        TerminalKey { label, kind, reason, purse, asset }
    }

    /// A terminal made of one portion.
    pub(crate) fn of(end: (TerminalKind, Reason), purse: Option<PurseId>, asset: AssetId, portion: &Portion) -> Self {
        let Portion { label, amount, origin, hops, since, .. } = *portion;
        let (kind, reason) = end;
        Self { label, kind, reason, purse, asset, amount, origin, hops, since }
    }

    fn merge(&mut self, other: &Self) {
        self.amount += other.amount;
        self.origin += other.origin;
        self.hops = self.hops.min(other.hops);
        self.since = self.since.min(other.since);
    }
}

/// Terminals while they are gathered. Sums that grow while the trace runs (fees, a custodian's deposits) are kept
/// together; what is found at the end, a line a purse, is only listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terminals {
    sums: BTreeMap<TerminalKey, Terminal>,
    found: Vec<Terminal>,
}

impl Terminals {
    /// Adds a portion that came to an end on its way.
    pub(crate) fn add(&mut self, terminal: Terminal) {
        self.sums.entry(terminal.key()).and_modify(|old| old.merge(&terminal)).or_insert(terminal);
    }

    /// Lists a portion that lies in a purse at the end.
    pub(crate) fn find(&mut self, terminal: Terminal) {
        self.found.push(terminal);
    }

    /// All of them, one per key, ascending.
    pub(crate) fn into_sorted(self) -> Vec<Terminal> {
        let mut all = self.found;
        all.extend(self.sums.into_values());
        // Stable, so that portions of one purse keep their order.
        all.sort_by_key(Terminal::key);
        all.dedup_by(|next, kept| {
            let same = next.key() == kept.key();
            if same {
                kept.merge(next);
            }
            same
        });
        all
    }
}

pub(crate) fn stop_terminal(stop: StopKind) -> TerminalKind {
    match stop {
        StopKind::Service => TerminalKind::Service,
        StopKind::Mixer => TerminalKind::Mixer,
        StopKind::Bridge => TerminalKind::Bridge,
    }
}

/// What a trace found.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Where the loot is, by label, kind, reason, purse and asset. For a conserving policy the origins of each
    /// label's terminals add up to its loot.
    pub terminals: Vec<Terminal>,
    /// The loot of each label: what its seeds brought in.
    pub loot: BTreeMap<LabelId, Amount>,
    /// What seeds asked for and could not bring, because the loot was already counted or was not there in the end.
    pub uncounted: BTreeMap<LabelId, Amount>,
    /// Purses on the way whose history is incomplete: they paid more than the ledger knows that they held.
    pub incomplete: Vec<PurseId>,
    /// Swaps where several assets stood on one side and were given equal weight.
    pub weighed: Vec<Seq>,
    /// Movements of loot looked at.
    pub events: u64,
    /// The transactions looked at, ascending; of account ledgers only.
    pub visited: Vec<Seq>,
}
