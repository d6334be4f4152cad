//! By which way a node gives blocks, best first, and that what it gives is the block that was asked for.
//!
//! REST gives a block's bytes, and since Bitcoin Core 30 those of the outputs that it spent, in an eighth of the bytes
//! that `getblock 3` takes. Without REST the bytes come in hex. JSON is asked for only where spent outputs are needed
//! and the node has no other way to tell them. What is offered is found out by asking, once.
//!
//! A block's header, work and merkle root are checked whichever way it came. Its spent outputs are the node's word:
//! no header proves them. Whether the block follows the one before it is for whoever follows the chain to say.

use decode::DecodeError;
use decode::bitcoin::{BLOCK_BYTES_MAX, UNDO_BYTES_MAX};
use decode::bitcoin::{BlockHeader, Options, attach, block, merkle_root, spent_outputs};
use decode::utxo_blocks::{BLOCK_LINE_BYTES_MAX, BlockReader};
use ledger::network::Header;
use ledger::{UtxoBlock, hex, txid_text};

use super::bitcoind::{Bitcoind, Identity};
use super::chain::{Need, Node as _};
use crate::wire::NodeError;

/// "Invalid parameter" (`RPC_INVALID_PARAMETER`, `RPC_INVALID_PARAMS`): a node that knows no verbosity 3.
const CODES_PARAMETER: [i64; 2] = [-8, -32602];
/// Beside the hex of a block an answer has some bytes of frame.
const FRAME_BYTES_MAX: u64 = 1024;

/// What the node was found to offer; `None` is not known yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Means {
    /// Whether it serves REST.
    rest: Option<bool>,
    /// Whether its REST tells spent outputs.
    rest_spent: Option<bool>,
    /// Whether `getblock` takes 3.
    verbose: Option<bool>,
}

impl Bitcoind {
    /// A block, by the best way that there is.
    pub(super) fn fetch(&self, height: u64, hash: &[u8; 32], need: Need) -> Result<UtxoBlock, NodeError> {
        match need {
            // Genesis spends nothing.
            Need::Spent if height > 0 => self.fetch_with_spent(height, hash),
            _ => {
                let bytes = self.block_bytes(hash)?;
                self.decoded(height, hash, &bytes)
            }
        }
    }

    fn fetch_with_spent(&self, height: u64, hash: &[u8; 32]) -> Result<UtxoBlock, NodeError> {
        if !self.has_rest_spent()? {
            return self.printed(height, hash);
        }
        let path = format!("/rest/spenttxouts/{}.bin", txid_text(hash));
        let Some(spent) = self.rpc().rest(&path, UNDO_BYTES_MAX as u64)? else { return self.printed(height, hash) };
        let bytes = self.block_bytes(hash)?;
        let mut block = self.decoded(height, hash, &bytes)?;
        let attached = spent_outputs(&spent).and_then(|undo| attach(&mut block, &undo));
        attached.map_err(|problem| self.bad_block(height, hash, format!("its spent outputs, {problem}")))?;
        Ok(block)
    }

    fn has_rest(&self) -> Result<bool, NodeError> {
        if let Some(known) = self.means().rest {
            return Ok(known);
        }
        let has = self.rpc().rest("/rest/chaininfo.json", crate::wire::SMALL_BYTES_MAX)?.is_some();
        self.means().rest = Some(has);
        Ok(has)
    }

    fn has_rest_spent(&self) -> Result<bool, NodeError> {
        if let Some(known) = self.means().rest_spent {
            return Ok(known);
        }
        let has = self.has_rest()? && {
            let path = format!("/rest/spenttxouts/{}.bin", txid_text(&self.best()?));
            self.rpc().rest(&path, UNDO_BYTES_MAX as u64)?.is_some()
        };
        self.means().rest_spent = Some(has);
        Ok(has)
    }

