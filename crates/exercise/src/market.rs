//! [`Market`]: ordinary life on the token ledger: people, two exchanges, a swap pool with its router, a bridge.
//!
//! Two assets: ETHX with 18 decimals (so that amounts are wide) and the stablecoin USDX with 6. Population and
//! accounts are fixed. It knows nothing of the heist.

use std::io::{self, Write};

use money::Amount;

use crate::accounts::{Account, Accounts, Leg, Unit};
use crate::dice::Dice;

/// The ledger's id.
pub const LEDGER: &str = "table:harbour-tokens";
/// The assets; the two numbers below index them.
pub const ASSETS: &[Unit] = &[("ETHX", 18), ("USDX", 6)];
/// ETHX.
pub const ETHX: usize = 0;
/// USDX.
pub const USDX: usize = 1;
/// Base units of one ETHX.
pub const ETHX_ONE: u128 = 1_000_000_000_000_000_000;
/// Base units of one USDX.
pub const USDX_ONE: u128 = 1_000_000;
/// Wei in a gwei: amounts are drawn in gwei and then given their last nine digits.
const GWEI: u128 = 1_000_000_000;
/// Legs of one founding transaction.
const FOUNDING_LEGS_MAX: usize = 100;
/// A service stops withdrawals below this much of an asset, by number.
const WITHDRAWALS_MIN: [u128; 2] = [60_000 * ETHX_ONE, 60_000_000 * USDX_ONE];
/// What one ETHX is worth elsewhere, in USDX: where the pool strays from it, people swap it back.
const ETHX_PRICE: u128 = 3_000;
/// What the pool keeps of a swap, in thousandths.
const SWAP_FEE_PERMILLE: u128 = 3;

/// Everybody on the token ledger but the launderer.
pub struct Market {
    dice: Dice,
    people: u32,
    next_sweep: usize,
    /// Harbour Exchange's hot wallet: the one that is robbed.
    pub harbour: Account,
    /// Meridian Exchange's: the one that the loot is brought to.
    pub meridian: Account,
    /// The swap pool.
    pub pool: Account,
    /// The contract that swaps are sometimes sent through.
    pub router: Account,
    /// The bridge.
    pub bridge: Account,
    /// Deposit accounts, each with the hot wallet that it is swept to; the ordinary customers' first.
    deposits: Vec<(Account, Account)>,
    customers: u32,
}

impl Market {
    /// Opens the accounts and issues everybody's first money.
    pub fn found<W: Write>(seed: u64, people: u32, accounts: &mut Accounts<W>, time: i64) -> io::Result<Self> {
        let mut dice = Dice::new(seed, "market");
        for _ in 0..people {
            accounts.open();
        }
        let [harbour, meridian, pool, router, bridge] = [(); 5].map(|()| accounts.open());
        let customers = people.div_ceil(4);
        let deposits =
            (0..customers).map(|at| (accounts.open(), if at % 5 < 3 { harbour } else { meridian })).collect();
        let mut legs = Vec::new();
        for (account, ethx, usdx) in [
            (harbour, 250_000, 300_000_000),
            (meridian, 140_000, 180_000_000),
            (pool, 400_000, 1_200_000_000),
            (bridge, 30_000, 40_000_000),
        ] {
            legs.push(Leg::from_outside(account, ETHX, ethx * ETHX_ONE));
            legs.push(Leg::from_outside(account, USDX, usdx * USDX_ONE));
        }
        for person in 0..people {
            legs.push(Leg::from_outside(Account(person), ETHX, ethx(&mut dice, 500_000_000, 200_000_000_000)));
            legs.push(Leg::from_outside(
                Account(person),
                USDX,
                u128::from(dice.log_between(100_000_000, 200_000_000_000)),
            ));
        }
        for some in legs.chunks(FOUNDING_LEGS_MAX) {
            accounts.book(time, some, "issue")?;
        }
        Ok(Self { dice, people, next_sweep: 0, harbour, meridian, pool, router, bridge, deposits, customers })
    }

