//! `tracehound trace` over links between ledgers, on two small tables and the links that the book keeps of them.

mod common;

use common::Desk;
use serde_json::Value;

const ETHER: &str = "tx,time,from,to,asset,amount\n\
    theft,2024-01-01T00:00:00Z,victim,mallory,ETH,12.00\n\
    swap,2024-01-01T01:00:00Z,mallory,vault,ETH,12.00\n";

/// The other ledger's clock is two hours behind.
const COINS: &str = "tx,time,from,to,asset,amount\n\
    float,2023-12-31T00:00:00Z,,vault,BTC,5.0000\n\
    paid,2023-12-31T23:00:00Z,vault,mallory2,BTC,0.5980\n\
    spent,2024-01-01T02:00:00Z,mallory2,shop,BTC,0.2990\n";

const INCIDENT: &str = "incident: hack\nlosses:\n- ledger: table:ether\n  asset: ETH\n  amount: \"12\"\n  stolen:\n  \
    - {tx: theft, to: mallory}\n";

fn link(change: &[(&str, &str)]) -> String {
    let mut text = concat!(
        "{\"schema\":\"tracehound/links/1\"}\n",
        "{\"protocol\":\"swapper\",\"class\":\"deterministic\",\"probability\":\"1\",",
        "\"from\":{\"ledger\":\"table:ether\",\"tx\":\"swap\",\"holder\":\"vault\",\"asset\":\"ETH\",\"units\":\"1200\"},",
        "\"to\":{\"ledger\":\"table:coins\",\"tx\":\"paid\",\"holder\":\"mallory2\",\"asset\":\"BTC\",\"units\":\"5980\"},",
        "\"gross_units\":\"6000\",\"method\":\"memo\",\"version\":1,\"source\":\"a record\",\"evidence\":\"=:BTC\"}\n"
    )
    .to_owned();
    for (old, new) in change {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    text
}

fn desk(links: &str) -> Desk {
    let desk = Desk::new();
    desk.write("ether.csv", ETHER);
    desk.write("coins.csv", COINS);
    desk.write("hack.yaml", INCIDENT);
    desk.run("ingest table ether.csv --ledger table:ether").done();
    desk.run("ingest table coins.csv --ledger table:coins").done();
    desk.write("book/links.ndjson", links);
    desk
}

/// (ledger, kind, reason, holder, amount, origin, basis)
fn terminals(result: &Value) -> Vec<[String; 7]> {
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let mut rows: Vec<[String; 7]> = result["terminals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| ["ledger", "kind", "reason", "holder", "amount", "origin_amount", "basis"].map(|f| text(row, f)))
        .collect();
    rows.sort();
    rows
}

fn traced(desk: &Desk, flags: &str) -> Value {
    desk.run(&format!("trace hack.yaml --json {flags}")).done().json_lines().remove(0)
}

#[test]
fn a_link_is_followed_and_named() {
    let desk = desk(&link(&[]));
    let result = traced(&desk, "");
    let at = |who: &str| ["table:coins", "balance", "held", who, "0.299", "6", "link"].map(str::to_owned);
    assert_eq!(terminals(&result), [at("mallory2"), at("shop")]);
    let used = &result["links"][0];
    assert_eq!(
        (&used["protocol"], &used["class"], &used["probability"]),
        (&"swapper".into(), &"deterministic".into(), &"1".into())
    );
    assert_eq!(
        (&used["from"]["tx"], &used["to"]["tx"], &used["basis"]),
        (&"swap".into(), &"paid".into(), &"claim".into())
    );
    assert_eq!(
        (&used["departed"], &used["arrived"], &used["origin_amount"]),
        (&"12".into(), &"0.598".into(), &"12".into())
    );
    let arrival = result["edges"].as_array().unwrap().iter().find(|edge| edge["tx"] == "paid").unwrap();
    assert_eq!((&arrival["ledger"], &arrival["basis"]), (&"table:coins".into(), &"link".into()));
    let said = desk.run("trace hack.yaml").done().stdout;
    assert!(said.contains("Crossed:\n  12 ETH of table:ether as 0.598 BTC of table:coins, by swapper (deterministic)\n       swap to paid\n"), "{said}");
    // Every policy closes; the program would fail otherwise.
    desk.run("trace hack.yaml --policy all --envelope --json").done();
}

#[test]
fn the_fee_of_a_bridge_takes_its_share_where_asked_for() {
    let result = traced(&desk(&link(&[])), "--bridge-fee-share --envelope");
    let rows = terminals(&result);
    assert!(
        rows.contains(&["table:coins", "fee", "bridge-fee", "", "0.002", "0.04", "link"].map(str::to_owned)),
        "{rows:?}"
    );
    assert!(
        rows.contains(&["table:coins", "balance", "held", "shop", "0.299", "5.98", "link"].map(str::to_owned)),
        "{rows:?}"
    );
}

#[test]
fn a_likely_link_leaves_the_rest_at_the_bridge_and_the_envelope_says_either() {
    let desk =
        desk(&link(&[("deterministic", "unique-candidate"), ("\"probability\":\"1\"", "\"probability\":\"0.9\"")]));
    let result = traced(&desk, "--envelope");
    let rows = terminals(&result);
    assert!(
        rows.contains(&["table:ether", "bridge", "unlinked", "vault", "1.2", "1.2", "fact"].map(str::to_owned)),
        "{rows:?}"
    );
    for row in result["terminals"].as_array().unwrap() {
        assert_eq!((&row["low"], &row["high"]), (&"0".into(), &"12".into()), "{row}");
    }
    let strict = traced(&desk, "--min-link 0.95");
    assert_eq!(
        terminals(&strict),
        [["table:ether", "balance", "held", "vault", "12", "12", "fact"].map(str::to_owned)]
    );
    let alone = traced(&desk, "--no-links");
    assert_eq!(terminals(&strict), terminals(&alone));
    assert!(alone["as_of"]["table:coins"].is_null(), "{alone}");
}

#[test]
fn a_ledger_that_the_book_does_not_have_is_an_answer() {
    let desk = desk(&link(&[("table:coins", "table:elsewhere")]));
    let result = traced(&desk, "");
    let want = [["table:ether", "bridge", "other-ledger", "vault", "12", "12", "claim"].map(str::to_owned)];
    assert_eq!(terminals(&result), want);
    let problem = &result["problems"][0];
    assert_eq!(problem["kind"], "link-other-ledger");
    let text = problem["text"].as_str().unwrap();
    assert!(text.contains("table:elsewhere") && text.contains("which the book does not have"), "{text}");
    assert_eq!(result["links"][0]["followed"], false);
}

#[test]
fn what_cannot_be_found_is_said() {
    let desk1 = desk(&link(&[("\"tx\":\"paid\"", "\"tx\":\"nothing\"")]));
    let result = traced(&desk1, "");
    assert_eq!(
        terminals(&result),
        [["table:ether", "bridge", "unlinked", "vault", "12", "12", "claim"].map(str::to_owned)]
    );
    assert_eq!(result["problems"][0]["kind"], "link-not-found");
    let desk2 = desk(&link(&[("\"tx\":\"swap\"", "\"tx\":\"nothing\"")]));
    let result = traced(&desk2, "");
    assert_eq!(
        terminals(&result),
        [["table:ether", "balance", "held", "vault", "12", "12", "fact"].map(str::to_owned)]
    );
    assert_eq!(result["problems"][0]["kind"], "link-not-found");
    assert!(desk2.refused("trace hack.yaml --min-link 2", 2).contains("write a probability between 0 and 1"));
}

#[test]
fn links_through_mixers_are_followed_only_where_asked_for() {
    let desk = desk(&link(&[]));
    desk.write("tags.csv", "address,label,category,ledger\nvault,Mix,mixing_service,table:ether\n");
    let stopped = traced(&desk, "--tags tags.csv");
    assert_eq!(
        terminals(&stopped)[0][..4],
        ["table:ether", "mixer", "stop-rule", "vault"].map(str::to_owned),
        "{stopped}"
    );
    let followed = traced(&desk, "--tags tags.csv --mixers");
    assert_eq!(terminals(&followed).len(), 2, "{followed}");
}
