//! The tables: what is measured, on which worlds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

use link::matcher::Options;

use super::measure::{Measured, first_that_fits, measure};
use super::simulate::{Real, Setting, World, world};

/// The seed of all tables.
const SEED: u64 = 2026;
/// How much busier than the real bridge.
const BUSIER: [i64; 3] = [1, 30, 300];

/// What is told and learnt in a row of the table.
const KINDS: &[(&str, Setting)] = &[
    ("entry, without its key", Setting { entry: true, known: 3_000, ..PLAIN }),
    ("no entry, pairs known", Setting { known: 3_000, ..PLAIN }),
    ("no entry, no pairs known", PLAIN),
    ("no entry, pairs known, every recipient new", Setting { known: 3_000, new_recipient: 10_000, ..PLAIN }),
    ("no entry, no pairs known, every recipient new", Setting { new_recipient: 10_000, ..PLAIN }),
    ("no entry, no pairs known, six times slower and dearer", Setting { worse: 6, ..PLAIN }),
];

/// The noise of all rows.
const PLAIN: Setting = Setting {
    seed: SEED,
    busier: 1,
    twins: 500,
    missing: 300,
    strangers: 5_000,
    new_recipient: 500,
    batched: 100,
    entry: false,
    known: 0,
    worse: 1,
};

/// All tables.
pub fn all(real: &[Real]) -> String {
    let options = Options::default();
    let mut text = String::from(
        "| told | busier | deposits | withdrawals | pairs | precision (95 % interval) | recall (95 % interval) | F1 | Brier | calibration error | first that fits: precision, recall |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut tenths: Vec<(&str, Measured)> = Vec::new();
    for (name, kind) in KINDS {
        for busier in BUSIER {
            let world = world(real, &Setting { busier, ..*kind });
            let found = measure(&world, &options);
            row(&mut text, name, busier, &found, &first_that_fits(&world, &options));
            if busier == BUSIER[1] {
                tenths.push((name, found));
            }
        }
    }
    text.push('\n');
    text.push_str(&calibration(&tenths));
    text.push('\n');
    text.push_str(&coins(real));
    text
}

fn row(text: &mut String, name: &str, busier: i64, found: &Measured, plain: &Measured) {
    let percent = |parts: u64| format!("{}.{:02} %", parts / 100, parts % 100);
    let fraction = |parts: u64| format!("{}.{:04}", parts / 10_000, parts % 10_000);
    writeln!(
        text,
        "| {name} | ×{busier} | {} | {} | {} | {} | {} | {} | {} | {} | {}, {} |",
        found.deposits,
        found.withdrawals,
        found.pairs,
        interval(found.right, found.said),
        interval(found.right, found.pairs),
        percent(found.f1()),
        fraction(found.brier()),
        fraction(found.calibration_error()),
        percent(plain.precision()),
        percent(plain.recall()),
    )
    .expect("a string takes all");
}

/// Claims by what they state, against how many are true, on the worlds that are thirty times busier.
fn calibration(measured: &[(&str, Measured)]) -> String {
    let mut text = String::from("| told (×30) | stated | claims | stated on average | true |\n|---|---|---|---|---|\n");
    for (name, found) in measured {
        for (tenth, (count, stated, right)) in found.tenths.iter().enumerate().filter(|(_, (count, ..))| *count > 0) {
            let stated = stated / u64::try_from(*count).expect("64 bits") / 100_000;
            writeln!(
                text,
                "| {name} | {} to {} % | {count} | {}.{:02} % | {} |",
                tenth * 10,
                tenth * 10 + 10,
                stated / 100,
                stated % 100,
                interval(*right, *count)
            )
            .expect("a string takes all");
        }
    }
    text
}

/// What the real deposits are.
fn coins(real: &[Real]) -> String {
    let mut coins: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut same = 0;
    for deposit in real {
        *coins.entry((deposit.to.to_string(), deposit.token.clone())).or_default() += 1;
        same += usize::from(deposit.sender == deposit.receiver);
    }
    let (mut few, mut text) = (0, String::from("| real deposits to | token on Ethereum | how many |\n|---|---|---|\n"));
    for ((to, token), count) in coins {
        if count < 100 {
            few += count;
        } else {
            writeln!(text, "| {to} | `{token}` | {count} |").expect("a string takes all");
        }
    }
    writeln!(
        text,
        "| | tokens with fewer than 100 | {few} |\n| | all; of them to the sender's own address | {}; {same} |",
        real.len()
    )
    .expect("a string takes all");
    text
}

/// A share with Wilson's interval of 95 %.
fn interval(right: usize, all: usize) -> String {
    if all == 0 {
        return "– of 0".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "a percentage for reading")]
    let (right, total) = (right as f64, all as f64);
    let (share, z) = (right / total, 1.96);
    let middle = (share + z * z / (2.0 * total)) / (1.0 + z * z / total);
    let half = z / (1.0 + z * z / total) * (share * (1.0 - share) / total + z * z / (4.0 * total * total)).sqrt();
    format!(
        "{:.2} % ({:.2} % to {:.2} %) of {all}",
        100.0 * share,
        100.0 * (middle - half).max(0.0),
        100.0 * (middle + half).min(1.0)
    )
}

/// Times the matcher on that many made deposits, without anything told.
pub fn speed(count: usize, days: u64) {
    let world = made(count, days);
    let start = Instant::now();
    let found = measure(&world, &Options::default());
    println!(
        "{} crossings: {:.2} s, {} pairs said of {}",
        world.unpaired.len(),
        start.elapsed().as_secs_f64(),
        found.said,
        found.pairs
    );
}

/// A world of made deposits over some days: amounts half round, half any.
fn made(count: usize, days: u64) -> World {
    use super::chance::Chance;
    let mut chance = Chance::new(SEED, 7);
    let tokens = ["0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "0xdac17f958d2ee523a2206206994597c13d831ec7"];
    let real: Vec<Real> = (0..count)
        .map(|at| {
            let token = chance.one_of(&tokens).to_string();
            let unit: u128 = if token == tokens[0] { 10u128.pow(16) } else { 10u128.pow(6) };
            let round = [10, 20, 50, 100, 200, 500, 1000];
            let units = if chance.happens(5_000) {
                unit * *chance.one_of(&round)
            } else {
                unit / 1_000 * u128::from(5_000 + chance.below(1_000_000))
            };
            let who = chance.address();
            let to = ledger::LedgerId::parse("eip155:56").expect("a CAIP-2 id");
            let seconds = 1_650_000_000 + i64::try_from(chance.below(days * 86_400)).expect("small");
            Real { to, seconds, token, units, sender: who.clone(), receiver: who, tx: format!("0x{at:064x}") }
        })
        .collect();
    world(&real, &Setting { strangers: 0, twins: 0, ..PLAIN })
}
