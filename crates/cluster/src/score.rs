//! [`Score`]: how well a partition of holders matches who really owns them, where that is known.
//!
//! Two questions, each asked of pairs of holders and of value. *Precision*: of what a partition puts together, how much
//! belongs together? *Recall*: of what belongs together, how much does it put together? By pairs, a large cluster weighs by the
//! square of its size; by value (purity and its inverse), each cluster counts for its most valuable owner only, so
//! that merging two large owners costs what the smaller of them received.
//!
//! The intervals take owners as what was sampled: a share is a ratio of sums over owners, and its variance that of the ratio
//! estimator (Cochran, *Sampling Techniques*, 3rd ed., section 6.5), 95 %. For shares of single transactions see
//! [`Share::of_trials`] (Wilson 1927). This is statistics, not money: here, and nowhere else in the room, are floats.

use std::collections::BTreeMap;

/// The normal quantile of a two-sided 95 % interval.
const QUANTILE: f64 = 1.959_963_984_540_054;

/// A holder of a known owner, as a partition has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// The cluster it was put in.
    pub cluster: u64,
    /// Whose it really is.
    pub owner: u64,
    /// What it ever received, in base units.
    pub value: u64,
}

/// A share with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// The share, 0 to 1; 1 where there was nothing to be wrong about.
    pub share: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
    /// Of how many pairs, units or trials.
    pub of: u128,
}

/// How a partition fares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Of the pairs that it puts together, those of one owner.
    pub pair_precision: Share,
    /// Of the pairs of one owner, those that it puts together.
    pub pair_recall: Share,
    /// Of all value, that of each cluster's most valuable owner.
    pub value_precision: Share,
    /// Of all value, that of each owner's most valuable cluster.
    pub value_recall: Share,
    /// Clusters that hold holders of two owners or more.
    pub mixed_clusters: u64,
    /// Clusters of two holders or more.
    pub clusters: u64,
}

/// A numerator and a denominator that one owner adds.
type Part = (f64, f64);

impl Share {
    /// A share of equal, independent trials: Wilson's interval.
    pub fn of_trials(good: u64, of: u64) -> Self {
        if of == 0 {
            return Self { share: 1.0, low: 0.0, high: 1.0, of: 0 };
        }
        let (count, share) = (float(of.into()), float(good.into()) / float(of.into()));
        let square = QUANTILE * QUANTILE;
        let centre = (share + square / (2.0 * count)) / (1.0 + square / count);
        let spread = (share * (1.0 - share) / count + square / (4.0 * count * count)).sqrt();
        let spread = spread * QUANTILE / (1.0 + square / count);
        Self { share, low: (centre - spread).max(0.0), high: (centre + spread).min(1.0), of: of.into() }
    }

    fn of_parts(parts: &BTreeMap<u64, Part>, of: u128) -> Self {
        let (good, all) = parts.values().fold((0.0, 0.0), |(good, all), part| (good + part.0, all + part.1));
        if all == 0.0 {
            return Self { share: 1.0, low: 0.0, high: 1.0, of };
        }
        let share = good / all;
        let squares: f64 = parts.values().map(|(good, all)| (good - share * all).powi(2)).sum();
        let owners = float(parts.len() as u128);
        let spread = QUANTILE * (squares * owners / (owners - 1.0).max(1.0)).sqrt() / all;
        Self { share, low: (share - spread).max(0.0), high: (share + spread).min(1.0), of }
    }
}

