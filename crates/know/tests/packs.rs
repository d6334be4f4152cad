//! Published tag packs: every word of them has a rule, and the holders they name become what they should.
//!
//! The packs are public data that is not part of this repository; without them each test says so and passes.

use std::collections::BTreeSet;
use std::path::Path;

use decode::tagpack::{Pack, parse};
use know::{Claim, ProblemKind, Rules, Scope, StopKind, StopSet, Stops, from_tag_pack, merged};
use ledger::memory::MemoryLedger;
use ledger::{AccountLeg, AccountTransaction, Kind, LedgerId, LegKind, Time, address};
use money::{Amount, Asset};

const PACKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/tags/packs");

/// The claims of one pack; `None` where the packs are not here.
fn claims_of(name: &str) -> Option<Vec<Claim>> {
    let path = Path::new(PACKS).join(name);
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("SKIPPED: {} is not here", path.display());
        return None;
    };
    let Pack::Tags(read) = parse(&bytes).unwrap() else { panic!("{name} is a tag pack") };
    assert_eq!(read.faults, [], "{name}");
    let (claims, faults) = from_tag_pack(read.pack, name, &Rules::default());
    // Published packs have a few addresses that were damaged on the way.
    for fault in &faults {
        eprintln!("{}", fault.in_file(name));
    }
    Some(claims)
}

fn all_claims() -> Option<Vec<Claim>> {
    let Ok(folder) = std::fs::read_dir(PACKS) else {
        eprintln!("SKIPPED: {PACKS} is not here");
        return None;
    };
    let mut claims = Vec::new();
    for entry in folder {
        let name = entry.unwrap().file_name();
        claims = merged(claims, claims_of(name.to_str().unwrap())?);
    }
    Some(claims)
}

/// A ledger that holds every address of the claims that can exist on it.
fn ledger_of(id: &str, claims: &[Claim]) -> MemoryLedger {
    let id = LedgerId::parse(id).unwrap();
    let coin = Asset { symbol: "COIN".into(), scale: 0 };
    let mut ledger = MemoryLedger::new(id.clone(), Kind::Account, vec![coin]);
    let holders: BTreeSet<String> = claims.iter().filter_map(|c| address::canonical(&id, &c.address).ok()).collect();
    let legs = holders.into_iter().map(|holder| AccountLeg {
        from: None,
        to: Some(holder),
        asset: "COIN".into(),
        amount: Amount::new(1),
        fee: Amount::ZERO,
        kind: LegKind::Transfer,
    });
    ledger.push(&AccountTransaction { name: "all".into(), time: Time::from_micros(0), legs: legs.collect() });
    ledger
}

fn resolved(ledger: &str, claims: &[Claim]) -> StopSet {
    Stops::default().resolve(claims, &ledger_of(ledger, claims))
}

fn kinds(set: &StopSet) -> Vec<(StopKind, usize)> {
    let count = |kind| set.stops.values().filter(|stop| stop.kind == kind).count();
    StopKind::ALL.into_iter().map(|kind| (kind, count(kind))).filter(|(_, count)| *count > 0).collect()
}

#[test]
fn tornado_cash_is_a_mixer_wherever_its_addresses_are() {
    let Some(claims) = claims_of("tornado_cash.yaml") else { return };
    let distinct: BTreeSet<String> = claims.iter().map(|claim| claim.address.to_lowercase()).collect();
    for ledger in ["ethereum", "table:x"] {
        let set = resolved(ledger, &claims);
        assert_eq!(kinds(&set), [(StopKind::Mixer, distinct.len())], "{ledger}");
        assert!(set.stops.values().all(|stop| stop.entity == "tornado" && stop.confidence == 60));
        assert_eq!(set.problems, []);
    }
    assert_eq!(kinds(&resolved("bitcoin", &claims)), []);
}

#[test]
fn thieves_are_risks_and_no_stops() {
    for (name, ledger, risk) in [
        ("lazarus.yaml", "bitcoin", "sanctioned"),
        ("lazarus2.yaml", "bitcoin", "sanctioned"),
        ("ronin_bridge.yaml", "ethereum", "theft"),
        ("binance_hack.yaml", "bitcoin", "theft"),
        ("ransomwhere.yaml", "bitcoin", "ransomware"),
        ("usdt_blacklist.yaml", "ethereum", "blocked"),
    ] {
        let Some(claims) = claims_of(name) else { return };
        let set = resolved(ledger, &claims);
        assert_eq!(kinds(&set), [], "{name}");
        assert!(!set.risks.is_empty(), "{name}");
        assert!(set.risks.values().all(|found| found.kinds.contains(risk)), "{name}");
    }
}

#[test]
fn reserves_of_exchanges_are_services_on_each_of_their_chains() {
    let Some(claims) = claims_of("exchange-wallets-bybit.yaml") else { return };
    let count = |currency: &str| claims.iter().filter(|c| c.scope == Scope::Currency(currency.into())).count();
    assert_eq!(kinds(&resolved("bitcoin", &claims)), [(StopKind::Service, count("BTC"))]);
    let ethereum = resolved("ethereum", &claims);
    assert_eq!(kinds(&ethereum), [(StopKind::Service, count("ETH"))]);
    assert!(ethereum.stops.values().all(|stop| stop.entity == "bybit"));
}

#[test]
fn every_word_of_every_pack_has_a_rule() {
    let Some(claims) = all_claims() else { return };
    assert!(claims.len() > 10_000, "{}", claims.len());
    for ledger in ["bitcoin", "ethereum", "table:x"] {
        let set = resolved(ledger, &claims);
        for problem in &set.problems {
            eprintln!("{ledger}: {}", problem.text);
            let expected = matches!(problem.kind, ProblemKind::Conflict | ProblemKind::BadAddress);
            assert!(expected, "{ledger}: {problem:?}");
        }
        eprintln!("{ledger}: {:?}, {} risks", kinds(&set), set.risks.len());
        assert!(!set.stops.is_empty() && !set.risks.is_empty(), "{ledger}");
        assert_eq!(set, resolved(ledger, &claims), "the same claims say the same");
    }
    let kept = know::to_ndjson(&claims);
    assert_eq!(know::from_ndjson(kept.as_bytes()).unwrap(), claims);
}
