//! [`Rulings`]: what analysts decided about evidence: an append-only list of lines, each with who, when and why as they
//! said it. Names stand in it, not numbers, so that it outlives reorganisations and a ledger that is filled anew.
//!
//! A line is a JSON object: `order`, `target` (or `holders`), `date`, `by`, `reason`. Nothing is ever taken out: a later
//! line about the same evidence counts instead of an earlier one.

use std::fmt;

use ledger::{Ledger, txid_bytes, txid_text};
use serde::{Deserialize, Serialize};

use crate::{Active, Edge, Heuristic};

/// The most rulings in a list.
pub const RULINGS_MAX: usize = 1_000_000;

/// The longest line.
pub const RULING_BYTES_MAX: usize = 16 * 1024;

/// What a ruling is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One piece of evidence: that the inputs of this transaction are one party's.
    CoSpend(String),
    /// That an output of this transaction is its payer's own.
    Change(String),
    /// That this address is of the same key as an older lock.
    Wrap(String),
    /// All that a transaction shows.
    Transaction(String),
    /// All that a heuristic shows.
    Heuristic(Heuristic),
    /// Two addresses that are not one party's.
    Pair(String, String),
}

/// What a ruling does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The evidence does not count.
    Retract,
    /// It counts again.
    Restore,
    /// The two must not share a cluster.
    CannotLink,
    /// They may again.
    MayLink,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What it does.
    pub order: Order,
    /// What it is about.
    pub target: Target,
    /// When, as its author said.
    pub date: String,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// All decisions, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rulings(Vec<Ruling>);

/// What is wrong with a ruling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulingError {
    /// It names no evidence.
    Target(String),
    /// A line, counted from 1, cannot be read.
    Line {
        /// Which.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// More of them than a list can hold.
    TooMany,
}

impl fmt::Display for RulingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(text) => write!(
                f,
                "{text:?} names no evidence; write co-spend:TXID, change:TXID, wrap:ADDRESS, a transaction's id, or a \
                 heuristic: co-spend, change, wrap"
            ),
            Self::Line { line, what } => write!(f, "line {line}: {what}"),
            Self::TooMany => write!(f, "there are more than {RULINGS_MAX} rulings"),
        }
    }
}

impl std::error::Error for RulingError {}

impl Target {
    /// Reads what somebody typed.
    pub fn parse(text: &str) -> Result<Self, RulingError> {
        let text = text.trim();
        // What is no target may be anything, and of any length.
        let bad = || RulingError::Target(text.chars().take(100).collect());
        let txid = |text: &str| txid_bytes(text).map(|id| txid_text(&id)).ok_or_else(bad);
        if let Some(heuristic) = Heuristic::ALL.into_iter().find(|known| known.as_str() == text) {
            return Ok(Self::Heuristic(heuristic));
        }
        match text.split_once(':') {
            None => txid(text).map(Self::Transaction),
            Some(("co-spend", id)) => txid(id).map(Self::CoSpend),
            Some(("change", id)) => txid(id).map(Self::Change),
            Some(("wrap", address)) if is_plain(address) => Ok(Self::Wrap(address.to_owned())),
            Some(_) => Err(bad()),
        }
    }

    /// As it is typed; a pair has no such form.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::CoSpend(id) => Some(format!("co-spend:{id}")),
            Self::Change(id) => Some(format!("change:{id}")),
            Self::Wrap(address) => Some(format!("wrap:{address}")),
            Self::Transaction(id) => Some(id.clone()),
            Self::Heuristic(heuristic) => Some(heuristic.as_str().to_owned()),
            Self::Pair(..) => None,
        }
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.len() <= ledger::address::HOLDER_BYTES_MAX && !name.chars().any(char::is_control)
}

/// A line as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    order: Order,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holders: Option<[String; 2]>,
    date: String,
    by: String,
    reason: String,
}

