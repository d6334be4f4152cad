//! How often the matcher is right on a simulated world, and how well its probabilities are founded.

use std::collections::BTreeSet;

use link::matcher::{Matched, Options, match_crossings};
use link::{Crossing, Direction, Portion};

use super::simulate::World;

/// A pair is counted as said from this probability on.
const SAID_FROM: u32 = Portion::ONE_PARTS / 2;

/// What came of one world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Deposits without a known pair.
    pub deposits: usize,
    /// Withdrawals without one.
    pub withdrawals: usize,
    /// Deposits that have an answer.
    pub pairs: usize,
    /// Pairs said: of the best pairing, and likelier than not.
    pub said: usize,
    /// Of them, those that are true.
    pub right: usize,
    /// Claims of any probability, by tenths of it: how many, the sum of their billionths, and how many are true.
    pub tenths: [(usize, u64, usize); 10],
    /// The sum of squares of (probability less truth), in thousandths, each.
    squares: u64,
}

impl Measured {
    /// Right ones among those said, in ten thousandths.
    pub fn precision(&self) -> u64 {
        share(self.right, self.said)
    }

    /// Right ones among those that there are, in ten thousandths.
    pub fn recall(&self) -> u64 {
        share(self.right, self.pairs)
    }

    /// The harmonic mean of both.
    pub fn f1(&self) -> u64 {
        share(2 * self.right, self.said + self.pairs)
    }

    /// The mean square of what a claim's probability lacks of the truth, in ten thousandths.
    pub fn brier(&self) -> u64 {
        let claims: usize = self.tenths.iter().map(|(count, ..)| count).sum();
        self.squares / 100 / u64::try_from(claims.max(1)).expect("64 bits")
    }

    /// How far stated and true shares are apart on average over the tenths, in ten thousandths.
    pub fn calibration_error(&self) -> u64 {
        let claims: u64 = self.tenths.iter().map(|(count, ..)| wide(*count)).sum();
        let apart =
            |(_, stated, right): &(usize, u64, usize)| stated.abs_diff(wide(*right) * u64::from(Portion::ONE_PARTS));
        self.tenths.iter().map(apart).sum::<u64>() / 100_000 / claims.max(1)
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).expect("64 bits")
}

fn share(part: usize, whole: usize) -> u64 {
    if whole == 0 { 10_000 } else { wide(part) * 10_000 / wide(whole) }
}

/// Runs the matcher and compares.
pub fn measure(world: &World, options: &Options) -> Measured {
    let matched = match_crossings(&world.unpaired, &world.known, options);
    judge(world, &matched)
}

fn empty(world: &World) -> Measured {
    let open = world.unpaired.iter().filter(|crossing| crossing.direction == Direction::Deposit);
    let pairs = open.filter(|deposit| world.truth.contains_key(&deposit.tx)).count();
    let withdrawals = world.unpaired.len() - world.deposits;
    Measured { deposits: world.deposits, withdrawals, pairs, ..Measured::default() }
}

/// Compares claims with the truth.
pub fn judge(world: &World, matched: &Matched) -> Measured {
    let mut measured = empty(world);
    for (claim, chosen) in matched.claims.iter().zip(&matched.chosen) {
        let right = world.truth.get(&claim.from.tx) == Some(&claim.to.tx);
        let parts = claim.probability.parts();
        let tenth = usize::try_from(parts / (Portion::ONE_PARTS / 10)).expect("64 bits").min(9);
        let (count, stated, true_ones) = &mut measured.tenths[tenth];
        *count += 1;
        *stated += u64::from(parts);
        *true_ones += usize::from(right);
        let lacks = if right { Portion::ONE_PARTS - parts } else { parts };
        measured.squares += (u64::from(lacks) / 1_000_000).pow(2);
        if *chosen && parts >= SAID_FROM {
            measured.said += 1;
            measured.right += usize::from(right);
        }
    }
    measured
}

/// What somebody would do by hand: of the withdrawals of a class that come within an hour and up to 5 % lower, the first; each
/// taken once, deposits in order of time.
pub fn first_that_fits(world: &World, options: &Options) -> Measured {
    let mut measured = empty(world);
    let value = |crossing: &Crossing| {
        let member = options.classes.of(&crossing.ledger, crossing.token.as_deref()?)?;
        Some((member.class, member.value(crossing.units)?, crossing.time?.micros()))
    };
    let mut sides: [Vec<(i64, u32, u128, &Crossing)>; 2] = [Vec::new(), Vec::new()];
    for crossing in &world.unpaired {
        let Some((class, value, time)) = value(crossing) else { continue };
        sides[usize::from(crossing.direction == Direction::Withdrawal)].push((time, class, value, crossing));
    }
    let [mut deposits, mut withdrawals] = sides;
    deposits.sort();
    withdrawals.sort();
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    for (time, class, paid, deposit) in deposits {
        let from = withdrawals.partition_point(|(at, ..)| *at < time);
        let to = withdrawals.partition_point(|(at, ..)| *at <= time + 3_600_000_000);
        let fits = |at: &usize| {
            let (_, other, got, withdrawal) = withdrawals[*at];
            let there = deposit.other.as_ref().is_none_or(|ledger| *ledger == withdrawal.ledger);
            other == class && there && got <= paid && got >= paid - paid / 20 && !taken.contains(at)
        };
        if let Some(at) = (from..to).find(fits) {
            taken.insert(at);
            measured.said += 1;
            measured.right += usize::from(world.truth.get(&deposit.tx) == Some(&withdrawals[at].3.tx));
        }
    }
    measured
}
