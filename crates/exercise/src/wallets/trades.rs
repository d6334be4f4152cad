//! What services pay for: withdrawals, prizes, wages, miners' shares, shops' takings, a little for everybody; and payouts
//! that look like joins without being any.
//!
//! How a service keeps its coins is `service`'s business.

use crate::chain::Pay;
use crate::dice::mixed;
use crate::town::two_digits;
use crate::wallets::habits::Amounts;
use crate::wallets::kind::Kind;
use crate::wallets::people::COINS_MAX;
use crate::wallets::service::Trade;
use crate::wallets::world::World;

/// The most customers that one batch pays.
const BATCH_MAX: u64 = 120;
/// The most that a faucet or an airdrop pays.
const FAUCET_MAX: u64 = 200;
/// The most employees of a firm.
const EMPLOYEES_MAX: u64 = 60;
/// Grades of wages.
const GRADES: u64 = 4;
/// A share of the hot wallet that one batch may pay, as a divisor.
const BATCH_SHARE: u64 = 4;
/// Who pays now and then, beside exchanges.
const PAYERS: [Trade; 7] =
    [Trade::Payroll, Trade::Faucet, Trade::Casino, Trade::Pool, Trade::Processor, Trade::Mixer, Trade::Bridge];
/// The least that a batch pays anybody.
const PAID_SATS_MIN: u64 = 20_000;

impl World<'_> {
    /// Somebody's payouts.
    pub fn trade(&mut self) -> bool {
        let trade = PAYERS[self.dice.index(PAYERS.len())];
        let service = self.any_of(trade);
        match trade {
            Trade::Exchange => self.withdrawals(service),
            Trade::Payroll => self.wages(service),
            Trade::Faucet => self.faucet(service),
            Trade::Casino => self.prizes(service),
            Trade::Pool | Trade::Processor | Trade::Mixer | Trade::Bridge => self.batch(service, 40),
            Trade::Coordinator => false,
        }
    }

    /// A payout of an exchange, of whichever comes first.
    pub fn exchange_trade(&mut self) -> bool {
        let service = self.any_of(Trade::Exchange);
        self.withdrawals(service)
    }

    fn withdrawals(&mut self, service: usize) -> bool {
        let most = if self.dice.percent(10) { BATCH_MAX } else { 20 };
        self.batch(service, most)
    }

    /// Wallets with room for a coin, each once, at most so many.
    fn payees(&mut self, most: u64) -> Vec<u32> {
        let wanted = self.dice.log_between(1, most);
        let mut payees: Vec<u32> = (0..wanted).filter_map(|_| self.payee(None)).collect();
        payees.sort_unstable();
        payees.dedup();
        crate::wallets::people::shuffle(&mut self.dice, &mut payees);
        payees
    }

    /// What each of `count` may get at most.
    fn share(&self, service: usize, count: usize) -> u64 {
        self.services[service].hot_sats() / (BATCH_SHARE * count.max(1) as u64)
    }

    fn batch(&mut self, service: usize, most: u64) -> bool {
        let payees = self.payees(most);
        let share = self.share(service, payees.len());
        if share < PAID_SATS_MIN {
            return false;
        }
        let mut pays = Vec::with_capacity(payees.len());
        for payee in payees {
            let amounts = [Amounts::Any, Amounts::Priced, Amounts::Round][self.dice.index(3)];
            let value_sats = self.amount(amounts, share);
            pays.push(Pay { key: self.receive_key(payee), value_sats });
        }
        self.pay_out(number(service), Kind::Batch, pays, 0)
    }

    fn equal(&mut self, service: usize, kind: Kind, payees: Vec<u32>, sats: u64, inputs_min: usize) -> bool {
        let mut pays = Vec::with_capacity(payees.len());
        for payee in payees {
            pays.push(Pay { key: self.receive_key(payee), value_sats: sats });
        }
        self.pay_out(number(service), kind, pays, inputs_min)
    }

    fn faucet(&mut self, service: usize) -> bool {
        let payees = self.payees(FAUCET_MAX);
        let sats = [20_000, 25_000, 50_000, 100_000][self.dice.index(4)];
        sats <= self.share(service, payees.len()) && self.equal(service, Kind::Faucet, payees, sats, 0)
    }

    fn prizes(&mut self, service: usize) -> bool {
        let payees = self.payees(30);
        let sats = two_digits(self.dice.log_between(100_000, 100_000_000));
        sats <= self.share(service, payees.len()) && self.equal(service, Kind::Batch, payees, sats, 0)
    }

    /// Wages: the same people each time, and of one grade the same wage.
    fn wages(&mut self, service: usize) -> bool {
        let start = mixed(self.seed() ^ 0x7761_6765 ^ service as u64);
        let people = self.people.len() as u64;
        let employees = 5 + start % (EMPLOYEES_MAX - 4).min(people / 4);
        let mut pays = Vec::new();
        for employee in 0..employees {
            let who = mixed(start ^ employee) % people;
            let who = u32::try_from(who).expect("below WALLETS_MAX");
            if self.people[who as usize].coins.len() < COINS_MAX {
                let wage_cents = 150_000 + start % 100_000 / 100 * 100 + employee % GRADES * 90_000;
                let value_sats = wage_cents * 100_000_000 / self.price_cents();
                pays.push(Pay { key: self.receive_key(who), value_sats });
            }
        }
        self.pay_out(number(service), Kind::Payroll, pays, 0)
    }

    /// Payouts of an exchange in the shape of a join: many inputs, equal or standard amounts.
    pub fn batch_like_a_join(&mut self) -> bool {
        let service = self.any_of(Trade::Exchange);
        let inputs_min = 5 + self.dice.index(30);
        self.services[service].draw_on_deposits();
        let payees = self.payees(BATCH_MAX);
        let share = self.share(service, payees.len());
        if self.dice.percent(50) {
            let sats = [1_000_000, 5_000_000, 10_000_000, 10_000_000][self.dice.index(4)];
            return sats <= share && self.equal(service, Kind::BatchEqual, payees, sats, inputs_min);
        }
        let mut pays = Vec::with_capacity(payees.len());
        for payee in payees {
            let unit = 10u64.pow(u32::try_from(self.dice.between(5, 7)).expect("at most 7"));
            let value_sats = [1, 2, 5][self.dice.index(3)] * unit;
            if value_sats <= share {
                pays.push(Pay { key: self.receive_key(payee), value_sats });
            }
        }
        self.pay_out(number(service), Kind::BatchRound, pays, inputs_min)
    }

    /// An exchange makes equal coins of its own out of many.
    pub fn equal_coins(&mut self) -> bool {
        let service = self.any_of(Trade::Exchange);
        let count = self.dice.between(3, 12);
        self.services[service].draw_on_deposits();
        let sats = two_digits(self.share(service, 12));
        if sats < PAID_SATS_MIN {
            return false;
        }
        let mut pays = Vec::new();
        for _ in 0..count {
            pays.push(Pay { key: self.hot_key(number(service)), value_sats: sats });
        }
        let inputs_min = self.dice.index(20);
        self.pay_out(number(service), Kind::ConsolidateEqual, pays, inputs_min)
    }

    /// Some service of that trade; there is always one.
    pub fn any_of(&mut self, trade: Trade) -> usize {
        let these = self.services.iter().enumerate().filter(|(_, service)| service.trade == trade);
        let these: Vec<usize> = these.map(|(at, _)| at).collect();
        these[self.dice.index(these.len())]
    }
}

/// A service's number.
pub fn number(service: usize) -> u32 {
    u32::try_from(service).expect("a few dozen services")
}
