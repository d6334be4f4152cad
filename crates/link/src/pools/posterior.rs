//! [`Posterior`]: for each withdrawal, how likely which deposit is, by what the marks are worth.
//!
//! Every deposit in the pool could be the one. A mark makes a deposit so many times as likely as one without it (its
//! likelihood ratio); ratios of several marks multiply, but marks that say the same count once. Weights are brought to one
//! within the anonymity set, in which every deposit counts by how likely it still lies in the pool: each withdrawal before
//! took one note, of those it could have taken in proportion to their weights. What the ledger does not show (numbers of
//! notes that are missing) keeps its weight as "none of these".
//!
//! One note leaves once. The pass runs twice: in the second a deposit counts, for a withdrawal, only by what no *later*
//! withdrawal claims of it. Exact marginals would be permanents of matrices, which nobody can compute; this keeps within
//! rounding what can be checked: without marks all is the pool's average, and a settled pair leaves the rest to share
//! the rest. Floating point serves here and nowhere near money: posteriors leave as billionths.
//!
//! Idea: docs/methods/tornado.md. The ratios are measured there, on pools whose truth is known.

use std::collections::{BTreeMap, BTreeSet};

use super::heuristics::{Heuristic, Marks};
use super::history::{History, Step};
use crate::Portion;

/// The least that a posterior must be to be told.
pub const TOLD_MIN: Portion = match Portion::new(10_000_000) {
    Some(portion) => portion,
    None => Portion::ONE,
};
/// The largest likelihood ratio.
pub const RATIO_MAX: u32 = 100_000;
/// How many self-reuses it takes to learn from them.
pub const LEARN_MIN: u64 = 30;

/// How many times as likely a deposit with a mark is as one without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratios {
    /// Who put it in received it.
    pub same_address: u32,
    /// Who put it in sent the withdrawal.
    pub same_sender: u32,
    /// The only one of that price of gas.
    pub gas_price: u32,
    /// The same notes of the same pools.
    pub portfolio: u32,
    /// They paid each other.
    pub transfers: u32,
    /// The receiver's first coin.
    pub first_funding: u32,
}

impl Default for Ratios {
    /// As measured: docs/methods/tornado.md.
    fn default() -> Self {
        Self {
            same_address: 20_000,
            same_sender: 10_000,
            gas_price: 400,
            portfolio: 2_000,
            transfers: 1_500,
            first_funding: 3_000,
        }
    }
}

impl Ratios {
    /// The ratio of one mark.
    pub const fn of(&self, heuristic: Heuristic) -> u32 {
        match heuristic {
            Heuristic::SameAddress => self.same_address,
            Heuristic::SameSender => self.same_sender,
            Heuristic::GasPrice => self.gas_price,
            Heuristic::Portfolio => self.portfolio,
            Heuristic::Transfers => self.transfers,
            Heuristic::FirstFunding => self.first_funding,
        }
    }

    /// Learns what the gas price and the portfolio are worth in these pools, from withdrawals whose depositor is known by
    /// himself: the same address put in one note and took one out. How often a true pair carries the mark, over how often a
    /// wrong one does; with few pairs the ratio stays.
    ///
    /// Transfers and first funding cannot be learnt so: nobody pays himself.
    #[must_use]
    pub fn learnt(mut self, histories: &[History], marks: &[Vec<Marks>]) -> Self {
        for heuristic in [Heuristic::GasPrice, Heuristic::Portfolio] {
            let (mut true_pairs, mut true_marked, mut wrong_pairs, mut wrong_marked) = (0u64, 0u64, 0u64, 0u64);
            for (history, marks) in histories.iter().zip(marks) {
                for (withdrawal, marks) in marks.iter().enumerate() {
                    let mut own = marks.iter().filter(|(_, which)| which.contains(&Heuristic::SameAddress));
                    let (Some((own, _)), None) = (own.next(), own.next()) else { continue };
                    let marked: Vec<usize> =
                        marks.iter().filter(|(_, which)| which.contains(&heuristic)).map(|(at, _)| *at).collect();
                    let all = super::heuristics::before(history, &history.withdrawals[withdrawal]);
                    true_pairs += 1;
                    true_marked += u64::from(marked.contains(own));
                    wrong_pairs += (all as u64).saturating_sub(1);
                    wrong_marked += marked.iter().filter(|at| *at != own).count() as u64;
                }
            }
            if true_pairs < LEARN_MIN {
                continue;
            }
            // One of each is added, so that what was never seen is not taken for impossible.
            let above = u128::from(true_marked + 1) * u128::from(wrong_pairs + 2);
            let below = u128::from(true_pairs + 2) * u128::from(wrong_marked + 1);
            let ratio = u32::try_from(above / below).unwrap_or(RATIO_MAX).clamp(1, RATIO_MAX);
            match heuristic {
                Heuristic::GasPrice => self.gas_price = ratio,
                _ => self.portfolio = ratio,
            }
        }
        self
    }

