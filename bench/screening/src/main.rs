//! Times screenings in one process: addresses picked at even distances over a chain, each asked once.
//!
//! `tags` prints a table of tags for one holder in so many, with all categories in turn, for a chain that nobody tagged.
//! `ask` answers; what is timed is the whole answer with its rules, not its printing. Cold is what it is called by whoever
//! has emptied the page cache before. What the figures mean is in docs/bench/screening.md.

use std::io::{BufWriter, Write as _};
use std::time::{Duration, Instant};

use bench_common::table::grouped;
use bench_common::{Result, machine};
use book::{Book, BookLedger, UtxoLedger};
use ledger::{HolderId, Ledger as _, LedgerId};
use screen::{Asked, Categories, DEFAULT_RULES, KeptChain, RuleBook, Screener, Source, Tags};

const USAGE: &str = "usage: bench-screening tags BOOK LEDGER ONE_IN | ask BOOK LEDGER COUNT [FIRST]";
/// Categories in turn, each with what a tag of it may be called.
const WORDS: [&str; 12] = [
    "exchange",
    "hosted_wallet",
    "gambling",
    "mixing_service",
    "bridge",
    "market",
    "exchange",
    "scam",
    "darknet_crime",
    "ransomware",
    "theft",
    "sanction",
];

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tags", book, ledger, one_in] => tags(book, ledger, one_in.parse()?),
        ["ask", book, ledger, count] => ask(book, ledger, count.parse()?, 0),
        ["ask", book, ledger, count, first] => ask(book, ledger, count.parse()?, first.parse()?),
        _ => Err(USAGE.into()),
    }
}

fn chain(opened: &BookLedger) -> Result<&UtxoLedger> {
    match opened {
        BookLedger::Utxo(chain) => Ok(chain),
        BookLedger::Account(_) => Err("a ledger of accounts".into()),
    }
}

fn tags(book: &str, ledger: &str, one_in: u64) -> Result<()> {
    let opened = Book::open(book)?.ledger(&LedgerId::parse(ledger)?)?;
    let chain = chain(&opened)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "address,label,category,source,confidence")?;
    let mut nth = 0;
    for holder in (0..chain.holders()).step_by(usize::try_from(one_in)?) {
        let name = chain.holder_name(HolderId(holder));
        if !name.contains(':') {
            writeln!(out, "{name},service-{nth},{},https://example.org,service_data", WORDS[nth % WORDS.len()])?;
            nth += 1;
        }
    }
    Ok(out.flush()?)
}

fn ask(book: &str, ledger: &str, count: u64, first: u64) -> Result<()> {
    machine::print();
    let start = Instant::now();
    let (book, id) = (Book::open(book)?, LedgerId::parse(ledger)?);
    let opened = book.ledger(&id)?;
    let chain = chain(&opened)?;
    let kept = KeptChain::open(&book, &id, chain)?.ok_or("nothing is kept of it; run `tracehound clusters update`")?;
    let categories = Categories::new(know::EXPOSURE_CATEGORIES);
    let rules = RuleBook::parse(DEFAULT_RULES.as_bytes(), &categories).map_err(|fault| fault.in_file("default"))?;
    let source = Source::new(&opened, Some(Box::new(kept)), None);
    let none = Tags::new(String::new(), know::Stops::default(), || Ok(Vec::new()));
    let screener = Screener::new(vec![source], none, rules, categories);
    let opening = start.elapsed();
    let step = usize::try_from(chain.holders() / count)?.max(1);
    let picks = (first..chain.holders()).step_by(step).map(|holder| chain.holder_name(HolderId(holder)));
    let asked: Vec<Asked> = picks.map(|query| Asked { line: 0, query, fault: None }).collect();
    let mut took: Vec<Duration> = Vec::new();
    let mut findings = 0;
    for one in &asked {
        let start = Instant::now();
        let answers = screener.ask(one)?;
        took.push(start.elapsed());
        findings += answers.len();
    }
    took.sort_unstable();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    println!(
        "{} holders; opened in {:.1} ms; {findings} answers",
        grouped(chain.holders()),
        opening.as_secs_f64() * 1e3
    );
    let sum: Duration = took.iter().sum();
    println!("| addresses | p50 | p90 | p99 | p99.9 | most | all |\n|---|---|---|---|---|---|---|");
    println!(
        "| {} | {:.3} ms | {:.3} ms | {:.2} ms | {:.2} ms | {:.1} ms | {:.2} s |",
        grouped(took.len() as u64),
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(1.0),
        sum.as_secs_f64()
    );
    Ok(())
}