    fn block_bytes(&self, hash: &[u8; 32]) -> Result<Vec<u8>, NodeError> {
        let hash = txid_text(hash);
        if self.has_rest()?
            && let Some(bytes) = self.rpc().rest(&format!("/rest/block/{hash}.bin"), BLOCK_BYTES_MAX as u64)?
        {
            return Ok(bytes);
        }
        let limit = 2 * BLOCK_BYTES_MAX as u64 + FRAME_BYTES_MAX;
        self.rpc().call_raw("getblock", &format!(r#"["{hash}",0]"#), limit, |json| {
            let text = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            text.and_then(hex::bytes).ok_or_else(|| self.rpc().strange("getblock", "the block is not in hex"))
        })
    }

    fn decoded(&self, height: u64, hash: &[u8; 32], bytes: &[u8]) -> Result<UtxoBlock, NodeError> {
        let decoded = block(bytes, self.network(), height, Options { check_work: true });
        let block = decoded.map_err(|problem| self.bad_block(height, hash, problem.to_string()))?;
        if block.hash == *hash {
            return Ok(block);
        }
        Err(self.bad_block(height, hash, format!("the node sent block {} instead", txid_text(&block.hash))))
    }

    fn bad_block(&self, height: u64, hash: &[u8; 32], what: impl Into<String>) -> NodeError {
        NodeError::Block { node: self.name(), height, hash: txid_text(hash), what: what.into() }
    }

    /// A block out of `getblock`'s JSON, with its header asked for as well, since the JSON alone proves nothing.
    fn printed(&self, height: u64, hash: &[u8; 32]) -> Result<UtxoBlock, NodeError> {
        let verbose = self.means().verbose.unwrap_or(true);
        let block = match self.get_block_json(height, hash, if verbose { 3 } else { 2 }) {
            Err(NodeError::Rpc { code, .. }) if verbose && CODES_PARAMETER.contains(&code) => {
                self.means().verbose = Some(false);
                self.get_block_json(height, hash, 2)?
            }
            block => block?,
        };
        let header: String = self.rpc().call("getblockheader", &format!(r#"["{}",false]"#, txid_text(hash)))?;
        let header = hex::bytes(&header).as_deref().and_then(BlockHeader::of);
        let header = header.ok_or_else(|| self.bad_block(height, hash, "its header is not 80 bytes in hex"))?;
        let has_work = self.network().header != Header::Work || header.meets_target(hash);
        proved(&block, hash, &header, has_work).map_err(|what| self.bad_block(height, hash, what))?;
        Ok(UtxoBlock { height, ..block })
    }

    fn get_block_json(&self, height: u64, hash: &[u8; 32], verbosity: u8) -> Result<UtxoBlock, NodeError> {
        let params = format!(r#"["{}",{verbosity}]"#, txid_text(hash));
        let Identity { ledger, asset, .. } = self.identity();
        self.rpc().call_raw("getblock", &params, BLOCK_LINE_BYTES_MAX as u64, |json| {
            let mut blocks = BlockReader::new(json.as_bytes(), ledger.clone(), asset.scale);
            let block = blocks.next().ok_or_else(|| self.rpc().strange("getblock", "an empty answer"))?;
            block.map(|line| line.block).map_err(|error| match error {
                DecodeError::Fault(fault) => self.bad_block(height, hash, fault.to_string()),
                DecodeError::Read(error) => self.bad_block(height, hash, error.to_string()),
            })
        })
    }
}

/// Holds a printed block against its header, whose hash must be the one that was asked for.
fn proved(block: &UtxoBlock, hash: &[u8; 32], header: &BlockHeader, has_work: bool) -> Result<(), String> {
    let previous = Some(header.previous()).filter(|previous| *previous != [0; 32]);
    let mut txids: Vec<[u8; 32]> = block.transactions.iter().map(|transaction| transaction.txid).collect();
    let differs = if header.hash() != *hash || block.hash != *hash {
        "hash"
    } else if !has_work {
        "work"
    } else if block.previous != previous {
        "parent"
    } else if block.time.micros() != i64::from(header.time_seconds()) * 1_000_000 {
        "time"
    } else if merkle_root(&mut txids) != Some(header.merkle_root()) {
        "merkle root"
    } else {
        return Ok(());
    };
    Err(format!("its {differs} is not what its header proves"))
}
