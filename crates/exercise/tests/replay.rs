//! Replays whole exercises with the obvious checker, over many seeds and sizes.

mod checker;

use checker::{Made, check, make};
use exercise::{Exact, PlaceKind, Plan, Truth};
use proptest::prelude::*;

/// What to spoil, and how.
type Spoil<'a> = (&'a str, &'a dyn Fn(&mut Made));

/// The demo's files and their SHA-256.
const DEMO: [(&str, &str); 7] = [
    ("chain.ndjson", "9e602849481f586d0e832ce8306b436395135f260e4eec0d74958455d7d043ec"),
    ("tokens.csv", "5459107bbebae4026acde4f784c5d7ac17ce215896b53652aae1c78e8201d61a"),
    ("bank.csv", "e59ae13ae1d19eb34727d8781c4443debf32b419d957890278b02de4d7e0406a"),
    ("incident-harbour-heist.yaml", "7159fa2c5aa84fd8619722b3ff392395a14f1b8870e8eb1458a6792e3bd0232f"),
    ("incident-harbour-client-money.yaml", "fb293c4ab64a6923fe9fc12f67782ffa49d15edfb422574b9189112adc156d08"),
    ("tags.yaml", "1e83126066b01531867aec0fce6986c78e447ed3dd35f42c931d4748679de030"),
    ("truth.json", "2e9b77f4992aec45b80f33e83ff704c7c809b1225c0dbad4de070f8d69e77f04"),
];

#[test]
fn the_demo_holds_every_rule_and_is_the_same_bytes_for_everybody() {
    let made = make(&Plan::demo());
    assert!(check(&made) > 100);
    let folder = tempfile::tempdir().unwrap();
    let summary = exercise::write(&Plan::demo(), folder.path()).unwrap();
    let hashes: Vec<(&str, &str)> =
        summary.files.iter().map(|file| (file.file.as_str(), file.sha256.as_str())).collect();
    // Changed on purpose only: an exercise that somebody else has traced must stay the one they traced.
    assert_eq!(hashes, DEMO);
}

#[test]
fn the_same_plan_gives_the_same_bytes_and_another_seed_another_world() {
    let plan = Plan::scaled(2_000);
    let (one, two) = (make(&plan), make(&plan));
    assert_eq!(one.chain, two.chain);
    assert_eq!(one.tokens, two.tokens);
    assert_eq!(one.bank, two.bank);
    assert_eq!(one.papers.incidents, two.papers.incidents);
    assert_eq!(one.papers.tags, two.papers.tags);
    assert_eq!(one.papers.truth, two.papers.truth);
    let other = make(&Plan { seed: 1, ..plan.clone() });
    assert_ne!(one.papers.summary.ledgers[0].ledger, other.papers.summary.ledgers[0].ledger);
    assert_ne!(one.tokens, other.tokens);
    let longer = make(&Plan { peel_hops: plan.peel_hops + 1, ..plan });
    assert_ne!(
        one.papers.summary.ledgers[0].ledger, longer.papers.summary.ledgers[0].ledger,
        "and so has another plan"
    );
}

#[test]
fn files_in_a_folder_are_what_the_manifest_says() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { bank_transactions: 0, ..Plan::scaled(300) };
    let summary = exercise::write(&plan, folder.path()).unwrap();
    assert_eq!(summary.incidents, ["harbour-heist"]);
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["chain.ndjson", "incident-harbour-heist.yaml", "manifest.json", "tags.yaml", "tokens.csv", "truth.json"]
    );
    for file in &summary.files {
        let length = std::fs::metadata(folder.path().join(&file.file)).map(|meta| meta.len());
        assert_eq!(length.unwrap_or(0), file.bytes, "{}", file.file);
    }
    let text = std::fs::read_to_string(folder.path().join("truth.json")).unwrap();
    assert_eq!(Truth::from_json(&text).unwrap(), make(&plan).papers.truth);
    let bad = exercise::write(&Plan { wallets: 1, ..plan }, folder.path()).unwrap_err();
    assert_eq!(bad.to_string(), "the plan's wallets is 1; choose from 24 to 20000");
}

