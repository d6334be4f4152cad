//! Measures the matcher and prints the tables of `docs/methods/bridges.md`: `cargo run --release -p link --example bridges`.
//!
//! `cargo xtask methods-bridges` puts them into the page. With `speed N DAYS` it times N deposits and about as
//! many withdrawals over so many days instead.

mod chance;
mod measure;
mod real;
mod simulate;
mod tables;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, count, days] = &arguments[..]
        && word == "speed"
        && let (Ok(count), Ok(days)) = (count.parse(), days.parse())
    {
        tables::speed(count, days);
        return ExitCode::SUCCESS;
    }
    let Some(deposits) = real::deposits() else {
        eprintln!("{} is missing: there are no real deposits to measure on", real::folder().display());
        return ExitCode::from(2);
    };
    print!("{}", tables::all(&deposits));
    ExitCode::SUCCESS
}
