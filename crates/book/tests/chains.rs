//! Account ledgers that are chains: blocks that do not fit, blocks taken back, ledgers from before there were any, and many
//! assets.

mod common;

use std::fs;

use book::{AccountLedger, Book, BookError, BookLedger, DeedError, Heads, Pushed};
use common::{
    Dice, account_blocks, account_model, account_transactions, assert_same_bytes, assets, assets_of, blocks_model,
    bytes, compare, evm, table,
};
use ledger::memory::MemoryLedger;
use ledger::{
    AccountBlock, AccountLeg, AccountTransaction, AssetId, BlockEvent, Contracts as _, Event, Gaps, Kind, Ledger as _,
    LegKind, Seq, Time,
};
use money::{Amount, Asset};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

fn new_book() -> (TempDir, Book) {
    let folder = tempfile::tempdir().expect("a folder");
    let book = Book::create(folder.path().join("book")).expect("a new book");
    (folder, book)
}

fn open(book: &Book) -> AccountLedger {
    match book.ledger(&evm()).expect("a ledger") {
        BookLedger::Account(open) => open,
        BookLedger::Utxo(_) => panic!("it is an account ledger"),
    }
}

fn ether() -> Asset {
    Asset { symbol: "ETH".into(), scale: 18 }
}

fn leg(from: &str, to: &str, asset: &str, amount: u128) -> AccountLeg {
    let name = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    AccountLeg {
        from: name(from),
        to: name(to),
        asset: asset.into(),
        amount: Amount::new(amount),
        fee: Amount::ZERO,
        kind: LegKind::Transfer,
    }
}

fn hash(number: u64) -> [u8; 32] {
    let mut hash = [0xab; 32];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    hash
}

fn name(number: u64) -> String {
    format!("0x{}", ledger::hex::text(&hash(number)))
}

/// A block that follows the one below it, with these transactions.
fn block(height: u64, transactions: Vec<(&str, Vec<AccountLeg>)>) -> AccountBlock {
    let time = Time::from_micros(i64::try_from(height).expect("small") * 12_000_000);
    AccountBlock {
        height,
        hash: hash(height),
        previous: height.checked_sub(1).map(hash),
        time,
        transactions: transactions
            .into_iter()
            .map(|(name, legs)| AccountTransaction { name: name.into(), time, legs })
            .collect(),
        events: Vec::new(),
        gaps: Gaps::default(),
    }
}

fn event(transaction: u32, index: u32, topics: usize) -> BlockEvent {
    let event = Event { index, contract: [1; 20], topics: vec![[2; 32]; topics], data: vec![3; 5] };
    BlockEvent { transaction, event }
}

