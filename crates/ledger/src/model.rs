//! Transactions, legs and purses as plain values, and the [`Ledger`] trait.
//!
//! Numbers are dense and in ledger order: a lower [`Seq`] happened earlier. Names (addresses, transaction ids) exist
//! only at the border; everything inside works on numbers.

use money::{Amount, Asset};

use crate::{Event, Gaps, LedgerId, LegKind, Time};

/// A transaction's place in its ledger, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

/// A purse's number: an output's, or an (account, asset) pair's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PurseId(pub u64);

/// A holder's number: whoever the ledger says controls a purse (an address, an account).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HolderId(pub u64);

/// An asset's number within its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId(pub u32);

/// What a ledger's purses are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Each output is its own purse, spent whole and once.
    Utxo,
    /// Each (account, asset) pair is a purse that is paid into and out of for ever.
    Account,
}

/// One end of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Outside the ledger: issue, cash deposit, block subsidy; or burnt, withdrawn in cash.
    Outside,
    /// A purse.
    Purse(PurseId),
    /// The transaction's own pot: UTXO inputs pour into it in index order, outputs draw from it in index order, the
    /// fee takes the rest.
    Pot,
    /// Whoever collects the fee. As a payer: what the producer of a block receives of the fees.
    Fee,
    /// The books of the asset itself: a balance that a rebase or an unseen tax made larger (as a payer) or smaller.
    Drift,
}

impl End {
    /// What an end without a name stands for.
    pub const fn unnamed(kind: LegKind) -> Self {
        match kind {
            LegKind::Transfer => Self::Outside,
            LegKind::Fee => Self::Fee,
            LegKind::Drift => Self::Drift,
        }
    }

    /// The purse, where there is one.
    pub const fn purse(self) -> Option<PurseId> {
        match self {
            Self::Purse(purse) => Some(purse),
            _ => None,
        }
    }
}

/// One movement within a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Where the amount comes from.
    pub payer: End,
    /// Where it goes.
    pub payee: End,
    /// Of what.
    pub asset: AssetId,
    /// How much, in base units.
    pub amount: Amount,
    /// What the payer's purse held just before this leg, opening balance included. Nothing if it is no purse.
    pub payer_before: Amount,
    /// What the payee's purse held just before this leg, opening balance included. Nothing if it is no purse.
    pub payee_before: Amount,
    /// The first transaction at or after this leg's own in which the payer's purse pays again, in a later leg. Only
    /// what stands on a purse's last leg of a transaction is certain to lie in a later transaction.
    pub payer_next: Option<Seq>,
    /// The same for the payee's purse: the next transaction in which it pays.
    pub payee_next: Option<Seq>,
}

/// When and where in its chain a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The time that the ledger gives it.
    pub time: Time,
    /// The block's height, on chains.
    pub height: Option<u64>,
}

/// Who holds a purse, and of which asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purse {
    /// The holder.
    pub holder: HolderId,
    /// The asset.
    pub asset: AssetId,
}

/// A ledger as the tracer and everybody else reads it: one immutable state, from the first transaction to a last one.
///
/// No method fails: what is broken is found when a ledger is filled or opened, not when it is read. A number that the
/// ledger never gave out may panic.
pub trait Ledger {
    /// The ledger's name.
    fn id(&self) -> &LedgerId;
    /// What its purses are.
    fn kind(&self) -> Kind;
    /// The first sequence number that is not there yet; equally, how many transactions there are.
    fn end(&self) -> Seq;

    /// The legs of a transaction, in order, into `legs` (which is cleared first).
    fn transaction(&self, seq: Seq, legs: &mut Vec<Leg>);
    /// When a transaction happened.
    fn stamp(&self, seq: Seq) -> Stamp;
    /// The first transaction at or after `time`, by the running maximum of times (block times may step back).
    fn seq_at(&self, time: Time) -> Seq;

    /// Who holds a purse, and of which asset.
    fn purse(&self, purse: PurseId) -> Purse;
    /// The recorded opening balance: what the purse must have held before the ledger's first transaction.
    fn opening(&self, purse: PurseId) -> Amount;
    /// What the purse holds just before transaction `before`, opening balance included.
    fn balance(&self, purse: PurseId, before: Seq) -> Amount;
    /// The latest transaction before `before` that touches the purse.
    fn previous(&self, purse: PurseId, before: Seq) -> Option<Seq>;
    /// All purses of a holder, ascending.
    fn purses(&self, holder: HolderId) -> Vec<PurseId>;

    /// How many assets there are; their numbers are `0..assets()`.
    fn assets(&self) -> u32;
    /// An asset's name and scale.
    fn asset(&self, asset: AssetId) -> &Asset;
    /// The asset of that name.
    fn find_asset(&self, symbol: &str) -> Option<AssetId> {
        (0..self.assets()).map(AssetId).find(|id| self.asset(*id).symbol == symbol)
    }

    /// A transaction's id as people write it.
    fn transaction_name(&self, seq: Seq) -> String;
    /// The transaction of that id.
    fn find_transaction(&self, name: &str) -> Option<Seq>;
    /// A holder's name: an address, an account.
    fn holder_name(&self, holder: HolderId) -> String;
    /// The holder of that name, in canonical form (see [`crate::address`]).
    fn find_holder(&self, name: &str) -> Option<HolderId>;
    /// A purse's name: `txid:vout`, or `holder/asset`.
    fn purse_name(&self, purse: PurseId) -> String;
    /// The output `vout` of a transaction, on UTXO ledgers.
    fn find_output(&self, transaction: &str, vout: u32) -> Option<PurseId>;
}

/// What an account ledger that is a chain keeps besides movements.
pub trait Contracts: Ledger {
    /// The events of the transactions `from..until`, in order, as far as they were kept.
    fn events(&self, from: Seq, until: Seq, each: &mut dyn FnMut(Seq, &Event));
    /// What is not known of the transaction's block.
    fn gaps(&self, seq: Seq) -> Gaps;
}
