//! Whirlpool: the preparing transaction (Tx0) of one owner, and mixes with as many equal outputs as inputs.
//!
//! Shapes after the program's public description: pools of fixed denominations; Tx0 makes up to seventy coins of the
//! denomination and a premium for the miner, pays the pool's fee, carries data and has change; a mix takes one to four of
//! those and fills up with coins of exactly the denomination that were mixed before.

use crate::chain::{Coin, DUST_SATS, Pay};
use crate::keys::{Key, Style};
use crate::town::fee_sats;
use crate::wallets::habits::OutputOrder;
use crate::wallets::kind::Kind;
use crate::wallets::party::{Out, Party, Wanted};
use crate::wallets::people::shuffle;
use crate::wallets::scribe::{Actor, Role};
use crate::wallets::world::World;

/// The most premixed coins of one Tx0.
const PREMIXED_MAX: u64 = 70;
/// Denominations and fees of the pools.
const POOLS: [(u64, u64); 5] =
    [(100_000, 5_000), (1_000_000, 50_000), (2_500_000, 90_000), (5_000_000, 148_500), (50_000_000, 1_487_500)];
/// Mixed coins that a pool keeps; above this owners take them out.
const MIXED_MAX: usize = 300;
/// Premixed coins that a pool keeps waiting; while there are more nobody prepares any.
const WAITING_MAX: usize = 400;

/// A pool.
pub struct Pool {
    sats: u64,
    fee_sats: u64,
    /// Prepared, and not mixed yet.
    premixed: Vec<Coin>,
    /// Mixed at least once.
    mixed: Vec<Coin>,
}

impl Pool {
    /// How many coins are in it.
    #[cfg(test)]
    pub fn coins(&self) -> usize {
        self.premixed.len() + self.mixed.len()
    }

    /// All pools.
    pub fn all() -> Vec<Self> {
        let pool = |(sats, fee_sats)| Self { sats, fee_sats, premixed: Vec::new(), mixed: Vec::new() };
        POOLS.map(pool).into()
    }
}

/// Takes up to `count` coins of different owners out of a list, none of those in `owners`.
fn take_different(coins: &mut Vec<Coin>, count: usize, owners: &mut Vec<Actor>) -> Vec<Coin> {
    let mut taken = Vec::new();
    let mut at = 0;
    while at < coins.len() && taken.len() < count {
        let owner = Actor::of(coins[at].key);
        if owners.contains(&owner) {
            at += 1;
        } else {
            owners.push(owner);
            taken.push(coins.swap_remove(at));
        }
    }
    taken
}