#[test]
fn blocks_that_do_not_fit_are_refused_and_leave_the_batch_as_it_was() {
    let (_folder, book) = new_book();
    let mut writer = book.account_writer(&evm()).expect("nobody else writes");
    writer.declare_asset(&ether()).expect("a new asset");
    let pay = || vec![leg("", "alice", "ETH", 5)];
    writer.push_block(&block(7, vec![("a", pay())])).expect("any first block");
    writer.push_block(&block(8, vec![])).expect("a good block");
    writer.commit().expect("a commit");
    writer.push_block(&block(9, vec![("b", pay())])).expect("a good block");

    let other = |at: AccountBlock, change: &dyn Fn(&mut AccountBlock)| {
        let mut block = at;
        change(&mut block);
        block
    };
    let next = || block(10, vec![("c", pay()), ("d", pay())]);
    let early = Time::from_micros(1);
    for (bad, want) in [
        (block(11, vec![]), "block 11 does not follow: the next block must have height 10".to_owned()),
        (block(6, vec![]), "block 6 does not follow: the next block must have height 10".to_owned()),
        (
            other(block(10, vec![]), &|block| block.previous = Some(hash(1))),
            format!(
                "block 10 names the parent {}, the ledger's tip is {}; undo the stale blocks first",
                name(1),
                name(9)
            ),
        ),
        (
            other(block(10, vec![]), &|block| block.previous = None),
            format!("block 10 names the parent none, the ledger's tip is {}; undo the stale blocks first", name(9)),
        ),
        (
            other(block(8, vec![]), &|block| block.hash = hash(1)),
            format!("block 8 is {}, the ledger holds {} at that height; undo the stale blocks first", name(1), name(8)),
        ),
        (block(10, vec![("a", pay())]), "transaction a is already in the ledger".to_owned()),
        (block(10, vec![("b", pay())]), "transaction b is already in the ledger".to_owned()),
        (block(10, vec![("c", pay()), ("c", pay())]), "transaction c is already in the ledger".to_owned()),
        (
            other(next(), &|block| block.transactions[1].time = early),
            "transaction d is of 1970-01-01T00:00:00.000001Z, before the ledger's last one of 1970-01-01T00:02:00Z; \
             ingest sources oldest first, or undo back to that time"
                .to_owned(),
        ),
        (
            block(10, vec![("c", vec![leg("", "x", "DAI", 1)])]),
            "transaction c moves \"DAI\", an asset that was not declared".to_owned(),
        ),
        (
            other(next(), &|block| block.events = vec![event(2, 0, 1)]),
            "event 0 of block 10 is of a transaction that the block does not have".to_owned(),
        ),
        (
            other(next(), &|block| block.events = vec![event(0, 3, 1), event(0, 3, 1)]),
            "event 3 of block 10 comes after one that it must come before".to_owned(),
        ),
        (
            other(next(), &|block| block.events = vec![event(1, 3, 1), event(0, 4, 1)]),
            "event 4 of block 10 comes after one that it must come before".to_owned(),
        ),
        (
            other(next(), &|block| block.events = vec![event(0, 3, 5)]),
            "event 3 of block 10 has more than four topics".to_owned(),
        ),
    ] {
        assert_eq!(writer.push_block(&bad).expect_err("it is bad").to_string(), want);
    }
    assert_eq!(writer.push_block(&block(8, vec![])).expect("it is there"), Pushed::Skipped);
    assert_eq!(writer.push_block(&next()).expect("a good block"), Pushed::Added);
    writer.commit().expect("nothing bad is in the batch");
    let good = [block(7, vec![("a", pay())]), block(8, vec![]), block(9, vec![("b", pay())]), next()];
    compare_model(&book, &good, vec![ether()]);
}

fn compare_model(book: &Book, blocks: &[AccountBlock], assets: Vec<Asset>) {
    let mut model = MemoryLedger::new(evm(), Kind::Account, assets);
    for block in blocks {
        model.push_account_block(block);
    }
    compare(&open(book), &model, &mut Dice::new(1));
}

#[test]
fn a_purse_that_overflows_ends_the_batch() {
    let (_folder, book) = new_book();
    let mut writer = book.account_writer(&evm()).expect("nobody else writes");
    writer.declare_asset(&ether()).expect("a new asset");
    writer.push_block(&block(0, vec![])).expect("a good block");
    writer.commit().expect("a commit");
    let before = bytes(book.folder());
    let most = || vec![leg("", "0x00000000000000000000000000000000000000aa", "ETH", Amount::MAX.units())];
    let error = writer.push_block(&block(1, vec![("a", most()), ("b", most())])).expect_err("too much");
    assert_eq!(
        error.to_string(),
        "transaction b takes the balance of 0x00000000000000000000000000000000000000aa/ETH past 2^126 base units"
    );
    assert!(matches!(writer.commit(), Err(BookError::Failed)));
    drop(writer);
    assert_eq!(before, bytes(book.folder()), "a dropped batch leaves nothing");
}

#[test]
fn rows_and_blocks_do_not_mix() {
    let (_folder, book) = new_book();
    let row = AccountTransaction { name: "row".into(), time: Time::from_micros(5), legs: vec![] };
    let mut writer = book.account_writer(&evm()).expect("nobody else writes");
    writer.push(&row).expect("a good transaction");
    let error = writer.push_block(&block(3, vec![])).expect_err("there are rows");
    assert!(matches!(error, BookError::Deed(DeedError::BlockAmongRows { height: 3 })), "{error}");
    writer.commit().expect("a commit");
    assert!(matches!(writer.undo_blocks(1), Err(BookError::UndoTooMany { asked: 1, has: 0 })));
    writer.undo(1).expect("it is there");

    writer.push_block(&block(3, vec![])).expect("an empty ledger takes blocks");
    let error = writer.push(&row).expect_err("there are blocks");
    assert!(matches!(&error, BookError::Deed(DeedError::RowAmongBlocks { transaction }) if transaction == "row"));
    writer.commit().expect("a commit");
    assert!(matches!(writer.undo(1), Err(BookError::HasBlocks(_))));
    writer.undo_blocks(1).expect("it is there");
    writer.push(&row).expect("an empty ledger takes rows");
}

