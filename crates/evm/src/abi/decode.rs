//! From bytes to values: heads and tails, each offset and length checked against what is there.

use std::fmt;

use ruint::aliases::U256;

use super::signature::{Parameter, Signature, Type};
use super::value::{Field, Value};

const WORD: usize = 32;

/// What values may cost beyond a multiple of the input, so that short inputs are not refused for their overhead.
const BUDGET_SPARE: usize = 4096;

/// Why bytes are not what the signature says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AbiError {
    /// The log has another signature, or the calldata another selector.
    Other,
    /// As many topics as these stand in the log, and the signature has this many.
    Topics {
        /// In the log.
        has: usize,
        /// By the signature.
        wants: usize,
    },
    /// The bytes end before this parameter, or an offset or length points beyond them.
    Short(String),
    /// The bytes of this parameter are none of its type: an address of 32 bytes, a truth value of 7.
    Range(String),
    /// Tails are shared so often that the values would be far larger than the input.
    Bomb(String),
}

impl fmt::Display for AbiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other => write!(f, "it is of another signature"),
            Self::Topics { has, wants } => write!(f, "the log has {has} topics, its signature {wants}"),
            Self::Short(name) => write!(f, "the data ends before {name}"),
            Self::Range(name) => write!(f, "the bytes of {name} are not of its type"),
            Self::Bomb(name) => write!(f, "the data refers to the same bytes over and over at {name}"),
        }
    }
}

impl std::error::Error for AbiError {}

impl Signature {
    /// The values of a log of this event, in order of the signature.
    pub fn decode_event(&self, topics: &[[u8; 32]], data: &[u8]) -> Result<Vec<Field>, AbiError> {
        let (first, rest) = topics.split_first().ok_or(AbiError::Other)?;
        if *first != self.topic() {
            return Err(AbiError::Other);
        }
        let wants = self.inputs.iter().filter(|input| input.indexed).count();
        if rest.len() != wants {
            return Err(AbiError::Topics { has: topics.len(), wants: wants + 1 });
        }
        let plain: Vec<&Parameter> = self.inputs.iter().filter(|input| !input.indexed).collect();
        let mut from_data = Decoder::new(data).fields(&plain, data)?.into_iter();
        let mut from_topics = rest.iter();
        self.inputs
            .iter()
            .map(|input| {
                if !input.indexed {
                    return Ok(from_data.next().expect("there is one for each that is not indexed"));
                }
                let word = from_topics.next().expect("counted above");
                Ok(Field { name: input.name.clone(), value: topic_value(input, word)? })
            })
            .collect()
    }

    /// The arguments of a call of this function.
    pub fn decode_call(&self, calldata: &[u8]) -> Result<Vec<Field>, AbiError> {
        let arguments = calldata.strip_prefix(&self.selector()).ok_or(AbiError::Other)?;
        Decoder::new(arguments).fields(&self.inputs.iter().collect::<Vec<_>>(), arguments)
    }

    /// The values of ABI-encoded bytes without a selector, as messages between chains are.
    pub fn decode_values(&self, bytes: &[u8]) -> Result<Vec<Field>, AbiError> {
        Decoder::new(bytes).fields(&self.inputs.iter().collect::<Vec<_>>(), bytes)
    }
}

/// What does not fit a topic stands there as a hash.
fn topic_value(input: &Parameter, word: &[u8; 32]) -> Result<Value, AbiError> {
    match &input.kind {
        kind if kind.is_dynamic() => Ok(Value::Hash(*word)),
        Type::Array(..) | Type::Tuple(_) => Ok(Value::Hash(*word)),
        kind => elementary(kind, word).ok_or_else(|| AbiError::Range(input.name.clone())),
    }
}

struct Decoder {
    /// How many bytes of values may still be made.
    budget: usize,
}

impl Decoder {
    fn new(bytes: &[u8]) -> Self {
        Self { budget: bytes.len().saturating_mul(4).saturating_add(BUDGET_SPARE) }
    }

    fn spend(&mut self, bytes: usize, name: &str) -> Result<(), AbiError> {
        self.budget = self.budget.checked_sub(bytes.max(WORD)).ok_or_else(|| AbiError::Bomb(name.to_owned()))?;
        Ok(())
    }

