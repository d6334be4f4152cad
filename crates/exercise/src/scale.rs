//! [`write_chain`]: a regression-test chain of ordinary life in a `blocks/` folder, as long as you like, to measure with.
//!
//! Responsible for the order of blocks, of connecting and of storing, and for the manifest. Nobody is robbed here and
//! nobody laundered; there is no truth file. Memory grows with the live outputs, 24 bytes each, and with nothing else.
//! `docs/exercise.md` has the statistics and what is not real about it.

mod block;
mod coins;
mod life;
mod locks;
mod report;
mod txids;

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::blockfiles::{BlockFiles, MAGIC_REGTEST};
use crate::chain::sha256d;
use crate::dice::Dice;
use block::{Draft, Place, Sealed, genesis, shares, subsidy_sats};
use coins::{Coin, MATURITY};
use life::{Life, MINERS, vout};
use locks::SERVICES;
pub use report::{AddressSample, ChainReport, SCHEMA, TransactionSample};
use report::{Reporter, Tip};

/// The folder of the block files, beside the manifest.
pub const BLOCKS_FOLDER: &str = "blocks";
/// The ids of all transactions, while the chain is made.
const SPOOL_FILE: &str = "txids.part";
/// The fewest transactions of a chain: coinbases come first, until one can be spent.
pub const CHAIN_TRANSACTIONS_MIN: u64 = 200;
/// The most transactions of a chain.
pub const CHAIN_TRANSACTIONS_MAX: u64 = 50_000_000;
/// The most stale blocks.
pub const STALE_MAX: u32 = 1_000;
/// Blocks whose order on disk is mixed together, where that is asked for. A node that downloads from several others
/// has up to 1,024 in flight; here the blocks wait in memory.
const SHUFFLED_BLOCKS: usize = 16;
/// Transactions of a block, around which blocks vary by a fifth.
const BLOCK_TRANSACTIONS: u64 = 2_500;
/// The first block after genesis: 1 January 2024.
const START_TIME: u32 = 1_704_067_200;

/// What chain to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainPlan {
    /// Where all chance comes from.
    pub seed: u64,
    /// How many transactions there are in the active chain, coinbases and genesis's included.
    pub transactions: u64,
    /// Whether the files are obfuscated, with a key that comes from the seed. If not, the key is zeros.
    pub obfuscated: bool,
    /// How many blocks lost against another of their height. Every other one was connected for a while.
    pub stale: u32,
    /// Whether blocks are stored out of order.
    pub shuffled: bool,
}

/// Why such a chain cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainPlanError {
    /// Too few or too many transactions.
    Transactions(u64),
    /// Too many stale blocks.
    Stale(u32),
}

impl fmt::Display for ChainPlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transactions(has) => write!(
                f,
                "a chain of {has} transactions; choose from {CHAIN_TRANSACTIONS_MIN} to {CHAIN_TRANSACTIONS_MAX}"
            ),
            Self::Stale(has) => write!(f, "{has} stale blocks; choose from 0 to {STALE_MAX}"),
        }
    }
}

impl std::error::Error for ChainPlanError {}

impl ChainPlan {
    /// Whether it can be carried out.
    pub fn check(&self) -> Result<(), ChainPlanError> {
        if !(CHAIN_TRANSACTIONS_MIN..=CHAIN_TRANSACTIONS_MAX).contains(&self.transactions) {
            return Err(ChainPlanError::Transactions(self.transactions));
        }
        if self.stale > STALE_MAX { Err(ChainPlanError::Stale(self.stale)) } else { Ok(()) }
    }
}

/// The obfuscation key of a seed's block files; never zeros where one is wanted.
pub(crate) fn obfuscation_key(seed: u64, obfuscated: bool) -> [u8; 8] {
    if obfuscated { (Dice::new(seed, "scale key").word() | 1).to_le_bytes() } else { [0; 8] }
}

