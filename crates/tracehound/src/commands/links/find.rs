//! `tracehound links find`: the registry and THORChain's memos over the book's ledgers, and the matcher where asked for; kept
//! in the book.

use std::collections::BTreeMap;
use std::io::Write;

use book::BookLedger;
use ledger::Contracts;
use link::{Claim, Found, Kept, matcher};

use super::line::CrossingLine;
use super::thorchain;
use crate::cli::FindLinksArgs;
use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::home::Home;
use crate::linkstore::{Entry, LinkStore};
use crate::output::text::{counted, grouped, plural};
use crate::registries;

/// How many problems are listed one by one.
const PROBLEMS_MAX: usize = 100;

pub fn run(home: &Home, args: &FindLinksArgs) -> Result<Exit, Failure> {
    let book = home.open()?;
    let registry = registries::registry(Some(&book), &args.registry)?;
    let opened: Vec<BookLedger> = book.ledgers()?.iter().map(|id| book.ledger(id)).collect::<Result<_, _>>()?;
    let contracts: Vec<&dyn Contracts> = opened.iter().filter_map(contracts).collect();
    let found = link::find(&contracts, &registry);
    let memos = thorchain::memos(&opened, &registries::routers(Some(&book), &args.registry)?);
    let problems: Vec<String> =
        found.problems.iter().map(ToString::to_string).chain(memos.problems.iter().cloned()).collect();
    say_problems(&problems);
    let mut claims = found.claims.clone();
    claims.extend(memos.claims);
    if args.matching {
        claims.extend(matched(&found));
    }
    let kept: Vec<Kept> = claims.into_iter().map(|claim| Kept { claim, withdrawn: None }).collect();
    for side in link::excess(&kept) {
        say(format!("warning: the links of {} {} come to more than all of it", side.ledger, side.tx));
    }
    say(summary(&found, &kept));
    if !memos.unpaired.is_empty() {
        let payments = plural(memos.unpaired.len(), "payment");
        say(format!("{payments} over THORChain whose other side is on none of the book's ledgers"));
    }
    let links = if args.dry_run {
        kept
    } else {
        let mut store = LinkStore::open(&book)?;
        let entry = Entry { did: "find", note: args.note.clone(), ..Entry::default() };
        let ids: std::collections::BTreeSet<String> = kept.iter().map(|kept| kept.claim.id()).collect();
        let new = store.take_in(kept, args.again, entry)?;
        let total = grouped(&store.links.len().to_string());
        say(format!("{} new; the book has {total}", counted(new, "link")));
        store.links.into_iter().filter(|kept| ids.contains(&kept.claim.id()) && kept.withdrawn.is_none()).collect()
    };
    let mut out = stdout();
    if args.json {
        for kept in &links {
            writeln!(out, "{}", link::line(kept))?;
        }
    }
    if args.unpaired {
        for crossing in &found.unpaired {
            serde_json::to_writer(&mut out, &CrossingLine::from(crossing))?;
            writeln!(out)?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn contracts(opened: &BookLedger) -> Option<&dyn Contracts> {
    match opened {
        BookLedger::Account(ledger) => Some(ledger),
        BookLedger::Utxo(_) => None,
    }
}

/// What no message ties together: the matcher takes the crossings that are left, and the pairs that are sure to learn from.
fn matched(found: &Found) -> Vec<Claim> {
    let matched = matcher::match_crossings(&found.unpaired, &found.pairs, &matcher::Options::default());
    for note in matched.notes.iter().take(PROBLEMS_MAX) {
        say(format!("warning: --match: {note}"));
    }
    let more = matched.notes.len().saturating_sub(PROBLEMS_MAX);
    if more > 0 {
        say(format!("warning: and {} more", plural(more, "note")));
    }
    matched.claims
}

fn say_problems(problems: &[String]) {
    for problem in problems.iter().take(PROBLEMS_MAX) {
        say(format!("warning: {problem}"));
    }
    let more = problems.len().saturating_sub(PROBLEMS_MAX);
    if more > 0 {
        say(format!("warning: and {} more", plural(more, "problem")));
    }
}

fn summary(found: &Found, kept: &[Kept]) -> String {
    let mut protocols: BTreeMap<&str, usize> = BTreeMap::new();
    for kept in kept {
        *protocols.entry(&kept.claim.protocol).or_default() += 1;
    }
    let names: Vec<String> = protocols.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    format!(
        "{} decoded, {}{names}, {} without another side",
        counted(found.crossings, "crossing"),
        plural(kept.len(), "link"),
        grouped(&found.unpaired.len().to_string())
    )
}
