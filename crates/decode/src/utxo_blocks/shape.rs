//! The part of Bitcoin Core's `getblock` answer that a ledger needs, borrowed from the line. Everything else is skipped
//! without being built.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub(super) struct Block<'a> {
    #[serde(borrow)]
    pub hash: Cow<'a, str>,
    pub height: u64,
    pub time: i64,
    #[serde(borrow, default)]
    pub previousblockhash: Option<Cow<'a, str>>,
    #[serde(rename = "nTx", default)]
    pub transactions_count: Option<u64>,
    #[serde(borrow)]
    pub tx: Vec<Transaction<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Transaction<'a> {
    #[serde(borrow)]
    pub txid: Cow<'a, str>,
    #[serde(borrow)]
    pub vin: Vec<Input<'a>>,
    #[serde(borrow)]
    pub vout: Vec<Output<'a>>,
    #[serde(borrow, default)]
    pub fee: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Input<'a> {
    #[serde(borrow, default)]
    pub coinbase: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub txid: Option<Cow<'a, str>>,
    #[serde(default)]
    pub vout: Option<u32>,
    #[serde(borrow, default)]
    pub prevout: Option<Spent<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Spent<'a> {
    #[serde(borrow)]
    pub value: &'a RawValue,
    #[serde(borrow, rename = "scriptPubKey")]
    pub script: Script<'a>,
}

#[derive(Deserialize)]
pub(super) struct Output<'a> {
    #[serde(borrow)]
    pub value: &'a RawValue,
    pub n: u64,
    #[serde(borrow, rename = "scriptPubKey")]
    pub script: Script<'a>,
}

#[derive(Deserialize)]
pub(super) struct Script<'a> {
    #[serde(borrow, default)]
    pub hex: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub address: Option<Cow<'a, str>>,
    /// Nodes before version 22 print a list instead.
    #[serde(borrow, default)]
    pub addresses: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow, default, rename = "type")]
    pub kind: Option<Cow<'a, str>>,
}
