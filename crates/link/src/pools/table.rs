//! [`Pools`]: which contracts are pools of equal notes, as data.

use decode::fault::quoted;
use ledger::{LedgerId, hex};
use money::Amount;

use crate::thorchain::table::{fields, rows};

const BUILT_IN: &str = include_str!("pools.csv");
const CONDUITS: &str = include_str!("conduits.csv");

/// How many pools a table may have.
pub const POOLS_MAX: usize = 10_000;

/// One pool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pool {
    /// Whose it is.
    pub protocol: String,
    /// The ledger.
    pub ledger: LedgerId,
    /// The contract.
    pub contract: [u8; 20],
    /// The asset's name on the ledger.
    pub asset: String,
    /// One note, in base units.
    pub units: u128,
    /// What people call it: `10-eth`.
    pub name: String,
}

impl Pool {
    /// The contract as a holder's name.
    pub fn holder(&self) -> String {
        format!("0x{}", hex::text(&self.contract))
    }
}

/// All pools that are known.
#[derive(Clone, Debug, Default)]
pub struct Pools {
    pools: Vec<Pool>,
    conduits: Vec<(LedgerId, String)>,
}

impl Pools {
    /// Those that come with the program.
    pub fn built_in() -> Self {
        let mut pools = Self::default();
        pools.add(BUILT_IN).expect("the built-in table is good");
        pools.conduits = rows(CONDUITS)
            .map(|(_, row)| {
                let [ledger, address, _] = fields(row).expect("the built-in table has three columns");
                (LedgerId::parse(ledger).expect("the built-in table's ids are good"), address.to_owned())
            })
            .collect();
        pools
    }

    /// Adds the rows of a table of the built-in one's form; what is wrong names its line. A pool that is already there is
    /// replaced.
    pub fn add(&mut self, text: &str) -> Result<usize, String> {
        let mut added = Vec::new();
        for (line, row) in rows(text) {
            let pool = read(row).map_err(|what| format!("line {line}: {what}: {}", quoted(row)))?;
            added.push(pool);
            if self.pools.len() + added.len() > POOLS_MAX {
                return Err(format!("line {line}: there are more than {POOLS_MAX} pools"));
            }
        }
        let count = added.len();
        self.pools.retain(|old| !added.iter().any(|new| new.ledger == old.ledger && new.contract == old.contract));
        self.pools.append(&mut added);
        self.pools.sort();
        Ok(count)
    }

    /// Those of a ledger, in order.
    pub fn of(&self, ledger: &LedgerId) -> impl Iterator<Item = &Pool> {
        self.pools.iter().filter(move |pool| pool.ledger == *ledger)
    }

    /// All of them, in order.
    pub fn all(&self) -> &[Pool] {
        &self.pools
    }

    /// Whether nobody in particular stands behind a holder's name: a pool, or what stands before pools.
    pub fn is_conduit(&self, ledger: &LedgerId, holder: &str) -> bool {
        self.conduits.iter().any(|(of, address)| of == ledger && address == holder)
            || self.of(ledger).any(|pool| pool.holder() == holder)
    }
}

fn read(row: &str) -> Result<Pool, &'static str> {
    let [protocol, ledger, contract, asset, units, name, since] =
        fields(row).ok_or("a pool needs protocol,ledger,contract,asset,units,name,since")?;
    let bytes = contract.strip_prefix("0x").and_then(hex::bytes);
    let units: u128 = units.parse().map_err(|_| "the units of a note are no whole number")?;
    if units == 0 || units > Amount::MAX.units() {
        return Err("a note is of at least one unit, and below 2^126");
    }
    since.parse::<u64>().map_err(|_| "the first block is no whole number")?;
    Ok(Pool {
        protocol: protocol.to_owned(),
        ledger: LedgerId::parse(ledger).map_err(|_| "no ledger id")?,
        contract: bytes.and_then(|bytes| bytes.try_into().ok()).ok_or("no address of 20 bytes")?,
        asset: asset.to_owned(),
        units,
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_pools_are_there_and_a_row_makes_another() {
        let mut pools = Pools::built_in();
        let ethereum = LedgerId::parse("ethereum").unwrap();
        assert_eq!((pools.all().len(), pools.of(&ethereum).count()), (42, 19));
        let ten = pools.of(&ethereum).find(|pool| pool.name == "10-eth").unwrap();
        assert_eq!((ten.holder().as_str(), ten.units), ("0x910cbd523d972eb0a6f4cae4618ad62622b39dbf", 10u128.pow(19)));
        assert!(pools.is_conduit(&ethereum, "0xd90e2f925da726b50c4ed8d0fb90ad053324f31b"));
        let row = "protocol,ledger,contract,asset,units,name,since\nmine,eip155:31337,0x00000000000000000000000000000000000000aa,ETH,5,5-wei,0\n";
        assert_eq!(pools.add(row), Ok(1));
        assert_eq!(pools.add(row), Ok(1));
        assert_eq!(pools.all().len(), 43);
        for (bad, what) in [
            ("x,eip155:1,0x12,ETH,1,n,0", "no address"),
            ("x,eip155:1", "a pool needs"),
            ("x,eip155:1,0x00000000000000000000000000000000000000aa,ETH,0,n,0", "a note is"),
        ] {
            let said = pools.add(&format!("header\n# c\n\n{bad}\n")).unwrap_err();
            assert!(said.starts_with("line 4: ") && said.contains(what), "{said}");
        }
    }
}
