//! An ingest of a node's block files that is killed at random instants while the files grow: the book opens each time, and
//! the same command again ends in the bytes of a fresh ingest.
//!
//! The chain is the exercise's, so that no node is needed and blocks are large; what a real node's killed life leaves in
//! its files is `node_kill.rs`.

mod common;

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Desk, assert_same, text};
use serde_json::Value;

/// How often the file grows, and how often its ingest is killed each time.
const PARTS: u64 = 7;
const KILLS_A_PART: u64 = 4;
/// Kills that must have struck a running program.
const STRUCK_MIN: u64 = 8;
/// Numbers that look random and are the same each time begin with it.
const SEED: u64 = 0x5eed_0005;

/// A part of a time, the next of a random row.
fn part_of(time: Duration, dice: &mut u64) -> Duration {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    time * u32::try_from((*dice >> 11) % 1_000).expect("it is small") / 1_000
}

#[test]
fn an_ingest_of_block_files_that_is_killed_while_the_files_grow() {
    let (desk, mut dice) = (Desk::new(), SEED);
    desk.run("exercise whole --chain 40000 --xor --stale 6").done();
    let whole = desk.path("whole/blocks");
    let grown = desk.path("grown");
    std::fs::create_dir(&grown).expect("the desk can be written");
    for name in ["rev00000.dat", "xor.dat"] {
        std::fs::copy(whole.join(name), grown.join(name)).expect("the exercise wrote it");
    }
    let blocks = std::fs::read(whole.join("blk00000.dat")).expect("the exercise wrote it");
    let manifest: Value = serde_json::from_str(&desk.read("whole/manifest.json")).expect("the manifest is JSON");
    // What follows is unused space, which a node sets aside beforehand.
    let used = manifest["bytes"].as_u64().expect("it says how many bytes");
    let (mut struck, mut calm_time) = (0, Duration::from_millis(500));
    for part in 1..=PARTS {
        let end = if part == PARTS { blocks.len() as u64 } else { used * part / PARTS };
        let end = usize::try_from(end).expect("it was read into memory");
        std::fs::write(grown.join("blk00000.dat"), &blocks[..end]).expect("the desk can be written");
        let line = "ingest bitcoin --blocks grown";
        for kill in 0..KILLS_A_PART {
            let after = part_of(calm_time, &mut dice);
            eprintln!("part {part}, kill {kill}: after {after:?}");
            let mut child = desk.command(line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
            sleep(after);
            // What has ended already cannot be killed any more.
            let _ = child.kill();
            struck += u64::from(child.wait().expect("the child is ours").code().is_none());
            check_opens(&desk);
        }
        let begun = Instant::now();
        let ran = desk.run(line);
        calm_time = begun.elapsed();
        // A file that is cut anywhere ends with a block that is being written.
        assert_eq!(ran.code, Some(0), "part {part}: {}", ran.stderr);
        let fresh = Desk::new();
        fresh.run(&format!("ingest bitcoin --blocks {}", grown.display())).done();
        assert_same(&desk.path("book"), &fresh.path("book"));
    }
    assert!(struck >= STRUCK_MIN, "only {struck} kills struck");
    eprintln!("{struck} of {} kills struck", PARTS * KILLS_A_PART);
}

/// The book opens, and its last block can be shown.
#[track_caller]
fn check_opens(desk: &Desk) {
    let ran = desk.run("book status --json");
    if ran.code == Some(5) {
        assert!(ran.stderr.contains("no book in") || ran.stderr.contains("is not a book"), "{}", ran.stderr);
        return;
    }
    let status = ran.done().json_lines().remove(0);
    for ledger in common::list(&status["ledgers"]) {
        let block = desk.run(&format!("show --json {}", ledger["height"])).done().json_lines().remove(0);
        assert_eq!(block["height"], ledger["height"]);
        desk.run(&format!("show {}", text(&block["hash"]))).done();
    }
}
