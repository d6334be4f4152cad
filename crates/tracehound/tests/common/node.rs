//! A real Bitcoin node (Core or Knots) on a regtest chain of its own, for tests: started, mined on, reorganised, killed,
//! started again.
//!
//! It speaks to the node in the plainest way that works (a connection a call, hand-written HTTP), so that a fault of
//! the client under test cannot hide in it. It knows nothing of Tracehound; a test of another room can take it in by
//! `#[path]`. `cargo xtask components` brings the node where the machine has none. What the blocks may hold is in
//! `node/coins.rs`; what was spent in them, by others' word, in `node/oracle.rs`.

#![allow(dead_code, reason = "each test file uses its part")]

#[path = "node/coins.rs"]
pub mod coins;
#[path = "node/http.rs"]
pub mod http;
#[path = "node/oracle.rs"]
pub mod oracle;

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use coins::{Coin, MINER_SCRIPT, OPEN_SCRIPT, Transaction};

/// Names the program to take before any other; `cargo xtask components` knows it too.
const VARIABLE: &str = "BITCOIND_EXE";
/// Where `cargo xtask components` puts it.
const COMPONENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.components/bitcoin-knots/bitcoind");
/// How long the node may take to answer after its start, and to end after it was told to.
const START_MAX: Duration = Duration::from_secs(90);
const STOP_MAX: Duration = Duration::from_secs(90);
/// How long between two looks.
const LOOK: Duration = Duration::from_millis(10);
/// Starts with other ports, where a port was taken between the look and the start.
const STARTS_MAX: usize = 5;
/// Ports that no outgoing connection is given, so that a node that restarts finds its own again.
const PORTS: std::ops::Range<u16> = 16_000..32_000;
/// Blocks in one call: an answer must come before the client gives up.
const BLOCKS_A_CALL: u64 = 500;
/// Blocks until a coinbase output may be spent.
const MATURITY: u64 = 100;
/// Lines of its log that a failure shows.
const LOG_LINES_SHOWN: usize = 12;
/// The wallet's name.
const WALLET: &str = "payer";

/// A node and its folder. Dropping it kills the node and removes the folder.
pub struct Node {
    folder: tempfile::TempDir,
    options: Vec<String>,
    ports: [u16; 3],
    running: Option<Running>,
    has_wallet: bool,
}

/// The node's process, and a shell that kills it when this test program is gone and so closes the shell's input.
struct Running {
    node: Child,
    guard: Child,
}

