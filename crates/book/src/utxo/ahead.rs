//! [`Ahead`]: looks at all that a block's transactions will ask for before the first of them is laid down.
//!
//! To find an output takes four reads of memory, each at a place that only the one before tells. One input after the
//! other, the processor waits for each of them; one kind of read after the other for all inputs of a block, it has
//! many under way at once. Nothing is decided here: what is proposed is right (ids are compared), what is not found
//! here is searched for when its turn comes.

use ledger::UtxoBlock;

use super::live::Live;
use super::rows::{OUTPUTS, SPENT_BY, TRANSACTIONS, TransactionRow, txid};
use crate::column::{Growing, Rows as _};
use crate::holders::Holders;
use crate::numbers::NONE;
use crate::run::fingerprint;

/// What is known of an input beforehand.
#[derive(Clone, Copy, Debug)]
pub(super) struct InputAhead {
    /// The fingerprint of the transaction that it spends of.
    pub(super) fingerprint: u64,
    /// The output that it spends, or none if that was not found yet.
    pub(super) output: u64,
}

/// The fingerprints of a block's keys, in its order, and what they led to.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    pub(super) txids: Vec<u64>,
    pub(super) inputs: Vec<InputAhead>,
    pub(super) holders: Vec<u64>,
    scratch: Vec<u64>,
}

impl Ahead {
    pub(super) fn look(&mut self, block: &UtxoBlock, columns: &[Growing], live: &Live, holders: &Holders) {
        self.txids.clear();
        self.inputs.clear();
        self.holders.clear();
        let mut touched = 0;
        for transaction in &block.transactions {
            let own = fingerprint(&transaction.txid);
            touched ^= live.touch(own);
            self.txids.push(own);
            self.inputs.extend(
                transaction
                    .inputs
                    .iter()
                    .map(|input| InputAhead { fingerprint: fingerprint(&input.outpoint.txid), output: NONE }),
            );
            self.holders.extend(transaction.outputs.iter().map(|output| fingerprint(output.holder.as_bytes())));
        }
        self.scratch.clear();
        let maker = |input: &InputAhead| live.find(input.fingerprint, |_| true).unwrap_or(NONE);
        self.scratch.extend(self.inputs.iter().map(maker));
        let outpoints = block.transactions.iter().flat_map(|transaction| &transaction.inputs);
        for ((input, maker), asks) in self.inputs.iter_mut().zip(&self.scratch).zip(outpoints) {
            if *maker != NONE && txid(columns, *maker) == asks.outpoint.txid {
                let row = TransactionRow::of(columns[TRANSACTIONS].words(*maker));
                let vout = u64::from(asks.outpoint.vout);
                input.output = if vout < row.outputs { row.first_output + vout } else { NONE };
            }
        }
        for input in self.inputs.iter().filter(|input| input.output != NONE) {
            touched ^= columns[OUTPUTS].word(input.output, SPENT_BY);
        }
        touched ^= holders.touch(columns, &self.holders, &mut self.scratch);
        std::hint::black_box(touched);
    }
}
