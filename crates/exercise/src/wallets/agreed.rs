//! Joins that people agree on among themselves: `JoinMarket`, equal outputs of no known program, `PayJoin`; and those that
//! try not to look like what they are.
//!
//! Shapes after public descriptions. `JoinMarket`: a taker pays two to nineteen makers for one equal output each; makers'
//! change is a little more than they put in for it, the taker's a little less, or nothing at all in a sweep.

use crate::chain::{DUST_SATS, Pay};
use crate::keys::Style;
use crate::town::{fee_sats, two_digits};
use crate::wallets::kind::Kind;
use crate::wallets::party::{Out, Party, Wanted};
use crate::wallets::people::PAYER_SATS_MIN;
use crate::wallets::scribe::Role;
use crate::wallets::world::World;

/// What stays of each party's money beside the equal output, at least.
const CHANGE_SATS_MIN: u64 = 20_000;
/// By how much hidden joins make their amounts differ, at most.
const JITTER_SATS_MAX: u64 = 9;

/// The least that any of them has.
fn least(parties: &[Party]) -> u64 {
    parties.iter().map(|party| party.left).min().unwrap_or(0)
}

impl World<'_> {
    /// A taker and makers.
    pub fn join_market(&mut self) -> bool {
        let count = usize::try_from(self.dice.log_between(2, 20)).expect("at most 20");
        let private = Wanted::private(count, 2_000_000, 3);
        let mut parties = self.parties(&Wanted { more_percent: 30, mixed_percent: 30, ..private });
        if parties.len() < 2 {
            return self.dissolve(parties);
        }
        // The poorest takes, so that a sweep is possible.
        parties.sort_by_key(|party| std::cmp::Reverse(party.left));
        let taker_at = parties.len() - 1;
        let permyriad: Vec<u64> = (0..taker_at).map(|_| self.dice.between(0, 20)).collect();
        let inputs: usize = parties.iter().map(|party| party.inputs.len()).sum();
        let costs = fee_sats(self.dice.log_between(1, 10), inputs, parties.len() * 2);
        let taker = parties[taker_at].left;
        let Some(room) = taker.checked_sub(costs + CHANGE_SATS_MIN) else { return self.dissolve(parties) };
        let is_sweep = self.dice.percent(20);
        // The makers' shares are parts of the amount: what is left for it is a little less than all.
        let most = room * 10_000 / (10_000 + permyriad.iter().sum::<u64>());
        let Some(second) = parties[taker_at - 1].left.checked_sub(CHANGE_SATS_MIN) else {
            return self.dissolve(parties);
        };
        let amount = match is_sweep {
            true => most.min(second),
            false if self.dice.percent(50) => two_digits(self.dice.log_between(500_000, most.min(second))),
            false => self.dice.log_between(500_000, most.min(second)),
        };
        if amount < 400_000 {
            return self.dissolve(parties);
        }
        let mut outs = Vec::new();
        let mut paid = 0;
        for (party, permyriad) in parties.iter().zip(permyriad) {
            let fee = amount * permyriad / 10_000;
            paid += fee;
            outs.push(Out::mixed(Pay { key: self.own_key(party.wallet, Role::Mix), value_sats: amount }));
            let value_sats = party.left - amount + fee;
            outs.push(Out::plain(Pay { key: self.own_key(party.wallet, Role::Change), value_sats }));
        }
        let wallet = parties[taker_at].wallet;
        let is_payment = self.dice.percent(30);
        let key = if is_payment { self.somebody(wallet) } else { self.own_key(wallet, Role::Mix) };
        outs.push(Out { pay: Pay { key, value_sats: amount }, is_mixed: !is_payment });
        let change = taker - costs - amount - paid;
        // A sweep leaves the little that rounding left to the miner.
        if change >= DUST_SATS && !(is_sweep && change <= CHANGE_SATS_MIN) {
            outs.push(Out::plain(Pay { key: self.own_key(wallet, Role::Change), value_sats: change }));
        }
        self.join(Kind::JoinMarket, parties, outs, false);
        true
    }

    /// Two or more get equal outputs, with one of the ways to hide it where `kind` says so.
    pub fn equal_outputs(&mut self, kind: Kind) -> bool {
        let count = usize::try_from(self.dice.log_between(2, 12)).expect("at most 12");
        let mut parties = self.parties(&Wanted { more_percent: 30, ..Wanted::anybody(count, 1_500_000, 3) });
        if parties.len() < 2 {
            return self.dissolve(parties);
        }
        self.charge(&mut parties, 2);
        let most = least(&parties) - CHANGE_SATS_MIN;
        let drawn = self.dice.log_between(most / 4, most);
        let amount = if self.dice.percent(50) { two_digits(drawn) } else { drawn };
        let mut outs = Vec::new();
        for party in &parties {
            let wallet = party.wallet;
            let jitter = if kind == Kind::JoinJitter { self.dice.below(JITTER_SATS_MAX + 1) } else { 0 };
            let key = if kind == Kind::JoinReuse { party.inputs[0].key } else { self.own_key(wallet, Role::Mix) };
            let value_sats = amount - jitter;
            outs.push(Out::mixed(Pay { key, value_sats }));
            let key =
                if kind == Kind::JoinReuse && self.dice.percent(50) { key } else { self.own_key(wallet, Role::Change) };
            outs.push(Out::plain(Pay { key, value_sats: party.left - value_sats }));
        }
        if kind == Kind::JoinData {
            let key = self.fresh_key(parties[0].wallet, Role::Mix, Style::Data);
            outs.push(Out::plain(Pay { key, value_sats: 0 }));
        }
        self.join(kind, parties, outs, false);
        true
    }

    /// A payment to which the payee adds coins.
    pub fn pay_join(&mut self) -> bool {
        let Some(payer) = self.payer() else { return false };
        let Some(payee) = self.payee(Some(payer)) else { return false };
        let theirs = &mut self.people[payee as usize].coins;
        let count = (1 + self.dice.index(2)).min(theirs.len());
        if count == 0 {
            return false;
        }
        let added: Vec<_> = theirs.drain(..count).collect();
        let amounts = self.habits(payer).amounts;
        let coins = &mut self.people[payer as usize].coins;
        coins.sort_by_key(|coin| coin.value_sats);
        let one = coins.iter().position(|coin| coin.value_sats >= PAYER_SATS_MIN).unwrap_or(coins.len() - 1);
        let coin = coins.remove(one);
        let amount = self.amount(amounts, coin.value_sats / 2).min(coin.value_sats / 2);
        let fee = fee_sats(self.dice.log_between(1, 10), count + 1, 2).min(coin.value_sats / 4);
        let held: u64 = added.iter().map(|coin| coin.value_sats).sum();
        let mut outs = vec![Out::plain(Pay { key: self.receive_key(payee), value_sats: held + amount })];
        let change = coin.value_sats - amount - fee;
        if change >= DUST_SATS {
            outs.push(Out::plain(Pay { key: self.own_key(payer, Role::Change), value_sats: change }));
        }
        let parties = vec![
            Party { wallet: payer, inputs: vec![coin], left: 0, is_remixed: false },
            Party { wallet: payee, inputs: added, left: 0, is_remixed: false },
        ];
        self.join(Kind::PayJoin, parties, outs, false);
        true
    }

    /// A payment that looks like a join of two: the payer gets an output as large as the payee's, and two changes.
    pub fn stonewall(&mut self) -> bool {
        let is_private = self.dice.percent(50);
        let wanted = Wanted { is_private, more_percent: 100, ..Wanted::anybody(1, 2_000_000, 6) };
        let Some(mut party) = self.parties(&wanted).pop() else { return false };
        if party.inputs.len() < 2 {
            return self.dissolve(vec![party]);
        }
        // Two sets of coins; each pays its half of the fee and gets its own change.
        party.inputs.sort_by_key(|coin| coin.value_sats);
        let mut sets = [0u64; 2];
        for coin in party.inputs.iter().rev() {
            sets[usize::from(sets[0] > sets[1])] += coin.value_sats;
        }
        let fee = fee_sats(self.dice.log_between(1, 10), party.inputs.len(), 4) / 2;
        let most = sets[0].min(sets[1]).saturating_sub(fee + DUST_SATS);
        if most < 50_000 {
            return self.dissolve(vec![party]);
        }
        let amount = self.dice.log_between(20_000, most);
        let mut outs = vec![
            Out::plain(Pay { key: self.somebody(party.wallet), value_sats: amount }),
            Out::plain(Pay { key: self.own_key(party.wallet, Role::Change), value_sats: amount }),
        ];
        for set in sets {
            let value_sats = set - amount - fee;
            outs.push(Out::plain(Pay { key: self.own_key(party.wallet, Role::Change), value_sats }));
        }
        self.join(Kind::Stonewall, vec![party], outs, true);
        true
    }

    /// One owner splits a few coins into equal ones.
    pub fn self_split(&mut self) -> bool {
        let wanted = Wanted { more_percent: 50, ..Wanted::anybody(1, 3_000_000, 5) };
        let Some(party) = self.parties(&wanted).pop() else { return false };
        let count = self.dice.between(3, 20);
        let amount = two_digits(party.left / (count + 1));
        let left = party.left - amount * count;
        let fee =
            fee_sats(self.dice.log_between(1, 6), party.inputs.len(), usize::try_from(count).expect("at most 20") + 1)
                .min(left);
        let mut outs = Vec::new();
        for _ in 0..count {
            outs.push(Out::plain(Pay { key: self.own_key(party.wallet, Role::Change), value_sats: amount }));
        }
        if left - fee >= DUST_SATS {
            let key = self.own_key(party.wallet, Role::Change);
            outs.push(Out::plain(Pay { key, value_sats: left - fee }));
        }
        self.join(Kind::SelfSplit, vec![party], outs, false);
        true
    }
}
