//! [`Conflict`]: where claims contradict one another. They are found and told, with both sides; nobody is believed here.
//!
//! Three things of one address cannot all be true: that two actors control it, that it is two kinds of stop, and that
//! one claim calls it a service while another accuses it. Where no actor is named, two services of quite different names
//! count as two. Of an actor's id, packs may give names that differ. What one claim alone says contradicts nobody: a
//! sanctioned exchange is both.

use std::collections::{BTreeMap, BTreeSet};

use decode::Text;
use ledger::LedgerId;
use ledger::address::canonical;

use crate::exposure::exposure_is_risk;
use crate::{Claim, Scope, StopKind, Stops};

/// What is contradictory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConflictKind {
    /// Two actors are said to control an address.
    Actors,
    /// Two services of different names, where no actors are named.
    Names,
    /// Two kinds of stop.
    Stops,
    /// A service by one claim, an offender by another.
    ServiceAbuse,
    /// Two packs name one actor differently.
    ActorNames,
}

impl ConflictKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Actors => "actors",
            Self::Names => "names",
            Self::Stops => "stops",
            Self::ServiceAbuse => "service-abuse",
            Self::ActorNames => "actor-names",
        }
    }

    /// What it says.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Actors => "several actors are said to control it",
            Self::Names => "several services are said to be it",
            Self::Stops => "it is said to be several kinds of stop",
            Self::ServiceAbuse => "some call it a service, others accuse it",
            Self::ActorNames => "packs name this actor differently",
        }
    }
}

/// One contradiction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The address, in canonical form, or the actor's id.
    pub about: String,
    /// Which kind.
    pub kind: ConflictKind,
    /// What is said of it, in order of what is said; two or more.
    pub sides: Vec<Side>,
}

/// One side of a contradiction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Side {
    /// What it says.
    pub says: String,
    /// The heaviest claim's weight, 0 to 100.
    pub confidence: u8,
    /// The claims that say so, by their place in the list that was given; ascending.
    pub claims: Vec<usize>,
    /// The actor pack that says so, where no claim does.
    pub actor_pack: Option<Text>,
}

impl Conflict {
    /// The pairs of packs that contradict one another in this, each in order; a pack may contradict itself.
    pub fn packs(&self, claims: &[Claim]) -> BTreeSet<(String, String)> {
        let packs = |side: &Side| -> BTreeSet<String> {
            let of_claims = side.claims.iter().map(|at| claims[*at].pack.to_string());
            of_claims.chain(side.actor_pack.iter().map(ToString::to_string)).collect()
        };
        let sides: Vec<BTreeSet<String>> = self.sides.iter().map(packs).collect();
        let mut pairs = BTreeSet::new();
        for (at, one) in sides.iter().enumerate() {
            for other in &sides[at + 1..] {
                for (a, b) in one.iter().flat_map(|a| other.iter().map(move |b| (a, b))) {
                    pairs.insert(if a <= b { (a.clone(), b.clone()) } else { (b.clone(), a.clone()) });
                }
            }
        }
        pairs
    }
}

/// The form in which addresses are compared where no ledger is known: canonical if it looks like an address that is
/// sound, else as it is written.
pub fn folded_address(address: &str) -> String {
    let anywhere = LedgerId::parse("table:any").expect("a plain table id");
    canonical(&anywhere, address).unwrap_or_else(|_| address.trim().to_owned())
}

impl Stops {
    /// All contradictions among these claims and the actors, in order of what they are about.
    pub fn conflicts(&self, claims: &[Claim]) -> Vec<Conflict> {
        let mut by_address: Vec<(String, usize)> =
            claims.iter().enumerate().map(|(at, claim)| (folded_address(&claim.address), at)).collect();
        by_address.sort_unstable();
        let mut conflicts = Vec::new();
        for of_one in by_address.chunk_by(|one, next| one.0 == next.0).filter(|chunk| chunk.len() > 1) {
            let places: Vec<usize> = of_one.iter().map(|(_, at)| *at).collect();
            conflicts.extend(self.conflicts_of(&of_one[0].0, claims, &places));
        }
        conflicts.extend(self.actor_conflicts());
        conflicts.sort_unstable();
        conflicts
    }

    /// The contradictions among those of the claims that are about one address.
    pub fn conflicts_of(&self, about: &str, claims: &[Claim], places: &[usize]) -> Vec<Conflict> {
        // The same characters are an address on several ledgers, which are nothing to one another.
        let mut realms: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut anywhere = Vec::new();
        for at in places {
            match self.realm(&claims[*at].scope) {
                Some(realm) => realms.entry(realm).or_default().push(*at),
                None => anywhere.push(*at),
            }
        }
        if realms.is_empty() {
            realms.insert(String::new(), Vec::new());
        }
        let mut found = BTreeSet::new();
        for (_, mut places) in realms {
            places.extend(&anywhere);
            places.sort_unstable();
            for (kind, sides) in self.sides(claims, &places) {
                found.insert(Conflict { about: about.to_owned(), kind, sides });
            }
        }
        found.into_iter().collect()
    }

