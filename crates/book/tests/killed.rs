//! `kill -9` at random instants: the book opens at its last commit each time, and the same ingest run again ends in the
//! same bytes as an undisturbed one. So does an undo.
//!
//! The ingest runs in a process of its own: this test program started again with a task in its environment.

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use book::{Book, BookLedger, Heads};
use common::{
    Dice, account_blocks, account_transactions, assert_same_bytes, assets, assets_of, btc, chain, evm, table,
    utxo_blocks,
};
use ledger::{Contracts as _, Ledger as _};

const TASK: &str = "BOOK_TEST_TASK";
/// Enough for the look-ups to have runs.
const TRANSACTIONS: u64 = 80_000;
const HOLDERS: u64 = 150_000;
const BLOCKS: u64 = 900;
const BLOCK_TRANSACTIONS: u64 = 200;
/// Blocks of accounts, with as many transactions at most.
const ACCOUNT_BLOCKS: u64 = 2_500;
const ACCOUNT_BLOCK_TRANSACTIONS: u64 = 80;
const SEED: u64 = 11;
/// How many kills each ledger lives through.
const KILLS_MIN: usize = 16;

/// Takes in whatever the ledger does not have, in small batches.
fn ingest_accounts(folder: &Path, count: u64) {
    let book = Book::create(folder).expect("a book");
    let mut writer = book.account_writer(&table()).expect("nobody else writes");
    for asset in assets() {
        writer.declare_asset(&asset).expect("a good asset");
    }
    let transactions = account_transactions(SEED, TRANSACTIONS, HOLDERS);
    let has = usize::try_from(writer.end().0).expect("small");
    for transaction in &transactions[has..usize::try_from(count).expect("small")] {
        let seq = writer.push(transaction).expect("a good transaction");
        if seq.0 % 4_000 == 3_999 {
            writer.commit().expect("a commit");
        }
    }
    writer.commit().expect("a commit");
}

fn ingest_blocks(folder: &Path, count: u64) {
    let book = Book::create(folder).expect("a book");
    let mut writer = book.utxo_writer(&chain(), &btc()).expect("nobody else writes");
    for block in &utxo_blocks(SEED, BLOCKS, BLOCK_TRANSACTIONS)[..usize::try_from(count).expect("small")] {
        writer.push_block(block).expect("a good block");
        if block.height % 60 == 59 {
            writer.commit().expect("a commit");
        }
    }
    writer.commit().expect("a commit");
}

fn ingest_account_blocks(folder: &Path, count: u64) {
    let book = Book::create(folder).expect("a book");
    let mut writer = book.account_writer(&evm()).expect("nobody else writes");
    let blocks = account_blocks(SEED, ACCOUNT_BLOCKS, ACCOUNT_BLOCK_TRANSACTIONS, HOLDERS);
    let has = usize::try_from(writer.blocks()).expect("small");
    for block in &blocks[has..usize::try_from(count).expect("small")] {
        for asset in assets_of(block) {
            writer.declare_asset(&asset).expect("a good asset");
        }
        writer.push_block(block).expect("a good block");
        writer.mark_heads(Heads { safe: Some(block.height), finalized: Some(block.height) });
        if block.height % 100 == 99 {
            writer.commit().expect("a commit");
        }
    }
    writer.commit().expect("a commit");
}

fn undo_account_blocks(folder: &Path, to: u64) {
    let mut writer = Book::open(folder).expect("a book").account_writer(&evm()).expect("nobody else writes");
    let has = writer.blocks();
    assert!(has == ACCOUNT_BLOCKS || has == to, "an undo is done whole or not at all, not down to {has}");
    writer.undo_blocks(has - to).expect("they are there");
}

fn undo_accounts(folder: &Path, to: u64) {
    let mut writer = Book::open(folder).expect("a book").account_writer(&table()).expect("nobody else writes");
    let end = writer.end().0;
    assert!(end == TRANSACTIONS || end == to, "an undo is done whole or not at all, not down to {end}");
    writer.undo(end - to).expect("they are there");
}

fn undo_blocks(folder: &Path, to: u64) {
    let mut writer = Book::open(folder).expect("a book").utxo_writer(&chain(), &btc()).expect("nobody else writes");
    let end = writer.blocks();
    assert!(end == BLOCKS || end == to, "an undo is done whole or not at all, not down to {end}");
    writer.undo(end - to).expect("they are there");
}

fn task(name: &str, folder: &Path) {
    match name {
        "accounts" => ingest_accounts(folder, TRANSACTIONS),
        "blocks" => ingest_blocks(folder, BLOCKS),
        "account blocks" => ingest_account_blocks(folder, ACCOUNT_BLOCKS),
        "undo account blocks" => undo_account_blocks(folder, ACCOUNT_BLOCKS / 3),
        "undo accounts" => undo_accounts(folder, TRANSACTIONS / 3),
        "undo blocks" => undo_blocks(folder, BLOCKS / 3),
        other => panic!("no task {other}"),
    }
}

