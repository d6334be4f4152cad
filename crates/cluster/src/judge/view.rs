//! [`View`]: one transaction as the rules see it: what it spends, what it makes, and what came before it, asked for only
//! by the rules that need it.
//!
//! It knows nothing of a ledger, so that a rule is tested on a table of numbers.

use ledger::{Coin, Coins, HolderId, Lock, PurseId};

/// What a lock asks of a spender, as far as it tells one wallet from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The hash of a public key (`p2pkh`).
    KeyHash,
    /// The hash of a script (`p2sh`), a wrapped witness included: from outside they look the same.
    ScriptHash,
    /// A version 0 witness of a key (`p2wpkh`).
    WitnessKey,
    /// A version 0 witness of a script (`p2wsh`).
    WitnessScript,
    /// A version 1 witness (`p2tr`).
    Taproot,
    /// A script that nobody can spend (`OP_RETURN`).
    Unspendable,
    /// Anything else: bare keys, bare multisig, later witnesses, a name without a script.
    Other,
}

impl Kind {
    /// The kind of a lock; see the table at [`Lock`] for the bytes.
    pub fn of(lock: &Lock) -> Self {
        match lock.as_bytes() {
            [0, ..] => Self::KeyHash,
            [1, ..] => Self::ScriptHash,
            [16, program @ ..] if program.len() == 20 => Self::WitnessKey,
            [16, ..] => Self::WitnessScript,
            [17, ..] => Self::Taproot,
            _ if lock.is_unspendable() => Self::Unspendable,
            _ => Self::Other,
        }
    }
}

/// Who tells what was there before a transaction.
pub trait Past {
    /// The kind of a holder's lock.
    fn kind(&self, holder: HolderId) -> Kind;
    /// Whether an output is the first that its holder got.
    fn is_first(&self, purse: PurseId) -> bool;
}

/// The past as a ledger tells it.
pub(crate) struct PastOf<'a, C: ?Sized>(pub(crate) &'a C);

impl<C: Coins + ?Sized> Past for PastOf<'_, C> {
    fn kind(&self, holder: HolderId) -> Kind {
        Kind::of(&self.0.lock(holder))
    }

    fn is_first(&self, purse: PurseId) -> bool {
        self.0.purse_before(purse).is_none()
    }
}

/// One transaction, not a coinbase.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// What it spends, in input order.
    pub inputs: &'a [Coin],
    /// What it makes, in output order.
    pub outputs: &'a [Coin],
    /// Who tells what came before.
    pub past: &'a dyn Past,
}

impl View<'_> {
    /// Whether the inputs have at least two holders. Where they have one, no question arises.
    pub fn has_payers(&self) -> bool {
        self.inputs.windows(2).any(|two| two[0].holder != two[1].holder)
    }

    /// The one kind that all inputs' locks have, if they have one.
    pub fn input_kind(&self) -> Option<Kind> {
        let kind = self.past.kind(self.inputs.first()?.holder);
        self.inputs.iter().skip(1).all(|input| self.past.kind(input.holder) == kind).then_some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_script_has_its_kind() {
        let hash = "00".repeat(20);
        let long = "00".repeat(32);
        for (script, kind) in [
            (format!("76a914{hash}88ac"), Kind::KeyHash),
            (format!("a914{hash}87"), Kind::ScriptHash),
            (format!("0014{hash}"), Kind::WitnessKey),
            (format!("0020{long}"), Kind::WitnessScript),
            (format!("5120{long}"), Kind::Taproot),
            (format!("5220{long}"), Kind::Other),
            ("6a04deadbeef".to_owned(), Kind::Unspendable),
            (format!("2102{long}ac"), Kind::Other),
        ] {
            assert_eq!(Kind::of(&Lock::from(format!("script:{script}"))), kind, "{script}");
        }
        assert_eq!(Kind::of(&Lock::from("unknown")), Kind::Other);
    }
}