    /// Where claims of a scope may speak of the same holder; nothing for everywhere.
    fn realm(&self, scope: &Scope) -> Option<String> {
        match scope {
            Scope::Anywhere => None,
            Scope::Ledger(ledger) if ledger.namespace() == "eip155" => Some("eip155".to_owned()),
            Scope::Ledger(ledger) => Some(ledger.to_string()),
            Scope::Currency(currency) => Some(self.rules().realm(currency)),
        }
    }

    fn sides(&self, claims: &[Claim], places: &[usize]) -> Vec<(ConflictKind, Vec<Side>)> {
        let mut actors: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut stops: BTreeMap<StopKind, Vec<usize>> = BTreeMap::new();
        let mut abuses: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for at in places {
            let claim = &claims[*at];
            let rules = self.words(claim).filter_map(|(word, may)| Some((self.rules().category(word)?, may)));
            let rules: Vec<_> = rules.collect();
            let kinds: BTreeSet<StopKind> =
                rules.iter().filter(|(_, may)| *may).filter_map(|(rule, _)| rule.stop).collect();
            for kind in &kinds {
                stops.entry(*kind).or_default().push(*at);
            }
            if let Some(actor) = &claim.actor {
                actors.entry(actor.to_string()).or_default().push(*at);
            } else if kinds.contains(&StopKind::Service) {
                names.entry(stem(&claim.label)).or_default().push(*at);
            }
            // Who says "a dark market" says what kind of service it is; who says no service accuses.
            if kinds.is_empty() {
                let accused = rules.iter().filter(|(rule, _)| rule.exposure.is_some_and(exposure_is_risk));
                for risk in accused.filter_map(|(rule, _)| rule.risk.as_ref()).collect::<BTreeSet<_>>() {
                    abuses.entry(risk.clone()).or_default().push(*at);
                }
            }
        }
        let mut conflicts = Vec::new();
        if actors.len() > 1 {
            conflicts.push((ConflictKind::Actors, self.told(claims, actors, |id| self.actor_text(id))));
        } else if actors.is_empty() && differ(&names) {
            conflicts.push((ConflictKind::Names, self.told(claims, names, Clone::clone)));
        }
        let one_claim = stops.values().all(|places| places.len() == 1 && Some(places) == stops.values().next());
        if let Some(service) = stops.get(&StopKind::Service).filter(|_| !abuses.is_empty()) {
            let mut sides: BTreeMap<String, Vec<usize>> = abuses;
            sides.insert(StopKind::Service.as_str().to_owned(), service.clone());
            conflicts.push((ConflictKind::ServiceAbuse, self.told(claims, sides, Clone::clone)));
        }
        if stops.len() > 1 && !one_claim {
            conflicts.push((ConflictKind::Stops, self.told(claims, stops, |kind| kind.as_str().to_owned())));
        }
        conflicts
    }

    fn told<K>(&self, claims: &[Claim], sides: BTreeMap<K, Vec<usize>>, says: impl Fn(&K) -> String) -> Vec<Side> {
        let side = |(key, places): (K, Vec<usize>)| Side {
            says: says(&key),
            confidence: places.iter().map(|at| self.rules().weight(&claims[*at])).max().unwrap_or_default(),
            claims: places,
            actor_pack: None,
        };
        sides.into_iter().map(side).collect()
    }

    fn actor_text(&self, id: &str) -> String {
        match self.actors().name(id).filter(|name| ***name != *id) {
            Some(name) => format!("{name} ({id})"),
            None => id.to_owned(),
        }
    }

    /// Ids that packs name differently.
    fn actor_conflicts(&self) -> Vec<Conflict> {
        let groups = self.actors().all().chunk_by(|one, next| one.id == next.id);
        let differing = groups.filter(|group| group.iter().any(|actor| actor.label != group[0].label));
        let side = |actor: &crate::Actor| Side {
            says: actor.label.to_string(),
            confidence: 0,
            claims: Vec::new(),
            actor_pack: Some(Text::clone(&actor.pack)),
        };
        differing
            .map(|group| Conflict {
                about: group[0].id.to_string(),
                kind: ConflictKind::ActorNames,
                sides: group.iter().map(side).collect(),
            })
            .collect()
    }
}

/// What of a label names its holder: letters and digits in lower case, without the numbers that count wallets.
fn stem(label: &str) -> String {
    let folded: String = label.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let stem = folded.trim_end_matches(|sign: char| sign.is_ascii_digit());
    if stem.is_empty() { folded } else { stem.to_owned() }
}

/// Whether two of the names have nothing to do with one another. `Binance` and `Binance Hot Wallet` have.
fn differ(names: &BTreeMap<String, Vec<usize>>) -> bool {
    let Some((first, _)) = names.first_key_value() else { return false };
    names.keys().any(|name| !name.contains(first.as_str()) && !first.contains(name.as_str()))
}
