//! `tracehound screen QUERY`: what is known of an address or a transaction, and what the user's rules say of it.

mod history;

use std::fs::File;
use std::io::Write;
use std::path::Path;

use book::{Book, BookLedger};
use decode::DecodeError;
use feed::node::{Bitcoind, FollowError, NodeError, Rpc, mempool_transaction};
use ledger::{LedgerId, txid_bytes};
use screen::remember::Remembered;
use screen::{
    Answer, Asked, Categories, DEFAULT_RULES, KeptChain, RULES_BYTES_MAX, RuleBook, Screener, Source, Status, Tags,
};
use upkeep::TAGS_FILE;

use self::history::Since;
use crate::cli::{NodeArgs, ScreenArgs};
use crate::commands::{follow, now, stdout};
use crate::exit::{Exit, Failure};
use crate::home::{Home, ledgers, read_tags};
use crate::keeping;
use crate::output::screen::Page;
use crate::output::screen_json::Writer;

pub fn run(home: &Home, args: &ScreenArgs) -> Result<Exit, Failure> {
    if args.print_rules {
        stdout().write_all(DEFAULT_RULES.as_bytes())?;
        return Ok(Exit::Done);
    }
    let categories = Categories::new(know::EXPOSURE_CATEGORIES);
    let rules = rules(args.rules.as_deref(), &categories)?;
    let asked = asked(args)?;
    if asked.is_empty() && args.since.is_none() && args.file.is_none() {
        return Err(Failure::bad_input("nothing to screen; give an address, a transaction id, or --file"));
    }
    let since = args.since.as_deref().map(Since::parse).transpose()?;
    let book = home.open()?;
    let ids = ledgers(&book, args.ledger.as_deref())?;
    let opened: Vec<BookLedger> = ids.iter().map(|id| book.ledger(id)).collect::<Result<_, _>>()?;
    if !args.as_kept {
        for (id, opened) in ids.iter().zip(&opened) {
            if matches!(opened, BookLedger::Utxo(_)) {
                keeping::bring_up(&book, id)?;
            }
        }
    }
    let version = tags_version(&book)?;
    let sources = ids.iter().zip(&opened).map(|(id, opened)| source(&book, id, opened, &version));
    let sources = sources.collect::<Result<_, _>>()?;
    let tags = Tags::new(version.clone(), upkeep::stops(&book)?, || read_tags(&book).map_err(Failure::into_text));
    let screener = Screener::new(sources, tags, rules, categories);
    match since {
        Some(since) => history::again(&book, &screener, args, since),
        None => all(&book, &screener, args, &asked),
    }
}

/// A ledger with what is kept of it.
fn source<'a>(book: &Book, id: &LedgerId, opened: &'a BookLedger, tags: &str) -> Result<Source<'a>, Failure> {
    let BookLedger::Utxo(chain) = opened else { return Ok(Source::new(opened, None, None)) };
    let Some(kept) = KeptChain::open(book, id, chain).map_err(Failure::internal)? else {
        let stale = "no clusters and no exposure are kept of this chain; screen without --as-kept";
        return Ok(Source::new(opened, None, Some(stale.to_owned())));
    };
    let stale = kept.lags(tags);
    Ok(Source::new(opened, Some(Box::new(kept)), stale))
}

/// The SHA-256 of the book's tags, as they are in the file; nothing where there are none.
fn tags_version(book: &Book) -> Result<String, Failure> {
    let path = book.folder().join(TAGS_FILE);
    let failed = |error: std::io::Error| Failure::internal(format!("{}: {error}", path.display()));
    match File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(failed(error)),
        Ok(file) => screen::say::digest_of(file).map_err(failed),
    }
}

fn rules(path: Option<&Path>, categories: &Categories) -> Result<RuleBook, Failure> {
    let Some(path) = path else {
        return RuleBook::parse(DEFAULT_RULES.as_bytes(), categories).map_err(Failure::internal);
    };
    let name = path.display().to_string();
    let unreadable = |error: std::io::Error| Failure::bad_input(format!("{name}: {error}"));
    let mut bytes = Vec::new();
    // One byte more than is taken, so that a larger file is told from one of just that size.
    let limit = RULES_BYTES_MAX as u64 + 1;
    std::io::Read::read_to_end(&mut std::io::Read::take(File::open(path).map_err(unreadable)?, limit), &mut bytes)
        .map_err(unreadable)?;
    RuleBook::parse(&bytes, categories).map_err(|fault| Failure::bad_input(fault.in_file(&name)))
}

