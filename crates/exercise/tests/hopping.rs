//! The chain-hopping heist, read back with plain maps: the truth closes, and the answers are those of a chain that works.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use exercise::hopping::{ANSWERS_FILE, HoppingPlan, write_hopping};
use exercise::{PlaceKind, Truth};
use serde_json::Value;

fn made(plan: &HoppingPlan) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_hopping(plan, folder.path(), &mut |_| ()).unwrap();
    folder
}

fn number(value: &Value) -> u128 {
    let text = value.as_str().expect("a quantity is a string");
    u128::from_str_radix(&text[2..], 16).expect("a quantity is hex")
}

fn address(word: &Value) -> String {
    format!("0x{}", &word.as_str().expect("a topic is a string")[26..])
}

/// Balances of native coin and tokens at a chain's end, by an obvious reading of its answers.
fn balances(folder: &Path) -> HashMap<(String, String), i128> {
    let mut balances: HashMap<(String, String), i128> = HashMap::new();
    let mut add = |who: &str, asset: &str, amount: u128, sign: i128| {
        *balances.entry((who.to_owned(), asset.to_owned())).or_default() += sign * i128::try_from(amount).unwrap();
    };
    let mut base_fee = 0;
    let mut miner = String::new();
    for line in fs::read_to_string(folder.join(ANSWERS_FILE)).unwrap().lines() {
        let answer: Value = serde_json::from_str(line).unwrap();
        let result = &answer["answer"]["result"];
        match answer["method"].as_str().unwrap() {
            "eth_getBlockByNumber" => {
                base_fee = number(&result["baseFeePerGas"]);
                result["miner"].as_str().unwrap().clone_into(&mut miner);
                for grant in result["withdrawals"].as_array().unwrap() {
                    add(grant["address"].as_str().unwrap(), "", number(&grant["amount"]) * 1_000_000_000, 1);
                }
            }
            "eth_getBlockReceipts" => {
                for receipt in result.as_array().unwrap() {
                    let (gas, price) = (number(&receipt["gasUsed"]), number(&receipt["effectiveGasPrice"]));
                    add(receipt["from"].as_str().unwrap(), "", gas * price, -1);
                    add(&miner, "", gas * (price - base_fee), 1);
                    for log in receipt["logs"].as_array().unwrap() {
                        let (token, topics) = (log["address"].as_str().unwrap(), log["topics"].as_array().unwrap());
                        // Transfer, and what a wrapped coin logs; told apart by their topics and data.
                        let data = log["data"].as_str().unwrap();
                        let first = topics[0].as_str().unwrap();
                        if first.starts_with("0xddf252ad") {
                            let amount = u128::from_str_radix(&data[2..], 16).unwrap();
                            let zero = format!("0x{}", "0".repeat(40));
                            for (who, sign) in [(address(&topics[1]), -1), (address(&topics[2]), 1)] {
                                if who != zero {
                                    add(&who, token, amount, sign);
                                }
                            }
                        } else if first.starts_with("0xe1fffcc4") || first.starts_with("0x7fcf532c") {
                            let sign = if first.starts_with("0xe1") { 1 } else { -1 };
                            add(&address(&topics[1]), token, u128::from_str_radix(&data[2..], 16).unwrap(), sign);
                        }
                    }
                }
            }
            "trace_block" => {
                let mut failed: Vec<(String, Vec<u64>)> = Vec::new();
                for trace in result.as_array().unwrap() {
                    let tx = trace["transactionHash"].as_str().unwrap().to_owned();
                    let place: Vec<u64> =
                        trace["traceAddress"].as_array().unwrap().iter().map(|at| at.as_u64().unwrap()).collect();
                    let void = failed.iter().any(|(of, root)| *of == tx && place.starts_with(root));
                    if !trace["error"].is_null() {
                        failed.push((tx, place));
                    } else if !void {
                        let (action, value) = (&trace["action"], number(&trace["action"]["value"]));
                        add(action["from"].as_str().unwrap(), "", value, -1);
                        add(action["to"].as_str().unwrap(), "", value, 1);
                    }
                }
            }
            _ => {}
        }
    }
    balances
}

#[test]
fn same_plan_same_bytes_and_another_seed_another_world() {
    let plan = HoppingPlan::new(3, 800);
    let (first, second) = (made(&plan), made(&plan));
    let other = made(&HoppingPlan::new(4, 800));
    for file in ["alder/answers.ndjson", "birch/answers.ndjson", "truth.json", "manifest.json"] {
        let read = |folder: &tempfile::TempDir| fs::read(folder.path().join(file)).unwrap();
        assert_eq!(read(&first), read(&second), "{file}");
        assert_ne!(read(&first), read(&other), "{file}");
    }
}

#[test]
fn the_truth_closes_and_its_places_hold_what_it_says() {
    for seed in 1..=6 {
        let folder = made(&HoppingPlan::new(seed, 1_500));
        let truth = Truth::from_json(&fs::read_to_string(folder.path().join("truth.json")).unwrap()).unwrap();
        let chains: BTreeMap<&str, _> = [("eip155:7330001", "alder"), ("eip155:7330002", "birch")]
            .map(|(id, name)| (id, balances(&folder.path().join(name))))
            .into();
        for balances in chains.values() {
            assert!(balances.values().all(|balance| *balance >= 0), "nobody overdraws");
        }
        let mut kinds = BTreeMap::new();
        for loss in &truth.incidents[0].losses {
            let places: u128 = loss.places.iter().map(|place| place.origin_amount.amount.units()).sum();
            assert_eq!(places, loss.amount.amount.units(), "seed {seed}, {}", loss.asset);
            for place in &loss.places {
                *kinds.entry(place.kind).or_insert(0) += 1;
                if place.kind == PlaceKind::Balance && place.reason == "held" {
                    let token = place.asset.split_once("erc20:").map_or("", |(_, token)| token).to_owned();
                    let holder = place.holder.clone().unwrap();
                    let held = chains[place.ledger.as_str()].get(&(holder, token)).copied().unwrap_or(0);
                    assert!(held >= i128::try_from(place.amount.amount.units()).unwrap(), "{place:?} has {held}");
                }
            }
        }
        assert!(kinds.contains_key(&PlaceKind::Service) && kinds.contains_key(&PlaceKind::Balance), "{kinds:?}");
        let steps: Vec<&str> = truth.incidents[0].steps.iter().map(|step| step.kind.as_str()).collect();
        for kind in ["theft", "swap", "fan-out", "bridge", "mix", "unmix", "cash-out"] {
            assert!(steps.contains(&kind), "seed {seed} has no {kind}");
        }
        let crossed = truth.incidents[0].steps.iter().filter(|step| step.kind == "bridge");
        let from: std::collections::BTreeSet<_> = crossed.map(|step| step.ledger.as_str()).collect();
        assert_eq!(from.len(), 2, "loot crosses both ways");
    }
}
