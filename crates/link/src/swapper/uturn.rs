//! U-turns: a swap, and soon after the swap back to the first coin, of the same value.
//!
//! H. Yousaf, G. Kappos and S. Meiklejohn, "Tracing Transactions Across Cryptocurrency Ledgers" (USENIX Security 2019): back
//! within thirty minutes, and values within half a per cent.

use std::collections::BTreeMap;

use crate::Claim;

/// The way back is taken within so many seconds.
pub const WITHIN_SECONDS: i64 = 30 * 60;
/// What goes back is what came out, give or take so many millionths.
pub const WITHIN_MILLIONTHS: u128 = 5_000;
/// So many ways back are looked at for one way out.
const BACK_MAX: usize = 1_000;

/// A way out, and a way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UTurn {
    /// The claim of the first swap, by position.
    pub out: usize,
    /// The claim of the second.
    pub back: usize,
    /// Seconds between the first swap's payout and the second's deposit.
    pub seconds: i64,
}

/// All U-turns among swaps, by the position of the first. A swap may be part of several.
pub fn u_turns(swaps: &[Claim]) -> Vec<UTurn> {
    let seconds = |time: Option<ledger::Time>| time.map(|time| time.micros().div_euclid(1_000_000));
    let mut into: BTreeMap<(&str, &str), Vec<(i64, usize)>> = BTreeMap::new();
    for (at, swap) in swaps.iter().enumerate() {
        if let Some(time) = seconds(swap.from.time) {
            into.entry((swap.from.ledger.as_str(), &swap.from.asset)).or_default().push((time, at));
        }
    }
    for deposits in into.values_mut() {
        deposits.sort_unstable();
    }
    let mut found = Vec::new();
    for (out, first) in swaps.iter().enumerate() {
        let Some(time) = seconds(first.to.time) else { continue };
        let deposits = into.get(&(first.to.ledger.as_str(), first.to.asset.as_str())).map_or(&[][..], Vec::as_slice);
        let from = deposits.partition_point(|(at, _)| *at < time);
        let near = deposits[from..].iter().take_while(|(at, _)| at - time <= WITHIN_SECONDS).take(BACK_MAX);
        let goes_back = |(_, back): &&(i64, usize)| {
            let second = &swaps[*back];
            *back != out
                && second.to.ledger == first.from.ledger
                && second.to.asset == first.from.asset
                && second.from.units.abs_diff(first.to.units) <= first.to.units / 1_000_000 * WITHIN_MILLIONTHS
                && second.from.tx != first.from.tx
        };
        found.extend(near.filter(goes_back).map(|(at, back)| UTurn { out, back: *back, seconds: at - time }));
    }
    found
}
