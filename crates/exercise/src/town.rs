//! [`Town`]: ordinary life on the UTXO ledger: people and merchants who pay one another, two exchanges, miners.
//!
//! The population is fixed and every list of coins is bounded, so memory does not depend on how long life goes on. It
//! knows nothing of the heist: the launderer comes to it as any other customer would.
//!
//! Habits (few inputs, a payment and change, round amounts now and then, reused merchant addresses, deposits swept to
//! a hot wallet, batched withdrawals) follow what `docs/exercise.md` cites.

use std::io::{self, Write};

use crate::chain::{Chain, Coin, DUST_SATS, FOUNDING_OUTPUTS_MAX, Pay};
use crate::dice::Dice;
use crate::exchange::Exchange;
use crate::keys::{Key, Owner};

/// The most coins that a person holds.
pub const COINS_MAX: usize = 12;
/// Above this many a person's next payment spends all of them.
const COINS_TIDY: usize = 8;
/// Coins that a hot wallet starts with.
const HOT_COINS_FOUNDING: u64 = 14;
/// Who has less does not pay.
const PAYER_SATS_MIN: u64 = 200_000;
/// People looked at for a join.
const JOIN_LOOKS_MAX: usize = 60;

#[derive(Clone, Debug, Default)]
struct Wallet {
    coins: Vec<Coin>,
    next_key: u32,
}

impl Wallet {
    fn sats(&self) -> u64 {
        self.coins.iter().map(|coin| coin.value_sats).sum()
    }
}

/// Everybody on the UTXO ledger but the launderer.
pub struct Town {
    dice: Dice,
    wallets: Vec<Wallet>,
    merchants: usize,
    /// The one that is robbed.
    pub harbour: Exchange,
    /// The one that the loot is brought to.
    pub meridian: Exchange,
}

/// A person's coin that takes part in a join.
pub struct Joiner {
    pub coin: Coin,
    wallet: usize,
}

impl Town {
    /// People with their first coins, from founding coinbases.
    pub fn found<W: Write>(seed: u64, wallets: u32, chain: &mut Chain<W>, time: &mut i64) -> io::Result<Self> {
        let mut town = Self {
            dice: Dice::new(seed, "town"),
            wallets: vec![Wallet::default(); wallets as usize],
            merchants: (wallets as usize / 20).max(2),
            harbour: Exchange::new(Owner::HARBOUR_HOT, Owner::HARBOUR_DEPOSITS, wallets.div_ceil(5)),
            meridian: Exchange::new(Owner::MERIDIAN_HOT, Owner::MERIDIAN_DEPOSITS, wallets.div_ceil(8)),
        };
        let mut pays = Vec::new();
        for exchange in [&mut town.harbour, &mut town.meridian] {
            for _ in 0..HOT_COINS_FOUNDING {
                let value_sats = town.dice.between(40_000_000_000, 140_000_000_000);
                pays.push(Pay { key: exchange.hot_key(), value_sats });
            }
        }
        for wallet in 0..town.wallets.len() {
            for _ in 0..town.dice.between(1, 4) {
                let value_sats = town.dice.log_between(5_000_000, 4_000_000_000);
                pays.push(Pay { key: town.fresh_key(wallet), value_sats });
            }
        }
        for some in pays.chunks(FOUNDING_OUTPUTS_MAX) {
            chain.open(*time);
            *time += 600;
            for coin in chain.found(some)? {
                match coin.key.owner {
                    Owner::HARBOUR_HOT => town.harbour.fund(coin),
                    Owner::MERIDIAN_HOT => town.meridian.fund(coin),
                    _ => town.receive(coin),
                }
            }
        }
        Ok(town)
    }

    /// One thing that somebody does: one transaction, sometimes a sweep as well.
    pub fn live<W: Write>(&mut self, chain: &mut Chain<W>) {
        match self.dice.below(100) {
            roll @ 0..=11 => {
                let exchange = if roll < 7 { &self.harbour } else { &self.meridian };
                let key = exchange.customer_key(&mut self.dice);
                let payer = self.payer(chain);
                let coin = self.pay(chain, payer, key);
                let exchange = if roll < 7 { &mut self.harbour } else { &mut self.meridian };
                exchange.deposit(chain, &mut self.dice, coin);
            }
            12 if self.harbour.pays() => self.withdraw_batch(chain, false),
            13 if self.meridian.pays() => self.withdraw_batch(chain, true),
            14..=15 => {
                let wallet = self.payer(chain);
                self.merge(chain, wallet);
            }
            _ => {
                let payer = self.payer(chain);
                let Some(payee) = self.payee() else { return self.merge(chain, payer) };
                let key = self.key_for(payee);
                let coin = self.pay(chain, payer, key);
                self.wallets[payee].coins.push(coin);
            }
        }
    }