    /// The deposit accounts, each with the hot wallet that it is swept to.
    pub fn deposits(&self) -> &[(Account, Account)] {
        &self.deposits
    }

    /// Takes more deposit accounts into Meridian's care: these are swept, and no ordinary person pays into them.
    pub fn adopt(&mut self, deposits: &[Account]) {
        self.deposits.extend(deposits.iter().map(|account| (*account, self.meridian)));
    }

    /// One thing that somebody does: one transaction.
    pub fn live<W: Write>(&mut self, accounts: &mut Accounts<W>, time: i64) -> io::Result<()> {
        match self.dice.below(100) {
            0..=11 => {
                let customer = self.draw(self.customers);
                let (to, _) = self.deposits[customer as usize];
                self.pay(accounts, time, to)
            }
            12..=18 => self.someone_swaps(accounts, time),
            19..=21 => self.pay(accounts, time, self.bridge),
            22..=23 => self.pay_out(accounts, time, self.bridge, 1),
            24..=28 => self.pay_out(accounts, time, self.harbour, 12),
            29..=31 => self.pay_out(accounts, time, self.meridian, 12),
            32..=43 => self.sweep(accounts, time),
            _ => {
                let to = Account(self.draw(self.people));
                self.pay(accounts, time, to)
            }
        }
    }

    /// Swaps `amount` of `from` for the other asset at the pool's price, in one atomic transaction, perhaps through
    /// the router. Returns the transaction and what came back.
    pub fn swap<W: Write>(
        &mut self,
        accounts: &mut Accounts<W>,
        time: i64,
        (who, asset, amount): (Account, usize, u128),
        routed: bool,
    ) -> io::Result<(String, u128)> {
        let other = 1 - asset;
        let counted = amount - amount * SWAP_FEE_PERMILLE / 1000;
        let (reserve_in, reserve_out) = (accounts.balance(self.pool, asset), accounts.balance(self.pool, other));
        let out = Amount::new(reserve_out).share(Amount::new(counted), Amount::new(reserve_in + counted)).units();
        let (pool, router) = (self.pool, self.router);
        let legs = if routed {
            vec![
                Leg::new(who, router, asset, amount),
                Leg::new(router, pool, asset, amount),
                Leg::new(pool, router, other, out),
                Leg::new(router, who, other, out),
            ]
        } else {
            vec![Leg::new(who, pool, asset, amount), Leg::new(pool, who, other, out)]
        };
        Ok((accounts.book(time, &legs, "swap")?, out))
    }

    /// Somebody with a little ETHX to spare.
    pub fn somebody<W: Write>(&mut self, accounts: &Accounts<W>) -> Option<Account> {
        self.with_at_least(accounts, ETHX, ETHX_ONE / 100)
    }

    /// What a transfer costs, for somebody who pays for it in ETHX.
    pub fn gas(&mut self) -> u128 {
        21_000 * u128::from(self.dice.log_between(8, 60)) * GWEI
    }

    fn draw(&mut self, end: u32) -> u32 {
        u32::try_from(self.dice.below(end.into())).expect("below a u32")
    }

    fn with_at_least<W: Write>(&mut self, accounts: &Accounts<W>, asset: usize, least: u128) -> Option<Account> {
        let start = self.draw(self.people);
        (0..self.people)
            .map(|step| Account((start + step) % self.people))
            .find(|account| accounts.balance(*account, asset) >= least)
    }

    fn amount(&mut self, asset: usize) -> u128 {
        if asset == ETHX {
            ethx(&mut self.dice, 1_000_000, 20_000_000_000)
        } else {
            let cents = self.dice.log_between(500, 2_000_000);
            u128::from(if self.dice.percent(30) { cents / 100 * 100 } else { cents }) * (USDX_ONE / 100)
        }
    }

