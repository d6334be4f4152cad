//! [`Stops`]: claims read against a ledger, holder by holder: where a trace ends, where value passes, what is a risk.
//!
//! The rule where claims contradict one another: the kind with the most confident claim counts; between equals the
//! order of [`StopKind`] decides. The contradiction is reported either way. An abuse (or a sanction) is a risk and never
//! a stop: a thief's own wallet is where a trace begins to be interesting.

use std::collections::{BTreeMap, BTreeSet};

use decode::Text;
use decode::fault::quoted;
use ledger::{HolderId, Ledger};

use crate::exposure::exposure_is_risk;
use crate::scope;
use crate::standing::Said;
use crate::{Claim, Rules, StopKind};

/// How many problems are listed; the rest are counted.
const PROBLEMS_MAX: usize = 1000;

/// Where a trace ends or passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// What a trace does there.
    pub kind: StopKind,
    /// Who it is: the actor, or the label, of the most confident claim.
    pub entity: String,
    /// The claims for this kind, by their place in the list that was given; ascending.
    pub claims: Vec<usize>,
    /// The most confident claim's weight, 0 to 100.
    pub confidence: u8,
}

/// Why somebody would not want to be paid by a holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// The kinds of risk, in order: `sanctioned`, `theft`, …
    pub kinds: BTreeSet<String>,
    /// Who it is: the actor, or the label, of the most confident claim.
    pub entity: String,
    /// The claims, by their place in the list that was given; ascending.
    pub claims: Vec<usize>,
    /// The most confident claim's weight, 0 to 100.
    pub confidence: u8,
}

/// What the claims make of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopSet {
    /// Stops and conduits.
    pub stops: BTreeMap<HolderId, Stop>,
    /// Risks.
    pub risks: BTreeMap<HolderId, Risk>,
    /// What a reader should know.
    pub problems: Vec<Problem>,
}

/// Something about the claims that a reader should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which kind.
    pub kind: ProblemKind,
    /// In words.
    pub text: String,
}

/// The kinds of [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// Two kinds of stop are claimed of one holder.
    Conflict,
    /// A category or abuse that no rule knows; listed once.
    UnknownCategory,
    /// A confidence that no rule knows; listed once.
    UnknownConfidence,
    /// A claim's address cannot exist on the ledger that the claim is for, or is mistyped; the claim is not used.
    BadAddress,
    /// There are more problems than are listed.
    More,
}

impl ProblemKind {
    /// The word for it in a trace's result.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "tags-conflict",
            Self::UnknownCategory => "tag-category-unknown",
            Self::UnknownConfidence => "tag-confidence-unknown",
            Self::BadAddress => "tag-address-bad",
            Self::More => "tag-problems-more",
        }
    }
}

/// The claims for one kind of stop, or for the risks, of one holder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Support {
    pub(crate) claims: Vec<usize>,
    /// The most confident claim and its weight; the first of equals.
    best: Option<(u8, usize)>,
}

impl Support {
    pub(crate) fn add(&mut self, at: usize, weight: u8) {
        if self.claims.last() != Some(&at) {
            self.claims.push(at);
        }
        if self.best.is_none_or(|(best, _)| weight > best) {
            self.best = Some((weight, at));
        }
    }

    pub(crate) fn weight(&self) -> u8 {
        self.best.map_or(0, |(weight, _)| weight)
    }

    pub(crate) fn entity(&self, claims: &[Claim]) -> String {
        self.best.map_or_else(String::new, |(_, at)| claims[at].entity().to_owned())
    }
}

/// Reads claims by a set of rules.
#[derive(Clone, Debug, Default)]
pub struct Stops {
    rules: Rules,
}

/// What gathers while the claims are read.
#[derive(Default)]
pub(crate) struct Gathered {
    /// Everything that is said of a holder.
    pub(crate) said: BTreeMap<HolderId, Said>,
    stops: BTreeMap<HolderId, BTreeMap<StopKind, Support>>,
    risks: BTreeMap<HolderId, (BTreeSet<String>, Support)>,
    unknown_categories: BTreeMap<Text, usize>,
    unknown_confidences: BTreeMap<Text, usize>,
    bad: Vec<Problem>,
}

impl Stops {
    /// By these rules; [`Default`] takes the built-in ones.
    pub const fn new(rules: Rules) -> Self {
        Self { rules }
    }

    /// The rules that it goes by.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What `claims` make of `ledger`.
    pub fn resolve(&self, claims: &[Claim], ledger: &dyn Ledger) -> StopSet {
        settle(self.gathered(claims, ledger), claims, ledger)
    }

