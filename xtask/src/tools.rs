//! Outside tools: found where they are already, else built into a folder of the project's own, at a fixed version.
//!
//! Nothing is installed for the whole machine, and nothing but source from cargo's registry is used.

use std::path::PathBuf;
use std::process::Command;

use crate::workplace::{Workplace, run};

/// A cargo subcommand at the version that the project was checked with.
pub struct Tool {
    /// Its crate and its program.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// The tool's program: from `PATH`, from the folder of an earlier run, or built now.
pub fn find_or_install(workplace: &Workplace, tool: &Tool) -> Result<PathBuf, String> {
    let folder = workplace.target.join("tools");
    let own = folder.join("bin").join(format!("{}{}", tool.name, std::env::consts::EXE_SUFFIX));
    let places = [PathBuf::from(tool.name), own.clone()];
    if let Some(found) = places.into_iter().find(|program| has_version(program, tool.version)) {
        return Ok(found);
    }
    println!("{} {} is not here; building it into {}", tool.name, tool.version, folder.display());
    let mut install = workplace.cargo(&["install", "--locked", "--version", tool.version, tool.name, "--root"]);
    let build = folder.join("build");
    // A check that runs for a second needs no optimisation that takes minutes.
    install
        .arg(&folder)
        .env("CARGO_TARGET_DIR", &build)
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    run(&mut install)?;
    // What the build leaves is ten times the program; failing to tidy up is no failure.
    let _ = std::fs::remove_dir_all(build);
    if has_version(&own, tool.version) {
        Ok(own)
    } else {
        Err(format!("{} does not run after its build", own.display()))
    }
}

fn has_version(program: &PathBuf, version: &str) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| {
        output.status.success()
            && String::from_utf8_lossy(&output.stdout).split_whitespace().any(|word| word == version)
    })
}
