//! [`LedgerId`]: which ledger, by CAIP-2 where there is one (`bip122:…`, `eip155:1`), `bank:BIC` or `table:NAME` otherwise.
//!
//! Source: CAIP-2 (chain ids), CAIP-4 (bip122), CAIP-3 (eip155). Aliases are accepted and printed in full.

use std::fmt;

use crate::network::{NETWORKS, Network};

/// The longest ledger id.
pub const ID_BYTES_MAX: usize = 96;

/// What people type, and the id it stands for, beside the names of [`NETWORKS`].
const ALIASES: &[(&str, &str)] = &[("ethereum", "eip155:1")];

/// A ledger's name, in full.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerId(String);

/// Why a text names no ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerIdError(String);

impl fmt::Display for LedgerIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a ledger id; write bitcoin, ethereum, a CAIP-2 id such as eip155:1, bank:BIC or table:NAME",
            self.0
        )
    }
}

impl std::error::Error for LedgerIdError {}

impl LedgerId {
    /// Reads an id or an alias.
    pub fn parse(text: &str) -> Result<Self, LedgerIdError> {
        let text = text.trim();
        let networks = NETWORKS.iter().map(|network| (network.alias, network.ledger));
        if let Some((_, full)) =
            ALIASES.iter().copied().chain(networks).find(|(alias, _)| alias.eq_ignore_ascii_case(text))
        {
            return Ok(Self(full.to_owned()));
        }
        let good = text.len() <= ID_BYTES_MAX
            && text.split_once(':').is_some_and(|(space, reference)| {
                !space.is_empty()
                    && space.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                    && !reference.is_empty()
                    && reference != "."
                    && reference != ".."
                    && reference.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            });
        if good { Ok(Self(text.to_owned())) } else { Err(LedgerIdError(text.chars().take(ID_BYTES_MAX).collect())) }
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the colon: `bip122`, `eip155`, `bank`, `table`.
    pub fn namespace(&self) -> &str {
        self.0.split_once(':').map_or("", |(space, _)| space)
    }

    /// The part after the colon.
    pub fn reference(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, reference)| reference)
    }

    /// The decimals that the chain itself fixes for its native coin, where this room knows the chain.
    pub fn native_scale(&self, symbol: &str) -> Option<u8> {
        match (self.namespace(), symbol) {
            ("eip155", "ETH") => Some(18),
            ("bip122", symbol) if [Network::of(self).symbol, "BTC"].contains(&symbol) => Some(8),
            _ => None,
        }
    }
}

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_print_in_full_and_nonsense_is_refused() {
        assert_eq!(LedgerId::parse("Bitcoin").unwrap().as_str(), "bip122:000000000019d6689c085ae165831e93");
        assert_eq!(LedgerId::parse("eip155:1").unwrap().namespace(), "eip155");
        for bad in ["", "bitcoin ", "x", ":", "a:", ":b", "a:b/c", "a:..", "A:b", &"a:b".repeat(50)] {
            assert_eq!(LedgerId::parse(bad).is_ok(), bad == "bitcoin ", "{bad:?}");
        }
    }
}
