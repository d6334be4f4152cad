//! [`Decimal`]: an exact non-negative decimal as a person or a file writes it, before its asset's scale is known.
//!
//! Plain digits with at most one point. No sign, no exponent, no thousands separator, no `NaN`: each of these is an
//! error with its own name, because each hides a different mistake in the file it came from.

use std::fmt;

use crate::{Amount, SCALE_MAX};

/// An exact decimal: `digits / 10^scale`, trailing zeros kept as they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    digits: u128,
    scale: u8,
}

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalError {
    /// There is nothing there.
    Empty,
    /// It starts with a minus sign.
    Negative,
    /// It has an exponent, as programs print floating-point numbers.
    Exponent,
    /// It holds a character that is neither a digit nor the one point.
    NotANumber,
    /// It has more decimals than the asset's scale, or than any asset may have.
    TooPrecise {
        /// The decimals it has.
        has: usize,
        /// The decimals that are allowed.
        allowed: u8,
    },
    /// It is above [`Amount::MAX`] base units.
    TooLarge,
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the amount is empty"),
            Self::Negative => write!(f, "the amount is negative; swap payer and payee instead"),
            Self::Exponent => {
                write!(f, "the amount is in scientific notation; write all its digits (1e-05 is 0.00001)")
            }
            Self::NotANumber => write!(f, "the amount is not a plain decimal number such as 12.50"),
            Self::TooPrecise { has, allowed } => {
                write!(f, "the amount has {has} decimals, {allowed} are allowed here")
            }
            Self::TooLarge => write!(f, "the amount is larger than 2^126 base units, the most that a purse can hold"),
        }
    }
}

impl std::error::Error for DecimalError {}

impl Decimal {
    /// `digits / 10^scale`.
    pub const fn new(digits: u128, scale: u8) -> Self {
        Self { digits, scale }
    }

    /// Reads plain digits with at most one point: `12`, `12.50`, `.5`, `5.`.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(DecimalError::Empty);
        }
        if text.starts_with('-') {
            return Err(DecimalError::Negative);
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(DecimalError::NotANumber);
        }
        let mut digits = 0u128;
        let mut too_large = false;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return Err(exponent_or_not(text));
            }
            match digits.checked_mul(10).and_then(|d| d.checked_add(u128::from(byte - b'0'))) {
                Some(more) => digits = more,
                None => too_large = true,
            }
        }
        if fraction.len() > usize::from(SCALE_MAX) {
            return Self::parse_shorter(text, whole, fraction);
        }
        if too_large || digits > Amount::MAX.units() {
            return Err(DecimalError::TooLarge);
        }
        let scale = u8::try_from(fraction.len()).expect("checked against SCALE_MAX above");
        Ok(Self { digits, scale })
    }

    /// A fraction longer than any scale is fine as long as only zeros are too many.
    fn parse_shorter(text: &str, whole: &str, fraction: &str) -> Result<Self, DecimalError> {
        let kept = fraction.trim_end_matches('0');
        if kept.len() > usize::from(SCALE_MAX) {
            return Err(DecimalError::TooPrecise { has: kept.len(), allowed: SCALE_MAX });
        }
        if kept.is_empty() { Self::parse(whole) } else { Self::parse(&text[..whole.len() + 1 + kept.len()]) }
    }

    /// Reads a decimal with an optional exponent, exactly, as JSON numbers may have it: `5.46e-06`.
    pub fn parse_scientific(text: &str) -> Result<Self, DecimalError> {
        let text = text.trim();
        let Some(at) = text.find(['e', 'E']) else { return Self::parse(text) };
        let mantissa = Self::parse(&text[..at])?;
        let exponent: i32 = text[at + 1..].parse().map_err(|_| DecimalError::NotANumber)?;
        let mantissa = mantissa.trimmed();
        if mantissa.digits == 0 {
            return Ok(Self { digits: 0, scale: 0 });
        }
        let scale = i64::from(mantissa.scale) - i64::from(exponent);
        if let Ok(places) = u8::try_from(scale) {
            let decimal = Self { digits: mantissa.digits, scale: places };
            return if places > SCALE_MAX {
                Err(DecimalError::TooPrecise { has: usize::from(places), allowed: SCALE_MAX })
            } else {
                Ok(decimal)
            };
        }
        if scale > 0 {
            let has = usize::try_from(scale).unwrap_or(usize::MAX);
            return Err(DecimalError::TooPrecise { has, allowed: SCALE_MAX });
        }
        let zeros = u32::try_from(-scale).map_err(|_| DecimalError::TooLarge)?;
        10u128
            .checked_pow(zeros)
            .and_then(|power| mantissa.digits.checked_mul(power))
            .filter(|digits| *digits <= Amount::MAX.units())
            .map(|digits| Self { digits, scale: 0 })
            .ok_or(DecimalError::TooLarge)
    }

    /// How many decimals were written, zeros at the end included.
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// The same number without zeros at the end of its fraction.
    #[must_use]
    pub fn trimmed(self) -> Self {
        let Self { mut digits, mut scale } = self;
        while scale > 0 && digits.is_multiple_of(10) {
            digits /= 10;
            scale -= 1;
        }
        Self { digits, scale }
    }

    /// The number of base units at `scale`; zeros that are too many are dropped, other digits are an error.
    pub fn to_amount(self, scale: u8) -> Result<Amount, DecimalError> {
        let mut exact = self;
        if exact.scale > scale {
            exact = exact.trimmed();
        }
        let Some(missing) = scale.checked_sub(exact.scale) else {
            return Err(DecimalError::TooPrecise { has: usize::from(exact.scale), allowed: scale });
        };
        10u128
            .checked_pow(u32::from(missing))
            .and_then(|power| exact.digits.checked_mul(power))
            .filter(|units| *units <= Amount::MAX.units())
            .map(Amount::new)
            .ok_or(DecimalError::TooLarge)
    }
}

