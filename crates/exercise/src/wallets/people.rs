//! [`Person`]: a wallet of the world, and what its program does: addresses, choice of coins, change, order of outputs.
//!
//! What it does follows from its [`Habits`]. It knows nothing of services and joins beyond being paid by them.

use crate::chain::{Coin, DUST_SATS, Pay};
use crate::keys::{Key, Lock, POINTS_MAX, Style};
use crate::town::{fee_sats, two_digits};
use crate::wallets::habits::{Amounts, ChangePolicy, Family, Habits, OutputOrder, Selection};
use crate::wallets::kind::Kind;
use crate::wallets::scribe::Role;
use crate::wallets::world::World;

/// Who holds so many coins is paid no more until some are spent.
pub const COINS_MAX: usize = 12;
/// Above this many a consolidating wallet spends all of them.
const COINS_TIDY: usize = 7;
/// Coins beyond what is needed that a consolidating wallet spends as well.
const TIDIED_MAX: usize = 3;
/// Who has less does not pay.
pub const PAYER_SATS_MIN: u64 = 400_000;
/// Wallets looked at for a payer or a payee.
const LOOKS_MAX: u32 = 60;
/// Of a hundred payments to a wallet: those to an address that it showed before.
const REUSE_PERCENT: u64 = 6;
/// Of a hundred payments to a wallet with locks of several kinds: those to another lock of the key shown last.
const WRAP_PERCENT: u64 = 40;
/// Payments are at least this much.
const AMOUNT_SATS_MIN: u64 = 10_000;
/// And at most this much.
const AMOUNT_SATS_MAX: u64 = 2_000_000_000;
/// The highest fee rate, in satoshi a byte.
const RATE_MAX: u64 = 40;

/// A wallet.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// What it can spend, in the order of arrival. Outputs of joins are kept apart.
    pub coins: Vec<Coin>,
    next_point: u32,
    /// The key shown last to a payer, and the kinds of lock that it was shown under, as bits; none at first.
    shown_point: u32,
    shown_styles: u8,
}

impl Person {
    /// What it holds.
    pub fn sats(&self) -> u64 {
        self.coins.iter().map(|coin| coin.value_sats).sum()
    }
}

