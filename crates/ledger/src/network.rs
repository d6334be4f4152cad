//! [`Network`]: what tells one Bitcoin-like chain from another: prefixes of addresses, magic of block files, genesis.
//!
//! Chains of this family differ by the parameters in this table and by nothing else that this project knows. It holds no
//! consensus rule but the header's form, and no chain whose addresses have a form of their own (Bitcoin Cash).
//!
//! Sources: `chainparams.cpp` of Bitcoin Core 29, Litecoin Core 0.21 and Dogecoin Core 1.14; CAIP-4 for the ids.

use crate::{LedgerId, Lock, txid_bytes};

/// How a chain's blocks begin, and what their hash proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// 80 bytes whose double SHA-256 meets the target that they state.
    Work,
    /// 80 bytes; the work is of another hash function.
    OtherWork,
    /// The same, and with bit 8 of the version the proof of a merge-mined parent block follows them.
    AuxiliaryWork,
}

/// One chain's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// What people type.
    pub alias: &'static str,
    /// The ledger's id.
    pub ledger: &'static str,
    /// The hash of block 0 as people write it.
    pub genesis: &'static str,
    /// The four bytes before each block in a node's files.
    pub magic: [u8; 4],
    /// The version byte of addresses of public key hashes.
    pub key_hash: u8,
    /// The version bytes of addresses of script hashes; the first one is printed.
    pub script_hash: &'static [u8],
    /// The prefix of Bech32 addresses; empty where there are none.
    pub bech32: &'static str,
    /// The native coin.
    pub symbol: &'static str,
    /// Its decimals.
    pub scale: u8,
    /// How blocks begin.
    pub header: Header,
    /// Whether blocks may end in an extension block (MWEB), which holds no output that this project could follow.
    pub extension_blocks: bool,
}

const TEST: Network = Network {
    alias: "bitcoin-testnet3",
    ledger: "bip122:000000000933ea01ad0ee984209779ba",
    genesis: "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
    magic: [0x0b, 0x11, 0x09, 0x07],
    key_hash: 111,
    script_hash: &[196],
    bech32: "tb",
    symbol: "BTC",
    scale: 8,
    header: Header::Work,
    extension_blocks: false,
};

/// The chains that have a name here.
pub const NETWORKS: [Network; 7] = [
    Network {
        alias: "bitcoin",
        ledger: "bip122:000000000019d6689c085ae165831e93",
        genesis: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
        magic: [0xf9, 0xbe, 0xb4, 0xd9],
        key_hash: 0,
        script_hash: &[5],
        bech32: "bc",
        ..TEST
    },
    TEST,
    Network {
        alias: "bitcoin-testnet4",
        ledger: "bip122:00000000da84f2bafbbc53dee25a72ae",
        genesis: "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
        magic: [0x1c, 0x16, 0x3f, 0x28],
        ..TEST
    },
    Network {
        alias: "bitcoin-signet",
        ledger: "bip122:00000008819873e925422c1ff0f99f7c",
        genesis: "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
        magic: [0x0a, 0x03, 0xcf, 0x40],
        ..TEST
    },
    Network {
        alias: "bitcoin-regtest",
        ledger: "bip122:0f9188f13cb7b2c71f2a335e3a4fc328",
        genesis: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
        magic: [0xfa, 0xbf, 0xb5, 0xda],
        bech32: "bcrt",
        ..TEST
    },
    Network {
        alias: "litecoin",
        ledger: "bip122:12a765e31ffd4059bada1e25190f6e98",
        genesis: "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2",
        magic: [0xfb, 0xc0, 0xb6, 0xdb],
        key_hash: 48,
        script_hash: &[50, 5],
        bech32: "ltc",
        symbol: "LTC",
        header: Header::OtherWork,
        extension_blocks: true,
        ..TEST
    },
    Network {
        alias: "dogecoin",
        ledger: "bip122:1a91e3dace36e2be3bf030a65679fe82",
        genesis: "1a91e3dace36e2be3bf030a65679fe821aa1d6ef92e7c9902eb318182c355691",
        magic: [0xc0, 0xc0, 0xc0, 0xc0],
        key_hash: 30,
        script_hash: &[22],
        bech32: "",
        symbol: "DOGE",
        header: Header::AuxiliaryWork,
        ..TEST
    },
];

/// A chain without a name here, an exercise's own for one. Its addresses carry the prefixes of the regression-test
/// network, so that none can be mistaken for one of a chain on which there is money.
pub const UNLISTED: Network = Network { alias: "", ledger: "", genesis: "", magic: [0; 4], bech32: "bcrt", ..TEST };

impl Network {
    /// The network of a ledger; [`UNLISTED`] where it has no name here.
    pub fn of(ledger: &LedgerId) -> &'static Self {
        NETWORKS.iter().find(|network| network.ledger == ledger.as_str()).unwrap_or(&UNLISTED)
    }

    /// The network whose block files begin so.
    pub fn of_magic(magic: [u8; 4]) -> Option<&'static Self> {
        NETWORKS.iter().find(|network| network.magic == magic)
    }

    /// The network with this block 0, in internal byte order.
    pub fn of_genesis(hash: &[u8; 32]) -> Option<&'static Self> {
        NETWORKS.iter().find(|network| txid_bytes(network.genesis).as_ref() == Some(hash))
    }

    /// The network that an address is of, as far as its prefix says; test networks share theirs.
    pub fn of_address(address: &str) -> Option<&'static Self> {
        NETWORKS.iter().find(|network| Lock::parse(network, address).is_some())
    }

    /// Whether it has a name.
    pub const fn is_listed(&self) -> bool {
        !self.alias.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_is_found_by_its_name_its_id_its_magic_and_its_genesis() {
        for network in &NETWORKS {
            let id = LedgerId::parse(network.alias).unwrap();
            assert_eq!(id.as_str(), network.ledger);
            assert_eq!(network.ledger, format!("bip122:{}", &network.genesis[..32]), "CAIP-4 cuts the hash");
            assert_eq!(Network::of(&id), network);
            assert_eq!(Network::of_magic(network.magic), Some(network));
            assert_eq!(Network::of_genesis(&txid_bytes(network.genesis).unwrap()), Some(network));
            assert_eq!(id.native_scale(network.symbol), Some(8));
        }
        assert!(!Network::of(&LedgerId::parse("bip122:0123456789abcdef0123456789abcdef").unwrap()).is_listed());
    }
}
