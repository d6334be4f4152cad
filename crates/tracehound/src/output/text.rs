//! The account of the loot, for people: what was stolen, where it is now, whom to call first, what is not sure.
//!
//! Every figure is exact; shares are rounded to a tenth of a percent for reading and say so by their sign.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use money::Amount;
use trace::Policy;

use crate::exit::Failure;
use crate::tracing::case::Case;
use crate::tracing::crossed::LinkRow;
use crate::tracing::result::{LootRow, TerminalRow, TraceResult};

/// The order in which kinds are listed, and what they mean.
const KINDS: [(&str, &str); 7] = [
    ("service", "at custodians"),
    ("balance", "still held"),
    ("mixer", "in mixers"),
    ("bridge", "over bridges"),
    ("unknown", "left the ledger"),
    ("fee", "paid as fees"),
    ("truncated", "too little to follow"),
];

/// Writes the whole account under one policy.
pub fn account(out: &mut impl Write, case: &Case, result: &TraceResult, top: usize) -> Result<(), Failure> {
    let mut text = String::new();
    for (incident, _) in &case.incidents {
        let title = incident.title.as_deref().unwrap_or("untitled incident");
        let _ = write!(text, "{title} ({})", incident.id);
        if let Some(when) = &incident.occurred {
            let _ = write!(text, ", {when}");
        }
        text.push('\n');
    }
    if result.incidents.len() > 1 && !result.policy.is_additive() {
        let _ = writeln!(
            text,
            "The policy asks \"is it stolen?\", so these figures answer for the incidents above together, not for each alone."
        );
    }
    let _ = writeln!(text, "{}", result.policy.sentence());
    for loot in &result.loot {
        text.push('\n');
        one_loot(&mut text, result, loot, top);
    }
    problems(&mut text, result, top);
    for gap in result.gaps() {
        let _ = writeln!(text, "DOES NOT CLOSE: {gap}");
    }
    out.write_all(text.as_bytes())?;
    Ok(())
}

fn rows_of<'a>(result: &'a TraceResult, loot: &'a LootRow) -> impl Iterator<Item = &'a TerminalRow> {
    result.terminals.iter().filter(move |row| {
        row.incident == loot.incident && row.origin_ledger == loot.ledger && row.origin_asset == loot.asset
    })
}

fn one_loot(text: &mut String, result: &TraceResult, loot: &LootRow, top: usize) {
    let as_of = &result.as_of[&loot.ledger];
    let _ = write!(text, "Stolen: {} {} on {}", grouped(&loot.amount), loot.asset, loot.ledger);
    if let Some(time) = &as_of.time {
        let _ = write!(text, "; the ledger as of {time}");
    }
    if let Some(height) = as_of.height {
        let _ = write!(text, ", block {height}");
    }
    let _ = writeln!(text, ", {} transactions", grouped(&as_of.transactions.to_string()));
    if result.policy == Policy::Poison {
        let _ = writeln!(text, "Flagged now (flags do not add up to the loss):");
    } else {
        let _ = writeln!(text, "Where it is now:");
    }
    totals(text, result, loot);
    crossed(text, result, loot, top);
    call_first(text, result, loot, top);
    still_held(text, result, loot, top);
}

/// The table of kinds, which adds up to the loot.
fn totals(text: &mut String, result: &TraceResult, loot: &LootRow) {
    let mut lines: Vec<[String; 5]> = Vec::new();
    let mut sum = Amount::ZERO;
    for (kind, meaning) in KINDS {
        let mut reasons: BTreeMap<&str, (Amount, usize)> = BTreeMap::new();
        for row in rows_of(result, loot).filter(|row| row.kind == kind && !row.origin.is_zero()) {
            let entry = reasons.entry(row.reason).or_default();
            entry.0 += row.origin;
            entry.1 += 1;
        }
        for (reason, (origin, places)) in reasons {
            sum += origin;
            let places = if kind == "fee" { String::new() } else { plural(places, "place") };
            lines.push([
                format!("{kind}, {meaning}"),
                grouped(&loot.unit.text(origin)),
                percent(origin, loot.units),
                places,
                reason.to_owned(),
            ]);
        }
    }
    if result.policy.conserves() {
        let closes = if sum == loot.units { "= what was stolen, to the last unit" } else { "DOES NOT CLOSE" };
        lines.push([
            "total".into(),
            grouped(&loot.unit.text(sum)),
            percent(sum, loot.units),
            String::new(),
            closes.into(),
        ]);
    }
    table(text, &lines, &[false, true, true, true, false]);
}

