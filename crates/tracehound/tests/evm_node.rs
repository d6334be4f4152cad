//! The EVM node of the tests and its contracts, by themselves: that they do what the other tests rely on.

mod common;
mod evm;

use std::path::Path;

use evm::contracts::{Arg, Contracts};
use evm::stage::{COIN, DOLLAR, Stage};
use serde_json::json;
use sha2::{Digest as _, Sha256};

#[test]
fn the_bytecode_is_of_these_sources() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evm/contracts");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the sources are there")
        .map(|entry| entry.expect("a folder can be listed").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let compiled = Contracts::load().sources();
    assert_eq!(names, compiled.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
    for (name, hash) in compiled {
        let source = std::fs::read(folder.join(&name)).expect("a source can be read");
        assert_eq!(
            ledger::hex::text(&Sha256::digest(source)),
            hash,
            "{name} was changed: run `npm ci && npm run compile` in tests/evm"
        );
    }
}

#[test]
fn the_play_comes_out_as_it_was_written() {
    let stage = evm::play::whole(1);
    let (height, _) = stage.node.tip();
    let holds = |token, holder| stage.holds(token, holder, height);
    // 800 coins were lent and are back.
    assert_eq!(holds("weth", "lender"), 900 * COIN);
    assert_eq!((holds("weth", "borrower"), holds("usd", "borrower"), holds("", "borrower")), (0, 0, 0));
    assert_eq!((holds("weth", "router"), holds("usd", "router"), holds("", "router")), (0, 0, 0));
    // Taxes: logged and not logged make the same balances.
    assert_eq!((holds("honest tax", "bob"), holds("honest tax", "collector")), (495 * COIN, 5 * COIN));
    assert_eq!((holds("silent tax", "bob"), holds("silent tax", "collector")), (395 * COIN, 6 * COIN));
    assert_eq!(holds("silent tax", "carol"), 99 * COIN);
    // 600 of 1,000 shares of 733.
    assert_eq!(holds("rebasing", "alice"), 600 * 733 * COIN / 1_000);
    assert_eq!(holds("false usd", "alice"), 9_999 * DOLLAR);
    assert_eq!((holds("pieces", "alice"), holds("pieces", "bob")), (1, 1));
    assert_eq!((holds("", "fay"), holds("", "relayer"), holds("", "erin")), (COIN * 99 / 100, COIN / 100, COIN));
    assert_eq!(holds("", "gina"), COIN);
}

#[test]
fn the_same_calls_make_the_same_chain_and_reorganisations_another() {
    let stages = [Stage::new(5), Stage::new(5)];
    for stage in &stages {
        stage.fund(&["alice"], COIN);
        stage.node.mine_more(9);
    }
    assert_eq!(stages[0].node.tip(), stages[1].node.tip());
    let [stage, other] = stages;
    let before = stage.node.hash_at(6);
    let again = evm::anvil::call(&stage.address("faucet"), Some(&stage.address("bob")), 5, "0x");
    stage.node.reorg(4, &[(again, 1)]);
    assert_eq!(stage.node.hash_at(6), before, "what lies below stays");
    assert_eq!(stage.node.tip().0, other.node.tip().0);
    assert_ne!(stage.node.tip(), other.node.tip());
    assert_eq!(stage.holds("", "bob", 10), 5);
    let answers = stage.node.many(&[("eth_chainId", json!([])), ("eth_blockNumber", json!([]))]);
    assert_eq!(answers, [json!("0x5"), json!("0xa")]);
    // A text argument is padded to whole words.
    let call = stage.contracts.creation("Token", &[Arg::Text("Dollar"), Arg::Text("USD"), Arg::Units(6)]);
    assert!(call.ends_with(&format!("{:064x}5553440000000000000000000000000000000000000000000000000000000000", 3)));
}

#[test]
fn the_heist_comes_out_as_it_was_written() {
    let heist = evm::heist::heist();
    let (home, far) = (heist.home.node.tip().0, heist.far.node.tip().0);
    assert_eq!(heist.home.holds("", "payee", home), evm::heist::CALLED);
    assert_eq!(heist.home.holds("", "x", home), evm::heist::PASSED);
    assert_eq!(heist.home.holds("", "returner", home), evm::heist::PAID_BACK);
    assert_eq!(heist.home.holds("", "mule", home), 15 * COIN - heist.mule_fee);
    assert_eq!(heist.home.holds("", "thief", home), 45 * COIN - heist.thief_fees);
    assert_eq!(heist.far.holds("", "far mule", far), 13 * COIN - heist.far_mule_fee);
    assert!(heist.home.holds("gold", "thief", home) > 0 && heist.home.holds("usd", "thief", home) > 0);
}
