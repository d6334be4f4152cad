//! What the tests of this room share: a book in a temporary folder, and a ledger as text.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod bitcoind;
pub mod evm_node;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use book::Book;
use decode::table::TableOptions;
use feed::{FeedError, Report, TableIngest, ingest_table};
use ledger::{End, Ledger, LedgerId, Seq};

pub struct Desk {
    pub folder: tempfile::TempDir,
    pub book: Book,
}

impl Desk {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::create(folder.path().join("book")).unwrap();
        Self { folder, book }
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Ingests bytes as a file of that name.
    pub fn table(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<Report, FeedError> {
        let path = self.file(name, bytes);
        ingest_table(&self.book, &path, &ingest(&[]), &mut ())
    }

    /// What an ingest says: an error's line with the bare file name, or what was added.
    pub fn outcome(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        match self.table(name, bytes) {
            Err(error) => self.bare(&error),
            Ok(report) if report.was_already_there() => "already there".to_owned(),
            Ok(report) => {
                let ledgers = report.ledgers.iter().map(|ledger| format!("{} +{}", ledger.ledger, ledger.added));
                ledgers.collect::<Vec<_>>().join(", ")
            }
        }
    }

    pub fn bare(&self, error: &FeedError) -> String {
        error.to_string().replace(&format!("{}/", self.folder.path().display()), "")
    }

    pub fn dump(&self, ledger: &str) -> String {
        let id = LedgerId::parse(ledger).unwrap();
        dump(self.book.ledger(&id).unwrap().as_ledger())
    }
}

/// Options with `ledger=table:t` as a default; each mapping is `column F=N`, `default F=V`, `scale A=N` or `scientific`.
pub fn ingest(mappings: &[&str]) -> TableIngest {
    let mut options = TableOptions::default();
    options.set_default("ledger=table:t").unwrap();
    let mut ingest = TableIngest::new(options);
    for mapping in mappings {
        match mapping.split_once(' ') {
            Some(("column", mapping)) => ingest.options.set_column(mapping).unwrap(),
            Some(("default", mapping)) => ingest.options.set_default(mapping).unwrap(),
            Some(("scale", mapping)) => {
                let (asset, scale) = mapping.split_once('=').unwrap();
                ingest.scales.insert(asset.to_owned(), scale.parse().unwrap());
            }
            _ => ingest.options.scientific = true,
        }
    }
    ingest
}

/// Every transaction with its legs, by names.
pub fn dump(ledger: &dyn Ledger) -> String {
    let mut text = String::new();
    let mut legs = Vec::new();
    for seq in (0..ledger.end().0).map(Seq) {
        write!(text, "{} {}", ledger.transaction_name(seq), ledger.stamp(seq).time).unwrap();
        ledger.transaction(seq, &mut legs);
        for leg in &legs {
            let end = |end: End| {
                end.purse().map_or(format!("{end:?}"), |purse| ledger.holder_name(ledger.purse(purse).holder))
            };
            let asset = ledger.asset(leg.asset);
            write!(text, " | {}>{} {} {}", end(leg.payer), end(leg.payee), asset.text(leg.amount), asset.symbol)
                .unwrap();
        }
        text.push('\n');
    }
    text
}

/// A data set beside the repository, or a loud word that it is not there.
pub fn data(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is missing", path.display());
    None
}
