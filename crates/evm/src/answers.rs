//! The shapes of a node's answers, field by field, as far as anything here looks at them.
//!
//! Fields that nobody asks for are skipped: nodes and chains add what they like. Nothing is checked here but form.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use crate::words::{Address, Data, Hash, HashBytes, Quantity, Small};

/// A block with its transactions in full.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a block with its fields", bound(deserialize = "'de: 'a"))]
pub struct Block<'a> {
    pub number: Small,
    pub hash: Hash,
    pub parent_hash: Hash,
    pub timestamp: Small,
    #[serde(alias = "author")]
    pub miner: Address,
    pub base_fee_per_gas: Option<Quantity>,
    pub gas_used: Option<Small>,
    pub logs_bloom: Option<Data<'a>>,
    pub receipts_root: Option<Hash>,
    pub withdrawals_root: Option<Hash>,
    /// In headers since the Cancun upgrade.
    pub parent_beacon_block_root: Option<Hash>,
    pub transactions: Vec<Transaction>,
    /// What its miner had to work for; stakers' blocks have none.
    pub difficulty: Option<Quantity>,
    #[serde(default)]
    pub uncles: Vec<Hash>,
    pub withdrawals: Option<Vec<Withdrawal>>,
}

/// A transaction as it stands in its block.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a transaction with its fields, not its hash alone")]
#[expect(clippy::struct_field_names, reason = "the fields are named as the answer names them")]
pub struct Transaction {
    pub hash: Hash,
    pub from: Address,
    pub to: Option<Address>,
    pub value: Quantity,
    pub gas: Small,
    pub gas_price: Option<Quantity>,
    pub max_fee_per_gas: Option<Quantity>,
    pub max_priority_fee_per_gas: Option<Quantity>,
    pub block_hash: Option<Hash>,
    pub block_number: Option<Small>,
    pub transaction_index: Option<Small>,
    /// What a deposit from the chain below brings into being (OP Stack).
    pub mint: Option<Quantity>,
}

/// What a staker gets from the beacon chain, in gwei.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a withdrawal with its fields")]
pub struct Withdrawal {
    pub index: Option<Small>,
    pub validator_index: Option<Small>,
    pub address: Address,
    pub amount: Small,
}

/// What became of a transaction.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a receipt with its fields", bound(deserialize = "'de: 'a"))]
pub struct Receipt<'a> {
    pub transaction_hash: Hash,
    pub transaction_index: Small,
    pub block_hash: Hash,
    pub block_number: Small,
    pub gas_used: Small,
    pub cumulative_gas_used: Option<Small>,
    pub effective_gas_price: Option<Quantity>,
    /// 1 or 0; absent before the Byzantium upgrade.
    pub status: Option<Small>,
    /// The state after the transaction, before the Byzantium upgrade.
    pub root: Option<Data<'a>>,
    #[serde(rename = "type")]
    pub kind: Option<Small>,
    pub logs_bloom: Option<Data<'a>>,
    pub contract_address: Option<Address>,
    pub blob_gas_used: Option<Small>,
    pub blob_gas_price: Option<Quantity>,
    pub l1_fee: Option<Quantity>,
    pub logs: Vec<Log<'a>>,
}

/// What a contract wrote.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a log with its fields", bound(deserialize = "'de: 'a"))]
#[expect(clippy::struct_field_names, reason = "the fields are named as the answer names them")]
pub struct Log<'a> {
    pub address: Address,
    pub topics: Topics,
    pub data: Data<'a>,
    pub block_hash: Hash,
    pub block_number: Small,
    pub transaction_hash: Hash,
    pub transaction_index: Small,
    pub log_index: Small,
    #[serde(default)]
    pub removed: bool,
}

impl Log<'_> {
    /// The words of the event: the indexed ones, then those of the data. `None` past the end.
    pub fn word(&self, at: usize) -> Option<HashBytes> {
        let indexed = self.topics.as_slice().get(1..).unwrap_or_default();
        indexed.get(at).copied().or_else(|| self.data.word(at.checked_sub(indexed.len())?))
    }
}

/// The most topics that the EVM lets a log have.
const TOPICS_MAX: usize = 4;

/// The topics of a log, without a place on the heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    words: [HashBytes; TOPICS_MAX],
    count: usize,
}

impl Topics {
    /// The topics in order.
    pub fn as_slice(&self) -> &[HashBytes] {
        &self.words[..self.count]
    }

    /// The first, which names the event unless it is anonymous.
    pub fn first(&self) -> Option<&HashBytes> {
        self.as_slice().first()
    }

    /// One more; `false` where there are four already.
    pub fn push(&mut self, word: HashBytes) -> bool {
        let free = self.words.get_mut(self.count);
        let fits = free.is_some();
        if let Some(place) = free {
            *place = word;
            self.count += 1;
        }
        fits
    }
}

struct TopicsVisitor;

impl<'de> Visitor<'de> for TopicsVisitor {
    type Value = Topics;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of up to four topics")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Topics, A::Error> {
        let mut topics = Topics::default();
        while let Some(Hash(word)) = list.next_element()? {
            if !topics.push(word) {
                return Err(A::Error::invalid_length(TOPICS_MAX + 1, &self));
            }
        }
        Ok(topics)
    }
}

impl<'de> Deserialize<'de> for Topics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(TopicsVisitor)
    }
}