impl World<'_> {
    /// Somebody prepares coins for a pool.
    pub fn tx_zero(&mut self) -> bool {
        let at = self.dice.index(self.pools.len());
        let Pool { sats, fee_sats: pool_fee, ref premixed, .. } = self.pools[at];
        if premixed.len() > WAITING_MAX {
            return false;
        }
        let premium = self.dice.between(300, 20_000).min(sats / 10);
        let each = sats + premium;
        let private = Wanted::private(1, each + pool_fee + 60_000, 5);
        let mut parties = self.parties(&Wanted { more_percent: 40, mixed_percent: 10, ..private });
        let Some(Party { wallet, inputs, left, .. }) = parties.pop() else { return false };
        let rate = self.dice.log_between(1, 10);
        let room = left.saturating_sub(pool_fee + 50_000);
        let count = (room / (each + fee_sats(rate, 0, 1))).clamp(1, PREMIXED_MAX);
        let outputs = usize::try_from(count).expect("at most 70") + 3;
        let mut pays = vec![Pay { key: self.fresh_key(wallet, Role::Mix, Style::Data), value_sats: 0 }];
        for _ in 0..count {
            pays.push(Pay { key: self.own_key(wallet, Role::Mix), value_sats: each });
        }
        // Codes halve the fee for some.
        let fee = if self.dice.percent(30) { pool_fee / 2 } else { pool_fee };
        let mut outs = Vec::new();
        self.pay_coordinator(2, true, fee, &mut outs);
        pays.extend(outs.iter().map(|out| out.pay));
        let paid = count * each + fee;
        let change = left.saturating_sub(paid + fee_sats(rate, inputs.len(), outputs));
        let change = (change >= DUST_SATS).then(|| Pay { key: self.own_key(wallet, Role::Change), value_sats: change });
        let pays = self.arrange(OutputOrder::Sorted, pays, change);
        for coin in self.scribe.make(Kind::TxZero, &inputs, &pays) {
            if coin.value_sats == each && Actor::of(coin.key) == Actor::Wallet(wallet) {
                self.pools[at].premixed.push(coin);
            } else {
                self.settle(vec![coin]);
            }
        }
        true
    }

    /// A mix.
    pub fn mix(&mut self) -> bool {
        let start = self.dice.index(self.pools.len());
        let pools = self.pools.len();
        (0..pools).any(|step| self.mix_in((start + step) % pools))
    }

    fn mix_in(&mut self, at: usize) -> bool {
        let size = if self.dice.percent(75) { 5 } else { 6 + self.dice.index(3) };
        let fresh = 1 + self.dice.index(4);
        let pool = &mut self.pools[at];
        shuffle(&mut self.dice, &mut pool.premixed);
        shuffle(&mut self.dice, &mut pool.mixed);
        let mut owners = Vec::new();
        let mut inputs = take_different(&mut pool.premixed, fresh, &mut owners);
        let known = take_different(&mut pool.mixed, size - inputs.len(), &mut owners);
        let enough = !inputs.is_empty();
        inputs.extend(known);
        // A pool's first mixes have nobody who was mixed before.
        let more = take_different(&mut pool.premixed, size - inputs.len(), &mut owners);
        inputs.extend(more);
        let sats = pool.sats;
        if !enough || inputs.len() < size {
            for coin in inputs {
                if coin.value_sats == sats { pool.mixed.push(coin) } else { pool.premixed.push(coin) }
            }
            return false;
        }
        let mut pays: Vec<Pay> = Vec::with_capacity(size);
        for coin in &inputs {
            pays.push(Pay { key: self.next_mixed_key(coin.key), value_sats: sats });
        }
        self.sort(&mut pays);
        shuffle(&mut self.dice, &mut inputs);
        let coins = self.scribe.make(Kind::Whirlpool, &inputs, &pays);
        self.pools[at].mixed.extend(coins);
        self.take_out(at);
        true
    }

    fn next_mixed_key(&mut self, key: Key) -> Key {
        let Actor::Wallet(wallet) = Actor::of(key) else { unreachable!("only wallets prepare coins for a pool") };
        self.own_key(wallet, Role::Mix)
    }

    /// Owners take mixed coins out of a pool that is full.
    fn take_out(&mut self, at: usize) {
        let pool = &mut self.pools[at];
        if pool.mixed.len() > MIXED_MAX {
            for coin in pool.mixed.split_off(MIXED_MAX / 2) {
                self.keep_mixed(coin);
            }
        }
    }

    /// One owner alone does what a mix looks like: five coins in, five of the denomination out.
    pub fn self_mix(&mut self) -> bool {
        let (sats, _) = POOLS[self.dice.index(POOLS.len())];
        let wanted = Wanted::private(1, 5 * (sats + 20_000) + 60_000, 5);
        let Some(party) = self.parties(&wanted).pop() else { return false };
        // First into coins that fit, which looks like preparing for the pool.
        let premium = self.dice.between(200, 4_000);
        let mut pays = Vec::new();
        for _ in 0..5 {
            pays.push(Pay { key: self.own_key(party.wallet, Role::Mix), value_sats: sats + premium });
        }
        let change = party.left - 5 * (sats + premium) - fee_sats(4, party.inputs.len(), 6);
        let change =
            (change >= DUST_SATS).then(|| Pay { key: self.own_key(party.wallet, Role::Change), value_sats: change });
        let pays = self.arrange(OutputOrder::Sorted, pays, change);
        let coins = self.scribe.make(Kind::SelfSplit, &party.inputs, &pays);
        let (inputs, rest) = coins.into_iter().partition(|coin| coin.value_sats == sats + premium);
        self.settle(rest);
        let mut outs = Vec::new();
        for _ in 0..5 {
            outs.push(Out::mixed(Pay { key: self.own_key(party.wallet, Role::Mix), value_sats: sats }));
        }
        let party = Party { inputs, ..party };
        self.join(Kind::SelfMix, vec![party], outs, false);
        true
    }
}