#[test]
fn the_checker_notices_what_is_wrong() {
    let good = make(&Plan::scaled(300));
    check(&good);
    let once = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let wrongs: [Spoil; 6] = [
        ("a coin's value", &|made| made.chain = once(&made.chain, "\"value\":3.125", "\"value\":3.126")),
        ("a fee", &|made| made.chain = once(&made.chain, "\"fee\":0.00", "\"fee\":0.01")),
        ("an overdraft", &|made| made.tokens = once(&made.tokens, "250000.000", "1.000")),
        ("a checksum", &|made| made.chain = once(&made.chain, "\"address\":\"bcrt1q", "\"address\":\"bcrt1p")),
        ("a lost satoshi", &|made| {
            let place = &mut made.papers.truth.incidents[0].losses[0].places[0];
            place.origin_amount = Exact::new(place.origin_amount.amount.units() - 1, 8);
        }),
        ("a wrong door", &|made| {
            let places = &mut made.papers.truth.incidents[0].losses[0].places;
            let holders: Vec<_> = places.iter().map(|place| place.holder.clone()).collect();
            let service = places.iter().position(|place| place.kind == PlaceKind::Service).unwrap();
            let balance = places.iter().position(|place| place.kind == PlaceKind::Balance).unwrap();
            places[service].holder.clone_from(&holders[balance]);
        }),
    ];
    let noticed = wrongs.map(|(what, spoil)| {
        let mut made = make(&Plan::scaled(300));
        spoil(&mut made);
        (what, std::panic::catch_unwind(|| check(&made)).is_err())
    });
    assert!(noticed.iter().all(|(_, noticed)| *noticed), "{noticed:?}");
}

#[test]
fn a_long_peel_chain_has_every_hop() {
    let made = make(&Plan::peel(2_000));
    check(&made);
    let steps = &made.papers.truth.incidents[0].steps;
    assert_eq!(steps.iter().filter(|step| step.kind == "peel").count(), 2_000);
}

#[test]
fn a_spreading_theft_taints_about_as_many_legs_as_asked_for() {
    for legs in [1_000, 50_000] {
        let made = make(&Plan::cone(legs));
        check(&made);
        let tainted = made.papers.summary.ledgers[0].tainted_legs;
        assert!((legs..legs + legs / 10).contains(&tainted), "{tainted} for {legs}");
        assert!(made.papers.tags.ends_with("tags: []\n"), "nothing stops the spread");
    }
}

#[test]
fn a_laundered_heist_has_every_typology() {
    let made = make(&Plan::demo());
    for (incident, kinds) in [
        (
            0,
            vec![
                "theft",
                "fan-out",
                "peel",
                "join",
                "fan-in",
                "cash-out",
                "dust",
                "hop",
                "swap",
                "bridge",
                "own-money",
            ],
        ),
        (1, vec!["theft", "own-money", "hop", "cash-out", "cash"]),
    ] {
        let steps = &made.papers.truth.incidents[incident].steps;
        for kind in kinds {
            assert!(steps.iter().any(|step| step.kind == kind), "{kind}");
        }
        assert!(steps.iter().any(|step| step.note.contains("the loot first")));
        assert!(steps.iter().any(|step| step.note.contains("own money first")));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_plan_holds_every_rule(
        seed in any::<u64>(),
        chain in 10u64..1_500,
        tokens in 0u64..700,
        bank in 0u64..500,
        wallets in 24u32..300,
        fan_out in 1u32..60,
        peel_hops in 1u32..80,
        joiners in 2u32..12,
        join_rounds in 0u32..5,
    ) {
        let plan = Plan {
            seed, chain_transactions: chain, token_transactions: tokens, bank_transactions: bank,
            wallets, fan_out, peel_hops, joiners, join_rounds, spread_legs: None,
        };
        check(&make(&plan));
    }
}
