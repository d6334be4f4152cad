//! [`Rules`]: what words of tags mean, read from the three tables under `rules/`.
//!
//! The tables are data that an analyst may read and override ([`Rules::overridden_by`]); the code knows no category by
//! name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use decode::Fault;
use decode::fault::quoted;
use ledger::LedgerId;

use crate::Claim;
use crate::exposure::{EXPOSURE_CATEGORIES, exposure_category};

const CATEGORIES: &str = include_str!("../rules/categories.csv");
const CONFIDENCE: &str = include_str!("../rules/confidence.csv");
const CURRENCIES: &str = include_str!("../rules/currencies.csv");

/// The columns of a table of words; the first must be there.
const WORD_COLUMNS: [&str; 7] = ["word", "stop", "risk", "exposure", "dwva", "parent", "note"];
/// The weight of a claim that states no confidence, or an unknown one: that of `unknown`.
const CONFIDENCE_UNKNOWN: u8 = 5;
/// The most rows that a table of rules may have.
const RULES_MAX: usize = 100_000;

/// What a trace does at a holder. Ordered by precedence where claims of equal confidence contradict one another: a
/// custodian can be called, and to have called one in vain costs a call; a conduit comes last, because believing it
/// wrongly lets a trace run on through somebody's pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StopKind {
    /// A custodian or pooled wallet: the way on lies in its books.
    Service,
    /// The way on is hidden on purpose.
    Mixer,
    /// The way on is on another ledger.
    Bridge,
    /// Value passes through within the transaction.
    Conduit,
}

impl StopKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Service, Self::Mixer, Self::Bridge, Self::Conduit];

    /// The word for it, in rules and results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Mixer => "mixer",
            Self::Bridge => "bridge",
            Self::Conduit => "conduit",
        }
    }
}

/// What one word means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// What a trace does there; nothing for an ordinary holder.
    pub stop: Option<StopKind>,
    /// Why nobody wants to be paid from there.
    pub risk: Option<String>,
    /// Under which of [`EXPOSURE_CATEGORIES`] money from there is counted; nothing where it goes on under the names that
    /// it came with.
    pub exposure: Option<u8>,
    /// The concept of the INTERPOL taxonomy.
    pub dwva: Option<String>,
    /// The word whose kind it is of; what it leaves out is as there.
    pub parent: Option<String>,
}

/// What all words mean.
#[derive(Clone, Debug)]
pub struct Rules {
    categories: BTreeMap<String, Rule>,
    confidence: BTreeMap<String, u8>,
    currencies: BTreeMap<String, Vec<String>>,
}

impl Default for Rules {
    fn default() -> Self {
        let none = Self { categories: BTreeMap::new(), confidence: BTreeMap::new(), currencies: BTreeMap::new() };
        let mut rules = none.overridden_by(CATEGORIES.as_bytes()).expect("the built-in categories are tested");
        read(CONFIDENCE.as_bytes(), &["word", "level"], 2, |row| {
            let level = row.get("level").parse().ok().filter(|level| *level <= 100);
            let level = level.ok_or_else(|| row.fault("level", "is no level", "write 0 to 100"))?;
            rules.confidence.insert(word(row.get("word")), level);
            Ok(())
        })
        .expect("the built-in confidence levels are tested");
        read(CURRENCIES.as_bytes(), &["currency", "ledger"], 2, |row| {
            rules.currencies.entry(row.get("currency").to_owned()).or_default().push(row.get("ledger").to_owned());
            Ok(())
        })
        .expect("the built-in currencies are tested");
        rules
    }
}

impl Rules {
    /// These rules, with the rows of a table in the shape of `rules/categories.csv` in place of their own. Columns may be
    /// left out, `word` apart; where there is no column `exposure` risks and stops decide it. A word with a `parent` has
    /// from it what its own row leaves out; parents are words of the table or of these rules, and go round in no circle.
    pub fn overridden_by(mut self, bytes: &[u8]) -> Result<Self, Fault> {
        let mut rows: BTreeMap<String, OwnRow> = BTreeMap::new();
        read(bytes, &WORD_COLUMNS, 1, |row| {
            let name = word(row.get("word"));
            if name.is_empty() {
                return Err(row.fault("word", "is no word", "write a category in lower case"));
            }
            if let Some(before) = rows.get(&name) {
                return Err(row.fault("word", &format!("stands here and in line {}", before.line), "keep one"));
            }
            rows.insert(name, OwnRow::read(row)?);
            Ok(())
        })?;
        let mut done: BTreeMap<String, Rule> = BTreeMap::new();
        for name in rows.keys() {
            for (name, row) in chain(name, &rows, &done, &self.categories)? {
                let parent = row.parent.as_ref().and_then(|parent| {
                    done.get(parent).or_else(|| self.categories.get(parent).filter(|_| !rows.contains_key(parent)))
                });
                let rule = row.rule(parent, &self);
                done.insert(name.to_owned(), rule);
            }
        }
        self.categories.extend(done);
        Ok(self)
    }

