//! Input that does not fit a ledger: each gets an error that names the thing, and nothing of its batch is kept.

mod common;

use book::{Book, BookError, DeedError, Pushed, UtxoWriter};
use common::{assert_same_bytes, btc, bytes, chain, table};
use ledger::{
    AccountLeg, AccountTransaction, LedgerId, LegKind, Outpoint, Time, UtxoBlock, UtxoInput, UtxoOutput,
    UtxoTransaction,
};
use money::{Amount, Asset};
use tempfile::TempDir;

fn new_book() -> (TempDir, Book) {
    let folder = tempfile::tempdir().expect("a folder");
    let book = Book::create(folder.path().join("book")).expect("a new book");
    (folder, book)
}

fn euro() -> Asset {
    Asset { symbol: "EUR".into(), scale: 2 }
}

fn leg(from: &str, to: &str, amount: u128) -> AccountLeg {
    let name = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    AccountLeg {
        from: name(from),
        to: name(to),
        asset: "EUR".into(),
        amount: Amount::new(amount),
        fee: Amount::ZERO,
        kind: LegKind::Transfer,
    }
}

fn transaction(name: &str, time: &str, legs: Vec<AccountLeg>) -> AccountTransaction {
    AccountTransaction { name: name.into(), time: Time::parse(time).expect("a time"), legs }
}

/// Pushes transactions onto a ledger with one committed transaction and returns the first error, as people read it.
fn account_error(transactions: &[AccountTransaction]) -> String {
    let (_folder, book) = new_book();
    let mut writer = book.account_writer(&table()).expect("nobody else writes");
    writer.declare_asset(&euro()).expect("a new asset");
    writer.push(&transaction("first", "2024-01-02", vec![leg("", "alice", 100)])).expect("a good transaction");
    writer.commit().expect("a commit");
    let before = bytes(book.folder());
    let error = transactions.iter().find_map(|bad| writer.push(bad).err()).expect("one of them is bad");
    drop(writer);
    assert_eq!(before, bytes(book.folder()), "a dropped batch leaves nothing");
    error.to_string()
}

#[test]
fn account_transactions_that_do_not_fit_are_refused() {
    let max = Amount::MAX.units();
    let day = "2024-01-03";
    let fee = AccountLeg { fee: Amount::new(max + 1), ..leg("alice", "bob", 1) };
    let dollars = AccountLeg { asset: "USD".into(), ..leg("alice", "bob", 1) };
    let long = "x".repeat(70_000);
    for (transactions, want) in [
        (vec![transaction("first", day, vec![])], "transaction first is already in the ledger"),
        (vec![transaction("b", day, vec![]), transaction("b", day, vec![])], "transaction b is already in the ledger"),
        (
            vec![transaction("b", "2024-01-01", vec![])],
            "transaction b is of 2024-01-01T00:00:00Z, before the ledger's last one of 2024-01-02T00:00:00Z; \
             ingest sources oldest first, or undo back to that time",
        ),
        (vec![transaction("b", day, vec![dollars])], "transaction b moves \"USD\", an asset that was not declared"),
        (
            vec![transaction("b", day, vec![leg("", "bob", max + 1)])],
            "an amount of transaction b is 2^126 base units or more",
        ),
        (vec![transaction("b", day, vec![fee])], "a fee of transaction b is 2^126 base units or more"),
        (
            vec![transaction("b", day, vec![leg("", "alice", max)])],
            "transaction b takes the balance of alice/EUR past 2^126 base units",
        ),
        (
            vec![transaction("b", day, vec![leg("bob", "", max), leg("bob", "", max)])],
            "transaction b takes the balance of bob/EUR past 2^126 base units",
        ),
        (
            vec![transaction("b", day, vec![leg("bob", "", 5), leg("", "bob", max)])],
            // Five that bob had to have, and then all that fits once more: relative to nothing he holds less than 2^126.
            "transaction c takes the balance of bob/EUR past 2^126 base units",
        ),
        (
            vec![transaction(&long, day, vec![])],
            "the name \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"… has 70000 bytes, the book keeps 65535",
        ),
        (
            vec![transaction("b", day, vec![leg("", &long, 1)])],
            "the name \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"… has 70000 bytes, the book keeps 65535",
        ),
    ] {
        let mut transactions = transactions;
        if want.starts_with("transaction c") {
            transactions.push(transaction("c", day, vec![leg("", "bob", 6)]));
        }
        assert_eq!(account_error(&transactions), want);
    }
}

