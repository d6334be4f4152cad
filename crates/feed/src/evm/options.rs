//! What a user may say about how an EVM chain is taken in.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// How many requests are under way at a time, unless the user says otherwise.
pub const REQUESTS: usize = 4;
/// The most requests under way at a time.
pub const REQUESTS_MAX: usize = 64;
/// How many blocks are taken back unasked when a chain turns.
pub const REORG_BLOCKS_MAX: u64 = 4096;
/// The longest answer of a node that is read. The largest real blocks' traces have some 100 MB.
pub const ANSWER_BYTES_MAX: u64 = 512 << 20;

/// Where inner calls are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WantedTraces {
    /// As the node offers: `trace_block`, else `debug_traceBlockByNumber`; else the gap is recorded.
    #[default]
    Auto,
    /// By `trace_block` alone.
    Parity,
    /// By `debug_traceBlockByNumber` alone.
    Geth,
    /// Not at all: the gap is recorded.
    None,
}

/// Up to which block is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The last but so many.
    Confirmations(u64),
    /// Up to the node's `safe` block.
    Safe,
    /// Up to the node's `finalized` block.
    Finalized,
}

/// How an EVM chain is taken in.
#[derive(Clone, Debug)]
pub struct EvmOptions {
    /// Catch up and end.
    pub once: bool,
    /// Where an empty ledger begins.
    pub from: Option<u64>,
    /// The last height that is taken.
    pub to: Option<u64>,
    /// The chain's number; whatever is on another one is refused.
    pub chain: Option<u64>,
    /// The coin of a chain that has no name here.
    pub native: Option<String>,
    /// Up to which block is taken.
    pub settled: Settled,
    /// Where inner calls are asked for.
    pub traces: WantedTraces,
    /// Which logs are kept.
    pub keep: evm::KeepEvents,
    /// A table of tokens (`docs/ethereum.md`), as text, and its name.
    pub tokens: Vec<(String, String)>,
    /// Tokens whose balances are compared with the chain's at each block's end.
    pub rebasing: BTreeSet<[u8; 20]>,
    /// Compare the balances of all tokens, and of the coin.
    pub check_balances: bool,
    /// How many requests are under way at a time.
    pub requests: usize,
    /// At most so many questions a second.
    pub rate: Option<u32>,
    /// Where every answer is kept.
    pub record: Option<PathBuf>,
    /// Where new heads are announced over WebSocket, as `ws://HOST:PORT`.
    pub news: Option<String>,
    /// How often to look without being told.
    pub poll: Duration,
    /// How many blocks are taken back unasked when a chain turns.
    pub reorg_blocks_max: u64,
    /// The longest answer that is read.
    pub answer_bytes_max: u64,
}

impl Default for EvmOptions {
    fn default() -> Self {
        Self {
            once: false,
            from: None,
            to: None,
            chain: None,
            native: None,
            settled: Settled::Confirmations(0),
            traces: WantedTraces::Auto,
            keep: evm::KeepEvents::default(),
            tokens: Vec::new(),
            rebasing: BTreeSet::new(),
            check_balances: false,
            requests: REQUESTS,
            rate: None,
            record: None,
            news: None,
            poll: Duration::from_secs(2),
            reorg_blocks_max: REORG_BLOCKS_MAX,
            answer_bytes_max: ANSWER_BYTES_MAX,
        }
    }
}
