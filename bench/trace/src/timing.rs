//! The tables: each policy on one heist, haircut as heists grow, the envelope as cones grow.

use bench_common::clock::{Times, rate_text};
use bench_common::heist::Heist;
use bench_common::table::{grouped, print};
use bench_common::{Result, machine};
use exercise::Plan;
use ledger::Ledger;
use trace::envelope::envelope;
use trace::forward::forward;
use trace::{Aside, LabelId, Outcome, Policy, Seed, Settings};

use crate::evm;

const RUNS: usize = 7;

/// How fast a policy follows a heist.
pub struct Timed {
    /// What it found.
    pub outcome: Outcome,
    /// How long it took.
    pub times: Times,
    /// What the tracer itself held at most, in bytes.
    pub own_bytes: u64,
}

/// Traces a heist once to warm up and measure memory, then [`RUNS`] times by the clock.
pub fn trace<L: Ledger + ?Sized>(ledger: &L, seeds: &[Seed], policy: Policy, settings: &Settings) -> Timed {
    let before = machine::own_bytes();
    machine::forget_peak();
    let outcome = forward(ledger, seeds, policy, settings, &mut ());
    let own_bytes = machine::peak_own_bytes().saturating_sub(before);
    let times = Times::of(RUNS, || forward(ledger, seeds, policy, settings, &mut ()));
    Timed { outcome, times, own_bytes }
}

/// All policies on one heist.
pub fn policies(name: &str, plan: &Plan) -> Result<()> {
    let heist = Heist::prepare(name, plan)?;
    let ledger = heist.ledger()?;
    let seeds = heist.seeds(&ledger)?;
    let row = |policy: Policy| {
        let Timed { outcome, times, own_bytes } = trace(&ledger, &seeds, policy, &Settings::default());
        vec![
            policy.name().to_owned(),
            grouped(outcome.events),
            grouped(outcome.terminals.len() as u64),
            times.wall.text(),
            times.core.text(),
            format!("{}/s", rate_text(times.core_rate(outcome.events))),
            mebibytes(own_bytes),
        ]
    };
    let rows: Vec<_> = Policy::ALL.into_iter().map(row).collect();
    let title = format!("**{name}**: {} transactions, {} seeds", grouped(ledger.end().0), seeds.len());
    print(&title, &["policy", "events", "terminals", "wall", "core", "events per core", "memory"], &rows);
    Ok(())
}

/// Haircut on heists of growing size.
pub fn growth(heists: &[(String, Plan)]) -> Result<()> {
    let mut rows = Vec::new();
    for (name, plan) in heists {
        let heist = Heist::prepare(name, plan)?;
        let ledger = heist.ledger()?;
        let seeds = heist.seeds(&ledger)?;
        let Timed { outcome, times, own_bytes } = trace(&ledger, &seeds, Policy::Haircut, &Settings::default());
        let hops = outcome.terminals.iter().map(|terminal| terminal.hops).max().unwrap_or(0);
        rows.push(vec![
            name.clone(),
            grouped(heist.summary.ledgers[0].tainted_legs),
            grouped(outcome.events),
            grouped(outcome.terminals.len() as u64),
            grouped(hops.into()),
            times.wall.text(),
            times.core.text(),
            format!("{}/s", rate_text(times.core_rate(outcome.events))),
            mebibytes(own_bytes),
        ]);
    }
    let head = ["heist", "tainted legs", "events", "terminals", "hops", "wall", "core", "events per core", "memory"];
    print("haircut, one label", &head, &rows);
    Ok(())
}

/// The envelope on cones of growing size.
pub fn envelopes(heists: &[(String, Plan)]) -> Result<()> {
    let mut rows = Vec::new();
    for (name, plan) in heists {
        let heist = Heist::prepare(name, plan)?;
        let ledger = heist.ledger()?;
        let seeds = heist.seeds(&ledger)?;
        let settings = Settings::default();
        let label = LabelId(0);
        let before = machine::own_bytes();
        machine::forget_peak();
        let found = envelope(&ledger, &seeds, label, &settings);
        let own_bytes = machine::peak_own_bytes().saturating_sub(before);
        let runs = if found.edges > 300_000 { 1 } else { 3 };
        let times = Times::of(runs, || envelope(&ledger, &seeds, label, &settings));
        rows.push(vec![
            name.clone(),
            grouped(found.edges as u64),
            grouped(found.bounds.len() as u64),
            times.wall.text(),
            times.core.text(),
            format!("{}/s", rate_text(times.core_rate(found.edges as u64))),
            mebibytes(own_bytes),
        ]);
    }
    print("envelope", &["heist", "edges", "terminals", "wall", "core", "edges per core", "memory"], &rows);
    Ok(())
}

/// Three policies on thefts on a chain of accounts; haircut also with what a trace of an EVM chain is told by default.
pub fn accounts(sizes: &[u64]) -> Result<()> {
    const POLICIES: [(Policy, bool); 4] =
        [(Policy::Haircut, false), (Policy::Haircut, true), (Policy::Fifo, true), (Policy::TaintFirstOut, true)];
    let ledger = evm::market()?;
    let mut rows = Vec::new();
    for size in sizes {
        for (policy, marks) in POLICIES {
            let (seeds, _) = evm::theft(&ledger, policy, *size)?;
            let aside = Aside { pieces: marks, ..Aside::default() };
            let settings = Settings { aside, marks_poisoning: marks, ..Settings::default() };
            let Timed { outcome, times, own_bytes } = trace(&ledger, &seeds, policy, &settings);
            rows.push(vec![
                format!("{}{}", policy.name(), if marks { "" } else { ", no marks" }),
                grouped(outcome.visited.len() as u64),
                grouped(outcome.events),
                grouped(outcome.terminals.len() as u64),
                times.wall.text(),
                times.core.text(),
                format!("{}/s", rate_text(times.core_rate(outcome.events))),
                mebibytes(own_bytes),
            ]);
        }
    }
    let title =
        format!("**chain of accounts**: {} transactions, {} legs", grouped(ledger.end().0), grouped(ledger.legs()));
    let head = ["policy", "visited", "events", "terminals", "wall", "core", "events per core", "memory"];
    print(&title, &head, &rows);
    Ok(())
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", grouped(bytes >> 20))
}