#[test]
fn an_asset_keeps_its_scale() {
    let (_folder, book) = new_book();
    let mut writer = book.account_writer(&table()).expect("nobody else writes");
    writer.declare_asset(&euro()).expect("a new asset");
    writer.declare_asset(&euro()).expect("the same again");
    let error = writer.declare_asset(&Asset { symbol: "EUR".into(), scale: 4 }).expect_err("another scale");
    assert!(matches!(&error, BookError::Deed(DeedError::ScaleChanged { has: 2, asked: 4, .. })));
    assert!(error.to_string().contains("state --scale EUR=2, or ingest everything anew with --scale EUR=4"), "{error}");
}

#[test]
fn after_a_failed_step_nothing_of_the_batch_can_be_committed() {
    let (_folder, book) = new_book();
    let mut writer = book.account_writer(&table()).expect("nobody else writes");
    writer.declare_asset(&euro()).expect("a new asset");
    writer.push(&transaction("a", "2024-01-01", vec![leg("", "alice", 1)])).expect("a good transaction");
    // What is refused before anything is written leaves the batch as it was.
    writer.push(&transaction("a", "2024-01-01", vec![])).expect_err("a duplicate");
    assert_eq!(writer.push(&transaction("b", "2024-01-01", vec![])).expect("still good").0, 1);
    let max = Amount::MAX.units();
    writer.push(&transaction("c", "2024-01-01", vec![leg("", "alice", max)])).expect_err("too much");
    assert!(matches!(writer.commit(), Err(BookError::Failed)));
    assert!(matches!(writer.push(&transaction("d", "2024-01-01", vec![])), Err(BookError::Failed)));
    drop(writer);
    assert_eq!(book.ledgers().expect("a list"), []);
}

fn id(number: u8) -> [u8; 32] {
    [number; 32]
}

fn output(amount: u128, holder: &str) -> UtxoOutput {
    UtxoOutput { amount: Amount::new(amount), holder: holder.into() }
}

fn input(txid: u8, vout: u32) -> UtxoInput {
    UtxoInput { outpoint: Outpoint { txid: id(txid), vout }, spent: None }
}

fn told(txid: u8, vout: u32, amount: u128, holder: &str) -> UtxoInput {
    UtxoInput { spent: Some(output(amount, holder)), ..input(txid, vout) }
}

fn spend(txid: u8, inputs: Vec<UtxoInput>, outputs: Vec<UtxoOutput>, fee: Option<u128>) -> UtxoTransaction {
    UtxoTransaction { txid: id(txid), inputs, outputs, fee: fee.map(Amount::new) }
}

fn block(height: u64, transactions: Vec<UtxoTransaction>) -> UtxoBlock {
    let hash = |height: u64| [u8::try_from(height).expect("small") + 100; 32];
    let previous = height.checked_sub(1).map(hash);
    UtxoBlock { height, hash: hash(height), previous, time: Time::from_micros(0), transactions }
}

/// What a writer knows of the outputs that are left.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Knows {
    /// All, from the ledger's first block on.
    All,
    /// What it did itself since it was opened.
    Nothing,
    /// All, by reading the ledger.
    Read,
}

const KNOWS: [Knows; 3] = [Knows::All, Knows::Nothing, Knows::Read];

fn reopen(book: &Book, writer: UtxoWriter, knows: Knows) -> UtxoWriter {
    if knows == Knows::All {
        return writer;
    }
    drop(writer);
    let mut writer = book.utxo_writer(&chain(), &btc()).expect("nobody else writes");
    if knows == Knows::Read {
        writer.remember_live();
    }
    writer
}

