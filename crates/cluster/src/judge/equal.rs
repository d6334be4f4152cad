//! The general rule of equal outputs: each party gets one payment of the same value, and most get change.
//!
//! Source of the shape: G. Maxwell, "`CoinJoin`: Bitcoin privacy for the real world" (2013), and the rule of `BlockSci`
//! (Kalodner et al., 2020), which counts participants and asks for as many distinct input addresses. That alone takes
//! an exchange's batch of equal payouts for a join, so this rule also looks at the sums: in a join every party pays for
//! itself, so each payer's input is found again as the common value plus one of the other outputs. A batch paid from
//! one purse has no such pairs.
//!
//! Assumption: parties do not pay each other more than a fee of half a percent in the transaction.
//! Counter-example: one person who makes the sums come out on purpose (Stonewall) looks like two.

use super::balance::{self, Slack, Sums};
use super::tally::{Group, Tally};

/// What equal outputs say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Three parties or more.
    Join {
        /// How many.
        parties: usize,
        /// How their sums came out.
        sums: Sums,
    },
    /// Two parties, or one that wants to look like two.
    Two,
    /// The counts would fit a join, the sums do not.
    Shape,
    /// Not even the counts fit.
    No,
}

/// Buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Desk {
    pub(crate) payers: Vec<u64>,
    pub(crate) others: Vec<u64>,
    pub(crate) balance: balance::Desk,
}

/// How many groups of equal outputs are tried as the common value, the most frequent first.
const GROUPS_MAX: usize = 4;

/// Looks at the groups of equal outputs one by one; the strongest finding counts.
pub(crate) fn look(tally: &Tally, desk: &mut Desk) -> Finding {
    let mut found = Finding::No;
    for group in tally.groups.iter().take(GROUPS_MAX) {
        match with(tally, *group, desk) {
            join @ Finding::Join { .. } => return join,
            Finding::Two => found = Finding::Two,
            Finding::Shape if found == Finding::No => found = Finding::Shape,
            Finding::Shape | Finding::No => {}
        }
    }
    found
}

/// What one group says, if its value is the common one and each of its outputs one party's.
fn with(tally: &Tally, group: Group, desk: &mut Desk) -> Finding {
    let parties = group.count;
    if tally.payers.len() < parties || tally.parties_max(group.value) < parties {
        return Finding::No;
    }
    desk.others.clear();
    desk.others.extend(tally.payments.iter().filter(|value| **value != group.value));
    let dust = drop_dust(&mut desk.others, parties, group.value);
    let others = desk.others.len();
    let fee = tally.fee.saturating_add(dust);
    let slack = slack(group.value, fee, parties, others);
    // One more than the parties: a coordinator's fee.
    let sums = if others > parties + 1 {
        None
    } else {
        balance::sums(&tally.payers, parties, group.value, &desk.others, slack, &mut desk.balance)
    };
    // One party may have two shares, or change that is as large as a share by chance. Nearly all must have change then.
    if sums.is_none() && parties > 3 && others < parties && others + 3 > parties {
        let at = desk.others.partition_point(|other| *other > group.value);
        desk.others.insert(at, group.value);
        let parties = parties - 1;
        if let Some(sums) = balance::sums(&tally.payers, parties, group.value, &desk.others, slack, &mut desk.balance) {
            return Finding::Join { parties, sums };
        }
    }
    match (sums, parties) {
        (Some(_), 0..=2) => Finding::Two,
        (Some(sums), _) => Finding::Join { parties, sums },
        (None, 3..) if others <= 2 * parties + 1 => Finding::Shape,
        (None, _) => Finding::No,
    }
}

/// Two who mix by themselves pay nobody for it, unless one has change at least: a maker, and a taker who may have emptied
/// his wallet.
pub(crate) fn slack(value: u64, fee: u64, parties: usize, others: usize) -> Slack {
    if parties > 2 || others > 0 { Slack::of(value, fee, parties) } else { Slack::tight(value, fee, parties) }
}

/// Leaves out the smallest outputs where there are too many for one change each: dust that was added to spoil the
/// counts. Returns what was left out.
fn drop_dust(others: &mut Vec<u64>, parties: usize, value: u64) -> u64 {
    let mut dust = 0u64;
    while others.len() > parties + 1 {
        match others.last() {
            Some(smallest) if *smallest <= value / 500 => dust = dust.saturating_add(*smallest),
            _ => break,
        }
        others.pop();
    }
    dust
}
