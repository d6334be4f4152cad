//! Crossings to pairs: by key, or by the transaction that a withdrawal names; with the amounts held against the fee model.

use std::collections::BTreeMap;

use evm::abi::U256;
use ledger::hex;
use money::Amount;

use super::{Background, Found, Problem, ProblemKind};
use crate::registry::{Fee, Pairing, Protocol, Registry};
use crate::{Claim, Class, Crossing, Direction, Portion};

/// What claims of the registry say of how they were found.
pub const METHOD: &str = "registry";
/// The version of the pairing; the entry's own version counts in thousands above it.
const VERSION: u32 = 1;
/// How much more than went in may come out of a bridge that pays by the state of its pools, in parts of 1,000.
const BONUS_MAX: u64 = 10;
/// How many bytes of a key stand in the evidence.
const EVIDENCE_BYTES_MAX: usize = 128;
/// Clocks of two ledgers differ by no more than this.
const CLOCKS_SECONDS_MAX: i64 = 15 * 60;

/// Pairs crossings of any ledgers.
pub fn pair(mut crossings: Vec<Crossing>, registry: &Registry, background: &dyn Background) -> Found {
    crossings.sort();
    crossings.dedup();
    let used = vec![false; crossings.len()];
    let mut pairing = Pairer { crossings: &crossings, registry, background, used, found: Found::default() };
    pairing.by_key();
    pairing.by_transaction();
    let Pairer { used, mut found, .. } = pairing;
    found.crossings = crossings.len() as u64;
    found.unpaired = crossings.into_iter().zip(used).filter(|(_, used)| !used).map(|(crossing, _)| crossing).collect();
    found.claims.sort();
    found.pairs.sort();
    found.problems.sort();
    found
}

struct Pairer<'a> {
    /// Deposits before withdrawals before refunds.
    crossings: &'a [Crossing],
    registry: &'a Registry,
    background: &'a dyn Background,
    used: Vec<bool>,
    found: Found,
}

