//! A node's HTTP side: every way to get a block, logins, answers that are short, late or wrong.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::Desk;
use common::bitcoind::{self, Bitcoind, CORE_30, Mood, Offers, recorded};
use feed::node::{Event, FollowOptions, Login, NodeAddress, NodeError, Rpc, follow};
use serde_json::{Value, json};

/// How many blocks of the recorded chain are enough for most of it.
const BLOCKS: usize = 130;

fn chain(blocks: usize) -> Option<Vec<Value>> {
    recorded().map(|mut chain| {
        chain.truncate(blocks);
        chain
    })
}

/// Catches up once; what was told, by name, or the error.
fn catch_up(desk: &Desk, node: &Bitcoind, login: &Login, from: u64) -> Result<Vec<String>, String> {
    let options = FollowOptions { once: true, from, ..FollowOptions::default() };
    let mut told = Vec::new();
    let mut tell = |event: Event| match event {
        Event::Lost { why } => told.push(format!("lost: {why}")),
        Event::Back { .. } => told.push("back".to_owned()),
        Event::AtTip { height } => told.push(format!("at {height}")),
        _ => {}
    };
    let address = NodeAddress::parse(&node.url()).unwrap();
    let ended = follow(&desk.book, &address, login, &options, &AtomicBool::new(false), &mut tell);
    ended.map(|()| told).map_err(|error| error.to_string().replace(&node.url(), "[NODE]"))
}

fn files(desk: &Desk) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_none_or(|extension| extension != "lock") {
                found.insert(path.file_name().unwrap().into(), std::fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&desk.book.folder().join("ledgers"), &mut found);
    found
}

#[test]
fn every_way_to_get_blocks_makes_the_same_book() {
    let Some(chain) = chain(usize::MAX) else { return };
    let tip = chain.len() as u64 - 1;
    let ways = [
        ("spenttxouts", CORE_30),
        ("block", Offers { rest_spent: false, ..CORE_30 }),
        ("getblock 3", Offers { rest: false, rest_spent: false, ..CORE_30 }),
        ("getblock 2", Offers { rest: false, rest_spent: false, verbosity: 2, first_stored: None }),
    ];
    let (mut whole, mut late) = (Vec::new(), Vec::new());
    for (way, offers) in ways {
        let node = Bitcoind::start(&chain, offers);
        let desk = Desk::new();
        assert_eq!(catch_up(&desk, &node, &Login::Nothing, 0), Ok(vec![format!("at {tip}")]), "{way}");
        whole.push(files(&desk));
        // From genesis on a block's bytes are enough.
        assert_eq!((node.asked("spenttxouts"), node.asked("getblock 3")), (0, 0), "{way}");
        assert_eq!(node.asked("getblock 0"), if offers.rest { 0 } else { chain.len() }, "{way}");
        let desk = Desk::new();
        assert_eq!(catch_up(&desk, &node, &Login::Nothing, 290), Ok(vec![format!("at {tip}")]), "{way}");
        late.push(files(&desk));
        let expected = if way == "block" { "getblock 3" } else { way };
        assert!(node.asked(expected) >= chain.len() - 290, "{way}");
    }
    assert!(whole.iter().all(|files| *files == whole[0]));
    assert!(late[..3].iter().all(|files| *files == late[0]));
    assert!(late[3] != late[0], "what 2 does not tell is not known");
}

#[test]
fn answers_that_are_short_or_late_are_outlasted() {
    let Some(chain) = chain(BLOCKS) else { return };
    let calm = Desk::new();
    catch_up(&calm, &Bitcoind::start(&chain, CORE_30), &Login::Nothing, 0).unwrap();
    for moods in [
        vec![Mood::Starting, Mood::Starting],
        vec![Mood::Busy],
        vec![Mood::Cut(0), Mood::Cut(0)],
        // A connection that was closed once is opened anew without a word.
        vec![Mood::Cut(3)],
        vec![Mood::Cut(60), Mood::Cut(60), Mood::Cut(200), Mood::Cut(90), Mood::Busy, Mood::Starting, Mood::Cut(45)],
    ] {
        let node = Bitcoind::start(&chain, CORE_30);
        node.set_moods(moods.clone());
        let desk = Desk::new();
        let told = catch_up(&desk, &node, &Login::Nothing, 0).unwrap();
        assert_eq!(node.moods_left(), 0);
        assert_eq!(told.last().unwrap(), "at 129");
        let lost = told.iter().filter(|line| line.starts_with("lost")).count();
        let back = told.iter().filter(|line| *line == "back").count();
        assert_eq!(lost, back, "{moods:?}: {told:?}");
        assert!(files(&desk) == files(&calm), "{moods:?}");
    }
}

#[test]
fn a_node_that_lies_about_a_block_is_named_with_it() {
    let Some(chain) = chain(BLOCKS) else { return };
    let mut other = bitcoind::block_bytes(&chain[120]);
    let wrong_block = bitcoind::block_bytes(&chain[119]);
    *other.last_mut().unwrap() ^= 1;
    let cut = bitcoind::block_bytes(&chain[120])[..100].to_vec();
    let hash = chain[120]["hash"].as_str().unwrap();
    for (bytes, part) in
        [(other, "byte "), (wrong_block, "the node sent block "), (cut, "byte "), (Vec::new(), "byte 0")]
    {
        let node = Bitcoind::start(&chain, CORE_30);
        let question: &'static str = Box::leak(format!("/rest/block/{hash}").into_boxed_str());
        node.set_moods(vec![Mood::Says(question, bytes)]);
        let desk = Desk::new();
        let said = catch_up(&desk, &node, &Login::Nothing, 0).unwrap_err();
        assert!(said.starts_with(&format!("[NODE]: block 120, {hash}: {part}")), "{said}");
        // What came before it is kept, and an honest answer goes on from there.
        assert_eq!(catch_up(&desk, &node, &Login::Nothing, 0), Ok(vec!["at 129".to_owned()]));
    }
}

