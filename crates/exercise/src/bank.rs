//! [`Bank`]: ordinary life at a bank: people, shops, employers with monthly payrolls, rent, cash, on-ramps.
//!
//! One asset, EUR. Payrolls are one transaction with many legs, as a payment file is. It knows nothing of the theft.

use std::io::{self, Write};

use crate::accounts::{Account, Accounts, Leg, Unit};
use crate::dice::Dice;

/// The ledger's id: an exercise BIC with the country code of nowhere in particular.
pub const LEDGER: &str = "bank:EXRCFRPP";
/// The one asset.
pub const ASSETS: &[Unit] = &[("EUR", 2)];
/// EUR.
pub const EUR: usize = 0;
/// Employees of one employer, and so legs of a payroll.
const STAFF_MAX: u32 = 40;
/// Legs of one founding transaction.
const FOUNDING_LEGS_MAX: usize = 100;
/// An exchange's account pays customers only while it holds this much.
const PAYOUTS_CENTS_MIN: u128 = 1_000_000_000;
/// What the bank asks for a transfer, now and then.
const TRANSFER_FEE_CENTS: u128 = 35;

/// Everybody at the bank but the launderer.
pub struct Bank {
    dice: Dice,
    people: u32,
    employers: Vec<Account>,
    shops: Vec<Account>,
    landlords: Vec<Account>,
    /// Where Harbour Exchange keeps its customers' money: the victim.
    pub harbour: Account,
    /// The account through which another exchange is paid.
    pub meridian: Account,
    /// A casino.
    pub casino: Account,
    next_payroll: u32,
}

impl Bank {
    /// Opens the accounts and pays in everybody's first money.
    pub fn found<W: Write>(seed: u64, people: u32, accounts: &mut Accounts<W>, time: i64) -> io::Result<Self> {
        let mut dice = Dice::new(seed, "bank");
        for _ in 0..people {
            accounts.open();
        }
        let employers: Vec<Account> = (0..people.div_ceil(STAFF_MAX)).map(|_| accounts.open()).collect();
        let shops = (0..people.div_ceil(25)).map(|_| accounts.open()).collect();
        let landlords = (0..people.div_ceil(50)).map(|_| accounts.open()).collect();
        let [harbour, meridian, casino] = [(); 3].map(|()| accounts.open());
        let mut legs = vec![
            Leg::from_outside(harbour, EUR, 6_480_000_000),
            Leg::from_outside(meridian, EUR, 2_150_000_000),
            Leg::from_outside(casino, EUR, 310_000_000),
        ];
        for person in 0..people {
            legs.push(Leg::from_outside(Account(person), EUR, u128::from(dice.log_between(20_000, 4_000_000))));
        }
        for employer in &employers {
            legs.push(Leg::from_outside(*employer, EUR, u128::from(dice.between(20_000_000, 90_000_000))));
        }
        for some in legs.chunks(FOUNDING_LEGS_MAX) {
            accounts.book(time, some, "opening")?;
        }
        Ok(Self { dice, people, employers, shops, landlords, harbour, meridian, casino, next_payroll: 0 })
    }

