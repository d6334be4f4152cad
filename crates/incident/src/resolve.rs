//! Where a trace starts: the legs of a ledger that a loss names, and how much of each is loot.
//!
//! A start never takes more than its leg brought. Whether a holder pays on in the same transaction is the tracer's
//! business, not ours. Nothing is guessed: what cannot be found or does not add up is an error with its place in the
//! incident's file; what can be read in one way only is a [`Problem`] beside the answer.

use std::collections::BTreeMap;
use std::fmt;

use decode::Fault;
use ledger::{AssetId, HolderId, Ledger, PurseId, Seq};
use money::{Amount, Decimal, DecimalError};

use crate::model::{Loss, Place, Placed, Stolen};

mod find;
mod say;

/// The most legs that one loss may start from.
pub const STARTS_MAX: usize = 1_000_000;

/// Of the amount that a leg brought to its payee, this much is loot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The transaction.
    pub seq: Seq,
    /// The leg within it, from 0.
    pub leg: usize,
    /// The payee's purse.
    pub purse: PurseId,
    /// How much of it; at most the leg's amount, never nothing.
    pub amount: Amount,
}

/// A loss found on its ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The asset.
    pub asset: AssetId,
    /// In ledger order, each leg once.
    pub starts: Vec<Start>,
    /// The sum of the starts.
    pub total: Amount,
    /// What a reader should know.
    pub problems: Vec<Problem>,
}

/// Something that does not stop the trace and that its reader should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which kind.
    pub kind: ProblemKind,
    /// Where in the incident's file.
    pub place: Place,
    /// In words.
    pub text: String,
}

/// The kinds of [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The starts bring more than the loss says was taken. What they bring is traced.
    LossDiffers,
    /// Two starts name one leg. It counts once, with the larger amount.
    NamedTwice,
}

impl ProblemKind {
    /// The word for it in a trace's result.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LossDiffers => "loss-differs",
            Self::NamedTwice => "named-twice",
        }
    }
}

/// Why a loss has no start on a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveErrorKind {
    /// The ledger is not the loss's.
    OtherLedger,
    /// The loss names no start.
    NoStart,
    /// The ledger has no such asset.
    UnknownAsset,
    /// The ledger has no such transaction.
    UnknownTransaction,
    /// The ledger has no such holder.
    UnknownAddress,
    /// The ledger has no such output.
    UnknownOutput,
    /// A start names a transaction without saying who was paid.
    PayeeMissing,
    /// The transaction, or the window, brought nothing to the holder.
    NothingMoved,
    /// More is claimed than was moved.
    ClaimsMore,
    /// The amount has more decimals than the asset, or is too large.
    BadAmount,
    /// More than [`STARTS_MAX`] legs.
    TooMany,
}

/// Why a loss has no start on a ledger: the kind, and the text with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveError {
    /// The kind.
    pub kind: ResolveErrorKind,
    /// Where, what, and what to do.
    pub fault: Fault,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for ResolveError {}

impl From<ResolveError> for Fault {
    fn from(error: ResolveError) -> Self {
        error.fault
    }
}

impl ResolveError {
    fn new(kind: ResolveErrorKind, place: Place, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { kind, fault: place.fault(what, help) }
    }
}

/// Finds where the trace of a loss starts.
///
/// * `tx` and `to`: the legs of that transaction that pay `to` in the loss's asset, in order.
/// * `output`: the leg that created the output.
/// * `address`: the legs that pay it in transactions with `from` ≤ time < `until`, in order, less what it pays itself:
///   a UTXO transaction in which it is among the payers, and an account leg of which it is the payer, do not count.
///
/// An `amount` beside any of these takes only so much, from the first leg on.
pub fn resolve(loss: &Loss, ledger: &dyn Ledger) -> Result<Resolved, ResolveError> {
    if loss.ledger.value != *ledger.id() {
        let what = format!("this loss is on {}, looked for on {}", loss.ledger.value, ledger.id());
        return Err(ResolveError::new(
            ResolveErrorKind::OtherLedger,
            loss.ledger.place,
            what,
            "open the loss's ledger",
        ));
    }
    let asset = ledger.find_asset(&loss.asset.value).ok_or_else(|| {
        let what = format!("{} holds no asset {}", ledger.id(), decode::fault::quoted(&loss.asset.value));
        ResolveError::new(ResolveErrorKind::UnknownAsset, loss.asset.place, what, say::assets(ledger))
    })?;
    let mut resolver = Resolver { ledger, asset, taken: BTreeMap::new(), problems: Vec::new() };
    for stolen in &loss.stolen {
        resolver.take(stolen)?;
    }
    resolver.finish(loss)
}

/// A leg that is taken, and which start took it.
struct Taken {
    purse: PurseId,
    amount: Amount,
    by: Place,
}

struct Resolver<'a> {
    ledger: &'a dyn Ledger,
    asset: AssetId,
    taken: BTreeMap<(Seq, usize), Taken>,
    problems: Vec<Problem>,
}

