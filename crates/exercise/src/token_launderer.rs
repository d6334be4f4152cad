//! [`TokenLaunderer`]: the theft on the token ledger: hops through purses that hold clean money, swaps, a bridge, the
//! exchange. Whoever traces it meets mixed purses, conversions and atomic transactions with conduits.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::accounts::{Account, Accounts, Leg};
use crate::dice::Dice;
use crate::market::{ASSETS, ETHX, ETHX_ONE, Market, USDX, USDX_ONE};
use crate::notebook::Notebook;
use crate::plan::Plan;
use crate::purses::{Meant, Parcel, Purses};
use crate::truth::PlaceKind;

/// Accounts of the launderer's that hold clean money beforehand.
const MIXING_PURSES: usize = 3;
/// Deposit accounts that accomplices hold at the other exchange.
const MULES: usize = 3;
/// The trails that the loot splits into, at most.
const TRAILS_MAX: u32 = 12;
/// Hops of a trail before it comes to its end.
const HOPS: u32 = 4;
/// Swaps that a trail is cut into.
const SLICES: u64 = 3;

/// How a trail ends.
#[derive(Clone, Copy, Debug)]
enum Route {
    Swap,
    Bridge,
    CashOut,
    Rest,
}

/// Trails take these in turn.
const ROUTES: [Route; 4] = [Route::Swap, Route::CashOut, Route::Bridge, Route::Rest];

#[derive(Clone, Copy, Debug)]
enum Move {
    OwnMoney(usize),
    Steal,
    Dust,
    Split { account: Account, into: u32 },
    Hop { from: Account, asset: usize, amount: u128, left: u32, route: Route },
    Swap { account: Account, amount: u128, slices: u64 },
    End { account: Account, asset: usize, amount: u128, route: Route },
}

/// A theft as its incident file tells it: transaction, payee, amount.
pub type Stolen = (String, String, u128);

/// The launderer on the token ledger.
pub struct TokenLaunderer {
    dice: Dice,
    trails: u32,
    theft_at: u64,
    window: u64,
    moves: BTreeMap<(u64, u64), Move>,
    moves_made: u64,
    mixing: Vec<Account>,
    mules: Vec<Account>,
    robbers: Vec<Account>,
    purses: Purses,
    stolen: Vec<Stolen>,
}

impl TokenLaunderer {
    /// Opens the launderer's accounts and plans the theft at two fifths of the time line.
    pub fn new<W: Write>(plan: &Plan, accounts: &mut Accounts<W>) -> Self {
        let theft_at = plan.token_transactions * 2 / 5;
        let mut launderer = Self {
            dice: Dice::new(plan.seed, "token launderer"),
            trails: plan.fan_out.clamp(4, TRAILS_MAX),
            theft_at,
            window: plan.token_transactions - theft_at,
            moves: BTreeMap::new(),
            moves_made: 0,
            mixing: (0..MIXING_PURSES).map(|_| accounts.open()).collect(),
            mules: (0..MULES).map(|_| accounts.open()).collect(),
            robbers: Vec::new(),
            purses: Purses::new(ASSETS),
            stolen: Vec::new(),
        };
        for purse in 0..MIXING_PURSES {
            launderer.at(theft_at * (purse as u64 + 1) / 5, Move::OwnMoney(purse));
        }
        launderer.at(theft_at, Move::Steal);
        launderer.after(1, Move::Dust);
        launderer
    }

    /// The deposit accounts of the accomplices.
    pub fn mules(&self) -> &[Account] {
        &self.mules
    }

