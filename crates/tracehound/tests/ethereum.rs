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
        Some(2) error: none: this is no folder that can be read: No such file or directory (os error 2)
        Some(2) error: .: there is no recorded block in it; give a folder with answers of eth_getBlockByNumber
        Some(2) error: .: there is no table of blocks in it (blocks.csv or blocks.json); give the folder of an export
    "#]]
    .assert_eq(&said);
}
