//! Following a chain that turns, ends and lies under our hands: the state machine against a scripted node, and the book
//! against one that was filled in one go.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use book::Book;
use common::Desk;
use feed::node::{
    BEHIND_BLOCKS_MAX, Event, FollowError, Follower, HASHES_MAX, Identity, Need, Node, NodeError, State, Turn,
};
use ledger::{LedgerId, Lock, Outpoint, Time, UtxoBlock, UtxoInput, UtxoOutput, UtxoTransaction, txid_text};
use money::{Amount, Asset};
use sha2::{Digest as _, Sha256};

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(parts.concat()).into()
}

fn identity() -> Identity {
    let ledger = LedgerId::parse("bitcoin-regtest").unwrap();
    Identity { ledger, asset: Asset { symbol: "BTC".into(), scale: 8 }, genesis: block(0, None, 0).hash }
}

/// A block that spends its parent's coinbase. `branch` tells blocks of the same height apart.
fn block(height: u64, parent: Option<&UtxoBlock>, branch: u8) -> UtxoBlock {
    let previous = parent.map(|parent| parent.hash);
    let hash = digest(&[&previous.unwrap_or_default(), &[branch], &height.to_le_bytes()]);
    let output = |units: u128, who: &str| UtxoOutput { amount: Amount::new(units), holder: Lock::from(who) };
    let coinbase = UtxoTransaction {
        txid: digest(&[b"coinbase", &hash]),
        inputs: Vec::new(),
        outputs: vec![output(50, &format!("miner-{branch}"))],
        fee: None,
    };
    let mut transactions = vec![coinbase];
    if let Some(parent) = parent {
        let spent = output(50, &name_of(&parent.transactions[0].outputs[0]));
        let outpoint = Outpoint { txid: parent.transactions[0].txid, vout: 0 };
        transactions.push(UtxoTransaction {
            txid: digest(&[b"payment", &hash]),
            inputs: vec![UtxoInput { outpoint, spent: Some(spent) }],
            outputs: vec![output(30, "alice"), output(15, &format!("payee-{}", height % 7))],
            fee: None,
        });
    }
    let time = Time::from_seconds(1_700_000_000 + i64::try_from(height).unwrap()).unwrap();
    UtxoBlock { height, hash, previous, time, transactions }
}

fn name_of(output: &UtxoOutput) -> String {
    output.holder.name(&ledger::network::UNLISTED)
}

/// `count` more blocks on top of the first `keep` of a chain.
fn grow(chain: &[UtxoBlock], keep: usize, count: usize, branch: u8) -> Vec<UtxoBlock> {
    let mut chain = chain[..keep].to_vec();
    for _ in 0..count {
        let next = block(chain.len() as u64, chain.last(), branch);
        chain.push(next);
    }
    chain
}

/// What happens to the node right before it answers a question.
enum Happening {
    /// Its active chain is another.
    Turns(Vec<UtxoBlock>),
    /// It is away for this question.
    Away,
}

#[derive(Default)]
struct Scripted {
    chain: Mutex<Vec<UtxoBlock>>,
    /// By hash, whatever it ever had: a node keeps stale blocks.
    blocks: Mutex<BTreeMap<[u8; 32], UtxoBlock>>,
    happenings: Mutex<BTreeMap<usize, Happening>>,
    questions: AtomicUsize,
    headers: Option<u64>,
    first_stored: Option<u64>,
    needs: Mutex<Vec<Need>>,
}

impl Scripted {
    fn new(chain: &[UtxoBlock]) -> Self {
        let node = Self::default();
        node.turn_to(chain);
        node
    }

    fn turn_to(&self, chain: &[UtxoBlock]) {
        self.blocks.lock().unwrap().extend(chain.iter().map(|block| (block.hash, block.clone())));
        *self.chain.lock().unwrap() = chain.to_vec();
    }

    fn at(self, question: usize, happening: Happening) -> Self {
        self.happenings.lock().unwrap().insert(question, happening);
        self
    }

    fn asked(&self) -> Result<(), NodeError> {
        let question = self.questions.fetch_add(1, Ordering::SeqCst);
        match self.happenings.lock().unwrap().remove(&question) {
            None => Ok(()),
            Some(Happening::Turns(chain)) => {
                self.turn_to(&chain);
                Ok(())
            }
            Some(Happening::Away) => Err(NodeError::Away { node: self.name(), why: "connection refused".into() }),
        }
    }
}

impl Node for Scripted {
    fn name(&self) -> String {
        "http://node".into()
    }

    fn best(&self) -> Result<[u8; 32], NodeError> {
        self.asked()?;
        Ok(self.chain.lock().unwrap().last().unwrap().hash)
    }