    /// Where a table does not say: as the words that have the same risk, the worst of them; `illicit` for a risk that is
    /// new; else the stop's own.
    fn usual_exposure(&self, stop: Option<StopKind>, risk: Option<&str>) -> Option<u8> {
        let named = |name| Some(exposure_category(name).expect("a name of the list"));
        match (risk, stop) {
            (Some(_), _) => {
                let same = self.categories.values().filter(|rule| rule.risk.as_deref() == risk);
                same.filter_map(|rule| rule.exposure).max().or_else(|| named("illicit"))
            }
            (None, Some(StopKind::Service)) => named("service"),
            (None, Some(StopKind::Mixer)) => named("mixer"),
            (None, Some(StopKind::Bridge)) => named("bridge"),
            (None, Some(StopKind::Conduit) | None) => None,
        }
    }

    /// What a category or abuse means; nothing for a word that no rule knows.
    pub fn category(&self, text: &str) -> Option<&Rule> {
        self.categories.get(&word(text))
    }

    /// All words and what they mean, in order.
    pub fn categories(&self) -> impl Iterator<Item = (&str, &Rule)> {
        self.categories.iter().map(|(word, rule)| (word.as_str(), rule))
    }

    /// How much a confidence weighs; nothing for an unknown word.
    pub fn confidence(&self, text: &str) -> Option<u8> {
        self.confidence.get(&word(text)).copied()
    }

    /// How much a claim weighs: by its confidence, where it states none or an unknown one as little as `unknown`.
    pub fn weight(&self, claim: &Claim) -> u8 {
        claim.confidence.as_deref().and_then(|word| self.confidence(word)).unwrap_or(CONFIDENCE_UNKNOWN)
    }

    /// All words of confidence, in order.
    pub fn confidence_words(&self) -> impl Iterator<Item = &str> {
        self.confidence.keys().map(String::as_str)
    }

    /// All of it as text, for a hash: a line a rule.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (word, rule) in &self.categories {
            let stop = rule.stop.map_or("", StopKind::as_str);
            let exposure = rule.exposure.map_or("", |at| EXPOSURE_CATEGORIES[usize::from(at)]);
            let (risk, dwva) = (rule.risk.as_deref().unwrap_or_default(), rule.dwva.as_deref().unwrap_or_default());
            let _ = writeln!(text, "{word:?},{stop},{risk:?},{exposure},{dwva:?}");
        }
        for (word, level) in &self.confidence {
            let _ = writeln!(text, "{word:?},{level}");
        }
        for (currency, ledgers) in &self.currencies {
            let _ = writeln!(text, "{currency:?},{ledgers:?}");
        }
        text
    }

    /// Whether a currency is one of the rules'.
    pub(crate) fn knows_currency(&self, currency: &str) -> bool {
        self.currencies.contains_key(currency)
    }

    /// Which currencies may speak of the same holder: those of the same ledger. What no rule knows lives on EVM chains.
    pub(crate) fn realm(&self, currency: &str) -> String {
        let own = self.currencies.get(currency).and_then(|ledgers| ledgers.first());
        own.map_or("eip155", |ledger| if ledger.starts_with("eip155") { "eip155" } else { ledger }).to_owned()
    }

    /// Whether tags of a currency belong on `ledger`; nothing for a currency that no rule knows.
    pub(crate) fn currency_on(&self, currency: &str, ledger: &LedgerId) -> Option<bool> {
        let own = self.currencies.get(currency)?;
        if own.iter().any(|named| named == ledger.as_str()) {
            return Some(true);
        }
        let taken = self.currencies.values().flatten().any(|named| named == ledger.as_str());
        Some(!taken && own.iter().any(|named| named == ledger.namespace()))
    }
}

/// A row as it is written.
struct OwnRow {
    line: u64,
    stop: Option<StopKind>,
    risk: Option<String>,
    exposure: Option<u8>,
    /// Whether the table has a column for it.
    says_exposure: bool,
    dwva: Option<String>,
    parent: Option<String>,
}

