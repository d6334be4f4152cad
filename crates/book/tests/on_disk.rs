//! What can happen to a book from outside: other processes, a full disk, files that are damaged or lost.

mod common;

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;

use book::{AccountWriter, Book, BookError, BookLedger};
use common::{
    Dice, account_model, account_transactions, assert_same_bytes, assets, btc, bytes, chain, compare, table,
    utxo_blocks, utxo_model,
};
use ledger::{AccountTransaction, Ledger, Seq};
use tempfile::TempDir;

fn new_book() -> (TempDir, Book) {
    let folder = tempfile::tempdir().expect("a folder");
    let book = Book::create(folder.path().join("book")).expect("a new book");
    (folder, book)
}

fn push(writer: &mut AccountWriter, transactions: &[AccountTransaction]) {
    for asset in assets() {
        writer.declare_asset(&asset).expect("a good asset");
    }
    for transaction in transactions {
        writer.push(transaction).expect("a good transaction");
    }
}

fn fill(book: &Book, transactions: &[AccountTransaction]) {
    let mut writer = book.account_writer(&table()).expect("nobody else writes");
    push(&mut writer, transactions);
    writer.commit().expect("a commit");
}

fn folder_of(book: &Book) -> PathBuf {
    book.folder().join("ledgers").join("table+random")
}

#[test]
fn a_second_writer_is_told_so_and_others_are_not_in_its_way() {
    let (_folder, book) = new_book();
    let writer = book.account_writer(&table()).expect("nobody else writes");
    let error = book.account_writer(&table()).expect_err("somebody writes");
    assert!(matches!(error, BookError::Locked(_)));
    assert_eq!(error.to_string(), "ledger table:random is being written by another process; wait for it to end");
    book.utxo_writer(&chain(), &btc()).expect("another ledger is free");
    drop(writer);
    book.account_writer(&table()).expect("it is free again");
}

#[test]
fn a_reader_sees_its_commit_for_as_long_as_it_reads() {
    let (_folder, book) = new_book();
    let transactions = account_transactions(3, 600, 20);
    fill(&book, &transactions[..200]);
    let early = book.ledger(&table()).expect("a ledger");
    let mut writer = book.account_writer(&table()).expect("readers are not in the way");
    let model = account_model(&transactions[..200]);
    for (at, batch) in transactions[200..].chunks(100).enumerate() {
        push(&mut writer, batch);
        compare(early.as_ledger(), &model, &mut Dice::new(1));
        writer.commit().expect("a commit");
        compare(early.as_ledger(), &model, &mut Dice::new(2));
        let now = book.ledger(&table()).expect("a ledger");
        assert_eq!(now.as_ledger().end(), Seq(300 + 100 * at as u64));
    }
    let late = book.ledger(&table()).expect("a ledger");
    compare(late.as_ledger(), &account_model(&transactions), &mut Dice::new(3));

    let error = writer.undo(1).expect_err("there are readers");
    assert!(matches!(error, BookError::Read(_)), "{error}");
    drop((early, late));
    writer.undo(1).expect("the readers are gone");
}

#[test]
fn a_reader_of_outputs_sees_its_commit_for_as_long_as_it_reads() {
    let (_folder, book) = new_book();
    let blocks = utxo_blocks(5, 60, 10);
    let mut writer = book.utxo_writer(&chain(), &btc()).expect("nobody else writes");
    for block in &blocks[..20] {
        writer.push_block(block).expect("a good block");
    }
    writer.commit().expect("a commit");
    let early = book.ledger(&chain()).expect("a ledger");
    for block in &blocks[20..] {
        writer.push_block(block).expect("a good block");
        writer.commit().expect("a commit");
    }
    compare(early.as_ledger(), &utxo_model(&blocks[..20]), &mut Dice::new(1));
}

