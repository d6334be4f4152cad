//! Wasabi 1: many equal outputs of about 0.1 BTC, more at its doublings, change for most, a coordinator's fee.
//!
//! Source: the "Dumplings" statistics and the rule of crocs-muni: ten equal outputs or more, base within 0.1 ± 0.02, as
//! many inputs, and half of the outputs at the base or at a level above. The base drifted down from 0.1 because coins
//! that are mixed again pay the miner out of themselves; the levels are 2, 4, 8, … times the base.
//!
//! The sums of a round of a hundred are beyond any search; so a crooked base is believed, and a round one (anybody may
//! pay 0.1) only where as many have change as in a round of strangers. The rounds of the first months had other bases:
//! those are for the general rule.
//!
//! Counter-example: an exchange that pays ten customers the same 0.0998 out of ten coins.

use super::tally::{Group, Tally};

const BASE_SATS: std::ops::RangeInclusive<u64> = 8_000_000..=12_000_000;
const EQUAL_MIN: usize = 10;
const ROUND_SATS: u64 = 100_000;

/// Whether it is a round.
pub(crate) fn is_round(tally: &Tally) -> bool {
    let is_base = |group: &&Group| BASE_SATS.contains(&group.value) && group.count >= EQUAL_MIN;
    let Some(base) = tally.groups.iter().find(is_base) else { return false };
    let mixed: usize = tally.groups.iter().filter(|group| is_level(base.value, group.value)).map(|at| at.count).sum();
    let others = tally.payments.len() - mixed;
    // Somebody may take part twice out of one address.
    let has_parties = tally.parties_max(base.value) * 10 >= base.count * 9;
    // One output in ten may go where another goes.
    let is_spread = tally.payees * 10 >= tally.payments.len() * 9 && tally.inputs_of_one * 10 <= tally.inputs.max(20);
    let has_change = if base.value.is_multiple_of(ROUND_SATS) { others * 2 >= base.count } else { others >= 1 };
    // A change for each, and the coordinator's fee.
    has_parties && is_spread && has_change && others <= mixed + 1
}

fn is_level(base: u64, value: u64) -> bool {
    (0..16).any(|level| base << level == value)
}
