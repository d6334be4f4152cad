//! An EVM node that turns, lies, breaks off and is asked too much, against a book that was filled by an honest one: time
//! is all that it may cost.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use book::Book;
use common::Desk;
use common::evm_node::{A, B, CHAIN, EvmNode, Lie, TOKEN, Told, grow, holds, receipt};
use feed::evm::{EVM_FORM, EvmAccess, EvmOptions, Settled, WantedTraces, follow_evm, replay_evm};
use feed::node::{Event, Login, NodeAddress};
use serde_json::{Value, json};

fn options() -> EvmOptions {
    EvmOptions { once: true, native: Some("TST".into()), ..EvmOptions::default() }
}

fn access(node: &EvmNode) -> EvmAccess {
    let address = NodeAddress::parse_as(&node.url(), EVM_FORM).unwrap();
    EvmAccess { address, login: Login::Nothing, headers: Vec::new() }
}

/// What was told, one line each, or why it ended.
fn follow(book: &Book, node: &EvmNode, options: &EvmOptions) -> Result<Vec<String>, String> {
    let mut told = Vec::new();
    let done = follow_evm(book, &access(node), options, &AtomicBool::new(false), &mut |event| told.extend(line(event)));
    done.map(|()| told).map_err(|error| error.to_string().replace(&node.url(), "[NODE]"))
}

fn line(event: Event) -> Option<String> {
    Some(match event {
        Event::Added { height, .. } => format!("+{height}"),
        Event::Filled { first, height, .. } => format!("+{first}..{height}"),
        Event::Undone { blocks, height, .. } => format!("-{blocks} to {height}"),
        Event::Problem { height, what } => format!("{height}: {what}"),
        Event::AtTip { height } => format!("at {height}"),
        _ => return None,
    })
}

/// Every file of a book's ledgers but its locks, by name.
fn files(book: &Book) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_none_or(|extension| extension != "lock") {
                found.insert(path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&book.folder().join("ledgers"), &mut found);
    found
}

fn fresh(chain: &[Value], options: &EvmOptions) -> BTreeMap<String, Vec<u8>> {
    let desk = Desk::new();
    follow(&desk.book, &EvmNode::start(chain), options).unwrap();
    files(&desk.book)
}

#[track_caller]
fn assert_is(book: &Book, want: &BTreeMap<String, Vec<u8>>) {
    let is = files(book);
    assert!(is.keys().eq(want.keys()), "{:?} {:?}", is.keys(), want.keys());
    for (name, bytes) in &is {
        assert!(*bytes == want[name], "{name} differs from an honest node's");
    }
}

/// Block 3, as a batch asks for it.
const AT_3: &str = "[\"0x3\",true]";
const FOR_EVER: usize = usize::MAX;

