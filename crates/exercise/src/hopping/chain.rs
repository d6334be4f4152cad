//! [`EvmChain`]: an EVM chain of the exercise as it grows, written as the answers that a node would give: one line of
//! NDJSON for each question, with the question beside the answer.
//!
//! It books calls and logs, keeps balances, charges gas and refuses overdrafts. Who pays whom is decided elsewhere. There
//! is no machine here and no state tree: hashes are those of the seed and of what a block says, not of a header.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::abi::{Address, Word, mark, of_address, of_number, quantity, text, topic};

/// What a unit of gas costs at least, and burns.
const BASE_FEE: u128 = 12_000_000_000;
/// What goes to the block's producer on top.
const TIP: u128 = 1_000_000_000;
/// Seconds between two blocks.
pub const BLOCK_SECONDS: i64 = 12;
/// The zero address, which mints and burns.
pub const ZERO: Address = [0; 20];

/// A log of a transaction.
#[derive(Clone, Debug)]
struct Log {
    contract: Address,
    topics: Vec<Word>,
    data: Vec<u8>,
}

/// A call within a transaction.
#[derive(Clone, Debug)]
struct Call {
    from: Address,
    to: Address,
    value: u128,
    /// Where it stands in the tree of calls.
    place: Vec<usize>,
    error: Option<&'static str>,
}

/// A transaction under construction. What it moves is booked at once.
pub struct Transaction {
    from: Address,
    calls: Vec<Call>,
    logs: Vec<Log>,
    gas_used: u128,
}

/// What a block has of one transaction.
struct Sealed {
    hash: Word,
    transaction: Transaction,
}

/// Counts for the manifest.
#[derive(Clone, Copy, Debug, Default)]
pub struct EvmCounts {
    pub blocks: u64,
    pub transactions: u64,
    pub logs: u64,
    pub calls: u64,
}

/// The chain under construction. It holds one block at a time.
pub struct EvmChain<W> {
    out: W,
    seed: u64,
    number: u64,
    height: u64,
    time: i64,
    parent: Word,
    producer: Address,
    waiting: Vec<Sealed>,
    granted: Vec<(Address, u128)>,
    balances: BTreeMap<(Address, Address), u128>,
    counts: EvmCounts,
}

/// The native coin, where an asset is asked for.
pub const NATIVE: Address = ZERO;

impl<W: Write> EvmChain<W> {
    /// A chain whose first block has the time `time`. `tokens` are contracts and their decimals.
    pub fn new(
        mut out: W,
        seed: u64,
        number: u64,
        time: i64,
        producer: Address,
        tokens: &[(Address, u8, &str)],
    ) -> io::Result<Self> {
        line(&mut out, "eth_chainId", &json!([]), &json!(quantity(number.into())))?;
        for (token, decimals, symbol) in tokens {
            let asked = |input: &str| json!([{"to": text(token), "data": input}, "latest"]);
            line(&mut out, "eth_call", &asked("0x313ce567"), &json!(text(&of_number((*decimals).into()))))?;
            let mut words = [of_number(32), of_number(symbol.len() as u128), [0; 32]].concat();
            words[64..64 + symbol.len()].copy_from_slice(symbol.as_bytes());
            line(&mut out, "eth_call", &asked("0x95d89b41"), &json!(text(&words)))?;
        }
        Ok(Self {
            out,
            seed,
            number,
            height: 0,
            time,
            parent: [0; 32],
            producer,
            waiting: Vec::new(),
            granted: Vec::new(),
            balances: BTreeMap::new(),
            counts: EvmCounts::default(),
        })
    }

    pub const fn height(&self) -> u64 {
        self.height
    }

    pub const fn time(&self) -> i64 {
        self.time
    }

    /// What somebody has of a token, or of the native coin.
    pub fn balance(&self, of: Address, asset: Address) -> u128 {
        self.balances.get(&(of, asset)).copied().unwrap_or(0)
    }

    /// Brings native coin into being: a withdrawal of a staker's, in whole billionths.
    pub fn grant(&mut self, to: Address, billionths: u128) {
        self.granted.push((to, billionths));
        self.add(to, NATIVE, billionths * 1_000_000_000);
    }

    fn add(&mut self, to: Address, asset: Address, amount: u128) {
        *self.balances.entry((to, asset)).or_default() += amount;
    }

    fn take(&mut self, from: Address, asset: Address, amount: u128) {
        let balance = self.balances.entry((from, asset)).or_default();
        *balance = balance.checked_sub(amount).expect("nobody here pays what they do not have");
    }

    fn pay(&mut self, from: Address, to: Address, value: u128) {
        self.take(from, NATIVE, value);
        self.add(to, NATIVE, value);
    }

    /// Begins a transaction: its outermost call.
    pub fn begin(&mut self, from: Address, to: Address, value: u128) -> Transaction {
        self.pay(from, to, value);
        let call = Call { from, to, value, place: Vec::new(), error: None };
        Transaction { from, calls: vec![call], logs: Vec::new(), gas_used: 21_000 }
    }

