//! The `tracehound` binary: flags → plan → run; exit codes.
//!
//! Data goes to standard output, talk and progress to standard error. What a command does lives in [`commands`]; how a
//! trace is put together from incidents, tags and ledgers in [`tracing`]; how it is printed in [`output`]. The rules
//! themselves are the other rooms'.

mod cli;
mod commands;
mod exit;
mod history;
mod home;
mod interrupt;
mod keeping;
mod linkstore;
mod output;
mod progress;
mod registries;
mod showing;
mod tagfiles;
mod tagstore;
mod tracing;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Failure};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let help = error.exit_code() == 0;
            // Help that cannot be printed because its reader has gone is no failure.
            let _ = error.print();
            return if help { Exit::Done } else { Exit::BadInput }.into();
        }
    };
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let home = home::Home::new(cli.book);
    match cli.command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Ingest(args) => commands::ingest::run(&home, args.source),
        Command::Trace(args) => commands::trace::run(&home, &args),
        Command::Source(args) => commands::source::run(&home, &args),
        Command::Screen(args) => commands::screen::run(&home, &args),
        Command::Show(args) => commands::show::run(&home, &args),
        Command::Mempool(args) => commands::mempool::run(&home, &args),
        Command::Clusters(args) => commands::clusters::run(&home, &args.command),
        Command::Links(args) => commands::links::run(&home, args.command),
        Command::Tags(args) => commands::tags::run(&home, args.command),
        Command::Incidents(args) => commands::incidents::run(&home, args.command),
        Command::Exercise(args) => commands::exercise::run(&args),
        Command::Book(args) => commands::book::run(&home, args.command),
        Command::Completions { shell } => commands::completions::run(shell),
    }
}
