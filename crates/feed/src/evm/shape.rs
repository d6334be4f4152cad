//! [`shape`]: what a bare recorded answer is of, told by what stands in it. No more is read of it than that.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::source::{hash_bytes, quantity};

/// What an answer is of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A block with whole transactions.
    Block(BlockShape),
    /// The receipts of the block at a height.
    Receipts(u64),
    /// Its logs.
    Logs(u64),
    /// Its traces, of `trace_block`.
    Parity(u64),
    /// Traces of `debug_traceBlockByNumber`, and the hash of the first transaction in them.
    Geth(String),
    /// An empty list.
    Empty,
    /// None of these.
    Other,
}

/// What is read of a block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BlockShape {
    pub height: u64,
    pub hash: [u8; 32],
    pub parent: [u8; 32],
    pub transactions: usize,
    pub first_transaction: Option<String>,
    pub chain: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(borrow)]
    number: Cow<'a, str>,
    #[serde(borrow)]
    hash: Cow<'a, str>,
    #[serde(borrow)]
    parent_hash: Cow<'a, str>,
    #[serde(borrow)]
    transactions: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transaction<'a> {
    #[serde(borrow)]
    hash: Cow<'a, str>,
    #[serde(borrow, default)]
    chain_id: Option<Cow<'a, str>>,
}

/// An element of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Element<'a> {
    #[serde(default)]
    logs: Option<IgnoredAny>,
    #[serde(default)]
    topics: Option<IgnoredAny>,
    #[serde(default)]
    action: Option<IgnoredAny>,
    #[serde(borrow, default)]
    block_number: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tx_hash: Option<Cow<'a, str>>,
}

/// Looks at an answer's `result`.
pub(super) fn shape(json: &str) -> Shape {
    if json.starts_with('[') {
        return list(json).unwrap_or(Shape::Other);
    }
    block(json).map_or(Shape::Other, Shape::Block)
}

fn block(json: &str) -> Option<BlockShape> {
    let head: Head<'_> = serde_json::from_str(json).ok()?;
    // Names of transactions instead of transactions: nobody asked for more.
    if head.transactions.first().is_some_and(|first| first.get().starts_with('"')) {
        return None;
    }
    let first = head.transactions.first().and_then(read);
    // Old transactions are of no chain in particular.
    let chain = head.transactions.iter().filter_map(read).find_map(|transaction| quantity(&transaction.chain_id?));
    Some(BlockShape {
        height: quantity(&head.number)?,
        hash: hash_bytes(&head.hash)?,
        parent: hash_bytes(&head.parent_hash)?,
        transactions: head.transactions.len(),
        first_transaction: first.map(|transaction| transaction.hash.to_lowercase()),
        chain,
    })
}

fn read<'a>(json: &&'a RawValue) -> Option<Transaction<'a>> {
    serde_json::from_str(json.get()).ok()
}

fn list(json: &str) -> Option<Shape> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let Some(first) = elements.first() else { return Some(Shape::Empty) };
    let element: Element<'_> = serde_json::from_str(first.get()).ok()?;
    let height = || {
        // Some write it as a number, others in hex.
        let text = element.block_number?.get();
        text.parse().ok().or_else(|| quantity(text.trim_matches('"')))
    };
    Some(match &element {
        Element { logs: Some(_), .. } => Shape::Receipts(height()?),
        Element { topics: Some(_), .. } => Shape::Logs(height()?),
        Element { action: Some(_), .. } => Shape::Parity(height()?),
        Element { tx_hash: Some(hash), .. } => Shape::Geth(hash.to_lowercase()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_is_told_by_what_stands_in_it() {
        let hash = format!("0x{}", "ab".repeat(32));
        let head = |transactions: &str| {
            format!(r#"{{"number":"0x7","hash":"{hash}","parentHash":"{hash}","transactions":{transactions}}}"#)
        };
        let Shape::Block(block) = shape(&head(r#"[{"hash":"0xAA"},{"hash":"0xb","chainId":"0x89"}]"#)) else {
            panic!("a block")
        };
        assert_eq!((block.height, block.first_transaction.as_deref(), block.chain), (7, Some("0xaa"), Some(137)));
        assert_eq!(shape(&head(&format!("[\"{hash}\"]"))), Shape::Other, "only names");
        for (json, is) in [
            (r#"[{"logs":[],"blockNumber":"0x5"}]"#, Shape::Receipts(5)),
            (r#"[{"topics":[],"blockNumber":"0x5"}]"#, Shape::Logs(5)),
            (r#"[{"action":{},"blockNumber":5}]"#, Shape::Parity(5)),
            (r#"[{"result":{},"txHash":"0xAB"}]"#, Shape::Geth("0xab".into())),
            ("[]", Shape::Empty),
            ("[1]", Shape::Other),
            (r#"[{"topics":[]}]"#, Shape::Other),
            ("null", Shape::Other),
            (r#""0x1""#, Shape::Other),
            ("{}", Shape::Other),
        ] {
            assert_eq!(shape(json), is, "{json}");
        }
    }
}
