//! The flags of `tracehound ingest ethereum`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use feed::evm::{REQUESTS, REQUESTS_MAX, WantedTraces};

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("source").required(true)))]
pub struct EthereumArgs {
    /// The node, of any EVM chain, as `http://[USER:PASSWORD@]HOST:PORT[/PATH]`; a token for it is taken from
    /// `TRACEHOUND_RPC_TOKEN`
    #[arg(long, value_name = "URL", group = "source")]
    pub rpc: Option<String>,
    /// A folder of recorded JSON-RPC answers: *.json, *.ndjson, also with .gz
    #[arg(long, value_name = "DIR", group = "source")]
    pub replay: Option<PathBuf>,
    /// A folder of exported tables: blocks.csv, transactions.csv, traces.csv, logs.json
    #[arg(long, value_name = "DIR", group = "source")]
    pub export: Option<PathBuf>,
    /// The ledger that it must be, as `eip155:1` or `ethereum` [default: whatever the chain says it is]
    #[arg(long, value_name = "ID")]
    pub ledger: Option<String>,
    /// Begin an empty ledger at this height
    #[arg(long = "from", value_name = "HEIGHT")]
    pub from_height: Option<u64>,
    /// End with this height
    #[arg(long = "to", value_name = "HEIGHT")]
    pub to_height: Option<u64>,
    /// Catch up with the node and end, instead of following it
    #[arg(long, requires = "rpc")]
    pub once: bool,
    /// Stay so many blocks behind the node's last
    #[arg(long, value_name = "N", requires = "rpc", conflicts_with = "only")]
    pub confirmations: Option<u64>,
    /// Take only blocks that the node calls safe, or finalized
    #[arg(long, value_enum, value_name = "WHICH", requires = "rpc")]
    pub only: Option<Only>,
    /// The coin of a chain that has no name here, as ETH
    #[arg(long, value_name = "SYMBOL")]
    pub native: Option<String>,
    /// What is known of tokens: a CSV file with `chain,contract,symbol,decimals,flags,source`
    #[arg(long, value_name = "FILE")]
    pub tokens: Vec<PathBuf>,
    /// By which method inner calls are asked for
    #[arg(long, value_enum, value_name = "HOW", default_value_t = TracesArg::Auto, requires = "rpc")]
    pub traces: TracesArg,
    /// Which logs are kept beside the ledger
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = Events::Known)]
    pub events: Events,
    /// More registry files, or folders of them: the logs that they read are kept as well
    #[arg(long, value_name = "FILE|FOLDER")]
    pub registry: Vec<PathBuf>,
    /// Compare the balances of everybody who takes part in a block with the chain's, and book the difference
    #[arg(long, conflicts_with = "export")]
    pub check_balances: bool,
    /// Do so for this token alone, whose balances change without a log
    #[arg(long, value_name = "CONTRACT", conflicts_with = "export")]
    pub rebasing: Vec<String>,
    /// How many requests are under way at a time
    #[arg(long, value_name = "N", requires = "rpc", default_value_t = REQUESTS, value_parser = requests)]
    pub requests: usize,
    /// At most so many questions a second [default: as fast as the node answers]
    #[arg(long, value_name = "N", requires = "rpc", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// One more header for every request, as `NAME: VALUE`
    #[arg(long, value_name = "HEADER", requires = "rpc")]
    pub header: Vec<String>,
    /// Where the node announces blocks over WebSocket, as `ws://HOST:PORT` [default: look every two seconds]
    #[arg(long, value_name = "URL", requires = "rpc")]
    pub ws: Option<String>,
    /// Keep every answer in this folder, for --replay
    #[arg(long, value_name = "DIR", requires = "rpc")]
    pub record: Option<PathBuf>,
    /// Print what happens as NDJSON
    #[arg(long)]
    pub json: bool,
}

fn requests(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=REQUESTS_MAX).contains(number));
    number.ok_or_else(|| format!("say a number from 1 to {REQUESTS_MAX}"))
}

/// Which blocks are settled enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Only {
    /// Up to the `safe` block.
    Safe,
    /// Up to the `finalized` block.
    Finalized,
}

/// Which logs are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Events {
    /// Those that the registry of bridges and pools reads.
    Known,
    /// All but plain transfers and approvals.
    All,
}

/// Where inner calls come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TracesArg {
    /// As the node offers; else what is not known is recorded as a gap.
    Auto,
    /// `trace_block`.
    Parity,
    /// `debug_traceBlockByNumber`.
    Geth,
    /// Not at all.
    None,
}

impl From<TracesArg> for WantedTraces {
    fn from(given: TracesArg) -> Self {
        match given {
            TracesArg::Auto => Self::Auto,
            TracesArg::Parity => Self::Parity,
            TracesArg::Geth => Self::Geth,
            TracesArg::None => Self::None,
        }
    }
}