    /// What several marks are worth together. Marks of one habit count once: the largest of those that say who is who,
    /// times those that say what was done.
    fn together(&self, marks: &BTreeSet<Heuristic>) -> f64 {
        let who = [Heuristic::SameAddress, Heuristic::SameSender, Heuristic::Transfers, Heuristic::FirstFunding];
        let identity = who.iter().filter(|which| marks.contains(which)).map(|which| self.of(*which)).max().unwrap_or(1);
        let done = [Heuristic::GasPrice, Heuristic::Portfolio].iter().filter(|which| marks.contains(which));
        let product =
            done.fold(f64::from(identity.max(1)), |product, which| product * f64::from(self.of(*which).max(1)));
        product.min(f64::from(RATIO_MAX))
    }
}

/// What is believed of one withdrawal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Posterior {
    /// The deposits that something ties to it, the likeliest first.
    pub marked: Vec<(usize, Portion)>,
    /// All other deposits together.
    pub others: Portion,
    /// Notes that the ledger does not show.
    pub unseen: Portion,
    /// How likely it was loot: the sum over the deposits that were.
    pub loot: Portion,
    /// Among how many deposits it hides, those that settled pairs used left out.
    pub candidates: u64,
}

/// What is believed of each withdrawal of a pool. `loot` says which deposits were loot; `settled` pairs are taken as given.
pub fn posteriors(
    history: &History,
    marks: &[Marks],
    ratios: &Ratios,
    loot: &dyn Fn(usize) -> bool,
    settled: &[(usize, usize)],
) -> Vec<Posterior> {
    let settled_deposits: BTreeMap<usize, usize> =
        settled.iter().map(|(withdrawal, deposit)| (*deposit, *withdrawal)).collect();
    let settled: BTreeMap<usize, usize> = settled.iter().copied().collect();
    let mut claimed: BTreeMap<usize, f64> = BTreeMap::new();
    let first = Pass::new(history, &settled, &settled_deposits, loot, &claimed).run(marks, ratios, &BTreeMap::new());
    let mut claims: BTreeMap<usize, Vec<(usize, f64)>> = BTreeMap::new();
    for (withdrawal, posterior) in first.iter().enumerate().filter(|(at, _)| !settled.contains_key(at)) {
        for (deposit, portion) in &posterior.marked {
            let part = f64::from(portion.parts()) / f64::from(Portion::ONE_PARTS);
            *claimed.entry(*deposit).or_default() += part;
            claims.entry(withdrawal).or_default().push((*deposit, part));
        }
    }
    Pass::new(history, &settled, &settled_deposits, loot, &claimed).run(marks, ratios, &claims)
}

/// One walk over a pool's events.
struct Pass<'a> {
    history: &'a History,
    settled: &'a BTreeMap<usize, usize>,
    settled_deposits: &'a BTreeMap<usize, usize>,
    loot: &'a dyn Fn(usize) -> bool,
    /// How likely each deposit still lies in the pool, over `scale`.
    inside: Vec<f64>,
    /// How much of each deposit later withdrawals claim.
    claimed: BTreeMap<usize, f64>,
    /// What all of `inside` are to be multiplied by: a withdrawal changes every note alike, but for the marked.
    scale: f64,
    /// Sums over the deposits so far, of what lies inside and is not claimed later: of all, and of the loot.
    free: f64,
    free_loot: f64,
    /// The same sum of all that lies inside, claimed later or not.
    total: f64,
    /// Notes that the ledger does not show, as far as they still lie inside.
    unseen: f64,
    deposits: u64,
}

/// Below this a sum is rounding error.
const NOTHING: f64 = 1e-12;

impl<'a> Pass<'a> {
    fn new(
        history: &'a History,
        settled: &'a BTreeMap<usize, usize>,
        settled_deposits: &'a BTreeMap<usize, usize>,
        loot: &'a dyn Fn(usize) -> bool,
        claimed: &BTreeMap<usize, f64>,
    ) -> Self {
        Self {
            history,
            settled,
            settled_deposits,
            loot,
            inside: vec![0.0; history.deposits.len()],
            claimed: claimed.clone(),
            scale: 1.0,
            free: 0.0,
            free_loot: 0.0,
            total: 0.0,
            unseen: 0.0,
            deposits: 0,
        }
    }

    fn run(mut self, marks: &[Marks], ratios: &Ratios, claims: &BTreeMap<usize, Vec<(usize, f64)>>) -> Vec<Posterior> {
        let mut posteriors = vec![Posterior::default(); self.history.withdrawals.len()];
        for step in &self.history.steps {
            match *step {
                Step::Unseen(count) => {
                    self.unseen += f64::from(count) / self.scale;
                    self.deposits += u64::from(count);
                }
                Step::Deposit(at) if self.settled_deposits.contains_key(&at) => {}
                Step::Deposit(at) => {
                    self.deposits += 1;
                    self.inside[at] = 1.0 / self.scale;
                    self.count(at, 1.0);
                }
                Step::Withdrawal(at) => {
                    posteriors[at] = match self.settled.get(&at) {
                        Some(deposit) => self.given(*deposit),
                        None => {
                            // What this withdrawal itself claims is not claimed by a later one.
                            for (deposit, part) in claims.get(&at).into_iter().flatten() {
                                self.count(*deposit, -1.0);
                                *self.claimed.entry(*deposit).or_default() -= part;
                                self.count(*deposit, 1.0);
                            }
                            self.withdraw(&marks[at], ratios)
                        }
                    };
                }
            }
        }
        posteriors
    }

