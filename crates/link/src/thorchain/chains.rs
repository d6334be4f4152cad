//! The tables of chains and routers: which ledger a chain's name is, and how amounts are written there.
//!
//! Both protocols count everything in 1e-8 (MAYAChain's own coin in 1e-10), whatever the asset's own decimals are. What
//! comes in is rounded down to that; what goes out is paid as counted, or rounded down to the asset's decimals where
//! those are fewer. Source: THORNode `common/coin.go`, `x/thorchain/manager_txout*.go`, and the router's events.

use std::sync::LazyLock;

use ledger::LedgerId;

use super::asset::{Asset, Form};
use super::table::{fields, rows};

const CHAINS: &str = include_str!("chains.csv");
const ROUTERS: &str = include_str!("routers.csv");

/// The decimals that both protocols count in.
pub const PROTOCOL_SCALE: u8 = 8;
/// The most decimals that an asset's own units may have here: 10^30 and an amount fit 256 bits, and no coin has more.
pub const SCALE_MAX: u8 = 30;

/// Whose memos and records they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// THORChain.
    #[default]
    Thorchain,
    /// MAYAChain, which began as a copy of it.
    Mayachain,
}

impl Scheme {
    /// The protocol's name, as claims and registries write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Thorchain => "thorchain",
            Self::Mayachain => "mayachain",
        }
    }

    /// The scheme of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Thorchain, Self::Mayachain].into_iter().find(|scheme| scheme.as_str() == text)
    }

    /// The chain that keeps its records.
    pub const fn own_chain(self) -> &'static str {
        match self {
            Self::Thorchain => "THOR",
            Self::Mayachain => "MAYA",
        }
    }
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Chain {
    scheme: Option<Scheme>,
    /// Its name in assets and records.
    pub name: String,
    /// The ledger that it is.
    pub ledger: LedgerId,
    symbol: String,
    asset: String,
    scale: u8,
}

/// A contract that takes in and pays out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Router {
    /// Whose it is.
    pub scheme: Scheme,
    /// The ledger that it stands on.
    pub ledger: LedgerId,
    /// Its address.
    pub address: [u8; 20],
    /// Its version.
    pub version: String,
}

static TABLE: LazyLock<Vec<Chain>> = LazyLock::new(|| {
    rows(CHAINS)
        .map(|(_, row)| {
            let [scheme, name, ledger, symbol, asset, scale] = fields(row).expect("the built-in table has six columns");
            Chain {
                scheme: Scheme::parse(scheme),
                name: name.to_owned(),
                ledger: LedgerId::parse(ledger).expect("the built-in table's ids are good"),
                symbol: symbol.to_owned(),
                asset: asset.to_owned(),
                scale: scale.parse().expect("the built-in table's scales are numbers"),
            }
        })
        .collect()
});

/// The chain of that name.
pub fn chain(scheme: Scheme, name: &str) -> Option<&'static Chain> {
    TABLE.iter().find(|chain| chain.name == name && chain.scheme.is_none_or(|whose| whose == scheme))
}

/// The routers that are built in.
pub fn routers() -> Vec<Router> {
    parse_routers(ROUTERS).expect("the built-in table is good")
}

/// Routers from a table of the built-in one's form; what is wrong names its line.
pub fn parse_routers(text: &str) -> Result<Vec<Router>, String> {
    rows(text)
        .map(|(line, row)| {
            let wrong = |what: &str| format!("line {line}: {what}: {}", decode::fault::quoted(row));
            let [scheme, ledger, address, version] =
                fields(row).ok_or_else(|| wrong("a router needs scheme,ledger,address,version"))?;
            let digits = address.strip_prefix("0x").and_then(ledger::hex::bytes);
            Ok(Router {
                scheme: Scheme::parse(scheme).ok_or_else(|| wrong("the scheme is thorchain or mayachain"))?,
                ledger: LedgerId::parse(ledger).map_err(|error| wrong(&error.to_string()))?,
                address: digits
                    .and_then(|bytes| bytes.try_into().ok())
                    .ok_or_else(|| wrong("no address of 20 bytes"))?,
                version: version.to_owned(),
            })
        })
        .collect()
}

/// An asset as a ledger of this project has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The ledger.
    pub ledger: LedgerId,
    /// The asset's name there.
    pub asset: String,
    /// Its decimals, where the table or the protocol fixes them.
    pub scale: Option<u8>,
    /// The decimals of the protocol's own count of it.
    pub counted: u8,
}

/// Where an asset lies and what it is called there; `None` for a chain that has no ledger id here.
pub fn place(scheme: Scheme, asset: &Asset) -> Option<Place> {
    if asset.form != Form::Layer1 {
        let ledger = chain(scheme, scheme.own_chain())?.ledger.clone();
        return Some(Place { ledger, asset: asset.to_string(), scale: Some(PROTOCOL_SCALE), counted: PROTOCOL_SCALE });
    }
    let chain = chain(scheme, &asset.chain)?;
    let counted = if chain.name == "MAYA" { chain.scale } else { PROTOCOL_SCALE };
    let (name, scale) = if asset.symbol == chain.symbol {
        (chain.asset.clone(), Some(chain.scale))
    } else if chain.name == scheme.own_chain() {
        (asset.to_string(), Some(PROTOCOL_SCALE))
    } else {
        (token(chain, asset), None)
    };
    Some(Place { ledger: chain.ledger.clone(), asset: name, scale, counted })
}