/// Each lie, and what is said if it is told for ever.
fn lies(chain: &[Value]) -> Vec<(Lie, &'static str)> {
    let result = |method: &'static str, value: Value| Lie::Result(method, value.to_string());
    let with = |value: &Value, field: &str, to: Value| {
        let mut value = value.clone();
        value[field] = to;
        value
    };
    let block = &chain[3];
    let mut swapped = receipt(block);
    let log = swapped["logs"][0].clone();
    swapped["logs"] = json!([with(&log, "logIndex", json!("0x1")), log]);
    let (blocks, of_receipts, traces) = ("eth_getBlockByNumber", "eth_getBlockReceipts", "trace_block");
    vec![
        (result(blocks, Value::Null), "block 3: eth_getBlockByNumber: the node does not have it"),
        (result(blocks, chain[4].clone()), "block 3: eth_getBlockByNumber: the answer is block 4"),
        (result(blocks, with(block, "parentHash", json!(chain[1]["hash"]))), "these are not of one chain"),
        (result(blocks, with(block, "number", json!("0x3000000000000000000"))), "block 3: eth_getBlockByNumber: "),
        (result(blocks, json!("0x3")), "block 3: eth_getBlockByNumber: "),
        (Lie::Result(blocks, block.to_string()[..200].to_owned()), "it went away in the middle of an answer"),
        (result(of_receipts, json!([receipt(&chain[4])])), "block 3: eth_getBlockReceipts: receipt 0 is of block 4"),
        (result(of_receipts, json!([])), "block 3: eth_getBlockReceipts: 0 receipts for 1 transactions"),
        (result(of_receipts, Value::Null), "block 3: eth_getBlockReceipts: the answer is null"),
        (result(of_receipts, json!([null])), "block 3: eth_getBlockReceipts: "),
        (result(of_receipts, json!([swapped])), "block 3: eth_getBlockReceipts: log 0 follows where log 2 was due"),
        (result(traces, json!([])), "block 3: trace_block: no traces of transaction 0"),
        (result(traces, Value::Null), "block 3: trace_block: the answer is null"),
        (Lie::Error(traces, -32000, "execution timeout"), "block 3: trace_block: error -32000: execution timeout"),
        (
            Lie::Body(b"[{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":null}]".to_vec()),
            "the answers are not those to the questions",
        ),
        (Lie::Body(b"<html>".to_vec()), "this is no answer of an EVM node (HTTP 200"),
    ]
}

#[test]
fn a_lie_is_asked_about_again_then_named_and_never_kept() {
    let chain = grow(&[], 0, 8, 0);
    let (whole, before) = (fresh(&chain, &options()), fresh(&chain[..3], &options()));
    for (lie, said) in lies(&chain) {
        let node = EvmNode::start(&chain);
        let desk = Desk::new();
        node.lie(vec![(AT_3, lie.clone(), 2)]);
        follow(&desk.book, &node, &options()).unwrap_or_else(|error| panic!("{lie:?}: {error}"));
        assert_is(&desk.book, &whole);
        if said.starts_with("it went away") {
            continue;
        }
        let desk = Desk::new();
        node.lie(vec![(AT_3, lie.clone(), FOR_EVER)]);
        let error = follow(&desk.book, &node, &options()).unwrap_err();
        assert!(error.starts_with("[NODE]: block 3") && error.contains(said), "{lie:?}: {error}");
        assert_is(&desk.book, &before);
        node.lie(Vec::new());
        follow(&desk.book, &node, &options()).unwrap();
        assert_is(&desk.book, &whole);
    }
}

#[test]
fn limits_and_cut_connections_are_outlasted() {
    let chain = grow(&[], 0, 8, 0);
    let whole = fresh(&chain, &options());
    let lies: Vec<Vec<Told>> = vec![
        vec![(AT_3, Lie::Status(429, Some(0)), 3), ("latest", Lie::Status(429, None), 1)],
        vec![(AT_3, Lie::Error("eth_getBlockReceipts", -32005, "limit exceeded"), 2)],
        vec![(AT_3, Lie::Status(503, None), 2)],
        (0..6).map(|at| (AT_3, Lie::Cut(at * 150), 1)).collect(),
        vec![("eth_call", Lie::Cut(30), 2)],
        vec![("eth_call", Lie::Error("eth_call", -32000, "header not found"), 2)],
        vec![("eth_chainId", Lie::Cut(0), 2)],
    ];
    for lies in lies {
        let node = EvmNode::start(&chain);
        let desk = Desk::new();
        node.lie(lies.clone());
        follow(&desk.book, &node, &options()).unwrap_or_else(|error| panic!("{lies:?}: {error}"));
        assert_is(&desk.book, &whole);
    }
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let chain = grow(&[], 0, 5, 0);
    let node = EvmNode::start(&chain);
    let desk = Desk::new();
    let options = EvmOptions { answer_bytes_max: 1 << 16, ..options() };
    node.lie(vec![(AT_3, Lie::Body(vec![b' '; 1 << 17]), FOR_EVER)]);
    let said = follow(&desk.book, &node, &options).unwrap_err();
    assert!(said.contains("block 3") && said.contains("longer than the 65536 bytes"), "{said}");
}