    fn state(&self) -> Result<State, NodeError> {
        self.asked()?;
        let chain = self.chain.lock().unwrap();
        let height = chain.len() as u64 - 1;
        let headers = self.headers.unwrap_or(height);
        let (best, first_stored) = (chain.last().unwrap().hash, self.first_stored);
        Ok(State { height, headers, best, is_syncing: false, first_stored })
    }

    fn hashes(&self, from: u64, count: u64) -> Result<Vec<[u8; 32]>, NodeError> {
        self.asked()?;
        let chain = self.chain.lock().unwrap();
        let count = usize::try_from(count.min(HASHES_MAX)).unwrap();
        Ok(chain.iter().skip(usize::try_from(from).unwrap()).take(count).map(|block| block.hash).collect())
    }

    fn block(&self, height: u64, hash: &[u8; 32], need: Need) -> Result<UtxoBlock, NodeError> {
        self.asked()?;
        self.needs.lock().unwrap().push(need);
        let block = self.blocks.lock().unwrap()[hash].clone();
        assert_eq!(block.height, height, "a block is asked for at its own height");
        Ok(block)
    }
}

/// Turns until the book has the node's last block; what was told, one line each, and how a wait or an error reads.
fn settle(follower: &mut Follower<'_>, node: &Scripted) -> Result<Vec<String>, String> {
    let mut told = Vec::new();
    for _ in 0..200 {
        let mut tell = |event: Event| match event {
            Event::Added { height, transactions, .. } => told.push(format!("+{height} ({transactions})")),
            Event::Filled { first, height, .. } => told.push(format!("+{first}..{height}")),
            Event::Undone { blocks, height, .. } => told.push(format!("-{blocks} to {height}")),
            _ => {}
        };
        match follower.turn(node, Instant::now(), &AtomicBool::new(false), &mut tell) {
            Ok(Turn::AtTip) => return Ok(told),
            Ok(Turn::Again) => {}
            Ok(Turn::Wait(why)) => return Err(format!("waits: {why}")),
            Ok(Turn::Stopped) => panic!("nobody said stop"),
            Err(error) if error.is_passing() => told.push("away".into()),
            Err(error) => return Err(error.to_string()),
        }
    }
    panic!("it comes to no end: {told:?}");
}

/// Every file of a ledger but its locks, by name.
fn files(book: &Book) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
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

/// A book that was filled with a chain in one go.
fn fresh(chain: &[UtxoBlock]) -> BTreeMap<String, Vec<u8>> {
    let desk = Desk::new();
    let Identity { ledger, asset, .. } = identity();
    let mut writer = desk.book.utxo_writer(&ledger, &asset).unwrap();
    for block in chain {
        writer.push_block(block).unwrap();
    }
    writer.commit().unwrap();
    drop(writer);
    files(&desk.book)
}

#[track_caller]
fn assert_is(book: &Book, chain: &[UtxoBlock]) {
    let (is, want) = (files(book), fresh(chain));
    assert!(is.keys().eq(want.keys()), "{:?} {:?}", is.keys(), want.keys());
    for (name, bytes) in is {
        assert!(bytes == want[&name], "{name} differs from a fresh ingest's");
    }
}

fn open(desk: &Desk, once: bool) -> Follower<'_> {
    Follower::open(&desk.book, &identity(), 0, once).unwrap()
}

#[test]
fn blocks_are_added_named_and_taken_back() {
    let desk = Desk::new();
    let main = grow(&[], 0, 40, 0);
    let node = Scripted::new(&main[..30]);
    let mut follower = open(&desk, false);
    assert_eq!(settle(&mut follower, &node), Ok(vec!["+0..29".into()]), "a catch-up is told as one");
    assert_eq!(settle(&mut follower, &node), Ok(vec![]));
    node.turn_to(&main[..32]);
    assert_eq!(settle(&mut follower, &node), Ok(vec!["+30 (2)".into(), "+31 (2)".into()]));
    node.turn_to(&grow(&main, 24, 9, 1));
    let told: Vec<String> = settle(&mut follower, &node).unwrap();
    assert_eq!(told[0], "-8 to 23");
    assert_eq!(told.len(), 10);
    node.turn_to(&main);
    assert_eq!(settle(&mut follower, &node), Ok(vec!["-9 to 23".into(), "+24..39".into()]));
    drop(follower);
    assert_is(&desk.book, &main);
    // It goes on where it stopped, and needs no spent outputs since it knows all.
    let mut follower = open(&desk, false);
    assert_eq!(follower.height(), Some(39));
    assert_eq!(settle(&mut follower, &node), Ok(vec![]));
    assert!(node.needs.lock().unwrap().iter().all(|need| *need == Need::Block));
}

