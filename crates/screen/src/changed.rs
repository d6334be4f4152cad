//! What changed between two screenings of one query, and why.

use std::collections::BTreeSet;

use crate::remember::{Remembered, ShortClaim};

/// How one screening differs from an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// What is different in what it came to.
    pub what: Vec<Change>,
    /// What is different in what it rests on, and can have done it.
    pub why: Vec<Change>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which kind, as one word.
    pub kind: &'static str,
    /// In words.
    pub text: String,
}

impl Change {
    /// One difference.
    pub fn new(kind: &'static str, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

impl Changed {
    /// Whether what it came to is the same.
    pub fn is_nothing(&self) -> bool {
        self.what.is_empty()
    }

    /// How `now` differs from `before`.
    pub fn between(before: &Remembered, now: &Remembered) -> Self {
        let mut changed = Self::default();
        if before.status != now.status {
            changed.what.push(Change::new("status", format!("{} was {}", now.status, before.status)));
        }
        changed.rules_fired(before, now);
        changed.claims(before, now);
        changed.cluster(before, now);
        changed.flows(before, now);
        changed.versions(before, now);
        changed
    }

    fn rules_fired(&mut self, before: &Remembered, now: &Remembered) {
        let names = |of: &Remembered| of.fired.iter().map(|[rule, ..]| rule.clone()).collect::<BTreeSet<_>>();
        let (had, has) = (names(before), names(now));
        for [rule, action, reason] in now.fired.iter().filter(|[rule, ..]| !had.contains(rule)) {
            self.what.push(Change::new("rule-fires", format!("{rule} ({action}): {reason}")));
        }
        for [rule, action, reason] in before.fired.iter().filter(|[rule, ..]| !has.contains(rule)) {
            self.what.push(Change::new("rule-fires-no-more", format!("{rule} ({action}) was: {reason}")));
        }
    }

    fn claims(&mut self, before: &Remembered, now: &Remembered) {
        let text =
            |claim: &ShortClaim| format!("{} on {} ({}), pack {}", claim.label, claim.holder, claim.words, claim.pack);
        let set = |of: &Remembered| of.claims.iter().cloned().collect::<BTreeSet<_>>();
        let (had, has) = (set(before), set(now));
        self.what.extend(has.difference(&had).map(|claim| Change::new("tag-added", text(claim))));
        self.what.extend(had.difference(&has).map(|claim| Change::new("tag-withdrawn", text(claim))));
    }

    fn cluster(&mut self, before: &Remembered, now: &Remembered) {
        let text = match (&before.cluster, &now.cluster) {
            (Some(had), Some(has)) if had.oldest != has.oldest => {
                format!("it is {}'s ({} members), was {}'s ({})", has.oldest, has.size, had.oldest, had.size)
            }
            (Some(had), Some(has)) if had.size != has.size => {
                format!("{} members, were {}", has.size, had.size)
            }
            _ => return,
        };
        self.what.push(Change::new("cluster", text));
    }

    fn flows(&mut self, before: &Remembered, now: &Remembered) {
        let keys: BTreeSet<&String> = before.flows.keys().chain(now.flows.keys()).collect();
        for key in keys {
            let [had, has] = [before, now].map(|of| of.flows.get(key).map_or("nothing", String::as_str));
            if had != has {
                self.what.push(Change::new("exposure", format!("{key}: {has}, was {had}")));
            }
        }
    }

    fn versions(&mut self, before: &Remembered, now: &Remembered) {
        let (had, has) = (&before.as_of, &now.as_of);
        if had.block != has.block || had.transactions != has.transactions {
            let at = |height: Option<u64>, transactions| match (height, transactions) {
                (Some(height), _) => format!("block {height}"),
                (None, 0) => "nothing".to_owned(),
                (None, _) => format!("{transactions} transactions"),
            };
            let (has, had) = (at(has.height, has.transactions), at(had.height, had.transactions));
            self.why.push(Change::new("ledger", format!("as of {has}, was as of {had}")));
        }
        let short = shortened;
        if had.tags != has.tags {
            self.why.push(Change::new("tags", format!("version {}, was {}", short(&has.tags), short(&had.tags))));
        }
        if had.rulings != has.rulings {
            let [has, had] = [has, had].map(|of| short(&of.rulings));
            self.why.push(Change::new("rulings", format!("version {has}, was {had}")));
        }
        if had.rules != has.rules {
            let [has, had] = [has, had].map(|of| format!("{} ({})", of.policy, short(&of.rules)));
            self.why.push(Change::new("rules", format!("{has}, was {had}")));
        }
    }
}

/// A version in short.
fn shortened(version: &str) -> &str {
    if version.is_empty() { "none" } else { crate::say::short(version) }
}
