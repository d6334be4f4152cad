//! What the book could have stood on: columns (a plain mapped file, `vecdb`) and look-ups (sorted runs, `fjall`, `redb`).
//!
//! The book itself takes part through its public interface, so its figures include what it does on top: commits,
//! journals, legs that are formed, hex that is read. What the figures mean is in docs/bench/stores.md.

mod chain;
mod columns;
mod lookups;
mod plain;
mod rivals;

use bench_common::{Result, machine};

const USAGE: &str = "usage: bench-stores (columns | lookups) COUNT...\n       \
    columns: that many transactions; lookups: that many 32-byte keys";

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [what, counts @ ..] = words.as_slice() else { return Err(USAGE.into()) };
    let counts =
        counts.iter().map(|count| count.replace('_', "").parse()).collect::<std::result::Result<Vec<u64>, _>>()?;
    if counts.is_empty() {
        return Err(USAGE.into());
    }
    machine::print();
    match what.as_str() {
        "columns" => counts.into_iter().try_for_each(columns::race),
        "lookups" => counts.into_iter().try_for_each(lookups::race),
        _ => Err(USAGE.into()),
    }
}
