//! Screening: what is known about an address or a transaction, and whether the user's own rules call it a hit.

pub mod finding;

mod category;
mod groups;
mod judge;
mod keys;
mod parse;
mod rules;

pub use category::{Categories, CategorySet};
pub use judge::{Figures, Fired, Judgement, Level};
pub use parse::DEFAULT_RULES;
pub use rules::{
    Action, AmountLimit, Bearer, Certificate, Direction, GROUPS_MAX, NAME_CHARS_MAX, Named, RULES_BYTES_MAX, RULES_MAX,
    Reach, Rule, RuleBook, SHARE_WHOLE_MILLIONTHS, Test,
};
