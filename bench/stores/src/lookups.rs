//! Look-ups from a 32-byte key to a number: the book's sorted runs against `redb` and `fjall`.
//!
//! The book cannot be asked for a look-up alone: its "fill" lays down a whole ledger of transactions without inputs, and
//! "runs alone" is how long it takes to make the look-up's files anew from the keys. The keys themselves are a column
//! that the ledger has anyway; the table counts it for the book, so that all stores hold the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bench_common::clock::{Times, Took, once, rate_text, three_digits};
use bench_common::table::{grouped, print};
use bench_common::{Result, folder};
use book::{Book, BookLedger, UtxoWriter};
use ledger::{Ledger as _, LedgerId, Time, UtxoBlock, UtxoOutput, UtxoTransaction, txid_text};
use money::{Amount, Asset};
use sha2::{Digest as _, Sha256};

use crate::chain::{Numbers, key};
use crate::rivals::{Fjall, Lookup, Redb};

/// Keys of one commit; the book's own batches are of this order.
const BATCH: u64 = 100_000;
const READS: u64 = 500_000;
const RUNS: usize = 5;
/// What a reorganisation of one block takes back.
const UNDONE: u64 = 2_000;
/// Stores are filled a second time up to this size, to compare their bytes.
const TWICE_UP_TO: u64 = 1_000_000;

/// One store's line.
#[derive(Default)]
struct Row {
    name: String,
    fill: String,
    disk: u64,
    hits: String,
    misses: String,
    undo: String,
    same_bytes: Option<bool>,
}

/// All stores with so many keys.
pub fn race(count: u64) -> Result<()> {
    let keys: Vec<[u8; 32]> = (0..count).map(key).collect();
    let asked = Asked::of(&keys);
    let rows = [book_row(&keys, &asked)?, rival_row::<Redb>(&keys, &asked)?, rival_row::<Fjall>(&keys, &asked)?];
    let text = |row: &Row| {
        let same = row.same_bytes.map_or("–", |same| if same { "yes" } else { "no" });
        let per_key = three_digits(row.disk as f64 / count as f64);
        let cells = [&row.name, &row.fill, &per_key, &row.hits, &row.misses, &row.undo, same];
        cells.map(str::to_owned).to_vec()
    };
    let head = ["store", "fill", "bytes per key", "hits", "misses", "take back 2,000", "same bytes twice"];
    print(&format!("**{} keys**", grouped(count)), &head, &rows.each_ref().map(text));
    Ok(())
}

/// The keys that every store is asked for, in the same random order.
struct Asked {
    hits: Vec<[u8; 32]>,
    misses: Vec<[u8; 32]>,
    /// What the found numbers add up to.
    sum: u64,
}

impl Asked {
    fn of(keys: &[[u8; 32]]) -> Self {
        let count = keys.len() as u64;
        let mut numbers = Numbers(5);
        let hits: Vec<u64> = (0..READS).map(|_| numbers.below(count)).collect();
        Self {
            sum: hits.iter().sum(),
            hits: hits.into_iter().map(|number| keys[usize::try_from(number).expect("in memory")]).collect(),
            misses: (0..READS).map(|at| key(count + at)).collect(),
        }
    }
}

fn rival_row<L: Lookup>(keys: &[[u8; 32]], asked: &Asked) -> Result<Row> {
    let home = folder::empty(&format!("lookups-{}", L::NAME))?;
    let (store, took) = once(|| fill::<L>(keys, &home));
    drop(store?);
    let disk = folder::disk_bytes(&home)?;
    let mut store = L::open(&home)?;
    let ask = |keys: &[[u8; 32]]| {
        let (mut sum, mut found) = (0, 0u64);
        store.find(keys, |number| {
            sum += number.unwrap_or(0);
            found += u64::from(number.is_some());
        })?;
        Ok::<_, Box<dyn std::error::Error>>((sum, found))
    };
    // Once to warm up, and to be sure of the answers.
    assert_eq!(ask(&asked.hits)?, (asked.sum, READS));
    assert_eq!(ask(&asked.misses)?, (0, 0));
    let hits = Times::of(RUNS, || ask(&asked.hits));
    let misses = Times::of(RUNS, || ask(&asked.misses));
    let undone = usize::try_from(UNDONE)?.min(keys.len());
    let (removed, undo) = once(|| store.remove(&keys[keys.len() - undone..]));
    removed?;
    drop(store);
    Ok(Row {
        name: L::NAME.to_owned(),
        fill: format!("{} keys/s", rate_text(keys.len() as f64 / took.wall.as_secs_f64())),
        disk,
        hits: format!("{}/s", rate_text(hits.core_rate(READS))),
        misses: format!("{}/s", rate_text(misses.core_rate(READS))),
        undo: wall_and_core(undo),
        same_bytes: twice(keys, |home| fill::<L>(keys, home).map(drop))?,
    })
}

fn fill<L: Lookup>(keys: &[[u8; 32]], home: &Path) -> Result<L> {
    let mut store = L::open(home)?;
    for (batch, keys) in (0..).zip(keys.chunks(usize::try_from(BATCH)?)) {
        store.add(batch * BATCH, keys)?;
    }
    store.settle()?;
    Ok(store)
}

const HOLDER: &str = "script:51";
const RUN_PREFIX: &str = "transactions-by-txid.";