    /// One thing that somebody does. `payroll_every` transactions, an employer pays its people.
    pub fn live<W: Write>(&mut self, accounts: &mut Accounts<W>, time: i64) -> io::Result<()> {
        match self.dice.below(100) {
            0..=3 => self.payroll(None, accounts, time).map(|_| ()),
            4..=8 => {
                let to = self.person();
                let amount = self.cents(2_000, 100_000);
                accounts.book(time, &[Leg::from_outside(to, EUR, amount / 1_000 * 1_000)], "cash deposit").map(|_| ())
            }
            9..=16 => {
                let Some((from, amount)) = self.payer(accounts, 2_000, 40_000) else {
                    return self.fallback(accounts, time);
                };
                let cash = Leg { from: Some(from), to: None, asset: EUR, amount: amount / 1_000 * 1_000, fee: 0 };
                accounts.book(time, &[cash], "cash").map(|_| ())
            }
            17..=26 => {
                let to = self.landlords[self.dice.index(self.landlords.len())];
                self.pay(accounts, time, to, (40_000, 160_000), "rent")
            }
            27..=33 => {
                let to = if self.dice.percent(60) { self.harbour } else { self.meridian };
                self.pay(accounts, time, to, (5_000, 900_000), "top-up")
            }
            34..=38 => {
                let from = if self.dice.percent(60) { self.harbour } else { self.meridian };
                if accounts.balance(from, EUR) < PAYOUTS_CENTS_MIN {
                    return self.pay(accounts, time, from, (5_000, 900_000), "top-up");
                }
                let to = self.person();
                let amount = self.cents(5_000, 1_500_000);
                accounts.book(time, &[Leg::new(from, to, EUR, amount)], "payout").map(|_| ())
            }
            39..=55 => {
                let to = self.person();
                self.pay(accounts, time, to, (500, 200_000), "")
            }
            _ => {
                let to = self.shops[self.dice.index(self.shops.len())];
                self.pay(accounts, time, to, (150, 60_000), "card")
            }
        }
    }

    /// An employer's payroll, with perhaps one more on it; returns what that one was paid, and the transaction.
    pub fn payroll<W: Write>(
        &mut self,
        also: Option<Account>,
        accounts: &mut Accounts<W>,
        time: i64,
    ) -> io::Result<(String, u128)> {
        let employer = self.next_payroll;
        self.next_payroll = (employer + 1) % u32::try_from(self.employers.len()).expect("at most WALLETS_MAX");
        let from = self.employers[employer as usize];
        let staff = employer * STAFF_MAX..((employer + 1) * STAFF_MAX).min(self.people);
        let mut legs: Vec<Leg> = Vec::new();
        for payee in staff.map(Account).chain(also) {
            legs.push(Leg::new(from, payee, EUR, self.cents(120_000, 480_000)));
        }
        let bill: u128 = legs.iter().map(|leg| leg.amount).sum();
        let held = accounts.balance(from, EUR);
        if held < bill {
            // Export revenue: value enters from outside, in the same file as the payroll it makes possible.
            legs.insert(0, Leg::from_outside(from, EUR, bill - held));
        }
        let last = legs.last().map_or(0, |leg| leg.amount);
        Ok((accounts.book(time, &legs, "payroll")?, last))
    }

    fn person(&mut self) -> Account {
        Account(u32::try_from(self.dice.below(self.people.into())).expect("below a u32"))
    }

    fn cents(&mut self, low: u64, high: u64) -> u128 {
        u128::from(self.dice.log_between(low, high))
    }

    /// Somebody who can pay `low` cents, and how much they pay.
    fn payer<W: Write>(&mut self, accounts: &Accounts<W>, low: u64, high: u64) -> Option<(Account, u128)> {
        let start = self.person().0;
        let least = u128::from(low) * 2 + TRANSFER_FEE_CENTS;
        let from = (0..self.people)
            .map(|step| Account((start + step) % self.people))
            .find(|account| accounts.balance(*account, EUR) >= least)?;
        Some((from, self.cents(low, high).min(accounts.balance(from, EUR) / 2)))
    }

    fn pay<W: Write>(
        &mut self,
        accounts: &mut Accounts<W>,
        time: i64,
        to: Account,
        (low, high): (u64, u64),
        memo: &str,
    ) -> io::Result<()> {
        let Some((from, amount)) = self.payer(accounts, low, high) else { return self.fallback(accounts, time) };
        let fee = if self.dice.percent(10) { TRANSFER_FEE_CENTS } else { 0 };
        accounts.book(time, &[Leg::new(from, to, EUR, amount).with_fee(fee)], memo).map(|_| ())
    }

    /// Nobody has money: pay day comes early.
    fn fallback<W: Write>(&mut self, accounts: &mut Accounts<W>, time: i64) -> io::Result<()> {
        self.payroll(None, accounts, time).map(|_| ())
    }
}
