//! [`Exact`]: an amount with its scale, written with all its decimals (`1.50000000`) and read back the same.
//!
//! Files of an exercise show every decimal of an asset from the first line on, so that a reader who learns scales
//! from what it sees has learnt them at once. [`money::Decimal`] prints the shortest form; this is the longest.

use std::fmt;

use money::{Amount, Decimal, DecimalError};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An amount of base units, and how many decimals its unit has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exact {
    /// The base units.
    pub amount: Amount,
    /// The decimals.
    pub scale: u8,
}

impl Exact {
    /// `units` base units at `scale`.
    pub const fn new(units: u128, scale: u8) -> Self {
        Self { amount: Amount::new(units), scale }
    }

    /// Reads what [`Exact`] prints; the decimals written are the scale.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let decimal = Decimal::parse(text)?;
        Ok(Self { amount: decimal.to_amount(decimal.scale())?, scale: decimal.scale() })
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.amount.units();
        match (self.scale, 10u128.checked_pow(u32::from(self.scale))) {
            (0, _) => write!(f, "{units}"),
            (scale, Some(one)) => write!(f, "{}.{:0width$}", units / one, units % one, width = usize::from(scale)),
            (scale, None) => write!(f, "0.{units:0width$}", width = usize::from(scale)),
        }
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|error| de::Error::custom(format_args!("{text:?}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_decimals_are_written_and_read_back() {
        let cases = [
            (150_000_000, 8, "1.50000000"),
            (1, 18, "0.000000000000000001"),
            (0, 2, "0.00"),
            (7, 0, "7"),
            (1_234_567_890_123_456_789_012, 18, "1234.567890123456789012"),
        ];
        for (units, scale, text) in cases {
            let exact = Exact::new(units, scale);
            assert_eq!(exact.to_string(), text);
            assert_eq!(Exact::parse(text), Ok(exact));
        }
        assert!(Exact::parse("1e-5").is_err());
    }
}
