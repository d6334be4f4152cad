//! `tracehound ingest table|utxo-blocks`: files into the book.

use std::path::Path;

use decode::table::TableOptions;
use feed::{BlocksReport, Report, TableIngest};
use ledger::LedgerId;
use money::Asset;
use serde_json::json;

use crate::cli::{Source, TableArgs, UtxoBlocksArgs};
use crate::commands::{print, say};
use crate::exit::{Exit, Failure};
use crate::home::Home;
use crate::interrupt;
use crate::output::text::{counted, grouped};
use crate::progress::Bar;
use crate::tracing::case::pair;

pub fn run(home: &Home, source: Source) -> Result<Exit, Failure> {
    match source {
        Source::Table(args) => {
            interrupt::leave_cleanly();
            tables(home, &args)
        }
        Source::UtxoBlocks(args) => {
            interrupt::leave_cleanly();
            utxo_blocks(home, &args)
        }
        Source::Bitcoin(args) if args.blocks.is_some() => super::bitcoin::run(home, &args),
        Source::Ethereum(args) => super::ethereum::run(home, &args),
        Source::Bitcoin(args) => super::follow::run(home, &args),
    }
}

fn tables(home: &Home, args: &TableArgs) -> Result<Exit, Failure> {
    let mut options = TableOptions::default();
    options.scientific = args.scientific;
    for mapping in &args.column {
        options.set_column(mapping).map_err(|fault| Failure::bad_input(format!("--column {mapping}: {fault}")))?;
    }
    for mapping in &args.set {
        options.set_default(mapping).map_err(|fault| Failure::bad_input(format!("--set {mapping}: {fault}")))?;
    }
    let mut scales = std::collections::BTreeMap::new();
    for text in &args.scale {
        let (asset, scale) = pair("--scale", text)?;
        let scale = scale.parse().ok().filter(|scale| *scale <= money::SCALE_MAX);
        let scale = scale.ok_or_else(|| {
            Failure::bad_input(format!("--scale {text}: decimals are a number from 0 to {}", money::SCALE_MAX))
        })?;
        scales.insert(asset.to_owned(), scale);
    }
    let stated = args.ledger.as_deref().map(LedgerId::parse).transpose();
    let stated = stated.map_err(|error| Failure::bad_input(format!("--ledger: {error}")))?;
    let book = home.create()?;
    for file in &args.files {
        let mut options = options.clone();
        if let Some(ledger) = stated.clone().or_else(|| named_after(file)) {
            options.set_default(&format!("ledger={ledger}")).map_err(Failure::bad_input)?;
        }
        let ingest = TableIngest { scales: scales.clone(), ..TableIngest::new(options) };
        let mut bar = Bar::new(file.display().to_string());
        let report = feed::ingest_table(&book, file, &ingest, &mut bar)?;
        bar.clear();
        tell_table(file, &report, args.json)?;
    }
    Ok(Exit::Done)
}

/// `table:NAME` after a file's name, as far as a name can hold it. Standard input has none: its rows must name a ledger.
fn named_after(file: &Path) -> Option<LedgerId> {
    let name = file.file_name()?.to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    let kept: String = stem
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' })
        .collect();
    LedgerId::parse(&format!("table:{}", kept.trim_matches('-'))).ok()
}

fn tell_table(file: &Path, report: &Report, as_json: bool) -> Result<(), Failure> {
    let name = file.display();
    for note in &report.notes {
        say(format!("{name}: {note}"));
    }
    if as_json {
        let ledgers: Vec<_> = report
            .ledgers
            .iter()
            .map(
                |on| json!({"ledger": on.ledger.as_str(), "transactions": on.added, "already_there": on.already_there}),
            )
            .collect();
        let text =
            json!({"schema": "tracehound/ingest/1", "file": name.to_string(), "rows": report.rows, "ledgers": ledgers});
        print(text)?;
        return Ok(());
    }
    for on in &report.ledgers {
        let added = counted(on.added, "transaction");
        let there = if on.already_there == 0 {
            String::new()
        } else {
            format!(", {} were there already", grouped(&on.already_there.to_string()))
        };
        say(format!("{name}: {added} into {}{there}", on.ledger));
    }
    Ok(())
}

fn utxo_blocks(home: &Home, args: &UtxoBlocksArgs) -> Result<Exit, Failure> {
    let ledger = LedgerId::parse(&args.ledger).map_err(|error| Failure::bad_input(format!("--ledger: {error}")))?;
    if args.scale > money::SCALE_MAX {
        return Err(Failure::bad_input(format!("--scale: decimals are a number from 0 to {}", money::SCALE_MAX)));
    }
    let asset = Asset { symbol: args.asset.clone(), scale: args.scale };
    let book = home.create()?;
    let mut bar = Bar::new(args.file.display().to_string());
    let spool = std::env::temp_dir();
    let report = feed::ingest_utxo_blocks(&book, &args.file, &ledger, &asset, &spool, &mut bar)?;
    bar.clear();
    tell_blocks(&args.file, &report, args.json)
}

fn tell_blocks(file: &Path, report: &BlocksReport, as_json: bool) -> Result<Exit, Failure> {
    let name = file.display();
    if as_json {
        let text = json!({
            "schema": "tracehound/ingest/1", "file": name.to_string(), "ledger": report.ledger.as_str(),
            "blocks": report.added, "already_there": report.already_there, "transactions": report.transactions,
        });
        print(text)?;
        return Ok(Exit::Done);
    }
    let there = if report.already_there == 0 {
        String::new()
    } else {
        format!(", {} were there already", grouped(&report.already_there.to_string()))
    };
    let (blocks, transactions) = (counted(report.added, "block"), counted(report.transactions, "transaction"));
    say(format!("{name}: {blocks} with {transactions} into {}{there}", report.ledger));
    Ok(Exit::Done)
}
