//! The claim of a pair, and in words what its score is made of.

use super::learn::Relation;
use super::solve::Found;
use crate::{Claim, Class, Crossing};

/// The method's name in claims.
pub const METHOD: &str = "crossing-match";
/// Its version: higher whenever the same crossings may get other claims.
pub const METHOD_VERSION: u32 = 1;

/// The claim that a withdrawal answers a deposit, one of so many candidates.
pub fn claim(
    deposit: &Crossing,
    withdrawal: &Crossing,
    found: &Found,
    candidates: u32,
    gross_units: Option<u128>,
) -> Claim {
    let protocol = [&deposit.protocol, &withdrawal.protocol].into_iter().find(|name| !name.is_empty());
    Claim {
        protocol: protocol.map_or_else(|| "unknown".to_owned(), Clone::clone),
        class: if candidates == 1 { Class::UniqueCandidate } else { Class::Candidates(candidates) },
        probability: found.probability,
        share: crate::Portion::ONE,
        from: deposit.side(),
        to: withdrawal.side(),
        gross_units,
        method: METHOD.to_owned(),
        version: METHOD_VERSION,
        source: "both ledgers; no message names both sides".to_owned(),
        evidence: evidence(found),
    }
}

/// In words: what fits how well. Figures in brackets are natural logarithms, and add up to the score.
pub fn evidence(found: &Found) -> String {
    let parts = &found.edge.parts;
    let relation = match parts.relation.0 {
        Relation::ToldEqual => "paid to the recipient named",
        Relation::ToldOther => "not paid to the recipient named",
        Relation::SenderEqual => "paid to the sender's address",
        Relation::SenderOther => "not paid to the sender's address",
        Relation::Unknown => "recipient not comparable",
    };
    let chosen = match (found.chosen, found.best) {
        (true, true) => "of the best pairing",
        (true, false) => "of a good pairing (too large to prove it best)",
        (false, _) => "not of the best pairing",
    };
    let chance = if found.exact { "exact" } else { "approximate" };
    format!(
        "fee {} % ({}); {} later ({}); {relation} ({}); {} strangers expected to fit ({}); odds that it is there ({}); score {}; \
         {chosen} of {} deposits and {} withdrawals; chance {chance}",
        hundredths(parts.fee.0),
        nats(parts.fee.1),
        duration(parts.latency.0),
        nats(parts.latency.1),
        nats(parts.relation.1),
        millionths(parts.strangers.0),
        nats(-parts.strangers.1),
        nats(parts.odds),
        nats(found.edge.score),
        found.component.0,
        found.component.1,
    )
}

/// Millionths as a percentage with four digits.
fn hundredths(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let size = millionths.unsigned_abs();
    format!("{sign}{}.{:04}", size / 10_000, size % 10_000)
}

fn millionths(parts: u64) -> String {
    format!("{}.{:06}", parts / 1_000_000, parts % 1_000_000)
}

/// Thousandths of a nat as nats with one digit and a sign.
fn nats(millinats: i32) -> String {
    let sign = if millinats < 0 { '-' } else { '+' };
    let tenths = (millinats.unsigned_abs() + 50) / 100;
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

fn duration(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let size = seconds.unsigned_abs();
    match size {
        0..120 => format!("{sign}{size} s"),
        120..7_200 => format!("{sign}{} min {} s", size / 60, size % 60),
        _ => format!("{sign}{} h {} min", size / 3600, size % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(hundredths(400), "0.0400");
        assert_eq!(hundredths(-12_345), "-1.2345");
        assert_eq!(nats(-2349), "-2.3");
        assert_eq!(nats(951), "+1.0");
        assert_eq!(duration(-30), "-30 s");
        assert_eq!(duration(440), "7 min 20 s");
        assert_eq!(duration(8_000), "2 h 13 min");
    }
}
