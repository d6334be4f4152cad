//! What is wrong with a node's answers ([`BlockFault`]), and what a good block holds that cannot be represented
//! ([`Problem`]).

use std::fmt;

use decode::Fault;
use ruint::aliases::U256;

/// Which answer is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// `eth_getBlockByNumber`.
    Block,
    /// `eth_getBlockReceipts`.
    Receipts,
    /// `eth_getLogs`.
    Logs,
    /// `trace_block`.
    ParityTraces,
    /// `debug_traceBlockByNumber`.
    GethTraces,
}

impl Method {
    /// The method's name, as nodes know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Block => "eth_getBlockByNumber",
            Self::Receipts => "eth_getBlockReceipts",
            Self::Logs => "eth_getLogs",
            Self::ParityTraces => "trace_block",
            Self::GethTraces => "debug_traceBlockByNumber",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An answer that cannot be right: it is not read, or contradicts the block that it is said to be of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockFault {
    /// Which answer.
    pub method: Method,
    /// What is wrong with it.
    pub what: String,
}

impl BlockFault {
    /// A fault of an answer.
    pub(crate) fn new(method: Method, what: impl Into<String>) -> Self {
        Self { method, what: what.into() }
    }
}

impl fmt::Display for BlockFault {
    /// `METHOD: what`, on one line of bounded length: it may quote what a stranger sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.method, Fault::whole(&*self.what, ""))
    }
}

impl std::error::Error for BlockFault {}

/// Something in a good block that the ledger cannot hold as it is. The rest of the block is not touched by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// An amount is above [`money::Amount::MAX`]: the leg is left out.
    TooLarge {
        /// The transaction.
        transaction: String,
        /// The asset.
        asset: String,
        /// How much it was, in base units.
        amount: U256,
    },
    /// Nobody said how many decimals a token has: it is booked in base units.
    NoDecimals {
        /// The asset.
        asset: String,
    },
    /// An export has a row that is not of the block under which it stands: it was left out.
    Stray {
        /// The table.
        table: &'static str,
        /// The transaction that the row is of.
        transaction: String,
        /// The block under which it stands.
        height: u64,
    },
    /// A log has the signature of a movement, but not its form: no leg was made of it.
    OddLog {
        /// The transaction.
        transaction: String,
        /// The contract that wrote it.
        contract: String,
        /// The log's index within its block.
        index: u64,
        /// What is odd.
        what: &'static str,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { transaction, asset, amount } => write!(
                f,
                "transaction {transaction} moves {amount} base units of {asset}, more than can be held: the movement is left out"
            ),
            Self::NoDecimals { asset } => {
                write!(f, "the decimals of {asset} are not known: its amounts are in base units")
            }
            Self::Stray { table, transaction, height } => {
                write!(f, "{table} has {transaction} in block {height}, where it was not: the row is left out")
            }
            Self::OddLog { transaction, contract, index, what } => {
                write!(f, "log {index} of {contract} in transaction {transaction} {what}: no movement is made of it")
            }
        }
    }
}
