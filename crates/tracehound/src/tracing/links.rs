//! Links of the book, found on its ledgers: claims become crossings that a trace can follow.
//!
//! A claim names transactions, holders and assets; a crossing names numbers of ledgers. What cannot be found is said where
//! a trace meets it: that loot went to a ledger that the book does not have is an answer in itself.

use std::collections::BTreeMap;

use ledger::{AssetId, End, HolderId, Kind, Ledger, LedgerId, Leg, PurseId, Seq, address};
use link::{Claim, Class, Portion, Side};
use money::Amount;
use trace::{Arrival, Away, BILLION, Crossing, Departure, Reason, StopKind};

use crate::tracing::case::OnLedger;

/// What a link states within this part of what was paid is all of it: some protocols count in coarser units.
const ROUNDED_PARTS: u128 = 1_000_000;

/// Which links a trace follows.
#[derive(Clone, Debug, Default)]
pub struct LinkWishes {
    /// All that the book keeps.
    pub claims: Vec<Claim>,
    /// The least probability that is followed.
    pub least: Option<Portion>,
    /// Whether links through mixers are followed.
    pub mixers: bool,
    /// Whether the fee of a bridge takes its share of the loot.
    pub fee_share: bool,
}

/// The links of a case.
#[derive(Default)]
pub struct Links {
    pub claims: Vec<Claim>,
    pub crossings: Vec<Crossing>,
    /// By crossing: the claim behind each arrival, then behind each part that goes away.
    pub behind: Vec<Vec<usize>>,
    /// Links whose departure is on a ledger of the case and cannot be found there.
    pub lost: Vec<usize>,
}

/// The ledgers that can be reached over links from some, themselves first.
pub fn reachable(homes: &[LedgerId], claims: &[Claim], there: &[LedgerId]) -> Vec<LedgerId> {
    let mut ways: BTreeMap<&LedgerId, Vec<&LedgerId>> = BTreeMap::new();
    for claim in claims {
        let to = ways.entry(&claim.from.ledger).or_default();
        if !to.contains(&&claim.to.ledger) {
            to.push(&claim.to.ledger);
        }
    }
    let mut found = homes.to_vec();
    let mut at = 0;
    while at < found.len() {
        let mut next: Vec<LedgerId> = ways.get(&found[at]).into_iter().flatten().map(|id| (*id).clone()).collect();
        next.sort();
        for id in next {
            if there.contains(&id) && !found.contains(&id) {
                found.push(id);
            }
        }
        at += 1;
    }
    found
}

/// Finds links on ledgers.
pub fn resolve(wishes: LinkWishes, ledgers: &[OnLedger]) -> Links {
    let LinkWishes { mut claims, least, mixers, fee_share } = wishes;
    claims.retain(|claim| least.is_none_or(|least| claim.probability >= least));
    // The surest first: where several would take more than there is, the others get what is left.
    claims.sort_by(|a, b| (a.class, b.probability).cmp(&(b.class, a.probability)).then_with(|| a.cmp(b)));
    let mut links = Links { claims, ..Links::default() };
    let mut places: BTreeMap<Key, usize> = BTreeMap::new();
    for (number, claim) in links.claims.iter().enumerate() {
        let place = |side: &Side| ledgers.iter().position(|on| on.id == side.ledger);
        let Some(at) = place(&claim.from) else { continue };
        let Some(from) = departure(at, ledgers[at].ledger.as_ledger(), &claim.from) else {
            links.lost.push(number);
            continue;
        };
        if !mixers && is_mixer(&ledgers[at], from.payee) {
            continue;
        }
        let key = (at, from.seq, from.payee.purse(), from.asset, from.index, from.amount);
        let crossing = *places.entry(key).or_insert_with(|| {
            links.crossings.push(Crossing { from, to: Vec::new(), away: Vec::new() });
            links.behind.push(Vec::new());
            links.crossings.len() - 1
        });
        let (share, probability) = (claim.share.parts(), claim.probability.parts());
        let arriving = place(&claim.to).map(|at| (at, arrival(ledgers[at].ledger.as_ledger(), &claim.to)));
        let crossing = (&mut links.crossings[crossing], &mut links.behind[crossing]);
        match arriving {
            Some((ledger, Some((seq, purse, amount)))) => {
                let gross = claim.gross_units.filter(|_| fee_share).and_then(amount_of);
                let way = Arrival { ledger, seq, purse, amount, share, probability, gross };
                let is_same = |old: &Arrival| (old.ledger, old.seq, old.purse) == (ledger, seq, purse);
                // Two methods may tell of the same passage; it is one.
                if !crossing.0.to.iter().any(is_same) {
                    crossing.1.insert(crossing.0.to.len(), number);
                    crossing.0.to.push(way);
                }
            }
            away => {
                let reason = if away.is_none() { Reason::OtherLedger } else { Reason::Unlinked };
                crossing.0.away.push(Away { share, probability, reason });
                crossing.1.push(number);
            }
        }
    }
    links
}

