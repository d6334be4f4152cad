//! A real node, followed: while it mines, turns, stops, and comes back. At every end the book is the same, byte for byte,
//! as one that was filled from the node's own `getblock 3` in one go.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use common::Desk;
use common::follow::{Following, names, reach};
use common::node::Node;
use serde_json::json;

/// Every file of the book's ledgers but the locks.
fn files(book: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![book.join("ledgers")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|extension| extension != "lock") {
                let name = path.strip_prefix(book).expect("it is in the book").to_owned();
                found.insert(name, std::fs::read(&path).expect("it can be read"));
            }
        }
    }
    found
}

/// A chain as the node prints it, one block a line.
fn printed(node: &Node) -> String {
    let mut lines = String::new();
    for height in 0..=node.tip().0 {
        let block = node.rpc("getblock", &json!([node.hash_at(height), 3]));
        writeln!(lines, "{block}").expect("a string takes any text");
    }
    lines
}

#[track_caller]
fn assert_is_fresh(desk: &Desk, node: &Node) {
    let fresh = Desk::new();
    fresh.write("chain.jsonl", printed(node));
    fresh.run("ingest utxo-blocks chain.jsonl --ledger bitcoin-regtest").done();
    let (is, want) = (files(&desk.path("book")), files(&fresh.path("book")));
    assert!(is.keys().eq(want.keys()), "{:?} {:?}", is.keys(), want.keys());
    for (name, bytes) in is {
        assert!(bytes == want[&name], "{} differs from a fresh ingest's", name.display());
    }
}

/// A node with payments of every kind of script in some of its first blocks.
fn lively_node(options: &[&str]) -> Node {
    let mut node = Node::start_with(options);
    let coins = node.open_coins(8);
    node.wallet();
    node.every_kind(&coins[0]);
    let mut loom = common::node::coins::Loom::new(coins[1..].to_vec(), 7);
    for _ in 0..12 {
        node.mine_block(&loom.weave(20));
    }
    node
}

#[test]
fn it_follows_while_the_node_mines_and_turns_8_and_100_deep() {
    let node = lively_node(&[]);
    let desk = Desk::new();
    let following = Following::start(&desk, &node, "");
    let told = following.until(|event| event["event"] == "at_tip");
    assert_eq!(names(&told), ["began", "filled", "at_tip"]);
    assert_eq!(told[0]["wake"], node.zmq_addresses()[0].trim_start_matches("tcp://"));
    let first = node.tip().0;
    for _ in 0..20 {
        node.mine(1);
        let told = following.until_tip(&node);
        assert_eq!(names(&told), ["added"]);
    }
    let dropped = node.reorg(8);
    let told = following.until_tip(&node);
    let undone: u64 = told.iter().filter(|event| event["event"] == "undone").filter_map(|e| e["blocks"].as_u64()).sum();
    assert!(undone >= 8, "{told:#?}");
    assert!(!desk.run("book status --json").done().stdout.contains(&dropped));
    node.reorg(100);
    let told = following.until_tip(&node);
    assert!(names(&told).contains(&"undone"));
    assert_eq!(node.tip().0, first + 20 + 2);
    assert_eq!(following.interrupt(), Some(6));
    assert_is_fresh(&desk, &node);
}

#[test]
fn it_outlasts_a_node_that_stops_and_goes_on_where_it_was() {
    let mut node = lively_node(&[]);
    let desk = Desk::new();
    let following = Following::start(&desk, &node, "");
    following.until(|event| event["event"] == "at_tip");
    node.stop();
    following.until(|event| event["event"] == "lost");
    // It comes back with another cookie.
    node.restart();
    following.until(|event| event["event"] == "back");
    node.mine(2);
    let told = following.until_tip(&node);
    assert!(!names(&told).contains(&"lost"), "{told:#?}");
    following.kill();
    node.mine(30);
    desk.run(&format!("ingest bitcoin {} --once", reach(&node))).done();
    assert_is_fresh(&desk, &node);
    // A kill of the node takes blocks from it that the book has.
    node.flush();
    node.mine(5);
    desk.run(&format!("ingest bitcoin {} --once", reach(&node))).done();
    node.kill();
    node.restart();
    desk.run(&format!("ingest bitcoin {} --once", reach(&node))).done();
    assert_is_fresh(&desk, &node);
}

