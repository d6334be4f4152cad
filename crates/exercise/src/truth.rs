//! [`Truth`]: what the launderer did, step by step, and where the loot truly is in the end.
//!
//! "Truly" means specific identification: the simulator knows the content of every coin that the launderer spends.
//! Where their stolen and their own money lie in one purse, their own book-keeping decides (the step's note says so);
//! no tracing policy can know that, which is the point. What other people do with money of theirs is no part of it.

use std::collections::{BTreeMap, BTreeSet};

use money::Amount;
use serde::{Deserialize, Serialize};

use crate::exact::Exact;

/// The form of `truth.json`.
pub const SCHEMA: &str = "tracehound/truth/1";

/// The answers to one exercise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// [`SCHEMA`].
    pub schema: String,
    /// One for each incident file.
    pub incidents: Vec<IncidentTruth>,
}

/// The answers to one incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentTruth {
    /// The incident's id.
    pub incident: String,
    /// What was stolen, one entry for each ledger and asset.
    pub losses: Vec<Loss>,
    /// What the launderer did, in order.
    pub steps: Vec<Step>,
}

/// What was stolen of one asset on one ledger, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The ledger that it was stolen on.
    pub ledger: String,
    /// The asset.
    pub asset: String,
    /// How much.
    pub amount: Exact,
    /// Where it is. The `origin_amount`s sum to `amount`.
    pub places: Vec<Place>,
}

/// A part of the loot, where it came to rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The ledger that it is on now.
    pub ledger: String,
    /// Who has it; nobody for fees and what left the ledger.
    pub holder: Option<String>,
    /// As what asset.
    pub asset: String,
    /// How much of that.
    pub amount: Exact,
    /// How much of the stolen asset that was.
    pub origin_amount: Exact,
    /// In what way it rests there.
    pub kind: PlaceKind,
    /// Why the story ends here.
    pub reason: String,
}

/// In what way loot rests in a place: the terminal kinds that a trace reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlaceKind {
    /// Still in a purse of the launderer's.
    Balance,
    /// Handed to a custodian.
    Service,
    /// Handed to a mixing service.
    Mixer,
    /// Sent into a bridge.
    Bridge,
    /// Paid for transport.
    Fee,
    /// Left the ledger, in cash for instance.
    Unknown,
}

/// One thing that the launderer did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When, RFC 3339.
    pub time: String,
    /// On which ledger.
    pub ledger: String,
    /// What: `theft`, `fan-out`, `peel`, `join`, `fan-in`, `hop`, `swap`, `bridge`, `cash-out`, …
    pub kind: String,
    /// The transaction that did it.
    pub transaction: String,
    /// The asset moved.
    pub asset: String,
    /// How much in all.
    pub amount: Exact,
    /// How much of that was loot.
    pub loot: Exact,
    /// What cannot be seen from outside.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Where a trace says that a part of the loot is: one of its terminals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The incident.
    pub incident: String,
    /// The ledger that it was stolen on.
    pub stolen_ledger: String,
    /// The asset that was stolen.
    pub stolen_asset: String,
    /// The ledger that it is on.
    pub ledger: String,
    /// Who has it.
    pub holder: Option<String>,
    /// In what way.
    pub kind: PlaceKind,
    /// How much, in base units of the stolen asset.
    pub origin_amount: Amount,
}

/// How well a trace places one loss. `matched + missed` is what was stolen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Score {
    /// The incident.
    pub incident: String,
    /// The ledger that it was stolen on.
    pub ledger: String,
    /// The asset.
    pub asset: String,
    /// What was stolen.
    pub stolen: Exact,
    /// What the trace puts where it is: same ledger, holder and kind.
    pub matched: Exact,
    /// What is somewhere, and the trace does not put it there.
    pub missed: Exact,
    /// What the trace puts where it is not. More than `missed` where a trace counts money twice, as poison does.
    pub misplaced: Exact,
}

impl Truth {
    /// Reads `truth.json`.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Holds a trace's terminals against the truth: one score for each loss, in this file's order.
    ///
    /// Terminals of a loss that the truth does not know are ignored; holders are compared as written.
    pub fn score(&self, placements: &[Placement]) -> Vec<Score> {
        let losses = self.incidents.iter().flat_map(|i| i.losses.iter().map(|loss| (i.incident.as_str(), loss)));
        losses.map(|(incident, loss)| loss.score(incident, placements)).collect()
    }
}

