//! [`Scribe`]: writes the chain of the world of wallets together with the truth about it: who owns each address, and what
//! each transaction was made as.
//!
//! It decides nothing about who pays whom. Rows of the truth go out with the block that they belong to, so memory holds
//! one block.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::chain::{Chain, ChainCounts, Coin, Pay};
use crate::keys::{Key, Lock, Style};
use crate::wallets::kind::Kind;
use crate::wallets::truth::{MADE_AS_HEADER, OWNERS_HEADER};

/// Owners with this bit are services.
const SERVICE: u32 = 1 << 30;
/// Bits of a service's owner number that say which of its wallets.
const ROLE_BITS: u32 = 4;
/// Addresses of a role that the tag pack names, at most.
const TAGGED_POINTS_MAX: u32 = 3;

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A wallet's, to be paid to.
    Receive,
    /// A wallet's, for change.
    Change,
    /// A wallet's, for an output of a join that looks like others.
    Mix,
    /// A service's, that customers pay to.
    Deposit,
    /// A service's, that pays out.
    Hot,
    /// A service's, that rests.
    Cold,
    /// Where a mining pool's rewards go.
    Pool,
    /// Where a coordinator's fees go.
    Fee,
}

impl Role {
    const ALL: [Self; 8] =
        [Self::Receive, Self::Change, Self::Mix, Self::Deposit, Self::Hot, Self::Cold, Self::Pool, Self::Fee];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Change => "change",
            Self::Mix => "mix",
            Self::Deposit => "deposit",
            Self::Hot => "hot",
            Self::Cold => "cold",
            Self::Pool => "pool",
            Self::Fee => "fee",
        }
    }
}

/// Who acts: a wallet, or a service with all of its wallets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// A wallet of that number.
    Wallet(u32),
    /// A service of that number.
    Service(u32),
}

impl Actor {
    /// Whose key it is.
    pub const fn of(key: Key) -> Self {
        let owner = key.wallets_owner();
        if owner & SERVICE == 0 { Self::Wallet(owner) } else { Self::Service((owner & !SERVICE) >> ROLE_BITS) }
    }
}

/// A service's key for a role.
pub const fn service_key(service: u32, role: Role, point: u32, style: Style) -> Key {
    Key::of_wallets(SERVICE | service << ROLE_BITS | role as u32, point, style)
}

/// What a service's key is for.
pub fn service_role(key: Key) -> Role {
    Role::ALL[(key.wallets_owner() & ((1 << ROLE_BITS) - 1)) as usize]
}

/// A service's name, and what the tag pack says about it.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name in the truth, and its actor in the tag pack.
    pub name: String,
    /// Its category in the tag pack.
    pub category: &'static str,
    /// Whether the tag pack names it at all.
    pub is_tagged: bool,
}

/// Where the three files go.
pub struct Sinks<'a> {
    /// `chain.ndjson`.
    pub chain: &'a mut dyn Write,
    /// `owners.csv`.
    pub owners: &'a mut dyn Write,
    /// `made-as.csv`.
    pub made_as: &'a mut dyn Write,
}

/// The chain and its truth, as they are written.
pub struct Scribe<'a> {
    chain: Chain<&'a mut dyn Write>,
    seed: u64,
    owners: &'a mut dyn Write,
    made_as: &'a mut dyn Write,
    owner_rows: String,
    made_rows: String,
    services: Vec<Named>,
    tags: String,
    addresses: u64,
    kinds: [u64; Kind::ALL.len()],
}

impl<'a> Scribe<'a> {
    /// Begins to write.
    pub fn new(
        chain: Chain<&'a mut dyn Write>,
        seed: u64,
        owners: &'a mut dyn Write,
        made_as: &'a mut dyn Write,
        services: Vec<Named>,
    ) -> Self {
        let (mut owner_rows, mut made_rows) = (String::new(), String::new());
        let _ = writeln!(owner_rows, "{OWNERS_HEADER}");
        let _ = writeln!(made_rows, "{MADE_AS_HEADER}");
        Self {
            chain,
            seed,
            owners,
            made_as,
            owner_rows,
            made_rows,
            services,
            tags: String::new(),
            addresses: 0,
            kinds: [0; Kind::ALL.len()],
        }
    }

    /// The name in the truth.
    fn name(&self, actor: Actor, row: &mut String) {
        let _ = match actor {
            Actor::Wallet(wallet) => write!(row, "wallet-{wallet}"),
            Actor::Service(service) => row.write_str(&self.services[service as usize].name),
        };
    }

