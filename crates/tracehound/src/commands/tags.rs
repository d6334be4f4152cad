//! `tracehound tags import|list`: what is known about holders.

use std::collections::BTreeMap;
use std::io::Write;

use know::Claim;

use crate::cli::TagsCommand;
use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::home::{Home, read_tags, write_tags};
use crate::output::text::{counted, grouped, plural};
use crate::tagfiles;

pub fn run(home: &Home, command: TagsCommand) -> Result<Exit, Failure> {
    match command {
        TagsCommand::Import { files } => {
            let read = tagfiles::read(&files, &know::Rules::default(), &mut |fault| say(format!("warning: {fault}")))?;
            let faults: u64 = read.iter().map(|file| file.bad).sum();
            let more: Vec<Claim> = read.into_iter().flat_map(|file| file.claims).collect();
            let book = home.create()?;
            let before = read_tags(&book)?;
            let (had, read) = (before.len(), more.len());
            let claims = know::merged(before, more);
            write_tags(&book, &claims)?;
            let new = grouped(&(claims.len() - had.min(claims.len())).to_string());
            say(format!(
                "{} read, {new} of them new; the book has {}",
                plural(read, "tag"),
                grouped(&claims.len().to_string())
            ));
            if faults > 0 {
                say(format!("{} could not be read, and left out", counted(faults, "tag")));
            }
            Ok(Exit::Done)
        }
        TagsCommand::List { address, json } => list(home, address.as_deref(), json),
    }
}

fn list(home: &Home, address: Option<&str>, json: bool) -> Result<Exit, Failure> {
    let claims = read_tags(&home.open()?)?;
    let mut out = stdout();
    let about = |claim: &&Claim| address.is_none_or(|address| claim.address.eq_ignore_ascii_case(address));
    let found: Vec<Claim> = claims.iter().filter(about).cloned().collect();
    if json {
        out.write_all(know::to_ndjson(&found).as_bytes())?;
    } else if address.is_some() {
        for claim in &found {
            let words = claim.categories.join(", ");
            let abuse = claim.abuse.as_deref().map(|abuse| format!(", {abuse}")).unwrap_or_default();
            let source = claim.source.as_deref().unwrap_or("no source given");
            let confidence = claim.confidence.as_deref().unwrap_or("not stated");
            writeln!(
                out,
                "{}: {} ({words}{abuse}); pack {}, confidence {confidence}, {source}",
                claim.address, claim.label, claim.pack
            )?;
        }
        if found.is_empty() {
            say("no tag says anything about this address");
        }
    } else {
        let mut packs: BTreeMap<&str, u64> = BTreeMap::new();
        for claim in &found {
            *packs.entry(&claim.pack).or_default() += 1;
        }
        for (pack, count) in packs {
            writeln!(out, "{pack}: {}", counted(count, "tag"))?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}