#[test]
fn readers_and_a_writer_at_once_always_agree_with_some_commit() {
    let (_folder, book) = new_book();
    let transactions = account_transactions(4, 3_000, 10);
    fill(&book, &transactions[..10]);
    let model = account_model(&transactions);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut writer = book.account_writer(&table()).expect("nobody else writes");
            for batch in transactions[10..].chunks(60) {
                push(&mut writer, batch);
                writer.commit().expect("a commit");
            }
        });
        while !writing.is_finished() {
            let open = book.ledger(&table()).expect("the last commit");
            check_prefix(open.as_ledger(), &model);
        }
    });
}

/// What does not depend on later transactions is as in the whole ledger.
fn check_prefix(ledger: &dyn Ledger, model: &dyn Ledger) {
    let end = ledger.end();
    let (mut legs, mut want) = (Vec::new(), Vec::new());
    for seq in (0..end.0).map(Seq) {
        ledger.transaction(seq, &mut legs);
        model.transaction(seq, &mut want);
        assert_eq!(legs.len(), want.len());
        for (leg, want) in legs.iter().zip(&want) {
            assert_eq!((leg.payer, leg.payee, leg.amount), (want.payer, want.payee, want.amount));
            assert_eq!(leg.payee_next, want.payee_next.filter(|next| *next < end), "{seq:?} of {end:?}");
            if let Some(purse) = leg.payee.purse() {
                assert_eq!(ledger.previous(purse, end), model.previous(purse, end));
            }
        }
    }
}

#[test]
fn what_is_no_book_is_not_opened_or_made_into_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("other")).expect("a folder");
    fs::write(path("other").join("letter.txt"), "dear").expect("a file");
    fs::write(path("file"), "dear").expect("a file");
    for name in ["none", "other", "file"] {
        assert!(matches!(Book::open(path(name)), Err(BookError::NotABook(_))), "open {name}");
    }
    for name in ["other", "file"] {
        assert!(matches!(Book::create(path(name)), Err(BookError::NotABook(_))), "create {name}");
    }
    let book = Book::create(path("deep").join("er")).expect("a new book");
    assert_eq!(book.ledgers().expect("a list"), []);
    Book::create(book.folder()).expect("it is there already");
    fs::write(book.folder().join("book"), "tracehound book 9\n").expect("a file");
    let error = Book::open(book.folder()).expect_err("a later version");
    assert!(error.to_string().contains("says format 9, this program reads format 2: use a newer program"));
    fs::write(book.folder().join("book"), "tracehound book 1\n").expect("a file");
    let error = Book::open(book.folder()).expect_err("an earlier version");
    assert!(
        error
            .to_string()
            .ends_with("says format 1, this program reads format 2: delete the book and ingest its sources anew")
    );
    fs::write(book.folder().join("book"), "tracehound book x\n").expect("a file");
    assert!(matches!(Book::open(book.folder()), Err(BookError::Damaged { .. })));
}

#[test]
fn a_damaged_manifest_is_an_error_and_never_a_panic() {
    let (_folder, book) = new_book();
    fill(&book, &account_transactions(1, 50, 5));
    let path = folder_of(&book).join("manifest");
    let good = fs::read(&path).expect("a manifest");
    let text = String::from_utf8(good.clone()).expect("text");
    let mut dice = Dice::new(9);
    let mut bad: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"\n".to_vec(),
        b"{}\n".to_vec(),
        vec![0xff; 300],
        text.replace("\"format\":2", "\"format\":3").into_bytes(),
        text.replace("table:random", "table:rondam").into_bytes(),
        text.replace("[\"legs\",", "[\"legs\",9").into_bytes(),
        b"[".repeat(100_000),
    ];
    bad.extend((0..good.len()).step_by(7).map(|len| good[..len].to_vec()));
    bad.extend((0..200).map(|_| {
        let mut bytes = good.clone();
        let at = usize::try_from(dice.below(bytes.len() as u64)).expect("small");
        bytes[at] ^= 1 << dice.below(8);
        bytes
    }));
    for bytes in bad {
        fs::write(&path, &bytes).expect("a file");
        for error in [book.ledger(&table()).err(), book.account_writer(&table()).err()] {
            let error = error.expect("it is damaged").to_string();
            assert!(error.contains("manifest is damaged: "), "{error}");
        }
    }
    fs::write(&path, good).expect("a file");
    book.ledger(&table()).expect("it is whole again");
}

