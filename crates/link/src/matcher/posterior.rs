//! How likely each pair of a component is, given that everybody has one partner or none.
//!
//! Small components exactly: the sum over all pairings, by the set of withdrawals taken (forward and backward). Larger ones
//! by belief propagation, which is exact where the component is a tree and converges always: J. Williams and R. Lau,
//! "Approximate evaluation of marginal association probabilities with belief propagation" (IEEE Transactions on Aerospace
//! and Electronic Systems 50, 2014). It is too sure of itself where two deposits want the same two withdrawals and nothing
//! else (a short circle), so everything that can be exact is. Here are floating-point numbers, and only sums, products and quotients in a fixed
//! order, so that every machine gets the same.

use super::logs::exp;

/// Exact up to so many withdrawals (or deposits, whichever are fewer).
const EXACT_SIDE_MAX: usize = 10;
/// Exact up to so many deposits (or withdrawals, whichever are more).
const EXACT_OTHER_MAX: usize = 64;
/// Belief propagation goes round so many times at most.
const ROUNDS_MAX: usize = 200;
/// It stops when no message changes by more than this part of itself.
const STILL: f64 = 1e-9;
/// Weights above this are cut, so that the products of an exact sum stay far below the largest number there is.
const WEIGHT_MILLINATS_MAX: i32 = 25_000;

/// A pair of a component: row, column, score.
pub type Pair = (usize, usize, i32);

/// The chance of each pair, in the order given; and whether it is exact. Each row has the weight of staying alone, a column's is one.
pub fn marginals(pairs: &[Pair], alone: &[f64], columns: usize) -> (Vec<f64>, bool) {
    let rows = alone.len();
    // A row's pairs against its staying alone.
    let weight = |(row, _, score): &Pair| exp((*score).min(WEIGHT_MILLINATS_MAX)) / alone[*row];
    let weights: Vec<f64> = pairs.iter().map(weight).collect();
    if rows.min(columns) <= EXACT_SIDE_MAX && rows.max(columns) <= EXACT_OTHER_MAX {
        let turned = columns > rows;
        let ends: Vec<(usize, usize)> =
            pairs.iter().map(|(row, column, _)| if turned { (*column, *row) } else { (*row, *column) }).collect();
        let (rows, columns) = if turned { (columns, rows) } else { (rows, columns) };
        (exact(&ends, &weights, rows, columns), true)
    } else {
        (propagated(pairs, &weights, rows, columns), false)
    }
}

/// The sum over all pairings; the columns are few.
fn exact(ends: &[(usize, usize)], weights: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    let sets = 1usize << columns;
    let mut of_row: Vec<Vec<(usize, usize)>> = vec![Vec::new(); rows];
    for (at, (row, column)) in ends.iter().enumerate() {
        of_row[*row].push((*column, at));
    }
    // after[r][s]: the weight of all ways to pair the rows from r on, when the columns of s are taken.
    let mut after = vec![vec![1.0; sets]; rows + 1];
    for row in (0..rows).rev() {
        for set in 0..sets {
            let free = of_row[row].iter().filter(|(column, _)| set >> column & 1 == 0);
            let ways = free.map(|(column, at)| weights[*at] * after[row + 1][set | 1 << column]);
            after[row][set] = after[row + 1][set] + ways.sum::<f64>();
        }
    }
    let total = after[0][0];
    let mut chances = vec![0.0; ends.len()];
    let mut before = vec![0.0; sets];
    before[0] = 1.0;
    for row in 0..rows {
        let mut next = before.clone();
        for set in (0..sets).filter(|set| before[*set] > 0.0) {
            for (column, at) in of_row[row].iter().filter(|(column, _)| set >> column & 1 == 0) {
                let taken = set | 1 << column;
                next[taken] += before[set] * weights[*at];
                chances[*at] += before[set] / total * weights[*at] * after[row + 1][taken];
            }
        }
        before = next;
    }
    chances
}

