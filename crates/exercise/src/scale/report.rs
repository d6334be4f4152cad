//! [`ChainReport`]: the manifest of a scale chain: what is in it, and names to look up.

use ledger::txid_text;
use serde::{Deserialize, Serialize};

use crate::scale::block::{Sealed, genesis};
use crate::scale::life::Life;
use crate::scale::locks::SERVICES;
use crate::scale::{BLOCKS_FOLDER, ChainPlan};

/// The form of the manifest.
pub const SCHEMA: &str = "tracehound/exercise-chain/1";
/// Transactions named in the manifest.
const SAMPLES: u64 = 16;
/// Addresses named in the manifest, the busiest first.
const ADDRESSES: usize = 8;

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// This crate's version: another version may make other bytes of the same plan.
    pub version: String,
    /// The plan.
    pub plan: ChainPlan,
    /// The ledger's id.
    pub ledger: String,
    /// Where the block files are, beside the manifest.
    pub folder: String,
    /// Blocks of the active chain, genesis included.
    pub blocks: u64,
    /// Blocks beside it.
    pub stale_blocks: u32,
    /// The tip's height.
    pub tip_height: u32,
    /// The tip's hash.
    pub tip_hash: String,
    /// The tip's time, in seconds since 1970.
    pub tip_time: u32,
    /// Transactions of the active chain, coinbases and genesis's included.
    pub transactions: u64,
    /// Inputs, without those of coinbases.
    pub inputs: u64,
    /// Outputs, genesis's and those without value or with a witness commitment included.
    pub outputs: u64,
    /// Outputs that are unspent and can be spent: without data, commitments and genesis's.
    pub live_outputs: u64,
    /// How many addresses there are.
    pub addresses: u64,
    /// All fees.
    pub fees_sats: u64,
    /// All records of block and undo files, with what frames them, stale blocks included.
    pub bytes: u64,
    /// Transactions spread over the chain.
    pub sample_transactions: Vec<TransactionSample>,
    /// Addresses, the busiest first.
    pub busiest_addresses: Vec<AddressSample>,
}

/// A transaction to look up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionSample {
    /// Its id.
    pub txid: String,
    /// Its block's height.
    pub height: u32,
}

/// An address to look up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressSample {
    /// The address.
    pub address: String,
    /// Outputs it ever had.
    pub outputs: u64,
    /// Of those, how many are spent.
    pub spent: u64,
    /// What came in, in all.
    pub received_sats: u64,
    /// What is left of it.
    pub balance_sats: u64,
}

/// Where the chain ends.
#[derive(Clone, Copy, Debug)]
pub struct Tip {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: [u8; 32],
    /// Its time.
    pub time: u32,
}

/// Collects what the manifest says.
pub struct Reporter {
    pub stale: u32,
    every: u64,
    samples: Vec<TransactionSample>,
    fees_sats: u64,
    commitments: u64,
}

impl Reporter {
    pub fn new(plan: &ChainPlan) -> Self {
        Self { stale: 0, every: plan.transactions / SAMPLES, samples: Vec::new(), fees_sats: 0, commitments: 0 }
    }

    /// A transaction was made, the `number`th.
    pub fn transaction(&mut self, number: u64, height: u32, txid: &[u8; 32]) {
        if number >= self.every * (self.samples.len() as u64) {
            self.samples.push(TransactionSample { txid: txid_text(txid), height });
        }
    }

    /// A block was sealed.
    pub fn block(&mut self, sealed: &Sealed) {
        self.fees_sats += sealed.fees_sats;
        self.commitments += u64::from(sealed.committed);
    }

    pub fn finish(self, plan: &ChainPlan, life: &Life, tip: Tip, transactions: u64, bytes: u64) -> ChainReport {
        let mut services: Vec<u32> = (0..SERVICES).collect();
        services.sort_by_key(|service| std::cmp::Reverse(life.counts.services[*service as usize].outputs));
        let busiest = services.into_iter().filter_map(|service| {
            let purse = life.counts.services[service as usize];
            let address = life.locks.address(service)?;
            (purse.outputs > 0).then_some(AddressSample {
                address,
                outputs: purse.outputs,
                spent: purse.spent,
                received_sats: purse.received_sats,
                balance_sats: purse.received_sats - purse.spent_sats,
            })
        });
        let (_, first) = genesis();
        ChainReport {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            plan: plan.clone(),
            ledger: format!("bip122:{}", &txid_text(&first)[..32]),
            folder: BLOCKS_FOLDER.to_owned(),
            blocks: u64::from(tip.height) + 1,
            stale_blocks: self.stale,
            tip_height: tip.height,
            tip_hash: txid_text(&tip.hash),
            tip_time: tip.time,
            transactions,
            inputs: life.counts.inputs,
            outputs: life.counts.outputs + self.commitments + 1,
            live_outputs: life.coins.live() as u64,
            addresses: life.counts.addresses,
            fees_sats: self.fees_sats,
            bytes,
            sample_transactions: self.samples,
            busiest_addresses: busiest.take(ADDRESSES).collect(),
        }
    }
}
