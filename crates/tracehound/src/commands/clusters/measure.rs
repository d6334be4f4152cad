//! `clusters measure DIR`: holds verdicts and clusters against a truth: who owned what, and what each transaction was made as.
//!
//! The truth is two files as the exercise of wallets writes them; anybody may write such files about another chain.

use std::io::Write;
use std::path::Path;

use cluster::{BANDS_PERMILLE, Layer, Leads, Measured, Score, Share, Taken, judge_leads};
use serde_json::{Value, json};

use crate::commands::stdout;
use crate::exit::{Exit, Failure};
use crate::output::text::grouped;

use super::Desk;
use super::known::Known;
use super::services::detected;

/// The format of `clusters measure --json`.
const SCHEMA: &str = "tracehound/measured/1";

pub fn run(desk: &Desk, folder: &Path, is_json: bool) -> Result<Exit, Failure> {
    let known = Known::read(folder, &desk.id, &desk.coins)?;
    let verdict = |seq| desk.kept.verdict(seq);
    let [co_spend, change] = Layer::ALL.map(|layer| move |holder| desk.kept.cluster(holder, layer));
    let layers: [(Layer, cluster::ClusterOf<'_>); 2] = [(Layer::CoSpend, &co_spend), (Layer::Change, &change)];
    let found = cluster::measure(&desk.coins, &known, &verdict, &layers);
    let leads = judge_leads(&detected(desk)?, desk.coins.holders(), &known);
    let mut out = stdout();
    if is_json {
        writeln!(out, "{}", as_json(&found, &leads, desk.id.as_str()))?;
    } else {
        tables(&mut out, &found)?;
        lead_table(&mut out, &leads)?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// A share for reading, in hundredths of a per cent.
fn percent(hundredths: f64) -> String {
    format!("{:.2} %", hundredths / 100.0)
}

pub fn shown(share: Share) -> String {
    if share.of == 0 {
        return "nothing to judge".to_owned();
    }
    format!(
        "{} ({} to {}) of {}",
        // Rounded down, so that 100 % is all of them; the upper end up.
        percent((share.share * 10_000.0).floor()),
        percent((share.low * 10_000.0).floor()),
        percent((share.high * 10_000.0).ceil()),
        grouped(&share.of.to_string())
    )
}

/// Markdown tables, as they stand in docs/methods.
fn tables(out: &mut impl Write, found: &Measured) -> std::io::Result<()> {
    writeln!(out, "| what | right (95 % interval) |\n|---|---|")?;
    let all = [
        ("taken for a join: several owners paid", found.join_precision),
        ("several owners paid: taken for a join, or left apart", found.join_recall),
        ("co-spend applied: one owner", found.co_spend),
        ("called change: the payer's own", found.change[0]),
        ("has change: it was found", found.change_recall),
    ];
    for (what, share) in all {
        writeln!(out, "| {what} | {} |", shown(share))?;
    }
    for (band, from) in BANDS_PERMILLE.iter().enumerate().filter(|(band, _)| found.change[1 + band].of > 0) {
        let until = BANDS_PERMILLE.get(1 + band).map_or(1000, |next| next - 1);
        writeln!(out, "| called change with {from} to {until} thousandths | {} |", shown(found.change[1 + band]))?;
    }
    let heads =
        ["layer", "pairs, precision", "pairs, recall", "value, precision", "value, recall", "clusters", "mixed"];
    heading(out, &heads)?;
    for (layer, score) in &found.layers {
        let Score { pair_precision, pair_recall, value_precision, value_recall, mixed_clusters, clusters } = score;
        let shares = [pair_precision, pair_recall, value_precision, value_recall].map(|share| shown(*share));
        let counts = [clusters, mixed_clusters].map(|count| grouped(&count.to_string()));
        writeln!(out, "| {} | {} | {} |", layer.as_str(), shares.join(" | "), counts.join(" | "))?;
    }
    let heads = ["made as", "several owners", "transactions", "taken for joins", "left apart", "united", "wrongly"];
    heading(out, &heads)?;
    for (kind, taken) in &found.kinds {
        let Taken { transactions, joins, doubtful, united, wrongly, is_join } = taken;
        let numbers = [transactions, joins, doubtful, united, wrongly].map(|number| grouped(&number.to_string()));
        let several = if *is_join { "yes" } else { "no" };
        writeln!(out, "| {kind} | {several} | {} |", numbers.join(" | "))?;
    }
    Ok(())
}

fn lead_table(out: &mut impl Write, leads: &[Leads]) -> std::io::Result<()> {
    heading(out, &["told by how money moves", "right", "wrong", "right (95 % interval)", "of those there are, told"])?;
    for Leads { kind, right, wrong, precision, recall } in leads {
        let kind = kind.map_or("of any kind", cluster::ServiceKind::as_str);
        let [right, wrong] = [right, wrong].map(|number| grouped(&number.to_string()));
        writeln!(out, "| service, {kind} | {right} | {wrong} | {} | {} |", shown(*precision), shown(*recall))?;
    }
    Ok(())
}

fn heading(out: &mut impl Write, heads: &[&str]) -> std::io::Result<()> {
    writeln!(out, "\n| {} |\n|{}", heads.join(" | "), "---|".repeat(heads.len()))
}

fn as_json(found: &Measured, leads: &[Leads], ledger: &str) -> Value {
    let share =
        |share: Share| json!({"share": share.share, "low": share.low, "high": share.high, "of": share.of.to_string()});
    let kinds = found.kinds.iter().map(|(kind, taken)| {
        json!({
            "kind": kind, "is_join": taken.is_join, "transactions": taken.transactions, "joins": taken.joins,
            "left_apart": taken.doubtful, "united": taken.united, "wrongly": taken.wrongly,
        })
    });
    let layers = found.layers.iter().map(|(layer, score)| {
        json!({
            "layer": layer.as_str(), "pair_precision": share(score.pair_precision), "pair_recall": share(score.pair_recall),
            "value_precision": share(score.value_precision), "value_recall": share(score.value_recall),
            "clusters": score.clusters, "mixed_clusters": score.mixed_clusters,
        })
    });
    let services = leads.iter().map(|lead| {
        json!({
            "kind": lead.kind.map(cluster::ServiceKind::as_str), "right": lead.right, "wrong": lead.wrong,
            "precision": share(lead.precision), "recall": share(lead.recall),
        })
    });
    let bands = BANDS_PERMILLE
        .iter()
        .enumerate()
        .map(|(band, from)| json!({"from_permille": from, "right": share(found.change[1 + band])}));
    json!({
        "schema": SCHEMA, "ledger": ledger, "join_precision": share(found.join_precision),
        "join_recall": share(found.join_recall), "co_spend": share(found.co_spend), "change": share(found.change[0]),
        "change_bands": bands.collect::<Vec<_>>(), "change_recall": share(found.change_recall),
        "kinds": kinds.collect::<Vec<_>>(), "layers": layers.collect::<Vec<_>>(),
        "services": services.collect::<Vec<_>>(),
    })
}
