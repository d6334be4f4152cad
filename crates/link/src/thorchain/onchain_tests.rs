//! Memos on a chain of outputs and on an EVM chain, tied together.

use evm::abi::Signature;
use ledger::memory::MemoryLedger;
use ledger::{
    AccountBlock, AccountLeg, AccountTransaction, BlockEvent, Gaps, Kind, LegKind, Lock, Outpoint, Time, UtxoBlock,
    UtxoInput, UtxoOutput, UtxoTransaction,
};
use money::{Amount, Asset};

use super::super::chains::routers;
use super::*;

const VAULT: &str = "0x0dac1fb302bc428d8dc272a511e7c2f0d2a1c128";
const USER: &str = "0x6cc41829d0a67456970529f92d6abacc83d69e61";
const ROUTER: &str = "0xd37bbe5744d730a1d98d8dc97c42f0ca46ad7146";

fn address(text: &str) -> [u8; 20] {
    hex::bytes(&text[2..]).unwrap().try_into().unwrap()
}

fn leg(from: &str, to: &str, amount: u128) -> AccountLeg {
    AccountLeg {
        from: Some(from.into()),
        to: Some(to.into()),
        asset: "ETH".into(),
        amount: Amount::new(amount),
        fee: Amount::ZERO,
        kind: LegKind::Transfer,
    }
}

/// A transaction, its movements and the events that it writes: which signature, with which values.
type Played = (u8, Vec<AccountLeg>, Vec<(usize, Vec<Value>)>);

fn id(of: u8) -> String {
    hex::text(&[of; 32])
}

fn ethereum(played: Vec<Played>) -> MemoryLedger {
    let coin = Asset { symbol: "ETH".into(), scale: 18 };
    let mut ledger = MemoryLedger::new(LedgerId::parse("eip155:1").unwrap(), Kind::Account, vec![coin]);
    let mut block = AccountBlock {
        height: 1,
        hash: [1; 32],
        previous: None,
        time: Time::from_micros(0),
        transactions: Vec::new(),
        events: Vec::new(),
        gaps: Gaps::default(),
    };
    for (at, (name, legs, events)) in (0u32..).zip(played) {
        block.transactions.push(AccountTransaction { name: format!("0x{}", id(name)), time: block.time, legs });
        for (which, values) in events {
            let (topics, data) = Signature::parse(EVENTS[which]).unwrap().encode_event(&values).unwrap();
            let index = u32::try_from(block.events.len()).unwrap();
            block
                .events
                .push(BlockEvent { transaction: at, event: Event { index, contract: address(ROUTER), topics, data } });
        }
    }
    ledger.push_account_block(&block);
    ledger
}

fn out(to: &str, amount: u64, memo: &str) -> Vec<Value> {
    let units = evm_units(amount);
    vec![
        Value::Address(address(VAULT)),
        Value::Address(address(to)),
        Value::Address([0; 20]),
        units,
        Value::Text(memo.into()),
    ]
}

fn evm_units(amount: u64) -> Value {
    Value::Uint(ruint::aliases::U256::from(amount))
}

/// A payment in of 50 with change, and a payment out of 9 for an inbound of Ethereum.
fn bitcoin(answers: u8) -> MemoryLedger {
    let coin = Asset { symbol: "BTC".into(), scale: 8 };
    let mut ledger = MemoryLedger::new(LedgerId::parse("bitcoin").unwrap(), Kind::Utxo, vec![coin]);
    let text = |memo: &str| Lock::of_script(&[&[0x6a, u8::try_from(memo.len()).unwrap()], memo.as_bytes()].concat());
    let output = |amount: u128, holder: Lock| UtxoOutput { amount: Amount::new(amount), holder };
    let key = |of: u8| Lock::of_script(&[&[0, 20], &[of; 20][..]].concat());
    let transaction = |of: u8, from: u8, outputs: Vec<UtxoOutput>| UtxoTransaction {
        txid: [of; 32],
        inputs: vec![UtxoInput { outpoint: Outpoint { txid: [from; 32], vout: 0 }, spent: None }],
        outputs,
        fee: Some(Amount::ZERO),
    };
    let transactions = vec![
        transaction(0xaa, 1, vec![output(50, key(7)), output(3, key(8)), output(0, text(&format!("=:e:{USER}")))]),
        transaction(
            0xbb,
            2,
            vec![output(9, key(9)), output(90, key(7)), output(0, text(&format!("OUT:{}", id(answers))))],
        ),
    ];
    ledger.push_block(&UtxoBlock {
        height: 1,
        hash: [1; 32],
        previous: None,
        time: Time::from_micros(0),
        transactions,
    });
    ledger
}

