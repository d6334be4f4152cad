//! [`Records`]: what THORChain's own blocks, or Midgard's export of them, say came in and went out.
//!
//! It collects; [`mod@super::pair`] makes claims of it. It takes three forms of record, each a JSON document:
//!
//! | form | told by | what it is | source |
//! |---|---|---|---|
//! | a block of THORNode, `/thorchain/block?height=N` | `header` and `txs` | messages and events | THORNode `openapi.yaml` (`BlockResponse`), `x/thorchain/querier.go` (`eventMap`) |
//! | `block_results` of CometBFT | `txs_results`, `finalize_block_events`, … | events | CometBFT `rpc/core/types/responses.go`; keys and values are base64 before 0.37 |
//! | Midgard's `/v2/actions` | `actions` | in and out already joined | Midgard `openapi.yaml` |
//! | a registered memo, `/thorchain/memo/…` | `reference` and `memo` | which digits stand for which memo | THORNode `openapi.yaml` |
//!
//! An outbound counts when the protocol accepted it (an `outbound` event): a vault's attempt that was only observed may
//! have failed and been paid again by another vault. What came in is known from messages of observers (each may be
//! wrong: what most of them say counts), from a quorum's message, from a native deposit, or, without any, from events.

use std::collections::{BTreeMap, BTreeSet};

use super::asset::Asset;
use super::chains::Scheme;
use super::memo::tx_id;

mod forms;

/// The longest document. A block of THORChain is well below a megabyte.
pub const DOCUMENT_BYTES_MAX: usize = 64 << 20;
/// How many inbound transactions, and outbounds, are kept at most.
pub const ENTRIES_MAX: usize = 20_000_000;
/// How many versions of one inbound transaction are kept: observers rarely disagree.
const VERSIONS_MAX: usize = 8;
/// How many problems are told in words.
const PROBLEMS_MAX: usize = 1_000;

/// An amount as the protocol counts it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coin {
    /// Of what.
    pub asset: Asset,
    /// How much, mostly in 1e-8.
    pub amount: u128,
    /// The asset's own decimals, where the record says them.
    pub decimals: Option<u8>,
}

/// A payment to a vault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Inbound {
    /// The chain that it was made on.
    pub chain: String,
    /// Who paid.
    pub from: String,
    /// The vault; empty where the record does not name it.
    pub to: String,
    /// What was paid.
    pub coins: Vec<Coin>,
    /// What for.
    pub memo: String,
}

/// A payment from a vault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outbound {
    /// Its transaction: 64 hex digits in lower case; nothing for one within THORChain, which has no id of its own.
    pub tx: Option<String>,
    /// The chain that it was made on.
    pub chain: String,
    /// Who was paid.
    pub to: String,
    /// What was paid.
    pub coin: Coin,
    /// Whether it was a refund.
    pub refund: bool,
    /// Whether the record calls it an affiliate's fee.
    pub affiliate: bool,
    /// The block of THORChain that accepted it.
    pub height: u64,
}

/// A memo that was kept for a payment without one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Registration {
    /// What the payment is made in.
    pub asset: Asset,
    /// What it stands for.
    pub memo: String,
    /// The digits that the amount must end in, where the record says them.
    pub reference: Option<String>,
    /// When it was registered, by THORChain's height.
    pub height: u64,
    /// The transaction that registered it.
    pub tx: String,
}

/// How far a version of an inbound transaction can be trusted, and how often it was told.
#[derive(Clone, Debug)]
struct Version {
    inbound: Inbound,
    rank: Rank,
    told: u32,
    height: u64,
}

/// Where it is known from, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Parts of a swap, added up.
    Parts,
    /// An event that holds the whole.
    Event,
    /// A single observer's message.
    Observer,
    /// A quorum's message, a native deposit, or Midgard.
    Agreed,
}

/// What was read so far.
#[derive(Debug, Default)]
pub struct Records {
    /// Whose records they are.
    pub scheme: Scheme,
    inbound: BTreeMap<String, Vec<Version>>,
    from_blocks: BTreeMap<String, Vec<Outbound>>,
    from_midgard: BTreeMap<String, Vec<Outbound>>,
    registrations: BTreeSet<Registration>,
    heights: BTreeSet<u64>,
    entries: usize,
    problems: Vec<String>,
    problems_unsaid: u64,
}

/// What a document held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Blocks.
    pub blocks: u64,
    /// Actions of Midgard.
    pub actions: u64,
    /// Registered memos.
    pub registrations: u64,
}

