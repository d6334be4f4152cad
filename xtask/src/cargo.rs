//! The tasks that are one cargo command each: format, lints, documentation, tests.
//!
//! All of them build in the release profile, so that outside crates are compiled once for all.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::runner::Outcome;
use crate::workplace::{Workplace, run, say};

/// `cargo fmt --check`, here and in the workspaces beside.
pub fn fmt(workplace: &Workplace) -> Result<Outcome, String> {
    run(&mut workplace.cargo(&["fmt", "--all", "--check"]))?;
    for manifest in workplace.side_manifests() {
        run(&mut workplace.cargo(&["fmt", "--all", "--check", "--manifest-path", &manifest]))?;
    }
    Ok(Outcome::Passed(String::new()))
}

/// Clippy on everything that the workspace compiles.
pub fn clippy(workplace: &Workplace) -> Result<Outcome, String> {
    run(&mut workplace.cargo(&[
        "clippy",
        "--release",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))?;
    Ok(Outcome::Passed(String::new()))
}

/// Rustdoc, private items included: they are what an engineer reads.
pub fn doc(workplace: &Workplace) -> Result<Outcome, String> {
    let mut command =
        workplace.cargo(&["doc", "--release", "--workspace", "--no-deps", "--document-private-items", "--locked"]);
    // Private items may be linked to, since they are documented here.
    run(command.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"))?;
    Ok(Outcome::Passed(String::new()))
}

/// All tests. The lines that `cargo test` prints are passed on as they come, and their totals added up.
pub fn test(workplace: &Workplace) -> Result<Outcome, String> {
    counted(&mut workplace.cargo(&["test", "--release", "--workspace", "--locked", "--no-fail-fast"]))
}

fn counted(command: &mut Command) -> Result<Outcome, String> {
    let line = say(command);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(|e| format!("cannot run {line}: {e}"))?;
    let output = child.stdout.take().expect("standard output is piped two lines above");
    let mut totals = Totals::default();
    for text in BufReader::new(output).lines() {
        let text = text.map_err(|e| format!("{line}: {e}"))?;
        println!("{text}");
        totals.add(&text);
    }
    let status = child.wait().map_err(|e| format!("{line}: {e}"))?;
    if !status.success() {
        return Err(format!("{} of {} tests failed ({line}: {status})", totals.failed, totals.failed + totals.passed));
    }
    if totals.passed == 0 {
        return Err(format!("no test ran ({line})"));
    }
    Ok(Outcome::Tested { passed: totals.passed, ignored: totals.ignored })
}

/// The sum of the lines `test result: ok. 3 passed; 0 failed; …`.
#[derive(Default, Debug, PartialEq, Eq)]
struct Totals {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Totals {
    fn add(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else { return };
        for part in counts.1.split("; ") {
            let Some((number, word)) = part.split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_totals_of_several_test_programs_add_up() {
        let mut totals = Totals::default();
        for line in [
            "running 3 tests",
            "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 5 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.10s",
            "the test result: ok. 100 passed; is a sentence",
        ] {
            totals.add(line);
        }
        assert_eq!(totals, Totals { passed: 7, failed: 1, ignored: 1 });
    }
}
