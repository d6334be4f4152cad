//! The best one-to-one pairing of a component: successive shortest paths with potentials.
//!
//! The assignment of J. Munkres (1957) in the sparse form of R. Jonker and A. Volgenant (1987). Every deposit may also stay
//! alone, which costs nothing and gains nothing. Above a bound on the work, pairs are taken greedily, best first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// More steps than these in one component, and it is paired greedily.
pub const STEPS_MAX: usize = 20_000_000;

/// Pairs of one component: for each row its columns with their gains, in thousandths of a nat.
pub type Gains = [Vec<(usize, i32)>];

/// Who goes with whom, and whether that is the best there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The column of each row.
    pub column_of: Vec<Option<usize>>,
    /// Whether it is proven to be the best, and not just greedy.
    pub best: bool,
    /// What staying alone costs, and the prices of rows and columns that prove it.
    prices: (i64, Vec<i64>, Vec<i64>),
}

impl Assignment {
    /// By how much at least every pairing with this pair is worse than the best, in thousandths of a nat; zero where nothing is
    /// proven.
    pub fn slack(&self, row: usize, column: usize, gain: i32) -> i64 {
        let (alone, rows, columns) = &self.prices;
        if self.best { alone - i64::from(gain) - rows[row] - columns[column] } else { 0 }
    }
}

/// The pairing with the highest sum of gains.
pub fn assign(gains: &Gains, columns: usize, steps_max: usize) -> Assignment {
    let mut solver = Solver::new(gains, columns);
    for row in 0..gains.len() {
        solver.place(row);
        if solver.steps > steps_max {
            let prices = (0, Vec::new(), Vec::new());
            return Assignment { column_of: greedy(gains, columns), best: false, prices };
        }
    }
    let mut column_of = vec![None; gains.len()];
    for (column, row) in solver.row_of.iter().enumerate() {
        if let Some(row) = row {
            column_of[*row] = Some(column);
        }
    }
    let prices = (solver.alone, solver.row_price, solver.column_price);
    Assignment { column_of, best: true, prices }
}

fn greedy(gains: &Gains, columns: usize) -> Vec<Option<usize>> {
    let mut pairs: Vec<(Reverse<i32>, usize, usize)> = gains
        .iter()
        .enumerate()
        .flat_map(|(row, gains)| gains.iter().map(move |(column, gain)| (Reverse(*gain), row, *column)))
        .filter(|(gain, ..)| gain.0 > 0)
        .collect();
    pairs.sort_unstable();
    let (mut column_of, mut taken) = (vec![None; gains.len()], vec![false; columns]);
    for (_, row, column) in pairs {
        if column_of[row].is_none() && !taken[column] {
            column_of[row] = Some(column);
            taken[column] = true;
        }
    }
    column_of
}

struct Solver<'a> {
    gains: &'a Gains,
    /// What staying alone costs: more than any gain, so that no cost is negative.
    alone: i64,
    row_price: Vec<i64>,
    column_price: Vec<i64>,
    row_of: Vec<Option<usize>>,
    /// Of the search at hand: distance and row before, for the columns that it saw.
    seen: Vec<Option<(i64, usize)>>,
    settled: Vec<bool>,
    touched: Vec<usize>,
    steps: usize,
}

impl<'a> Solver<'a> {
    fn new(gains: &'a Gains, columns: usize) -> Self {
        let most = gains.iter().flatten().map(|(_, gain)| i64::from(*gain)).max().unwrap_or(0).max(0);
        Self {
            gains,
            alone: most,
            row_price: vec![0; gains.len()],
            column_price: vec![0; columns],
            row_of: vec![None; columns],
            seen: vec![None; columns],
            settled: vec![false; columns],
            touched: Vec::new(),
            steps: 0,
        }
    }

    /// Finds a row its column, moving others where that is better.
    fn place(&mut self, start: usize) {
        let mut heap: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
        let mut alone: (i64, usize) = (i64::MAX, start);
        let (mut row, mut distance) = (start, 0);
        let free = loop {
            alone = alone.min((distance + self.alone - self.row_price[row], row));
            for (column, gain) in self.gains[row].iter().filter(|(_, gain)| *gain > 0) {
                self.steps += 1;
                let cost = self.alone - i64::from(*gain);
                let new = distance + cost - self.row_price[row] - self.column_price[*column];
                if self.seen[*column].is_none_or(|(known, _)| new < known) && !self.settled[*column] {
                    if self.seen[*column].is_none() {
                        self.touched.push(*column);
                    }
                    self.seen[*column] = Some((new, row));
                    heap.push(Reverse((new, *column)));
                }
            }
            let next = loop {
                match heap.pop() {
                    Some(Reverse((_, column))) if self.settled[column] => {}
                    other => break other,
                }
            };
            let Some(Reverse((at, column))) = next.filter(|Reverse((at, _))| *at < alone.0) else {
                distance = alone.0;
                break None;
            };
            distance = at;
            self.settled[column] = true;
            match self.row_of[column] {
                None => break Some(column),
                Some(next) => row = next,
            }
        };
        self.update_prices(start, distance);
        self.turn_over(start, free, alone.1);
        for column in self.touched.drain(..) {
            self.seen[column] = None;
            self.settled[column] = false;
        }
    }

