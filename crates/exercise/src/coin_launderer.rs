//! [`CoinLaunderer`]: the theft on the UTXO ledger and what becomes of the coins, move by scripted move.
//!
//! Every coin of the launderer's carries how much of it is loot; the rest is their own money. Each move says which of
//! the two it pays with. The moves wait in a queue ordered by when they are due, between the transactions of ordinary
//! people. The typologies are those of `docs/exercise.md`.

use std::collections::BTreeMap;
use std::io::Write;

use ledger::txid_text;

use crate::chain::{Chain, Coin, DUST_SATS, Pay, SCALE};
use crate::dice::Dice;
use crate::keys::{Key, Owner, address};
use crate::notebook::{Note, Notebook};
use crate::plan::Plan;
use crate::town::{Town, fee_sats, two_digits};
use crate::truth::PlaceKind;

/// Hot-wallet coins that are stolen, unless the plan wants one single trail.
const STOLEN_COINS: usize = 5;
/// Deposit addresses that accomplices hold at the other exchange.
pub const MULES: u32 = 6;
/// Clean coins that the launderer buys beforehand, to mix with.
const OWN_COINS: u64 = 4;
/// The most coins merged by one fan-in.
const FAN_IN_MAX: usize = 60;
/// A join of less than this is not worth its fee.
const JOIN_SATS_MIN: u64 = 200_000;
/// Strangers who send specks.
const DUST_SENDERS: usize = 4;

/// A coin of the launderer's, and how much of it is loot.
#[derive(Clone, Copy, Debug)]
struct Held {
    coin: Coin,
    loot_sats: u64,
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Buy,
    Steal,
    Dust,
    FanOut { held: Held, into: u64 },
    Peel { held: Held, hops_left: u32, started: u64 },
    Join { held: Held, rounds_left: u32 },
    Pool(Held),
    FanIn,
    Disperse { held: Held, left: u32 },
    CashOut(Held),
    PayAway { held: Held, left: u32 },
}

/// An output of the launderer's: to whom, how much, how much of it loot.
struct Out {
    key: Key,
    value_sats: u64,
    loot_sats: u64,
}

/// The launderer on the UTXO ledger.
pub struct CoinLaunderer {
    plan: Plan,
    dice: Dice,
    theft_at: u64,
    window: u64,
    moves: BTreeMap<(u64, u64), Move>,
    moves_made: u64,
    next_key: u32,
    own: Vec<Held>,
    pool: Vec<Held>,
    resting: Vec<Held>,
    notebook: Notebook,
    stolen: Vec<Coin>,
}

impl CoinLaunderer {
    /// Plans the theft at two fifths of the time line.
    pub fn new(plan: &Plan) -> Self {
        let theft_at =
            if plan.spread_legs.is_some() { plan.chain_transactions / 10 } else { plan.chain_transactions * 2 / 5 };
        let mut launderer = Self {
            plan: plan.clone(),
            dice: Dice::new(plan.seed, "coin launderer"),
            theft_at,
            window: plan.chain_transactions - theft_at,
            moves: BTreeMap::new(),
            moves_made: 0,
            next_key: 0,
            own: Vec::new(),
            pool: Vec::new(),
            resting: Vec::new(),
            notebook: Notebook::default(),
            stolen: Vec::new(),
        };
        launderer.at(theft_at, Move::Steal);
        if plan.spread_legs.is_none() {
            for number in 0..OWN_COINS {
                launderer.at(theft_at * (number + 1) / (OWN_COINS + 2), Move::Buy);
            }
            launderer.after(2, Move::Dust);
            launderer.after(70, Move::FanIn);
            launderer.after(82, Move::FanIn);
        }
        launderer
    }

    /// What was stolen: the outputs of the theft.
    pub fn stolen(&self) -> &[Coin] {
        &self.stolen
    }

    /// Makes one move that is due by `slot`; `false` where none is.
    pub fn act<W: Write>(&mut self, slot: u64, town: &mut Town, chain: &mut Chain<W>) -> bool {
        let Some(entry) = self.moves.first_entry() else { return false };
        if entry.key().0 > slot {
            return false;
        }
        match entry.remove() {
            Move::Buy => self.buy(town, chain),
            Move::Steal => self.steal(town, chain),
            Move::Dust => self.be_dusted(town, chain),
            Move::FanOut { held, into } => self.fan_out(held, into, chain),
            Move::Peel { held, hops_left, started } => self.peel(held, hops_left, started, town, chain),
            Move::Join { held, rounds_left } => self.join(held, rounds_left, slot, town, chain),
            Move::Pool(held) => self.pool.push(held),
            Move::FanIn => self.fan_in(slot, chain),
            Move::Disperse { held, left } => self.disperse(held, left, slot, town, chain),
            Move::CashOut(held) => self.cash_out(held, town, chain),
            Move::PayAway { held, left } => self.pay_away(held, left, slot, town, chain),
        }
        true
    }

