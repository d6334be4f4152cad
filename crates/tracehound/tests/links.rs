//! `tracehound links`: taken in, shown, taken back; decoded from files; the registry from files and lists.

mod common;

use common::Desk;
use expect_test::expect;

fn links() -> String {
    let (one, two) = ("11".repeat(32), "22".repeat(32));
    format!(
        r#"{{"schema":"tracehound/links/1"}}
{{"protocol":"celer-cbridge","class":"deterministic","from":{{"ledger":"eip155:1","tx":"0x{one}","index":3,"asset":"ETH","units":"5"}},"to":{{"ledger":"bitcoin","tx":"{two}","index":1,"asset":"BTC","units":"4","time":"2022-01-01T00:00:00Z"}},"evidence":"a letter"}}
{{"protocol":"swapper","class":"candidates","candidates":3,"probability":"0.25","from":{{"ledger":"eip155:1","tx":"0x{two}","asset":"ETH","units":"7"}},"to":{{"ledger":"bitcoin","tx":"{one}","asset":"BTC","units":"6"}}}}
"#
    )
}

#[test]
fn links_are_taken_in_shown_and_taken_back_for_good() {
    let desk = Desk::new();
    desk.write("links.ndjson", links());
    let said = desk.run("links import links.ndjson --note hand").done().stderr;
    expect!["2 links read, 2 of them new; the book has 2\n"].assert_eq(&said);
    let said = desk.run("links import links.ndjson").done().stderr;
    expect!["2 links read, 0 of them new; the book has 2\n"].assert_eq(&said);
    let listed = desk.run("links list").done().stdout;
    expect![[r#"
        link-df93f4910522d3bd8678  celer-cbridge  deterministic  eip155:1 5 base units of ETH → bip122:000000000019d6689c085ae165831e93 4 base units of BTC
        link-4bcdd6b98525da9c1c3c  swapper  one of 3, 0.25  eip155:1 7 base units of ETH → bip122:000000000019d6689c085ae165831e93 6 base units of BTC
    "#]]
    .assert_eq(&listed);
    let id = listed.split_whitespace().next().unwrap();
    let shown = desk.run(&format!("links show {id}")).done().stdout;
    expect![[r#"
        link         link-df93f4910522d3bd8678
        protocol     celer-cbridge
        found        deterministic, by import version 1
        in           5 base units of ETH on eip155:1
                     0x1111111111111111111111111111111111111111111111111111111111111111, log or output 3
        out          4 base units of BTC on bip122:000000000019d6689c085ae165831e93
                     2222222222222222222222222222222222222222222222222222222222222222, log or output 1
                     2022-01-01T00:00:00Z
        evidence     a letter
        source       links.ndjson

    "#]]
    .assert_eq(&shown);
    let of_tx = desk.run(&format!("links list {} --json", "11".repeat(32))).done();
    assert_eq!(of_tx.json_lines().len(), 2, "the schema and one link");

    let said = desk.run("links withdraw --protocol swapper --note vague").done().stderr;
    expect!["1 link taken back\n"].assert_eq(&said);
    desk.run("links import links.ndjson").done();
    assert_eq!(desk.run("links list").done().stdout.lines().count(), 1, "it stays withdrawn");
    assert_eq!(desk.run("links list --all").done().stdout.lines().count(), 2);
    desk.run("links import links.ndjson --again").done();
    assert_eq!(desk.run("links list").done().stdout.lines().count(), 2, "unless it is wanted again");
    assert_eq!(desk.run("links withdraw link-0").code, Some(5));

    let history = std::fs::read_to_string(desk.path("book/links-history.ndjson")).unwrap();
    let did: Vec<String> = history
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["did"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(did, ["import", "import", "withdraw", "import", "import"]);
    desk.write("book/links.ndjson", links());
    desk.run("links import links.ndjson").done();
    let history = std::fs::read_to_string(desk.path("book/links-history.ndjson")).unwrap();
    assert!(history.contains("\"did\":\"found\""), "a change by somebody else is written down: {history}");
}

#[test]
fn a_bad_file_is_refused_with_its_place_and_changes_nothing() {
    let desk = Desk::new();
    desk.write("good.ndjson", links());
    desk.write("bad.ndjson", links().replace("\"units\":\"7\"", "\"units\":\"seven\""));
    let ran = desk.run("links import good.ndjson bad.ndjson");
    assert_eq!(ran.code, Some(2));
    let want =
        "bad.ndjson:3:from.units: \"seven\" is no number of base units; write whole base units in digits, up to 2^126";
    assert!(ran.stderr.contains(want), "{}", ran.stderr);
    assert!(!desk.path("book").exists(), "nothing was made");
    let ran = desk.run("links check good.ndjson bad.ndjson --json");
    assert_eq!(ran.code, Some(2));
    let ok: Vec<bool> = ran.json_lines().iter().map(|line| line["ok"].as_bool().unwrap()).collect();
    assert_eq!(ok, [true, false]);
}

const ENTRY: &str = "protocol: mine
pairing: key
contracts:
  - {ledger: eip155:31337, address: '0x00000000000000000000000000000000000000b1', name: Bridge}
events:
  - {signature: 'Sent(bytes32 id, uint256 amount)', direction: deposit, token: '@native', amount: amount, key: id}
  - {signature: 'Paid(bytes32 id, uint256 amount)', direction: withdrawal, token: '@native', amount: amount, key: id}
";

#[test]
fn a_bridge_of_ones_own_is_a_file() {
    let desk = Desk::new();
    desk.write("mine.yaml", ENTRY);
    desk.write(
        "bad.yaml",
        ENTRY.replace(
            "amount: amount, key: id}\n  - {signature: 'Paid",
            "amount: value, key: id}\n  - {signature: 'Paid",
        ),
    );
    let said = desk.run("links registry check mine.yaml").done().stdout;
    expect!["mine.yaml: 1 protocol, in order\n"].assert_eq(&said);
    let ran = desk.run("links registry check bad.yaml");
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("bad.yaml:6:amount: Sent has no argument \"value\"; known here: amount, id"),
        "{}",
        ran.stderr
    );
    let lines = desk.run("links registry list --json --registry mine.yaml").done().json_lines();
    assert!(lines.iter().any(|line| line["protocol"] == "mine" && line["pairing"] == "key"));
    assert!(lines.iter().any(|line| line["protocol"] == "celer-cbridge"));

    // Sent(id, 5) as a node answers eth_getLogs.
    let topic = "0x".to_owned() + &ledger_topic("Sent(bytes32,uint256)");
    let data = format!("0x{}{:064x}", "77".repeat(32), 5);
    let log = format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":[{{"address":"0x00000000000000000000000000000000000000B1","topics":["{topic}"],"data":"{data}","transactionHash":"0x{}","logIndex":"0x2","blockNumber":"0x1"}}]}}"#,
        "ab".repeat(32)
    );
    desk.write("logs.json", log);
    let ran = desk.run("links decode logs.json --ledger 31337 --registry mine.yaml").done();
    expect![[r#"
        {"direction":"deposit","protocol":"mine","ledger":"eip155:31337","tx":"0xabababababababababababababababababababababababababababababababab","index":2,"contract":"0x00000000000000000000000000000000000000b1","units":"5","key":"0x7777777777777777777777777777777777777777777777777777777777777777"}
    "#]].assert_eq(&ran.stdout);
}

/// The first topic, computed the long way: the test knows no room of the program.
fn ledger_topic(signature: &str) -> String {
    use sha3::{Digest, Keccak256};
    use std::fmt::Write as _;
    let mut digits = String::new();
    for byte in Keccak256::digest(signature.as_bytes()) {
        write!(digits, "{byte:02x}").unwrap();
    }
    digits
}

#[test]
fn lists_of_others_become_a_registry_file() {
    let desk = Desk::new();
    desk.write(
        "Hop.csv",
        "address,contract_name,name_tag,srcnet\n0x00000000000000000000000000000000000000b1,Bridge,Hop: Bridge,ETH\n",
    );
    let events = "Action,event_name,arguments,exampleTxhash\nDeposit,Sent,\"bytes32 transferId, address token, uint256 amount, index_topic_1 address recipient, uint256 toChainId\",ETH: 0x1\nWithdraw,Got,\"bytes32 transferId, address token, uint256 amount, address recipient, uint256 fromChainId\",ETH: 0x2\nDeposit,Transfer,\"index_topic_1 address from, index_topic_2 address to, uint256 value\",ETH: 0x3\n";
    desk.write("Hop_event.csv", events);
    let ran = desk.run("links registry import Hop.csv Hop_event.csv").done();
    expect!["note: event Transfer is any token's; it says nothing of this bridge, and is left out\n"]
        .assert_eq(&ran.stderr);
    expect![[r#"
        protocol: 'hop'
        title: 'Hop'
        version: 1
        notes: 'Guessed from lists. event Transfer is any token''s; it says nothing of this bridge, and is left out.'
        aliases: ['Hop']
        pairing: key
        fee: unknown
        contracts:
          - {ledger: 'eip155:1', address: '0x00000000000000000000000000000000000000b1', name: 'Bridge', role: bridge}
        events:
          - signature: 'Sent(bytes32 transferId, address token, uint256 amount, address indexed recipient, uint256 toChainId)'
            direction: deposit
            token: token
            amount: amount
            recipient: recipient
            other: toChainId
            key: transferId
          - signature: 'Got(bytes32 transferId, address token, uint256 amount, address recipient, uint256 fromChainId)'
            direction: withdrawal
            token: token
            amount: amount
            recipient: recipient
            other: fromChainId
            key: transferId
    "#]].assert_eq(&ran.stdout);
    desk.run("links registry import Hop.csv Hop_event.csv --keep").done();
    let lines = desk.run("links registry list --json").done().json_lines();
    assert!(lines.iter().any(|line| line["protocol"] == "hop"), "the book's own are found");
    desk.write("Bad.csv", "address,contract_name,name_tag,srcnet\n0xb1,Bridge,Hop: Bridge,NOWHERE\n");
    let ran = desk.run("links registry import Bad.csv");
    assert!(ran.stderr.contains("Bad.csv:2:srcnet: \"NOWHERE\" is no chain that is known"), "{}", ran.stderr);
}
