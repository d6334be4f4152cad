//! A live EVM chain, followed: while it grows, turns, stops, and is another one. At every end the book is the same, byte
//! for byte, as one that was made from nothing on the chain as it is now.

mod common;
mod evm;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::Desk;
use common::follow::{Following, names};
use evm::anvil::{Anvil, call};
use evm::contracts::Arg::{Address, Units};
use evm::play;
use evm::stage::{COIN, DOLLAR, Stage};
use serde_json::Value;

/// The deepest turn; each depth up to it comes once, in an order that looks like none.
const DEPTH_MAX: u64 = 64;
const DEPTH_STEP: u64 = 37;

/// How long a follower may go on that should end.
const GOES_ON_MAX: Duration = Duration::from_secs(30);

/// Every file of the book's ledgers but the locks.
fn files(book: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = common::files(&book.join("ledgers"));
    files.retain(|path, _| path.extension().is_none_or(|extension| extension != "lock"));
    files
}

/// The same without what a node said of a moment, and not of a block: which blocks were settled then.
fn without_heads(desk: &Desk) -> (BTreeMap<PathBuf, Vec<u8>>, Value) {
    let mut files = files(&desk.path("book"));
    let manifest = files.remove(Path::new("eip155+1/manifest")).expect("the ledger is there");
    // Its second line is a check of the first.
    let line = manifest.split(|byte| *byte == b'\n').next().expect("a manifest has a line");
    let mut manifest: Value = serde_json::from_slice(line).expect("a manifest is JSON");
    manifest.as_object_mut().expect("a manifest is an object").remove("heads");
    (files, manifest)
}

#[track_caller]
fn assert_same(is: &Path, want: &Path) {
    let (is, want) = (files(is), files(want));
    assert!(!want.is_empty() && is.keys().eq(want.keys()), "{:?} {:?}", is.keys(), want.keys());
    for (name, bytes) in is {
        assert!(bytes == want[&name], "{} differs", name.display());
    }
}

#[track_caller]
fn assert_is_fresh(desk: &Desk, node: &Anvil) {
    let fresh = Desk::new();
    fresh.run(&format!("ingest ethereum --rpc {} --once", node.url())).done();
    assert_same(&desk.path("book"), &fresh.path("book"));
}

fn until_tip(following: &Following, node: &Anvil) -> Vec<Value> {
    let (_, hash) = node.tip();
    following.until(|event| event["hash"] == hash.as_str() && event["event"] != "undone")
}

/// Some payments, swaps and transfers for the next block, which differ from round to round.
fn busy(stage: &Stage, round: u64) {
    let amount = u128::from(round) * DOLLAR / 7 + 1;
    let path = [Address("pool one"), Address("usd"), Address("pool two"), Address("alice")];
    stage.act("alice", "router", "swapCoin(address,address,address,address)", amount * 1_000, &path);
    stage.act("maker", "usd", "mint(address,uint256)", 0, &[Address("bob"), Units(amount)]);
    stage.pay("alice", &format!("payee {round}"), amount);
    // It fails: there is nothing to leave the pool with.
    stage.act("bob", "pool two", "leave(uint256)", 0, &[Units(1)]);
}

fn stage(chain: u64) -> Stage {
    let mut stage = Stage::new(chain);
    stage.market();
    stage.fund(&["alice", "bob"], 1_000 * COIN);
    stage
}

