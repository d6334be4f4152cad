//! [`find`]: what bridges wrote on several ledgers, decoded by the registry and paired by what they themselves say.
//!
//! Every link that it makes is deterministic: the same key on both sides, or a withdrawal that names its deposit. What is
//! left over is for the matcher. What contradicts itself is a [`Problem`], and one kind of it is worth a look at once: money
//! that was paid out though nothing was paid in.

mod pair;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ledger::{AssetId, Contracts, End, Event, LedgerId, Leg, Seq, Time};

use crate::registry::{Log, Moved, Reading, Registry};
use crate::{Claim, Crossing, Direction};

pub use pair::{METHOD, pair};

/// How long before a withdrawal a ledger must begin, for a missing deposit to mean anything.
const LEAD_SECONDS: i64 = 24 * 60 * 60;

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// Paid out, though no deposit is there: the bridge was robbed, or the registry is wrong.
    PaidWithoutDeposit,
    /// More was paid out than was paid in.
    PaidMore,
    /// Less was paid out than the fee explains.
    PaidLess,
    /// One key stands on several deposits or several withdrawals.
    KeyTwice,
    /// Both sides carry the same key, and name other ledgers than those they stand in, or times the wrong way round.
    Contradiction,
    /// A log of the bridge could not be read.
    Unreadable,
}

impl ProblemKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaidWithoutDeposit => "paid out without a deposit",
            Self::PaidMore => "paid out more than was paid in",
            Self::PaidLess => "paid out less than the fee explains",
            Self::KeyTwice => "a key used twice",
            Self::Contradiction => "the sides contradict one another",
            Self::Unreadable => "not readable",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// The protocol.
    pub protocol: String,
    /// The ledger.
    pub ledger: LedgerId,
    /// The transaction.
    pub tx: String,
    /// The log.
    pub index: Option<u32>,
    /// The details.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {} {}", self.kind.as_str(), self.protocol, self.ledger, self.tx)?;
        if let Some(index) = self.index {
            write!(f, ", log {index}")?;
        }
        if self.what.is_empty() { Ok(()) } else { write!(f, ": {}", self.what) }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Deterministic links, sorted.
    pub claims: Vec<Claim>,
    /// The two crossings of each link that is the whole of its deposit, refunds apart: what the matcher learns from.
    pub pairs: Vec<(Crossing, Crossing)>,
    /// Crossings without another side, sorted: for the matcher, or for ledgers that are not there.
    pub unpaired: Vec<Crossing>,
    /// How many crossings were decoded in all.
    pub crossings: u64,
    /// What is wrong, sorted.
    pub problems: Vec<Problem>,
}

/// What the registry can tell of one ledger.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    /// In ledger order.
    pub crossings: Vec<Crossing>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// What pairing must know of the ledgers themselves.
pub trait Background {
    /// The decimals of an asset.
    fn scale(&self, ledger: &LedgerId, asset: &str) -> Option<u8>;
    /// Whether a deposit from before `time` would be there, had there been one.
    fn covers(&self, ledger: &LedgerId, time: Time) -> bool;
}

/// The first registry entry's answer for every kept log of these ledgers, paired.
pub fn find(ledgers: &[&dyn Contracts], registry: &Registry) -> Found {
    let mut crossings = Vec::new();
    let mut problems = Vec::new();
    for ledger in ledgers {
        let decoded = decode(*ledger, registry);
        crossings.extend(decoded.crossings);
        problems.extend(decoded.problems);
    }
    let mut found = pair(crossings, registry, &Ledgers(ledgers));
    found.problems.extend(problems);
    found.problems.sort();
    found
}

struct Ledgers<'a>(&'a [&'a dyn Contracts]);

impl Ledgers<'_> {
    fn of(&self, id: &LedgerId) -> Option<&dyn Contracts> {
        self.0.iter().copied().find(|ledger| ledger.id() == id)
    }
}