/// Who takes in what protocols name both sides of is a bridge, where nobody says what else it is: what goes in there and
/// comes out nowhere ends there.
pub fn bridges(links: &Links) -> BTreeMap<(usize, PurseId), String> {
    let mut bridges = BTreeMap::new();
    for (crossing, claims) in links.crossings.iter().zip(&links.behind) {
        let sure = claims.iter().map(|at| &links.claims[*at]).find(|claim| claim.class == Class::Deterministic);
        if let (Some(claim), Some(purse)) = (sure, crossing.from.payee.purse()) {
            bridges.entry((crossing.from.ledger, purse)).or_insert_with(|| claim.protocol.clone());
        }
    }
    bridges
}

/// What tells departures apart.
type Key = (usize, Seq, Option<PurseId>, AssetId, u32, Amount);

fn amount_of(units: u128) -> Option<Amount> {
    (units <= Amount::MAX.units()).then(|| Amount::new(units))
}

fn is_mixer(on: &OnLedger, payee: End) -> bool {
    let ledger = on.ledger.as_ledger();
    let stop = payee.purse().and_then(|purse| on.settings.stops.get(&ledger.purse(purse).holder));
    let named = payee.purse().and_then(|purse| on.stops.stops.get(&ledger.purse(purse).holder));
    stop == Some(&StopKind::Mixer) || named.is_some_and(|stop| stop.kind == know::StopKind::Mixer)
}

/// A transaction by the id that a source writes, which may be in capitals.
fn transaction(ledger: &dyn Ledger, side: &Side) -> Option<Seq> {
    ledger.find_transaction(&side.tx).or_else(|| ledger.find_transaction(&side.tx.to_ascii_lowercase()))
}

fn holder(ledger: &dyn Ledger, side: &Side) -> Option<HolderId> {
    let name = side.holder.as_deref()?;
    let canonical = address::canonical(&side.ledger, name).ok();
    canonical.and_then(|name| ledger.find_holder(&name)).or_else(|| ledger.find_holder(name))
}

/// As much as a link says of what is there; what it states nearly is all of it.
fn stated(units: u128, there: Amount) -> Amount {
    let is_all = units == 0 || units.saturating_add(there.units() / ROUNDED_PARTS) >= there.units();
    if is_all { there } else { Amount::new(units) }
}

fn departure(at: usize, ledger: &dyn Ledger, side: &Side) -> Option<Departure> {
    let seq = transaction(ledger, side)?;
    let (payee, asset, there) = match ledger.kind() {
        Kind::Utxo => {
            let (purse, amount) = output(ledger, seq, side)?;
            (End::Purse(purse), ledger.purse(purse).asset, amount)
        }
        Kind::Account => taken_in(ledger, seq, side)?,
    };
    let amount = stated(side.units, there);
    let index = side.index.unwrap_or(0);
    (!amount.is_zero()).then_some(Departure { ledger: at, seq, payee, asset, index, amount })
}

fn arrival(ledger: &dyn Ledger, side: &Side) -> Option<(Seq, PurseId, Amount)> {
    let seq = transaction(ledger, side)?;
    match ledger.kind() {
        Kind::Utxo => output(ledger, seq, side).map(|(purse, amount)| (seq, purse, stated(side.units, amount))),
        Kind::Account => paid_out(ledger, seq, side).map(|(purse, amount)| (seq, purse, amount)),
    }
}

/// The output that a link means: by its index, its holder, its amount.
fn output(ledger: &dyn Ledger, seq: Seq, side: &Side) -> Option<(PurseId, Amount)> {
    let mut legs: Vec<Leg> = Vec::new();
    ledger.transaction(seq, &mut legs);
    let outputs: Vec<(u32, PurseId, Amount)> = (0u32..)
        .zip(legs.iter().filter(|leg| leg.payer == End::Pot && leg.payee != End::Fee))
        .filter_map(|(vout, leg)| Some((vout, leg.payee.purse()?, leg.amount)))
        .collect();
    let named = holder(ledger, side);
    if side.holder.is_some() && named.is_none() {
        return None;
    }
    let own =
        |(_, purse, _): &&(u32, PurseId, Amount)| named.is_none_or(|holder| ledger.purse(*purse).holder == holder);
    let own: Vec<_> = outputs.iter().filter(own).collect();
    let by_index = side.index.and_then(|index| own.iter().find(|(vout, ..)| *vout == index));
    let by_amount = || own.iter().find(|(.., amount)| amount.units() == side.units);
    let only =
        || own.iter().max_by_key(|(vout, _, amount)| (*amount, std::cmp::Reverse(*vout))).filter(|_| named.is_some());
    by_index.or_else(by_amount).or_else(only).map(|(_, purse, amount)| (*purse, *amount))
}

