//! The tracer: where stolen money is now, exactly, under a policy that is named.
//!
//! Unrolled in time a ledger has no cycles, so every policy is one chronological pass over the events that touch the
//! loot: a queue ordered by sequence number, no iteration, no hop limit. This room holds the policies
//! ([`Policy`]), the forward pass ([`forward`]), the backward pass to the source of funds ([`backward`]), and the
//! bounds that hold whichever policy one picks ([`envelope`]).
//!
//! It is pure: it reads a [`ledger::Ledger`], never a file, a clock or a random number, and it cannot fail on a valid
//! ledger. It does not know what an incident or a tag is: it is given labels to follow and holders to stop at.
//!
//! Rules and worked examples: `docs/tracing.md`.

pub mod backward;
mod bridge;
mod crossing;
pub mod envelope;
mod flow;
pub mod forward;
mod label;
mod lots;
mod network;
mod outcome;
mod poisoning;
mod policy;
mod queue;
mod rule;
mod settings;
mod shares;
mod swap;
pub mod together;

pub use crossing::{Arrival, Away, BILLION, Carried, Crossing, Departure, Sent, Way};
pub use flow::{Edge, Observer, Step};
pub use label::{LabelId, Portion, Seed};
pub use outcome::{Outcome, Reason, Terminal, TerminalKey, TerminalKind};
pub use policy::Policy;
pub use settings::{Aside, Settings, ShareFloor, StopKind};
