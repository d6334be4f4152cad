//! The slow, obvious model: every policy written the long way, walking every leg of the whole ledger in order.
//!
//! A purse is a vector of single units for FIFO and LIFO, and a plain map from label to amount for the others. There
//! is no queue, no skipping of clean deposits, no intervals. It knows no swaps: ledgers given to it have none.

use std::collections::BTreeMap;

use ledger::memory::MemoryLedger;
use ledger::{End, Ledger, PurseId, Seq};
use trace::{LabelId, Policy, Seed};

/// What a movement or a purse holds of each label; `clean` fills it up to the whole.
type Sums = BTreeMap<LabelId, u128>;

/// One unit of money: the labels that claim it.
type Unit = Vec<LabelId>;

#[derive(Clone, Default)]
struct Purse {
    balance: u128,
    units: Vec<Unit>,
    sums: Sums,
}

/// Where loot rests: by label and purse; `None` is fees and the outside.
pub type Places = BTreeMap<(LabelId, Option<PurseId>), u128>;

pub fn trace(ledger: &MemoryLedger, seeds: &[Seed], policy: Policy, stops: &[&str]) -> Places {
    let mut purses: BTreeMap<PurseId, Purse> = BTreeMap::new();
    let mut places = Places::new();
    let mut legs = Vec::new();
    let is_stop = |purse: PurseId| stops.contains(&ledger.holder_name(ledger.purse(purse).holder).as_str());
    for at in 0..ledger.end().0 {
        ledger.transaction(Seq(at), &mut legs);
        let mut pot = Purse::default();
        let mut order: Vec<usize> = (0..legs.len()).collect();
        if policy == Policy::Tiho {
            // Inputs first as they are, then payments largest first, the fee last.
            order.sort_by_key(|leg| {
                let leg = &legs[*leg];
                let paying_in = leg.payee == End::Pot;
                (!paying_in, leg.payee == End::Fee, if paying_in { 0 } else { u128::MAX - leg.amount.units() })
            });
        }
        for index in order {
            let leg = &legs[index];
            let amount = leg.amount.units();
            let opened = |purse: PurseId| {
                let opening = ledger.opening(purse).units();
                Purse { balance: opening, units: vec![Unit::new(); size(opening)], sums: Sums::new() }
            };
            let (mut sums, mut units) = match leg.payer {
                End::Purse(purse) if leg.payee == End::Pot => {
                    let all = purses.entry(purse).or_insert_with(|| opened(purse));
                    let all = std::mem::take(all);
                    (all.sums, all.units)
                }
                End::Purse(purse) => {
                    let stop = is_stop(purse);
                    let payer = purses.entry(purse).or_insert_with(|| opened(purse));
                    let taken = withdraw(payer, amount, policy);
                    if stop { (Sums::new(), vec![Unit::new(); size(amount)]) } else { taken }
                }
                End::Pot => withdraw(&mut pot, amount, policy),
                End::Outside | End::Fee | End::Drift => (Sums::new(), vec![Unit::new(); size(amount)]),
            };
            for seed in seeds.iter().filter(|seed| (seed.seq, seed.leg) == (Seq(at), index)) {
                plant(seed, amount, policy, &mut sums, &mut units);
            }
            let rests = match leg.payee {
                End::Purse(purse) if is_stop(purse) => Some(Some(purse)),
                End::Fee | End::Outside | End::Drift => Some(None),
                _ => None,
            };
            if let Some(place) = rests {
                for (label, sum) in count(&sums, &units, amount, policy) {
                    *places.entry((label, place)).or_default() += sum;
                }
            }
            let payee = match leg.payee {
                End::Purse(purse) => purses.entry(purse).or_insert_with(|| opened(purse)),
                End::Pot => &mut pot,
                _ => continue,
            };
            payee.balance += amount;
            if rests.is_some() {
                units = vec![Unit::new(); size(amount)];
                sums.clear();
            }
            payee.units.extend(units);
            for (label, sum) in sums {
                *payee.sums.entry(label).or_default() += sum;
            }
        }
    }
    for (id, purse) in &purses {
        for (label, sum) in count(&purse.sums, &purse.units, purse.balance, policy) {
            *places.entry((label, Some(*id))).or_default() += sum;
        }
    }
    places.retain(|_, sum| *sum > 0);
    places
}

fn size(amount: u128) -> usize {
    usize::try_from(amount).expect("model ledgers are small")
}

fn by_units(policy: Policy) -> bool {
    matches!(policy, Policy::Fifo | Policy::Lifo)
}

fn plant(seed: &Seed, amount: u128, policy: Policy, sums: &mut Sums, units: &mut [Unit]) {
    let stolen = seed.amount.units();
    if by_units(policy) {
        for unit in units.iter_mut().filter(|unit| !unit.contains(&seed.label)).take(size(stolen)) {
            unit.push(seed.label);
        }
    } else if policy == Policy::Poison {
        sums.insert(seed.label, amount);
    } else {
        let sum = sums.entry(seed.label).or_default();
        *sum += stolen.min(amount - *sum);
    }
}

/// Sums by label of a movement or purse of `whole` units.
fn count(sums: &Sums, units: &[Unit], whole: u128, policy: Policy) -> Sums {
    match policy {
        Policy::Fifo | Policy::Lifo => {
            let mut counted = Sums::new();
            for label in units.iter().flatten() {
                *counted.entry(*label).or_default() += 1;
            }
            counted
        }
        Policy::Poison => sums.keys().map(|label| (*label, whole)).collect(),
        _ => sums.clone(),
    }
}

fn withdraw(purse: &mut Purse, amount: u128, policy: Policy) -> (Sums, Vec<Unit>) {
    let before = purse.balance;
    purse.balance -= amount;
    let mut taken = Sums::new();
    match policy {
        Policy::Fifo => return (taken, purse.units.drain(..size(amount)).collect()),
        Policy::Lifo => {
            let staying = purse.units.len() - size(amount);
            return (taken, purse.units.drain(staying..).rev().collect());
        }
        Policy::Poison => {
            if amount > 0 || before == 0 {
                taken = purse.sums.keys().map(|label| (*label, amount)).collect();
            }
            if purse.balance == 0 {
                purse.sums.clear();
            }
            return (taken, vec![Unit::new(); size(amount)]);
        }
        Policy::Haircut => {
            for (label, sum) in &purse.sums {
                let least = amount.saturating_sub(before - sum);
                let share = if before == 0 { 0 } else { half_even(amount * sum, before) };
                taken.insert(*label, share.clamp(least, amount.min(*sum)));
            }
        }
        Policy::TaintFirstOut | Policy::TaintLastOut | Policy::Tiho => {
            let dirty: u128 = purse.sums.values().sum();
            let moved = match policy {
                Policy::TaintLastOut => amount.saturating_sub(before - dirty),
                _ => amount.min(dirty),
            };
            let (mut left, mut of) = (moved, dirty);
            for (label, sum) in &purse.sums {
                let share = if of == 0 { 0 } else { half_even(left * sum, of) };
                taken.insert(*label, share);
                left -= share;
                of -= sum;
            }
        }
    }
    for (label, sum) in &taken {
        *purse.sums.get_mut(label).expect("only what is there is taken") -= sum;
    }
    purse.sums.retain(|_, sum| *sum > 0);
    taken.retain(|_, sum| *sum > 0);
    (taken, vec![Unit::new(); size(amount)])
}

fn half_even(product: u128, whole: u128) -> u128 {
    let (quotient, twice) = (product / whole, product % whole * 2);
    quotient + u128::from(twice > whole || (twice == whole && quotient % 2 == 1))
}