impl Ruling {
    /// Reads a line.
    fn parse(text: &str) -> Result<Self, String> {
        if text.len() > RULING_BYTES_MAX {
            return Err(format!("a ruling is at most {RULING_BYTES_MAX} bytes long"));
        }
        // What it quotes is as it stands in the file.
        let line: Line = serde_json::from_str(text).map_err(|error| error.to_string().escape_debug().to_string())?;
        let Line { order, target, holders, date, by, reason } = line;
        let is_pair = matches!(order, Order::CannotLink | Order::MayLink);
        let target = match (target, holders) {
            (Some(target), None) if !is_pair => Target::parse(&target).map_err(|error| error.to_string())?,
            (None, Some([one, other])) if is_pair => {
                if !is_plain(&one) || !is_plain(&other) || one == other {
                    return Err("\"holders\" must be two different addresses".to_owned());
                }
                Target::Pair(one, other)
            }
            _ if is_pair => return Err("this order needs \"holders\", and no \"target\"".to_owned()),
            _ => return Err("this order needs \"target\", and no \"holders\"".to_owned()),
        };
        Ok(Self { order, target, date, by, reason })
    }

    /// As a line, without its end.
    pub fn line(&self) -> String {
        let holders = match &self.target {
            Target::Pair(one, other) => Some([one.clone(), other.clone()]),
            _ => None,
        };
        let line = Line {
            order: self.order,
            target: self.target.text(),
            holders,
            date: self.date.clone(),
            by: self.by.clone(),
            reason: self.reason.clone(),
        };
        serde_json::to_string(&line).expect("texts always have a JSON form")
    }
}

/// Rulings in a ledger's own numbers.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// What they come to.
    pub active: Active,
    /// Which of them, by place, name something that the ledger does not have (yet).
    pub unknown: Vec<usize>,
}

impl Rulings {
    /// Reads lines; empty ones are passed over.
    pub fn parse(text: &str) -> Result<Self, RulingError> {
        let mut rulings = Self::default();
        for (line, text) in (1..).zip(text.lines()) {
            if !text.trim().is_empty() {
                rulings.push(Ruling::parse(text).map_err(|what| RulingError::Line { line, what })?)?;
            }
        }
        Ok(rulings)
    }

    /// All of them, as lines.
    pub fn text(&self) -> String {
        self.0.iter().map(|ruling| ruling.line() + "\n").collect()
    }

    /// Adds one.
    pub fn push(&mut self, ruling: Ruling) -> Result<(), RulingError> {
        if self.0.len() >= RULINGS_MAX {
            return Err(RulingError::TooMany);
        }
        self.0.push(ruling);
        Ok(())
    }

    /// All of them, in order.
    pub fn list(&self) -> &[Ruling] {
        &self.0
    }

    /// What they come to on a ledger.
    pub fn resolve<L: Ledger + ?Sized>(&self, ledger: &L) -> Resolved {
        let mut resolved = Resolved::default();
        for (place, ruling) in self.0.iter().enumerate() {
            if !apply(ruling, ledger, &mut resolved.active) {
                resolved.unknown.push(place);
            }
        }
        resolved
    }
}

/// Applies one; `false` where the ledger does not have what it names.
fn apply<L: Ledger + ?Sized>(ruling: &Ruling, ledger: &L, active: &mut Active) -> bool {
    let off = matches!(ruling.order, Order::Retract | Order::CannotLink);
    let holder = |name: &str| {
        let name = ledger::address::canonical(ledger.id(), name).ok()?;
        ledger.find_holder(&name)
    };
    let edges: Option<Vec<Edge>> = match &ruling.target {
        Target::CoSpend(id) => ledger.find_transaction(id).map(|seq| vec![Edge::CoSpend(seq)]),
        Target::Change(id) => ledger.find_transaction(id).map(|seq| vec![Edge::Change(seq)]),
        Target::Transaction(id) => ledger.find_transaction(id).map(|seq| vec![Edge::CoSpend(seq), Edge::Change(seq)]),
        Target::Wrap(address) => holder(address).map(|holder| vec![Edge::Wrap(holder)]),
        Target::Heuristic(heuristic) => {
            active.set_all(*heuristic, off);
            Some(Vec::new())
        }
        Target::Pair(one, other) => holder(one).zip(holder(other)).map(|(one, other)| {
            active.set_apart(one, other, off);
            Vec::new()
        }),
    };
    let Some(edges) = edges else { return false };
    for edge in edges {
        active.set(edge, off);
    }
    true
}

#[cfg(test)]
mod tests;
