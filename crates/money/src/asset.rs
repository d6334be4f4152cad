//! [`Asset`]: what an amount is an amount of, and how many decimals its unit has.

use crate::{Amount, Decimal};

/// The largest scale that an asset may have. Tokens declare up to 255 decimals; none in use passes 36.
pub const SCALE_MAX: u8 = 36;

/// An asset: a native coin's ticker, a CAIP-19 token id or an ISO 4217 code, with its scale.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asset {
    /// The name: `BTC`, `EUR`, `eip155:1/erc20:0x…`.
    pub symbol: String,
    /// How many decimals one unit has: 8 for bitcoin, 18 for ether, 2 for euro.
    pub scale: u8,
}

impl Asset {
    /// The amount as an exact decimal of this asset's unit, without trailing zeros.
    pub fn text(&self, amount: Amount) -> String {
        Decimal::new(amount.units(), self.scale).to_string()
    }
}
