//! Actors: names for ids, categories where a tag has none, and the text that the book keeps.

use decode::tagpack::{Pack, parse};
use know::{Actor, Actors, PackHash, Rules, StopKind, Stops, from_actor_pack, from_csv, read_actors, write_actors};
use ledger::memory::MemoryLedger;
use ledger::{AccountLeg, AccountTransaction, Kind, LedgerId, LegKind, Time};
use money::{Amount, Asset};

const ACTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/tags/actors/graphsense.actorpack.yaml");

fn pack(yaml: &str, name: &str) -> (Vec<Actor>, Vec<String>) {
    let Ok(Pack::Actors(read)) = parse(yaml.as_bytes()) else { panic!("a pack of actors") };
    assert_eq!(read.faults, []);
    let (actors, faults) = from_actor_pack(read.pack, name, Some(PackHash::of(yaml.as_bytes())));
    (actors, faults.iter().map(ToString::to_string).collect())
}

fn kept(actors: &Actors) -> String {
    let mut text = Vec::new();
    write_actors(actors, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn two_packs() -> Actors {
    let one = "actors:\n- {id: bigex, label: Big Exchange, categories: [exchange, defi_dex], jurisdictions: [AT], uri: x.org}\n\
               - {id: thief, label: The Thief, categories: [user]}\n- {id: bigex, label: Twice}\n";
    let (actors, faults) = pack(one, "b");
    assert_eq!(faults, ["4:id: the actor \"bigex\" is in line 2 already; keep one"]);
    let two =
        "actors:\n- {id: bigex, label: BIGEX Ltd, context: {refs: [y]}}\n- {id: mill, label: Mill, aliases: [m, n]}\n";
    Actors::default().with(actors).with(pack(two, "a").0)
}

#[test]
fn ids_have_names_and_kinds_and_packs_stay_side_by_side() {
    let actors = two_packs();
    assert_eq!(actors.len(), 4);
    assert_eq!(actors.name("bigex").map(|name| &**name), Some("BIGEX Ltd"), "the first pack by name");
    assert_eq!(actors.categories("bigex").iter().map(|word| &**word).collect::<Vec<_>>(), ["defi_dex", "exchange"]);
    assert_eq!((actors.name("nobody"), actors.categories("nobody").len()), (None, 0));
    assert_eq!(actors.of("bigex").len(), 2);
    let text = kept(&actors);
    assert_eq!(read_actors(text.as_bytes()).unwrap(), actors);
    let again = actors.clone().with(pack("actors: [{id: mill, label: New Mill}]", "a").0);
    assert_eq!((again.len(), again.name("mill").map(|name| &**name)), (4, Some("New Mill")));
    let (left, gone) = again.without_pack("a");
    assert_eq!((left.len(), gone), (2, 2));
    for (damage, want) in [
        ("", "1: the first line does not name the schema tracehound/actors/1;"),
        ("{\"schema\":\"tracehound/actors/1\"}\n{\"id\":\"a\"}\n", "2: not an actor: missing field `pack`"),
        (
            "{\"schema\":\"tracehound/actors/1\"}\n{\"id\":\"b\",\"pack\":\"p\",\"label\":\"\"}\n{\"id\":\"a\",\"pack\":\"p\",\"label\":\"\"}",
            "3: the actors are not in order;",
        ),
    ] {
        let fault = read_actors(damage.as_bytes()).unwrap_err().to_string();
        assert!(fault.starts_with(want), "{fault}");
    }
}

#[test]
fn stops_carry_names_and_an_actors_kinds_help_where_a_tag_is_silent() {
    let coin = Asset { symbol: "COIN".into(), scale: 0 };
    let mut ledger = MemoryLedger::new(LedgerId::parse("table:t").unwrap(), Kind::Account, vec![coin]);
    let holders = ["silent", "accused", "spoken", "unknown"];
    let leg = |holder: &&str| AccountLeg {
        from: None,
        to: Some((*holder).to_owned()),
        asset: "COIN".into(),
        amount: Amount::new(1),
        fee: Amount::ZERO,
        kind: LegKind::Transfer,
    };
    let legs = holders.iter().map(leg).collect();
    ledger.push(&AccountTransaction { name: "t".into(), time: Time::from_micros(0), legs });
    let csv = "address,label,category,abuse,actor\nsilent,S,,,bigex\naccused,A,,service_hack,bigex\nspoken,P,user,,bigex\n\
               unknown,U,exchange,,zoo\n";
    let claims = from_csv(csv.as_bytes(), "p", &Rules::default()).unwrap();
    let plain = Stops::default();
    let stops = Stops::default().with_actors(two_packs());
    assert_ne!(plain.version(), stops.version());
    assert_eq!(stops.version(), Stops::default().with_actors(two_packs()).version());
    let set = stops.resolve(&claims, &ledger);
    assert_eq!(set.problems, [], "one tag whose actor is of two kinds contradicts nobody");
    let shown: Vec<_> = set.stops.values().map(|stop| (stop.kind, &*stop.entity, stop.actor.as_deref())).collect();
    // A custodian goes before a conduit where one actor is both.
    assert_eq!(
        shown,
        [(StopKind::Service, "BIGEX Ltd", Some("bigex")), (StopKind::Service, "zoo", Some("zoo"))],
        "a hack of the exchange is not the exchange, and what a tag says itself counts"
    );
    assert_eq!(set.risks.values().next().map(|risk| &*risk.entity), Some("BIGEX Ltd"));
    assert_eq!(plain.resolve(&claims, &ledger).stops.len(), 1);
    let standings = stops.standings(&claims, &ledger);
    let keys: Vec<_> = standings.holders.values().map(|standing| &*standing.key).collect();
    assert_eq!(keys, ["bigex", "bigex", "bigex", "zoo"], "entities are told apart by id, whatever they are called");
}

#[test]
fn every_actor_of_the_collection_is_there() {
    let Ok(yaml) = std::fs::read_to_string(ACTORS) else {
        eprintln!("SKIPPED: {ACTORS} is not here");
        return;
    };
    let (actors, faults) = pack(&yaml, "graphsense");
    assert_eq!((actors.len(), faults.len()), (3813, 0));
    let actors = Actors::default().with(actors);
    assert_eq!(actors.name("binance").map(|name| &**name), Some("Binance"));
    let rules = Rules::default();
    for actor in actors.all() {
        for word in &actor.categories {
            assert!(rules.category(word).is_some(), "{}: {word} has no rule", actor.id);
        }
    }
    assert_eq!(read_actors(kept(&actors).as_bytes()).unwrap(), actors);
}