/// What went from ledger to ledger, largest first, and who says so.
fn crossed(text: &mut String, result: &TraceResult, loot: &LootRow, top: usize) {
    let own = |link: &&LinkRow| link.incident == loot.incident && link.origin_asset == loot.asset;
    let mut links: Vec<&LinkRow> = result.links.iter().filter(own).collect();
    links.sort_by_key(|link| std::cmp::Reverse(link.origin));
    if links.is_empty() {
        return;
    }
    let _ = writeln!(text, "Crossed:");
    for link in links.iter().take(top) {
        let LinkRow { from, to, .. } = link;
        let _ = write!(text, "  {} {} of {}", grouped(&link.departed), from.asset, from.ledger);
        let _ = if link.followed {
            write!(text, " as {} {} of {}", grouped(&link.arrived), to.asset, to.ledger)
        } else {
            write!(text, " to {}, which is not followed", to.ledger)
        };
        let _ = write!(text, ", by {} ({}", link.protocol, link.class);
        let _ = if link.probability == "1" { Ok(()) } else { write!(text, ", {}", link.probability) };
        let _ = writeln!(text, ")\n       {} to {}", from.tx, to.tx);
    }
    more(text, links.len(), top, "  ");
}

/// Custodians by how much of the loot reached them: who can freeze it.
fn call_first(text: &mut String, result: &TraceResult, loot: &LootRow, top: usize) {
    type Service<'a> = (Amount, usize, BTreeMap<&'a str, Amount>, Option<&'a str>, &'a str);
    let mut services: BTreeMap<&str, Service<'_>> = BTreeMap::new();
    let stopped = |row: &&TerminalRow| matches!(row.kind, "service" | "mixer" | "bridge") && !row.origin.is_zero();
    for row in rows_of(result, loot).filter(stopped) {
        let entity = row.entity.as_deref().unwrap_or("an untagged service");
        let service = services.entry(entity).or_insert((Amount::ZERO, 0, BTreeMap::new(), None, row.kind));
        service.0 += row.origin;
        service.1 += 1;
        *service.2.entry(row.holder.as_deref().unwrap_or("?")).or_default() += row.origin;
        service.3 = service.3.max(row.since.as_deref());
    }
    if services.is_empty() {
        return;
    }
    let mut services: Vec<_> = services.into_iter().collect();
    services.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
    let _ = writeln!(text, "Call first:");
    for (at, (entity, (origin, deposits, holders, last, kind))) in services.iter().take(top).enumerate() {
        let _ = write!(
            text,
            "  {}. {entity} ({kind}): {} {}, {}",
            at + 1,
            grouped(&loot.unit.text(*origin)),
            loot.asset,
            percent(*origin, loot.units)
        );
        let _ = write!(text, "; {} at {}", plural(*deposits, "deposit"), plural(holders.len(), "address"));
        if let Some(last) = last {
            let _ = write!(text, ", the last seen {last}");
        }
        text.push('\n');
        let mut holders: Vec<_> = holders.iter().collect();
        holders.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        for (holder, origin) in holders.iter().take(3) {
            let _ = writeln!(text, "       {holder}  {} {}", grouped(&loot.unit.text(**origin)), loot.asset);
        }
        more(text, holders.len(), 3, "       ");
    }
    more(text, services.len(), top, "  ");
}

/// What can still be watched, the largest first.
fn still_held(text: &mut String, result: &TraceResult, loot: &LootRow, top: usize) {
    let mut held: Vec<&TerminalRow> = rows_of(result, loot).filter(|row| row.kind == "balance").collect();
    held.retain(|row| !row.origin.is_zero() || row.high.as_deref().is_some_and(|high| high != "0"));
    if held.is_empty() {
        return;
    }
    held.sort_by(|a, b| b.origin.cmp(&a.origin).then(a.purse.cmp(&b.purse)));
    let _ = writeln!(text, "Still held, largest first:");
    let mut lines = Vec::new();
    for row in held.iter().take(top) {
        let mut amount = format!("{} {}", grouped(&row.amount), row.asset);
        if row.asset != row.origin_asset || row.ledger != row.origin_ledger {
            let _ = write!(amount, " (was {} {})", grouped(&row.origin_amount), row.origin_asset);
        }
        if let (Some(low), Some(high)) = (&row.low, &row.high) {
            let _ = write!(amount, " [{}, {}]", grouped(low), grouped(high));
        }
        lines.push([
            row.holder.clone().unwrap_or_default(),
            amount,
            row.since.as_ref().map_or_else(String::new, |since| format!("since {since}")),
            plural(row.hops as usize, "hop"),
            row.purse.clone().filter(|purse| purse.contains(':') && !purse.contains('/')).unwrap_or_default(),
        ]);
    }
    table(text, &lines, &[false, true, false, true, false]);
    more(text, held.len(), top, "  ");
}

