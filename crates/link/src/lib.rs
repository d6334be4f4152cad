//! Links between ledgers: what went into a bridge here came out there, as claims with a class and a probability.
//!
//! A link is never a fact of either ledger, however sure it is: each names its method, version, source and evidence, and
//! can be taken back ([`Claim`]). This room decodes what bridges and mixing pools wrote, after a registry that is data,
//! and matches what no message ties together. It does no I/O, and it does not follow money (`trace` does).

mod claim;
mod crossing;
pub mod find;
mod kept;
pub mod matcher;
pub mod outside;
pub mod pools;
pub mod registry;
pub mod swapper;
pub mod thorchain;

pub use claim::{Claim, Class, Portion, Side};
pub use crossing::{Crossing, Direction};
pub use find::{Found, Problem, ProblemKind, find};
pub use kept::{CLAIMS_MAX, Kept, SCHEMA, excess, from_ndjson, line, merged, write_ndjson};
pub use registry::Registry;
