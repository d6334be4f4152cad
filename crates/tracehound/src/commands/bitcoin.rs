//! `tracehound ingest bitcoin --blocks`: the chain of a Bitcoin-like node into the book, from its `blocks/` folder.
//!
//! What is taken and what is damaged is `feed`'s to find; this file knows flags, the interrupt, and words.

use std::num::NonZeroUsize;
use std::path::Path;

use feed::{BlockFilesIngest, BlockFilesReport, FileProblem};
use ledger::{LedgerId, txid_text};
use serde_json::{Value, json};

use crate::cli::BitcoinArgs;
use crate::commands::{print, say};
use crate::exit::{Exit, Failure};
use crate::home::Home;
use crate::interrupt::Heed;
use crate::output::text::{counted, grouped};
use crate::progress::Bar;

pub fn run(home: &Home, args: &BitcoinArgs) -> Result<Exit, Failure> {
    let Some(folder) = &args.blocks else { return Err(Failure::bad_input("say --blocks FOLDER")) };
    blocks(home, args, folder)
}

fn blocks(home: &Home, args: &BitcoinArgs, folder: &Path) -> Result<Exit, Failure> {
    let ledger = args.ledger.as_deref().map(LedgerId::parse).transpose();
    let ledger = ledger.map_err(|error| Failure::bad_input(format!("--ledger: {error}")))?;
    let magic = args.magic.as_deref().map(magic).transpose()?;
    let defaults = BlockFilesIngest::default();
    let threads = args.threads.and_then(NonZeroUsize::new).unwrap_or(defaults.threads);
    let ingest = BlockFilesIngest { ledger, magic, threads, use_undo: !args.no_undo };
    let heed = Heed::begin();
    let book = home.create()?;
    let mut bar = Bar::new(folder.display().to_string());
    let report = feed::ingest_block_files(&book, folder, &ingest, heed.asked(), &mut bar)?;
    bar.clear();
    tell(folder, &report, args.json)
}

fn magic(text: &str) -> Result<[u8; 4], Failure> {
    let number = u32::from_str_radix(text, 16).ok().filter(|_| text.len() == 8);
    let wrong = || Failure::bad_input(format!("--magic {text}: write the four bytes as 8 hex digits, as fabfb5da"));
    number.map(u32::to_be_bytes).ok_or_else(wrong)
}

fn tell(folder: &Path, report: &BlockFilesReport, as_json: bool) -> Result<Exit, Failure> {
    let name = folder.display();
    for problem in &report.problems {
        say(format!("{}: {name}/{problem}", if problem.is_damage { "problem" } else { "note" }));
    }
    if report.problems_untold > 0 {
        say(format!("{name}: {} more problems are not listed", report.problems_untold));
    }
    if as_json {
        print(json_of(&name.to_string(), report))?;
    } else {
        say(format!("{name}: {}", sentence(report)));
    }
    if report.is_interrupted {
        return Err(Failure::interrupted("interrupted; run the same command again to go on"));
    }
    if report.is_whole {
        return Ok(Exit::Done);
    }
    Err(Failure::missing(
        "part of the chain is missing or damaged (see above); what was whole before it is in the book",
    ))
}

fn sentence(report: &BlockFilesReport) -> String {
    let (blocks, transactions) = (counted(report.added, "block"), counted(report.transactions, "transaction"));
    let counts = [
        (report.already_there, "there already"),
        (report.taken_back, "taken back"),
        (report.stale, "stale in the files"),
        (report.left_out, "left out"),
    ];
    let mut parts = vec![format!("{blocks} with {transactions} into {}", report.ledger)];
    let some = counts.into_iter().filter(|(count, _)| *count > 0);
    parts.extend(some.map(|(count, what)| format!("{} {what}", grouped(&count.to_string()))));
    let tip = report.tip.map_or_else(String::new, |tip| {
        format!("; it ends with block {} at height {}", txid_text(&tip.hash), tip.height)
    });
    format!("{}{tip}", parts.join(", "))
}

fn json_of(file: &str, report: &BlockFilesReport) -> Value {
    let skipped: Vec<Value> = report
        .skipped
        .iter()
        .map(|skipped| {
            json!({"file": skipped.file, "offset": skipped.offset, "bytes": skipped.bytes, "what": skipped.what})
        })
        .collect();
    let problems: Vec<Value> = report.problems.iter().map(problem).collect();
    let tip = report.tip.map(|tip| json!({"height": tip.height, "hash": txid_text(&tip.hash)}));
    json!({
        "schema": "tracehound/ingest/1", "file": file, "ledger": report.ledger.as_str(),
        "blocks": report.added, "already_there": report.already_there, "taken_back": report.taken_back,
        "transactions": report.transactions, "tip": tip, "with_undo": report.with_undo,
        "blocks_in_files": report.blocks_in_files, "stale": report.stale, "left_out": report.left_out,
        "files": report.files, "bytes": report.bytes, "skipped": skipped, "problems": problems,
        "problems_untold": report.problems_untold, "whole": report.is_whole,
    })
}

fn problem(problem: &FileProblem) -> Value {
    let level = if problem.is_damage { "problem" } else { "note" };
    json!({
        "level": level, "file": problem.file, "offset": problem.offset, "what": problem.what, "help": problem.help,
    })
}