    /// Makes one move that is due by `slot`; `false` where none is.
    pub fn act<W: Write>(
        &mut self,
        slot: u64,
        time: i64,
        market: &mut Market,
        accounts: &mut Accounts<W>,
    ) -> io::Result<bool> {
        let Some(entry) = self.moves.first_entry() else { return Ok(false) };
        if entry.key().0 > slot {
            return Ok(false);
        }
        match entry.remove() {
            Move::OwnMoney(purse) => self.own_money(purse, time, market, accounts)?,
            Move::Steal => self.steal(time, market, accounts)?,
            Move::Dust => self.be_dusted(time, market, accounts)?,
            Move::Split { account, into } => self.split(account, into, time, market, accounts)?,
            Move::Hop { from, asset, amount, left, route } => {
                self.hop((from, asset, amount), left, route, (slot, time), market, accounts)?;
            }
            Move::Swap { account, amount, slices } => {
                self.swap(account, amount, slices, (slot, time), market, accounts)?;
            }
            Move::End { account, asset, amount, route } => {
                self.end((account, asset, amount), route, time, market, accounts)?;
            }
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

    fn after(&mut self, percent: u64, what: Move) {
        self.at(self.theft_at + self.window * percent / 100, what);
    }

    fn pause(&mut self, slot: u64, what: Move) {
        let wait = self.window * self.dice.between(2, 8) / 100;
        self.at(slot + wait, what);
    }

    fn own_money<W: Write>(
        &mut self,
        purse: usize,
        time: i64,
        market: &Market,
        accounts: &mut Accounts<W>,
    ) -> io::Result<()> {
        let to = self.mixing[purse];
        let ethx = u128::from(self.dice.between(1_500, 6_000)) * ETHX_ONE;
        let usdx = u128::from(self.dice.between(1_000_000, 5_000_000)) * USDX_ONE;
        let legs = [Leg::new(market.meridian, to, ETHX, ethx), Leg::new(market.meridian, to, USDX, usdx)];
        let tx = accounts.book(time, &legs, "withdrawal")?;
        for leg in legs {
            self.purses.put(to, leg.asset, Parcel::own(leg.amount));
            let what = ("own-money", "clean money of the launderer's own");
            self.purses.step(what, time, leg.asset, Parcel::own(leg.amount), tx.clone());
        }
        Ok(())
    }

    /// Two transfers out of the hot wallet, three fifths and two fifths of what is taken.
    fn steal<W: Write>(&mut self, time: i64, market: &Market, accounts: &mut Accounts<W>) -> io::Result<()> {
        let all = accounts.balance(market.harbour, ETHX) / 100 * u128::from(self.dice.between(22, 30));
        for (at, amount) in [(0, all / 5 * 3), (1, all - all / 5 * 3)] {
            let to = accounts.open();
            let tx = accounts.book(time, &[Leg::new(market.harbour, to, ETHX, amount)], "")?;
            self.purses.put(to, ETHX, Parcel::loot(amount));
            self.purses.step(("theft", ""), time, ETHX, Parcel::loot(amount), tx.clone());
            self.stolen.push((tx, accounts.name(to), amount));
            let into = self.trails / 2;
            self.after(3 + at, Move::Split { account: to, into });
            self.robbers.push(to);
        }
        Ok(())
    }

    fn be_dusted<W: Write>(&mut self, time: i64, market: &mut Market, accounts: &mut Accounts<W>) -> io::Result<()> {
        for to in std::mem::take(&mut self.robbers) {
            let Some(from) = market.somebody(accounts) else { continue };
            let fee = market.gas();
            let speck = ETHX_ONE / 1_000_000;
            let tx = accounts.book(time, &[Leg::new(from, to, ETHX, speck).with_fee(fee)], "")?;
            self.purses.put(to, ETHX, Parcel::own(speck));
            let what = ("dust", "unsolicited, from a stranger");
            self.purses.step(what, time, ETHX, Parcel::own(speck), tx);
        }
        Ok(())
    }

    fn split<W: Write>(
        &mut self,
        account: Account,
        into: u32,
        time: i64,
        market: &mut Market,
        accounts: &mut Accounts<W>,
    ) -> io::Result<()> {
        for part in 0..into {
            let fee = market.gas();
            let balance = self.purses.of(account, ETHX).total();
            let amount = match into - part {
                1 => balance - fee,
                parts => balance / u128::from(parts) / 100 * u128::from(self.dice.between(70, 130)),
            };
            let to = accounts.open();
            let received = self.transfer((account, to, ETHX, amount), fee, Meant::Loot, "fan-out", time, accounts)?;
            let route = ROUTES[part as usize % ROUTES.len()];
            let when = self.dice.between(6, 12);
            self.after(when, Move::Hop { from: to, asset: ETHX, amount: received, left: HOPS, route });
        }
        Ok(())
    }

    /// One payment between the launderer's own accounts. Returns how much arrived.
    fn transfer<W: Write>(
        &mut self,
        (from, to, asset, amount): (Account, Account, usize, u128),
        fee: u128,
        meant: Meant,
        kind: &'static str,
        time: i64,
        accounts: &mut Accounts<W>,
    ) -> io::Result<u128> {
        let mixed = self.mixing.contains(&from);
        let tx = accounts.book(time, &[Leg::new(from, to, asset, amount).with_fee(fee)], "")?;
        let parcel = self.purses.take(from, asset, amount, meant);
        self.purses.pay_fee(from, asset, fee);
        self.purses.put(to, asset, parcel);
        self.purses.step((kind, meant.note(mixed)), time, asset, parcel, tx);
        Ok(amount)
    }

    fn hop<W: Write>(
        &mut self,
        (from, asset, amount): (Account, usize, u128),
        left: u32,
        route: Route,
        (slot, time): (u64, i64),
        market: &mut Market,
        accounts: &mut Accounts<W>,
    ) -> io::Result<()> {
        if left == 0 {
            match route {
                Route::Swap if asset == ETHX => self.pause(slot, Move::Swap { account: from, amount, slices: SLICES }),
                route => self.pause(slot, Move::End { account: from, asset, amount, route }),
            }
            return Ok(());
        }
        let through_mixing = left != HOPS && self.dice.percent(45);
        let to = if through_mixing { self.mixing[self.dice.index(MIXING_PURSES)] } else { accounts.open() };
        if to == from {
            self.pause(slot, Move::Hop { from, asset, amount, left: left - 1, route });
            return Ok(());
        }
        let fee = if asset == ETHX { market.gas() } else { 0 };
        let amount = amount.min(self.purses.of(from, asset).total().saturating_sub(fee));
        if amount == 0 {
            return Ok(());
        }
        let meant = if self.dice.percent(50) { Meant::Loot } else { Meant::Own };
        let arrived = self.transfer((from, to, asset, amount), fee, meant, "hop", time, accounts)?;
        let onward = if through_mixing { arrived / 100 * u128::from(self.dice.between(60, 95)) } else { arrived };
        self.pause(slot, Move::Hop { from: to, asset, amount: onward, left: left - 1, route });
        Ok(())
    }

    fn swap<W: Write>(
        &mut self,
        account: Account,
        amount: u128,
        slices: u64,
        (slot, time): (u64, i64),
        market: &mut Market,
        accounts: &mut Accounts<W>,
    ) -> io::Result<()> {
        let amount = amount.min(self.purses.of(account, ETHX).total());
        let slice = amount / u128::from(slices);
        let routed = slices.is_multiple_of(2);
        let (tx, out) = market.swap(accounts, time, (account, ETHX, slice), routed)?;
        let mixed = self.mixing.contains(&account);
        let parcel = self.purses.take(account, ETHX, slice, Meant::Loot);
        self.purses.put(account, USDX, parcel.converted(out));
        self.purses.step(("swap", Meant::Loot.note(mixed)), time, ETHX, parcel, tx);
        let route = if self.dice.percent(70) { Route::CashOut } else { Route::Rest };
        self.pause(slot, Move::Hop { from: account, asset: USDX, amount: out, left: 2, route });
        if slices > 1 {
            self.pause(slot, Move::Swap { account, amount: amount - slice, slices: slices - 1 });
        }
        Ok(())
    }

    fn end<W: Write>(
        &mut self,
        (account, asset, amount): (Account, usize, u128),
        route: Route,
        time: i64,
        market: &mut Market,
        accounts: &mut Accounts<W>,
    ) -> io::Result<()> {
        let (to, kind, place, reason) = match route {
            Route::Bridge => (market.bridge, "bridge", PlaceKind::Bridge, "bridge-deposit"),
            Route::CashOut => {
                let mule = self.mules[self.dice.index(MULES)];
                (mule, "cash-out", PlaceKind::Service, "exchange-deposit")
            }
            Route::Swap | Route::Rest => return Ok(()),
        };
        let fee = if asset == ETHX { market.gas() } else { 0 };
        let amount = amount.min(self.purses.of(account, asset).total().saturating_sub(fee));
        if amount == 0 {
            return Ok(());
        }
        let meant = if self.dice.percent(60) { Meant::Loot } else { Meant::Own };
        let mixed = self.mixing.contains(&account);
        let tx = accounts.book(time, &[Leg::new(account, to, asset, amount).with_fee(fee)], "")?;
        let parcel = self.purses.take(account, asset, amount, meant);
        self.purses.pay_fee(account, asset, fee);
        self.purses.rest(place, Some(accounts.name(to)), asset, parcel, reason);
        self.purses.step((kind, meant.note(mixed)), time, asset, parcel, tx);
        Ok(())
    }
}
