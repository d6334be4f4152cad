//! [`Party`]: one owner's side of a join: the coins brought in, and what is left of them to be paid out.
//!
//! Responsible for finding parties and for putting a join together; what the designs look like is in their own files.

use crate::chain::{Coin, Pay};
use crate::keys::Style;
use crate::town::fee_sats;
use crate::wallets::habits::PRIVATE_EVERY;
use crate::wallets::kind::Kind;
use crate::wallets::people::{number, shuffle};
use crate::wallets::scribe::Actor;
use crate::wallets::world::World;

/// Wallets looked at for each party that is wanted.
const LOOKS_EACH_MAX: usize = 12;
/// The number that private wallets have, as a remainder of [`PRIVATE_EVERY`].
const PRIVATE_REST: usize = 5;

/// One owner's side of a join.
pub struct Party {
    /// Whose.
    pub wallet: u32,
    /// The coins.
    pub inputs: Vec<Coin>,
    /// What they hold, less what was paid out so far.
    pub left: u64,
    /// Whether the coins are outputs of earlier joins.
    pub is_remixed: bool,
}

/// Who is wanted for a join.
pub struct Wanted {
    /// How many.
    pub parties: usize,
    /// Only wallets of programs for joins; otherwise anybody.
    pub is_private: bool,
    /// Coins on taproot addresses are welcome too.
    pub takes_taproot: bool,
    /// What each has to bring.
    pub sats: u64,
    /// The most coins that each brings.
    pub inputs_max: usize,
    /// How many of a hundred bring more coins than they must.
    pub more_percent: u64,
    /// How many of a hundred bring outputs of earlier joins.
    pub mixed_percent: u64,
}

impl Wanted {
    /// Parties with programs for joins, fresh coins, and no more of them than needed.
    pub const fn private(parties: usize, sats: u64, inputs_max: usize) -> Self {
        Self { parties, is_private: true, takes_taproot: false, sats, inputs_max, more_percent: 0, mixed_percent: 0 }
    }

    /// Anybody.
    pub const fn anybody(parties: usize, sats: u64, inputs_max: usize) -> Self {
        Self { is_private: false, ..Self::private(parties, sats, inputs_max) }
    }
}

/// An output of a join, and whether it is one of those that look alike.
pub struct Out {
    /// What is paid.
    pub pay: Pay,
    /// Its owner keeps it apart from other coins.
    pub is_mixed: bool,
}

impl Out {
    /// One that looks like others.
    pub const fn mixed(pay: Pay) -> Self {
        Self { pay, is_mixed: true }
    }

    /// Any other.
    pub const fn plain(pay: Pay) -> Self {
        Self { pay, is_mixed: false }
    }
}

impl World<'_> {
    /// Finds parties, each another wallet, and takes their coins; fewer than wanted, where there are not enough.
    pub fn parties(&mut self, wanted: &Wanted) -> Vec<Party> {
        let (step, first) = if wanted.is_private { (PRIVATE_EVERY as usize, PRIVATE_REST) } else { (1, 0) };
        let count = self.people.len().saturating_sub(first).div_ceil(step);
        let looks = count.min(wanted.parties * LOOKS_EACH_MAX);
        let start = self.dice.index(count);
        let mut parties = Vec::new();
        for look in 0..looks {
            if parties.len() == wanted.parties {
                break;
            }
            let wallet = number((start + look) % count * step + first);
            parties.extend(self.party(wallet, wanted));
        }
        parties
    }

    fn party(&mut self, wallet: u32, wanted: &Wanted) -> Option<Party> {
        let is_mixed = self.dice.percent(wanted.mixed_percent);
        let has_more = self.dice.percent(wanted.more_percent);
        let coins = if is_mixed { self.mixed.get_mut(&wallet)? } else { &mut self.people[wallet as usize].coins };
        let fits = |coin: &Coin| match coin.key.style() {
            _ if !wanted.is_private => true,
            Style::Taproot => wanted.takes_taproot,
            style => style == Style::WitnessKeyHash,
        };
        let mut chosen = Vec::new();
        let mut held = 0;
        for (at, coin) in coins.iter().enumerate().filter(|(_, coin)| fits(coin)) {
            let is_enough = held >= wanted.sats;
            if chosen.len() == wanted.inputs_max || (is_enough && !has_more) {
                break;
            }
            held += coin.value_sats;
            chosen.push(at);
        }
        if held < wanted.sats || chosen.is_empty() {
            return None;
        }
        let inputs: Vec<Coin> = chosen.iter().rev().map(|at| coins.remove(*at)).collect();
        if is_mixed {
            self.mixed_count -= inputs.len();
            if self.mixed.get(&wallet).is_some_and(Vec::is_empty) {
                self.mixed.remove(&wallet);
            }
        }
        Some(Party { wallet, inputs, left: held, is_remixed: is_mixed })
    }

    /// Gives parties their coins back: there were not enough of them.
    pub fn dissolve(&mut self, parties: Vec<Party>) -> bool {
        for party in parties {
            self.people[party.wallet as usize].coins.extend(party.inputs);
        }
        false
    }

    /// Charges each party the fee for its own inputs and `outputs` outputs, as far as it goes.
    pub fn charge(&mut self, parties: &mut [Party], outputs: usize) {
        let rate = self.dice.log_between(1, 12);
        for party in parties {
            party.left -= fee_sats(rate, party.inputs.len(), outputs).min(party.left / 10);
        }
    }

    /// Makes a join in random order, and gives everybody their coins.
    pub fn join(&mut self, kind: Kind, parties: Vec<Party>, mut outs: Vec<Out>, is_sorted: bool) {
        let mut inputs: Vec<Coin> = parties.into_iter().flat_map(|party| party.inputs).collect();
        shuffle(&mut self.dice, &mut inputs);
        shuffle(&mut self.dice, &mut outs);
        if is_sorted {
            inputs.sort_by_key(|coin| (coin.txid, coin.vout));
            outs.sort_by_key(|out| out.pay.value_sats);
        }
        let pays: Vec<Pay> = outs.iter().map(|out| out.pay).collect();
        let coins = self.scribe.make(kind, &inputs, &pays);
        for (coin, out) in coins.into_iter().zip(outs.iter().filter(|out| out.pay.value_sats > 0)) {
            if out.is_mixed && matches!(Actor::of(coin.key), Actor::Wallet(_)) {
                self.keep_mixed(coin);
            } else {
                self.settle(vec![coin]);
            }
        }
    }

    /// Somebody spends outputs of joins: one alone, or, unwisely, several together.
    pub fn spend_mixed(&mut self) {
        let from = number(self.dice.index(self.people.len()));
        let next = self.mixed.range(from..).next().or_else(|| self.mixed.iter().next());
        let Some(wallet) = next.map(|(wallet, _)| *wallet) else { return };
        let mut coins = self.mixed.remove(&wallet).expect("the entry was just found");
        let count = if self.dice.percent(60) { 1 } else { 1 + self.dice.index(coins.len()) };
        shuffle(&mut self.dice, &mut coins);
        let inputs = coins.split_off(coins.len() - count);
        self.mixed_count -= inputs.len();
        if !coins.is_empty() {
            self.mixed.insert(wallet, coins);
        }
        let held: u64 = inputs.iter().map(|coin| coin.value_sats).sum();
        let habits = self.habits(wallet);
        let value_sats = self.amount(habits.amounts, held / 2).min(held / 2);
        let key = self.somebody(wallet);
        let rate = self.dice.log_between(1, 12);
        self.send_from(wallet, Kind::Pay, inputs, vec![Pay { key, value_sats }], rate);
    }
}
