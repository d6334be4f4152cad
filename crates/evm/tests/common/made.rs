//! Made-up blocks, small enough to do by hand: a block with transactions, receipts, logs, and traces of both kinds.
#![allow(dead_code, reason = "not every test needs all of it")]

use evm::{Chain, Decoded, KeepEvents, Logs, Material, Tokens, Traces, decode_block};
use serde_json::{Value, json};

pub const BLOCK: u64 = 0x10;
pub const MINER: &str = "0x000000000000000000000000000000000000aaaa";

/// An account by a small number.
pub fn account(number: u64) -> String {
    format!("0x{number:040x}")
}

pub fn word(number: u64) -> String {
    format!("0x{number:064x}")
}

pub fn hex(number: impl Into<u128>) -> String {
    format!("0x{:x}", number.into())
}

pub fn block_hash() -> String {
    word(0xb10c)
}

pub fn hash(at: usize) -> String {
    word(0x1000 + at as u64)
}

/// A block without a bloom filter, at a base fee of 7 wei.
pub fn block(transactions: Vec<Value>) -> Value {
    let transactions: Vec<Value> = transactions
        .into_iter()
        .enumerate()
        .map(|(at, transaction)| {
            let mut whole = json!({
                "hash": hash(at), "blockHash": block_hash(), "blockNumber": hex(BLOCK), "transactionIndex": hex(at as u64),
                "from": account(1), "to": account(2), "value": "0x0", "gas": "0x100000", "gasPrice": hex(10_u64),
                "input": "0x", "nonce": "0x0", "type": "0x0",
            });
            merge(&mut whole, transaction);
            whole
        })
        .collect();
    json!({
        "number": hex(BLOCK), "hash": block_hash(), "parentHash": word(0xb10b), "timestamp": "0x64000000", "miner": MINER,
        "baseFeePerGas": "0x7", "transactions": transactions, "unknownField": {"deep": [1, 2, {"x": null}]},
    })
}

pub fn merge(into: &mut Value, from: Value) {
    let (Value::Object(into), Value::Object(from)) = (into, from) else { return };
    for (key, value) in from {
        if value.is_null() {
            into.remove(&key);
        } else {
            into.insert(key, value);
        }
    }
}

/// A log, to be numbered by [`receipts`].
pub fn log(contract: u64, topics: &[String], data: &str) -> Value {
    json!({"address": account(contract), "topics": topics, "data": data, "removed": false})
}

/// A successful receipt of 100 gas at 10 wei for each list of logs, changed as said.
pub fn receipts(each: Vec<(Vec<Value>, Value)>) -> Value {
    let mut index = 0_u64;
    let mut gas = 0_u64;
    let mut all = Vec::new();
    for (at, (logs, change)) in each.into_iter().enumerate() {
        let place = json!({
            "transactionHash": hash(at), "transactionIndex": hex(at as u64), "blockHash": block_hash(), "blockNumber": hex(BLOCK),
        });
        let mut list = Vec::new();
        for mut log in logs {
            merge(&mut log, place.clone());
            merge(&mut log, json!({"logIndex": hex(index)}));
            index += 1;
            list.push(log);
        }
        let mut receipt =
            json!({"gasUsed": hex(100_u64), "effectiveGasPrice": hex(10_u64), "status": "0x1", "logs": list});
        merge(&mut receipt, place);
        merge(&mut receipt, change);
        gas += u64::from_str_radix(&receipt["gasUsed"].as_str().unwrap()[2..], 16).unwrap();
        merge(&mut receipt, json!({"cumulativeGasUsed": hex(gas)}));
        all.push(receipt);
    }
    Value::Array(all)
}

