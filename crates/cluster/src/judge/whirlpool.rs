//! Whirlpool: five to ten inputs become as many equal outputs of a pool's denomination.
//!
//! Source: Samourai's published pools and the rule as in `GraphSense` and in the "Dumplings" statistics. New entrants bring
//! a little more than the denomination for the miner, coins that are mixed again exactly the denomination. The pools of
//! 2024 and after (0.025 and 0.25) are those of its successors.
//!
//! The transaction before it (`Tx0`) splits one party's coins into entries to a pool and pays the pool's fee. It has
//! equal outputs and is nobody's join.
//!
//! Counter-example: somebody who cuts five of his own coins of 0.0101 into five of 0.01.

use super::tally::{Group, Tally};

/// The denominations.
pub(crate) const POOLS_SATS: [u64; 7] = [50_000, 100_000, 1_000_000, 2_500_000, 5_000_000, 25_000_000, 50_000_000];
/// What a new entrant brings above the denomination, at the most.
const ENTRY_ABOVE_SATS_MAX: u64 = 110_000;
const PARTIES: std::ops::RangeInclusive<usize> = 5..=10;

/// Whether it is a round.
pub(crate) fn is_round(tally: &Tally) -> bool {
    let count = tally.payments.len();
    let [Group { value, count: equal }] = tally.groups[..] else { return false };
    let in_reach = |paid: u64| paid >= value && paid - value <= ENTRY_ABOVE_SATS_MAX;
    PARTIES.contains(&count)
        && tally.messages == 0
        && equal == count
        && POOLS_SATS.contains(&value)
        && tally.payees == count
        && tally.inputs == count
        && tally.payers.len() == count
        && tally.payers.iter().all(|(paid, _)| in_reach(*paid))
}

/// Whether it is what comes before a round: a message, entries a little above a denomination, and two or three others:
/// the pool's fee (3 to 5 % of the denomination) and change.
pub(crate) fn is_first(tally: &Tally) -> bool {
    let Some(entries) = tally.groups.first() else { return false };
    let pool = POOLS_SATS.iter().rev().find(|pool| **pool < entries.value);
    let Some(pool) = pool.filter(|pool| entries.value - **pool <= ENTRY_ABOVE_SATS_MAX) else { return false };
    let others = tally.payments.len() - entries.count;
    let is_fee = |paid: &u64| (pool / 70..=pool / 6).contains(paid);
    tally.messages == 1 && (1..=3).contains(&others) && tally.payments.iter().any(is_fee)
}
