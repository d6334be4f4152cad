//! What can be said without any guess: exact odds of drawing loot by chance, and bounds that hold whoever owns what.
//!
//! *Odds*: of `notes` in a pool `dirty` are loot; whoever takes out `drawn` of them, drawn at random, has `k` of the loot with
//! the hypergeometric probability. Example: ten notes, three of them loot, four taken out: 1/6, 1/2, 3/10, 1/30, and 6/5
//! on average.
//!
//! *Bounds*: nobody knows which note left when, but a note leaves after it came, and leaves once. Of all ways in which
//! withdrawals can have used earlier deposits, the bounds are the least and the most loot that some receiver can have
//! got. Loot and other notes are alike within their kind, so it is enough to count how many of each lie in the pool: for
//! the most, the receiver takes loot whenever there is some and everybody else takes it only where nothing else is left; for the
//! least, the other way round. (Any other way of taking can be turned into this one, step by step, without loss.)

use std::fmt;

use ruint::Uint;

use super::history::{History, Step};

/// Wide enough for the odds of some hundred notes among some thousand.
type Wide = Uint<2048, 32>;

/// An exact fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    above: Wide,
    below: Wide,
}

impl Ratio {
    /// `above / below`; `None` where nothing is below.
    pub fn new(above: u64, below: u64) -> Option<Self> {
        Self::wide(Wide::from(above), Wide::from(below))
    }

    fn wide(above: Wide, below: Wide) -> Option<Self> {
        if below.is_zero() {
            return None;
        }
        let common = common(above, below);
        Some(Self { above: above / common, below: below / common })
    }

    /// So many billionths, rounded down.
    pub fn billionths(&self) -> Option<u64> {
        let scaled = self.above.checked_mul(Wide::from(1_000_000_000u64))?;
        u64::try_from(scaled / self.below).ok()
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.below == Wide::ONE { write!(f, "{}", self.above) } else { write!(f, "{}/{}", self.above, self.below) }
    }
}

/// The greatest common divisor, by Euclid.
fn common(mut a: Wide, mut b: Wide) -> Wide {
    while !b.is_zero() {
        (a, b) = (b, a % b);
    }
    a
}

/// How many ways there are to choose; `None` where that is more than 2,048 bits hold.
fn choose(of: u64, chosen: u64) -> Option<Wide> {
    if chosen > of {
        return Some(Wide::ZERO);
    }
    let chosen = chosen.min(of - chosen);
    let mut ways = Wide::ONE;
    for at in 0..chosen {
        // Always whole: after each step it is a binomial coefficient.
        ways = ways.checked_mul(Wide::from(of - at))? / Wide::from(at + 1);
    }
    Some(ways)
}

/// The odds of 0, 1, 2, … of the loot among `drawn` notes out of `notes`, of which `dirty` are loot. `None` where there
/// are not so many, or where the numbers are beyond 2,048 bits.
pub fn odds(notes: u64, dirty: u64, drawn: u64) -> Option<Vec<Ratio>> {
    if dirty > notes || drawn > notes {
        return None;
    }
    let all = choose(notes, drawn)?;
    (0..=dirty.min(drawn))
        .map(|k| Ratio::wide(choose(dirty, k)?.checked_mul(choose(notes - dirty, drawn - k)?)?, all))
        .collect()
}

/// The average of the same.
pub fn mean(notes: u64, dirty: u64, drawn: u64) -> Option<Ratio> {
    Ratio::wide(Wide::from(dirty).checked_mul(Wide::from(drawn))?, Wide::from(notes))
}

/// The least and the most loot that the withdrawals for which `mine` holds can have got, if the deposits for which `dirty`
/// holds were loot. A pair for which `settled` gives the deposit of a withdrawal is taken as given.
pub fn bounds(
    history: &History,
    dirty: &dyn Fn(usize) -> bool,
    mine: &dyn Fn(usize) -> bool,
    settled: &[(usize, usize)],
) -> (u64, u64) {
    let given = settled.iter().filter(|(withdrawal, deposit)| mine(*withdrawal) && dirty(*deposit)).count() as u64;
    let most = taken(history, dirty, mine, settled, true);
    let least = taken(history, dirty, mine, settled, false);
    (given + least, given + most)
}

/// How much loot one side gets if it takes what it wants and everybody else leaves that as long as possible.
fn taken(
    history: &History,
    dirty: &dyn Fn(usize) -> bool,
    mine: &dyn Fn(usize) -> bool,
    settled: &[(usize, usize)],
    wants_loot: bool,
) -> u64 {
    let (mut loot, mut other, mut got) = (0u64, 0u64, 0u64);
    for step in &history.steps {
        match step {
            Step::Unseen(count) => other += u64::from(*count),
            Step::Deposit(at) if settled.iter().any(|(_, deposit)| deposit == at) => {}
            Step::Deposit(at) if dirty(*at) => loot += 1,
            Step::Deposit(_) => other += 1,
            Step::Withdrawal(at) if settled.iter().any(|(withdrawal, _)| withdrawal == at) => {}
            Step::Withdrawal(at) => {
                let takes_loot = if mine(*at) == wants_loot { loot > 0 } else { other == 0 };
                if takes_loot {
                    got += u64::from(mine(*at) && loot > 0);
                    loot = loot.saturating_sub(1);
                } else {
                    other = other.saturating_sub(1);
                }
            }
        }
    }
    got
}

#[cfg(test)]
#[path = "exact_tests.rs"]
pub(super) mod tests;