    /// Notes a new address. Data is nobody's.
    pub fn address(&mut self, key: Key, family: &str, role: Role) {
        if key.style() == Style::Data {
            return;
        }
        let lock = Lock::of(self.seed, key);
        let mut rows = std::mem::take(&mut self.owner_rows);
        let _ = write!(rows, "{lock},");
        self.name(Actor::of(key), &mut rows);
        let _ = writeln!(rows, ",{family},{}", role.as_str());
        self.owner_rows = rows;
        self.addresses += 1;
        self.tag(key, &lock, role);
    }

    /// What everybody knows: some addresses of some services, never those of customers.
    fn tag(&mut self, key: Key, lock: &Lock, role: Role) {
        let Actor::Service(service) = Actor::of(key) else { return };
        let Named { name, category, is_tagged } = &self.services[service as usize];
        if *is_tagged && matches!(role, Role::Hot | Role::Pool) && key.point() < TAGGED_POINTS_MAX {
            let _ = write!(
                self.tags,
                "- address: \"{lock}\"\n  currency: BTC\n  label: {name} {}\n  actor: {name}\n  category: {category}\n",
                role.as_str()
            );
        }
    }

    /// Makes a transaction. Coins without value (data) are nobody's and are left out of what it returns.
    pub fn make(&mut self, kind: Kind, inputs: &[Coin], pays: &[Pay]) -> Vec<Coin> {
        let mut coins = self.chain.spend(inputs, pays);
        let mut payers: Vec<Actor> = inputs.iter().map(|coin| Actor::of(coin.key)).collect();
        payers.sort_unstable();
        payers.dedup();
        let change = match payers[..] {
            [payer] => pays.iter().map(|pay| Actor::of(pay.key) == payer && pay.value_sats > 0).collect(),
            _ => Vec::new(),
        };
        self.made(kind, &coins[0].txid, payers.len(), &change);
        coins.retain(|coin| coin.value_sats > 0);
        coins
    }

    fn made(&mut self, kind: Kind, txid: &[u8; 32], payers: usize, change: &[bool]) {
        self.kinds[kind as usize] += 1;
        let rows = &mut self.made_rows;
        ledger::hex::push(rows, txid.iter().rev());
        let _ = write!(rows, ",{kind},{payers},");
        let mut separator = "";
        for (vout, _) in change.iter().enumerate().filter(|(_, own)| **own) {
            let _ = write!(rows, "{separator}{vout}");
            separator = " ";
        }
        rows.push('\n');
    }

    /// Makes a block that gives the population its first coins.
    pub fn found(&mut self, time: i64, pays: &[Pay]) -> io::Result<Vec<Coin>> {
        self.chain.open(time);
        let coins = self.chain.found(pays)?;
        self.made(Kind::Coinbase, &coins[0].txid, 0, &[]);
        self.flush()?;
        Ok(coins)
    }

    /// Seals the block and opens the next.
    pub fn seal(&mut self, miner: Key, next_time: i64) -> io::Result<Coin> {
        let coin = self.chain.seal(miner)?;
        self.made(Kind::Coinbase, &coin.txid, 0, &[]);
        self.flush()?;
        self.open(next_time);
        Ok(coin)
    }

    /// Sets the time of the next block.
    pub fn open(&mut self, time: i64) {
        self.chain.open(time);
    }

    fn flush(&mut self) -> io::Result<()> {
        self.owners.write_all(self.owner_rows.as_bytes())?;
        self.made_as.write_all(self.made_rows.as_bytes())?;
        self.owner_rows.clear();
        self.made_rows.clear();
        Ok(())
    }

    /// How many transactions wait for the block to be sealed.
    pub fn waiting(&self) -> usize {
        self.chain.waiting()
    }

    /// The time of the block that is being filled.
    pub const fn time(&self) -> i64 {
        self.chain.time()
    }

    /// How many transactions there are.
    pub const fn transactions(&self) -> u64 {
        self.chain.counts().transactions
    }

    /// The world's seed.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// Closes everything, and tells what there is.
    pub fn finish(mut self) -> io::Result<Written> {
        self.flush()?;
        let ledger = self.chain.id().to_owned();
        let kinds = Kind::ALL.into_iter().map(|kind| (kind, self.kinds[kind as usize])).collect();
        let counts = self.chain.finish()?;
        Ok(Written { ledger, counts, addresses: self.addresses, kinds, tags: self.tags })
    }
}

/// What a scribe wrote.
pub struct Written {
    /// The ledger's id.
    pub ledger: String,
    /// What the chain holds.
    pub counts: ChainCounts,
    /// How many addresses have an owner.
    pub addresses: u64,
    /// Transactions by kind.
    pub kinds: Vec<(Kind, u64)>,
    /// The tag pack's tags.
    pub tags: String,
}