impl Score {
    /// Scores a partition; holders of unknown owners are left out by the caller.
    pub fn of(mut members: Vec<Member>) -> Self {
        members.sort_unstable();
        // What one owner has in one cluster: (cluster, owner) → holders, value.
        let mut cells: Vec<(u64, u64, u128, u128)> = Vec::new();
        for member in members {
            match cells.last_mut() {
                Some(cell) if (cell.0, cell.1) == (member.cluster, member.owner) => {
                    cell.2 += 1;
                    cell.3 += u128::from(member.value);
                }
                _ => cells.push((member.cluster, member.owner, 1, member.value.into())),
            }
        }
        let mut precision: BTreeMap<u64, Part> = BTreeMap::new();
        let mut recall: BTreeMap<u64, Part> = BTreeMap::new();
        let mut value_precision: BTreeMap<u64, Part> = BTreeMap::new();
        let mut value_recall: BTreeMap<u64, Part> = BTreeMap::new();
        let (mut together, mut value) = (0, 0);
        let (mut clusters, mut mixed_clusters) = (0, 0);
        for cluster in cells.chunk_by(|a, b| a.0 == b.0) {
            let size: u128 = cluster.iter().map(|cell| cell.2).sum();
            clusters += u64::from(size > 1);
            mixed_clusters += u64::from(cluster.len() > 1);
            together += pairs(size);
            // The first of equals, so that the answer does not depend on anything but the partition.
            let most = cluster.iter().map(|cell| cell.3).max().unwrap_or_default();
            let main = cluster.iter().find(|cell| cell.3 == most).map(|cell| cell.1);
            for (_, owner, holders, worth) in cluster {
                let (good, wrong) = (float(pairs(*holders)), float(holders * (size - holders)) / 2.0);
                add(&mut precision, *owner, (good, good + wrong));
                let is_main = main == Some(*owner);
                add(&mut value_precision, *owner, (if is_main { float(*worth) } else { 0.0 }, float(*worth)));
                value += worth;
            }
        }
        cells.sort_unstable_by_key(|(cluster, owner, ..)| (*owner, *cluster));
        let mut belong = 0;
        for owner in cells.chunk_by(|a, b| a.1 == b.1) {
            let size: u128 = owner.iter().map(|cell| cell.2).sum();
            let good: u128 = owner.iter().map(|cell| pairs(cell.2)).sum();
            belong += pairs(size);
            add(&mut recall, owner[0].1, (float(good), float(pairs(size))));
            let most = owner.iter().map(|cell| cell.3).max().unwrap_or_default();
            let all: u128 = owner.iter().map(|cell| cell.3).sum();
            add(&mut value_recall, owner[0].1, (float(most), float(all)));
        }
        Self {
            pair_precision: Share::of_parts(&precision, together),
            pair_recall: Share::of_parts(&recall, belong),
            value_precision: Share::of_parts(&value_precision, value),
            value_recall: Share::of_parts(&value_recall, value),
            mixed_clusters,
            clusters,
        }
    }
}

fn add(parts: &mut BTreeMap<u64, Part>, owner: u64, (good, all): Part) {
    let part = parts.entry(owner).or_default();
    part.0 += good;
    part.1 += all;
}

const fn pairs(count: u128) -> u128 {
    count * count.saturating_sub(1) / 2
}

#[expect(clippy::cast_precision_loss, reason = "shares are for reading")]
const fn float(count: u128) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(members: &[(u64, u64, u64)]) -> Score {
        Score::of(
            members
                .iter()
                .map(|(cluster, owner, value)| Member { cluster: *cluster, owner: *owner, value: *value })
                .collect(),
        )
    }

    #[track_caller]
    fn near(share: Share, expected: f64, of: u128) {
        assert!((share.share - expected).abs() < 1e-12 && share.of == of, "{share:?}, expected {expected} of {of}");
        assert!(share.low <= share.share && share.share <= share.high, "{share:?}");
    }

    #[test]
    fn pairs_and_value_are_counted_as_by_hand() {
        // Owner 1 has five holders in two clusters; one holder of owner 2 has got in with three of them.
        let found = score(&[(7, 1, 10), (7, 1, 10), (7, 1, 10), (7, 2, 5), (8, 1, 40), (8, 1, 20), (9, 2, 100)]);
        near(found.pair_precision, 4.0 / 7.0, 7);
        near(found.pair_recall, 4.0 / 11.0, 11);
        near(found.value_precision, 190.0 / 195.0, 195);
        near(found.value_recall, 160.0 / 195.0, 195);
        assert_eq!((found.clusters, found.mixed_clusters), (2, 1));
    }

    #[test]
    fn the_truth_scores_full_marks_and_nothing_said_is_nothing_wrong() {
        let truth = score(&[(1, 1, 3), (1, 1, 4), (2, 2, 5)]);
        for share in [truth.pair_precision, truth.pair_recall, truth.value_precision, truth.value_recall] {
            assert!((share.share - 1.0).abs() < f64::EPSILON);
        }
        near(score(&[(1, 1, 3), (2, 1, 4)]).pair_precision, 1.0, 0);
        assert!(score(&[(1, 1, 3), (2, 1, 4)]).pair_precision.low < f64::EPSILON, "nothing is known of it either");
    }

    /// Wilson's interval for 0 of 10 and 9 of 10, from his formula by hand.
    #[test]
    fn few_trials_give_wide_intervals() {
        for (good, of, low, high) in [(0, 10, 0.0, 0.2775), (9, 10, 0.5958, 0.9821), (1000, 1000, 0.9962, 1.0)] {
            let share = Share::of_trials(good, of);
            assert!((share.low - low).abs() < 1e-4 && (share.high - high).abs() < 1e-4, "{share:?}");
        }
    }
}
