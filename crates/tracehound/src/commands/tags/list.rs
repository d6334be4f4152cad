//! `tracehound tags list`: the book's tags, about one address, by pack, or counted by what they say.

use std::collections::BTreeMap;
use std::io::Write;

use know::{Claim, EXPOSURE_CATEGORIES, Stops, Text};
use serde::Serialize;

use crate::cli::TagsBy;
use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::home::{Home, read_tags, stops};
use crate::output::text::counted;

/// How tags are counted that say nothing of the kind.
const NOTHING: &str = "(none)";

pub fn run(home: &Home, address: Option<&str>, by: Option<TagsBy>, json: bool) -> Result<Exit, Failure> {
    let book = home.open()?;
    let mut claims = read_tags(&book)?;
    if let Some(address) = address.map(know::folded_address) {
        claims.retain(|claim| know::folded_address(&claim.address) == address);
    }
    let stops = stops(&book)?;
    let mut out = stdout();
    match (by, address) {
        (None, _) if json => know::write_ndjson(&claims, &mut out)?,
        (None, Some(_)) => {
            for claim in &claims {
                writeln!(out, "{}", line(claim, &stops))?;
            }
            if claims.is_empty() {
                say("no tag says anything about this address");
            }
        }
        (by, _) => {
            let by = by.unwrap_or(TagsBy::Pack);
            let counts = counts(&claims, &stops, by);
            if json {
                serde_json::to_writer(&mut out, &Counts::new(by, claims.len(), &counts))?;
                writeln!(out)?;
            } else {
                for (word, count) in counts {
                    writeln!(out, "{word}: {}", counted(count, "tag"))?;
                }
            }
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn line(claim: &Claim, stops: &Stops) -> String {
    let words: Vec<&str> = claim.categories.iter().chain(&claim.abuse).map(|word| &**word).collect();
    let words = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
    let source = claim.source.as_deref().unwrap_or("no source given");
    let confidence = claim.confidence.as_deref().unwrap_or("not stated");
    let actor = claim.actor.as_deref().map(|_| format!(", actor {}", stops.name(claim))).unwrap_or_default();
    let version = claim.pack_hash.map(|hash| format!(" {}", &hash.to_string()[..8])).unwrap_or_default();
    let date = claim.date.map(|date| format!(", {date}")).unwrap_or_default();
    format!(
        "{}: {}{words}{actor}; pack {}{version}, confidence {confidence}, {source}{date}",
        claim.address, claim.label, claim.pack
    )
}

/// How many tags say each word; a tag with two words counts under both.
fn counts(claims: &[Claim], stops: &Stops, by: TagsBy) -> BTreeMap<Text, u64> {
    let mut counts: BTreeMap<Text, u64> = BTreeMap::new();
    for claim in claims {
        let mut words = words(claim, stops, by);
        words.sort_unstable();
        words.dedup();
        if words.is_empty() {
            words.push(Text::from(NOTHING));
        }
        for word in words {
            *counts.entry(word).or_default() += 1;
        }
    }
    counts
}

fn words(claim: &Claim, stops: &Stops, by: TagsBy) -> Vec<Text> {
    let rules = || stops.words(claim).filter_map(|(word, may_stop)| Some((stops.rules().category(word)?, may_stop)));
    let some = |text: &Option<Text>| text.iter().cloned().collect();
    match by {
        TagsBy::Category => claim.categories.clone(),
        TagsBy::Abuse => some(&claim.abuse),
        TagsBy::Pack => vec![Text::clone(&claim.pack)],
        TagsBy::Actor => some(&claim.actor),
        TagsBy::Confidence => some(&claim.confidence),
        TagsBy::Risk => rules().filter_map(|(rule, _)| rule.risk.as_deref().map(Text::from)).collect(),
        TagsBy::Dwva => rules().filter_map(|(rule, _)| rule.dwva.as_deref().map(Text::from)).collect(),
        TagsBy::Stop => {
            let stop = rules().filter(|(_, may_stop)| *may_stop).filter_map(|(rule, _)| rule.stop);
            stop.map(|stop| Text::from(stop.as_str())).collect()
        }
        TagsBy::Exposure => {
            let categories = rules().filter_map(|(rule, _)| rule.exposure);
            categories.map(|at| Text::from(EXPOSURE_CATEGORIES[usize::from(at)])).collect()
        }
    }
}

/// The counts as JSON.
#[derive(Serialize)]
struct Counts<'a> {
    schema: &'static str,
    by: &'static str,
    tags: usize,
    words: Vec<Count<'a>>,
}

#[derive(Serialize)]
struct Count<'a> {
    word: &'a str,
    tags: u64,
}

impl<'a> Counts<'a> {
    fn new(by: TagsBy, tags: usize, counts: &'a BTreeMap<Text, u64>) -> Self {
        let words = counts.iter().map(|(word, tags)| Count { word, tags: *tags }).collect();
        Self { schema: "tracehound/tags-count/1", by: by.as_str(), tags, words }
    }
}
