//! A report of files and functions that are longer than a reader likes. It never fails: a table may be long.

use std::fs;

use crate::runner::Outcome;
use crate::source::{code_only, functions};
use crate::workplace::{Workplace, is_rust};

/// The lines of a file that a person reads at a sitting.
const FILE_LINES_MAX: usize = 600;
/// The lines of a function that fit on a screen.
const FUNCTION_LINES_MAX: usize = 70;

/// Prints every Rust file and function above the limits, the longest first.
pub fn report(workplace: &Workplace) -> Result<Outcome, String> {
    let mut long = Vec::new();
    let mut lengths = Vec::new();
    for path in workplace.tracked_files()?.iter().filter(|path| is_rust(path)) {
        // A file that is deleted and not yet committed is still tracked.
        let Ok(text) = fs::read_to_string(workplace.root.join(path)) else { continue };
        let lines = text.lines().count();
        lengths.push(lines);
        if lines > FILE_LINES_MAX {
            long.push((lines, path.clone()));
        }
        for function in functions(&code_only(&text)) {
            if function.lines > FUNCTION_LINES_MAX {
                long.push((function.lines, format!("{path}:{} fn {}", function.line, function.name)));
            }
        }
    }
    long.sort_by(|a, b| b.cmp(a));
    for (lines, what) in &long {
        println!("{lines:>6} lines  {what}");
    }
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
    let note = format!(
        "{} files, median {median} lines; {} files over {FILE_LINES_MAX} or functions over {FUNCTION_LINES_MAX} lines",
        lengths.len(),
        long.len()
    );
    Ok(Outcome::Passed(note))
}
