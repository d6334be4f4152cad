//! The roots in a header, computed again: they prove that receipts, with all their logs, and withdrawals are as they were.
//!
//! A list is put under the keys of its indexes into a Merkle-Patricia trie, whose nodes are RLP; the root is the hash of
//! the top node. Only whole lists are hashed, so nodes are never kept. Sources: the Ethereum yellow paper, appendices B
//! to D; EIP-2718 (typed receipts), EIP-658 (status), EIP-4895 (withdrawals).

use crate::abi::keccak256;
use crate::answers::{Block, Log, Receipt};
use crate::words::{HashBytes, fixed};

/// The last type of receipt that is encoded as all before it (EIP-7702). Rollups have types of their own.
const TYPE_MAX: u64 = 4;

/// Whether receipts are those of the header's root; `None` where the header has none, or a receipt a form of its own.
pub fn are_receipts(block: &Block<'_>, receipts: &[Receipt<'_>]) -> Option<bool> {
    let stated = block.receipts_root?;
    let items = receipts.iter().map(receipt).collect::<Option<Vec<_>>>()?;
    Some(root(&items) == stated.0)
}

/// The same for the withdrawals of stakers.
pub fn are_withdrawals(block: &Block<'_>) -> Option<bool> {
    let (stated, withdrawals) = (block.withdrawals_root?, block.withdrawals.as_ref()?);
    let item = |withdrawal: &crate::answers::Withdrawal| {
        let mut fields = Vec::with_capacity(48);
        push_number(&mut fields, withdrawal.index?.0);
        push_number(&mut fields, withdrawal.validator_index?.0);
        push_bytes(&mut fields, &withdrawal.address.0);
        push_number(&mut fields, withdrawal.amount.0);
        Some(list(&fields))
    };
    let items = withdrawals.iter().map(item).collect::<Option<Vec<_>>>()?;
    Some(root(&items) == stated.0)
}

fn receipt(receipt: &Receipt<'_>) -> Option<Vec<u8>> {
    let bloom = fixed::<256>(receipt.logs_bloom.as_ref()?.digits())?;
    let mut fields = Vec::with_capacity(512);
    match (receipt.status, &receipt.root) {
        (Some(status), _) => push_number(&mut fields, status.0),
        (None, Some(root)) => push_bytes(&mut fields, &fixed::<32>(root.digits())?),
        (None, None) => return None,
    }
    push_number(&mut fields, receipt.cumulative_gas_used?.0);
    push_bytes(&mut fields, &bloom);
    let mut logs = Vec::new();
    for log in &receipt.logs {
        push_log(&mut logs, log)?;
    }
    fields.extend(list(&logs));
    let kind = receipt.kind.map_or(0, |kind| kind.0);
    let mut item = Vec::with_capacity(fields.len() + 4);
    if kind > 0 {
        item.push(u8::try_from(kind).ok().filter(|_| kind <= TYPE_MAX)?);
    }
    item.extend(list(&fields));
    Some(item)
}

fn push_log(out: &mut Vec<u8>, log: &Log<'_>) -> Option<()> {
    let mut fields = Vec::with_capacity(256);
    push_bytes(&mut fields, &log.address.0);
    let mut topics = Vec::with_capacity(4 * 33);
    for topic in log.topics.as_slice() {
        push_bytes(&mut topics, topic);
    }
    fields.extend(list(&topics));
    push_bytes(&mut fields, &log.data.bytes()?);
    out.extend(list(&fields));
    Some(())
}

/// The bytes of a length or number, without zeros before.
fn significant(bytes: &[u8; 8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    push_bytes(out, significant(&number.to_be_bytes()));
}

fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes {
        [byte] if *byte < 0x80 => {}
        _ => push_length(out, 0x80, bytes.len()),
    }
    out.extend_from_slice(bytes);
}

/// RLP's mark of what follows: short lengths are within the mark, longer ones after it.
fn push_length(out: &mut Vec<u8>, mark: u8, length: usize) {
    let low = |number: usize| u8::try_from(number).expect("a length below 56, or of eight bytes at most");
    if length < 56 {
        out.push(mark + low(length));
    } else {
        let bytes = (length as u64).to_be_bytes();
        let digits = significant(&bytes);
        out.push(mark + 55 + low(digits.len()));
        out.extend_from_slice(digits);
    }
}