/// The error, which is the same whatever the writer knows.
fn utxo_error(bad: &UtxoBlock) -> String {
    let errors = KNOWS.map(|knows| utxo_error_of(bad, knows));
    assert!(errors.iter().all(|error| *error == errors[0]), "{errors:?}");
    errors[0].clone()
}

/// A ledger whose block 5 makes outputs 1:0 (50) and 1:1 (7), and spends 9:0 from before it; then the bad block.
fn utxo_error_of(bad: &UtxoBlock, knows: Knows) -> String {
    let (_folder, book) = new_book();
    let mut writer = book.utxo_writer(&chain(), &btc()).expect("nobody else writes");
    let coinbase = spend(1, vec![], vec![output(50, "script:aa"), output(7, "script:bb")], None);
    let foreign = spend(2, vec![told(9, 0, 10, "script:cc")], vec![output(10, "script:dd")], Some(0));
    writer.push_block(&block(5, vec![coinbase, foreign])).expect("a good block");
    writer.commit().expect("a commit");
    let mut writer = reopen(&book, writer, knows);
    let before = bytes(book.folder());
    let error = writer.push_block(bad).expect_err("a bad block");
    drop(writer);
    assert_eq!(before, bytes(book.folder()), "a dropped batch leaves nothing");
    let text = error.to_string();
    (1..=9).fold(text, |text, number: u8| text.replace(&format!("{number:02x}").repeat(32), &format!("#{number}")))
}

#[test]
fn blocks_that_do_not_fit_are_refused() {
    let pays = |amount| vec![output(amount, "script:ee")];
    let big = u128::from(u64::MAX);
    for (transactions, want) in [
        (vec![spend(1, vec![], pays(1), None)], "transaction #1 is already in the ledger"),
        (
            vec![spend(3, vec![input(1, 0)], pays(50), None), spend(4, vec![input(1, 0)], pays(50), None)],
            "transaction #4 spends output #1:0, which #3 has spent already",
        ),
        (
            vec![spend(3, vec![input(1, 0), input(1, 0)], pays(50), None)],
            "transaction #3 spends output #1:0, which #3 has spent already",
        ),
        (
            vec![spend(3, vec![input(9, 0)], pays(1), None)],
            "transaction #3 spends output #9:0, which #2 has spent already",
        ),
        (
            vec![spend(3, vec![input(1, 2)], pays(1), None)],
            "transaction #3 spends output #1:2, but that transaction has 2 outputs",
        ),
        (
            vec![spend(3, vec![told(1, 0, 49, "script:aa")], pays(1), None)],
            "the source says that output #1:0 is 49 base units of script:aa, the ledger holds 50 base units of script:aa",
        ),
        (
            vec![spend(3, vec![told(1, 0, 50, "script:ab")], pays(1), None)],
            "the source says that output #1:0 is 50 base units of script:ab, the ledger holds 50 base units of script:aa",
        ),
        (
            vec![spend(3, vec![input(1, 0)], pays(51), None)],
            "transaction #3 pays out 51 base units and takes in only 50",
        ),
        (
            vec![spend(3, vec![input(1, 0)], pays(49), Some(2))],
            "transaction #3 states a fee of 2 base units, its inputs less outputs leave 1",
        ),
        (
            vec![spend(9, vec![], pays(1), None)],
            "output #9:0 is spent before the transaction that makes it; order the transactions",
        ),
        (
            vec![spend(3, vec![input(3, 0)], pays(1), None)],
            "output #3:0 is spent before the transaction that makes it; order the transactions",
        ),
        (vec![spend(3, vec![], pays(big + 1), None)], "an output of transaction #3 is 2^64 base units or more"),
        (
            vec![spend(3, vec![], vec![output(big, "script:aa"), output(1, "script:aa")], None)],
            "the sum of the outputs of transaction #3 is 2^64 base units or more",
        ),
        (
            vec![spend(3, vec![told(8, 0, big, "script:aa"), told(8, 1, 1, "script:aa")], pays(1), None)],
            "the sum of the inputs of transaction #3 is 2^64 base units or more",
        ),
        (
            vec![spend(3, vec![input(8, 0)], pays(1), Some(u128::MAX))],
            "what an unknown input must bring of transaction #3 is 2^64 base units or more",
        ),
    ] {
        assert_eq!(utxo_error(&block(6, transactions)), want);
    }
    assert_eq!(utxo_error(&block(7, vec![])), "block 7 does not follow: the next block must have height 6");
    assert_eq!(utxo_error(&block(4, vec![])), "block 4 does not follow: the next block must have height 6");
    let orphan = UtxoBlock { previous: Some(id(4)), ..block(6, vec![]) };
    let tip = "69".repeat(32);
    assert_eq!(
        utxo_error(&orphan),
        format!("block 6 names the parent #4, the ledger's tip is {tip}; undo the stale blocks first")
    );
    let other = UtxoBlock { hash: id(4), ..block(5, vec![]) };
    assert_eq!(
        utxo_error(&other),
        format!("block 5 is #4, the ledger holds {tip} at that height; undo the stale blocks first")
    );
}

