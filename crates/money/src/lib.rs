//! Exact money: integers of base units inside, decimal strings at the border.
//!
//! Responsible for amounts, assets with their scales, decimal text in both directions, and the one division that
//! every rule rests on ([`Amount::share`], rounding half to even). It knows nothing of ledgers, policies or files, and
//! it never touches a floating-point number.
//!
//! Source of the rounding rule: `docs/tracing.md`, "Rounding".

mod amount;
mod asset;
mod decimal;

pub use amount::Amount;
pub use asset::{Asset, SCALE_MAX};
pub use decimal::{Decimal, DecimalError};