    /// A coin that somebody sent to a deposit address of Meridian's.
    pub fn deposit<W: Write>(&mut self, chain: &mut Chain<W>, coin: Coin) {
        self.meridian.deposit(chain, &mut self.dice, coin);
    }

    /// The key that the next block's reward goes to: somebody with room for one more coin.
    pub fn miner<W: Write>(&mut self, chain: &mut Chain<W>) -> Key {
        let miner = self.payee().unwrap_or_else(|| {
            self.merge(chain, 0);
            0
        });
        self.fresh_key(miner)
    }

    /// Hands a coin to the person whose key it pays.
    pub fn receive(&mut self, coin: Coin) {
        self.wallets[coin.key.owner.0 as usize].coins.push(coin);
    }

    /// A fresh key of somebody with room for a coin.
    pub fn stranger<W: Write>(&mut self, chain: &mut Chain<W>) -> Key {
        self.miner(chain)
    }

    /// Meridian pays a withdrawal to a key outside the town.
    pub fn withdraw<W: Write>(&mut self, chain: &mut Chain<W>, pay: Pay) -> Coin {
        self.meridian.spend(chain, &mut self.dice, vec![pay]).remove(0)
    }

    /// Somebody sends a speck of money to a key nobody asked them to pay. The coin is the receiver's.
    pub fn dust<W: Write>(&mut self, chain: &mut Chain<W>, key: Key) -> Coin {
        let payer = self.payer(chain);
        self.pay_exactly(chain, payer, key, DUST_SATS)
    }

    /// Up to `count` people's largest coins, taken out of their wallets, largest first.
    pub fn joiners(&mut self, count: usize) -> Vec<Joiner> {
        let start = self.dice.index(self.wallets.len());
        let mut candidates: Vec<(u64, usize)> = (0..self.wallets.len().min(JOIN_LOOKS_MAX))
            .map(|step| (start + step) % self.wallets.len())
            .filter(|wallet| self.wallets[*wallet].coins.len() + 2 <= COINS_MAX)
            .filter_map(|wallet| {
                let largest = self.wallets[wallet].coins.iter().map(|coin| coin.value_sats).max()?;
                Some((largest, wallet))
            })
            .collect();
        candidates.sort_by(|a, b| b.cmp(a));
        candidates.truncate(count);
        let mut taken = Vec::new();
        for (largest, wallet) in candidates {
            let coins = &mut self.wallets[wallet].coins;
            let at = coins.iter().position(|coin| coin.value_sats == largest).expect("it was just seen there");
            taken.push(Joiner { coin: coins.remove(at), wallet });
        }
        taken
    }

    /// A fresh key of somebody who takes part in a join.
    pub fn joiner_key(&mut self, joiner: &Joiner) -> Key {
        self.fresh_key(joiner.wallet)
    }

    /// Whether every list of coins is as short as it should be: what keeps memory constant.
    #[cfg(test)]
    fn within_bounds(&self) -> bool {
        self.wallets.iter().all(|wallet| wallet.coins.len() <= COINS_MAX)
            && self.harbour.within_bounds()
            && self.meridian.within_bounds()
    }

    fn fresh_key(&mut self, wallet: usize) -> Key {
        let number = self.wallets[wallet].next_key;
        self.wallets[wallet].next_key += 1;
        Key { owner: owner(wallet), number }
    }

    /// The key that somebody is paid at: merchants print one address for good, one person in five does as well.
    fn key_for(&mut self, wallet: usize) -> Key {
        if wallet < self.merchants || wallet.is_multiple_of(5) {
            return Key { owner: owner(wallet), number: 0 };
        }
        self.fresh_key(wallet)
    }

    /// Somebody with money to spend.
    fn payer<W: Write>(&mut self, chain: &mut Chain<W>) -> usize {
        let start = self.dice.index(self.wallets.len());
        let found = (0..self.wallets.len())
            .map(|step| (start + step) % self.wallets.len())
            .find(|wallet| self.wallets[*wallet].sats() >= PAYER_SATS_MIN);
        found.unwrap_or_else(|| {
            self.withdraw_batch(chain, !self.harbour.pays());
            (0..self.wallets.len()).max_by_key(|wallet| self.wallets[*wallet].sats()).expect("a town has people")
        })
    }

    /// Somebody with room for one more coin; one time in four a merchant, if one has.
    fn payee(&mut self) -> Option<usize> {
        let start =
            if self.dice.percent(25) { self.dice.index(self.merchants) } else { self.dice.index(self.wallets.len()) };
        (0..self.wallets.len())
            .map(|step| (start + step) % self.wallets.len())
            .find(|wallet| self.wallets[*wallet].coins.len() < COINS_MAX)
    }

