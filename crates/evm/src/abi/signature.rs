//! [`Signature`]: the name and the typed parameters of an event or a function, read from text.

use std::fmt;

use ledger::hex;

use super::keccak256;

/// The longest text of a signature.
pub const SIGNATURE_BYTES_MAX: usize = 4096;
/// How deep arrays and tuples may nest.
pub const TYPE_DEPTH_MAX: usize = 8;
/// How many parameters a signature or a tuple may have.
const PARAMETERS_MAX: usize = 64;
/// The longest array of fixed length, all levels of it together.
const FIXED_ITEMS_MAX: usize = 1024;

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `uint8` … `uint256`, by bits.
    Uint(u16),
    /// `int8` … `int256`, by bits.
    Int(u16),
    /// `address`.
    Address,
    /// `bool`.
    Bool,
    /// `bytes1` … `bytes32`.
    Fixed(u8),
    /// `bytes`.
    Bytes,
    /// `string`.
    Text,
    /// `T[]`.
    List(Box<Self>),
    /// `T[n]`.
    Array(Box<Self>, usize),
    /// `(T, U)`.
    Tuple(Vec<Parameter>),
}

/// A typed and named place of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name; its place, counted from 0, where the text gives none.
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// Whether it is a topic of the log.
    pub indexed: bool,
}

/// An event's or a function's name and parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub inputs: Vec<Parameter>,
}

/// Why a text is no signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureError {
    /// What is wrong, in lower case, with the offending piece.
    pub what: String,
    /// Where in the text, in bytes from 0.
    pub at: usize,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.what, self.at)
    }
}

impl std::error::Error for SignatureError {}

impl Signature {
    /// Reads `Name(type indexed name, …)`; `event` or `function` may stand in front, a semicolon behind. `index_topic_1`
    /// before the type, as block explorers write it, says `indexed` too.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let mut reader = Reader { text, at: 0 };
        if text.len() > SIGNATURE_BYTES_MAX {
            return Err(reader.error(format!("the signature is longer than {SIGNATURE_BYTES_MAX} bytes")));
        }
        let mut name = reader.word();
        if matches!(name, "event" | "function") && !reader.peek('(') {
            name = reader.word();
        }
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(reader.error("there is no name before the parenthesis"));
        }
        let inputs = reader.parameters(0)?;
        reader.take(';');
        reader.space();
        if reader.at < text.len() {
            return Err(reader.error("something stands after the closing parenthesis"));
        }
        let signature = Self { name: name.to_owned(), inputs };
        if signature.inputs.iter().filter(|input| input.indexed).count() > 3 {
            return Err(SignatureError { what: "more than three parameters are indexed".into(), at: 0 });
        }
        Ok(signature)
    }

    /// `Name(type,type)`: what is hashed.
    pub fn canonical(&self) -> String {
        format!("{}{}", self.name, tuple_text(&self.inputs))
    }

    /// The first topic of a log of this event.
    pub fn topic(&self) -> [u8; 32] {
        keccak256(self.canonical().as_bytes())
    }

    /// The first four bytes of a call of this function.
    pub fn selector(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.topic();
        [a, b, c, d]
    }

    /// The parameter of that name.
    pub fn input(&self, name: &str) -> Option<&Parameter> {
        self.inputs.iter().find(|input| input.name == name)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (at, input) in self.inputs.iter().enumerate() {
            let (comma, indexed) = (if at > 0 { ", " } else { "" }, if input.indexed { "indexed " } else { "" });
            write!(f, "{comma}{} {indexed}{}", input.kind, input.name)?;
        }
        write!(f, ")")
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uint(bits) => write!(f, "uint{bits}"),
            Self::Int(bits) => write!(f, "int{bits}"),
            Self::Address => write!(f, "address"),
            Self::Bool => write!(f, "bool"),
            Self::Fixed(length) => write!(f, "bytes{length}"),
            Self::Bytes => write!(f, "bytes"),
            Self::Text => write!(f, "string"),
            Self::List(of) => write!(f, "{of}[]"),
            Self::Array(of, length) => write!(f, "{of}[{length}]"),
            Self::Tuple(parts) => f.write_str(&tuple_text(parts)),
        }
    }
}

fn tuple_text(parts: &[Parameter]) -> String {
    let kinds: Vec<String> = parts.iter().map(|part| part.kind.to_string()).collect();
    format!("({})", kinds.join(","))
}

impl Type {
    /// Whether its head is an offset to where it lies.
    pub fn is_dynamic(&self) -> bool {
        match self {
            Self::Bytes | Self::Text | Self::List(_) => true,
            Self::Array(of, _) => of.is_dynamic(),
            Self::Tuple(parts) => parts.iter().any(|part| part.kind.is_dynamic()),
            _ => false,
        }
    }

    /// How many words of 32 bytes it takes where it stands; one, for an offset, where it is dynamic.
    pub fn head_words(&self) -> usize {
        match self {
            _ if self.is_dynamic() => 1,
            Self::Array(of, length) => of.head_words() * length,
            Self::Tuple(parts) => parts.iter().map(|part| part.kind.head_words()).sum(),
            _ => 1,
        }
    }

    /// How many values it holds if every list is empty: what a hostile signature could blow up.
    fn items(&self) -> usize {
        match self {
            Self::List(of) => of.items(),
            Self::Array(of, length) => of.items().saturating_mul(*length),
            Self::Tuple(parts) => parts.iter().fold(0, |sum, part| part.kind.items().saturating_add(sum)),
            _ => 1,
        }
    }

