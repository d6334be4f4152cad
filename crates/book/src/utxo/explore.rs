//! What a block explorer asks a UTXO ledger: blocks, and the parts of a transaction as they stand in the columns.
//!
//! Nothing here makes lists: a transaction with 20,000 outputs and a holder with 100,000 are walked. The tracer asks
//! through `Ledger` instead.

use ledger::{HolderId, Lock, Outpoint, PurseId, Seq, Time};
use money::Amount;

use super::UtxoLedger;
use super::rows::{BLOCKS_AT, BlockRow, INPUTS, block_hash, input_at, outpoint, txid};
use crate::chain::Block;
use crate::column::Rows as _;
use crate::names::{HOLDERS, find_holder, holder_name};
use crate::numbers::NONE_40;
use crate::run::fingerprint;

impl UtxoLedger {
    /// How many holders there are.
    pub fn holders(&self) -> u64 {
        self.column(HOLDERS).rows()
    }

    /// The block with this number: blocks are numbered from 0 in order of height.
    pub fn block(&self, number: u64) -> Option<Block> {
        let BlockRow { height, time, first_transaction, hash, .. } =
            (number < self.blocks()).then(|| self.block_row(number))?;
        let is_last = number + 1 == self.blocks();
        let end = if is_last { self.end } else { self.block_row(number + 1).first_transaction };
        let transactions = end.saturating_sub(first_transaction);
        Some(Block {
            height,
            hash,
            time: Time::from_micros(time),
            first_transaction: Seq(first_transaction),
            transactions,
        })
    }

    /// The number of the block at a height. There are no gaps, but the ledger need not begin at 0.
    pub fn block_at(&self, height: u64) -> Option<u64> {
        let first = self.block(0)?.height;
        height.checked_sub(first).filter(|number| *number < self.blocks())
    }

    /// The number of the block with a hash, which is in internal byte order.
    pub fn find_block(&self, hash: &[u8; 32]) -> Option<u64> {
        self.find(BLOCKS_AT, fingerprint(hash), |number| block_hash(&self.snapshot.columns, number) == *hash)
    }

    /// The number of the block that a transaction is in.
    pub fn block_of(&self, seq: Seq) -> u64 {
        self.row(seq).block
    }

    /// A transaction's id, in internal byte order.
    pub fn txid(&self, seq: Seq) -> [u8; 32] {
        txid(&self.snapshot.columns, seq.0)
    }

    /// The transaction with an id; of the two pairs that Bitcoin has twice, the later.
    pub fn find_txid(&self, id: &[u8; 32]) -> Option<Seq> {
        self.seq_of(id).map(Seq)
    }

    /// The outputs that a transaction spends, in order; none for a coinbase.
    pub fn inputs(&self, seq: Seq) -> impl ExactSizeIterator<Item = PurseId> + '_ {
        let (row, inputs) = (self.row(seq), self.column(INPUTS));
        let count = usize::try_from(row.inputs).expect("24 bits");
        (0..count).map(move |at| PurseId(input_at(inputs, row.first_input + at as u64)))
    }

    /// The outputs that a transaction makes, in order.
    pub fn made(&self, seq: Seq) -> impl ExactSizeIterator<Item = PurseId> + use<> {
        let row = self.row(seq);
        let count = usize::try_from(row.outputs).expect("24 bits");
        (0..count).map(move |at| PurseId(row.first_output + at as u64))
    }

    /// What a transaction leaves to whoever mined it; `None` for a coinbase.
    pub fn fee(&self, seq: Seq) -> Option<Amount> {
        let row = self.row(seq);
        (row.inputs > 0).then(|| Amount::new(u128::from(row.fee)))
    }

    /// What an output is worth.
    pub fn value(&self, purse: PurseId) -> Amount {
        Amount::new(u128::from(self.output(purse.0).value))
    }

    /// Who can spend an output.
    pub fn holder(&self, purse: PurseId) -> HolderId {
        HolderId(self.output(purse.0).holder)
    }

    /// The transaction that made an output; `None` for one from before the first block.
    pub fn made_by(&self, purse: PurseId) -> Option<Seq> {
        Some(self.output(purse.0)).filter(|row| !row.is_foreign()).map(|row| Seq(row.made_by))
    }

    /// The transaction that spends an output.
    pub fn spent_by(&self, purse: PurseId) -> Option<Seq> {
        self.spender(&self.output(purse.0)).map(Seq)
    }

    /// Whether nobody can ever spend an output: its script begins with `OP_RETURN`.
    pub fn is_unspendable(&self, purse: PurseId) -> bool {
        self.output(purse.0).is_unspendable
    }

    /// Where an output comes from. A ledger that does not begin at its chain's first block has outputs of others.
    pub fn outpoint(&self, purse: PurseId) -> Outpoint {
        outpoint(&self.snapshot.columns, purse.0)
    }

    /// A holder's lock.
    pub fn lock(&self, holder: HolderId) -> Lock {
        Lock::from_bytes(holder_name(&self.snapshot.columns, holder.0))
    }

    /// The holder with a lock.
    pub fn find_lock(&self, lock: &Lock) -> Option<HolderId> {
        find_holder(&self.snapshot.columns, &self.snapshot.lookups[0], lock.as_bytes())
    }

    /// A holder's outputs, the newest first. A holder's number of outputs is known only to whoever has walked them all.
    pub fn purses_newest_first(&self, holder: HolderId) -> impl Iterator<Item = PurseId> + '_ {
        let mut next = self.last_output(holder);
        std::iter::from_fn(move || {
            let at = next?;
            next = Some(self.output(at).previous).filter(|previous| *previous < at && *previous != NONE_40);
            Some(PurseId(at))
        })
    }
}
