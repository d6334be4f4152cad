//! Times the tracer on heists from the exercise: policies, growth, the envelope; and hands the same data to rivals.
//!
//! One core, a warm book: each trace runs once before the clock starts. What the figures mean is in docs/bench/trace.md.

mod evm;
mod export;
mod timing;

use bench_common::{Result, machine};
use exercise::Plan;

const USAGE: &str = "usage: bench-trace (policies | growth | envelope | rival) (cone | peel) SIZE...\n       \
    bench-trace evm EVENTS...\n       \
    cone SIZE: a theft that spreads until about SIZE legs are tainted; peel SIZE: one chain of SIZE hops;\n       \
    evm: thefts on a chain of accounts, after which haircut sees about EVENTS events";

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [what, sizes @ ..] = words.as_slice()
        && what == "evm"
        && !sizes.is_empty()
    {
        let sizes = sizes.iter().map(|size| Ok(size.replace('_', "").parse()?)).collect::<Result<Vec<u64>>>()?;
        machine::print();
        return timing::accounts(&sizes);
    }
    let [what, kind, sizes @ ..] = words.as_slice() else { return Err(USAGE.into()) };
    let heists = sizes.iter().map(|size| named(kind, size)).collect::<Result<Vec<_>>>()?;
    if heists.is_empty() {
        return Err(USAGE.into());
    }
    if what == "rival" {
        return heists.iter().try_for_each(|(name, plan)| export::for_rivals(name, plan));
    }
    machine::print();
    match what.as_str() {
        "policies" => heists.iter().try_for_each(|(name, plan)| timing::policies(name, plan)),
        "growth" => timing::growth(&heists),
        "envelope" => timing::envelopes(&heists),
        _ => Err(USAGE.into()),
    }
}

fn named(kind: &str, size: &str) -> Result<(String, Plan)> {
    let number: u64 = size.replace('_', "").parse()?;
    let plan = match kind {
        "cone" => Plan::cone(number),
        "peel" => Plan::peel(u32::try_from(number)?),
        _ => return Err(USAGE.into()),
    };
    Ok((format!("{kind}-{number}"), plan))
}
