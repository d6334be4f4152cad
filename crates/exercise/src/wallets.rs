//! [`write_wallets`]: a UTXO chain of which every address has a known owner, to measure clustering with.
//!
//! Responsible for the plan, the files and the manifest. Wallets of several families pay one another and services with
//! many addresses; some of them join; some transactions look like joins and are none. `owners.csv` and `made-as.csv` say
//! who is who and what was what, and [`truth`] reads them back. Nobody is robbed here. `docs/exercise.md` has the shares
//! and the shapes.

mod agreed;
mod coordinated;
mod habits;
mod kind;
mod party;
mod people;
mod scribe;
mod service;
mod trades;
pub mod truth;
mod whirlpool;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::blockfiles::{BlockFiles, MAGIC_REGTEST};
use crate::chain::Chain;
use crate::papers::FileSummary;
use crate::scale::{BLOCKS_FOLDER, obfuscation_key};
use crate::sink::Sink;
use crate::{CHAIN_FILE, MANIFEST_FILE, TAGS_FILE};
pub use kind::Kind;
pub use scribe::Sinks as WalletSinks;
use scribe::{Scribe, Written};
use world::World;

/// Whose each address is.
pub const OWNERS_FILE: &str = "owners.csv";
/// What each transaction was made as.
pub const MADE_AS_FILE: &str = "made-as.csv";
/// The form of the manifest.
pub const SCHEMA: &str = "tracehound/exercise-wallets/1";
/// The fewest wallets with which joins find their parties.
pub const WALLETS_MIN: u32 = 200;
/// The most wallets: their coins are kept in memory, about a kilobyte and a half a wallet.
pub const WALLETS_MAX: u32 = 2_000_000;
/// The fewest transactions of a plan.
pub const TRANSACTIONS_MIN: u64 = 100;
/// The most transactions of a plan.
pub const TRANSACTIONS_MAX: u64 = 500_000_000;
/// Transactions for each wallet, where nothing else is said.
pub const TRANSACTIONS_PER_WALLET: u64 = 10;

/// What world to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletPlan {
    /// Where all chance comes from.
    pub seed: u64,
    /// How many wallets there are; services come on top.
    pub wallets: u32,
    /// About how many transactions are made after everybody has first coins.
    pub transactions: u64,
}

/// Why such a world cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalletPlanError {
    /// Too few or too many wallets.
    Wallets(u32),
    /// Too few or too many transactions.
    Transactions(u64),
}

impl fmt::Display for WalletPlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wallets(has) => write!(f, "a world of {has} wallets; choose from {WALLETS_MIN} to {WALLETS_MAX}"),
            Self::Transactions(has) => {
                write!(f, "a world of {has} transactions; choose from {TRANSACTIONS_MIN} to {TRANSACTIONS_MAX}")
            }
        }
    }
}

impl std::error::Error for WalletPlanError {}

impl WalletPlan {
    /// So many wallets, and [`TRANSACTIONS_PER_WALLET`] transactions for each.
    pub fn new(seed: u64, wallets: u32) -> Self {
        Self { seed, wallets, transactions: u64::from(wallets) * TRANSACTIONS_PER_WALLET }
    }

    /// Whether it can be carried out.
    pub fn check(&self) -> Result<(), WalletPlanError> {
        if !(WALLETS_MIN..=WALLETS_MAX).contains(&self.wallets) {
            return Err(WalletPlanError::Wallets(self.wallets));
        }
        if !(TRANSACTIONS_MIN..=TRANSACTIONS_MAX).contains(&self.transactions) {
            return Err(WalletPlanError::Transactions(self.transactions));
        }
        Ok(())
    }

    /// A number that tells plans apart, those of the same seed too.
    fn mark(&self) -> u32 {
        let text = serde_json::to_vec(self).expect("a plan is plain numbers");
        let digest = Sha256::digest([b"wallets".as_slice(), &text].concat());
        u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]])
    }
}

/// What was made: the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// This crate's version: another version may make other bytes of the same plan.
    pub version: String,
    /// The plan.
    pub plan: WalletPlan,
    /// The ledger's id.
    pub ledger: String,
    /// Blocks, genesis included.
    pub blocks: u64,
    /// Transactions, coinbases included.
    pub transactions: u64,
    /// Inputs, without those of coinbases.
    pub inputs: u64,
    /// Outputs.
    pub outputs: u64,
    /// Addresses with an owner: rows of `owners.csv`. One that was shown and never paid is among them.
    pub addresses: u64,
    /// Services beside the wallets.
    pub services: u64,
    /// Transactions by what they were made as.
    pub kinds: BTreeMap<String, u64>,
    /// The files, all but this manifest.
    pub files: Vec<FileSummary>,
}

