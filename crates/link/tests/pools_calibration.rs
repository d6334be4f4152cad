//! Pools whose truth is known: bounds always hold, and posteriors mean what they say.
//!
//! `cargo test --release -p link --test pools_calibration -- --ignored --nocapture` prints the tables of
//! docs/methods/tornado.md.

mod pool_world;

use std::collections::{BTreeMap, BTreeSet};

use ledger::Seq;
use link::Portion;
use link::pools::{Heuristic, History, Marks, Ratios, account, marks, posteriors, read};
use pool_world::{Chance, World, make};

/// A world, read.
struct Seen {
    world: World,
    histories: Vec<History>,
    marks: Vec<Vec<Marks>>,
}

fn seen(seed: u64, people: u32) -> Seen {
    let world = make(seed, people);
    let histories = read(&world.ledger, &world.pools);
    let marks = marks(&world.ledger, &world.pools, &histories);
    assert!(histories.iter().all(|history| history.problems.is_empty() && !history.withdrawals.is_empty()));
    Seen { world, histories, marks }
}

impl Seen {
    fn truth(&self, history: &History, withdrawal: usize) -> usize {
        self.world.truth[&(history.pool.name.clone(), withdrawal)]
    }
}

/// Whatever was loot, the truth lies within the bounds; and so does what is expected.
#[test]
fn the_truth_lies_within_the_bounds() {
    for seed in 1..=8 {
        let seen = seen(seed, 150);
        let mut chance = Chance::new(seed + 1_000);
        for (history, marks) in seen.histories.iter().zip(&seen.marks) {
            let share = 1 + chance.below(60);
            let dirty: BTreeSet<usize> = (0..history.deposits.len()).filter(|_| chance.percent(share)).collect();
            let believed = posteriors(history, marks, &Ratios::default(), &|at| dirty.contains(&at), &[]);
            let account = account(history, &dirty, &[], &believed);
            let mut taken: BTreeMap<&str, u64> = BTreeMap::new();
            for (at, withdrawal) in history.withdrawals.iter().enumerate() {
                *taken.entry(&withdrawal.recipient).or_default() += u64::from(dirty.contains(&seen.truth(history, at)));
            }
            for (recipient, truth) in &taken {
                let told = account.taken.iter().find(|taken| taken.recipient == *recipient);
                let (low, high) = told.map_or((0, 0), |told| (told.low, told.high));
                assert!((low..=high).contains(truth), "seed {seed}: {recipient} took {truth}, told {low} to {high}");
                let billion = u64::from(Portion::ONE_PARTS);
                assert!(told.is_none_or(|told| (low * billion..=high * billion).contains(&told.expected_billionths)));
            }
            let left = account.dirty - taken.values().sum::<u64>();
            assert!(
                (account.left.0..=account.left.1).contains(&left),
                "seed {seed}: {left} left, told {:?}",
                account.left
            );
        }
    }
}

/// The crowd grows with deposits, and settled pairs make it smaller.
#[test]
fn the_crowd_is_what_was_put_in_less_what_was_taken_out() {
    let seen = seen(5, 150);
    for history in &seen.histories {
        let linked: Vec<(usize, usize)> =
            (0..history.withdrawals.len()).step_by(3).map(|at| (at, seen.truth(history, at))).collect();
        let mut last = 0;
        for deposit in &history.deposits {
            let (crowd, tied) = (history.crowd(deposit.seq, &[]), history.crowd(deposit.seq, &linked));
            assert!(crowd.deposits >= last && crowd.candidates() == crowd.deposits);
            assert!(tied.candidates() <= crowd.candidates() && tied.inside_unlinked() <= tied.inside());
            last = crowd.deposits;
        }
        let end = history.crowd(Seq(u64::MAX), &[]);
        assert_eq!((end.deposits, end.withdrawals), (history.deposits.len() as u64, history.withdrawals.len() as u64));
        assert_eq!(end.inside(), end.deposits - end.withdrawals);
    }
}

/// Predicted against true, in bins.
#[derive(Default)]
struct Bins {
    /// Sum of predictions, how many came true, how many there were.
    bins: [(f64, u64, u64); 10],
    brier: f64,
}

impl Bins {
    fn add(&mut self, portion: Portion, is_true: bool) {
        let predicted = f64::from(portion.parts()) / f64::from(Portion::ONE_PARTS);
        let at = usize::try_from(portion.parts() / 100_000_000).unwrap().min(9);
        let (sum, came, count) = &mut self.bins[at];
        *sum += predicted;
        *came += u64::from(is_true);
        *count += 1;
        self.brier += (predicted - f64::from(u8::from(is_true))).powi(2);
    }

    fn count(&self) -> u64 {
        self.bins.iter().map(|(.., count)| count).sum()
    }

    /// The mean distance of predicted from true, over all predictions.
    fn error(&self) -> f64 {
        let off = self.bins.iter().map(|(sum, came, _)| (sum - float(*came)).abs()).sum::<f64>();
        off / float(self.count())
    }
}

fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// Of each heuristic: pairs that it marks, those that are true, and those of another depositor than the true one.
type Found = BTreeMap<Heuristic, (u64, u64, u64)>;

struct Measured {
    bins: Bins,
    found: Found,
    withdrawals: u64,
    /// Pairs of a withdrawal and an earlier deposit.
    pairs: u64,
    /// The crowd in bits, without and with what is believed of the true deposit.
    bits: [f64; 2],
}

