//! [`Exchange`]: a custodian on the UTXO ledger: a deposit address for each customer, swept into a hot wallet that pays
//! withdrawals in batches.
//!
//! Its lists of coins are bounded: waiting deposits are swept, an overfull hot wallet merges its oldest half.

use std::io::Write;

use crate::chain::{Chain, Coin, DUST_SATS, Pay};
use crate::dice::Dice;
use crate::keys::{Key, Owner};
use crate::town::fee_sats;

/// Deposits are swept when this many wait.
pub const DEPOSITS_MAX: usize = 60;
/// The most coins of the hot wallet, before it merges the oldest half.
pub const HOT_COINS_MAX: usize = 48;
/// Addresses of a hot wallet: a treasury uses few, over and over.
pub const HOT_KEYS: u32 = 4;
/// An exchange stops withdrawals below this, so that a theft after ten million transactions still finds something.
const HOT_SATS_MIN: u64 = 500_000_000_000;

/// One exchange.
pub struct Exchange {
    hot_owner: Owner,
    deposit_owner: Owner,
    customers: u32,
    deposits: Vec<Coin>,
    hot: Vec<Coin>,
    next_hot_key: u32,
}

impl Exchange {
    pub const fn new(hot_owner: Owner, deposit_owner: Owner, customers: u32) -> Self {
        Self { hot_owner, deposit_owner, customers, deposits: Vec::new(), hot: Vec::new(), next_hot_key: 0 }
    }

    pub fn hot_key(&mut self) -> Key {
        let number = self.next_hot_key;
        self.next_hot_key = (number + 1) % HOT_KEYS;
        Key { owner: self.hot_owner, number }
    }

    /// Some ordinary customer's deposit address.
    pub fn customer_key(&self, dice: &mut Dice) -> Key {
        let number = u32::try_from(dice.below(self.customers.into())).expect("fewer than 2^32");
        Key { owner: self.deposit_owner, number }
    }

    /// The deposit address of the accomplice of that number, who is nobody else's namesake.
    pub const fn mule_key(&self, mule: u32) -> Key {
        Key { owner: self.deposit_owner, number: self.customers + mule }
    }

    /// All deposit addresses, those of `mules` accomplices last.
    pub fn deposit_keys(&self, mules: u32) -> impl Iterator<Item = Key> {
        let owner = self.deposit_owner;
        (0..self.customers + mules).map(move |number| Key { owner, number })
    }

    /// Whether it has enough to pay a batch of withdrawals.
    pub fn pays(&self) -> bool {
        self.sats() > HOT_SATS_MIN
    }

    pub fn sats(&self) -> u64 {
        self.hot.iter().map(|coin| coin.value_sats).sum()
    }

    /// Puts a coin into the hot wallet.
    pub fn fund(&mut self, coin: Coin) {
        self.hot.push(coin);
    }

    /// A coin that somebody sent to a deposit address; sweeps when enough wait.
    pub fn deposit<W: Write>(&mut self, chain: &mut Chain<W>, dice: &mut Dice, coin: Coin) {
        self.deposits.push(coin);
        if self.deposits.len() >= DEPOSITS_MAX {
            let inputs = std::mem::take(&mut self.deposits);
            self.merge(chain, dice, &inputs);
            if self.hot.len() >= HOT_COINS_MAX {
                let oldest: Vec<Coin> = self.hot.drain(..HOT_COINS_MAX / 2).collect();
                self.merge(chain, dice, &oldest);
            }
        }
    }

    fn merge<W: Write>(&mut self, chain: &mut Chain<W>, dice: &mut Dice, inputs: &[Coin]) {
        let sats: u64 = inputs.iter().map(|coin| coin.value_sats).sum();
        // Deposits can be specks; the treasury never pays more than a tenth of them in fees.
        let fee = fee_sats(dice.log_between(1, 6), inputs.len(), 1).min(sats / 10);
        let pay = Pay { key: self.hot_key(), value_sats: sats - fee };
        self.hot.extend(chain.spend(inputs, &[pay]));
    }

    /// Pays from the hot wallet, oldest coins first. The change, last of the outputs, stays there.
    pub fn spend<W: Write>(&mut self, chain: &mut Chain<W>, dice: &mut Dice, mut pays: Vec<Pay>) -> Vec<Coin> {
        let out: u64 = pays.iter().map(|pay| pay.value_sats).sum();
        let rate = dice.log_between(2, 20);
        let (mut count, mut sats) = (0, 0);
        while count < self.hot.len() && sats < out + fee_sats(rate, count, pays.len() + 1) {
            sats += self.hot[count].value_sats;
            count += 1;
        }
        let inputs: Vec<Coin> = self.hot.drain(..count).collect();
        let fee = fee_sats(rate, count, pays.len() + 1);
        let change = sats.checked_sub(out + fee).expect("withdrawals are small shares of the hot wallet");
        let with_change = change >= DUST_SATS;
        if with_change {
            pays.push(Pay { key: self.hot_key(), value_sats: change });
        }
        let mut coins = chain.spend(&inputs, &pays);
        if with_change {
            self.hot.extend(coins.pop());
        }
        coins
    }

    /// Takes the hot wallet's largest coins out of its hands: the theft.
    pub fn rob(&mut self, count: usize) -> Vec<Coin> {
        self.hot.sort_by_key(|coin| coin.value_sats);
        let kept = self.hot.len().saturating_sub(count);
        self.hot.split_off(kept)
    }

    /// Whether its lists are as short as they should be.
    #[cfg(test)]
    pub fn within_bounds(&self) -> bool {
        self.deposits.len() < DEPOSITS_MAX && self.hot.len() <= HOT_COINS_MAX
    }
}
