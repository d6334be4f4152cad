//! `ingest bitcoin --blocks` on real block files: whatever lies how in which file, the book is that of the chain.
//!
//! Right answers: the node's own `getblock 3`, through `ingest utxo-blocks`. Damaged folders are in `bitcoin_damage.rs`.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::blocks::{LEDGER, MAINNET, Plain, record, truth, undo_data, undo_record, unpacked};
use common::{Desk, assert_same, data, mainnet};
use serde_json::Value;

/// The out-of-order folder's own last block, from its node.
const OTHER_TIP: u64 = 316;

fn ingested(desk: &Desk, folder: &Path, book: &str, flags: &str) -> Value {
    let line = format!("--book {book} ingest bitcoin --blocks {} --json {flags}", folder.display());
    let ran = desk.run(&line).done();
    assert_eq!(ran.stderr, "", "nothing is wrong with these files");
    ran.json_lines().remove(0)
}

#[test]
fn the_book_is_the_one_of_the_nodes_own_answers() {
    let desk = Desk::new();
    let (Some(folder), Some(truth)) = (unpacked(&desk, "blocks.tar.xz", "node"), truth(&desk, 315)) else { return };
    desk.run(&format!("--book truth ingest utxo-blocks --ledger {LEDGER} {truth}")).done();
    let report = ingested(&desk, &folder, "with", "");
    assert_eq!(
        (&report["blocks"], &report["transactions"], &report["tip"]["height"]),
        (&315.into(), &6_391.into(), &314.into())
    );
    // Every block but the first has undo data.
    assert_eq!((&report["with_undo"], &report["stale"], &report["whole"]), (&314.into(), &0.into(), &true.into()));
    assert_same(&desk.path("with"), &desk.path("truth"));
    for (book, flags) in [("one", "--threads 1"), ("seven", "--threads 7"), ("no-undo", "--no-undo")] {
        ingested(&desk, &folder, book, flags);
        assert_same(&desk.path(book), &desk.path("truth"));
    }
    fs::remove_file(folder.join("rev00000.dat")).unwrap();
    assert_eq!(ingested(&desk, &folder, "without", "")["with_undo"], 0);
    assert_same(&desk.path("without"), &desk.path("truth"));
    let again = ingested(&desk, &folder, "with", "");
    assert_eq!((&again["blocks"], &again["already_there"]), (&0.into(), &315.into()));
    assert_same(&desk.path("with"), &desk.path("truth"));
}

#[test]
fn blocks_out_of_order_and_stale_ones_make_the_chain_with_the_most_work() {
    let desk = Desk::new();
    let Some(folder) = unpacked(&desk, "blocks-fastprune-out-of-order.tar.xz", "node") else { return };
    let report = ingested(&desk, &folder, "book", "");
    assert_eq!(
        (&report["blocks"], &report["stale"], &report["tip"]["height"]),
        (&317.into(), &6.into(), &OTHER_TIP.into())
    );
    assert_eq!((&report["files"], &report["with_undo"]), (&62.into(), &316.into()));
    fs::rename(desk.path("book"), desk.path("fresh")).unwrap();
    // Up to height 308 it is the other folder's chain.
    ingested(&desk, &folder, "book", "");
    desk.run(&format!("book undo --ledger {LEDGER} 8")).done();
    let truth = truth(&desk, 309).expect("the folder is there, and so is this");
    desk.run(&format!("--book truth ingest utxo-blocks --ledger {LEDGER} {truth}")).done();
    assert_same(&desk.path("book"), &desk.path("truth"));
    let rest = ingested(&desk, &folder, "book", "");
    assert_eq!((&rest["blocks"], &rest["already_there"]), (&8.into(), &309.into()));
    assert_same(&desk.path("book"), &desk.path("fresh"));
}

#[test]
fn a_branch_that_lost_is_taken_back() {
    let desk = Desk::new();
    let Some(first) = unpacked(&desk, "blocks.tar.xz", "one") else { return };
    let second = unpacked(&desk, "blocks-fastprune-out-of-order.tar.xz", "two").expect("it is beside the other");
    ingested(&desk, &first, "book", "");
    let report = ingested(&desk, &second, "book", "");
    assert_eq!(
        (&report["taken_back"], &report["blocks"], &report["already_there"]),
        (&6.into(), &8.into(), &309.into())
    );
    ingested(&desk, &second, "fresh", "");
    assert_same(&desk.path("book"), &desk.path("fresh"));
    // The first folder knows nothing of the better chain, and is shorter.
    let said = desk.refused(&format!("ingest bitcoin --blocks {}", first.display()), 2);
    assert!(said.contains("leaves the ledger's at height 308 and ends at height 314"), "{said}");
    assert!(said.contains("take back 8 blocks with book undo first"), "{said}");
}

#[test]
fn files_may_be_in_any_order_and_undo_files_under_other_numbers() {
    let desk = Desk::new();
    let Some(folder) = unpacked(&desk, "blocks-fastprune-out-of-order.tar.xz", "node") else { return };
    ingested(&desk, &folder, "right", "");
    for (turn, with_undo) in [(7, true), (41, false)] {
        let shuffled = desk.path(&format!("shuffled-{turn}"));
        fs::create_dir(&shuffled).unwrap();
        fs::copy(folder.join("xor.dat"), shuffled.join("xor.dat")).unwrap();
        for number in 0..62 {
            // 62 and the turn have no common divisor, so every number is met once.
            let other = (number * turn + 3) % 62;
            fs::copy(folder.join(format!("blk{number:05}.dat")), shuffled.join(format!("blk{other:05}.dat"))).unwrap();
            let undo = if with_undo { other } else { number };
            fs::copy(folder.join(format!("rev{number:05}.dat")), shuffled.join(format!("rev{undo:05}.dat"))).unwrap();
        }
        let book = format!("book-{turn}");
        let report = ingested(&desk, &shuffled, &book, "");
        assert_eq!(report["with_undo"], 316, "undo data is found by its checksum");
        assert_same(&desk.path(&book), &desk.path("right"));
    }
}

