//! Columns: a chain's transactions and outputs as rows of 8 bytes, in a plain mapped file and in `vecdb`; and in the book,
//! read the public way.
//!
//! Filled in batches; a spent output's row is changed when its spender comes, as a ledger must. Read at random, and
//! walked from one transaction over everything that descends from it.

use std::path::Path;

use bench_common::clock::{Times, Took, once, rate_text, three_digits};
use bench_common::table::{grouped, print};
use bench_common::{Result, folder};
use book::{Book, BookLedger, UtxoLedger};
use ledger::{End, Ledger as _, LedgerId, Leg, Seq};
use money::Asset;
use vecdb::{AnyStoredVec as _, BytesVec, Database, ImportableVec as _, MutableVec, Version, WritableVec as _};

use crate::chain::{Chain, Numbers, UNSPENT};
use crate::plain::{Plain, PlainWriter};

const BATCH: u64 = 100_000;
const READS: u64 = 2_000_000;
const RUNS: usize = 5;
const COLUMNS: [&str; 3] = ["first-output", "value", "spent-by"];

/// A store's columns, open for reading: what a walk and a random read ask of them.
trait Columns {
    /// The first output of a transaction.
    fn first_output(&self, seq: usize) -> u64;
    /// The transaction that spends an output, or [`UNSPENT`].
    fn spent_by(&self, output: usize) -> u64;
    /// An output's value.
    fn value(&self, output: usize) -> u64;
}

/// All stores on a chain of so many transactions.
pub fn race(transactions: u64) -> Result<()> {
    let chain = Chain::of(transactions);
    let mut rows = Vec::new();
    for (name, durable) in [("plain, each batch synced", true), ("plain", false)] {
        let home = folder::empty("columns-plain")?;
        let (filled, took) = once(|| fill_plain(&chain, &home, durable));
        filled?;
        rows.push(row(name, &chain, &home, took, || open_plain(&home))?);
    }
    let home = folder::empty("columns-vecdb")?;
    let (filled, took) = once(|| fill_vecdb(&chain, &home));
    filled?;
    rows.push(row("vecdb", &chain, &home, took, || open_vecdb(&home))?);
    rows.push(book_row(&chain)?);
    let head = ["store", "fill", "on disk", "open", "random reads", "walk"];
    let title = format!("**{} transactions, {} outputs**", grouped(transactions), grouped(chain.outputs()));
    print(&title, &head, &rows);
    Ok(())
}

fn row<C: Columns>(
    name: &str,
    chain: &Chain,
    home: &Path,
    fill: Took,
    open: impl Fn() -> Result<C>,
) -> Result<Vec<String>> {
    let columns = open()?;
    let end = chain.rows.len();
    let opened = Times::of(RUNS, || open().map(|columns| columns.first_output(end - 1)));
    let outputs = chain.outputs();
    let sum = read_at_random(&columns, outputs);
    let read = Times::of(RUNS, || assert_eq!(read_at_random(&columns, outputs), sum));
    let edges = walk(&columns, end, outputs);
    let walked = Times::of(RUNS, || assert_eq!(walk(&columns, end, outputs), edges));
    let bytes = 8 * (end as u64 + 2 * outputs);
    Ok(vec![
        name.to_owned(),
        format!("{} MB/s", three_digits(bytes as f64 / fill.wall.as_secs_f64() / 1e6)),
        format!("{} MB", three_digits(folder::disk_bytes(home)? as f64 / 1e6)),
        opened.wall.text(),
        format!("{}/s", rate_text(read.core_rate(READS))),
        format!("{} edges/s", rate_text(walked.core_rate(edges))),
    ])
}

fn read_at_random<C: Columns>(columns: &C, outputs: u64) -> u64 {
    let mut numbers = Numbers(11);
    (0..READS).fold(0, |sum, _| {
        let output = usize::try_from(numbers.below(outputs)).expect("in memory");
        sum ^ columns.value(output) ^ columns.spent_by(output)
    })
}