    /// Closes the books: what is not spent is where it is.
    pub fn close(mut self) -> Notebook {
        for held in self.own.iter().chain(&self.pool).chain(&self.resting) {
            let loot = u128::from(held.loot_sats);
            let holder = Some(address(self.plan.seed, held.coin.key));
            self.notebook.rest(PlaceKind::Balance, holder, ("BTC", SCALE), (loot, loot), "unspent");
        }
        self.notebook
    }

    fn at(&mut self, slot: u64, what: Move) {
        self.moves_made += 1;
        self.moves.insert((slot, self.moves_made), what);
    }

    /// Queues a move at `percent` of the time between the theft and the end.
    fn after(&mut self, percent: u64, what: Move) {
        self.at(self.theft_at + self.window * percent / 100, what);
    }

    fn key(&mut self) -> Key {
        let number = self.next_key;
        self.next_key += 1;
        Key { owner: Owner::LAUNDERER, number }
    }

    fn mule(&mut self, town: &Town) -> Key {
        let mule = u32::try_from(self.dice.below(MULES.into())).expect("a handful");
        town.meridian.mule_key(mule)
    }

    fn fee(&mut self, inputs: usize, outputs: usize) -> u64 {
        fee_sats(self.dice.log_between(1, 8), inputs, outputs)
    }

    fn note<W: Write>(
        &mut self,
        chain: &Chain<W>,
        kind: &'static str,
        txid: &[u8; 32],
        sats: (u64, u64),
        unseen: &'static str,
    ) {
        let note = Note {
            seconds: chain.time(),
            kind,
            asset: "BTC",
            scale: SCALE,
            amount: sats.0.into(),
            loot: sats.1.into(),
            unseen,
        };
        self.notebook.step(note, txid_text(txid));
    }

    fn lose(&mut self, kind: PlaceKind, key: Option<Key>, loot_sats: u64, reason: &'static str) {
        let holder = key.map(|key| address(self.plan.seed, key));
        let loot = u128::from(loot_sats);
        self.notebook.rest(kind, holder, ("BTC", SCALE), (loot, loot), reason);
    }

    /// Spends `inputs` on `outs`; what is left of loot and value is the fee. The coins come back in order.
    fn spend<W: Write>(&mut self, inputs: &[Held], outs: &[Out], chain: &mut Chain<W>) -> Vec<Held> {
        let coins: Vec<Coin> = inputs.iter().map(|held| held.coin).collect();
        let pays: Vec<Pay> = outs.iter().map(|out| Pay { key: out.key, value_sats: out.value_sats }).collect();
        let made = chain.spend(&coins, &pays);
        let loot_in: u64 = inputs.iter().map(|held| held.loot_sats).sum();
        let loot_out: u64 = outs.iter().map(|out| out.loot_sats).sum();
        let value_in: u64 = coins.iter().map(|coin| coin.value_sats).sum();
        let value_out: u64 = pays.iter().map(|pay| pay.value_sats).sum();
        let fee_loot = loot_in.checked_sub(loot_out).expect("no more loot goes out than came in");
        assert!(fee_loot <= value_in - value_out, "the fee holds the loot that is booked to it");
        self.lose(PlaceKind::Fee, None, fee_loot, "fee");
        made.into_iter().zip(outs).map(|(coin, out)| Held { coin, loot_sats: out.loot_sats }).collect()
    }

    /// A clean coin, bought at the exchange like anybody's.
    fn buy<W: Write>(&mut self, town: &mut Town, chain: &mut Chain<W>) {
        let value_sats = two_digits(self.dice.between(500_000_000, 9_000_000_000));
        let key = self.key();
        let coin = town.withdraw(chain, Pay { key, value_sats });
        self.note(chain, "own-money", &coin.txid, (value_sats, 0), "clean money of the launderer's own");
        self.own.push(Held { coin, loot_sats: 0 });
    }

