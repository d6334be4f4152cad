//! Damaged and wrong folders of block files: what is wrong is named by file and offset, whole blocks are kept, and nothing
//! wrong is stored. The book is always held against one that was made of the node's own answers.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::blocks::{LEDGER, Plain, truth, unpacked};
use common::{Desk, Ran, assert_same, data};
use expect_test::expect;
use serde_json::Value;

const BLOCKS: &str = "blk00000.dat";
const UNDO: &str = "rev00000.dat";

/// The real node's folder on a desk of its own.
fn node() -> Option<(Desk, PathBuf)> {
    let desk = Desk::new();
    let folder = unpacked(&desk, "blocks.tar.xz", "node")?;
    Some((desk, folder))
}

fn ingest(desk: &Desk, folder: &Path) -> (Ran, Value) {
    let ran = desk.run(&format!("ingest bitcoin --blocks {} --json", folder.display()));
    let report = ran.json_lines().into_iter().next().unwrap_or_default();
    (ran, report)
}

/// Whether the book is the one of the first `count` blocks.
#[track_caller]
fn assert_holds(desk: &Desk, count: usize) {
    let truth = truth(desk, count).expect("the folder was there, and so is this");
    let _ = fs::remove_dir_all(desk.path("truth"));
    desk.run(&format!("--book truth ingest utxo-blocks --ledger {LEDGER} {truth}")).done();
    assert_same(&desk.path("book"), &desk.path("truth"));
}

/// The one thing that is wrong, without the lines that say so again.
#[track_caller]
fn only_problem(report: &Value) -> (String, u64) {
    let problems = report["problems"].as_array().unwrap();
    let real: Vec<&Value> = problems.iter().filter(|problem| problem["level"] == "problem").collect();
    assert_eq!(real.len(), 1, "{problems:?}");
    let text = format!("{}: {}; {}", real[0]["file"], real[0]["what"], real[0]["help"]).replace('"', "");
    (text, real[0]["offset"].as_u64().unwrap_or_default())
}

#[test]
fn a_byte_of_a_transaction() {
    let Some((desk, folder)) = node() else { return };
    let whole = fs::read(folder.join(BLOCKS)).unwrap();
    let mut file = Plain::open(&folder, BLOCKS);
    let (at, size) = file.records(0)[200];
    file.flip(at + size - 40);
    file.save();
    let (ran, report) = ingest(&desk, &folder);
    assert_eq!(ran.code, Some(5));
    let (said, offset) = only_problem(&report);
    assert!((at..at + size).contains(&usize::try_from(offset).unwrap()), "{offset}");
    assert!(said.starts_with("blk00000.dat: block ") && said.contains(" (height 200): "), "{said}");
    assert!(
        ran.stderr.contains(&format!("problem: [DIR]/node/blocks/blk00000.dat:{offset}: block ")),
        "{}",
        ran.stderr
    );
    assert_eq!((&report["tip"]["height"], &report["whole"]), (&199.into(), &false.into()));
    assert_holds(&desk, 200);
    // Mended, it goes on from there.
    fs::write(folder.join(BLOCKS), whole).unwrap();
    let (ran, report) = ingest(&desk, &folder);
    assert_eq!((ran.code, &report["already_there"], &report["blocks"]), (Some(0), &200.into(), &115.into()));
    assert_holds(&desk, 315);
}

/// Every byte of a header and of the head before it: the chain ends before the block, however it is read then.
#[test]
fn a_byte_of_a_header() {
    let Some((desk, folder)) = node() else { return };
    let whole = fs::read(folder.join(BLOCKS)).unwrap();
    for (turn, inside) in (-8..80).step_by(5).enumerate() {
        let height = 150 + turn;
        fs::write(folder.join(BLOCKS), &whole).unwrap();
        let mut file = Plain::open(&folder, BLOCKS);
        let (at, _) = file.records(0)[height];
        file.flip(at.checked_add_signed(inside).unwrap());
        file.save();
        let _ = fs::remove_dir_all(desk.path("book"));
        let (ran, report) = ingest(&desk, &folder);
        assert_eq!(ran.code, Some(5), "byte {inside}: {}", ran.stderr);
        assert_eq!(report["tip"]["height"], height - 1, "byte {inside}: {}", ran.stderr);
        assert!(ran.stderr.contains("problem: [DIR]/node/blocks/blk00000.dat:"), "byte {inside}: {}", ran.stderr);
        assert_holds(&desk, height);
    }
}