/// Everything that descends from the first coinbase; how many outputs were looked at.
fn walk<C: Columns>(columns: &C, end: usize, outputs: u64) -> u64 {
    walk_with(end, |seq, next| {
        let first = columns.first_output(seq);
        let after = if seq + 1 < end { columns.first_output(seq + 1) } else { outputs };
        for output in first..after {
            let output = usize::try_from(output).expect("in memory");
            next.push((columns.value(output), columns.spent_by(output)));
        }
    })
}

fn walk_with(end: usize, mut outputs_of: impl FnMut(usize, &mut Vec<(u64, u64)>)) -> u64 {
    let mut reached = vec![false; end];
    let (mut agenda, mut outputs) = (vec![0], Vec::new());
    let (mut edges, mut value_sum) = (0, 0u64);
    while let Some(seq) = agenda.pop() {
        outputs.clear();
        outputs_of(seq, &mut outputs);
        for (value, spender) in &outputs {
            edges += 1;
            value_sum = value_sum.wrapping_add(*value);
            if *spender != UNSPENT {
                let spender = usize::try_from(*spender).expect("in memory");
                if !std::mem::replace(&mut reached[spender], true) {
                    agenda.push(spender);
                }
            }
        }
    }
    std::hint::black_box(value_sum);
    edges
}

/// What a filled store is told, batch by batch.
fn fill(chain: &Chain, mut push: impl FnMut(Push) -> Result<()>) -> Result<()> {
    let end = chain.rows.len() as u64;
    for (seq, row) in (0..).zip(&chain.rows) {
        push(Push::Transaction { first_output: row.first_output })?;
        for output in chain.outputs_of(seq) {
            push(Push::Output { value: chain.values[usize::try_from(output)?] })?;
        }
        for output in &row.spends {
            push(Push::Spend { output: *output, by: seq })?;
        }
        if (seq + 1) % BATCH == 0 || seq + 1 == end {
            push(Push::Commit)?;
        }
    }
    Ok(())
}

enum Push {
    Transaction { first_output: u64 },
    Output { value: u64 },
    Spend { output: u64, by: u64 },
    Commit,
}

fn fill_plain(chain: &Chain, home: &Path, durable: bool) -> Result<()> {
    let mut columns = COLUMNS.map(|name| PlainWriter::create(&home.join(name)));
    fill(chain, |push| {
        let [Ok(first_outputs), Ok(values), Ok(spent_by)] = &mut columns else {
            return Err("cannot make a file".into());
        };
        match push {
            Push::Transaction { first_output } => first_outputs.push(first_output),
            Push::Output { value } => {
                values.push(value);
                spent_by.push(UNSPENT);
            }
            Push::Spend { output, by } => spent_by.set(output, by),
            Push::Commit => {
                for column in [first_outputs, values, spent_by] {
                    column.write(durable)?;
                }
            }
        }
        Ok(())
    })
}

struct PlainColumns([Plain; 3]);

fn open_plain(home: &Path) -> Result<PlainColumns> {
    let [a, b, c] = COLUMNS.map(|name| Plain::open(&home.join(name)));
    Ok(PlainColumns([a?, b?, c?]))
}

impl Columns for PlainColumns {
    #[inline]
    fn first_output(&self, seq: usize) -> u64 {
        self.0[0].get(seq)
    }

    #[inline]
    fn value(&self, output: usize) -> u64 {
        self.0[1].get(output)
    }

    #[inline]
    fn spent_by(&self, output: usize) -> u64 {
        self.0[2].get(output)
    }
}

type Vector = BytesVec<usize, u64>;

