//! Claims as the book keeps them: NDJSON, sorted, each once, the same bytes for the same claims.
//!
//! The first line names the schema, and the claim of place n in the list stands in line n + 2. It knows no file: whoever
//! calls opens and replaces it.

use std::borrow::Cow;
use std::io::{self, Read, Write};

use decode::lines::Lines;
use decode::{DecodeError, Fault, Pool, Text};
use ledger::{LedgerId, Time};
use serde::{Deserialize, Serialize};

use crate::{Claim, PackHash, Scope};

/// The schema of the first line.
pub const SCHEMA: &str = "tracehound/tags/2";
/// The schema before packs were hashed, which is read as well.
const SCHEMA_BEFORE: &str = "tracehound/tags/1";
/// The most claims that are read.
pub const CLAIMS_MAX: usize = 20_000_000;
/// The longest line.
pub(crate) const LINE_BYTES_MAX: usize = 1 << 20;

/// What to do about a file that is not as it was written.
pub(crate) const DAMAGED: &str = "the file is damaged or from a later version; import the tags again";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head<'a> {
    schema: Cow<'a, str>,
}

/// A claim as a line; absent fields are left out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    address: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ledger: Option<Cow<'a, str>>,
    label: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    categories: Vec<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    abuse: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confidence: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<Cow<'a, str>>,
    pack: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pack_hash: Option<Cow<'a, str>>,
}

/// The claims of both lists, sorted, each once. Claims that differ only in the version of their pack are one; the
/// version of `more`, which came later, is kept.
pub fn merged(claims: Vec<Claim>, more: impl IntoIterator<Item = Claim>) -> Vec<Claim> {
    let claims = sorted(claims);
    let mut newer = sorted(more.into_iter().collect()).into_iter().peekable();
    if newer.peek().is_none() {
        return claims;
    }
    let mut out = Vec::with_capacity(claims.len() + newer.len());
    for claim in claims {
        while let Some(new) = newer.next_if(|new| new.without_version() < claim.without_version()) {
            out.push(new);
        }
        if newer.peek().is_none_or(|new| new.without_version() != claim.without_version()) {
            out.push(claim);
        }
    }
    out.extend(newer);
    out
}

/// In order, each once. Of several versions the last by order counts, so that the answer depends on nothing else.
fn sorted(mut claims: Vec<Claim>) -> Vec<Claim> {
    claims.sort_unstable();
    claims.dedup_by(|next, kept| {
        let same = next.without_version() == kept.without_version();
        if same {
            kept.pack_hash = next.pack_hash;
        }
        same
    });
    claims
}

