//! A heist that hops chains: stolen on one EVM chain, swapped, carried over a bridge and back, mixed, cashed in; among
//! ordinary life, with the truth about it.
//!
//! The chains come as a node's recorded answers, so that they are read as a real chain is; the bridge and the mixing pool
//! as entries for the registry, since nobody else knows them. It decides nothing about how such a chain is read or
//! traced.

mod abi;
mod chain;
mod launderer;
mod papers;
mod world;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::papers::FileSummary;
use crate::sink::Sink;
use crate::truth::{IncidentTruth, SCHEMA as TRUTH_SCHEMA, Truth};
use launderer::Launderer;
pub use launderer::SPREAD_MAX;
use world::{Side, World};

/// The form of `manifest.json`.
pub const SCHEMA: &str = "tracehound/exercise-hopping/1";
/// The incident.
pub const INCIDENT: &str = "alder-heist";
/// The incident's file.
pub const INCIDENT_FILE: &str = "incident-alder-heist.yaml";
/// A folder's only file: what a node answered.
pub const ANSWERS_FILE: &str = "answers.ndjson";
/// The registry's entry for the bridge.
pub const REGISTRY_FILE: &str = "lantern-bridge.yaml";
/// The mixing pools.
pub const POOLS_FILE: &str = "willow-pools.csv";
/// Ordinary transactions, at least and at most.
pub const TRANSACTIONS_MIN: u64 = 500;
/// The most ordinary transactions.
pub const TRANSACTIONS_MAX: u64 = 20_000_000;
/// Transactions of a block of either chain, on average.
const BLOCK_TRANSACTIONS: u64 = 12;

/// What is to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoppingPlan {
    /// Same seed, same bytes.
    pub seed: u64,
    /// About how many ordinary transactions, over both chains.
    pub transactions: u64,
    /// Over how many accounts the stolen coins are spread; the stolen dollars, once they are coins, over half of it.
    pub spread: u64,
}

impl HoppingPlan {
    /// A plan of so many transactions.
    pub const fn new(seed: u64, transactions: u64) -> Self {
        Self { seed, transactions, spread: 20 }
    }

    /// Says what is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        if !(TRANSACTIONS_MIN..=TRANSACTIONS_MAX).contains(&self.transactions) {
            return Err(format!(
                "a chain-hopping heist takes {TRANSACTIONS_MIN} to {TRANSACTIONS_MAX} transactions, not {}",
                self.transactions
            ));
        }
        if !(1..=SPREAD_MAX).contains(&self.spread) {
            return Err(format!("the loot is spread over 1 to {SPREAD_MAX} accounts, not {}", self.spread));
        }
        Ok(())
    }
}

/// What was made of one chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainReport {
    /// Its CAIP-2 id.
    pub ledger: String,
    /// Its native coin.
    pub coin: String,
    /// The folder with its answers.
    pub folder: String,
    /// Blocks.
    pub blocks: u64,
    /// Transactions.
    pub transactions: u64,
    /// Logs.
    pub logs: u64,
    /// Calls, the outermost ones included.
    pub calls: u64,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoppingReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// This crate's version: another version may make other bytes of the same plan.
    pub version: String,
    /// The plan.
    pub plan: HoppingPlan,
    /// Both chains.
    pub chains: Vec<ChainReport>,
    /// The files, all but the manifest.
    pub files: Vec<FileSummary>,
}

/// Carries out `plan` into the folder `dir`, which is made if it is missing; files of an earlier run are replaced. `tell`
/// hears how many transactions there are.
pub fn write_hopping(plan: &HoppingPlan, dir: &Path, tell: &mut dyn FnMut(u64)) -> io::Result<HoppingReport> {
    plan.check().map_err(|what| io::Error::new(io::ErrorKind::InvalidInput, what))?;
    let names = Side::BOTH.map(|side| format!("{}/{ANSWERS_FILE}", side.name()));
    let mut sinks = Vec::new();
    for (side, file) in Side::BOTH.into_iter().zip(&names) {
        fs::create_dir_all(dir.join(side.name()))?;
        sinks.push(Sink::new(BufWriter::with_capacity(1 << 18, File::create(dir.join(file))?)));
    }
    let [first, second] = &mut sinks[..] else { unreachable!("there are two chains") };
    let mut world = World::new(plan.seed, plan.transactions, [first, second])?;
    let launderer = play(plan, &mut world, tell)?;
    let stolen = launderer.stolen.clone();
    let (steps, losses) = launderer.close();
    let day = steps.first().map_or_else(String::new, |step| step.time[..10].to_owned());
    let papers = papers::Papers::of(&world, &stolen, &day);
    let counts = world.finish()?;
    let incident = IncidentTruth { incident: INCIDENT.to_owned(), losses, steps };
    let truth = Truth { schema: TRUTH_SCHEMA.to_owned(), incidents: vec![incident] };
    let chains = Side::BOTH.into_iter().zip(counts).map(|(side, counts)| ChainReport {
        ledger: side.id(),
        coin: side.coin().to_owned(),
        folder: side.name().to_owned(),
        blocks: counts.blocks,
        transactions: counts.transactions,
        logs: counts.logs,
        calls: counts.calls,
    });
    let mut files: Vec<FileSummary> = sinks.into_iter().zip(&names).map(|(sink, name)| sink.summary(name)).collect();
    let texts = [
        (INCIDENT_FILE, papers.incident),
        (crate::TAGS_FILE, papers.tags),
        (REGISTRY_FILE, papers.registry),
        (POOLS_FILE, papers.pools),
        (crate::TRUTH_FILE, serde_json::to_string_pretty(&truth)? + "\n"),
    ];
    for (name, text) in texts {
        let mut sink = Sink::new(File::create(dir.join(name))?);
        sink.write_all(text.as_bytes())?;
        files.push(sink.summary(name));
    }
    let report = HoppingReport {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan: plan.clone(),
        chains: chains.collect(),
        files,
    };
    fs::write(dir.join(crate::MANIFEST_FILE), serde_json::to_string_pretty(&report)? + "\n")?;
    Ok(report)
}

/// Plays ordinary life and the heist, block by block, until both are over.
fn play<W: Write>(plan: &HoppingPlan, world: &mut World<W>, tell: &mut dyn FnMut(u64)) -> io::Result<Launderer> {
    let mut dice = Dice::new(plan.seed, "hopping pace");
    let blocks = plan.transactions / (2 * BLOCK_TRANSACTIONS);
    let begins = world.shore(Side::Alder).chain.height();
    let mut launderer = Launderer::new(plan.seed, begins + blocks * 2 / 5 + 5, plan.spread);
    let mut done = 0;
    loop {
        let height = world.shore(Side::Alder).chain.height();
        let lives = height < begins + blocks;
        if !lives && launderer.last_block().is_none() && !world.is_waiting() {
            return Ok(launderer);
        }
        for _ in 0..if lives { dice.between(1, 4 * BLOCK_TRANSACTIONS - 1) } else { 0 } {
            world.live();
            done += 1;
        }
        for side in Side::BOTH {
            world.pay_due(side);
        }
        launderer.act(height, world);
        world.seal()?;
        tell(done);
    }
}
