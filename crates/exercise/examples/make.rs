//! Makes an exercise: `make DIR demo | scaled N | peel HOPS | cone LEGS [SEED]`. Prints the manifest and the pace.

use std::path::Path;
use std::time::Instant;

use exercise::Plan;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let usage = "usage: make DIR demo | scaled N | peel HOPS | cone LEGS, then perhaps a seed";
    let (plan, seed) = match words.as_slice() {
        [_, "demo", seed @ ..] => (Plan::demo(), seed),
        [_, "scaled", size, seed @ ..] => (Plan::scaled(size.parse()?), seed),
        [_, "peel", size, seed @ ..] => (Plan::peel(size.parse()?), seed),
        [_, "cone", size, seed @ ..] => (Plan::cone(size.parse()?), seed),
        _ => return Err(usage.into()),
    };
    let plan = Plan { seed: seed.first().map_or(Ok(plan.seed), |text| text.parse())?, ..plan };
    let start = Instant::now();
    let summary = exercise::write(&plan, Path::new(words[0]))?;
    let transactions: u64 = summary.ledgers.iter().map(|ledger| ledger.transactions).sum();
    println!("{}", serde_json::to_string_pretty(&summary)?);
    let elapsed = start.elapsed().as_millis().max(1);
    eprintln!("{transactions} transactions in {elapsed} ms: {} a second", u128::from(transactions) * 1000 / elapsed);
    Ok(())
}