#[test]
fn a_chain_that_turns_is_followed_unless_what_was_final_would_go() {
    let main = grow(&[], 0, 90, 0);
    for depth in [1, 2, 17, 64] {
        let node = EvmNode::start(&main);
        let desk = Desk::new();
        follow(&desk.book, &node, &options()).unwrap();
        let other = grow(&main, 90 - depth, depth + 1, 1);
        node.turn_to(&other);
        let told = follow(&desk.book, &node, &options()).unwrap();
        assert_eq!(told[0], format!("-{depth} to {}", 89 - depth));
        assert_is(&desk.book, &fresh(&other, &options()));
    }
    let node = EvmNode::start(&main);
    let desk = Desk::new();
    node.finalize(80);
    follow(&desk.book, &node, &options()).unwrap();
    node.turn_to(&grow(&main, 80, 12, 1));
    let said = follow(&desk.book, &node, &options()).unwrap_err();
    assert!(said.contains("after block 79, below block 80, which was finalized"), "{said}");
    assert!(said.contains("tracehound book undo --ledger eip155:424242 10"), "{said}");
    node.turn_to(&grow(&main, 81, 12, 1));
    assert_eq!(follow(&desk.book, &node, &options()).unwrap()[0], "-9 to 80");
    let shallow = EvmOptions { reorg_blocks_max: 3, ..options() };
    node.turn_to(&grow(&main, 85, 9, 2));
    node.finalize(10);
    let said = follow(&desk.book, &node, &shallow).unwrap_err();
    assert!(said.contains("12 blocks deep, and no more than 3 are taken back unasked"), "{said}");
}

#[test]
fn ranges_and_settled_blocks_are_kept_to() {
    let chain = grow(&[], 0, 40, 0);
    let node = EvmNode::start(&chain);
    let desk = Desk::new();
    let range = |from, to| EvmOptions { from: Some(from), to: Some(to), once: false, ..options() };
    assert_eq!(follow(&desk.book, &node, &range(10, 25)).unwrap(), ["+10..25", "at 25"]);
    assert_eq!(follow(&desk.book, &node, &range(26, 30)).unwrap().last().unwrap(), "at 30");
    let said = follow(&desk.book, &node, &range(5, 35)).unwrap_err();
    assert!(said.contains("from block 10 to 30: it cannot begin at 5"), "{said}");
    let behind = EvmOptions { settled: Settled::Confirmations(4), ..options() };
    assert_eq!(follow(&desk.book, &node, &behind).unwrap().last().unwrap(), "at 35");
    node.finalize(37);
    let finalized = EvmOptions { settled: Settled::Finalized, ..options() };
    assert_eq!(follow(&desk.book, &node, &finalized).unwrap().last().unwrap(), "at 37");
}

#[test]
fn what_a_node_does_not_offer_is_a_gap_or_got_another_way() {
    let chain = grow(&[], 0, 20, 0);
    let whole = fresh(&chain, &options());
    let run = |lacks: &[&'static str], options: &EvmOptions| {
        let node = EvmNode::start(&chain);
        node.lack([lacks, &["debug_traceBlockByNumber"]].concat());
        let desk = Desk::new();
        let told = follow(&desk.book, &node, options);
        (desk, told)
    };
    let (desk, told) = run(&["eth_getBlockReceipts"], &options());
    assert_eq!(told.unwrap(), ["+0..19", "at 19"]);
    assert_is(&desk.book, &whole);
    let (_, told) = run(&["eth_getBlockReceipts", "eth_getTransactionReceipt"], &options());
    assert!(told.unwrap()[0].starts_with("0: no receipts: "));
    let (_, told) = run(&["trace_block"], &options());
    assert!(told.unwrap()[0].starts_with("0: no traces: "));
    let wanted = EvmOptions { traces: WantedTraces::Parity, ..options() };
    let (_, told) = run(&["trace_block"], &wanted);
    assert!(told.unwrap_err().contains("trace_block: the node does not offer it"));
}

