//! [`Edge`]: one piece of evidence that holders belong together, named by what shows it: a transaction, or a lock.

use ledger::{HolderId, Ledger, Seq};

use crate::Heuristic;

/// One piece of evidence. In the order in which evidence of one transaction is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edge {
    /// This holder's key is also that of an older holder: the oldest of its family.
    Wrap(HolderId),
    /// The inputs of this transaction are one party's.
    CoSpend(Seq),
    /// An output of this transaction is its payer's own.
    Change(Seq),
}

impl Edge {
    /// The rule that it comes from.
    pub const fn heuristic(self) -> Heuristic {
        match self {
            Self::Wrap(_) => Heuristic::Wrap,
            Self::CoSpend(_) => Heuristic::CoSpend,
            Self::Change(_) => Heuristic::Change,
        }
    }

    /// Its name: `wrap:ADDRESS`, `co-spend:TXID`, `change:TXID`.
    pub fn name<L: Ledger + ?Sized>(self, ledger: &L) -> String {
        let of = match self {
            Self::Wrap(holder) => ledger.holder_name(holder),
            Self::CoSpend(seq) | Self::Change(seq) => ledger.transaction_name(seq),
        };
        format!("{}:{of}", self.heuristic().as_str())
    }
}
