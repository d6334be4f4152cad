//! Worlds of wallets, held against their own truth by an obvious reader with plain maps.

#[expect(dead_code, reason = "undo data is compared in another test")]
mod folder;

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::hashes::{Hash, hash160};
use bitcoin::{ScriptBuf, WPubkeyHash};
use exercise::Exact;
use exercise::wallets::truth::{each_made, each_owner};
use exercise::wallets::{Kind, WalletPapers, WalletPlan, WalletSinks, stream_wallets, write_wallets};
use folder::Folder;
use ledger::LedgerId;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

struct Made {
    chain: String,
    owners: Vec<u8>,
    truth: Vec<u8>,
    papers: WalletPapers,
}

fn make(plan: &WalletPlan) -> Made {
    let (mut chain, mut owners, mut made_as) = (Vec::new(), Vec::new(), Vec::new());
    let sinks = WalletSinks { chain: &mut chain, owners: &mut owners, made_as: &mut made_as };
    let papers = stream_wallets(plan, sinks).unwrap();
    Made { chain: String::from_utf8(chain).unwrap(), owners, truth: made_as, papers }
}

/// Owner and role of each address; every row once.
fn owners(made: &Made) -> BTreeMap<String, (String, String)> {
    let mut owners = BTreeMap::new();
    each_owner(made.owners.as_slice(), |row| {
        let before = owners.insert(row.address.to_owned(), (row.owner.to_owned(), row.role.to_owned()));
        assert_eq!(before, None, "{} has one owner", row.address);
    })
    .unwrap();
    owners
}

#[derive(Deserialize)]
struct Block {
    hash: String,
    tx: Vec<Tx>,
}

#[derive(Deserialize)]
struct Tx {
    txid: String,
    vin: Vec<Vin>,
    vout: Vec<Vout>,
}

#[derive(Deserialize)]
struct Vin {
    txid: Option<String>,
    vout: Option<u32>,
}

#[derive(Deserialize)]
struct Vout {
    value: Box<RawValue>,
    #[serde(rename = "scriptPubKey")]
    script: Script,
}

#[derive(Deserialize)]
struct Script {
    hex: String,
    address: Option<String>,
}

#[derive(Clone, Debug)]
struct Output {
    holder: String,
    script: String,
    sats: u64,
}

/// One transaction as the chain shows it, beside what it was made as.
struct Shown {
    kind: Kind,
    inputs: Vec<Output>,
    outputs: Vec<Output>,
}

impl Shown {
    /// How many outputs have the value that most have.
    fn most_alike(&self) -> usize {
        let mut counts = BTreeMap::<u64, usize>::new();
        for output in &self.outputs {
            *counts.entry(output.sats).or_default() += 1;
        }
        counts.into_values().max().unwrap_or(0)
    }
}

fn output(shown: &Vout) -> Output {
    let exact = Exact::parse(shown.value.get()).unwrap();
    assert_eq!(exact.scale, 8);
    let script = shown.script.hex.clone();
    let holder = shown.script.address.clone().unwrap_or_else(|| format!("script:{script}"));
    Output { holder, script, sats: u64::try_from(exact.amount.units()).unwrap() }
}

