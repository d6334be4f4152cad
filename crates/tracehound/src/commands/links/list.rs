//! `tracehound links list` and `show`: the book's links, one to a line or with both sides.

use std::io::Write;

use book::{Book, BookLedger};
use ledger::{Ledger, LedgerId};
use link::{Claim, Class, Kept, Side};
use money::Amount;

use crate::cli::ListLinksArgs;
use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::home::{Home, LINKS_FILE, read_kept};

fn kept(book: &Book) -> Result<Vec<Kept>, Failure> {
    Ok(read_kept(book, LINKS_FILE, link::from_ndjson)?.unwrap_or_default())
}

fn sides(claim: &Claim) -> [&Side; 2] {
    [&claim.from, &claim.to]
}

fn is_of(claim: &Claim, tx: &str) -> bool {
    sides(claim).iter().any(|side| side.tx.eq_ignore_ascii_case(tx))
}

pub fn list(home: &Home, args: &ListLinksArgs) -> Result<Exit, Failure> {
    let book = home.open()?;
    let ledger = args.ledger.as_deref().map(LedgerId::parse).transpose();
    let ledger = ledger.map_err(|error| Failure::bad_input(format!("--ledger: {error}")))?;
    let mut links = kept(&book)?;
    links.retain(|kept| {
        (args.all || kept.withdrawn.is_none())
            && args.tx.as_deref().is_none_or(|tx| is_of(&kept.claim, tx))
            && args.protocol.as_deref().is_none_or(|protocol| kept.claim.protocol == protocol)
            && ledger.as_ref().is_none_or(|ledger| sides(&kept.claim).iter().any(|side| side.ledger == *ledger))
    });
    let mut out = stdout();
    if args.json {
        link::write_ndjson(&links, &mut out)?;
    } else {
        let scales = Scales::of(&book, &links);
        for kept in &links {
            let claim = &kept.claim;
            let (from, to) = (scales.amount(&claim.from), scales.amount(&claim.to));
            let back = if kept.withdrawn.is_some() { " (taken back)" } else { "" };
            writeln!(
                out,
                "{}  {}  {}  {} {} → {} {}{back}",
                claim.id(),
                claim.protocol,
                sure(claim),
                claim.from.ledger,
                from,
                claim.to.ledger,
                to
            )?;
        }
        if links.is_empty() {
            say("the book has no such link");
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// How it was found, and how likely it is where that is not sure.
fn sure(claim: &Claim) -> String {
    match claim.class {
        Class::Deterministic => claim.class.as_str().to_owned(),
        Class::UniqueCandidate => format!("{} {}", claim.class.as_str(), claim.probability),
        Class::Candidates(count) => format!("one of {count}, {}", claim.probability),
    }
}

pub fn show(home: &Home, what: &str, json: bool) -> Result<Exit, Failure> {
    let book = home.open()?;
    let mut links = kept(&book)?;
    links.retain(|kept| kept.claim.id() == what || is_of(&kept.claim, what));
    if links.is_empty() {
        let text = format!("{what}: the book has no such link; `tracehound links list` shows them");
        return Err(Failure::missing(text));
    }
    let scales = Scales::of(&book, &links);
    let mut out = stdout();
    for kept in &links {
        if json {
            writeln!(out, "{}", link::line(kept))?;
        } else {
            write(&mut out, kept, &scales)?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn write(out: &mut impl Write, kept: &Kept, scales: &Scales) -> std::io::Result<()> {
    let claim = &kept.claim;
    writeln!(out, "link         {}", claim.id())?;
    writeln!(out, "protocol     {}", claim.protocol)?;
    writeln!(out, "found        {}, by {} version {}", sure(claim), claim.method, claim.version)?;
    for (name, side) in [("in", &claim.from), ("out", &claim.to)] {
        let index = side.index.map(|index| format!(", log or output {index}")).unwrap_or_default();
        writeln!(out, "{name:<13}{} on {}", scales.amount(side), side.ledger)?;
        writeln!(out, "             {}{index}", side.tx)?;
        if let Some(holder) = &side.holder {
            writeln!(out, "             to {holder}")?;
        }
        if let Some(time) = side.time {
            writeln!(out, "             {time}")?;
        }
    }
    if claim.share != link::Portion::ONE {
        writeln!(out, "share        {} of what went in", claim.share)?;
    }
    writeln!(out, "evidence     {}", claim.evidence)?;
    writeln!(out, "source       {}", claim.source)?;
    if let Some(note) = &kept.withdrawn {
        let note = if note.is_empty() { String::new() } else { format!(": {note}") };
        writeln!(out, "taken back{note}")?;
    }
    writeln!(out)
}

/// The ledgers of the links that are in the book: they know how many decimals their assets have.
struct Scales(Vec<BookLedger>);

impl Scales {
    fn of(book: &Book, links: &[Kept]) -> Self {
        let wanted: std::collections::BTreeSet<&LedgerId> =
            links.iter().flat_map(|kept| sides(&kept.claim)).map(|side| &side.ledger).collect();
        let there = book.ledgers().unwrap_or_default();
        Self(there.iter().filter(|id| wanted.contains(id)).filter_map(|id| book.ledger(id).ok()).collect())
    }

    /// In the asset's unit; in base units where nothing tells its decimals.
    fn amount(&self, side: &Side) -> String {
        let ledgers = self.0.iter().map(|opened| match opened {
            BookLedger::Utxo(ledger) => ledger as &dyn Ledger,
            BookLedger::Account(ledger) => ledger as &dyn Ledger,
        });
        let found = ledgers.filter(|ledger| *ledger.id() == side.ledger).find_map(|ledger| {
            let asset = ledger.find_asset(&side.asset)?;
            Some(ledger.asset(asset).text(Amount::new(side.units)))
        });
        match found {
            Some(amount) => format!("{amount} {}", side.asset),
            None => format!("{} base units of {}", side.units, side.asset),
        }
    }
}