#[test]
fn a_column_that_lost_rows_is_an_error_that_names_it() {
    let (_folder, book) = new_book();
    fill(&book, &account_transactions(1, 50, 5));
    for name in ["legs", "transactions", "holders", "purse-tails"] {
        let path = folder_of(&book).join(name);
        let good = fs::read(&path).expect("a column");
        fs::write(&path, &good[..good.len() - 1]).expect("a file");
        for error in [book.ledger(&table()).err(), book.account_writer(&table()).err()] {
            let error = error.expect("it is damaged").to_string();
            let (has, len) = (good.len() - 1, good.len());
            assert!(error.contains(&format!("{name} is damaged: it has {has} bytes, {len} are committed")), "{error}");
        }
        fs::write(&path, &good).expect("a file");
    }
    fs::remove_file(folder_of(&book).join("wide")).expect("a file");
    assert!(book.ledger(&table()).is_err());
}

/// Leaves a folder as a killed writer would: rows behind the committed ones, and a journal.
#[test]
fn a_journal_that_is_torn_or_of_another_commit_changes_nothing() {
    let (_folder, book) = new_book();
    let transactions = account_transactions(1, 120, 5);
    fill(&book, &transactions[..60]);
    let good = bytes(book.folder());
    let journal = folder_of(&book).join("journal");
    let mut dice = Dice::new(5);
    for len in [0, 1, 8, 47, 48, 56, 100, 5_000] {
        let garbage: Vec<u8> = (0..len).map(|_| u8::try_from(dice.below(256)).expect("a byte")).collect();
        fs::write(&journal, [b"thJRNL\0\x01".as_slice(), &garbage].concat()).expect("a file");
        let mut legs = OpenOptions::new().append(true).open(folder_of(&book).join("legs")).expect("a column");
        std::io::Write::write_all(&mut legs, &[7; 100]).expect("more rows");
        book.ledger(&table()).expect("readers do not mind");
        drop(book.account_writer(&table()).expect("it recovers"));
        assert_eq!(bytes(book.folder()), good, "{len} bytes of garbage");
    }
}

#[test]
fn a_manifest_that_a_kill_left_unfinished_goes_with_the_next_writer() {
    let (_folder, book) = new_book();
    fill(&book, &account_transactions(1, 60, 5));
    let good = bytes(book.folder());
    fs::write(folder_of(&book).join("manifest.new"), "{").expect("a file");
    book.ledger(&table()).expect("readers do not mind");
    drop(book.account_writer(&table()).expect("it recovers"));
    assert_eq!(bytes(book.folder()), good);
}