/// What is asked: on the command line, then in the file.
fn asked(args: &ScreenArgs) -> Result<Vec<Asked>, Failure> {
    let typed = args.queries.iter().map(|query| Asked { line: 0, query: query.clone(), fault: None });
    let mut asked: Vec<Asked> = typed.collect();
    let Some(path) = &args.file else { return Ok(asked) };
    let (name, read) = if path.as_os_str() == "-" {
        ("standard input".to_owned(), screen::queries(std::io::stdin().lock()))
    } else {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| Failure::bad_input(format!("{name}: {error}")))?;
        (name, screen::queries(file))
    };
    asked.extend(read.map_err(|error| match error {
        DecodeError::Fault(fault) => Failure::bad_input(fault.in_file(&name)),
        DecodeError::Read(error) => Failure::bad_input(format!("{name}: {error}")),
    })?);
    Ok(asked)
}

/// How answers are printed.
struct Printer<'a> {
    page: Page<'a>,
    json: Writer<'a>,
    args: &'a ScreenArgs,
}

impl<'a> Printer<'a> {
    fn new(screener: &'a Screener<'_>, args: &'a ScreenArgs) -> Self {
        let (rules, categories) = (screener.rules(), screener.categories());
        Self { page: Page { rules, categories }, json: Writer { rules, categories }, args }
    }

    fn answer(&self, out: &mut impl Write, answer: &Answer) -> Result<(), Failure> {
        if self.args.json {
            return self.json.answer(out, answer);
        }
        let text = if self.args.brief { self.page.brief(answer) } else { self.page.full(answer) };
        Ok(out.write_all(text.as_bytes())?)
    }
}

fn all(book: &Book, screener: &Screener<'_>, args: &ScreenArgs, asked: &[Asked]) -> Result<Exit, Failure> {
    let printer = Printer::new(screener, args);
    let mut out = stdout();
    let mut worst = Status::Clear;
    let mut kept = Vec::new();
    let when = now();
    let node = args.node.rpc.is_some().then(|| connect(&args.node)).transpose()?;
    for one in asked {
        for answer in answers(screener, node.as_ref(), one)? {
            worst = worst.max(answer.status);
            printer.answer(&mut out, &answer)?;
            if args.remember && answer.status != Status::BadInput {
                kept.push(Remembered::of(&answer, screener.rules(), screener.categories(), &when));
            }
        }
    }
    out.flush()?;
    history::append(book, &kept)?;
    Ok(exit(worst))
}

fn connect(args: &NodeArgs) -> Result<Bitcoind, Failure> {
    let (address, login) = follow::node(args)?;
    Bitcoind::connect(Rpc::new(address, login, &feed::node::BITCOIN)).map_err(of_node)
}

fn of_node(error: NodeError) -> Failure {
    FollowError::from(error).into()
}

/// What the book answers; of a transaction that it does not have, what the node's mempool does.
fn answers(screener: &Screener<'_>, node: Option<&Bitcoind>, asked: &Asked) -> Result<Vec<Answer>, Failure> {
    let answers = screener.ask(asked).map_err(Failure::internal)?;
    let is_unknown = |answer: &Answer| answer.status == Status::Unknown && answer.found.is_none();
    let Some((node, txid)) = node.zip(txid_bytes(asked.query.trim())) else { return Ok(answers) };
    if !answers.iter().all(is_unknown) {
        return Ok(answers);
    }
    let Some((entry, transaction)) = mempool_transaction(node, &txid).map_err(of_node)? else { return Ok(answers) };
    let pending = screener.pending(asked, &node.identity().ledger, &transaction, entry.fee);
    Ok(pending.map_err(Failure::internal)?.map_or(answers, |answer| vec![answer]))
}

const fn exit(worst: Status) -> Exit {
    match worst {
        Status::Clear => Exit::Done,
        Status::Unknown | Status::Stale => Exit::Missing,
        Status::BadInput => Exit::BadInput,
        Status::Review => Exit::Review,
        Status::Hit => Exit::Hit,
    }
}