impl OwnRow {
    fn read(row: &Row<'_>) -> Result<Self, Fault> {
        let stop =
            match row.get("stop") {
                "" => None,
                text => Some(StopKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
                    row.fault("stop", "is no stop", "write service, mixer, bridge, conduit, or nothing")
                })?),
            };
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let risk = filled(row.get("risk"));
        let names = || EXPOSURE_CATEGORIES.join(", ");
        let exposure = match filled(row.get("exposure")) {
            Some(name) => {
                let help = || format!("write one of {}, or nothing", names());
                let known = exposure_category(&name);
                Some(known.ok_or_else(|| row.fault("exposure", "is no exposure category", &help()))?)
            }
            None if risk.is_some() && row.has("exposure") => {
                let help = format!("a risk is counted somewhere: write one of {}", names());
                return Err(row.fault("exposure", "is no exposure category", &help));
            }
            None => None,
        };
        Ok(Self {
            line: row.line,
            stop,
            risk,
            exposure,
            says_exposure: row.has("exposure"),
            dwva: filled(row.get("dwva")),
            parent: filled(&word(row.get("parent"))),
        })
    }

    /// What it means, with what it has from its parent.
    fn rule(&self, parent: Option<&Rule>, rules: &Rules) -> Rule {
        let stop = self.stop.or(parent.and_then(|parent| parent.stop));
        let from_parent = parent.filter(|_| self.risk.is_none()).and_then(|parent| parent.exposure);
        let usual = || if self.says_exposure { None } else { rules.usual_exposure(stop, self.risk.as_deref()) };
        Rule {
            stop,
            exposure: self.exposure.or(from_parent).or_else(usual),
            risk: self.risk.clone().or_else(|| parent?.risk.clone()),
            dwva: self.dwva.clone().or_else(|| parent?.dwva.clone()),
            parent: self.parent.clone(),
        }
    }
}

/// A word's row and those that it has something from, up to what is known already; the highest first.
fn chain<'a>(
    name: &'a str,
    rows: &'a BTreeMap<String, OwnRow>,
    done: &BTreeMap<String, Rule>,
    builtin: &BTreeMap<String, Rule>,
) -> Result<Vec<(&'a str, &'a OwnRow)>, Fault> {
    let (mut chain, mut seen) = (Vec::new(), BTreeSet::new());
    let mut next = Some(name);
    while let Some(name) = next.filter(|name| !done.contains_key(*name)) {
        let Some(row) = rows.get(name) else { break };
        let fault = |what: String, help: &str| Fault::line(row.line, what, help).field("parent");
        seen.insert(name);
        chain.push((name, row));
        next = row.parent.as_deref();
        if let Some(parent) = next {
            if seen.contains(parent) {
                let from = chain.iter().position(|(word, _)| *word == parent).unwrap_or_default();
                let words: Vec<&str> = chain[from..].iter().map(|(word, _)| *word).chain([parent]).collect();
                let circle = quoted(&words.join(" > "));
                return Err(fault(format!("the parents go round in a circle: {circle}"), "take one of them out"));
            }
            if !rows.contains_key(parent) && !builtin.contains_key(parent) {
                let help = "write a word of this table or of the built-in one";
                return Err(fault(format!("there is no word {}", quoted(parent)), help));
            }
        }
    }
    chain.reverse();
    Ok(chain)
}

/// A word as the rules write it: trimmed, lower case, spaces and hyphens as underscores.
pub fn word(text: &str) -> String {
    text.trim().to_lowercase().replace([' ', '-'], "_")
}

/// One row of a table of rules.
struct Row<'a> {
    line: u64,
    /// Where each column stands.
    places: &'a BTreeMap<&'static str, usize>,
    fields: csv::StringRecord,
}

impl Row<'_> {
    fn has(&self, column: &str) -> bool {
        self.places.contains_key(column)
    }

    fn get(&self, column: &str) -> &str {
        self.places.get(column).and_then(|at| self.fields.get(*at)).unwrap_or_default()
    }

    fn fault(&self, column: &str, what: &str, help: &str) -> Fault {
        Fault::line(self.line, format!("{} {what}", quoted(self.get(column))), help).field(column)
    }
}

/// Reads a CSV table that has the first `needed` of these columns, and any of the others; lines that start with `#` are
/// comments.
fn read(
    bytes: &[u8],
    columns: &[&'static str],
    needed: usize,
    mut take: impl FnMut(&Row<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let text = decode::text::utf8(bytes)?;
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| crate::table::csv_fault(&error))?.clone();
    let line = header.position().map_or(1, csv::Position::line).max(1);
    let wrong = |what: String| Fault::line(line, what, format!("its columns are {}", columns.join(",")));
    let mut places = BTreeMap::new();
    for (at, found) in header.iter().enumerate() {
        let column = columns.iter().find(|column| **column == found);
        let column = column.ok_or_else(|| wrong(format!("a table of rules has no column {}", quoted(found))))?;
        if places.insert(*column, at).is_some() {
            return Err(wrong(format!("the column {column} stands here twice")));
        }
    }
    if let Some(missing) = columns[..needed].iter().find(|column| !places.contains_key(*column)) {
        return Err(wrong(format!("this is no table of rules: there is no column {missing}")));
    }
    for (count, record) in reader.records().enumerate() {
        let fields = record.map_err(|error| crate::table::csv_fault(&error))?;
        let line = fields.position().map_or(0, csv::Position::line);
        if count >= RULES_MAX {
            return Err(Fault::line(line, format!("more than {RULES_MAX} rules"), "remove some"));
        }
        take(&Row { line, places: &places, fields })?;
    }
    Ok(())
}