#[test]
fn a_growing_file_gives_the_same_book_in_the_end() {
    let desk = Desk::new();
    let Some(folder) = unpacked(&desk, "blocks.tar.xz", "node") else { return };
    ingested(&desk, &folder, "right", "");
    let (name, whole) = ("blk00000.dat", fs::read(folder.join("blk00000.dat")).unwrap());
    let end = Plain::open(&folder, name).records(0).iter().map(|(at, size)| at + size).max().unwrap();
    let mut last = 0;
    // Cut off in heads, headers and bodies, and with the space that a node sets aside behind it.
    for (step, reserve) in [(1, 0), (2, 0), (3, 1 << 20), (5, 0), (8, 100), (13, 0), (21, 0), (34, 1 << 16), (50, 0)] {
        let length = end * step / 50 - (50 - step) % 7;
        let mut part = whole[..length].to_vec();
        part.resize(length + reserve, 0);
        fs::write(folder.join(name), part).unwrap();
        let ran = desk.run(&format!("ingest bitcoin --blocks {} --json", folder.display())).done();
        let report = ran.json_lines().remove(0);
        assert!(!ran.stderr.contains("problem"), "{}", ran.stderr);
        let height = report["tip"]["height"].as_u64().unwrap();
        assert!(height >= last, "{report}");
        last = height;
    }
    assert_eq!(last, 314);
    fs::write(folder.join(name), whole).unwrap();
    ingested(&desk, &folder, "book", "");
    assert_same(&desk.path("book"), &desk.path("right"));
}

#[test]
fn the_first_blocks_of_the_main_chain() {
    let desk = Desk::new();
    let Some(folder) = data("bitcoin/mainnet-blk-first-600") else { return };
    let report = ingested(&desk, &folder, "book", "");
    assert_eq!(report["ledger"], "bip122:000000000019d6689c085ae165831e93");
    assert_eq!((&report["blocks"], &report["tip"]["height"]), (&600.into(), &599.into()));
    let tip = "0000000042844571bc6bce8e1c0fbec99466971eaff89fef8c0d123582181d4d";
    assert_eq!(report["tip"]["hash"], tip);
    // 600 coinbases of 50 BTC; what is paid on stays as much, since nobody paid fees yet.
    assert_eq!(report["transactions"], 616);
}

/// A file without block 0: the height is the coinbase's, and what was made before comes from the undo data.
#[test]
fn one_block_of_the_main_chain_with_what_it_spends() {
    let desk = Desk::new();
    let Some(from) = data("bitcoin/mainnet-block-367891") else { return };
    let raw = fs::read(from.join("block_367891_raw")).unwrap();
    let block = mainnet::block(&from, 367_891);
    desk.write("truth.ndjson", &block.line);
    desk.run("--book truth ingest utxo-blocks truth.ndjson").done();
    let line: Value = serde_json::from_str(&block.line).unwrap();
    let transactions = line["tx"].as_array().unwrap();
    let counts: Vec<usize> = transactions[1..].iter().map(|tx| tx["vin"].as_array().unwrap().len()).collect();
    let folder = desk.path("blocks");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("blk00000.dat"), record(MAINNET, &raw)).unwrap();
    let undo = undo_data(&mainnet::spent(&from, 367_891), &counts);
    fs::write(folder.join("rev00000.dat"), undo_record(MAINNET, &raw[4..36], &undo)).unwrap();
    let report = ingested(&desk, &folder, "book", "");
    assert_eq!((&report["tip"]["height"], &report["transactions"]), (&367_891.into(), &420.into()));
    assert_eq!((block.inputs, block.fees_sats), (20_817, 14_001_930));
    assert_same(&desk.path("book"), &desk.path("truth"));
    // Without undo data nobody knows what was spent, and the book says so.
    ingested(&desk, &folder, "unknown", "--no-undo");
    assert_ne!(common::files(&desk.path("unknown")), common::files(&desk.path("truth")));
}

/// Interrupted at any time, what is whole is kept, and the same command goes on from there.
#[test]
fn an_interrupt_keeps_what_is_whole() {
    let desk = Desk::new();
    desk.run("exercise made --chain 40000").done();
    let line = "ingest bitcoin --blocks made/blocks --threads 2";
    desk.run(&format!("--book right {line}")).done();
    let mut codes = Vec::new();
    for turn in 0..30 {
        let mut command = desk.command(line);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(2 + 3 * turn));
        let status = Command::new("kill").args(["-INT".to_owned(), child.id().to_string()]).status();
        assert!(status.expect("there is a kill command").success());
        codes.push(child.wait().unwrap().code());
    }
    // Before the program has said how it wants to be interrupted, the signal ends it.
    assert!(codes.iter().all(|code| matches!(code, None | Some(0 | 6))), "{codes:?}");
    desk.run(line).done();
    assert_same(&desk.path("book"), &desk.path("right"));
}
