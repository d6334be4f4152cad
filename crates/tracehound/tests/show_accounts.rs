//! `tracehound show` and `tracehound book` on an account ledger that is a chain.
//!
//! The book is filled through the room `book`: what a decoder makes of a node's answers is tested elsewhere.

mod common;

use book::{Book, Heads};
use common::Desk;
use expect_test::expect;
use ledger::{AccountBlock, AccountLeg, AccountTransaction, BlockEvent, Event, Gaps, LedgerId, LegKind, Time};
use money::{Amount, Asset};
use serde_json::Value;

const TOKEN: &str = "eip155:31337/erc20:0x5fbdb2315678afecb367f032d93f642f64180aa3";

fn account(number: u8) -> String {
    format!("0x{number:040x}")
}

fn hash(kind: u8, number: u64) -> [u8; 32] {
    let mut hash = [kind; 32];
    hash[24..].copy_from_slice(&number.to_be_bytes());
    hash
}

fn name(number: u64) -> String {
    format!("0x{}", ledger::hex::text(&hash(0xaa, number)))
}

fn leg(from: Option<u8>, to: Option<u8>, asset: &str, amount: u128, kind: LegKind) -> AccountLeg {
    let (from, to) = (from.map(account), to.map(account));
    AccountLeg { from, to, asset: asset.into(), amount: Amount::new(amount), fee: Amount::ZERO, kind }
}

fn transfer() -> AccountTransaction {
    const MILLI: u128 = 1_000_000_000_000_000;
    AccountTransaction {
        name: name(1),
        time: Time::parse("2024-01-01T00:00:12Z").expect("a time"),
        legs: vec![
            leg(Some(1), Some(2), "ETH", 1_500 * MILLI, LegKind::Transfer),
            leg(Some(1), Some(3), TOKEN, 2_500_000, LegKind::Transfer),
            leg(Some(1), None, "ETH", 2 * MILLI, LegKind::Fee),
            leg(None, Some(9), "ETH", MILLI, LegKind::Fee),
        ],
    }
}

fn block(height: u64, transactions: Vec<AccountTransaction>) -> AccountBlock {
    AccountBlock {
        height,
        hash: hash(0xbb, height),
        previous: height.checked_sub(1).map(|parent| hash(0xbb, parent)),
        time: Time::parse(&format!("2024-01-01T00:00:{:02}Z", 12 * (height - 40))).expect("a time"),
        transactions,
        events: Vec::new(),
        gaps: Gaps::default(),
    }
}

fn ingested() -> Desk {
    let desk = Desk::new();
    let book = Book::create(desk.path("book")).expect("a book");
    let mut writer = book.account_writer(&LedgerId::parse("eip155:31337").expect("an id")).expect("a writer");
    for (symbol, scale) in [("ETH", 18), (TOKEN, 6)] {
        writer.declare_asset(&Asset { symbol: symbol.into(), scale }).expect("a new asset");
    }
    let mut full = block(41, vec![transfer()]);
    let event = |index: u32, topics: usize, data: usize| {
        let topics = (0..topics).map(|at| hash(0xcc, at as u64)).collect();
        BlockEvent { transaction: 0, event: Event { index, contract: [0x5f; 20], topics, data: vec![0xda; data] } }
    };
    full.events = vec![event(0, 2, 3), event(4, 0, 0), event(5, 1, 200)];
    let drift = AccountTransaction {
        name: "drift:42".into(),
        time: Time::parse("2024-01-01T00:00:24Z").expect("a time"),
        legs: vec![leg(None, Some(3), TOKEN, 7, LegKind::Drift)],
    };
    let gaps = Gaps { traces: true, logs: true, receipts: false };
    for block in [block(40, vec![]), full, AccountBlock { gaps, ..block(42, vec![drift]) }, block(43, vec![])] {
        writer.push_block(&block).expect("a good block");
    }
    writer.mark_heads(Heads { safe: Some(42), finalized: Some(41) });
    writer.commit().expect("a commit");
    desk
}

