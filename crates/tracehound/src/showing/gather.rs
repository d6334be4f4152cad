//! From a number of a ledger to a page about it.

use std::collections::BTreeSet;

use book::{BookLedger, UtxoLedger};
use ledger::{AssetId, End, HolderId, Ledger, PurseId, Seq, txid_text};
use money::Amount;

use super::accounts;
use super::{
    BalanceRow, BlockContent, BlockPage, BlockRow, Ends, HolderPage, InputRow, MoveRow, OutputPage, OutputRow, Place,
    Sum, Totals, TransactionPage,
};

pub(super) fn sum(ledger: &dyn Ledger, asset: AssetId, amount: Amount) -> Sum {
    let asset = ledger.asset(asset);
    Sum { asset: asset.symbol.clone(), amount: asset.text(amount) }
}

fn place(ledger: &dyn Ledger, seq: Seq) -> Place {
    let stamp = ledger.stamp(seq);
    Place { height: stamp.height, time: stamp.time.to_string() }
}

pub(super) fn name(ledger: &dyn Ledger, purse: PurseId) -> String {
    ledger.holder_name(ledger.purse(purse).holder)
}

/// A transaction with all its ends.
pub fn transaction(opened: &BookLedger, seq: Seq) -> TransactionPage {
    let ledger = opened.as_ledger();
    let mut legs = Vec::new();
    ledger.transaction(seq, &mut legs);
    let mut page = TransactionPage {
        tx: ledger.transaction_name(seq),
        place: place(ledger, seq),
        block_hash: None,
        coinbase: false,
        fee: None,
        ends: Ends::Outputs { inputs: Vec::new(), outputs: Vec::new() },
    };
    let chain = match opened {
        BookLedger::Utxo(chain) => chain,
        BookLedger::Account(accounts) => {
            accounts::fill(accounts, seq, &legs, &mut page);
            return page;
        }
    };
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    page.block_hash = chain.block(chain.block_of(seq)).map(|block| txid_text(&block.hash));
    page.coinbase = legs.iter().any(|leg| leg.payer == End::Outside);
    for leg in &legs {
        let sum = sum(ledger, leg.asset, leg.amount);
        match (leg.payer, leg.payee) {
            (End::Purse(spent), _) => inputs.push(InputRow {
                output: ledger.purse_name(spent),
                holder: name(ledger, spent),
                sum,
                inferred: chain.is_inferred(spent),
            }),
            (_, End::Purse(made)) => outputs.push(OutputRow {
                index: outputs.len() as u64,
                holder: name(ledger, made),
                sum,
                spent_by: leg.payee_next.map(|spender| ledger.transaction_name(spender)),
            }),
            (_, End::Fee) => page.fee = Some(sum),
            _ => {}
        }
    }
    page.ends = Ends::Outputs { inputs, outputs };
    page
}

/// One output.
pub fn output(chain: &UtxoLedger, purse: PurseId) -> OutputPage {
    let spent = chain.spent_by(purse);
    OutputPage {
        output: chain.purse_name(purse),
        holder: name(chain, purse),
        sum: sum(chain, AssetId(0), chain.value(purse)),
        inferred: chain.is_inferred(purse),
        made: chain.made_by(purse).map(|seq| place(chain, seq)),
        spent_by: spent.map(|seq| chain.transaction_name(seq)),
        spent: spent.map(|seq| place(chain, seq)),
    }
}

/// A holder: what it has, and its latest `limit` movements.
pub fn holder(opened: &BookLedger, holder: HolderId, limit: usize) -> HolderPage {
    match opened {
        BookLedger::Utxo(chain) => holder_of_outputs(chain, holder, limit),
        BookLedger::Account(ledger) => holder_of_accounts(ledger, holder, limit),
    }
}

/// When, whether it goes out, and which output: a movement in few bytes, for holders with millions of them.
type Move = (Seq, bool, PurseId);

fn holder_of_outputs(chain: &UtxoLedger, holder: HolderId, limit: usize) -> HolderPage {
    let (mut received, mut spent, mut outputs, mut unspent) = (Amount::ZERO, Amount::ZERO, 0, 0);
    let mut moves: Vec<Move> = Vec::new();
    // One walk along the holder's chain reads each output once, while it is at hand.
    for purse in chain.purses_newest_first(holder) {
        let value = chain.value(purse);
        outputs += 1;
        received += value;
        moves.extend(chain.made_by(purse).map(|seq| (seq, false, purse)));
        match chain.spent_by(purse) {
            Some(seq) => {
                spent += value;
                moves.push((seq, true, purse));
            }
            None => unspent += 1,
        }
    }
    let at = |found: Option<&Move>| found.map(|(seq, ..)| place(chain, *seq));
    let (first, last) = (at(moves.iter().min()), at(moves.iter().max()));
    let movements = moves.len() as u64;
    let text = |amount| sum(chain, AssetId(0), amount).amount;
    let row = |(seq, out, purse): Move| MoveRow {
        place: place(chain, seq),
        tx: chain.transaction_name(seq),
        direction: if out { "out" } else { "in" },
        sum: sum(chain, AssetId(0), chain.value(purse)),
        output: Some(chain.purse_name(purse)),
        with: None,
    };
    HolderPage {
        holder: chain.holder_name(holder),
        balances: vec![BalanceRow {
            asset: chain.asset(AssetId(0)).symbol.clone(),
            balance: text(received.checked_sub(spent).expect("what was spent was received")),
            outputs: Some(Totals { received: text(received), spent: text(spent), outputs, unspent }),
        }],
        more_balances: None,
        first,
        last,
        history: newest(moves, limit).into_iter().map(row).collect(),
        movements: Some(movements),
    }
}

