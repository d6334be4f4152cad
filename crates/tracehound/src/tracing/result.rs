//! What a trace found, with names in place of numbers: the public result of `docs/trace-result.md`.

use std::collections::BTreeMap;

use ledger::{Seq, Stamp};
use money::{Amount, Asset};
use serde::Serialize;
use trace::{LabelId, Policy, Step};

use crate::tracing::crossed::LinkRow;

/// The version of the result's shape.
pub const SCHEMA: &str = "tracehound/trace/1";

/// Something that the reader of a result should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub kind: &'static str,
    #[serde(rename = "where")]
    pub place: String,
    pub text: String,
}

impl Problem {
    pub fn new(kind: &'static str, place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { kind, place: place.into(), text: text.into() }
    }
}

/// The loot of one incident in one asset.
#[derive(Clone, Debug, Serialize)]
pub struct LootRow {
    pub incident: String,
    pub ledger: String,
    pub asset: String,
    pub amount: String,
    #[serde(skip)]
    pub units: Amount,
    #[serde(skip)]
    pub unit: Asset,
}

/// A part of the loot and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct TerminalRow {
    pub incident: String,
    pub kind: &'static str,
    pub ledger: String,
    pub holder: Option<String>,
    pub purse: Option<String>,
    pub entity: Option<String>,
    /// The entity's id, where `entity` is a name for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    pub asset: String,
    pub amount: String,
    pub origin_ledger: String,
    pub origin_asset: String,
    pub origin_amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<String>,
    pub hops: u32,
    pub since: Option<String>,
    pub reason: &'static str,
    /// `fact` where the ledger alone says so, `claim` where a tag does, `link` where it came over from another ledger.
    pub basis: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimRow>,
    #[serde(skip)]
    pub origin: Amount,
}

/// The tag that makes a place what it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClaimRow {
    pub label: String,
    pub category: String,
    pub pack: String,
    pub source: Option<String>,
    pub confidence: Option<String>,
}

/// A hop, kept compactly until it is printed.
#[derive(Clone, Debug)]
pub struct EdgeRecord {
    pub seq: Seq,
    pub step: Step,
    pub payer: ledger::End,
    pub payee: ledger::End,
    pub asset: ledger::AssetId,
    pub amount: Amount,
    pub before: Amount,
    pub held: Box<[(LabelId, Amount)]>,
    /// (label, place within the movement, amount, origin).
    pub portions: Box<[(LabelId, Amount, Amount, Amount)]>,
    pub end: Option<(&'static str, &'static str)>,
    /// Whether the loot in it came over a link.
    pub over_link: bool,
}

/// How far a ledger goes in this trace.
#[derive(Clone, Debug, Serialize)]
pub struct AsOf {
    pub height: Option<u64>,
    pub time: Option<String>,
    pub transactions: u64,
}

impl AsOf {
    pub fn new(stamp: Option<Stamp>, end: Seq) -> Self {
        let time = stamp.map(|stamp| stamp.time.to_string());
        Self { height: stamp.and_then(|stamp| stamp.height), time, transactions: end.0 }
    }
}

/// The result under one policy.
pub struct TraceResult {
    pub incidents: Vec<String>,
    pub policy: Policy,
    pub as_of: BTreeMap<String, AsOf>,
    pub loot: Vec<LootRow>,
    pub terminals: Vec<TerminalRow>,
    /// What went over links.
    pub links: Vec<LinkRow>,
    /// The hops, ledger by ledger in the case's order.
    pub edges: Vec<Vec<EdgeRecord>>,
    pub problems: Vec<Problem>,
    pub events: u64,
}

impl TraceResult {
    /// What is missing or too much per loot; empty when the account closes.
    pub fn gaps(&self) -> Vec<String> {
        if !self.policy.conserves() {
            return Vec::new();
        }
        let sum = |loot: &LootRow| -> Amount {
            let own = |row: &&TerminalRow| {
                row.incident == loot.incident && row.origin_asset == loot.asset && row.origin_ledger == loot.ledger
            };
            self.terminals.iter().filter(own).map(|row| row.origin).sum()
        };
        let gap = |loot: &&LootRow| sum(loot) != loot.units;
        let text = |loot: &LootRow| {
            format!("{}: {} of {} {} accounted for", loot.incident, loot.unit.text(sum(loot)), loot.amount, loot.asset)
        };
        self.loot.iter().filter(gap).map(text).collect()
    }
}