/// Nothing hangs on the last block that could miss it.
#[test]
fn a_byte_of_the_last_header() {
    let Some((desk, folder)) = node() else { return };
    let mut codes = Vec::new();
    for _ in 0..12 {
        let mut file = Plain::open(&folder, BLOCKS);
        let (at, _) = *file.records(0).last().unwrap();
        file.bytes[at + 76] = file.bytes[at + 76].wrapping_add(1);
        file.save();
        let _ = fs::remove_dir_all(desk.path("book"));
        let (ran, report) = ingest(&desk, &folder);
        // Every second header of this network proves its work: such a one is another block, with nothing wrong.
        let height = if ran.code == Some(5) { 313 } else { 314 };
        assert_eq!(report["tip"]["height"], height, "{}", ran.stderr);
        if ran.code == Some(5) {
            let said =
                "the header of a block is damaged: its hash is above its target; get the file from the node again";
            assert_eq!(only_problem(&report), (format!("blk00000.dat: {said}"), at as u64));
            assert_holds(&desk, 314);
        }
        codes.push(ran.code);
    }
    assert!(codes.contains(&Some(5)), "{codes:?}");
}

#[test]
fn undo_data_alone() {
    let Some((desk, folder)) = node() else { return };
    let mut file = Plain::open(&folder, UNDO);
    // Undo data begins with block 1.
    let (at, size) = file.records(32)[249];
    file.flip(at + size / 2);
    file.save();
    let (ran, report) = ingest(&desk, &folder);
    assert_eq!((ran.code, &report["with_undo"]), (Some(0), &313.into()), "{}", ran.stderr);
    let (said, offset) = only_problem(&report);
    assert_eq!(offset, at as u64);
    assert!(said.starts_with("rev00000.dat: the checksum of this undo data fits no block; block "), "{said}");
    assert!(
        said.ends_with(
            "(height 250) has none; the block was taken without it, and what its inputs spend was looked up"
        )
    );
    assert_holds(&desk, 315);
}

#[test]
fn undo_data_of_another_node() {
    let Some((desk, folder)) = node() else { return };
    desk.run("exercise other --chain 3000").done();
    let mut other = Plain::open(&desk.path("other/blocks"), UNDO);
    let records = other.records(32);
    let mut file = Plain::open(&folder, UNDO);
    file.bytes = other.bytes.drain(..records.last().map(|(at, size)| at + size + 32).unwrap()).collect();
    let first = records[0].0 - 8 + 8 + records[0].1 + 32;
    let without_first = file.bytes[first..].to_vec();
    file.save();
    // The chains have block 0 in common, and block 1 spends nothing on either: its undo data fits.
    let (ran, report) = ingest(&desk, &folder);
    assert_eq!((ran.code, &report["with_undo"]), (Some(0), &1.into()), "{}", ran.stderr);
    let (said, _) = only_problem(&report);
    assert!(said.contains(" records of undo data fit no block; "), "{said}");
    assert!(said.ends_with("they are damaged or of another node: take rev*.dat and blk*.dat from the same folder"));
    assert_holds(&desk, 315);
    // Without it nothing fits.
    let _ = fs::remove_dir_all(desk.path("book"));
    let mut file = Plain::open(&folder, UNDO);
    file.bytes = without_first;
    file.save();
    let (ran, report) = ingest(&desk, &folder);
    assert_eq!((ran.code, &report["with_undo"]), (Some(0), &0.into()), "{}", ran.stderr);
    let (said, _) = only_problem(&report);
    let records = records.len() - 1;
    assert!(
        said.starts_with(&format!("rev00000.dat: none of its {records} records of undo data fits a block")),
        "{said}"
    );
    assert_holds(&desk, 315);
}