#[test]
fn blocks_of_the_batch_are_committed_before_any_is_taken_back() {
    let (_folder, book) = new_book();
    let mut writer = book.account_writer(&evm()).expect("nobody else writes");
    for height in 0..6 {
        writer.push_block(&block(height, vec![])).expect("a good block");
        if height == 2 {
            writer.commit().expect("a commit");
        }
    }
    writer.mark_heads(Heads { safe: Some(90), finalized: Some(4) });
    writer.undo_blocks(0).expect("nothing is to be done");
    assert_eq!(open(&book).tip().map(|tip| tip.height), Some(5));
    assert_eq!(open(&book).heads(), Heads { safe: Some(90), finalized: Some(4) });
    writer.undo_blocks(4).expect("they are there");
    assert_eq!((writer.tip().map(|tip| tip.height), writer.blocks()), (Some(1), 2));
    let after = Heads { safe: Some(1), finalized: Some(1) };
    assert_eq!((writer.heads(), open(&book).heads()), (after, after));
    assert_eq!((writer.first_height(), writer.block_hash(1), writer.block_hash(2)), (Some(0), Some(hash(1)), None));
    let reader = open(&book);
    assert!(matches!(writer.undo_blocks(1), Err(BookError::Read(_))));
    drop(reader);
    writer.undo_blocks(2).expect("they are there");
    assert_eq!((writer.heads(), writer.tip()), (Heads::default(), None));
}

#[test]
fn assets_go_with_the_blocks_that_they_were_declared_for() {
    let (folder, book) = new_book();
    let token = |number: u64| Asset { symbol: format!("eip155:31337/erc20:{number}"), scale: 0 };
    let blocks: Vec<_> = (0..6)
        .map(|height| {
            // Empty ones between the others: their count of transactions tells nothing.
            let names = [name(height)];
            let legs = vec![leg("", "alice", &token(height).symbol, 1)];
            block(height, if height % 2 == 0 { vec![] } else { vec![(names[0].as_str(), legs)] })
        })
        .collect();
    let fill = |book: &Book, count: usize| {
        let mut writer = book.account_writer(&evm()).expect("nobody else writes");
        for block in &blocks[..count] {
            writer.declare_asset(&token(block.height)).expect("a new asset");
            writer.push_block(block).expect("a good block");
        }
        writer.commit().expect("a commit");
    };
    fill(&book, 6);
    for count in (0..6).rev() {
        book.account_writer(&evm()).expect("nobody else writes").undo_blocks(1).expect("it is there");
        let fresh = Book::create(folder.path().join(count.to_string())).expect("a new book");
        fill(&fresh, count);
        assert_same_bytes(fresh.folder(), book.folder(), "undone, and never there");
        assert_eq!(open(&book).assets() as usize, count);
    }
}

#[test]
fn a_reader_of_blocks_sees_its_commit_for_as_long_as_it_reads() {
    let (_folder, book) = new_book();
    let blocks = account_blocks(3, 80, 6, 20);
    let mut writer = book.account_writer(&evm()).expect("nobody else writes");
    let mut push = |blocks: &[AccountBlock]| {
        for block in blocks {
            assets_of(block).iter().try_for_each(|asset| writer.declare_asset(asset)).expect("good assets");
            writer.push_block(block).expect("a good block");
        }
        writer.commit().expect("a commit");
    };
    push(&blocks[..30]);
    let early = open(&book);
    blocks[30..].chunks(10).for_each(&mut push);
    let model = blocks_model(&blocks[..30]);
    compare(&early, &model, &mut Dice::new(1));
    common::compare_contracts(&early, &model, &mut Dice::new(2));
    assert_eq!((early.blocks(), early.block(blocks[30].height)), (30, None));
    assert_eq!(early.block_by_hash(&blocks[30].hash), None);
    assert!(early.gap_runs().all(|run| run.to < blocks[30].height));
}

/// What a book from before there were chains of accounts does not have.
const YOUNGER_COLUMNS: [&str; 4] = ["blocks", "events", "event-bytes", "gaps"];