fn exponent_or_not(text: &str) -> DecimalError {
    let digits_and_marks = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if digits_and_marks && text.contains(['e', 'E']) { DecimalError::Exponent } else { DecimalError::NotANumber }
}

impl fmt::Display for Decimal {
    /// The shortest exact form: no zeros at the end, no point without a fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { digits, scale } = self.trimmed();
        if scale == 0 {
            return write!(f, "{digits}");
        }
        match 10u128.checked_pow(u32::from(scale)) {
            Some(one) => write!(f, "{}.{:0width$}", digits / one, digits % one, width = usize::from(scale)),
            None => write!(f, "0.{digits:0width$}", width = usize::from(scale)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        Decimal::parse(text).map_or_else(|error| format!("{error:?}"), |decimal| decimal.to_string())
    }

    #[test]
    fn reads_what_people_write_and_names_what_is_wrong() {
        let cases = [
            ("12", "12"),
            ("12.50", "12.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("0.00000546", "0.00000546"),
            ("", "Empty"),
            ("-1", "Negative"),
            (".", "NotANumber"),
            ("NaN", "NotANumber"),
            ("inf", "NotANumber"),
            ("1e-05", "Exponent"),
            ("1E5", "Exponent"),
            ("1,000", "NotANumber"),
            ("1.2.3", "NotANumber"),
            ("0x10", "NotANumber"),
            ("1234567890123456789012345678901234567890", "TooLarge"),
            ("0.0000000000000000000000000000000000000000000", "0"),
            ("1.5000000000000000000000000000000000000000000", "1.5"),
        ];
        for (text, want) in cases {
            assert_eq!(parsed(text), want, "{text:?}");
        }
    }

    #[test]
    fn exponents_are_read_exactly_where_json_allows_them() {
        let read = |text| Decimal::parse_scientific(text).map(|d| d.to_string());
        assert_eq!(read("5.46e-06").as_deref(), Ok("0.00000546"));
        assert_eq!(read("1.5E3").as_deref(), Ok("1500"));
        assert_eq!(read("0e99").as_deref(), Ok("0"));
        assert_eq!(read("1e99"), Err(DecimalError::TooLarge));
        assert!(matches!(read("1e-99"), Err(DecimalError::TooPrecise { .. })));
        assert!(matches!(read("1e-300"), Err(DecimalError::TooPrecise { .. })));
    }

    #[test]
    fn scales_never_drop_a_digit() {
        let amount = |text: &str, scale| Decimal::parse(text).and_then(|d| d.to_amount(scale)).map(Amount::units);
        assert_eq!(amount("1.50", 8), Ok(150_000_000));
        assert_eq!(amount("1.50", 1), Ok(15));
        assert_eq!(amount("1.55", 1), Err(DecimalError::TooPrecise { has: 2, allowed: 1 }));
        assert_eq!(amount("123456789012345678901", 18), Err(DecimalError::TooLarge));
    }
}
