//! A real EVM node on a chain of its own: started, mined on, reorganised, killed.
//!
//! Blocks are mined when a test says so and hold the waiting transactions in the order in which they were sent; times are
//! set, so that the same calls make the same blocks, hash by hash. `cargo xtask components` brings the node.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::node::{free_port, guard, http, text};

/// Names the program to take before any other; `cargo xtask components` knows it too.
const VARIABLE: &str = "ANVIL_EXE";
/// Where the package puts the program, below the folder in which npm ran.
const PACKAGE_PATH: &str = "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
/// Where npm may have run: `cargo xtask components`, or a person in the tests' folder.
const FOLDERS: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../.components/anvil"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/evm"),
];
/// How long the node may take to answer after its start.
const START_MAX: Duration = Duration::from_mins(1);
/// How long between two looks.
const LOOK: Duration = Duration::from_millis(5);
/// Starts with other ports, where a port was taken between the look and the start.
const STARTS_MAX: usize = 5;
/// The first block's time, and the seconds between two blocks.
pub const GENESIS_TIME: u64 = 1_700_000_000;
pub const BLOCK_SECONDS: u64 = 12;
/// Calls in one batch.
const BATCH_MAX: usize = 500;
/// What a transaction may use, and what it offers for it: far more than it needs, and a tip of one gwei.
const GAS: u64 = 6_000_000;
const PRICE_MAX_WEI: u64 = 10_000_000_000;
pub const TIP_WEI: u64 = 1_000_000_000;
/// Who produces the blocks: the tips are theirs.
pub const PRODUCER: &str = "0xb10c4b10c4b10c4b10c4b10c4b10c4b10c4b10c4";

/// A node. Dropping it kills it; its chain was in memory only.
pub struct Anvil {
    port: u16,
    chain: u64,
    node: Child,
    guard: Child,
}

impl Anvil {
    /// A chain with an id of its own, and nothing but the genesis block.
    pub fn start(chain: u64) -> Self {
        for _ in 0..STARTS_MAX {
            match Self::launch(chain, GENESIS_TIME, free_port()) {
                Ok(node) => return node,
                Err(why) => eprintln!("{why}\nstarting the node once more, on another port"),
            }
        }
        panic!("the node did not start {STARTS_MAX} times; see above");
    }

    /// Another node, with an empty chain, where this one was: as one that lost its data, or a wrong one.
    pub fn replace(&mut self, chain: u64, genesis_time: u64) {
        self.kill();
        // The port is not reused at once where connections linger.
        let begun = Instant::now();
        *self = loop {
            match Self::launch(chain, genesis_time, self.port) {
                Ok(node) => break node,
                Err(why) => assert!(begun.elapsed() < START_MAX, "{why}"),
            }
        };
    }

