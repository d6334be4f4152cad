//! `tracehound links thorchain`, `links find` over memos and `links pools`, as a user sees them.

mod common;

use std::io::Write;

use book::Book;
use common::Desk;
use evm::abi::{Signature, Value};
use ledger::{
    AccountBlock, AccountLeg, AccountTransaction, BlockEvent, Event, Gaps, LedgerId, LegKind, Lock, Outpoint, Time,
    UtxoBlock, UtxoInput, UtxoOutput, UtxoTransaction, hex,
};
use link::pools::{EVENTS, Pools};
use money::{Amount, Asset};

const IN: &str = "65A75EE7D50DD30A9A401678E8582441DFCC43C2F0F4B9EC9CB1123A64F6E3DC";
const OUT: &str = "2DB94227C2BA801E586764E060A5144749E6502547498DF80A023849AE435140";

/// A swap of 24 January 2024, as Midgard tells it.
fn midgard() -> String {
    format!(
        r#"{{"actions":[{{"height":"14411428","type":"swap","status":"success",
"in":[{{"address":"0x6cc41829d0a67456970529f92d6abacc83d69e61","txID":"{IN}","coins":[{{"amount":"4227498","asset":"BSC.BNB"}}]}}],
"metadata":{{"swap":{{"memo":"=:ETH.ETH:0x6CC41829d0a67456970529F92d6abACc83d69E61:0/1/0:ti:70"}}}},
"out":[{{"address":"thor1dl7un46w7l7f3ewrnrm6nq58nerjtp0dradjtd","height":"14411428","txID":"","coins":[{{"amount":"111276","asset":"THOR.RUNE"}}]}},
{{"address":"0x6cc41829d0a67456970529f92d6abacc83d69e61","height":"14411452","txID":"{OUT}","coins":[{{"amount":"430022","asset":"ETH.ETH"}}]}}]}}]}}"#
    )
}

#[test]
fn a_recorded_swap_is_kept_as_a_link() {
    let desk = Desk::new();
    desk.write("actions.json", midgard());
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(format!("{}\n\n", midgard().replace('\n', "")).as_bytes()).expect("memory takes it");
    std::fs::write(desk.path("actions.ndjson.gz"), packed.finish().expect("memory takes it")).expect("a file");
    for file in ["actions.json", "actions.ndjson.gz"] {
        let ran = desk.run(&format!("links thorchain {file} --dry-run --json")).done();
        let [link] = ran.json_lines().try_into().expect("one link");
        assert_eq!(link["share"], "0.993", "{link}");
        assert_eq!((&link["from"]["ledger"], &link["to"]["units"]), (&"eip155:56".into(), &"4300220000000000".into()));
        assert!(
            ran.stderr.contains("paid aside: ")
                && ran.stderr.contains("1 action, 0 registered memos read; 1 link, 0 swaps waiting"),
            "{}",
            ran.stderr
        );
    }
    let ran = desk.run("links thorchain actions.json").done();
    assert!(ran.stderr.contains("1 link new; the book has 1"), "{}", ran.stderr);
    let listed = desk.run("links list --json").done().json_lines();
    assert_eq!(listed.iter().filter(|line| line.get("share").is_some()).count(), 1, "{listed:?}");
    desk.write("bad.json", "{}\n");
    let ran = desk.run("links thorchain bad.json");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("bad.json:1: neither a block of THORNode"), "{}", ran.stderr);
    let ran = desk.run("links thorchain actions.json --scheme x");
    assert_eq!(ran.code, Some(2));
}

fn leg(from: &str, to: Option<&str>, amount: u128, kind: LegKind) -> AccountLeg {
    AccountLeg {
        from: Some(from.into()),
        to: to.map(Into::into),
        asset: "ETH".into(),
        amount: Amount::new(amount),
        fee: Amount::ZERO,
        kind,
    }
}

/// Ten notes of 1 ETH, by ten people; four of them go to one receiver, one of whom is the first depositor's other self.
fn with_a_pool() -> Desk {
    let desk = Desk::new();
    let pools = Pools::built_in();
    let id = LedgerId::parse("ethereum").expect("an id");
    let pool = pools.of(&id).find(|pool| pool.name == "1-eth").expect("it is built in");
    let book = Book::create(desk.path("book")).expect("a book");
    let mut writer = book.account_writer(&id).expect("a writer");
    writer.declare_asset(&Asset { symbol: "ETH".into(), scale: 18 }).expect("a new asset");
    let person = |of: u8| format!("0x{}", hex::text(&[of; 20]));
    for at in 0..14u8 {
        let time = Time::from_seconds(1_600_000_000 + 12 * i64::from(at)).expect("a time");
        let (which, values, legs) = if at < 10 {
            let leaf = Value::Uint(ruint::aliases::U256::from(at));
            let who = person(at + 1);
            let legs = vec![
                leg(&who, Some(&pool.holder()), pool.units, LegKind::Transfer),
                leg(&who, None, 1_000, LegKind::Fee),
            ];
            (0, vec![Value::Bytes(vec![at; 32]), leaf, Value::Uint(ruint::aliases::U256::ZERO)], legs)
        } else {
            let relayer = person(0xee);
            let legs = vec![
                leg(&pool.holder(), Some(&person(0xaa)), pool.units, LegKind::Transfer),
                leg(&relayer, None, 500, LegKind::Fee),
            ];
            let zero = Value::Uint(ruint::aliases::U256::ZERO);
            (1, vec![Value::Address([0xaa; 20]), Value::Bytes(vec![at; 32]), Value::Address([0xee; 20]), zero], legs)
        };
        let (topics, data) = Signature::parse(EVENTS[which]).expect("good").encode_event(&values).expect("they fit");
        let block = AccountBlock {
            height: u64::from(at),
            hash: [at + 1; 32],
            previous: at.checked_sub(1).map(|_| [at; 32]),
            time,
            transactions: vec![AccountTransaction { name: format!("0x{}", hex::text(&[at + 0x10; 32])), time, legs }],
            events: vec![BlockEvent {
                transaction: 0,
                event: Event { index: 0, contract: pool.contract, topics, data },
            }],
            gaps: Gaps::default(),
        };
        writer.push_block(&block).expect("it fits");
    }
    writer.commit().expect("it is written");
    desk
}

