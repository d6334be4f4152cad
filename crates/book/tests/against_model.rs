//! Random ledgers on disk answer every question as the ledger in memory does, whatever was committed when, reopened
//! when, and taken back; and the same transactions make the same bytes.

mod common;

use book::{AccountLedger, Book, BookLedger, Heads, Pushed, UtxoLedger};
use common::{
    Dice, account_blocks, account_model, account_transactions, assert_same_bytes, assets, assets_of, blocks_model, btc,
    chain, compare, compare_contracts, evm, table, utxo_blocks, utxo_model,
};
use ledger::{
    AccountBlock, AccountTransaction, Coins, HolderId, Ledger as _, Outpoint, PurseId, Seq, UtxoBlock, UtxoTransaction,
};
use proptest::prelude::*;

/// How a ledger is filled: commits and reopenings at random, and transactions too many that are taken back.
struct Way {
    dice: Dice,
    commit_one_in: u64,
}

impl Way {
    fn plain() -> Self {
        Self { dice: Dice::new(0), commit_one_in: u64::MAX }
    }
}

fn fill_accounts(book: &Book, transactions: &[AccountTransaction], mut way: Way) {
    let mut writer = book.account_writer(&table()).expect("nobody else writes");
    for asset in assets() {
        writer.declare_asset(&asset).expect("a new asset");
    }
    for transaction in transactions {
        writer.push(transaction).expect("a good transaction");
        if way.dice.one_in(way.commit_one_in) {
            writer.commit().expect("a commit");
            if way.dice.one_in(4) {
                drop(writer);
                writer = book.account_writer(&table()).expect("nobody else writes");
            }
        }
    }
    writer.commit().expect("a commit");
}

fn fill_blocks(book: &Book, blocks: &[UtxoBlock], mut way: Way) {
    let mut writer = book.utxo_writer(&chain(), &btc()).expect("nobody else writes");
    for block in blocks {
        writer.push_block(block).expect("a good block");
        if way.dice.one_in(way.commit_one_in) {
            writer.commit().expect("a commit");
            if way.dice.one_in(4) {
                drop(writer);
                writer = book.utxo_writer(&chain(), &btc()).expect("nobody else writes");
            }
            // What a writer remembers or searches for makes no difference to what it writes.
            if way.dice.one_in(3) {
                writer.remember_live();
            }
        }
    }
    writer.commit().expect("a commit");
}

/// Also at random: the last blocks are taken back and come again, committed or not.
fn fill_account_blocks(book: &Book, blocks: &[AccountBlock], mut way: Way) {
    let mut writer = book.account_writer(&evm()).expect("nobody else writes");
    let mut at = 0;
    while let Some(block) = blocks.get(at) {
        for asset in assets_of(block) {
            writer.declare_asset(&asset).expect("a good asset");
        }
        assert_eq!(writer.push_block(block).expect("a good block"), Pushed::Added);
        assert_eq!(writer.push_block(block).expect("the same block"), Pushed::Skipped);
        at += 1;
        assert_eq!(writer.tip().map(|tip| (tip.hash, tip.height)), Some((block.hash, block.height)));
        writer.mark_heads(heads(block));
        if way.dice.one_in(way.commit_one_in) {
            if way.dice.one_in(2) {
                writer.commit().expect("a commit");
            }
            if way.dice.one_in(3) {
                let back = way.dice.below(1 + at.min(5) as u64);
                writer.undo_blocks(back).expect("they are there");
                at -= usize::try_from(back).expect("small");
            }
            if way.dice.one_in(4) {
                drop(writer);
                writer = book.account_writer(&evm()).expect("nobody else writes");
                at = usize::try_from(writer.blocks()).expect("small");
            }
        }
    }
    writer.commit().expect("a commit");
}

/// What the chain says of being settled, when this is its last block.
fn heads(block: &AccountBlock) -> Heads {
    Heads { safe: Some(block.height), finalized: Some(block.height) }
}

fn new_book(folder: &tempfile::TempDir, name: &str) -> Book {
    Book::create(folder.path().join(name)).expect("a new book")
}

fn check_accounts(seed: u64, count: u64, holders: u64, commit_one_in: u64, undone: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let transactions = account_transactions(seed, count, holders);
    let kept = &transactions[..usize::try_from(count - undone.min(count)).expect("small")];
    let (once, often, longer) = (new_book(&folder, "once"), new_book(&folder, "often"), new_book(&folder, "longer"));
    fill_accounts(&once, kept, Way::plain());
    fill_accounts(&often, kept, Way { dice: Dice::new(seed), commit_one_in });
    assert_same_bytes(once.folder(), often.folder(), "one commit and many");

    fill_accounts(&longer, &transactions, Way { dice: Dice::new(!seed), commit_one_in });
    let mut writer = longer.account_writer(&table()).expect("nobody else writes");
    writer.undo(undone.min(count)).expect("they are there");
    if kept.is_empty() {
        // The assets went with the first transaction; a fresh ledger that declared them has them.
        for asset in assets() {
            writer.declare_asset(&asset).expect("a new asset");
        }
        writer.commit().expect("a commit");
    }
    drop(writer);
    assert_same_bytes(once.folder(), longer.folder(), "shorter, and longer then undone");

    let open = often.ledger(&table()).expect("a ledger");
    compare(open.as_ledger(), &account_model(kept), &mut Dice::new(seed));

    let mut writer = longer.account_writer(&table()).expect("nobody else writes");
    for transaction in &transactions[kept.len()..] {
        writer.push(transaction).expect("a good transaction");
    }
    writer.commit().expect("a commit");
    let open = longer.ledger(&table()).expect("a ledger");
    compare(open.as_ledger(), &account_model(&transactions), &mut Dice::new(seed));
}

