//! What follows from a ledger and its tags, kept beside it in the book: verdicts, clusters, exposure, each brought up to
//! the ledger's last block by the same code, whether that is one block or all of them.
//!
//! [`bring_up()`] writes, [`Kept`] reads. Nothing here is the only copy of anything: what is kept may be deleted at any time.
//! The rules themselves are in the rooms `cluster`, `exposure` and `know`; this room knows files and order.

mod as_of;
mod blocks;
mod bring_up;
mod clustering;
mod error;
mod keeper;
mod kept;
mod kinds;
mod mixing;
mod report;
mod spec;
mod standings;
mod stops;
mod tags;

pub use as_of::{AsOf, AsOfBlock};
pub use bring_up::{Pace, Progress};
pub use error::UpkeepError;
pub use keeper::{Keeper, bring_up, bring_up_at};
pub use kept::{INHERITED_MAX, INHERITED_READ_MAX, Inherited, Kept};
pub use report::{Report, Stage, Step};
pub use standings::{CLAIMS_KEPT_MAX, Known};
pub use stops::{ACTORS_FILE, CATEGORIES_FILE, actors, stops};
pub use tags::TAGS_FILE;

/// Rulings on a ledger's clusters, beside its annexes.
pub const RULINGS_FILE: &str = "rulings.ndjson";
