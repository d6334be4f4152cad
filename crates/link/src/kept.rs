//! Claims as text: NDJSON of the schema `tracehound/links/1`, sorted, each once, the same bytes for the same claims.
//!
//! The book keeps them so, and files of the user are read so; what is wrong with a line is said with its number and field.
//! A claim that was taken back stays in the list, marked, so that no method brings it back by itself. It knows no file:
//! whoever calls opens and replaces it. The format has its page in `docs/links.md`.

use std::io::{self, Read, Write};

use decode::fault::quoted;
use decode::lines::Lines;
use decode::{DecodeError, Fault};
use evm::abi::keccak256;
use ledger::{LedgerId, Time, address, hex};
use money::Amount;
use serde::{Deserialize, Serialize};

use crate::{Claim, Class, Portion, Side};

/// The schema of the first line.
pub const SCHEMA: &str = "tracehound/links/1";
/// The most claims that are read.
pub const CLAIMS_MAX: usize = 20_000_000;
/// The longest line.
const LINE_BYTES_MAX: usize = 1 << 16;
/// The longest text within a claim.
const TEXT_BYTES_MAX: usize = 4096;

/// A claim, and whether it was taken back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    /// The claim.
    pub claim: Claim,
    /// Why it was taken back, if it was; may be empty.
    pub withdrawn: Option<String>,
}

impl Claim {
    /// The link's own name: made of the protocol, the method and the two sides, so that the same link found again, with
    /// another probability or by a later version, has the same name.
    pub fn id(&self) -> String {
        let side = |side: &Side| {
            let index = side.index.map(|index| index.to_string()).unwrap_or_default();
            let holder = side.holder.as_deref().unwrap_or_default();
            let Side { ledger, tx, asset, units, .. } = side;
            format!("{ledger}\n{tx}\n{index}\n{holder}\n{asset}\n{units}")
        };
        let text = format!("{}\n{}\n{}\n{}", self.protocol, self.method, side(&self.from), side(&self.to));
        format!("link-{}", hex::text(&keccak256(text.as_bytes())[..10]))
    }
}

impl Class {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deterministic => "deterministic",
            Self::UniqueCandidate => "unique-candidate",
            Self::Candidates(_) => "candidates",
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    schema: String,
}

/// One end as text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SideLine {
    ledger: String,
    tx: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    asset: String,
    units: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<String>,
}

/// A claim as a line; absent fields are left out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    protocol: String,
    class: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    candidates: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probability: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    share: Option<String>,
    from: SideLine,
    to: SideLine,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gross_units: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    withdrawn: Option<String>,
}

impl From<&Side> for SideLine {
    fn from(side: &Side) -> Self {
        Self {
            ledger: side.ledger.to_string(),
            tx: side.tx.clone(),
            index: side.index,
            holder: side.holder.clone(),
            asset: side.asset.clone(),
            units: side.units.to_string(),
            time: side.time.map(|time| time.to_string()),
        }
    }
}

impl From<&Kept> for Line {
    fn from(kept: &Kept) -> Self {
        let claim = &kept.claim;
        Self {
            id: Some(claim.id()),
            protocol: claim.protocol.clone(),
            class: claim.class.as_str().to_owned(),
            candidates: match claim.class {
                Class::Candidates(count) => Some(count),
                Class::Deterministic | Class::UniqueCandidate => None,
            },
            probability: Some(claim.probability.to_string()),
            share: Some(claim.share.to_string()),
            from: SideLine::from(&claim.from),
            to: SideLine::from(&claim.to),
            gross_units: claim.gross_units.map(|units| units.to_string()),
            method: Some(claim.method.clone()),
            version: Some(claim.version),
            source: Some(claim.source.clone()),
            evidence: Some(claim.evidence.clone()),
            withdrawn: kept.withdrawn.clone(),
        }
    }
}

/// What is wrong with a line: the field, what, and what to do.
struct Wrong(&'static str, String, &'static str);

