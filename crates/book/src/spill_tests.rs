//! Batches with more changed words than memory should hold: they are journalled and written in pieces before the commit,
//! and taken back piece by piece when the commit never comes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ledger::{
    AccountLeg, AccountTransaction, Ledger as _, LedgerId, LegKind, PurseId, Time, UtxoBlock, UtxoInput, UtxoOutput,
    UtxoTransaction,
};
use money::{Amount, Asset};

use crate::{Book, BookLedger};

fn table() -> LedgerId {
    LedgerId::parse("table:spill").unwrap()
}

fn chain() -> LedgerId {
    LedgerId::parse("bitcoin-regtest").unwrap()
}

fn euro() -> Asset {
    Asset { symbol: "EUR".into(), scale: 2 }
}

/// Deposits that wait long, and now and then a payment that all of them learn of.
fn transaction(number: u64) -> AccountTransaction {
    let (from, to) = if number % 37 == 36 {
        (Some("hoard"), Some("elsewhere"))
    } else if number.is_multiple_of(3) {
        (Some("payer"), Some("hoard"))
    } else {
        (None, Some("hoard"))
    };
    let leg = AccountLeg {
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
        asset: "EUR".into(),
        amount: Amount::new(u128::from(number % 11) << (number % 80)),
        fee: Amount::ZERO,
        kind: LegKind::Transfer,
    };
    let time = Time::from_micros(i64::try_from(number).unwrap());
    AccountTransaction { name: number.to_string(), time, legs: vec![leg] }
}

fn block(height: u64) -> UtxoBlock {
    let id = |kind: u8, number: u64| {
        let mut id = [kind; 32];
        id[..8].copy_from_slice(&number.to_le_bytes());
        id
    };
    let outputs = |count: u64| -> Vec<UtxoOutput> {
        (0..count).map(|at| UtxoOutput { amount: Amount::new(5), holder: format!("script:{at:02x}").into() }).collect()
    };
    let coinbase = UtxoTransaction { txid: id(1, height), inputs: Vec::new(), outputs: outputs(20), fee: None };
    let spends = (0..20u32)
        .filter(|_| height >= 3)
        .map(|vout| UtxoInput { outpoint: ledger::Outpoint { txid: id(1, height - 3), vout }, spent: None });
    let spender = UtxoTransaction { txid: id(2, height), inputs: spends.collect(), outputs: outputs(2), fee: None };
    let transactions = if height >= 3 { vec![coinbase, spender] } else { vec![coinbase] };
    let previous = height.checked_sub(1).map(|parent| id(3, parent));
    UtxoBlock { height, hash: id(3, height), previous, time: Time::from_micros(0), transactions }
}

fn bytes(folder: &Path, ledger: &str) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder.join("ledgers").join(ledger))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect()
}

/// Pushes `from..to` in one batch that may hold `changes_max` changed words.
fn push_accounts(book: &Book, (from, to): (u64, u64), changes_max: usize, commit: bool) {
    let mut writer = book.account_writer(&table()).unwrap();
    writer.store.changes_max = changes_max;
    writer.declare_asset(&euro()).unwrap();
    for number in from..to {
        writer.push(&transaction(number)).unwrap();
    }
    if commit {
        writer.commit().unwrap();
    }
}

#[test]
fn account_batches_that_spill_end_in_the_same_bytes_and_are_taken_back_whole() {
    let scratch = tempfile::tempdir().unwrap();
    let [roomy, tight] = ["roomy", "tight"].map(|name| Book::create(scratch.path().join(name)).unwrap());
    push_accounts(&roomy, (0, 400), usize::MAX, true);
    push_accounts(&tight, (0, 400), 3, true);
    let halfway = bytes(roomy.folder(), "table+spill");
    assert_eq!(halfway, bytes(tight.folder(), "table+spill"));

    let BookLedger::Account(reader) = tight.ledger(&table()).unwrap() else { panic!("accounts") };
    push_accounts(&tight, (400, 900), 3, false);
    assert_eq!(halfway, bytes(tight.folder(), "table+spill"), "a dropped batch leaves nothing");

    push_accounts(&tight, (400, 900), 3, true);
    push_accounts(&roomy, (400, 900), usize::MAX, true);
    let whole = bytes(roomy.folder(), "table+spill");
    assert_eq!(whole, bytes(tight.folder(), "table+spill"));
    drop(reader);

    let mut writer = tight.account_writer(&table()).unwrap();
    writer.store.changes_max = 2;
    writer.undo(500).unwrap();
    drop(writer);
    assert_eq!(halfway, bytes(tight.folder(), "table+spill"), "an undo that spills");
}

#[test]
fn openings_read_from_the_log_are_those_gathered_in_memory_also_for_readers_of_the_past() {
    let scratch = tempfile::tempdir().unwrap();
    let book = Book::create(scratch.path().join("book")).unwrap();
    let mut readers = Vec::new();
    for from in [0, 60, 200] {
        push_accounts(&book, (from, 300), usize::MAX, false);
        push_accounts(&book, (from, if from == 0 { 60 } else { from + 140 }), usize::MAX, true);
        let BookLedger::Account(reader) = book.ledger(&table()).unwrap() else { panic!("accounts") };
        readers.push(reader);
    }
    let mut logged = Vec::new();
    for reader in &readers {
        for purse in (0..3).map(PurseId) {
            assert_eq!(reader.logged_opening(purse), reader.opening(purse).units());
        }
        logged.push(reader.opening(PurseId(1)).units());
    }
    assert!(logged.is_sorted() && logged[0] < logged[2], "the readers see openings of their own time: {logged:?}");
}

fn push_blocks(book: &Book, (from, to): (u64, u64), changes_max: usize, commit: bool) {
    let mut writer = book.utxo_writer(&chain(), &euro()).unwrap();
    writer.store.changes_max = changes_max;
    for height in from..to {
        writer.push_block(&block(height)).unwrap();
    }
    if commit {
        writer.commit().unwrap();
    }
}

#[test]
fn utxo_batches_that_spill_end_in_the_same_bytes_and_are_taken_back_whole() {
    let scratch = tempfile::tempdir().unwrap();
    let [roomy, tight] = ["roomy", "tight"].map(|name| Book::create(scratch.path().join(name)).unwrap());
    let name = "bip122+0f9188f13cb7b2c71f2a335e3a4fc328";
    push_blocks(&roomy, (0, 30), usize::MAX, true);
    push_blocks(&tight, (0, 30), 3, true);
    let halfway = bytes(roomy.folder(), name);
    assert_eq!(halfway, bytes(tight.folder(), name));
    push_blocks(&tight, (30, 60), 3, false);
    assert_eq!(halfway, bytes(tight.folder(), name), "a dropped batch leaves nothing");
    push_blocks(&tight, (30, 60), 3, true);
    push_blocks(&roomy, (30, 60), usize::MAX, true);
    assert_eq!(bytes(roomy.folder(), name), bytes(tight.folder(), name));
    let mut writer = tight.utxo_writer(&chain(), &euro()).unwrap();
    writer.store.changes_max = 2;
    writer.undo(30).unwrap();
    drop(writer);
    assert_eq!(halfway, bytes(tight.folder(), name), "an undo that spills");
}
