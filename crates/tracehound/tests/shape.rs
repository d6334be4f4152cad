//! The shape of a trace's result: what programs read stays where it is, adds up, and is the same each time.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Desk, POLICIES, assert_closes, assert_within_bounds, list, sum, text};
use serde_json::Value;

const INCIDENTS: &str = "ex/incident-harbour-heist.yaml ex/incident-harbour-client-money.yaml";

/// The closed lists of the contract.
const KINDS: [&str; 9] =
    ["balance", "service", "mixer", "bridge", "fee", "frozen", "recovered", "truncated", "unknown"];
const BASES: [&str; 3] = ["fact", "claim", "rule"];

/// Holds an object against `key: type` lines, where the type is one of `text`, `amount`, `time`, `number`, `list`,
/// `object`, with `?` for what may be null and `-` for what may be left out. Other keys are not known.
#[track_caller]
fn check_keys(object: &Value, shape: &str) {
    let object = object.as_object().unwrap_or_else(|| panic!("not an object: {object}"));
    let mut known = BTreeSet::new();
    for entry in shape.split_whitespace() {
        let (key, kind) = entry.split_once(':').expect("key:type");
        known.insert(key);
        let (kind, optional) = kind.strip_suffix('-').map_or((kind, false), |kind| (kind, true));
        let (kind, nullable) = kind.strip_suffix('?').map_or((kind, false), |kind| (kind, true));
        let Some(value) = object.get(key) else {
            assert!(optional, "{key} is missing in {object:?}");
            continue;
        };
        let is_right = match kind {
            _ if value.is_null() => nullable,
            "text" => value.is_string(),
            "amount" => value.as_str().is_some_and(is_amount),
            "time" => {
                value.as_str().is_some_and(|time| time.len() == 20 && time.ends_with('Z') && &time[10..11] == "T")
            }
            "number" => value.is_u64(),
            "list" => value.is_array(),
            "object" => value.is_object(),
            _ => panic!("no type: {kind}"),
        };
        assert!(is_right, "{key} is no {kind}: {value}");
    }
    let unknown: Vec<_> = object.keys().filter(|key| !known.contains(key.as_str())).collect();
    assert!(unknown.is_empty(), "keys that the contract does not know: {unknown:?}");
}

/// Plain decimals without a sign, an exponent, or zeros that say nothing.
fn is_amount(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0.0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fraction_is_right = fraction == "0.0" || (digits(fraction) && !fraction.ends_with('0'));
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction_is_right
}

fn check_shape(result: &Value) {
    check_keys(
        result,
        "schema:text incidents:list policy:text policy_means:text as_of:object loot:list terminals:list edges:list- \
         links:list problems:list",
    );
    assert_eq!(result["schema"], "tracehound/trace/1");
    assert!(POLICIES.contains(&text(&result["policy"])));
    for as_of in result["as_of"].as_object().unwrap().values() {
        check_keys(as_of, "height:number? time:time? transactions:number");
    }
    for loot in list(&result["loot"]) {
        check_keys(loot, "incident:text ledger:text asset:text amount:amount");
        assert!(list(&result["incidents"]).contains(&loot["incident"]));
        assert!(result["as_of"].get(text(&loot["ledger"])).is_some());
    }
    for row in list(&result["terminals"]) {
        check_keys(
            row,
            "incident:text kind:text ledger:text holder:text? purse:text? entity:text? asset:text amount:amount \
             origin_ledger:text origin_asset:text origin_amount:amount low:amount- high:amount- hops:number since:time? reason:text \
             basis:text claim:object-",
        );
        assert!(KINDS.contains(&text(&row["kind"])) && BASES.contains(&text(&row["basis"])), "{row}");
        assert_eq!(row["basis"] == "claim", row["claim"].is_object(), "a claim names its source: {row}");
        if row["claim"].is_object() {
            check_keys(&row["claim"], "label:text category:text pack:text source:text? confidence:text?");
        }
    }
    for problem in list(&result["problems"]) {
        check_keys(problem, "kind:text where:text text:text");
    }
}

fn check_edges(result: &Value) {
    for (at, edge) in (1u64..).zip(list(&result["edges"])) {
        check_keys(
            edge,
            "seq:number ledger:text tx:text time:time step:text from:text? to:text? purse_from:text? purse_to:text? \
             asset:text amount:amount balance_before:amount held_before:object traced:object origin:object lots:list- \
             end:text- basis:text",
        );
        assert_eq!(edge["seq"], at, "hops are counted from 1");
        assert!(BASES.contains(&text(&edge["basis"])), "{edge}");
        for amounts in ["held_before", "traced"] {
            for (incident, amount) in edge[amounts].as_object().unwrap() {
                assert!(
                    list(&result["incidents"]).iter().any(|id| id == incident) && is_amount(text(amount)),
                    "{edge}"
                );
            }
        }
    }
}

