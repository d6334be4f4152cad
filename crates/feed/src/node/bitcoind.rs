//! [`Bitcoind`]: a Bitcoin Core or Knots node, or one of its family, as a [`Node`]: which chain it is on, how far it
//! is, and what its refusals mean. How its blocks are got is in `blocks.rs`.

use std::sync::Mutex;

use ledger::{LedgerId, Network, UtxoBlock, network, txid_bytes, txid_text};
use money::Asset;
use serde::Deserialize;

use super::blocks::Means;
use super::chain::{Need, Node, State};
use crate::wire::NodeError;
use crate::wire::Rpc;

/// "Block height out of range", "invalid parameter" (`RPC_INVALID_PARAMETER`).
const CODE_PARAMETER: i64 = -8;
/// "Block not available (pruned data)" and the like (`RPC_MISC_ERROR`).
const CODE_MISC: i64 = -1;
/// The most hashes in one question.
pub const HASHES_MAX: u64 = 1000;

/// Which ledger a node's chain is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id, from the genesis hash as CAIP-4 says.
    pub ledger: LedgerId,
    /// Its coin.
    pub asset: Asset,
    /// The hash of block 0, in internal byte order.
    pub genesis: [u8; 32],
}

/// A node of the Bitcoin Core family.
pub struct Bitcoind {
    rpc: Rpc,
    identity: Identity,
    network: &'static Network,
    means: Mutex<Means>,
}

#[derive(Deserialize)]
struct ChainInfo {
    blocks: u64,
    headers: u64,
    bestblockhash: String,
    #[serde(default)]
    initialblockdownload: bool,
    #[serde(default)]
    pruneheight: Option<u64>,
}

/// One line of `getzmqnotifications`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Notification {
    /// What is told: `pubhashblock`, `pubsequence`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it listens, as `tcp://127.0.0.1:28332`.
    pub address: String,
}

impl Bitcoind {
    /// Asks the node which chain it is on.
    pub fn connect(rpc: Rpc) -> Result<Self, NodeError> {
        let hash: String = rpc.call("getblockhash", "[0]")?;
        let genesis = txid_bytes(&hash).ok_or_else(|| rpc.strange("getblockhash", "this is no hash of a block"))?;
        let network = Network::of_genesis(&genesis).unwrap_or(&network::UNLISTED);
        let ledger = format!("bip122:{}", &txid_text(&genesis)[..32]);
        let ledger = LedgerId::parse(&ledger).expect("32 hexadecimal digits make an id");
        let asset = Asset { symbol: network.symbol.into(), scale: network.scale };
        Ok(Self { rpc, identity: Identity { ledger, asset, genesis }, network, means: Mutex::default() })
    }

    /// Which chain it is on.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Its RPC.
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// Forgets what the node was found to offer: it may be another one by now. Fails if it is on another chain.
    pub fn forget(&self) -> Result<(), NodeError> {
        *self.means() = Means::default();
        let hash: String = self.rpc.call("getblockhash", "[0]")?;
        if txid_bytes(&hash) == Some(self.identity.genesis) {
            return Ok(());
        }
        let what = format!("the node is on another chain now, which begins with {hash}");
        Err(NodeError::Chain { node: self.name(), what })
    }

    /// What the node tells over ZMQ, if it can say.
    pub fn notifications(&self) -> Result<Vec<Notification>, NodeError> {
        match self.rpc.call("getzmqnotifications", "[]") {
            Err(NodeError::Rpc { .. }) => Ok(Vec::new()),
            answer => answer,
        }
    }

    pub(super) fn means(&self) -> std::sync::MutexGuard<'_, Means> {
        self.means.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn network(&self) -> &'static Network {
        self.network
    }

    /// Says of a refused block whether it is gone for good.
    fn refused(&self, height: u64, error: NodeError) -> NodeError {
        match error {
            NodeError::Rpc { code: CODE_MISC, says, .. } if says.contains("pruned") => {
                let first = self.state().ok().and_then(|state| state.first_stored);
                NodeError::Pruned { node: self.name(), height, first }
            }
            // Its chain has turned, or it is still downloading: ask again later.
            NodeError::Rpc { code: CODE_MISC | -5, says, .. } => {
                NodeError::Away { node: self.name(), why: format!("block {height}: {says}") }
            }
            other => other,
        }
    }
}

impl Node for Bitcoind {
    fn name(&self) -> String {
        self.rpc.node()
    }

    fn best(&self) -> Result<[u8; 32], NodeError> {
        let hash: String = self.rpc.call("getbestblockhash", "[]")?;
        txid_bytes(&hash).ok_or_else(|| self.rpc.strange("getbestblockhash", "this is no hash of a block"))
    }

    fn state(&self) -> Result<State, NodeError> {
        let info: ChainInfo = self.rpc.call("getblockchaininfo", "[]")?;
        let best = txid_bytes(&info.bestblockhash)
            .ok_or_else(|| self.rpc.strange("getblockchaininfo", "bestblockhash is no hash of a block"))?;
        Ok(State {
            height: info.blocks,
            headers: info.headers,
            best,
            is_syncing: info.initialblockdownload,
            first_stored: info.pruneheight,
        })
    }

    fn hashes(&self, from: u64, count: u64) -> Result<Vec<[u8; 32]>, NodeError> {
        let heights = (from..from.saturating_add(count.min(HASHES_MAX))).map(|height| format!("[{height}]"));
        let hashes: Vec<Option<String>> = self.rpc.batch("getblockhash", heights, CODE_PARAMETER)?;
        let bytes = |hash: String| {
            txid_bytes(&hash).ok_or_else(|| self.rpc.strange("getblockhash", "this is no hash of a block"))
        };
        hashes.into_iter().map_while(|hash| hash.map(bytes)).collect()
    }

    fn block(&self, height: u64, hash: &[u8; 32], need: Need) -> Result<UtxoBlock, NodeError> {
        self.fetch(height, hash, need).map_err(|error| self.refused(height, error))
    }
}
