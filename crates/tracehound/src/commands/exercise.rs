//! `tracehound exercise DIR`: a seeded heist on disk.

use std::io::Write;

use exercise::Plan;

use crate::cli::ExerciseArgs;
use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::output::text::grouped;

pub fn run(args: &ExerciseArgs) -> Result<Exit, Failure> {
    let mut plan = match (args.transactions, args.peel, args.cone) {
        (Some(transactions), _, _) => Plan::scaled(transactions),
        (_, Some(hops), _) => Plan::peel(hops),
        (_, _, Some(legs)) => Plan::cone(legs),
        _ => Plan::demo(),
    };
    plan.seed = args.seed;
    plan.check().map_err(Failure::bad_input)?;
    let folder = &args.folder;
    let written = exercise::write(&plan, folder);
    let summary = written.map_err(|error| Failure::internal(format!("{}: {error}", folder.display())))?;
    if args.json {
        let mut out = stdout();
        serde_json::to_writer_pretty(&mut out, &summary)?;
        writeln!(out)?;
        out.flush()?;
        return Ok(Exit::Done);
    }
    for ledger in &summary.ledgers {
        let transactions = grouped(&ledger.transactions.to_string());
        say(format!("{}: {} transactions on {}", ledger.file, transactions, ledger.ledger));
    }
    let mut out = stdout();
    for file in &summary.files {
        writeln!(out, "{}", folder.join(&file.file).display())?;
    }
    out.flush()?;
    Ok(Exit::Done)
}
