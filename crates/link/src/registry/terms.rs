//! [`Term`]: where an entry takes a value from: an argument, the contract, the ledger, what the transaction moved.

use std::collections::BTreeMap;
use std::fmt;

use evm::abi::{Field, Parameter, Type, Value};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// An argument by name; parts of tuples and of what was unpacked after a point; of the companion after its name.
    Argument(String),
    /// `@contract`: the contract that wrote the log.
    Contract,
    /// `@chain`: the protocol's number of the ledger that the log stands in.
    Chain,
    /// `@transaction`: what the transaction moved into the protocol, or out of it.
    Transaction,
    /// `@native`: the ledger's own coin.
    Native,
    /// `@tx`: the id of the transaction itself, for bridges whose other side names it as their key.
    Tx,
    /// `@tx_text_hash`: the Keccak hash of that id as text, `0x` and all.
    TxTextHash,
    /// A ledger by name: the other side is always there.
    Ledger(ledger::LedgerId),
    /// A number that is always the same.
    Number(u64),
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(name) => f.write_str(name),
            Self::Contract => write!(f, "@contract"),
            Self::Chain => write!(f, "@chain"),
            Self::Transaction => write!(f, "@transaction"),
            Self::Native => write!(f, "@native"),
            Self::Tx => write!(f, "@tx"),
            Self::TxTextHash => write!(f, "@tx_text_hash"),
            Self::Ledger(ledger) => write!(f, "{ledger}"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// The names that terms may use, with their values or, while a file is checked, with their types.
#[derive(Debug)]
pub struct Names<T>(pub BTreeMap<String, T>);

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl Names<Value> {
    /// Adds decoded fields, tuples also by their parts.
    pub fn add(&mut self, prefix: &str, fields: &[Field]) {
        for field in fields {
            let name = format!("{prefix}{}", field.name);
            if let Value::Tuple(parts) = &field.value {
                self.add(&format!("{name}."), parts);
            }
            self.0.insert(name, field.value.clone());
        }
    }
}

impl Names<Type> {
    /// Adds parameters, tuples also by their parts.
    pub fn add(&mut self, prefix: &str, parameters: &[Parameter]) {
        for parameter in parameters {
            let name = format!("{prefix}{}", parameter.name);
            if let Type::Tuple(parts) = &parameter.kind {
                self.add(&format!("{name}."), parts);
            }
            self.0.insert(name, parameter.kind.clone());
        }
    }
}
