//! `tracehound incidents check`: are incident files right, and where do their traces start?

use std::io::Write;

use crate::cli::IncidentsCommand;
use crate::commands::stdout;
use crate::exit::{Exit, Failure};
use crate::home::Home;
use crate::output::text::{grouped, plural};
use crate::tracing::case::{self, Wishes};

pub fn run(home: &Home, command: IncidentsCommand) -> Result<Exit, Failure> {
    let IncidentsCommand::Check { files } = command;
    let incidents = case::read_incidents(&files)?;
    let book = home.open()?;
    let mut out = stdout();
    for (incident, file) in &incidents {
        let title = incident.title.as_deref().unwrap_or("untitled");
        writeln!(out, "{file}: {} ({title}), {}", incident.id, plural(incident.losses.len(), "loss"))?;
    }
    let case = case::open(&book, incidents, Vec::new(), &know::Stops::default(), &Wishes::default())?;
    for on in &case.ledgers {
        for loot in case.loot.iter().filter(|loot| loot.ledger == on.id) {
            let amount = grouped(&loot.asset.text(loot.amount));
            let kind = case::kind_word(on.ledger.as_ledger().kind());
            writeln!(out, "{}: {amount} {} on {} ({kind})", loot.incident, loot.asset.symbol, on.id)?;
        }
        writeln!(out, "{}: traces start at {}", on.id, plural(on.seeds.len(), "place"))?;
        for problem in &on.problems {
            writeln!(out, "{} at {}: {}", problem.kind, problem.place, problem.text)?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}