#[test]
fn a_file_is_missing_cut_off_or_no_file() {
    let desk = Desk::new();
    let Some(folder) = unpacked(&desk, "blocks-fastprune-out-of-order.tar.xz", "node") else { return };
    let line = format!("--book right ingest bitcoin --blocks {}", folder.display());
    desk.run(&line).done();
    let path = folder.join("blk00020.dat");
    let whole = fs::read(&path).unwrap();
    let mut heights = Vec::new();
    let damage: [&dyn Fn(); 4] = [
        &|| fs::remove_file(&path).unwrap(),
        &|| fs::write(&path, &whole[..whole.len() * 2 / 3]).unwrap(),
        &|| fs::write(&path, "").unwrap(),
        &|| {
            fs::remove_file(&path).unwrap();
            fs::create_dir(&path).unwrap();
        },
    ];
    for damage in damage {
        let _ = fs::remove_dir_all(desk.path("book"));
        damage();
        let (ran, report) = ingest(&desk, &folder);
        assert_eq!((ran.code, &report["whole"]), (Some(5), &false.into()), "{}", ran.stderr);
        assert!(ran.stderr.contains(", which no file holds: "), "{}", ran.stderr);
        let height = report["tip"]["height"].as_u64().unwrap();
        heights.push(height);
        fs::remove_dir(&path).ok();
        fs::write(&path, &whole).unwrap();
        // What was kept is right: mended, it becomes the whole chain, and cut back it is the whole chain cut back.
        desk.run(&format!("--book right book undo --ledger {LEDGER} {}", 316 - height)).done();
        assert_same(&desk.path("book"), &desk.path("right"));
        desk.run(&line).done();
        assert_eq!(ingest(&desk, &folder).0.code, Some(0));
        assert_same(&desk.path("book"), &desk.path("right"));
    }
    assert!(heights[0] == heights[2] && heights[0] == heights[3] && heights[0] > 20, "{heights:?}");
    assert!(heights[1] >= heights[0], "a file cut off holds more than none: {heights:?}");
}

#[test]
fn a_stale_block_does_no_harm() {
    let desk = Desk::new();
    let Some(folder) = unpacked(&desk, "blocks-fastprune-out-of-order.tar.xz", "node") else { return };
    let line = format!("--book right ingest bitcoin --blocks {}", folder.display());
    desk.run(&line).done();
    let other = unpacked(&desk, "blocks.tar.xz", "other").expect("it is beside the other");
    let stale = Plain::open(&other, BLOCKS);
    let (at, size) = stale.records(0)[311];
    let header = &stale.bytes[at..at + 80];
    let mut found = 0;
    for number in 0..62 {
        let mut file = Plain::open(&folder, &format!("blk{number:05}.dat"));
        if let Some(at) = file.bytes.windows(80).position(|bytes| bytes == header) {
            file.flip(at + size - 30);
            file.save();
            found += 1;
        }
    }
    assert_eq!(found, 1, "block 311 of the one chain is stale in the other folder");
    let (ran, report) = ingest(&desk, &folder);
    assert_eq!((ran.code, &report["stale"]), (Some(0), &6.into()), "{}", ran.stderr);
    assert_same(&desk.path("book"), &desk.path("right"));
}

/// A node that is killed forgets its last blocks and writes over them: then pieces of blocks, and whole ones without
/// their parents, lie behind the chain. Nothing is missing.
#[test]
fn what_a_killed_node_wrote_before_is_no_damage() {
    let Some((desk, folder)) = node() else { return };
    let mut file = Plain::open(&folder, BLOCKS);
    let (at, size) = file.records(0)[150];
    let rest = file.bytes.split_off(at + size / 2);
    file.bytes.truncate(at - 8);
    file.bytes.extend(rest);
    file.save();
    let (ran, report) = ingest(&desk, &folder);
    assert_eq!((ran.code, &report["tip"]["height"], &report["left_out"]), (Some(0), &149.into(), &164.into()));
    assert!(!ran.stderr.contains("problem"), "{}", ran.stderr);
    assert_eq!(report["skipped"].as_array().unwrap().len(), 1);
    assert_holds(&desk, 150);
}

#[test]
fn garbage_between_blocks_is_told_and_stepped_over() {
    let Some((desk, folder)) = node() else { return };
    let mut file = Plain::open(&folder, BLOCKS);
    let at = file.records(0)[100].0 - 8;
    let rest = file.bytes.split_off(at);
    file.bytes.extend(b"not a block at all, nor anything else that a node would write");
    file.bytes.extend(rest);
    file.save();
    let (ran, report) = ingest(&desk, &folder);
    assert_eq!((ran.code, &report["whole"]), (Some(0), &true.into()), "{}", ran.stderr);
    let skipped = &report["skipped"][0];
    assert_eq!((&skipped["offset"], &skipped["bytes"], &skipped["what"]), (&at.into(), &61.into(), &"garbage".into()));
    assert_holds(&desk, 315);
}

