//! [`Rules`]: what words of tags mean, read from the three tables under `rules/`.
//!
//! The tables are data that an analyst may read and override ([`Rules::overridden_by`]); the code knows no category by
//! name.

use std::collections::BTreeMap;

use decode::Fault;
use decode::fault::quoted;
use ledger::LedgerId;

const CATEGORIES: &str = include_str!("../rules/categories.csv");
const CONFIDENCE: &str = include_str!("../rules/confidence.csv");
const CURRENCIES: &str = include_str!("../rules/currencies.csv");

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
    /// The concept of the INTERPOL taxonomy.
    pub dwva: Option<String>,
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
        read(CONFIDENCE.as_bytes(), &["word", "level"], |row| {
            let level = row.get(1).parse().ok().filter(|level| *level <= 100);
            let level = level.ok_or_else(|| row.fault((1, "level"), "is no level", "write 0 to 100"))?;
            rules.confidence.insert(word(row.get(0)), level);
            Ok(())
        })
        .expect("the built-in confidence levels are tested");
        read(CURRENCIES.as_bytes(), &["currency", "ledger"], |row| {
            rules.currencies.entry(row.get(0).to_owned()).or_default().push(row.get(1).to_owned());
            Ok(())
        })
        .expect("the built-in currencies are tested");
        rules
    }
}

impl Rules {
    /// These rules, with the rows of a table in the shape of `rules/categories.csv` in place of their own.
    pub fn overridden_by(mut self, bytes: &[u8]) -> Result<Self, Fault> {
        let mut seen = BTreeMap::new();
        read(bytes, &["word", "stop", "risk", "dwva", "note"], |row| {
            let name = word(row.get(0));
            if name.is_empty() {
                return Err(row.fault((0, "word"), "is no word", "write a category in lower case"));
            }
            if let Some(line) = seen.insert(name.clone(), row.line) {
                return Err(row.fault((0, "word"), &format!("stands here and in line {line}"), "keep one"));
            }
            let stop = match row.get(1) {
                "" => None,
                text => Some(StopKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
                    row.fault((1, "stop"), "is no stop", "write service, mixer, bridge, conduit, or nothing")
                })?),
            };
            let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            self.categories.insert(name, Rule { stop, risk: filled(row.get(2)), dwva: filled(row.get(3)) });
            Ok(())
        })?;
        Ok(self)
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

    /// All words of confidence, in order.
    pub fn confidence_words(&self) -> impl Iterator<Item = &str> {
        self.confidence.keys().map(String::as_str)
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

/// A word as the rules write it: trimmed, lower case, spaces and hyphens as underscores.
pub fn word(text: &str) -> String {
    text.trim().to_lowercase().replace([' ', '-'], "_")
}

/// One row of a table of rules.
struct Row {
    line: u64,
    fields: csv::StringRecord,
}

impl Row {
    fn get(&self, at: usize) -> &str {
        self.fields.get(at).unwrap_or_default()
    }

    fn fault(&self, (at, name): (usize, &str), what: &str, help: &str) -> Fault {
        Fault::line(self.line, format!("{} {what}", quoted(self.get(at))), help).field(name)
    }
}

/// Reads a CSV table with exactly these columns; lines that start with `#` are comments.
fn read(bytes: &[u8], columns: &[&str], mut take: impl FnMut(&Row) -> Result<(), Fault>) -> Result<(), Fault> {
    let text = decode::text::utf8(bytes)?;
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| crate::table::csv_fault(&error))?;
    if header.iter().ne(columns.iter().copied()) {
        return Err(Fault::line(1, "this is no table of rules", format!("its header is {}", columns.join(","))));
    }
    for (count, record) in reader.records().enumerate() {
        let fields = record.map_err(|error| crate::table::csv_fault(&error))?;
        let line = fields.position().map_or(0, csv::Position::line);
        if count >= RULES_MAX {
            return Err(Fault::line(line, format!("more than {RULES_MAX} rules"), "remove some"));
        }
        take(&Row { line, fields })?;
    }
    Ok(())
}
