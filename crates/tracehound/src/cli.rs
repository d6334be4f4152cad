//! The command line: one table of flags, from which help and shell completions follow.

mod clusters;
mod ethereum;
mod links;
mod passages;
mod tags;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValue};
use clap_complete::Shell;
use trace::Policy;

pub use clusters::*;
pub use ethereum::*;
pub use links::*;
pub use passages::*;
pub use tags::*;

/// Follows stolen money across chains and banks, and shows its work.
#[derive(Debug, Parser)]
#[command(name = "tracehound", version, max_term_width = 100, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// The folder that holds every ingested ledger and tag [default: the platform's data folder]
    #[arg(long, global = true, value_name = "DIR", env = "TRACEHOUND_BOOK", hide_env_values = true)]
    pub book: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done · 1 internal error · 2 usage or bad input · 3 needs review · 4 hit · \
                          5 data missing or stale · 6 interrupted, partial result kept";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// A complete heist, traced, without network, node or account
    Demo(DemoArgs),
    /// Fill the book, from files or a node
    Ingest(IngestArgs),
    /// Follow an incident's loot: where it is now, and why each trace ends there
    Trace(TraceArgs),
    /// Source of funds: where the money of a wallet, an output or a transaction came from
    Source(SourceArgs),
    /// Screen addresses and transactions: whose they are, where their money came from, what your rules say
    Screen(ScreenArgs),
    /// What the book knows of a transaction, an output, an address or account, or a block
    Show(ShowArgs),
    /// What a Bitcoin node holds that no block has confirmed; nothing of it enters the book
    Mempool(MempoolArgs),
    /// Clusters: who is one party with whom on a chain of outputs, and why
    Clusters(ClustersArgs),
    /// Tags: what is known about holders
    Tags(TagsArgs),
    /// Links: where money went from one ledger to another
    Links(LinksArgs),
    /// Incidents: who was robbed of what
    Incidents(IncidentsArgs),
    /// Make a seeded exercise: ordinary life, a heist, and the truth about it
    Exercise(ExerciseArgs),
    /// Look into the book, or undo its latest blocks
    Book(BookArgs),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Seed of the exercise
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Keep the exercise and its book in this folder (which must not exist, or be empty)
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// The policy to trace under
    #[arg(long, value_name = "POLICY", default_value = "haircut", value_parser = one_policy)]
    pub policy: Policy,
}

#[derive(Debug, Args)]
pub struct IngestArgs {
    #[command(subcommand)]
    pub source: Source,
}

#[derive(Debug, Subcommand)]
pub enum Source {
    /// A ledger table: CSV or NDJSON with `tx,time,from,to,asset,amount[,ledger][,fee][,memo]`
    Table(TableArgs),
    /// UTXO blocks: NDJSON, one block a line, as `getblock HASH 2` or 3 prints them
    UtxoBlocks(UtxoBlocksArgs),
    /// The chain of a Bitcoin node (or of one like it), from its blocks folder or over its RPC
    Bitcoin(BitcoinArgs),
    /// An EVM chain: Ethereum and its kin, from a node, from recorded answers or from exported tables
    Ethereum(Box<EthereumArgs>),
}