impl World<'_> {
    /// A wallet's habits.
    pub fn habits(&self, wallet: u32) -> Habits {
        Habits::of(self.seed(), wallet)
    }

    /// A fresh address of a wallet.
    pub fn fresh_key(&mut self, wallet: u32, role: Role, style: Style) -> Key {
        let family = self.habits(wallet).family;
        let person = &mut self.people[wallet as usize];
        let point = person.next_point;
        assert!(point < POINTS_MAX, "a wallet of an exercise needs fewer than 2^29 keys");
        person.next_point += 1;
        let key = Key::of_wallets(wallet, point, style);
        self.scribe.address(key, family.as_str(), role);
        key
    }

    /// A fresh address of the family's kind.
    pub fn own_key(&mut self, wallet: u32, role: Role) -> Key {
        let style = self.habits(wallet).family.style();
        self.fresh_key(wallet, role, style)
    }

    /// The address that a wallet shows to a payer.
    pub fn receive_key(&mut self, wallet: u32) -> Key {
        let habits = self.habits(wallet);
        let Person { shown_point, shown_styles, .. } = self.people[wallet as usize];
        if shown_styles != 0 {
            if habits.family == Family::Mixed && self.dice.percent(WRAP_PERCENT) {
                return self.wrapped_key(wallet);
            }
            if habits.has_one_address || (!habits.is_private && self.dice.percent(REUSE_PERCENT)) {
                return Key::of_wallets(wallet, shown_point, habits.family.style());
            }
        }
        let key = self.own_key(wallet, Role::Receive);
        let person = &mut self.people[wallet as usize];
        person.shown_point = key.point();
        person.shown_styles = 1 << habits.family.style() as u8;
        key
    }

    /// Another lock of the key shown last.
    fn wrapped_key(&mut self, wallet: u32) -> Key {
        let style = match self.dice.below(20) {
            0..=7 => Style::KeyHash,
            8..=17 => Style::Nested,
            18 => Style::PublicKey,
            _ => Style::WitnessKeyHash,
        };
        let person = &mut self.people[wallet as usize];
        let key = Key::of_wallets(wallet, person.shown_point, style);
        let bit = 1 << style as u8;
        let is_new = person.shown_styles & bit == 0;
        person.shown_styles |= bit;
        if is_new {
            self.scribe.address(key, Family::Mixed.as_str(), Role::Receive);
        }
        key
    }

    /// Somebody who can pay.
    pub fn payer(&mut self) -> Option<u32> {
        (0..LOOKS_MAX).find_map(|_| {
            let wallet = self.dice.index(self.people.len());
            (self.people[wallet].sats() >= PAYER_SATS_MIN).then(|| number(wallet))
        })
    }

    /// Somebody other than `payer` with room for another coin.
    pub fn payee(&mut self, payer: Option<u32>) -> Option<u32> {
        (0..LOOKS_MAX).find_map(|_| {
            let wallet = self.dice.index(self.people.len());
            let fits = Some(number(wallet)) != payer && self.people[wallet].coins.len() < COINS_MAX;
            fits.then(|| number(wallet))
        })
    }

    /// An amount that a wallet of such habits pays, at most `most`.
    pub fn amount(&mut self, amounts: Amounts, most: u64) -> u64 {
        let drawn = self.dice.log_between(AMOUNT_SATS_MIN, most.min(AMOUNT_SATS_MAX));
        match amounts {
            _ if self.dice.percent(15) => drawn,
            Amounts::Any => drawn,
            Amounts::Round if self.dice.percent(50) => one_digit(drawn),
            Amounts::Round => two_digits(drawn),
            Amounts::Priced => {
                let price = self.price_cents();
                let cents = u128::from(drawn) * u128::from(price) / 100_000_000;
                let cents = u64::try_from(cents).expect("a price below 2^32 and an amount below 2^31");
                let cents = match self.dice.below(10) {
                    0..=5 => cents / 100 * 100,
                    6..=7 => (cents / 100 * 100).saturating_sub(1),
                    _ => cents / 10 * 10,
                };
                let sats = u128::from(cents) * 100_000_000 / u128::from(price);
                u64::try_from(sats).expect("not above what was drawn").max(AMOUNT_SATS_MIN)
            }
        }
    }

    /// Takes coins of a wallet for a payment of `sats` with `outputs` outputs, as its habits are.
    fn select(&mut self, wallet: u32, habits: Habits, rate: u64, sats: u64, outputs: usize) -> Vec<Coin> {
        let coins = &mut self.people[wallet as usize].coins;
        let enough = |count, held: u64| held >= sats + fee_sats(rate, count, outputs);
        match habits.selection {
            Selection::Largest => coins.sort_by_key(|coin| std::cmp::Reverse(coin.value_sats)),
            Selection::Random => shuffle(&mut self.dice, coins),
            Selection::Consolidating if coins.len() > COINS_TIDY => return std::mem::take(coins),
            Selection::Consolidating => {}
            Selection::Private => {
                coins.sort_by_key(|coin| coin.value_sats);
                if let Some(one) = coins.iter().position(|coin| enough(1, coin.value_sats)) {
                    return vec![coins.remove(one)];
                }
                coins.reverse();
            }
        }
        let (mut count, mut held) = (0, 0);
        while count < coins.len() && !enough(count, held) {
            held += coins[count].value_sats;
            count += 1;
        }
        if habits.selection == Selection::Consolidating {
            count = (count + self.dice.index(TIDIED_MAX + 1)).min(coins.len());
        }
        coins.drain(..count).collect()
    }

    /// A wallet pays, out of the coins that it chooses.
    pub fn send(&mut self, payer: u32, kind: Kind, pays: Vec<Pay>) {
        let habits = self.habits(payer);
        let rate = self.dice.log_between(1, RATE_MAX);
        let out: u64 = pays.iter().map(|pay| pay.value_sats).sum();
        let inputs = self.select(payer, habits, rate, out, pays.len() + 1);
        self.send_from(payer, kind, inputs, pays, rate);
    }

    /// A wallet pays out of these coins of its own; what is left over comes back, or is the fee where it is little.
    pub fn send_from(&mut self, payer: u32, kind: Kind, mut inputs: Vec<Coin>, pays: Vec<Pay>, rate: u64) {
        let habits = self.habits(payer);
        let out: u64 = pays.iter().map(|pay| pay.value_sats).sum();
        let held: u64 = inputs.iter().map(|coin| coin.value_sats).sum();
        let left = held.checked_sub(out).expect("nobody is asked for more than the coins at hand hold");
        let change = left.saturating_sub(fee_sats(rate, inputs.len(), pays.len() + 1));
        let change = (change >= DUST_SATS).then(|| {
            let key = match habits.change {
                ChangePolicy::Back => inputs[0].key,
                ChangePolicy::LikePayee => self.change_like(payer, habits.family, pays.first()),
                ChangePolicy::Fresh => self.own_key(payer, Role::Change),
            };
            Pay { key, value_sats: change }
        });
        if habits.order == OutputOrder::Sorted {
            inputs.sort_by_key(|coin| (reversed(coin.txid), coin.vout));
        }
        let pays = self.arrange(habits.order, pays, change);
        let coins = self.scribe.make(kind, &inputs, &pays);
        self.settle(coins);
    }

    /// Change that looks like the payment, as far as the payment is of a kind that wallets use.
    fn change_like(&mut self, payer: u32, family: Family, pay: Option<&Pay>) -> Key {
        let style = match pay.map(|pay| pay.key.style()) {
            Some(style @ (Style::KeyHash | Style::Nested | Style::WitnessKeyHash | Style::Taproot)) => style,
            _ => family.style(),
        };
        self.fresh_key(payer, Role::Change, style)
    }

    /// Outputs in the order that a program puts them in.
    pub fn arrange(&mut self, order: OutputOrder, mut pays: Vec<Pay>, change: Option<Pay>) -> Vec<Pay> {
        match order {
            OutputOrder::ChangeFirst => pays.splice(0..0, change).for_each(drop),
            _ => pays.extend(change),
        }
        match order {
            OutputOrder::Random => shuffle(&mut self.dice, &mut pays),
            OutputOrder::Sorted => self.sort(&mut pays),
            OutputOrder::ChangeFirst | OutputOrder::ChangeLast => {}
        }
        pays
    }

    /// BIP 69's order of outputs: by amount, then by script.
    pub fn sort(&self, pays: &mut [Pay]) {
        let seed = self.seed();
        pays.sort_by_cached_key(|pay| {
            let mut script = Vec::new();
            Lock::of(seed, pay.key).script(&mut script);
            (pay.value_sats, script)
        });
    }

    /// All of a wallet's coins into one of its own.
    pub fn tidy(&mut self, wallet: u32) {
        let inputs = std::mem::take(&mut self.people[wallet as usize].coins);
        let held: u64 = inputs.iter().map(|coin| coin.value_sats).sum();
        let value_sats = held.saturating_sub(fee_sats(self.dice.log_between(1, 6), inputs.len(), 1));
        if value_sats < DUST_SATS {
            self.people[wallet as usize].coins = inputs;
            return;
        }
        let key = self.own_key(wallet, Role::Change);
        let coins = self.scribe.make(Kind::Consolidate, &inputs, &[Pay { key, value_sats }]);
        self.settle(coins);
    }
}

/// A wallet's number.
pub fn number(index: usize) -> u32 {
    u32::try_from(index).expect("WALLETS_MAX is below 2^30")
}

/// `amount` with all but its first digit zero.
fn one_digit(amount: u64) -> u64 {
    let unit = 10u64.pow(amount.checked_ilog10().unwrap_or(0));
    amount / unit * unit
}

/// A txid in the order in which it is compared: as it is shown.
fn reversed(mut txid: [u8; 32]) -> [u8; 32] {
    txid.reverse();
    txid
}

/// Mixes a list (Fisher and Yates).
pub fn shuffle<T>(dice: &mut crate::dice::Dice, list: &mut [T]) {
    for last in (1..list.len()).rev() {
        list.swap(last, dice.index(last + 1));
    }
}
