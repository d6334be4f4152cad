//! [`World`]: everybody in the world of wallets, and the order in which they act.
//!
//! Responsible for the calendar, blocks, the population's first coins, and handing coins to whom they are paid. What
//! each does stands in its own file. Memory is the population and its coins, whose number is bounded.

use std::collections::BTreeMap;
use std::io;

use crate::chain::{Coin, FOUNDING_OUTPUTS_MAX, Pay};
use crate::dice::Dice;
use crate::wallets::WalletPlan;
use crate::wallets::habits::Habits;
use crate::wallets::kind::Kind;
use crate::wallets::people::{COINS_MAX, Person, number};
use crate::wallets::scribe::{Actor, Named, Role, Scribe, Written};
use crate::wallets::service::{Service, Trade};
use crate::wallets::whirlpool::Pool;

/// 2024-01-01T00:00:00Z: when ordinary life begins.
const START: i64 = 1_704_067_200;
/// A hundred and twenty days.
const DAYS: i64 = 120;
const DAY_SECONDS: i64 = 24 * 3600;
/// Seconds between founding blocks; they end when life begins.
const FOUNDING_SECONDS: i64 = 60;
/// Blocks aimed at, and the sizes that they keep within.
const BLOCKS_AIMED: u64 = 2_000;
const BLOCK_TRANSACTIONS_MIN: u64 = 8;
const BLOCK_TRANSACTIONS_MAX: u64 = 2_000;
/// Above this many coins a wallet may be tidied up, and so many of a hundred payers do that instead of paying.
const TIDY_COINS: usize = 5;
const TIDY_PERCENT: u64 = 10;
/// The price of a coin on the first day, in cents; each day it moves by up to a thirtieth.
const PRICE_CENTS: u64 = 4_200_000;
/// Turns without a transaction after which a world is taken to have come to rest.
const IDLE_MAX: u32 = 100_000;

/// Everybody.
pub struct World<'a> {
    /// Where chance comes from.
    pub dice: Dice,
    /// Where it is written.
    pub scribe: Scribe<'a>,
    /// Wallets.
    pub people: Vec<Person>,
    /// Firms.
    pub services: Vec<Service>,
    /// Outputs of joins that wait to be mixed again or spent, by wallet.
    pub mixed: BTreeMap<u32, Vec<Coin>>,
    /// How many those are.
    pub mixed_count: usize,
    /// Whirlpool's pools.
    pub pools: Vec<Pool>,
    /// Rounds of Wasabi 1 so far.
    pub rounds: u64,
    due: Vec<u32>,
    prices_cents: Vec<u64>,
}

/// How many services of each trade there are for so many wallets.
fn trades(wallets: u32) -> impl Iterator<Item = (Trade, u32)> {
    [
        (Trade::Exchange, (wallets / 4_000).clamp(3, 12)),
        (Trade::Pool, 2),
        (Trade::Casino, (wallets / 20_000).clamp(1, 4)),
        (Trade::Faucet, 1),
        (Trade::Payroll, (wallets / 2_000).clamp(2, 30)),
        (Trade::Processor, (wallets / 10_000).clamp(1, 6)),
        (Trade::Mixer, 1),
        (Trade::Bridge, 1),
        (Trade::Coordinator, 3),
    ]
    .into_iter()
}

/// The services' names, in the order of their numbers.
pub fn names(wallets: u32) -> Vec<Named> {
    trades(wallets).flat_map(|(trade, count)| (0..count).map(move |at| World::named(trade, at))).collect()
}

impl<'a> World<'a> {
    /// Everybody with their first coins.
    pub fn found(plan: &WalletPlan, scribe: Scribe<'a>) -> io::Result<Self> {
        let mut services = Vec::new();
        for trade in trades(plan.wallets).flat_map(|(trade, count)| std::iter::repeat_n(trade, count as usize)) {
            let number = u32::try_from(services.len()).expect("a few dozen services");
            services.push(Service::new(plan.seed, number, trade));
        }
        let mut world = Self {
            dice: Dice::new(plan.seed, "wallets"),
            scribe,
            people: vec![Person::default(); plan.wallets as usize],
            services,
            mixed: BTreeMap::new(),
            mixed_count: 0,
            pools: Pool::all(),
            rounds: 0,
            due: Vec::new(),
            prices_cents: prices(plan.seed),
        };
        world.first_coins()?;
        world.scribe.open(START);
        Ok(world)
    }

