//! One file a command: from flags to a result on standard output.

pub mod bitcoin;
pub mod book;
pub mod clusters;
pub mod completions;
pub mod demo;
pub mod ethereum;
pub mod exercise;
pub mod follow;
pub mod incidents;
pub mod ingest;
pub mod links;
pub mod mempool;
pub mod screen;
pub mod show;
pub mod source;
pub mod tags;
pub mod telling;
pub mod trace;

use std::io::{BufWriter, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use ledger::Time;

/// Standard output, buffered: results can have millions of lines.
pub fn stdout() -> BufWriter<std::io::StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, std::io::stdout().lock())
}

/// One line of a result, written through: what is left to the end of a buffer fails unheard.
pub fn print(line: impl std::fmt::Display) -> std::io::Result<()> {
    let mut out = stdout();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Talk goes to standard error; a reader that has gone is none of a command's business.
pub fn say(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
}

/// The clock, to the second; only what somebody did carries it.
pub fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(seconds).ok().and_then(Time::from_seconds).map(|time| time.to_string()).unwrap_or_default()
}
