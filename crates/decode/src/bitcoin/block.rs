//! From a block's bytes to the ledger's deed of it.

use ledger::{Lock, Network, Time, UtxoBlock, UtxoInput, UtxoOutput, UtxoTransaction};
use money::Amount;

use super::{Problem, RawBlock, RawTransaction};

/// What to check beside the merkle root, which always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether the block's hash must meet the target in its header, on chains whose work is of that hash.
    pub check_work: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { check_work: true }
    }
}

/// The block that these bytes are, all of them, at a height that the caller knows. Inputs do not tell yet what they
/// spent: see [`attach()`](super::attach()).
pub fn block(bytes: &[u8], network: &Network, height: u64, options: Options) -> Result<UtxoBlock, Problem> {
    let raw = RawBlock::parse(bytes, network)?;
    let txids = raw.check(options)?;
    raw.deed(height, &txids)
}

/// The one transaction that these bytes are, all of them: an entry of a node's memory pool. A coinbase is refused.
pub fn transaction(bytes: &[u8], network: &Network) -> Result<UtxoTransaction, Problem> {
    let raw = RawTransaction::scan(bytes, 0, network)?;
    if raw.has_null_input() {
        return Err(Problem::new(0, "an input spends nothing, and the transaction stands outside a block"));
    }
    match bytes.len() - raw.as_bytes().len() {
        0 => Ok(raw.deed(raw.txid())),
        left => Err(Problem::new(raw.as_bytes().len(), format!("{left} bytes are left after the transaction"))),
    }
}

impl RawBlock<'_> {
    /// The ledger's deed of the block, with the ids that [`RawBlock::check`] gave.
    pub fn deed(&self, height: u64, txids: &[[u8; 32]]) -> Result<UtxoBlock, Problem> {
        let previous = Some(self.header().previous()).filter(|hash| *hash != [0; 32]);
        if previous.is_some() == (height == 0) {
            let parent = if previous.is_some() { "a parent" } else { "no parent" };
            return Err(Problem::new(4, format!("the block at height {height} names {parent}")));
        }
        let time = Time::from_seconds(i64::from(self.header().time_seconds()))
            .expect("32 bits of seconds end in 2106, which calendars know");
        let transactions = self.transactions().iter().zip(txids).map(|(raw, txid)| raw.deed(*txid)).collect();
        Ok(UtxoBlock { height, hash: self.header().hash(), previous, time, transactions })
    }
}

impl RawTransaction<'_> {
    /// The ledger's deed of the transaction, which has this id.
    pub fn deed(&self, txid: [u8; 32]) -> UtxoTransaction {
        let inputs = if self.is_coinbase() {
            Vec::new()
        } else {
            self.inputs().map(|input| UtxoInput { outpoint: input.outpoint, spent: None }).collect()
        };
        let outputs = self.outputs().map(|output| utxo_output(output.value_units, output.script)).collect();
        UtxoTransaction { txid, inputs, outputs, fee: None }
    }
}

fn utxo_output(value_units: u64, script: &[u8]) -> UtxoOutput {
    UtxoOutput { amount: Amount::new(u128::from(value_units)), holder: Lock::of_script(script) }
}