/// The claims as text, sorted, each once.
pub fn to_ndjson(claims: &[Claim]) -> String {
    let mut out = Vec::new();
    write_ndjson(claims, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// Writes the claims, sorted, each once.
pub fn write_ndjson(claims: &[Claim], out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    let mut sorted: Vec<&Claim> = claims.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    head(SCHEMA, out)?;
    sorted.into_iter().try_for_each(|claim| json_line(&Line::from(claim), out))
}

/// Writes the first line, which names the schema.
pub(crate) fn head(schema: &str, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    json_line(&Head { schema: Cow::Borrowed(schema) }, out)
}

pub(crate) fn json_line(value: &impl Serialize, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Takes the first line, which must name one of these schemas, of which the first is today's.
pub(crate) fn read_head<R: Read>(lines: &mut Lines<R>, schemas: &[&str]) -> Result<(), DecodeError> {
    let line = lines.next_line()?;
    let head = line.and_then(|line| serde_json::from_slice::<Head<'_>>(line.bytes).ok());
    if head.is_some_and(|head| schemas.contains(&&*head.schema)) {
        return Ok(());
    }
    Err(Fault::line(1, format!("the first line does not name the schema {}", schemas[0]), DAMAGED).into())
}

impl<'a> From<&'a Claim> for Line<'a> {
    fn from(claim: &'a Claim) -> Self {
        let text = |text: &'a Text| Cow::Borrowed(&**text);
        let some = |option: &'a Option<Text>| option.as_ref().map(text);
        let (currency, ledger) = match &claim.scope {
            Scope::Anywhere => (None, None),
            Scope::Currency(currency) => (Some(text(currency)), None),
            Scope::Ledger(ledger) => (None, Some(Cow::Borrowed(ledger.as_str()))),
        };
        Self {
            address: Cow::Borrowed(&claim.address),
            currency,
            ledger,
            label: text(&claim.label),
            categories: claim.categories.iter().map(text).collect(),
            abuse: some(&claim.abuse),
            actor: some(&claim.actor),
            source: some(&claim.source),
            confidence: some(&claim.confidence),
            date: claim.date.map(|date| Cow::Owned(date.to_string())),
            pack: text(&claim.pack),
            pack_hash: claim.pack_hash.map(|hash| Cow::Owned(hash.to_string())),
        }
    }
}

impl Line<'_> {
    fn claim(self, pool: &mut Pool) -> Result<Claim, String> {
        let scope = match (self.currency, self.ledger) {
            (None, None) => Scope::Anywhere,
            (Some(currency), None) => Scope::Currency(pool.text(&currency)),
            (None, Some(ledger)) => Scope::Ledger(LedgerId::parse(&ledger).map_err(|error| error.to_string())?),
            (Some(_), Some(_)) => return Err("a tag has a currency or a ledger, not both".to_owned()),
        };
        let date = self.date.map(|date| Time::parse(&date)).transpose().map_err(|error| error.to_string())?;
        if !self.categories.is_sorted_by(|one, next| one < next) {
            return Err("the categories are not in order".to_owned());
        }
        let hash = self.pack_hash.map(|text| PackHash::parse(&text).ok_or("the pack's hash is none")).transpose()?;
        let mut some = |text: Option<Cow<'_, str>>| text.map(|text| pool.text(&text));
        Ok(Claim {
            address: self.address.into_owned(),
            scope,
            abuse: some(self.abuse),
            actor: some(self.actor),
            source: some(self.source),
            confidence: some(self.confidence),
            date,
            label: pool.text(&self.label),
            categories: self.categories.iter().map(|word| pool.text(word)).collect(),
            pack: pool.text(&self.pack),
            pack_hash: hash,
        })
    }
}

/// The claim of one line that [`write_ndjson`] wrote, the first line apart; for whoever remembers where a line begins.
pub fn from_line(line: &[u8]) -> Result<Claim, Fault> {
    line_at(0, line, &mut Pool::default())
}

fn line_at(number: u64, line: &[u8], pool: &mut Pool) -> Result<Claim, Fault> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| {
        let column = u64::try_from(error.column()).unwrap_or(u64::MAX);
        // The reader sees one line at a time; its own word for the place would say line 1.
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        Fault::line(number, format!("not a tag: {what}"), DAMAGED).at(column.max(1))
    })?;
    line.claim(pool).map_err(|what| Fault::line(number, what, DAMAGED))
}

/// Reads what [`write_ndjson`] wrote, line by line.
pub fn from_ndjson(reader: impl Read) -> Result<Vec<Claim>, DecodeError> {
    let mut lines = Lines::new(reader, LINE_BYTES_MAX);
    read_head(&mut lines, &[SCHEMA, SCHEMA_BEFORE])?;
    let mut pool = Pool::default();
    let mut claims: Vec<Claim> = Vec::new();
    while let Some(line) = lines.next_line()? {
        if claims.len() >= CLAIMS_MAX {
            let fault = Fault::line(line.number, format!("more than {CLAIMS_MAX} tags"), "keep them in several books");
            return Err(fault.into());
        }
        let claim = line_at(line.number, line.bytes, &mut pool)?;
        if claims.last().is_some_and(|before| *before >= claim) {
            return Err(Fault::line(line.number, "the tags are not in order", DAMAGED).into());
        }
        claims.push(claim);
    }
    Ok(claims)
}