    /// A call of the outermost one's.
    pub fn call(&mut self, transaction: &mut Transaction, from: Address, to: Address, value: u128) {
        self.pay(from, to, value);
        transaction.inner(from, to, value, None);
    }

    /// A token's transfer. The zero address mints and burns.
    pub fn transfer(
        &mut self,
        transaction: &mut Transaction,
        token: Address,
        from: Address,
        to: Address,
        amount: u128,
    ) {
        if from != ZERO {
            self.take(from, token, amount);
        }
        if to != ZERO {
            self.add(to, token, amount);
        }
        let topics = vec![topic("Transfer(address,address,uint256)"), of_address(from), of_address(to)];
        transaction.log(token, topics, &[of_number(amount)]);
    }

    /// Native coin becomes the wrapped token of the contract `wrapper`, within a transaction.
    pub fn wrap(&mut self, transaction: &mut Transaction, wrapper: Address, holder: Address, amount: u128) {
        self.call(transaction, holder, wrapper, amount);
        self.add(holder, wrapper, amount);
        transaction.log(wrapper, vec![topic("Deposit(address,uint256)"), of_address(holder)], &[of_number(amount)]);
    }

    /// The wrapped token becomes native coin again.
    pub fn unwrap(&mut self, transaction: &mut Transaction, wrapper: Address, holder: Address, amount: u128) {
        self.take(holder, wrapper, amount);
        transaction.log(wrapper, vec![topic("Withdrawal(address,uint256)"), of_address(holder)], &[of_number(amount)]);
        self.call(transaction, wrapper, holder, amount);
    }

    /// Ends a transaction: gas is paid, and it waits for its block. Returns its id.
    pub fn end(&mut self, transaction: Transaction) -> String {
        let gas = transaction.gas_used;
        self.take(transaction.from, NATIVE, gas * (BASE_FEE + TIP));
        self.add(self.producer, NATIVE, gas * TIP);
        let hash: Word = Sha256::new()
            .chain_update(b"exercise transaction")
            .chain_update(self.seed.to_le_bytes())
            .chain_update(self.number.to_le_bytes())
            .chain_update(self.counts.transactions.to_le_bytes())
            .finalize()
            .into();
        self.counts.transactions += 1;
        self.counts.logs += transaction.logs.len() as u64;
        self.counts.calls += transaction.calls.len() as u64;
        self.waiting.push(Sealed { hash, transaction });
        text(&hash)
    }

    /// Seals the block and writes the answers about it.
    pub fn seal(&mut self) -> io::Result<()> {
        let mut hash = Sha256::new().chain_update(self.parent).chain_update(self.number.to_le_bytes());
        hash.update(self.height.to_le_bytes());
        for sealed in &self.waiting {
            hash.update(sealed.hash);
        }
        let hash: Word = hash.finalize().into();
        let written = Written { hash, height: self.height, waiting: &self.waiting };
        let (receipts, bloom) = written.receipts();
        let (number, full) = (quantity(self.height.into()), written.transactions(self.number));
        let withdrawals: Vec<Value> = (0u128..)
            .zip(&self.granted)
            .map(|(at, (to, billionths))| {
                let (index, amount) = (quantity(at), quantity(*billionths));
                json!({"index": index, "validatorIndex": index, "address": text(to), "amount": amount})
            })
            .collect();
        let gas: u128 = self.waiting.iter().map(|sealed| sealed.transaction.gas_used).sum();
        let block = json!({
            "number": number, "hash": text(&hash), "parentHash": text(&self.parent),
            "timestamp": quantity(u128::try_from(self.time).expect("exercises play in this century")),
            "miner": text(&self.producer), "baseFeePerGas": quantity(BASE_FEE), "gasUsed": quantity(gas),
            "gasLimit": quantity(30_000_000), "difficulty": "0x0", "logsBloom": text(&bloom),
            "transactions": full, "withdrawals": withdrawals, "uncles": [],
        });
        line(&mut self.out, "eth_getBlockByNumber", &json!([number, true]), &block)?;
        line(&mut self.out, "eth_getBlockReceipts", &json!([number]), &json!(receipts))?;
        line(&mut self.out, "trace_block", &json!([number]), &json!(written.traces()))?;
        self.waiting.clear();
        self.granted.clear();
        self.parent = hash;
        self.height += 1;
        self.time += BLOCK_SECONDS;
        self.counts.blocks += 1;
        Ok(())
    }

    /// Writes what is left to be written.
    pub fn finish(mut self) -> io::Result<EvmCounts> {
        self.out.flush()?;
        Ok(self.counts)
    }
}

impl Transaction {
    fn inner(&mut self, from: Address, to: Address, value: u128, error: Option<&'static str>) -> usize {
        let place = vec![self.calls.iter().filter(|call| call.place.len() == 1).count()];
        self.calls.push(Call { from, to, value, place, error });
        self.gas_used += 9_000;
        self.calls.len() - 1
    }

