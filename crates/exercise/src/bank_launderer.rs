//! [`BankLaunderer`]: a forged payment file empties an account into those of mules, who also earn honest wages, and
//! who pass the money on: structured transfers, an exchange's on-ramp, a casino, cash.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::accounts::{Account, Accounts, Leg};
use crate::bank::{ASSETS, Bank, EUR};
use crate::dice::Dice;
use crate::notebook::Notebook;
use crate::plan::Plan;
use crate::purses::{Meant, Parcel, Purses};
use crate::token_launderer::Stolen;
use crate::truth::PlaceKind;

/// Mules paid by the forged file.
const MULES: usize = 4;
/// Helpers whom the mules pay in sums just under the limit at which a bank must look.
const HELPERS: usize = 6;
/// That limit.
const REPORTED_CENTS: u64 = 1_000_000;
/// What each mule does with the money, at most.
const DEEDS_PER_MULE: u64 = 14;
/// The fewest cents worth moving.
const DEED_CENTS_MIN: u128 = 20_000;

#[derive(Clone, Copy, Debug)]
enum Move {
    Wages(usize),
    Steal,
    Deed { account: Account, helper: bool },
}

/// The launderer at the bank.
pub struct BankLaunderer {
    dice: Dice,
    theft_at: u64,
    window: u64,
    moves: BTreeMap<(u64, u64), Move>,
    moves_made: u64,
    mules: Vec<Account>,
    helpers: Vec<Account>,
    purses: Purses,
    stolen: Vec<Stolen>,
}

impl BankLaunderer {
    /// Opens the mules' accounts and plans the theft at two fifths of the time line.
    pub fn new<W: Write>(plan: &Plan, accounts: &mut Accounts<W>) -> Self {
        let theft_at = plan.bank_transactions * 2 / 5;
        let mut launderer = Self {
            dice: Dice::new(plan.seed, "bank launderer"),
            theft_at,
            window: plan.bank_transactions - theft_at,
            moves: BTreeMap::new(),
            moves_made: 0,
            mules: (0..MULES).map(|_| accounts.open()).collect(),
            helpers: (0..HELPERS).map(|_| accounts.open()).collect(),
            purses: Purses::new(ASSETS),
            stolen: Vec::new(),
        };
        for mule in 0..MULES {
            launderer.at(theft_at * (mule as u64 + 1) / 6, Move::Wages(mule));
            launderer.at(theft_at + launderer.window * (20 + mule as u64) / 100, Move::Wages(mule));
        }
        launderer.at(theft_at, Move::Steal);
        launderer
    }

    /// Makes one move that is due by `slot`; `false` where none is.
    pub fn act<W: Write>(
        &mut self,
        slot: u64,
        time: i64,
        bank: &mut Bank,
        accounts: &mut Accounts<W>,
    ) -> io::Result<bool> {
        let Some(entry) = self.moves.first_entry() else { return Ok(false) };
        if entry.key().0 > slot {
            return Ok(false);
        }
        match entry.remove() {
            Move::Wages(mule) => self.wages(mule, time, bank, accounts)?,
            Move::Steal => self.steal(time, bank, accounts)?,
            Move::Deed { account, helper } => self.deed(account, helper, (slot, time), bank, accounts)?,
        }
        Ok(true)
    }

    /// Closes the books.
    pub fn close<W: Write>(self, accounts: &Accounts<W>) -> (Notebook, Vec<Stolen>) {
        (self.purses.close(|account| accounts.name(account)), self.stolen)
    }

    fn at(&mut self, slot: u64, what: Move) {
        self.moves_made += 1;
        self.moves.insert((slot, self.moves_made), what);
    }

    fn wages<W: Write>(
        &mut self,
        mule: usize,
        time: i64,
        bank: &mut Bank,
        accounts: &mut Accounts<W>,
    ) -> io::Result<()> {
        let account = self.mules[mule];
        let (tx, wage) = bank.payroll(Some(account), accounts, time)?;
        self.purses.put(account, EUR, Parcel::own(wage));
        self.purses.step(("own-money", "honest wages"), time, EUR, Parcel::own(wage), tx);
        Ok(())
    }

    /// One forged file with a line for each mule.
    fn steal<W: Write>(&mut self, time: i64, bank: &Bank, accounts: &mut Accounts<W>) -> io::Result<()> {
        let mut legs = Vec::new();
        for mule in &self.mules {
            let euros = self.dice.between(120_000, 900_000);
            legs.push(Leg::new(bank.harbour, *mule, EUR, u128::from(euros) * 100));
        }
        let tx = accounts.book(time, &legs, "batch payment")?;
        for (leg, mule) in legs.iter().zip(self.mules.clone()) {
            self.purses.put(mule, EUR, Parcel::loot(leg.amount));
            self.purses.step(("theft", ""), time, EUR, Parcel::loot(leg.amount), tx.clone());
            self.stolen.push((tx.clone(), accounts.name(mule), leg.amount));
            for deed in 0..DEEDS_PER_MULE {
                let slot = self.theft_at + self.window * (2 + deed * 6 + self.dice.below(6)) / 100;
                self.at(slot, Move::Deed { account: mule, helper: false });
            }
        }
        Ok(())
    }

    fn deed<W: Write>(
        &mut self,
        account: Account,
        helper: bool,
        (slot, time): (u64, i64),
        bank: &Bank,
        accounts: &mut Accounts<W>,
    ) -> io::Result<()> {
        let held = self.purses.of(account, EUR).total();
        let meant = if self.dice.percent(70) { Meant::Loot } else { Meant::Own };
        // Who, what it is called, what becomes of it; helpers only cash out.
        let roll = if helper { self.dice.between(55, 99) } else { self.dice.below(100) };
        let share = held / 100 * u128::from(self.dice.between(8, 30));
        let structured = u128::from(self.dice.between(REPORTED_CENTS * 9 / 10, REPORTED_CENTS - 100));
        let (to, amount, kind, end) = match roll {
            0..=54 => (Some(self.helpers[self.dice.index(HELPERS)]), structured.min(held), "hop", None),
            55..=74 => (Some(bank.meridian), share, "cash-out", Some((PlaceKind::Service, "exchange-deposit"))),
            75..=87 => (Some(bank.casino), share, "cash-out", Some((PlaceKind::Service, "casino"))),
            _ => {
                let cash = u128::from(self.dice.between(5, 20)) * 10_000;
                (None, cash.min(held / 2) / 1_000 * 1_000, "cash", Some((PlaceKind::Unknown, "left-ledger")))
            }
        };
        if amount < DEED_CENTS_MIN {
            return Ok(());
        }
        let leg = Leg { from: Some(account), to, asset: EUR, amount, fee: 0 };
        let tx = accounts.book(time, &[leg], if to.is_none() { "cash" } else { "" })?;
        let parcel = self.purses.take(account, EUR, amount, meant);
        let mixed = parcel.own > 0 || self.purses.of(account, EUR).own > 0;
        self.purses.step((kind, meant.note(mixed)), time, EUR, parcel, tx);
        match (end, to) {
            (Some((place, reason)), to) => {
                self.purses.rest(place, to.map(|to| accounts.name(to)), EUR, parcel, reason);
            }
            (None, Some(to)) => {
                self.purses.put(to, EUR, parcel);
                if self.dice.percent(50) {
                    let later = slot + self.window * self.dice.between(3, 10) / 100;
                    self.at(later, Move::Deed { account: to, helper: true });
                }
            }
            (None, None) => unreachable!("a hop has a payee"),
        }
        Ok(())
    }
}
