//! Parity's traces (`trace_block`): a flat list of steps, each with its place in the tree of calls.
//!
//! Some nodes put a SELFDESTRUCT before the calls that came first, and leave calls of precompiled contracts out, with a
//! hole in the numbering; so steps are put in order by their places, and a hole is not held against a node. A step
//! whose parent is missing is.

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use serde_json::value::RawValue;

use super::{Action, DEPTH_MAX, Step, Traced};
use crate::answers::{Block, Transaction};
use crate::fault::{BlockFault, Method};
use crate::words::{Address, AddressBytes, Data, Hash, Quantity, Small, hash_text, holder};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a trace with its fields", bound(deserialize = "'de: 'a"))]
#[expect(clippy::struct_field_names, reason = "the fields are named as the answer names them")]
struct Trace<'a> {
    action: TraceAction<'a>,
    result: Option<TraceResult>,
    #[serde(default)]
    error: Present,
    trace_address: Option<&'a RawValue>,
    #[serde(rename = "type")]
    kind: Data<'a>,
    block_hash: Option<Hash>,
    block_number: Option<Small>,
    transaction_hash: Option<Hash>,
    transaction_position: Option<Small>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an action with its fields", bound(deserialize = "'de: 'a"))]
struct TraceAction<'a> {
    from: Option<Address>,
    to: Option<Address>,
    value: Option<Quantity>,
    call_type: Option<Data<'a>>,
    address: Option<Address>,
    balance: Option<Quantity>,
    refund_address: Option<Address>,
    author: Option<Address>,
}

#[derive(Deserialize)]
struct TraceResult {
    address: Option<Address>,
}

/// Whether something other than nothing stands there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present(pub bool);

struct PresentVisitor;

impl Visitor<'_> for PresentVisitor {
    type Value = bool;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a message or nothing")
    }

    fn visit_str<E>(self, text: &str) -> Result<bool, E> {
        Ok(!text.is_empty())
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PresentVisitor).map(Self)
    }
}

fn fault(what: impl Into<String>) -> BlockFault {
    BlockFault::new(Method::ParityTraces, what)
}

/// Reads the answer to `trace_block`.
pub fn read(text: &str, block: &Block<'_>) -> Result<Traced, BlockFault> {
    let traces: Option<Vec<Trace<'_>>> = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
    let traces = traces.ok_or_else(|| fault("the answer is null: the node has no traces of this block"))?;
    let mut traced = Traced::default();
    let mut rest = traces.as_slice();
    for (at, transaction) in block.transactions.iter().enumerate() {
        let own = rest.iter().take_while(|trace| trace.transaction_position.is_some_and(|p| p.0 == at as u64)).count();
        let (own, after) = rest.split_at(own);
        rest = after;
        if own.is_empty() && !is_bookkeeping(transaction) {
            let name = hash_text(&transaction.hash.0);
            return Err(fault(format!("no traces of transaction {at} ({name}), or not in their place")));
        }
        let steps = steps(own, at, transaction, block)?;
        traced.push(steps, block.parent_beacon_block_root.is_some());
    }
    for trace in rest {
        check_block(trace, block)?;
        if &*trace.kind.0 != "reward" {
            let position =
                trace.transaction_position.map_or("no transaction".to_owned(), |p| format!("transaction {}", p.0));
            return Err(fault(format!("a {} trace of {position} after those of the last one", trace.kind.0)));
        }
        let (Some(author), Some(value)) = (trace.action.author, trace.action.value) else {
            return Err(fault("a reward without author or value"));
        };
        traced.rewards.push((author.0, value.0));
    }
    Ok(traced)
}

/// A transaction by which a chain keeps its own books (Polygon's state sync): nobody sent it, and nodes do not trace it.
pub fn is_bookkeeping(transaction: &Transaction) -> bool {
    transaction.from.0 == crate::words::ZERO && transaction.gas.0 == 0
}

fn check_block(trace: &Trace<'_>, block: &Block<'_>) -> Result<(), BlockFault> {
    let number = block.number.0;
    if let Some(Small(other)) = trace.block_number.filter(|other| other.0 != number) {
        return Err(fault(format!("a trace is of block {other}, not of {number}")));
    }
    match trace.block_hash {
        Some(Hash(other)) if other != block.hash.0 => {
            Err(fault(format!("a trace is of block {}, not of {}", hash_text(&other), hash_text(&block.hash.0))))
        }
        _ => Ok(()),
    }
}

