//! The worked example, and every way of using notes on small pools.

use ledger::{LedgerId, Seq, Time};
use proptest::prelude::*;

use super::super::history::{Deposit, Withdrawal};
use super::super::table::Pool;
use super::*;

/// A pool in which `d` is a deposit and `w` a withdrawal.
pub(in super::super) fn played(steps: &str) -> History {
    let pool = Pool {
        protocol: "test".into(),
        ledger: LedgerId::parse("ethereum").unwrap(),
        contract: [9; 20],
        asset: "ETH".into(),
        units: 100,
        name: "test".into(),
    };
    let mut history =
        History { pool, deposits: Vec::new(), withdrawals: Vec::new(), steps: Vec::new(), problems: Vec::new() };
    for (at, step) in steps.chars().enumerate() {
        let (seq, time) = (Seq(at as u64), Time::from_micros(0));
        if step == 'd' {
            history.steps.push(Step::Deposit(history.deposits.len()));
            let leaf = u32::try_from(history.deposits.len()).unwrap();
            history.deposits.push(Deposit {
                seq,
                tx: format!("d{leaf}"),
                index: 0,
                time,
                height: None,
                leaf,
                sender: None,
                fee_units: 0,
            });
        } else {
            history.steps.push(Step::Withdrawal(history.withdrawals.len()));
            let number = history.withdrawals.len();
            history.withdrawals.push(Withdrawal {
                seq,
                tx: format!("w{number}"),
                index: 0,
                time,
                height: None,
                recipient: format!("r{number}"),
                relayer: None,
                fee_units: 0,
                sender: None,
                gas_fee_units: 0,
                nullifier: [0; 32],
            });
        }
    }
    history
}

fn text(ratios: &[Ratio]) -> Vec<String> {
    ratios.iter().map(ToString::to_string).collect()
}

/// TRACING.md, E15: ten notes, three of them loot; somebody takes out four.
#[test]
fn ten_notes_of_which_three_are_loot() {
    assert_eq!(text(&odds(10, 3, 4).unwrap()), ["1/6", "1/2", "3/10", "1/30"]);
    assert_eq!(mean(10, 3, 4).unwrap().to_string(), "6/5");
    let history = played("ddddddddddwwww");
    assert_eq!(bounds(&history, &|deposit| deposit < 3, &|_| true, &[]), (0, 3));
    // One of them is tied to a note of the loot: three of nine are left, with two of the loot.
    assert_eq!(mean(9, 2, 3).unwrap().to_string(), "2/3");
    assert_eq!(bounds(&history, &|deposit| deposit < 3, &|_| true, &[(0, 1)]), (1, 3));
    // And one to a note that is none.
    assert_eq!(bounds(&history, &|deposit| deposit < 3, &|_| true, &[(0, 9)]), (0, 3));
}

#[test]
fn odds_are_exact_where_they_fit_and_say_so_where_they_do_not() {
    assert_eq!(text(&odds(1, 1, 1).unwrap()), ["0", "1"]);
    assert_eq!(odds(3, 4, 1), None);
    assert_eq!(odds(3, 1, 4), None);
    let many = odds(30_000, 200, 60).unwrap();
    let sum: u64 = many.iter().map(|ratio| ratio.billionths().unwrap()).sum();
    assert!((999_999_900..=1_000_000_000).contains(&sum), "{sum}");
    assert_eq!(odds(30_000, 15_000, 15_000), None);
}

#[test]
fn time_tightens_the_bounds() {
    // The first note is loot, and somebody else had to take it before the second came.
    assert_eq!(bounds(&played("dwdw"), &|deposit| deposit == 0, &|withdrawal| withdrawal == 1, &[]), (0, 0));
    assert_eq!(bounds(&played("dwdw"), &|deposit| deposit == 0, &|withdrawal| withdrawal == 0, &[]), (1, 1));
    assert_eq!(bounds(&played("ddwdw"), &|deposit| deposit == 0, &|withdrawal| withdrawal == 1, &[]), (0, 1));
}

/// The least and the most over all ways in which withdrawals can have used earlier notes.
fn by_trying(history: &History, dirty: u32, mine: u32) -> Option<(u64, u64)> {
    fn go(history: &History, at: usize, used: u32, dirty: u32, mine: u32) -> Option<(u64, u64)> {
        let Some(withdrawal) = history.withdrawals.get(at) else { return Some((0, 0)) };
        let mut best: Option<(u64, u64)> = None;
        for (number, deposit) in history.deposits.iter().enumerate() {
            if deposit.seq >= withdrawal.seq || used & (1 << number) != 0 {
                continue;
            }
            if let Some((low, high)) = go(history, at + 1, used | 1 << number, dirty, mine) {
                let got = u64::from(mine & (1 << at) != 0 && dirty & (1 << number) != 0);
                let (least, most) = best.unwrap_or((u64::MAX, 0));
                best = Some((least.min(low + got), most.max(high + got)));
            }
        }
        best
    }
    go(history, 0, 0, dirty, mine)
}

proptest! {
    /// The bounds are what trying everything finds.
    #[test]
    fn bounds_are_the_least_and_the_most_of_all_ways(steps in "[dw]{1,9}", dirty in any::<u32>(), mine in any::<u32>()) {
        let history = played(&steps);
        let Some(tried) = by_trying(&history, dirty, mine) else { return Ok(()) };
        let found = bounds(&history, &|at| dirty & (1 << at) != 0, &|at| mine & (1 << at) != 0, &[]);
        prop_assert_eq!(found, tried, "{}", steps);
    }

    /// Odds add up to one, and their average is the average.
    #[test]
    fn odds_add_up(notes in 1u64..60, dirty in 0u64..60, drawn in 0u64..60) {
        let (dirty, drawn) = (dirty.min(notes), drawn.min(notes));
        let odds = odds(notes, dirty, drawn).unwrap();
        let below = odds.iter().fold(Wide::ONE, |below, ratio| below / common(below, ratio.below) * ratio.below);
        let sum = odds.iter().fold(Wide::ZERO, |sum, ratio| sum + ratio.above * (below / ratio.below));
        prop_assert_eq!(sum, below);
        let weighed = (0u64..).zip(&odds).fold(Wide::ZERO, |sum, (k, ratio)| sum + Wide::from(k) * ratio.above * (below / ratio.below));
        prop_assert_eq!(Ratio::wide(weighed, below), mean(notes, dirty, drawn));
    }
}
