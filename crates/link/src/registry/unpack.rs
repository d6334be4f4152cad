//! [`Unpack`]: what lies in an argument of bytes in a form of its own: a protobuf message, or values end to end.
//!
//! Sources: the protocol buffers encoding guide; `abi.encodePacked` of the Solidity documentation.

use evm::abi::{Field, Parameter, Type, Value};

/// How many fields a message may have.
const FIELDS_MAX: usize = 256;

/// An argument, and what is in it. Its parts are named `argument.part`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpack {
    /// The argument.
    pub argument: String,
    /// Its form.
    pub layout: Layout,
}

/// The form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A protobuf message: names of its fields by number.
    Protobuf(Vec<(u64, String)>),
    /// Values end to end without padding; a last `bytes` takes the rest, and without it nothing may be left.
    Packed(Vec<Parameter>),
}

impl Layout {
    /// The names of the parts, with the type of each where it is one.
    pub fn parts(&self) -> Vec<Parameter> {
        match self {
            Self::Packed(parts) => parts.clone(),
            Self::Protobuf(fields) => {
                let part =
                    |(_, name): &(u64, String)| Parameter { name: name.clone(), kind: Type::Bytes, indexed: false };
                fields.iter().map(part).collect()
            }
        }
    }

    /// The parts of these bytes; `None` where they are of another form.
    pub fn read(&self, bytes: &[u8]) -> Option<Vec<Field>> {
        match self {
            Self::Protobuf(names) => protobuf(names, bytes),
            Self::Packed(parts) => packed(parts, bytes),
        }
    }
}

/// A message's fields; one that is not there is none, as the encoding leaves out what is zero. The last of several counts.
fn protobuf(names: &[(u64, String)], mut bytes: &[u8]) -> Option<Vec<Field>> {
    let mut fields: Vec<Field> = Vec::new();
    for _ in 0..FIELDS_MAX {
        if bytes.is_empty() {
            return Some(fields);
        }
        let tag = varint(&mut bytes)?;
        let value = match tag & 7 {
            0 => Value::Uint(varint(&mut bytes)?.try_into().ok()?),
            1 => Value::Bytes(take(&mut bytes, 8)?.to_vec()),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                Value::Bytes(take(&mut bytes, length)?.to_vec())
            }
            5 => Value::Bytes(take(&mut bytes, 4)?.to_vec()),
            _ => return None,
        };
        if let Some((_, name)) = names.iter().find(|(number, _)| *number == tag >> 3) {
            fields.retain(|field| field.name != *name);
            fields.push(Field { name: name.clone(), value });
        }
    }
    None
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *take(bytes, 1)?.first()?;
        let part = u64::from(byte & 0x7f);
        // The tenth byte has one bit of the number left.
        if shift == 63 && part > 1 {
            return None;
        }
        number |= part << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(head)
}

fn packed(parts: &[Parameter], mut bytes: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::with_capacity(parts.len());
    for part in parts {
        let value = match &part.kind {
            Type::Bytes => Value::Bytes(std::mem::take(&mut bytes).to_vec()),
            Type::Uint(bits) => {
                let word = take(&mut bytes, usize::from(*bits) / 8)?;
                let mut full = [0; 32];
                full[32 - word.len()..].copy_from_slice(word);
                Value::Uint(evm::abi::number(full))
            }
            Type::Address => Value::Address(take(&mut bytes, 20)?.try_into().ok()?),
            Type::Fixed(length) => Value::Bytes(take(&mut bytes, usize::from(*length))?.to_vec()),
            Type::Bool => match take(&mut bytes, 1)? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                _ => return None,
            },
            Type::Int(_) | Type::Text | Type::List(_) | Type::Array(..) | Type::Tuple(_) => return None,
        };
        fields.push(Field { name: part.name.clone(), value });
    }
    bytes.is_empty().then_some(fields)
}

/// Whether values of a type can lie end to end.
pub fn can_be_packed(kind: &Type) -> bool {
    matches!(kind, Type::Bytes | Type::Uint(_) | Type::Address | Type::Fixed(_) | Type::Bool)
}