impl Node {
    /// A node with nothing but the genesis block.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// One with more options, such as `-blocksxor=0` or `-fastprune`. They stay over [`Node::restart`].
    pub fn start_with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let options = options.iter().map(|&option| option.to_owned()).collect();
        let mut node = Self { folder, options, ports: [0; 3], running: None, has_wallet: false };
        for _ in 0..STARTS_MAX {
            node.ports = [free_port(), free_port(), free_port()];
            match node.launch() {
                Ok(()) => return node,
                Err(why) => eprintln!("{why}\nstarting the node once more, on other ports"),
            }
        }
        panic!("the node did not start {STARTS_MAX} times; see above");
    }

    /// Starts the node again on the same folder and ports. It must have been stopped or killed.
    pub fn restart(&mut self) {
        assert!(self.running.is_none(), "the node runs; stop or kill it first");
        self.launch().unwrap_or_else(|why| panic!("{why}"));
        if self.has_wallet && !self.rpc("listwallets", &json!([])).to_string().contains(WALLET) {
            self.rpc("loadwallet", &json!([WALLET]));
        }
    }

    fn launch(&mut self) -> Result<(), String> {
        let complaints = self.folder.path().join("stderr");
        let mut command = Command::new(program());
        command
            .arg(format!("-datadir={}", self.folder.path().display()))
            .args(["-regtest", "-server", "-txindex=1", "-rest=1", "-fallbackfee=0.0002", "-printtoconsole=0"])
            // It talks to nobody, and leaves the machine's cores and disk to whatever else runs.
            .args(["-listen=0", "-dnsseed=0", "-connect=0", "-par=1", "-keypool=10", "-unsafesqlitesync"])
            .arg(format!("-rpcport={}", self.ports[0]))
            .args(
                self.zmq_addresses()
                    .iter()
                    .zip(["hashblock", "sequence"])
                    .map(|(to, what)| format!("-zmqpub{what}={to}")),
            )
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&complaints).expect("the node's folder can be written"));
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{}: {e}", program().display()));
        let guard = guard(child.id());
        let begun = Instant::now();
        let result = loop {
            if let Some(status) = child.try_wait().expect("the child is ours") {
                break Err(format!("the node ended ({status}): {}{}", read(&complaints), self.last_of_log()));
            }
            if self.try_rpc("getblockcount", &json!([])).is_ok() {
                break Ok(());
            }
            if begun.elapsed() > START_MAX {
                break Err(format!("the node does not answer after {START_MAX:?}\n{}", self.last_of_log()));
            }
            sleep(LOOK);
        };
        self.running = Some(Running { node: child, guard });
        // A node that cannot open these goes on without them and only writes it into its log.
        let result = result.and_then(|()| match self.rpc("getzmqnotifications", &json!([])).as_array().map(Vec::len) {
            Some(2..) => Ok(()),
            _ => Err("the node did not open its ZMQ addresses".to_owned()),
        });
        if result.is_err() {
            self.kill();
        }
        result
    }

    /// Tells the node to stop, and waits until it has written everything.
    pub fn stop(&mut self) {
        self.rpc("stop", &json!([]));
        let node = &mut self.running.as_mut().expect("an answering node has a process").node;
        let begun = Instant::now();
        while node.try_wait().expect("the child is ours").is_none() {
            assert!(begun.elapsed() < STOP_MAX, "the node did not end {STOP_MAX:?} after it was told to");
            sleep(LOOK);
        }
        self.kill();
    }

    /// Ends the node at once (SIGKILL), as a power cut would. The process id is the node's own: its launcher is
    /// replaced by it. Started again it knows nothing of what came after the last [`Node::flush`] or stop: its tip is
    /// lower, a new chain grows from there and overwrites the block files.
    pub fn kill(&mut self) {
        if let Some(Running { mut node, mut guard }) = self.running.take() {
            // One that has ended meanwhile cannot be killed, and need not be. The guard goes first: it must not outlive
            // the process whose id it knows.
            for process in [&mut guard, &mut node] {
                let _ = process.kill();
                let _ = process.wait();
            }
        }
    }

    /// Makes the node write blocks and their index down for good, as it does about once an hour on its own.
    #[track_caller]
    pub fn flush(&self) {
        // A count of all coins begins with it.
        self.rpc("gettxoutsetinfo", &json!(["none"]));
    }

    /// Whether it was started and neither stopped nor killed by us.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The process id of the running node.
    pub fn id(&self) -> u32 {
        self.running.as_ref().expect("the node runs").node.id()
    }

    // ---- where it is

    /// What to give to `--rpc`. REST is at the same address.
    pub fn rpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// The file with the login `__cookie__:PASSWORD`, there while the node runs unless `-rpcpassword` is given.
    pub fn cookie_path(&self) -> PathBuf {
        self.chain_folder().join(".cookie")
    }

    /// Where it announces blocks: topic `hashblock` at the first address, `sequence` at the second.
    pub fn zmq_addresses(&self) -> [String; 2] {
        [format!("tcp://127.0.0.1:{}", self.ports[1]), format!("tcp://127.0.0.1:{}", self.ports[2])]
    }

    /// The folder that was given as `-datadir`.
    pub fn data_folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of its chain in there.
    pub fn chain_folder(&self) -> PathBuf {
        self.folder.path().join("regtest")
    }

    /// The folder with `blk*.dat`, `rev*.dat` and `xor.dat`.
    pub fn blocks_dir(&self) -> PathBuf {
        self.chain_folder().join("blocks")
    }

    /// The end of the node's log, where it says why.
    pub fn last_of_log(&self) -> String {
        let log = read(&self.chain_folder().join("debug.log"));
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }

    // ---- talking to it

    /// The result of a call; stops the test where the node refuses it.
    #[track_caller]
    pub fn rpc(&self, method: &str, parameters: &Value) -> Value {
        self.try_rpc(method, parameters).unwrap_or_else(|why| panic!("{method}: {why}"))
    }

    /// The result of a call, or what the node or the connection said.
    pub fn try_rpc(&self, method: &str, parameters: &Value) -> Result<Value, String> {
        let login = self.login()?;
        let body = json!({ "jsonrpc": "1.0", "id": 1, "method": method, "params": parameters }).to_string();
        let (status, answer) = http::post(self.ports[0], "/", &login, &body)?;
        let mut answer: Value =
            serde_json::from_slice(&answer).map_err(|e| format!("HTTP {status}, and the answer is no JSON: {e}"))?;
        if answer["error"].is_null() { Ok(answer["result"].take()) } else { Err(answer["error"].to_string()) }
    }

    /// The HTTP status and the body at a REST path such as `/rest/chaininfo.json`.
    #[track_caller]
    pub fn rest(&self, path: &str) -> (u16, Vec<u8>) {
        http::get(self.ports[0], path).unwrap_or_else(|why| panic!("{path}: {why}"))
    }

    /// `user:password`, from the options where they give it, else from the cookie.
    pub fn login(&self) -> Result<String, String> {
        let given = |key: &str| self.options.iter().find_map(|option| option.strip_prefix(key));
        match (given("-rpcuser="), given("-rpcpassword=")) {
            (Some(user), Some(password)) => Ok(format!("{user}:{password}")),
            _ => fs::read_to_string(self.cookie_path()).map_err(|e| format!("the node's cookie: {e}")),
        }
    }

    // ---- the chain

    /// The height and the hash of the best block.
    #[track_caller]
    pub fn tip(&self) -> (u64, String) {
        let info = self.rpc("getblockchaininfo", &json!([]));
        (info["blocks"].as_u64().expect("a height"), text(&info["bestblockhash"]))
    }

    /// The hash of the block at a height of the best chain.
    #[track_caller]
    pub fn hash_at(&self, height: u64) -> String {
        text(&self.rpc("getblockhash", &json!([height])))
    }

    /// Mines blocks, with what the mempool holds, to the key that [`Node::wallet`] owns. Their hashes, in order.
    #[track_caller]
    pub fn mine(&self, blocks: u64) -> Vec<String> {
        self.mine_to(blocks, MINER_SCRIPT)
    }

    /// Mines blocks to a script in hex.
    #[track_caller]
    pub fn mine_to(&self, blocks: u64, script: &str) -> Vec<String> {
        let mut hashes = Vec::new();
        let mut left = blocks;
        while left > 0 {
            let now = left.min(BLOCKS_A_CALL);
            let more = self.rpc("generatetodescriptor", &json!([now, format!("raw({script})")]));
            hashes.extend(more.as_array().expect("a list of hashes").iter().map(text));
            left -= now;
        }
        hashes
    }

    /// Mines one block that holds exactly these transactions, in this order. They need not pass the mempool's rules.
    #[track_caller]
    pub fn mine_block(&self, transactions: &[Transaction]) -> String {
        self.mine_hex(&transactions.iter().map(Transaction::hex).collect::<Vec<_>>())
    }

    /// The same with transactions in hex.
    #[track_caller]
    pub fn mine_hex(&self, transactions: &[String]) -> String {
        text(&self.rpc("generateblock", &json!([format!("raw({MINER_SCRIPT})"), transactions]))["hash"])
    }

    /// Mines blocks whose coins anybody may spend, and as many more as make them spendable.
    #[track_caller]
    pub fn open_coins(&self, coins: u64) -> Vec<Coin> {
        let hashes = self.mine_to(coins, OPEN_SCRIPT);
        self.mine(MATURITY);
        let coin = |hash: &String| {
            let block = self.rpc("getblock", &json!([hash, 2]));
            let coinbase = &block["tx"][0];
            Coin::new(&text(&coinbase["txid"]), 0, coins::sats(&coinbase["vout"][0]["value"]))
        };
        hashes.iter().map(coin).collect()
    }

    /// Declares a block and all after it invalid.
    #[track_caller]
    pub fn invalidate(&self, hash: &str) {
        self.rpc("invalidateblock", &json!([hash]));
    }

    /// Takes [`Node::invalidate`] back.
    #[track_caller]
    pub fn reconsider(&self, hash: &str) {
        self.rpc("reconsiderblock", &json!([hash]));
    }

    /// Drops the last `depth` blocks and mines one more than that in their place; what they held goes into the first
    /// of them again, if the mempool takes it. The hash of the first block that was dropped.
    #[track_caller]
    pub fn reorg(&self, depth: u64) -> String {
        let (height, _) = self.tip();
        assert!((1..=height).contains(&depth), "a chain of {height} blocks cannot lose {depth}");
        let dropped = self.hash_at(height + 1 - depth);
        self.invalidate(&dropped);
        self.mine_to(depth + 1, &another_script());
        dropped
    }

    // ---- the wallet

    /// Opens a wallet with the keys of `coins::KEYS`, so that it owns what [`Node::mine`] made and what comes, and can
    /// sign for every kind of script. Calls such as `sendtoaddress` go through [`Node::rpc`].
    #[track_caller]
    pub fn wallet(&mut self) {
        if self.has_wallet {
            return;
        }
        self.rpc("createwallet", &json!([WALLET]));
        self.has_wallet = true;
        let requests: Vec<_> = coins::wallet_descriptors()
            .iter()
            .map(|descriptor| {
                let checksum = text(&self.rpc("getdescriptorinfo", &json!([descriptor]))["checksum"]);
                json!({ "desc": format!("{descriptor}#{checksum}"), "timestamp": 0 })
            })
            .collect();
        let answers = self.rpc("importdescriptors", &json!([requests]));
        let all = answers.as_array().expect("an answer for each").iter().all(|answer| answer["success"] == true);
        assert!(all, "importdescriptors: {answers}");
    }

    /// Sends coins from the wallet into the mempool. The transaction's id.
    #[track_caller]
    pub fn send(&self, address: &str, coins: &str) -> String {
        text(&self.rpc("sendtoaddress", &json!([address, coins])))
    }

    /// Pays to every kind of script in one transaction and spends all that can be spent in another, each in a block of
    /// its own. Their ids. The coin is one of [`Node::open_coins`]; the wallet must be open.
    #[track_caller]
    pub fn every_kind(&self, coin: &Coin) -> [String; 2] {
        let (pay, paid) = coins::pay_each(coin, &coins::kinds());
        self.mine_block(std::slice::from_ref(&pay));
        // What anybody may spend is complete already; the wallet leaves it alone.
        let signed = self.rpc("signrawtransactionwithwallet", &json!([coins::spend_each(&paid).hex()]));
        let spend = text(&self.rpc("decoderawtransaction", &json!([signed["hex"]]))["txid"]);
        self.mine_hex(&[text(&signed["hex"])]);
        [coins::id_text(&pay.id), spend]
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The node's program: `BITCOIND_EXE`, then `PATH`, then what `cargo xtask components` brought.
pub fn program() -> PathBuf {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return named.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("bitcoind")).find(|file| file.is_file());
    on_path.or_else(|| Some(PathBuf::from(COMPONENT)).filter(|file| file.is_file())).unwrap_or_else(|| {
        panic!(
            "\n\n    THERE IS NO BITCOIN NODE TO TEST AGAINST\n    \
             run `cargo xtask components`, put bitcoind on PATH, or set {VARIABLE}\n\n"
        )
    })
}

/// Kills a process when the test program ends without doing so itself.
pub fn guard(process: u32) -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", "read -r _; kill -9 \"$0\"", &process.to_string()]).stdin(Stdio::piped());
    shell.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("there is a shell")
}

/// A port on loopback that nothing listens on now.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let count = PORTS.end - PORTS.start;
    // Test programs run beside each other: each begins elsewhere.
    let begin = u16::try_from(u64::from(std::process::id()) * 977 % u64::from(count)).expect("it is below a u16");
    for _ in 0..count {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % count;
        let port = PORTS.start + begin.wrapping_add(step) % count;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free from {} to {}", PORTS.start, PORTS.end);
}

/// A script that nothing was mined to yet, so that a block never equals one that was dropped.
fn another_script() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("0014{:040x}", NEXT.fetch_add(1, Ordering::Relaxed) + 1)
}

/// The text of a JSON string.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
