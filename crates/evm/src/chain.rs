//! [`Chain`]: what must be known of a chain before its blocks can be read, from `rules/chains.csv`.

use money::Asset;

use crate::words::{AddressBytes, prefixed};

/// The chains that are known by number.
const CHAINS: &str = include_str!("../rules/chains.csv");

/// The decimals of a native coin: the EVM counts in wei.
const NATIVE_SCALE: u8 = 18;

/// An EVM chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its number by EIP-155.
    pub number: u64,
    /// Its name, for people.
    pub name: String,
    /// Its coin.
    pub native: Asset,
    /// Whether its headers mean what Ethereum's do: the bloom filter covers all logs, the gas used is that of all
    /// transactions, and whoever is named as the miner receives the tips.
    pub(crate) standard: bool,
    /// Who receives the base fee; where nobody is named, it is burnt.
    pub(crate) base_fee_to: Option<AddressBytes>,
    /// Who receives what a transaction pays for its place on the chain below.
    pub(crate) l1_fee_to: Option<AddressBytes>,
}

/// How a ledger of an EVM chain is named: its CAIP-2 id, from the chain's number.
pub fn ledger_id(chain: u64) -> ledger::LedgerId {
    ledger::LedgerId::parse(&format!("eip155:{chain}")).expect("a number is a CAIP-2 reference")
}

impl Chain {
    /// The chain of that number, where the table has it.
    pub fn of(number: u64) -> Option<Self> {
        Self::all().find(|chain| chain.number == number)
    }

    /// A chain that no table knows, whose coin the user names.
    pub fn unlisted(number: u64, native: &str) -> Self {
        Self {
            number,
            name: format!("chain {number}"),
            native: Asset { symbol: native.to_owned(), scale: NATIVE_SCALE },
            standard: false,
            base_fee_to: None,
            l1_fee_to: None,
        }
    }

    /// Every chain of the table, ascending by number.
    pub fn all() -> impl Iterator<Item = Self> {
        CHAINS.lines().skip(1).map(|line| {
            let mut fields = line.splitn(7, ',');
            let mut next = || fields.next().expect("a test reads the table, and it has seven columns");
            let number = next().parse().expect("a test reads the table, and its numbers are numbers");
            let (name, native, standard) = (next().to_owned(), next(), next() == "yes");
            let (base_fee_to, l1_fee_to) = (prefixed(next()), prefixed(next()));
            Self { name, standard, base_fee_to, l1_fee_to, ..Self::unlisted(number, native) }
        })
    }

    /// The ledger of this chain.
    pub fn ledger(&self) -> ledger::LedgerId {
        ledger_id(self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let numbers: Vec<u64> = Chain::all().map(|chain| chain.number).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        for line in CHAINS.lines() {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(fields.len(), 7, "{line}");
            assert!(!fields[6].is_empty(), "{line} names no source");
            for address in &fields[4..6] {
                let wrong = line.starts_with("number,") || address.is_empty();
                assert!(wrong || ledger::address::canonical(&ledger_id(1), address).is_ok(), "{address}");
            }
        }
        assert!(Chain::all().all(|chain| !chain.native.symbol.is_empty()));
    }

    #[test]
    fn chains_are_found_by_number_and_named_by_caip_2() {
        let ethereum = Chain::of(1).expect("it is in the table");
        assert_eq!((ethereum.native.symbol.as_str(), ethereum.native.scale), ("ETH", 18));
        assert_eq!(ethereum.ledger().as_str(), "eip155:1");
        assert_eq!(Chain::of(999_999_999), None);
        assert_eq!(Chain::unlisted(7, "ABC").native.symbol, "ABC");
    }
}