#[test]
fn keys_that_do_not_fit() {
    let Some((desk, folder)) = node() else { return };
    let key = fs::read(folder.join("xor.dat")).unwrap();
    let line = format!("ingest bitcoin --blocks {}", folder.display());
    fs::write(folder.join("xor.dat"), [9; 8]).unwrap();
    let wrong = desk.refused(&line, 2);
    fs::write(folder.join("xor.dat"), &key[..7]).unwrap();
    let short = desk.refused(&line, 2);
    fs::remove_file(folder.join("xor.dat")).unwrap();
    let missing = desk.refused(&line, 2);
    // Files that were never obfuscated beside the key of others.
    let mut plain = fs::read(folder.join(BLOCKS)).unwrap();
    plain.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    fs::write(folder.join(BLOCKS), plain).unwrap();
    fs::remove_file(folder.join(UNDO)).unwrap();
    fs::write(folder.join("xor.dat"), &key).unwrap();
    let needless = desk.refused(&line, 2);
    expect![[r#"
        [DIR]/node/blocks: no block of any known network begins in blk00000.dat; is xor.dat another folder's, or this another chain? For a chain of its own say --magic
        [DIR]/node/blocks/xor.dat: a key has 8 bytes, this file has not; copy it from the node again
        [DIR]/node/blocks: no block of any known network begins in blk00000.dat; is xor.dat of this folder missing, or this another chain? For a chain of its own say --magic
        [DIR]/node/blocks: no block of any known network begins in blk00000.dat; without xor.dat there would be one: is that file another folder's?
    "#]]
    .assert_eq(&format!("{wrong}{short}{missing}{needless}"));
    fs::remove_file(folder.join("xor.dat")).unwrap();
    assert_eq!(ingest(&desk, &folder).0.code, Some(0));
    assert_holds(&desk, 315);
}

#[test]
fn folders_that_are_no_block_folder_or_another_ledgers() {
    let Some((desk, folder)) = node() else { return };
    fs::create_dir(desk.path("empty")).unwrap();
    fs::create_dir(desk.path("zeros")).unwrap();
    desk.write("zeros/blk00000.dat", [0; 4096]);
    let name = folder.display();
    let said: String = [
        "ingest bitcoin --blocks empty".to_owned(),
        "ingest bitcoin --blocks nowhere".to_owned(),
        "ingest bitcoin --blocks node".to_owned(),
        "ingest bitcoin --blocks zeros".to_owned(),
        format!("ingest bitcoin --blocks {name}/{BLOCKS}"),
        format!("ingest bitcoin --blocks {name} --ledger bitcoin"),
        format!("ingest bitcoin --blocks {name} --ledger table:mine"),
        format!("ingest bitcoin --blocks {name} --magic 0a03cf41"),
        format!("ingest bitcoin --blocks {name} --magic 0a03"),
    ]
    .iter()
    .map(|line| desk.refused(line, 2))
    .collect();
    expect![[r#"
        empty: there is no blk*.dat in it; name the blocks folder of a node's data folder
        nowhere: there is no such folder; check the path
        node: there is no blk*.dat in it; name node/blocks
        zeros: there is no block in its blk*.dat yet; let the node run first
        [DIR]/node/blocks/blk00000.dat: it is a file; name the blocks folder of a node
        [DIR]/node/blocks: its blocks are of bitcoin-regtest (bip122:0f9188f13cb7b2c71f2a335e3a4fc328), and --ledger says bip122:000000000019d6689c085ae165831e93; leave --ledger away, or name another folder
        [DIR]/node/blocks: its blocks are of bitcoin-regtest (bip122:0f9188f13cb7b2c71f2a335e3a4fc328), and --ledger says table:mine; leave --ledger away, or name another folder
        [DIR]/node/blocks: no block with the magic 0a03cf41 begins in blk00000.dat; is xor.dat another folder's, or this another chain? For a chain of its own say --magic
        --magic 0a03: write the four bytes as 8 hex digits, as fabfb5da
    "#]]
    .assert_eq(&said);
}

/// Blocks of another network among those of this one are nobody's.
#[test]
fn a_file_of_another_network() {
    let Some((desk, folder)) = node() else { return };
    let Some(other) = data("bitcoin/mainnet-blk-first-600/blk00000.dat") else { return };
    let mut file = Plain::open(&folder, BLOCKS);
    file.bytes = fs::read(other).unwrap();
    let bytes = file.bytes.len();
    let path = folder.join("blk00001.dat");
    fs::copy(folder.join(BLOCKS), &path).unwrap();
    let mut second = Plain::open(&folder, "blk00001.dat");
    second.bytes = file.bytes;
    second.save();
    let (ran, report) = ingest(&desk, &folder);
    assert_eq!((ran.code, &report["blocks"]), (Some(0), &315.into()), "{}", ran.stderr);
    assert_eq!(
        (&report["skipped"][0]["file"], &report["skipped"][0]["bytes"]),
        (&"blk00001.dat".into(), &bytes.into())
    );
    assert_holds(&desk, 315);
}