fn list(fields: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(fields.len() + 9);
    push_length(&mut out, 0xc0, fields.len());
    out.extend_from_slice(fields);
    out
}

/// The root of a list's trie.
fn root(items: &[Vec<u8>]) -> HashBytes {
    if items.is_empty() {
        // The hash of nothing, as RLP.
        return keccak256(&[0x80]);
    }
    let mut leaves: Vec<(Vec<u8>, &[u8])> = items.iter().enumerate().map(|(at, item)| (key(at), &item[..])).collect();
    leaves.sort_unstable();
    keccak256(&node(&leaves, 0))
}

/// An index as the nibbles of its RLP.
fn key(index: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4);
    push_number(&mut bytes, index as u64);
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect()
}

/// The node above some leaves, which share the first `depth` nibbles. No key is the beginning of another, so that
/// branches have no values; keys have at most 18 nibbles, so that this calls itself no deeper.
fn node(leaves: &[(Vec<u8>, &[u8])], depth: usize) -> Vec<u8> {
    let (first, last) = (&leaves[0].0, &leaves[leaves.len() - 1].0);
    let mut fields = Vec::new();
    if let [(path, value)] = leaves {
        push_bytes(&mut fields, &packed(&path[depth..], true));
        push_bytes(&mut fields, value);
        return list(&fields);
    }
    let shared = first[depth..].iter().zip(&last[depth..]).take_while(|(a, b)| a == b).count();
    if shared > 0 {
        push_bytes(&mut fields, &packed(&first[depth..depth + shared], false));
        push_child(&mut fields, &node(leaves, depth + shared));
        return list(&fields);
    }
    let mut rest = leaves;
    for nibble in 0..16 {
        let (own, after) = rest.split_at(rest.partition_point(|(path, _)| path[depth] <= nibble));
        rest = after;
        if own.is_empty() {
            push_bytes(&mut fields, &[]);
        } else {
            push_child(&mut fields, &node(own, depth + 1));
        }
    }
    push_bytes(&mut fields, &[]);
    list(&fields)
}

/// A node within its parent: itself where it is short, otherwise its hash.
fn push_child(out: &mut Vec<u8>, node: &[u8]) {
    if node.len() < 32 {
        out.extend_from_slice(node);
    } else {
        push_bytes(out, &keccak256(node));
    }
}

/// Nibbles as bytes, with a mark of whether they are odd in number and whether a leaf ends with them.
fn packed(nibbles: &[u8], leaf: bool) -> Vec<u8> {
    let odd = nibbles.len() % 2;
    let mark = if leaf { 2 } else { 0 } + u8::from(odd == 1);
    let head = if odd == 1 { mark << 4 | nibbles[0] } else { mark << 4 };
    let (pairs, _) = nibbles[odd..].as_chunks::<2>();
    std::iter::once(head).chain(pairs.iter().map(|[high, low]| high << 4 | low)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rlp_is_as_its_specification_shows_it() {
        let bytes = |bytes: &[u8]| {
            let mut out = Vec::new();
            push_bytes(&mut out, bytes);
            out
        };
        assert_eq!(bytes(b"dog"), b"\x83dog");
        assert_eq!(bytes(&[]), [0x80]);
        assert_eq!(bytes(&[0x0f]), [0x0f]);
        assert_eq!(bytes(&[0x80]), [0x81, 0x80]);
        assert_eq!(bytes(&[7; 56])[..2], [0xb8, 56]);
        assert_eq!(list(&[bytes(b"cat"), bytes(b"dog")].concat()), b"\xc8\x83cat\x83dog");
        let mut number = Vec::new();
        push_number(&mut number, 1024);
        push_number(&mut number, 0);
        assert_eq!(number, [0x82, 4, 0, 0x80]);
    }

    #[test]
    fn the_root_of_nothing_is_known() {
        let text = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";
        assert_eq!(ledger::hex::text(&root(&[])), text);
        assert_ne!(root(&[vec![1]]), root(&[vec![1], vec![1]]));
    }
}