/// Messages between deposits and withdrawals until they stand still.
fn propagated(pairs: &[Pair], weights: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    let mut back = vec![1.0; pairs.len()];
    let mut forth = vec![0.0; pairs.len()];
    let (mut of_row, mut of_column) = (vec![0.0; rows], vec![0.0; columns]);
    for _ in 0..ROUNDS_MAX {
        of_row.fill(1.0);
        for (at, (row, _, _)) in pairs.iter().enumerate() {
            of_row[*row] += weights[at] * back[at];
        }
        of_column.fill(1.0);
        for (at, (row, column, _)) in pairs.iter().enumerate() {
            let others: f64 = (of_row[*row] - weights[at] * back[at]).max(1.0);
            forth[at] = weights[at] / others;
            of_column[*column] += forth[at];
        }
        let mut moved = false;
        for (at, (_, column, _)) in pairs.iter().enumerate() {
            let new = 1.0 / (of_column[*column] - forth[at]).max(1.0);
            moved |= (new - back[at]).abs() > STILL * back[at];
            back[at] = new;
        }
        if !moved {
            break;
        }
    }
    of_row.fill(1.0);
    for (at, (row, _, _)) in pairs.iter().enumerate() {
        of_row[*row] += weights[at] * back[at];
    }
    let mut chances: Vec<f64> =
        pairs.iter().enumerate().map(|(at, (row, _, _))| weights[at] * back[at] / of_row[*row]).collect();
    // What has not quite come to rest may give a withdrawal more than one deposit.
    of_column.fill(0.0);
    for (at, (_, column, _)) in pairs.iter().enumerate() {
        of_column[*column] += chances[at];
    }
    for (at, (_, column, _)) in pairs.iter().enumerate() {
        chances[at] /= of_column[*column].max(1.0);
    }
    chances
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every pairing, one after the other.
    fn enumerate(pairs: &[Pair], taken: &mut Vec<usize>, from: usize, sums: &mut (f64, Vec<f64>)) {
        let weight: f64 = taken.iter().map(|at| exp(pairs[*at].2)).product();
        sums.0 += weight;
        for at in taken.iter() {
            sums.1[*at] += weight;
        }
        for at in from..pairs.len() {
            let (row, column, _) = pairs[at];
            if taken.iter().all(|other| pairs[*other].0 != row && pairs[*other].1 != column) {
                taken.push(at);
                enumerate(pairs, taken, at + 1, sums);
                taken.pop();
            }
        }
    }

    fn any_pairs() -> impl Strategy<Value = Vec<Pair>> {
        proptest::collection::btree_map((0..5usize, 0..4usize), -4000..6000i32, 0..12)
            .prop_map(|pairs| pairs.into_iter().map(|((row, column), score)| (row, column, score)).collect())
    }

    proptest! {
        #[test]
        fn the_exact_chances_are_those_of_all_pairings(pairs in any_pairs()) {
            let mut sums = (0.0, vec![0.0; pairs.len()]);
            enumerate(&pairs, &mut Vec::new(), 0, &mut sums);
            for (rows, columns) in [(5, 4), (5, 5)] {
                let (chances, exact) = marginals(&pairs, &vec![1.0; rows], columns);
                prop_assert!(exact);
                for (at, chance) in chances.iter().enumerate() {
                    prop_assert!((chance - sums.1[at] / sums.0).abs() < 1e-9);
                }
            }
            let turned: Vec<Pair> = pairs.iter().map(|(row, column, score)| (*column, *row, *score)).collect();
            let (chances, _) = marginals(&turned, &[1.0; 4], 5);
            for (at, chance) in chances.iter().enumerate() {
                prop_assert!((chance - sums.1[at] / sums.0).abs() < 1e-9);
            }
        }

        #[test]
        fn what_weighs_against_a_row_takes_from_its_pairs(score in -4000..6000i32, alone in 1.0..9.0f64) {
            let (chances, _) = marginals(&[(0, 0, score)], &[alone], 1);
            prop_assert!((chances[0] - exp(score) / (exp(score) + alone)).abs() < 1e-9);
        }

        #[test]
        fn messages_come_near_the_exact_chances(pairs in any_pairs()) {
            let weights: Vec<f64> = pairs.iter().map(|(_, _, score)| exp(*score)).collect();
            let near = propagated(&pairs, &weights, 5, 4);
            let (exact, _) = marginals(&pairs, &[1.0; 5], 4);
            let (mut of_column, mut apart) = ([0.0; 4], 0.0);
            for (at, (_, column, _)) in pairs.iter().enumerate() {
                prop_assert!((near[at] - exact[at]).abs() < 0.5, "{} for {}", near[at], exact[at]);
                apart += (near[at] - exact[at]).abs();
                of_column[*column] += near[at];
            }
            prop_assert!(apart <= 0.3 * f64::from(u32::try_from(pairs.len().max(1)).unwrap()), "{apart}");
            prop_assert!(of_column.iter().all(|sum| *sum <= 1.0 + 1e-9));
        }

        #[test]
        fn on_a_star_messages_are_exact(scores in proptest::collection::vec(-4000..6000i32, 1..9)) {
            let pairs: Vec<Pair> = scores.iter().enumerate().map(|(row, score)| (row, 0, *score)).collect();
            let weights: Vec<f64> = pairs.iter().map(|(_, _, score)| exp(*score)).collect();
            let (exact, _) = marginals(&pairs, &vec![1.0; pairs.len()], 1);
            for (near, exact) in propagated(&pairs, &weights, pairs.len(), 1).iter().zip(exact) {
                prop_assert!((near - exact).abs() < 1e-6);
            }
        }
    }
}
