//! [`Claim`]: one link, from a payment into a bridge, a swapper or a pool to what came out of it.

use std::fmt;

use ledger::{LedgerId, Time};
use money::Decimal;

/// How a link was found, which says how far it can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The protocol itself names both sides: a transfer id, a nonce, a memo.
    Deterministic,
    /// Nothing names both sides, and only one withdrawal fits.
    UniqueCandidate,
    /// So many withdrawals fit, and this is one of them.
    Candidates(u32),
}

/// A probability, or a share of a whole, in billionths: exact, and adds up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Portion(u32);

impl Portion {
    /// How many parts make one.
    pub const ONE_PARTS: u32 = 1_000_000_000;
    /// All of it; certain.
    pub const ONE: Self = Self(Self::ONE_PARTS);

    /// So many billionths; `None` above one.
    pub const fn new(parts: u32) -> Option<Self> {
        if parts <= Self::ONE_PARTS { Some(Self(parts)) } else { None }
    }

    /// In billionths.
    pub const fn parts(self) -> u32 {
        self.0
    }

    /// A decimal between 0 and 1 with up to nine digits.
    pub fn parse(text: &str) -> Option<Self> {
        let decimal = Decimal::parse(text).ok()?;
        u32::try_from(decimal.to_amount(9).ok()?.units()).ok().and_then(Self::new)
    }
}

impl fmt::Display for Portion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal::new(u128::from(self.0), 9).fmt(f)
    }
}

/// One end of a link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Side {
    /// The ledger.
    pub ledger: LedgerId,
    /// The transaction, as people write its id.
    pub tx: String,
    /// The log, output or line within it, where the source names one.
    pub index: Option<u32>,
    /// Who was paid: going in, the bridge's contract or vault (nothing: the asset was burnt); coming out, the receiver.
    pub holder: Option<String>,
    /// The asset's name on that ledger.
    pub asset: String,
    /// How much, in base units.
    pub units: u128,
    /// When, where the source says.
    pub time: Option<Time>,
}

/// A link as somebody, or some method, states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The protocol: a name of the registry, or what a source calls it.
    pub protocol: String,
    /// How it was found.
    pub class: Class,
    /// How likely it is.
    pub probability: Portion,
    /// Which part of what went in is answered by what came out here: one, unless it came out in several payments.
    pub share: Portion,
    /// What went in.
    pub from: Side,
    /// What came out.
    pub to: Side,
    /// What would have come out without the bridge's fee, in base units of the outgoing asset, where that is known.
    pub gross_units: Option<u128>,
    /// The method that found it.
    pub method: String,
    /// The method's version.
    pub version: u32,
    /// Where it comes from: a registry entry, a file, an address on the web.
    pub source: String,
    /// What ties the two together: a transfer id, a memo, a score.
    pub evidence: String,
}
