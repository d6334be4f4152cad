//! Bridges played by hand on memory ledgers: what pairs, and what is said of what does not.

use evm::abi::{Signature, U256, Value};
use ledger::memory::MemoryLedger;
use ledger::{AccountBlock, AccountLeg, AccountTransaction, BlockEvent, Gaps, Kind, LegKind};
use money::{Amount, Asset};

use super::*;
use crate::{Class, Portion};

const TOKEN: [u8; 20] = [0x70; 20];
const ALICE: [u8; 20] = [0xa1; 20];
const BRIDGE: [u8; 20] = [0xb1; 20];

const ENTRY: &str = "
protocol: test
title: A test
pairing: key
fee: up to 1%
contracts:
  - {ledger: 'eip155:1', address: '0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1', name: Bridge}
  - {ledger: 'eip155:56', address: '0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1', name: Bridge}
events:
  - signature: Sent(bytes32 id, address token, uint256 amount, address to, uint64 chain)
";

fn registry() -> Registry {
    let sent = "    direction: deposit\n    token: token\n    amount: amount\n    recipient: to\n    other: chain\n    key: id\n";
    let paid = "  - signature: Paid(bytes32 id, address token, uint256 amount, address to, uint64 chain)\n";
    let refund = "  - signature: Back(bytes32 id, address token, uint256 amount, address to)\n    direction: refund\n    token: token\n    amount: amount\n    recipient: to\n    key: id\n";
    let entry = format!("{ENTRY}{sent}{paid}{}{refund}", sent.replace("deposit", "withdrawal"));
    let mut registry = Registry::empty();
    registry.add(entry.as_bytes(), "test.yaml").unwrap();
    registry
}

/// One log in a transaction of its own, and the movement that belongs to it.
struct Step {
    chain: u64,
    signature: &'static str,
    key: u8,
    units: u64,
    other: Option<u64>,
    second: i64,
}

const SENT: &str = "Sent(bytes32 id, address token, uint256 amount, address to, uint64 chain)";
const PAID: &str = "Paid(bytes32 id, address token, uint256 amount, address to, uint64 chain)";
const BACK: &str = "Back(bytes32 id, address token, uint256 amount, address to)";

fn step(chain: u64, signature: &'static str, key: u8, units: u64, other: u64, second: i64) -> Step {
    Step { chain, signature, key, units, other: Some(other).filter(|other| *other > 0), second }
}

fn ledger(chain: u64, scale: u8, steps: &[Step]) -> MemoryLedger {
    let id = evm::ledger_id(chain);
    let token = format!("{id}/erc20:0x{}", ledger::hex::text(&TOKEN));
    let assets = vec![Asset { symbol: "ETH".into(), scale: 18 }, Asset { symbol: token.clone(), scale }];
    let mut memory = MemoryLedger::new(id, Kind::Account, assets);
    let hex = |bytes: &[u8]| format!("0x{}", ledger::hex::text(bytes));
    for (height, step) in steps.iter().filter(|step| step.chain == chain).enumerate() {
        let name = format!("0x{:064x}", u64::from(step.key) << 32 | chain << 16 | height as u64);
        let (from, to) = if step.signature == SENT { (ALICE, BRIDGE) } else { (BRIDGE, ALICE) };
        let leg = AccountLeg {
            from: Some(hex(&from)),
            to: Some(hex(&to)),
            asset: token.clone(),
            amount: Amount::new(u128::from(step.units)),
            fee: Amount::ZERO,
            kind: LegKind::Transfer,
        };
        let time = Time::from_seconds(1_700_000_000 + step.second).unwrap();
        let mut values = vec![
            Value::Bytes(vec![step.key; 32]),
            Value::Address(TOKEN),
            Value::Uint(U256::from(step.units)),
            Value::Address(ALICE),
        ];
        values.extend(step.other.map(|other| Value::Uint(U256::from(other))));
        let (topics, data) = Signature::parse(step.signature).unwrap().encode_event(&values).unwrap();
        let event = Event { index: 3, contract: BRIDGE, topics, data };
        memory.push_account_block(&AccountBlock {
            height: height as u64,
            hash: [u8::try_from(height).unwrap(); 32],
            previous: None,
            time,
            transactions: vec![AccountTransaction { name, time, legs: vec![leg] }],
            events: vec![BlockEvent { transaction: 0, event }],
            gaps: Gaps::default(),
        });
    }
    memory
}