impl Pairer<'_> {
    fn by_key(&mut self) {
        let mut groups: BTreeMap<(&str, &[u8]), Vec<usize>> = BTreeMap::new();
        for (at, crossing) in self.crossings.iter().enumerate() {
            if let Some(key) = &crossing.key {
                groups.entry((&crossing.protocol, key)).or_default().push(at);
            }
        }
        for ((_, key), members) in groups {
            let is_deposit = |at: &usize| self.crossings[*at].direction == Direction::Deposit;
            let (deposits, outs): (Vec<usize>, Vec<usize>) = members.into_iter().partition(is_deposit);
            let shown = format!("key 0x{}", hex::text(&key[..key.len().min(EVIDENCE_BYTES_MAX)]));
            match (deposits.as_slice(), outs.as_slice()) {
                ([deposit], [out]) => self.link(*deposit, *out, Portion::ONE, &shown),
                ([deposit], [_, _, ..]) => self.link_several(*deposit, &outs, &shown),
                ([], outs) => {
                    for (place, out) in outs.iter().enumerate() {
                        self.paid_without(*out, &shown);
                        if place > 0 {
                            self.problem(ProblemKind::KeyTwice, *out, shown.clone());
                        }
                    }
                }
                ([_], []) => {}
                // Which of them is meant cannot be told.
                ([_, _, ..], _) => {
                    for at in deposits.iter().chain(&outs) {
                        self.problem(ProblemKind::KeyTwice, *at, shown.clone());
                    }
                }
            }
        }
    }

    /// Several payments out: parts of one deposit if they add up to no more than it; else all but the first are one too many.
    fn link_several(&mut self, deposit: usize, outs: &[usize], shown: &str) {
        let total = outs.iter().try_fold(0u128, |sum, out| sum.checked_add(self.crossings[*out].units));
        let first = &self.crossings[outs[0]];
        let alike = outs
            .iter()
            .all(|out| self.crossings[*out].token == first.token && self.crossings[*out].ledger == first.ledger);
        let fits = total.zip(self.gross(deposit, outs[0])).is_some_and(|(total, gross)| U256::from(total) <= gross);
        if let (Some(total), true, true) = (total.filter(|total| *total > 0), alike, fits) {
            let mut left = Portion::ONE.parts();
            for (place, out) in outs.iter().enumerate() {
                let exact = U256::from(self.crossings[*out].units) * U256::from(Portion::ONE_PARTS) / U256::from(total);
                let parts = u32::try_from(exact).expect("a part is at most the whole");
                let parts = if place + 1 == outs.len() { left } else { parts };
                left -= parts;
                if let Some(share) = Portion::new(parts).filter(|share| share.parts() > 0) {
                    self.link(deposit, *out, share, shown);
                }
            }
            return;
        }
        let first =
            outs.iter().copied().min_by_key(|out| (self.crossings[*out].time, *out)).expect("there are several");
        self.link(deposit, first, Portion::ONE, shown);
        for out in outs.iter().filter(|out| **out != first) {
            self.problem(ProblemKind::KeyTwice, *out, shown.to_owned());
        }
    }

    fn by_transaction(&mut self) {
        let mut deposits: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (at, crossing) in self.crossings.iter().enumerate() {
            if crossing.direction == Direction::Deposit {
                deposits.entry((&crossing.protocol, &crossing.tx)).or_default().push(at);
            }
        }
        for (at, out) in self.crossings.iter().enumerate() {
            let Some(tx) = out.other_tx.as_deref().filter(|_| !self.used[at] && out.key.is_none()) else { continue };
            let shown = format!("names transaction {tx}");
            let there = deposits.get(&(out.protocol.as_str(), tx)).map_or(&[][..], Vec::as_slice);
            let fits = |deposit: &&usize| {
                let side = &self.crossings[**deposit];
                !self.used[**deposit]
                    && out.other.as_ref().is_none_or(|other| *other == side.ledger)
                    && side.other.as_ref().is_none_or(|other| *other == out.ledger)
                    && (side.recipient.is_none() || out.recipient.is_none() || side.recipient == out.recipient)
            };
            let same_units = |deposit: &usize| self.crossings[*deposit].units != out.units;
            match there.iter().filter(fits).min_by_key(|deposit| (same_units(deposit), **deposit)) {
                Some(deposit) => self.link(*deposit, at, Portion::ONE, &shown),
                None if self.registry.protocol(&out.protocol).is_some_and(|p| p.pairing == Pairing::Transaction) => {
                    self.paid_without(at, &shown);
                }
                None => {}
            }
        }
    }

    fn problem(&mut self, kind: ProblemKind, at: usize, what: String) {
        let Crossing { protocol, ledger, tx, index, .. } = &self.crossings[at];
        let (protocol, ledger, tx, index) = (protocol.clone(), ledger.clone(), tx.clone(), *index);
        self.found.problems.push(Problem { kind, protocol, ledger, tx, index, what });
    }

    /// A withdrawal without its deposit says something only where the deposit would be seen: where the other ledger is
    /// here, goes back far enough, and kept other deposits of this protocol.
    fn paid_without(&mut self, at: usize, shown: &str) {
        let out = &self.crossings[at];
        let (Some(other), Some(time), Direction::Withdrawal) = (&out.other, out.time, out.direction) else { return };
        let kept = |side: &Crossing| {
            side.direction == Direction::Deposit && side.protocol == out.protocol && side.ledger == *other
        };
        if self.background.covers(other, time) && self.crossings.iter().any(kept) {
            let what =
                format!("{} units to {}; {shown}", out.units, out.recipient.as_deref().unwrap_or("nobody named"));
            self.problem(ProblemKind::PaidWithoutDeposit, at, what);
        }
    }

    fn link(&mut self, deposit: usize, out: usize, share: Portion, shown: &str) {
        let (into, from) = (&self.crossings[deposit], &self.crossings[out]);
        if let Some(what) = contradiction(into, from) {
            self.problem(ProblemKind::Contradiction, out, format!("{what}; {shown}"));
            return;
        }
        // Without an asset on both sides nobody could follow it.
        if into.token.is_none() || from.token.is_none() {
            let side = if into.token.is_none() { deposit } else { out };
            self.problem(ProblemKind::Unreadable, side, format!("which asset moved cannot be told; {shown}"));
            return;
        }
        let protocol = self.registry.protocol(&into.protocol);
        let gross = self.gross(deposit, out).and_then(|gross| u128::try_from(gross).ok());
        if let (Some(protocol), Portion::ONE) = (protocol, share) {
            self.check_amounts(protocol, deposit, out);
        }
        let refund = if from.direction == Direction::Refund { "refund, " } else { "" };
        self.found.claims.push(Claim {
            protocol: into.protocol.clone(),
            class: Class::Deterministic,
            probability: Portion::ONE,
            share,
            from: into.side(),
            to: from.side(),
            gross_units: gross.filter(|_| share == Portion::ONE && protocol.is_some_and(|p| p.fee != Fee::Unknown)),
            method: METHOD.to_owned(),
            version: VERSION + 1000 * protocol.map_or(0, |protocol| protocol.version.min(1000)),
            source: protocol.map(|protocol| protocol.file.clone()).unwrap_or_default(),
            evidence: format!("{refund}{shown}"),
        });
        if share == Portion::ONE && from.direction == Direction::Withdrawal {
            self.found.pairs.push((into.clone(), from.clone()));
        }
        self.used[deposit] = true;
        self.used[out] = true;
    }

    /// What went in, in base units of what came out, rounded down; nothing where a scale is not known.
    fn gross(&self, deposit: usize, out: usize) -> Option<U256> {
        let scale = |side: &Crossing| self.background.scale(&side.ledger, side.token.as_deref()?);
        let (into, from) = (&self.crossings[deposit], &self.crossings[out]);
        let (scale_in, scale_out) = (scale(into)?, scale(from)?);
        let power = |scale: u8| U256::from(10).checked_pow(U256::from(scale));
        Some(U256::from(into.units).checked_mul(power(scale_out)?)? / power(scale_in)?)
    }

    fn check_amounts(&mut self, protocol: &Protocol, deposit: usize, out: usize) {
        let Some(gross) = self.gross(deposit, out) else { return };
        let paid = U256::from(self.crossings[out].units);
        let told = U256::from(self.crossings[out].fee_units.unwrap_or(0));
        // One unit may be lost to the smaller scale.
        let one = U256::from(1);
        let (least, most) = match protocol.fee {
            Fee::Unknown => return,
            Fee::None => (gross.saturating_sub(one), gross + one),
            Fee::Told => (gross.saturating_sub(told + one), gross.saturating_sub(told) + one),
            Fee::UpTo(percent) => {
                let million = percent.to_amount(6).map_or(100_000_000, Amount::units);
                let kept = gross * U256::from(100_000_000 - million.min(100_000_000)) / U256::from(100_000_000);
                (kept.saturating_sub(one), gross + gross * U256::from(BONUS_MAX) / U256::from(1000) + one)
            }
        };
        let what = format!("{paid} units out, {gross} in");
        if paid > most {
            self.problem(ProblemKind::PaidMore, out, what);
        } else if paid < least {
            self.problem(ProblemKind::PaidLess, out, what);
        }
    }
}

/// What the two sides of a key say of one another that cannot be.
fn contradiction(into: &Crossing, out: &Crossing) -> Option<String> {
    let expected = if out.direction == Direction::Refund { Some(&into.ledger) } else { into.other.as_ref() };
    if let Some(expected) = expected.filter(|expected| **expected != out.ledger) {
        return Some(format!("the money was to come out on {expected}"));
    }
    if let Some(other) = out.other.as_ref().filter(|other| **other != into.ledger) {
        return Some(format!("the money is said to come from {other}, and was paid in on {}", into.ledger));
    }
    let (paid_in, paid_out) = (into.time?, out.time?);
    let late = paid_in.micros().saturating_sub(CLOCKS_SECONDS_MAX * 1_000_000) > paid_out.micros();
    late.then(|| format!("it was paid out at {paid_out} and paid in at {paid_in}"))
}