    fn first_coins(&mut self) -> io::Result<()> {
        let mut pays = Vec::new();
        for service in 0..self.services.len() {
            let (count, low, high) = self.services[service].trade.founding();
            for _ in 0..count {
                let value_sats = self.dice.between(low, high);
                pays.push(Pay { key: self.hot_key(crate::wallets::trades::number(service)), value_sats });
            }
        }
        let wallets = self.people.len();
        let blocks = i64::try_from((wallets * 6).div_ceil(FOUNDING_OUTPUTS_MAX)).expect("WALLETS_MAX is small") + 2;
        let mut time = START - blocks * FOUNDING_SECONDS;
        for wallet in 0..wallets {
            let wallet = number(wallet);
            let (count, low) = if self.habits(wallet).is_private { (5, 20_000_000) } else { (3, 2_000_000) };
            for _ in 0..self.dice.between(1, count) {
                let value_sats = self.dice.log_between(low, 2_000_000_000);
                pays.push(Pay { key: self.receive_key(wallet), value_sats });
            }
            if pays.len() + 5 > FOUNDING_OUTPUTS_MAX || wallet as usize + 1 == wallets {
                for some in pays.chunks(FOUNDING_OUTPUTS_MAX) {
                    let coins = self.scribe.found(time, some)?;
                    self.settle(coins);
                    time += FOUNDING_SECONDS;
                }
                pays.clear();
            }
        }
        Ok(())
    }

    /// Life until there are as many transactions as planned. `progress` is told how many there are.
    pub fn run(mut self, plan: &WalletPlan, progress: &mut dyn FnMut(u64)) -> io::Result<Written> {
        self.live_until(plan, &mut |done, _| progress(done))?;
        self.scribe.finish()
    }

    fn live_until(&mut self, plan: &WalletPlan, progress: &mut dyn FnMut(u64, &Self)) -> io::Result<()> {
        let size = (plan.transactions / BLOCKS_AIMED).clamp(BLOCK_TRANSACTIONS_MIN, BLOCK_TRANSACTIONS_MAX);
        let founded = self.scribe.transactions();
        let mut wanted = size;
        let mut idle = 0;
        loop {
            let before = self.scribe.waiting();
            self.live();
            while let Some(service) = self.due.pop() {
                self.tend(service);
            }
            let done = self.scribe.transactions() - founded;
            idle = if self.scribe.waiting() == before { idle + 1 } else { 0 };
            let is_over = done >= plan.transactions || idle >= IDLE_MAX;
            if self.scribe.waiting() as u64 >= wanted || (is_over && self.scribe.waiting() > 0) {
                let spread = size / 3;
                wanted = size - spread / 2 + self.dice.below(spread + 1);
                let miner = self.miner();
                let next_time = moment(done, plan.transactions).max(self.scribe.time() + 1);
                let coin = self.scribe.seal(miner, next_time)?;
                self.settle(vec![coin]);
                progress(done, self);
            }
            if is_over {
                return Ok(());
            }
        }
    }

    /// One thing that somebody does.
    fn live(&mut self) {
        if self.mixed_count > self.people.len() {
            return self.spend_mixed();
        }
        let done = match self.dice.below(1_000) {
            0..=59 => self.exchange_trade(),
            60..=99 => self.trade(),
            100..=124 => self.tidy_up(),
            125..=154 => {
                self.spend_mixed();
                true
            }
            155..=156 => self.wasabi_one(),
            157..=158 => self.wasabi_two(),
            159..=166 => self.tx_zero(),
            167..=178 => self.mix(),
            179..=183 => self.join_market(),
            184..=188 => self.equal_outputs(Kind::EqualOutputs),
            189..=194 => self.pay_join(),
            195 => self.equal_outputs(Kind::JoinJitter),
            196 => self.equal_outputs(Kind::JoinData),
            197 => self.equal_outputs(Kind::JoinReuse),
            198..=200 => self.batch_like_a_join(),
            201 => self.equal_coins(),
            202..=204 => self.stonewall(),
            205..=206 => self.self_split(),
            207 => self.self_mix(),
            _ => self.everyday(),
        };
        if !done {
            self.everyday();
        }
    }

    /// The money of the day, in cents a coin.
    pub fn price_cents(&self) -> u64 {
        let day = usize::try_from((self.scribe.time() - START).max(0) / DAY_SECONDS).unwrap_or(0);
        self.prices_cents[day.min(self.prices_cents.len() - 1)]
    }

    /// The world's seed.
    pub const fn seed(&self) -> u64 {
        self.scribe.seed()
    }

    /// Hands coins to whom they are paid.
    pub fn settle(&mut self, coins: Vec<Coin>) {
        for coin in coins {
            match Actor::of(coin.key) {
                Actor::Wallet(wallet) => self.people[wallet as usize].coins.push(coin),
                Actor::Service(service) => {
                    let at = &mut self.services[service as usize];
                    at.receive(coin);
                    if at.is_due() && !self.due.contains(&service) {
                        self.due.push(service);
                    }
                }
            }
        }
    }

    /// Keeps an output of a join apart.
    pub fn keep_mixed(&mut self, coin: Coin) {
        if let Actor::Wallet(wallet) = Actor::of(coin.key) {
            self.mixed.entry(wallet).or_default().push(coin);
            self.mixed_count += 1;
        }
    }

    fn miner(&mut self) -> crate::keys::Key {
        if self.dice.percent(70) {
            let pool = self.any_of(Trade::Pool);
            return self.pool_key(crate::wallets::trades::number(pool));
        }
        let miner = number(self.dice.index(self.people.len()));
        self.own_key(miner, Role::Receive)
    }

