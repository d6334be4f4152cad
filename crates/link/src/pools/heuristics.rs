//! What ties a withdrawal to a deposit from outside: habits of people, not of the pool.
//!
//! | heuristic | rule |
//! |---|---|
//! | same address | who put the note in received it |
//! | same sender | nobody was paid to send the withdrawal, and who sent it had sent the deposit |
//! | gas price | of all deposits so far this one alone can have been sent for the same price of gas |
//! | portfolio | the receiver took, within 24 hours, just what somebody had put in within 24 hours: at least five notes in at least two pools |
//! | transfers | depositor and receiver paid each other in at least three transactions |
//! | first funding | the receiver's first coin was a small payment from the depositor |
//!
//! Sources: M. Wu et al., "Tutela: An Open-Source Tool for Assessing User-Privacy on Ethereum and Tornado Cash" (2022), and its
//! code (`ExactMatch`, `GasPrice`, `SameNumTransaction`, `LinkedTransaction`); F. Béres et al., "Blockchain is Watching You"
//! (2021). Their fifth, from the mining of TORN, needs claims that reveal an exact number of points; it is not read here.
//!
//! A ledger has fees, not gas prices: a fee is price times gas. Gas of deposits and of withdrawals lies in narrow ranges,
//! so two fees of one price have a common divisor that puts both into their range. Round prices have many, and then no
//! deposit is alone; odd prices, which wallets made before August 2021, have one.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Contracts, End, HolderId, Seq};

use super::history::{History, Withdrawal, native};
use super::table::Pools;

/// How long the notes of a portfolio may be apart.
pub const PORTFOLIO_MICROS: i64 = 24 * 3600 * 1_000_000;
/// The fewest notes of a portfolio.
pub const PORTFOLIO_NOTES_MIN: usize = 5;
/// The fewest pools of a portfolio.
pub const PORTFOLIO_POOLS_MIN: usize = 2;
/// The fewest transactions between two addresses.
pub const TRANSFERS_MIN: u32 = 3;
/// The largest first funding that is taken for gas money, in thousandths of the coin.
pub const FUNDING_THOUSANDTHS_MAX: u128 = 50;
/// What a deposit burns (tornado-core states 1,088,354; less since gas of storage was repriced).
const DEPOSIT_GAS: (u64, u64) = (800_000, 1_400_000);
/// What a withdrawal burns (tornado-core states 301,233; more through a router).
const WITHDRAWAL_GAS: (u64, u64) = (250_000, 600_000);
/// An address in more transactions than this is nobody's own; its neighbours are not looked up.
pub const TOUCHED_MAX: usize = 2_000;

/// One of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Heuristic {
    /// The depositor received it.
    SameAddress,
    /// The depositor sent the withdrawal.
    SameSender,
    /// The only deposit that fits the price of gas.
    GasPrice,
    /// The same notes of the same pools.
    Portfolio,
    /// Three transactions between the two.
    Transfers,
    /// The receiver's first coin.
    FirstFunding,
}

impl Heuristic {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::SameAddress, Self::SameSender, Self::GasPrice, Self::Portfolio, Self::Transfers, Self::FirstFunding];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameAddress => "same address",
            Self::SameSender => "same sender",
            Self::GasPrice => "gas price",
            Self::Portfolio => "portfolio",
            Self::Transfers => "transfers",
            Self::FirstFunding => "first funding",
        }
    }
}

/// The deposits that something ties to a withdrawal, by place, and what.
pub type Marks = BTreeMap<usize, BTreeSet<Heuristic>>;

/// The marks of each withdrawal of each pool, in order.
pub fn marks(ledger: &dyn Contracts, pools: &Pools, histories: &[History]) -> Vec<Vec<Marks>> {
    let portfolios = portfolios(histories);
    let mut neighbours = Neighbours::new(ledger, pools);
    histories
        .iter()
        .enumerate()
        .map(|(at, history)| {
            let mut marks: Vec<Marks> = vec![Marks::new(); history.withdrawals.len()];
            by_sender(history, &mut neighbours, &mut marks);
            by_gas(history, &mut marks);
            for (withdrawal, deposit) in portfolios.get(&at).into_iter().flatten() {
                if history.deposits[*deposit].seq < history.withdrawals[*withdrawal].seq {
                    marks[*withdrawal].entry(*deposit).or_default().insert(Heuristic::Portfolio);
                }
            }
            marks
        })
        .collect()
}