/// A token of an EVM chain is its contract; elsewhere names lost their case in THORChain's spelling, and stay as they are.
fn token(chain: &Chain, asset: &Asset) -> String {
    let contract = asset.contract().map(str::to_ascii_lowercase);
    let contract = contract.filter(|contract| contract.len() == 42 && contract.starts_with("0x"));
    match contract {
        Some(contract) if chain.ledger.namespace() == "eip155" => format!("{}/erc20:{contract}", chain.ledger),
        _ => asset.to_string(),
    }
}

/// An amount in an asset's own units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Just so many.
    Exact(u128),
    /// At least the first and at most the second: the protocol's count is coarser.
    Range(u128, u128),
}

impl Units {
    /// The least that it can be.
    pub const fn low(self) -> u128 {
        match self {
            Self::Exact(units) | Self::Range(units, _) => units,
        }
    }
}

/// What the protocol counted as `amount`, in units of `scale` decimals; `None` beyond 126 bits.
///
/// What came in was rounded down when it was counted, what went out was paid as counted.
pub fn units(amount: u128, counted: u8, scale: u8, inbound: bool) -> Option<Units> {
    if scale > SCALE_MAX || counted > SCALE_MAX {
        return None;
    }
    let fits = |units: u128| (units <= money::Amount::MAX.units()).then_some(units);
    if scale >= counted {
        let step = 10u128.pow(u32::from(scale - counted));
        let low = fits(amount.checked_mul(step)?)?;
        return Some(if inbound && step > 1 {
            Units::Range(low, fits(low.checked_add(step - 1)?)?)
        } else {
            Units::Exact(low)
        });
    }
    let step = 10u128.pow(u32::from(counted - scale));
    let low = fits(amount / step)?;
    Some(if amount.is_multiple_of(step) { Units::Exact(low) } else { Units::Range(low, low + 1) })
}

/// A transaction's id as its ledger writes it, from 64 hex digits in lower case.
pub fn tx_name(ledger: &LedgerId, id: &str) -> String {
    match ledger.namespace() {
        "eip155" => format!("0x{id}"),
        "cosmos" | "xrpl" => id.to_ascii_uppercase(),
        _ => id.to_owned(),
    }
}

/// A holder's name in canonical form, or as it is where it has none.
pub fn holder(ledger: &LedgerId, name: &str) -> Option<String> {
    (!name.is_empty()).then(|| ledger::address::canonical(ledger, name).unwrap_or_else(|_| name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_lie_where_the_table_says() {
        let cases = [
            ("BTC.BTC", "bip122:000000000019d6689c085ae165831e93", "BTC", Some(8)),
            ("BASE.ETH", "eip155:8453", "ETH", Some(18)),
            ("BTC/BTC", "cosmos:thorchain-1", "BTC/BTC", Some(8)),
            ("BTC~BTC", "cosmos:thorchain-1", "BTC~BTC", Some(8)),
            ("THOR.TCY", "cosmos:thorchain-1", "THOR.TCY", Some(8)),
            (
                "ETH.YFI-0X0BC529C00C6401AEF6D220BE8C6EA1667F6AD93E",
                "eip155:1",
                "eip155:1/erc20:0x0bc529c00c6401aef6d220be8c6ea1667f6ad93e",
                None,
            ),
            (
                "TRON.USDT-TR7NHQJEKQXGTCI8Q8ZY4PL8OTSZGJLJ6T",
                "tron:0x2b6653dc",
                "TRON.USDT-TR7NHQJEKQXGTCI8Q8ZY4PL8OTSZGJLJ6T",
                None,
            ),
        ];
        for (text, ledger, asset, scale) in cases {
            let place = place(Scheme::Thorchain, &Asset::parse(text).unwrap()).unwrap();
            assert_eq!((place.ledger.as_str(), place.asset.as_str(), place.scale), (ledger, asset, scale), "{text}");
        }
        assert_eq!(place(Scheme::Thorchain, &Asset::parse("DASH.DASH").unwrap()), None);
        let cacao = place(Scheme::Mayachain, &Asset::parse("MAYA.CACAO").unwrap()).unwrap();
        assert_eq!((cacao.scale, cacao.counted), (Some(10), 10));
    }

    #[test]
    fn amounts_are_exact_or_a_range() {
        // The payment of 0.00430022 ETH of transaction 0x2db94227…, whose value is 4300220000000000 wei.
        assert_eq!(units(430_022, 8, 18, false), Some(Units::Exact(4_300_220_000_000_000)));
        assert_eq!(units(430_022, 8, 18, true), Some(Units::Range(4_300_220_000_000_000, 4_300_229_999_999_999)));
        assert_eq!(units(123, 8, 8, true), Some(Units::Exact(123)));
        assert_eq!(units(12_300, 8, 6, true), Some(Units::Exact(123)));
        assert_eq!(units(12_345, 8, 6, false), Some(Units::Range(123, 124)));
        assert_eq!(units(u128::MAX, 8, 18, false), None);
        assert_eq!(units(1, 8, 200, false), None);
    }

    #[test]
    fn the_tables_are_good_and_a_bad_row_names_its_line() {
        assert!(TABLE.len() > 15 && routers().len() > 10);
        let bad = "scheme,ledger,address,version\n\n# x\nthorchain,eip155:1,0x12,4\n";
        assert!(parse_routers(bad).unwrap_err().starts_with("line 4: no address"));
        assert!(parse_routers("h\nfoo,eip155:1\n").unwrap_err().starts_with("line 2: a router needs"));
    }
}
