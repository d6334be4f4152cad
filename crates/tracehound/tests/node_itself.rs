//! The node that other tests lean on, tested by itself: where this fails, the component is at fault and not Tracehound.

mod common;

use std::collections::BTreeSet;

use common::node::coins::{self, By, Loom};
use common::node::{Node, oracle, text};
use serde_json::{Value, json};

#[test]
fn it_mines_reorganises_and_comes_back_after_a_kill() {
    let mut node = Node::start();
    assert_eq!(node.mine(110).len(), 110);
    let (height, tip) = node.tip();
    assert_eq!((height, &node.hash_at(110)), (110, &tip));

    // A payment goes through the mempool into the next block.
    node.wallet();
    let address = text(&node.rpc("getnewaddress", &json!([])));
    let payment = node.send(&address, "1.5");
    assert_eq!(node.rpc("getrawmempool", &json!([])), json!([payment]));
    let block = node.mine(1).remove(0);
    assert_eq!(node.rpc("getblock", &json!([block]))["tx"][1], payment);

    // A longer branch takes the place of the last eight blocks; taking the declaration back changes nothing then.
    let dropped = node.reorg(8);
    assert_eq!(node.tip().0, 112);
    assert_eq!(node.rpc("getblockheader", &json!([dropped]))["confirmations"], -1);
    node.reconsider(&dropped);
    let (height, tip) = node.tip();
    assert_eq!(height, 112);

    // A kill takes what was not written down for good, and the new chain is another.
    node.flush();
    let lost = node.mine(3);
    let killed = node.id();
    node.kill();
    assert!(!node.is_running() && node.try_rpc("getblockcount", &json!([])).is_err());
    node.restart();
    assert_ne!(node.id(), killed);
    assert_eq!(node.tip(), (height, tip));
    assert!(node.try_rpc("getblockheader", &json!([lost[2]])).is_err());
    node.mine_to(3, coins::OPEN_SCRIPT);
    assert_ne!(node.hash_at(height + 1), lost[0]);
    node.stop();
    assert!(!node.cookie_path().exists(), "a node that stops takes its cookie away");
    assert!(node.blocks_dir().join("blk00000.dat").is_file() && node.blocks_dir().join("rev00000.dat").is_file());
    node.restart();
    assert_eq!(node.tip().0, height + 3, "a stop loses nothing");
    assert_eq!(node.rpc("listwallets", &json!([])), json!(["payer"]));
}

#[test]
fn every_kind_of_script_is_paid_and_spent() {
    let mut node = Node::start();
    let coins = node.open_coins(3);
    node.wallet();
    let [pay, spend] = node.every_kind(&coins[0]);
    let kinds = coins::kinds();
    let made = node.rpc("getrawtransaction", &json!([pay, 1]));
    let scripts: Vec<Vec<u8>> =
        (0..kinds.len()).map(|at| coins::bytes(&text(&made["vout"][at]["scriptPubKey"]["hex"]))).collect();
    assert!(scripts.iter().eq(kinds.iter().map(|kind| &kind.script)));
    let types = (0..kinds.len()).map(|at| text(&made["vout"][at]["scriptPubKey"]["type"]));
    let want = "anchor multisig nonstandard nulldata pubkey pubkeyhash scripthash witness_unknown witness_v0_keyhash \
        witness_v0_scripthash witness_v1_taproot";
    assert_eq!(types.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" "), want);
    let spent = node.rpc("getrawtransaction", &json!([spend, 2]));
    let inputs = spent["vin"].as_array().map_or(0, Vec::len);
    assert_eq!(inputs, kinds.iter().filter(|kind| kind.by != By::Nobody).count());

    // Chains within one block, in the order given.
    let woven = Loom::new(coins[1..].to_vec(), 1).weave(300);
    let block = node.rpc("getblock", &json!([node.mine_block(&woven), 1]));
    let ids: Vec<Value> = woven.iter().map(|made| coins::id_text(&made.id).into()).collect();
    assert_eq!(block["tx"].as_array().expect("a list of ids")[1..], ids);

    // The node and the kernel library agree on what was spent.
    let told = oracle::of_node(&node);
    assert!(told.len() > 300, "{} inputs", told.len());
    node.stop();
    assert!(told == oracle::of_folder(&node.chain_folder()));
}

#[test]
fn options_logins_and_announcements_are_as_asked_for() {
    let node = Node::start_with(&["-rpcuser=reader", "-rpcpassword=of blocks/+=", "-blocksxor=0", "-fastprune"]);
    node.mine(1);
    let announced = node.rpc("getzmqnotifications", &json!([]));
    let addresses = announced.as_array().expect("a list").iter().map(|entry| text(&entry["address"]));
    assert_eq!(addresses.collect::<BTreeSet<_>>(), node.zmq_addresses().into_iter().collect());
    assert!(!node.cookie_path().exists(), "a password takes the cookie's place");
    let file = std::fs::read(node.blocks_dir().join("blk00000.dat")).unwrap();
    assert_eq!(file[..4], [0xfa, 0xbf, 0xb5, 0xda], "the magic of regtest, in the clear");
    let (status, header) = node.rest(&format!("/rest/headers/{}.bin?count=1", node.tip().1));
    assert_eq!((status, header.len()), (200, 80));
    assert_eq!(node.rest("/rest/nothing").0, 404);
}
