//! Runs tasks in order, says how each went, and stops at the first that fails.
//!
//! It knows nothing of what a task does. A task that could not do its work on this machine says so and why; the
//! summary repeats it, so that a skip is never mistaken for a pass.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::options::Options;
use crate::workplace::Workplace;

/// One thing that `cargo xtask` can do.
pub struct Task {
    /// The word that asks for it.
    pub name: &'static str,
    /// What it holds, in one line.
    pub what: &'static str,
    /// Does it.
    pub run: fn(&Workplace) -> Result<Outcome, String>,
}

/// How a task ended that did not fail.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It held; with what it counted, if anything.
    Passed(String),
    /// Tests ran and all passed.
    Tested {
        /// How many passed.
        passed: u64,
        /// How many were ignored.
        ignored: u64,
    },
    /// It could not be done here, in whole or in part, and why.
    Skipped(String),
}

/// One line of the summary.
struct Row {
    name: &'static str,
    result: &'static str,
    took: Duration,
    note: String,
}

/// Runs what `options` ask for; prints the list of tasks where they ask for nothing.
pub fn run(options: &Options, all: &[Task]) -> Result<ExitCode, String> {
    if options.tasks.is_empty() {
        print!("{}", list(all));
        return Ok(ExitCode::SUCCESS);
    }
    let workplace = Workplace::open(options.fuzz_seconds, options.fuzz_seed)?;
    let start = Instant::now();
    let mut rows = Vec::new();
    let (mut passed, mut ignored, mut failed) = (0, 0, 0);
    for task in all.iter().filter(|task| options.tasks.contains(&task.name)) {
        println!("\n== {}: {}", task.name, task.what);
        let began = Instant::now();
        let outcome = (task.run)(&workplace);
        let (result, note) = match outcome {
            Ok(Outcome::Passed(note)) => ("passed", note),
            Ok(Outcome::Tested { passed: more, ignored: left }) => {
                passed += more;
                ignored += left;
                ("passed", format!("{more} tests"))
            }
            Ok(Outcome::Skipped(why)) => ("SKIPPED", why),
            Err(why) => {
                failed += 1;
                ("FAILED", why)
            }
        };
        let took = began.elapsed();
        let row = Row { name: task.name, result, took, note };
        println!("-- {} {} in {:.1} s: {}", row.name, row.result, took.as_secs_f64(), first_line(&row.note));
        rows.push(row);
        if failed > 0 {
            break;
        }
    }
    print!("{}", summary(&rows, options.tasks.len()));
    println!("{}", closing_line(passed, failed, ignored, start.elapsed()));
    Ok(if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn list(all: &[Task]) -> String {
    let mut text = String::from(
        "cargo xtask ci [--only A,B] [--skip A,B] [--seconds N] [--seed N]   every task below, in order\n\n",
    );
    for Task { name, what, .. } in all {
        let _ = writeln!(text, "cargo xtask {name:<11} {what}");
    }
    text
}

fn summary(rows: &[Row], wanted: usize) -> String {
    let mut text = String::from("\n== summary\n");
    for Row { name, result, took, note } in rows {
        let _ = writeln!(text, "{name:<11} {result:<8} {:>7.1} s  {}", took.as_secs_f64(), first_line(note));
    }
    if rows.len() < wanted {
        let _ = writeln!(text, "{} more not run", wanted - rows.len());
    }
    text
}

fn first_line(note: &str) -> &str {
    note.lines().next().unwrap_or("")
}

/// The line that `cargo test` ends with, so that whoever reads its output finds the total: the tests of the `test`
/// task, and one failure for a task that failed.
fn closing_line(passed: u64, failed: u64, ignored: u64, took: Duration) -> String {
    let verdict = if failed > 0 { "FAILED" } else { "ok" };
    format!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; 0 filtered out; finished in {:.2}s",
        took.as_secs_f64()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_stands_out_in_the_summary_and_what_was_not_run_is_counted() {
        let second = Duration::from_secs(1);
        let rows = [
            Row { name: "fmt", result: "passed", took: second, note: String::new() },
            Row { name: "advisories", result: "SKIPPED", took: second, note: "no network\nand more".into() },
        ];
        let text = summary(&rows, 3);
        assert!(text.contains("advisories  SKIPPED      1.0 s  no network\n"), "{text}");
        assert!(text.ends_with("1 more not run\n"), "{text}");
    }

    #[test]
    fn the_last_line_reads_as_cargo_test_prints_it() {
        let line = closing_line(412, 0, 1, Duration::from_millis(2500));
        assert_eq!(
            line.trim(),
            "test result: ok. 412 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 2.50s"
        );
        assert!(closing_line(0, 1, 0, Duration::ZERO).contains("FAILED. 0 passed; 1 failed"));
    }
}