    fn launch(chain: u64, genesis_time: u64, port: u16) -> Result<Self, String> {
        let program = program();
        let mut command = Command::new(&program);
        command
            .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--chain-id", &chain.to_string()])
            .args(["--silent", "--disable-block-gas-limit", "--no-mining", "--order", "fifo", "--accounts", "1"])
            // Whoever is named as a sender may send: nobody here has a key.
            .args(["--auto-impersonate", "--balance", "1000000", "--timestamp", &genesis_time.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|e| panic!("{}: {e}", program.display()));
        let guard = guard(child.id());
        let mut node = Self { port, chain, node: child, guard };
        let begun = Instant::now();
        while node.try_rpc("eth_chainId", &json!([])).is_err() {
            if let Some(status) = node.node.try_wait().expect("the child is ours") {
                return Err(format!("the node ended: {status}"));
            }
            if begun.elapsed() > START_MAX {
                return Err(format!("the node does not answer after {START_MAX:?}"));
            }
            sleep(LOOK);
        }
        node.rpc("anvil_setCoinbase", &json!([PRODUCER]));
        node.rpc("anvil_setBlockTimestampInterval", &json!([BLOCK_SECONDS]));
        Ok(node)
    }

    /// Ends the node at once; its chain is gone with it.
    pub fn kill(&mut self) {
        // The guard goes first: it must not outlive the process whose id it knows.
        for process in [&mut self.guard, &mut self.node] {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// What to give to `--rpc`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What to give to `--ws`.
    pub fn ws_url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// The chain's id.
    pub const fn chain(&self) -> u64 {
        self.chain
    }

    /// The ledger's name.
    pub fn ledger(&self) -> String {
        format!("eip155:{}", self.chain)
    }

    // ---- talking to it

    /// The result of a call; stops the test where the node refuses it.
    #[track_caller]
    pub fn rpc(&self, method: &str, parameters: &Value) -> Value {
        self.try_rpc(method, parameters).unwrap_or_else(|why| panic!("{method}{parameters}: {why}"))
    }

    /// The result of a call, or what the node or the connection said.
    pub fn try_rpc(&self, method: &str, parameters: &Value) -> Result<Value, String> {
        result(self.post(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters }))?)
    }

    /// The results of many calls, in their order.
    #[track_caller]
    pub fn many(&self, calls: &[(&str, Value)]) -> Vec<Value> {
        let mut results = Vec::with_capacity(calls.len());
        for part in calls.chunks(BATCH_MAX) {
            let batch = part.iter().enumerate().map(
                |(id, (method, parameters))| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }),
            );
            let answers = self.post(&Value::Array(batch.collect())).unwrap_or_else(|why| panic!("{why}"));
            let mut answers = answers.as_array().expect("a batch is answered by a list").clone();
            answers.sort_by_key(|answer| answer["id"].as_u64());
            assert_eq!(answers.len(), part.len(), "each call is answered");
            for (answer, (method, parameters)) in answers.into_iter().zip(part) {
                results.push(result(answer).unwrap_or_else(|why| panic!("{method}{parameters}: {why}")));
            }
        }
        results
    }

    fn post(&self, body: &Value) -> Result<Value, String> {
        let (status, answer) = http::post(self.port, "/", "nobody:", &body.to_string())?;
        serde_json::from_slice(&answer).map_err(|e| format!("HTTP {status}, and the answer is no JSON: {e}"))
    }

    // ---- the chain

    /// The account that holds all coins at the beginning.
    pub fn faucet(&self) -> String {
        text(&self.rpc("eth_accounts", &json!([]))[0])
    }

    /// The height and the hash of the last block.
    #[track_caller]
    pub fn tip(&self) -> (u64, String) {
        let block = self.rpc("eth_getBlockByNumber", &json!(["latest", false]));
        (number(&block["number"]), text(&block["hash"]))
    }

    /// The hash of the block at a height.
    #[track_caller]
    pub fn hash_at(&self, height: u64) -> String {
        text(&self.rpc("eth_getBlockByNumber", &json!([hex(height), false]))["hash"])
    }

    /// One more block, with all that waits. Its height.
    #[track_caller]
    pub fn mine(&self) -> u64 {
        self.rpc("evm_mine", &json!([]));
        self.tip().0
    }

    /// More blocks, the first with all that waits.
    #[track_caller]
    pub fn mine_more(&self, blocks: u64) {
        self.rpc("anvil_mine", &json!([hex(blocks), hex(BLOCK_SECONDS)]));
    }

    /// Takes the last `depth` blocks back and mines as many others in their place, with transactions of which each
    /// stands in a block of the new ones, counted from 0.
    #[track_caller]
    pub fn reorg(&self, depth: u64, transactions: &[(Value, u64)]) {
        let pairs: Vec<Value> = transactions.iter().map(|(call, at)| json!([call, at])).collect();
        self.rpc("anvil_reorg", &json!([depth, pairs]));
    }

    /// Sends a transaction, which waits for the next block. Its hash.
    #[track_caller]
    pub fn send(&self, from: &str, to: Option<&str>, wei: u128, data: &str) -> String {
        text(&self.rpc("eth_sendTransaction", &json!([call(from, to, wei, data)])))
    }

    /// The contract that a transaction made.
    #[track_caller]
    pub fn made(&self, transaction: &str) -> String {
        let receipt = self.rpc("eth_getTransactionReceipt", &json!([transaction]));
        assert_eq!(receipt["status"], "0x1", "the contract was not made: {receipt}");
        text(&receipt["contractAddress"])
    }

    /// Whether a transaction of a block did what it was sent for.
    #[track_caller]
    pub fn succeeded(&self, transaction: &str) -> bool {
        self.rpc("eth_getTransactionReceipt", &json!([transaction]))["status"] == "0x1"
    }

    /// What a transaction cost its sender, in wei.
    #[track_caller]
    pub fn fee(&self, transaction: &str) -> u128 {
        let receipt = self.rpc("eth_getTransactionReceipt", &json!([transaction]));
        units(&receipt["gasUsed"]) * units(&receipt["effectiveGasPrice"])
    }

    /// The coins of an address at a block's end, in wei.
    #[track_caller]
    pub fn balance(&self, address: &str, height: u64) -> u128 {
        units(&self.rpc("eth_getBalance", &json!([address, hex(height)])))
    }

    /// What a function of a contract returns at a block's end: a number.
    #[track_caller]
    pub fn ask(&self, contract: &str, data: &str, height: u64) -> u128 {
        units(&self.rpc("eth_call", &json!([{ "to": contract, "data": data }, hex(height)])))
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A transaction as the node takes it.
pub fn call(from: &str, to: Option<&str>, wei: u128, data: &str) -> Value {
    let mut call = json!({
        "from": from, "value": format!("{wei:#x}"), "data": data, "gas": hex(GAS),
        "maxFeePerGas": hex(PRICE_MAX_WEI), "maxPriorityFeePerGas": hex(TIP_WEI),
    });
    if let Some(to) = to {
        call["to"] = Value::from(to);
    }
    call
}

/// A number as the node writes it.
pub fn hex(number: u64) -> String {
    format!("{number:#x}")
}

/// A number that the node wrote.
#[track_caller]
pub fn number(value: &Value) -> u64 {
    u64::try_from(units(value)).unwrap_or_else(|_| panic!("{value} is too large"))
}

/// An amount that the node wrote, as a quantity or as a word of the ABI. Nothing at all is 0: so answers an address
/// without a contract.
#[track_caller]
pub fn units(value: &Value) -> u128 {
    let text = value.as_str().and_then(|text| text.strip_prefix("0x")).unwrap_or_else(|| panic!("{value}: no number"));
    let digits = text.trim_start_matches('0');
    if digits.is_empty() { 0 } else { u128::from_str_radix(digits, 16).unwrap_or_else(|e| panic!("{value}: {e}")) }
}

fn result(mut answer: Value) -> Result<Value, String> {
    if answer["error"].is_null() { Ok(answer["result"].take()) } else { Err(answer["error"].to_string()) }
}

/// The node's program: `ANVIL_EXE`, then `PATH`, then what npm brought.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return named.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("anvil"));
    let brought = FOLDERS.iter().map(|folder| Path::new(folder).join(PACKAGE_PATH));
    on_path.chain(brought).find(|file| file.is_file()).unwrap_or_else(|| {
        panic!(
            "\n\n    THERE IS NO EVM NODE TO TEST AGAINST\n    \
             run `cargo xtask components`, put anvil on PATH, or set {VARIABLE}\n\n"
        )
    })
}
