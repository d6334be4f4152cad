//! Tasks of the project: `cargo xtask` lists them, `cargo xtask ci` runs all that judge and stops at the first failure.
//!
//! Responsible for what decides whether a change may land. It is not a build system: every build is a plain `cargo`
//! command that the task prints before it runs it. The shape is matklad's cargo-xtask: tasks are Rust, so that they
//! run wherever the project does, with nothing to install first.

mod cargo;
mod components;
mod demo;
mod dependencies;
mod fuzz;
mod lengths;
mod methods;
mod options;
mod purity;
mod rooms;
mod runner;
mod source;
mod supply;
mod tools;
mod words;
mod workplace;

use std::process::ExitCode;

use runner::Task;

/// Every task, in the order in which `ci` runs them: what is quick to fail comes first.
const TASKS: &[Task] = &[
    Task { name: "fmt", what: "formatting, by rustfmt", run: cargo::fmt },
    Task { name: "words", what: "nothing unfinished, no path of one machine, in any tracked file", run: words::check },
    Task { name: "rooms", what: "rooms see only what ARCHITECTURE.md says; pure rooms stay pure", run: rooms::check },
    Task { name: "unused", what: "no dependency that nothing uses", run: dependencies::check },
    Task { name: "lengths", what: "a report of long files and functions", run: lengths::report },
    Task { name: "clippy", what: "lints, a warning is an error", run: cargo::clippy },
    Task { name: "doc", what: "documentation, a warning is an error", run: cargo::doc },
    Task {
        name: "components",
        what: "what tests need and cargo cannot bring, into .components",
        run: components::fill,
    },
    Task { name: "test", what: "every test of every room", run: cargo::test },
    Task { name: "demo", what: "the demo, and the policies against an outside oracle", run: demo::check },
    Task { name: "fuzz", what: "each fuzz target for --seconds", run: fuzz::check },
    Task { name: "deny", what: "licences, bans and sources of outside crates", run: supply::deny },
    Task { name: "methods", what: "error rates of the methods into docs/methods; not in ci", run: methods::write },
    Task { name: "methods-bridges", what: "the matcher's error rates alone; not in ci", run: methods::bridges },
    Task { name: "advisories", what: "known holes in outside crates", run: supply::advisories },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match options::parse(&arguments, TASKS).and_then(|options| runner::run(&options, TASKS)) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::from(2)
        }
    }
}