impl Loss {
    fn score(&self, incident: &str, placements: &[Placement]) -> Score {
        type Where<'a> = (&'a str, Option<&'a str>, PlaceKind);
        let mut real: BTreeMap<Where, u128> = BTreeMap::new();
        for place in &self.places {
            let at = (place.ledger.as_str(), place.holder.as_deref(), place.kind);
            *real.entry(at).or_default() += place.origin_amount.amount.units();
        }
        let mut traced: BTreeMap<Where, u128> = BTreeMap::new();
        for placement in placements {
            let same = placement.incident == incident
                && placement.stolen_ledger == self.ledger
                && placement.stolen_asset == self.asset;
            if same {
                let at = (placement.ledger.as_str(), placement.holder.as_deref(), placement.kind);
                let sum = traced.entry(at).or_default();
                *sum = sum.saturating_add(placement.origin_amount.units());
            }
        }
        let everywhere: BTreeSet<Where> = real.keys().chain(traced.keys()).copied().collect();
        let (mut matched, mut misplaced) = (0u128, 0u128);
        for at in everywhere {
            let (is, said) = (real.get(&at).copied().unwrap_or(0), traced.get(&at).copied().unwrap_or(0));
            matched += is.min(said);
            misplaced = misplaced.saturating_add(said.saturating_sub(is));
        }
        let exact = |units| Exact::new(units, self.amount.scale);
        Score {
            incident: incident.to_owned(),
            ledger: self.ledger.clone(),
            asset: self.asset.clone(),
            stolen: self.amount,
            matched: exact(matched),
            missed: exact(self.amount.amount.units().saturating_sub(matched)),
            misplaced: exact(misplaced),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(holder: Option<&str>, kind: PlaceKind, units: u128) -> Place {
        Place {
            ledger: "table:t".into(),
            holder: holder.map(Into::into),
            asset: "EUR".into(),
            amount: Exact::new(units, 2),
            origin_amount: Exact::new(units, 2),
            kind,
            reason: String::new(),
        }
    }

    fn placed(holder: Option<&str>, kind: PlaceKind, units: u128) -> Placement {
        Placement {
            incident: "i".into(),
            stolen_ledger: "table:t".into(),
            stolen_asset: "EUR".into(),
            ledger: "table:t".into(),
            holder: holder.map(Into::into),
            kind,
            origin_amount: Amount::new(units),
        }
    }

    #[test]
    fn a_score_counts_what_lies_at_the_right_door_and_in_the_right_way() {
        let places = vec![
            place(Some("a"), PlaceKind::Balance, 60),
            place(Some("ex"), PlaceKind::Service, 39),
            place(None, PlaceKind::Fee, 1),
        ];
        let loss = Loss { ledger: "table:t".into(), asset: "EUR".into(), amount: Exact::new(100, 2), places };
        let incident = IncidentTruth { incident: "i".into(), losses: vec![loss], steps: vec![] };
        let truth = Truth { schema: SCHEMA.into(), incidents: vec![incident] };
        let cases = [
            (vec![], (0, 100, 0)),
            (vec![placed(Some("a"), PlaceKind::Balance, 60), placed(Some("ex"), PlaceKind::Service, 39)], (99, 1, 0)),
            (vec![placed(Some("a"), PlaceKind::Service, 100)], (0, 100, 100)),
            (vec![placed(Some("a"), PlaceKind::Balance, 50), placed(Some("b"), PlaceKind::Balance, 50)], (50, 50, 50)),
            (vec![placed(Some("a"), PlaceKind::Balance, 40), placed(Some("a"), PlaceKind::Balance, 40)], (60, 40, 20)),
        ];
        for (placements, (matched, missed, misplaced)) in cases {
            let score = truth.score(&placements).remove(0);
            let got = [score.matched, score.missed, score.misplaced].map(|exact| exact.amount.units());
            assert_eq!(got, [matched, missed, misplaced], "{placements:?}");
        }
        let text = serde_json::to_string(&truth).unwrap();
        assert_eq!(Truth::from_json(&text).unwrap(), truth);
    }
}
