//! Wasabi 2 (`WabiSabi`): everybody's coins are cut into standard denominations, so that most outputs have a common value
//! that says nothing about whose they are.
//!
//! Source: the list of denominations is that of Wasabi's `StandardDenomination` (powers of two, of three, twice those,
//! and 1-2-5 times powers of ten, from 5,000 up to 1,374.4 BTC); shape after A. Ziegler et al. (arXiv 2311.12491) and
//! crocs-muni. Since anybody pays round sums, the decimal denominations count only beside the others: nobody else
//! pays 1,062,882 or 1,048,576 several times over.
//!
//! Counter-example: one person who cuts his own coins by the same list, or a round with hardly two parties in it; from
//! outside both are rounds.

use super::tally::Tally;

const SMALLEST_SATS: u64 = 5_000;
const LARGEST_SATS: u64 = 137_438_953_472;
/// Coordinators ask for many more; a small private one for five.
const PARTIES_MIN: usize = 5;
/// Outputs of denominations that nobody takes for round.
const CROOKED_MIN: usize = 4;
const CROOKED_VALUES_MIN: usize = 3;

/// Whether it is a round.
pub(crate) fn is_round(tally: &Tally) -> bool {
    let outputs = tally.payments.len();
    if tally.payers.len() < PARTIES_MIN || outputs < PARTIES_MIN {
        return false;
    }
    let (mut standard, mut crooked, mut crooked_values) = (0, 0, 0);
    for alike in tally.payments.chunk_by(|one, other| one == other) {
        let is_odd = is_crooked(alike[0]);
        standard += if is_odd || is_decimal(alike[0]) { alike.len() } else { 0 };
        crooked += if is_odd { alike.len() } else { 0 };
        crooked_values += usize::from(is_odd);
    }
    // Change and whatever is paid to others out of the round stay below half.
    standard * 2 >= outputs
        && crooked >= CROOKED_MIN
        && crooked_values >= CROOKED_VALUES_MIN
        && crooked * 5 >= outputs
        && tally.payees * 10 >= outputs * 9
}

fn is_in_range(value: u64) -> bool {
    (SMALLEST_SATS..=LARGEST_SATS).contains(&value)
}

/// A power of two or three, or twice one of three.
fn is_crooked(value: u64) -> bool {
    is_in_range(value)
        && (value.is_power_of_two() || is_power(value, 3) || (value.is_multiple_of(2) && is_power(value / 2, 3)))
}

/// 1, 2 or 5 times a power of ten.
fn is_decimal(value: u64) -> bool {
    is_in_range(value) && [1, 2, 5].into_iter().any(|digit| value.is_multiple_of(digit) && is_power(value / digit, 10))
}

fn is_power(mut value: u64, base: u64) -> bool {
    // Bounded: 40 threes are more than any amount.
    while value > 1 && value.is_multiple_of(base) {
        value /= base;
    }
    value == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_denominations_are_seventy_nine() {
        let is_standard = |value: u64| is_crooked(value) || is_decimal(value);
        let products =
            |base: u64, factor: u64| (0..41).map_while(move |power| base.checked_pow(power)?.checked_mul(factor));
        let mut all: Vec<u64> = [(2, 1), (3, 1), (3, 2), (10, 1), (10, 2), (10, 5)]
            .into_iter()
            .flat_map(|(base, factor)| products(base, factor))
            .filter(|value| is_in_range(*value))
            .collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!((all.len(), all[0], all[1], all.last()), (79, 5_000, 6_561, Some(&137_438_953_472)));
        assert!(all.iter().all(|value| is_standard(*value)));
        assert!(all.iter().all(|value| !is_standard(value + 1) && !is_standard(value - 1)));
        let twelfth = [4_999, 4_096, 30_000, 60_000, 10_000_001, 274_877_906_944, 0, 1];
        assert!(twelfth.iter().all(|value| !is_standard(*value)));
    }
}