fn book_row(keys: &[[u8; 32]], asked: &Asked) -> Result<Row> {
    let home = folder::empty("lookups-book")?;
    let id = LedgerId::parse("table:race")?;
    let (filled, took) = once(|| fill_book(keys, &home, &id));
    filled?;
    let book = Book::open(&home)?;
    let files = ledger_files(&home)?;
    let is_run = |name: &str| name.starts_with(RUN_PREFIX);
    let disk = files.iter().filter(|(name, _)| is_run(name) || *name == "txids").map(|(_, bytes)| bytes).sum();
    let folder = ledger_folder(&home)?;
    let remake = remake_runs(&book, &id, &folder)?;
    let BookLedger::Utxo(ledger) = book.ledger(&id)? else { return Err("a UTXO ledger was written".into()) };
    // The public way in is text; reading it is part of the figure.
    let text = |keys: &[[u8; 32]]| keys.iter().map(txid_text).collect::<Vec<_>>();
    let (hit_texts, miss_texts) = (text(&asked.hits), text(&asked.misses));
    let ask = |texts: &[String]| {
        let found = texts.iter().filter_map(|text| ledger.find_transaction(text));
        found.fold((0, 0u64), |(sum, found), seq| (sum + seq.0, found + 1))
    };
    assert_eq!(ask(&hit_texts), (asked.sum, READS));
    assert_eq!(ask(&miss_texts), (0, 0));
    let hits = Times::of(RUNS, || ask(&hit_texts));
    let misses = Times::of(RUNS, || ask(&miss_texts));
    drop(ledger);
    let mut writer = open_writer(&book, &id)?;
    let (undone, undo) = once(|| writer.undo(1));
    undone?;
    let fill = format!(
        "{} keys/s whole ledger, {} keys/s runs alone",
        rate_text(keys.len() as f64 / took.wall.as_secs_f64()),
        rate_text(remake.core_rate(keys.len() as u64))
    );
    Ok(Row {
        name: "book, sorted runs".to_owned(),
        fill,
        disk,
        hits: format!("{}/s", rate_text(hits.core_rate(READS))),
        misses: format!("{}/s", rate_text(misses.core_rate(READS))),
        undo: wall_and_core(undo),
        same_bytes: twice(keys, |home| fill_book(keys, home, &id))?,
    })
}

/// `5.0 ms, 1.2 ms of a core`: the difference is mostly waiting for the disk.
fn wall_and_core(took: Took) -> String {
    let Times { wall, core } = Times::from(vec![took]);
    format!("{}, {} of a core", wall.text(), core.text())
}

fn open_writer(book: &Book, id: &LedgerId) -> Result<UtxoWriter> {
    Ok(book.utxo_writer(id, &Asset { symbol: "BTC".into(), scale: 8 })?)
}

/// A ledger of transactions without inputs, in blocks of [`UNDONE`].
fn fill_book(keys: &[[u8; 32]], home: &Path, id: &LedgerId) -> Result<()> {
    let mut writer = open_writer(&Book::create(home)?, id)?;
    let hash = |height: u64| <[u8; 32]>::from(Sha256::digest(height.to_le_bytes()));
    for (height, keys) in (0..).zip(keys.chunks(usize::try_from(UNDONE)?)) {
        let output = UtxoOutput { amount: Amount::new(1), holder: HOLDER.into() };
        let transaction = |txid: &[u8; 32]| UtxoTransaction {
            txid: *txid,
            inputs: Vec::new(),
            outputs: vec![output.clone()],
            fee: None,
        };
        writer.push_block(&UtxoBlock {
            height,
            hash: hash(height),
            previous: height.checked_sub(1).map(hash),
            time: Time::from_micros(0),
            transactions: keys.iter().map(transaction).collect(),
        })?;
        if writer.is_full() {
            writer.commit()?;
        }
    }
    Ok(writer.commit()?)
}

/// Loses the runs and lets the book make them again from the keys. Ledgers below one run have none.
fn remake_runs(book: &Book, id: &LedgerId, folder: &Path) -> Result<Times> {
    let mut took = Vec::new();
    for _ in 0..3 {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(RUN_PREFIX)) {
                fs::remove_file(path)?;
            }
        }
        let (opened, time) = once(|| open_writer(book, id));
        opened?;
        took.push(time);
    }
    Ok(Times::from(took))
}

fn ledger_folder(home: &Path) -> Result<std::path::PathBuf> {
    let mut entries = fs::read_dir(home.join("ledgers"))?;
    Ok(entries.next().ok_or("the book has a ledger")??.path())
}

fn ledger_files(home: &Path) -> Result<BTreeMap<String, u64>> {
    let name = |entry: fs::DirEntry| Ok((entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len()));
    fs::read_dir(ledger_folder(home)?)?.map(|entry| name(entry?)).collect()
}

/// Whether filling twice gives the same files.
fn twice(keys: &[[u8; 32]], fill: impl Fn(&Path) -> Result<()>) -> Result<Option<bool>> {
    if keys.len() as u64 > TWICE_UP_TO {
        return Ok(None);
    }
    let mut digests = Vec::new();
    for name in ["lookups-once", "lookups-twice"] {
        let home = folder::empty(name)?;
        fill(&home)?;
        let mut files = BTreeMap::new();
        digest_files(&home, &home, &mut files)?;
        digests.push(files);
        fs::remove_dir_all(&home)?;
    }
    Ok(Some(digests[0] == digests[1]))
}

fn digest_files(root: &Path, folder: &Path, into: &mut BTreeMap<String, [u8; 32]>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            digest_files(root, &path, into)?;
        } else {
            let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
            into.insert(name, Sha256::digest(fs::read(&path)?).into());
        }
    }
    Ok(())
}
