//! Joins that were made to miss the rule of equal outputs: an output that is off by a little, two common values instead
//! of one, a party with two shares.
//!
//! The counts no longer say anything there, so only the sums do: most payers must be found again one by one, and chance
//! is given little room. The idea is the collapse guard's: whoever wants his coins merged with strangers' will look for
//! the rule's edge.
//!
//! Counter-example: joins whose parties also split their change, or which pay others: those are not found.

use super::balance::{self, Slack, Sums};
use super::equal::{self, Desk, Finding};
use super::tally::Tally;

/// How many common values are combined.
const GROUPS_MAX: usize = 3;
/// Fewer payers do not prove several common values.
const PARTIES_MIN: usize = 3;

/// What the sums say although the counts do not fit.
pub(crate) fn look(tally: &Tally, desk: &mut Desk) -> Finding {
    // Two payments are a payment and change.
    if tally.payments.len() < 3 {
        return Finding::No;
    }
    let found = nearly_equal(tally, desk);
    let is_several = || tally.payers.len() >= PARTIES_MIN && tally.payments.len() > PARTIES_MIN;
    if !matches!(found, Finding::Join { .. }) && is_several() {
        let parties = has_several_values(tally, desk);
        if parties > 0 {
            return Finding::Join { parties, sums: Sums { single: parties, gainers: 0 } };
        }
    }
    found
}

/// Outputs that differ by less than anybody would pay, one for each party.
fn nearly_equal(tally: &Tally, desk: &mut Desk) -> Finding {
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
    if parties <= exact || tally.payers.len() < parties {
        return Finding::No;
    }
    let value = tally.payments[longest.end - 1];
    desk.others.clear();
    desk.others.extend_from_slice(&tally.payments[..longest.start]);
    desk.others.extend_from_slice(&tally.payments[longest.end..]);
    let others = desk.others.len();
    if others > parties + 1 || others + 1 < parties || tally.parties_max(value) < parties {
        return Finding::No;
    }
    let mut slack = equal::slack(value, tally.fee, parties, others);
    slack.loss = slack.loss.saturating_add(near(value));
    match balance::sums(&tally.payers, parties, value, &desk.others, slack, &mut desk.balance) {
        None => Finding::No,
        Some(_) if parties == 2 => Finding::Two,
        Some(sums) => Finding::Join { parties, sums },
    }
}

/// Several common values, or several shares of one party: two payers in three are found again as a sum of common values
/// and change. Returns how many were found, if it is enough.
fn has_several_values(tally: &Tally, desk: &mut Desk) -> usize {
    let groups = &tally.groups[..tally.groups.len().min(GROUPS_MAX)];
    if groups.iter().map(|group| group.count).sum::<usize>() < PARTIES_MIN {
        return 0;
    }
    let common: [u64; GROUPS_MAX] = std::array::from_fn(|at| groups.get(at).map_or(0, |group| group.value));
    let bases = || {
        groups.iter().enumerate().flat_map(|(at, group)| {
            let more = groups[at + 1..].iter().map(|other| [group.value, other.value, 0]);
            [[group.value, 0, 0], [group.value, group.value, 0], [group.value; 3]].into_iter().chain(more)
        })
    };
    let enough = |found: &usize| *found >= PARTIES_MIN && *found * 3 >= tally.payers.len() * 2;
    // Each base alone, because one that is tried first may take what belongs to the next by chance; then all together.
    let alone = bases().map(|base| found(tally, &base, std::iter::once(base), desk)).find(enough);
    alone.or_else(|| Some(found(tally, &common, bases(), desk)).filter(enough)).unwrap_or_default()
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