    fn pay<W: Write>(&mut self, accounts: &mut Accounts<W>, time: i64, to: Account) -> io::Result<()> {
        let asset = usize::from(self.dice.percent(55));
        let least = if asset == ETHX { ETHX_ONE / 100 } else { USDX_ONE };
        let Some(from) = self.with_at_least(accounts, asset, least) else {
            return self.issue(accounts, time);
        };
        let amount = self.amount(asset).min(accounts.balance(from, asset) / 2);
        let fee = if asset == ETHX { self.gas() } else { 0 };
        accounts.book(time, &[Leg::new(from, to, asset, amount).with_fee(fee)], "")?;
        Ok(())
    }

    /// A service pays several people at once.
    fn pay_out<W: Write>(&mut self, accounts: &mut Accounts<W>, time: i64, from: Account, most: u64) -> io::Result<()> {
        let asset = usize::from(self.dice.percent(50));
        if from != self.bridge && accounts.balance(from, asset) < WITHDRAWALS_MIN[asset] {
            return self.someone_swaps(accounts, time);
        }
        let mut legs = Vec::new();
        let mut left = accounts.balance(from, asset);
        for _ in 0..self.dice.between(1, most) {
            let amount = self.amount(asset).min(left / 100);
            left -= amount;
            legs.push(Leg::new(from, Account(self.draw(self.people)), asset, amount));
        }
        accounts.book(time, &legs, "withdrawal")?;
        Ok(())
    }

    /// Nobody can pay: somebody gets new money from outside.
    fn issue<W: Write>(&mut self, accounts: &mut Accounts<W>, time: i64) -> io::Result<()> {
        let to = Account(self.draw(self.people));
        let amount = self.amount(USDX);
        accounts.book(time, &[Leg::from_outside(to, USDX, amount)], "issue")?;
        Ok(())
    }

    /// An exchange empties the next deposit account that holds anything.
    fn sweep<W: Write>(&mut self, accounts: &mut Accounts<W>, time: i64) -> io::Result<()> {
        for _ in 0..self.deposits.len() {
            let (account, hot) = self.deposits[self.next_sweep];
            self.next_sweep = (self.next_sweep + 1) % self.deposits.len();
            let legs: Vec<Leg> = [ETHX, USDX]
                .into_iter()
                .map(|asset| Leg::new(account, hot, asset, accounts.balance(account, asset)))
                .filter(|leg| leg.amount > 0)
                .collect();
            if !legs.is_empty() {
                accounts.book(time, &legs, "sweep")?;
                return Ok(());
            }
        }
        self.someone_swaps(accounts, time)
    }

    fn someone_swaps<W: Write>(&mut self, accounts: &mut Accounts<W>, time: i64) -> io::Result<()> {
        // In units of 10^-6 USDX: what the pool's ETHX is worth, and its USDX.
        let worth = accounts.balance(self.pool, ETHX) / (ETHX_ONE / USDX_ONE) * ETHX_PRICE;
        let dear = worth < accounts.balance(self.pool, USDX);
        let asset = if self.dice.percent(80) == dear { ETHX } else { USDX };
        let least = if asset == ETHX { ETHX_ONE / 10 } else { 100 * USDX_ONE };
        let Some(who) = self.with_at_least(accounts, asset, least) else {
            return self.issue(accounts, time);
        };
        let amount = self.amount(asset).min(accounts.balance(who, asset) / 2);
        let routed = self.dice.percent(50);
        self.swap(accounts, time, (who, asset, amount), routed)?;
        Ok(())
    }
}

/// A log-uniform amount of ETHX between two numbers of gwei, with all its eighteen decimals.
fn ethx(dice: &mut Dice, low_gwei: u64, high_gwei: u64) -> u128 {
    let gwei = u128::from(dice.log_between(low_gwei, high_gwei));
    gwei * GWEI + u128::from(dice.below(1_000_000_000))
}