/// Makes the chain in `folder`: `blocks/` and `manifest.json`; what an earlier run left there is replaced. `progress`
/// is told after each block how many transactions there are.
pub fn write_chain(plan: &ChainPlan, folder: &Path, progress: &mut dyn FnMut(u64)) -> io::Result<ChainReport> {
    plan.check().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    fs::create_dir_all(folder)?;
    let key = obfuscation_key(plan.seed, plan.obfuscated);
    let files = BlockFiles::create(&folder.join(BLOCKS_FOLDER), MAGIC_REGTEST, Some(key))?;
    let mut maker = Maker {
        plan,
        life: Life::new(plan.seed, plan.transactions, &folder.join(SPOOL_FILE))?,
        report: Reporter::new(plan),
        storage: Storage { files, waiting: Vec::new(), shuffled: plan.shuffled, dice: Dice::new(plan.seed, "storage") },
        draft: Draft::default(),
        previous: [0; 32],
        height: 0,
        time: START_TIME,
        transactions: 0,
    };
    maker.genesis()?;
    while maker.transactions < plan.transactions {
        maker.next_block()?;
        progress(maker.transactions);
    }
    let report = maker.finish()?;
    fs::write(folder.join(crate::MANIFEST_FILE), serde_json::to_string_pretty(&report)? + "\n")?;
    Ok(report)
}

/// A chain under construction.
struct Maker<'a> {
    plan: &'a ChainPlan,
    life: Life,
    report: Reporter,
    storage: Storage,
    draft: Draft,
    /// The tip.
    previous: [u8; 32],
    height: u32,
    time: u32,
    transactions: u64,
}

impl Maker<'_> {
    fn genesis(&mut self) -> io::Result<()> {
        let (block, hash) = genesis();
        self.storage.store(Stored { bytes: block, undo: None })?;
        self.storage.flush()?;
        // Its output is in no node's table of unspent outputs.
        self.life.txids.push(sha256d(&[]))?;
        self.previous = hash;
        self.transactions = 1;
        Ok(())
    }

    fn next_block(&mut self) -> io::Result<()> {
        self.height += 1;
        let height = self.height;
        self.time += u32::try_from(self.life.dice.between(1, 1_199)).expect("at most 1199");
        self.life.coins.open(height, &mut self.life.dice);
        self.draft.clear();
        for _ in 0..self.wanted() {
            if self.draft.is_full() {
                break;
            }
            let Some(txid) = self.life.transact(height, &mut self.draft)? else { break };
            self.report.transaction(self.transactions + self.draft.count() as u64, height, &txid);
        }
        let place = Place { height, previous: self.previous, time: self.time, extra: self.life.dice.word() };
        let pays = self.coinbase_locks();
        let scripts = self.scripts(&pays);
        let whole = self.draft.count();
        let stale = self.stale_due().then(|| {
            let rival = Place { extra: !place.extra, time: self.time - 1, ..place };
            self.draft.seal(&rival, whole / 2, &scripts)
        });
        let sealed = self.draft.seal(&place, whole, &scripts);
        self.claim(&sealed, &pays)?;
        self.transactions += whole as u64 + 1;
        self.report.block(&sealed);
        let (hash, previous) = (sealed.hash, self.previous);
        let winner = stored(sealed, &self.draft, Some(previous));
        match stale {
            // This one came first, was connected, and was undone when the other's child came.
            Some(stale) if self.report.stale.is_multiple_of(2) => {
                self.report.stale += 1;
                self.storage.store(stored(stale, &self.draft, Some(previous)))?;
                self.storage.store(winner)?;
            }
            Some(stale) => {
                self.report.stale += 1;
                self.storage.store(winner)?;
                self.storage.store(stored(stale, &self.draft, None))?;
            }
            None => self.storage.store(winner)?,
        }
        self.previous = hash;
        Ok(())
    }

    /// How many transactions the next block should have besides its coinbase.
    fn wanted(&mut self) -> u64 {
        let left = self.plan.transactions - self.transactions - 1;
        if self.height <= MATURITY {
            return 0;
        }
        let usual = ((self.plan.transactions - u64::from(MATURITY)) / 100).clamp(1, BLOCK_TRANSACTIONS);
        let usual = self.life.dice.between(usual - usual / 5, usual + usual / 5);
        // In the beginning there are few coins, and they go from hand to hand.
        usual.min(self.life.coins.ripe() as u64).min(left)
    }

    /// Whether a block of this height loses. They are spread over the chain by the transactions made.
    fn stale_due(&self) -> bool {
        let due = u64::from(self.plan.stale) * self.transactions / self.plan.transactions;
        self.height > MATURITY && u64::from(self.report.stale) <= due && self.report.stale < self.plan.stale
    }

    /// Who gets the coinbase: a mining service, but in the first blocks the population, which needs something to spend.
    fn coinbase_locks(&mut self) -> Vec<u32> {
        if self.height <= MATURITY {
            let count = (self.plan.transactions / 2_000).clamp(1, 200);
            return (0..count).map(|_| self.life.fresh_lock()).collect();
        }
        let miner = u32::try_from(self.life.dice.below(u64::from(MINERS))).expect("at most MINERS");
        vec![SERVICES - MINERS + miner]
    }

    fn scripts(&mut self, locks: &[u32]) -> Vec<Vec<u8>> {
        let script = |lock: &u32| {
            let mut script = Vec::new();
            self.life.locks.script(*lock, &mut self.life.dice, &mut script);
            script
        };
        locks.iter().map(script).collect()
    }

    /// Books the coinbase's outputs.
    fn claim(&mut self, sealed: &Sealed, pays: &[u32]) -> io::Result<()> {
        let transaction = self.life.txids.push(sealed.coinbase_txid)?;
        let claim = subsidy_sats(self.height) + sealed.fees_sats;
        for (at, (lock, value_sats)) in pays.iter().zip(shares(claim, pays.len())).enumerate() {
            let coin =
                Coin { value_sats, transaction, lock: *lock, height: self.height, vout: vout(at), coinbase: true };
            self.life.make(coin);
        }
        Ok(())
    }

    fn finish(self) -> io::Result<ChainReport> {
        let bytes = self.storage.finish()?;
        let tip = Tip { height: self.height, hash: self.previous, time: self.time };
        let report = self.report.finish(self.plan, &self.life, tip, self.transactions, bytes);
        self.life.txids.finish()?;
        Ok(report)
    }
}

