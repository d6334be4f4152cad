//! Real blocks as nodes answered them: how many of everything they hold, and what becomes of them when an answer lies.

mod common;

use common::{results, shared};
use evm::{Answers, Chain, Decoded, KeepEvents, Logs, Material, Method, Tokens, Traces, decode_block};

struct Recorded {
    block: String,
    logs: String,
}

fn recorded() -> Option<Recorded> {
    let blocks = shared("ethereum/block-18000000/block-18000000.json")?;
    let logs = shared("ethereum/block-18000000/logs-18000000.json")?;
    Some(Recorded { block: results(&blocks).swap_remove(0), logs: results(&logs).swap_remove(1) })
}

fn decode(block: &str, logs: &str) -> Result<Decoded, evm::BlockFault> {
    let chain = Chain::of(1).unwrap();
    let material = Material { block, logs: Logs::Logs(logs), traces: Traces::None };
    decode_block(&chain, &Tokens::built_in(&chain), &KeepEvents::All, &material)
}

#[test]
fn block_18000000_has_its_transactions_logs_and_transfers() {
    let Some(Recorded { block, logs }) = recorded() else { return };
    let decoded = decode(&block, &logs).unwrap();
    assert_eq!(decoded.block.height, 18_000_000);
    // 94 transactions, and the withdrawals of stakers.
    assert_eq!(decoded.block.transactions.len(), 95);
    assert_eq!(decoded.block.transactions[94].name, "block:18000000");
    assert_eq!(decoded.block.transactions[94].legs.len(), 16);
    let legs = || decoded.block.transactions.iter().flat_map(|transaction| &transaction.legs);
    let of = |standard: &str| legs().filter(|leg| leg.asset.starts_with(&format!("eip155:1/{standard}:"))).count();
    assert_eq!((of("erc721"), of("erc1155")), (2, 0));
    let weth = "eip155:1/erc20:0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2";
    let wrapped = legs().filter(|leg| leg.asset == weth && (leg.from.is_none() || leg.to.is_none())).count();
    assert_eq!(of("erc20") - wrapped, 141, "ERC-20 transfers without the making of wrapped ether");
    let approvals = logs.matches("0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925").count();
    assert_eq!(decoded.block.events.len(), 291 - 143 - approvals, "all logs but transfers and approvals are kept");
    assert!(decoded.block.gaps.traces && decoded.block.gaps.receipts && !decoded.block.gaps.logs);
}

#[test]
fn the_tokens_of_a_block_are_known_before_it_is_decoded() {
    let Some(Recorded { block, logs }) = recorded() else { return };
    let chain = Chain::of(1).unwrap();
    let material = Material { block: &block, logs: Logs::Logs(&logs), traces: Traces::None };
    let answers = Answers::read(&chain, &material).unwrap();
    let contracts = answers.tokens();
    assert!(contracts.is_sorted() && contracts.len() > 20);
    assert_eq!(contracts, evm::tokens_of(&chain, &material));
    let mut tokens = Tokens::built_in(&chain);
    for contract in &contracts {
        tokens.add_decimals(*contract, 18);
    }
    assert_eq!(answers.decode(&chain, &tokens, &KeepEvents::None).unwrap().problems, []);
}

#[test]
fn what_was_changed_in_an_answer_is_named_with_its_method() {
    let Some(Recorded { block, logs }) = recorded() else { return };
    let hash = "0x95b198e154acbfc64109dfd22d8224fe927fd8dfdedfae01587674482ba4baf3";
    let cases: [(&str, String, String, Method, &str); 9] = [
        ("a withdrawal", block.replacen("0xeb9b8c", "0xeb9b8d", 1), logs.clone(), Method::Block, "withdrawalsRoot"),
        ("null", "null".into(), logs.clone(), Method::Block, "null"),
        ("cut", block[..1000].into(), logs.clone(), Method::Block, "EOF"),
        ("null logs", block.clone(), "null".into(), Method::Logs, "null"),
        ("a null log", block.clone(), "[null]".into(), Method::Logs, "a log with its fields"),
        ("no logs", block.clone(), "[]".into(), Method::Logs, "bloom"),
        (
            "another hash",
            block.clone(),
            logs.replacen(hash, &hash.replace("95b1", "95b2"), 1),
            Method::Logs,
            "of block",
        ),
        (
            "an index",
            block.clone(),
            logs.replacen("\"logIndex\":\"0x5\"", "\"logIndex\":\"0x6\"", 1),
            Method::Logs,
            "log 6",
        ),
        ("a topic", block.clone(), logs.replacen("0xddf252ad1be2", "0xddf252ad1be3", 1), Method::Logs, "bloom"),
    ];
    for (name, block, logs, method, what) in cases {
        let fault = decode(&block, &logs).unwrap_err();
        assert_eq!(fault.method, method, "{name}: {fault}");
        assert!(fault.to_string().contains(what), "{name}: {fault}");
    }
}

/// A block of a local node: six transactions of three types, one of which failed, with five logs.
const SIX: &str = include_str!("made/six.ndjson");

#[test]
fn the_root_of_the_receipts_proves_what_no_filter_does() {
    let (block, receipts) = SIX.trim().split_once('\n').unwrap();
    let chain = Chain::of(31_337).unwrap();
    let read = |receipts: &str| {
        let material = Material { block, logs: Logs::Receipts(receipts), traces: Traces::None };
        decode_block(&chain, &Tokens::built_in(&chain), &KeepEvents::All, &material)
    };
    assert_eq!(read(receipts).unwrap().block.transactions.len(), 6);
    let changes = [
        ("an amount", "0000000000000005\"", "0000000000000006\""),
        ("a failure", "\"status\":\"0x0\"", "\"status\":\"0x1\""),
        ("a type", "\"type\":\"0x1\"", "\"type\":\"0x2\""),
    ];
    for (name, from, to) in changes {
        assert!(receipts.contains(from), "{name}");
        let fault = read(&receipts.replacen(from, to, 1)).unwrap_err();
        assert_eq!(fault.method, Method::Receipts, "{name}: {fault}");
        assert!(fault.to_string().contains("receiptsRoot"), "{name}: {fault}");
    }
}
