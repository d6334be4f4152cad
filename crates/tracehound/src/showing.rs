//! What the book knows of one thing: a transaction, an output, a holder, a block; as data, and as text.
//!
//! Everything here is a fact of the ledger: no tag, no inference. What `--json` prints are these values.

mod accounts;
mod find;
mod gather;
mod text;

use serde::Serialize;

pub use accounts::{block as account_block, missing};
pub use find::{Target, find, named};
pub use gather::{block, holder, output, transaction};
pub use text::write;

/// The format of `show --json`.
pub const SCHEMA: &str = "tracehound/show/1";

/// One answer.
#[derive(Debug, Serialize)]
pub struct Shown {
    pub schema: &'static str,
    pub ledger: String,
    #[serde(flatten)]
    pub what: What,
}

/// What was found.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum What {
    Transaction(TransactionPage),
    Output(OutputPage),
    Holder(HolderPage),
    Block(BlockPage),
}

/// An amount with its asset, as text.
#[derive(Clone, Debug, Serialize)]
pub struct Sum {
    pub asset: String,
    pub amount: String,
}

/// Where something stands.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    pub time: String,
}

/// A transaction with all its ends.
#[derive(Debug, Serialize)]
pub struct TransactionPage {
    pub tx: String,
    #[serde(flatten)]
    pub place: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_hash: Option<String>,
    /// Whether it makes new coins.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub coinbase: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<Sum>,
    #[serde(flatten)]
    pub ends: Ends,
}

/// What a transaction takes and gives.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Ends {
    Outputs {
        inputs: Vec<InputRow>,
        outputs: Vec<OutputRow>,
    },
    Accounts {
        legs: Vec<LegRow>,
        /// What contracts wrote, as far as it is kept.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        events: Vec<EventRow>,
        /// What is not known of its block.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        unknown: Vec<&'static str>,
    },
}

/// What an input spends.
#[derive(Debug, Serialize)]
pub struct InputRow {
    pub output: String,
    pub holder: String,
    #[serde(flatten)]
    pub sum: Sum,
    /// Whether no source told its value, so that it was inferred from the transaction's own sums.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub inferred: bool,
}

/// What an output pays, and who spent it.
#[derive(Debug, Serialize)]
pub struct OutputRow {
    pub index: u64,
    pub holder: String,
    #[serde(flatten)]
    pub sum: Sum,
    pub spent_by: Option<String>,
}

/// What a contract wrote, as it came.
#[derive(Debug, Serialize)]
pub struct EventRow {
    pub index: u32,
    pub contract: String,
    pub topics: Vec<String>,
    pub data: String,
}

/// A movement between accounts.
#[derive(Debug, Serialize)]
pub struct LegRow {
    pub from: Option<String>,
    pub to: Option<String>,
    /// Whether it pays for the transaction, or is what a block's producer gets of such payments.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fee: bool,
    /// Whether no payment explains it: the asset's own books changed a balance.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drift: bool,
    #[serde(flatten)]
    pub sum: Sum,
}

/// One output.
#[derive(Debug, Serialize)]
pub struct OutputPage {
    pub output: String,
    pub holder: String,
    #[serde(flatten)]
    pub sum: Sum,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub inferred: bool,
    /// When it was made; not told of outputs from before the ledger's first block.
    pub made: Option<Place>,
    pub spent_by: Option<String>,
    pub spent: Option<Place>,
}

/// A holder: what it has, had, and did.
#[derive(Debug, Serialize)]
pub struct HolderPage {
    pub holder: String,
    pub balances: Vec<BalanceRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more_balances: Option<MoreBalances>,
    pub first: Option<Place>,
    pub last: Option<Place>,
    /// Newest first.
    pub history: Vec<MoveRow>,
    /// How many movements there are; `null` where only the latest were looked for.
    pub movements: Option<u64>,
}

/// How many balances are not listed, where there are too many for all of them.
#[derive(Debug, Serialize)]
pub struct MoreBalances {
    pub left_out: u64,
    /// Those that are nothing.
    pub empty: u64,
}

/// What a holder has of an asset.
#[derive(Debug, Serialize)]
pub struct BalanceRow {
    pub asset: String,
    pub balance: String,
    #[serde(flatten)]
    pub outputs: Option<Totals>,
}

/// What a holder had in outputs in all.
#[derive(Debug, Serialize)]
pub struct Totals {
    pub received: String,
    pub spent: String,
    pub outputs: u64,
    pub unspent: u64,
}

/// A movement of a holder's.
#[derive(Debug, Serialize)]
pub struct MoveRow {
    #[serde(flatten)]
    pub place: Place,
    pub tx: String,
    /// `in` or `out`.
    pub direction: &'static str,
    #[serde(flatten)]
    pub sum: Sum,
    /// The output that was made or spent; the other side on account ledgers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
}

/// A block and its first transactions.
#[derive(Debug, Serialize)]
pub struct BlockPage {
    pub height: u64,
    pub hash: String,
    pub previous: Option<String>,
    pub time: String,
    pub transactions: u64,
    #[serde(flatten)]
    pub content: BlockContent,
}

/// What is told of a block's transactions.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum BlockContent {
    Outputs {
        fees: Sum,
        listed: Vec<BlockRow>,
    },
    Accounts {
        /// `finalized` or `safe`, where the chain calls it that.
        #[serde(skip_serializing_if = "Option::is_none")]
        settled: Option<&'static str>,
        /// What is not known of it.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        unknown: Vec<&'static str>,
        /// How many events are kept of it.
        events: u64,
        listed: Vec<AccountBlockRow>,
    },
}

/// An account transaction as a block lists it.
#[derive(Debug, Serialize)]
pub struct AccountBlockRow {
    pub tx: String,
    pub movements: u64,
    pub events: u64,
}

/// A transaction as a block lists it.
#[derive(Debug, Serialize)]
pub struct BlockRow {
    pub tx: String,
    pub inputs: u64,
    pub outputs: u64,
    /// What its outputs hold.
    #[serde(flatten)]
    pub sum: Sum,
    pub fee: String,
}