    fn update_prices(&mut self, start: usize, distance: i64) {
        self.row_price[start] += distance;
        for column in self.touched.iter().filter(|column| self.settled[**column]) {
            let (at, _) = self.seen[*column].expect("a settled column was seen");
            self.column_price[*column] -= distance - at;
            if let Some(row) = self.row_of[*column] {
                self.row_price[row] += distance - at;
            }
        }
    }

    /// Gives every row on the path the column that it was reached by.
    fn turn_over(&mut self, start: usize, free: Option<usize>, alone: usize) {
        let mut column = match free {
            Some(column) => column,
            // The last row of the path gives its column up and stays alone.
            None if alone == start => return,
            None => self.column_of(alone).expect("a row that was reached had a column"),
        };
        loop {
            let (_, row) = self.seen[column].expect("a column on the path was seen");
            let before = if row == start { None } else { self.column_of(row) };
            self.row_of[column] = Some(row);
            match before {
                Some(before) => column = before,
                None => return,
            }
        }
    }

    fn column_of(&self, row: usize) -> Option<usize> {
        self.gains[row].iter().map(|(column, _)| *column).find(|column| self.row_of[*column] == Some(row))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(gains: &Gains, column_of: &[Option<usize>]) -> i64 {
        let gain = |(row, column): (usize, &Option<usize>)| {
            let column = (*column)?;
            gains[row].iter().find(|(known, _)| *known == column).map(|(_, gain)| i64::from(*gain))
        };
        column_of.iter().enumerate().filter_map(gain).sum()
    }

    /// The best sum, by trying everything.
    fn best(gains: &Gains, row: usize, taken: u32) -> i64 {
        let Some(columns) = gains.get(row) else { return 0 };
        let alone = best(gains, row + 1, taken);
        let free = columns.iter().filter(|(column, _)| taken >> column & 1 == 0);
        free.map(|(column, gain)| i64::from(*gain) + best(gains, row + 1, taken | 1 << column)).fold(alone, i64::max)
    }

    fn any_gains() -> impl Strategy<Value = Vec<Vec<(usize, i32)>>> {
        let row = proptest::collection::btree_map(0..6usize, -50..200i32, 0..6);
        proptest::collection::vec(row.prop_map(|row| row.into_iter().collect()), 0..7)
    }

    proptest! {
        #[test]
        fn nothing_beats_it(gains in any_gains()) {
            let found = assign(&gains, 6, STEPS_MAX);
            prop_assert!(found.best);
            let most = best(&gains, 0, 0);
            prop_assert_eq!(sum(&gains, &found.column_of), most);
            for (row, gains_of_row) in gains.iter().enumerate() {
                for (column, gain) in gains_of_row {
                    let mut without = gains.clone();
                    without[row].clear();
                    let with = i64::from(*gain) + best(&without, 0, 1 << column);
                    prop_assert!(found.slack(row, *column, *gain) >= 0);
                    prop_assert!(with <= most - found.slack(row, *column, *gain), "{row} with {column}");
                }
            }
            let mut columns: Vec<usize> = found.column_of.iter().flatten().copied().collect();
            let all = columns.len();
            columns.sort_unstable();
            columns.dedup();
            prop_assert_eq!(columns.len(), all);
        }

        #[test]
        fn without_time_it_is_greedy_and_still_one_to_one(gains in any_gains()) {
            let found = assign(&gains, 6, 0);
            let mut columns: Vec<usize> = found.column_of.iter().flatten().copied().collect();
            let all = columns.len();
            columns.sort_unstable();
            columns.dedup();
            prop_assert_eq!(columns.len(), all);
            prop_assert!(sum(&gains, &found.column_of) <= best(&gains, 0, 0));
            prop_assert!(2 * sum(&gains, &found.column_of) >= best(&gains, 0, 0));
        }
    }
}
