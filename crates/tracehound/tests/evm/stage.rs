//! A chain with people and contracts on it, by name; and a play in which every trait of the contracts comes up.
//!
//! People have no keys: the node sends for whoever is named. Their addresses follow from their names, so that the same
//! play makes the same chain.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::anvil::{Anvil, hex, units};
use super::contracts::{Arg, Contracts};

/// One coin, in wei.
pub const COIN: u128 = 1_000_000_000_000_000_000;
/// One dollar of the tests' dollar token, in base units.
pub const DOLLAR: u128 = 1_000_000;

/// A node, who lives on it, and what they have built.
pub struct Stage {
    pub node: Anvil,
    pub contracts: Contracts,
    faucet: String,
    /// Contracts by their names on this stage: which contract each is, and where.
    placed: BTreeMap<String, (String, String)>,
}

impl Stage {
    /// An empty chain.
    pub fn new(chain: u64) -> Self {
        let node = Anvil::start(chain);
        let faucet = node.faucet();
        Self { node, contracts: Contracts::load(), faucet, placed: BTreeMap::new() }
    }

    /// The address of a name: of a contract on this stage, of the faucet, or of a person. What is an address is left alone.
    pub fn address(&self, name: &str) -> String {
        match self.placed.get(name) {
            Some((_, address)) => address.clone(),
            None if name.starts_with("0x") => name.to_owned(),
            None if name == "faucet" => self.faucet.clone(),
            None => person(name),
        }
    }

    /// The names of all contracts, and where they are.
    pub fn places(&self) -> impl Iterator<Item = (&str, &str)> {
        self.placed.iter().map(|(name, (_, address))| (name.as_str(), address.as_str()))
    }

    /// The asset of a token, as the ledger names it.
    pub fn asset(&self, token: &str) -> String {
        format!("{}/erc20:{}", self.node.ledger(), self.address(token))
    }

