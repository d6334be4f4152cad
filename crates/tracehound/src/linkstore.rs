//! What a book keeps of links is changed here: the list replaced whole, and a line of history for each change.
//!
//! It works as the store of tags does (`tagstore`): `links-history.ndjson` says what was done, how many links came and
//! went, and what the file hashed to before and after. Whoever holds the store holds a lock on that file.

use std::path::PathBuf;

use book::Book;
use know::PackHash;
use link::Kept;
use serde::{Deserialize, Serialize};

use crate::exit::Failure;
use crate::history::{Hashed, History, replace};
use crate::home::{LINKS_FILE, read_kept};

/// The history of a book's links.
const HISTORY_FILE: &str = "links-history.ndjson";
/// The schema of every line.
const HISTORY_SCHEMA: &str = "tracehound/links-history/1";

/// One thing that was done.
#[derive(Debug, Default, Serialize)]
pub struct Entry {
    /// `find`, `import`, `withdraw`, or `found` for a change that nothing here made.
    pub did: &'static str,
    /// Of which file, method, source or link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Who, when and why, as the user said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Links that came in.
    pub read: u64,
    /// Of them, those that the book had not.
    pub new: u64,
    /// Links that were taken back.
    pub withdrawn: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    schema: &'static str,
    #[serde(flatten)]
    entry: &'a Entry,
    links_before: Option<String>,
    links_after: Option<String>,
}

#[derive(Deserialize)]
struct Last {
    links_after: Option<String>,
}

/// A book's links, and the right to change them.
pub struct LinkStore {
    folder: PathBuf,
    history: History,
    pub links: Vec<Kept>,
    /// What the links' file hashes to; nothing where there is none.
    hash: Option<PackHash>,
}

impl LinkStore {
    /// Opens a book's links, and waits for whoever is changing them.
    pub fn open(book: &Book) -> Result<Self, Failure> {
        let folder = book.folder().to_owned();
        let history = History::open(&folder, HISTORY_FILE)?;
        let mut hash = None;
        let links = read_kept(book, LINKS_FILE, |file| {
            let mut hashed = Hashed::new(file);
            let links = link::from_ndjson(&mut hashed);
            hash = Some(hashed.hash());
            links
        })?;
        let mut store = Self { folder, history, links: links.unwrap_or_default(), hash };
        // A line that was cut off by a crash is nothing.
        let last: Option<Last> = store.history.last()?.and_then(|line| serde_json::from_slice(&line).ok());
        let known = last.and_then(|last| last.links_after);
        if known != hash.map(|hash| hash.to_string()) {
            store.append(&Entry { did: "found", ..Entry::default() }, known)?;
        }
        Ok(store)
    }

    /// Takes links in, and says how many are new and how many changed.
    pub fn take_in(&mut self, more: Vec<Kept>, again: bool, mut entry: Entry) -> Result<u64, Failure> {
        entry.read = more.len() as u64;
        let before = self.links.len();
        let merged = link::merged(self.links.clone(), more, again);
        entry.new = (merged.len() - before) as u64;
        let new = entry.new;
        self.commit(merged, &entry)?;
        Ok(new)
    }

    /// Replaces the links, and writes down what was done.
    pub fn commit(&mut self, links: Vec<Kept>, entry: &Entry) -> Result<(), Failure> {
        let before = self.hash.map(|hash| hash.to_string());
        if links != self.links || self.hash.is_none() {
            self.hash = Some(replace(&self.folder, LINKS_FILE, |out| link::write_ndjson(&links, out))?);
        }
        self.links = links;
        self.append(entry, before)
    }

    fn append(&mut self, entry: &Entry, links_before: Option<String>) -> Result<(), Failure> {
        let links_after = self.hash.map(|hash| hash.to_string());
        let mut text = Vec::new();
        serde_json::to_writer(&mut text, &Line { schema: HISTORY_SCHEMA, entry, links_before, links_after })?;
        text.push(b'\n');
        self.history.append(&text)
    }
}
