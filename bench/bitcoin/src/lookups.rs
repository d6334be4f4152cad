//! Times `tracehound show` as a user runs it: a process for each question, the program's start included.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bench_common::table::print;
use bench_common::{Result, machine};

use crate::Chain;

/// How often each question is asked.
const TIMES: usize = 300;
/// Long answers are asked for less often.
const TIMES_LONG: usize = 100;

/// Prints the table.
pub fn time(chain: &Chain, binary: &Path) -> Result<()> {
    if !chain.book().exists() {
        return Err("race this size first: it leaves the book".into());
    }
    machine::print();
    let samples: Vec<&str> = chain.report.sample_transactions.iter().map(|sample| sample.txid.as_str()).collect();
    let addresses: Vec<&str> = chain.report.busiest_addresses.iter().map(|sample| sample.address.as_str()).collect();
    let busiest = chain.report.busiest_addresses.iter().max_by_key(|sample| sample.outputs);
    let busiest = busiest.ok_or("the manifest names no address")?;
    let ask = |targets: &[&str], more: &[&str], times: usize| -> Result<Vec<String>> {
        let mut took: Vec<Duration> = Vec::with_capacity(times);
        for at in 0..times {
            let start = Instant::now();
            let mut command = Command::new(binary);
            command.args(["--book".as_ref(), chain.book().as_os_str()]).arg("show").arg(targets[at % targets.len()]);
            let status = command.args(more).stdout(Stdio::null()).status()?;
            took.push(start.elapsed());
            if !status.success() {
                return Err(format!("show {} failed", targets[at % targets.len()]).into());
            }
        }
        took.sort_unstable();
        let at = |percent: usize| {
            format!("{:.1} ms", took[(took.len() * percent / 100).min(took.len() - 1)].as_secs_f64() * 1e3)
        };
        Ok(vec![at(50), at(99), at(100)])
    };
    let mut rows = Vec::new();
    let mut row = |name: String, figures: Vec<String>| rows.push([vec![name], figures].concat());
    row("a transaction".into(), ask(&samples, &["--json"], TIMES)?);
    row("an address".into(), ask(&addresses[..addresses.len().min(8)], &["--json"], TIMES)?);
    let many = format!("the busiest address, {} outputs", busiest.outputs);
    row(format!("{many}: balance and latest movements"), ask(&[&busiest.address], &["--json"], TIMES_LONG)?);
    row(format!("{many}: whole history"), ask(&[&busiest.address], &["--json", "--all"], TIMES_LONG / 10)?);
    print("tracehound show, a process for each question", &["question", "median", "p99", "worst"], &rows);
    Ok(())
}