    /// The hot wallet's largest coins go, each to a fresh address, in one transaction. The exchange pays the fee.
    fn steal<W: Write>(&mut self, town: &mut Town, chain: &mut Chain<W>) {
        let coins = town.harbour.rob(if self.plan.fan_out == 1 { 1 } else { STOLEN_COINS });
        let fee = fee_sats(25, coins.len(), coins.len());
        let mut pays = Vec::new();
        for (at, coin) in coins.iter().enumerate() {
            let value_sats = if at == 0 { coin.value_sats - fee } else { coin.value_sats };
            pays.push(Pay { key: self.key(), value_sats });
        }
        let mut made = chain.spend(&coins, &pays);
        let sum: u64 = made.iter().map(|coin| coin.value_sats).sum();
        self.note(chain, "theft", &made[0].txid.clone(), (sum, sum), "");
        for coin in &mut made {
            coin.tainted = true;
        }
        self.stolen.clone_from(&made);
        let each = u64::from(self.plan.fan_out).div_ceil(made.len() as u64);
        for (at, coin) in (0u64..).zip(made) {
            let held = Held { coin, loot_sats: coin.value_sats };
            if self.plan.spread_legs.is_some() {
                self.at(
                    self.theft_at + 1,
                    Move::PayAway { held, left: u32::try_from(each).expect("at most FAN_OUT_MAX") },
                );
            } else {
                self.at(self.theft_at + self.window * (at + 1) / 100, Move::FanOut { held, into: each });
            }
        }
    }

    /// Specks from strangers land on the robbed coins' addresses. Nobody asked for them, nobody spends them.
    fn be_dusted<W: Write>(&mut self, town: &mut Town, chain: &mut Chain<W>) {
        for at in 0..DUST_SENDERS {
            let key = self.stolen[at % self.stolen.len()].key;
            let coin = town.dust(chain, key);
            self.note(chain, "dust", &coin.txid, (coin.value_sats, 0), "unsolicited, from a stranger");
            self.resting.push(Held { coin, loot_sats: 0 });
        }
    }

    fn fan_out<W: Write>(&mut self, held: Held, into: u64, chain: &mut Chain<W>) {
        let coins = if into == 1 {
            vec![held]
        } else {
            let fee = self.fee(1, usize::try_from(into).expect("at most FAN_OUT_MAX"));
            let values = self.uneven(held.coin.value_sats - fee, into);
            let outs: Vec<Out> =
                values.into_iter().map(|value| Out { key: self.key(), value_sats: value, loot_sats: value }).collect();
            let coins = self.spend(&[held], &outs, chain);
            self.note(chain, "fan-out", &coins[0].coin.txid, (held.coin.value_sats, held.loot_sats), "");
            coins
        };
        for (at, held) in coins.into_iter().enumerate() {
            let when = self.dice.between(6, 14);
            match at % 4 {
                0 => {
                    let started = self.theft_at + self.window * when / 100;
                    self.at(started, Move::Peel { held, hops_left: self.plan.peel_hops, started });
                }
                1 => self.after(when, Move::Join { held, rounds_left: self.plan.join_rounds }),
                2 => self.after(when + 10, Move::Pool(held)),
                _ if self.dice.percent(50) => self.resting.push(held),
                _ => self.after(when + 45, Move::CashOut(held)),
            }
        }
    }

    /// `value` in `parts` parts, each between half and one and a half of an even share.
    fn uneven(&mut self, value: u64, parts: u64) -> Vec<u64> {
        let even = value / parts;
        let mut left = value;
        let mut values: Vec<u64> = Vec::new();
        for part in 0..parts - 1 {
            let share = even / 100 * self.dice.between(50, 150);
            // Whatever came before, the rest keep a quarter of an even share each.
            let most = left - (parts - 1 - part) * (even / 4);
            values.push(share.min(most));
            left -= share.min(most);
        }
        values.push(left);
        values
    }

    /// One hop of a peel chain: a small payment off a large coin, the rest to a fresh address.
    fn peel<W: Write>(&mut self, held: Held, hops_left: u32, started: u64, town: &mut Town, chain: &mut Chain<W>) {
        let fee = self.fee(1, 2);
        let value = held.coin.value_sats;
        let slice = value / (u64::from(hops_left) + 1) / 100 * self.dice.between(50, 150);
        let slice = slice.max(2 * DUST_SATS);
        if value < slice + fee + 2 * DUST_SATS {
            self.resting.push(held);
            return;
        }
        let to_mule = self.dice.percent(50);
        let peeled = if to_mule { self.mule(town) } else { self.key() };
        let outs = [
            Out { key: peeled, value_sats: slice, loot_sats: slice },
            Out { key: self.key(), value_sats: value - slice - fee, loot_sats: value - slice - fee },
        ];
        let [payment, rest] = self.spend_two(held, outs, chain);
        self.note(chain, "peel", &payment.coin.txid, (slice, slice), "");
        if to_mule {
            self.lose(PlaceKind::Service, Some(peeled), slice, "exchange-deposit");
            town.deposit(chain, payment.coin);
        } else if self.dice.percent(50) {
            self.pool.push(payment);
        } else {
            self.resting.push(payment);
        }
        if hops_left > 1 {
            let done = u64::from(self.plan.peel_hops - hops_left + 1);
            let due = started + self.window * 55 / 100 * done / u64::from(self.plan.peel_hops);
            self.at(due, Move::Peel { held: rest, hops_left: hops_left - 1, started });
        } else {
            self.pool.push(rest);
        }
    }