fn found(played: Vec<Played>, answers: u8) -> Found {
    let (bitcoin, ethereum) = (bitcoin(answers), ethereum(played));
    from_ledgers(&[&bitcoin], &[&ethereum], &routers())
}

fn told(found: &Found) -> Vec<String> {
    let side = |side: &Side| format!("{}:{}{}", &side.tx[side.tx.len() - 2..], side.units, side.asset);
    found.claims.iter().map(|claim| format!("{} > {} {}", side(&claim.from), side(&claim.to), claim.share)).collect()
}

#[test]
fn both_directions_are_certain() {
    let swap = Value::Text("=:b:bc1q".into());
    let deposit = vec![Value::Address(address(VAULT)), Value::Address([0; 20]), evm_units(700), swap];
    let found = found(
        vec![
            (0xe1, vec![leg(USER, VAULT, 700)], vec![(0, deposit)]),
            (0xe2, vec![leg(VAULT, USER, 40)], vec![(1, out(USER, 40, &format!("OUT:{}", id(0xaa).to_uppercase())))]),
        ],
        0xe1,
    );
    assert_eq!(told(&found), ["aa:50BTC > e2:40ETH 1", "e1:700ETH > bb:9BTC 1"]);
    assert!(found.unpaired.is_empty() && found.problems.is_empty(), "{found:?}");
    assert_eq!(found.claims[1].from.holder.as_deref(), Some(VAULT));
    assert_eq!(found.claims[0].from.index, Some(0));
}

#[test]
fn a_deposit_without_a_log_and_a_swap_paid_in_two_with_a_rest_sent_back() {
    let memo = format!("OUT:{}", id(0xaa));
    let found = found(
        vec![
            (0xe1, vec![leg(USER, VAULT, 700)], vec![]),
            (
                0xe2,
                vec![leg(VAULT, USER, 30), leg(VAULT, USER, 10)],
                vec![(1, out(USER, 30, &memo)), (1, out(USER, 10, &memo))],
            ),
            (0xe3, vec![leg(VAULT, USER, 175)], vec![(1, out(USER, 175, &format!("REFUND:{}", id(0xe1))))]),
        ],
        0xe1,
    );
    let want = [
        "aa:50BTC > e2:30ETH 0.75",
        "aa:50BTC > e2:10ETH 0.25",
        "e1:700ETH > bb:9BTC 0.75",
        "e1:700ETH > e3:175ETH 0.25",
    ];
    let mut told = told(&found);
    told.sort();
    let mut want = want.map(str::to_owned);
    want.sort();
    assert_eq!(told, want);
}

#[test]
fn a_payment_that_bounced_is_none_and_strangers_are_not_believed() {
    let memo = format!("OUT:{}", id(0xaa));
    let refused = found(
        vec![
            // V4.1 logs a payment that the receiver refused as if it had arrived.
            (0xe2, vec![], vec![(1, out(USER, 30, &memo))]),
            (0xe3, vec![leg(VAULT, USER, 1)], vec![(5, out(USER, 30, &memo)), (1, out(USER, 30, &memo))]),
        ],
        0x77,
    );
    assert_eq!(refused.problems.len(), 2);
    assert!(refused.claims.is_empty());
    // The payment of 9 BTC names a transaction that no ledger has.
    assert_eq!(refused.unpaired.len(), 1);
    assert_eq!(refused.unpaired[0].2, id(0x77));
    let (bitcoin, ethereum) =
        (bitcoin(1), ethereum(vec![(0xe2, vec![leg(VAULT, USER, 30)], vec![(1, out(USER, 30, &memo))])]));
    assert!(from_ledgers(&[&bitcoin], &[&ethereum], &[]).claims.is_empty());
}
