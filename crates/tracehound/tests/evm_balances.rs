//! A live EVM chain with everything on it: after ingest each holder has of each asset what the node says, at every
//! block's end, to the last base unit.

mod common;
mod evm;

use std::collections::{BTreeMap, BTreeSet};

use book::{AccountLedger, Book, BookLedger};
use common::{Desk, Ran};
use evm::play;
use evm::stage::{Stage, tokens_table};
use ledger::{Ledger as _, LedgerId, PurseId, Seq};

/// 2^255, which the play mints of one token.
const BEYOND: &str = "57896044618658097711785492504343953926634992332820282019728792003956564819968";
/// The tokens of the play whose balances change in ways that their logs do not tell.
const DRIFTING: [&str; 2] = ["silent tax", "rebasing"];

/// Takes a stage's chain into a book, with what a user says of its tokens. What was said meanwhile.
fn ingested(stage: &Stage, more: &str) -> (Desk, Ran) {
    let desk = Desk::new();
    desk.write("tokens.csv", tokens_table(&[stage]));
    let ran = desk.run(&format!("ingest ethereum --rpc {} --once --tokens tokens.csv {more}", stage.node.url())).done();
    (desk, ran)
}

/// The ledger of a stage's chain in the book.
fn opened(desk: &Desk, stage: &Stage) -> AccountLedger {
    let id = LedgerId::parse(&stage.node.ledger()).expect("a chain has a name");
    match Book::open(desk.path("book")).expect("there is a book").ledger(&id).expect("the ledger can be read") {
        BookLedger::Account(ledger) => ledger,
        BookLedger::Utxo(_) => panic!("an EVM chain has accounts"),
    }
}

/// Every purse that a leg of these transactions touches.
fn purses(ledger: &AccountLedger, from: Seq, until: Seq) -> BTreeSet<PurseId> {
    let (mut purses, mut legs) = (BTreeSet::new(), Vec::new());
    for seq in from.0..until.0 {
        ledger.transaction(Seq(seq), &mut legs);
        purses.extend(legs.iter().flat_map(|leg| [leg.payer.purse(), leg.payee.purse()]).flatten());
    }
    purses
}

/// A purse by what the node would call it: the token's contract, unless it is the coin, and the holder.
#[derive(Clone, Debug)]
struct Named {
    purse: PurseId,
    token: Option<String>,
    holder: String,
}

fn named(ledger: &AccountLedger, purse: PurseId) -> Named {
    let what = ledger.purse(purse);
    let asset = &ledger.asset(what.asset).symbol;
    let token = asset.split_once('/').map(|(_, contract)| contract.split_once(':').expect("a kind and a contract").1);
    Named { purse, token: token.map(str::to_owned), holder: ledger.holder_name(what.holder) }
}

/// Whether the book was told of what is before its first block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Everything,
}

/// Where the book and the node differ: (height, asset's contract, holder) with what the book and the node say. What was
/// there at genesis the book cannot know; it is asked of the node.
fn differences(stage: &Stage, ledger: &AccountLedger, told: Told) -> BTreeMap<(u64, String, String), (i128, i128)> {
    // What is counted in kinds has no balance as a whole.
    let kinds = stage.address("kinds");
    let all: Vec<Named> = purses(ledger, Seq(0), ledger.end())
        .into_iter()
        .map(|purse| named(ledger, purse))
        .filter(|named| named.token.as_deref() != Some(&kinds))
        .collect();
    let pairs: Vec<(Option<&str>, &str)> =
        all.iter().map(|named| (named.token.as_deref(), named.holder.as_str())).collect();
    let genesis: Vec<u128> =
        all.iter().map(|named| if named.token.is_none() { stage.node.balance(&named.holder, 0) } else { 0 }).collect();
    let first = ledger.first_height().expect("the chain has blocks");
    let mut differences = BTreeMap::new();
    for height in first..=ledger.tip().expect("the chain has a tip").height {
        let block = ledger.block(height).expect("there are no gaps in the numbering");
        let end = Seq(block.first_transaction.0 + block.transactions);
        let touched = purses(ledger, block.first_transaction, end);
        // A token that does not exist yet answers with nothing, which reads as 0.
        for ((named, node), genesis) in all.iter().zip(stage.hold(&pairs, height)).zip(&genesis) {
            let signed = |units: u128| i128::try_from(units).expect("the play's amounts are small");
            let held = signed(ledger.balance(named.purse, end).units());
            let book = match told {
                Told::Nothing => held - signed(ledger.opening(named.purse).units()) + signed(*genesis),
                Told::Everything => held,
            };
            let node = signed(node);
            // A balance that nobody's payment shows is compared, and mended, when its holder next takes part.
            let is_due = told == Told::Nothing || touched.contains(&named.purse);
            if is_due && book != node {
                let token = named.token.clone().unwrap_or_default();
                differences.insert((height, token, named.holder.clone()), (book, node));
            }
        }
    }
    differences
}

#[test]
fn every_balance_at_every_blocks_end_is_the_nodes() {
    let stage = play::whole(1);
    let (desk, ran) = ingested(&stage, "");
    // What the books cannot hold is refused by name.
    assert!(ran.stderr.contains(BEYOND) && ran.stderr.contains(&stage.asset("huge")), "{}", ran.stderr);
    let ledger = opened(&desk, &stage);
    assert_eq!(ledger.tip().map(|tip| tip.height), Some(stage.node.tip().0));
    let differs = differences(&stage, &ledger, Told::Nothing);
    let tokens: BTreeSet<&str> = differs.keys().map(|(_, token, _)| token.as_str()).collect();
    let drifting = DRIFTING.map(|name| stage.address(name));
    assert_eq!(tokens, drifting.iter().map(String::as_str).collect(), "{differs:#?}");
    // Whoever holds something is known to hold it.
    let known: BTreeSet<(Option<String>, String)> = purses(&ledger, Seq(0), ledger.end())
        .into_iter()
        .map(|purse| named(&ledger, purse))
        .map(|named| (named.token, named.holder))
        .collect();
    let (height, _) = stage.node.tip();
    for (who, at) in play::everybody(&stage) {
        for token in ["", "weth", "usd", "gold", "pool one", "vault", "honest tax", "false usd", "pieces"] {
            let contract = (!token.is_empty()).then(|| stage.address(token));
            let is_known = known.contains(&(contract, at.clone()));
            assert!(is_known || stage.holds(token, &at, height) == 0, "{who} holds {token:?} unknown to the book");
        }
    }
}

#[test]
fn drift_is_booked_where_the_node_is_asked_for_balances() {
    let stage = play::whole(1);
    let (desk, _) = ingested(&stage, "--check-balances");
    let differs = differences(&stage, &opened(&desk, &stage), Told::Everything);
    assert!(differs.is_empty(), "{}: {:?}", differs.len(), differs.iter().take(12).collect::<Vec<_>>());
}

#[test]
fn drift_of_the_tokens_that_are_named_is_booked_and_no_other() {
    let stage = play::whole(1);
    let (desk, _) = ingested(&stage, &format!("--rebasing {}", stage.address("rebasing")));
    let ledger = opened(&desk, &stage);
    let token = stage.address("rebasing");
    let drifts = |told| {
        let differs = differences(&stage, &ledger, told);
        differs.into_keys().map(|(_, token, _)| token).collect::<BTreeSet<String>>()
    };
    // Of the others' balances what came before the first block is not known.
    assert!(!drifts(Told::Everything).contains(&token));
    assert!(drifts(Told::Everything).contains(&stage.address("silent tax")));
}
