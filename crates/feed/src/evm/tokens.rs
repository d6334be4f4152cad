//! What a contract says of itself as a token: `decimals()` and `symbol()`, asked before its first movement is booked.
//!
//! Both are strangers' words: decimals that are none, or absurd, are unknown; a symbol is cut and cleaned, and is never
//! more than a name for people.

use money::SCALE_MAX;

use super::source::{Answer, Question};
use crate::wire::NodeError;

/// The selector of `decimals()`.
const DECIMALS: &str = "0x313ce567";
/// The selector of `symbol()`.
const SYMBOL: &str = "0x95d89b41";
/// The longest symbol that is kept, in characters.
const SYMBOL_CHARS_MAX: usize = 32;
/// The bytes of an ABI word.
const WORD: usize = 32;

/// The questions about a contract, in order.
pub(super) fn questions(contract: &[u8; 20]) -> [Question; 2] {
    [DECIMALS, SYMBOL].map(|selector| call(contract, selector, "latest"))
}

/// A question to a contract at a block.
pub(super) fn call(contract: &[u8; 20], data: &str, at: &str) -> Question {
    let to = ledger::hex::text(contract);
    Question { method: "eth_call", params: format!(r#"[{{"to":"0x{to}","data":"{data}"}},"{at}"]"#) }
}

/// Decimals as a contract states them; `None` where it states none that can be.
pub(super) fn decimals(answer: &Answer) -> Option<u8> {
    let bytes = returned(answer)?;
    let (last, rest) = bytes.get(..WORD)?.split_last()?;
    (rest.iter().all(|byte| *byte == 0) && *last <= SCALE_MAX).then_some(*last)
}

/// A symbol as a contract states it, as a string or, as old ones do, in a word; empty where it states none.
pub(super) fn symbol(answer: &Answer) -> String {
    let Some(bytes) = returned(answer) else { return String::new() };
    let text = match bytes.get(WORD..2 * WORD) {
        // An offset, which is one word, and a length.
        Some(length) => {
            let length =
                length.iter().try_fold(0usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)));
            let end = length.and_then(|length| length.checked_add(2 * WORD));
            end.and_then(|end| bytes.get(2 * WORD..end)).unwrap_or_default()
        }
        None => &bytes,
    };
    let text = String::from_utf8_lossy(text);
    text.chars()
        .filter(|c| !c.is_control() && *c != '\u{fffd}')
        .take(SYMBOL_CHARS_MAX)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// What a call returned.
pub(super) fn returned(answer: &Answer) -> Option<Vec<u8>> {
    let text: &str = serde_json::from_str(answer.as_ref().ok()?).ok()?;
    ledger::hex::bytes(text.strip_prefix("0x")?)
}

/// Whether a refusal is the contract's own, and not the node's.
pub(super) fn is_revert(error: &NodeError) -> bool {
    match error {
        // 3 is what Geth and its kin say of a revert with a reason.
        NodeError::Rpc { code, says, .. } => {
            let says = says.to_lowercase();
            *code == 3
                || ["revert", "invalid opcode", "out of gas", "stack", "vm execution", "invalid jump"]
                    .iter()
                    .any(|part| says.contains(part))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(number: u8) -> String {
        format!("{number:064x}")
    }

    #[expect(clippy::unnecessary_wraps, reason = "this is what an answer is")]
    fn answer(hex: &str) -> Answer {
        Ok(format!("\"0x{hex}\""))
    }

    #[test]
    fn decimals_that_can_be_are_taken() {
        assert_eq!(decimals(&answer(&word(6))), Some(6));
        assert_eq!(decimals(&answer(&word(0))), Some(0));
        for strange in ["", "06", &word(255), &format!("01{}", "0".repeat(62)), "zz"] {
            assert_eq!(decimals(&answer(strange)), None, "{strange}");
        }
        assert_eq!(decimals(&Ok("null".to_owned())), None);
        assert_eq!(decimals(&Ok("7".to_owned())), None);
    }

    #[test]
    fn symbols_are_cleaned() {
        let text = |length: u8, hex: &str| answer(&format!("{}{}{hex:0<64}", word(32), word(length)));
        assert_eq!(symbol(&text(4, "55534454")), "USDT");
        assert_eq!(symbol(&answer(&format!("{:0<64}", "4d4b52"))), "MKR");
        assert_eq!(symbol(&text(3, "410a42")), "AB");
        assert_eq!(symbol(&text(255, "55534454")), "", "longer than what is there");
        assert_eq!(symbol(&answer(&format!("{}{}", word(32), "f".repeat(64)))), "");
        assert_eq!(symbol(&answer("")), "");
    }
}
