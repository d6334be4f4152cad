//! [`Crossing`]: one side of a passage between ledgers, decoded: what somebody paid in, what came out, what went back.
//!
//! It is what decoders make and what pairing works on, by key (`find`) or without one (the matcher). Two of them make a
//! [`crate::Claim`]; one alone is no link.

use ledger::{LedgerId, Time};

use crate::Side;

/// Which way the money goes, seen from the ledger that the crossing stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Into the bridge, the swapper or the pool.
    Deposit,
    /// Out of it, on the ledger where it was wanted.
    Withdrawal,
    /// Out of it again on the ledger where it came from, because the passage failed.
    Refund,
}

impl Direction {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Deposit, Self::Withdrawal, Self::Refund];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::Refund => "refund",
        }
    }

    /// The direction of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|direction| direction.as_str() == word)
    }
}

/// One decoded side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crossing {
    /// Which way.
    pub direction: Direction,
    /// The ledger that it stands in.
    pub ledger: LedgerId,
    /// Its transaction, as people write the id; empty where the source does not name one (calldata alone).
    pub tx: String,
    /// The log, output or line within the block or the source.
    pub index: Option<u32>,
    /// When, where the source says.
    pub time: Option<Time>,
    /// The protocol: a name of the registry.
    pub protocol: String,
    /// The contract or vault that wrote it, in canonical form; empty where the source does not name one.
    pub contract: String,
    /// The asset's name on its ledger; nothing where neither the log nor the transaction names it.
    pub token: Option<String>,
    /// How much went in or came out, in base units.
    pub units: u128,
    /// What the bridge kept of it, in base units of the same asset, where the protocol tells.
    pub fee_units: Option<u128>,
    /// Who paid, in canonical form of the ledger where it is told.
    pub sender: Option<String>,
    /// Who is to receive, or received: in canonical form of the ledger where the money comes out.
    pub recipient: Option<String>,
    /// The ledger of the other side.
    pub other: Option<LedgerId>,
    /// What both sides carry and nothing else does: a transfer id, a nonce with its emitter. Equal keys of one protocol pair.
    pub key: Option<Vec<u8>>,
    /// The transaction of the other side, where it is named.
    pub other_tx: Option<String>,
}

impl Crossing {
    /// The end of a link that it is. Without a token its asset is empty: nobody named it.
    pub fn side(&self) -> Side {
        let holder = match self.direction {
            Direction::Deposit => Some(&self.contract).filter(|contract| !contract.is_empty()),
            Direction::Withdrawal | Direction::Refund => self.recipient.as_ref(),
        };
        Side {
            ledger: self.ledger.clone(),
            tx: self.tx.clone(),
            index: self.index,
            holder: holder.cloned(),
            asset: self.token.clone().unwrap_or_default(),
            units: self.units,
            time: self.time,
        }
    }
}