    /// The parts of a tuple that starts at the start of `frame`.
    fn fields(&mut self, parts: &[&Parameter], frame: &[u8]) -> Result<Vec<Field>, AbiError> {
        let mut at = 0;
        let mut fields = Vec::with_capacity(parts.len());
        for part in parts {
            let value = self.placed(&part.kind, frame, at, &part.name)?;
            at += WORD * part.kind.head_words();
            fields.push(Field { name: part.name.clone(), value });
        }
        Ok(fields)
    }

    /// The value whose head stands at `at` of `frame`; offsets count from the frame's start.
    fn placed(&mut self, kind: &Type, frame: &[u8], at: usize, name: &str) -> Result<Value, AbiError> {
        let short = || AbiError::Short(name.to_owned());
        if !kind.is_dynamic() {
            return self.value(kind, frame.get(at..).ok_or_else(short)?, name);
        }
        let offset = length(frame.get(at..).ok_or_else(short)?).ok_or_else(short)?;
        self.value(kind, frame.get(offset..).ok_or_else(short)?, name)
    }

    /// The value that starts at the start of `bytes`.
    fn value(&mut self, kind: &Type, bytes: &[u8], name: &str) -> Result<Value, AbiError> {
        let short = || AbiError::Short(name.to_owned());
        self.spend(WORD, name)?;
        match kind {
            Type::Bytes | Type::Text => {
                let length = length(bytes).ok_or_else(short)?;
                let content = bytes.get(WORD..).and_then(|rest| rest.get(..length)).ok_or_else(short)?;
                self.spend(length, name)?;
                let content = content.to_vec();
                Ok(match kind {
                    Type::Text => {
                        String::from_utf8(content).map_or_else(|error| Value::Bytes(error.into_bytes()), Value::Text)
                    }
                    _ => Value::Bytes(content),
                })
            }
            Type::List(of) => {
                let count = length(bytes).ok_or_else(short)?;
                let frame = &bytes[WORD..];
                if count > frame.len() / (WORD * of.head_words()) {
                    return Err(short());
                }
                self.items(of, count, frame, name)
            }
            Type::Array(of, count) => self.items(of, *count, bytes, name),
            Type::Tuple(parts) => Ok(Value::Tuple(self.fields(&parts.iter().collect::<Vec<_>>(), bytes)?)),
            elementary_kind => {
                let word = bytes.first_chunk::<WORD>().ok_or_else(short)?;
                elementary(elementary_kind, word).ok_or_else(|| AbiError::Range(name.to_owned()))
            }
        }
    }

    fn items(&mut self, of: &Type, count: usize, frame: &[u8], name: &str) -> Result<Value, AbiError> {
        let step = WORD * of.head_words();
        // Not allocated by the count: each item pays for itself first.
        let mut items = Vec::new();
        for place in 0..count {
            items.push(self.placed(of, frame, place * step, name)?);
        }
        Ok(Value::List(items))
    }
}

/// The word at the start as a length or an offset; `None` where it is missing or beyond any input.
fn length(bytes: &[u8]) -> Option<usize> {
    let word = bytes.first_chunk::<WORD>()?;
    usize::try_from(U256::from_be_bytes(*word)).ok()
}

/// The value of a type that takes one word; `None` where the word is none of its values.
fn elementary(kind: &Type, word: &[u8; 32]) -> Option<Value> {
    let number = U256::from_be_bytes(*word);
    match kind {
        Type::Uint(bits) => (number.bit_len() <= usize::from(*bits)).then_some(Value::Uint(number)),
        Type::Int(bits) => {
            // Every bit above the number's own must repeat its sign.
            let sign = number.bit(usize::from(*bits) - 1);
            let magnitude = if sign { !number } else { number };
            (magnitude.bit_len() < usize::from(*bits)).then_some(Value::Int(number))
        }
        Type::Address => {
            let (zeros, address) = word.split_at(12);
            (zeros == [0; 12]).then(|| Value::Address(address.try_into().expect("32 less 12 is 20")))
        }
        Type::Bool => match number.bit_len() {
            0 => Some(Value::Bool(false)),
            1 => Some(Value::Bool(true)),
            _ => None,
        },
        Type::Fixed(length) => {
            let (bytes, zeros) = word.split_at(usize::from(*length));
            zeros.iter().all(|zero| *zero == 0).then(|| Value::Bytes(bytes.to_vec()))
        }
        Type::Bytes | Type::Text | Type::List(_) | Type::Array(..) | Type::Tuple(_) => None,
    }
}
