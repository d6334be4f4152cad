//! Crossings: where loot that leaves one ledger comes out on another, or on the same one behind a mixer.
//!
//! A crossing has one departure (a payment to a bridge's contract or vault, or a burn) and the arrivals that answer it:
//! one as a rule, several where it was paid out in parts or where several payments may be the answer. What makes
//! somebody believe in a crossing is not known here: it is given, with its probability.

use ledger::{AssetId, End, PurseId, Seq};
use money::Amount;

use crate::label::LabelId;
use crate::outcome::{Reason, TerminalKind};

/// What makes one, in the parts in which shares and probabilities are given.
pub const BILLION: u32 = 1_000_000_000;

/// One passage of money from a departure to its arrivals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// What went in.
    pub from: Departure,
    /// What came out for it. Shares times probabilities add up to at most one; what goes past that is not taken.
    pub to: Vec<Arrival>,
    /// What went where no ledger of this trace can show it: an answer too.
    pub away: Vec<Away>,
}

/// A part of a departure that ends there, with a reason of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away {
    /// Which part of the departure, in billionths.
    pub share: u32,
    /// How likely that is, in billionths.
    pub probability: u32,
    /// Why it is not followed.
    pub reason: Reason,
}

/// Share × probability in billionths, half to even.
fn parts_of(share: u32, probability: u32) -> u32 {
    let of = |part: u32| Amount::new(u128::from(part.min(BILLION)));
    let parts = of(share).share(of(probability), of(BILLION));
    u32::try_from(parts.units()).expect("a part of a billion")
}

impl Away {
    /// Which part of what departed goes away, in billionths: share × probability, half to even.
    pub fn parts(&self) -> u32 {
        parts_of(self.share, self.probability)
    }
}

/// A payment into a bridge, a swapper or a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// Which of the ledgers that are traced together.
    pub ledger: usize,
    /// The transaction.
    pub seq: Seq,
    /// Who is paid: a purse, or outside where the asset is burnt.
    pub payee: End,
    /// In which asset.
    pub asset: AssetId,
    /// Its place among the departures to this payee in this transaction: a log's index. Lower ones draw first.
    pub index: u32,
    /// How much of what the payee gets.
    pub amount: Amount,
}

/// A payment out of a bridge, a swapper or a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Which of the ledgers that are traced together; it may be that of the departure.
    pub ledger: usize,
    /// The transaction.
    pub seq: Seq,
    /// Who is paid.
    pub purse: PurseId,
    /// How much.
    pub amount: Amount,
    /// Which part of the departure it answers, in billionths.
    pub share: u32,
    /// How likely it is the answer, in billionths.
    pub probability: u32,
    /// What would have come out without the bridge's fee. Where given, the fee takes its share of the loot along.
    pub gross: Option<Amount>,
}

impl Arrival {
    /// Which part of what departed goes over, in billionths: share × probability, half to even.
    pub fn parts(&self) -> u32 {
        parts_of(self.share, self.probability)
    }
}

/// What went over one way of a crossing, for one label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Which crossing.
    pub crossing: usize,
    /// Which of its arrivals; past them, which of those that went away.
    pub arrival: usize,
    /// Whose loot.
    pub label: LabelId,
    /// How much departed that way, in the asset that departed.
    pub departed: Amount,
    /// How much of what arrived is loot by it.
    pub arrived: Amount,
    /// How much of the loot that is, fees of the bridge left out.
    pub origin: Amount,
}

/// An arrival that is followed.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Its number within the crossing.
    pub number: usize,
    /// The arrival.
    pub to: Arrival,
    /// Whether it comes out within the window; else it is in transit.
    pub is_out: bool,
}

/// A part of what arrived at a payee from which crossings depart, and where it may come out.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// Which crossing; `None` for what is left over by all of them.
    pub crossing: Option<usize>,
    /// The transaction in which it departs.
    pub seq: Seq,
    /// Who was paid.
    pub payee: End,
    /// In which asset.
    pub asset: AssetId,
    /// How much of it, clean money included.
    pub amount: Amount,
    /// The ways that are followed.
    pub ways: &'a [Way],
    /// What goes away.
    pub away: &'a [Away],
    /// What becomes of that which takes none of these ways.
    pub end: (TerminalKind, Reason),
}
