//! The papers that go with the ledgers: incident files, the tag pack, the manifest.
//!
//! YAML is written by hand: every text here is from this crate's own short list of words, quoted where YAML could
//! take it for something else.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::world::{Start, Tag, Told};

/// The form of `manifest.json`.
pub const SCHEMA: &str = "tracehound/exercise/1";

/// What a run made: the plan, counts, and every file with its size and SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: String,
    /// This crate's version: another version may make other bytes of the same plan.
    pub version: String,
    /// The plan.
    pub plan: Plan,
    /// The ledgers, in the order they were made.
    pub ledgers: Vec<LedgerSummary>,
    /// Ids of the incidents.
    pub incidents: Vec<String>,
    /// The files, all but this manifest.
    pub files: Vec<FileSummary>,
}

/// What one ledger holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerSummary {
    /// Its id.
    pub ledger: String,
    /// Its file.
    pub file: String,
    /// Blocks, on chains.
    pub blocks: u64,
    /// Transactions, coinbases included.
    pub transactions: u64,
    /// Movements: table rows, or inputs and outputs.
    pub legs: u64,
    /// Of those, inputs and outputs (and fees) with a stolen coin among their ancestors, through anybody's hands and
    /// without stops; counted on chains.
    pub tainted_legs: u64,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSummary {
    /// Its name within the folder.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, as hex.
    pub sha256: String,
}

/// An incident's fixed words.
pub struct IncidentWords {
    pub id: &'static str,
    pub title: &'static str,
    pub victim: &'static str,
    pub kind: &'static str,
    pub notes: &'static str,
}

/// The robbery of the exchange's wallets.
pub const HEIST: IncidentWords = IncidentWords {
    id: "harbour-heist",
    title: "Harbour Exchange hot wallets emptied",
    victim: "Harbour Exchange",
    kind: "exchange",
    notes: "An exercise. Names, addresses and amounts are made up.",
};

/// The forged payment file.
pub const FORGED_FILE: IncidentWords = IncidentWords {
    id: "harbour-client-money",
    title: "Forged payment file on the client money account",
    victim: "Harbour Exchange",
    kind: "bank",
    notes: "An exercise. Names, accounts and amounts are made up.",
};

/// An incident file (FORMATS: incident).
pub fn incident_yaml(words: &IncidentWords, told: &[Told]) -> String {
    let day = told.iter().map(|told| told.day.as_str()).min().unwrap_or("2024-01-01");
    let mut yaml = format!(
        "incident: {}\ntitle: {}\nvictim: {{name: {}, kind: {}}}\noccurred: {day}\ndiscovered: {day}\nstatus: taken\nlosses:\n",
        words.id, words.title, words.victim, words.kind
    );
    for told in told {
        let loss = &told.loss;
        let _ = write!(
            yaml,
            "  - ledger: \"{}\"\n    asset: {}\n    amount: \"{}\"\n    stolen:\n",
            loss.ledger, loss.asset, loss.amount
        );
        for start in &told.starts {
            match start {
                Start::Output(output) => {
                    let _ = writeln!(yaml, "      - output: \"{output}\"");
                }
                Start::Payment((tx, to, amount)) => {
                    let amount = crate::exact::Exact::new(*amount, loss.amount.scale);
                    let _ = write!(yaml, "      - tx: \"{tx}\"\n        to: \"{to}\"\n        amount: \"{amount}\"\n");
                }
            }
        }
    }
    let _ = write!(yaml, "recovered: []\nfrozen: []\nreported: []\nclaims: []\nnotes: {}\n", words.notes);
    yaml
}

/// A tag pack. The currency says on which kind of ledger an address lives, as everywhere in this format.
pub fn tags_yaml(tags: &[Tag]) -> String {
    let mut yaml = String::from(
        "title: Exercise services\ncreator: exercise\ndescription: Services of an exercise; nothing here exists.\n\
         source: exercise\nconfidence: service_data\nlastmod: 2024-01-01\n",
    );
    if tags.is_empty() {
        yaml.push_str("tags: []\n");
        return yaml;
    }
    yaml.push_str("tags:\n");
    for tag in tags {
        let _ = write!(
            yaml,
            "- address: \"{}\"\n  currency: {}\n  label: {}\n  actor: {}\n  category: {}\n",
            tag.address, tag.asset, tag.label, tag.actor, tag.category
        );
    }
    yaml
}
