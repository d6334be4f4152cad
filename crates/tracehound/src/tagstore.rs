//! What a book keeps of tags is changed here: tags and actors replaced whole, and a line of history for each change.
//!
//! `tags-history.ndjson` is only ever appended to. Each line says what was done, how many tags came and went, and what the
//! tags' file hashed to before and after; so a change by anything else shows as a gap, and is written down as one. Who did
//! it, when and why is what the user says (`--note`): the same commands make the same bytes. Whoever holds the store holds
//! a lock on that file: two imports at once wait for one another.

use std::path::PathBuf;

use book::Book;
use know::{Actors, Claim, PackHash};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;
use crate::history::{Hashed, History, replace};
use crate::home::{ACTORS_FILE, TAGS_FILE, read_actors, read_kept};

/// The history of a book's tags.
const HISTORY_FILE: &str = "tags-history.ndjson";
/// The schema of every line.
const HISTORY_SCHEMA: &str = "tracehound/tags-history/1";

/// One thing that was done.
#[derive(Debug, Default, Serialize)]
pub struct Entry {
    /// `import`, `withdraw`, `categories`, or `found` for a change that nothing here made.
    pub did: &'static str,
    /// Of which pack, address or source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Who, when and why, as the user said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Tags that the file has.
    pub read: u64,
    /// Of them, those that the book had not.
    pub new: u64,
    /// Tags that the book has no longer.
    pub gone: u64,
    /// Entries of the file that could not be used.
    pub bad: u64,
    /// Statements about actors that the file has.
    pub actors: u64,
    /// Of those of the book, how many are gone.
    pub actors_gone: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    schema: &'static str,
    #[serde(flatten)]
    entry: &'a Entry,
    tags_before: Option<&'a str>,
    tags_after: Option<&'a str>,
}

#[derive(Deserialize)]
struct Last {
    tags_after: Option<String>,
}

/// A book's tags, and the right to change them.
pub struct TagStore {
    folder: PathBuf,
    history: History,
    pub claims: Vec<Claim>,
    pub actors: Actors,
    /// What the tags' file hashes to; nothing where there is none.
    hash: Option<PackHash>,
}

impl TagStore {
    /// Opens a book's tags, and waits for whoever is changing them.
    pub fn open(book: &Book) -> Result<Self, Failure> {
        let folder = book.folder().to_owned();
        let history = History::open(&folder, HISTORY_FILE)?;
        let mut digest = None;
        let claims = read_kept(book, TAGS_FILE, |file| {
            let mut hashed = Hashed::new(file);
            let claims = know::from_ndjson(&mut hashed);
            digest = Some(hashed.hash());
            claims
        })?;
        let mut store =
            Self { folder, history, claims: claims.unwrap_or_default(), actors: read_actors(book)?, hash: digest };
        store.note_gap()?;
        Ok(store)
    }

    /// What somebody else changed is written down as that.
    fn note_gap(&mut self) -> Result<(), Failure> {
        let last = self.last()?;
        let now = self.hash.map(|hash| hash.to_string());
        if last.as_ref().is_none_or(|last| last.tags_after == now) && (last.is_some() || now.is_none()) {
            return Ok(());
        }
        let entry = Entry { did: "found", ..Entry::default() };
        let before = last.and_then(|last| last.tags_after);
        self.append(&[entry], before.as_deref(), now.as_deref())
    }

    /// The last line of the history, if it is one.
    fn last(&mut self) -> Result<Option<Last>, Failure> {
        let last = self.history.last()?;
        // A line that was cut off by a crash is nothing; the next begins on its own.
        Ok(last.and_then(|line| serde_json::from_slice(&line).ok()))
    }

    /// Replaces tags and actors, and writes down what was done. Actors first: names alone stop nothing.
    pub fn commit(&mut self, claims: Vec<Claim>, actors: Actors, entries: &[Entry]) -> Result<(), Failure> {
        if actors != self.actors {
            replace(&self.folder, ACTORS_FILE, |out| know::write_actors(&actors, out))?;
        }
        let mut after = self.hash;
        if claims != self.claims || after.is_none() {
            after = Some(replace(&self.folder, TAGS_FILE, |out| know::write_ndjson(&claims, out))?);
        }
        let (before, now) = (self.hash.map(|hash| hash.to_string()), after.map(|hash| hash.to_string()));
        (self.claims, self.actors, self.hash) = (claims, actors, after);
        self.append(entries, before.as_deref(), now.as_deref())
    }

    /// Writes down what was done besides tags and actors.
    pub fn note(&mut self, entry: Entry) -> Result<(), Failure> {
        let hash = self.hash.map(|hash| hash.to_string());
        self.append(&[entry], hash.as_deref(), hash.as_deref())
    }

    fn append(&mut self, entries: &[Entry], before: Option<&str>, after: Option<&str>) -> Result<(), Failure> {
        let mut text = Vec::new();
        for entry in entries {
            let (tags_before, tags_after) = (before, after);
            let line = Line { schema: HISTORY_SCHEMA, entry, tags_before, tags_after };
            serde_json::to_writer(&mut text, &line)?;
            text.push(b'\n');
        }
        self.history.append(&text)
    }
}