/// Claims as `from-chain units>to-chain units share`, problems by their kind, and how many crossings are left.
fn found(steps: &[Step], scales: (u8, u8)) -> (Vec<String>, Vec<&'static str>, usize) {
    let (one, two) = (ledger(1, scales.0, steps), ledger(56, scales.1, steps));
    let found = find(&[&one, &two], &registry());
    let shown = |claim: &Claim| {
        assert_eq!((claim.class, claim.probability), (Class::Deterministic, Portion::ONE));
        assert_eq!(claim.from.index, Some(3));
        let (from, to) = (&claim.from, &claim.to);
        format!("{} {}>{} {} {}", from.ledger.reference(), from.units, to.ledger.reference(), to.units, claim.share)
    };
    let problems = found.problems.iter().map(|problem| problem.kind.as_str()).collect();
    (found.claims.iter().map(shown).collect(), problems, found.unpaired.len())
}

#[test]
fn sides_pair_by_their_key_in_both_directions() {
    let steps = [
        step(1, SENT, 1, 1000, 56, 0),
        step(56, PAID, 1, 995, 1, 60),
        step(56, SENT, 2, 500, 1, 100),
        step(1, PAID, 2, 500, 56, 160),
        step(1, SENT, 3, 700, 56, 200),
        step(1, BACK, 3, 700, 0, 300),
        step(1, SENT, 4, 900, 56, 400),
        step(56, PAID, 9, 1, 137, 500),
    ];
    let claims = ["1 1000>56 995 1", "1 700>1 700 1", "56 500>1 500 1"].map(str::to_owned).to_vec();
    assert_eq!(found(&steps, (6, 6)), (claims, vec![], 2));
}

#[test]
fn amounts_are_held_against_the_fee_in_the_assets_own_scales() {
    let rich = |paid| [step(1, SENT, 1, 1_000_000, 56, 0), step(56, PAID, 1, paid, 1, 60)];
    let problems = |steps: &[Step], scales| found(steps, scales).1;
    assert_eq!(problems(&rich(10_000), (6, 4)), Vec::<&str>::new());
    assert_eq!(problems(&rich(9_800), (6, 4)), ["paid out less than the fee explains"]);
    assert_eq!(problems(&rich(20_000), (6, 4)), ["paid out more than was paid in"]);
    assert_eq!(problems(&rich(1_000_000), (6, 4)), ["paid out more than was paid in"]);
}

#[test]
fn what_contradicts_itself_is_a_problem_and_no_link() {
    let normal = || vec![step(1, SENT, 1, 1000, 56, 0), step(56, PAID, 1, 1000, 1, 60)];
    let with = |more: Vec<Step>| normal().into_iter().chain(more).collect::<Vec<_>>();
    let robbed = with(vec![step(56, PAID, 7, 5000, 1, 120), step(1, SENT, 8, 1, 56, 500)]);
    let (claims, problems, unpaired) = found(&robbed, (6, 6));
    assert_eq!((claims.len(), problems, unpaired), (1, vec!["paid out without a deposit"], 2));

    let twice = with(vec![step(56, PAID, 1, 1000, 1, 90)]);
    let (claims, problems, unpaired) = found(&twice, (6, 6));
    assert_eq!((claims, problems, unpaired), (vec!["1 1000>56 1000 1".into()], vec!["a key used twice"], 1));

    let parts = vec![step(1, SENT, 1, 1000, 56, 0), step(56, PAID, 1, 250, 1, 60), step(56, PAID, 1, 750, 1, 70)];
    let (claims, problems, _) = found(&parts, (6, 6));
    assert_eq!(claims, ["1 1000>56 250 0.25", "1 1000>56 750 0.75"]);
    assert_eq!(problems, Vec::<&str>::new());

    let both = with(vec![step(1, SENT, 1, 1000, 56, 10)]);
    let (claims, problems, unpaired) = found(&both, (6, 6));
    assert_eq!((claims.len(), problems.len(), unpaired), (0, 3, 3));

    let elsewhere = vec![step(1, SENT, 1, 1000, 137, 0), step(56, PAID, 1, 1000, 1, 60)];
    assert_eq!(found(&elsewhere, (6, 6)).1, ["the sides contradict one another"]);
    let early = vec![step(1, SENT, 1, 1000, 56, 10_000), step(56, PAID, 1, 1000, 1, 60)];
    assert_eq!(found(&early, (6, 6)).1, ["the sides contradict one another"]);
}
