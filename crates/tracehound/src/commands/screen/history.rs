//! What was screened before: `screenings.ndjson` in the book, appended to and never rewritten; and what of it changed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};

use book::Book;
use ledger::Time;
use screen::remember::{Remembered, read};
use screen::{Answer, Asked, Changed, Screener, Status};

use super::{Printer, exit};
use crate::cli::ScreenArgs;
use crate::commands::{now, say, stdout};
use crate::exit::{Exit, Failure};
use crate::output::text::counted;

const FILE: &str = "screenings.ndjson";

/// Adds screenings to the file. What another process or a crash left half written at its end goes first.
pub fn append(book: &Book, screenings: &[Remembered]) -> Result<(), Failure> {
    if screenings.is_empty() {
        return Ok(());
    }
    let path = book.folder().join(FILE);
    let failed = |error: std::io::Error| Failure::internal(format!("{}: {error}", path.display()));
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    // Released when the file is closed, whatever closes it.
    file.lock().map_err(failed)?;
    let end = whole_bytes(&mut file).map_err(failed)?;
    file.set_len(end).map_err(failed)?;
    file.seek(SeekFrom::Start(end)).map_err(failed)?;
    let lines: String = screenings.iter().map(Remembered::line).collect();
    if let Err(error) = file.write_all(lines.as_bytes()).and_then(|()| file.sync_all()) {
        // All of them or none.
        let _ = file.set_len(end);
        return Err(failed(error));
    }
    Ok(())
}

/// How many bytes the whole lines take.
fn whole_bytes(file: &mut File) -> std::io::Result<u64> {
    const CHUNK_BYTES: u64 = 64 << 10;
    let mut end = file.metadata()?.len();
    let mut chunk = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(CHUNK_BYTES);
        file.seek(SeekFrom::Start(start))?;
        chunk.clear();
        (&mut *file).take(end - start).read_to_end(&mut chunk)?;
        if let Some(at) = chunk.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

fn remembered(book: &Book) -> Result<Vec<Remembered>, Failure> {
    let path = book.folder().join(FILE);
    let name = path.display().to_string();
    match std::fs::read(&path) {
        Ok(bytes) => read(&bytes).map_err(|fault| Failure::internal(fault.in_file(&name))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::internal(format!("{name}: {error}"))),
    }
}

/// Which of the remembered screenings are meant.
#[derive(Clone, Copy, Debug)]
pub enum Since {
    All,
    Time(Time),
    Last(usize),
}

impl Since {
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if text == "all" {
            return Ok(Self::All);
        }
        if let Some(count) = text.parse::<usize>().ok().filter(|_| is_number) {
            return Ok(Self::Last(count));
        }
        let help = "write all, a date such as 2026-11-20, or how many of the last";
        let time =
            Time::parse(text).map_err(|_| Failure::bad_input(format!("--since: {text:?} is no date; {help}")))?;
        Ok(Self::Time(time))
    }

    /// Of each query on each ledger the latest, in the file's order. That nobody knew it counts only until somebody does.
    fn of(self, all: Vec<Remembered>) -> Vec<Remembered> {
        let mut latest: BTreeMap<(&str, Option<&str>), usize> = BTreeMap::new();
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, one) in all.iter().enumerate() {
            latest.insert(one.key(), at);
            last.insert(&one.query, at);
        }
        let stands = |((query, ledger), at): ((&str, Option<&str>), usize)| {
            Some(at).filter(|at| ledger.is_some() || last.get(query) == Some(at))
        };
        let mut places: Vec<usize> = latest.into_iter().filter_map(stands).collect();
        places.sort_unstable();
        match self {
            Self::All => {}
            Self::Last(count) => drop(places.drain(..places.len().saturating_sub(count))),
            Self::Time(from) => places.retain(|at| Time::parse(&all[*at].when).is_ok_and(|when| when >= from)),
        }
        let mut all: Vec<Option<Remembered>> = all.into_iter().map(Some).collect();
        places.into_iter().filter_map(|at| all[at].take()).collect()
    }
}

/// Screens what was remembered again, and tells what changed and why.
pub fn again(book: &Book, screener: &Screener<'_>, args: &ScreenArgs, since: Since) -> Result<Exit, Failure> {
    let before = since.of(remembered(book)?);
    let printer = Printer::new(screener, args);
    let mut out = stdout();
    let (mut worst, mut count) = (Status::Clear, 0u64);
    let mut kept = Vec::new();
    let when = now();
    for old in &before {
        let asked = Asked { line: 0, query: old.query.clone(), fault: None };
        let answers = screener.ask(&asked).map_err(Failure::internal)?;
        let Some(answer) = same(&answers, old) else { continue };
        let new = Remembered::of(answer, screener.rules(), screener.categories(), &when);
        let mut changed = Changed::between(old, &new);
        if changed.is_nothing() {
            continue;
        }
        changed.why.extend(screener.causes(old, answer));
        count += 1;
        let is_new_hit = answer.status == Status::Hit && old.status != Status::Hit.as_str();
        worst = worst.max(if is_new_hit { Status::Hit } else { Status::Review });
        if args.json {
            printer.json.change(&mut out, &old.when, &changed, answer)?;
        } else {
            out.write_all(crate::output::screen::change(&old.when, &changed, answer).as_bytes())?;
        }
        kept.push(new);
    }
    out.flush()?;
    if args.remember {
        append(book, &kept)?;
    }
    say(format!("{} looked at again, {count} changed", counted(before.len() as u64, "screening")));
    Ok(exit(worst))
}

/// The answer on the ledger of a remembered one; where none is of it, the first.
fn same<'a>(answers: &'a [Answer], old: &Remembered) -> Option<&'a Answer> {
    let ledger =
        |answer: &Answer| answer.finding().and_then(|finding| finding.ledger.as_ref()).map(ToString::to_string);
    answers.iter().find(|answer| ledger(answer) == old.ledger).or_else(|| answers.first())
}