/// What follows from who sent what: the same address, the same sender, addresses that know each other.
fn by_sender(history: &History, neighbours: &mut Neighbours<'_>, marks: &mut [Marks]) {
    let mut by_sender: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, deposit) in history.deposits.iter().enumerate() {
        if let Some(sender) = &deposit.sender {
            by_sender.entry(sender).or_default().push(at);
        }
    }
    for (withdrawal, marks) in history.withdrawals.iter().zip(marks) {
        let mut mark = |sender: &str, heuristic: Heuristic| {
            let deposits = by_sender.get(sender).into_iter().flatten();
            for at in deposits.take_while(|at| history.deposits[**at].seq < withdrawal.seq) {
                marks.entry(*at).or_default().insert(heuristic);
            }
        };
        mark(&withdrawal.recipient, Heuristic::SameAddress);
        if withdrawal.relayer.is_none()
            && let Some(sender) = withdrawal.sender.as_deref().filter(|sender| *sender != withdrawal.recipient)
        {
            mark(sender, Heuristic::SameSender);
        }
        let Known { transfers, funder } = neighbours.of(&withdrawal.recipient);
        for other in transfers {
            mark(other, Heuristic::Transfers);
        }
        if let Some(funder) = funder {
            mark(funder, Heuristic::FirstFunding);
        }
    }
}

/// Withdrawals without a relayer whose price of gas one earlier deposit alone fits.
fn by_gas(history: &History, marks: &mut [Marks]) {
    for (withdrawal, marks) in history.withdrawals.iter().zip(marks) {
        if withdrawal.relayer.is_some() || withdrawal.gas_fee_units == 0 {
            continue;
        }
        let fits = |at: &usize| same_price(history.deposits[*at].fee_units, withdrawal.gas_fee_units);
        let mut fitting = (0..before(history, withdrawal)).filter(fits);
        if let (Some(only), None) = (fitting.next(), fitting.next()) {
            marks.entry(only).or_default().insert(Heuristic::GasPrice);
        }
    }
}

/// How many deposits stand before a withdrawal.
pub(super) fn before(history: &History, withdrawal: &Withdrawal) -> usize {
    history.deposits.partition_point(|deposit| deposit.seq < withdrawal.seq)
}

/// Whether some price of gas divides both fees and leaves an amount of gas that each can have burnt.
pub(super) fn same_price(deposit_fee: u128, withdrawal_fee: u128) -> bool {
    let (Ok(deposit), Ok(withdrawal)) = (u64::try_from(deposit_fee), u64::try_from(withdrawal_fee)) else {
        return false;
    };
    if deposit == 0 || withdrawal == 0 {
        return false;
    }
    let common = divisor(deposit, withdrawal);
    // The price is `common / k` for some whole k; the gas of the deposit says which.
    let whole = deposit / common;
    let (first, last) = (DEPOSIT_GAS.0.div_ceil(whole).max(1), DEPOSIT_GAS.1 / whole);
    (first..=last).any(|k| {
        let gas = (withdrawal / common).checked_mul(k);
        common.is_multiple_of(k) && gas.is_some_and(|gas| (WITHDRAWAL_GAS.0..=WITHDRAWAL_GAS.1).contains(&gas))
    })
}

const fn divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// One party's notes within a day: pool and place.
type Notes = Vec<(usize, usize)>;

/// Pairs of withdrawal and deposit, by pool, of equal portfolios.
fn portfolios(histories: &[History]) -> BTreeMap<usize, BTreeSet<(usize, usize)>> {
    let mut put: BTreeMap<&str, Vec<(i64, usize, usize)>> = BTreeMap::new();
    let mut taken = put.clone();
    for (pool, history) in histories.iter().enumerate() {
        for (at, deposit) in history.deposits.iter().enumerate() {
            if let Some(sender) = &deposit.sender {
                put.entry(sender).or_default().push((deposit.time.micros(), pool, at));
            }
        }
        for (at, withdrawal) in history.withdrawals.iter().enumerate() {
            taken.entry(&withdrawal.recipient).or_default().push((withdrawal.time.micros(), pool, at));
        }
    }
    let mut by_counts: BTreeMap<Vec<(usize, usize)>, Vec<Notes>> = BTreeMap::new();
    for notes in put.into_values().flat_map(days) {
        by_counts.entry(counts(&notes)).or_default().push(notes);
    }
    let mut pairs: BTreeMap<usize, BTreeSet<(usize, usize)>> = BTreeMap::new();
    for taken in taken.into_values().flat_map(days) {
        for put in by_counts.get(&counts(&taken)).into_iter().flatten() {
            for (pool, withdrawal) in &taken {
                let same = put.iter().filter(|(other, _)| other == pool).map(|(_, deposit)| (*withdrawal, *deposit));
                pairs.entry(*pool).or_default().extend(same);
            }
        }
    }
    pairs
}