#[test]
fn the_common_block_is_found_at_any_depth_with_few_questions() {
    let main = grow(&[], 0, 300, 0);
    for keep in [1, 2, 150, 255, 256, 299] {
        let desk = Desk::new();
        let node = Scripted::new(&main);
        let mut follower = open(&desk, false);
        settle(&mut follower, &node).unwrap();
        let other = grow(&main, keep, 301 - keep, 1);
        node.turn_to(&other);
        let before = node.questions.load(Ordering::SeqCst);
        let told = settle(&mut follower, &node).unwrap();
        assert_eq!(told[0], format!("-{} to {}", 300 - keep, keep - 1));
        let questions = node.questions.load(Ordering::SeqCst) - before - (301 - keep);
        assert!(questions <= 30, "{questions} questions for a depth of {}", 300 - keep);
        drop(follower);
        assert_is(&desk.book, &other);
    }
}

#[test]
fn a_chain_may_turn_before_any_question_and_a_node_go_away() {
    let start = grow(&[], 0, 8, 0);
    let first = grow(&start, 5, 20, 1);
    let fresh_first = fresh(&first);
    for end in [grow(&first, 14, 14, 2), grow(&start, 8, 20, 3)] {
        let fresh_end = fresh(&end);
        for question in 0.. {
            let desk = Desk::new();
            let mut follower = open(&desk, false);
            settle(&mut follower, &Scripted::new(&start)).unwrap();
            let away = question + 3 + question % 5;
            let node = Scripted::new(&first);
            node.turn_to(&start);
            node.turn_to(&first);
            let node = node.at(question, Happening::Turns(end.clone())).at(away, Happening::Away);
            settle(&mut follower, &node).unwrap();
            drop(follower);
            let turned = !node.happenings.lock().unwrap().contains_key(&question);
            assert!(files(&desk.book) == if turned { &fresh_end } else { &fresh_first }.clone(), "{question}");
            if !turned {
                break;
            }
        }
    }
}

#[test]
fn a_node_with_fewer_blocks_is_waited_for_and_then_believed() {
    let main = grow(&[], 0, 20, 0);
    let desk = Desk::new();
    let mut node = Scripted::new(&main);
    let mut follower = open(&desk, false);
    settle(&mut follower, &node).unwrap();
    node.turn_to(&main[..15]);
    let said = settle(&mut follower, &node).unwrap_err();
    assert_eq!(said, "waits: the node is at height 14, 5 below the book's last block");
    node.headers = Some(19);
    let said = settle(&mut follower, &node).unwrap_err();
    assert!(said.ends_with("and still connecting blocks"), "{said}");
    node.turn_to(&main);
    assert_eq!(settle(&mut follower, &node), Ok(vec![]), "nothing was taken back for it");
    // Where the book is only to catch up, a node that is done connecting is believed at once.
    drop(follower);
    node.turn_to(&main[..15]);
    node.headers = None;
    let mut follower = open(&desk, true);
    assert_eq!(settle(&mut follower, &node), Ok(vec!["-5 to 14".into()]));
    drop(follower);
    assert_is(&desk.book, &main[..15]);
}

#[test]
fn a_node_that_has_lost_very_much_is_not_followed_down() {
    let main = grow(&[], 0, usize::try_from(BEHIND_BLOCKS_MAX).unwrap() + 2, 0);
    let desk = Desk::new();
    let node = Scripted::new(&main);
    let mut follower = open(&desk, true);
    settle(&mut follower, &node).unwrap();
    node.turn_to(&main[..1]);
    let said = settle(&mut follower, &node).unwrap_err();
    assert!(said.contains("tracehound book undo --ledger bip122:0f9188f13cb7b2c71f2a335e3a4fc328 1001"), "{said}");
    // Another chain is another matter: it has blocks that the book does not have.
    let other = grow(&main, 1, 3, 1);
    node.turn_to(&other);
    settle(&mut follower, &node).unwrap();
    drop(follower);
    assert_is(&desk.book, &other);
}

#[test]
fn readers_in_the_way_of_a_turn_are_waited_for() {
    let main = grow(&[], 0, 10, 0);
    let desk = Desk::new();
    let node = Scripted::new(&main);
    let mut follower = open(&desk, false);
    settle(&mut follower, &node).unwrap();
    let reader = desk.book.ledger(&identity().ledger).unwrap();
    let other = grow(&main, 7, 5, 1);
    node.turn_to(&other);
    let said = settle(&mut follower, &node).unwrap_err();
    assert!(said.contains("turned at height 6, and 3 blocks cannot be taken back while"), "{said}");
    drop(reader);
    assert_eq!(settle(&mut follower, &node).unwrap()[0], "-3 to 6");
    drop(follower);
    assert_is(&desk.book, &other);
}

