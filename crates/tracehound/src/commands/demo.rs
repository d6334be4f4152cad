//! `tracehound demo`: a seeded heist is made, ingested and traced, and the answer is held against the truth.
//!
//! Nothing here is special to the demo: it runs what `exercise`, `ingest`, `tags import` and `trace` run.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use book::Book;
use exercise::{PlaceKind, Placement, Plan, Truth};
use feed::TableIngest;
use ledger::LedgerId;
use money::Asset;
use trace::Policy;

use crate::cli::DemoArgs;
use crate::commands::{self, say, stdout};
use crate::exit::{Exit, Failure};
use crate::home::{read_tags, stops};
use crate::output::text::{self, grouped, percent};
use crate::progress::Bar;
use crate::tagfiles;
use crate::tracing::case::{self, Wishes};
use crate::tracing::result::TraceResult;
use crate::tracing::run;

/// How many places the demo lists per section.
const TOP: usize = 5;

pub fn run(args: &DemoArgs) -> Result<Exit, Failure> {
    let temporary;
    let folder: &Path = if let Some(folder) = &args.keep {
        let is_empty = std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
        if !is_empty {
            return Err(Failure::bad_input(format!("--keep {}: the folder is not empty", folder.display())));
        }
        folder
    } else {
        temporary = tempfile::tempdir().map_err(|error| Failure::internal(format!("no temporary folder: {error}")))?;
        temporary.path()
    };
    let files = folder.join("exercise");
    let started = Instant::now();
    let plan = Plan { seed: args.seed, ..Plan::demo() };
    let summary =
        exercise::write(&plan, &files).map_err(|error| Failure::internal(format!("{}: {error}", files.display())))?;
    let transactions: u64 = summary.ledgers.iter().map(|ledger| ledger.transactions).sum();
    say(format!(
        "An exercise with seed {}: {} transactions of ordinary life on {} ledgers, and a heist.",
        args.seed,
        grouped(&transactions.to_string()),
        summary.ledgers.len()
    ));
    let book = Book::create(folder.join("book"))?;
    ingest(&book, &files, &summary)?;
    let mut warn = |warning| say(format!("warning: {warning}"));
    let tags = tagfiles::read(&[files.join(exercise::TAGS_FILE)], &know::Rules::default(), &mut warn)?;
    commands::tags::take_in(&book, tags, false, None)?;
    let incidents: Vec<_> = summary.incidents.iter().map(|id| files.join(format!("incident-{id}.yaml"))).collect();
    let incidents = case::read_incidents(&incidents)?;
    let case = case::open(&book, incidents, read_tags(&book)?, &stops(&book)?, &Wishes::default())?;
    say(format!("Made and ingested in {:.1} s.", started.elapsed().as_secs_f64()));

    let truth = std::fs::read_to_string(files.join(exercise::TRUTH_FILE))
        .map_err(|error| Failure::internal(format!("{}: {error}", files.display())))?;
    let truth = Truth::from_json(&truth)?;
    let mut out = stdout();
    let mut results = Vec::new();
    for policy in Policy::ALL.into_iter().filter(|policy| policy.conserves()) {
        let started = Instant::now();
        let result = run::run(&case, policy, false, None);
        if policy == args.policy {
            say(format!("Traced in {} ms.\n", started.elapsed().as_millis()));
            text::account(&mut out, &case, &result, TOP)?;
        }
        results.push(result);
    }
    compare(&mut out, &truth, &results)?;
    if let Some(folder) = &args.keep {
        writeln!(out, "\nThe exercise and its book are kept in {}.", folder.display())?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn ingest(book: &Book, files: &Path, summary: &exercise::Summary) -> Result<(), Failure> {
    for ledger in &summary.ledgers {
        let id = LedgerId::parse(&ledger.ledger).map_err(Failure::internal)?;
        let file = files.join(&ledger.file);
        let mut bar = Bar::new(&ledger.file);
        if ledger.file == exercise::CHAIN_FILE {
            let coin = Asset { symbol: "BTC".into(), scale: 8 };
            feed::ingest_utxo_blocks(book, &file, &id, &coin, &std::env::temp_dir(), &mut bar)?;
        } else {
            let mut options = decode::table::TableOptions::default();
            options.set_default(&format!("ledger={id}")).map_err(Failure::internal)?;
            feed::ingest_table(book, &file, &TableIngest::new(options), &mut bar)?;
        }
    }
    Ok(())
}

/// How each policy's answer compares with what the launderer really did.
fn compare(out: &mut impl Write, truth: &Truth, results: &[TraceResult]) -> Result<(), Failure> {
    let mut text =
        String::from("\nHeld against the truth of the exercise, how much of the loot each policy puts where it is:\n");
    let mut lines: Vec<Vec<String>> = Vec::new();
    for result in results {
        let scores = truth.score(&placements(result));
        if lines.is_empty() {
            let header = scores.iter().map(|score| format!("{} {}", grouped(&score.stolen.to_string()), score.asset));
            lines.push(std::iter::once("policy".to_owned()).chain(header).collect());
        }
        let shares = scores.iter().map(|score| percent(score.matched.amount, score.stolen.amount));
        lines.push(std::iter::once(result.policy.name().to_owned()).chain(shares).collect());
    }
    let right: Vec<bool> = (0..lines.first().map_or(0, Vec::len)).map(|column| column > 0).collect();
    text::table(&mut text, &lines, &right);
    text.push_str(
        "Which unit of a mixed purse is the stolen one is a convention, so no policy is right everywhere;\n\
         `tracehound trace --envelope` prints what holds under all of them.\n",
    );
    out.write_all(text.as_bytes())?;
    Ok(())
}

fn placements(result: &TraceResult) -> Vec<Placement> {
    let kind = |word: &str| match word {
        "service" => PlaceKind::Service,
        "mixer" => PlaceKind::Mixer,
        "bridge" => PlaceKind::Bridge,
        "fee" => PlaceKind::Fee,
        "unknown" => PlaceKind::Unknown,
        _ => PlaceKind::Balance,
    };
    result
        .terminals
        .iter()
        .map(|row| Placement {
            incident: row.incident.clone(),
            // Without links between ledgers the loot stays on the ledger that it was stolen on.
            stolen_ledger: row.ledger.clone(),
            stolen_asset: row.origin_asset.clone(),
            ledger: row.ledger.clone(),
            holder: row.holder.clone(),
            kind: kind(row.kind),
            origin_amount: row.origin,
        })
        .collect()
}
