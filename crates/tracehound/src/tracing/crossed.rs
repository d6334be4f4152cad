//! What crossed from ledger to ledger in a trace, with names, and what a reader should know of the links.

use link::{Claim, Class, Side};
use money::Amount;
use serde::Serialize;
use trace::Carried;
use trace::together::Journey;

use crate::tracing::case::Case;
use crate::tracing::result::Problem;

/// One end of a link.
#[derive(Clone, Debug, Serialize)]
pub struct SideRow {
    pub ledger: String,
    pub tx: String,
    pub holder: Option<String>,
    pub asset: String,
    pub amount: String,
}

/// Loot that went over a link, or whose link leads where the book does not.
#[derive(Clone, Debug, Serialize)]
pub struct LinkRow {
    pub incident: String,
    pub protocol: String,
    /// `deterministic`, `unique-candidate` or `candidates`.
    pub class: &'static str,
    /// How many withdrawals fitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidates: Option<u32>,
    pub probability: String,
    pub share: String,
    pub from: SideRow,
    pub to: SideRow,
    /// How much loot departed this way, in the asset that departed, and how much arrived, in the asset that arrived.
    pub departed: String,
    pub arrived: String,
    pub origin_asset: String,
    pub origin_amount: String,
    /// The same, to sort by.
    #[serde(skip)]
    pub origin: Amount,
    /// Whether the trace goes on behind it; else its other side is not in the book, or not where the link says.
    pub followed: bool,
    pub basis: &'static str,
    pub method: String,
    pub version: u32,
    pub source: String,
    pub evidence: String,
}

/// The claim behind what was carried one way.
fn claim<'a>(case: &'a Case, carried: &Carried) -> &'a Claim {
    &case.links.claims[case.links.behind[carried.crossing][carried.arrival]]
}

fn side(case: &Case, side: &Side) -> SideRow {
    let units = Amount::new(side.units.min(Amount::MAX.units()));
    let on = case.ledgers.iter().find(|on| on.id == side.ledger).map(|on| on.ledger.as_ledger());
    let asset = on.and_then(|ledger| Some(ledger.asset(ledger.find_asset(&side.asset)?)));
    let amount = asset.map_or_else(|| format!("{} base units", side.units), |asset| asset.text(units));
    let (ledger, tx) = (side.ledger.to_string(), side.tx.clone());
    SideRow { ledger, tx, holder: side.holder.clone(), asset: side.asset.clone(), amount }
}

fn row(case: &Case, carried: &Carried) -> LinkRow {
    let claim = claim(case, carried);
    let crossing = &case.links.crossings[carried.crossing];
    let loot = &case.loot[carried.label.0 as usize];
    let departed = case.ledgers[crossing.from.ledger].ledger.as_ledger().asset(crossing.from.asset);
    let way = crossing.to.get(carried.arrival);
    let arrived = way.map(|way| {
        let ledger = case.ledgers[way.ledger].ledger.as_ledger();
        ledger.asset(ledger.purse(way.purse).asset)
    });
    let (class, candidates) = match claim.class {
        Class::Deterministic => ("deterministic", None),
        Class::UniqueCandidate => ("unique-candidate", None),
        Class::Candidates(count) => ("candidates", Some(count)),
    };
    LinkRow {
        incident: loot.incident.clone(),
        protocol: claim.protocol.clone(),
        class,
        candidates,
        probability: claim.probability.to_string(),
        share: claim.share.to_string(),
        from: side(case, &claim.from),
        to: side(case, &claim.to),
        departed: departed.text(carried.departed),
        arrived: arrived.map_or_else(|| "0".to_owned(), |asset| asset.text(carried.arrived)),
        origin_asset: loot.asset.symbol.clone(),
        origin_amount: loot.asset.text(carried.origin),
        origin: carried.origin,
        followed: way.is_some(),
        basis: "claim",
        method: claim.method.clone(),
        version: claim.version,
        source: claim.source.clone(),
        evidence: claim.evidence.clone(),
    }
}

/// What went over links, in the order of the surest first.
pub fn rows(case: &Case, journey: &Journey) -> Vec<LinkRow> {
    journey.carried.iter().map(|carried| row(case, carried)).collect()
}

/// What a reader should know of the links that this trace met.
pub fn problems(case: &Case, journey: &Journey) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (crossing, arrival) in &journey.ignored {
        let claim = &case.links.claims[case.links.behind[*crossing][*arrival]];
        let text = format!(
            "the link of {} to {} on {} is not followed: with others it would have money arrive before it left",
            claim.protocol, claim.to.tx, claim.to.ledger
        );
        problems.push(Problem::new("link-out-of-order", claim.from.tx.clone(), text));
    }
    for carried in &journey.carried {
        let crossing = &case.links.crossings[carried.crossing];
        let Some(away) = carried.arrival.checked_sub(crossing.to.len()) else { continue };
        let claim = claim(case, carried);
        let (kind, text) = if crossing.away[away].reason == trace::Reason::OtherLedger {
            (
                "link-other-ledger",
                format!("went on to {} in {}, which the book does not have", claim.to.ledger, claim.to.tx),
            )
        } else {
            let text = format!(
                "came out on {} in {}, it is said; the book has no such payment there",
                claim.to.ledger, claim.to.tx
            );
            ("link-not-found", text)
        };
        problems.push(Problem::new(kind, claim.from.tx.clone(), format!("{}: {text}", claim.protocol)));
    }
    if let Some(first) = case.links.lost.first() {
        let claim = &case.links.claims[*first];
        let text = format!(
            "{} of the book's links depart in transactions, or from payments, that the book does not have; the first in {}",
            case.links.lost.len(),
            claim.from.tx
        );
        problems.push(Problem::new("link-not-found", claim.from.ledger.to_string(), text));
    }
    problems
}
