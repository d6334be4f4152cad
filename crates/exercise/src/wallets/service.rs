//! [`Service`]: a firm with many addresses, all of which are its own: exchange, mining pool, casino, faucet, payroll,
//! payment processor, custodial mixer, bridge, coordinator of joins.
//!
//! Responsible for its addresses and lists of coins, which are bounded: waiting deposits are gathered, an overfull hot
//! wallet is merged. What it pays for is decided in `trades`.

use crate::chain::{Coin, DUST_SATS, Pay};
use crate::dice::{Dice, mixed};
use crate::keys::{Key, Style};
use crate::town::fee_sats;
use crate::wallets::kind::Kind;
use crate::wallets::people::shuffle;
use crate::wallets::scribe::{Named, Role, service_key, service_role};
use crate::wallets::world::World;

/// The most coins of a hot wallet before it merges the oldest half.
const HOT_COINS_MAX: usize = 80;
/// A hot wallet that holds so many times its target fills the cold one.
const COLD_TIMES: u64 = 3;

/// What a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trade {
    /// Deposits and withdrawals of many customers.
    Exchange,
    /// Finds blocks and pays those who helped.
    Pool,
    /// Takes bets, pays prizes.
    Casino,
    /// Gives a little to many.
    Faucet,
    /// Pays wages.
    Payroll,
    /// Takes payments for shops, an address for each invoice.
    Processor,
    /// Takes coins and gives others.
    Mixer,
    /// Takes coins for another chain, and pays out who comes back.
    Bridge,
    /// Runs joins for a fee.
    Coordinator,
}

impl Trade {
    /// The word that its names begin with.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Pool => "pool",
            Self::Casino => "casino",
            Self::Faucet => "faucet",
            Self::Payroll => "payroll",
            Self::Processor => "processor",
            Self::Mixer => "mixer",
            Self::Bridge => "bridge",
            Self::Coordinator => "coordinator",
        }
    }

    /// Its category in a tag pack.
    pub const fn category(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Pool => "mining_pool",
            Self::Casino => "gambling",
            Self::Faucet => "faucet",
            Self::Payroll => "organization",
            Self::Processor => "payment_processor",
            Self::Mixer => "mixing_service",
            Self::Bridge => "bridge",
            Self::Coordinator => "coinjoin",
        }
    }

    /// How many deposit addresses it has: one a customer, so many, or a fresh one each time (0).
    const fn deposit_points(self) -> Option<u32> {
        match self {
            Self::Exchange => None,
            Self::Casino => Some(6),
            Self::Faucet | Self::Payroll | Self::Pool => Some(1),
            Self::Processor | Self::Mixer | Self::Bridge | Self::Coordinator => Some(0),
        }
    }

    /// How many deposits wait before they are gathered.
    const fn deposits_waiting_max(self) -> usize {
        match self {
            Self::Exchange => 50,
            Self::Processor => 30,
            Self::Coordinator => 40,
            _ => 16,
        }
    }

    /// The coins that its hot wallet starts with: how many, from, to.
    pub const fn founding(self) -> (u64, u64, u64) {
        match self {
            Self::Exchange => (16, 20_000_000_000, 90_000_000_000),
            Self::Casino | Self::Payroll | Self::Mixer | Self::Bridge => (12, 1_000_000_000, 20_000_000_000),
            Self::Faucet => (6, 200_000_000, 900_000_000),
            Self::Processor => (4, 500_000_000, 4_000_000_000),
            Self::Pool => (4, 2_000_000_000, 9_000_000_000),
            Self::Coordinator => (0, 0, 0),
        }
    }
}

/// A service.
pub struct Service {
    /// What it does.
    pub trade: Trade,
    deposit_style: Style,
    hot_style: Style,
    /// Addresses of the hot wallet, used in turn; 0 where each change goes to a fresh one.
    hot_points: u32,
    /// Pays straight out of the coins on deposit addresses.
    pays_from_deposits: bool,
    shuffles: bool,
    waiting: Vec<Coin>,
    /// What it pays from.
    pub hot: Vec<Coin>,
    cold: Vec<Coin>,
    /// Which deposit addresses exist, as bits.
    issued: Vec<u64>,
    made: [u32; 8],
}

