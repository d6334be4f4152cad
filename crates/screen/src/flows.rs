//! What both kinds of ledger have in common: movements counted by category and entity, and against the dates of tags.

use std::collections::BTreeMap;

use ledger::{Ledger, LedgerId, Seq, Time};
use money::{Amount, Asset};

use crate::finding::{Finding, Flow, Hop, Listing, Proof, Slice, Subject, Tagged, Versions};

/// How many movements of a holder are looked at, the latest of them.
pub(crate) const MOVEMENTS_MAX: usize = 100_000;
/// How many tagged others are listed.
pub(crate) const INHERITED_MAX: usize = 100;
/// How many entities are named for each category.
const ENTITIES_MAX: usize = 20;
/// How many dates of tags are held against what was received.
const LISTINGS_MAX: usize = 20;

impl Finding {
    /// Of which nothing is known yet.
    pub fn empty(subject: Subject, ledger: Option<LedgerId>) -> Self {
        Self {
            subject,
            ledger,
            tags: Vec::new(),
            inherited: Vec::new(),
            inherited_more: 0,
            conflicts: Vec::new(),
            cluster: None,
            lead: None,
            exposure: Vec::new(),
            seen: None,
            listings: Vec::new(),
            notes: Vec::new(),
            versions: Versions::default(),
        }
    }
}

/// Direct movements of one direction, as they are counted.
#[derive(Default)]
pub(crate) struct Counted {
    slices: BTreeMap<u8, Gathered>,
    movements: u64,
}

/// What gathers of one category.
#[derive(Default)]
struct Gathered {
    sum: Amount,
    entities: BTreeMap<String, Amount>,
    proof: Option<Proof>,
}

impl Counted {
    pub(crate) fn add(&mut self, category: u8, entity: Option<&str>, amount: Amount) {
        self.movements += 1;
        let gathered = self.slices.entry(category).or_default();
        gathered.sum += amount;
        if let Some(entity) = entity {
            *gathered.entities.entry(entity.to_owned()).or_default() += amount;
        }
    }

    /// The first proof of a category stays.
    pub(crate) fn prove(&mut self, category: u8, proof: impl FnOnce() -> Proof) {
        self.slices.entry(category).or_default().proof.get_or_insert_with(proof);
    }

    pub(crate) fn flow(self) -> Flow {
        let slice = |(category, Gathered { sum: direct, entities, proof: nearest })| Slice {
            category,
            direct,
            indirect: Amount::ZERO,
            entities: largest(entities),
            nearest,
        };
        Flow::of(self.slices.into_iter().map(slice).collect(), self.movements)
    }
}

/// The entities with the most, in order.
pub(crate) fn largest(entities: BTreeMap<String, Amount>) -> Vec<(String, Amount)> {
    let mut sorted: Vec<(String, Amount)> = entities.into_iter().collect();
    sorted.sort_by(|(name, amount), (other, than)| than.cmp(amount).then_with(|| name.cmp(other)));
    sorted.truncate(ENTITIES_MAX);
    sorted
}

/// One step of a path.
pub(crate) fn hop<L: Ledger + ?Sized>(ledger: &L, seq: Seq, to: String, amount: Amount) -> Hop {
    Hop { tx: ledger.transaction_name(seq), time: ledger.stamp(seq).time, to, amount }
}

/// How much of `received` came in before and after the date of each claim that has one.
pub(crate) fn listings<I: Iterator<Item = (Time, Amount)>>(
    tags: &[Tagged],
    asset: &Asset,
    received: impl Fn() -> I,
) -> Vec<Listing> {
    let dated = tags.iter().flat_map(|tagged| &tagged.claims).filter_map(|claim| Some((claim.date?, claim)));
    let mut by_date: Vec<_> = dated.collect();
    by_date.sort_by(|(date, claim), (other, than)| date.cmp(other).then_with(|| claim.cmp(than)));
    by_date.truncate(LISTINGS_MAX);
    let listing = |(date, claim): (Time, &know::Claim)| {
        let side = |is_before: bool| {
            received().filter(|(time, _)| (*time < date) == is_before).map(|(_, amount)| amount).sum()
        };
        Listing {
            date,
            asset: asset.clone(),
            label: claim.label.to_string(),
            pack: claim.pack.to_string(),
            before: side(true),
            after: side(false),
        }
    };
    by_date.into_iter().map(listing).collect()
}