impl Records {
    /// Nothing yet, of that protocol.
    pub fn new(scheme: Scheme) -> Self {
        Self { scheme, ..Self::default() }
    }

    /// Takes a document in. What is wrong with it is said; what it held before that place is kept.
    pub fn add(&mut self, text: &str) -> Result<Added, String> {
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(format!("the document is longer than {DOCUMENT_BYTES_MAX} bytes"));
        }
        let document = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
        self.document(&document, 0)
    }

    /// The inbound transaction of that id, as most of the best sources say it, and when THORChain took note of it.
    pub fn inbound(&self, tx: &str) -> Option<(&Inbound, u64)> {
        let versions = self.inbound.get(tx)?;
        // Of equals the first in order, so that the order of files does not matter.
        let best = versions
            .iter()
            .max_by(|a, b| (a.rank, a.told).cmp(&(b.rank, b.told)).then_with(|| b.inbound.cmp(&a.inbound)))?;
        Some((&best.inbound, best.height))
    }

    /// The ids of all inbound transactions, ascending.
    pub fn inbound_ids(&self) -> impl Iterator<Item = &str> {
        self.inbound.keys().map(String::as_str)
    }

    /// What answered an inbound transaction, in order; blocks before Midgard, which says the same less exactly.
    pub fn outbounds(&self, tx: &str) -> &[Outbound] {
        self.from_blocks.get(tx).or_else(|| self.from_midgard.get(tx)).map_or(&[], Vec::as_slice)
    }

    /// The ids of all inbound transactions that were answered, ascending.
    pub fn answered(&self) -> BTreeSet<&str> {
        self.from_blocks.keys().chain(self.from_midgard.keys()).map(String::as_str).collect()
    }

    /// The memos that were registered.
    pub const fn registrations(&self) -> &BTreeSet<Registration> {
        &self.registrations
    }

    /// How many blocks were read, the first and the last of them.
    pub fn blocks(&self) -> Option<(usize, u64, u64)> {
        Some((self.heights.len(), *self.heights.first()?, *self.heights.last()?))
    }

    /// What could not be read, and how much more of it there was than is said.
    pub fn problems(&self) -> (&[String], u64) {
        (&self.problems, self.problems_unsaid)
    }

    fn problem(&mut self, what: impl FnOnce() -> String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(what());
        } else {
            self.problems_unsaid += 1;
        }
    }

    /// Whether there is room for one more entry.
    fn room(&mut self) -> bool {
        self.entries += 1;
        if self.entries == ENTRIES_MAX + 1 {
            self.problem(|| format!("there are more than {ENTRIES_MAX} entries: the rest is left out"));
        }
        self.entries <= ENTRIES_MAX
    }

    fn note_inbound(&mut self, id: &str, inbound: Inbound, rank: Rank, height: u64) {
        let Some(id) = tx_id(id) else { return };
        if !self.inbound.contains_key(&id) && !self.room() {
            return;
        }
        let versions = self.inbound.entry(id).or_default();
        if let Some(same) = versions.iter_mut().find(|version| version.rank == rank && version.inbound == inbound) {
            same.told = same.told.saturating_add(1);
            same.height = same.height.min(height);
        } else if versions.len() < VERSIONS_MAX {
            versions.push(Version { inbound, rank, told: 1, height });
        }
    }

    /// Adds a part of a swap to what the parts before it made.
    fn note_part(&mut self, id: &str, part: Inbound, height: u64) {
        let Some(key) = tx_id(id) else { return };
        let known = self.inbound.get_mut(&key).and_then(|versions| {
            versions.iter_mut().find(|version| version.rank == Rank::Parts && version.inbound.chain == part.chain)
        });
        let Some(known) = known else { return self.note_inbound(id, part, Rank::Parts, height) };
        known.height = known.height.min(height);
        for coin in part.coins {
            match known.inbound.coins.iter_mut().find(|other| other.asset == coin.asset) {
                Some(same) => same.amount = same.amount.saturating_add(coin.amount),
                None => known.inbound.coins.push(coin),
            }
        }
    }

    fn note_outbound(&mut self, answers: &str, outbound: Outbound, from_midgard: bool) {
        let Some(answers) = tx_id(answers) else { return };
        if !self.room() {
            return;
        }
        let map = if from_midgard { &mut self.from_midgard } else { &mut self.from_blocks };
        let known = map.entry(answers).or_default();
        // Two payments within THORChain may be alike; two on another chain have two ids. Pages of Midgard overlap.
        if (outbound.tx.is_none() && !from_midgard) || !known.contains(&outbound) {
            known.push(outbound);
            known.sort();
        }
    }
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
