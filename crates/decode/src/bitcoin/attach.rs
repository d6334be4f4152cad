//! Puts what a block's inputs spent into the block's deed, and its fees with it.

use ledger::{UtxoBlock, UtxoOutput, UtxoTransaction};
use money::Amount;

use super::undo::Spent;
use super::{Problem, Undo};

const OTHER_BLOCK: &str = "the undo data is damaged or of another block: take a copy of the files of a stopped node";

/// Tells each input what it spent and each transaction its fee, and returns all fees together. What a coinbase may take
/// is a rule of consensus and not looked at. Where it fails, the block is to be thrown away: part of it may be filled.
pub fn attach(block: &mut UtxoBlock, undo: &Undo<'_>) -> Result<Amount, Problem> {
    let total = attach_fees(block, undo)?;
    let paying = block.transactions.iter_mut().skip(1);
    for (number, (transaction, spent)) in paying.zip(undo.transactions()).enumerate() {
        for (input, spent) in transaction.inputs.iter_mut().zip(spent) {
            let holder = spent
                .script
                .lock()
                .ok_or_else(|| problem(number + 1, "a spent output's public key is not on the curve"))?;
            input.spent = Some(UtxoOutput { amount: Amount::new(u128::from(spent.value_units)), holder });
        }
    }
    Ok(total)
}

/// Tells each transaction its fee and nothing else, and returns all fees together: for who knows already what inputs
/// spent, and wants it confirmed.
pub fn attach_fees(block: &mut UtxoBlock, undo: &Undo<'_>) -> Result<Amount, Problem> {
    let paying = block.transactions.len().saturating_sub(1);
    if paying != undo.transaction_count() {
        let what = format!("undo data of {} transactions for a block that has {paying}", undo.transaction_count());
        return Err(Problem::with_help(0, format!("{what} besides the coinbase"), OTHER_BLOCK));
    }
    let mut total = Amount::ZERO;
    for (number, (transaction, spent)) in block.transactions.iter_mut().skip(1).zip(undo.transactions()).enumerate() {
        let fee = fee(transaction, spent).map_err(|what| problem(number + 1, &what))?;
        transaction.fee = Some(fee);
        total += fee;
    }
    Ok(total)
}

/// No sum overflows: each value has 63 bits, and a block has far fewer than 2^64 of them.
fn fee(transaction: &UtxoTransaction, spent: &[Spent<'_>]) -> Result<Amount, String> {
    if transaction.inputs.len() != spent.len() {
        return Err(format!("{} spent outputs for {} inputs", spent.len(), transaction.inputs.len()));
    }
    let paid = Amount::new(spent.iter().map(|spent| u128::from(spent.value_units)).sum());
    let received: Amount = transaction.outputs.iter().map(|output| output.amount).sum();
    paid.checked_sub(received)
        .ok_or_else(|| format!("it pays out {}, and its inputs are {}", received.units(), paid.units()))
}

fn problem(number: usize, what: &str) -> Problem {
    Problem::with_help(0, format!("transaction {number}: {what}"), OTHER_BLOCK)
}
