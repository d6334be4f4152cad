//! A real node, followed into a book that keeps clusters and exposure: payments, co-spends, a join, a turn of the chain and
//! its way back. After each, what is kept answers as what is made of the same book from nothing.

mod common;

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::follow::{Following, WAIT_MAX, names, reach};
use common::node::Node;
use common::node::coins::{Loom, Transaction};
use common::{Desk, kept, text};
use serde_json::{Value, json};

/// How long between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// What every address of the cast is given.
const GIVEN_BTC: &str = "2.0";

/// An address with a coin of its own.
#[derive(Clone, Debug)]
struct Player {
    address: String,
    txid: String,
    vout: u64,
}

/// A node whose wallet plays everybody, and the first block of which the cast is asked about.
struct Stage {
    node: Node,
    first: u64,
}

impl Stage {
    fn open() -> Self {
        let mut node = Node::start();
        node.mine(110);
        node.wallet();
        let first = node.tip().0;
        Self { node, first }
    }

    fn address(&self) -> String {
        text(&self.node.rpc("getnewaddress", &json!(["", "bech32"]))).to_owned()
    }

    /// People with a coin each, all paid in one block.
    fn cast<const N: usize>(&self) -> [Player; N] {
        let addresses: Vec<String> = (0..N).map(|_| self.address()).collect();
        let amounts: Value = addresses.iter().map(|address| (address.clone(), json!(GIVEN_BTC))).collect();
        let txid = text(&self.node.rpc("sendmany", &json!(["", amounts]))).to_owned();
        self.node.mine(1);
        let paid = self.node.rpc("getrawtransaction", &json!([txid, true]));
        let vout = |address: &String| {
            let outputs = common::list(&paid["vout"]).iter();
            let mut outputs = outputs.filter(|output| output["scriptPubKey"]["address"] == address.as_str());
            outputs.next().expect("it was paid")["n"].as_u64().expect("a number")
        };
        let player = |address: &String| Player { address: address.clone(), txid: txid.clone(), vout: vout(address) };
        addresses.iter().map(player).collect::<Vec<_>>().try_into().expect("as many as addresses")
    }

    /// A signed payment in hex, and its outputs.
    fn pay(&self, from: &[&Player], to: &[(&str, &str)]) -> (String, Vec<Player>) {
        let inputs: Vec<Value> = from.iter().map(|from| json!({"txid": from.txid, "vout": from.vout})).collect();
        let outputs: Vec<Value> = to.iter().map(|(address, amount)| json!({*address: amount})).collect();
        let raw = self.node.rpc("createrawtransaction", &json!([inputs, outputs]));
        let signed = self.node.rpc("signrawtransactionwithwallet", &json!([raw]));
        assert_eq!(signed["complete"], true, "{signed}");
        let txid = text(&self.node.rpc("decoderawtransaction", &json!([signed["hex"]]))["txid"]).to_owned();
        let made =
            (0..).zip(to).map(|(vout, (address, _))| Player { address: (*address).into(), txid: txid.clone(), vout });
        (text(&signed["hex"]).to_owned(), made.collect())
    }

    /// Every address that was paid since the cast came, in order.
    fn addresses(&self) -> Vec<String> {
        let mut found = BTreeSet::new();
        for height in self.first..=self.node.tip().0 {
            let block = self.node.rpc("getblock", &json!([self.node.hash_at(height), 2]));
            let outputs = common::list(&block["tx"]).iter().flat_map(|transaction| common::list(&transaction["vout"]));
            found.extend(outputs.filter_map(|output| output["scriptPubKey"]["address"].as_str()).map(str::to_owned));
        }
        found.into_iter().collect()
    }

    /// Waits until what is kept is up to the node's last block.
    #[track_caller]
    fn wait_for_kept(&self, desk: &Desk) {
        let (_, hash) = self.node.tip();
        let (begun, address) = (Instant::now(), self.addresses().remove(0));
        loop {
            let ran = desk.run(&format!("clusters show {address} --as-kept --json"));
            if ran.code == Some(0) && ran.json_lines()[0]["as_of"]["hash"] == hash.as_str() {
                return;
            }
            assert!(begun.elapsed() < WAIT_MAX, "what is kept is not brought up: {}{}", ran.stdout, ran.stderr);
            sleep(LOOK);
        }
    }

    /// What is kept is up to the node's last block, and answers as what is made anew. Gives the answers.
    #[track_caller]
    fn check(&self, desk: &Desk) -> String {
        self.wait_for_kept(desk);
        kept::assert_is_as_made_anew(desk, &self.addresses())
    }
}

/// How many there are in an address's co-spend cluster.
#[track_caller]
fn co_spend_size(desk: &Desk, address: &str) -> u64 {
    let shown = desk.run(&format!("clusters show {address} --as-kept --json")).done().json_lines().remove(0);
    assert_eq!(shown["layer"], "co-spend");
    shown["size"].as_u64().expect("a number")
}