impl SideLine {
    fn side(self, which: &'static [&'static str; 7]) -> Result<Side, Wrong> {
        let ledger = LedgerId::parse(&self.ledger).map_err(|error| Wrong(which[0], error.to_string(), ""))?;
        let tx = transaction(&ledger, &self.tx)
            .map_err(|help| Wrong(which[1], format!("{} is no transaction of {ledger}", quoted(&self.tx)), help))?;
        let holder = self.holder.map(|holder| {
            let said = |error| Wrong(which[3], format!("{}: {error}", quoted(&holder)), "copy the address again");
            address::canonical(&ledger, &holder).map_err(said)
        });
        let asset = short(which[4], self.asset)?;
        if asset.is_empty() {
            return Err(Wrong(which[4], "the asset is empty".to_owned(), "write the asset's name on that ledger"));
        }
        let time = self
            .time
            .map(|time| Time::parse(&time).map_err(|error| Wrong(which[6], format!("{}: {error}", quoted(&time)), "")));
        let units = units(which[5], &self.units)?;
        Ok(Side { tx, index: self.index, holder: holder.transpose()?, asset, units, time: time.transpose()?, ledger })
    }
}

fn units(field: &'static str, text: &str) -> Result<u128, Wrong> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse::<u128>().ok().filter(|units| digits && *units <= Amount::MAX.units());
    number.ok_or_else(|| {
        let help = "write whole base units in digits, up to 2^126";
        Wrong(field, format!("{} is no number of base units", quoted(text)), help)
    })
}

fn short(field: &'static str, text: String) -> Result<String, Wrong> {
    if text.len() > TEXT_BYTES_MAX || text.chars().any(char::is_control) {
        let what = format!("the text is longer than {TEXT_BYTES_MAX} bytes, or holds a control character");
        return Err(Wrong(field, what, "shorten it"));
    }
    Ok(text)
}

/// A transaction's id in the form that the ledger prints.
fn transaction(ledger: &LedgerId, text: &str) -> Result<String, &'static str> {
    let digits = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    match ledger.namespace() {
        "eip155" => match text.strip_prefix("0x") {
            Some(rest) if digits(rest) => Ok(text.to_ascii_lowercase()),
            _ => Err("write 0x and 64 hexadecimal digits"),
        },
        "bip122" if digits(text) => Ok(text.to_ascii_lowercase()),
        "bip122" => Err("write 64 hexadecimal digits"),
        _ if text.is_empty() || text.len() > TEXT_BYTES_MAX || text.chars().any(char::is_control) => {
            Err("write the transaction's id")
        }
        _ => Ok(text.to_owned()),
    }
}

const FROM: [&str; 7] =
    ["from.ledger", "from.tx", "from.index", "from.holder", "from.asset", "from.units", "from.time"];
const TO: [&str; 7] = ["to.ledger", "to.tx", "to.index", "to.holder", "to.asset", "to.units", "to.time"];

impl Line {
    fn kept(self) -> Result<Kept, Wrong> {
        let class = match (self.class.as_str(), self.candidates) {
            ("deterministic", None) => Class::Deterministic,
            ("unique-candidate", None) => Class::UniqueCandidate,
            ("candidates", Some(count)) if count > 1 => Class::Candidates(count),
            ("candidates", _) => {
                let help = "write how many fit, two or more";
                return Err(Wrong("candidates", "the number of candidates is missing, or below two".to_owned(), help));
            }
            (word, _) => {
                let help = "write deterministic, unique-candidate, or candidates with their number";
                return Err(Wrong("class", format!("{} is no class", quoted(word)), help));
            }
        };
        let portion = |field, text: Option<String>, usual: Option<Portion>| match text {
            Some(text) => Portion::parse(&text).filter(|portion| portion.parts() > 0).ok_or_else(|| {
                let help = "write a decimal above 0 and up to 1, with up to nine digits";
                Wrong(field, format!("{} is no portion", quoted(&text)), help)
            }),
            None => usual.ok_or(Wrong(field, format!("the {field} is missing"), "only deterministic links are sure")),
        };
        let sure = (class == Class::Deterministic).then_some(Portion::ONE);
        let claim = Claim {
            protocol: short("protocol", self.protocol)?,
            probability: portion("probability", self.probability, sure)?,
            share: portion("share", self.share, Some(Portion::ONE))?,
            from: self.from.side(&FROM)?,
            to: self.to.side(&TO)?,
            gross_units: self.gross_units.map(|text| units("gross_units", &text)).transpose()?,
            method: short("method", self.method.unwrap_or_else(|| "import".to_owned()))?,
            version: self.version.unwrap_or(1),
            source: short("source", self.source.unwrap_or_default())?,
            evidence: short("evidence", self.evidence.unwrap_or_default())?,
            class,
        };
        let (from, to) = (&claim.from, &claim.to);
        if (&from.ledger, &from.tx, from.index) == (&to.ledger, &to.tx, to.index) {
            return Err(Wrong("to", "both sides are the same movement".to_owned(), "a link joins two"));
        }
        if self.id.is_some_and(|id| id != claim.id()) {
            let help = "the id is made of the link; leave it out, or write the claim as it was";
            return Err(Wrong("id", "the id is not that of this link".to_owned(), help));
        }
        Ok(Kept { claim, withdrawn: self.withdrawn.map(|note| short("withdrawn", note)).transpose()? })
    }
}

