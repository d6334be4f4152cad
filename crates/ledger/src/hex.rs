//! Bytes as hexadecimal text, and back. Whoever shows bytes last to first reverses them first (see [`crate::txid_text`]).

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends bytes as lower-case digits. Results are full of ids: a push for each digit is a tenth of what formatting takes.
pub fn push<'a>(text: &mut String, bytes: impl IntoIterator<Item = &'a u8>) {
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// Bytes as lower-case digits.
pub fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    push(&mut text, bytes);
    text
}

/// The bytes of digits in either case; `None` where the text is anything else.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_and_nothing_else_is_taken_for_digits() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&text(&all)), Some(all.clone()));
        assert_eq!(bytes(&text(&all).to_uppercase()), Some(all));
        assert_eq!(bytes(""), Some(Vec::new()));
        for bad in ["0", "0g", "+1", " 1", "é", "0x00"] {
            assert_eq!(bytes(bad), None, "{bad:?}");
        }
    }
}
