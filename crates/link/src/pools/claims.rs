//! Posteriors as claims: one for each deposit that something ties to a withdrawal, with its probability.

use super::heuristics::Marks;
use super::history::History;
use super::posterior::{Posterior, TOLD_MIN};
use crate::{Claim, Class, Portion, Side};

/// The method's name in claims.
pub const METHOD: &str = "pool-habits";
const VERSION: u32 = 1;

/// The claims of one pool, at least as likely as [`TOLD_MIN`]. A note is all of what was put in, so each share is one.
pub fn claims(history: &History, marks: &[Marks], posteriors: &[Posterior]) -> Vec<Claim> {
    let mut claims = Vec::new();
    for ((withdrawal, marks), posterior) in history.withdrawals.iter().zip(marks).zip(posteriors) {
        for (at, probability) in posterior.marked.iter().filter(|(_, portion)| *portion >= TOLD_MIN) {
            let deposit = &history.deposits[*at];
            let side = |tx: &str, index: u32, holder: String, units: u128, time| Side {
                ledger: history.pool.ledger.clone(),
                tx: tx.to_owned(),
                index: Some(index),
                holder: Some(holder),
                asset: history.pool.asset.clone(),
                units,
                time: Some(time),
            };
            let why: Vec<&str> = marks.get(at).into_iter().flatten().map(|heuristic| heuristic.as_str()).collect();
            let received = history.pool.units.saturating_sub(withdrawal.fee_units);
            claims.push(Claim {
                protocol: history.pool.protocol.clone(),
                class: Class::Candidates(u32::try_from(posterior.candidates).unwrap_or(u32::MAX).max(1)),
                probability: *probability,
                share: Portion::ONE,
                from: side(&deposit.tx, deposit.index, history.pool.holder(), history.pool.units, deposit.time),
                to: side(&withdrawal.tx, withdrawal.index, withdrawal.recipient.clone(), received, withdrawal.time),
                gross_units: Some(history.pool.units),
                method: METHOD.to_owned(),
                version: VERSION,
                source: format!("{} {}", history.pool.protocol, history.pool.name),
                evidence: why.join(", "),
            });
        }
    }
    claims
}
