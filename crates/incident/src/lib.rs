//! Incidents: who was robbed of what, who says so, and where a trace starts.
//!
//! An [`Incident`] is read from a file that a person writes ([`Incident::parse`], `docs/incidents.md`) and written back
//! ([`Incident::to_yaml`]); [`resolve()`] finds on a ledger the movements that it names. What sources say (worth,
//! attribution, recoveries) is kept as they say it, side by side, and never becomes a fact. This room follows no money,
//! values nothing and opens no file.

mod keys;
mod model;
mod parse;
mod resolve;
mod when;
mod write;

pub use model::{
    Attribution, Incident, IncidentId, Loss, Place, Placed, Report, Return, Status, Stolen, Victim, VictimKind,
};
pub use resolve::{Problem, ProblemKind, ResolveError, ResolveErrorKind, Resolved, STARTS_MAX, Start, resolve};
pub use when::When;