fn measure(seeds: std::ops::Range<u64>, people: u32, ratios: &Ratios) -> Measured {
    let (mut bins, mut found, mut all, mut pairs) = (Bins::default(), Found::new(), 0, 0);
    let (mut before, mut after) = (0.0, 0.0);
    for seed in seeds {
        let seen = seen(seed, people);
        let learnt = ratios.learnt(&seen.histories, &seen.marks);
        for (history, marks) in seen.histories.iter().zip(&seen.marks) {
            let believed = posteriors(history, marks, &learnt, &|_| false, &[]);
            for (at, posterior) in believed.iter().enumerate() {
                let truth = seen.truth(history, at);
                all += 1;
                pairs += posterior.candidates;
                for (deposit, portion) in &posterior.marked {
                    bins.add(*portion, *deposit == truth);
                    for heuristic in &marks[at][deposit] {
                        let (marked, right, wrong) = found.entry(*heuristic).or_default();
                        *marked += 1;
                        *right += u64::from(*deposit == truth);
                        *wrong += u64::from(history.deposits[*deposit].sender != history.deposits[truth].sender);
                    }
                }
                // The size of the crowd in bits, seen from outside and with what is believed of the true deposit.
                let candidates = float(posterior.candidates.max(1));
                let own = posterior.marked.iter().find(|(deposit, _)| *deposit == truth);
                let rest = f64::from(posterior.others.parts()) / f64::from(Portion::ONE_PARTS);
                let unmarked = (candidates - float(posterior.marked.len() as u64)).max(1.0);
                let believed = own
                    .map_or(rest / unmarked, |(_, portion)| f64::from(portion.parts()) / f64::from(Portion::ONE_PARTS));
                before += candidates.log2();
                after -= believed.max(1e-9).log2();
            }
        }
    }
    Measured { bins, found, withdrawals: all, pairs, bits: [before / float(all), after / float(all)] }
}

/// What is said with nine in ten comes true about nine times in ten.
#[test]
fn posteriors_mean_what_they_say() {
    let Measured { bins, bits: [before, after], .. } = measure(1..6, 300, &Ratios::default());
    assert!(bins.count() > 500, "{}", bins.count());
    assert!(bins.error() < 0.06, "{:?}: {}", bins.bins, bins.error());
    assert!(after < before, "{after} bits with, {before} without");
}

/// Prints the tables of `docs/methods/tornado.md` (`--nocapture` shows them), and holds what the page claims.
#[test]
fn the_method_page_says_what_is_measured() {
    let Measured { bins, found, withdrawals: all, pairs, bits: [before, after] } =
        measure(101..121, 600, &Ratios::default());
    println!("{all} withdrawals; the crowd: {before:.2} bits, with what is believed of the true deposit {after:.2}");
    println!("\n| heuristic | pairs | true | of another depositor | ratio |\n|---|---|---|---|---|");
    for (heuristic, (marked, right, wrong)) in &found {
        let ratio = float(*right) / float(all) * float(pairs) / float(*wrong + 1);
        println!(
            "| {} | {marked} | {:.1} % | {wrong} | {ratio:.0} |",
            heuristic.as_str(),
            100.0 * float(*right) / float(*marked)
        );
    }
    println!("\n| said | pairs | said on average | came true |\n|---|---|---|---|");
    for (at, (sum, came, count)) in bins.bins.iter().enumerate().filter(|(_, (.., count))| *count > 0) {
        let mean = 100.0 * sum / float(*count);
        println!(
            "| {} to {} % | {count} | {mean:.1} % | {:.1} % |",
            at * 10,
            at * 10 + 10,
            100.0 * float(*came) / float(*count)
        );
    }
    println!(
        "\nmean error {:.4}, Brier score {:.4} of {} pairs",
        bins.error(),
        bins.brier / float(bins.count()),
        bins.count()
    );
    assert!(bins.error() < 0.02, "the page says about a hundredth, not {}", bins.error());
    held_out();
}

/// Those who took out their own: what the other marks say of them when that they did is hidden.
fn held_out() {
    let (mut hidden, mut shown, mut bins) = (0u64, 0u64, Bins::default());
    for seed in 201..221 {
        let seen = seen(seed, 600);
        let learnt = Ratios::default().learnt(&seen.histories, &seen.marks);
        for (history, marks) in seen.histories.iter().zip(&seen.marks) {
            let mut blind = marks.clone();
            let reused = |at: usize| marks[at].values().any(|which| which.contains(&Heuristic::SameAddress));
            for which in blind.iter_mut().flat_map(|marks| marks.values_mut()) {
                which.remove(&Heuristic::SameAddress);
            }
            for marks in &mut blind {
                marks.retain(|_, which| !which.is_empty());
            }
            let believed = posteriors(history, &blind, &learnt, &|_| false, &[]);
            for (at, posterior) in believed.iter().enumerate().filter(|(at, _)| reused(*at)) {
                hidden += 1;
                let truth = seen.truth(history, at);
                shown += u64::from(posterior.marked.iter().any(|(deposit, _)| *deposit == truth));
                for (deposit, portion) in &posterior.marked {
                    bins.add(*portion, *deposit == truth);
                }
            }
        }
    }
    println!(
        "\nheld out: {hidden} who took out their own, {shown} marked otherwise; mean error {:.4} of {} pairs",
        bins.error(),
        bins.count()
    );
}