    /// Spends one coin on two outputs, in random order, and returns them in the given order.
    fn spend_two<W: Write>(&mut self, held: Held, outs: [Out; 2], chain: &mut Chain<W>) -> [Held; 2] {
        let [first, second] = outs;
        if self.dice.percent(50) {
            let made = self.spend(&[held], &[first, second], chain);
            [made[0], made[1]]
        } else {
            let made = self.spend(&[held], &[second, first], chain);
            [made[1], made[0]]
        }
    }

    /// An equal-output join with ordinary people. Truth follows whose money it is: one equal output and the change
    /// are the launderer's, less their shares of the coordinator's and the miner's fee.
    fn join<W: Write>(&mut self, held: Held, rounds_left: u32, slot: u64, town: &mut Town, chain: &mut Chain<W>) {
        if rounds_left == 0 {
            self.pool.push(held);
            return;
        }
        let joiners = town.joiners(self.plan.joiners as usize);
        let parties = joiners.len() as u64 + 1;
        let least = joiners.iter().map(|joiner| joiner.coin.value_sats).fold(held.coin.value_sats, u64::min);
        let rate = self.dice.log_between(2, 12);
        let miner_share = fee_sats(rate, joiners.len() + 1, 2 * joiners.len() + 3) / parties + 1;
        let denomination = two_digits((least - least / 50).saturating_sub(miner_share));
        let coordinator_share = denomination / 500;
        if denomination < JOIN_SATS_MIN || parties < 3 || least < denomination + coordinator_share + miner_share {
            for joiner in joiners {
                town.receive(joiner.coin);
            }
            self.pool.push(held);
            return;
        }

        // Everybody's outputs as (pay, is it the launderer's and as what); specks of change go to the miner.
        let mut pays: Vec<Pay> = Vec::new();
        let coordinator = Key { owner: Owner::COORDINATOR, number: 0 };
        pays.push(Pay { key: coordinator, value_sats: coordinator_share * parties });
        let equal_key = self.key();
        pays.push(Pay { key: equal_key, value_sats: denomination });
        let change_key = self.key();
        let taken = denomination + coordinator_share + miner_share;
        let own_change = held.coin.value_sats - taken;
        let own_change = if own_change >= DUST_SATS { own_change } else { 0 };
        if own_change > 0 {
            pays.push(Pay { key: change_key, value_sats: own_change });
        }
        let mut inputs = vec![held.coin];
        for joiner in &joiners {
            inputs.push(joiner.coin);
            pays.push(Pay { key: town.joiner_key(joiner), value_sats: denomination });
            let change = joiner.coin.value_sats - taken;
            if change >= DUST_SATS {
                pays.push(Pay { key: town.joiner_key(joiner), value_sats: change });
            }
        }
        self.shuffle(&mut inputs);
        self.shuffle(&mut pays);
        let made = chain.spend(&inputs, &pays);
        let txid = made[0].txid;
        self.note(
            chain,
            "join",
            &txid,
            (denomination, denomination),
            "one equal output and one change are the launderer's",
        );
        self.lose(PlaceKind::Mixer, Some(coordinator), coordinator_share, "join-coordinator-fee");
        let fee = held.coin.value_sats - denomination - coordinator_share - own_change;
        self.lose(PlaceKind::Fee, None, fee, "fee");
        let pause = self.window * self.dice.between(3, 9) / 100;
        for coin in made {
            let mine = Held { coin, loot_sats: coin.value_sats };
            if coin.key == equal_key {
                self.at(slot + pause, Move::Pool(mine));
            } else if coin.key == change_key {
                self.at(slot + pause, Move::Join { held: mine, rounds_left: rounds_left - 1 });
            } else if coin.key != coordinator {
                town.receive(coin);
            }
        }
    }

    fn shuffle<T>(&mut self, things: &mut [T]) {
        for at in (1..things.len()).rev() {
            things.swap(at, self.dice.index(at + 1));
        }
    }

