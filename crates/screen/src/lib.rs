//! Screening: what is known about an address or a transaction, and whether the user's own rules call it a hit.
//!
//! A [`finding::Finding`] says what is known, each piece with where it comes from; a [`RuleBook`] is the user's own and
//! says what of that is a hit; an [`Answer`] is both, or why there is neither. What nobody knows is never clear.
//!
//! It makes no clusters, counts no exposure and settles no tags: the rooms below do. It prints nothing.

pub mod finding;
pub mod remember;
pub mod say;

mod accounts;
mod answer;
mod batch;
mod category;
mod causes;
mod chain;
mod changed;
mod flows;
mod groups;
mod joined;
mod judge;
mod kept;
mod keys;
mod origins;
mod parse;
mod pending;
mod resolve;
mod rules;
mod screener;
mod tags;

pub use answer::{Answer, Status, UNKNOWN};
pub use batch::{Asked, QUERIES_MAX, QUERY_BYTES_MAX, queries};
pub use category::{Categories, CategorySet};
pub use chain::{Facts, Pending};
pub use changed::{Change, Changed};
pub use joined::Joined;
pub use judge::{Figures, Fired, Judgement, Level, interval};
pub use kept::KeptChain;
pub use origins::Origins;
pub use parse::DEFAULT_RULES;
pub use resolve::{Nobody, Target, nobody, target};
pub use rules::{
    Action, AmountLimit, Bearer, Certificate, Direction, GROUPS_MAX, NAME_CHARS_MAX, Named, RULES_BYTES_MAX, RULES_MAX,
    Reach, Rule, RuleBook, SHARE_WHOLE_MILLIONTHS, Test,
};
pub use screener::{Screener, Source, UNKNOWN_TRANSACTION};
pub use tags::{CLAIMS_SHOWN_MAX, Tags};
