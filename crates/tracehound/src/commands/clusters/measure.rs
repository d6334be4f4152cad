//! `clusters measure DIR`: holds verdicts and clusters against a truth: who owned what, and what each transaction was made as.
//!
//! The truth is two files as the exercise of wallets writes them; anybody may write such files about another chain.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use book::UtxoLedger;
use cluster::{BANDS_PERMILLE, Layer, Made, Measured, Score, Share, Taken, Truth};
use exercise::wallets::Kind;
use exercise::wallets::truth::{each_made, each_owner};
use ledger::{HolderId, Ledger as _, Seq};
use serde_json::{Value, json};

use crate::commands::stdout;
use crate::exit::{Exit, Failure};
use crate::output::text::grouped;

use super::Desk;

/// The format of `clusters measure --json`.
const SCHEMA: &str = "tracehound/measured/1";

pub fn run(desk: &Desk, folder: &Path, is_json: bool) -> Result<Exit, Failure> {
    let Some(known) = Known::read(folder, &desk.coins)? else {
        let text = format!("{} has none of the addresses of {}; say --ledger", desk.id, folder.display());
        return Err(Failure::missing(text));
    };
    let verdict = |seq| desk.kept.verdict(seq);
    let [co_spend, change] = Layer::ALL.map(|layer| move |holder| desk.kept.cluster(holder, layer));
    let layers: [(Layer, cluster::ClusterOf<'_>); 2] = [(Layer::CoSpend, &co_spend), (Layer::Change, &change)];
    let found = cluster::measure(&desk.coins, &known, &verdict, &layers);
    let mut out = stdout();
    if is_json {
        writeln!(out, "{}", as_json(&found, desk.id.as_str()))?;
    } else {
        tables(&mut out, &found)?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// The truth in a chain's own numbers.
struct Known {
    owners: Vec<Option<u64>>,
    made: Vec<Option<(Kind, Vec<u32>)>>,
}

impl Known {
    /// Reads the truth about a chain; `None` if it is about another one.
    fn read(folder: &Path, chain: &UtxoLedger) -> Result<Option<Self>, Failure> {
        let open = |name: &str| {
            let path = folder.join(name);
            let file = File::open(&path).map_err(|error| Failure::bad_input(format!("{}: {error}", path.display())));
            file.map(|file| (BufReader::new(file), path.display().to_string()))
        };
        let slots = |count: u64| usize::try_from(count).map_err(Failure::internal);
        let mut owners = vec![None; slots(chain.holders())?];
        let mut numbers: HashMap<String, u64> = HashMap::new();
        let mut has_any = false;
        let (read, name) = open("owners.csv")?;
        let result = each_owner(read, |row| {
            let Some(holder) = chain.find_holder(row.address) else { return };
            has_any = true;
            let next = numbers.len() as u64;
            let number = match numbers.get(row.owner) {
                Some(number) => *number,
                None => *numbers.entry(row.owner.to_owned()).or_insert(next),
            };
            if let Some(slot) = usize::try_from(holder.0).ok().and_then(|at| owners.get_mut(at)) {
                *slot = Some(number);
            }
        });
        result.map_err(|error| Failure::bad_input(format!("{name}: {error}")))?;
        if !has_any {
            return Ok(None);
        }
        let mut made = vec![None; slots(chain.end().0)?];
        let (read, name) = open("made-as.csv")?;
        let result = each_made(read, |row| {
            let seq = chain.find_transaction(row.txid);
            if let Some(slot) = seq.and_then(|seq| usize::try_from(seq.0).ok()).and_then(|at| made.get_mut(at)) {
                *slot = Some((row.kind, row.change));
            }
        });
        result.map_err(|error| Failure::bad_input(format!("{name}: {error}")))?;
        Ok(Some(Self { owners, made }))
    }
}

impl Truth for Known {
    fn owner(&self, holder: HolderId) -> Option<u64> {
        usize::try_from(holder.0).ok().and_then(|at| self.owners.get(at).copied().flatten())
    }

    fn made_as(&self, seq: Seq) -> Option<Made<'_>> {
        let (kind, change) = usize::try_from(seq.0).ok().and_then(|at| self.made.get(at)?.as_ref())?;
        Some(Made { kind: kind.as_str(), is_join: kind.is_join(), change })
    }
}

/// A share for reading, in hundredths of a per cent.
fn percent(hundredths: f64) -> String {
    format!("{:.2} %", hundredths / 100.0)
}

fn shown(share: Share) -> String {
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

fn heading(out: &mut impl Write, heads: &[&str]) -> std::io::Result<()> {
    writeln!(out, "\n| {} |\n|{}", heads.join(" | "), "---|".repeat(heads.len()))
}

fn as_json(found: &Measured, ledger: &str) -> Value {
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
    let bands = BANDS_PERMILLE
        .iter()
        .enumerate()
        .map(|(band, from)| json!({"from_permille": from, "right": share(found.change[1 + band])}));
    json!({
        "schema": SCHEMA, "ledger": ledger, "join_precision": share(found.join_precision),
        "join_recall": share(found.join_recall), "co_spend": share(found.co_spend), "change": share(found.change[0]),
        "change_bands": bands.collect::<Vec<_>>(), "change_recall": share(found.change_recall),
        "kinds": kinds.collect::<Vec<_>>(), "layers": layers.collect::<Vec<_>>(),
    })
}