/// What ends got of assets in a transaction, over what they paid: in order of first appearance.
fn receipts(ledger: &dyn Ledger, seq: Seq) -> Vec<(End, AssetId, Amount)> {
    let mut legs: Vec<Leg> = Vec::new();
    ledger.transaction(seq, &mut legs);
    let mut sums: Vec<(End, AssetId, Amount, Amount)> = Vec::new();
    let is_payment = |leg: &&Leg| ![leg.payer, leg.payee].iter().any(|end| matches!(end, End::Fee | End::Drift));
    for leg in legs.iter().filter(is_payment) {
        for (end, pays) in [(leg.payer, true), (leg.payee, false)] {
            let at = sums.iter().position(|sum| (sum.0, sum.1) == (end, leg.asset)).unwrap_or_else(|| {
                sums.push((end, leg.asset, Amount::ZERO, Amount::ZERO));
                sums.len() - 1
            });
            let side = if pays { &mut sums[at].3 } else { &mut sums[at].2 };
            *side = side.checked_add(leg.amount).unwrap_or(Amount::MAX);
        }
    }
    let net = |(end, asset, got, paid): (End, AssetId, Amount, Amount)| (end, asset, got.saturating_sub(paid));
    sums.into_iter().map(net).filter(|(.., amount)| !amount.is_zero()).collect()
}

/// Who took in what a link says went in: the holder that it names; else, in the asset that it names, the fire, or
/// somebody who got exactly so much, or else the most. What a contract says it took often lies with another one.
fn taken_in(ledger: &dyn Ledger, seq: Seq, side: &Side) -> Option<(End, AssetId, Amount)> {
    let all = receipts(ledger, seq);
    let asset = ledger.find_asset(&side.asset);
    let named = holder(ledger, side);
    let exactly = |found: &&(End, AssetId, Amount)| found.2.units() == side.units;
    let own = |found: &&(End, AssetId, Amount)| {
        named.is_some() && found.0.purse().map(|purse| ledger.purse(purse).holder) == named
    };
    let in_asset = |found: &&(End, AssetId, Amount)| asset == Some(found.1);
    let enough = |found: &&(End, AssetId, Amount)| found.2.units() >= side.units;
    let burnt = |found: &&(End, AssetId, Amount)| found.0 == End::Outside;
    all.iter()
        .find(|found| own(found) && in_asset(found))
        // A coin that the holder wrapped at once lies there as the token, and the coin itself with the wrapper.
        .or_else(|| all.iter().find(|found| own(found) && exactly(found)))
        .or_else(|| all.iter().find(|found| in_asset(found) && burnt(found) && enough(found)))
        .or_else(|| all.iter().find(|found| in_asset(found) && exactly(found)))
        .or_else(|| all.iter().filter(|found| in_asset(found) && enough(found)).max_by_key(|found| found.2))
        .or_else(|| all.iter().find(|found| own(found) && asset.is_none()))
        .or_else(|| all.iter().find(exactly))
        .copied()
}

/// Who was paid what came out: the receiver that a link names, who may have passed it on at once; else somebody who got
/// exactly so much of it.
fn paid_out(ledger: &dyn Ledger, seq: Seq, side: &Side) -> Option<(PurseId, Amount)> {
    let all = receipts(ledger, seq);
    let asset = ledger.find_asset(&side.asset);
    let purses = || all.iter().filter_map(|(end, asset, amount)| Some((end.purse()?, *asset, *amount)));
    let named = holder(ledger, side);
    let own = |purse: PurseId| named == Some(ledger.purse(purse).holder);
    let in_asset = |found: AssetId| asset == Some(found);
    let kept = purses()
        .find(|(purse, found, _)| own(*purse) && in_asset(*found))
        .or_else(|| purses().find(|(purse, _, amount)| own(*purse) && amount.units() == side.units))
        .or_else(|| purses().find(|(purse, ..)| own(*purse) && asset.is_none()))
        .map(|(purse, _, amount)| (purse, stated(side.units, amount)));
    let passed_on = || {
        let mut legs: Vec<Leg> = Vec::new();
        ledger.transaction(seq, &mut legs);
        let leg = legs.iter().find(|leg| leg.payee.purse().is_some_and(&own) && in_asset(leg.asset))?;
        Some((leg.payee.purse()?, stated(side.units, leg.amount)))
    };
    let exactly = || {
        let found = purses().find(|(_, found, amount)| in_asset(*found) && amount.units() == side.units)?;
        Some((found.0, found.2))
    };
    kept.or_else(passed_on).or_else(exactly)
}

/// The least probability that a trace follows unless another is asked for: one half.
pub fn usual_least() -> Portion {
    Portion::new(BILLION / 2).expect("a half is a part")
}
