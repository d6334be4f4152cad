//! The flags of `tracehound links`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::passages::{PoolsArgs, ThorchainArgs};

#[derive(Debug, Args)]
pub struct LinksArgs {
    #[command(subcommand)]
    pub command: LinksCommand,
}

#[derive(Debug, Subcommand)]
pub enum LinksCommand {
    /// Find links between the book's ledgers in what their bridges wrote, and keep them
    Find(FindLinksArgs),
    /// Take links from files into the book (NDJSON, docs/links.md)
    Import {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Take in links that were taken back before, too
        #[arg(long)]
        again: bool,
        /// What the history of the links is to say about this: who, when, why
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// The book's links, in all or of one transaction
    List(ListLinksArgs),
    /// Both sides of a link and what ties them together
    Show {
        /// A link's id, or the id of a transaction on either side
        #[arg(value_name = "ID|TX")]
        what: String,
        /// Print as NDJSON
        #[arg(long)]
        json: bool,
    },
    /// Take links back; they stay in the book, marked, and no method brings them back
    Withdraw(WithdrawLinksArgs),
    /// Check files of links without taking them in
    Check {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Print what was found as JSON
        #[arg(long)]
        json: bool,
    },
    /// Decode what bridges wrote outside of any ledger: logs, receipts, calldata, decoded deposits
    Decode(DecodeLinksArgs),
    /// Links over `THORChain`, from its recorded blocks or from memos on the book's ledgers
    Thorchain(ThorchainArgs),
    /// Pools of equal notes: their crowds, and who may have taken out what somebody put in
    Pools(PoolsArgs),
    /// The registry of bridges
    Registry {
        #[command(subcommand)]
        command: Option<RegistryCommand>,
    },
}

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Args)]
pub struct FindLinksArgs {
    /// More registry files, or folders of them; they come before the built-in ones
    #[arg(long, value_name = "FILE|FOLDER")]
    pub registry: Vec<PathBuf>,
    /// Match what no message ties together, too
    #[arg(long = "match")]
    pub matching: bool,
    /// Find links that were taken back before, too
    #[arg(long)]
    pub again: bool,
    /// Print what would be kept, and keep nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print crossings without another side, as NDJSON
    #[arg(long)]
    pub unpaired: bool,
    /// Print the links as NDJSON
    #[arg(long)]
    pub json: bool,
    /// What the history of the links is to say about this: who, when, why
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

#[derive(Debug, Args)]
pub struct ListLinksArgs {
    /// A transaction on either side
    pub tx: Option<String>,
    /// Only of this protocol
    #[arg(long)]
    pub protocol: Option<String>,
    /// Only with a side on this ledger
    #[arg(long)]
    pub ledger: Option<String>,
    /// Those that were taken back, too
    #[arg(long)]
    pub all: bool,
    /// Print as NDJSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct WithdrawLinksArgs {
    /// A link's id
    #[arg(required_unless_present_any = ["method", "source", "protocol"])]
    pub id: Option<String>,
    /// All that this method found
    #[arg(long)]
    pub method: Option<String>,
    /// All from this source
    #[arg(long)]
    pub source: Option<String>,
    /// All of this protocol
    #[arg(long)]
    pub protocol: Option<String>,
    /// Why; it is kept with the links and in their history
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

#[derive(Debug, Args)]
pub struct DecodeLinksArgs {
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The ledger that the data is of, where it does not say so itself
    #[arg(long)]
    pub ledger: Option<String>,
    /// More registry files, or folders of them; they come before the built-in ones
    #[arg(long, value_name = "FILE|FOLDER")]
    pub registry: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum RegistryCommand {
    /// The protocols that are known
    List {
        /// More registry files, or folders of them
        #[arg(long, value_name = "FILE|FOLDER")]
        registry: Vec<PathBuf>,
        /// Print as NDJSON
        #[arg(long)]
        json: bool,
    },
    /// Check registry files without using them
    Check {
        #[arg(required = true, value_name = "FILE|FOLDER")]
        files: Vec<PathBuf>,
        /// Print what was found as JSON
        #[arg(long)]
        json: bool,
    },
    /// Write a registry file from lists of contracts, events and functions in CSV
    Import {
        /// Lists of contracts, of events, of functions (docs/links.md has their columns)
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The protocol's name; that of the contracts' file without one
        #[arg(long)]
        protocol: Option<String>,
        /// Where to write it; standard output without one
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Keep it in the book, where every command finds it
        #[arg(long, conflicts_with = "output")]
        keep: bool,
    },
}