/// Not a test of its own: what the other process does.
#[test]
fn process_that_is_killed() {
    if let Ok(text) = std::env::var(TASK) {
        let (name, folder) = text.split_once('|').expect("a task and a folder");
        task(name, Path::new(folder));
    }
}

/// Starts the task, kills it after a while, and says whether it was done before.
fn run_and_kill(name: &str, folder: &Path, after: Duration) -> bool {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "process_that_is_killed", "--nocapture"])
        .env(TASK, format!("{name}|{}", folder.display()))
        .stdout(Stdio::null())
        .spawn()
        .expect("this program starts again");
    std::thread::sleep(after);
    let status = child.try_wait().expect("a child");
    if let Some(status) = status {
        assert!(status.success(), "{name} failed by itself");
        return true;
    }
    child.kill().expect("a running child");
    let status = child.wait().expect("a child");
    status.success()
}

/// Lives through kills until enough have struck, each round to the end.
fn check(fill: &str, undo: &str, expected: &Path, shorter: &Path, opens: impl Fn(&Path)) {
    let mut dice = Dice::new(SEED);
    let (mut kills, mut round) = (0, 0);
    let scratch = tempfile::tempdir().expect("a folder");
    while kills < KILLS_MIN {
        round += 1;
        assert!(round < 200, "the machine is too fast for these waits: only {kills} kills struck");
        let folder = scratch.path().join(round.to_string());
        for (name, wanted) in [(fill, expected), (undo, shorter)] {
            // Waits shrink after kills, and grow again, so that every part of the work is hit and all of it ends.
            let mut longest = 150;
            while !run_and_kill(name, &folder, Duration::from_millis(dice.below(longest))) {
                kills += 1;
                longest += 100;
                opens(&folder);
            }
            assert_same_bytes(wanted, &folder, name);
        }
        std::fs::remove_dir_all(&folder).expect("a folder");
    }
    eprintln!("{fill}: {kills} kills in {round} rounds");
}

#[test]
fn killed_account_ingests_and_undos_end_in_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, part) = (folder.path().join("whole"), folder.path().join("part"));
    ingest_accounts(&whole, TRANSACTIONS);
    ingest_accounts(&part, TRANSACTIONS / 3);
    check("accounts", "undo accounts", &whole, &part, |folder| {
        let Ok(book) = Book::open(folder) else { return };
        if !book.ledgers().expect("a list").is_empty() {
            let open = book.ledger(&table()).expect("the last commit");
            let ledger = open.as_ledger();
            let mut legs = Vec::new();
            if let Some(last) = ledger.end().0.checked_sub(1) {
                ledger.transaction(ledger::Seq(last), &mut legs);
                assert!(legs.iter().all(|leg| leg.payer_next.is_none_or(|next| next.0 == last)));
                assert_eq!(ledger.transaction_name(ledger::Seq(last)), format!("t{last:x}"));
            }
        }
    });
}

#[test]
fn killed_ingests_and_undos_of_account_blocks_end_in_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, part) = (folder.path().join("whole"), folder.path().join("part"));
    ingest_account_blocks(&whole, ACCOUNT_BLOCKS);
    ingest_account_blocks(&part, ACCOUNT_BLOCKS / 3);
    let blocks = account_blocks(SEED, ACCOUNT_BLOCKS, ACCOUNT_BLOCK_TRANSACTIONS, HOLDERS);
    check("account blocks", "undo account blocks", &whole, &part, |folder| {
        let Ok(book) = Book::open(folder) else { return };
        if book.ledgers().expect("a list").is_empty() {
            return;
        }
        let BookLedger::Account(open) = book.ledger(&evm()).expect("the last commit") else { panic!("accounts") };
        let Some(last) = open.blocks().checked_sub(1) else { return };
        let block = &blocks[usize::try_from(last).expect("small")];
        let found = open.block(block.height).expect("the tip");
        assert_eq!((found.hash, found.transactions), (block.hash, block.transactions.len() as u64));
        assert_eq!((open.heads().finalized, open.block_gaps(block.height)), (Some(block.height), block.gaps));
        let mut events = Vec::new();
        open.events(found.first_transaction, open.end(), &mut |_, event| events.push(event.clone()));
        assert!(events.iter().eq(block.events.iter().map(|event| &event.event)));
    });
}

#[test]
fn killed_utxo_ingests_and_undos_end_in_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, part) = (folder.path().join("whole"), folder.path().join("part"));
    ingest_blocks(&whole, BLOCKS);
    ingest_blocks(&part, BLOCKS / 3);
    check("blocks", "undo blocks", &whole, &part, |folder| {
        let Ok(book) = Book::open(folder) else { return };
        if !book.ledgers().expect("a list").is_empty() {
            let open = book.ledger(&chain()).expect("the last commit");
            let ledger = open.as_ledger();
            let mut legs = Vec::new();
            if let Some(last) = ledger.end().0.checked_sub(1) {
                ledger.transaction(ledger::Seq(last), &mut legs);
                assert!(legs.iter().all(|leg| leg.payee_next.is_none()));
            }
        }
    });
}
