//! The contracts of the tests as compiled (`contracts.json`), and how their functions are called.

use std::fmt::Write as _;

use serde_json::Value;

/// What `npm run compile` wrote.
const COMPILED: &str = include_str!("contracts.json");
/// A word of the ABI, in hex digits.
const WORD_DIGITS: usize = 64;

/// An argument of a function.
#[derive(Clone, Copy)]
pub enum Arg<'a> {
    /// An address, `0x…`.
    Address(&'a str),
    /// A number.
    Units(u128),
    /// A whole word as 64 hex digits.
    Word(&'a str),
    /// A text, which is the only dynamic type here.
    Text(&'a str),
}

/// All contracts.
pub struct Contracts(Value);

impl Contracts {
    /// Reads what was compiled.
    pub fn load() -> Self {
        Self(serde_json::from_str(COMPILED).expect("contracts.json is JSON"))
    }

    /// The hash of each source as it was when it was compiled, by its name.
    pub fn sources(&self) -> Vec<(String, String)> {
        let sources = self.0["sources"].as_object().expect("contracts.json names its sources");
        sources.iter().map(|(name, hash)| (name.clone(), hash.as_str().expect("a hash").to_owned())).collect()
    }

    /// What to send so that a contract is made.
    #[track_caller]
    pub fn creation(&self, contract: &str, arguments: &[Arg<'_>]) -> String {
        let compiled = &self.0["contracts"][contract];
        let wanted = compiled["constructor"].as_array().unwrap_or_else(|| panic!("there is no contract {contract}"));
        assert_eq!(wanted.len(), arguments.len(), "{contract} is made with {wanted:?}");
        format!("0x{}{}", compiled["bytecode"].as_str().expect("bytecode"), encode(arguments))
    }

    /// What to send so that a function is called; `function` is its signature, as `transfer(address,uint256)`.
    #[track_caller]
    pub fn call(&self, contract: &str, function: &str, arguments: &[Arg<'_>]) -> String {
        let functions = &self.0["contracts"][contract]["functions"];
        let selector = functions[function].as_str().unwrap_or_else(|| panic!("{contract} has {functions}"));
        format!("0x{selector}{}", encode(arguments))
    }
}

/// The arguments in the ABI's words: what is static in its place, a text at the end.
fn encode(arguments: &[Arg<'_>]) -> String {
    let (mut head, mut tail) = (String::new(), String::new());
    for argument in arguments {
        let _ = match argument {
            Arg::Address(address) => write!(head, "{:0>WORD_DIGITS$}", address.trim_start_matches("0x")),
            Arg::Units(units) => write!(head, "{units:0WORD_DIGITS$x}"),
            Arg::Word(word) => write!(head, "{word:0>WORD_DIGITS$}"),
            Arg::Text(text) => {
                let place = arguments.len() * WORD_DIGITS / 2 + tail.len() / 2;
                let _ = write!(tail, "{:0WORD_DIGITS$x}", text.len());
                let digits = text.bytes().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
                tail.push_str(&digits);
                tail.push_str(&"0".repeat(digits.len().next_multiple_of(WORD_DIGITS) - digits.len()));
                write!(head, "{place:0WORD_DIGITS$x}")
            }
        };
    }
    head + &tail
}
