//! Exported blocks: reference transfers, and account by account the balances that traces, logs and fees add up to. The sums
//! are made a second time here, straight from the rows, in the slowest and plainest way.

mod common;

use std::collections::BTreeMap;

use common::shared;
use evm::exports::{Exports, Tables};
use evm::{Chain, Decoded, KeepEvents, Problem, Tokens};
use ledger::LegKind;

const FOLDER: &str = "ethereum/blocks-15000000";
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const DEPOSIT: &str = "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c";
const WITHDRAWAL: &str = "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65";
const WETH: &str = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2";
const USDT: &str = "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7";
const ZERO: &str = "0x0000000000000000000000000000000000000000";

struct Files {
    blocks: String,
    transactions: String,
    traces: String,
    logs: String,
}

fn files() -> Option<Files> {
    let file = |name: &str| shared(&format!("{FOLDER}/{name}"));
    Some(Files {
        blocks: file("blocks.csv")?,
        transactions: file("transactions.csv")?,
        traces: file("traces.csv")?,
        logs: file("logs.json")?,
    })
}

fn read(files: &Files) -> Result<Vec<Decoded>, String> {
    let chain = Chain::of(1).unwrap();
    let tokens = Tokens::built_in(&chain);
    let tables = Tables {
        blocks: files.blocks.as_bytes(),
        transactions: Some(files.transactions.as_bytes()),
        receipts: None,
        logs: Some(files.logs.as_bytes()),
        traces: Some(files.traces.as_bytes()),
    };
    let exports = Exports::new(&chain, &tokens, &KeepEvents::None, tables).map_err(|fault| fault.to_string())?;
    exports.collect::<Result<_, _>>().map_err(|fault| fault.to_string())
}

/// What every account gains and loses, by asset; tokens with all units of all pieces.
type Sums = BTreeMap<(String, String), i128>;

fn add(sums: &mut Sums, account: &str, asset: &str, amount: i128) {
    if !account.is_empty() {
        *sums.entry((account.to_owned(), asset.to_owned())).or_default() += amount;
    }
}