#[test]
fn it_follows_while_the_chain_grows_and_turns_up_to_64_deep() {
    let (stage, desk) = (stage(1), Desk::new());
    stage.node.mine_more(70);
    let following = Following::run(
        &desk,
        &format!("ingest ethereum --rpc {} --ws {} --json", stage.node.url(), stage.node.ws_url()),
    );
    let told = following.until(|event| event["event"] == "at_tip");
    assert_eq!((names(&told)[0], names(&told)[told.len() - 1]), ("began", "at_tip"), "{told:#?}");
    for round in 1..=DEPTH_MAX {
        let depth = round * DEPTH_STEP % DEPTH_MAX + 1;
        busy(&stage, round);
        stage.node.mine();
        let (height, _) = stage.node.tip();
        let told = until_tip(&following, &stage.node);
        assert!(!names(&told).contains(&"undone"), "{told:#?}");
        let pay = |wei| call(&stage.address("alice"), Some(&stage.address("carol")), wei, "0x");
        stage.node.reorg(depth, &[(pay(u128::from(round)), 0), (pay(7), depth - 1)]);
        // A node tells of a turn by its next block.
        stage.node.mine();
        let told = until_tip(&following, &stage.node);
        let undone: u64 =
            told.iter().filter(|event| event["event"] == "undone").filter_map(|event| event["blocks"].as_u64()).sum();
        assert_eq!(undone, depth, "{told:#?}");
        assert_eq!(stage.node.tip().0, height + 1);
    }
    assert_eq!(following.interrupt(), Some(6));
    assert_is_fresh(&desk, &stage.node);
}

#[test]
fn what_was_recorded_makes_the_same_book_without_a_node() {
    let (mut stage, desk, again) = (play::whole(1), Desk::new(), Desk::new());
    let record = desk.path("answers");
    desk.run(&format!("ingest ethereum --rpc {} --once --record answers", stage.node.url())).done();
    assert_is_fresh(&desk, &stage.node);
    stage.node.kill();
    again.run(&format!("ingest ethereum --replay '{}'", record.display())).done();
    assert!(without_heads(&again) == without_heads(&desk));
}

#[test]
fn another_chain_in_the_same_place_is_not_mixed_in() {
    let mut stage = stage(1);
    let desk = Desk::new();
    let line = format!("ingest ethereum --rpc {} --once", stage.node.url());
    desk.run(&line).done();
    let before = files(&desk.path("book"));
    // The same number, another genesis.
    stage.node.replace(1, evm::anvil::GENESIS_TIME + 1);
    stage.node.mine_more(200);
    let ran = desk.run(&line);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("have no block in common"), "{}", ran.stderr);
    assert!(files(&desk.path("book")) == before);
    // Another number is another ledger, and the first stays as it is.
    stage.node.replace(10, evm::anvil::GENESIS_TIME);
    stage.node.mine_more(3);
    let said = desk.refused(&format!("{line} --ledger eip155:1"), 2);
    assert!(said.contains("eip155:10"), "{said}");
    desk.run(&line).done();
    let after = files(&desk.path("book"));
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
    assert!(after.len() > before.len());
}

#[test]
fn a_follower_whose_node_becomes_another_chain_ends_and_says_so() {
    let mut stage = stage(1);
    let desk = Desk::new();
    let mut command = desk.command(&format!("ingest ethereum --rpc {} --json", stage.node.url()));
    let following = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = following.spawn().expect("the binary starts");
    // It has caught up when a book of its chain can be read.
    let tip = format!("\"height\":{}", stage.node.tip().0);
    let begun = std::time::Instant::now();
    while !desk.run("book status --json").stdout.contains(&tip) {
        assert!(begun.elapsed() < common::follow::WAIT_MAX, "the follower does not catch up");
        std::thread::sleep(Duration::from_millis(20));
    }
    // It still marks what is settled, in a file beside: until nothing moves any more.
    let mut before = without_heads(&desk);
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let now = without_heads(&desk);
        if now == before {
            break;
        }
        before = now;
    }
    stage.node.replace(10, evm::anvil::GENESIS_TIME);
    stage.node.mine_more(100);
    let begun = std::time::Instant::now();
    while child.try_wait().expect("the child is ours").is_none() && begun.elapsed() < GOES_ON_MAX {
        std::thread::sleep(Duration::from_millis(20));
    }
    // One that has ended cannot be killed, and need not be.
    let _ = child.kill();
    let output = child.wait_with_output().expect("the binary ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("on another chain now: number 10"), "{said}");
    assert!(without_heads(&desk) == before, "the book has changed");
}
