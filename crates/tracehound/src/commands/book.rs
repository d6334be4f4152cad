//! `tracehound book status|undo`.

use std::io::Write;
use std::path::Path;

use book::{Book, BookLedger};
use ledger::{Ledger, LedgerId, Seq};
use serde_json::json;

use crate::cli::BookCommand;
use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::home::Home;
use crate::output::text::grouped;
use crate::tracing::case::kind_word;

mod chain;

use chain::ChainStatus;

/// How many of a ledger's assets are listed.
const ASSETS_LISTED: u32 = 20;
const ASSETS_LISTED_JSON: u32 = 1_000;
/// How many stretches of blocks of which something is not known are listed.
const GAPS_LISTED: usize = 10;
const GAPS_LISTED_JSON: usize = 10_000;

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
        let listed = if as_json { ASSETS_LISTED_JSON } else { ASSETS_LISTED };
        let assets: Vec<&str> =
            (0..ledger.assets().min(listed)).map(|at| ledger.asset(ledger::AssetId(at)).symbol.as_str()).collect();
        let kind = kind_word(ledger.kind());
        let chain = match &opened {
            BookLedger::Account(accounts) => ChainStatus::of(accounts),
            BookLedger::Utxo(_) => None,
        };
        // The last block may have no transactions.
        let height = chain.as_ref().map(|chain| chain.tip).or_else(|| last.and_then(|last| last.height));
        if as_json {
            let mut row = json!({
                "ledger": id.as_str(), "kind": kind, "transactions": transactions,
                "height": height, "time": last.map(|last| last.time.to_string()),
                "assets": assets,
            });
            if ledger.assets() > listed {
                row["assets_in_all"] = ledger.assets().into();
            }
            if let Some(chain) = &chain {
                row["chain"] = chain.json();
            }
            rows.push(row);
        } else {
            let until = last.map(|last| format!(" until {}", last.time)).unwrap_or_default();
            let height = height.map(|height| format!(", block {height}")).unwrap_or_default();
            let more = match ledger.assets().saturating_sub(listed) {
                0 => String::new(),
                more => format!(" and {} more", grouped(&more.to_string())),
            };
            writeln!(
                out,
                "{id}: {kind}, {} transactions{until}{height}; {}{more}",
                grouped(&transactions.to_string()),
                assets.join(", ")
            )?;
            if let Some(chain) = &chain {
                chain.write(&mut out)?;
            }
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
    let asset = match book.ledger(&id)? {
        BookLedger::Utxo(ledger) => Some(ledger.asset(ledger::AssetId(0)).clone()),
        BookLedger::Account(_) => None,
    };
    let mut what = "blocks";
    if let Some(asset) = asset {
        book.utxo_writer(&id, &asset)?.undo(count)?;
    } else {
        let mut writer = book.account_writer(&id)?;
        if writer.blocks() > 0 {
            writer.undo_blocks(count)?;
        } else {
            writer.undo(count)?;
            what = "transactions";
        }
    }
    say(format!("{id}: the latest {} {what} are undone", grouped(&count.to_string())));
    Ok(Exit::Done)
}