fn check_blocks(seed: u64, count: u64, size: u64, commit_one_in: u64, undone: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let blocks = utxo_blocks(seed, count, size);
    let kept = &blocks[..usize::try_from(count - undone.min(count)).expect("small")];
    let (once, often, longer) = (new_book(&folder, "once"), new_book(&folder, "often"), new_book(&folder, "longer"));
    fill_blocks(&once, kept, Way::plain());
    fill_blocks(&often, kept, Way { dice: Dice::new(seed), commit_one_in });
    assert_same_bytes(once.folder(), often.folder(), "one commit and many");

    fill_blocks(&longer, &blocks, Way { dice: Dice::new(!seed), commit_one_in });
    let mut writer = longer.utxo_writer(&chain(), &btc()).expect("nobody else writes");
    writer.undo(undone.min(count)).expect("they are there");
    if Dice::new(seed).one_in(2) {
        writer.remember_live();
    }
    // The writer goes on with what it knows, and forgets it again.
    for block in &blocks[kept.len()..] {
        writer.push_block(block).expect("a good block");
    }
    writer.commit().expect("a commit");
    writer.undo(undone.min(count)).expect("they are there");
    drop(writer);
    assert_same_bytes(once.folder(), longer.folder(), "shorter, and longer then undone");

    let open = often.ledger(&chain()).expect("a ledger");
    compare(open.as_ledger(), &utxo_model(kept), &mut Dice::new(seed));

    fill_blocks(&longer, &blocks, Way::plain());
    let BookLedger::Utxo(open) = longer.ledger(&chain()).expect("a ledger") else { panic!("it is a UTXO ledger") };
    assert_eq!(open.tip().map(|tip| tip.hash), blocks.last().map(|block| block.hash));
    compare(&open, &utxo_model(&blocks), &mut Dice::new(seed));
    compare_explored(&open, &blocks);
    compare_coins(&open, &utxo_model(&blocks));
}

fn check_account_blocks(seed: u64, count: u64, size: u64, commit_one_in: u64, undone: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let blocks = account_blocks(seed, count, size, 30);
    let kept = &blocks[..usize::try_from(count - undone.min(count)).expect("small")];
    let (once, often, longer) = (new_book(&folder, "once"), new_book(&folder, "often"), new_book(&folder, "longer"));
    fill_account_blocks(&once, kept, Way::plain());
    fill_account_blocks(&often, kept, Way { dice: Dice::new(seed), commit_one_in });
    assert_same_bytes(once.folder(), often.folder(), "one commit and many");

    fill_account_blocks(&longer, &blocks, Way { dice: Dice::new(!seed), commit_one_in });
    let mut writer = longer.account_writer(&evm()).expect("nobody else writes");
    writer.undo_blocks(undone.min(count)).expect("they are there");
    drop(writer);
    assert_same_bytes(once.folder(), longer.folder(), "shorter, and longer then undone");

    fill_account_blocks(&longer, &blocks[kept.len()..], Way::plain());
    for (book, blocks) in [(&often, kept), (&longer, &blocks)] {
        let BookLedger::Account(open) = book.ledger(&evm()).expect("a ledger") else {
            panic!("it is an account ledger")
        };
        let model = blocks_model(blocks);
        compare(&open, &model, &mut Dice::new(seed));
        compare_contracts(&open, &model, &mut Dice::new(seed));
        compare_account_blocks(&open, blocks);
        assert_eq!(open.heads(), blocks.last().map_or_else(Heads::default, heads));
    }
}

fn compare_account_blocks(open: &AccountLedger, blocks: &[AccountBlock]) {
    assert_eq!(open.blocks(), blocks.len() as u64);
    assert_eq!(open.first_height(), blocks.first().map(|block| block.height));
    assert_eq!(open.tip().map(|tip| tip.hash), blocks.last().map(|block| block.hash));
    let mut seq = 0;
    for block in blocks {
        let found = open.block(block.height).expect("a block");
        assert_eq!((found.height, found.hash, found.time), (block.height, block.hash, block.time));
        assert_eq!((found.first_transaction, found.transactions), (Seq(seq), block.transactions.len() as u64));
        assert_eq!(open.block_by_hash(&block.hash), Some(found));
        assert_eq!(open.block_gaps(block.height), block.gaps);
        let runs: Vec<_> = open.gap_runs().filter(|run| (run.from..=run.to).contains(&block.height)).collect();
        assert!(runs.iter().map(|run| run.gaps).eq(block.gaps.any().then_some(block.gaps)));
        for _ in &block.transactions {
            assert_eq!(open.block_of(Seq(seq)), Some(found));
            seq += 1;
        }
    }
    assert_eq!(open.events_kept(), blocks.iter().map(|block| block.events.len() as u64).sum::<u64>());
    for none in [
        blocks.first().map_or(0, |first| first.height.wrapping_sub(1)),
        blocks.last().map_or(0, |last| last.height + 1),
    ] {
        assert_eq!(open.block(none), None);
    }
    assert_eq!(open.block_by_hash(&[7; 32]), None);
}