/// Whatever words a node has for it: what it does not tell of a block is got another way, else it is a gap, and never the end.
#[test]
fn what_is_refused_of_one_block_is_got_another_way_or_a_gap() {
    let chain = grow(&[], 0, 8, 0);
    let whole = fresh(&chain, &options());
    let run = |method, code, says| {
        let node = EvmNode::start(&chain);
        let desk = Desk::new();
        node.lie(vec![
            ("[\"0x3\"", Lie::Error(method, code, says), FOR_EVER),
            (AT_3, Lie::Error(method, code, says), FOR_EVER),
        ]);
        let told = follow(&desk.book, &node, &options());
        (desk, told)
    };
    for (code, says) in
        [(-32601, "nix"), (-32602, "bad argument"), (-32004, "no"), (-32603, "inside"), (-32000, "Disabled")]
    {
        let (desk, told) = run("eth_getBlockReceipts", code, says);
        let note = format!("3: eth_getBlockReceipts: error {code}: {says}; this is told once");
        assert!(told.unwrap().iter().any(|line| line.starts_with(&note)), "{code} {says}");
        assert_is(&desk.book, &whole);
        let told = run("trace_block", code, says).1.unwrap();
        let gaps = told.iter().filter(|line| line.starts_with("3: no traces: ")).count();
        assert_eq!((gaps, told.last().unwrap().as_str()), (1, "at 7"), "{told:?}");
    }
}

#[test]
fn a_balance_that_is_refused_or_absurd_is_told() {
    let chain = grow(&[], 0, 8, 0);
    let contract = ledger::hex::bytes(&TOKEN[2..]).unwrap().try_into().unwrap();
    let checked = EvmOptions { rebasing: BTreeSet::from([contract]), ..options() };
    let absurd = Lie::Result("eth_call", format!("\"0x{}\"", "f".repeat(64)));
    for (lie, why) in [
        (Lie::Error("eth_call", 3, "execution reverted"), "the question was refused"),
        (absurd, "what is stated can be no balance here"),
    ] {
        let node = EvmNode::start(&chain);
        node.lie(vec![("0x70a08231", lie, FOR_EVER)]);
        let told = follow(&Desk::new().book, &node, &checked).unwrap();
        let want =
            format!("0: eip155:{CHAIN}/erc20:{TOKEN}: a balance is not compared with the chain's: {why}; this is told");
        assert_eq!(told.iter().filter(|line| line.starts_with(&want)).count(), 1, "{told:?}");
    }
}

#[test]
fn a_chain_is_what_it_was_said_to_be() {
    let chain = grow(&[], 0, 3, 0);
    let node = EvmNode::start(&chain);
    let desk = Desk::new();
    let said = follow(&desk.book, &node, &EvmOptions { chain: Some(1), ..options() }).unwrap_err();
    assert_eq!(said, "[NODE]: it is on chain 424242 (eip155:424242), and not on 1 (eip155:1)");
    let said = follow(&desk.book, &node, &EvmOptions { native: None, ..options() }).unwrap_err();
    assert!(said.ends_with("say what its coin is: --native SYMBOL"), "{said}");
    follow(&desk.book, &node, &options()).unwrap();
    // The book knows the coin by now.
    follow(&desk.book, &node, &EvmOptions { native: None, ..options() }).unwrap();
    node.turn_to(&grow(&[], 0, 5, 7));
    let said = follow(&desk.book, &node, &options()).unwrap_err();
    assert!(said.contains("no block in common"), "{said}");
}

#[test]
fn a_login_and_headers_go_to_the_node_and_into_no_message() {
    let node = EvmNode::start(&grow(&[], 0, 2, 0));
    let desk = Desk::new();
    let mut access = access(&node);
    access.login = Login::Bearer("SECRET".into());
    access.headers = vec![("X-Key".into(), "HIDDEN".into())];
    follow_evm(&desk.book, &access, &options(), &AtomicBool::new(false), &mut |_| {}).unwrap();
    let headers = node.headers();
    assert!(
        headers.contains(&"authorization: bearer secret".to_owned()) && headers.contains(&"x-key: hidden".to_owned())
    );
    assert!(!format!("{:?}", access.login).contains("SECRET"));
}

