//! `tracehound book status|undo`.

use std::io::Write;
use std::path::Path;

use book::{Book, BookLedger};
use ledger::{Kind, Ledger, LedgerId, Seq};
use serde_json::json;

use crate::cli::BookCommand;
use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::home::Home;
use crate::output::text::grouped;
use crate::tracing::case::kind_word;

pub fn run(home: &Home, command: BookCommand) -> Result<Exit, Failure> {
    let book = home.open()?;
    match command {
        BookCommand::Status { json } => status(&book, json),
        BookCommand::Undo { ledger, count } => undo(&book, &ledger, count),
    }
}

fn status(book: &Book, as_json: bool) -> Result<Exit, Failure> {
    let mut out = stdout();
    let ledgers = book.ledgers()?;
    if ledgers.is_empty() {
        say("the book holds no ledger yet; `tracehound ingest` fills it");
    }
    let mut rows = Vec::new();
    for id in ledgers {
        let opened = book.ledger(&id)?;
        let ledger = opened.as_ledger();
        let transactions = ledger.end().0;
        let last = transactions.checked_sub(1).map(|last| ledger.stamp(Seq(last)));
        let assets: Vec<&str> =
            (0..ledger.assets()).map(|at| ledger.asset(ledger::AssetId(at)).symbol.as_str()).collect();
        let kind = kind_word(ledger.kind());
        if as_json {
            rows.push(json!({
                "ledger": id.as_str(), "kind": kind, "transactions": transactions,
                "height": last.and_then(|last| last.height), "time": last.map(|last| last.time.to_string()),
                "assets": assets,
            }));
        } else {
            let until = last.map(|last| format!(" until {}", last.time)).unwrap_or_default();
            let height =
                last.and_then(|last| last.height).map(|height| format!(", block {height}")).unwrap_or_default();
            writeln!(
                out,
                "{id}: {kind}, {} transactions{until}{height}; {}",
                grouped(&transactions.to_string()),
                assets.join(", ")
            )?;
        }
    }
    let bytes = size(book.folder());
    if as_json {
        writeln!(out, "{}", json!({"schema": "tracehound/book-status/1", "ledgers": rows, "bytes": bytes}))?;
    } else {
        writeln!(out, "{} bytes in {}", grouped(&bytes.to_string()), book.folder().display())?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => size(&entry.path()),
            Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |meta| meta.len()),
            _ => 0,
        })
        .sum()
}

fn undo(book: &Book, ledger: &str, count: u64) -> Result<Exit, Failure> {
    let id = LedgerId::parse(ledger).map_err(|error| Failure::bad_input(format!("--ledger: {error}")))?;
    let (kind, asset) = match book.ledger(&id)? {
        BookLedger::Utxo(ledger) => (Kind::Utxo, Some(ledger.asset(ledger::AssetId(0)).clone())),
        BookLedger::Account(_) => (Kind::Account, None),
    };
    match (kind, asset) {
        (Kind::Utxo, Some(asset)) => book.utxo_writer(&id, &asset)?.undo(count)?,
        _ => book.account_writer(&id)?.undo(count)?,
    }
    let what = if kind == Kind::Utxo { "blocks" } else { "transactions" };
    say(format!("{id}: the latest {} {what} are undone", grouped(&count.to_string())));
    Ok(Exit::Done)
}