impl Service {
    /// A service of that number; its ways follow from `seed`.
    pub fn new(seed: u64, number: u32, trade: Trade) -> Self {
        let mut dice = Dice::at(mixed(mixed(seed ^ 0x6669_726d) ^ u64::from(number)));
        let styles = [Style::KeyHash, Style::Nested, Style::WitnessKeyHash, Style::WitnessKeyHash, Style::Taproot];
        let deposit_style = styles[dice.index(styles.len())];
        let hot_style = if dice.percent(60) { deposit_style } else { styles[dice.index(styles.len())] };
        let hot_points = [0, 1, 3, 8][dice.index(4)];
        let pays_from_deposits = dice.percent(40) && !matches!(trade, Trade::Pool | Trade::Coordinator);
        Self {
            trade,
            deposit_style,
            hot_style,
            hot_points,
            pays_from_deposits,
            shuffles: dice.percent(50),
            waiting: Vec::new(),
            hot: Vec::new(),
            cold: Vec::new(),
            issued: Vec::new(),
            made: [0; 8],
        }
    }

    /// What its hot wallet holds.
    pub fn hot_sats(&self) -> u64 {
        self.hot.iter().map(|coin| coin.value_sats).sum()
    }

    /// How many coins it holds.
    #[cfg(test)]
    pub fn coins(&self) -> usize {
        self.waiting.len() + self.hot.len() + self.cold.len()
    }

    /// Takes a coin to where its address belongs.
    pub fn receive(&mut self, coin: Coin) {
        match service_role(coin.key) {
            Role::Deposit | Role::Fee | Role::Pool => self.waiting.push(coin),
            Role::Cold => self.cold.push(coin),
            _ => self.hot.push(coin),
        }
    }

    /// Lets the next payment spend deposits where they are, those first.
    pub fn draw_on_deposits(&mut self) {
        let later = std::mem::take(&mut self.hot);
        self.hot.append(&mut self.waiting);
        self.hot.extend(later);
    }

    /// Whether there is something to gather.
    pub fn is_due(&self) -> bool {
        self.waiting.len() >= self.trade.deposits_waiting_max() || self.hot.len() > HOT_COINS_MAX
    }

    /// Takes the hot wallet's oldest coins for a payment of `sats` with `outputs` outputs, at least `count_min`.
    fn select(&mut self, rate: u64, sats: u64, outputs: usize, count_min: usize) -> Vec<Coin> {
        let (mut count, mut held) = (0, 0);
        while count < self.hot.len() && (count < count_min || held < sats + fee_sats(rate, count, outputs)) {
            held += self.hot[count].value_sats;
            count += 1;
        }
        self.hot.drain(..count).collect()
    }

    fn issue(&mut self, point: u32) -> bool {
        let (word, bit) = (point as usize / 64, 1 << (point % 64));
        if self.issued.len() <= word {
            self.issued.resize(word + 1, 0);
        }
        let is_new = self.issued[word] & bit == 0;
        self.issued[word] |= bit;
        is_new
    }

    fn counted(&mut self, role: Role) -> u32 {
        let count = &mut self.made[role as usize];
        *count += 1;
        *count - 1
    }
}

