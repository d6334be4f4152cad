//! Taking back the last blocks of a UTXO ledger (a reorganisation), so that it is as if they had never been pushed.

use super::UtxoWriter;
use super::live::Live;
use super::rows::{
    BLOCKS, BlockRow, FOREIGN, ForeignRow, INPUTS, OUTPUTS, OutputRow, SPENT_BY, TRANSACTIONS, TransactionRow,
    input_at, key_fingerprint,
};
use crate::BookError;
use crate::column::{Growing, Rows as _, partition_point};
use crate::names::{HOLDER_NAMES, HOLDER_TAIL, HOLDERS, name_start};
use crate::numbers::{NONE, NONE_40};

/// How many rows of each column stay.
struct Keep {
    blocks: u64,
    transactions: u64,
    inputs: u64,
    outputs: u64,
    holders: u64,
    foreign: u64,
}

impl UtxoWriter {
    /// Takes back the last `count` committed blocks, for good. Nobody may read the ledger meanwhile.
    pub fn undo(&mut self, count: u64) -> Result<(), BookError> {
        let Some((blocks, _alone)) = self.store.begin_undo(count, self.blocks())? else { return Ok(()) };
        let result = self.take_back(blocks);
        if result.is_err() {
            self.store.fail();
        }
        result
    }

    fn take_back(&mut self, blocks: u64) -> Result<(), BookError> {
        let mut keep = keep(&self.store.columns, blocks);
        for input in keep.inputs..self.store.columns[INPUTS].rows() {
            let output = input_at(&self.store.columns[INPUTS], input);
            if output < keep.outputs {
                self.store.columns[OUTPUTS].set_word(output, SPENT_BY, NONE);
                self.store.relieve()?;
            }
        }
        for output in keep.outputs..self.store.columns[OUTPUTS].rows() {
            let row = OutputRow::of(self.store.columns[OUTPUTS].words(output));
            if row.previous == NONE_40 {
                keep.holders = keep.holders.min(row.holder);
            } else if row.previous < keep.outputs {
                self.store.columns[HOLDERS].set_word(row.holder, HOLDER_TAIL, row.previous);
                self.store.relieve()?;
            }
        }
        self.cut(&keep)
    }

    fn cut(&mut self, keep: &Keep) -> Result<(), BookError> {
        let columns = &self.store.columns;
        let holder_names = if keep.holders < columns[HOLDERS].rows() {
            name_start(columns[HOLDERS].words::<2>(keep.holders)[0])
        } else {
            columns[HOLDER_NAMES].rows()
        };
        let mut rows: Vec<u64> = columns.iter().map(crate::column::Rows::rows).collect();
        for (column, kept) in [
            (HOLDERS, keep.holders),
            (HOLDER_NAMES, holder_names),
            (BLOCKS, keep.blocks),
            (TRANSACTIONS, keep.transactions),
            (INPUTS, keep.inputs),
            (OUTPUTS, keep.outputs),
            (FOREIGN, keep.foreign),
        ] {
            rows[column] = kept;
        }
        let entries = [keep.holders, keep.transactions, keep.foreign, keep.blocks];
        let mut indexes = [&mut self.holders.index, &mut self.txids, &mut self.foreign, &mut self.hashes];
        self.store.commit_shorter(&rows, &mut indexes, |columns, indexes| {
            for (lookup, index) in indexes.iter_mut().enumerate() {
                index.reset(entries[lookup], &|number| key_fingerprint(columns, lookup, number))?;
            }
            Ok(())
        })?;
        self.holders.forget();
        self.live = Live::new(keep.transactions == 0);
        Ok(())
    }
}

fn keep(columns: &[Growing], blocks: u64) -> Keep {
    let transactions = BlockRow::of(columns[BLOCKS].words(blocks)).first_transaction;
    let row = |seq: u64| TransactionRow::of(columns[TRANSACTIONS].words(seq));
    // Foreign outputs stand between the outputs of two transactions, and belong to the later one.
    let outputs = transactions.checked_sub(1).map_or(0, |last| row(last).first_output + row(last).outputs);
    let inputs = transactions.checked_sub(1).map_or(0, |last| row(last).first_input + row(last).inputs);
    let foreign = &columns[FOREIGN];
    Keep {
        blocks,
        transactions,
        inputs,
        outputs,
        holders: columns[HOLDERS].rows(),
        foreign: partition_point(foreign.rows(), |at| ForeignRow::of(foreign.words(at)).output < outputs),
    }
}
