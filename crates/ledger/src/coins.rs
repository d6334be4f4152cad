//! [`Coins`]: what a UTXO ledger can say beyond [`crate::Ledger`]: its outputs one by one, and the locks of their holders.
//!
//! Clustering and exposure read every input and output of a chain, so this trait asks for numbers in buffers and makes
//! no lists of its own. The book implements it from its columns, [`crate::memory::MemoryLedger`] in the obvious way.

use crate::{HolderId, Lock, Network, PurseId, Seq};

/// One output: which, whose, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coin {
    /// Its number.
    pub purse: PurseId,
    /// Who can spend it.
    pub holder: HolderId,
    /// What it is worth, in base units.
    pub value: u64,
}

/// A UTXO ledger, output by output. Numbers are those of [`crate::Ledger`]: dense, in chain order; a holder's number is
/// given out when its first output appears, so the lower of two is the older.
pub trait Coins {
    /// The chain's parameters.
    fn network(&self) -> &'static Network;
    /// How many transactions there are.
    fn transactions(&self) -> u64;
    /// How many holders there are.
    fn holders(&self) -> u64;
    /// How many outputs there are, those from before the first block included.
    fn purse_count(&self) -> u64;

    /// What a transaction spends, in input order, into `into` (which is cleared first); nothing for a coinbase.
    fn spent(&self, seq: Seq, into: &mut Vec<Coin>);
    /// What a transaction makes, in output order, into `into` (which is cleared first).
    fn made(&self, seq: Seq, into: &mut Vec<Coin>);
    /// An output.
    fn coin(&self, purse: PurseId) -> Coin;
    /// The transaction that made an output; `None` for one from before the first block.
    fn made_by(&self, purse: PurseId) -> Option<Seq>;
    /// The transaction that spends an output.
    fn spent_by(&self, purse: PurseId) -> Option<Seq>;

    /// A holder's newest output.
    fn last_purse(&self, holder: HolderId) -> Option<PurseId>;
    /// The output that the same holder got before this one; `None` for its first. So an output's holder is new to the
    /// ledger exactly when this is `None`.
    fn purse_before(&self, purse: PurseId) -> Option<PurseId>;
    /// A holder's lock.
    fn lock(&self, holder: HolderId) -> Lock;
    /// The holder with a lock.
    fn find_lock(&self, lock: &Lock) -> Option<HolderId>;
}
