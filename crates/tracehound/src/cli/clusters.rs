//! The flags of `tracehound clusters`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub struct ClustersArgs {
    #[command(subcommand)]
    pub command: ClustersCommand,
}

#[derive(Debug, Subcommand)]
pub enum ClustersCommand {
    /// Whom an address is one party with
    Show {
        /// The address
        address: String,
        #[command(flatten)]
        of: ClustersOf,
        /// How many members are listed
        #[arg(long, value_name = "N", default_value_t = 25)]
        top: usize,
        /// Print as JSON, one line for each layer
        #[arg(long)]
        json: bool,
    },
    /// The evidence by which two addresses are one party: the shortest way from one to the other
    Explain {
        /// An address
        one: String,
        /// Another one
        other: String,
        #[command(flatten)]
        of: ClustersOf,
        /// By which evidence
        #[arg(long, value_enum, default_value_t = ClusterLayer::CoSpend)]
        layer: ClusterLayer,
        /// Print as JSON, one line for each step
        #[arg(long)]
        json: bool,
    },
    /// Rule that evidence does not count: what depended on it comes apart
    Retract(RulingArgs),
    /// Rule that retracted evidence counts again
    Restore(RulingArgs),
    /// Rule that two addresses are not one party's: evidence that would join them is quarantined
    Separate(PairArgs),
    /// Rule that two separated addresses may be one party's again
    Reunite(PairArgs),
    /// All rulings, as they are kept
    Rulings {
        #[command(flatten)]
        on: ChainArg,
    },
    /// Evidence that is quarantined: it would join two services, or what was separated
    Problems {
        #[command(flatten)]
        of: ClustersOf,
        /// Print as NDJSON
        #[arg(long)]
        json: bool,
    },
    /// Services that show without a tag, by how they move money: leads, not findings
    Services {
        #[command(flatten)]
        of: ClustersOf,
        /// Print as NDJSON, deposit addresses as well
        #[arg(long)]
        json: bool,
    },
    /// Hold verdicts and clusters against a truth, such as `exercise --wallets` writes
    Measure {
        /// The folder with `owners.csv` and `made-as.csv`
        #[arg(value_name = "DIR")]
        truth: PathBuf,
        #[command(flatten)]
        of: ClustersOf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Measure how much each sign of change counts, and print it as a file of weights
    Calibrate(CalibrateArgs),
    /// Bring clusters and exposure up to the latest block, tags and rulings
    Update {
        #[command(flatten)]
        on: ChainArg,
    },
}

#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// The folder with `owners.csv` and `made-as.csv`
    #[arg(value_name = "DIR")]
    pub truth: PathBuf,
    #[command(flatten)]
    pub on: ChainArg,
    /// Measure up to this height, and judge what follows [default: half of the blocks]
    #[arg(long, value_name = "H")]
    pub until_height: Option<u64>,
    /// Measure nothing: judge this file of weights on the whole chain
    #[arg(long, value_name = "FILE", conflicts_with = "until_height")]
    pub weights: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ChainArg {
    /// On this ledger [default: the book's only chain of outputs]
    #[arg(long, value_name = "ID")]
    pub ledger: Option<String>,
}

#[derive(Debug, Args)]
pub struct ClustersOf {
    #[command(flatten)]
    pub chain: ChainArg,
    /// Use what was last kept, without bringing it up to the latest block, tags and rulings
    #[arg(long)]
    pub as_kept: bool,
}

/// Which evidence counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClusterLayer {
    /// Locks of one key, and what is spent together.
    CoSpend,
    /// Likely change as well.
    Change,
}

impl From<ClusterLayer> for cluster::Layer {
    fn from(layer: ClusterLayer) -> Self {
        match layer {
            ClusterLayer::CoSpend => Self::CoSpend,
            ClusterLayer::Change => Self::Change,
        }
    }
}

#[derive(Debug, Args)]
pub struct RulingArgs {
    /// co-spend:TXID, change:TXID, wrap:ADDRESS, all of a TXID, or a whole heuristic: co-spend, change, wrap
    pub evidence: String,
    #[command(flatten)]
    pub said: Said,
    #[command(flatten)]
    pub on: ChainArg,
}

#[derive(Debug, Args)]
pub struct PairArgs {
    /// An address
    pub one: String,
    /// Another one
    pub other: String,
    #[command(flatten)]
    pub said: Said,
    #[command(flatten)]
    pub on: ChainArg,
}

/// What is kept with a ruling, as it is said.
#[derive(Debug, Args)]
pub struct Said {
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Who rules
    #[arg(long, value_name = "NAME", default_value = "")]
    pub by: String,
    /// When [default: today]
    #[arg(long, value_name = "DATE")]
    pub date: Option<String>,
}
