//! The book against others' word: everything that a chain with every kind of script spends and makes, as a real node
//! tells it (`getblock` 3, `decodescript`) and as Bitcoin Core's kernel library reads it from the node's folder.
//!
//! What the book says is taken from `show --json`, as a user sees it. Whether the book stays the same over reorganisations
//! and kills is `node_follow.rs` and `node_kill.rs`.

mod common;

use std::collections::BTreeMap;

use common::node::coins::{self, Loom};
use common::node::oracle::{self, SpentOutput};
use common::node::{Node, text};
use common::{Desk, list};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The longest script that names itself (`docs/utxo-blocks.md`).
const SCRIPT_BYTES_MAX: usize = 100;
/// How many things one call of the program is asked to show.
const SHOWN_AT_ONCE: usize = 500;

/// An input, as the book has it and as it should be; ordered by height, transaction and input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Spent {
    height: u64,
    transaction: u64,
    input: u64,
    value_sats: u64,
    holder: String,
    made_at: u64,
    is_coinbase: bool,
}

/// Who holds the outputs of a script: its address, of which the node knows, else the script or its hash.
struct Names<'a> {
    node: &'a Node,
    known: BTreeMap<Vec<u8>, String>,
}

impl Names<'_> {
    fn of(&mut self, script: &[u8]) -> String {
        if let Some(name) = self.known.get(script) {
            return name.clone();
        }
        let hex = coins::hex(script);
        let name = match self.node.rpc("decodescript", &json!([hex]))["address"].as_str() {
            Some(address) => address.to_owned(),
            None if script.len() <= SCRIPT_BYTES_MAX => format!("script:{hex}"),
            None => format!("scripthash:{}", coins::hex(&Sha256::digest(script))),
        };
        self.known.insert(script.to_owned(), name.clone());
        name
    }

    fn spent(&mut self, told: &[SpentOutput]) -> Vec<Spent> {
        let spent = |told: &SpentOutput| Spent {
            height: told.height,
            transaction: told.transaction,
            input: told.input,
            value_sats: told.value_sats,
            holder: self.of(&told.script),
            made_at: told.made_at,
            is_coinbase: told.is_coinbase,
        };
        told.iter().map(spent).collect()
    }
}

/// Base units of a decimal text.
fn sats(amount: &Value) -> u64 {
    let amount = common::text(amount);
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    format!("{whole}{fraction:0<8}").parse().unwrap_or_else(|e| panic!("{amount:?}: {e}"))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a number: {value}"))
}

/// What the book shows of many things, in their order.
fn shown(desk: &Desk, things: &[String]) -> Vec<Value> {
    let show = |things: &[String]| desk.run(&format!("show --json --all {}", things.join(" "))).done().json_lines();
    let pages: Vec<Value> = things.chunks(SHOWN_AT_ONCE).flat_map(show).collect();
    assert_eq!(pages.len(), things.len(), "one page each");
    pages
}

/// The book's whole chain: its transactions by block, and a page of each.
struct BookChain {
    blocks: Vec<Vec<String>>,
    pages: BTreeMap<String, Value>,
}

impl BookChain {
    fn read(desk: &Desk, tip: u64) -> Self {
        let heights: Vec<String> = (0..=tip).map(|height| height.to_string()).collect();
        let ids = |block: &Value| list(&block["listed"]).iter().map(|row| text(&row["tx"])).collect();
        let blocks: Vec<Vec<String>> = shown(desk, &heights).iter().map(ids).collect();
        let all: Vec<String> = blocks.concat();
        let pages = all.iter().cloned().zip(shown(desk, &all)).collect();
        Self { blocks, pages }
    }

    /// Every input, in order.
    fn spent(&self) -> Vec<Spent> {
        let mut spent = Vec::new();
        for (height, ids) in (0..).zip(&self.blocks) {
            for (transaction, id) in (0..).zip(ids) {
                let page = &self.pages[id];
                assert_eq!(number(&page["height"]), height, "{id}");
                for (input, row) in (0..).zip(list(&page["inputs"])) {
                    let (maker, _) = common::text(&row["output"]).split_once(':').expect("an output has a number");
                    let maker = &self.pages[maker];
                    spent.push(Spent {
                        height,
                        transaction,
                        input,
                        value_sats: sats(&row["amount"]),
                        holder: text(&row["holder"]),
                        made_at: number(&maker["height"]),
                        is_coinbase: maker["coinbase"] == true,
                    });
                    assert_ne!(row["inferred"], true, "{id}: the chain is whole");
                }
            }
        }
        spent
    }
}

/// Stops where two lists differ, and says where.
#[track_caller]
fn assert_equal(is: &[Spent], want: &[Spent]) {
    for (is, want) in is.iter().zip(want) {
        assert_eq!(is, want);
    }
    assert_eq!(is.len(), want.len());
}