    /// The elementary type of that name.
    fn elementary(word: &str) -> Option<Self> {
        let number = |digits: &str| match digits.as_bytes() {
            [b'1'..=b'9', ..] if digits.len() <= 3 => digits.parse::<u16>().ok(),
            _ => None,
        };
        let bits = |digits: &str| number(digits).filter(|bits| bits.is_multiple_of(8) && *bits <= 256);
        Some(match word {
            "uint" => Self::Uint(256),
            "int" => Self::Int(256),
            "address" => Self::Address,
            "bool" => Self::Bool,
            "bytes" => Self::Bytes,
            "byte" => Self::Fixed(1),
            "string" => Self::Text,
            _ if word.starts_with("uint") => Self::Uint(bits(&word[4..])?),
            _ if word.starts_with("int") => Self::Int(bits(&word[3..])?),
            _ if word.starts_with("bytes") => {
                Self::Fixed(number(&word[5..]).and_then(|n| u8::try_from(n).ok()).filter(|n| *n <= 32)?)
            }
            _ => return None,
        })
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, what: impl Into<String>) -> SignatureError {
        SignatureError { what: what.into(), at: self.at }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn peek(&mut self, wanted: char) -> bool {
        self.space();
        self.rest().starts_with(wanted)
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    fn word(&mut self) -> &'a str {
        self.space();
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$'))).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// `(type name, …)`.
    fn parameters(&mut self, depth: usize) -> Result<Vec<Parameter>, SignatureError> {
        if depth > TYPE_DEPTH_MAX {
            return Err(self.error(format!("tuples nest deeper than {TYPE_DEPTH_MAX} levels")));
        }
        if !self.take('(') {
            return Err(self.error("an opening parenthesis is missing"));
        }
        let mut found: Vec<Parameter> = Vec::new();
        if self.take(')') {
            return Ok(found);
        }
        loop {
            let (start, place) = (self.at, found.len());
            let parameter = self.parameter(place, depth)?;
            if found.iter().any(|other| other.name == parameter.name) {
                self.at = start;
                return Err(self.error(format!("two parameters are called {}", parameter.name)));
            }
            found.push(parameter);
            if found.len() > PARAMETERS_MAX {
                return Err(self.error(format!("more than {PARAMETERS_MAX} parameters")));
            }
            if self.take(')') {
                return Ok(found);
            }
            if !self.take(',') {
                return Err(self.error("a comma or a closing parenthesis is missing"));
            }
        }
    }

    fn parameter(&mut self, place: usize, depth: usize) -> Result<Parameter, SignatureError> {
        let mut indexed = false;
        let kind = self.kind(depth, &mut indexed)?;
        let mut name = "";
        loop {
            let start = self.at;
            match self.word() {
                "" => break,
                "indexed" if !indexed => indexed = true,
                // Where a value lies in memory, and whether it can be paid, is not part of the ABI.
                "memory" | "calldata" | "payable" | "storage" if name.is_empty() => {}
                word if name.is_empty() => name = word,
                word => {
                    let what = format!("{word:?} stands after the parameter's name");
                    self.at = start;
                    return Err(self.error(what));
                }
            }
        }
        if indexed && depth > 0 {
            return Err(self.error("a part of a tuple cannot be indexed"));
        }
        let name = if name.is_empty() { place.to_string() } else { name.to_owned() };
        Ok(Parameter { name, kind, indexed })
    }

    fn kind(&mut self, depth: usize, indexed: &mut bool) -> Result<Type, SignatureError> {
        let mut start = self.at;
        let mut word = self.word();
        if word.starts_with("index_topic_") {
            *indexed = true;
            start = self.at;
            word = self.word();
        }
        let mut kind = if word.is_empty() || word == "tuple" {
            if !self.peek('(') {
                return Err(self.error("a type is missing, or a tuple's parts"));
            }
            let parts = self.parameters(depth + 1)?;
            if parts.is_empty() {
                return Err(self.error("a tuple without parts"));
            }
            Type::Tuple(parts)
        } else if let Some(kind) = Type::elementary(word) {
            kind
        } else {
            self.at = start;
            return Err(self.error(format!("{word:?} is no type of the ABI")));
        };
        let mut levels = depth;
        while self.take('[') {
            levels += 1;
            if levels > TYPE_DEPTH_MAX {
                return Err(self.error(format!("arrays nest deeper than {TYPE_DEPTH_MAX} levels")));
            }
            let length = self.word();
            if !self.take(']') {
                return Err(self.error("a closing bracket is missing"));
            }
            kind = if length.is_empty() {
                Type::List(Box::new(kind))
            } else {
                let length = length.parse().ok().filter(|length| (1..=FIXED_ITEMS_MAX).contains(length));
                let Some(length) = length else {
                    return Err(self.error(format!("an array has 1 to {FIXED_ITEMS_MAX} places")));
                };
                Type::Array(Box::new(kind), length)
            };
        }
        if kind.items() > FIXED_ITEMS_MAX {
            return Err(self.error(format!("the type holds more than {FIXED_ITEMS_MAX} values")));
        }
        Ok(kind)
    }
}

/// `0x` and the digits.
pub(super) fn hex_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("0x");
    hex::push(&mut text, bytes);
    text
}