#[test]
fn ledgers_from_before_there_were_blocks_are_read_and_go_on() {
    let (folder, book) = new_book();
    let transactions = account_transactions(5, 120, 9);
    let fill = |book: &Book, transactions: &[AccountTransaction]| {
        let mut writer = book.account_writer(&table()).expect("nobody else writes");
        assets().iter().try_for_each(|asset| writer.declare_asset(asset)).expect("good assets");
        transactions.iter().try_for_each(|transaction| writer.push(transaction).map(drop)).expect("good ones");
        writer.commit().expect("a commit");
    };
    fill(&book, &transactions[..70]);
    let ledger = book.folder().join("ledgers").join("table+random");
    let manifest = fs::read_to_string(ledger.join("manifest")).expect("a manifest");
    for name in YOUNGER_COLUMNS {
        assert!(!manifest.contains(&format!("{name:?}")), "{manifest}");
        fs::remove_file(ledger.join(name)).expect("an empty column");
    }
    let before = bytes(book.folder());
    let BookLedger::Account(old) = book.ledger(&table()).expect("it is read") else { panic!("accounts") };
    compare(&old, &account_model(&transactions[..70]), &mut Dice::new(4));
    assert_eq!((old.blocks(), old.tip(), old.first_height(), old.block(0)), (0, None, None, None));
    assert_eq!((old.block_by_hash(&[1; 32]), old.block_of(Seq(3)), old.heads()), (None, None, Heads::default()));
    assert_eq!((old.gaps(Seq(3)), old.gap_runs().count()), (Gaps::default(), 0));
    old.events(Seq(0), Seq(99), &mut |_, _| panic!("there are none"));
    assert_eq!(before, bytes(book.folder()), "reading changes nothing");
    drop(old);

    fill(&book, &transactions[70..]);
    let new = Book::create(folder.path().join("new")).expect("a new book");
    fill(&new, &transactions);
    assert_same_bytes(new.folder(), book.folder(), "an old ledger that went on, and a new one");
}