#[test]
fn clusters_and_exposure_follow_the_node() {
    let stage = Stage::open();
    let [ann, ann_too, thief, party, second, third] = stage.cast();
    let (market, change) = (stage.address(), stage.address());
    let desk = Desk::new();
    desk.write(
        "tags.csv",
        format!(
            "address,label,category,abuse,source\n{market},Night Market,exchange,,https://example.org/market\n\
             {},The Thief,,theft,https://example.org/heist\n",
            thief.address
        ),
    );
    let following = Following::start(&desk, &stage.node, "");
    following.until(|event| event["event"] == "at_tip");
    let ran = desk.run(&format!("clusters show {} --as-kept", ann.address));
    assert_eq!(ran.code, Some(5), "following begins nothing that nobody asked for: {}", ran.stdout);
    desk.run("tags import tags.csv").done();
    desk.run("clusters update").done();
    stage.check(&desk);

    // Ann spends two coins together.
    let (hex, made) = stage.pay(&[&ann, &ann_too], &[(&market, "3.0"), (&change, "0.999")]);
    let rest = &made[1];
    stage.node.mine_hex(&[hex]);
    following.until_tip(&stage.node);
    stage.check(&desk);
    assert_eq!(co_spend_size(&desk, &ann.address), 2);

    // Three mix: each gets the same out, two with a little more change than they had, for their coins.
    let mixed = [(); 3].map(|()| stage.address());
    let back = [(); 3].map(|()| stage.address());
    let [first_mixed, second_mixed, third_mixed] = &mixed;
    let (hex, _) = stage.pay(
        &[&party, &second, &third],
        &[
            (first_mixed, "1.3"),
            (&back[0], "0.7001"),
            (second_mixed, "1.3"),
            (&back[1], "0.7002"),
            (third_mixed, "1.3"),
            (&back[2], "0.699"),
        ],
    );
    let joined = stage.node.mine_hex(&[hex]);
    following.until_tip(&stage.node);
    let with_join = stage.check(&desk);
    assert_eq!([&party, &second, &third].map(|player| co_spend_size(&desk, &player.address)), [1, 1, 1]);
    assert!(with_join.contains("coinjoin"), "exposure knows it as well: {with_join}");

    // The thief's money moves on, and its next owner turns out to be Ann.
    let hop = stage.address();
    let (hex, made) = stage.pay(&[&thief], &[(&hop, "1.999")]);
    stage.node.mine_hex(&[hex]);
    let (hex, _) = stage.pay(&[&made[0], rest], &[(&market, "2.99")]);
    stage.node.mine_hex(&[hex]);
    following.until_tip(&stage.node);
    let whole = stage.check(&desk);
    assert_eq!(co_spend_size(&desk, &hop), 2);

    // A chain without the join and the thief: instead Ann and a party of the join turn out to be one.
    stage.node.invalidate(&joined);
    let (hex, _) = stage.pay(&[rest, &party], &[(&market, "2.9")]);
    let other = stage.node.mine_hex(&[hex]);
    for _ in 0..3 {
        stage.node.mine_hex(&[]);
    }
    let told = following.until_tip(&stage.node);
    assert!(names(&told).contains(&"undone"), "{told:#?}");
    stage.check(&desk);
    assert_eq!((co_spend_size(&desk, &party.address), co_spend_size(&desk, &change)), (2, 2));
    assert_eq!(desk.run(&format!("clusters show {hop} --as-kept")).code, Some(5), "it never was");

    // And back: every answer is what it was.
    stage.node.invalidate(&other);
    stage.node.reconsider(&joined);
    following.until_tip(&stage.node);
    assert!(stage.check(&desk) == whole, "back on the chain that was, the answers are others");

    // A follower that is killed, blocks without it, and another one.
    following.kill();
    let (hex, _) = stage.pay(&[&coin_of(&stage, &back[1])], &[(&market, "0.7")]);
    stage.node.mine_hex(&[hex]);
    stage.node.mine(2);
    desk.run(&format!("ingest bitcoin {} --once", reach(&stage.node))).done();
    stage.check(&desk);
}

/// Blocks of payments of every kind of script, taken back and mined again in other company.
#[test]
fn clusters_of_a_lively_chain_that_turns_again_and_again() {
    let mut node = Node::start();
    let coins = node.open_coins(4);
    node.wallet();
    node.every_kind(&coins[0]);
    let stage = Stage { node, first: 0 };
    let desk = Desk::new();
    let following = Following::start(&desk, &stage.node, "");
    following.until(|event| event["event"] == "at_tip");
    desk.run("clusters update").done();
    let mut loom = Loom::new(coins[1..].to_vec(), 11);
    for depth in [1, 3, 8, 2] {
        let woven: Vec<_> = (0..depth).map(|_| loom.weave(15)).collect();
        let blocks: Vec<String> = woven.iter().map(|woven| stage.node.mine_block(woven)).collect();
        let address = stage.address();
        stage.node.send(&address, "0.7");
        stage.node.mine(1);
        following.until_tip(&stage.node);
        stage.check(&desk);
        stage.node.invalidate(&blocks[0]);
        // A block like the one that was dropped, of the same second, would be that block.
        stage.node.mine_to(1, &format!("0014{depth:040x}"));
        let all: Vec<_> = woven.iter().flatten().map(Transaction::hex).collect();
        stage.node.mine_hex(&all);
        stage.node.mine(depth + 1);
        let told = following.until_tip(&stage.node);
        assert!(names(&told).contains(&"undone"), "{told:#?}");
        stage.check(&desk);
    }
    assert_eq!(following.interrupt(), Some(6));
}

/// The coin at an address of the wallet.
fn coin_of(stage: &Stage, address: &str) -> Player {
    let unspent = stage.node.rpc("listunspent", &json!([1, 9_999_999, [address]]));
    let coin = &unspent[0];
    Player {
        address: address.to_owned(),
        txid: text(&coin["txid"]).to_owned(),
        vout: coin["vout"].as_u64().expect("a number"),
    }
}