/// What a run leaves beside the three long files.
#[derive(Clone, Debug)]
pub struct WalletPapers {
    /// The tag pack.
    pub tags: String,
    /// The manifest; the tag pack and block files are not in it yet.
    pub report: WalletReport,
}

/// Makes the world of `plan` in the folder `dir`, which is made if it is missing; files of an earlier run are replaced.
/// With `obfuscated` the chain goes into Bitcoin Core's block files as well, in [`BLOCKS_FOLDER`], obfuscated or not.
/// `progress` is told now and then how many transactions there are.
pub fn write_wallets(
    plan: &WalletPlan,
    dir: &Path,
    obfuscated: Option<bool>,
    progress: &mut dyn FnMut(u64),
) -> io::Result<WalletReport> {
    check(plan)?;
    fs::create_dir_all(dir)?;
    let blocks = dir.join(BLOCKS_FOLDER);
    let key = obfuscated.map(|obfuscated| obfuscation_key(plan.seed, obfuscated));
    let block_files = key.map(|key| BlockFiles::create(&blocks, MAGIC_REGTEST, Some(key))).transpose()?;
    let create = |name| Ok::<_, io::Error>(BufWriter::with_capacity(1 << 18, File::create(dir.join(name))?));
    let (mut chain, mut owners, mut made_as) = (create(CHAIN_FILE)?, create(OWNERS_FILE)?, create(MADE_AS_FILE)?);
    let sinks = WalletSinks { chain: &mut chain, owners: &mut owners, made_as: &mut made_as };
    let WalletPapers { tags, mut report } = run(plan, sinks, block_files, progress)?;
    for mut file in [chain, owners, made_as] {
        file.flush()?;
    }
    let mut sink = Sink::new(BufWriter::new(File::create(dir.join(TAGS_FILE))?));
    sink.write_all(tags.as_bytes())?;
    sink.flush()?;
    report.files.push(sink.summary(TAGS_FILE));
    if key.is_some() {
        report.files.extend(crate::files_of(&blocks)?);
    }
    fs::write(dir.join(MANIFEST_FILE), serde_json::to_string_pretty(&report)? + "\n")?;
    Ok(report)
}

/// Makes the world of `plan` into any sinks.
pub fn stream_wallets(plan: &WalletPlan, sinks: WalletSinks<'_>) -> io::Result<WalletPapers> {
    run(plan, sinks, None, &mut |_| ())
}

fn run(
    plan: &WalletPlan,
    sinks: WalletSinks<'_>,
    files: Option<BlockFiles>,
    progress: &mut dyn FnMut(u64),
) -> io::Result<WalletPapers> {
    check(plan)?;
    let (mut chain, mut owners, mut made_as) =
        (Sink::new(sinks.chain), Sink::new(sinks.owners), Sink::new(sinks.made_as));
    let names = world::names(plan.wallets);
    let services = names.len() as u64;
    let out: &mut dyn Write = &mut chain;
    let scribe =
        Scribe::new(Chain::new(out, plan.seed, plan.mark(), files), plan.seed, &mut owners, &mut made_as, names);
    let written = World::found(plan, scribe)?.run(plan, progress)?;
    for sink in [&mut chain, &mut owners, &mut made_as] {
        sink.flush()?;
    }
    let files = vec![chain.summary(CHAIN_FILE), owners.summary(OWNERS_FILE), made_as.summary(MADE_AS_FILE)];
    Ok(papers(plan, written, services, files))
}

fn papers(plan: &WalletPlan, written: Written, services: u64, files: Vec<FileSummary>) -> WalletPapers {
    let Written { ledger, counts, addresses, kinds, tags } = written;
    let report = WalletReport {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan: plan.clone(),
        ledger,
        blocks: counts.blocks,
        transactions: counts.transactions,
        inputs: counts.inputs,
        outputs: counts.outputs,
        addresses,
        services,
        kinds: kinds.into_iter().map(|(kind, count)| (kind.to_string(), count)).collect(),
        files,
    };
    let head = "title: Exercise services\ncreator: exercise\n\
                description: Some services of an exercise, by some of their addresses; nothing here exists.\n\
                source: exercise\nconfidence: service_data\nlastmod: 2024-01-01\ntags:\n";
    WalletPapers { tags: format!("{head}{tags}"), report }
}

fn check(plan: &WalletPlan) -> io::Result<()> {
    plan.check().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}
