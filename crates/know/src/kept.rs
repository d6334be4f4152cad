//! Claims as the book keeps them: NDJSON, sorted, each once, the same bytes for the same claims.
//!
//! The first line names the schema. It is text, not a file: whoever calls reads and writes.

use decode::Fault;
use ledger::{LedgerId, Time};
use serde::{Deserialize, Serialize};

use crate::{Claim, Scope};

/// The schema of the first line.
pub const SCHEMA: &str = "tracehound/tags/1";
/// The most claims that are read.
pub const CLAIMS_MAX: usize = 20_000_000;

/// What to do about a file that is not as it was written.
const DAMAGED: &str = "the file is damaged or from a later version; import the tags again";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    schema: String,
}

/// A claim as a line; absent fields are left out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ledger: Option<String>,
    label: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    categories: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    abuse: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confidence: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    pack: String,
}

/// All claims of both lists, sorted, each once.
pub fn merged(mut claims: Vec<Claim>, more: impl IntoIterator<Item = Claim>) -> Vec<Claim> {
    claims.extend(more);
    claims.sort_unstable();
    claims.dedup();
    claims
}

/// The claims as text, sorted, each once.
pub fn to_ndjson(claims: &[Claim]) -> String {
    let mut sorted: Vec<&Claim> = claims.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut out = json(&Head { schema: SCHEMA.to_owned() });
    for claim in sorted {
        out.push('\n');
        out.push_str(&json(&Line::from(claim)));
    }
    out.push('\n');
    out
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and lists of texts are always JSON")
}

impl From<&Claim> for Line {
    fn from(claim: &Claim) -> Self {
        let (currency, ledger) = match &claim.scope {
            Scope::Anywhere => (None, None),
            Scope::Currency(currency) => (Some(currency.clone()), None),
            Scope::Ledger(ledger) => (None, Some(ledger.to_string())),
        };
        Self {
            address: claim.address.clone(),
            currency,
            ledger,
            label: claim.label.clone(),
            categories: claim.categories.clone(),
            abuse: claim.abuse.clone(),
            actor: claim.actor.clone(),
            source: claim.source.clone(),
            confidence: claim.confidence.clone(),
            date: claim.date.map(|date| date.to_string()),
            pack: claim.pack.clone(),
        }
    }
}

impl Line {
    fn claim(self) -> Result<Claim, String> {
        let scope = match (self.currency, self.ledger) {
            (None, None) => Scope::Anywhere,
            (Some(currency), None) => Scope::Currency(currency),
            (None, Some(ledger)) => Scope::Ledger(LedgerId::parse(&ledger).map_err(|error| error.to_string())?),
            (Some(_), Some(_)) => return Err("a tag has a currency or a ledger, not both".to_owned()),
        };
        let date = self.date.map(|date| Time::parse(&date)).transpose().map_err(|error| error.to_string())?;
        if !self.categories.is_sorted_by(|one, next| one < next) {
            return Err("the categories are not in order".to_owned());
        }
        Ok(Claim {
            address: self.address,
            scope,
            label: self.label,
            categories: self.categories,
            abuse: self.abuse,
            actor: self.actor,
            source: self.source,
            confidence: self.confidence,
            date,
            pack: self.pack,
        })
    }
}

/// Reads what [`to_ndjson`] wrote.
pub fn from_ndjson(bytes: &[u8]) -> Result<Vec<Claim>, Fault> {
    let text = decode::text::utf8(bytes)?;
    let mut lines = (1u64..).zip(text.lines());
    let head = lines.next().and_then(|(_, line)| serde_json::from_str::<Head>(line).ok());
    if head.is_none_or(|head| head.schema != SCHEMA) {
        return Err(Fault::line(1, format!("the first line does not name the schema {SCHEMA}"), DAMAGED));
    }
    let mut claims = Vec::new();
    for (number, line) in lines {
        if claims.len() >= CLAIMS_MAX {
            return Err(Fault::line(number, format!("more than {CLAIMS_MAX} tags"), "keep them in several books"));
        }
        let line: Line = serde_json::from_str(line).map_err(|error| {
            let column = u64::try_from(error.column()).unwrap_or(u64::MAX);
            // The reader sees one line at a time; its own word for the place would say line 1.
            let text = error.to_string();
            let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
            Fault::line(number, format!("not a tag: {what}"), DAMAGED).at(column.max(1))
        })?;
        claims.push(line.claim().map_err(|what| Fault::line(number, what, DAMAGED))?);
    }
    Ok(merged(claims, []))
}