#[test]
fn every_way_to_get_blocks_makes_the_same_book() {
    let node = lively_node(&["-rest=0", "-rpcuser=reader", "-rpcpassword=p@ss/+="]);
    let desk = Desk::new();
    let url = node.rpc_url().replace("http://", "http://reader:p%40ss%2f+=@");
    let ran = desk.run(&format!("ingest bitcoin --rpc {url} --once")).done();
    assert!(!ran.stderr.contains("p@ss") && !ran.stderr.contains("p%40ss"), "{}", ran.stderr);
    assert_is_fresh(&desk, &node);
    assert_told_from_a_height(&node, &url, "");
    // With REST the same node serves `spenttxouts`.
    let node = lively_node(&[]);
    let (status, spent) = node.rest(&format!("/rest/spenttxouts/{}.bin", node.tip().1));
    assert!(status == 200 && !spent.is_empty(), "this node has no spenttxouts: {status}");
    let cookie = format!("--rpc-cookie '{}'", node.cookie_path().display());
    assert_told_from_a_height(&node, &node.rpc_url(), &cookie);
}

/// From a height on, the spent outputs are asked for as well: the book knows as much as one that was told.
fn assert_told_from_a_height(node: &Node, url: &str, login: &str) {
    let part = Desk::new();
    part.run(&format!("ingest bitcoin --rpc {url} {login} --once --from 105")).done();
    let told = Desk::new();
    told.write("part.jsonl", printed(node).split_inclusive('\n').skip(105).collect::<String>());
    told.run("ingest utxo-blocks part.jsonl --ledger bitcoin-regtest").done();
    assert!(files(&part.path("book")) == files(&told.path("book")));
}

#[test]
fn a_login_that_is_not_accepted_is_said_without_the_password() {
    let node = Node::start_with(&["-rpcuser=reader", "-rpcpassword=right"]);
    let desk = Desk::new();
    let url = node.rpc_url().replace("http://", "http://reader:wrong-secret@");
    let ran = desk.run(&format!("ingest bitcoin --rpc {url} --once"));
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("does not accept user \"reader\" with this password"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("wrong-secret"));
    let ran = desk.run(&format!("ingest bitcoin --rpc {} --rpc-user reader --once", node.rpc_url()));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), "error: --rpc-user: set TRACEHOUND_RPC_PASSWORD as well\n"));
}

#[test]
fn the_mempool_is_looked_at_and_never_mixed_in() {
    let mut node = Node::start();
    node.mine(101);
    node.wallet();
    let desk = Desk::new();
    desk.run(&format!("ingest bitcoin {} --once", reach(&node))).done();
    let before = files(&desk.path("book"));
    let address = node.rpc("getnewaddress", &json!([])).as_str().expect("an address").to_owned();
    let first = node.send(&address, "1.5");
    let ran = desk.run(&format!("mempool {}", reach(&node))).done();
    assert!(
        ran.stdout.starts_with("unconfirmed, not part of the book: 1 transaction in the mempool of "),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains(&first), "{}", ran.stdout);

    let ran = desk.run(&format!("mempool {} {first}", reach(&node))).done();
    assert!(ran.stdout.starts_with(&format!("unconfirmed, not part of the book: transaction {first}, ")));
    assert!(ran.stdout.contains("in   50 BTC of bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080, "), "{}", ran.stdout);
    assert!(ran.stdout.contains(&format!("out  1.5 BTC to {address}")), "{}", ran.stdout);

    // What spends it in turn has an input that no book can have; money is the node's own digits.
    let hungry = node.rpc("getnewaddress", &json!([])).as_str().expect("an address").to_owned();
    let second = node.send(&hungry, "45");
    let listed = desk.run(&format!("mempool {} --json", reach(&node))).done().json_lines().remove(0);
    assert_eq!(
        (listed["confirmed"].as_bool(), listed["transactions"].as_array().map(Vec::len)),
        (Some(false), Some(2))
    );
    let entry = node.rpc("getmempoolentry", &json!([second]));
    let fee = listed["transactions"].as_array().expect("a list").iter().find(|told| told["txid"] == second.as_str());
    let fee = fee.and_then(|told| told["fee"].as_str()).expect("the second is listed");
    assert_eq!(common::node::coins::sats(&entry["fees"]["base"]), {
        let digits = fee.strip_prefix("0.").expect("a fee is small");
        format!("{digits:0<8}").parse::<u64>().expect("digits")
    });
    let shown = desk.run(&format!("mempool {} {second} --json", reach(&node))).done().json_lines().remove(0);
    let inputs = shown["inputs"].as_array().expect("a list");
    assert!(inputs.iter().any(|input| input["txid"] == first.as_str() && input["in_book"] == false), "{shown}");
    assert!(files(&desk.path("book")) == before, "nothing of it is in the book");

    node.mine(1);
    let ran = desk.run(&format!("mempool {} {first}", reach(&node)));
    assert_eq!(ran.code, Some(5), "a block has it now");
    assert!(ran.stderr.contains("is not in the mempool of"), "{}", ran.stderr);
}
