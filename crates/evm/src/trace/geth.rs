//! Geth's traces (`debug_traceBlockByNumber` with the callTracer): calls within calls, as deep as the EVM goes.
//!
//! JSON that nests a thousand levels deep would exhaust the stack of a reader that calls itself. So the answer is split
//! into its transactions first, which checks its syntax too, and each tree is then walked in one loop.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::parity::{check_root, is_bookkeeping};
use super::{Action, DEPTH_MAX, Step, Traced};
use crate::answers::Block;
use crate::fault::{BlockFault, Method};
use crate::words::{Hash, hash_text, prefixed, quantity};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a transaction's trace", bound(deserialize = "'de: 'a"))]
struct Entry<'a> {
    tx_hash: Option<Hash>,
    result: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

fn fault(what: impl Into<String>) -> BlockFault {
    BlockFault::new(Method::GethTraces, what)
}

/// Reads the answer to `debug_traceBlockByNumber`.
pub fn read(text: &str, block: &Block<'_>) -> Result<Traced, BlockFault> {
    let entries: Option<Vec<Entry<'_>>> = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
    let entries = entries.ok_or_else(|| fault("the answer is null: the node has no traces of this block"))?;
    let mut traced = Traced::default();
    let mut entries = entries.iter().peekable();
    let mut steps = Vec::new();
    for (at, transaction) in block.transactions.iter().enumerate() {
        steps.clear();
        let name = || hash_text(&transaction.hash.0);
        let own = entries.next_if(|entry| {
            !is_bookkeeping(transaction) || entry.tx_hash.is_some_and(|hash| hash == transaction.hash)
        });
        let result = match own {
            None if is_bookkeeping(transaction) => {
                traced.push([], false);
                continue;
            }
            None => return Err(fault(format!("no trace of transaction {at} ({})", name()))),
            Some(entry) if entry.tx_hash.is_some_and(|hash| hash != transaction.hash) => {
                return Err(fault(format!("the trace of transaction {at} is not of {}", name())));
            }
            Some(Entry { result: Some(result), .. }) => result,
            Some(entry) => {
                let said = entry.error.map_or("nothing", |error| error.get());
                return Err(fault(format!(
                    "transaction {at} was not traced; the node says {}",
                    decode::fault::quoted(said)
                )));
            }
        };
        tree(result.get(), &mut steps).map_err(|what| fault(format!("the trace of transaction {at} {what}")))?;
        if let Some(root) = steps.first() {
            check_root(root, at, transaction).map_err(fault)?;
        }
        traced.push(steps.iter().copied(), block.parent_beacon_block_root.is_some());
    }
    match entries.next() {
        Some(_) => Err(fault(format!("more traces than the block's {} transactions", block.transactions.len()))),
        None => Ok(traced),
    }
}

/// The fields of a call, as they come.
#[derive(Default)]
struct Fields<'a> {
    step: usize,
    kind: &'a str,
    from: &'a str,
    to: &'a str,
    value: &'a str,
    failed: bool,
}

/// Every call of a tree in call order: a call stands before those that it made, whatever the order of its fields.
fn tree(text: &str, steps: &mut Vec<Step>) -> Result<(), String> {
    let mut scan = Scan { text, at: 0 };
    let mut open: Vec<Fields<'_>> = Vec::new();
    if scan.next() != Some(b'{') {
        return Err("is no call".to_owned());
    }
    begin(&mut open, steps)?;
    loop {
        let depth = open.len();
        let Some(current) = open.last_mut() else { return Ok(()) };
        match scan.next() {
            Some(b',') => {}
            Some(b'"') => {
                let key = scan.string();
                scan.next();
                if key == "calls" && scan.peek() == Some(b'[') {
                    scan.next();
                    if scan.enters()? {
                        begin(&mut open, steps)?;
                    }
                    continue;
                }
                let value = scan.value();
                match key {
                    "type" => current.kind = value,
                    "from" => current.from = value,
                    "to" => current.to = value,
                    "value" => current.value = value,
                    "error" => current.failed = !matches!(value, "" | "null"),
                    _ => {}
                }
            }
            Some(b'}') => {
                steps[current.step] = step(current, depth - 1)?;
                open.pop();
                if !open.is_empty() && scan.enters()? {
                    begin(&mut open, steps)?;
                }
            }
            _ => return Err("is no call".to_owned()),
        }
    }
}

/// A call begins: its place in the order is kept for when its fields are known.
fn begin(open: &mut Vec<Fields<'_>>, steps: &mut Vec<Step>) -> Result<(), String> {
    if open.len() > DEPTH_MAX {
        return Err(format!("nests more than {DEPTH_MAX} calls"));
    }
    open.push(Fields { step: steps.len(), ..Fields::default() });
    steps.push(Step {
        depth: 0,
        action: Action::Still,
        from: [0; 20],
        to: None,
        value: ruint::aliases::U256::ZERO,
        failed: false,
    });
    Ok(())
}

fn step(fields: &Fields<'_>, depth: usize) -> Result<Step, String> {
    let wrong = |name: &str, text: &str| format!("has a call whose {name} is {}", decode::fault::quoted(text));
    let action = match fields.kind {
        "CALL" => Action::Call,
        "CREATE" | "CREATE2" => Action::Create,
        "SELFDESTRUCT" | "SUICIDE" => Action::Destroy,
        "DELEGATECALL" | "STATICCALL" | "CALLCODE" => Action::Still,
        other => return Err(wrong("type", other)),
    };
    let from = prefixed(fields.from).ok_or_else(|| wrong("from", fields.from))?;
    let to = match fields.to {
        "" | "null" => None,
        text => Some(prefixed(text).ok_or_else(|| wrong("to", text))?),
    };
    if to.is_none() && !fields.failed && action != Action::Still {
        return Err(wrong("to", fields.to));
    }
    let value = match fields.value {
        "" | "null" => ruint::aliases::U256::ZERO,
        text => quantity(text).ok_or_else(|| wrong("value", text))?,
    };
    Ok(Step { depth, action, from, to, value, failed: fields.failed })
}

/// A place in JSON whose syntax is known to be sound.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// The next byte that is no blank, without passing it.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no blank.
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Within a list of calls: whether another begins, or the list ends.
    fn enters(&mut self) -> Result<bool, String> {
        loop {
            match self.next() {
                Some(b'{') => return Ok(true),
                Some(b']') => return Ok(false),
                Some(b',') => {}
                _ => return Err("has something else than calls among its calls".to_owned()),
            }
        }
    }

    /// The rest of a string whose quote was passed, as it is written.
    fn string(&mut self) -> &'a str {
        let start = self.at;
        let bytes = self.text.as_bytes();
        while let Some(found) = bytes.get(self.at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
            let end = self.at + found;
            if bytes[end] == b'"' {
                self.at = end + 1;
                return self.text.get(start..end).unwrap_or_default();
            }
            self.at = end + 2;
        }
        self.at = bytes.len();
        ""
    }

    /// Passes a value. Of a string what is within its quotes, of anything else all of it.
    fn value(&mut self) -> &'a str {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                self.string()
            }
            Some(b'{' | b'[') => {
                let start = self.at;
                let mut depth = 0_usize;
                while let Some(byte) = self.next() {
                    match byte {
                        b'"' => drop(self.string()),
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
                self.text.get(start..self.at).unwrap_or_default()
            }
            _ => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let length = rest.find([',', '}', ']', ' ', '\n', '\r', '\t']).unwrap_or(rest.len());
                self.at += length;
                &rest[..length]
            }
        }
    }
}
