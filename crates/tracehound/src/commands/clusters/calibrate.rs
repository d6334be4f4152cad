//! `clusters calibrate DIR`: measures how much each sign of change counts, where the truth is known, and prints a file of weights.
//!
//! The first half of the blocks is counted, the second half judges: by the weights that come with the program and by the new
//! ones. The figures stand in comments, so that what is printed is a file of weights as a whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use book::UtxoLedger;
use cluster::{BANDS_PERMILLE, Cells, Judge, Reliability, Rules, Share, Sign, Truth as _, Weights};
use ledger::{Coins, Ledger as _, LedgerId, Seq};

use crate::cli::CalibrateArgs;
use crate::commands::stdout;
use crate::exit::{Exit, Failure};
use crate::home::Home;

use super::chosen;
use super::known::Known;
use super::measure::shown;

/// No file of weights is as long.
const WEIGHTS_BYTES_MAX: u64 = 1 << 20;

pub fn run(home: &Home, args: &CalibrateArgs) -> Result<Exit, Failure> {
    let (id, coins) = chosen(&home.open()?, &args.on)?;
    let known = Known::read(&args.truth, &id, &coins)?;
    let before = Weights::default();
    let mut out = stdout();
    if let Some(file) = &args.weights {
        let after = read_weights(file)?;
        let mut table = Table::new([before, after]);
        each_judged(&coins, &known, 0..coins.transactions(), |found| table.add(found));
        table.write(&mut out, "")?;
    } else {
        let until = args.until_height.unwrap_or_else(|| half(&coins));
        let end = (0..coins.transactions()).find(|seq| coins.stamp(Seq(*seq)).height > Some(until));
        let end = end.unwrap_or_else(|| coins.transactions());
        let mut cells = Cells::default();
        each_judged(&coins, &known, 0..end, |found| {
            for candidate in found.candidates {
                cells.add(found.payments, candidate.signs, (found.is_change)(candidate.output));
            }
        });
        let after = cells.fit(before.floor());
        write!(out, "{}", after.to_csv())?;
        head(&mut out, &cells, &id, until)?;
        let mut table = Table::new([before, after]);
        each_judged(&coins, &known, end..coins.transactions(), |found| table.add(found));
        table.write(&mut out, "# ")?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn read_weights(file: &Path) -> Result<Weights, Failure> {
    let bad = |error: &dyn std::fmt::Display| Failure::bad_input(format!("{}: {error}", file.display()));
    if fs::metadata(file).map_err(|error| bad(&error))?.len() > WEIGHTS_BYTES_MAX {
        return Err(bad(&"too large for a file of weights"));
    }
    let text = fs::read_to_string(file).map_err(|error| bad(&error))?;
    Weights::parse(&text).map_err(|error| bad(&error))
}

/// The height at which half of the blocks are done.
fn half(coins: &UtxoLedger) -> u64 {
    let height = |seq: u64| coins.stamp(Seq(seq)).height.unwrap_or_default();
    coins.transactions().checked_sub(1).map_or(0, |last| height(0).midpoint(height(last)))
}

/// A transaction in which change is looked for, and where it is.
struct Judged<'a> {
    payments: usize,
    candidates: &'a [cluster::Candidate],
    is_change: &'a dyn Fn(u16) -> bool,
    family: &'a str,
}

/// Every transaction of one owner in which change is looked for.
fn each_judged(coins: &UtxoLedger, known: &Known, seqs: std::ops::Range<u64>, mut each: impl FnMut(&Judged<'_>)) {
    let mut judge = Judge::new(Rules::default());
    let (mut spent, mut made) = (Vec::new(), Vec::new());
    for seq in seqs.map(Seq) {
        // What several owners made without its being seen has no payer of whose change to speak.
        if known.made_as(seq).is_none_or(|made| made.is_join) {
            continue;
        }
        let (payments, candidates) = judge.candidates(coins, seq);
        if candidates.is_empty() {
            continue;
        }
        Coins::spent(coins, seq, &mut spent);
        Coins::made(coins, seq, &mut made);
        let payer = known.owner(spent[0].holder);
        let is_change =
            |output: u16| made.get(usize::from(output)).is_some_and(|coin| known.owner(coin.holder) == payer);
        each(&Judged { payments, candidates, is_change: &is_change, family: known.family(spent[0].holder) });
    }
}

/// What was counted, sign by sign.
fn head(out: &mut impl Write, cells: &Cells, id: &LedgerId, until: u64) -> std::io::Result<()> {
    let (of, change) = cells.counted();
    writeln!(out, "# Of {id}, blocks up to {until}: {of} candidates, {change} of them change. By sign:")?;
    for sign in Sign::ALL {
        let (of, change) = cells.showing(sign);
        writeln!(out, "#   {}: shown by {of}, {change} of them change", sign.as_str())?;
    }
    writeln!(out, "# The blocks after that, by the weights of the program (before) and these (after):")
}

/// Two sets of weights against the truth.
struct Table {
    weights: [Weights; 2],
    all: [Reliability; 2],
    families: BTreeMap<String, [Reliability; 2]>,
}

impl Table {
    fn new(weights: [Weights; 2]) -> Self {
        Self { weights, all: <[_; 2]>::default(), families: BTreeMap::new() }
    }

    fn add(&mut self, found: &Judged<'_>) {
        let family = self.families.entry(found.family.to_owned()).or_default();
        for (weights, into) in self.weights.iter().zip(self.all.iter_mut()).chain(self.weights.iter().zip(family)) {
            into.add(weights, found.payments, found.candidates, found.is_change);
        }
    }

    fn write(&self, out: &mut impl Write, margin: &str) -> std::io::Result<()> {
        let row = |out: &mut dyn Write, cells: &[String]| writeln!(out, "{margin}| {} |", cells.join(" | "));
        let heads = |out: &mut dyn Write, heads: &[&str]| {
            writeln!(out, "{margin}| {} |\n{margin}|{}", heads.join(" | "), "---|".repeat(heads.len()))
        };
        heads(out, &["payer", "weights", "candidates", "Brier score", "calibration error", "of those called change"])?;
        let all = [("all".to_owned(), self.all)];
        for (family, both) in all.iter().chain(&self.families.clone().into_iter().collect::<Vec<_>>()) {
            for (name, one) in ["before", "after"].iter().zip(both) {
                let of: u64 = one.bins.iter().map(|bin| bin.of).sum();
                let figures = [one.brier(), one.calibration_error(), one.called_error()];
                let figures = figures.map(|figure| format!("{figure:.4}"));
                let [brier, error, called] = figures;
                row(out, &[family.clone(), (*name).to_owned(), of.to_string(), brier, error, called])?;
            }
        }
        writeln!(out, "{}", margin.trim_end())?;
        heads(out, &["payer", "weights", "called change with", "stated", "right (95 % interval)"])?;
        for (family, both) in all.iter().chain(&self.families.clone().into_iter().collect::<Vec<_>>()) {
            for (name, one) in ["before", "after"].iter().zip(both) {
                for (from, bin) in BANDS_PERMILLE.iter().zip(&one.called).filter(|(_, bin)| bin.of > 0) {
                    let stated = format!("{:.1} %", bin.stated() * 100.0);
                    let right = shown(Share::of_trials(bin.change, bin.of));
                    let band = format!("{from} thousandths or more");
                    row(out, &[family.clone(), (*name).to_owned(), band, stated, right])?;
                }
            }
        }
        Ok(())
    }
}
