//! Rulings: evidence that is retracted or restored, and addresses that are no one party's. Each is a line in a file that
//! only grows, with who, when and why.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use book::{Book, UtxoLedger};
use cluster::{Order, Ruling, RulingError, Rulings, Target};
use ledger::{LedgerId, address};
use upkeep::RULINGS_FILE;

use super::{chosen, update};
use crate::cli::{ChainArg, PairArgs, RulingArgs, Said};
use crate::commands::{now, say, stdout};
use crate::exit::{Exit, Failure};
use crate::home::Home;

/// Retracts or restores evidence.
pub fn evidence(home: &Home, args: &RulingArgs, order: Order) -> Result<Exit, Failure> {
    let mut target = Target::parse(&args.evidence).map_err(Failure::bad_input)?;
    let book = home.open()?;
    let (id, coins) = chosen(&book, &args.on)?;
    if let Target::Wrap(name) = &mut target {
        *name = canonical(&id, name)?;
    }
    record(&book, &coins, &id, ruling(order, target, &args.said))
}

/// Keeps two addresses apart, or no longer.
pub fn pair(home: &Home, args: &PairArgs, order: Order) -> Result<Exit, Failure> {
    let book = home.open()?;
    let (id, coins) = chosen(&book, &args.on)?;
    let (one, other) = (canonical(&id, &args.one)?, canonical(&id, &args.other)?);
    if one == other {
        return Err(Failure::bad_input("these are one address"));
    }
    record(&book, &coins, &id, ruling(order, Target::Pair(one, other), &args.said))
}

fn canonical(id: &LedgerId, text: &str) -> Result<String, Failure> {
    address::canonical(id, text).map_err(|error| Failure::bad_input(format!("{text}: {error}")))
}

fn ruling(order: Order, target: Target, said: &Said) -> Ruling {
    let date = said.date.clone().unwrap_or_else(today);
    Ruling { order, target, date, by: said.by.clone(), reason: said.reason.clone() }
}

/// The day, in UTC.
fn today() -> String {
    now().split('T').next().unwrap_or_default().to_owned()
}

fn path(book: &Book, id: &LedgerId) -> PathBuf {
    book.kept_folder(id).join(RULINGS_FILE)
}

fn read(book: &Book, id: &LedgerId) -> Result<Rulings, Failure> {
    let path = path(book, id);
    let bad = |error: RulingError| Failure::internal(format!("{}: {error}", path.display()));
    match fs::read_to_string(&path) {
        Ok(text) => Rulings::parse(&text).map_err(bad),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Rulings::default()),
        Err(error) => Err(Failure::internal(format!("{}: {error}", path.display()))),
    }
}

/// Adds a ruling to the list, and brings clusters and exposure up by it.
fn record(book: &Book, coins: &UtxoLedger, id: &LedgerId, ruling: Ruling) -> Result<Exit, Failure> {
    let mut rulings = read(book, id)?;
    let line = ruling.line() + "\n";
    rulings.push(ruling).map_err(Failure::bad_input)?;
    // What was just added may be refused when it is read again, as an over-long line is; so it is read first.
    let rulings = Rulings::parse(&rulings.text()).map_err(Failure::bad_input)?;
    if rulings.resolve(coins).unknown.contains(&(rulings.list().len() - 1)) {
        return Err(Failure::missing(format!("{id} has nothing of that name, so there is nothing to rule on")));
    }
    let path = path(book, id);
    let failed = |error: std::io::Error| Failure::internal(format!("{}: {error}", path.display()));
    fs::create_dir_all(book.kept_folder(id)).map_err(failed)?;
    let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    let report = update(book, id)?;
    say(format!(
        "recorded; the exposure category of {} changed, and {} came out other than before",
        crate::output::text::counted(report.recategorised, "holder"),
        crate::output::text::counted(report.corrected, "transaction"),
    ));
    Ok(Exit::Done)
}

/// Prints the list as it is kept.
pub fn list(home: &Home, on: &ChainArg) -> Result<Exit, Failure> {
    let book = home.open()?;
    let (id, coins) = chosen(&book, on)?;
    let rulings = read(&book, &id)?;
    let mut out = stdout();
    out.write_all(rulings.text().as_bytes())?;
    out.flush()?;
    for place in rulings.resolve(&coins).unknown {
        say(format!("ruling {} names something that {id} does not have (any more, or yet)", place + 1));
    }
    Ok(Exit::Done)
}