impl Resolver<'_> {
    fn take(&mut self, stolen: &Placed<Stolen>) -> Result<(), ResolveError> {
        let place = stolen.place;
        let mut brought = match &stolen.value {
            Stolen::Transaction { tx, to, .. } => self.transaction(place, tx, to.as_deref())?,
            Stolen::Output { txid, vout, .. } => vec![self.output(place, txid, *vout)?],
            Stolen::Address { address, from, until, .. } => self.address(place, address, *from, *until)?,
        };
        if let Some(amount) = stolen.value.amount() {
            self.cap(place, &stolen.value, amount, &mut brought)?;
        }
        if self.taken.len().saturating_add(brought.len()) > STARTS_MAX {
            return Err(too_many(place));
        }
        for start in brought {
            self.add(place, start);
        }
        Ok(())
    }

    /// Keeps the first `amount` of what was brought.
    fn cap(
        &self,
        place: Place,
        stolen: &Stolen,
        amount: Decimal,
        brought: &mut Vec<Start>,
    ) -> Result<(), ResolveError> {
        let claimed = self.units(place, amount)?;
        let moved = sum(place, brought)?;
        if claimed > moved {
            let what = self.claims_more(stolen, claimed, moved);
            let help = "correct the amount, or name the other movements as further starts";
            return Err(ResolveError::new(ResolveErrorKind::ClaimsMore, place, what, help));
        }
        let mut left = claimed;
        brought.retain_mut(|start| {
            start.amount = start.amount.min(left);
            left -= start.amount;
            !start.amount.is_zero()
        });
        Ok(())
    }

    fn add(&mut self, place: Place, start: Start) {
        let new = Taken { purse: start.purse, amount: start.amount, by: place };
        let Some(old) = self.taken.get_mut(&(start.seq, start.leg)) else {
            self.taken.insert((start.seq, start.leg), new);
            return;
        };
        let text = format!(
            "leg {} of transaction {} is named by two starts (the other stands in line {}); it counts once",
            start.leg,
            self.ledger.transaction_name(start.seq),
            old.by.line
        );
        old.amount = old.amount.max(start.amount);
        self.problems.push(Problem { kind: ProblemKind::NamedTwice, place, text });
    }

    fn finish(mut self, loss: &Loss) -> Result<Resolved, ResolveError> {
        if self.taken.is_empty() {
            let help = "add `stolen:` with a tx and to, an output, or an address";
            return Err(ResolveError::new(ResolveErrorKind::NoStart, loss.place, "this loss names no start", help));
        }
        let starts: Vec<Start> = std::mem::take(&mut self.taken)
            .into_iter()
            .map(|((seq, leg), taken)| Start { seq, leg, purse: taken.purse, amount: taken.amount })
            .collect();
        let total = sum(loss.place, &starts)?;
        if let Some(amount) = &loss.amount {
            let said = self.units(amount.place, amount.value)?;
            if said > total {
                let what =
                    format!("the loss claims {}, but its starts bring only {}", self.text(said), self.text(total));
                let help = "correct the amount, or name the missing movements under `stolen`";
                return Err(ResolveError::new(ResolveErrorKind::ClaimsMore, amount.place, what, help));
            }
            if said < total {
                let text = format!(
                    "the loss says {}, its starts bring {}; what they bring is traced",
                    self.text(said),
                    self.text(total)
                );
                self.problems.push(Problem { kind: ProblemKind::LossDiffers, place: amount.place, text });
            }
        }
        Ok(Resolved { asset: self.asset, starts, total, problems: self.problems })
    }

    /// The base units of an amount as written.
    fn units(&self, place: Place, amount: Decimal) -> Result<Amount, ResolveError> {
        let asset = self.ledger.asset(self.asset);
        amount.to_amount(asset.scale).map_err(|error| {
            let what = match error {
                DecimalError::TooPrecise { has, allowed } => {
                    format!("{amount} has {has} decimals, {} has {allowed} on this ledger", asset.symbol)
                }
                error => format!("{amount} {}: {error}", asset.symbol),
            };
            ResolveError::new(ResolveErrorKind::BadAmount, place, what, "give the amount in the asset's own unit")
        })
    }

    fn holder(&self, purse: PurseId) -> HolderId {
        self.ledger.purse(purse).holder
    }
}

fn sum(place: Place, starts: &[Start]) -> Result<Amount, ResolveError> {
    starts
        .iter()
        .try_fold(Amount::ZERO, |sum, start| sum.checked_add(start.amount))
        .filter(|sum| *sum <= Amount::MAX)
        .ok_or_else(|| {
            let what = "the starts bring more than 2^126 base units together";
            ResolveError::new(ResolveErrorKind::BadAmount, place, what, "split the loss")
        })
}

fn too_many(place: Place) -> ResolveError {
    let what = format!("a loss starts from at most {STARTS_MAX} movements");
    ResolveError::new(ResolveErrorKind::TooMany, place, what, "narrow the window, or split the loss")
}
