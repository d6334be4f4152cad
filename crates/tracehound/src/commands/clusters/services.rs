//! `clusters services`: services that show without a tag, by how they move money. Each is a lead, with its evidence.
//!
//! What is looked for and how often it is wrong: `docs/methods/services.md`. Nothing here becomes a tag.

use std::collections::BTreeMap;
use std::io::Write;

use cluster::{Chain, DETECTION_METHOD, DETECTION_VERSION, Detection, Layer, ServiceKind};
use serde_json::{Value, json};

use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::output::text::counted;

use super::{Desk, as_of};

/// The format of `clusters services --json`.
const SCHEMA: &str = "tracehound/services/1";

/// The services that show on a chain.
pub fn detected(desk: &Desk) -> Result<Vec<Detection>, Failure> {
    let clusters = desk.kept.clusters(&desk.coins)?;
    Ok(clusters.detect(&Chain { coins: &desk.coins, verdicts: &desk.kept, services: &() }))
}

pub fn run(desk: &Desk, is_json: bool) -> Result<Exit, Failure> {
    let found = detected(desk)?;
    let mut out = stdout();
    if is_json {
        for one in &found {
            writeln!(out, "{}", line(desk, one))?;
        }
    } else {
        let mut deposits: BTreeMap<_, u64> = BTreeMap::new();
        for hub in found.iter().filter_map(|one| one.of) {
            *deposits.entry(hub).or_default() += 1;
        }
        for one in found.iter().filter(|one| one.kind != ServiceKind::Deposit) {
            writeln!(out, "{}", text(desk, one, deposits.get(&one.holder).copied()))?;
        }
        writeln!(out, "leads, not findings: told by how money moves ({DETECTION_METHOD}/{DETECTION_VERSION})")?;
        writeln!(out, "as of {}", desk.as_of())?;
    }
    out.flush()?;
    if found.is_empty() {
        say("no service shows");
    }
    Ok(Exit::Done)
}

fn oldest(desk: &Desk, one: &Detection) -> String {
    desk.name(desk.kept.cluster(one.holder, Layer::CoSpend))
}

fn text(desk: &Desk, one: &Detection, deposits: Option<u64>) -> String {
    let seen = match one.kind {
        ServiceKind::HotWallet | ServiceKind::Deposit => "sweep",
        ServiceKind::BatchPayer => "batch payment",
        ServiceKind::Pool => "coinbase",
    };
    let deposits = deposits.map_or_else(String::new, |count| format!(", {count} deposit addresses"));
    let first = one.evidence.first().map_or_else(String::new, |seq| desk.coins_name(*seq));
    format!(
        "{} {} (cluster of {}): score {}.{} %, {}{deposits}, first {first}",
        one.kind.as_str(),
        desk.name(one.holder),
        oldest(desk, one),
        one.score_permille / 10,
        one.score_permille % 10,
        counted(one.count, seen),
    )
}

fn line(desk: &Desk, one: &Detection) -> Value {
    let evidence: Vec<String> = one.evidence.iter().map(|seq| desk.coins_name(*seq)).collect();
    json!({
        "schema": SCHEMA, "ledger": desk.id.to_string(), "basis": "lead", "kind": one.kind.as_str(),
        "address": desk.name(one.holder), "cluster": oldest(desk, one), "of": one.of.map(|hub| desk.name(hub)),
        "score_permille": one.score_permille, "count": one.count, "evidence": evidence,
        "method": {"name": DETECTION_METHOD, "version": DETECTION_VERSION}, "as_of": as_of(desk),
    })
}