#[derive(Debug, Args)]
pub struct TableArgs {
    /// The files; `-` is standard input, `.gz` is unpacked
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The ledger of rows without a ledger column: a CAIP-2 id, `bitcoin`, `ethereum`, `bank:BIC` or `table:NAME`
    /// [default: table:FILENAME]
    #[arg(long, value_name = "ID")]
    pub ledger: Option<String>,
    /// Decimals of an asset, as BTC=8 [default: the most that any row has]
    #[arg(long, value_name = "ASSET=N")]
    pub scale: Vec<String>,
    /// Which header stands for a column, as tx=txid; tx=#row numbers the rows
    #[arg(long, value_name = "COLUMN=HEADER")]
    pub column: Vec<String>,
    /// The value of a column that the file lacks, as asset=BTC
    #[arg(long, value_name = "COLUMN=VALUE")]
    pub set: Vec<String>,
    /// Read amounts such as 1e-05 (exactly) instead of refusing them
    #[arg(long)]
    pub scientific: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct UtxoBlocksArgs {
    /// The file; `-` is standard input, `.gz` is unpacked
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The ledger
    #[arg(long, value_name = "ID", default_value = "bitcoin")]
    pub ledger: String,
    /// The native coin
    #[arg(long, value_name = "SYMBOL", default_value = "BTC")]
    pub asset: String,
    /// Its decimals
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub scale: u8,
    /// Print what was done as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("from").required(true)))]
pub struct BitcoinArgs {
    /// The node's blocks folder: blk*.dat, with rev*.dat and xor.dat where they are
    #[arg(long, value_name = "DIR", group = "from")]
    pub blocks: Option<PathBuf>,
    /// The ledger [default: told by the magic and block 0]
    #[arg(long, value_name = "ID", requires = "blocks")]
    pub ledger: Option<String>,
    /// The four bytes before each block, in hex, of a chain that has no name here
    #[arg(long, value_name = "HEX", requires = "blocks")]
    pub magic: Option<String>,
    /// How many threads read and decode [default: one for each processor]
    #[arg(long, value_name = "N", requires = "blocks")]
    pub threads: Option<usize>,
    /// Leave the undo files (rev*.dat) alone: fees are not checked with them
    #[arg(long, requires = "blocks")]
    pub no_undo: bool,
    #[command(flatten)]
    pub node: NodeArgs,
    /// Catch up with the node and end, instead of following it
    #[arg(long, requires = "rpc")]
    pub once: bool,
    /// Begin an empty ledger at this height, for a node that has deleted older blocks
    #[arg(long = "from", value_name = "HEIGHT", requires = "rpc")]
    pub from_height: Option<u64>,
    /// Where the node announces blocks over ZMQ, as HOST:PORT [default: as the node says]
    #[arg(long, value_name = "ADDR", requires = "rpc")]
    pub zmq: Option<String>,
    /// Print what was done as JSON; with --rpc, what happens as NDJSON
    #[arg(long)]
    pub json: bool,
}

/// How to reach a node.
#[derive(Debug, Args)]
pub struct NodeArgs {
    /// The node, as `http://[USER:PASSWORD@]HOST:PORT`
    #[arg(long, value_name = "URL", group = "from")]
    pub rpc: Option<String>,
    /// The user for its RPC; the password is taken from `TRACEHOUND_RPC_PASSWORD`
    #[arg(long, value_name = "USER", requires = "rpc", conflicts_with = "rpc_cookie")]
    pub rpc_user: Option<String>,
    /// The cookie that the node writes [default: the one in its usual data folder, for a node on this machine]
    #[arg(long, value_name = "FILE", requires = "rpc")]
    pub rpc_cookie: Option<PathBuf>,
}

/// Which policies to trace under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policies {
    One(Policy),
    All,
}

impl ValueEnum for Policies {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Policies; 8] = [
            Policies::One(Policy::Haircut),
            Policies::One(Policy::Fifo),
            Policies::One(Policy::Lifo),
            Policies::One(Policy::TaintFirstOut),
            Policies::One(Policy::TaintLastOut),
            Policies::One(Policy::Tiho),
            Policies::One(Policy::Poison),
            Policies::All,
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::One(policy) => PossibleValue::new(policy.name()).help(policy.sentence()),
            Self::All => PossibleValue::new("all").help("Every policy, one result each"),
        })
    }
}

fn one_policy(name: &str) -> Result<Policy, String> {
    let names = || Policy::ALL.map(Policy::name).join(", ");
    Policy::parse(name).ok_or_else(|| format!("there is no such policy; there are {}", names()))
}

/// Where a trace stops, for both directions.
#[derive(Debug, Args)]
pub struct StopArgs {
    /// Go on through custodians, mixers and bridges
    #[arg(long)]
    pub no_stops: bool,
    /// More tags for this trace alone: TagPack YAML, CSV or an OFAC wallet list
    #[arg(long, value_name = "FILE")]
    pub tags: Vec<PathBuf>,
    /// Ignore stops whose tag is less confident than this, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub min_confidence: u8,
}

