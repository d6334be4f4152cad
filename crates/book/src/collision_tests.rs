//! Keys whose fingerprints collide, as somebody could make them who wants to be taken for another: everything is found
//! all the same, in the writer's memory, in runs and beside them.

use ledger::{
    HolderId, Ledger as _, LedgerId, Lock, Outpoint, Time, UtxoBlock, UtxoInput, UtxoOutput, UtxoTransaction,
};
use money::{Amount, Asset};

use crate::run::KEPT_BITS;
use crate::{Book, BookLedger, UtxoLedger};

fn chain() -> LedgerId {
    LedgerId::parse("bitcoin-regtest").unwrap()
}

fn btc() -> Asset {
    Asset { symbol: "BTC".into(), scale: 8 }
}

fn id(kind: u8, number: u64) -> [u8; 32] {
    let mut id = [kind; 32];
    id[..8].copy_from_slice(&number.to_le_bytes());
    id
}

fn output(holder: u64) -> UtxoOutput {
    UtxoOutput { amount: Amount::new(5), holder: format!("script:{holder:016x}").into() }
}

/// A block whose coinbase pays `outputs` new holders and an old one, and whose second transaction spends half of the
/// coinbase three blocks earlier; the third spends of the second.
fn block(height: u64, outputs: u32) -> UtxoBlock {
    let holders = (0..u64::from(outputs)).map(|at| height * u64::from(outputs) + at);
    let made = holders.chain([height / 2]).map(output).collect();
    let mut transactions = vec![UtxoTransaction { txid: id(1, height), inputs: vec![], outputs: made, fee: None }];
    if let Some(of) = height.checked_sub(3) {
        let input = |txid, vout| UtxoInput { outpoint: Outpoint { txid, vout }, spent: None };
        let all = (0..=outputs).step_by(2).map(|vout| input(id(1, of), vout)).collect();
        let made = vec![output(height), output(1 << 40 | height)];
        transactions.push(UtxoTransaction { txid: id(2, height), inputs: all, outputs: made, fee: None });
        let one = vec![input(id(2, height), 1)];
        transactions.push(UtxoTransaction { txid: id(3, height), inputs: one, outputs: vec![output(0)], fee: None });
    }
    let previous = height.checked_sub(1).map(|parent| id(4, parent));
    UtxoBlock { height, hash: id(4, height), previous, time: Time::from_micros(0), transactions }
}

/// Fills a ledger, with a new writer for each batch if `reopened`.
fn fill(book: &Book, (blocks, outputs, batch): (u64, u32, u64), reopened: bool) -> UtxoLedger {
    let open = || book.utxo_writer(&chain(), &btc()).unwrap();
    let mut writer = open();
    for height in 0..blocks {
        writer.push_block(&block(height, outputs)).unwrap();
        if height % batch == batch - 1 {
            writer.commit().unwrap();
            if reopened {
                drop(writer);
                writer = open();
            }
        }
    }
    writer.commit().unwrap();
    let BookLedger::Utxo(ledger) = book.ledger(&chain()).unwrap() else { panic!("it is a UTXO ledger") };
    ledger
}

fn check(kept_bits: u64, size: (u64, u32, u64), ask_one_in: usize) {
    let scratch = tempfile::tempdir().unwrap();
    let book = |name: &str| Book::create(scratch.path().join(name)).unwrap();
    KEPT_BITS.set(u64::MAX);
    let want = fill(&book("apart"), size, false);
    KEPT_BITS.set(kept_bits);
    for reopened in [false, true] {
        let found = fill(&book(if reopened { "reopened" } else { "once" }), size, reopened);
        assert_eq!((found.end(), found.holders()), (want.end(), want.holders()));
        let (mut legs, mut want_legs) = (Vec::new(), Vec::new());
        for seq in (0..want.end().0).map(ledger::Seq) {
            found.transaction(seq, &mut legs);
            want.transaction(seq, &mut want_legs);
            assert_eq!(legs, want_legs);
            assert_eq!(found.find_txid(&want.txid(seq)), Some(seq));
        }
        for holder in (0..want.holders()).step_by(ask_one_in).map(HolderId) {
            assert_eq!(found.find_lock(&want.lock(holder)), Some(holder));
        }
        for number in 0..want.blocks() {
            assert_eq!(found.find_block(&id(4, number)), Some(number));
        }
        assert_eq!((found.find_txid(&id(9, 9)), found.find_lock(&Lock::from("script:09"))), (None, None));
    }
    KEPT_BITS.set(u64::MAX);
}

#[test]
fn keys_that_all_have_one_of_four_fingerprints_are_told_apart() {
    check(0b1001, (40, 12, 7), 1);
}

#[test]
fn keys_that_collide_in_runs_are_told_apart() {
    // 75,000 holders, so that there is a run, and a filter before it.
    check(0xff00_0000_0000_00ff, (50, 1_500, 12), 37);
}
