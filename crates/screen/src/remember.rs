//! [`Remembered`]: a screening in short, as `screenings.ndjson` keeps it, so that a later one can say what changed.
//!
//! One line a screening, appended and never rewritten. It is text here; whoever calls reads and writes the file.

use std::collections::{BTreeMap, BTreeSet};

use decode::Fault;
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Inherited, Tagged};
use crate::say::{reason, share_between};
use crate::{Answer, Categories, Direction, RuleBook};

/// The schema of a line.
pub const SCHEMA: &str = "tracehound/screening/1";
/// The most screenings that are read.
pub const SCREENINGS_MAX: usize = 5_000_000;
/// The longest line, in bytes.
pub const LINE_BYTES_MAX: usize = 4 << 20;

/// What a screening rested on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsOf {
    /// The last block's height.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// Its hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<String>,
    /// How many transactions the ledger had.
    pub transactions: u64,
    /// The hash of the tags.
    pub tags: String,
    /// The hash of the rulings on clusters; nothing where there were none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rulings: String,
    /// The rules' name.
    pub policy: String,
    /// The hash of the rules file.
    pub rules: String,
}

/// A claim in short.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShortClaim {
    /// Of whom.
    pub holder: String,
    /// What it calls that holder.
    pub label: String,
    /// Categories and abuse, in the source's words.
    pub words: String,
    /// The pack that it came with.
    pub pack: String,
}

/// A cluster in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShortCluster {
    /// The oldest member.
    pub oldest: String,
    /// How many members.
    pub size: u64,
}

/// A screening in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// [`SCHEMA`].
    pub schema: String,
    /// When it was made, by the clock of the machine that made it.
    pub when: String,
    /// What was asked.
    pub query: String,
    /// On which ledger it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// What it came to.
    pub status: String,
    /// What it rested on.
    pub as_of: AsOf,
    /// The rules that fired, with their actions and reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fired: Vec<[String; 3]>,
    /// The claims on it and on its cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ShortClaim>,
    /// Its cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ShortCluster>,
    /// Where money came from and went to: `received BTC theft` and the like, with amount and share.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub flows: BTreeMap<String, String>,
}

impl Remembered {
    /// A screening in short.
    pub fn of(answer: &Answer, rules: &RuleBook, categories: &Categories, when: &str) -> Self {
        let finding = answer.finding();
        let versions = finding.map(|finding| finding.versions.clone()).unwrap_or_default();
        let fired = answer.judgement().into_iter().flat_map(|judgement| &judgement.fired);
        let row =
            |fired: &crate::Fired| [fired.rule.clone(), fired.action.as_str().to_owned(), reason(fired, categories)];
        Self {
            schema: SCHEMA.to_owned(),
            when: when.to_owned(),
            query: answer.query.clone(),
            ledger: finding.and_then(|finding| finding.ledger.as_ref()).map(ToString::to_string),
            status: answer.status.as_str().to_owned(),
            as_of: AsOf {
                height: versions.height,
                block: versions.block,
                transactions: versions.transactions,
                tags: versions.tags,
                rulings: versions.rulings,
                policy: rules.policy.clone(),
                rules: rules.hash.clone(),
            },
            fired: fired.map(row).collect(),
            claims: finding.map(claims).unwrap_or_default(),
            cluster: finding
                .and_then(|finding| finding.cluster.as_ref())
                .map(|cluster| ShortCluster { oldest: cluster.oldest.clone(), size: cluster.size }),
            flows: finding.map(|finding| flows(finding, categories)).unwrap_or_default(),
        }
    }

    /// The screening as a line, with its end.
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and maps by text are always JSON") + "\n"
    }

    /// What it is the same screening as: the same query on the same ledger.
    pub fn key(&self) -> (&str, Option<&str>) {
        (&self.query, self.ledger.as_deref())
    }
}

fn claims(finding: &Finding) -> Vec<ShortClaim> {
    let own = finding.tags.iter().map(|tagged| (finding.subject.name(), tagged));
    let others = finding.inherited.iter().map(|Inherited { holder, tagged, .. }| (holder.as_str(), tagged));
    let short = |(holder, tagged): (&str, &Tagged)| -> Vec<ShortClaim> {
        let each = tagged.claims.iter().map(|claim| ShortClaim {
            holder: holder.to_owned(),
            label: claim.label.to_string(),
            words: claim.categories.iter().chain(&claim.abuse).cloned().collect::<Vec<_>>().join(", "),
            pack: claim.pack.to_string(),
        });
        each.collect()
    };
    let all: BTreeSet<ShortClaim> = own.chain(others).flat_map(short).collect();
    all.into_iter().collect()
}

fn flows(finding: &Finding, categories: &Categories) -> BTreeMap<String, String> {
    let mut flows = BTreeMap::new();
    for exposure in &finding.exposure {
        for direction in Direction::ALL {
            let flow = exposure.flow(direction);
            for slice in &flow.categories {
                let name = categories.name(slice.category);
                let key = format!("{} {} {name}", direction.as_str(), exposure.asset.symbol);
                let sum = slice.direct + slice.indirect;
                let share = share_between(sum, sum, flow.total);
                flows.insert(key, format!("{}, {share}", exposure.asset.text(sum)));
            }
        }
    }
    flows
}

/// Reads what was remembered, in the file's order. A last line that was cut off while it was written is left out.
pub fn read(bytes: &[u8]) -> Result<Vec<Remembered>, Fault> {
    const DAMAGED: &str = "the file is damaged or from a later version; move it away to begin a new one";
    let mut all = Vec::new();
    for (number, line) in (1u64..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        let Some(line) = line.strip_suffix(b"\n") else { break };
        if all.len() >= SCREENINGS_MAX || line.len() > LINE_BYTES_MAX {
            let what = format!("more than {SCREENINGS_MAX} screenings, or one of more than {LINE_BYTES_MAX} bytes");
            return Err(Fault::line(number, what, "move the file away to begin a new one"));
        }
        let one: Remembered = serde_json::from_slice(line).map_err(|error| {
            let column = u64::try_from(error.column()).unwrap_or(u64::MAX);
            Fault::line(number, "not a screening", DAMAGED).at(column.max(1))
        })?;
        if one.schema != SCHEMA {
            return Err(Fault::line(number, format!("the schema is not {SCHEMA}"), DAMAGED));
        }
        all.push(one);
    }
    Ok(all)
}