/// Which links a trace follows from ledger to ledger.
#[derive(Debug, Args)]
pub struct LinkArgs {
    /// Stay on each ledger; what goes over bridges ends there
    #[arg(long)]
    pub no_links: bool,
    /// Follow links of at least this probability [default: 0.5]
    #[arg(long, value_name = "PROBABILITY", conflicts_with = "no_links")]
    pub min_link: Option<String>,
    /// Follow links through mixers, too
    #[arg(long, conflicts_with = "no_links")]
    pub mixers: bool,
    /// Let the fee of a bridge take its share of the loot, where a link says what would have come out without it
    #[arg(long, conflicts_with = "no_links")]
    pub bridge_fee_share: bool,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people type")]
pub struct TraceArgs {
    /// Incident files (YAML); several are traced together
    #[arg(required = true, value_name = "INCIDENT.yaml")]
    pub incidents: Vec<PathBuf>,
    /// The rule by which a payment out of mixed money carries loot along
    #[arg(
        long,
        value_enum,
        hide_possible_values = true,
        value_name = "POLICY",
        default_value = "haircut",
        help = "The rule by which a payment out of mixed money carries loot along: haircut, fifo, lifo, \
                  taint-first-out, taint-last-out, tiho, poison, or all"
    )]
    pub policy: Policies,
    /// Give the least and the most that each place holds whichever policy one picks
    #[arg(long, conflicts_with = "min_share")]
    pub envelope: bool,
    #[command(flatten)]
    pub stops: StopArgs,
    /// Leave out loot that came in before this time
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Look at nothing at or after this time; balances are as of then
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Do not follow movements of less than this, as BTC=0.0001; they are booked as truncated
    #[arg(long, value_name = "ASSET=AMOUNT")]
    pub dust: Vec<String>,
    /// Do not follow movements of which less than this share is loot, as 0.001; they are booked as truncated
    #[arg(long, value_name = "SHARE")]
    pub min_share: Option<String>,
    #[command(flatten)]
    pub links: LinkArgs,
    /// Trace pieces (NFTs), tokens marked as valueless and look-alikes' bait as well
    #[arg(long)]
    pub with_valueless: bool,
    /// Leave this asset out, as one that nobody pays for
    #[arg(long, value_name = "ASSET")]
    pub valueless: Vec<String>,
    /// How many places the text lists per section
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub top: usize,
    /// Print the whole result as JSON (one line per policy)
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print terminals, or every hop, as CSV
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "terminals")]
    pub csv: Option<Csv>,
    /// Leave the hops out of the JSON
    #[arg(long, requires = "json")]
    pub no_edges: bool,
}

#[derive(Debug, Args)]
pub struct SourceArgs {
    /// Addresses or accounts (what they hold), outputs as TXID:VOUT, or transactions (what they brought)
    #[arg(required = true, value_name = "TARGET")]
    pub targets: Vec<String>,
    /// The ledger
    #[arg(long, value_name = "ID")]
    pub ledger: String,
    /// Only this asset
    #[arg(long, value_name = "SYMBOL")]
    pub asset: Option<String>,
    /// haircut, fifo or lifo; the others ask "is it stolen?", which has no meaning backwards
    #[arg(long, value_name = "POLICY", default_value = "haircut", value_parser = one_policy)]
    pub policy: Policy,
    /// What the targets held just before this time, instead of now
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Look at nothing before this time; what lay there then is booked as window
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    #[command(flatten)]
    pub stops: StopArgs,
    /// Do not follow where less than this is wanted of a movement, as BTC=0.0001
    #[arg(long, value_name = "ASSET=AMOUNT")]
    pub dust: Vec<String>,
    /// How many sources the text lists
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub top: usize,
    /// Print the whole result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("from")))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people type")]
pub struct ScreenArgs {
    /// Addresses, accounts or transaction ids
    #[arg(value_name = "QUERY")]
    pub queries: Vec<String>,
    /// More of them from a file, one a line; `-` is standard input, lines that start with # are comments
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Only on this ledger [default: every ledger of the book]
    #[arg(long, value_name = "ID")]
    pub ledger: Option<String>,
    /// Your rules: from what on something is a hit, or wants a look [default: those of --print-rules]
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// Print the rules that hold where none are given, to begin your own with
    #[arg(long, conflicts_with_all = ["queries", "file", "since", "rules"])]
    pub print_rules: bool,
    /// Use clusters and exposure as they were last kept, without bringing them up to the latest block and tags
    #[arg(long)]
    pub as_kept: bool,
    /// Keep the result in the book, for --since to come back to
    #[arg(long)]
    pub remember: bool,
    /// Screen remembered ones again and tell what changed and why: `all`, those since a date, or the last N
    #[arg(long, value_name = "all|DATE|N", conflicts_with_all = ["queries", "file", "brief"])]
    pub since: Option<String>,
    /// A node in whose mempool transactions are looked for that the book does not have
    #[command(flatten)]
    pub node: NodeArgs,
    /// One line for each query
    #[arg(long, conflicts_with = "json")]
    pub brief: bool,
    /// Print as NDJSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Transactions, outputs as TXID:VOUT, addresses or accounts, blocks by height or hash
    #[arg(required = true, value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Only on this ledger [default: every ledger of the book that has it]
    #[arg(long, value_name = "ID")]
    pub ledger: Option<String>,
    /// How many movements of a holder, or transactions of a block, are listed
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub top: usize,
    /// List all of them
    #[arg(long, conflicts_with = "top")]
    pub all: bool,
    /// Print as JSON, one line for each thing found
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("from").required(true)))]
pub struct MempoolArgs {
    #[command(flatten)]
    pub node: NodeArgs,
    /// One transaction of it
    #[arg(value_name = "TXID")]
    pub txid: Option<String>,
    /// How many transactions the text lists
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub top: usize,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// What `--csv` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Csv {
    /// Where the loot is.
    Terminals,
    /// Every hop with its arithmetic.
    Edges,
}

