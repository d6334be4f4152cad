//! `tracehound links thorchain`: links from recorded blocks, or from memos on the book's own ledgers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use book::{Book, BookLedger};
use flate2::bufread::MultiGzDecoder;
use ledger::{Contracts, LedgerId};
use link::thorchain::{
    Added, DOCUMENT_BYTES_MAX, Found, Memo, Outputs, Paired, Records, Router, Scheme, from_ledgers, pair, parse_routers,
};
use link::{Claim, Kept};

use crate::cli::ThorchainArgs;
use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::home::Home;
use crate::linkstore::{Entry, LinkStore};
use crate::output::text::{counted, grouped, plural};
use crate::registries;

/// How many problems, or swaps that wait, are listed one by one.
const LISTED_MAX: usize = 100;
/// The largest table of routers.
const TABLE_BYTES_MAX: u64 = 4 << 20;

pub fn run(home: &Home, args: &ThorchainArgs) -> Result<Exit, Failure> {
    let scheme = Scheme::parse(&args.scheme)
        .ok_or_else(|| Failure::bad_input(format!("--scheme {}: write thorchain or mayachain", args.scheme)))?;
    let claims = if args.files.is_empty() { on_ledgers(home, args)? } else { in_records(home, args, scheme)? };
    keep(home, args, claims)
}

/// Memos on the chains themselves.
fn on_ledgers(home: &Home, args: &ThorchainArgs) -> Result<Vec<Claim>, Failure> {
    let book = home.open()?;
    let mut known = registries::routers(Some(&book), &[])?;
    for path in &args.routers {
        let text = table(path)?;
        known.extend(parse_routers(&text).map_err(|error| Failure::bad_input(format!("{}: {error}", path.display())))?);
    }
    let opened: Vec<BookLedger> = book.ledgers()?.iter().map(|id| book.ledger(id)).collect::<Result<_, _>>()?;
    let found = memos(&opened, &known);
    warn(&found.problems, 0);
    say(format!(
        "{} between the book's ledgers, {} whose other side is on none of them",
        plural(found.claims.len(), "link"),
        plural(found.unpaired.len(), "payment")
    ));
    Ok(found.claims)
}

/// What memos on a book's ledgers tie together.
pub fn memos(opened: &[BookLedger], known: &[Router]) -> Found {
    let mut outputs: Vec<&dyn Outputs> = Vec::new();
    let mut contracts: Vec<&dyn Contracts> = Vec::new();
    for ledger in opened {
        match ledger {
            BookLedger::Utxo(ledger) => outputs.push(ledger),
            BookLedger::Account(ledger) => contracts.push(ledger),
        }
    }
    from_ledgers(&outputs, &contracts, known)
}

/// What the protocol itself recorded.
fn in_records(home: &Home, args: &ThorchainArgs, scheme: Scheme) -> Result<Vec<Claim>, Failure> {
    let mut records = Records::new(scheme);
    let mut added = Added::default();
    for path in &args.files {
        let more = read(path, &mut records)?;
        added.blocks += more.blocks;
        added.actions += more.actions;
        added.registrations += more.registrations;
    }
    let scales = scales(args)?;
    let book = if home.exists()? { Some(home.open()?) } else { None };
    let names: Vec<String> =
        args.files.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned()).collect();
    let source = format!("{} records: {}", scheme.as_str(), short(&names));
    let of_book = book.as_ref().map(book_scales).transpose()?.unwrap_or_default();
    let scale = |ledger: &LedgerId, asset: &str| {
        scales.get(asset).copied().or_else(|| of_book.get(&(ledger.clone(), asset.to_owned())).copied())
    };
    let paired = pair(&records, &source, &scale);
    tell(args, &records, added, &paired);
    Ok(paired.claims)
}

/// The decimals that the book's ledgers have.
fn book_scales(book: &Book) -> Result<BTreeMap<(LedgerId, String), u8>, Failure> {
    let mut scales = BTreeMap::new();
    for id in book.ledgers()? {
        let opened = book.ledger(&id)?;
        let ledger = opened.as_ledger();
        for asset in (0..ledger.assets()).map(|at| ledger.asset(ledger::AssetId(at))) {
            scales.insert((id.clone(), asset.symbol.clone()), asset.scale);
        }
    }
    Ok(scales)
}

/// Names of files for a link's source: a few, and how many more.
fn short(names: &[String]) -> String {
    match names {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        _ => names.join(", "),
    }
}

fn scales(args: &ThorchainArgs) -> Result<BTreeMap<&str, u8>, Failure> {
    let read = |text: &'_ String| {
        let (asset, scale) = text.rsplit_once('=')?;
        Some((asset.len(), scale.parse().ok()?))
    };
    args.scale
        .iter()
        .map(|text| {
            let wrong = || Failure::bad_input(format!("--scale {text}: write ASSET=N, as eip155:1/erc20:0x…=6"));
            let (length, scale) = read(text).ok_or_else(wrong)?;
            Ok((&text[..length], scale))
        })
        .collect()
}

