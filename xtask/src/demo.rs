//! Runs the demo as README tells a newcomer to, and the tracer against an oracle that was written apart from it.

use crate::runner::Outcome;
use crate::workplace::{Workplace, run};

/// The outside check of the tracing policies; it stands beside the repository where it is to be had.
const POLICY_CHECK: &str = "../shared/tools/check_policies.py";
/// How many random ledgers it tries.
const POLICY_LEDGERS: &str = "60";

/// The demo, then the oracle.
pub fn check(workplace: &Workplace) -> Result<Outcome, String> {
    run(&mut workplace.cargo(&["run", "--release", "--", "demo"]))?;
    let Ok(script) = workplace.root.join(POLICY_CHECK).canonicalize() else {
        return Ok(Outcome::Skipped(format!("the demo ran; the oracle did not: there is no {POLICY_CHECK}")));
    };
    if workplace.command("python3", &["--version"]).output().is_err() {
        return Ok(Outcome::Skipped("the demo ran; the oracle did not: there is no python3".to_owned()));
    }
    let program = workplace.target.join("release").join("tracehound");
    run(workplace.command("python3", &[]).arg(script).arg(program).arg(POLICY_LEDGERS))?;
    Ok(Outcome::Passed(format!("the demo, and {POLICY_LEDGERS} ledgers against the oracle")))
}
