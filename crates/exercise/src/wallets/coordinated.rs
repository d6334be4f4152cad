//! Joins that a coordinator runs, with a hundred inputs and more: Wasabi 1 and Wasabi 2.
//!
//! Shapes after the programs' public descriptions. Wasabi 1: one base denomination near 0.1 bitcoin that falls a little
//! each round, its doublings as mixing levels, a change output for each, a coordinator's fee of 0.003 % of what is mixed
//! for each who mixes alike. Wasabi 2: everybody's money in standard denominations (powers of 2 and 3, their doubles,
//! 1-2-5 series), up to ten outputs each, a coordinator's fee of 0.3 % of fresh coins above 0.01 bitcoin.

use crate::chain::{DUST_SATS, Pay};
use crate::keys::Style;
use crate::wallets::kind::Kind;
use crate::wallets::party::{Out, Party, Wanted};
use crate::wallets::scribe::Role;
use crate::wallets::service::Trade;
use crate::wallets::world::World;

/// Where the base denomination of Wasabi 1 begins, and by how much it falls before it is set anew.
const BASE_SATS: u64 = 10_000_000;
const BASE_FALL_SATS: u64 = 60_000;
/// Mixing levels above the base.
const LEVELS_MAX: u32 = 6;
/// The fewest inputs of a Wasabi 1 round.
const ONE_INPUTS_MIN: usize = 10;
/// The fewest inputs of a Wasabi 2 round.
const TWO_INPUTS_MIN: usize = 20;
/// The most outputs that a party of Wasabi 2 gets.
const TWO_OUTPUTS_MAX: usize = 10;
/// The smallest output of Wasabi 2.
const TWO_SATS_MIN: u64 = 5_000;
/// Denominations that a round offers: those that most can pay.
const TWO_OFFERED: usize = 30;

/// All standard denominations of Wasabi 2, the largest first.
fn denominations() -> Vec<u64> {
    let most = 200_000_000_000;
    let series = |first: u64, factor: u64| {
        std::iter::successors(Some(first), move |sats| Some(sats * factor)).take_while(move |sats| *sats <= most)
    };
    let mut all: Vec<u64> = series(1, 2)
        .chain(series(1, 3))
        .chain(series(2, 3))
        .chain(series(1, 10))
        .chain(series(2, 10))
        .chain(series(5, 10))
        .filter(|sats| *sats >= TWO_SATS_MIN)
        .collect();
    all.sort_unstable_by_key(|sats| std::cmp::Reverse(*sats));
    all.dedup();
    all
}