fn tx(at: u8) -> String {
    format!("0x{}", hex::text(&[at + 0x10; 32]))
}

#[test]
fn a_pool_is_told_in_intervals() {
    let desk = with_a_pool();
    let ran = desk.run("links pools").done();
    assert!(
        ran.stdout.contains("1-eth on eip155:1") && ran.stdout.contains("10 in, 4 out, 6 inside"),
        "{}",
        ran.stdout
    );
    let crowd = |at: &str| desk.run(&format!("links pools 1-eth --at {at} --json")).done().json_lines()[0].clone();
    assert_eq!((&crowd("7")["deposits"], &crowd("12")["inside"]), (&7.into(), &8.into()));
    assert_eq!(crowd("2020-09-13T12:27:04Z")["deposits"], 2);
    let loot: Vec<String> = (0..3).map(tx).collect();
    let asked = |more: &[&str]| {
        let mut line = vec!["links", "pools", "--json"];
        for tx in &loot {
            line.extend(["--loot", tx]);
        }
        line.extend(more);
        desk.run(&line.join(" ")).done().json_lines()
    };
    let lines = asked(&[]);
    let taken = lines.iter().find(|line| line["kind"] == "taken").expect("somebody took some");
    assert_eq!(
        (&taken["low"], &taken["high"], &taken["odds"]),
        (&0.into(), &3.into(), &serde_json::json!(["1/6", "1/2", "3/10", "1/30"]))
    );
    assert_eq!(taken["expected"], "1.2");
    let settled = format!("{}={}", tx(10), tx(0));
    let lines = asked(&["--settled", &settled]);
    let taken = lines.iter().find(|line| line["kind"] == "taken").expect("somebody took some");
    assert_eq!((&taken["low"], &taken["high"]), (&1.into(), &3.into()));
    assert!(taken["expected"].as_str().expect("text").starts_with("1.6666666"), "{taken}");
    let wrong = format!("{}={}", tx(0), tx(10));
    assert_eq!(desk.run(&format!("links pools --loot {} --settled {}", loot[0], wrong)).code, Some(0), "of no pool");
    assert_eq!(desk.run(&format!("links pools --loot {}", tx(11))).code, Some(5));
    assert_eq!(desk.run("links pools 100-eth").code, Some(5));
    let ran = desk.run("links pools --keep").done();
    assert!(ran.stderr.contains("0 links new"), "{}", ran.stderr);
}