/// The latest `limit` movements, newest first.
fn newest(mut moves: Vec<Move>, limit: usize) -> Vec<Move> {
    if limit < moves.len() {
        moves.select_nth_unstable_by(limit, |a, b| b.cmp(a));
        moves.truncate(limit);
    }
    moves.sort_unstable_by(|a, b| b.cmp(a));
    moves
}

/// An account is paid into and out of for ever: its latest movements are found by walking back from its last one.
fn holder_of_accounts(ledger: &dyn Ledger, holder: HolderId, limit: usize) -> HolderPage {
    let purses = ledger.purses(holder);
    let mut latest: BTreeSet<Seq> = BTreeSet::new();
    let mut whole = true;
    for purse in &purses {
        let mut before = ledger.end();
        let mut taken = 0usize;
        while let Some(seq) = ledger.previous(*purse, before) {
            if taken == limit {
                whole = false;
                break;
            }
            taken += 1;
            latest.insert(seq);
            before = seq;
        }
    }
    let mut history = Vec::new();
    let mut legs = Vec::new();
    for seq in latest.iter().rev() {
        ledger.transaction(*seq, &mut legs);
        let own = |end: End| end.purse().is_some_and(|purse| purses.contains(&purse));
        for leg in legs.iter().rev().filter(|leg| own(leg.payer) || own(leg.payee)) {
            let out = own(leg.payer);
            let with = if out { leg.payee } else { leg.payer };
            let nobody = match with {
                End::Fee => Some("fee"),
                End::Drift => Some("drift"),
                _ => None,
            };
            history.push(MoveRow {
                place: place(ledger, *seq),
                tx: ledger.transaction_name(*seq),
                direction: if out { "out" } else { "in" },
                sum: sum(ledger, leg.asset, leg.amount),
                output: None,
                with: with.purse().map(|purse| name(ledger, purse)).or(nobody.map(str::to_owned)),
            });
        }
    }
    let movements = whole.then_some(history.len() as u64);
    let first = latest.first().filter(|_| whole).map(|seq| place(ledger, *seq));
    history.truncate(limit);
    let mut balances: Vec<(AssetId, Amount)> =
        purses.iter().map(|purse| (ledger.purse(*purse).asset, ledger.balance(*purse, ledger.end()))).collect();
    let more_balances = accounts::shorten(&mut balances, limit, |(_, balance)| balance.is_zero());
    let row = |(asset, balance)| {
        let Sum { asset, amount } = sum(ledger, asset, balance);
        BalanceRow { asset, balance: amount, outputs: None }
    };
    HolderPage {
        holder: ledger.holder_name(holder),
        balances: balances.into_iter().map(row).collect(),
        more_balances,
        first,
        last: latest.last().map(|seq| place(ledger, *seq)),
        history,
        movements,
    }
}

/// A block and its first `limit` transactions.
pub fn block(chain: &UtxoLedger, row: u64, limit: usize) -> BlockPage {
    let block = chain.block(row).expect("it was found on this ledger");
    let ledger: &dyn Ledger = chain;
    let asset = AssetId(0);
    let mut fees = Amount::ZERO;
    let mut listed = Vec::new();
    let mut legs = Vec::new();
    for seq in (block.first_transaction.0..).take(usize::try_from(block.transactions).unwrap_or(usize::MAX)) {
        ledger.transaction(Seq(seq), &mut legs);
        let fee = legs.iter().filter(|leg| leg.payee == End::Fee).map(|leg| leg.amount).sum();
        fees += fee;
        if listed.len() < limit {
            let made = || legs.iter().filter(|leg| leg.payee.purse().is_some());
            listed.push(BlockRow {
                tx: ledger.transaction_name(Seq(seq)),
                inputs: legs.iter().filter(|leg| leg.payer.purse().is_some()).count() as u64,
                outputs: made().count() as u64,
                sum: sum(ledger, asset, made().map(|leg| leg.amount).sum()),
                fee: sum(ledger, asset, fee).amount,
            });
        }
    }
    BlockPage {
        height: block.height,
        hash: txid_text(&block.hash),
        previous: row.checked_sub(1).and_then(|before| chain.block(before)).map(|before| txid_text(&before.hash)),
        time: block.time.to_string(),
        transactions: block.transactions,
        content: BlockContent::Outputs { fees: sum(ledger, asset, fees), listed },
    }
}