/// A small file of text.
pub fn table(path: &Path) -> Result<String, Failure> {
    let wrong =
        |error: &dyn std::fmt::Display| Failure::bad_input(format!("{}: cannot be read: {error}", path.display()));
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(TABLE_BYTES_MAX + 1).read_to_string(&mut text));
    read.map_err(|error| wrong(&error))?;
    if text.len() as u64 > TABLE_BYTES_MAX {
        return Err(wrong(&format!("it is longer than {TABLE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

/// The documents of a file: one a line, or the file as a whole.
fn read(path: &Path, records: &mut Records) -> Result<Added, Failure> {
    let name = path.display();
    let unreadable = |error: std::io::Error| Failure::bad_input(format!("{name}: cannot be read: {error}"));
    let file = File::open(path)
        .map_err(|error| Failure::bad_input(format!("{name}: cannot be read: {error}; check the path")))?;
    let mut plain = BufReader::new(file);
    let packed = plain.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
    let mut input: Box<dyn BufRead> =
        if packed { Box::new(BufReader::new(MultiGzDecoder::new(plain))) } else { Box::new(plain) };
    let limit = DOCUMENT_BYTES_MAX as u64 + 1;
    let (mut added, mut line, mut number) = (Added::default(), Vec::new(), 0u64);
    loop {
        line.clear();
        number += 1;
        if input.by_ref().take(limit).read_until(b'\n', &mut line).map_err(unreadable)? == 0 {
            return Ok(added);
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        // A document on several lines: then the file is one document.
        if number == 1 && serde_json::from_slice::<&serde_json::value::RawValue>(&line).is_err() {
            input.by_ref().take(limit - (line.len() as u64).min(limit)).read_to_end(&mut line).map_err(unreadable)?;
        }
        let text = std::str::from_utf8(&line)
            .map_err(|error| Failure::bad_input(format!("{name}:{number}: no UTF-8: {error}")))?;
        let more = records.add(text).map_err(|error| Failure::bad_input(format!("{name}:{number}: {error}")))?;
        added.blocks += more.blocks;
        added.actions += more.actions;
        added.registrations += more.registrations;
    }
}

fn tell(args: &ThorchainArgs, records: &Records, added: Added, paired: &Paired) {
    let (problems, unsaid) = records.problems();
    warn(problems, unsaid);
    warn(&paired.problems, 0);
    for part in paired.aside.iter().take(LISTED_MAX) {
        say(format!("paid aside: {part}"));
    }
    if args.waiting {
        for (id, inbound, memo) in paired.waiting.iter().take(LISTED_MAX) {
            let coin = inbound.coins.first().map_or_else(String::new, |coin| format!("{} {}", coin.amount, coin.asset));
            let to = match memo {
                Memo::Swap(swap) => format!("{} to {}", swap.asset, swap.destination.escape_default()),
                _ => String::new(),
            };
            say(format!("waiting: {} on {}: {coin} for {to}", id.to_ascii_uppercase(), inbound.chain));
        }
    }
    let between = records.blocks().map_or_else(String::new, |(_, first, last)| format!(" ({first} to {last})"));
    say(format!(
        "{}{between}, {}, {} read; {}, {} waiting",
        counted(added.blocks, "block"),
        counted(added.actions, "action"),
        counted(added.registrations, "registered memo"),
        plural(paired.claims.len(), "link"),
        plural(paired.waiting.len(), "swap")
    ));
}

fn warn(problems: &[String], unsaid: u64) {
    for problem in problems.iter().take(LISTED_MAX) {
        say(format!("warning: {problem}"));
    }
    let more = (problems.len().saturating_sub(LISTED_MAX)) as u64 + unsaid;
    if more > 0 {
        say(format!("warning: and {} more", counted(more, "problem")));
    }
}

fn keep(home: &Home, args: &ThorchainArgs, claims: Vec<Claim>) -> Result<Exit, Failure> {
    let kept: Vec<Kept> = claims.into_iter().map(|claim| Kept { claim, withdrawn: None }).collect();
    if args.json {
        let mut out = stdout();
        for kept in &kept {
            writeln!(out, "{}", link::line(kept))?;
        }
        out.flush()?;
    }
    if !args.dry_run {
        let mut store = LinkStore::open(&home.create()?)?;
        let entry = Entry { did: "thorchain", note: args.note.clone(), ..Entry::default() };
        let new = store.take_in(kept, args.again, entry)?;
        say(format!("{} new; the book has {}", counted(new, "link"), grouped(&store.links.len().to_string())));
    }
    Ok(Exit::Done)
}