/// What an explorer is told is what the blocks say.
fn compare_explored(open: &UtxoLedger, blocks: &[UtxoBlock]) {
    assert_eq!(open.blocks(), blocks.len() as u64);
    assert_eq!((open.block(open.blocks()), open.find_block(&[7; 32])), (None, None));
    let mut seq = 0;
    for (number, block) in (0..).zip(blocks) {
        let found = open.block(number).expect("a block");
        assert_eq!((found.height, found.hash, found.time), (block.height, block.hash, block.time));
        assert_eq!((found.first_transaction, found.transactions), (Seq(seq), block.transactions.len() as u64));
        assert_eq!((open.block_at(block.height), open.find_block(&block.hash)), (Some(number), Some(number)));
        for transaction in &block.transactions {
            compare_transaction(open, Seq(seq), transaction);
            assert_eq!(open.block_of(Seq(seq)), number);
            seq += 1;
        }
    }
    assert_eq!(open.block_at(blocks.last().map_or(0, |last| last.height + 1)), None);
}

/// What clustering and exposure ask, of every transaction, output and holder.
fn compare_coins(open: &UtxoLedger, model: &dyn Coins) {
    assert_eq!(Coins::holders(open), model.holders());
    assert_eq!((Coins::transactions(open), open.purse_count()), (model.transactions(), model.purse_count()));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for seq in (0..model.transactions()).map(Seq) {
        Coins::spent(open, seq, &mut ours);
        model.spent(seq, &mut theirs);
        assert_eq!(ours, theirs, "what {seq:?} spends");
        Coins::made(open, seq, &mut ours);
        model.made(seq, &mut theirs);
        assert_eq!(ours, theirs, "what {seq:?} makes");
    }
    for purse in (0..model.purse_count()).map(PurseId) {
        assert_eq!(open.coin(purse), model.coin(purse));
        assert_eq!(Coins::made_by(open, purse), model.made_by(purse));
        assert_eq!(Coins::spent_by(open, purse), model.spent_by(purse));
        assert_eq!(open.purse_before(purse), model.purse_before(purse));
    }
    for holder in (0..model.holders()).map(HolderId) {
        assert_eq!(open.last_purse(holder), model.last_purse(holder));
        assert_eq!(Coins::lock(open, holder), model.lock(holder));
        assert_eq!(Coins::find_lock(open, &model.lock(holder)), Some(holder));
    }
}

fn compare_transaction(open: &UtxoLedger, seq: Seq, transaction: &UtxoTransaction) {
    assert_eq!((open.txid(seq), open.find_txid(&transaction.txid)), (transaction.txid, Some(seq)));
    assert_eq!(open.fee(seq).is_none(), transaction.inputs.is_empty());
    assert!(transaction.fee.is_none_or(|fee| open.fee(seq) == Some(fee)));
    let spent: Vec<Outpoint> = open.inputs(seq).map(|purse| open.outpoint(purse)).collect();
    assert!(spent.iter().eq(transaction.inputs.iter().map(|input| &input.outpoint)));
    assert!(open.inputs(seq).all(|purse| open.spent_by(purse) == Some(seq)));
    assert_eq!(open.made(seq).len(), transaction.outputs.len());
    for (purse, output) in open.made(seq).zip(&transaction.outputs) {
        let holder = open.holder(purse);
        assert_eq!((open.value(purse), open.lock(holder)), (output.amount, output.holder.clone()));
        assert_eq!((open.find_lock(&output.holder), open.made_by(purse)), (Some(holder), Some(seq)));
        assert_eq!(open.is_unspendable(purse), output.holder.is_unspendable());
        let mut purses: Vec<_> = open.purses_newest_first(holder).collect();
        purses.reverse();
        assert_eq!(purses, open.purses(holder));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_account_ledgers_answer_as_the_model(
        seed: u64, count in 1u64..300, holders in 1u64..40, commits in 1u64..12, undone in 0u64..120,
    ) {
        check_accounts(seed, count, holders, count / commits + 1, undone);
    }

    #[test]
    fn random_chains_of_accounts_answer_as_the_model(
        seed: u64, count in 1u64..80, size in 0u64..8, commits in 1u64..30, undone in 0u64..40,
    ) {
        check_account_blocks(seed, count, size, count / commits + 1, undone);
    }

    #[test]
    fn random_utxo_ledgers_answer_as_the_model(
        seed: u64, count in 1u64..60, size in 0u64..12, commits in 1u64..12, undone in 0u64..30,
    ) {
        check_blocks(seed, count, size, count / commits + 1, undone);
    }
}
