//! Real blocks of Ethereum from files: answers that somebody recorded, and tables that somebody exported.

mod common;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use book::Book;
use common::{Desk, data};
use feed::evm::{EvmOptions, export_evm, replay_evm};
use feed::node::{Event, FollowError};
use ledger::Leg;

const USDT: &str = "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7";

type Fill = fn(&Book, &Path, &EvmOptions, &AtomicBool, &mut dyn FnMut(Event)) -> Result<(), FollowError>;

fn fill(fill: Fill, book: &Book, folder: &Path, from: Option<u64>, to: Option<u64>) -> (Vec<String>, Option<String>) {
    let options = EvmOptions { from, to, ..EvmOptions::default() };
    let mut problems = Vec::new();
    let mut tell = |event: Event| {
        if let Event::Problem { what, .. } = event {
            problems.push(what);
        }
    };
    let done = fill(book, folder, &options, &AtomicBool::new(false), &mut tell);
    (problems, done.err().map(|error| error.to_string().replace(&folder.display().to_string(), "[DIR]")))
}

/// How many transactions and movements of an asset there are, and how much moved.
fn moved(book: &Book, asset: &str) -> (usize, usize, u128) {
    let open = book.ledger(&evm::ledger_id(1)).unwrap();
    let ledger = open.as_ledger();
    let asset = ledger.find_asset(asset).unwrap();
    let (mut transactions, mut legs, mut movements): (_, Vec<Leg>, Vec<u128>) = (0, Vec::new(), Vec::new());
    for seq in (0..ledger.end().0).map(ledger::Seq) {
        transactions += usize::from(ledger.transaction_name(seq).starts_with("0x"));
        ledger.transaction(seq, &mut legs);
        movements.extend(legs.iter().filter(|leg| leg.asset == asset).map(|leg| leg.amount.units()));
    }
    (transactions, movements.len(), movements.iter().sum())
}

#[test]
fn a_recorded_block_without_receipts_is_taken_with_its_gaps() {
    let Some(folder) = data("ethereum/block-18000000") else { return };
    let desk = Desk::new();
    let (problems, error) = fill(replay_evm, &desk.book, &folder, None, Some(18_000_000));
    assert_eq!(error, None);
    assert!(problems.iter().any(|what| what.starts_with("no receipts: ")), "{problems:?}");
    assert!(problems.iter().any(|what| what.starts_with("no traces: ")), "{problems:?}");
    let (transactions, ..) = moved(&desk.book, "ETH");
    assert_eq!(transactions, 94);
    // The second time there is nothing to do.
    let (problems, error) = fill(replay_evm, &desk.book, &folder, None, Some(18_000_000));
    assert_eq!((problems.len(), error), (0, None));
}

#[test]
fn exported_tables_have_the_reference_transfers() {
    let Some(folder) = data("ethereum/blocks-15000000") else { return };
    let desk = Desk::new();
    for _ in 0..2 {
        let (_, error) = fill(export_evm, &desk.book, &folder, Some(15_000_000), None);
        assert_eq!(error, None);
        let (_, transfers, units) = moved(&desk.book, USDT);
        assert_eq!((transfers, units), (143, 6_285_321_194_351));
    }
    // The folder has a run of old blocks as well.
    let desk = Desk::new();
    let (_, error) = fill(export_evm, &desk.book, &folder, Some(46_147), None);
    let said = error.unwrap();
    assert!(
        said.starts_with("[DIR]: block 15000000, 0x9a71a95be3fe957457b11817587e5af4c7e24836d5b383c430ff25b9286a457f"),
        "{said}"
    );
    assert!(said.contains("it comes after block 46230, and those between are missing"), "{said}");
    assert_eq!(moved(&desk.book, "ETH").0, 10, "what came before is kept");
}

#[test]
fn a_folder_of_something_else_is_told_apart() {
    let desk = Desk::new();
    let path = desk.file("x.json", "{}");
    let folder = path.parent().unwrap();
    let said = |by: Fill| fill(by, &desk.book, folder, None, None).1.unwrap();
    assert!(said(replay_evm).contains("[DIR]: there is no recorded block in it"));
    assert!(said(export_evm).contains("[DIR]: there is no table of blocks in it"));
    let said = fill(replay_evm, &desk.book, &folder.join("none"), None, None).1.unwrap();
    assert!(said.contains("no folder that can be read"), "{said}");
}
