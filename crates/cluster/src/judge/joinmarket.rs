//! `JoinMarket`: a taker who wants to mix and makers who lend their coins for a fee: one group of equal outputs, change
//! for every maker, and change for the taker unless he empties his wallet.
//!
//! Source: the protocol's own description and the rule as in `GraphSense`: three parties or more, the outputs are twice
//! the parties or one less, no message. What tells it from other designs is that makers get out *more* than they put in.
//! Whether it is a join at all, the general rule has said before.
//!
//! Counter-example: a join where all share the miner's fee but one rounds in another's favour.

use super::balance::Sums;
use super::tally::Tally;

const PARTIES: std::ops::RangeInclusive<usize> = 3..=30;

/// Whether a join of so many parties is of this design.
pub(crate) fn is_round(tally: &Tally, parties: usize, sums: Sums) -> bool {
    let others = tally.payments.len() - parties;
    // One or two may look so by chance, where parties have several payers.
    let has_makers = sums.gainers > 0 && sums.gainers * 2 >= sums.single;
    PARTIES.contains(&parties) && tally.messages == 0 && (others == parties || others + 1 == parties) && has_makers
}