impl World<'_> {
    /// A round of Wasabi 1.
    pub fn wasabi_one(&mut self) -> bool {
        let base = BASE_SATS - self.rounds * 173 % BASE_FALL_SATS;
        let parties = usize::try_from(self.dice.log_between(10, 90)).expect("at most 127");
        let private = Wanted::private(parties, base + base / 50 + 100_000, 7);
        let wanted = Wanted { more_percent: 30, mixed_percent: 25, ..private };
        let mut parties = self.parties(&wanted);
        let inputs: usize = parties.iter().map(|party| party.inputs.len()).sum();
        if inputs < ONE_INPUTS_MIN || parties.len() < 5 {
            return self.dissolve(parties);
        }
        self.rounds += 1;
        self.charge(&mut parties, 3);
        let mut outs = Vec::new();
        let mut fee = 0;
        for level in 0..=LEVELS_MAX {
            let sats = base << level;
            let able = parties.iter().filter(|party| party.left >= sats + sats / 100).count() as u64;
            if able < 2 {
                break;
            }
            for party in parties.iter_mut().filter(|party| party.left >= sats + sats / 100) {
                outs.push(Out::mixed(Pay { key: self.own_key(party.wallet, Role::Mix), value_sats: sats }));
                let share = sats * able * 3 / 100_000;
                fee += share;
                party.left -= sats + share;
            }
        }
        for party in parties.iter().filter(|party| party.left >= DUST_SATS) {
            outs.push(Out::plain(Pay { key: self.own_key(party.wallet, Role::Change), value_sats: party.left }));
        }
        self.pay_coordinator(0, false, fee, &mut outs);
        self.join(Kind::WasabiOne, parties, outs, false);
        true
    }

    /// The fee of coordinator number `at`.
    pub fn pay_coordinator(&mut self, at: usize, is_fresh: bool, sats: u64, outs: &mut Vec<Out>) {
        if sats >= DUST_SATS {
            let first = self.services.iter().position(|service| service.trade == Trade::Coordinator);
            let service = crate::wallets::trades::number(first.expect("there are three") + at);
            outs.push(Out::plain(Pay { key: self.fee_key(service, is_fresh), value_sats: sats }));
        }
    }

    /// A round of Wasabi 2.
    pub fn wasabi_two(&mut self) -> bool {
        let parties = usize::try_from(self.dice.log_between(12, 70)).expect("at most 127");
        let private = Wanted::private(parties, 300_000, 1 + self.dice.index(9));
        let wanted = Wanted { takes_taproot: true, more_percent: 60, mixed_percent: 55, ..private };
        let mut parties = self.parties(&wanted);
        let inputs: usize = parties.iter().map(|party| party.inputs.len()).sum();
        if inputs < TWO_INPUTS_MIN || parties.len() < 8 {
            return self.dissolve(parties);
        }
        let mut fee = 0;
        for party in parties.iter_mut().filter(|party| !party.is_remixed) {
            let fresh = party.inputs.iter().filter(|coin| coin.value_sats > 1_000_000);
            let share = fresh.map(|coin| coin.value_sats * 3 / 1_000).sum::<u64>().min(party.left / 100);
            fee += share;
            party.left -= share;
        }
        self.charge(&mut parties, 6);
        let offered = self.offered(&parties);
        let mut outs = Vec::new();
        for party in &mut parties {
            self.decompose(party, &offered, &mut outs);
        }
        self.pay_coordinator(1, true, fee, &mut outs);
        self.join(Kind::WasabiTwo, parties, outs, true);
        true
    }

    /// The denominations of a round: not more than the second largest party has, and only some of them.
    fn offered(&mut self, parties: &[Party]) -> Vec<u64> {
        let mut held: Vec<u64> = parties.iter().map(|party| party.left).collect();
        held.sort_unstable_by_key(|sats| std::cmp::Reverse(*sats));
        let most = held[1.min(held.len() - 1)];
        let mut offered: Vec<u64> = denominations().into_iter().filter(|sats| *sats <= most).collect();
        while offered.len() > TWO_OFFERED {
            // The smallest stay, so that little is left over.
            let one = self.dice.index(offered.len() - 4);
            offered.remove(one);
        }
        offered
    }

    /// One party's money in denominations: the largest that fits, or now and then one below it. What is left over is
    /// change where it is worth an output.
    fn decompose(&mut self, party: &mut Party, offered: &[u64], outs: &mut Vec<Out>) {
        let mut count = 0;
        while count < TWO_OUTPUTS_MAX {
            let fitting: Vec<u64> = offered.iter().copied().filter(|sats| *sats <= party.left).collect();
            let Some(last) = fitting.len().checked_sub(1) else { break };
            let choice = if self.dice.percent(70) { 0 } else { self.dice.index(3) };
            let value_sats = fitting[choice.min(last)];
            let style = if self.dice.percent(30) { Style::Taproot } else { Style::WitnessKeyHash };
            outs.push(Out::mixed(Pay { key: self.fresh_key(party.wallet, Role::Mix, style), value_sats }));
            party.left -= value_sats;
            count += 1;
        }
        if party.left >= TWO_SATS_MIN {
            let key = self.own_key(party.wallet, Role::Change);
            outs.push(Out::plain(Pay { key, value_sats: party.left }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denominations_are_those_that_the_program_names() {
        let all = denominations();
        assert!(all.is_sorted_by(|a, b| a > b));
        for sats in [5_000, 6_561, 8_192, 10_000, 13_122, 16_384, 19_683, 20_000, 134_217_728, 100_000_000_000] {
            assert!(all.contains(&sats), "{sats}");
        }
        assert_eq!(all.last(), Some(&5_000));
    }
}
