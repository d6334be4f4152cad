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
use crate::{Actor, Actors, Claim, PackHash, Rules, StopKind, write_actors};

/// How many problems are listed; the rest are counted.
const PROBLEMS_MAX: usize = 1000;

/// Where a trace ends or passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// What a trace does there.
    pub kind: StopKind,
    /// Who it is: the actor, by its name where that is known, or the label, of the most confident claim.
    pub entity: String,
    /// The actor's id, where that claim names one.
    pub actor: Option<Text>,
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
    /// Who it is: the actor, by its name where that is known, or the label, of the most confident claim.
    pub entity: String,
    /// The actor's id, where that claim names one.
    pub actor: Option<Text>,
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

    /// The most confident claim.
    pub(crate) fn best<'a>(&self, claims: &'a [Claim]) -> &'a Claim {
        &claims[self.best.expect("it is made for a claim").1]
    }
}

/// Reads claims by a set of rules.
#[derive(Clone, Debug, Default)]
pub struct Stops {
    rules: Rules,
    actors: Actors,
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
    pub fn new(rules: Rules) -> Self {
        Self { rules, actors: Actors::default() }
    }

    /// With what is known of actors: their names, and their categories where a tag has none.
    #[must_use]
    pub fn with_actors(mut self, actors: Actors) -> Self {
        self.actors = actors;
        self
    }

    /// And with these.
    #[must_use]
    pub fn with_more_actors(mut self, more: impl IntoIterator<Item = Actor>) -> Self {
        self.actors = self.actors.with(more);
        self
    }

    /// The actors that it knows.
    pub const fn actors(&self) -> &Actors {
        &self.actors
    }

    /// What rules and actors hash to: claims that say the same then mean the same now if this is the same.
    pub fn version(&self) -> PackHash {
        let mut text = self.rules.text().into_bytes();
        write_actors(&self.actors, &mut text).expect("memory takes everything");
        PackHash::of(&text)
    }

    /// Whom a claim names, as people know them: the actor's name, else its id, else the label.
    pub fn name<'a>(&'a self, claim: &'a Claim) -> &'a str {
        match claim.actor.as_ref().and_then(|id| self.actors.name(id)) {
            Some(name) => name,
            None => claim.entity(),
        }
    }

    /// The words by which a claim is judged, and whether each may make a stop. A tag that says neither what its holder is
    /// nor what it is accused of is of its actor's kinds; an accusation is of an address, and the actor may be its victim.
    pub fn words<'a>(&'a self, claim: &'a Claim) -> impl Iterator<Item = (&'a Text, bool)> {
        let silent = claim.categories.is_empty() && claim.abuse.is_none();
        let inherited = claim.actor.as_ref().filter(|_| silent).map_or(&[][..], |id| self.actors.categories(id));
        let own = claim.categories.iter().chain(inherited).map(|word| (word, true));
        own.chain(claim.abuse.iter().map(|word| (word, false)))
    }

    /// The rules that it goes by.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What `claims` make of `ledger`.
    pub fn resolve(&self, claims: &[Claim], ledger: &dyn Ledger) -> StopSet {
        self.settle(self.gathered(claims, ledger), claims, ledger)
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
        for (word, may_stop) in self.words(claim) {
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

    pub(crate) fn settle(&self, gathered: Gathered, claims: &[Claim], ledger: &dyn Ledger) -> StopSet {
        let mut set = StopSet::default();
        for (holder, kinds) in gathered.stops {
            // The first of equals wins, and kinds are in order of precedence.
            let most = kinds.values().map(Support::weight).max().unwrap_or_default();
            let (kind, support) =
                kinds.iter().find(|(_, support)| support.weight() == most).expect("a holder has a kind");
            // One claim of two words contradicts nobody.
            let agreed = kinds.values().all(|other| other.claims == support.claims && other.claims.len() == 1);
            if kinds.len() > 1 && !agreed {
                set.problems.push(self.conflict(&ledger.holder_name(holder), &kinds, *kind, claims));
            }
            let best = support.best(claims);
            let stop = Stop {
                kind: *kind,
                entity: self.name(best).to_owned(),
                actor: best.actor.clone(),
                claims: support.claims.clone(),
                confidence: support.weight(),
            };
            set.stops.insert(holder, stop);
        }
        for (holder, (kinds, support)) in gathered.risks {
            let best = support.best(claims);
            let (entity, actor) = (self.name(best).to_owned(), best.actor.clone());
            let risk = Risk { kinds, entity, actor, confidence: support.weight(), claims: support.claims };
            set.risks.insert(holder, risk);
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

    fn conflict(
        &self,
        holder: &str,
        kinds: &BTreeMap<StopKind, Support>,
        taken: StopKind,
        claims: &[Claim],
    ) -> Problem {
        let said: Vec<String> = kinds
            .iter()
            .map(|(kind, support)| {
                format!(
                    "{} ({}, confidence {})",
                    kind.as_str(),
                    quoted(self.name(support.best(claims))),
                    support.weight()
                )
            })
            .collect();
        let text = format!("tags call {} {}; taken as {}", quoted(holder), said.join(" and "), taken.as_str());
        Problem { kind: ProblemKind::Conflict, text }
    }
}
