//! A heist that hops chains, from recorded answers to the account of the loot, held against the truth of the exercise.

mod common;

use common::Desk;
use exercise::{PlaceKind, Placement, Truth};
use expect_test::expect;
use money::Decimal;
use serde_json::Value;

/// The exercise, ingested: both chains and the tags.
fn desk(registry: bool) -> Desk {
    let desk = Desk::new();
    desk.run("exercise made --hopping 3000").done();
    desk.run("ingest ethereum --replay made/alder --native ALD").done();
    desk.run("ingest ethereum --replay made/birch --native BIR").done();
    desk.run("tags import made/tags.yaml").done();
    let find = if registry { "links find --registry made/lantern-bridge.yaml" } else { "links find" };
    desk.run(find).done();
    desk
}

fn placements(result: &Value) -> Vec<Placement> {
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let rows = result["terminals"].as_array().unwrap().iter();
    rows.map(|row| {
        let scale = if row["origin_asset"] == "ALD" { 18 } else { 6 };
        let origin = Decimal::parse(row["origin_amount"].as_str().unwrap()).unwrap();
        Placement {
            incident: text(row, "incident"),
            stolen_ledger: text(row, "origin_ledger"),
            stolen_asset: text(row, "origin_asset"),
            ledger: text(row, "ledger"),
            holder: row["holder"].as_str().map(str::to_owned),
            kind: match row["kind"].as_str().unwrap() {
                "service" => PlaceKind::Service,
                "mixer" => PlaceKind::Mixer,
                "bridge" => PlaceKind::Bridge,
                "fee" => PlaceKind::Fee,
                "unknown" => PlaceKind::Unknown,
                _ => PlaceKind::Balance,
            },
            origin_amount: origin.to_amount(scale).unwrap(),
        }
    })
    .collect()
}

/// Per loss, how many thousandths of it a trace puts where it is.
fn scores(desk: &Desk, flags: &str) -> Vec<u128> {
    let truth = Truth::from_json(&desk.read("made/truth.json")).unwrap();
    let ran = desk.run(&format!("trace made/incident-alder-heist.yaml --json --no-edges {flags}")).done();
    let result = &ran.json_lines()[0];
    let scores = truth.score(&placements(result));
    scores.iter().map(|score| score.matched.amount.units() * 1000 / score.stolen.amount.units()).collect()
}

#[test]
fn loot_is_found_on_the_chain_that_it_hopped_to() {
    let desk = desk(true);
    let share = |flags: &str| scores(&desk, flags);
    let policies = ["haircut", "fifo", "lifo", "taint-first-out", "taint-last-out"];
    let all: Vec<Vec<u128>> = policies.iter().map(|policy| share(&format!("--policy {policy}"))).collect();
    let stay = share("--no-links");
    for (policy, found) in policies.iter().zip(&all) {
        for (found, stayed) in found.iter().zip(&stay) {
            assert!(found > &(stayed + 200), "{policy} finds {found} thousandths, {stayed} without links");
        }
    }
    // What went into the mixing pool is not told apart, and is all that lacks.
    expect![[r#"
        [
            [
                891,
                867,
            ],
            [
                865,
                870,
            ],
        ]
    "#]]
    .assert_debug_eq(&all[..2].to_vec());
}

#[test]
fn without_its_entry_in_the_registry_a_bridge_is_the_end_of_the_way() {
    let desk = desk(false);
    let shown = desk.run("links list").done().stderr;
    assert!(shown.contains("no such link"), "{shown}");
    let text = desk.shows("trace made/incident-alder-heist.yaml --top 1");
    assert!(!text.contains("Crossed"), "{text}");
}
