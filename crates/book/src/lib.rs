//! The ledgers on disk: append-only columns, look-ups, one commit at a time.
//!
//! A [`Book`] is a folder; each of its ledgers is a folder of columns that readers map into memory and one writer at a
//! time appends to. A commit is a length: what a manifest does not count is not there, so a writer may be killed at any
//! instant. The same input makes the same bytes, however it was cut into batches and whatever interrupted it.
//!
//! It does not decode sources (`decode`, `feed`), and it does not trace. The format is described in `docs/book.md`.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use book::{Book, BookLedger};
//! use ledger::{AccountLeg, AccountTransaction, LegKind, LedgerId, Time};
//! use money::{Amount, Asset};
//!
//! let folder = tempfile::tempdir()?;
//! let book = Book::create(folder.path().join("book"))?;
//! let id = LedgerId::parse("table:example")?;
//! let mut writer = book.account_writer(&id)?;
//! writer.declare_asset(&Asset { symbol: "EUR".into(), scale: 2 })?;
//! let leg = AccountLeg {
//!     from: None,
//!     to: Some("alice".into()),
//!     asset: "EUR".into(),
//!     amount: Amount::new(500),
//!     fee: Amount::ZERO,
//!     kind: LegKind::Transfer,
//! };
//! writer.push(&AccountTransaction { name: "t1".into(), time: Time::parse("2024-01-01")?, legs: vec![leg] })?;
//! writer.commit()?;
//!
//! let open = book.ledger(&id)?;
//! let ledger = open.as_ledger();
//! let alice = ledger.purses(ledger.find_holder("alice").ok_or("alice was paid")?)[0];
//! assert_eq!(ledger.balance(alice, ledger.end()), Amount::new(500));
//! # Ok(())
//! # }
//! ```

mod account;
mod annex;
mod chain;
#[cfg(test)]
mod collision_tests;
mod column;
mod disk;
mod error;
mod filter;
mod folder;
mod holders;
mod journal;
mod lookup;
mod manifest;
mod map;
mod names;
mod numbers;
mod patches;
mod recent;
mod rest;
mod run;
mod snapshot;
#[cfg(test)]
mod spill_tests;
mod store;
mod together;
mod utxo;

pub use account::{AccountLedger, AccountWriter, GapRun};
pub use annex::{Annex, AnnexSpec, AnnexWriter, CommitMark};
pub use chain::{Block, Heads, Pushed, Tip};
pub use column::partition_point;
pub use error::{BookError, DeedError};
pub use folder::{Book, BookLedger};
pub use manifest::Source;
pub use names::{ASSETS_MAX, NAME_BYTES_MAX};
pub use store::{BATCH_BYTES, BATCH_BYTES_MAX, BATCH_ROWS};
pub use utxo::{UtxoLedger, UtxoWriter};

/// The version of the format on disk.
pub const FORMAT: u32 = 2;
