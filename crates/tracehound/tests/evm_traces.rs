//! A live EVM chain's blocks, read from each kind of trace: the legs are the same, and so are the balances that they make.
//!
//! Here the answers are asked for by the tests' own client and handed to the decoder alone, so that no fault of fetching
//! or storing can hide one of reading.

mod common;
mod evm;

use ::evm::{Chain, Flags, KeepEvents, Logs, Material, Problem, Token, Tokens, Traces, decode_block};
use evm::play;
use evm::stage::Stage;
use ledger::memory::MemoryLedger;
use ledger::{AccountBlock, Kind, Ledger as _, LedgerId, Seq};
use money::Asset;
use serde_json::json;

/// 2^255, which the play mints of one token.
const BEYOND: &str = "57896044618658097711785492504343953926634992332820282019728792003956564819968";

/// How each block is read.
#[derive(Clone, Copy)]
enum By {
    Parity,
    Geth,
    Logs,
    Nothing,
}

/// What the tables do not know of the play's tokens.
fn tokens(stage: &Stage, chain: &Chain) -> Tokens {
    let mut tokens = Tokens::built_in(chain);
    let bytes = |name| ledger::hex::bytes(&stage.address(name)[2..]).expect("an address").try_into().expect("20 bytes");
    tokens.add(bytes("weth"), Token { symbol: "WETH".into(), decimals: Some(18), flags: Flags::WRAPPED_NATIVE });
    tokens.add_decimals(bytes("usd"), 6);
    tokens
}

/// Every block of the chain, and the problems.
fn read(stage: &Stage, by: By) -> (Vec<AccountBlock>, Vec<Asset>, Vec<Problem>) {
    let chain = Chain::of(stage.node.chain()).expect("the play runs under a known number");
    let tokens = tokens(stage, &chain);
    let (mut blocks, mut assets, mut problems) = (Vec::new(), Vec::<Asset>::new(), Vec::new());
    for height in 0..=stage.node.tip().0 {
        let at = evm::anvil::hex(height);
        let ask = |method: &str, more: serde_json::Value| stage.node.rpc(method, &more).to_string();
        let block = ask("eth_getBlockByNumber", json!([at, true]));
        let receipts = ask("eth_getBlockReceipts", json!([at]));
        let parity = ask("trace_block", json!([at]));
        let geth = ask("debug_traceBlockByNumber", json!([at, { "tracer": "callTracer" }]));
        let (logs, traces) = match by {
            By::Parity => (Logs::Receipts(&receipts), Traces::Parity(&parity)),
            By::Geth => (Logs::Receipts(&receipts), Traces::Geth(&geth)),
            By::Logs => (Logs::Receipts(&receipts), Traces::None),
            By::Nothing => (Logs::None, Traces::None),
        };
        let material = Material { block: &block, logs, traces };
        let decoded = decode_block(&chain, &tokens, &KeepEvents::All, &material)
            .unwrap_or_else(|fault| panic!("block {height}: {fault}"));
        for asset in decoded.assets {
            if !assets.contains(&asset) {
                assets.push(asset);
            }
        }
        problems.extend(decoded.problems);
        blocks.push(decoded.block);
    }
    (blocks, assets, problems)
}

/// What the blocks come to: each holder's balance of each asset, as (asset, holder, base units), at the end.
fn balances(stage: &Stage, blocks: &[AccountBlock], assets: Vec<Asset>) -> Vec<(String, String, i128)> {
    let id = LedgerId::parse(&stage.node.ledger()).expect("a chain has a name");
    let mut ledger = MemoryLedger::new(id, Kind::Account, assets);
    for block in blocks {
        ledger.push_account_block(block);
    }
    let (mut purses, mut legs) = (std::collections::BTreeSet::new(), Vec::new());
    for seq in 0..ledger.end().0 {
        ledger.transaction(Seq(seq), &mut legs);
        purses.extend(legs.iter().flat_map(|leg| [leg.payer.purse(), leg.payee.purse()]).flatten());
    }
    let signed = |amount: money::Amount| i128::try_from(amount.units()).expect("the play's amounts are small");
    let of = |purse| {
        let what = ledger.purse(purse);
        let moved = signed(ledger.balance(purse, ledger.end())) - signed(ledger.opening(purse));
        (ledger.asset(what.asset).symbol.clone(), ledger.holder_name(what.holder), moved)
    };
    purses.into_iter().map(of).collect()
}

#[test]
fn every_balance_at_the_end_is_the_nodes() {
    let stage = play::whole(1);
    let (height, _) = stage.node.tip();
    let (blocks, assets, problems) = read(&stage, By::Parity);
    let kinds = stage.address("kinds");
    let drifting = ["silent tax", "rebasing"].map(|name| stage.address(name));
    let mut wrong = Vec::new();
    for (asset, holder, moved) in balances(&stage, &blocks, assets) {
        let token = asset.split_once('/').map(|(_, contract)| contract.split_once(':').expect("a kind").1);
        if token.is_some_and(|token| token == kinds || drifting.iter().any(|drifts| drifts == token)) {
            continue;
        }
        let signed = |units: u128| i128::try_from(units).expect("the play's amounts are small");
        let genesis = if token.is_none() { signed(stage.node.balance(&holder, 0)) } else { 0 };
        let node = signed(stage.hold(&[(token, &holder)], height)[0]);
        if moved + genesis != node {
            wrong.push((asset, holder, moved + genesis, node));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // What 126 bits do not hold is refused by name, and nothing else is.
    let too_large: Vec<_> = problems.iter().filter(|problem| matches!(problem, Problem::TooLarge { .. })).collect();
    let [Problem::TooLarge { asset, amount, .. }] = too_large[..] else { panic!("{problems:#?}") };
    assert_eq!((asset.as_str(), amount.to_string().as_str()), (stage.asset("huge").as_str(), BEYOND));
}

#[test]
fn both_kinds_of_traces_tell_the_same() {
    let stage = play::whole(1);
    let (parity, geth) = (read(&stage, By::Parity), read(&stage, By::Geth));
    for (one, other) in parity.0.iter().zip(&geth.0) {
        assert_eq!(one, other);
    }
    assert_eq!((parity.1, parity.2), (geth.1, geth.2));
    assert!(parity.0.iter().all(|block| !block.gaps.any()));
}

#[test]
fn what_is_missing_is_said_and_moves_nothing() {
    let stage = play::whole(1);
    let (whole, logs, nothing) = (read(&stage, By::Parity).0, read(&stage, By::Logs).0, read(&stage, By::Nothing).0);
    for ((whole, logs), nothing) in whole.iter().zip(&logs).zip(&nothing) {
        assert_eq!((whole.hash, whole.transactions.len()), (logs.hash, logs.transactions.len()));
        // Whoever runs no contract has no calls to miss.
        let runs_code = !whole.events.is_empty();
        assert!(logs.gaps.traces || !runs_code, "block {}", whole.height);
        assert!(!logs.gaps.receipts && !logs.gaps.logs);
        assert_eq!(nothing.gaps.receipts, !nothing.transactions.is_empty());
        // Tokens are told by logs alone.
        let tokens = |block: &AccountBlock| {
            let legs = block.transactions.iter().flat_map(|transaction| &transaction.legs);
            legs.filter(|leg| leg.asset.contains('/')).cloned().collect::<Vec<_>>()
        };
        assert_eq!(tokens(whole), tokens(logs));
        assert!(tokens(nothing).is_empty());
    }
}