fn problems(text: &mut String, result: &TraceResult, top: usize) {
    if result.problems.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nWhat a reader should know:");
    for problem in result.problems.iter().take(top) {
        let _ = writeln!(text, "  {} at {}: {}", problem.kind, problem.place, problem.text);
    }
    more(text, result.problems.len(), top, "  ");
}

/// One line per place and policy: how much the choice of policy matters.
pub fn compare(out: &mut impl Write, results: &[TraceResult], top: usize) -> Result<(), Failure> {
    let mut text = String::new();
    let Some(first) = results.iter().find(|result| result.policy.conserves()).or(results.first()) else {
        return Ok(());
    };
    for (at, loot) in first.loot.iter().enumerate() {
        let _ =
            writeln!(text, "Stolen: {} {} on {} ({})", grouped(&loot.amount), loot.asset, loot.ledger, loot.incident);
        // Where loot was stolen again, how much of it is new depends on the policy.
        let differ = results.iter().any(|result| result.policy.conserves() && result.loot[at].units != loot.units);
        let used: Vec<_> = KINDS
            .iter()
            .filter(|(kind, _)| results.iter().any(|result| rows_of(result, loot).any(|row| row.kind == *kind)))
            .collect();
        let mut lines: Vec<Vec<String>> = Vec::new();
        let header = used.iter().map(|(kind, _)| (*kind).to_owned());
        let stolen = differ.then(|| "stolen".to_owned());
        let header = std::iter::once("policy".to_owned()).chain(stolen).chain(header);
        lines.push(header.chain(["places held".to_owned()]).collect());
        for result in results {
            let sum = |kind: &str| -> Amount {
                rows_of(result, loot).filter(|row| row.kind == kind).map(|row| row.origin).sum()
            };
            let sums = used.iter().map(|(kind, _)| grouped(&loot.unit.text(sum(kind))));
            let held = rows_of(result, loot).filter(|row| row.kind == "balance" && !row.origin.is_zero()).count();
            let name = result.policy.name().to_owned();
            let stolen = differ.then(|| grouped(&result.loot[at].amount));
            lines.push(std::iter::once(name).chain(stolen).chain(sums).chain([held.to_string()]).collect());
        }
        let right: Vec<bool> = (0..lines[0].len()).map(|column| column > 0).collect();
        table(&mut text, &lines, &right);
    }
    if results.iter().any(|result| result.policy == Policy::Poison) {
        let _ = writeln!(text, "Poison flags and does not account: its figures do not add up to the loss.");
    }
    problems(&mut text, first, top);
    out.write_all(text.as_bytes())?;
    Ok(())
}

/// Columns in line: to the right where said.
pub fn table<R: AsRef<[String]>>(text: &mut String, rows: &[R], right: &[bool]) {
    let width = |column: usize| rows.iter().map(|row| row.as_ref()[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..right.len()).map(width).collect();
    for row in rows {
        let mut line = String::from(" ");
        for ((cell, width), right) in row.as_ref().iter().zip(&widths).zip(right) {
            if *width > 0 {
                let pad = " ".repeat(width - cell.chars().count());
                let _ = if *right { write!(line, " {pad}{cell} ") } else { write!(line, " {cell}{pad} ") };
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

pub fn more(text: &mut String, all: usize, shown: usize, indent: &str) {
    if all > shown {
        let _ = writeln!(text, "{indent}… and {} more (--top, --json or --csv show them)", all - shown);
    }
}

/// A count with its noun.
pub fn plural(count: usize, word: &str) -> String {
    counted(count as u64, word)
}

/// The same for counts of ledgers, which a 32-bit machine could not hold otherwise.
pub fn counted(count: u64, word: &str) -> String {
    let end = if count == 1 {
        ""
    } else if word.ends_with('s') {
        "es"
    } else {
        "s"
    };
    format!("{} {word}{end}", grouped(&count.to_string()))
}

/// Digits of the whole part in groups of three: `173,600.5`.
pub fn grouped(number: &str) -> String {
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut text = String::with_capacity(number.len() + number.len() / 3);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// A share for reading, in tenths of a percent.
pub fn percent(part: Amount, whole: Amount) -> String {
    if whole.is_zero() {
        return "–".to_owned();
    }
    let tenths = Amount::new(1000).share(part, whole).units();
    if tenths == 0 && !part.is_zero() {
        return "< 0.1 %".to_owned();
    }
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_shares_rounded_for_reading_only() {
        assert_eq!(grouped("119756.62032288"), "119,756.62032288");
        assert_eq!(grouped("0.5"), "0.5");
        assert_eq!(grouped("1000000"), "1,000,000");
        assert_eq!(percent(Amount::new(1), Amount::new(3)), "33.3 %");
        assert_eq!(percent(Amount::new(1), Amount::new(100_000)), "< 0.1 %");
        assert_eq!(percent(Amount::new(7), Amount::new(7)), "100.0 %");
    }
}
