//! Holder names: addresses in one canonical form each, with their checksums checked.
//!
//! On `bip122` ledgers a holder is a Base58Check or Bech32 address (BIP 173, BIP 350) or a `script:HEX`; on `eip155`
//! ledgers a 20-byte hex address, whose mixed case is a checksum (EIP-55), kept in lower case. Elsewhere a holder is
//! free text, but what plainly looks like one of those addresses is still checked: a typing error in an address
//! sends an investigator to the wrong door.

use std::fmt;

use sha3::{Digest, Keccak256};

use crate::{LedgerId, Lock, Network};

/// The longest holder name.
pub const HOLDER_BYTES_MAX: usize = 512;

/// Why a text names no holder of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// There is nothing there.
    Empty,
    /// It is longer than [`HOLDER_BYTES_MAX`].
    TooLong,
    /// It holds a control character.
    Control,
    /// It has an address's form, and its checksum says that a character is wrong.
    Checksum(&'static str),
    /// It has no form that an address of this ledger can have.
    Form(&'static str),
    /// It is an address of another network.
    Network(&'static str),
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the address is empty"),
            Self::TooLong => write!(f, "the name is longer than {HOLDER_BYTES_MAX} bytes"),
            Self::Control => write!(f, "the name holds a control character"),
            Self::Checksum(kind) => write!(f, "the {kind} checksum is wrong: a character was mistyped or lost"),
            Self::Form(kind) => write!(f, "this is not {kind}"),
            Self::Network(alias) => write!(f, "this is an address of {alias}, not of this ledger"),
        }
    }
}

impl std::error::Error for AddressError {}

/// Checks a holder name and returns its canonical form on `ledger`.
pub fn canonical(ledger: &LedgerId, text: &str) -> Result<String, AddressError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(AddressError::Empty);
    }
    if text.len() > HOLDER_BYTES_MAX {
        return Err(AddressError::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(AddressError::Control);
    }
    match ledger.namespace() {
        "eip155" => evm(text).unwrap_or(Err(AddressError::Form("an address of 40 hexadecimal digits after 0x"))),
        "bip122" => bitcoin_like(Network::of(ledger), text),
        _ => evm(text)
            .or_else(|| looks_segwit(text).then(|| segwit(text)).flatten())
            .or_else(|| looks_base58(text).then(|| base58(text)).flatten())
            .unwrap_or_else(|| Ok(text.to_owned())),
    }
}

fn bitcoin_like(network: &Network, text: &str) -> Result<String, AddressError> {
    if let Some(lock) = Lock::parse(network, text) {
        return Ok(lock.name(network));
    }
    if text.starts_with("script:") || text.starts_with("scripthash:") {
        return Err(AddressError::Form("a script in hexadecimal, or the 64 digits of its hash"));
    }
    match segwit(text).or_else(|| base58(text)) {
        // It is an address, of a network with other prefixes.
        Some(Ok(name)) if network.is_listed() => Err(Network::of_address(&name)
            .map_or(AddressError::Form("an address of this ledger's network"), |of| AddressError::Network(of.alias))),
        Some(result) => result,
        None => Err(AddressError::Form("a Base58 or Bech32 address")),
    }
}