/// What the book says that somebody has.
fn balance(book: &Book, who: &str, asset: &str) -> u128 {
    let open = book.ledger(&evm::ledger_id(CHAIN)).unwrap();
    let ledger = open.as_ledger();
    let holder = ledger.find_holder(who).unwrap();
    let name = format!("{who}/{asset}");
    let purse = ledger.purses(holder).into_iter().find(|purse| ledger.purse_name(*purse) == name).unwrap();
    ledger.balance(purse, ledger.end()).units()
}

#[test]
fn drift_closes_balances_block_by_block_and_whatever_is_first_met_is_no_drift() {
    let chain = grow(&[], 0, 30, 0);
    let contract = ledger::hex::bytes(&TOKEN[2..]).unwrap().try_into().unwrap();
    let checked = EvmOptions { rebasing: BTreeSet::from([contract]), ..options() };
    let asset = format!("eip155:{CHAIN}/erc20:{TOKEN}");
    for from in [0, 12] {
        let desk = Desk::new();
        for to in from..30 {
            let range = EvmOptions { from: Some(from), to: Some(to), ..checked.clone() };
            follow(&desk.book, &EvmNode::start(&chain), &range).unwrap();
            if to % 7 == 0 || to == 29 {
                for who in [A, B] {
                    let is = balance(&desk.book, who, &asset);
                    assert_eq!(is, u128::from(holds(who, i64::try_from(to).unwrap())), "{who} after {to}");
                }
            }
        }
        // In one go it is the same.
        assert_is(&desk.book, &fresh(&chain, &EvmOptions { from: Some(from), ..checked.clone() }));
    }
}

#[test]
fn a_recording_makes_the_same_book_wherever_it_was_cut_off() {
    let chain = grow(&[], 0, 60, 0);
    let node = EvmNode::start(&chain);
    let contract = ledger::hex::bytes(&TOKEN[2..]).unwrap().try_into().unwrap();
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("recording");
    let checked = EvmOptions { rebasing: BTreeSet::from([contract]), ..options() };
    follow(&desk.book, &node, &EvmOptions { record: Some(recording.clone()), ..checked.clone() }).unwrap();
    let whole = files(&desk.book);
    for cut in [0, 1, 29, 58] {
        let again = Desk::new();
        let stop = AtomicBool::new(false);
        let mut taken = 0;
        let mut tell = |event: Event| {
            if let Event::Filling { .. } = event {
                taken += 1;
                stop.store(taken > cut, Ordering::SeqCst);
            }
        };
        replay_evm(&again.book, &recording, &checked, &stop, &mut tell).unwrap();
        stop.store(false, Ordering::SeqCst);
        replay_evm(&again.book, &recording, &checked, &AtomicBool::new(false), &mut |_| {}).unwrap();
        assert_is(&again.book, &whole);
    }
    std::fs::remove_file(recording.join("block-000000000031.ndjson")).unwrap();
    let holed = Desk::new();
    let said = replay_evm(&holed.book, &recording, &checked, &AtomicBool::new(false), &mut |_| {}).unwrap_err();
    assert!(said.to_string().ends_with("block 31: the recording does not have it"), "{said}");
    let text = std::fs::read_to_string(recording.join("block-000000000030.ndjson")).unwrap();
    std::fs::write(recording.join("block-000000000030.ndjson"), &text[..text.len() / 2]).unwrap();
    let said = replay_evm(&holed.book, &recording, &checked, &AtomicBool::new(false), &mut |_| {}).unwrap_err();
    assert!(said.to_string().contains("block-000000000030.ndjson: ") && said.to_string().contains("cut off"), "{said}");
}
