//! Calibration of the weights of change: [`Cells`] counts how often payments that show the same signs were change and finds
//! the weights that fit; [`Reliability`] holds what weights state against what was so.
//!
//! The fit is logistic regression by the simplest way there is: one weight after the other is moved to where the counts
//! want it (a step of Newton's), a fixed number of rounds. This is statistics for whoever sets the weights: floats stay
//! in here, weights come out as whole thousandths, and no verdict depends on this file. Whose a payment was is the caller's to know.
//!
//! Sources: the scores are G. Brier's (1950) and the expected calibration error in ten bins (Naeini et al. 2015).

use std::collections::BTreeMap;

use crate::judge::{STARTS, start_of};
use crate::{BANDS_PERMILLE, Candidate, Sign, Weights};

/// Rounds of fitting, in each of which every weight is moved once.
const ROUNDS: usize = 400;
/// Pulls each weight towards nothing, as if this many doubtful payments had been seen: signs that never err stay finite.
const PULL: f64 = 1.0;
/// The most that one step moves a weight.
const STEP_MAX: f64 = 1.0;
/// Bins of stated probability, from nothing to certainty.
const BINS: usize = 10;

/// How often payments that show the same signs were change.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    /// By start and set of signs: how many, and how many of them were change.
    cells: BTreeMap<(usize, u8), (u64, u64)>,
}

impl Cells {
    /// Counts a payment, of a transaction with so many.
    pub fn add(&mut self, payments: usize, signs: u8, is_change: bool) {
        let cell = self.cells.entry((start_of(payments), signs)).or_default();
        cell.0 += 1;
        cell.1 += u64::from(is_change);
    }

    /// How many payments were counted, and how many of them were change.
    pub fn counted(&self) -> (u64, u64) {
        self.cells.values().fold((0, 0), |(of, change), cell| (of + cell.0, change + cell.1))
    }

    /// How many payments show a sign, and how many of them were change.
    pub fn showing(&self, sign: Sign) -> (u64, u64) {
        let shown = self.cells.iter().filter(|((_, signs), _)| signs & sign.bit() != 0);
        shown.fold((0, 0), |(of, change), (_, cell)| (of + cell.0, change + cell.1))
    }

    /// The weights under which what was counted is likeliest.
    pub fn fit(&self, floor: u16) -> Weights {
        let mut weights = [0.0f64; STARTS.len() + Sign::ALL.len()];
        for _ in 0..ROUNDS {
            for place in 0..weights.len() {
                weights[place] += self.step(&weights, place).clamp(-STEP_MAX, STEP_MAX);
            }
        }
        let milli = weights.map(thousandths);
        let (starts, signs) = (std::array::from_fn(|at| milli[at]), std::array::from_fn(|at| milli[STARTS.len() + at]));
        Weights::of_milli(starts, signs, floor)
    }

    /// How far one weight is from where the counts want it, the others as they are.
    fn step(&self, weights: &[f64], place: usize) -> f64 {
        let (mut slope, mut bend) = (-PULL * weights[place], PULL);
        for ((start, signs), (of, change)) in &self.cells {
            let has = |at: usize| match at.checked_sub(STARTS.len()) {
                None => at == *start,
                Some(sign) => signs & (1 << sign) != 0,
            };
            if has(place) {
                let sum: f64 = weights.iter().enumerate().filter(|(at, _)| has(*at)).map(|(_, weight)| weight).sum();
                let probability = 1.0 / (1.0 + (-sum).exp());
                slope += float(*change) - float(*of) * probability;
                bend += float(*of) * probability * (1.0 - probability);
            }
        }
        slope / bend
    }
}

/// What was stated and what was so, of some payments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bin {
    /// How many.
    pub of: u64,
    /// How many of them were change.
    pub change: u64,
    /// The stated probabilities, summed, in thousandths.
    pub stated_permille: u64,
}

impl Bin {
    fn add(&mut self, permille: u16, is_change: bool) {
        self.of += 1;
        self.change += u64::from(is_change);
        self.stated_permille += u64::from(permille);
    }

    /// The mean of what was stated, 0 to 1.
    pub fn stated(&self) -> f64 {
        float(self.stated_permille) / 1_000.0 / float(self.of.max(1))
    }
}

/// How what weights state compares with what was so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reliability {
    /// All payments that may be change, by tenth of stated probability.
    pub bins: [Bin; BINS],
    /// Those that were called change, by band ([`BANDS_PERMILLE`]).
    pub called: [Bin; BANDS_PERMILLE.len()],
    /// Squares of the errors, in millionths.
    squares: u64,
}

impl Reliability {
    /// Judges one transaction's candidates; `is_change` tells of an output whether it is.
    pub fn add(
        &mut self,
        weights: &Weights,
        payments: usize,
        candidates: &[Candidate],
        is_change: impl Fn(u16) -> bool,
    ) {
        for candidate in candidates {
            let permille = weights.permille(payments, candidate.signs);
            let is = is_change(candidate.output);
            self.bins[usize::from(permille) * BINS / 1_000].add(permille, is);
            let error = u64::from(permille.abs_diff(if is { 1_000 } else { 0 }));
            self.squares += error * error;
        }
        if let Some(change) = weights.choose(payments, candidates) {
            let band = BANDS_PERMILLE.iter().rposition(|from| change.permille >= *from).unwrap_or_default();
            self.called[band].add(change.permille, is_change(change.output));
        }
    }

