//! Where the money in every purse came from: a vector of category shares by haircut, kept up transaction by transaction.
//!
//! Under haircut all outputs of a transaction carry the same shares, so there is one vector a transaction and not one an
//! output. [`Exposure`] streams a chain in its order; a holder of a known category resets what it passes on, as in §1.7 of
//! the definitions: exposure ends at the last such holder. Shares are rounded down, and what is missing to the whole is the
//! certificate: the true share lies in `[x, x + truncated]`. Beside them stand which categories ever touched the money,
//! and how much of it is tainted if taint leaves first.
//!
//! It opens no file, reads no clock, and knows no tags: which holder is of which category, the caller says ([`Facts`]).
//! `docs/exposure.md` has the rules.

mod category;
mod correct;
mod inquiry;
mod mix;
mod path;
mod pool;
mod received;
mod record;
mod sent;
mod stream;
mod vector;

pub use category::{CATEGORIES_MAX, COINJOIN, Category, Facts, MINED, UNKNOWN};
pub use correct::Correction;
pub use inquiry::{Inquiry, LIMITS, Limits, Split};
pub use path::{Direction, Hop, Nearest, Path, Proof};
pub use pool::{Damaged, Full, POOL_ROWS_MAX};
pub use received::{Origins, Own, Received};
pub use record::{RECORD_ROWS_MAX, Record};
pub use sent::Sent;
pub use stream::{Changes, Exposure};
pub use vector::{ONE, Vector, Vectors};
