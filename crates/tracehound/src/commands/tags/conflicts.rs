//! `tracehound tags conflicts`: where the book's tags contradict one another, with what each side says. Nothing is settled
//! here, and a trace or a screening says by itself whom it followed.

use std::collections::BTreeMap;
use std::io::Write;

use know::{Claim, Conflict, Side};
use serde::Serialize;

use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::home::{Home, read_tags, stops};
use crate::output::text::{counted, grouped};

/// How many claims of a side are printed.
const CLAIMS_SHOWN_MAX: usize = 3;

#[derive(Serialize)]
struct Row<'a> {
    schema: &'static str,
    kind: &'static str,
    about: &'a str,
    sides: Vec<SideRow<'a>>,
}

#[derive(Serialize)]
struct SideRow<'a> {
    says: &'a str,
    confidence: u8,
    claims: Vec<ClaimRow<'a>>,
}

#[derive(Serialize)]
struct ClaimRow<'a> {
    label: &'a str,
    pack: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pack_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<&'a str>,
}

pub fn run(home: &Home, json: bool) -> Result<Exit, Failure> {
    let book = home.open()?;
    let claims = read_tags(&book)?;
    let conflicts = stops(&book)?.conflicts(&claims);
    let mut out = stdout();
    for conflict in &conflicts {
        if json {
            serde_json::to_writer(&mut out, &row(conflict, &claims))?;
            writeln!(out)?;
        } else {
            writeln!(out, "{}: {}", conflict.about, conflict.kind.sentence())?;
            for side in &conflict.sides {
                writeln!(out, "  {}, confidence {}: {}", side.says, side.confidence, who(side, &claims))?;
            }
        }
    }
    out.flush()?;
    if !json {
        summary(&conflicts, &claims);
    }
    Ok(Exit::Done)
}

/// Who says so: pack and source of the first claims.
fn who(side: &Side, claims: &[Claim]) -> String {
    let mut said: Vec<String> = side
        .claims
        .iter()
        .take(CLAIMS_SHOWN_MAX)
        .map(|at| {
            let claim = &claims[*at];
            let source = claim.source.as_deref().unwrap_or("no source given");
            format!("{} in pack {} ({source})", decode::fault::quoted(&claim.label), claim.pack)
        })
        .collect();
    if let Some(actor) = &side.actor_pack {
        said.push(format!("pack {actor}"));
    }
    if side.claims.len() > CLAIMS_SHOWN_MAX {
        said.push(counted((side.claims.len() - CLAIMS_SHOWN_MAX) as u64, "further tag"));
    }
    said.join(", ")
}

/// How many there are, by kind and by the packs that contradict one another.
fn summary(conflicts: &[Conflict], claims: &[Claim]) {
    if conflicts.is_empty() {
        return say("no tag of the book contradicts another");
    }
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    let mut pairs: BTreeMap<(String, String), u64> = BTreeMap::new();
    for conflict in conflicts {
        *kinds.entry(conflict.kind.as_str()).or_default() += 1;
        for pair in conflict.packs(claims) {
            *pairs.entry(pair).or_default() += 1;
        }
    }
    let kinds: Vec<String> =
        kinds.iter().map(|(kind, count)| format!("{kind} {}", grouped(&count.to_string()))).collect();
    say(format!("{} ({})", counted(conflicts.len() as u64, "contradiction"), kinds.join(", ")));
    for ((one, other), count) in pairs {
        say(if one == other {
            format!("  within pack {one}: {}", grouped(&count.to_string()))
        } else {
            format!("  between packs {one} and {other}: {}", grouped(&count.to_string()))
        });
    }
}

fn row<'a>(conflict: &'a Conflict, claims: &'a [Claim]) -> Row<'a> {
    let claim = |at: &usize| {
        let claim = &claims[*at];
        ClaimRow {
            label: &claim.label,
            pack: &claim.pack,
            pack_hash: claim.pack_hash.map(|hash| hash.to_string()),
            source: claim.source.as_deref(),
            confidence: claim.confidence.as_deref(),
        }
    };
    let side = |side: &'a Side| SideRow {
        says: &side.says,
        confidence: side.confidence,
        claims: side.claims.iter().map(claim).collect(),
    };
    Row {
        schema: "tracehound/tags-conflict/1",
        kind: conflict.kind.as_str(),
        about: &conflict.about,
        sides: conflict.sides.iter().map(side).collect(),
    }
}
