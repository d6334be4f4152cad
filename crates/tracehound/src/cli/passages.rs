//! The flags of `tracehound links thorchain` and `tracehound links pools`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people type")]
pub struct ThorchainArgs {
    /// Blocks of a `THORNode`, `block_results` or pages of Midgard's actions, as JSON or NDJSON; `.gz` is unpacked. Without
    /// files the memos on the book's own ledgers are read
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Whose records they are: thorchain or mayachain
    #[arg(long, value_name = "NAME", default_value = "thorchain")]
    pub scheme: String,
    /// Decimals of a token, as eip155:1/erc20:0x…=6
    #[arg(long, value_name = "ASSET=N")]
    pub scale: Vec<String>,
    /// More routers: a table `scheme,ledger,address,version`
    #[arg(long, value_name = "FILE")]
    pub routers: Vec<PathBuf>,
    /// List swaps that came in and were not answered
    #[arg(long)]
    pub waiting: bool,
    /// Find links that were taken back before, too
    #[arg(long)]
    pub again: bool,
    /// Print what would be kept, and keep nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the links as NDJSON
    #[arg(long)]
    pub json: bool,
    /// What the history of the links is to say about this: who, when, why
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

#[derive(Debug, Args)]
pub struct PoolsArgs {
    /// A pool, by name (10-eth) or contract; without one, all that the book's ledgers show
    pub pool: Option<String>,
    /// Only pools of this ledger
    #[arg(long, value_name = "ID")]
    pub ledger: Option<String>,
    /// The crowd just before this block, or this time
    #[arg(long, value_name = "HEIGHT|TIME")]
    pub at: Option<String>,
    /// Transactions whose deposits were loot: who took how much of it, at least, at most and as expected
    #[arg(long, value_name = "TX")]
    pub loot: Vec<String>,
    /// A pair that is settled otherwise, as WITHDRAWAL=DEPOSIT, by transactions
    #[arg(long, value_name = "TX=TX", requires = "loot")]
    pub settled: Vec<String>,
    /// More pools: a table `protocol,ledger,contract,asset,units,name,since`
    #[arg(long, value_name = "FILE")]
    pub pools: Vec<PathBuf>,
    /// Keep what habits tie together in the book, as links with their chances
    #[arg(long)]
    pub keep: bool,
    /// With --keep: links that were taken back before, too
    #[arg(long, requires = "keep")]
    pub again: bool,
    /// Receivers that are listed
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// Print as NDJSON
    #[arg(long)]
    pub json: bool,
    /// With --keep: what the history of the links is to say about this: who, when, why
    #[arg(long, value_name = "TEXT", requires = "keep")]
    pub note: Option<String>,
}
