//! [`Taken`]: who took how much of the loot out of a pool: the least, the most and the expected; never a verdict.
//!
//! The bounds hold whoever owns what (see [`super::exact`]); the expected amount is the sum of posteriors, and lies
//! between them. Where nothing else is known it is the pool's share of loot at the time of each withdrawal.

use std::collections::{BTreeMap, BTreeSet};

use money::Amount;

use super::exact::{Ratio, bounds, odds};
use super::history::{History, Step};
use super::posterior::Posterior;
use crate::Portion;

/// What one receiver took out of one pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Who.
    pub recipient: String,
    /// How many notes, of any origin.
    pub notes: u64,
    /// At least so many of them were loot.
    pub low: u64,
    /// At most so many.
    pub high: u64,
    /// So many are expected, in billionths of a note.
    pub expected_billionths: u64,
    /// The same three in base units of the asset.
    pub units: [u128; 3],
    /// The exact odds of 0, 1, 2, … by chance alone, where all notes were put in before the first was taken out.
    pub odds: Option<Vec<Ratio>>,
}

/// What happened to the loot in one pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// How many notes of it were put in.
    pub dirty: u64,
    /// How many lie there still: at least, at most.
    pub left: (u64, u64),
    /// Who took some, or may have; by how much is expected, then by name.
    pub taken: Vec<Taken>,
}

/// Makes the account. `posteriors` must have been made with the same `dirty` and `settled`.
pub fn account(
    history: &History,
    dirty: &BTreeSet<usize>,
    settled: &[(usize, usize)],
    posteriors: &[Posterior],
) -> Account {
    let is_dirty = |deposit: usize| dirty.contains(&deposit);
    let mut by_recipient: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (at, withdrawal) in history.withdrawals.iter().enumerate() {
        by_recipient.entry(&withdrawal.recipient).or_default().insert(at);
    }
    let one = Amount::new(u128::from(Portion::ONE_PARTS));
    let note = Amount::new(history.pool.units);
    let still = stands_still(history);
    let mut taken: Vec<Taken> = by_recipient
        .into_iter()
        .map(|(recipient, mine)| {
            let (low, high) = bounds(history, &is_dirty, &|at| mine.contains(&at), settled);
            let sum: u64 = mine.iter().map(|at| u64::from(posteriors[*at].loot.parts())).sum();
            let billion = u64::from(Portion::ONE_PARTS);
            let expected_billionths = sum.clamp(low * billion, high * billion);
            let units = [
                history.pool.units.saturating_mul(u128::from(low)),
                history.pool.units.saturating_mul(u128::from(high)),
                note.share(Amount::new(u128::from(expected_billionths)), one).units(),
            ];
            let notes = mine.len() as u64;
            let odds = if still && settled.is_empty() {
                odds(history.deposits.len() as u64, dirty.len() as u64, notes)
            } else {
                None
            };
            Taken { recipient: recipient.to_owned(), notes, low, high, expected_billionths, units, odds }
        })
        .filter(|taken| taken.high > 0)
        .collect();
    taken.sort_by(|a, b| b.expected_billionths.cmp(&a.expected_billionths).then_with(|| a.recipient.cmp(&b.recipient)));
    let (least, most) = bounds(history, &is_dirty, &|_| true, settled);
    let all = dirty.len() as u64;
    Account { dirty: all, left: (all.saturating_sub(most), all.saturating_sub(least)), taken }
}

/// Whether all notes were put in, and seen, before the first was taken out.
fn stands_still(history: &History) -> bool {
    let first_out = history.steps.iter().position(|step| matches!(step, Step::Withdrawal(_)));
    let last_in = history.steps.iter().rposition(|step| !matches!(step, Step::Withdrawal(_)));
    let unseen = history.steps.iter().any(|step| matches!(step, Step::Unseen(_)));
    !unseen && first_out.is_none_or(|out| last_in.is_none_or(|put| put < out))
}

#[cfg(test)]
mod tests {
    use super::super::exact::tests::played;
    use super::super::heuristics::Marks;
    use super::super::posterior::{Ratios, posteriors};
    use super::*;

    /// TRACING.md, E15, as an account.
    #[test]
    fn the_worked_example() {
        let mut history = played("ddddddddddwwww");
        for withdrawal in &mut history.withdrawals {
            withdrawal.recipient = "W".into();
        }
        let dirty: BTreeSet<usize> = [0, 1, 2].into();
        let of = |settled: &[(usize, usize)]| {
            let believed =
                posteriors(&history, &vec![Marks::new(); 4], &Ratios::default(), &|at| dirty.contains(&at), settled);
            account(&history, &dirty, settled, &believed)
        };
        let account = of(&[]);
        let [taken] = account.taken.as_slice() else { panic!("{account:?}") };
        assert_eq!((taken.low, taken.high, taken.units), (0, 3, [0, 300, 120]));
        // Each of the four posteriors is rounded down.
        assert!((1_199_999_996..=1_200_000_000).contains(&taken.expected_billionths), "{taken:?}");
        let text: Vec<String> = taken.odds.as_ref().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(text, ["1/6", "1/2", "3/10", "1/30"]);
        assert_eq!((account.dirty, account.left), (3, (0, 3)));
        let linked = of(&[(2, 0)]);
        assert_eq!((linked.taken[0].low, linked.taken[0].high), (1, 3));
        // One and two thirds.
        let expected = linked.taken[0].expected_billionths;
        assert!((1_666_666_662..=1_666_666_666).contains(&expected), "{expected}");
    }
}
