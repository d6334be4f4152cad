//! A made-up chain: the rows that every store is filled with, and the same as blocks for the book.
//!
//! It has the shape that matters to a column: 1 to 3 inputs, 2 or 3 outputs, most coins spent soon and some late. It is
//! no exercise; nobody is robbed in it.

use ledger::{Outpoint, Time, UtxoBlock, UtxoInput, UtxoOutput, UtxoTransaction};
use money::Amount;
use sha2::{Digest as _, Sha256};

/// Not spent.
pub const UNSPENT: u64 = u64::MAX;
/// Transactions of one block, the coinbase included.
pub const BLOCK: u64 = 2_000;

/// A generator of numbers that is the same everywhere (Steele, Lea and Flood's `SplitMix64`).
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        u64::try_from((u128::from(self.next()) * u128::from(end)) >> 64).expect("less than `end`")
    }
}

/// One transaction: the numbers of the outputs that it spends, and its first output.
pub struct Row {
    pub spends: Vec<u64>,
    pub first_output: u64,
}

/// A chain.
pub struct Chain {
    pub rows: Vec<Row>,
    /// Values of outputs.
    pub values: Vec<u64>,
    /// The maker of each output.
    pub made_by: Vec<u64>,
}

impl Chain {
    /// The chain of so many transactions; always the same.
    pub fn of(transactions: u64) -> Self {
        let mut numbers = Numbers(7);
        let mut chain = Self { rows: Vec::new(), values: Vec::new(), made_by: Vec::new() };
        let mut unspent: Vec<u64> = Vec::new();
        for seq in 0..transactions {
            let is_coinbase = seq % BLOCK == 0;
            let inputs = if is_coinbase { 0 } else { 1 + numbers.below(3) };
            let mut spends = Vec::new();
            for _ in 0..inputs.min(unspent.len() as u64) {
                spends.push(pick(&mut numbers, &mut unspent));
            }
            chain.pay(seq, &spends, is_coinbase, &mut numbers, &mut unspent);
        }
        chain
    }

    fn pay(&mut self, seq: u64, spends: &[u64], is_coinbase: bool, numbers: &mut Numbers, unspent: &mut Vec<u64>) {
        let first_output = self.values.len() as u64;
        let sum: u64 = spends.iter().map(|output| self.values[usize::try_from(*output).expect("in memory")]).sum();
        let sum = if is_coinbase { 5_000_000_000 } else { sum };
        // A coinbase pays many, or there would soon be fewer coins than transactions that want one.
        let outputs = if is_coinbase { BLOCK / 2 } else { 2 + numbers.below(2) };
        for _ in 0..outputs {
            unspent.push(self.values.len() as u64);
            self.values.push(sum / outputs);
            self.made_by.push(seq);
        }
        self.rows.push(Row { spends: spends.to_vec(), first_output });
    }

    /// How many outputs there are.
    pub fn outputs(&self) -> u64 {
        self.values.len() as u64
    }

    /// The numbers of a transaction's outputs.
    pub fn outputs_of(&self, seq: u64) -> std::ops::Range<u64> {
        let first = |seq: u64| self.rows.get(usize::try_from(seq).expect("in memory")).map(|row| row.first_output);
        first(seq).unwrap_or(0)..first(seq + 1).unwrap_or(self.outputs())
    }

    /// The chain as blocks, in order.
    pub fn blocks(&self) -> impl Iterator<Item = UtxoBlock> {
        let end = self.rows.len() as u64;
        (0..end.div_ceil(BLOCK)).map(move |height| UtxoBlock {
            height,
            hash: digest("block", height),
            previous: height.checked_sub(1).map(|parent| digest("block", parent)),
            time: Time::from_micros(i64::try_from(height).expect("few blocks") * 600_000_000),
            transactions: (height * BLOCK..end.min((height + 1) * BLOCK)).map(|seq| self.transaction(seq)).collect(),
        })
    }

    fn transaction(&self, seq: u64) -> UtxoTransaction {
        let at = |number: u64| usize::try_from(number).expect("in memory");
        let inputs = self.rows[at(seq)].spends.iter().map(|output| {
            let maker = self.made_by[at(*output)];
            let vout = u32::try_from(*output - self.rows[at(maker)].first_output).expect("few outputs");
            UtxoInput { outpoint: Outpoint { txid: key(maker), vout }, spent: None }
        });
        let outputs = self.outputs_of(seq).map(|output| UtxoOutput {
            amount: Amount::new(u128::from(self.values[at(output)])),
            holder: format!("script:{:08x}", Numbers(output).below(end_of_holders(self.outputs()))).into(),
        });
        UtxoTransaction { txid: key(seq), inputs: inputs.collect(), outputs: outputs.collect(), fee: None }
    }
}

/// Every holder gets about four outputs.
fn end_of_holders(outputs: u64) -> u64 {
    outputs / 4 + 1
}

/// Four coins in five are among the last thousands, the others from anywhere.
fn pick(numbers: &mut Numbers, unspent: &mut Vec<u64>) -> u64 {
    let all = unspent.len() as u64;
    let recent = all.min(4 * BLOCK);
    let at = if numbers.below(5) > 0 { all - 1 - numbers.below(recent) } else { numbers.below(all) };
    unspent.swap_remove(usize::try_from(at).expect("in memory"))
}

/// The transaction id of a number: 32 bytes without pattern.
pub fn key(number: u64) -> [u8; 32] {
    digest("transaction", number)
}

fn digest(what: &str, number: u64) -> [u8; 32] {
    Sha256::new().chain_update(what).chain_update(number.to_le_bytes()).finalize().into()
}