/// A party's notes cut into days, of which those with enough notes and pools are kept.
fn days(mut notes: Vec<(i64, usize, usize)>) -> Vec<Notes> {
    notes.sort_unstable();
    let mut days: Vec<(i64, Notes)> = Vec::new();
    for (time, pool, at) in notes {
        match days.last_mut() {
            Some((first, day)) if time - *first <= PORTFOLIO_MICROS => day.push((pool, at)),
            _ => days.push((time, vec![(pool, at)])),
        }
    }
    let enough = |day: &Notes| day.len() >= PORTFOLIO_NOTES_MIN && counts(day).len() >= PORTFOLIO_POOLS_MIN;
    days.into_iter().map(|(_, day)| day).filter(enough).collect()
}

/// How many notes of which pool.
fn counts(notes: &Notes) -> Vec<(usize, usize)> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for (pool, _) in notes {
        *counts.entry(*pool).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// Whom an address knows.
#[derive(Clone, Debug, Default)]
struct Known {
    transfers: Vec<String>,
    funder: Option<String>,
}

/// Whom addresses know, looked up once each.
struct Neighbours<'a> {
    ledger: &'a dyn Contracts,
    pools: &'a Pools,
    known: BTreeMap<String, Known>,
}

impl<'a> Neighbours<'a> {
    const fn new(ledger: &'a dyn Contracts, pools: &'a Pools) -> Self {
        Self { ledger, pools, known: BTreeMap::new() }
    }

    fn of(&mut self, name: &str) -> &Known {
        if !self.known.contains_key(name) {
            let known = self.ledger.find_holder(name).and_then(|holder| self.look_up(holder)).unwrap_or_default();
            self.known.insert(name.to_owned(), known);
        }
        &self.known[name]
    }

    fn look_up(&self, holder: HolderId) -> Option<Known> {
        let mut touched: BTreeSet<Seq> = BTreeSet::new();
        for purse in self.ledger.purses(holder) {
            let mut at = self.ledger.end();
            while let Some(seq) = self.ledger.previous(purse, at) {
                touched.insert(seq);
                at = seq;
                if touched.len() > TOUCHED_MAX {
                    return None;
                }
            }
        }
        let coin = native(self.ledger);
        let mut legs = Vec::new();
        let mut transfers: BTreeMap<HolderId, u32> = BTreeMap::new();
        let mut funder: Option<Option<HolderId>> = None;
        for seq in touched {
            self.ledger.transaction(seq, &mut legs);
            let mut others: BTreeSet<HolderId> = BTreeSet::new();
            for leg in &legs {
                let (End::Purse(payer), End::Purse(payee)) = (leg.payer, leg.payee) else { continue };
                let (payer, payee) = (self.ledger.purse(payer).holder, self.ledger.purse(payee).holder);
                if payer == payee || (payer != holder && payee != holder) {
                    continue;
                }
                others.insert(if payer == holder { payee } else { payer });
                if payee == holder && Some(leg.asset) == coin && !leg.amount.is_zero() && funder.is_none() {
                    let scale = u32::from(self.ledger.asset(leg.asset).scale);
                    let most = 10u128.checked_pow(scale).map_or(0, |one| one / 1_000 * FUNDING_THOUSANDTHS_MAX);
                    funder = Some((leg.amount.units() <= most).then_some(payer));
                }
            }
            for other in others {
                *transfers.entry(other).or_default() += 1;
            }
        }
        let name = |holder: HolderId| {
            let name = self.ledger.holder_name(holder);
            (!self.pools.is_conduit(self.ledger.id(), &name)).then_some(name)
        };
        let often = transfers.into_iter().filter(|(_, count)| *count >= TRANSFERS_MIN);
        Some(Known {
            transfers: often.filter_map(|(other, _)| name(other)).collect(),
            funder: funder.flatten().and_then(name),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_of_one_odd_price_are_told_from_others() {
        let price = 3_141_592_654u128;
        assert!(same_price(price * 1_012_345, price * 301_233));
        assert!(!same_price(price * 1_012_345, 3_141_592_655 * 301_233));
        // A round price fits many.
        assert!(same_price(20_000_000_000 * 1_000_000, 25_000_000_000 * 320_000));
        assert!(!same_price(0, 5) && !same_price(5, 0) && !same_price(u128::MAX, 5) && !same_price(1, 1));
    }
}
