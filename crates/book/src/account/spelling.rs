//! [`Spelling`]: how an account ledger's names lie in its columns.
//!
//! On EVM chains nearly every name is a transaction's hash or an account's address: `0x` and digits. Those are kept as their
//! bytes, behind a byte that says so: half the space, and twice as many in a processor's cache. Everything else is kept as
//! it is written. Ledgers say in their manifest whether they do this; those from before it, and other ledgers, do not.

use ledger::{LedgerId, hex};
use serde::{Deserialize, Serialize};

/// What a packed name begins with. No text that is kept as it is begins with one of these.
const ESCAPED: u8 = 0;
const HASH: u8 = 1;
const ADDRESS: u8 = 2;
const HASH_BYTES: usize = 32;
const ADDRESS_BYTES: usize = 20;

/// How a ledger's names lie in its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Spelling {
    /// `0x` and 64 or 40 digits in lower case as 32 or 20 bytes, behind a byte that tells which. Text that begins
    /// with one of these bytes follows a byte 0.
    Packed,
}

impl Spelling {
    /// How a new ledger's names lie; `None`: as they are written.
    pub(crate) fn of_new(ledger: &LedgerId) -> Option<Self> {
        (ledger.namespace() == "eip155").then_some(Self::Packed)
    }
}

/// A name as it lies in a column.
#[derive(Debug)]
pub(super) enum Spelled<'a> {
    Text(&'a [u8]),
    Packed([u8; 1 + HASH_BYTES], usize),
    Escaped(Vec<u8>),
}

impl Spelled<'_> {
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text,
            Self::Packed(bytes, len) => &bytes[..*len],
            Self::Escaped(bytes) => bytes,
        }
    }
}

/// A name as it is to lie in a column.
pub(super) fn spell(spelling: Option<Spelling>, name: &str) -> Spelled<'_> {
    let text = name.as_bytes();
    if spelling.is_none() {
        return Spelled::Text(text);
    }
    let mut packed = [0; 1 + HASH_BYTES];
    let (kind, len) = match text.len() {
        66 => (HASH, HASH_BYTES),
        42 => (ADDRESS, ADDRESS_BYTES),
        _ => (ESCAPED, 0),
    };
    if let Some(digits) = text.strip_prefix(b"0x")
        && kind != ESCAPED
        && pack(digits, &mut packed[1..=len])
    {
        packed[0] = kind;
        return Spelled::Packed(packed, 1 + len);
    }
    if text.first().is_some_and(|first| *first <= ADDRESS) {
        return Spelled::Escaped([&[ESCAPED], text].concat());
    }
    Spelled::Text(text)
}

/// Fills `bytes` from twice as many digits; false if one of them is none, or in upper case.
fn pack(digits: &[u8], bytes: &mut [u8]) -> bool {
    let (pairs, _) = digits.as_chunks::<2>();
    let mut seen = 0;
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
        *byte = high << 4 | low & 15;
        seen |= high | low;
    }
    seen <= 15
}

/// What each byte is as a digit; [`NO_DIGIT`] if it is none.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[b"0123456789abcdef"[digit] as usize] = digit.to_le_bytes()[0];
        digit += 1;
    }
    digits
};
const NO_DIGIT: u8 = 0xff;

/// The name that lies so in a column.
pub(super) fn read(spelling: Option<Spelling>, bytes: &[u8]) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if spelling.is_none() {
        return text(bytes);
    }
    match bytes.split_first() {
        Some((&ESCAPED, rest)) => text(rest),
        Some((&(HASH | ADDRESS), rest)) => {
            let mut name = String::with_capacity(2 + 2 * rest.len());
            name.push_str("0x");
            hex::push(&mut name, rest);
            name
        }
        _ => text(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back_and_no_two_lie_alike() {
        let hash = format!("0x{}", "0123456789abcdef".repeat(4));
        let address = hash[..42].to_owned();
        let mut names = vec![hash.clone(), address.clone(), hash[..64].to_owned(), hash[2..].to_owned()];
        names.extend([
            hash.to_uppercase(),
            address.replace('a', "A"),
            address.replace('9', "g"),
            address.replace('0', "é"),
        ]);
        names.extend(["", "0x", "block:17", "\u{0}", "\u{0}\u{1}", "\u{1}", "\u{2}abc", "\u{3}"].map(str::to_owned));
        // What would be taken for a packed one if it were not escaped.
        names.push(format!("\u{1}{}", "x".repeat(32)));
        names.push(format!("\u{2}{}", "x".repeat(20)));
        let spelled: Vec<Vec<u8>> =
            names.iter().map(|name| spell(Some(Spelling::Packed), name).as_bytes().to_vec()).collect();
        for (at, (name, bytes)) in names.iter().zip(&spelled).enumerate() {
            assert_eq!(&read(Some(Spelling::Packed), bytes), name);
            assert!(!spelled[..at].contains(bytes), "{name:?}");
            assert_eq!((spell(None, name).as_bytes(), read(None, name.as_bytes())), (name.as_bytes(), name.clone()));
        }
        assert_eq!((spelled[0].len(), spelled[1].len(), spelled[2].len()), (33, 21, 64));
    }
}