/// The steps of a transaction in call order, checked for being its own.
fn steps(own: &[Trace<'_>], at: usize, transaction: &Transaction, block: &Block<'_>) -> Result<Vec<Step>, BlockFault> {
    let mut placed = Vec::with_capacity(own.len());
    for trace in own {
        check_block(trace, block)?;
        if trace.transaction_hash.is_none_or(|hash| hash != transaction.hash) {
            return Err(fault(format!("a trace of transaction {at} does not name its hash")));
        }
        let path =
            path(trace).ok_or_else(|| fault(format!("a trace of transaction {at} has no sound traceAddress")))?;
        placed.push((path, step(trace).map_err(|what| fault(format!("a trace of transaction {at} {what}")))?));
    }
    if !placed.is_sorted_by(|(a, _), (b, _)| a < b) {
        placed.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    let mut before: Option<&[u32]> = None;
    for (path, _) in &placed {
        if !follows(before, path) {
            return Err(fault(format!("transaction {at} has two traces of one place, or one without its parent")));
        }
        before = Some(path);
    }
    if let Some((_, root)) = placed.first() {
        check_root(root, at, transaction).map_err(fault)?;
    }
    Ok(placed.into_iter().map(|(path, step)| Step { depth: path.len(), ..step }).collect())
}

/// Whether the root of a transaction's traces says what the transaction says.
pub fn check_root(root: &Step, at: usize, transaction: &Transaction) -> Result<(), String> {
    let differs = if root.from != transaction.from.0 {
        "another sender"
    } else if root.value != transaction.value.0 {
        "another value"
    } else if transaction.to.is_some_and(|to| root.to != Some(to.0)) {
        "another recipient"
    } else {
        return Ok(());
    };
    let to = root.to.as_ref().map_or("nobody".to_owned(), holder);
    let from = holder(&root.from);
    Err(format!("the trace of transaction {at} has {differs}: {from} to {to}, value {}", root.value))
}

/// Whether a place can come next in call order: the root first, then a child of the one before or of its ancestors.
fn follows(before: Option<&[u32]>, path: &[u32]) -> bool {
    let Some(before) = before else { return path.is_empty() };
    let Some((last, parent)) = path.split_last() else { return false };
    before.starts_with(parent) && before.get(parent.len()).is_none_or(|sibling| sibling < last)
}

fn path(trace: &Trace<'_>) -> Option<Vec<u32>> {
    let text = trace.trace_address?.get().trim();
    let inner = text.strip_prefix('[')?.strip_suffix(']')?.trim();
    if inner.is_empty() {
        return Some(Vec::new());
    }
    let path: Vec<u32> =
        inner.split(',').take(DEPTH_MAX + 1).map(|place| place.trim().parse().ok()).collect::<Option<_>>()?;
    (path.len() <= DEPTH_MAX).then_some(path)
}

fn step(trace: &Trace<'_>) -> Result<Step, String> {
    let action = &trace.action;
    let failed = trace.error.0;
    let present = |address: Option<Address>, name: &str| match address {
        Some(Address(address)) => Ok(address),
        None => Err(format!("has no {name}")),
    };
    let value = |quantity: Option<Quantity>, name: &str| match quantity {
        Some(Quantity(value)) => Ok(value),
        None => Err(format!("has no {name}")),
    };
    let (action, from, to, value): (Action, AddressBytes, Option<AddressBytes>, _) = match &*trace.kind.0 {
        "call" => {
            let kind = match action.call_type.as_ref().map_or("call", |kind| &kind.0) {
                "call" => Action::Call,
                "delegatecall" | "staticcall" | "callcode" => Action::Still,
                other => return Err(format!("has the unknown callType {}", decode::fault::quoted(other))),
            };
            (
                kind,
                present(action.from, "sender")?,
                Some(present(action.to, "recipient")?),
                value(action.value, "value")?,
            )
        }
        "create" => {
            let address = trace.result.as_ref().and_then(|result| result.address).map(|address| address.0);
            if address.is_none() && !failed {
                return Err("creates a contract without an address".to_owned());
            }
            (Action::Create, present(action.from, "sender")?, address, value(action.value, "value")?)
        }
        "suicide" | "selfdestruct" => (
            Action::Destroy,
            present(action.address, "address")?,
            Some(present(action.refund_address, "refundAddress")?),
            value(action.balance, "balance")?,
        ),
        other => return Err(format!("has the unknown type {}", decode::fault::quoted(other))),
    };
    Ok(Step { depth: 0, action, from, to, value, failed })
}
