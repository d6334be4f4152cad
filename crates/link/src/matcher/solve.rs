//! From candidates to answers: components, the best one-to-one pairing of each, and the chance of each pair.

use super::assign::{STEPS_MAX, assign};
use super::index::position;
use super::posterior::{Pair, marginals};
use super::score::{Candidates, Edge};
use crate::Portion;

/// A pair that makes every pairing worse than the best by more than this, in thousandths of a nat, has no chance worth a figure.
const SLACK_MOST: i64 = 8_000;

/// A pair with what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The pair, with its score.
    pub edge: Edge,
    /// Its chance, with everybody having one partner at most.
    pub probability: Portion,
    /// Whether it is of the pairing that is best as a whole.
    pub chosen: bool,
    /// How many deposits and withdrawals it competes with, itself counted.
    pub component: (usize, usize),
    /// Whether the chance is exact.
    pub exact: bool,
    /// Whether the pairing is proven to be the best.
    pub best: bool,
}

/// The answer for all edges, in their order: by deposit, then by withdrawal.
pub fn solve(candidates: &Candidates, withdrawals: usize) -> Vec<Found> {
    let (edges, deposits) = (&candidates.edges[..], candidates.alone.len());
    let mut sets = Sets::new(deposits + withdrawals);
    for edge in edges {
        sets.unite(position(edge.deposit), deposits + position(edge.withdrawal));
    }
    let mut order: Vec<(usize, usize)> =
        edges.iter().enumerate().map(|(at, edge)| (sets.root(position(edge.deposit)), at)).collect();
    order.sort_unstable();
    let mut answers: Vec<(usize, Found)> = Vec::with_capacity(edges.len());
    for component in order.chunk_by(|a, b| a.0 == b.0) {
        let at: Vec<usize> = component.iter().map(|(_, at)| *at).collect();
        answers.extend(at.iter().copied().zip(of_component(edges, &candidates.alone, &at)));
    }
    answers.sort_unstable_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, found)| found).collect()
}

/// The answers for the edges at those positions, which are one component.
fn of_component(edges: &[Edge], alone: &[f64], at: &[usize]) -> Vec<Found> {
    let numbers = |of: fn(&Edge) -> u32| {
        let mut numbers: Vec<u32> = at.iter().map(|at| of(&edges[*at])).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    let (deposits, withdrawals) = (numbers(|edge| edge.deposit), numbers(|edge| edge.withdrawal));
    let among = |numbers: &[u32], id: u32| numbers.binary_search(&id).expect("it was collected from the same edges");
    let pairs: Vec<Pair> = at
        .iter()
        .map(|at| &edges[*at])
        .map(|edge| (among(&deposits, edge.deposit), among(&withdrawals, edge.withdrawal), edge.score))
        .collect();
    let mut gains = vec![Vec::new(); deposits.len()];
    for (row, column, score) in &pairs {
        gains[*row].push((*column, *score));
    }
    let alone: Vec<f64> = deposits.iter().map(|id| alone[position(*id)]).collect();
    let assignment = assign(&gains, withdrawals.len(), STEPS_MAX);
    let matters = |(row, column, score): &Pair| assignment.slack(*row, *column, *score) <= SLACK_MOST;
    let chances = chances(&pairs, &alone, withdrawals.len(), matters);
    let component = (deposits.len(), withdrawals.len());
    let found = |((at, (row, column, _)), (chance, exact)): ((&usize, &Pair), &(f64, bool))| Found {
        edge: edges[*at],
        probability: billionths(*chance),
        chosen: assignment.column_of[*row] == Some(*column),
        component,
        exact: *exact,
        best: assignment.best,
    };
    at.iter().zip(&pairs).zip(&chances).map(found).collect()
}

/// The chance of each pair, and whether it is exact. Pairs that matter to no likely pairing are left out, so that what is left
/// falls into smaller parts.
fn chances(pairs: &[Pair], alone: &[f64], columns: usize, matters: impl Fn(&Pair) -> bool) -> Vec<(f64, bool)> {
    let rows = alone.len();
    let mut sets = Sets::new(rows + columns);
    let kept: Vec<usize> = (0..pairs.len()).filter(|at| matters(&pairs[*at])).collect();
    for at in &kept {
        sets.unite(pairs[*at].0, rows + pairs[*at].1);
    }
    let mut order: Vec<(usize, usize)> = kept.into_iter().map(|at| (sets.root(pairs[at].0), at)).collect();
    order.sort_unstable();
    let mut chances = vec![(0.0, true); pairs.len()];
    for part in order.chunk_by(|a, b| a.0 == b.0) {
        let numbers = |of: fn(&Pair) -> usize| {
            let mut numbers: Vec<usize> = part.iter().map(|(_, at)| of(&pairs[*at])).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        let (rows, columns) = (numbers(|pair| pair.0), numbers(|pair| pair.1));
        let among = |numbers: &[usize], id: usize| numbers.binary_search(&id).expect("collected from the same pairs");
        let inner: Vec<Pair> = part
            .iter()
            .map(|(_, at)| &pairs[*at])
            .map(|(row, column, score)| (among(&rows, *row), among(&columns, *column), *score))
            .collect();
        let alone: Vec<f64> = rows.iter().map(|row| alone[*row]).collect();
        let (found, exact) = marginals(&inner, &alone, columns.len());
        for ((_, at), chance) in part.iter().zip(found) {
            chances[*at] = (chance, exact);
        }
    }
    chances
}

/// Rounded down, so that what adds up to one at most still does.
fn billionths(chance: f64) -> Portion {
    let parts = (chance * f64::from(Portion::ONE_PARTS)).clamp(0.0, f64::from(Portion::ONE_PARTS));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between nothing and a billion, rounded down"
    )]
    let parts = parts as u32;
    Portion::new(parts).expect("clamped to one")
}

/// Disjoint sets, each named by its smallest member.
struct Sets {
    parent: Vec<usize>,
}

impl Sets {
    fn new(members: usize) -> Self {
        Self { parent: (0..members).collect() }
    }

    fn root(&mut self, mut member: usize) -> usize {
        while self.parent[member] != member {
            self.parent[member] = self.parent[self.parent[member]];
            member = self.parent[member];
        }
        member
    }

    fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }
}