fn fill_vecdb(chain: &Chain, home: &Path) -> Result<()> {
    let database = Database::open(home)?;
    let mut first_outputs = Vector::import(&database, COLUMNS[0], Version::ONE)?;
    let mut values = Vector::import(&database, COLUMNS[1], Version::ONE)?;
    let mut spent_by = MutableVec::<Vector>::import(&database, COLUMNS[2], Version::ONE)?;
    let mut committed = 0;
    let mut updates = Vec::new();
    fill(chain, |push| {
        match push {
            Push::Transaction { first_output } => first_outputs.push(first_output),
            Push::Output { value } => {
                values.push(value);
                spent_by.push(UNSPENT);
            }
            Push::Spend { output, by } => {
                let output = usize::try_from(output)?;
                match output.checked_sub(committed) {
                    Some(in_tail) => spent_by.pushed_mut()[in_tail] = by,
                    None => updates.push((output, by)),
                }
            }
            Push::Commit => {
                spent_by.update_many(updates.drain(..))?;
                first_outputs.write()?;
                values.write()?;
                spent_by.write()?;
                database.flush();
                committed = values.stored_len();
            }
        }
        Ok(())
    })
}

type VectorReader = vecdb::BytesVecReader<usize, u64>;

/// A reader holds its database open.
struct VecdbColumns([VectorReader; 3]);

fn open_vecdb(home: &Path) -> Result<VecdbColumns> {
    let database = Database::open(home)?;
    let reader = |name| Ok::<_, vecdb::Error>(Vector::import(&database, name, Version::ONE)?.reader());
    let spent_by = MutableVec::<Vector>::import(&database, COLUMNS[2], Version::ONE)?.reader();
    Ok(VecdbColumns([reader(COLUMNS[0])?, reader(COLUMNS[1])?, spent_by]))
}

impl Columns for VecdbColumns {
    #[inline]
    fn first_output(&self, seq: usize) -> u64 {
        self.0[0].get_at(seq)
    }

    #[inline]
    fn value(&self, output: usize) -> u64 {
        self.0[1].get_at(output)
    }

    #[inline]
    fn spent_by(&self, output: usize) -> u64 {
        self.0[2].get_at(output)
    }
}

/// The book: the same chain with everything that a ledger has (holders, ids, look-ups, fees, links both ways), read as
/// legs through [`ledger::Ledger::transaction`].
fn book_row(chain: &Chain) -> Result<Vec<String>> {
    let home = folder::empty("columns-book")?;
    let id = LedgerId::parse("table:race")?;
    let (filled, fill) = once(|| fill_book(chain, &home, &id));
    filled?;
    let book = Book::open(&home)?;
    let open = || match book.ledger(&id) {
        Ok(BookLedger::Utxo(ledger)) => ledger,
        other => panic!("a UTXO ledger was written: {other:?}"),
    };
    let opened = Times::of(RUNS, || open().outputs());
    let ledger = open();
    let edges = walk_book(&ledger);
    let walked = Times::of(RUNS, || assert_eq!(walk_book(&ledger), edges));
    let bytes = folder::disk_bytes(&home)?;
    Ok(vec![
        "book, whole".to_owned(),
        format!("{} MB/s", three_digits(bytes as f64 / fill.wall.as_secs_f64() / 1e6)),
        format!("{} MB", three_digits(bytes as f64 / 1e6)),
        opened.wall.text(),
        "–".to_owned(),
        format!("{} edges/s", rate_text(walked.core_rate(edges))),
    ])
}

fn walk_book(ledger: &UtxoLedger) -> u64 {
    let mut legs: Vec<Leg> = Vec::new();
    let end = usize::try_from(ledger.end().0).expect("in memory");
    walk_with(end, |seq, next| {
        ledger.transaction(Seq(seq as u64), &mut legs);
        for leg in legs.iter().filter(|leg| matches!(leg.payee, End::Purse(_))) {
            let value = u64::try_from(leg.amount.units()).expect("made from 64 bits");
            next.push((value, leg.payee_next.map_or(UNSPENT, |seq| seq.0)));
        }
    })
}

/// Fills a book with the chain, committing whenever a batch is full.
pub fn fill_book(chain: &Chain, home: &Path, id: &LedgerId) -> Result<()> {
    let mut writer = Book::create(home)?.utxo_writer(id, &Asset { symbol: "BTC".into(), scale: 8 })?;
    for block in chain.blocks() {
        writer.push_block(&block)?;
        if writer.is_full() {
            writer.commit()?;
        }
    }
    Ok(writer.commit()?)
}
