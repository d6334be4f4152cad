//! [`Source`]: what filling an EVM ledger needs to ask of a node or a recording, and nothing more.

use std::borrow::Cow;

use serde::Deserialize;

use crate::wire::NodeError;

/// A block's place on its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Height above genesis.
    pub height: u64,
    /// The block's hash, first byte first.
    pub hash: [u8; 32],
}

/// How far a chain is, as a source sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeHeads {
    /// The last block.
    pub latest: Place,
    /// The height of the `safe` block, if the source knows one.
    pub safe: Option<u64>,
    /// The height of the `finalized` block, if the source knows one.
    pub finalized: Option<u64>,
}

/// What is known of a block's logs, as the JSON of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RawLogs {
    /// Of `eth_getBlockReceipts`.
    Receipts(String),
    /// Of `eth_getLogs`.
    Logs(String),
    /// Nothing.
    None,
}

/// What is known of a block's inner calls, as the JSON of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RawTraces {
    /// Of `trace_block`.
    Parity(String),
    /// Of `debug_traceBlockByNumber` with `callTracer`.
    Geth(String),
    /// Nothing.
    None,
}

/// A block's answers, as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Raw {
    /// Of `eth_getBlockByNumber` with whole transactions.
    pub block: String,
    /// The logs.
    pub logs: RawLogs,
    /// The inner calls.
    pub traces: RawTraces,
    /// What the source could not tell, and why.
    pub notes: Vec<String>,
}

impl Raw {
    /// The same, as the decoder takes it.
    pub fn material(&self) -> evm::Material<'_> {
        let logs = match &self.logs {
            RawLogs::Receipts(json) => evm::Logs::Receipts(json),
            RawLogs::Logs(json) => evm::Logs::Logs(json),
            RawLogs::None => evm::Logs::None,
        };
        let traces = match &self.traces {
            RawTraces::Parity(json) => evm::Traces::Parity(json),
            RawTraces::Geth(json) => evm::Traces::Geth(json),
            RawTraces::None => evm::Traces::None,
        };
        evm::Material { block: &self.block, logs, traces }
    }
}

/// A question beside the blocks: what a contract says, what an account holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// The method.
    pub method: &'static str,
    /// The JSON of its arguments.
    pub params: String,
}

/// One answer's JSON, or the refusal.
pub(crate) type Answer = Result<String, NodeError>;

/// Where an EVM chain's blocks come from. Any two answers may be of different chains: a node lives on meanwhile.
pub(crate) trait Source: Sync {
    /// Its name as messages have it.
    fn name(&self) -> String;

    /// Whether asking again may bring another answer.
    fn is_live(&self) -> bool;

    /// How far it is.
    fn heads(&self) -> Result<NodeHeads, NodeError>;

    /// The hash of its block at a height, if it has one.
    fn hash(&self, height: u64) -> Result<Option<[u8; 32]>, NodeError>;

    /// The answers about the block at a height.
    fn raw(&self, height: u64) -> Result<Raw, NodeError>;

    /// The answers to questions, in order; [`NodeError::Rpc`] stands for one that the source refuses.
    fn ask(&self, questions: &[Question]) -> Result<Vec<Answer>, NodeError>;

    /// The lowest height that it has, if it is known to have no lower one.
    fn first(&self) -> Option<u64>;

    /// Called when it was away: it may be another one by now. Fails if it is on another chain.
    fn meet_again(&self) -> Result<(), NodeError>;
}

/// A height or an amount as nodes write it: `0x` and hex digits, at most 64 bits.
pub(crate) fn quantity(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").filter(|digits| !digits.is_empty() && digits.len() <= 16)?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u64::from_str_radix(digits, 16).ok())?
}

/// The height that a block states for itself, if it does.
pub(crate) fn stated_height(block: &str) -> Option<u64> {
    serde_json::from_str::<Numbered<'_>>(block).ok().and_then(|block| quantity(&block.number))
}

#[derive(Deserialize)]
struct Numbered<'a> {
    #[serde(borrow)]
    number: Cow<'a, str>,
}

/// A hash as nodes write it.
pub(crate) fn hash_bytes(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 64)?;
    ledger::hex::bytes(digits)?.try_into().ok()
}

/// A hash as people read it.
pub fn hash_text(hash: &[u8; 32]) -> String {
    format!("0x{}", ledger::hex::text(hash))
}
