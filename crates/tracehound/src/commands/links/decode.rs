//! `tracehound links decode`: what bridges wrote, from files outside of any ledger, as JSON lines.

use std::io::Write;

use ledger::LedgerId;
use link::outside;
use link::registry::chains;

use super::line::CrossingLine;
use crate::cli::DecodeLinksArgs;
use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::home::Home;
use crate::output::text::{counted, plural};
use crate::registries;
use crate::tracing::case::read_small;

/// How many items that could not be read are listed.
const REFUSED_MAX: usize = 100;

pub fn run(home: &Home, args: &DecodeLinksArgs) -> Result<Exit, Failure> {
    let book = if home.exists()? { Some(home.open()?) } else { None };
    let registry = registries::registry(book.as_ref(), &args.registry)?;
    let ledger: Option<LedgerId> = match args.ledger.as_deref() {
        Some(text) => Some(chains::named(text).ok_or_else(|| {
            Failure::bad_input(format!(
                "--ledger: {text:?} is no ledger; write a CAIP-2 id such as eip155:137, or polygon"
            ))
        })?),
        None => None,
    };
    let mut out = stdout();
    let mut bad = false;
    for file in &args.files {
        let name = file.display().to_string();
        let bytes = read_small(file, outside::BYTES_MAX, "a file of logs or calls")?;
        let read = outside::read(&bytes, &registry, ledger.as_ref())
            .map_err(|fault| Failure::bad_input(fault.in_file(&name)))?;
        for crossing in &read.crossings {
            serde_json::to_writer(&mut out, &CrossingLine::from(crossing))?;
            writeln!(out)?;
        }
        for (place, text) in &read.bare {
            serde_json::to_writer(&mut out, &serde_json::json!({ "place": place, "call": text }))?;
            writeln!(out)?;
        }
        for (place, what) in read.refused.iter().take(REFUSED_MAX) {
            say(format!("warning: {name}: item {place}: {what}"));
        }
        bad |= !read.refused.is_empty();
        say(format!(
            "{name}: {} decoded, {} without an amount of its own, {} of no bridge that is known, {} not readable",
            plural(read.crossings.len(), "crossing"),
            plural(read.bare.len(), "call"),
            counted(read.other, "item"),
            read.refused.len()
        ));
    }
    out.flush()?;
    Ok(if bad { Exit::BadInput } else { Exit::Done })
}