impl Background for Ledgers<'_> {
    fn scale(&self, ledger: &LedgerId, asset: &str) -> Option<u8> {
        let ledger = self.of(ledger)?;
        ledger.find_asset(asset).map(|asset| ledger.asset(asset).scale)
    }

    fn covers(&self, ledger: &LedgerId, time: Time) -> bool {
        let Some(ledger) = self.of(ledger).filter(|ledger| ledger.end() > Seq(0)) else { return false };
        let (first, last) = (ledger.stamp(Seq(0)), ledger.stamp(Seq(ledger.end().0 - 1)));
        let early = first.height.is_some_and(|height| height <= 1)
            || first.time.micros().saturating_add(LEAD_SECONDS * 1_000_000) <= time.micros();
        early && last.time >= time
    }
}

/// The crossings of one ledger.
pub fn decode(ledger: &dyn Contracts, registry: &Registry) -> Decoded {
    let contracts: BTreeSet<[u8; 20]> = registry.addresses(ledger.id());
    let mut decoded = Decoded::default();
    if contracts.is_empty() {
        return decoded;
    }
    let native =
        (0..ledger.assets()).map(|asset| &ledger.asset(AssetId(asset)).symbol).find(|name| !name.contains('/'));
    let reader = Reader { ledger, registry, native: native.map(String::as_str) };
    let mut waiting: (Seq, Vec<Event>) = (Seq(0), Vec::new());
    ledger.events(Seq(0), ledger.end(), &mut |seq, event| {
        if seq != waiting.0 {
            reader.transaction(waiting.0, &waiting.1, &contracts, &mut decoded);
            waiting = (seq, Vec::new());
        }
        waiting.1.push(event.clone());
    });
    reader.transaction(waiting.0, &waiting.1, &contracts, &mut decoded);
    decoded
}

struct Reader<'a> {
    ledger: &'a dyn Contracts,
    registry: &'a Registry,
    native: Option<&'a str>,
}

impl Reader<'_> {
    fn transaction(&self, seq: Seq, events: &[Event], contracts: &BTreeSet<[u8; 20]>, decoded: &mut Decoded) {
        if !events.iter().any(|event| contracts.contains(&event.contract)) {
            return;
        }
        let (tx, moved) = (self.ledger.transaction_name(seq), self.moved(seq));
        let reading = Reading {
            registry: self.registry,
            ledger: self.ledger.id(),
            tx: &tx,
            time: Some(self.ledger.stamp(seq).time),
            native: self.native,
            moved: &moved,
        };
        let logs: Vec<Log<'_>> = events.iter().map(Log::from).collect();
        let (crossings, refusals) = reading.logs(&logs);
        decoded.crossings.extend(crossings);
        decoded.problems.extend(refusals.into_iter().map(|refusal| Problem {
            kind: ProblemKind::Unreadable,
            protocol: refusal.protocol,
            ledger: self.ledger.id().clone(),
            tx: refusal.tx,
            index: refusal.index,
            what: refusal.what,
        }));
    }

    fn moved(&self, seq: Seq) -> Vec<Moved> {
        let mut legs: Vec<Leg> = Vec::new();
        self.ledger.transaction(seq, &mut legs);
        let holder = |end: End| match end {
            End::Purse(purse) => Some(Some(self.ledger.holder_name(self.ledger.purse(purse).holder))),
            End::Outside => Some(None),
            End::Pot | End::Fee | End::Drift => None,
        };
        let moved = |leg: &Leg| {
            let asset = self.ledger.asset(leg.asset).symbol.clone();
            Some(Moved { from: holder(leg.payer)?, to: holder(leg.payee)?, asset, units: leg.amount.units() })
        };
        legs.iter().filter_map(moved).collect()
    }
}

/// How many crossings of each protocol go each way; for reports.
pub fn counts(crossings: &[Crossing]) -> BTreeMap<(String, Direction), u64> {
    let mut counts = BTreeMap::new();
    for crossing in crossings {
        *counts.entry((crossing.protocol.clone(), crossing.direction)).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests;