/// Holds what each transaction makes and pays, and who spends it, against the node's word.
fn check_outputs(chain: &BookChain, node: &Node, names: &mut Names<'_>) -> usize {
    let mut spender = BTreeMap::new();
    let blocks: Vec<Value> =
        (0..=node.tip().0).map(|height| node.rpc("getblock", &json!([node.hash_at(height), 3]))).collect();
    for transaction in blocks.iter().flat_map(|block| list(&block["tx"])) {
        for input in list(&transaction["vin"]).iter().filter(|input| input["txid"].is_string()) {
            let output = (text(&input["txid"]), number(&input["vout"]));
            spender.insert(output, text(&transaction["txid"]));
        }
    }
    let mut outputs = 0;
    assert_eq!(chain.blocks.len(), blocks.len());
    for (ids, block) in chain.blocks.iter().zip(&blocks) {
        let told: Vec<String> = list(&block["tx"]).iter().map(|transaction| text(&transaction["txid"])).collect();
        assert_eq!(*ids, told);
        for transaction in list(&block["tx"]) {
            let id = text(&transaction["txid"]);
            let page = &chain.pages[&id];
            let fee = transaction["fee"].is_number().then(|| coins::sats(&transaction["fee"]));
            assert_eq!(page["fee"].is_object().then(|| sats(&page["fee"]["amount"])).or(fee.map(|_| 0)), fee, "{id}");
            assert_eq!(page["block_hash"], block["hash"]);
            let want: Vec<_> = list(&transaction["vout"])
                .iter()
                .map(|made| {
                    let index = number(&made["n"]);
                    let holder = names.of(&coins::bytes(&text(&made["scriptPubKey"]["hex"])));
                    (index, coins::sats(&made["value"]), holder, spender.get(&(id.clone(), index)).cloned())
                })
                .collect();
            let spent_by = |row: &Value| row["spent_by"].as_str().map(str::to_owned);
            let is: Vec<_> = list(&page["outputs"])
                .iter()
                .map(|row| (number(&row["index"]), sats(&row["amount"]), text(&row["holder"]), spent_by(row)))
                .collect();
            assert_eq!(is, want, "{id}");
            outputs += is.len();
        }
    }
    outputs
}

/// A chain with every kind of script, many payments within blocks, coinbases spent, and a reorganisation behind it.
fn rich_node() -> Node {
    let mut node = Node::start();
    let coins = node.open_coins(8);
    node.wallet();
    node.every_kind(&coins[0]);
    let mut loom = Loom::new(coins[1..7].to_vec(), 29);
    for transactions in [60, 1, 120, 0, 300, 7] {
        node.mine_block(&loom.weave(transactions));
    }
    node.mine(2);
    node.reorg(3);
    // The wallet's own: coinbases of the key, paid to addresses of every type that it has.
    for kind in ["legacy", "p2sh-segwit", "bech32", "bech32m"] {
        let address = text(&node.rpc("getnewaddress", &json!(["", kind])));
        node.send(&address, "61.5");
    }
    node.mine(1);
    node.every_kind(&coins[7]);
    node
}

#[test]
fn every_input_and_output_is_as_the_node_and_the_kernel_library_say() {
    let mut node = rich_node();
    let (tip, _) = node.tip();
    let from_node = Desk::new();
    let cookie = node.cookie_path();
    from_node.run(&format!("ingest bitcoin --rpc {} --rpc-cookie {} --once", node.rpc_url(), cookie.display())).done();
    let told = oracle::of_node(&node);
    let mut names = Names { node: &node, known: BTreeMap::new() };
    let want = names.spent(&told);
    let chain = BookChain::read(&from_node, tip);
    assert_equal(&chain.spent(), &want);
    let outputs = check_outputs(&chain, &node, &mut names);
    let kinds = names.known.len();
    let known = names.known;
    node.stop();

    let from_files = Desk::new();
    from_files.run(&format!("ingest bitcoin --blocks {}", node.blocks_dir().display())).done();
    let listed = oracle::of_folder(&node.chain_folder());
    let want = Names { node: &node, known }.spent(&listed);
    assert_equal(&BookChain::read(&from_files, tip).spent(), &want);
    common::assert_same(&from_files.path("book"), &from_node.path("book"));
    assert!(want.iter().any(|spent| spent.is_coinbase) && want.iter().any(|spent| spent.made_at == spent.height));
    assert!(want.len() > 700 && outputs > 1_600 && kinds > 20, "{} {outputs} {kinds}", want.len());
    eprintln!("{} inputs, {outputs} outputs, {kinds} scripts", want.len());
}
