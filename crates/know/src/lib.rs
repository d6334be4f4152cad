//! What is known about holders: tags as claims, and what they make of a trace.
//!
//! A [`Claim`] is what somebody says of an address: a label, a category, an abuse, an actor, with its source, date and
//! confidence. Claims are never facts and never merged; they can be retracted, and everything that follows from them is
//! computed anew. [`Stops`] reads them against a ledger: which holders end a trace (custodians, mixers, bridges), which
//! let value pass (swap pools), which carry a risk. What a category means stands in `rules/categories.csv`.
//!
//! This room traces nothing, opens no file and reads no clock. What it says can be read in `docs/tags.md`.

mod actor;
mod basis;
mod claim;
mod conflicts;
mod exposure;
mod kept;
mod listed;
mod pack;
mod rules;
mod scope;
mod standing;
mod stops;
mod table;

pub use actor::{ACTORS_SCHEMA, Actor, Actors, from_actor_pack, read_actors, write_actors};
pub use basis::Basis;
pub use claim::{Claim, PackHash, Scope};
pub use conflicts::{Conflict, ConflictKind, Side, folded_address};
pub use decode::Text;
pub use exposure::{EXPOSURE_CATEGORIES, exposure_category, exposure_is_risk};
pub use kept::{CLAIMS_MAX, SCHEMA, from_line, from_ndjson, merged, to_ndjson, write_ndjson};
pub use listed::from_wallet_list;
pub use pack::from_tag_pack;
pub use rules::{Rule, Rules, StopKind, word};
pub use standing::{Standing, Standings, entity_key};
pub use stops::{Problem, ProblemKind, Risk, Stop, StopSet, Stops};
pub use table::from_csv;