impl World<'_> {
    /// The name and tags of service number `at` of its trade.
    pub fn named(trade: Trade, at: u32) -> Named {
        // Every third one is unknown to everybody.
        Named { name: format!("{}-{}", trade.as_str(), at + 1), category: trade.category(), is_tagged: at % 3 != 2 }
    }

    fn service_address(&mut self, service: u32, role: Role, point: u32, style: Style, is_new: bool) -> Key {
        let key = service_key(service, role, point, style);
        if is_new {
            self.scribe.address(key, "service", role);
        }
        key
    }

    /// Where a customer pays to.
    pub fn deposit_key(&mut self, service: u32, customer: u32) -> Key {
        let at = &mut self.services[service as usize];
        let (style, points) = (at.deposit_style, at.trade.deposit_points());
        let (point, is_new) = match points {
            Some(0) => (at.counted(Role::Deposit), true),
            points => {
                let point = points.map_or(customer, |points| customer % points);
                (point, at.issue(point))
            }
        };
        self.service_address(service, Role::Deposit, point, style, is_new)
    }

    /// An address of the hot wallet.
    pub fn hot_key(&mut self, service: u32) -> Key {
        let at = &mut self.services[service as usize];
        let (style, points, made) = (at.hot_style, at.hot_points, at.counted(Role::Hot));
        let point = if points == 0 { made } else { made % points };
        self.service_address(service, Role::Hot, point, style, points == 0 || made < points)
    }

    /// An address of the cold wallet: several keys are needed to open it.
    fn cold_key(&mut self, service: u32) -> Key {
        let at = &mut self.services[service as usize];
        let style = if at.deposit_style == Style::KeyHash { Style::ScriptHash } else { Style::WitnessScriptHash };
        let (point, made) = (at.made[Role::Cold as usize] % 2, at.counted(Role::Cold));
        self.service_address(service, Role::Cold, point, style, made < 2)
    }

    /// Where a pool's reward goes: few addresses; the first pool's are as old as bare keys, and their hashes.
    pub fn pool_key(&mut self, service: u32) -> Key {
        let at = &mut self.services[service as usize];
        let made = at.counted(Role::Pool);
        let (point, style, of) = if service.is_multiple_of(2) {
            (made / 2 % 2, if made.is_multiple_of(2) { Style::PublicKey } else { Style::KeyHash }, 4)
        } else {
            (made % 3, Style::WitnessKeyHash, 3)
        };
        self.service_address(service, Role::Pool, point, style, made < of)
    }

    /// Where a coordinator's fee goes.
    pub fn fee_key(&mut self, service: u32, is_fresh: bool) -> Key {
        let made = self.services[service as usize].counted(Role::Fee);
        let point = if is_fresh { made } else { 0 };
        self.service_address(service, Role::Fee, point, Style::WitnessKeyHash, is_fresh || made == 0)
    }

    /// Gathers what waits, and merges what is too much.
    pub fn tend(&mut self, service: u32) {
        let at = &mut self.services[service as usize];
        if at.waiting.len() >= at.trade.deposits_waiting_max() {
            let mut waiting = std::mem::take(&mut at.waiting);
            if at.pays_from_deposits {
                at.hot.append(&mut waiting);
            } else {
                // One sweep in three tops up from, or is topped up into, a coin of the hot wallet.
                if !at.hot.is_empty() && self.dice.percent(33) {
                    waiting.push(at.hot.remove(0));
                }
                let kind = if at.trade == Trade::Exchange { Kind::Sweep } else { Kind::Consolidate };
                self.merge(service, kind, &waiting);
            }
        }
        let at = &mut self.services[service as usize];
        if at.hot.len() > HOT_COINS_MAX {
            let oldest: Vec<Coin> = at.hot.drain(..HOT_COINS_MAX / 2).collect();
            self.merge(service, Kind::Consolidate, &oldest);
        }
        self.cool(service);
    }

    fn merge(&mut self, service: u32, kind: Kind, inputs: &[Coin]) {
        let held: u64 = inputs.iter().map(|coin| coin.value_sats).sum();
        // Deposits can be specks; never more than a tenth of them goes in fees.
        let fee = fee_sats(self.dice.log_between(1, 6), inputs.len(), 1).min(held / 10);
        let key = self.hot_key(service);
        let coins = self.scribe.make(kind, inputs, &[Pay { key, value_sats: held - fee }]);
        self.settle(coins);
    }

    /// Keeps an exchange's hot wallet at its target.
    fn cool(&mut self, service: u32) {
        let at = &mut self.services[service as usize];
        if at.trade != Trade::Exchange {
            return;
        }
        let (_, low, high) = at.trade.founding();
        let target = (low + high) * 2;
        let held = at.hot_sats();
        let (inputs, keep) = if held > target * COLD_TIMES {
            (std::mem::take(&mut at.hot), target)
        } else if held < target / 4 && !at.cold.is_empty() {
            (std::mem::take(&mut at.cold), target)
        } else {
            return;
        };
        let held: u64 = inputs.iter().map(|coin| coin.value_sats).sum();
        let left = held - fee_sats(2, inputs.len(), 2);
        let keep = keep.min(left);
        let mut pays = vec![Pay { key: self.hot_key(service), value_sats: keep }];
        if left - keep >= DUST_SATS {
            pays.push(Pay { key: self.cold_key(service), value_sats: left - keep });
        }
        let coins = self.scribe.make(Kind::Cold, &inputs, &pays);
        self.settle(coins);
    }

    /// Pays out of the hot wallet, with `inputs_min` coins at least. Says whether there was enough.
    pub fn pay_out(&mut self, service: u32, kind: Kind, mut pays: Vec<Pay>, inputs_min: usize) -> bool {
        let rate = self.dice.log_between(2, 20);
        let out: u64 = pays.iter().map(|pay| pay.value_sats).sum();
        let outputs = pays.len() + 1;
        let at = &mut self.services[service as usize];
        if pays.is_empty() || at.hot_sats() < out + fee_sats(rate, at.hot.len(), outputs) {
            return false;
        }
        let inputs = at.select(rate, out, outputs, inputs_min);
        let shuffles = at.shuffles;
        let held: u64 = inputs.iter().map(|coin| coin.value_sats).sum();
        let change = held - out - fee_sats(rate, inputs.len(), outputs);
        if change >= DUST_SATS {
            pays.push(Pay { key: self.hot_key(service), value_sats: change });
        }
        if shuffles {
            shuffle(&mut self.dice, &mut pays);
        }
        let coins = self.scribe.make(kind, &inputs, &pays);
        self.settle(coins);
        true
    }
}