    pub(crate) fn gathered(&self, claims: &[Claim], ledger: &dyn Ledger) -> Gathered {
        let mut gathered = Gathered::default();
        for (at, claim) in claims.iter().enumerate() {
            match scope::holder(claim, &self.rules, ledger) {
                Ok(holder) => self.gather(&mut gathered, at, claim, holder),
                Err(error) => {
                    let text = format!("tag {} of {}: {error}", quoted(&claim.address), quoted(&claim.pack));
                    gathered.bad.push(Problem { kind: ProblemKind::BadAddress, text });
                }
            }
        }
        gathered
    }

    /// Unknown words are reported whether or not the ledger has the holder: a typing error in a pack is one anywhere.
    fn gather(&self, gathered: &mut Gathered, at: usize, claim: &Claim, holder: Option<HolderId>) {
        let weight = self.rules.weight(claim);
        if let Some(word) = claim.confidence.as_ref().filter(|word| self.rules.confidence(word).is_none()) {
            *gathered.unknown_confidences.entry(Text::clone(word)).or_default() += 1;
        }
        if let Some(holder) = holder {
            gathered.said.entry(holder).or_default().all.add(at, weight);
        }
        let categories = claim.categories.iter().map(|word| (word, true));
        for (word, may_stop) in categories.chain(claim.abuse.iter().map(|word| (word, false))) {
            let Some(rule) = self.rules.category(word) else {
                *gathered.unknown_categories.entry(Text::clone(word)).or_default() += 1;
                continue;
            };
            let Some(holder) = holder else { continue };
            if let Some(category) = rule.exposure.filter(|category| may_stop || exposure_is_risk(*category)) {
                gathered.said.entry(holder).or_default().add_category(category, weight);
            }
            if let Some(kind) = rule.stop.filter(|_| may_stop) {
                gathered.stops.entry(holder).or_default().entry(kind).or_default().add(at, weight);
            }
            if let Some(risk) = &rule.risk {
                let (kinds, support) = gathered.risks.entry(holder).or_default();
                kinds.insert(risk.clone());
                support.add(at, weight);
            }
        }
    }
}

pub(crate) fn settle(gathered: Gathered, claims: &[Claim], ledger: &dyn Ledger) -> StopSet {
    let mut set = StopSet::default();
    for (holder, kinds) in gathered.stops {
        // The first of equals wins, and kinds are in order of precedence.
        let most = kinds.values().map(Support::weight).max().unwrap_or_default();
        let (kind, support) = kinds.iter().find(|(_, support)| support.weight() == most).expect("a holder has a kind");
        if kinds.len() > 1 {
            set.problems.push(conflict(&ledger.holder_name(holder), &kinds, *kind, claims));
        }
        let entity = support.entity(claims);
        let stop = Stop { kind: *kind, entity, claims: support.claims.clone(), confidence: support.weight() };
        set.stops.insert(holder, stop);
    }
    for (holder, (kinds, support)) in gathered.risks {
        let (entity, confidence) = (support.entity(claims), support.weight());
        set.risks.insert(holder, Risk { kinds, entity, claims: support.claims, confidence });
    }
    for (word, count) in gathered.unknown_categories {
        let text = format!(
            "the category {} ({count} tags) has no rule; it neither stops a trace nor marks a risk",
            quoted(&word)
        );
        set.problems.push(Problem { kind: ProblemKind::UnknownCategory, text });
    }
    for (word, count) in gathered.unknown_confidences {
        let text = format!("the confidence {} ({count} tags) is unknown; it weighs as `unknown`", quoted(&word));
        set.problems.push(Problem { kind: ProblemKind::UnknownConfidence, text });
    }
    set.problems.extend(gathered.bad);
    if set.problems.len() > PROBLEMS_MAX {
        let text = format!("and {} more problems with tags", set.problems.len() - PROBLEMS_MAX);
        set.problems.truncate(PROBLEMS_MAX);
        set.problems.push(Problem { kind: ProblemKind::More, text });
    }
    set
}

fn conflict(holder: &str, kinds: &BTreeMap<StopKind, Support>, taken: StopKind, claims: &[Claim]) -> Problem {
    let said: Vec<String> = kinds
        .iter()
        .map(|(kind, support)| {
            format!("{} ({}, confidence {})", kind.as_str(), quoted(&support.entity(claims)), support.weight())
        })
        .collect();
    let text = format!("tags call {} {}; taken as {}", quoted(holder), said.join(" and "), taken.as_str());
    Problem { kind: ProblemKind::Conflict, text }
}
