//! [`Notebook`]: the launderer's own book-keeping on one ledger, which becomes the truth.
//!
//! Responsible for steps and places as they accrue. What the amounts are is for the launderers
//! ([`crate::coin_launderer`], [`crate::token_launderer`], [`crate::bank_launderer`]) to know.

use std::collections::BTreeMap;

use ledger::Time;

use crate::exact::Exact;
use crate::truth::{Loss, Place, PlaceKind, Step};

/// Where a part of the loot came to rest: the key that parts are summed by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rest {
    kind: PlaceKind,
    holder: Option<String>,
    asset: &'static str,
    scale: u8,
    reason: &'static str,
}

/// What happened, as the launderer would note it.
#[derive(Clone, Copy, Debug)]
pub struct Note {
    pub seconds: i64,
    pub kind: &'static str,
    pub asset: &'static str,
    pub scale: u8,
    pub amount: u128,
    pub loot: u128,
    pub unseen: &'static str,
}

/// Steps, and places by what rests there: (of the asset it is now, of the asset stolen).
#[derive(Clone, Debug, Default)]
pub struct Notebook {
    steps: Vec<(Note, String)>,
    rests: BTreeMap<Rest, (u128, u128)>,
}

impl Notebook {
    /// Notes a step.
    pub fn step(&mut self, note: Note, transaction: String) {
        self.steps.push((note, transaction));
    }

    /// Notes that `units` of `asset`, which were `origin` of what was stolen, came to rest.
    pub fn rest(
        &mut self,
        kind: PlaceKind,
        holder: Option<String>,
        asset: (&'static str, u8),
        (units, origin): (u128, u128),
        reason: &'static str,
    ) {
        if units == 0 && origin == 0 {
            return;
        }
        let sums = self.rests.entry(Rest { kind, holder, asset: asset.0, scale: asset.1, reason }).or_default();
        sums.0 += units;
        sums.1 += origin;
    }

    /// The steps, and the account of the loot.
    pub fn close(self, ledger: &str, asset: (&'static str, u8), stolen: u128) -> (Vec<Step>, Loss) {
        let steps = self.steps.into_iter().map(|(note, transaction)| Step {
            time: time_text(note.seconds),
            ledger: ledger.to_owned(),
            kind: note.kind.to_owned(),
            transaction,
            asset: note.asset.to_owned(),
            amount: Exact::new(note.amount, note.scale),
            loot: Exact::new(note.loot, note.scale),
            note: note.unseen.to_owned(),
        });
        let places = self.rests.into_iter().map(|(rest, (units, origin))| Place {
            ledger: ledger.to_owned(),
            holder: rest.holder,
            asset: rest.asset.to_owned(),
            amount: Exact::new(units, rest.scale),
            origin_amount: Exact::new(origin, asset.1),
            kind: rest.kind,
            reason: rest.reason.to_owned(),
        });
        let loss = Loss {
            ledger: ledger.to_owned(),
            asset: asset.0.to_owned(),
            amount: Exact::new(stolen, asset.1),
            places: places.collect(),
        };
        (steps.collect(), loss)
    }
}

/// RFC 3339 of whole seconds since 1970.
pub fn time_text(seconds: i64) -> String {
    Time::from_seconds(seconds).expect("exercises play in this century").to_string()
}
