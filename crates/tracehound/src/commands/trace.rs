//! `tracehound trace INCIDENT.yaml`: where the loot is now.

use std::io::Write;

use book::Book;
use link::Portion;
use trace::Policy;

use crate::cli::{Csv, LinkArgs, Policies, TraceArgs};
use crate::commands::stdout;
use crate::exit::{Exit, Failure};
use crate::home::{Home, read_links, read_tags, stops};
use crate::output::{csv, json, text};
use crate::registries;
use crate::tagfiles;
use crate::tracing::case::{self, Case, Wishes};
use crate::tracing::links::{LinkWishes, usual_least};
use crate::tracing::run;

pub fn run(home: &Home, args: &TraceArgs) -> Result<Exit, Failure> {
    let incidents = case::read_incidents(&args.incidents)?;
    let book = home.open()?;
    let mut claims = read_tags(&book)?;
    let mut stops = stops(&book)?;
    claims.extend(tagfiles::claims(&args.stops.tags, &mut stops)?);
    let wishes = Wishes {
        no_stops: args.stops.no_stops,
        min_confidence: args.stops.min_confidence,
        from: args.from.clone(),
        until: args.until.clone(),
        dust: args.dust.clone(),
        min_share: args.min_share.clone(),
        with_valueless: args.with_valueless,
        valueless: args.valueless.clone(),
        links: links(&book, &args.links)?,
        registered: Some((registries::registry(Some(&book), &[])?, registries::pools(Some(&book), &[])?)),
    };
    let case = case::open(&book, incidents, claims, &stops, &wishes)?;
    let policies: Vec<Policy> = match args.policy {
        Policies::One(policy) => vec![policy],
        Policies::All => Policy::ALL.to_vec(),
    };
    print(&case, args, &policies)
}

/// Which links are followed; none where none are wanted.
fn links(book: &Book, args: &LinkArgs) -> Result<Option<LinkWishes>, Failure> {
    if args.no_links {
        return Ok(None);
    }
    let least = match &args.min_link {
        None => usual_least(),
        Some(text) => Portion::parse(text).ok_or_else(|| {
            Failure::bad_input(format!("--min-link {text}: write a probability between 0 and 1, such as 0.9"))
        })?,
    };
    let (mixers, fee_share) = (args.mixers, args.bridge_fee_share);
    Ok(Some(LinkWishes { claims: read_links(book)?, least: Some(least), mixers, fee_share }))
}

fn print(case: &Case, args: &TraceArgs, policies: &[Policy]) -> Result<Exit, Failure> {
    let mut out = stdout();
    let wants_edges = (args.json && !args.no_edges) || args.csv == Some(Csv::Edges);
    let bounds = args.envelope.then(|| run::bounds(case));
    let mut results = Vec::new();
    for (turn, policy) in policies.iter().enumerate() {
        let result = run::run(case, *policy, wants_edges, bounds.as_deref());
        if args.json {
            json::write(&mut out, case, &result, !args.no_edges)?;
        } else if let Some(what) = args.csv {
            match what {
                Csv::Terminals => csv::terminals(&mut out, &result, turn == 0)?,
                Csv::Edges => csv::edges(&mut out, case, &result, turn == 0)?,
            }
        }
        // A trace that does not close is a fault of the program, and nobody may overlook it.
        let gaps = result.gaps();
        if !gaps.is_empty() {
            out.flush()?;
            return Err(Failure::internal(format!("the account does not close: {}", gaps.join("; "))));
        }
        results.push(result);
    }
    if !args.json && args.csv.is_none() {
        match &results[..] {
            [only] => text::account(&mut out, case, only, args.top)?,
            all => text::compare(&mut out, all, args.top)?,
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}