#[test]
fn the_json_of_every_policy_has_the_contract_s_keys_and_adds_up() {
    let desk = Desk::demo();
    let results = desk.run(&format!("trace {INCIDENTS} --policy all --json --envelope")).done().json_lines();
    let policies: BTreeSet<&str> = results.iter().map(|result| text(&result["policy"])).collect();
    assert_eq!((results.len(), policies), (POLICIES.len(), BTreeSet::from(POLICIES)), "one line a policy");
    for result in &results {
        check_shape(result);
        check_edges(result);
        assert_closes(result);
        assert_within_bounds(result);
        assert!(!list(&result["edges"]).is_empty());
        let loot: Vec<&str> = list(&result["loot"]).iter().map(|loot| text(&loot["amount"])).collect();
        assert_eq!(loot, ["5683.11157186", "72095.843859545705507732", "1444709"], "{}", result["policy"]);
    }
    // The bounds hold whichever policy one picks, so they do not depend on it.
    let bounds = |result: &Value| -> BTreeMap<String, (Value, Value)> {
        let key =
            |row: &Value| ["incident", "kind", "ledger", "holder", "purse", "asset"].map(|key| row[key].to_string());
        list(&result["terminals"])
            .iter()
            .map(|row| (key(row).concat(), (row["low"].clone(), row["high"].clone())))
            .collect()
    };
    let first = bounds(&results[0]);
    for result in &results {
        for (place, bounds) in bounds(result) {
            assert_eq!(first.get(&place).unwrap_or(&bounds), &bounds, "{place}");
        }
    }
}

#[test]
fn csv_says_what_json_says() {
    let desk = Desk::demo();
    for policy in ["haircut", "lifo"] {
        let line = format!("trace {INCIDENTS} --policy {policy} --envelope");
        let json = desk.run(&format!("{line} --json")).done().json_lines().remove(0);
        let csv = desk.run(&format!("{line} --csv")).done().csv();
        let terminals = list(&json["terminals"]);
        assert_eq!(csv.len(), terminals.len());
        for (row, terminal) in csv.iter().zip(terminals) {
            let same =
                ["incident", "kind", "ledger", "asset", "amount", "origin_amount", "low", "high", "reason", "basis"];
            for key in same.into_iter().chain(["holder", "purse", "entity", "since", "origin_asset"]) {
                assert_eq!(row[key], terminal[key].as_str().unwrap_or_default(), "{key} of {terminal}");
            }
            assert_eq!(row["hops"], terminal["hops"].to_string());
            assert_eq!((row["schema"].as_str(), row["policy"].as_str()), ("tracehound/trace/1", policy));
        }
        let edges = desk.run(&format!("{line} --csv=edges")).done().csv();
        let mut rows = edges.iter();
        for edge in list(&json["edges"]) {
            for (incident, traced) in edge["traced"].as_object().unwrap() {
                let row = rows.next().expect("a row for each incident of a hop");
                assert_eq!((&row["incident"], row["traced"].as_str()), (incident, text(traced)));
                for key in ["ledger", "tx", "time", "step", "from", "to", "asset", "amount", "balance_before", "end"] {
                    assert_eq!(row[key], edge[key].as_str().unwrap_or_default(), "{key} of {edge}");
                }
                assert_eq!(row["seq"], edge["seq"].to_string());
            }
        }
        assert!(rows.next().is_none());
    }
}

/// A spreadsheet can redo each hop: pro rata, what a payment carries is its share of what was held, to the last unit.
#[test]
fn the_arithmetic_of_each_hop_can_be_redone() {
    let desk = Desk::demo();
    let json = desk.run("trace ex/incident-harbour-client-money.yaml --json").done().json_lines().remove(0);
    let edges = list(&json["edges"]);
    let cents = |value: &Value| {
        let (digits, scale) = common::decimal(value.as_str().unwrap_or("0"));
        digits * 10i128.pow(2 - scale)
    };
    let mut redone = 0;
    for edge in edges.iter().filter(|edge| !edge["held_before"].as_object().unwrap().is_empty()) {
        let id = "harbour-client-money";
        let [held, traced] = ["held_before", "traced"].map(|key| cents(&edge[key][id]));
        let [amount, before] = ["amount", "balance_before"].map(|key| cents(&edge[key]));
        assert!(before >= held && before > 0, "{edge}");
        // Half a unit either way is rounding.
        assert!((2 * (traced * before - held * amount)).abs() <= 2 * before, "{edge}");
        redone += 1;
    }
    assert!(redone > 20, "{redone} of {} hops", edges.len());
}

#[test]
fn same_input_same_bytes() {
    let (one, other) = (Desk::demo(), Desk::demo());
    common::assert_same(&one.path("book"), &other.path("book"));
    for flags in ["--policy all --json --envelope", "--policy all --csv=edges", "--policy tiho", ""] {
        let line = format!("trace {INCIDENTS} {flags}");
        let first = one.run(&line).done().stdout;
        assert!(first == one.run(&line).done().stdout, "again: {line}");
        assert!(first == other.run(&line).done().stdout, "another book: {line}");
    }
}

#[test]
fn several_incidents_at_once_are_what_each_is_alone_where_the_policy_is_additive() {
    let desk = Desk::demo();
    for policy in ["haircut", "fifo", "lifo", "poison"] {
        let together = desk.run(&format!("trace {INCIDENTS} --policy {policy} --json --no-edges")).done().json_lines();
        for incident in INCIDENTS.split(' ') {
            let alone = desk.run(&format!("trace {incident} --policy {policy} --json --no-edges")).done().json_lines();
            let id = &alone[0]["incidents"][0];
            let own = list(&together[0]["terminals"]).iter().filter(|row| row["incident"] == *id);
            let total = |rows: Vec<&Value>| sum(rows.iter().map(|row| text(&row["origin_amount"])));
            let (own, alone): (Vec<_>, Vec<_>) = (own.collect(), list(&alone[0]["terminals"]).iter().collect());
            assert_eq!(own.len(), alone.len(), "{policy} {id}");
            assert_eq!(total(own), total(alone), "{policy} {id}");
        }
    }
}
