//! The mempool, looked at: what a node holds that no block has confirmed. These are plain values; nothing of them comes
//! near the book, because any of it may never happen.

use std::collections::BTreeMap;

use decode::bitcoin::transaction;
use ledger::{Time, UtxoTransaction, txid_bytes, txid_text};
use money::{Amount, Decimal};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::bitcoind::Bitcoind;
use crate::wire::NodeError;

/// The longest listing. A full mempool of 300 MB prints as about 100 MB.
const LISTING_BYTES_MAX: u64 = 512 << 20;
/// A transaction in hex is at most twice a block.
const TRANSACTION_BYTES_MAX: u64 = 64 << 20;
/// "No such mempool transaction" (`RPC_INVALID_ADDRESS_OR_KEY`).
const CODE_UNKNOWN: i64 = -5;

/// A transaction that no block has confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unconfirmed {
    /// Its id, in internal byte order.
    pub txid: [u8; 32],
    /// What it pays to whoever confirms it, in base units.
    pub fee: Amount,
    /// Its size as fees are reckoned, in virtual bytes.
    pub size_vbytes: u64,
    /// When this node first saw it.
    pub time: Time,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    fees: Fees<'a>,
    vsize: u64,
    time: i64,
}

#[derive(Deserialize)]
struct Fees<'a> {
    #[serde(borrow)]
    base: &'a RawValue,
}

/// Everything in the node's mempool, oldest first.
pub fn mempool(node: &Bitcoind) -> Result<Vec<Unconfirmed>, NodeError> {
    node.rpc().call_raw("getrawmempool", "[true]", LISTING_BYTES_MAX, |json| {
        let entries: BTreeMap<&str, Entry<'_>> =
            serde_json::from_str(json).map_err(|error| node.rpc().strange("getrawmempool", &error.to_string()))?;
        let read = |(txid, entry): (&&str, &Entry<'_>)| {
            let txid = txid_bytes(txid).ok_or("a transaction's id is no id");
            txid.and_then(|txid| unconfirmed(txid, entry, node.identity().asset.scale))
        };
        let all: Result<Vec<Unconfirmed>, &str> = entries.iter().map(read).collect();
        let mut all = all.map_err(|what| node.rpc().strange("getrawmempool", what))?;
        // Ids are in order already, as people write them.
        all.sort_by_key(|entry| entry.time);
        Ok(all)
    })
}

/// One transaction of the node's mempool with its inputs and outputs; `None` if it is not there.
pub fn mempool_transaction(
    node: &Bitcoind,
    txid: &[u8; 32],
) -> Result<Option<(Unconfirmed, UtxoTransaction)>, NodeError> {
    let rpc = node.rpc();
    let name = txid_text(txid);
    let entry = rpc.call_raw("getmempoolentry", &format!(r#"["{name}"]"#), crate::wire::SMALL_BYTES_MAX, |json| {
        let entry: Entry<'_> =
            serde_json::from_str(json).map_err(|error| rpc.strange("getmempoolentry", &error.to_string()))?;
        unconfirmed(*txid, &entry, node.identity().asset.scale).map_err(|what| rpc.strange("getmempoolentry", what))
    });
    let entry = match entry {
        Err(NodeError::Rpc { code: CODE_UNKNOWN, .. }) => return Ok(None),
        entry => entry?,
    };
    let bytes = rpc.call_raw("getrawtransaction", &format!(r#"["{name}",false]"#), TRANSACTION_BYTES_MAX, |json| {
        let text = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        text.and_then(ledger::hex::bytes)
            .ok_or_else(|| rpc.strange("getrawtransaction", "the transaction is not in hex"))
    });
    let bytes = match bytes {
        // It was there just now: a block has it, or another has taken its place.
        Err(NodeError::Rpc { code: CODE_UNKNOWN, .. }) => return Ok(None),
        bytes => bytes?,
    };
    let decoded = transaction(&bytes, node.network());
    let decoded = decoded.map_err(|problem| rpc.strange("getrawtransaction", &problem.to_string()))?;
    if decoded.txid != *txid {
        return Err(rpc.strange("getrawtransaction", "this is another transaction than was asked for"));
    }
    Ok(Some((entry, decoded)))
}

fn unconfirmed(txid: [u8; 32], entry: &Entry<'_>, scale: u8) -> Result<Unconfirmed, &'static str> {
    let fee = Decimal::parse_scientific(entry.fees.base.get()).ok().and_then(|fee| fee.to_amount(scale).ok());
    let fee = fee.ok_or("a fee is no amount of the coin")?;
    let time = Time::from_seconds(entry.time).ok_or("a time is no time")?;
    Ok(Unconfirmed { txid, fee, size_vbytes: entry.vsize, time })
}