/// A call of a tree: type, from, to, value, whether it failed, and what it called.
#[derive(Clone, Debug)]
pub struct Call(pub &'static str, pub u64, pub u64, pub u64, pub bool, pub Vec<Call>);

pub fn geth(roots: &[Call]) -> Value {
    fn tree(call: &Call) -> Value {
        let mut frame = json!({"from": account(call.1), "gas": "0x1", "to": account(call.2), "input": "0x\\{}]\""});
        if !call.5.is_empty() {
            merge(&mut frame, json!({"calls": call.5.iter().map(tree).collect::<Vec<_>>()}));
        }
        if call.4 {
            merge(&mut frame, json!({"error": "execution reverted", "revertReason": "\"}],{"}));
        }
        if call.0 != "STATICCALL" {
            merge(&mut frame, json!({"value": hex(call.3)}));
        }
        merge(&mut frame, json!({"type": call.0, "logs": [{"topics": []}]}));
        frame
    }
    let each = roots.iter().enumerate().map(|(at, root)| json!({"txHash": hash(at), "result": tree(root)}));
    Value::Array(each.collect())
}

pub fn parity(roots: &[Call]) -> Value {
    fn walk(call: &Call, at: usize, path: &mut Vec<usize>, all: &mut Vec<Value>) {
        let (from, to, value) = (account(call.1), account(call.2), hex(call.3));
        let mut trace = match call.0 {
            "CREATE" | "CREATE2" => json!({
                "type": "create", "action": {"from": from, "value": value, "init": "0x"}, "result": {"address": to, "code": "0x"},
            }),
            "SELFDESTRUCT" => json!({
                "type": "suicide", "action": {"address": from, "refundAddress": to, "balance": value}, "result": null,
            }),
            kind => json!({
                "type": "call", "result": {"output": "0x"},
                "action": {"callType": kind.to_lowercase(), "from": from, "to": to, "value": value, "input": "0x"},
            }),
        };
        if call.4 {
            merge(&mut trace, json!({"error": "Reverted", "result": null}));
        }
        merge(
            &mut trace,
            json!({
                "traceAddress": path, "subtraces": call.5.len(), "transactionHash": hash(at), "transactionPosition": at,
                "blockHash": block_hash(), "blockNumber": BLOCK,
            }),
        );
        all.push(trace);
        for (child, call) in call.5.iter().enumerate() {
            path.push(child);
            walk(call, at, path, all);
            path.pop();
        }
    }
    let mut all = Vec::new();
    for (at, root) in roots.iter().enumerate() {
        walk(root, at, &mut Vec::new(), &mut all);
    }
    Value::Array(all)
}

/// What a made-up block becomes, on Ethereum.
pub fn decode(block: &Value, receipts: Option<&Value>, traces: Traces<'_>) -> Result<Decoded, evm::BlockFault> {
    decode_on(&Chain::of(1).unwrap(), block, receipts, traces)
}

pub fn decode_on(
    chain: &Chain,
    block: &Value,
    receipts: Option<&Value>,
    traces: Traces<'_>,
) -> Result<Decoded, evm::BlockFault> {
    decode_with(chain, &Tokens::built_in(chain), block, receipts, traces)
}

pub fn decode_with(
    chain: &Chain,
    tokens: &Tokens,
    block: &Value,
    receipts: Option<&Value>,
    traces: Traces<'_>,
) -> Result<Decoded, evm::BlockFault> {
    let (block, receipts) = (block.to_string(), receipts.map(Value::to_string));
    let logs = receipts.as_deref().map_or(Logs::None, Logs::Receipts);
    let material = Material { block: &block, logs, traces };
    decode_block(chain, tokens, &KeepEvents::All, &material)
}

/// The legs of a transaction as lines: `FROM>TO AMOUNT ASSET`, accounts as small numbers, fees with an `f`, nobody as `-`.
pub fn legs(decoded: &Decoded, at: usize) -> Vec<String> {
    let name = |end: &Option<String>| match end.as_deref() {
        None => "-".to_owned(),
        Some(MINER) => "miner".to_owned(),
        Some(account) => format!("{:x}", u128::from_str_radix(&account[10..], 16).unwrap()),
    };
    let leg = |leg: &ledger::AccountLeg| {
        let fee = if leg.kind == ledger::LegKind::Fee { "f" } else { "" };
        let asset = leg.asset.split_once('/').map_or(leg.asset.as_str(), |(_, token)| token);
        let asset = asset.split_once(":0x").map_or(asset, |(standard, _)| standard);
        format!("{}>{} {}{fee} {asset}", name(&leg.from), name(&leg.to), leg.amount.units())
    };
    decoded.block.transactions[at].legs.iter().map(leg).collect()
}
