//! The values of which answers consist: quantities, addresses, hashes and data, all as hexadecimal text.
//!
//! They are read straight into fixed bytes, without a string between: most of an answer is such fields. Data stays the
//! text that it was, since most of it is never looked at.

use std::borrow::Cow;
use std::fmt;

use ruint::aliases::U256;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// An address, first byte first.
pub type AddressBytes = [u8; 20];
/// A hash, first byte first.
pub type HashBytes = [u8; 32];

/// No account's address: tokens say by it that they were made or unmade.
pub const ZERO: AddressBytes = [0; 20];

/// What is no hexadecimal digit.
const NONE: u8 = 0xff;

/// The value of each byte as a hexadecimal digit.
const NIBBLES: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut value = 0_u8;
    while value < 10 {
        table[(b'0' + value) as usize] = value;
        value += 1;
    }
    while value < 16 {
        table[(b'a' + value - 10) as usize] = value;
        table[(b'A' + value - 10) as usize] = value;
        value += 1;
    }
    table
};

fn nibble(byte: u8) -> u8 {
    NIBBLES[usize::from(byte)]
}

/// The digits after `0x`.
pub fn digits(text: &str) -> Option<&[u8]> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).map(str::as_bytes)
}

/// Exactly `N` bytes from twice as many digits.
pub fn fixed<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    let mut bad = 0;
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let (high, low) = (nibble(*high), nibble(*low));
        bad |= high | low;
        *byte = high << 4 | (low & 15);
    }
    (bad < 16).then_some(bytes)
}

/// `0x` and exactly `N` bytes.
pub fn prefixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    fixed(digits(text)?)
}

/// `0x` and up to 64 digits. No digits at all is nothing, as some nodes write it.
pub fn quantity(text: &str) -> Option<U256> {
    let digits = digits(text)?;
    if digits.len() > 64 {
        return None;
    }
    let mut limbs = [0u64; 4];
    for (limb, sixteen) in limbs.iter_mut().zip(digits.rchunks(16)) {
        for digit in sixteen {
            let value = nibble(*digit);
            if value == NONE {
                return None;
            }
            *limb = *limb << 4 | u64::from(value);
        }
    }
    Some(U256::from_limbs(limbs))
}

/// `0x` and the digits of an address, in lower case: a holder's name.
pub fn holder(address: &AddressBytes) -> String {
    let mut text = String::with_capacity(42);
    text.push_str("0x");
    ledger::hex::push(&mut text, address);
    text
}

/// `0x` and the digits of a hash, in lower case.
pub fn hash_text(hash: &HashBytes) -> String {
    let mut text = String::with_capacity(66);
    text.push_str("0x");
    ledger::hex::push(&mut text, hash);
    text
}

/// The address in the last 20 bytes of a word; `None` where something stands before it.
pub fn address_of_word(word: &HashBytes) -> Option<AddressBytes> {
    let (before, address) = word.split_first_chunk::<12>()?;
    if *before == [0; 12] { address.try_into().ok() } else { None }
}

/// A quantity of an answer: hexadecimal text, or a small JSON number (block numbers in traces are such).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantity(pub U256);

/// A quantity that fits 64 bits: a height, a time, an index, gas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Small(pub u64);

/// An address of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub AddressBytes);

/// A hash, or any other 32-byte word, of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(pub HashBytes);

/// Bytes of an answer, still as text.
#[derive(Clone, Debug, Default)]
pub struct Data<'a>(pub Cow<'a, str>);

impl Data<'_> {
    /// The digits after `0x`; without the prefix there are none.
    pub fn digits(&self) -> &[u8] {
        digits(&self.0).unwrap_or_default()
    }

    /// The bytes; `None` where the text is not hexadecimal.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        ledger::hex::bytes(std::str::from_utf8(digits(&self.0)?).ok()?)
    }

    /// The 32-byte word that starts at byte `32 × at`, if all of it is there.
    pub fn word(&self, at: usize) -> Option<HashBytes> {
        let from = at.checked_mul(64)?;
        fixed(self.digits().get(from..from.checked_add(64)?)?)
    }

    /// How many whole words it has; `None` where it does not consist of whole words.
    pub fn words(&self) -> Option<usize> {
        let digits = digits(&self.0)?;
        digits.len().is_multiple_of(64).then_some(digits.len() / 64)
    }
}

struct QuantityVisitor;

impl Visitor<'_> for QuantityVisitor {
    type Value = U256;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity of at most 256 bits, as 0x and hexadecimal digits")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<U256, E> {
        quantity(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<U256, E> {
        Ok(U256::from(number))
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityVisitor).map(Self)
    }
}

impl<'de> Deserialize<'de> for Small {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = deserializer.deserialize_any(QuantityVisitor)?;
        u64::try_from(number).map(Self).map_err(|_| D::Error::custom("a quantity is above 64 bits where none can be"))
    }
}

struct BytesVisitor<const N: usize>;

impl<const N: usize> Visitor<'_> for BytesVisitor<N> {
    type Value = [u8; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x and {} hexadecimal digits", 2 * N)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<[u8; N], E> {
        prefixed(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(BytesVisitor).map(Self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(BytesVisitor).map(Self)
    }
}

struct DataVisitor;

impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x and hexadecimal digits")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Data<'de>, E> {
        Ok(Data(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Data<'de>, E> {
        Ok(Data(Cow::Owned(text.to_owned())))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Data<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(DataVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_up_to_256_bits_and_no_further() {
        let read = |text: &str| quantity(text).map(|value| value.to_string());
        assert_eq!(read("0x0").as_deref(), Some("0"));
        assert_eq!(read("0x").as_deref(), Some("0"));
        assert_eq!(read("0xFf").as_deref(), Some("255"));
        assert_eq!(read("0x10000000000000000").as_deref(), Some("18446744073709551616"));
        assert_eq!(quantity(&format!("0x{}", "f".repeat(64))), Some(U256::MAX));
        for bad in ["", "1", "0xg", "0x-1", "0x 1", &format!("0x{}", "0".repeat(65))] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn fixed_bytes_want_their_exact_number_of_digits() {
        assert_eq!(prefixed::<2>("0x01fF"), Some([1, 255]));
        for bad in ["01ff", "0x01f", "0x01ff0", "0x01fg", "0xg1ff", "0x"] {
            assert_eq!(prefixed::<2>(bad), None, "{bad:?}");
        }
        let mut word = [0; 32];
        word[31] = 7;
        assert_eq!(address_of_word(&word).map(|address| address[19]), Some(7));
        word[11] = 1;
        assert_eq!(address_of_word(&word), None, "what is no address is not cut to one");
    }

    #[test]
    fn data_is_cut_into_whole_words() {
        let data = Data(Cow::Owned(format!("0x{}{}", "0".repeat(63), "1".repeat(65))));
        assert_eq!(data.words(), Some(2));
        assert_eq!(data.word(0).map(|word| word[31]), Some(1));
        assert_eq!(data.word(2), None);
        assert_eq!(data.word(usize::MAX), None);
        assert_eq!(Data(Cow::Borrowed("0x12")).words(), None);
    }
}
