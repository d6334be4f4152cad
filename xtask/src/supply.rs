//! Outside crates: may they be linked (licences), do we want them (bans), do they come from where we think (sources),
//! and is a hole known in one of them (advisories). All four by cargo-deny, with what `deny.toml` says.

use std::process::{Command, Stdio};

use crate::runner::Outcome;
use crate::tools::{Tool, find_or_install};
use crate::workplace::{Workplace, run, say};

const CARGO_DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
/// What cargo-deny says where it can reach no database of advisories. Another error is a failure.
const DATABASE_MISSING: &[&str] = &["failed to fetch advisory database", "failed to get 'FETCH_HEAD' metadata"];

/// Licences, bans and sources, from what cargo has downloaded already.
pub fn deny(workplace: &Workplace) -> Result<Outcome, String> {
    run(cargo_deny(workplace, &[])?.args(["check", "--hide-inclusion-graph", "licenses", "bans", "sources"]))?;
    for manifest in workplace.side_manifests() {
        // What stands beside is never shipped: its licences bind nobody, but where it comes from matters.
        let mut command = cargo_deny(workplace, &["--manifest-path", &manifest, "--config", "deny.toml"])?;
        run(command.args(["check", "--hide-inclusion-graph", "bans", "sources"]))?;
    }
    Ok(Outcome::Passed(String::new()))
}

/// Advisories, from the `RustSec` database over the network, else from the copy that an earlier run left.
pub fn advisories(workplace: &Workplace) -> Result<Outcome, String> {
    let (first, errors) = advisories_with(&mut cargo_deny(workplace, &[])?)?;
    if first {
        return Ok(Outcome::Passed(String::new()));
    }
    if !DATABASE_MISSING.iter().any(|words| errors.contains(words)) {
        return Err("cargo-deny found advisories, or failed; see above".to_owned());
    }
    let (second, errors) = advisories_with(&mut cargo_deny(workplace, &["--offline"])?)?;
    if second {
        return Ok(Outcome::Passed("from the copy of an earlier run: the network was out of reach".to_owned()));
    }
    if !DATABASE_MISSING.iter().any(|words| errors.contains(words)) {
        return Err("cargo-deny found advisories in its copy of the database, or failed; see above".to_owned());
    }
    Ok(Outcome::Skipped(
        "NOT CHECKED: the RustSec database is on GitHub, out of reach from here, and there is no copy; run `cargo xtask advisories` where the network is open"
            .to_owned(),
    ))
}

fn cargo_deny(workplace: &Workplace, flags: &[&str]) -> Result<Command, String> {
    let program = find_or_install(workplace, &CARGO_DENY)?;
    let mut command = Command::new(program);
    command.args(["--color", "never", "--locked"]).args(flags).current_dir(&workplace.root);
    Ok(command)
}

/// Whether the check passed, and what it said.
fn advisories_with(command: &mut Command) -> Result<(bool, String), String> {
    command.args(["check", "advisories"]).env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null());
    let line = say(command);
    let output = command.output().map_err(|e| format!("cannot run {line}: {e}"))?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    print!("{}{errors}", String::from_utf8_lossy(&output.stdout));
    Ok((output.status.success(), errors))
}