#[test]
fn names_of_older_ledgers_stay_as_they_are_written() {
    let (_folder, book) = new_book();
    let holder = |number: u64| format!("0x{number:040x}");
    let row = |number: u64| AccountTransaction {
        name: name(number),
        time: Time::from_micros(5),
        legs: vec![leg(&holder(number), &holder(number / 2), "ETH", 3)],
    };
    let push = |from: u64, to: u64| {
        let mut writer = book.account_writer(&evm()).expect("nobody else writes");
        writer.declare_asset(&ether()).expect("a good asset");
        (from..to).for_each(|number| assert_eq!(writer.push(&row(number)).expect("a good one"), Seq(number)));
        assert!(writer.push(&row(0)).is_err(), "it is found again");
        assert_eq!(writer.transaction_name(Seq(0)), name(0));
        drop(writer);
        let mut writer = book.account_writer(&evm()).expect("nobody else writes");
        (from..to).for_each(|number| assert_eq!(writer.push(&row(number)).expect("a good one"), Seq(number)));
        writer.commit().expect("a commit");
    };
    // An older program's first commit: the manifest does not say how names lie.
    {
        let mut writer = book.account_writer(&evm()).expect("nobody else writes");
        writer.declare_asset(&ether()).expect("a new asset");
        writer.commit().expect("a commit");
    }
    let path = book.folder().join("ledgers").join("eip155+31337").join("manifest");
    let manifest = fs::read_to_string(&path).expect("a manifest");
    let line = manifest.lines().next().expect("a line").replace(r#","names":"packed""#, "");
    assert!(manifest.len() > line.len() + 66, "new ledgers say it: {manifest}");
    fs::write(&path, format!("{line}\n{}\n", ledger::hex::text(&Sha256::digest(&line)))).expect("a file");

    push(0, 3);
    push(3, 6);
    let names = fs::read(path.with_file_name("transaction-names")).expect("a column");
    assert_eq!(names.len(), 6 * 66);
    let open = open(&book);
    for number in 0..6 {
        assert_eq!(open.transaction_name(Seq(number)), name(number));
        assert_eq!(open.find_transaction(&name(number)), Some(Seq(number)));
        let found = open.find_holder(&holder(number)).expect("it pays");
        assert_eq!(open.holder_name(found), holder(number));
    }
}

#[test]
fn names_of_chains_lie_in_half_the_bytes() {
    let (_folder, book) = new_book();
    let mut writer = book.account_writer(&evm()).expect("nobody else writes");
    writer.declare_asset(&ether()).expect("a new asset");
    let holder = format!("0x{:040x}", 77);
    let names = [name(0), "block:0".to_owned(), "\u{1}odd".to_owned()];
    let transactions = names.iter().map(|name| (name.as_str(), vec![leg("", &holder, "ETH", 1)])).collect();
    writer.push_block(&block(0, transactions)).expect("a good block");
    writer.commit().expect("a commit");
    let ledger = book.folder().join("ledgers").join("eip155+31337");
    let len = |column: &str| fs::metadata(ledger.join(column)).expect("a column").len();
    assert_eq!((len("transaction-names"), len("holder-names")), (33 + 7 + 5, 21));
    let open = open(&book);
    for (seq, name) in (0..).map(Seq).zip(&names) {
        assert_eq!((open.transaction_name(seq), open.find_transaction(name)), (name.clone(), Some(seq)));
    }
    assert_eq!(open.find_transaction(&name(0).to_uppercase()), None, "only names in their own spelling are found");
    assert_eq!(open.find_holder(&holder).map(|found| open.holder_name(found)), Some(holder));
}

#[test]
fn a_ledger_has_more_assets_than_sixteen_bits_number() {
    const ASSETS: u64 = 70_000;
    let token = |number: u64| Asset {
        symbol: format!("eip155:1/erc20:0x{number:040x}"),
        scale: (number % 30).to_le_bytes()[0],
    };
    let (folder, book) = new_book();
    let assets: Vec<Asset> = (0..ASSETS).map(token).collect();
    // Each block has assets of its own, and moves some of them and some older ones.
    let blocks: Vec<AccountBlock> = (0..70u64)
        .map(|height| {
            let names: Vec<String> = (0..5).map(|at| name(height * 5 + at)).collect();
            let transactions = (0..5u64).map(|at| {
                let symbol =
                    &assets[usize::try_from((height + 1) * 1_000 - 1 - at * at * height).expect("small")].symbol;
                let holder = |number: u64| format!("0x{number:040x}");
                let legs = vec![leg("", &holder(at), symbol, 7), leg(&holder(at), &holder(height), symbol, 9)];
                (names[usize::try_from(at).expect("small")].as_str(), legs)
            });
            block(height, transactions.collect())
        })
        .collect();
    let fill = |book: &Book, from: usize, to: usize, commit_each: usize| {
        let mut writer = book.account_writer(&evm()).expect("nobody else writes");
        for (at, block) in blocks.iter().enumerate().take(to).skip(from) {
            for asset in &assets[at * 1_000..][..1_000] {
                writer.declare_asset(asset).expect("a new asset");
            }
            writer.push_block(block).expect("a good block");
            if at % commit_each == 0 {
                writer.commit().expect("a commit");
            }
        }
        writer.commit().expect("a commit");
        assert_eq!(writer.assets(), 1_000 * to as u64);
    };
    fill(&book, 0, 70, 9);
    let run = book.folder().join("ledgers").join("eip155+31337").join("assets-by-name.0000000000000-0000000065536.run");
    assert!(run.exists(), "the look-up has a run");
    let whole = open(&book);
    for at in [0, 1, 255, 65_534, 65_535, 65_536, 65_537, 69_999] {
        let asset = &assets[at];
        let found = AssetId(u32::try_from(at).expect("small"));
        assert_eq!((whole.find_asset(&asset.symbol), whole.asset(found)), (Some(found), asset));
    }
    assert_eq!((whole.find_asset("eip155:1/erc20:0x"), whole.assets()), (None, 70_000));
    let model = |blocks: &[AccountBlock]| {
        let mut model = MemoryLedger::new(evm(), Kind::Account, assets[..1_000 * blocks.len()].to_vec());
        for block in blocks {
            model.push_account_block(block);
        }
        model
    };
    compare_legs(&whole, &model(&blocks));
    drop(whole);

    book.account_writer(&evm()).expect("nobody else writes").undo_blocks(8).expect("they are there");
    assert!(!run.exists(), "too few are left");
    compare_legs(&open(&book), &model(&blocks[..62]));
    let short = Book::create(folder.path().join("short")).expect("a new book");
    fill(&short, 0, 62, 100);
    assert_same_bytes(short.folder(), book.folder(), "shorter, and longer then undone");
    fill(&book, 62, 70, 1);
    compare_legs(&open(&book), &model(&blocks));
}

/// Legs and purses; [`compare`] asks of each asset by name, which the model searches one by one.
fn compare_legs(open: &AccountLedger, model: &MemoryLedger) {
    assert_eq!(open.end(), model.end());
    let (mut legs, mut want) = (Vec::new(), Vec::new());
    for seq in (0..model.end().0).map(Seq) {
        open.transaction(seq, &mut legs);
        model.transaction(seq, &mut want);
        assert_eq!(legs, want);
        for purse in want.iter().flat_map(|leg| [leg.payer.purse(), leg.payee.purse()]).flatten() {
            assert_eq!((open.purse(purse), open.purse_name(purse)), (model.purse(purse), model.purse_name(purse)));
        }
    }
}