#[test]
fn printed_blocks_are_held_against_their_header() {
    let Some(chain) = chain(BLOCKS) else { return };
    let offers = Offers { rest: false, rest_spent: false, ..CORE_30 };
    let mut changes: Vec<(&str, Value)> = Vec::new();
    for (what, change) in [
        ("merkle root", ("/tx/0/txid", chain[3]["tx"][0]["txid"].clone())),
        ("time", ("/time", json!(1_700_000_001_u64))),
        ("parent", ("/previousblockhash", chain[3]["hash"].clone())),
        ("hash", ("/hash", chain[3]["hash"].clone())),
    ] {
        let mut block = chain[110].clone();
        *block.pointer_mut(change.0).unwrap() = change.1;
        changes.push((what, block));
    }
    let hash = chain[110]["hash"].as_str().unwrap();
    for (what, block) in changes {
        let node = Bitcoind::start(&chain, offers);
        let question: &'static str = Box::leak(format!(r#"["{hash}",3]"#).into_boxed_str());
        let answer = json!({"result": block, "error": null, "id": 0});
        node.set_moods(vec![Mood::Says(question, answer.to_string().into_bytes())]);
        let said = catch_up(&Desk::new(), &node, &Login::Nothing, 105).unwrap_err();
        let expected = format!("[NODE]: block 110, {hash}: its {what} is not what its header proves");
        assert_eq!(said, expected);
    }
}

#[test]
fn spent_outputs_that_do_not_fit_their_block_are_refused() {
    let Some(chain) = chain(usize::MAX) else { return };
    let hash = chain[300]["hash"].as_str().unwrap();
    let question: &'static str = Box::leak(format!("/rest/spenttxouts/{hash}").into_boxed_str());
    // Of the same shape as the right ones, they are the outputs of another block: the book knows better.
    let another = (bitcoind::spent_bytes(&chain[299]), "the source says that output ");
    let part = "its spent outputs, byte ";
    for (bytes, part) in [another, (Vec::new(), part), (vec![0xff; 9], part), (vec![0; 10], part)] {
        let node = Bitcoind::start(&chain, CORE_30);
        node.set_moods(vec![Mood::Says(question, bytes)]);
        let said = catch_up(&Desk::new(), &node, &Login::Nothing, 295).unwrap_err();
        assert!(said.starts_with(&format!("[NODE]: block 300, {hash}: {part}")), "{said}");
    }
}

#[test]
fn a_cookie_is_read_anew_when_the_node_has_written_another() {
    let Some(chain) = chain(20) else { return };
    let node = Bitcoind::start(&chain, CORE_30);
    let desk = Desk::new();
    let cookie = desk.file("cookie", "__cookie__:first");
    node.set_login(&STANDARD.encode("__cookie__:first"));
    let rpc = Rpc::new(NodeAddress::parse(&node.url()).unwrap(), Login::Cookie(cookie), &feed::node::BITCOIN);
    let best = || rpc.call::<String>("getbestblockhash", "[]");
    assert!(best().is_ok());
    node.set_login(&STANDARD.encode("__cookie__:second"));
    assert!(matches!(best(), Err(NodeError::Away { .. })), "it may be about to be written");
    desk.file("cookie", "__cookie__:second");
    assert!(best().is_ok());

    let password = Login::Password { user: "u".into(), password: "hidden".into() };
    let rpc = Rpc::new(NodeAddress::parse(&node.url()).unwrap(), password, &feed::node::BITCOIN);
    let refused = rpc.call::<String>("getbestblockhash", "[]").unwrap_err();
    assert!(matches!(refused, NodeError::Login { .. }) && !refused.to_string().contains("hidden"), "{refused}");
}

#[test]
fn what_is_no_node_or_says_too_much_is_told_apart() {
    let Some(chain) = chain(20) else { return };
    let node = Bitcoind::start(&chain, CORE_30);
    let rpc = Rpc::new(NodeAddress::parse(&node.url()).unwrap(), Login::Nothing, &feed::node::BITCOIN);
    let ask = |answer: Vec<u8>| {
        node.set_moods(vec![Mood::Says("", answer)]);
        rpc.call::<String>("getbestblockhash", "[]").unwrap_err().to_string().replace(&node.url(), "[NODE]")
    };
    let said = ask(b"<html>hello\x1b[31m</html>".to_vec());
    assert!(said.starts_with("[NODE]: getbestblockhash: this is no answer of a Bitcoin node (HTTP 200"), "{said}");
    assert!(!said.contains('\x1b'));
    assert!(ask(b"{}".to_vec()).ends_with("neither a result nor an error"));
    assert!(ask(br#"{"result":7}"#.to_vec()).contains("invalid type"));
    let said = ask([b"\"".as_slice(), &vec![b'a'; 5 << 20]].concat());
    assert!(said.contains("the answer is longer than the 4194304 bytes"), "{said}");
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    assert!(ask([br#"{"result":"#.as_slice(), &deep, b"}"].concat()).contains("getbestblockhash"));
}

#[test]
fn a_pruned_node_says_what_is_missing() {
    let Some(chain) = chain(BLOCKS) else { return };
    let node = Bitcoind::start(&chain, Offers { first_stored: Some(100), ..CORE_30 });
    let said = catch_up(&Desk::new(), &node, &Login::Nothing, 0).unwrap_err();
    assert!(said.contains("the node has deleted block 0 (pruning); it has blocks from height 100 on"), "{said}");
    assert_eq!(catch_up(&Desk::new(), &node, &Login::Nothing, 100), Ok(vec!["at 129".to_owned()]));
}
