//! [`Value`]: what stands in a log or in calldata, exact.

use std::fmt;

use ruint::aliases::U256;

use super::signature::hex_text;

/// A value of the ABI. Numbers keep their 256 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An unsigned number.
    Uint(U256),
    /// A signed number in two's complement.
    Int(U256),
    /// An address.
    Address([u8; 20]),
    /// True or false.
    Bool(bool),
    /// `bytesN`, or `bytes`.
    Bytes(Vec<u8>),
    /// Text; what is no UTF-8 is kept as bytes.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// A tuple.
    Tuple(Vec<Field>),
    /// An indexed value that does not fit a topic: the log has only its hash.
    Hash([u8; 32]),
}

/// A value and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The parameter's name.
    pub name: String,
    /// The value.
    pub value: Value,
}

impl Value {
    /// The number, where it is one that is not negative and fits 128 bits.
    pub fn units(&self) -> Option<u128> {
        match self {
            Self::Uint(number) => u128::try_from(*number).ok(),
            Self::Int(number) if !number.bit(255) => u128::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The address; one that stands right-aligned in 32 bytes, as bridges of many chains write it, counts too, and so does
    /// one in just 20 bytes.
    pub fn address(&self) -> Option<[u8; 20]> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Bytes(bytes) if bytes.len() == 20 => bytes.as_slice().try_into().ok(),
            Self::Bytes(bytes) if bytes.len() == 32 && bytes[..12] == [0; 12] => bytes[12..].try_into().ok(),
            _ => None,
        }
    }

    /// Its bytes as the chain has them: numbers and addresses in 32 bytes, big end first. `None` for lists and tuples.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        Some(match self {
            Self::Uint(number) | Self::Int(number) => number.to_be_bytes::<32>().to_vec(),
            Self::Address(address) => [&[0; 12][..], address].concat(),
            Self::Bool(value) => vec![u8::from(*value)],
            Self::Bytes(bytes) => bytes.clone(),
            Self::Text(text) => text.clone().into_bytes(),
            Self::Hash(hash) => hash.to_vec(),
            Self::List(_) | Self::Tuple(_) => return None,
        })
    }

    /// The part of that name, of a tuple.
    pub fn part(&self, name: &str) -> Option<&Self> {
        let Self::Tuple(fields) = self else { return None };
        fields.iter().find(|field| field.name == name).map(|field| &field.value)
    }
}

impl fmt::Display for Value {
    /// Numbers in decimal, bytes as `0x…`, text in quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) if number.bit(255) => write!(f, "-{}", number.wrapping_neg()),
            Self::Uint(number) | Self::Int(number) => write!(f, "{number}"),
            Self::Address(address) => f.write_str(&hex_text(address)),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Bytes(bytes) => f.write_str(&hex_text(bytes)),
            Self::Hash(hash) => f.write_str(&hex_text(hash)),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(items) => {
                write!(f, "[")?;
                for (at, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if at > 0 { ", " } else { "" })?;
                }
                write!(f, "]")
            }
            Self::Tuple(fields) => {
                write!(f, "(")?;
                for (at, field) in fields.iter().enumerate() {
                    write!(f, "{}{}: {}", if at > 0 { ", " } else { "" }, field.name, field.value)?;
                }
                write!(f, ")")
            }
        }
    }
}

/// The number that 32 bytes write, big end first.
pub fn number(word: [u8; 32]) -> U256 {
    U256::from_be_bytes(word)
}
