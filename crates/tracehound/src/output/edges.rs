//! Hops with names: what a spreadsheet needs to redo each of them.

use std::collections::BTreeMap;

use ledger::End;
use serde::Serialize;

use crate::tracing::case::{Case, OnLedger};
use crate::tracing::result::EdgeRecord;

/// One hop, as JSON and CSV print it.
#[derive(Serialize)]
pub struct EdgeRow {
    pub seq: u64,
    pub ledger: String,
    pub tx: String,
    pub time: String,
    pub step: &'static str,
    pub from: Option<String>,
    pub to: Option<String>,
    pub purse_from: Option<String>,
    pub purse_to: Option<String>,
    pub asset: String,
    pub amount: String,
    /// What the payer's purse, or the transaction's pot, held just before.
    pub balance_before: String,
    /// How much of that was loot, per incident.
    pub held_before: BTreeMap<String, String>,
    /// How much of the movement is loot, per incident.
    pub traced: BTreeMap<String, String>,
    /// The same in the stolen asset, per incident and asset.
    pub origin: BTreeMap<String, BTreeMap<String, String>>,
    /// Where the loot lies within the movement (FIFO, LIFO), from the unit that left first: [start, amount].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lots: Vec<(String, String)>,
    /// How the trace ends here, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    pub basis: &'static str,
}

/// Gives a hop its names. `number` counts the hops of the whole result from 1.
pub fn row(case: &Case, on: &OnLedger, record: &EdgeRecord, number: u64, with_lots: bool) -> EdgeRow {
    let ledger = on.ledger.as_ledger();
    let asset = ledger.asset(record.asset);
    let tx = ledger.transaction_name(record.seq);
    let holder = |end: End| match end {
        End::Purse(purse) => Some(ledger.holder_name(ledger.purse(purse).holder)),
        End::Pot => Some(format!("tx:{tx}")),
        End::Fee => Some("fee".to_owned()),
        End::Drift => Some("drift".to_owned()),
        End::Outside => None,
    };
    let purse = |end: End| end.purse().map(|purse| ledger.purse_name(purse));
    let mut held: BTreeMap<String, money::Amount> = BTreeMap::new();
    for (label, amount) in &record.held {
        *held.entry(case.loot[label.0 as usize].incident.clone()).or_default() += *amount;
    }
    let mut traced: BTreeMap<String, money::Amount> = BTreeMap::new();
    let mut origin: BTreeMap<String, BTreeMap<String, money::Amount>> = BTreeMap::new();
    for (label, _, amount, stolen) in &record.portions {
        let loot = &case.loot[label.0 as usize];
        *traced.entry(loot.incident.clone()).or_default() += *amount;
        let by_asset = origin.entry(loot.incident.clone()).or_default();
        *by_asset.entry(loot.asset.symbol.clone()).or_default() += *stolen;
    }
    let text = |amounts: BTreeMap<String, money::Amount>| {
        amounts.into_iter().map(|(name, amount)| (name, asset.text(amount))).collect()
    };
    let origin_text = |incident: &str, by_asset: BTreeMap<String, money::Amount>| {
        let unit = |symbol: &str| {
            case.loot
                .iter()
                .find(|loot| loot.incident == incident && loot.asset.symbol == symbol)
                .map(|loot| &loot.asset)
        };
        by_asset
            .into_iter()
            .map(|(symbol, amount)| {
                let text = unit(&symbol).map_or_else(String::new, |unit| unit.text(amount));
                (symbol, text)
            })
            .collect()
    };
    EdgeRow {
        seq: number,
        ledger: on.id.to_string(),
        time: ledger.stamp(record.seq).time.to_string(),
        step: record.step.name(),
        from: holder(record.payer),
        to: holder(record.payee),
        purse_from: purse(record.payer),
        purse_to: purse(record.payee),
        asset: asset.symbol.clone(),
        amount: asset.text(record.amount),
        balance_before: asset.text(record.before),
        held_before: text(held),
        traced: text(traced),
        origin: origin.into_iter().map(|(incident, by)| (incident.clone(), origin_text(&incident, by))).collect(),
        lots: if with_lots {
            record.portions.iter().map(|(_, place, amount, _)| (asset.text(*place), asset.text(*amount))).collect()
        } else {
            Vec::new()
        },
        end: record.end.map(|(kind, reason)| format!("{kind}: {reason}")),
        basis: match (record.over_link, record.step) {
            (true, _) => "link",
            (false, trace::Step::Swap) => "rule",
            (false, _) => "fact",
        },
        tx,
    }
}