/// Reads everything back and holds the truth against it.
fn check(made: &Made) -> Vec<Shown> {
    let owners = owners(made);
    let ledger = LedgerId::parse(&made.papers.report.ledger).unwrap();
    let mut truth = Vec::new();
    each_made(made.truth.as_slice(), |row| truth.push((row.txid.to_owned(), row.kind, row.payers, row.change)))
        .unwrap();
    let mut truth = truth.into_iter();
    let mut unspent = BTreeMap::new();
    let mut shown = Vec::new();
    let mut kinds = BTreeMap::<String, u64>::new();
    let mut paid = BTreeSet::new();
    for line in made.chain.lines() {
        let block: Block = serde_json::from_str(line).unwrap();
        // Rows of the truth stand in the order in which a block's transactions were made: the coinbase is the last.
        for tx in block.tx[1..].iter().chain(&block.tx[..1]) {
            let (txid, kind, payers, change) = truth.next().expect("each transaction has a row");
            assert_eq!(tx.txid, txid);
            let spent = tx.vin.iter().filter_map(|input| Some(format!("{}:{}", input.txid.as_ref()?, input.vout?)));
            let inputs: Vec<Output> = spent
                .map(|outpoint| unspent.remove(&outpoint).unwrap_or_else(|| panic!("{outpoint} is there to be spent")))
                .collect();
            let outputs: Vec<Output> = tx.vout.iter().map(output).collect();
            for (n, output) in outputs.iter().enumerate() {
                assert_eq!(output.sats == 0, output.script.starts_with("6a"), "only data holds nothing");
                if output.sats > 0 {
                    assert!(owners.contains_key(&output.holder), "{} has an owner", output.holder);
                    if !output.holder.starts_with("script:") {
                        assert!(ledger::address::canonical(&ledger, &output.holder).is_ok());
                    }
                    paid.insert(output.holder.clone());
                    unspent.insert(format!("{txid}:{n}"), output.clone());
                }
            }
            let owner = |output: &Output| owners.get(&output.holder).map(|(owner, _)| owner.as_str());
            let who: BTreeSet<_> = inputs.iter().map(owner).collect();
            assert_eq!(who.len(), payers as usize, "{txid}");
            let [sent, got] = [&inputs, &outputs].map(|side| side.iter().map(|output| output.sats).sum::<u64>());
            match kind {
                Kind::Coinbase => assert!(inputs.is_empty()),
                kind if kind.is_join() => assert!(payers > 1 && change.is_empty(), "{txid} {kind}"),
                _ => {
                    let own = (0..outputs.len()).filter(|n| who.contains(&owner(&outputs[*n])));
                    assert_eq!(own.map(|n| u32::try_from(n).unwrap()).collect::<Vec<_>>(), change, "{txid}");
                    assert_eq!(payers, 1, "{txid} {kind}");
                }
            }
            assert!(kind == Kind::Coinbase || sent >= got, "{txid} pays no more than it has");
            *kinds.entry(kind.to_string()).or_default() += 1;
            shown.push(Shown { kind, inputs, outputs });
        }
    }
    assert!(truth.next().is_none(), "no row without a transaction");
    let report = &made.papers.report;
    assert_eq!(kinds, report.kinds.clone().into_iter().filter(|(_, count)| *count > 0).collect());
    assert_eq!(owners.len() as u64, report.addresses);
    let never_paid = owners.len() - paid.len();
    assert!(never_paid * 100 < owners.len(), "{never_paid} of {} addresses were never paid", owners.len());
    shown
}

fn small() -> WalletPlan {
    WalletPlan { seed: 4, wallets: 1_200, transactions: 15_000 }
}

#[test]
fn truth_and_chain_agree_and_every_kind_is_there() {
    let made = make(&small());
    let shown = check(&made);
    for kind in Kind::ALL {
        assert!(shown.iter().any(|tx| tx.kind == kind), "{kind}");
    }
    for tx in &shown {
        let (inputs, outputs, alike) = (tx.inputs.len(), tx.outputs.len(), tx.most_alike());
        let repeated = |least: u64| {
            let mut counts = BTreeMap::<u64, usize>::new();
            tx.outputs.iter().for_each(|output| *counts.entry(output.sats).or_default() += 1);
            counts.iter().filter(|(sats, count)| **sats >= least && **count > 1).map(|(_, count)| count).sum::<usize>()
        };
        match tx.kind {
            Kind::WasabiOne => {
                assert!(inputs >= 10 && alike >= 5);
                let base =
                    tx.outputs.iter().map(|output| output.sats).filter(|sats| (9_900_000..=10_000_000).contains(sats));
                assert!(base.count() >= 5);
                assert!(tx.inputs.iter().chain(&tx.outputs).all(|output| output.script.starts_with("0014")));
            }
            Kind::WasabiTwo => {
                assert!(inputs >= 20 && tx.outputs.iter().all(|output| output.sats >= 5_000 || outputs > 20));
                assert!(repeated(5_000) * 2 > outputs, "{} of {outputs}", repeated(5_000));
            }
            Kind::Whirlpool => {
                assert!(inputs == outputs && alike == outputs && (5..=8).contains(&inputs));
                let who: BTreeSet<_> = tx.inputs.iter().map(|input| &input.holder).collect();
                assert_eq!(who.len(), inputs);
                let most = tx.outputs[0].sats + 20_000;
                assert!(tx.inputs.iter().all(|input| (tx.outputs[0].sats..=most).contains(&input.sats)));
            }
            Kind::JoinMarket => assert!(alike >= 2 && (alike * 2 == outputs || alike * 2 == outputs + 1)),
            Kind::EqualOutputs => assert!(alike * 2 == outputs),
            Kind::JoinData => assert!(tx.outputs.iter().filter(|output| output.sats == 0).count() == 1),
            Kind::TxZero => assert!(tx.outputs[0].sats == 0 && alike + 3 >= outputs),
            Kind::SelfMix => assert!(inputs == 5 && alike == 5 && outputs == 5),
            Kind::Stonewall => assert!(alike == 2 && outputs == 4 && inputs >= 2),
            Kind::PayJoin => assert!(inputs >= 2 && outputs <= 2),
            _ => {}
        }
    }
}