/// Copies a ledger as it is in the middle of an undo: all words are set back, and the commit does not come.
fn killed_in_an_undo(book: &Book, ledger: &str, undo: impl FnOnce() -> Result<(), BookError>) -> (TempDir, Book) {
    let folder = book.folder().join("ledgers").join(ledger);
    let in_the_way = folder.join("manifest.new");
    fs::create_dir(&in_the_way).expect("a folder");
    undo().expect_err("the manifest cannot be replaced");
    fs::remove_dir(&in_the_way).expect("it is empty");
    let (copy, other) = new_book();
    for (name, bytes) in bytes(book.folder()) {
        let path = other.folder().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
    assert!(other.folder().join("ledgers").join(ledger).join("journal").is_file(), "it is left behind");
    (copy, other)
}

#[test]
fn a_reader_after_an_undo_that_was_killed_sees_all_that_is_committed() {
    let mut dice = Dice::new(7);
    let (_folder, book) = new_book();
    let blocks = utxo_blocks(7, 40, 12);
    let mut writer = book.utxo_writer(&chain(), &btc()).expect("nobody else writes");
    for block in &blocks {
        writer.push_block(block).expect("a good block");
    }
    writer.commit().expect("a commit");
    let name = chain().to_string().replace(':', "+");
    let (_copy, killed) = killed_in_an_undo(&book, &name, || writer.undo(30));
    let open = killed.ledger(&chain()).expect("the last commit");
    compare(open.as_ledger(), &utxo_model(&blocks), &mut dice);

    let transactions = account_transactions(7, 400, 20);
    fill(&book, &transactions);
    let mut writer = book.account_writer(&table()).expect("nobody else writes");
    let (_copy, killed) = killed_in_an_undo(&book, "table+random", || writer.undo(300));
    let open = killed.ledger(&table()).expect("the last commit");
    compare(open.as_ledger(), &account_model(&transactions), &mut dice);
}

#[test]
fn lost_and_torn_runs_are_made_anew() {
    let (_folder, book) = new_book();
    let transactions = account_transactions(2, 140_000, 100_000);
    fill(&book, &transactions);
    let good = bytes(book.folder());
    let runs: Vec<&String> =
        good.keys().filter(|name| Path::new(name).extension().is_some_and(|end| end == "run")).collect();
    assert_eq!(runs.len(), 2, "one of 131,072 transactions and one of 65,536 holders: {runs:?}");
    let find = |book: &Book| {
        let BookLedger::Account(ledger) = book.ledger(&table()).expect("a ledger") else { panic!("accounts") };
        for seq in [0, 1, 65_535, 65_536, 131_071, 131_072, 139_999].map(Seq) {
            assert_eq!(ledger.find_transaction(&ledger.transaction_name(seq)), Some(seq));
        }
    };
    find(&book);
    for name in &runs {
        let path = book.folder().join(name);
        fs::remove_file(&path).expect("a run");
        find(&book);
        assert_eq!(bytes(book.folder()), good, "lost, and asked for by a reader");
        fs::write(&path, &good[*name][..good[*name].len() / 2]).expect("a file");
        drop(book.account_writer(&table()).expect("it recovers"));
        assert_eq!(bytes(book.folder()), good, "torn, and found by a writer");
    }
    // Many small commits and an undo across the boundaries of runs.
    let (_other, often) = new_book();
    let mut writer = often.account_writer(&table()).expect("nobody else writes");
    for batch in transactions.chunks(30_000) {
        push(&mut writer, batch);
        writer.commit().expect("a commit");
    }
    assert_same_bytes(book.folder(), often.folder(), "one commit and many");
    writer.undo(100_000).expect("they are there");
    drop(writer);
    let (_third, short) = new_book();
    fill(&short, &transactions[..40_000]);
    assert_same_bytes(short.folder(), often.folder(), "shorter, and longer then undone");
}

/// A file system of a few megabytes, where this may be mounted.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir_all(at).ok()?;
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_is_one_clear_error_and_the_last_commit_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk")) else {
        eprintln!("SKIPPED: no small file system can be mounted here, so a full disk was not tried");
        return;
    };
    let book = Book::create(disk.0.join("book")).expect("a new book");
    let transactions = account_transactions(8, 60_000, 5_000);
    let mut done = 0;
    let error = loop {
        let mut writer = book.account_writer(&table()).expect("it opens, full or not");
        assert_eq!(writer.end(), Seq(done as u64));
        push(&mut writer, &transactions[done..done + 1_500]);
        match writer.commit() {
            Ok(()) => done += 1_500,
            Err(error) => break error.to_string(),
        }
        assert!(done < 50_000, "the disk never fills");
    };
    assert!(error.contains("the disk is full; free some space and run it again"), "{error}");
    let open = book.ledger(&table()).expect("the last commit");
    compare(open.as_ledger(), &account_model(&transactions[..done]), &mut Dice::new(1));
    drop(open);
    // What the batch wrote is gone again, and the folder is as if it had never been tried.
    let elsewhere = Book::create(folder.path().join("elsewhere")).expect("a new book");
    fill(&elsewhere, &transactions[..done]);
    let filler = File::create(disk.0.join("filler")).expect("room again");
    drop(filler);
    drop(book.account_writer(&table()).expect("it opens"));
    assert_same_bytes(elsewhere.folder(), book.folder(), "after the disk was full");
}