fn booked(blocks: &[Decoded]) -> Sums {
    let mut sums = Sums::new();
    for leg in blocks.iter().flat_map(|decoded| &decoded.block.transactions).flat_map(|tx| &tx.legs) {
        let amount = i128::try_from(leg.amount.units()).unwrap();
        add(&mut sums, leg.from.as_deref().unwrap_or_default(), &leg.asset, -amount);
        add(&mut sums, leg.to.as_deref().unwrap_or_default(), &leg.asset, amount);
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

fn rows(table: &str) -> impl Iterator<Item = BTreeMap<&str, &str>> {
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines.filter(|line| !line.is_empty()).map(move |line| header.iter().copied().zip(line.split(',')).collect())
}

fn counted(files: &Files) -> Sums {
    let mut sums = Sums::new();
    // Round values are written with an exponent there.
    let number = |text: &str| match text.split_once('e') {
        Some((digits, zeros)) => digits.parse::<i128>().unwrap() * 10_i128.pow(zeros.parse().unwrap()),
        None if text.is_empty() => 0,
        None => text.parse().unwrap(),
    };
    let failed: Vec<&str> = rows(&files.traces).filter(|row| row["status"] == "0").map(|row| row["traceId"]).collect();
    for row in rows(&files.traces) {
        let id = row["traceId"];
        let is_void = failed.iter().any(|above| {
            let tail = |id: &str| id.split_once('_').unwrap().1.to_owned();
            id == *above
                || (!row["txHash"].is_empty()
                    && (tail(id).starts_with(&format!("{}_", tail(above).trim_end_matches('_')))))
        });
        if is_void || !["call", ""].contains(&row["callType"]) || row["fromAddress"] == row["toAddress"] {
            continue;
        }
        add(&mut sums, row["fromAddress"], "ETH", -number(row["value"]));
        add(&mut sums, row["toAddress"], "ETH", number(row["value"]));
    }
    let headers: BTreeMap<&str, BTreeMap<&str, &str>> = rows(&files.blocks).map(|row| (row["blockId"], row)).collect();
    for row in rows(&files.transactions) {
        let (header, gas) = (&headers[row["blockId"]], number(row["receiptGasUsed"]));
        if row["blockHash"] != header["blockHash"] {
            continue;
        }
        add(&mut sums, row["fromAddress"], "ETH", -gas * number(row["gasPrice"]));
        add(&mut sums, header["miner"], "ETH", gas * (number(row["gasPrice"]) - number(header["baseFeePerGas"])));
    }
    for line in files.logs.lines() {
        let log: serde_json::Value = serde_json::from_str(line).unwrap();
        let contract = log["address"].as_str().unwrap();
        let topics: Vec<&str> = log["topics"].as_array().unwrap().iter().map(|topic| topic.as_str().unwrap()).collect();
        let data = log["data"].as_str().unwrap();
        let amount = || i128::from_str_radix(&data[2..66], 16);
        let account = |topic: &str| format!("0x{}", &topic[26..]);
        let (from, to, asset, units) = match (topics.first().copied(), topics.len()) {
            (Some(TRANSFER), 3) => (account(topics[1]), account(topics[2]), "erc20", amount()),
            (Some(TRANSFER), 4) => (account(topics[1]), account(topics[2]), "erc721", Ok(1)),
            (Some(DEPOSIT), 2) if contract == WETH => (ZERO.to_owned(), account(topics[1]), "erc20", amount()),
            (Some(WITHDRAWAL), 2) if contract == WETH => (account(topics[1]), ZERO.to_owned(), "erc20", amount()),
            _ => continue,
        };
        let asset = format!("eip155:1/{asset}:{contract}");
        let units = units.expect("no amount of these blocks is above 127 bits");
        for (end, sign) in [(from, -1), (to, 1)] {
            if end != ZERO {
                add(&mut sums, &end, &asset, sign * units);
            }
        }
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

#[test]
fn balances_close_over_traces_logs_and_fees_account_by_account() {
    let Some(files) = files() else { return };
    let blocks = read(&files).unwrap();
    let heights: Vec<u64> = blocks.iter().map(|decoded| decoded.block.height).collect();
    assert_eq!((heights.len(), heights[0], heights[1]), (90, 0, 46_147));
    let (mut booked, counted) = (booked(&blocks), counted(&files));
    // Pieces of several kinds are counted by a test of their own.
    booked.retain(|(_, asset), _| !asset.contains("erc1155"));
    assert!(booked.len() > 1_900, "{}", booked.len());
    for key in booked.keys().chain(counted.keys()) {
        assert_eq!(booked.get(key), counted.get(key), "{key:?}");
    }
}

#[test]
fn every_transaction_is_there_in_order_and_gaps_are_told() {
    let Some(files) = files() else { return };
    let blocks = read(&files).unwrap();
    let hashes: Vec<&str> = rows(&files.blocks).map(|row| row["blockHash"]).collect();
    let is_real = |row: &BTreeMap<&str, &str>| hashes.contains(&row["blockHash"]) && row["blockId"] >= "15000000";
    let known: BTreeMap<&str, usize> = rows(&files.transactions)
        .filter(is_real)
        .map(|row| (row["txHash"], row["transactionIndex"].parse().unwrap()))
        .collect();
    let mut placed = 0;
    for (decoded, transactions) in blocks.iter().rev().zip([179, 185, 138, 229, 348]) {
        // All transactions, and the block's reward.
        assert_eq!(decoded.block.transactions.len(), transactions + 1);
        for (at, transaction) in decoded.block.transactions.iter().enumerate() {
            if let Some(index) = known.get(transaction.name.as_str()) {
                assert_eq!(at, *index, "{}", transaction.name);
                placed += 1;
            }
        }
        let gaps = decoded.block.gaps;
        assert!(gaps.receipts && !gaps.traces && !gaps.logs, "only some transactions have their gas");
    }
    assert_eq!(placed, 316);
    // Six rows of transactions and three of traces are of other blocks: they are named, and left out.
    let strays: Vec<String> = blocks
        .iter()
        .flat_map(|decoded| &decoded.problems)
        .filter(|problem| matches!(problem, Problem::Stray { .. }))
        .map(ToString::to_string)
        .collect();
    assert_eq!(strays.len(), 9, "{strays:#?}");
    let genesis = &blocks[0].block;
    assert_eq!((genesis.previous, genesis.transactions[0].legs.len()), (None, 5));
}

#[test]
fn the_reference_transfers_of_usdt_are_all_there() {
    let Some(files) = files() else { return };
    let Some(reference) = shared(&format!("{FOLDER}/reference/USDT_token_transfers.json")) else { return };
    let blocks = read(&files).unwrap();
    let hex = |text: &serde_json::Value| format!("0x{}", ledger::hex::text(&base64(text.as_str().unwrap())));
    let mut want: Vec<(String, String, String, u128)> = reference
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|row| (hex(&row["txHash"]), hex(&row["from"]), hex(&row["to"]), row["value"].as_u64().unwrap().into()))
        .collect();
    let mut have: Vec<(String, String, String, u128)> = blocks
        .iter()
        .flat_map(|decoded| &decoded.block.transactions)
        .flat_map(|tx| tx.legs.iter().map(move |leg| (tx, leg)))
        .filter(|(_, leg)| leg.asset == USDT && leg.kind == LegKind::Transfer)
        .map(|(tx, leg)| (tx.name.clone(), leg.from.clone().unwrap(), leg.to.clone().unwrap(), leg.amount.units()))
        .collect();
    want.sort();
    have.sort();
    assert_eq!(want.len(), 143);
    assert_eq!(have, want);
    assert_eq!(have.iter().map(|row| row.3).sum::<u128>(), 6_285_321_194_351);
}

fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        (bits, count) = (bits << 6 | u32::from(digit(byte)), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

#[test]
fn what_is_wrong_is_named_by_table_line_and_column() {
    let Some(good) = files() else { return };
    let with = |change: &dyn Fn(&mut Files)| {
        let Files { blocks, transactions, traces, logs } = &good;
        let mut files = Files {
            blocks: blocks.clone(),
            transactions: transactions.clone(),
            traces: traces.clone(),
            logs: logs.clone(),
        };
        change(&mut files);
        read(&files).map(|blocks| blocks.len()).unwrap_err()
    };
    let fault = with(&|files| files.traces = files.traces.replacen(",31337,1,call,", ",3133x,1,call,", 1));
    assert!(fault.starts_with("traces:7:value: \"3133x\" is no whole number"), "{fault}");
    let fault = with(&|files| files.blocks = files.blocks.replacen("parentHash", "parent", 1));
    assert!(fault.starts_with("blocks:1: there is no column parent_hash or parentHash"), "{fault}");
    let fault = with(&|files| files.logs.truncate(files.logs.len() - 200));
    assert!(fault.starts_with("logs:2228:") && fault.contains("JSON"), "{fault}");
    let fault = with(&|files| files.logs = files.logs.lines().skip(1).collect::<Vec<_>>().join("\n"));
    assert!(fault.contains("log 438 of block 15000000 is missing"), "{fault}");
    let fault = with(&|files| files.logs = files.logs.replace("0xddf252ad", "0xddf252ae"));
    assert!(fault.contains("bloom"), "{fault}");
    let fault = with(&|files| {
        files.blocks =
            files.blocks.lines().filter(|line| !line.starts_with("15000,15000001,")).collect::<Vec<_>>().join("\n");
    });
    assert!(fault.contains("a row of block 15000001, which is not among the blocks"), "{fault}");
    let fault = with(&|files| {
        files.transactions.push_str("5c504,0x12\n");
    });
    assert!(fault.contains("2 fields where the header has 14"), "{fault}");
    let fault = with(&|files| files.traces.clear());
    assert_eq!(fault, "traces: the table is empty; a table has a header at least");
}
