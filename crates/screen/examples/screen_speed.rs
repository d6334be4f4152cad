//! How long a screening takes: `screen_speed BOOK LEDGER [COUNT]` brings up what is kept, asks about so many addresses that
//! lie evenly in the ledger, twice, and prints percentiles of each round. For figures of a cold cache drop it before.

use std::time::Instant;

use book::{Book, BookLedger};
use ledger::{HolderId, Ledger as _, LedgerId};
use screen::{Asked, Categories, DEFAULT_RULES, KeptChain, RuleBook, Screener, Source, Tags};

fn main() {
    let mut args = std::env::args().skip(1);
    let (folder, id) = (args.next().expect("a book"), args.next().expect("a ledger"));
    let count: u64 = args.next().map_or(1_000, |count| count.parse().expect("a count"));
    let book = Book::open(folder).expect("a book");
    let id = LedgerId::parse(&id).expect("a ledger's id");
    let start = Instant::now();
    let report = upkeep::bring_up(&book, &id, &mut |_| true).expect("it can be brought up");
    println!("brought up in {:.3} s: {} transactions judged", start.elapsed().as_secs_f64(), report.judged);
    let opened = book.ledger(&id).expect("the ledger is there");
    let BookLedger::Utxo(chain) = &opened else { panic!("a chain") };
    let step = (chain.holders() / count).max(1);
    let holders = (0..chain.holders()).step_by(usize::try_from(step).expect("small"));
    let asked: Vec<Asked> = holders
        .take(usize::try_from(count).expect("small"))
        .map(|holder| Asked { line: 0, query: chain.holder_name(HolderId(holder)), fault: None })
        .collect();
    let start = Instant::now();
    let kept = KeptChain::open(&book, &id, chain).expect("it can be read").expect("it was brought up");
    println!("opened in {:.3} ms", start.elapsed().as_secs_f64() * 1e3);
    let categories = Categories::new(know::EXPOSURE_CATEGORIES);
    let rules = RuleBook::parse(DEFAULT_RULES.as_bytes(), &categories).expect("the built-in rules");
    let tags = Tags::new(String::new(), know::Stops::default(), || Ok(Vec::new()));
    let screener = Screener::new(vec![Source::new(&opened, Some(Box::new(kept)), None)], tags, rules, categories);
    for round in ["first", "second"] {
        let mut micros: Vec<u128> = asked
            .iter()
            .map(|one| {
                let start = Instant::now();
                screener.ask(one).expect("it answers");
                start.elapsed().as_micros()
            })
            .collect();
        micros.sort_unstable();
        let at = |permille: usize| micros[(micros.len() - 1) * permille / 1_000];
        println!(
            "{round} round of {}: p50 {} µs, p90 {} µs, p99 {} µs, most {} µs",
            micros.len(),
            at(500),
            at(900),
            at(990),
            at(1_000)
        );
    }
}