/// 50 are paid to a vault in bitcoin; a router that only the user knows pays 40 of another coin for it, and somebody else too.
fn with_memos() -> Desk {
    let desk = Desk::new();
    let book = Book::create(desk.path("book")).expect("a book");
    let time = Time::from_seconds(1_700_000_000).expect("a time");
    let bitcoin = LedgerId::parse("bitcoin").expect("an id");
    let mut writer = book.utxo_writer(&bitcoin, &Asset { symbol: "BTC".into(), scale: 8 }).expect("a writer");
    let key = |of: u8| Lock::of_script(&[&[0, 20], &[of; 20][..]].concat());
    let text = |memo: &[u8]| Lock::of_script(&[&[0x6a, u8::try_from(memo.len()).expect("short")], memo].concat());
    let output = |amount: u128, holder: Lock| UtxoOutput { amount: Amount::new(amount), holder };
    let deposit = UtxoTransaction {
        txid: [0xaa; 32],
        inputs: vec![UtxoInput { outpoint: Outpoint { txid: [1; 32], vout: 0 }, spent: Some(output(53, key(8))) }],
        outputs: vec![output(50, key(7)), output(3, key(8)), output(0, text(b"=:e:0xcc"))],
        fee: Some(Amount::ZERO),
    };
    let (height, hash) = (1, [1; 32]);
    let block = UtxoBlock { height, hash, previous: None, time, transactions: vec![deposit] };
    writer.push_block(&block).expect("it fits");
    writer.commit().expect("it is written");

    let mut writer = book.account_writer(&LedgerId::parse("eip155:31337").expect("an id")).expect("a writer");
    writer.declare_asset(&Asset { symbol: "ETH".into(), scale: 18 }).expect("a new asset");
    let (vault, user) = ([0xbb; 20], [0xcc; 20]);
    let person = |of: [u8; 20]| format!("0x{}", hex::text(&of));
    let mut block = AccountBlock {
        height,
        hash,
        previous: None,
        time,
        transactions: Vec::new(),
        events: Vec::new(),
        gaps: Gaps::default(),
    };
    for (at, (router, answered)) in
        (0u32..).zip([([0xdd; 20], [0xaa; 32]), ([0xdd; 20], [0x77; 32]), ([0xde; 20], [0xaa; 32])])
    {
        let legs = vec![leg(&person(vault), Some(&person(user)), 40, LegKind::Transfer)];
        let name = format!("0x{}", hex::text(&[0xe0 + u8::try_from(at).expect("few"); 32]));
        block.transactions.push(AccountTransaction { name, time, legs });
        let values = [
            Value::Address(vault),
            Value::Address(user),
            Value::Address([0; 20]),
            Value::Uint(ruint::aliases::U256::from(40)),
            Value::Text(format!("OUT:{}", hex::text(&answered))),
        ];
        let signature = Signature::parse(link::thorchain::EVENTS[1]).expect("good");
        let (topics, data) = signature.encode_event(&values).expect("they fit");
        block.events.push(BlockEvent { transaction: at, event: Event { index: at, contract: router, topics, data } });
    }
    writer.push_block(&block).expect("it fits");
    writer.commit().expect("it is written");
    desk
}

#[test]
fn links_find_reads_memos_and_the_books_own_routers() {
    let desk = with_memos();
    let ran = desk.run("links find").done();
    assert!(ran.stderr.contains("0 links new"), "a router that nobody knows is not believed: {}", ran.stderr);
    std::fs::create_dir_all(desk.path("book/registry")).expect("a folder");
    let table = format!("# mine\nscheme,ledger,address,version\nthorchain,eip155:31337,0x{},4\n", "dd".repeat(20));
    desk.write("book/registry/routers.csv", &table);
    let ran = desk.run("links find --json").done();
    let links: Vec<_> = ran.json_lines().into_iter().filter(|line| line.get("share").is_some()).collect();
    let [link] = &links[..] else { panic!("{links:?}") };
    assert_eq!(
        (&link["from"]["tx"], &link["to"]["tx"]),
        (&"aa".repeat(32).into(), &format!("0x{}", "e0".repeat(32)).into())
    );
    assert_eq!(
        (&link["from"]["units"], &link["to"]["units"], &link["class"]),
        (&"50".into(), &"40".into(), &"deterministic".into())
    );
    assert!(ran.stderr.contains("1 payment over THORChain whose other side is on none"), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 link new; the book has 1"), "{}", ran.stderr);
    let ran = desk.run("links thorchain").done();
    assert!(ran.stderr.contains("0 links new; the book has 1"), "it is the same link: {}", ran.stderr);
    desk.write("book/registry/strange.csv", "a,b\n1,2\n");
    let ran = desk.run("links find");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("strange.csv: this is no table of pools ("), "{}", ran.stderr);
}

#[test]
fn a_pool_of_the_books_own_is_a_pool_to_every_command() {
    let desk = with_memos();
    std::fs::create_dir_all(desk.path("book/registry")).expect("a folder");
    let pool = format!("0x{}", "cc".repeat(20));
    let table = format!("protocol,ledger,contract,asset,units,name,since\nmine,eip155:31337,{pool},ETH,40,40-wei,0\n");
    desk.write("book/registry/pools.csv", &table);
    let other = with_a_pool();
    std::fs::create_dir_all(other.path("book/registry")).expect("a folder");
    let known = Pools::built_in();
    let known = known.all().iter().find(|pool| pool.name == "1-eth").expect("it is built in");
    let row = format!("mine,{},{},ETH,{},renamed,0", known.ledger, known.holder(), known.units);
    other.write("book/registry/pools.csv", format!("protocol,ledger,contract,asset,units,name,since\n{row}\n"));
    let ran = other.run("links pools renamed").done();
    assert!(ran.stdout.contains("10 in, 4 out, 6 inside"), "{}", ran.stdout);
    let tx = format!("0x{}", "e0".repeat(32));
    desk.write(
        "hack.yaml",
        format!(
            "incident: hack\nlosses:\n- ledger: eip155:31337\n  asset: ETH\n  amount: \"0.00000000000000004\"\n  stolen:\n  - {{tx: \"{tx}\", to: \"{pool}\"}}\n"
        ),
    );
    let result = desk.run("trace hack.yaml --json").done().json_lines().remove(0);
    let kinds: Vec<_> = result["terminals"].as_array().expect("a list").iter().map(|row| row["kind"].clone()).collect();
    assert_eq!(kinds, ["mixer"], "{result}");
}