#[test]
fn an_id_may_come_again_once_nothing_is_left_to_spend_of_the_first() {
    for knows in KNOWS {
        let (_folder, book) = new_book();
        let coinbase = || spend(1, vec![], vec![output(50, "script:aa"), output(0, "script:6a01")], None);
        let spender = spend(2, vec![input(1, 0)], vec![output(50, "script:bb")], None);
        let mut writer = book.utxo_writer(&chain(), &btc()).expect("nobody else writes");
        writer.push_block(&block(0, vec![coinbase()])).expect("the first");
        writer.push_block(&block(1, vec![spender])).expect("spends all that can be spent of it");
        writer.commit().expect("a commit");
        let mut writer = reopen(&book, writer, knows);
        writer.push_block(&block(2, vec![coinbase()])).expect("the second");
        writer.commit().expect("a commit");
        let mut writer = reopen(&book, writer, knows);
        let later = spend(3, vec![input(1, 0)], vec![output(50, "script:bb")], None);
        writer.push_block(&block(3, vec![later])).expect("it is the second's output");
        writer.commit().expect("a commit");
        let open = book.ledger(&chain()).expect("a ledger");
        let ledger = open.as_ledger();
        assert_eq!(ledger.find_transaction(&ledger::txid_text(&id(1))), Some(ledger::Seq(2)), "{knows:?}");
        let purse = ledger.find_output(&ledger::txid_text(&id(1)), 0).expect("an output");
        assert_eq!(ledger.previous(purse, ledger.end()), Some(ledger::Seq(3)), "{knows:?}");
    }
}

#[test]
fn a_block_that_is_there_already_is_skipped() {
    let (_folder, book) = new_book();
    let mut writer = book.utxo_writer(&chain(), &btc()).expect("nobody else writes");
    let blocks = [5, 6, 7].map(|height| block(height, vec![]));
    for block in &blocks {
        assert_eq!(writer.push_block(block).expect("a good block"), Pushed::Added);
    }
    assert_eq!(writer.push_block(&blocks[1]).expect("a known block"), Pushed::Skipped);
    writer.commit().expect("a commit");
    assert_eq!(writer.push_block(&blocks[0]).expect("a known block"), Pushed::Skipped);
    assert_eq!(writer.tip().map(|tip| tip.height), Some(7));
    assert!(matches!(writer.undo(4), Err(BookError::UndoTooMany { asked: 4, has: 3 })));
}

#[test]
fn the_two_coinbases_that_bitcoin_has_twice_are_taken_twice() {
    let (_folder, book) = new_book();
    let mut txid =
        ledger::txid_bytes("d5d27987d2a3dfc724e359870c6644b40e497bdc0589a033220fe15429d88599").expect("an id");
    let coinbase = |txid| UtxoTransaction { txid, inputs: vec![], outputs: vec![output(50, "script:aa")], fee: None };
    let at = |height: u64, hash: u8, txid| UtxoBlock {
        height,
        hash: id(hash),
        previous: Some(id(hash - 1)),
        time: Time::from_micros(0),
        transactions: vec![coinbase(txid)],
    };
    let mut writer = book.utxo_writer(&chain(), &btc()).expect("nobody else writes");
    writer.push_block(&at(91_841, 10, txid)).expect("the first");
    writer.push_block(&at(91_842, 11, txid)).expect("the second");
    writer.commit().expect("a commit");
    let open = book.ledger(&chain()).expect("a ledger");
    assert_eq!(open.as_ledger().find_transaction(&ledger::txid_text(&txid)), Some(ledger::Seq(1)));
    writer.push_block(&at(91_843, 12, txid)).expect_err("a third is none of Bitcoin's");
    txid[0] ^= 1;
    assert!(matches!(writer.push_block(&at(91_843, 12, txid)), Err(BookError::Failed)));
}