    /// Gathers what has arrived, together with a clean coin of the launderer's own: from here on policies disagree.
    fn fan_in<W: Write>(&mut self, slot: u64, chain: &mut Chain<W>) {
        let count = self.pool.len().min(FAN_IN_MAX);
        let mut inputs: Vec<Held> = self.pool.drain(..count).collect();
        if inputs.is_empty() {
            return;
        }
        inputs.extend(self.own.pop());
        self.shuffle(&mut inputs);
        let value: u64 = inputs.iter().map(|held| held.coin.value_sats).sum();
        let loot: u64 = inputs.iter().map(|held| held.loot_sats).sum();
        let fee = self.fee(inputs.len(), 1);
        if value < fee + DUST_SATS {
            self.resting.append(&mut inputs);
            return;
        }
        // The fee is paid with own money as far as that goes.
        let loot_out = loot - fee.saturating_sub(value - loot);
        let out = Out { key: self.key(), value_sats: value - fee, loot_sats: loot_out };
        let made = self.spend(&inputs, &[out], chain)[0];
        self.note(chain, "fan-in", &made.coin.txid, (value, loot), "with a clean coin of the launderer's own");
        self.at(slot + self.window * 4 / 100, Move::Disperse { held: made, left: 2 });
    }

    /// Pays a part of a mixed coin to Meridian: first with loot, the next time with own money.
    fn disperse<W: Write>(&mut self, held: Held, left: u32, slot: u64, town: &mut Town, chain: &mut Chain<W>) {
        let value = held.coin.value_sats;
        let fee = self.fee(1, 2);
        let amount = value / 100 * self.dice.between(20, 45);
        if left == 0 || amount < DUST_SATS || value < amount + fee + DUST_SATS {
            self.resting.push(held);
            return;
        }
        let own = value - held.loot_sats;
        let with_loot = left.is_multiple_of(2);
        let loot_paid = if with_loot { amount.min(held.loot_sats) } else { amount - amount.min(own) };
        let own_left = own - (amount - loot_paid);
        let loot_left = held.loot_sats - loot_paid - fee.saturating_sub(own_left);
        let key = self.mule(town);
        let outs = [
            Out { key, value_sats: amount, loot_sats: loot_paid },
            Out { key: self.key(), value_sats: value - amount - fee, loot_sats: loot_left },
        ];
        let [payment, rest] = self.spend_two(held, outs, chain);
        let note = if with_loot { "of a mixed coin, the loot first" } else { "of a mixed coin, own money first" };
        self.note(chain, "cash-out", &payment.coin.txid, (amount, loot_paid), note);
        self.lose(PlaceKind::Service, Some(key), loot_paid, "exchange-deposit");
        town.deposit(chain, payment.coin);
        self.at(slot + self.window * 4 / 100, Move::Disperse { held: rest, left: left - 1 });
    }

    /// A whole coin to Meridian, in two deposits.
    fn cash_out<W: Write>(&mut self, held: Held, town: &mut Town, chain: &mut Chain<W>) {
        let fee = self.fee(1, 2);
        let value = held.coin.value_sats - fee;
        let first = value / 100 * self.dice.between(30, 70);
        let keys = [self.mule(town), self.mule(town)];
        let outs = [(keys[0], first), (keys[1], value - first)];
        let outs = outs.map(|(key, sats)| Out { key, value_sats: sats, loot_sats: sats });
        let made = self.spend_two(held, outs, chain);
        self.note(chain, "cash-out", &made[0].coin.txid, (value, value), "");
        for paid in made {
            self.lose(PlaceKind::Service, Some(paid.coin.key), paid.loot_sats, "exchange-deposit");
            town.deposit(chain, paid.coin);
        }
    }

    /// For a cone as wide as wanted: the loot goes to ordinary people, who know nothing and go on living.
    fn pay_away<W: Write>(&mut self, held: Held, left: u32, slot: u64, town: &mut Town, chain: &mut Chain<W>) {
        let key = town.stranger(chain);
        let value = held.coin.value_sats;
        let fee = self.fee(1, 2);
        let amount = if left <= 1 { value - fee } else { value / u64::from(left) };
        let mut outs = vec![Out { key, value_sats: amount, loot_sats: amount }];
        if left > 1 {
            let rest = value - amount - fee;
            outs.push(Out { key: self.key(), value_sats: rest, loot_sats: rest });
        }
        let made = self.spend(&[held], &outs, chain);
        self.note(chain, "pay-away", &made[0].coin.txid, (amount, amount), "to somebody who knows nothing");
        self.lose(PlaceKind::Balance, Some(key), amount, "paid-away");
        town.receive(made[0].coin);
        if let Some(rest) = made.get(1) {
            self.at(slot, Move::PayAway { held: *rest, left: left - 1 });
        }
    }
}