#[derive(Debug, Args)]
pub struct IncidentsArgs {
    #[command(subcommand)]
    pub command: IncidentsCommand,
}

#[derive(Debug, Subcommand)]
pub enum IncidentsCommand {
    /// Check incident files, and find on the book's ledgers where their traces start
    Check {
        #[arg(required = true, value_name = "INCIDENT.yaml")]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people type")]
pub struct ExerciseArgs {
    /// The folder to write into
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Same seed, same bytes
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// About how many transactions, over all ledgers [default: the demo's]
    #[arg(long, value_name = "N", conflicts_with_all = ["peel", "cone"])]
    pub transactions: Option<u64>,
    /// A single peel chain of this many hops
    #[arg(long, value_name = "HOPS", conflicts_with = "cone")]
    pub peel: Option<u32>,
    /// Loot that spreads through ordinary life over this many legs
    #[arg(long, value_name = "LEGS", conflicts_with = "chain")]
    pub cone: Option<u64>,
    /// A UTXO chain with N wallets and services, without a heist, and files that say whose every address is
    /// [default transactions: ten for each wallet]
    #[arg(long, value_name = "N", conflicts_with_all = ["peel", "cone", "chain"])]
    pub wallets: Option<u32>,
    /// A heist that hops chains, among N transactions on two EVM chains: swaps, a bridge both ways, a mixing pool; as a
    /// node's recorded answers
    #[arg(long, value_name = "N", conflicts_with_all = ["transactions", "peel", "cone", "chain", "wallets", "block_files"])]
    pub hopping: Option<u64>,
    /// A chain of exactly N transactions without a heist, as Bitcoin Core's own blk*.dat and rev*.dat files
    #[arg(long, value_name = "N", conflicts_with_all = ["transactions", "peel"], group = "block_files")]
    pub chain: Option<u64>,
    /// The UTXO ledger as Bitcoin Core's own files as well, in DIR/blocks
    #[arg(long, group = "block_files")]
    pub blocks: bool,
    /// With --chain or --blocks: obfuscate the files
    #[arg(long, requires = "block_files")]
    pub xor: bool,
    /// With --chain: so many stale blocks beside the chain
    #[arg(long, value_name = "K", requires = "chain", default_value_t = 0)]
    pub stale: u32,
    /// With --chain: store blocks out of order
    #[arg(long, requires = "chain")]
    pub shuffled: bool,
    /// Print the manifest as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct BookArgs {
    #[command(subcommand)]
    pub command: BookCommand,
}

#[derive(Debug, Subcommand)]
pub enum BookCommand {
    /// Which ledgers there are, how far they go, how much room they take
    Status {
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Undo the latest blocks (chains) or transactions (other ledgers)
    Undo {
        /// The ledger
        #[arg(long, value_name = "ID")]
        ledger: String,
        /// How many
        #[arg(value_name = "N")]
        count: u64,
    },
}
