//! The manifest: how long each column is. Replacing it is the commit.
//!
//! Two lines: JSON, and the SHA-256 of the first line, so that a torn or edited manifest is told from a whole one. It
//! holds no time, no count of commits and nothing else that depends on how the input was cut into batches.

use std::fs;
use std::io;
use std::path::Path;

use ledger::{Kind, LedgerId, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::account::Spelling;
use crate::chain::Heads;
use crate::column::Spec;
use crate::{BookError, FORMAT, disk};

pub(crate) const MANIFEST: &str = "manifest";
/// A manifest larger than this is none of ours; a source takes some 120 bytes.
const MANIFEST_BYTES_MAX: u64 = 64 << 20;

/// The digest of a manifest's bytes: which commit a journal belongs to.
pub(crate) type Base = [u8; 32];

/// How far a source has been taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What identifies the source: the SHA-256, in hex, of its bytes and of the options that shape how it is read.
    pub digest: String,
    /// The sequence numbers `[from, until)` of its transactions, in pieces where other sources came between.
    pub taken: Vec<[u64; 2]>,
    /// Whether all of it is in.
    pub done: bool,
}

impl Source {
    /// How many of its transactions are in the ledger.
    pub fn transactions(&self) -> u64 {
        self.taken.iter().map(|[from, until]| until - from).sum()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) ledger: String,
    pub(crate) kind: KindName,
    /// Each column's name and number of rows. Optional ones that have none are left out.
    pub(crate) columns: Vec<(String, u64)>,
    /// How names lie in columns, if not as they are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) names: Option<Spelling>,
    /// On chains that say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) heads: Option<Heads>,
    pub(crate) sources: Vec<Source>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KindName {
    Utxo,
    Account,
}

impl From<Kind> for KindName {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Utxo => Self::Utxo,
            Kind::Account => Self::Account,
        }
    }
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Utxo => Self::Utxo,
            KindName::Account => Self::Account,
        }
    }
}

impl Manifest {
    pub(crate) fn new(ledger: &LedgerId, kind: Kind, specs: &[Spec]) -> Self {
        let mut new = Self {
            format: FORMAT,
            ledger: ledger.as_str().to_owned(),
            kind: kind.into(),
            columns: Vec::new(),
            names: if kind == Kind::Account { Spelling::of_new(ledger) } else { None },
            heads: None,
            sources: Vec::new(),
        };
        new.set_rows(specs, specs.iter().map(|_| 0));
        new
    }

    /// Counts so many rows in each column, in the order of `specs`.
    pub(crate) fn set_rows(&mut self, specs: &[Spec], rows: impl Iterator<Item = u64>) {
        let counted = specs.iter().zip(rows).filter(|(spec, rows)| !spec.is_optional || *rows > 0);
        self.columns = counted.map(|(spec, rows)| (spec.name.to_owned(), rows)).collect();
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("plain fields become JSON");
        let digest = Sha256::digest(&bytes);
        bytes.push(b'\n');
        bytes.extend_from_slice(hex::text(&digest).as_bytes());
        bytes.push(b'\n');
        bytes
    }

    pub(crate) fn base(&self) -> Base {
        Sha256::digest(self.bytes()).into()
    }

    /// Deletes what a writer that was killed while it wrote a manifest has left.
    pub(crate) fn clear(folder: &Path) -> Result<(), BookError> {
        disk::remove(&disk::unfinished(&folder.join(MANIFEST)))
    }

    /// Reads the manifest of a ledger's folder; `None` where nothing was ever committed.
    pub(crate) fn read(folder: &Path, ledger: &LedgerId) -> Result<Option<Self>, BookError> {
        let path = folder.join(MANIFEST);
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BookError::io("open", &path)(error)),
            Ok(meta) if meta.len() > MANIFEST_BYTES_MAX => {
                return Err(BookError::damaged(&path, "it is larger than any manifest"));
            }
            Ok(_) => {}
        }
        let bytes = fs::read(&path).map_err(BookError::io("read", &path))?;
        let manifest = Self::parse(&bytes).map_err(|what| BookError::damaged(&path, what))?;
        if manifest.format != FORMAT {
            return Err(BookError::OtherFormat { path, found: manifest.format });
        }
        if manifest.ledger != ledger.as_str() {
            return Err(BookError::damaged(&path, format!("it is that of ledger {:?}", manifest.ledger)));
        }
        Ok(Some(manifest))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let at = bytes.iter().position(|byte| *byte == b'\n').ok_or("it is cut off")?;
        let manifest: Self =
            serde_json::from_slice(&bytes[..at]).map_err(|error| format!("it is no manifest ({error})"))?;
        if manifest.bytes() != bytes {
            return Err("its checksum is wrong".to_owned());
        }
        Ok(manifest)
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<(), BookError> {
        disk::replace(&folder.join(MANIFEST), &self.bytes())
    }

    /// The rows of each column, in the order of `specs`.
    pub(crate) fn rows(&self, folder: &Path, specs: &[Spec]) -> Result<Vec<u64>, BookError> {
        let mut columns = self.columns.iter().peekable();
        let rows: Option<Vec<u64>> = specs
            .iter()
            .map(|spec| match columns.next_if(|column| column.0 == spec.name) {
                Some(column) => Some(column.1),
                None => spec.is_optional.then_some(0),
            })
            .collect();
        rows.filter(|_| columns.next().is_none())
            .ok_or_else(|| BookError::damaged(folder.join(MANIFEST), "it names other columns than this format has"))
    }
}

/// Makes sources forget the transactions from `end` on.
pub(crate) fn shorten_sources(sources: &mut Vec<Source>, end: u64) {
    for source in sources.iter_mut() {
        let before = source.transactions();
        for piece in &mut source.taken {
            piece[1] = piece[1].min(end);
        }
        source.taken.retain(|[from, until]| from < until);
        source.done &= source.transactions() == before;
    }
    sources.retain(|source| source.done || !source.taken.is_empty());
}