#[test]
fn a_block_that_the_book_refuses_is_named_and_those_before_it_are_kept() {
    for bad in [5, 6, 25] {
        let mut main = grow(&[], 0, 26, 0);
        // It spends what the block before it has spent already.
        let again = main[bad - 1].transactions[1].inputs.clone();
        main[bad].transactions[1].inputs = again;
        let desk = Desk::new();
        let node = Scripted::new(&main[..4]);
        let mut follower = open(&desk, false);
        settle(&mut follower, &node).unwrap();
        node.turn_to(&main);
        let said = settle(&mut follower, &node).unwrap_err();
        let start = format!("http://node: block {bad}, {}: transaction ", txid_text(&main[bad].hash));
        assert!(said.starts_with(&start) && said.ends_with("; the blocks before it are kept"), "{said}");
        drop(follower);
        assert_is(&desk.book, &main[..bad]);
    }
}

/// Says of its chain what does not fit together.
struct Liar(Scripted);

impl Node for Liar {
    fn name(&self) -> String {
        self.0.name()
    }

    fn best(&self) -> Result<[u8; 32], NodeError> {
        Ok([7; 32])
    }

    fn state(&self) -> Result<State, NodeError> {
        self.0.state()
    }

    fn hashes(&self, from: u64, count: u64) -> Result<Vec<[u8; 32]>, NodeError> {
        self.0.hashes(from, count)
    }

    fn block(&self, height: u64, hash: &[u8; 32], need: Need) -> Result<UtxoBlock, NodeError> {
        self.0.block(height, hash, need)
    }
}

#[test]
fn a_node_that_contradicts_itself_comes_to_an_end() {
    let main = grow(&[], 0, 10, 0);
    // A best block that is not on its chain, and a chain whose blocks do not follow each other.
    let mut torn = main.clone();
    torn[6] = block(6, Some(&grow(&main, 5, 1, 1)[5]), 1);
    let mut ends = Vec::new();
    for node in [Liar(Scripted::new(&main)), Liar(Scripted::new(&torn))] {
        let desk = Desk::new();
        let mut follower = open(&desk, false);
        let end =
            (0..100).find_map(|_| follower.turn(&node, Instant::now(), &AtomicBool::new(false), &mut |_| {}).err());
        ends.push(end.expect("it ends").to_string());
        let kept = follower.height().unwrap();
        drop(follower);
        assert_is(&desk.book, &main[..=usize::try_from(kept).unwrap()]);
    }
    for end in &ends {
        assert!(end.ends_with("what the node says of its chain does not fit together"), "{end}");
    }
    assert!(ends[1].contains("block 6, "), "{}", ends[1]);
}

#[test]
fn a_node_that_has_deleted_blocks_serves_a_book_that_begins_later() {
    let main = grow(&[], 0, 20, 0);
    let mut node = Scripted::new(&main);
    node.first_stored = Some(12);
    let desk = Desk::new();
    let said = settle(&mut open(&desk, false), &node).unwrap_err();
    assert!(said.contains("the node has deleted block 0 (pruning); it has blocks from height 12 on"), "{said}");
    let mut follower = Follower::open(&desk.book, &identity(), 13, false).unwrap();
    settle(&mut follower, &node).unwrap();
    assert!(node.needs.lock().unwrap().iter().all(|need| *need == Need::Spent));
    drop(follower);
    assert_is(&desk.book, &main[13..]);
    // Turned below its first block, it has nothing in common any more.
    let mut follower = open(&desk, false);
    node.turn_to(&grow(&main, 12, 20, 1));
    let said = settle(&mut follower, &node).unwrap_err();
    assert!(said.contains("have no block in common"), "{said}");
}

#[test]
fn what_is_whole_is_kept_when_it_is_stopped_or_the_node_goes() {
    let main = grow(&[], 0, 60, 0);
    let desk = Desk::new();
    let stop = AtomicBool::new(false);
    let node = Scripted::new(&main);
    let mut follower = open(&desk, false);
    let mut tell = |event: Event| {
        if matches!(event, Event::Filling { height: 20, .. }) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    assert!(matches!(follower.turn(&node, Instant::now(), &stop, &mut tell), Ok(Turn::Stopped)));
    drop(follower);
    assert_is(&desk.book, &main[..21]);

    let mut follower = open(&desk, false);
    let node = Scripted::new(&main).at(30, Happening::Away);
    let gone = follower.turn(&node, Instant::now(), &AtomicBool::new(false), &mut |_| {});
    assert!(matches!(gone, Err(FollowError::Node(NodeError::Away { .. }))));
    let kept = usize::try_from(follower.height().unwrap()).unwrap();
    assert!((20..60).contains(&kept), "{kept}");
    drop(follower);
    assert_is(&desk.book, &main[..=kept]);
}