#[test]
fn things_of_a_chain_of_accounts() {
    let desk = ingested();
    expect![[r#"
        exit 0
        --- out
        transaction 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000000000001
        on eip155:31337, block 41, 2024-01-01T00:00:12Z
        in block 0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb0000000000000029
        4 movements:
                                                                    1.5 ETH  0x0000000000000000000000000000000000000001  →  0x0000000000000000000000000000000000000002
          2.5 eip155:31337/erc20:0x5fbdb2315678afecb367f032d93f642f64180aa3  0x0000000000000000000000000000000000000001  →  0x0000000000000000000000000000000000000003
                                                                  0.002 ETH  0x0000000000000000000000000000000000000001  →  fee
                                                                  0.001 ETH  fee                                         →  0x0000000000000000000000000000000000000009
        3 events:
          0  0x5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f
            topic  0xcccccccccccccccccccccccccccccccccccccccccccccccc0000000000000000
            topic  0xcccccccccccccccccccccccccccccccccccccccccccccccc0000000000000001
            data   0xdadada
          4  0x5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f
          5  0x5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f
            topic  0xcccccccccccccccccccccccccccccccccccccccccccccccc0000000000000000
            data   0xdadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadada… (200 bytes, --json shows all)

    "#]].assert_eq(&desk.shows(&format!("show {}", name(1).to_uppercase().replace("0X", "0x"))));
    expect![[r#"
        exit 0
        --- out
        block 41 0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb0000000000000029
        on eip155:31337, 2024-01-01T00:00:12Z
        after 0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb0000000000000028
        finalized
        1 transaction, 3 events kept
          0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000000000001  4 movements  3 events

    "#]]
    .assert_eq(&desk.shows("show 41"));
    expect![[r#"
        exit 0
        --- out
        block 42 0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb000000000000002a
        on eip155:31337, 2024-01-01T00:00:24Z
        after 0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb0000000000000029
        safe
        the source had no traces, no logs of this block
        1 transaction, 0 events kept
          drift:42  1 movement

    "#]]
    .assert_eq(&desk.shows(&format!("show 0x{}", ledger::hex::text(&hash(0xbb, 42)))));
    expect![[r#"
        exit 0
        --- out
        transaction drift:42
        on eip155:31337, block 42, 2024-01-01T00:00:24Z
        in block 0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb000000000000002a
        the source had no traces, no logs of this block
        1 movement:
          0.000007 eip155:31337/erc20:0x5fbdb2315678afecb367f032d93f642f64180aa3  drift  →  0x0000000000000000000000000000000000000003

    "#]].assert_eq(&desk.shows("show drift:42"));
    expect![[r#"
        exit 0
        --- out
        holder 0x0000000000000000000000000000000000000003
        on eip155:31337
        balance 2.500007 eip155:31337/erc20:0x5fbdb2315678afecb367f032d93f642f64180aa3
        first seen block 41, 2024-01-01T00:00:12Z
        last seen block 42, 2024-01-01T00:00:24Z
        movements, newest first:
          2024-01-01T00:00:24Z  +0.000007 eip155:31337/erc20:0x5fbdb2315678afecb367f032d93f642f64180aa3  drift                                       drift:42
          2024-01-01T00:00:12Z       +2.5 eip155:31337/erc20:0x5fbdb2315678afecb367f032d93f642f64180aa3  0x0000000000000000000000000000000000000001  0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000000000001

    "#]].assert_eq(&desk.shows(&format!("show {}", account(3))));
    expect![[r#"
        exit 5
        --- err
        error: 44: no such transaction, output, block or holder on eip155:31337
    "#]]
    .assert_eq(&desk.shows("show 44"));
}

#[test]
fn the_same_as_json() {
    let desk = ingested();
    let one = |line: &str| -> Value { desk.run(line).done().json_lines().remove(0) };
    let transaction = one(&format!("show {} --json", name(1)));
    assert_eq!((transaction["kind"].as_str(), transaction["height"].as_u64()), (Some("transaction"), Some(41)));
    assert_eq!(transaction["block_hash"], format!("0x{}", ledger::hex::text(&hash(0xbb, 41))));
    let event = &transaction["events"][2];
    assert_eq!(
        (event["index"].as_u64(), event["contract"].as_str()),
        (Some(5), Some(&*format!("0x{}", "5f".repeat(20))))
    );
    assert_eq!(event["topics"], Value::from(vec![format!("0x{}", ledger::hex::text(&hash(0xcc, 0)))]));
    assert_eq!(event["data"], format!("0x{}", "da".repeat(200)));
    assert_eq!(transaction.get("unknown"), None);
    assert_eq!(
        (&transaction["legs"][2]["fee"], &transaction["legs"][3]["fee"]),
        (&Value::from(true), &Value::from(true))
    );

    let drift = one("show drift:42 --json");
    assert_eq!(
        (&drift["legs"][0]["drift"], &drift["unknown"]),
        (&Value::from(true), &Value::from(vec!["traces", "logs"]))
    );
    let block = one("show 42 --json");
    assert_eq!((block["kind"].as_str(), block["settled"].as_str()), (Some("block"), Some("safe")));
    assert_eq!(
        (&block["unknown"], &block["listed"][0]["tx"]),
        (&Value::from(vec!["traces", "logs"]), &"drift:42".into())
    );
    assert_eq!(one("show 43 --json").get("settled"), None);
}

#[test]
fn what_the_book_says_of_a_chain_and_blocks_taken_back() {
    let desk = ingested();
    let status =
        || desk.run("book status").done().stdout.lines().take(3).fold(String::new(), |all, line| all + line + "\n");
    expect![[r#"
        eip155:31337: account, 2 transactions until 2024-01-01T00:00:24Z, block 43; ETH, eip155:31337/erc20:0x5fbdb2315678afecb367f032d93f642f64180aa3
          blocks 40 to 43, safe to 42, finalized to 41; 3 events kept
          no traces, no logs of 42
    "#]].assert_eq(&status());
    let json: Value = desk.run("book status --json").done().json_lines().remove(0);
    expect![[r#"{"assets":["ETH","eip155:31337/erc20:0x5fbdb2315678afecb367f032d93f642f64180aa3"],"chain":{"blocks":4,"events":3,"finalized":41,"first":40,"gaps":[{"from":42,"to":42,"unknown":["traces","logs"]}],"gaps_in_all":1,"safe":42},"height":43,"kind":"account","ledger":"eip155:31337","time":"2024-01-01T00:00:24Z","transactions":2}"#]].assert_eq(&json["ledgers"][0].to_string());
    expect![[r#"
        exit 0
        --- err
        eip155:31337: the latest 2 blocks are undone
    "#]]
    .assert_eq(&desk.shows("book undo --ledger eip155:31337 2"));
    expect![[r#"
        eip155:31337: account, 1 transactions until 2024-01-01T00:00:12Z, block 41; ETH, eip155:31337/erc20:0x5fbdb2315678afecb367f032d93f642f64180aa3
          blocks 40 to 41, safe to 41, finalized to 41; 3 events kept"#]].assert_eq(&status().lines().take(2).collect::<Vec<_>>().join("\n"));
    expect![[r#"
        exit 5
        --- err
        error: drift:42: no such transaction, output, block or holder on eip155:31337
    "#]]
    .assert_eq(&desk.shows("show drift:42"));
}
