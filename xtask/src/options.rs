//! The command line of `cargo xtask`: which tasks to run, and for how long to fuzz.
//!
//! It is not a general parser of flags: five words and three values need none.

use crate::runner::Task;

/// How long a fuzz target runs in `ci`.
const FUZZ_SECONDS: u32 = 30;
/// The fuzzer's seed in `ci`: fixed, so that a failure belongs to the change and not to the day.
const FUZZ_SEED: u32 = 1;

/// Tasks that `ci` leaves out: they record and do not judge.
const RECORDING: &[&str] = &["methods", "methods-bridges"];

/// What the person who ran `cargo xtask` asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// The tasks to run, in the order of the list; empty means: print the list.
    pub tasks: Vec<&'static str>,
    /// Seconds for each fuzz target.
    pub fuzz_seconds: u32,
    /// The fuzzer's seed; 0 lets it choose one.
    pub fuzz_seed: u32,
}

/// Reads the words after `cargo xtask`.
pub fn parse(arguments: &[String], all: &[Task]) -> Result<Options, String> {
    let mut options = Options { tasks: Vec::new(), fuzz_seconds: FUZZ_SECONDS, fuzz_seed: FUZZ_SEED };
    let Some((first, rest)) = arguments.split_first() else { return Ok(options) };
    if matches!(first.as_str(), "-h" | "--help" | "help") {
        return Ok(options);
    }
    let mut wanted = if first == "ci" { judging(all).collect() } else { vec![known(first, all)?] };
    let mut rest = rest.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{flag} needs a value"))?;
        match (flag.as_str(), first.as_str()) {
            ("--only", "ci") => {
                let only = names(value, all)?;
                wanted.retain(|name| only.contains(name));
            }
            ("--skip", "ci") => {
                let skip = names(value, all)?;
                wanted.retain(|name| !skip.contains(name));
            }
            ("--seconds", _) => options.fuzz_seconds = number(flag, value)?,
            ("--seed", _) => options.fuzz_seed = number(flag, value)?,
            _ => return Err(format!("{first} knows no flag {flag}")),
        }
    }
    options.tasks = wanted;
    Ok(options)
}

fn judging(all: &[Task]) -> impl Iterator<Item = &'static str> {
    all.iter().map(|task| task.name).filter(|name| !RECORDING.contains(name))
}

fn names(list: &str, all: &[Task]) -> Result<Vec<&'static str>, String> {
    list.split(',').map(|name| known(name.trim(), all)).collect()
}

fn known(name: &str, all: &[Task]) -> Result<&'static str, String> {
    all.iter().map(|task| task.name).find(|known| *known == name).ok_or_else(|| {
        let all: Vec<_> = all.iter().map(|task| task.name).collect();
        format!("there is no task {name:?}; there are: ci, {}", all.join(", "))
    })
}

fn number(flag: &str, value: &str) -> Result<u32, String> {
    value.parse().map_err(|_| format!("{flag} needs a whole number, not {value:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TASKS;

    fn parsed(line: &str) -> Result<Options, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words, TASKS)
    }

    #[test]
    fn ci_is_every_task_less_what_is_skipped_in_the_order_of_the_list() {
        assert_eq!(parsed("ci").unwrap().tasks.len(), TASKS.len() - RECORDING.len());
        assert_eq!(parsed("methods").unwrap().tasks, ["methods"]);
        assert_eq!(parsed("ci --only test,fmt").unwrap().tasks, ["fmt", "test"]);
        assert!(!parsed("ci --skip fuzz,deny").unwrap().tasks.contains(&"fuzz"));
        assert_eq!(
            parsed("fuzz --seconds 5 --seed 0").unwrap(),
            Options { tasks: vec!["fuzz"], fuzz_seconds: 5, fuzz_seed: 0 }
        );
    }

    #[test]
    fn nothing_asked_lists_and_nonsense_is_refused() {
        assert!(parsed("").unwrap().tasks.is_empty());
        for bad in ["fnt", "ci --only fnt", "ci --only", "fmt --only fmt", "ci --seconds soon", "ci --fast 1"] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }
}