#[test]
fn a_ledger_of_the_other_kind_or_asset_is_refused() {
    let (_folder, book) = new_book();
    let mut writer = book.account_writer(&table()).expect("nobody else writes");
    writer.declare_asset(&euro()).expect("a new asset");
    writer.commit().expect("a commit");
    drop(writer);
    let error = book.utxo_writer(&table(), &btc()).expect_err("it holds accounts");
    assert!(error.to_string().starts_with("ledger table:random holds accounts"), "{error}");
    let mut writer = book.utxo_writer(&chain(), &btc()).expect("nobody else writes");
    writer.commit().expect("a commit");
    drop(writer);
    let error = book.account_writer(&chain()).expect_err("it holds outputs");
    assert!(error.to_string().contains("holds blocks of outputs (UTXO)"), "{error}");
    let error = book.utxo_writer(&chain(), &Asset { symbol: "LTC".into(), scale: 8 }).expect_err("another asset");
    assert_eq!(error.to_string(), "this ledger's asset is BTC, not LTC; choose another ledger id");
    book.utxo_writer(&chain(), &Asset { symbol: "BTC".into(), scale: 3 }).expect_err("another scale");
    let none = LedgerId::parse("table:none").expect("a good id");
    assert_eq!(
        book.ledger(&none).expect_err("no such ledger").to_string(),
        "the book holds no ledger table:none; ingest it first"
    );
}

#[test]
fn a_source_goes_on_where_it_stopped_and_forgets_what_is_undone() {
    let (folder, book) = new_book();
    let name = |number: u64| transaction(&format!("t{number}"), "2024-01-01", vec![leg("", "alice", 1)]);
    let mut writer = book.account_writer(&table()).expect("nobody else writes");
    writer.declare_asset(&euro()).expect("a new asset");
    assert_eq!(writer.begin_source([1; 32]).transactions(), 0);
    writer.push(&name(0)).expect("a good transaction");
    writer.commit().expect("a commit");
    writer.push(&name(1)).expect("a good transaction");
    drop(writer);

    let mut writer = book.account_writer(&table()).expect("nobody else writes");
    assert_eq!(writer.begin_source([2; 32]).transactions(), 0);
    writer.push(&name(7)).expect("a good transaction");
    writer.finish_source();
    let source = writer.begin_source([1; 32]);
    assert_eq!((source.transactions(), source.done), (1, false));
    for number in 1..4 {
        writer.push(&name(number)).expect("a good transaction");
    }
    writer.finish_source();
    writer.commit().expect("a commit");
    let source = writer.begin_source([1; 32]);
    assert_eq!((source.taken.clone(), source.done), (vec![[0, 1], [2, 5]], true));

    writer.undo(2).expect("they are there");
    let kept: Vec<_> = writer.sources().iter().map(|source| (source.taken.clone(), source.done)).collect();
    assert_eq!(kept, [(vec![[0, 1], [2, 3]], false), (vec![[1, 2]], true)]);
    writer.undo(2).expect("they are there");
    assert_eq!(writer.sources().len(), 1);
    drop(writer);

    // The rest, ingested without interruption, makes the same bytes.
    let again = Book::create(folder.path().join("again")).expect("a new book");
    let mut writer = again.account_writer(&table()).expect("nobody else writes");
    writer.declare_asset(&euro()).expect("a new asset");
    writer.begin_source([1; 32]);
    writer.push(&name(0)).expect("a good transaction");
    writer.commit().expect("a commit");
    drop(writer);
    assert_same_bytes(book.folder(), again.folder(), "undone, and never there");
}
