//! What people and exports call chains, and the ledgers that they mean. Numbers of protocols are in their own files.

use ledger::LedgerId;

/// Names in use, in lower case.
const NAMES: &[(&str, u64)] = &[
    ("eth", 1),
    ("ethereum", 1),
    ("mainnet", 1),
    ("optimism", 10),
    ("op", 10),
    ("bnb", 56),
    ("bsc", 56),
    ("binance", 56),
    ("gnosis", 100),
    ("xdai", 100),
    ("heco", 128),
    ("polygon", 137),
    ("matic", 137),
    ("fantom", 250),
    ("ftm", 250),
    ("moonbeam", 1284),
    ("moonriver", 1285),
    ("base", 8453),
    ("arbitrum", 42161),
    ("arb", 42161),
    ("celo", 42220),
    ("avalanche", 43114),
    ("avax", 43114),
    ("linea", 59144),
    ("aurora", 1_313_161_554),
    ("harmony", 1_666_600_000),
];

/// The ledger of a name, a chain id or a CAIP-2 id.
pub fn named(text: &str) -> Option<LedgerId> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    if let Some((_, number)) = NAMES.iter().find(|(name, _)| *name == lower) {
        return Some(evm::ledger_id(*number));
    }
    match text.parse::<u64>() {
        Ok(number) => Some(evm::ledger_id(number)),
        Err(_) => LedgerId::parse(text).ok(),
    }
}
