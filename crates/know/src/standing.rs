//! [`Standing`]: all that the claims say of one holder, in one place: what a trace does there, under which name its money
//! is counted, who it is, and which claims say so.
//!
//! The exposure category is settled so: a risk goes before what is none, however sure either is, because a sanctioned
//! exchange is sanctioned; between risks the worst counts; between services and the like that of the heaviest claim, the
//! higher number between equals. Nothing is lost by it: `risks`, `stop` and `claims` keep the rest.

use std::collections::{BTreeMap, BTreeSet};

use decode::Text;
use ledger::{HolderId, Ledger};

use crate::exposure::exposure_is_risk;
use crate::stops::Support;
use crate::{Claim, Problem, StopKind, Stops};

/// What the claims say of one holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Under which of [`crate::EXPOSURE_CATEGORIES`] its money is counted; nothing for an ordinary holder.
    pub category: Option<u8>,
    /// What a trace does there.
    pub stop: Option<StopKind>,
    /// Who it is, as the heaviest claim says: for its stop where it has one, else for its risks, else of all. The actor's
    /// name where that is known.
    pub entity: String,
    /// The actor's id, where that claim names one.
    pub actor: Option<Text>,
    /// What tells this entity from others; see [`entity_key`].
    pub key: String,
    /// The risks, in order: `sanctioned`, `theft`, …
    pub risks: BTreeSet<String>,
    /// All claims of it, by their place in the list that was given; ascending.
    pub claims: Vec<usize>,
    /// The weight of the claim that `entity` is from, 0 to 100.
    pub confidence: u8,
}

/// What the claims say of a ledger's holders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standings {
    /// Of each holder of whom a claim speaks.
    pub holders: BTreeMap<HolderId, Standing>,
    /// What a reader should know.
    pub problems: Vec<Problem>,
}

/// What gathers about one holder while the claims are read.
#[derive(Default)]
pub(crate) struct Said {
    /// Every claim.
    pub(crate) all: Support,
    /// The worst risk.
    risk: Option<u8>,
    /// The heaviest category that is no risk: weight, then number.
    plain: Option<(u8, u8)>,
}

impl Said {
    pub(crate) fn add_category(&mut self, category: u8, weight: u8) {
        if exposure_is_risk(category) {
            self.risk = self.risk.max(Some(category));
        } else {
            self.plain = self.plain.max(Some((weight, category)));
        }
    }
}

/// What tells an entity from others: the actor's id where the claim has one, else the label with nothing but its letters
/// and digits, in lower case. `Huobi.com` and `huobi-com` are one, `Huobi.com-2` is another: nothing is guessed.
pub fn entity_key(claim: &Claim) -> String {
    let folded: String =
        claim.entity().chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if folded.is_empty() { claim.entity().to_owned() } else { folded }
}

impl Stops {
    /// All that `claims` say of the holders of `ledger`.
    pub fn standings(&self, claims: &[Claim], ledger: &dyn Ledger) -> Standings {
        let mut gathered = self.gathered(claims, ledger);
        let said = std::mem::take(&mut gathered.said);
        let mut set = self.settle(gathered, claims, ledger);
        let mut holders = BTreeMap::new();
        for (holder, said) in said {
            let stop = set.stops.remove(&holder);
            let risk = set.risks.remove(&holder);
            let for_entity = stop.as_ref().map(|stop| &stop.claims).or(risk.as_ref().map(|risk| &risk.claims));
            let best = self.heaviest(claims, for_entity.unwrap_or(&said.all.claims));
            let standing = Standing {
                category: said.risk.or(said.plain.map(|(_, category)| category)),
                stop: stop.map(|stop| stop.kind),
                entity: self.name(best).to_owned(),
                actor: best.actor.clone(),
                key: entity_key(best),
                risks: risk.map(|risk| risk.kinds).unwrap_or_default(),
                claims: said.all.claims,
                confidence: self.rules().weight(best),
            };
            holders.insert(holder, standing);
        }
        Standings { holders, problems: set.problems }
    }
    /// The heaviest of these claims, the first of equals.
    fn heaviest<'a>(&self, claims: &'a [Claim], among: &[usize]) -> &'a Claim {
        let weight = |at: &&usize| (self.rules().weight(&claims[**at]), std::cmp::Reverse(**at));
        let best = among.iter().max_by_key(weight).expect("nobody stands anywhere without a claim");
        &claims[*best]
    }
}
