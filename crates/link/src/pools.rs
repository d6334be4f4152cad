//! Pools of equal notes after Tornado Cash's design: who may have taken out what somebody put in.
//!
//! The pool hides which note leaves; people give it away by habits ([`Heuristic`]). What follows is told as posteriors
//! ([`posteriors`]) and as bounds that hold whatever is believed ([`account`]): intervals, never verdicts. Pools are data
//! ([`Pools`]). Method, sources and measured errors: docs/methods/tornado.md.

mod claims;
mod exact;
mod heuristics;
mod history;
mod loot;
mod posterior;
mod table;

pub use claims::{METHOD, claims};
pub use exact::{Ratio, bounds, mean, odds};
pub use heuristics::{Heuristic, Marks, marks};
pub use history::{Crowd, Deposit, EVENTS, History, Step, Withdrawal, read, topics};
pub use loot::{Account, Taken, account};
pub use posterior::{LEARN_MIN, Posterior, Ratios, TOLD_MIN, posteriors};
pub use table::{POOLS_MAX, Pool, Pools};