/// Both lists as one, sorted, each link once. Of the same link the one of `more`, which came later, is kept; it stays
/// withdrawn if it was, unless `again`.
pub fn merged(kept: Vec<Kept>, more: impl IntoIterator<Item = Kept>, again: bool) -> Vec<Kept> {
    let mut by_id: std::collections::BTreeMap<String, Kept> =
        kept.into_iter().map(|kept| (kept.claim.id(), kept)).collect();
    for mut new in more {
        let id = new.claim.id();
        if let Some(old) = by_id.get_mut(&id) {
            if !again {
                new.withdrawn = new.withdrawn.or_else(|| old.withdrawn.take());
            }
            *old = new;
        } else {
            by_id.insert(id, new);
        }
    }
    let mut all: Vec<Kept> = by_id.into_values().collect();
    all.sort_unstable();
    all
}

/// The payments whose links, those taken back apart, come to more than all of them: the sum of probability times share is
/// above one. Claims of several methods about one payment do that.
pub fn excess(kept: &[Kept]) -> Vec<Side> {
    let one = u128::from(Portion::ONE_PARTS) * u128::from(Portion::ONE_PARTS);
    let mut sums: std::collections::BTreeMap<&Side, u128> = std::collections::BTreeMap::new();
    for kept in kept.iter().filter(|kept| kept.withdrawn.is_none()) {
        let claim = &kept.claim;
        *sums.entry(&claim.from).or_default() +=
            u128::from(claim.probability.parts()) * u128::from(claim.share.parts());
    }
    sums.into_iter().filter(|(_, sum)| *sum > one).map(|(side, _)| side.clone()).collect()
}

/// A claim as one line of JSON, without the line's end.
pub fn line(kept: &Kept) -> String {
    serde_json::to_string(&Line::from(kept)).expect("text and numbers are JSON")
}

/// Writes the claims, sorted.
pub fn write_ndjson(claims: &[Kept], out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    let mut sorted: Vec<&Kept> = claims.iter().collect();
    sorted.sort_unstable();
    serde_json::to_writer(&mut *out, &Head { schema: SCHEMA.to_owned() })?;
    out.write_all(b"\n")?;
    for kept in sorted {
        out.write_all(line(kept).as_bytes())?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Reads what [`write_ndjson`] wrote, or what somebody wrote by hand: in any order, without ids.
pub fn from_ndjson(reader: impl Read) -> Result<Vec<Kept>, DecodeError> {
    let mut lines = Lines::new(reader, LINE_BYTES_MAX);
    let head = lines.next_line()?.and_then(|line| serde_json::from_slice::<Head>(line.bytes).ok());
    if head.is_none_or(|head| head.schema != SCHEMA) {
        let help = format!("start the file with {{\"schema\":\"{SCHEMA}\"}}");
        return Err(Fault::line(1, format!("the first line does not name the schema {SCHEMA}"), help).into());
    }
    let mut claims = Vec::new();
    while let Some(line) = lines.next_line()? {
        if line.is_blank() {
            continue;
        }
        if claims.len() >= CLAIMS_MAX {
            let fault = Fault::line(line.number, format!("more than {CLAIMS_MAX} links"), "keep them in several books");
            return Err(fault.into());
        }
        claims.push(read_line(line.number, line.bytes)?);
    }
    Ok(claims)
}

fn read_line(number: u64, bytes: &[u8]) -> Result<Kept, Fault> {
    let line: Line = serde_json::from_slice(bytes).map_err(|error| {
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        let fault = Fault::line(number, format!("not a link: {what}"), "docs/links.md has the fields");
        fault.at((error.column() as u64).max(1))
    })?;
    line.kept().map_err(|Wrong(field, what, help)| Fault::line(number, what, help).field(field))
}

#[cfg(test)]
mod tests;
