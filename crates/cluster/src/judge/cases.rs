//! Joins of every known design, joins that were made to be missed, and transactions of one party that look like joins.
//!
//! Each maker draws a transaction from a seed; a case says how often its kind may be taken for something else. A join
//! that is taken for one party's makes a supercluster: that may never happen. One party's transaction that is set apart
//! costs a little recall: that may happen now and then.

use super::table::Case;
use super::{Judge, Rules};
use crate::{Join, Verdict};

/// How many seeds each case is tried on.
const SEEDS: u64 = 200;
const COIN: u64 = 100_000_000;

/// A small generator (`SplitMix64`): tables need no better.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn within(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from + 1)
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.next().is_multiple_of(count)
    }

    /// As likely between 1 and 10 as between 10 and 100.
    fn amount(&mut self, from: u64, to: u64) -> u64 {
        let steps = (to / from).max(2).ilog2();
        let floor = from << self.within(0, u64::from(steps));
        self.within(floor, floor * 2 - 1).min(to)
    }
}

/// A transaction in the making: (holder, value) on both sides.
#[derive(Default)]
struct Draft {
    inputs: Vec<(u64, u64)>,
    outputs: Vec<(u64, u64)>,
    holders: u64,
}

impl Draft {
    fn holder(&mut self) -> u64 {
        self.holders += 1;
        self.holders
    }

    fn spend(&mut self, value: u64) {
        let holder = self.holder();
        self.inputs.push((holder, value));
    }

    /// Spends `value` out of `coins` coins of as many holders.
    fn spend_in(&mut self, dice: &mut Dice, value: u64, coins: u64) {
        let mut left = value;
        for more in (1..coins).rev() {
            let part = dice.within(left / (more + 3), left / (more + 1)).max(1);
            self.spend(part);
            left -= part;
        }
        self.spend(left);
    }

    fn pay(&mut self, value: u64) {
        let holder = self.holder();
        if value > 0 {
            self.outputs.push((holder, value));
        }
    }

    fn case(mut self, dice: &mut Dice) -> Case {
        for side in [&mut self.inputs, &mut self.outputs] {
            for at in (1..side.len()).rev() {
                side.swap(at, usize::try_from(dice.within(0, at as u64)).unwrap());
            }
        }
        Case::plain(&self.inputs, &self.outputs)
    }
}

fn verdict(case: &Case) -> Verdict {
    Judge::new(Rules::default()).judge_view(&case.view())
}

/// Of `SEEDS` transactions: how many are joins of this design, joins at all, and set apart (joins or doubtful).
fn count(make: fn(&mut Dice) -> Draft, design: Join) -> [u64; 3] {
    let mut counts = [0; 3];
    for seed in 0..SEEDS {
        let mut dice = Dice(seed);
        let case = make(&mut dice).case(&mut dice);
        let verdict = verdict(&case);
        assert!(verdict.joins_inputs() || verdict.change.is_none());
        counts[0] += u64::from(verdict.join == Some(design));
        counts[1] += u64::from(verdict.join.is_some());
        counts[2] += u64::from(!verdict.joins_inputs());
    }
    counts
}

/// A join in which each of `parties` gets `value`, has `coins` coins at the most, and all share the fee.
fn plain_join(dice: &mut Dice, parties: u64, value: u64, coins: u64) -> Draft {
    let mut draft = Draft::default();
    let share = dice.within(500, 4_000);
    for _ in 0..parties {
        let change = dice.amount(10_000, value * 4);
        let coins = dice.within(1, coins);
        draft.spend_in(dice, value + change + share, coins);
        draft.pay(value);
        draft.pay(change);
    }
    draft
}

fn equal_join(dice: &mut Dice) -> Draft {
    let (parties, value) = (dice.within(3, 12), dice.amount(100_000, 10 * COIN));
    plain_join(dice, parties, value, 1)
}

fn equal_join_of_many_coins(dice: &mut Dice) -> Draft {
    let (parties, value) = (dice.within(3, 12), dice.amount(1_000_000, 10 * COIN));
    plain_join(dice, parties, value, 4)
}

fn joinmarket(dice: &mut Dice) -> Draft {
    let mut draft = Draft::default();
    let (makers, value) = (dice.within(2, 12), dice.amount(500_000, 5 * COIN));
    let (is_sweep, mut owed) = (dice.one_in(4), dice.within(2_000, 40_000));
    for _ in 0..makers {
        let fee = if dice.one_in(2) { dice.within(0, 3_000) } else { value / dice.within(400, 50_000) };
        let change = dice.amount(30_000, value * 8) + fee;
        let coins = dice.within(1, 3);
        draft.spend_in(dice, value + change - fee, coins);
        draft.pay(value);
        draft.pay(change);
        owed += fee;
    }
    let change = if is_sweep { 0 } else { dice.amount(30_000, value * 2) };
    let coins = dice.within(1, 4);
    draft.spend_in(dice, value + change + owed, coins);
    draft.pay(value);
    draft.pay(change);
    draft
}