/// `0x` or `\x` (as PostgreSQL prints bytes) and 40 hex digits; `None` where the form is another.
fn evm(text: &str) -> Option<Result<String, AddressError>> {
    let digits = ["0x", "0X", "\\x"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
    if digits.len() != 40 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let lower = digits.to_ascii_lowercase();
    let mixed = digits.bytes().any(|b| b.is_ascii_uppercase()) && digits.bytes().any(|b| b.is_ascii_lowercase());
    if mixed && eip55(&lower) != digits {
        return Some(Err(AddressError::Checksum("EIP-55")));
    }
    Some(Ok(format!("0x{lower}")))
}

/// The mixed-case form of 40 lower-case hex digits (EIP-55), without its prefix.
pub fn eip55(lower: &str) -> String {
    let hash = Keccak256::digest(lower.as_bytes());
    lower
        .bytes()
        .enumerate()
        .map(|(at, byte)| {
            let nibble = if at % 2 == 0 { hash[at / 2] >> 4 } else { hash[at / 2] & 0xf };
            char::from(if nibble >= 8 { byte.to_ascii_uppercase() } else { byte })
        })
        .collect()
}

fn looks_segwit(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["bc1", "tb1", "bcrt1", "ltc1"].iter().any(|prefix| lower.starts_with(prefix))
        && (14..=90).contains(&text.len())
        && lower.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn segwit(text: &str) -> Option<Result<String, AddressError>> {
    match bech32::segwit::decode(text) {
        Ok((prefix, ..)) if (2..=10).contains(&prefix.len()) => Some(Ok(text.to_ascii_lowercase())),
        // A Base58 address can have letters before a 1 as well; only known prefixes are surely Bech32.
        Err(_) if looks_segwit(text) => Some(Err(AddressError::Checksum("Bech32"))),
        Ok(_) | Err(_) => None,
    }
}

/// Letters of both cases and digits, 26 to 35 long, with a Bitcoin prefix: no account number looks so.
fn looks_base58(text: &str) -> bool {
    (26..=35).contains(&text.len())
        && text.starts_with(['1', '3'])
        && text.bytes().any(|b| b.is_ascii_uppercase())
        && text.bytes().any(|b| b.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l'))
}

fn base58(text: &str) -> Option<Result<String, AddressError>> {
    // Version, 20 bytes and checksum make no fewer and no more digits than this.
    if !(25..=35).contains(&text.len()) {
        return None;
    }
    match bs58::decode(text).with_check(None).into_vec() {
        Ok(bytes) if bytes.len() == 21 => Some(Ok(text.to_owned())),
        Err(bs58::decode::Error::InvalidChecksum { .. }) => Some(Err(AddressError::Checksum("Base58"))),
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ledger: &str, text: &str) -> String {
        let ledger = LedgerId::parse(ledger).unwrap();
        canonical(&ledger, text).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn bitcoin_addresses_are_checked() {
        let genesis = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
        assert_eq!(check("bitcoin", genesis), genesis);
        assert_eq!(
            check("bitcoin", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"),
            "the Base58 checksum is wrong: a character was mistyped or lost"
        );
        let segwit = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
        assert_eq!(check("bitcoin", &segwit.to_uppercase()), segwit);
        assert_eq!(
            check("bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"),
            "the Bech32 checksum is wrong: a character was mistyped or lost"
        );
        assert_eq!(check("bitcoin", "script:6A"), "script:6a");
        assert_eq!(check("bitcoin", "script:0014751e76e8199196d454941c45d1b3a323f1433bd6"), segwit);
        assert!(check("bitcoin", "script:6").starts_with("this is not a script"));
        assert_eq!(check("bitcoin-regtest", segwit), "this is an address of bitcoin, not of this ledger");
        assert_eq!(check("bitcoin-regtest", genesis), "this is an address of bitcoin, not of this ledger");
        assert_eq!(check("litecoin", "3CK4fEwbMP7heJarmU4eqA3sMbVJyEnU3V"), "MJXCy8MZJVy8SorksM3zeoJGgJ5m2itsWw");
        assert_eq!(check("bip122:0123456789abcdef0123456789abcdef", segwit), segwit);
        assert_eq!(check("bitcoin", "alice"), "this is not a Base58 or Bech32 address");
    }

    #[test]
    fn evm_addresses_are_lower_case_and_their_case_is_checked() {
        let mixed = "0x098B716B8Aaf21512996dC57EB0615e2383E2f96";
        assert_eq!(check("ethereum", mixed), mixed.to_lowercase());
        assert_eq!(check("ethereum", &mixed.to_lowercase()), mixed.to_lowercase());
        assert_eq!(check("ethereum", &mixed.to_lowercase().replace("0x", "\\x")), mixed.to_lowercase());
        assert!(check("ethereum", &mixed.replace("2f96", "2F96")).contains("EIP-55"));
        assert!(check("ethereum", "0x098b").contains("40 hexadecimal"));
    }

    #[test]
    fn tables_hold_free_text_but_plain_addresses_are_still_checked() {
        assert_eq!(check("table:x", " Müller & Co "), "Müller & Co");
        assert_eq!(check("table:x", "12345678901234567890123456"), "12345678901234567890123456");
        assert!(check("table:x", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb").contains("Base58"));
        assert!(check("table:x", "0x098B716B8Aaf21512996dC57EB0615e2383E2F96").contains("EIP-55"));
        assert_eq!(check("table:x", "a\u{7}"), "the name holds a control character");
    }
}
