//! From values to bytes: what logs and calls are made of by whoever plays a contract (tests, the exercise).

use super::signature::{Signature, Type};
use super::value::Value;

const WORD: usize = 32;

impl Signature {
    /// The topics and the data of a log. `None` where a value is not of its parameter's type.
    pub fn encode_event(&self, values: &[Value]) -> Option<(Vec<[u8; 32]>, Vec<u8>)> {
        if values.len() != self.inputs.len() {
            return None;
        }
        let mut topics = vec![self.topic()];
        let mut plain = Vec::new();
        for (input, value) in self.inputs.iter().zip(values) {
            if !input.indexed {
                plain.push((&input.kind, value));
            } else if let Value::Hash(hash) = value {
                topics.push(*hash);
            } else {
                topics.push(word(&input.kind, value)?);
            }
        }
        Some((topics, frame(&plain)?))
    }

    /// The calldata of a call.
    pub fn encode_call(&self, values: &[Value]) -> Option<Vec<u8>> {
        let values = (values.len() == self.inputs.len()).then_some(values)?;
        let placed: Vec<_> = self.inputs.iter().map(|input| &input.kind).zip(values).collect();
        Some([&self.selector()[..], &frame(&placed)?].concat())
    }
}

/// Heads first, then the tails that they point to.
fn frame(values: &[(&Type, &Value)]) -> Option<Vec<u8>> {
    let heads = WORD * values.iter().map(|(kind, _)| kind.head_words()).sum::<usize>();
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    for (kind, value) in values {
        let bytes = encoded(kind, value)?;
        if kind.is_dynamic() {
            head.extend(number(heads + tail.len()));
            tail.extend(bytes);
        } else {
            head.extend(bytes);
        }
    }
    Some([head, tail].concat())
}

fn encoded(kind: &Type, value: &Value) -> Option<Vec<u8>> {
    Some(match (kind, value) {
        (Type::Text, Value::Text(text)) => padded(text.as_bytes()),
        (Type::Bytes | Type::Text, Value::Bytes(bytes)) => padded(bytes),
        (Type::List(of), Value::List(items)) => {
            let items: Vec<_> = items.iter().map(|item| (&**of, item)).collect();
            [number(items.len()).to_vec(), frame(&items)?].concat()
        }
        (Type::Array(of, length), Value::List(items)) if items.len() == *length => {
            frame(&items.iter().map(|item| (&**of, item)).collect::<Vec<_>>())?
        }
        (Type::Tuple(parts), Value::Tuple(fields)) if parts.len() == fields.len() => {
            let placed: Vec<_> = parts.iter().zip(fields).map(|(part, field)| (&part.kind, &field.value)).collect();
            frame(&placed)?
        }
        _ => word(kind, value)?.to_vec(),
    })
}

fn word(kind: &Type, value: &Value) -> Option<[u8; 32]> {
    let mut word = [0; WORD];
    match (kind, value) {
        (Type::Uint(_), Value::Uint(number)) | (Type::Int(_), Value::Int(number)) => word = number.to_be_bytes(),
        (Type::Address, Value::Address(address)) => word[12..].copy_from_slice(address),
        (Type::Bool, Value::Bool(value)) => word[31] = u8::from(*value),
        (Type::Fixed(length), Value::Bytes(bytes)) if bytes.len() == usize::from(*length) => {
            word[..bytes.len()].copy_from_slice(bytes);
        }
        _ => return None,
    }
    Some(word)
}

fn number(number: usize) -> [u8; 32] {
    let mut word = [0; WORD];
    word[24..].copy_from_slice(&(number as u64).to_be_bytes());
    word
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut out = number(bytes.len()).to_vec();
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(WORD), 0);
    out
}