    /// A call that fails, and with it what it had paid on: nothing of it moves.
    pub fn failing_call(&mut self, from: Address, to: Address, value: u128) {
        let at = self.inner(from, to, value, Some("Reverted"));
        let place = [&self.calls[at].place[..], &[0]].concat();
        self.calls.push(Call { from: to, to: from, value, place, error: None });
    }

    /// Writes a log.
    pub fn log(&mut self, contract: Address, topics: Vec<Word>, data: &[Word]) {
        self.logs.push(Log { contract, topics, data: data.concat() });
        self.gas_used += 12_000;
    }
}

/// A block that is being written.
struct Written<'a> {
    hash: Word,
    height: u64,
    waiting: &'a [Sealed],
}

impl Written<'_> {
    fn number(&self) -> String {
        quantity(self.height.into())
    }

    fn transactions(&self, chain: u64) -> Vec<Value> {
        let whole = self.waiting.iter().enumerate().map(|(at, Sealed { hash, transaction })| {
            let outer = &transaction.calls[0];
            let price = quantity(BASE_FEE + TIP);
            json!({
                "hash": text(hash), "blockHash": text(&self.hash), "blockNumber": self.number(),
                "transactionIndex": quantity(at as u128), "from": text(&outer.from), "to": text(&outer.to),
                "value": quantity(outer.value), "gas": quantity(transaction.gas_used * 2), "gasPrice": price,
                "maxFeePerGas": price, "maxPriorityFeePerGas": quantity(TIP), "input": "0x", "nonce": "0x0",
                "type": "0x2", "chainId": quantity(chain.into()),
            })
        });
        whole.collect()
    }

    fn receipts(&self) -> (Vec<Value>, [u8; 256]) {
        let mut of_block = [0; 256];
        let (mut gas, mut index) = (0, 0u128);
        let mut receipts = Vec::with_capacity(self.waiting.len());
        for (at, Sealed { hash, transaction }) in self.waiting.iter().enumerate() {
            gas += transaction.gas_used;
            let mut bloom = [0; 256];
            let mut logs = Vec::with_capacity(transaction.logs.len());
            for log in &transaction.logs {
                mark(&mut bloom, &log.contract);
                log.topics.iter().for_each(|topic| mark(&mut bloom, topic));
                let topics: Vec<String> = log.topics.iter().map(|topic| text(topic)).collect();
                logs.push(json!({
                    "address": text(&log.contract), "topics": topics, "data": text(&log.data),
                    "blockHash": text(&self.hash), "blockNumber": self.number(), "transactionHash": text(hash),
                    "transactionIndex": quantity(at as u128), "logIndex": quantity(index), "removed": false,
                }));
                index += 1;
            }
            for (all, one) in of_block.iter_mut().zip(bloom) {
                *all |= one;
            }
            let outer = &transaction.calls[0];
            receipts.push(json!({
                "transactionHash": text(hash), "transactionIndex": quantity(at as u128), "blockHash": text(&self.hash),
                "blockNumber": self.number(), "from": text(&outer.from), "to": text(&outer.to),
                "gasUsed": quantity(transaction.gas_used), "cumulativeGasUsed": quantity(gas),
                "effectiveGasPrice": quantity(BASE_FEE + TIP), "contractAddress": null, "logs": logs,
                "logsBloom": text(&bloom), "status": "0x1", "type": "0x2",
            }));
        }
        (receipts, of_block)
    }

    fn traces(&self) -> Vec<Value> {
        let mut traces = Vec::new();
        for (at, Sealed { hash, transaction }) in self.waiting.iter().enumerate() {
            // A tree is printed from the root down, each call before those that it makes.
            let mut calls: Vec<&Call> = transaction.calls.iter().collect();
            calls.sort_by(|a, b| a.place.cmp(&b.place));
            for call in &calls {
                let below = calls
                    .iter()
                    .filter(|other| other.place.len() == call.place.len() + 1 && other.place.starts_with(&call.place));
                let action = json!({
                    "callType": "call", "from": text(&call.from), "to": text(&call.to), "gas": "0x0", "input": "0x",
                    "value": quantity(call.value),
                });
                let mut trace = json!({
                    "action": action, "blockHash": text(&self.hash), "blockNumber": self.height,
                    "subtraces": below.count(), "traceAddress": call.place, "transactionHash": text(hash),
                    "transactionPosition": at, "type": "call",
                });
                match call.error {
                    Some(error) => trace["error"] = json!(error),
                    None => trace["result"] = json!({"gasUsed": "0x0", "output": "0x"}),
                }
                traces.push(trace);
            }
        }
        traces
    }
}

fn line(out: &mut impl Write, method: &str, params: &Value, result: &Value) -> io::Result<()> {
    let answer = json!({"jsonrpc": "2.0", "id": 0, "result": result});
    serde_json::to_writer(&mut *out, &json!({"method": method, "params": params, "answer": answer}))?;
    out.write_all(b"\n")
}
