//! An exercise's UTXO ledger as block files: a book filled from them is the book filled from its NDJSON, and so is what a
//! trace says.

mod common;

use std::path::Path;

use common::{Desk, assert_same, files, list};
use expect_test::expect;
use serde_json::Value;

/// A book from each form. The tables are in both, since the incidents claim what is on them as well.
fn desks(flags: &str) -> (Desk, Desk) {
    let (lines, blocks) = (Desk::new(), Desk::new());
    let ledgers = lines.exercise("ex", flags);
    assert_eq!(ledgers, blocks.exercise("ex", &format!("{flags} --blocks --xor")));
    lines.run(&format!("ingest utxo-blocks ex/chain.ndjson --ledger {}", ledgers["chain.ndjson"])).done();
    let ran = blocks.run("ingest bitcoin --blocks ex/blocks --json").done();
    let report: Value = serde_json::from_str(&ran.stdout).expect("the report is JSON");
    let [count, with_undo] = ["blocks", "with_undo"].map(|key| report[key].as_u64().expect("a count"));
    assert_eq!((with_undo + 1, list(&report["problems"]).len()), (count, 0), "all but genesis: {report}");
    for desk in [&lines, &blocks] {
        if ledgers.contains_key("tokens.csv") {
            desk.run("ingest table ex/tokens.csv ex/bank.csv").done();
        }
        desk.run("tags import ex/tags.yaml").done();
    }
    (lines, blocks)
}

#[test]
fn a_book_from_block_files_is_the_book_from_lines() {
    for flags in ["--transactions 3000", "--transactions 500 --seed 7", "--peel 30", "--cone 2000 --seed 3"] {
        let (lines, blocks) = desks(flags);
        assert_same(&lines.path("book"), &blocks.path("book"));
        for line in ["--policy all", "--policy haircut --json", "--envelope"] {
            let line = format!("trace ex/incident-harbour-heist.yaml {line}");
            let (one, other) = (lines.run(&line).done(), blocks.run(&line).done());
            assert!(one.stdout.contains("BTC"), "{flags}: {}", one.stdout);
            assert_eq!(one.stdout, other.stdout, "{flags}");
        }
    }
}

#[test]
fn block_files_stand_beside_the_other_files_and_change_none_of_them() {
    let desk = Desk::new();
    expect![[r#"
        exit 0
        --- out
        ex/chain.ndjson
        ex/incident-harbour-heist.yaml
        ex/tags.yaml
        ex/truth.json
        ex/blocks/blk00000.dat
        ex/blocks/rev00000.dat
        ex/blocks/xor.dat
        --- err
        chain.ndjson: 31 transactions on bip122:7a5d4bb43f58bed8bf22eee2f53567cb
    "#]]
    .assert_eq(&desk.shows("exercise ex --blocks --xor --peel 5"));
    desk.run("exercise without --peel 5").done();
    desk.run("exercise plain --blocks --peel 5").done();
    let (with, mut without) = (files(&desk.path("ex")), files(&desk.path("without")));
    without.remove(Path::new("manifest.json")).expect("it lists the block files too");
    assert!(without.iter().all(|(name, bytes)| with.get(name) == Some(bytes)));
    let key = |name: &str| std::fs::read(desk.path(name).join("blocks/xor.dat")).unwrap();
    assert_ne!(key("ex"), [0; 8]);
    assert_eq!(key("plain"), [0; 8]);
    expect![[r#"
        exit 0
        --- err
        plain/blocks: 4 blocks with 31 transactions into bip122:7a5d4bb43f58bed8bf22eee2f53567cb; it ends with block 24c521ba5fb27293e54915344c5781f8e4530e26a1e195ab255891f242fe01c9 at height 3
    "#]].assert_eq(&desk.shows("ingest bitcoin --blocks plain/blocks"));
}

#[test]
fn a_world_of_wallets_is_the_same_book_from_both_forms() {
    let desk = Desk::new();
    expect![[r#"
        exit 0
        --- out
        w/chain.ndjson
        w/owners.csv
        w/made-as.csv
        w/tags.yaml
        w/blocks/blk00000.dat
        w/blocks/rev00000.dat
        w/blocks/xor.dat
        --- err
        bip122:2e6b8a7174a5cd9388566fb1ed0e32be: 603 transactions, 2,482 addresses, 215 owners
    "#]]
    .assert_eq(&desk.shows("exercise w --wallets 200 --transactions 600 --blocks"));
    let manifest: Value = serde_json::from_str(&desk.read("w/manifest.json")).expect("the manifest is JSON");
    let ledger = manifest["ledger"].as_str().expect("an id");
    desk.run(&format!("--book lines ingest utxo-blocks w/chain.ndjson --ledger {ledger}")).done();
    desk.run("--book blocks ingest bitcoin --blocks w/blocks").done();
    assert_same(&desk.path("lines"), &desk.path("blocks"));
    desk.run("--book lines tags import w/tags.yaml").done();
    expect![[r#"
        exit 2
        --- err
        error: a world of 199 wallets; choose from 200 to 2000000
    "#]]
    .assert_eq(&desk.shows("exercise w --wallets 199"));
}

#[test]
fn a_node_s_own_folder_is_not_written_to() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.path("node/blocks/index")).unwrap();
    desk.write("node/blocks/blk00000.dat", "a node's");
    expect![[r#"
        exit 1
        --- err
        error: node: node/blocks has a block index, so it is a node's; name another folder
    "#]]
    .assert_eq(&desk.shows("exercise node --blocks --peel 5"));
    expect![[r#"
        exit 1
        --- err
        error: node: node/blocks has a block index, so it is a node's; name another folder
    "#]]
    .assert_eq(&desk.shows("exercise node --chain 1000"));
    assert_eq!(desk.read("node/blocks/blk00000.dat"), "a node's");
}