    /// Makes a contract, in a block of its own. Its address.
    #[track_caller]
    pub fn place(&mut self, name: &str, contract: &str, arguments: &[Arg<'_>]) -> String {
        let code = self.contracts.creation(contract, arguments);
        let transaction = self.node.send(&self.faucet, None, 0, &code);
        self.node.mine();
        let address = self.node.made(&transaction);
        self.placed.insert(name.to_owned(), (contract.to_owned(), address.clone()));
        address
    }

    /// Pays coins; waits for the next block. The transaction's hash.
    #[track_caller]
    pub fn pay(&self, from: &str, to: &str, wei: u128) -> String {
        self.node.send(&self.address(from), Some(&self.address(to)), wei, "0x")
    }

    /// Calls a contract with coins; waits for the next block. The transaction's hash. Arguments that are addresses may be
    /// names.
    #[track_caller]
    pub fn act(&self, from: &str, place: &str, function: &str, wei: u128, arguments: &[Arg<'_>]) -> String {
        let (to, data) = self.order(place, function, arguments);
        self.node.send(&self.address(from), Some(&to), wei, &data)
    }

    /// Where a call goes, and what it says.
    #[track_caller]
    pub fn order(&self, place: &str, function: &str, arguments: &[Arg<'_>]) -> (String, String) {
        let (contract, address) = self.placed.get(place).unwrap_or_else(|| panic!("there is no {place} on stage"));
        let named: Vec<String> = arguments
            .iter()
            .map(|argument| if let Arg::Address(name) = argument { self.address(name) } else { String::new() })
            .collect();
        let arguments: Vec<Arg<'_>> = arguments
            .iter()
            .zip(&named)
            .map(|(argument, address)| if let Arg::Address(_) = argument { Arg::Address(address) } else { *argument })
            .collect();
        (address.clone(), self.contracts.call(contract, function, &arguments))
    }

    /// Mines what waits and says that all of it succeeded. The block's height.
    #[track_caller]
    pub fn done(&self, transactions: &[&str]) -> u64 {
        let height = self.node.mine();
        for transaction in transactions {
            assert!(self.node.succeeded(transaction), "{transaction} failed in block {height}");
        }
        height
    }

    /// What an address holds of a token, or of the coin where `token` is empty, at a block's end.
    #[track_caller]
    pub fn holds(&self, token: &str, holder: &str, height: u64) -> u128 {
        let holder = self.address(holder);
        if token.is_empty() {
            return self.node.balance(&holder, height);
        }
        let (contract, data) = self.order(token, "balanceOf(address)", &[Arg::Address(&holder)]);
        self.node.ask(&contract, &data, height)
    }

    /// The last word of the data of a transaction's log by a contract: an address or a number, with `0x`.
    #[track_caller]
    pub fn logged(&self, transaction: &str, place: &str) -> String {
        let receipt = self.node.rpc("eth_getTransactionReceipt", &json!([transaction]));
        let address = Value::from(self.address(place));
        let logs = receipt["logs"].as_array().expect("a receipt has logs");
        let log = logs.iter().find(|log| log["address"] == address).unwrap_or_else(|| panic!("{place} logged nothing"));
        log["data"].as_str().expect("data is a text").to_owned()
    }

    /// Gives each of these people coins, in one block.
    #[track_caller]
    pub fn fund(&self, people: &[&str], wei: u128) {
        let sent: Vec<String> = people.iter().map(|name| self.pay("faucet", name, wei)).collect();
        self.done(&sent.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// What many (token, holder) pairs amount to at a block's end, as [`Stage::holds`] says one of them; tokens and holders
    /// by address, and a token's contract as `balanceOf(address)` answers.
    #[track_caller]
    pub fn hold(&self, pairs: &[(Option<&str>, &str)], height: u64) -> Vec<u128> {
        let calls: Vec<(&str, Value)> = pairs
            .iter()
            .map(|(token, holder)| match token {
                None => ("eth_getBalance", json!([holder, hex(height)])),
                Some(token) => {
                    let data = self.contracts.call("Token", "balanceOf(address)", &[Arg::Address(holder)]);
                    ("eth_call", json!([{ "to": token, "data": data }, hex(height)]))
                }
            })
            .collect();
        self.node.many(&calls).iter().map(units).collect()
    }

    /// Builds the contracts that every play needs: two pools with one token in common, and what swaps through them. The
    /// pools hold 1,000 coins and 2,000,000 dollars, 1,000,000 dollars and 500 gold.
    #[track_caller]
    pub fn market(&mut self) {
        self.place("weth", "WrappedNative", &[]);
        let weth = self.address("weth");
        let usd = self.place("usd", "Token", &[Arg::Text("Dollar"), Arg::Text("USD"), Arg::Units(6)]);
        let gold = self.place("gold", "Token", &[Arg::Text("Gold"), Arg::Text("GLD"), Arg::Units(18)]);
        self.place("pool one", "Pool", &[Arg::Address(&weth), Arg::Address(&usd)]);
        self.place("pool two", "Pool", &[Arg::Address(&usd), Arg::Address(&gold)]);
        self.place("router", "Router", &[Arg::Address(&weth)]);
        self.place("lender", "Lender", &[]);
        self.place("borrower", "Borrower", &[Arg::Address(&weth)]);
        self.fund(&["maker"], 2_100 * COIN);
        let mint = "mint(address,uint256)";
        let (approve, join) = ("approve(address,uint256)", "join(uint256,uint256)");
        let sent = [
            self.act("maker", "weth", "deposit()", 2_000 * COIN, &[]),
            self.act("maker", "usd", mint, 0, &[Arg::Address("maker"), Arg::Units(3_000_000 * DOLLAR)]),
            self.act("maker", "gold", mint, 0, &[Arg::Address("maker"), Arg::Units(500 * COIN)]),
            self.act("maker", "weth", approve, 0, &[Arg::Address("pool one"), Arg::Units(1_000 * COIN)]),
            self.act("maker", "usd", approve, 0, &[Arg::Address("pool one"), Arg::Units(2_000_000 * DOLLAR)]),
            self.act("maker", "usd", approve, 0, &[Arg::Address("pool two"), Arg::Units(1_000_000 * DOLLAR)]),
            self.act("maker", "gold", approve, 0, &[Arg::Address("pool two"), Arg::Units(500 * COIN)]),
            self.act("maker", "pool one", join, 0, &[Arg::Units(1_000 * COIN), Arg::Units(2_000_000 * DOLLAR)]),
            self.act("maker", "pool two", join, 0, &[Arg::Units(1_000_000 * DOLLAR), Arg::Units(500 * COIN)]),
            self.act(
                "maker",
                "weth",
                "transfer(address,uint256)",
                0,
                &[Arg::Address("lender"), Arg::Units(900 * COIN)],
            ),
        ];
        self.done(&sent.each_ref().map(String::as_str));
    }
}

/// What a user says of the stages' own tokens, as a table: which contract wraps the coin. No built-in table knows it.
pub fn tokens_table(stages: &[&Stage]) -> String {
    let row =
        |stage: &&Stage| format!("{},{},WETH,18,wrapped-native,the tests\n", stage.node.chain(), stage.address("weth"));
    let head = "chain,contract,symbol,decimals,flags,source\n".to_owned();
    stages.iter().map(row).fold(head, |table, row| table + &row)
}

/// The address of a person of that name: two rounds of FNV-1a, spread over 20 bytes.
fn person(name: &str) -> String {
    let round = |seed: u64| {
        name.bytes()
            .fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    format!("0x{:016x}{:016x}{:08x}", round(0), round(1 << 40), round(1 << 50) >> 32)
}