    /// The mean square of the error: 0 where all was known for sure, 0.25 where nothing was.
    pub fn brier(&self) -> f64 {
        float(self.squares) / 1e6 / float(of(&self.bins).max(1))
    }

    /// How far what is stated is from what is so, the mean over all payments of their bin's distance.
    pub fn calibration_error(&self) -> f64 {
        distance(&self.bins)
    }

    /// The same, of the payments that were called change and their bands.
    pub fn called_error(&self) -> f64 {
        distance(&self.called)
    }
}

fn of(bins: &[Bin]) -> u64 {
    bins.iter().map(|bin| bin.of).sum()
}

fn distance(bins: &[Bin]) -> f64 {
    let apart: u64 = bins.iter().map(|bin| bin.stated_permille.abs_diff(bin.change * 1_000)).sum();
    float(apart) / 1_000.0 / float(of(bins).max(1))
}

#[expect(clippy::cast_precision_loss, reason = "counts of payments are far below 2^53")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, reason = "a weight is a few units; one that is not is cut")]
fn thousandths(weight: f64) -> i32 {
    (weight * 1_000.0).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: u8 = Sign::OnlyFresh.bit();
    const ROUND: u8 = Sign::Round.bit();

    fn counted(rows: &[(usize, u8, u64, u64)]) -> Cells {
        let mut cells = Cells::default();
        for (payments, signs, change, others) in rows {
            (0..*change).for_each(|_| cells.add(*payments, *signs, true));
            (0..*others).for_each(|_| cells.add(*payments, *signs, false));
        }
        cells
    }

    /// The odds are 1, 9 and 1/3. Two thousandths are what the table of probabilities loses between two entries.
    #[test]
    fn one_sign_gets_the_odds_that_it_has() {
        let cells = counted(&[(2, 0, 5_000, 5_000), (2, FRESH, 9_000, 1_000), (3, 0, 1_000, 3_000)]);
        let weights = cells.fit(900);
        assert_eq!(weights.permille(2, 0), 500);
        assert!(weights.permille(2, FRESH).abs_diff(900) <= 1, "{}", weights.permille(2, FRESH));
        assert!(weights.permille(4, 0).abs_diff(250) <= 2, "{}", weights.permille(4, 0));
        assert_eq!(cells.counted(), (24_000, 15_000));
        assert_eq!(cells.showing(Sign::OnlyFresh), (10_000, 9_000));
        assert_eq!(cells.showing(Sign::Round), (0, 0));
        assert!(weights.to_csv().contains("\nround,0,"), "nothing was seen of it: it says nothing");
    }

    #[test]
    fn what_two_signs_share_is_not_counted_twice() {
        // Where one is the other is too: together they have the odds of nine, not of eighty-one.
        let weights = counted(&[(2, 0, 5_000, 5_000), (2, FRESH | ROUND, 9_000, 1_000)]).fit(900);
        assert!(weights.permille(2, FRESH | ROUND).abs_diff(900) <= 1);
    }

    #[test]
    fn a_sign_that_never_errs_stays_finite_and_is_written_as_a_file() {
        let weights = counted(&[(2, 0, 500, 500), (2, FRESH, 100_000, 0)]).fit(900);
        assert!((990..=999).contains(&weights.permille(2, FRESH)));
        assert_eq!(Weights::parse(&weights.to_csv()), Ok(weights));
    }

    #[test]
    fn nothing_counted_says_nothing() {
        let weights = Cells::default().fit(900);
        assert_eq!(weights.permille(2, 0xff), 500);
        let nothing = Reliability::default();
        assert!(nothing.brier() == 0.0 && nothing.calibration_error() == 0.0 && nothing.called_error() == 0.0);
    }

    #[test]
    fn what_is_stated_is_held_against_what_was_so() {
        let weights = counted(&[(2, 0, 500, 500), (2, FRESH, 950_000, 50_000), (2, ROUND, 1, 99_999)]).fit(900);
        let at = |output, signs| Candidate { output, signs };
        let mut found = Reliability::default();
        // Right three times and wrong once; the fourth transaction's two candidates are as good as each other.
        for right in [0, 0, 0, 1] {
            found.add(&weights, 2, &[at(0, FRESH), at(1, ROUND)], |output| output == right);
        }
        found.add(&weights, 2, &[at(0, FRESH), at(1, FRESH)], |output| output == 0);
        let stated = u64::from(weights.permille(2, FRESH));
        assert_eq!(found.called[2], Bin { of: 4, change: 3, stated_permille: 4 * stated });
        assert_eq!(found.bins[9], Bin { of: 6, change: 4, stated_permille: 6 * stated });
        assert_eq!(found.bins[0].of, 4);
        assert!((found.called_error() - (found.called[2].stated() - 0.75)).abs() < 1e-9);
        // Two errors of 0.95 at the fresh ones, one of 1 at the round one, of ten candidates.
        assert!((found.brier() - 0.28).abs() < 0.01, "{}", found.brier());
    }
}