/// A block as it goes to disk.
struct Stored {
    bytes: Vec<u8>,
    /// Its parent and its undo data, if it was ever connected.
    undo: Option<([u8; 32], Vec<u8>)>,
}

fn stored(sealed: Sealed, draft: &Draft, connected_to: Option<[u8; 32]>) -> Stored {
    let mut bytes = sealed.head;
    bytes.extend_from_slice(&draft.body()[..sealed.body]);
    Stored { bytes, undo: connected_to.map(|previous| (previous, sealed.undo)) }
}

/// The order in which blocks are stored, which need not be that of connecting them.
struct Storage {
    files: BlockFiles,
    waiting: Vec<Stored>,
    shuffled: bool,
    dice: Dice,
}

impl Storage {
    fn store(&mut self, block: Stored) -> io::Result<()> {
        self.waiting.push(block);
        if self.waiting.len() >= SHUFFLED_BLOCKS || !self.shuffled { self.flush() } else { Ok(()) }
    }

    /// Writes what waits: blocks in any order, undo data in the order of connecting.
    fn flush(&mut self) -> io::Result<()> {
        let mut order: Vec<usize> = (0..self.waiting.len()).collect();
        if self.shuffled {
            for at in (1..order.len()).rev() {
                order.swap(at, self.dice.index(at + 1));
            }
        }
        let mut numbers = vec![0; order.len()];
        for at in order {
            numbers[at] = self.files.block(&[&self.waiting[at].bytes])?;
        }
        for (block, number) in self.waiting.drain(..).zip(numbers) {
            if let Some((previous, undo)) = block.undo {
                self.files.undo(number, &previous, &undo)?;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        self.files.finish()
    }
}