fn whirlpool(dice: &mut Dice) -> Draft {
    let mut draft = Draft::default();
    let pool = [100_000, 1_000_000, 2_500_000, 5_000_000, 50_000_000][usize::try_from(dice.within(0, 4)).unwrap()];
    let (count, fresh, above) = (dice.within(5, 10), dice.within(1, 4), dice.within(300, 60_000));
    for at in 0..count {
        draft.spend(if at < fresh { pool + above } else { pool });
        draft.pay(pool);
    }
    draft
}

/// A hundred parties more or less, at a base a little off 0.1, with richer ones at the levels above.
fn wasabi1(dice: &mut Dice) -> Draft {
    let mut draft = Draft::default();
    let (parties, base) = (dice.within(12, 90), dice.within(9_300_000, 10_200_000));
    let mut service = 0;
    for _ in 0..parties {
        let is_mixed_again = dice.one_in(4);
        let levels = if is_mixed_again || !dice.one_in(6) { 1 } else { dice.within(2, 5) };
        let mixed = (0..levels).map(|level| base << level).sum::<u64>();
        let change = if is_mixed_again { 0 } else { dice.amount(6_000, 2 * COIN) };
        let (fee, coins) = (mixed * parties * 3 / 100_000, if is_mixed_again { 1 } else { dice.within(1, 4) });
        draft.spend_in(dice, mixed + change + fee + 3_000, coins);
        for level in 0..levels {
            draft.pay(base << level);
        }
        draft.pay(change);
        service += fee;
    }
    draft.pay(service);
    draft
}

