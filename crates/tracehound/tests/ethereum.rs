//! `tracehound ingest ethereum` from files, as a user sees it: what it says, and how it ends.

mod common;

use std::fmt::Write as _;

use common::{Desk, data};
use expect_test::expect;

#[test]
fn a_recording_without_receipts_goes_in_with_what_is_not_known_of_it() {
    let Some(folder) = data("ethereum/block-18000000") else { return };
    let desk = Desk::new();
    let line = format!("ingest ethereum --replay {} --to 18000000 --json", folder.display());
    for (problems, events) in [(13, 16), (0, 2)] {
        let told = desk.run(&line).done().json_lines();
        assert_eq!(told.iter().filter(|event| event["event"] == "problem").count(), problems);
        assert_eq!(told.len(), events);
        let last = told.last().expect("it tells how it ended");
        assert_eq!((&last["event"], &last["height"]), (&"at_tip".into(), &18_000_000.into()));
    }
}

#[test]
fn what_cannot_be_taken_is_said_in_one_line() {
    let desk = Desk::new();
    let mut said = String::new();
    desk.write("answers.json", "[]");
    for line in [
        "ingest ethereum",
        "ingest ethereum --rpc https://u:SECRET@node/KEY",
        "ingest ethereum --rpc http://node --header SECRET",
        "ingest ethereum --rpc http://node --ledger bitcoin",
        "ingest ethereum --rpc http://node --rebasing 0x12",
        "ingest ethereum --rpc http://node --ws http://node",
        "ingest ethereum --rpc http://node --tokens none.csv",
        "ingest ethereum --rpc http://node --registry none.yaml",
        "ingest ethereum --replay none",
        "ingest ethereum --replay .",
        "ingest ethereum --export .",
    ] {
        let ran = desk.run(line);
        assert!(!ran.stderr.contains("SECRET") && !ran.stderr.contains("KEY"), "{}", ran.stderr);
        let first = ran.stderr.lines().next().unwrap_or_default();
        writeln!(said, "{:?} {first}", ran.code).expect("a text takes any text");
    }
    expect![[r#"
        Some(2) error: the following required arguments were not provided:
        Some(2) error: --rpc https://node/…: https is not spoken here; give http:// and a node on this machine, or the near end of a tunnel (ssh -L)
        Some(2) error: --header: write NAME: VALUE
        Some(2) error: --ledger bitcoin: this is no EVM chain; say eip155:NUMBER
        Some(2) error: --rebasing 0x12: this is not an address of 40 hexadecimal digits after 0x
        Some(2) error: --ws: give ws://HOST:PORT
        Some(2) error: none.csv: No such file or directory (os error 2)
        Some(2) error: none.yaml: there is no such file; check the path
        Some(2) error: none: this is no folder that can be read: No such file or directory (os error 2)
        Some(2) error: .: there is no recorded block in it; give a folder with answers of eth_getBlockByNumber
        Some(2) error: .: there is no table of blocks in it (blocks.csv or blocks.json); give the folder of an export
    "#]]
    .assert_eq(&said);
}

const APPROVAL: &str = "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925";

/// An approval is kept by no built-in entry.
#[test]
fn logs_that_the_users_registry_reads_are_kept() {
    let Some(folder) = data("ethereum/block-18000000") else { return };
    let entry = "protocol: mine
pairing: none
contracts:
  - {ledger: eip155:1, address: '0xdac17f958d2ee523a2206206994597c13d831ec7', name: Token}
events:
  - {signature: 'Approval(address indexed owner, address indexed spender, uint256 value)', direction: deposit, token: '@native', amount: value, key: spender}
";
    let kept = |files: &dyn Fn(&Desk) -> String| {
        let desk = Desk::new();
        let more = files(&desk);
        let line = format!("ingest ethereum --replay {} --to 18000000 {more}", folder.display());
        desk.run(&line).done();
        let book = book::Book::open(desk.path("book")).expect("a book");
        let book::BookLedger::Account(ledger) = book.ledger(&evm::ledger_id(1)).expect("a ledger") else {
            panic!("it has accounts")
        };
        let (mut count, topic) = (0, ledger::hex::bytes(&APPROVAL[2..]).expect("digits"));
        ledger::Contracts::events(&ledger, ledger::Seq(0), ledger::Ledger::end(&ledger), &mut |_, event| {
            count += usize::from(event.topics.first().is_some_and(|first| first[..] == topic[..]));
        });
        count
    };
    assert_eq!(kept(&|_| String::new()), 0);
    let named = kept(&|desk| {
        desk.write("mine.yaml", entry);
        "--registry mine.yaml".to_owned()
    });
    let own = kept(&|desk| {
        book::Book::create(desk.path("book")).expect("a book");
        std::fs::create_dir_all(desk.path("book/registry")).expect("a folder");
        desk.write("book/registry/mine.yaml", entry);
        String::new()
    });
    assert!(named > 0 && named == own, "{named} {own}");
}