    /// Somebody with many coins makes one of them.
    fn tidy_up(&mut self) -> bool {
        let wallet = self.dice.index(self.people.len());
        let is_worth_it = self.people[wallet].coins.len() > TIDY_COINS;
        if is_worth_it {
            self.tidy(number(wallet));
        }
        is_worth_it
    }

    /// A payment to somebody.
    fn everyday(&mut self) -> bool {
        let Some(payer) = self.payer() else { return self.trade() };
        let coins = self.people[payer as usize].coins.len();
        if coins > COINS_MAX || (coins > TIDY_COINS && self.dice.percent(TIDY_PERCENT)) {
            self.tidy(payer);
            return true;
        }
        let Habits { amounts, .. } = self.habits(payer);
        let most = self.people[payer as usize].sats() / 2;
        let count = if self.dice.percent(7) { self.dice.between(2, 6) } else { 1 };
        let mut pays = Vec::new();
        for _ in 0..count {
            let value_sats = self.amount(amounts, most / count);
            let key = self.somebody(payer);
            pays.push(Pay { key, value_sats });
        }
        if pays.len() == 1 && self.dice.percent(4) {
            self.send_whole(payer, pays.remove(0));
        } else {
            self.send(payer, Kind::Pay, pays);
        }
        true
    }

    /// All of one coin goes to the payee: no change.
    fn send_whole(&mut self, payer: u32, pay: Pay) {
        let coins = &mut self.people[payer as usize].coins;
        let coin = coins.remove(self.dice.index(coins.len()));
        let fee = crate::town::fee_sats(self.dice.log_between(1, 40), 1, 1).min(coin.value_sats / 2);
        let pays = [Pay { value_sats: coin.value_sats - fee, ..pay }];
        let coins = self.scribe.make(Kind::Pay, &[coin], &pays);
        self.settle(coins);
    }

    /// Where somebody's money goes on an ordinary day.
    pub fn somebody(&mut self, payer: u32) -> crate::keys::Key {
        let trade = match self.dice.below(100) {
            0..=47 => match self.payee(Some(payer)) {
                Some(payee) => return self.receive_key(payee),
                None => Trade::Exchange,
            },
            48..=62 => Trade::Processor,
            63..=87 => Trade::Exchange,
            88..=93 => Trade::Casino,
            94..=95 => Trade::Payroll,
            96 => Trade::Mixer,
            97..=98 => Trade::Bridge,
            _ => Trade::Faucet,
        };
        let mut service = self.any_of(trade);
        // Most customers have one exchange.
        if trade == Trade::Exchange && self.dice.percent(80) {
            let (_, count) = trades(number(self.people.len())).next().expect("exchanges come first");
            service = (payer % count) as usize;
        }
        self.deposit_key(crate::wallets::trades::number(service), payer)
    }
}

fn moment(done: u64, planned: u64) -> i64 {
    let part = i128::from(DAYS * DAY_SECONDS) * i128::from(done.min(planned)) / i128::from(planned.max(1));
    START + i64::try_from(part).expect("within four months")
}

fn prices(seed: u64) -> Vec<u64> {
    let mut dice = Dice::new(seed, "prices");
    let mut price = PRICE_CENTS;
    let days = usize::try_from(DAYS).expect("a positive number");
    let mut prices = Vec::with_capacity(days + 1);
    for _ in 0..=days {
        prices.push(price);
        let most = price / 30;
        price = (price + dice.below(2 * most + 1) - most).clamp(PRICE_CENTS / 4, PRICE_CENTS * 4);
    }
    prices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Chain;

    #[test]
    fn lists_stay_short_however_long_life_goes_on() {
        let held = |transactions| {
            let plan = WalletPlan { seed: 6, wallets: 400, transactions };
            let (mut chain, mut owners, mut made_as) = (io::sink(), io::sink(), io::sink());
            let chain: &mut dyn io::Write = &mut chain;
            let names = names(plan.wallets);
            let scribe =
                Scribe::new(Chain::new(chain, plan.seed, 0, None), plan.seed, &mut owners, &mut made_as, names);
            let mut world = World::found(&plan, scribe).unwrap();
            let mut most = (0, 0, 0, 0);
            world
                .live_until(&plan, &mut |_, world| {
                    let people = world.people.iter().map(|person| person.coins.len());
                    let services = world.services.iter().map(Service::coins);
                    most.0 = most.0.max(people.clone().max().unwrap_or(0));
                    most.1 = most.1.max(people.sum::<usize>());
                    most.2 = most.2.max(services.sum::<usize>());
                    most.3 = most.3.max(world.mixed_count + world.pools.iter().map(Pool::coins).sum::<usize>());
                })
                .unwrap();
            most
        };
        let (long, longer) = (held(20_000), held(60_000));
        for (richest, people, services, mixed) in [long, longer] {
            assert!(richest <= 5 * COINS_MAX && people <= 400 * COINS_MAX, "{long:?} {longer:?}");
            assert!(services < 15 * 140 && mixed < 400 + 5 * 800, "{long:?} {longer:?}");
        }
    }
}