fn denominations() -> Vec<u64> {
    let products =
        |base: u64, factor: u64| (0..41).map_while(move |power| base.checked_pow(power)?.checked_mul(factor));
    let mut all: Vec<u64> = [(2, 1), (3, 1), (3, 2), (10, 1), (10, 2), (10, 5)]
        .into_iter()
        .flat_map(|(base, factor)| products(base, factor))
        .filter(|value| (5_000..=137_438_953_472).contains(value))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn wasabi2_of(dice: &mut Dice, parties: u64) -> Draft {
    let (mut draft, all) = (Draft::default(), denominations());
    for _ in 0..parties {
        let value = dice.amount(100_000, 3 * COIN);
        let coins = dice.within(1, 5);
        draft.spend_in(dice, value, coins);
        let mut left = value - value / 300 - 2_000;
        for _ in 0..dice.within(3, 9) {
            let fits = all.partition_point(|denomination| *denomination <= left);
            if fits == 0 {
                break;
            }
            let pick = fits - 1 - usize::try_from(dice.within(0, 3)).unwrap().min(fits - 1);
            draft.pay(all[pick]);
            left -= all[pick];
        }
        draft.pay(if left > 5_000 { left } else { 0 });
    }
    draft
}

fn wasabi2(dice: &mut Dice) -> Draft {
    let parties = dice.within(15, 60);
    wasabi2_of(dice, parties)
}

fn wasabi2_small(dice: &mut Dice) -> Draft {
    let parties = dice.within(5, 9);
    wasabi2_of(dice, parties)
}

#[test]
fn every_design_is_recognised() {
    for (name, make, design, at_least) in [
        ("equal outputs", equal_join as fn(&mut Dice) -> Draft, Join::EqualOutputs, 190),
        ("equal outputs, many coins", equal_join_of_many_coins, Join::EqualOutputs, 150),
        ("joinmarket", joinmarket, Join::JoinMarket, 150),
        ("whirlpool", whirlpool, Join::Whirlpool, 200),
        ("wasabi 1", wasabi1, Join::Wasabi1, 200),
        ("wasabi 2", wasabi2, Join::Wasabi2, 200),
        ("wasabi 2, small", wasabi2_small, Join::Wasabi2, 180),
    ] {
        let [named, joins, apart] = count(make, design);
        println!("{name}: {named} named, {joins} joins, {apart} set apart of {SEEDS}");
        assert_eq!(joins, SEEDS, "{name}: a missed join makes a supercluster");
        assert!(named >= at_least, "{name}: {named} have their name");
    }
}

/// Joins made to be missed: each gets a join of six and spoils it.
fn spoiled(dice: &mut Dice, spoil: fn(&mut Dice, &mut Draft, u64)) -> Draft {
    let value = dice.amount(1_000_000, 5 * COIN);
    let mut draft = plain_join(dice, 6, value, 1);
    spoil(dice, &mut draft, value);
    draft
}

fn with_dust(dice: &mut Dice) -> Draft {
    spoiled(dice, |dice, draft, _| {
        for at in 0..6 {
            let dust = dice.within(330, 900);
            draft.inputs[at].1 += dust;
            draft.pay(dust);
        }
    })
}

fn with_a_message(dice: &mut Dice) -> Draft {
    spoiled(dice, |_, draft, _| {
        let holder = draft.holder();
        draft.outputs.push((holder, 0));
    })
}

fn off_by_one(dice: &mut Dice) -> Draft {
    spoiled(dice, |_, draft, value| {
        draft.outputs.iter_mut().find(|output| output.1 == value).unwrap().1 += 1;
    })
}

fn all_off_by_a_little(dice: &mut Dice) -> Draft {
    spoiled(dice, |dice, draft, value| {
        for output in draft.outputs.iter_mut().filter(|output| output.1 == value) {
            output.1 -= dice.within(0, 40);
        }
    })
}

fn of_two_values(dice: &mut Dice) -> Draft {
    let value = dice.amount(1_000_000, 5 * COIN);
    let other = value + dice.within(value / 10, value * 2);
    let (counts, mut draft) = ([dice.within(3, 6), dice.within(3, 6)], Draft::default());
    for (count, value) in counts.into_iter().zip([value, other]) {
        for _ in 0..count {
            let change = dice.amount(20_000, value * 3);
            draft.spend(value + change + 1_500);
            draft.pay(value);
            draft.pay(change);
        }
    }
    draft
}

fn of_two_values_each(dice: &mut Dice) -> Draft {
    spoiled(dice, |dice, draft, value| {
        let other = dice.within(value / 10, value * 2);
        for at in 0..6 {
            draft.inputs[at].1 += other;
            draft.pay(other);
        }
    })
}

fn with_two_shares_of_one(dice: &mut Dice) -> Draft {
    spoiled(dice, |_, draft, value| {
        draft.inputs[2].1 += value;
        draft.pay(value);
    })
}

fn to_used_addresses(dice: &mut Dice) -> Draft {
    spoiled(dice, |_, draft, _| {
        for at in 0..6 {
            draft.outputs[2 * at + 1].0 = draft.inputs[at].0;
        }
    })
}

/// The share of one party goes where its change goes.
fn to_one_address(dice: &mut Dice) -> Draft {
    spoiled(dice, |_, draft, _| draft.outputs[0].0 = draft.outputs[1].0)
}

/// A coordinator's fee beside.
fn with_a_service_fee(dice: &mut Dice) -> Draft {
    spoiled(dice, |_, draft, value| {
        let fee = value / 400;
        draft.inputs.iter_mut().for_each(|input| input.1 += fee);
        draft.pay(fee * 6);
    })
}

fn of_two(dice: &mut Dice) -> Draft {
    let value = dice.amount(100_000, 5 * COIN);
    let coins = dice.within(1, 2);
    plain_join(dice, 2, value, coins)
}

fn of_two_off_by_a_little(dice: &mut Dice) -> Draft {
    let mut draft = of_two(dice);
    draft.outputs[0].1 -= dice.within(1, 9);
    draft
}

fn taker_and_one_maker(dice: &mut Dice) -> Draft {
    let value = dice.amount(1_000_000, 5 * COIN);
    let mut draft = plain_join(dice, 2, value, 1);
    let fee = value / dice.within(250, 10_000);
    draft.inputs[0].1 += fee;
    draft.outputs[3].1 += fee;
    draft
}

#[test]
fn a_join_made_to_be_missed_is_not_taken_for_one_party_s() {
    for (name, make, missed_max) in [
        ("dust added", with_dust as fn(&mut Dice) -> Draft, 0),
        ("a message added", with_a_message, 0),
        ("one output off by one", off_by_one, 0),
        ("every output off by a little", all_off_by_a_little, 0),
        ("two values", of_two_values, 0),
        ("two values each", of_two_values_each, 0),
        ("two shares of one party", with_two_shares_of_one, 0),
        ("used addresses", to_used_addresses, 0),
        ("one address for share and change", to_one_address, 0),
        ("a service's fee", with_a_service_fee, 0),
        ("two parties", of_two, 0),
        ("two parties, off by a little", of_two_off_by_a_little, 0),
        ("a taker and one maker", taker_and_one_maker, 0),
    ] {
        let [_, joins, apart] = count(make, Join::EqualOutputs);
        println!("{name}: {joins} joins, {apart} set apart of {SEEDS}");
        assert!(SEEDS - apart <= missed_max, "{name}: {} missed", SEEDS - apart);
    }
}

/// A batch out of `coins` coins: `equal` payments of the same round sum, `more` of any sum, and change.
fn batch(dice: &mut Dice, coins: u64, equal: u64, more: u64) -> Draft {
    let mut draft = Draft::default();
    let value =
        [1_000_000, 2_000_000, 5_000_000, 10_000_000, 50_000_000, COIN][usize::try_from(dice.within(0, 5)).unwrap()];
    let mut owed = dice.within(5_000, 60_000);
    for _ in 0..equal {
        draft.pay(value);
        owed += value;
    }
    for _ in 0..more {
        let sum = dice.amount(200_000, 8 * COIN);
        draft.pay(sum);
        owed += sum;
    }
    // Coins as they came in, until there is enough.
    for _ in 1..coins {
        draft.spend(dice.amount(300_000, 6 * COIN));
    }
    let paid: u64 = draft.inputs.iter().map(|input| input.1).sum();
    let last = dice.amount(300_000, 6 * COIN).max((owed + 20_000).saturating_sub(paid));
    draft.spend(last);
    draft.pay(paid + last - owed);
    draft
}

fn batch_of_one_exchange(dice: &mut Dice) -> Draft {
    let (coins, equal, more) = (dice.within(3, 40), dice.within(2, 6), dice.within(4, 30));
    batch(dice, coins, equal, more)
}

fn small_batch_of_one_exchange(dice: &mut Dice) -> Draft {
    let (coins, equal, more) = (dice.within(3, 12), dice.within(3, 6), dice.within(1, 5));
    batch(dice, coins, equal, more)
}

fn airdrop_of_many_coins(dice: &mut Dice) -> Draft {
    let (coins, equal) = (dice.within(20, 60), dice.within(5, 20));
    batch(dice, coins, equal, 0)
}

fn payroll(dice: &mut Dice) -> Draft {
    let (coins, equal) = (dice.within(2, 6), dice.within(5, 40));
    batch(dice, coins, equal, 2)
}

/// Two inputs, two equal payments, change.
fn two_equal_payments(dice: &mut Dice) -> Draft {
    let coins = dice.within(2, 5);
    batch(dice, coins, 2, 0)
}

fn plain_payment(dice: &mut Dice) -> Draft {
    let coins = dice.within(2, 6);
    batch(dice, coins, 0, 1)
}

/// One rich input and some small ones, all of one party.
fn dominant(dice: &mut Dice) -> Draft {
    let mut draft = Draft::default();
    let equal = dice.within(5, 30);
    for _ in 0..equal {
        draft.pay(10_000_000);
    }
    for _ in 0..dice.within(3, 20) {
        draft.spend(dice.within(10_000, 3_000_000));
    }
    draft.spend(60 * COIN);
    draft.pay(20 * COIN);
    draft
}

/// What comes before a Whirlpool round, out of several coins.
fn tx0(dice: &mut Dice) -> Draft {
    let mut draft = Draft::default();
    let pool = [100_000, 1_000_000, 5_000_000, 50_000_000][usize::try_from(dice.within(0, 3)).unwrap()];
    let (entries, entry) = (dice.within(2, 40), pool + dice.within(300, 30_000));
    for _ in 0..entries {
        draft.pay(entry);
    }
    let change = dice.amount(10_000, pool * 3);
    draft.pay(pool / 20);
    draft.pay(change);
    let coins = dice.within(1, entries + 4);
    draft.spend_in(dice, entries * entry + pool / 20 + change + 3_000, coins);
    let holder = draft.holder();
    draft.outputs.push((holder, 0));
    draft
}

#[test]
fn one_party_s_transactions_are_seldom_set_apart() {
    for (name, make, apart_max) in [
        ("a batch of one exchange", batch_of_one_exchange as fn(&mut Dice) -> Draft, 10),
        ("a small batch of one exchange", small_batch_of_one_exchange, 12),
        ("an airdrop out of many coins", airdrop_of_many_coins, 4),
        ("a payroll", payroll, 0),
        ("two equal payments", two_equal_payments, 4),
        ("a plain payment", plain_payment, 0),
        ("one rich input", dominant, 0),
        ("before a Whirlpool round", tx0, 4),
    ] {
        let [_, joins, apart] = count(make, Join::EqualOutputs);
        println!("{name}: {joins} joins, {apart} set apart of {SEEDS}");
        assert!(apart <= apart_max, "{name}: {apart} set apart");
    }
}

/// A taker who empties his wallet of two coins pays a maker for the service: from a made world, where it was missed.
#[test]
fn a_taker_who_empties_his_wallet_and_one_maker_are_left_apart() {
    let mut draft = Draft::default();
    for value in [143_542_479, 22_497_193, 214_597_785] {
        draft.spend(value);
    }
    for value in [49_076_440, 165_770_000, 165_770_000] {
        draft.pay(value);
    }
    let case = draft.case(&mut Dice(1));
    assert!(verdict(&case).is_doubtful);
}