    fn pay<W: Write>(&mut self, chain: &mut Chain<W>, payer: usize, to: Key) -> Coin {
        let amount = round_now_and_then(&mut self.dice, 50_000, 600_000_000);
        let most = self.wallets[payer].sats() / 2;
        self.pay_exactly(chain, payer, to, amount.min(most))
    }

    fn pay_exactly<W: Write>(&mut self, chain: &mut Chain<W>, payer: usize, to: Key, amount: u64) -> Coin {
        let rate = self.dice.log_between(1, 30);
        let coins = &mut self.wallets[payer].coins;
        let all = coins.len() > COINS_TIDY;
        let mut count = 0;
        let mut sats = 0;
        while count < coins.len() && (all || sats < amount + fee_sats(rate, count, 2)) {
            sats += coins[count].value_sats;
            count += 1;
        }
        let inputs: Vec<Coin> = coins.drain(..count).collect();
        let fee = fee_sats(rate, count, 2);
        let change = sats.checked_sub(amount + fee).expect("payers keep half of what they have, and fees are small");
        let mut pays = vec![Pay { key: to, value_sats: amount }];
        if change >= DUST_SATS {
            let key = self.fresh_key(payer);
            pays.insert(self.dice.index(2), Pay { key, value_sats: change });
        }
        let mut paid = None;
        for coin in chain.spend(&inputs, &pays) {
            if coin.key == to && coin.value_sats == amount && paid.is_none() {
                paid = Some(coin);
            } else {
                self.wallets[payer].coins.push(coin);
            }
        }
        paid.expect("the payment is one of the outputs")
    }

    /// All of somebody's coins into one.
    fn merge<W: Write>(&mut self, chain: &mut Chain<W>, wallet: usize) {
        let inputs = std::mem::take(&mut self.wallets[wallet].coins);
        let sats: u64 = inputs.iter().map(|coin| coin.value_sats).sum();
        let value_sats = sats.saturating_sub(fee_sats(self.dice.log_between(1, 6), inputs.len(), 1));
        if value_sats < DUST_SATS {
            self.wallets[wallet].coins = inputs;
            return;
        }
        let key = self.fresh_key(wallet);
        self.wallets[wallet].coins = chain.spend(&inputs, &[Pay { key, value_sats }]);
    }

    /// An exchange pays several customers at once.
    fn withdraw_batch<W: Write>(&mut self, chain: &mut Chain<W>, meridian: bool) {
        let wanted = self.dice.index(18) + 2;
        let start = self.dice.index(self.wallets.len());
        let payees: Vec<usize> = (0..self.wallets.len())
            .map(|step| (start + step) % self.wallets.len())
            .filter(|wallet| self.wallets[*wallet].coins.len() < COINS_MAX)
            .take(wanted)
            .collect();
        let share = if meridian { self.meridian.sats() } else { self.harbour.sats() } / 200;
        let mut pays = Vec::new();
        for payee in payees {
            let value_sats = round_now_and_then(&mut self.dice, 100_000, 800_000_000).min(share).max(DUST_SATS);
            pays.push(Pay { key: self.key_for(payee), value_sats });
        }
        if pays.is_empty() {
            return self.merge(chain, start);
        }
        let exchange = if meridian { &mut self.meridian } else { &mut self.harbour };
        for coin in exchange.spend(chain, &mut self.dice, pays) {
            self.receive(coin);
        }
    }
}

/// What miners ask for a transaction of this shape: about its virtual size, at `rate` satoshi a byte.
pub fn fee_sats(rate: u64, inputs: usize, outputs: usize) -> u64 {
    rate * (11 + 68 * inputs as u64 + 31 * outputs as u64)
}

/// A log-uniform amount; one in four is round.
fn round_now_and_then(dice: &mut Dice, low: u64, high: u64) -> u64 {
    let amount = dice.log_between(low, high);
    if dice.percent(25) { two_digits(amount) } else { amount }
}

/// `amount` with all but its first two digits zero.
pub fn two_digits(amount: u64) -> u64 {
    let unit = 10u64.pow(amount.checked_ilog10().unwrap_or(0).saturating_sub(1));
    amount / unit * unit
}

fn owner(wallet: usize) -> Owner {
    Owner(u32::try_from(wallet).expect("at most WALLETS_MAX people"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_stay_short_however_long_life_goes_on() {
        let mut chain = Chain::new(io::sink(), 3, 0, None);
        let mut time = 0;
        let mut town = Town::found(3, 60, &mut chain, &mut time).unwrap();
        for step in 0..100_000 {
            town.live(&mut chain);
            if step % 50 == 0 {
                let miner = town.miner(&mut chain);
                let coin = chain.seal(miner).unwrap();
                town.receive(coin);
            }
            assert!(town.within_bounds(), "after {step} transactions");
        }
    }
}
