//! Joins that were made to miss the rule of equal outputs: an output that is off by a little, two common values instead
//! of one, a party with two shares.
//!
//! The counts no longer say anything there, so only the sums do: most payers must be found again one by one, and chance
//! is given little room. The idea is the collapse guard's: whoever wants his coins merged with strangers' will look for
//! the rule's edge.
//!
//! Counter-example: joins whose parties also split their change, or which pay others: those are not found.

use super::balance::{self, Slack};
use super::equal::Desk;
use super::tally::Tally;

/// How many common values are combined.
const GROUPS_MAX: usize = 3;
/// Fewer payers prove nothing.
const PARTIES_MIN: usize = 3;

/// Whether most payers are found again although the counts do not fit.
pub(crate) fn is_join(tally: &Tally, desk: &mut Desk) -> bool {
    tally.payers.len() >= PARTIES_MIN
        && tally.payments.len() > PARTIES_MIN
        && (is_nearly_equal(tally, desk) || has_several_values(tally, desk))
}

/// Outputs that differ by less than anybody would pay, and the sums of one party each.
fn is_nearly_equal(tally: &Tally, desk: &mut Desk) -> bool {
    let near = |value: u64| (value / 10_000).max(10);
    let (mut from, mut longest) = (0, 0..0);
    for to in 0..tally.payments.len() {
        while tally.payments[from] - tally.payments[to] > near(tally.payments[to]) {
            from += 1;
        }
        if to + 1 - from > longest.len() {
            longest = from..to + 1;
        }
    }
    let exact = tally.groups.first().map_or(1, |group| group.count);
    let parties = longest.len();
    if parties < PARTIES_MIN || parties <= exact || tally.payers.len() < parties {
        return false;
    }
    let value = tally.payments[longest.end - 1];
    desk.others.clear();
    desk.others.extend_from_slice(&tally.payments[..longest.start]);
    desk.others.extend_from_slice(&tally.payments[longest.end..]);
    if desk.others.len() > parties + 1 || desk.others.len() + 1 < parties {
        return false;
    }
    let mut slack = Slack::of(value, tally.fee, parties);
    slack.loss = slack.loss.saturating_add(near(value));
    let sums = balance::sums(&tally.payers, parties, value, &desk.others, slack, &mut desk.balance);
    sums.is_some_and(|sums| sums.single * 3 >= parties * 2)
}

/// Several common values, or several shares of one party: two payers in three are found again as a sum of common values
/// and change.
fn has_several_values(tally: &Tally, desk: &mut Desk) -> bool {
    let groups = &tally.groups[..tally.groups.len().min(GROUPS_MAX)];
    if groups.iter().map(|group| group.count).sum::<usize>() < PARTIES_MIN {
        return false;
    }
    let common: [u64; GROUPS_MAX] = std::array::from_fn(|at| groups.get(at).map_or(0, |group| group.value));
    let bases = || {
        groups.iter().enumerate().flat_map(|(at, group)| {
            let more = groups[at + 1..].iter().map(|other| [group.value, other.value, 0]);
            [[group.value, 0, 0], [group.value, group.value, 0], [group.value; 3]].into_iter().chain(more)
        })
    };
    let enough = |found: usize| found >= PARTIES_MIN && found * 3 >= tally.payers.len() * 2;
    // Each base alone, because one that is tried first may take what belongs to the next by chance; then all together.
    bases().any(|base| enough(found(tally, &base, std::iter::once(base), desk)))
        || enough(found(tally, &common, bases(), desk))
}

/// How many payers are found again as one of `bases` and change, which is any payment but those of a common value.
fn found(tally: &Tally, common: &[u64], bases: impl Iterator<Item = [u64; 3]>, desk: &mut Desk) -> usize {
    desk.others.clear();
    desk.others.extend(tally.payments.iter().filter(|value| !common.contains(value)));
    desk.payers.clear();
    desk.payers.extend(tally.payers.iter().map(|(paid, _)| *paid));
    bases.fold(0, |found, base| {
        let base = base.iter().fold(0, |sum: u64, share| sum.saturating_add(*share));
        let slack = Slack::tight(base, tally.fee, tally.payers.len());
        found + balance::take_matched(&mut desk.payers, base, &mut desk.others, slack)
    })
}