#[test]
fn locks_of_one_key_are_one_owner_s_and_there_are_some() {
    let made = make(&small());
    let owners = owners(&made);
    let holders: BTreeMap<String, String> =
        check(&made).into_iter().flat_map(|tx| tx.outputs).map(|output| (output.script, output.holder)).collect();
    let mut pairs = [0; 3];
    for (script, holder) in &holders {
        let bytes = ScriptBuf::from_hex(script).unwrap();
        let hash = if bytes.is_p2pkh() {
            WPubkeyHash::from_slice(&bytes.as_bytes()[3..23]).unwrap()
        } else if bytes.is_p2pk() {
            WPubkeyHash::from_raw_hash(hash160::Hash::hash(&bytes.as_bytes()[1..34]))
        } else {
            continue;
        };
        let witness = ScriptBuf::new_p2wpkh(&hash);
        let nested = ScriptBuf::new_p2sh(&witness.script_hash());
        for (pair, other) in [witness, nested].into_iter().enumerate() {
            if let Some(other) = holders.get(&other.to_hex_string()) {
                assert_eq!(owners[other].0, owners[holder].0);
                pairs[pair] += 1;
                pairs[2] += i32::from(bytes.is_p2pk());
            }
        }
    }
    assert!(pairs[0] > 20 && pairs[1] > 20 && pairs[2] > 0, "{pairs:?}");
}

#[test]
fn tags_name_some_services_and_say_who_they_are() {
    let made = make(&small());
    let owners = owners(&made);
    let mut tagged = BTreeSet::new();
    let mut address = "";
    for line in made.papers.tags.lines() {
        if let Some(text) = line.strip_prefix("- address: ") {
            address = text.trim_matches('"');
        }
        if let Some(actor) = line.strip_prefix("  actor: ") {
            let (owner, role) = &owners[address];
            assert!(owner == actor && (role == "hot" || role == "pool"), "{address}");
            tagged.insert(actor.to_owned());
        }
    }
    let services: BTreeSet<_> =
        owners.values().map(|(owner, _)| owner).filter(|owner| !owner.starts_with("wallet-")).collect();
    assert!(tagged.len() >= 5 && tagged.len() < services.len(), "{} of {}", tagged.len(), services.len());
    for role in ["hot", "deposit", "cold", "pool", "fee", "receive", "change", "mix"] {
        assert!(owners.values().any(|(_, has)| has == role), "{role}");
    }
}

#[test]
fn block_files_hold_the_same_transactions() {
    let plan = WalletPlan { seed: 8, wallets: 300, transactions: 2_000 };
    let dir = tempfile::tempdir().unwrap();
    let mut told = 0;
    let report = write_wallets(&plan, dir.path(), Some(true), &mut |done| told = done).unwrap();
    assert!(told >= plan.transactions);
    let made = make(&plan);
    assert_eq!(std::fs::read_to_string(dir.path().join("chain.ndjson")).unwrap(), made.chain);
    assert_eq!(report.files[..3], made.papers.report.files);
    let blocks = Folder::read(&dir.path().join("blocks")).decoded();
    assert_eq!(blocks.len() as u64, report.blocks);
    for (line, block) in made.chain.lines().zip(&blocks) {
        let shown: Block = serde_json::from_str(line).unwrap();
        assert_eq!(shown.hash, block.block_hash().to_string());
        let ids: Vec<_> = block.txdata.iter().map(|tx| tx.compute_txid().to_string()).collect();
        assert_eq!(shown.tx.into_iter().map(|tx| tx.txid).collect::<Vec<_>>(), ids);
    }
}

#[test]
fn the_same_plan_is_the_same_bytes() {
    let plan = WalletPlan::new(1, 300);
    let [first, second] = [make(&plan), make(&plan)];
    assert_eq!(first.papers.report, second.papers.report);
    assert_ne!(make(&WalletPlan { seed: 2, ..plan.clone() }).papers.report.ledger, first.papers.report.ledger);
    let hashes: Vec<&str> = first.papers.report.files.iter().map(|file| &file.sha256[..16]).collect();
    assert_eq!(
        hashes,
        ["090335adfa0c7bf3", "2e54186bb0c9ba36", "6700c43d4bb6ff79"],
        "on every platform; a change of the simulator changes them"
    );
}

#[test]
fn plans_out_of_range_are_refused() {
    for (wallets, transactions, says) in [
        (199, 1_000, "a world of 199 wallets; choose from 200 to 2000000"),
        (2_000_001, 1_000, "a world of 2000001 wallets; choose from 200 to 2000000"),
        (200, 99, "a world of 99 transactions; choose from 100 to 500000000"),
    ] {
        let plan = WalletPlan { seed: 1, wallets, transactions };
        assert_eq!(plan.check().unwrap_err().to_string(), says);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn any_world_agrees_with_its_truth(seed in any::<u64>(), wallets in 200u32..900, transactions in 100u64..6_000) {
        check(&make(&WalletPlan { seed, wallets, transactions }));
    }
}