    /// What of a deposit lies inside and is not claimed later, over `scale`.
    fn free_of(&self, at: usize) -> f64 {
        let claimed = self.claimed.get(&at).copied().unwrap_or(0.0).clamp(0.0, 1.0);
        self.inside[at] * (1.0 - claimed)
    }

    /// Adds a deposit to the sums, or takes it out of them.
    fn count(&mut self, at: usize, sign: f64) {
        let free = self.free_of(at) * sign;
        self.free += free;
        self.total += self.inside[at] * sign;
        if (self.loot)(at) {
            self.free_loot += free;
        }
    }

    fn given(&self, deposit: usize) -> Posterior {
        let loot = if (self.loot)(deposit) { Portion::ONE } else { Portion::default() };
        Posterior { marked: vec![(deposit, Portion::ONE)], loot, candidates: 1, ..Posterior::default() }
    }

    fn withdraw(&mut self, marks: &Marks, ratios: &Ratios) -> Posterior {
        // Marks on what settled pairs used are worth nothing.
        let marked: Vec<(usize, f64, f64)> = marks
            .iter()
            .filter(|(at, _)| self.inside[**at] > 0.0)
            .map(|(at, which)| (*at, self.free_of(*at), ratios.together(which)))
            .collect();
        let mut rest = (self.free - marked.iter().map(|(_, free, _)| free).sum::<f64>()).max(0.0);
        let rest_loot: f64 = marked.iter().filter(|(at, ..)| (self.loot)(*at)).map(|(_, free, _)| free).sum();
        let rest_loot = (self.free_loot - rest_loot).clamp(0.0, rest);
        let weights: Vec<f64> = marked.iter().map(|(_, free, ratio)| free * ratio).collect();
        let mut all = weights.iter().sum::<f64>() + rest + self.unseen;
        if all * self.scale <= NOTHING {
            // Everything is claimed by later withdrawals, which this one contradicts: nobody in particular.
            rest = 1.0;
            all = 1.0;
        }
        let portion = |weight: f64| to_portion(weight / all);
        let mut told: Vec<(usize, Portion)> =
            marked.iter().zip(&weights).map(|((at, ..), weight)| (*at, portion(*weight))).collect();
        told.sort_by_key(|(at, portion)| (std::cmp::Reverse(*portion), *at));
        let unseen = portion(self.unseen);
        let used = told.iter().map(|(_, portion)| portion.parts()).sum::<u32>() + unseen.parts();
        let others = Portion::new(Portion::ONE_PARTS.saturating_sub(used)).unwrap_or_default();
        let marked_loot: f64 =
            marked.iter().zip(&weights).filter(|((at, ..), _)| (self.loot)(*at)).map(|(_, weight)| weight).sum();
        let loot = portion(marked_loot + rest_loot);
        self.take(&marked, &weights, rest, all);
        Posterior { marked: told, others, unseen, loot, candidates: self.deposits }
    }

    /// Takes one note out: of each by its weight.
    fn take(&mut self, marked: &[(usize, f64, f64)], weights: &[f64], rest: f64, all: f64) {
        // The unmarked and the unseen shrink alike: by the part of one note that they lose together.
        let inside: f64 = marked.iter().map(|(at, ..)| self.inside[*at]).sum();
        let plain = (self.total - inside).max(0.0) + self.unseen;
        let lost = (rest + self.unseen) / all;
        let keeps = if plain * self.scale > NOTHING { 1.0 - lost / (plain * self.scale) } else { 0.0 };
        let before: Vec<f64> = marked.iter().map(|(at, ..)| self.inside[*at] * self.scale).collect();
        for (at, ..) in marked {
            self.count(*at, -1.0);
        }
        if keeps <= NOTHING {
            // The pool is empty but for the marked: start the scale anew.
            self.inside.fill(0.0);
            (self.free, self.free_loot, self.total, self.unseen, self.scale) = (0.0, 0.0, 0.0, 0.0, 1.0);
        } else {
            self.scale *= keeps;
        }
        for (((at, ..), weight), before) in marked.iter().zip(weights).zip(before) {
            self.inside[*at] = (before - weight / all).max(0.0) / self.scale;
            self.count(*at, 1.0);
        }
    }
}

/// Rounded down, so that parts never add up to more than one.
fn to_portion(part: f64) -> Portion {
    let parts = (part.clamp(0.0, 1.0) * f64::from(Portion::ONE_PARTS)).floor();
    // Between 0 and 10^9, and whole.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits, and whole")]
    Portion::new(parts as u32).unwrap_or(Portion::ONE)
}

#[cfg(test)]
#[path = "posterior_tests.rs"]
mod tests;
