//! The stream against the definition, on worked examples and on random chains.

mod common;

use common::model::{Model, one};
use common::random::{apply, chain, steps, tags};
use common::{Chain, EXCHANGE, MIXER, SANCTIONED, STOLEN};
use exposure::{COINJOIN, Category, Exposure, MINED, ONE, RECORD_ROWS_MAX, Record, UNKNOWN, Vector, Vectors as _};
use ledger::{Coins, Seq};
use proptest::prelude::*;
use ruint::aliases::U256;

#[test]
fn e1_stolen_money_that_is_merged_is_a_share_of_all_that_comes_of_it() {
    let mut chain = Chain::new();
    let (stolen, clean) = (chain.mine("T", 3), chain.mine("A", 7));
    let seq = chain.transact(&[stolen, clean], &[("B", 4), ("C", 6)]);
    chain.tag("T", STOLEN, false);
    let exposure = chain.streamed();
    let vector = exposure.vector(seq);
    let share = |of_ten: u64| u32::try_from(u64::from(ONE) * of_ten / 10).unwrap();
    assert_eq!((vector.share(STOLEN), vector.share(MINED)), (share(3), share(7)));
    assert_eq!(vector.truncated(), ONE - share(3) - share(7));
    assert_eq!(exposure.first_out(&chain.ledger, chain.purse((seq, 0))), [(STOLEN, 3)]);
    assert_eq!(exposure.first_out(&chain.ledger, chain.purse((seq, 1))), []);
}

#[test]
fn e2_taint_first_out_takes_the_first_outputs() {
    let mut chain = Chain::new();
    let (stolen, clean) = (chain.mine("T", 3), chain.mine("A", 7));
    let merged = chain.transact(&[clean, stolen], &[("B", 10)]);
    let seq = chain.transact(&[(merged, 0)], &[("X", 2), ("Y", 3), ("Z", 5)]);
    chain.tag("T", STOLEN, false);
    let exposure = chain.streamed();
    let amounts: Vec<_> = (0..3).map(|vout| exposure.first_out(&chain.ledger, chain.purse((seq, vout)))).collect();
    assert_eq!(amounts, [vec![(STOLEN, 2)], vec![(STOLEN, 1)], vec![]]);
    assert_eq!(exposure.vector(seq), exposure.vector(merged));
}

#[test]
fn e12_money_does_not_flow_back_in_time() {
    let mut chain = Chain::new();
    let own = chain.mine("X", 5);
    let before = chain.transact(&[own], &[("Y", 5)]);
    let stolen = chain.mine("T", 5);
    let after = chain.transact(&[stolen], &[("X", 5)]);
    chain.tag("T", STOLEN, false);
    let exposure = chain.streamed();
    assert_eq!(exposure.vector(before), Vector::unit(MINED));
    assert_eq!(exposure.vector(after).shares, Vector::unit(STOLEN).shares);
}

#[test]
fn e13_a_custodian_pays_its_own_money_and_nothing_that_came_before() {
    let mut chain = Chain::new();
    let (stolen, pool) = (chain.mine("T", 10), chain.mine("EX", 90));
    let deposit = chain.transact(&[stolen], &[("EX", 10)]);
    let paid = chain.transact(&[(deposit, 0), pool], &[("Z", 10), ("EX", 90)]);
    chain.tag("T", STOLEN, false);
    assert_eq!(chain.streamed().vector(paid).share(STOLEN), ONE / 10, "E13b: without the tag, pro rata");
    chain.tag("EX", EXCHANGE, true);
    let exposure = chain.streamed();
    assert_eq!(exposure.vector(paid), Vector::unit(EXCHANGE));
    assert_eq!(exposure.first_out(&chain.ledger, chain.purse((paid, 0))), []);
    // A mixer resets the shares, and what touched the money is still said.
    chain.tag("EX", MIXER, false);
    let exposure = chain.streamed();
    assert_eq!(exposure.vector(paid).shares, Vector::unit(MIXER).shares);
    assert!(exposure.vector(paid).is_touched_by(STOLEN));
    let first = exposure.first_out(&chain.ledger, chain.purse((paid, 0)));
    assert_eq!(first, [(MIXER, 10), (STOLEN, 10)]);
}

#[test]
fn a_join_is_its_own_category_and_lets_poison_through() {
    let mut chain = Chain::new();
    let (stolen, clean) = (chain.mine("T", 10), chain.mine("A", 10));
    let join = chain.transact(&[stolen, clean], &[("X", 10), ("Y", 10)]);
    chain.tag("T", STOLEN, false);
    chain.known.joins.insert(join);
    let exposure = chain.streamed();
    let vector = exposure.vector(join);
    assert_eq!(vector.shares, Vector::unit(COINJOIN).shares);
    assert_eq!(vector.poison, COINJOIN.bit() | STOLEN.bit() | MINED.bit());
    assert_eq!(exposure.first_out(&chain.ledger, chain.purse((join, 0))), [(STOLEN, 10)]);
}

#[test]
fn money_that_does_not_mix_makes_no_record() {
    let mut chain = Chain::new();
    let (a, b) = (chain.mine("A", 3), chain.mine("B", 7));
    let foreign = chain.spend_foreign("F", 5, &[("C", 5)]);
    let merged = chain.transact(&[a, b], &[("D", 10)]);
    let both = chain.transact(&[(merged, 0), (foreign, 0)], &[("E", 9), ("E", 6)]);
    let copy = chain.transact(&[(both, 0), (both, 1)], &[("G", 15)]);
    let exposure = chain.streamed();
    let ids = exposure.ids();
    assert_eq!(ids[..4], [1, 1, 0, 1]);
    assert_eq!(ids[4], 16);
    assert_eq!(ids[usize::try_from(copy.0).unwrap()], 16);
    assert_eq!(exposure.rows().len(), 18, "a header, and two shares in a row");
    assert_eq!(exposure.vector(Seq(99)), Vector::unit(UNKNOWN));
    assert_eq!(exposure.unreferenced_rows(), 0);
    let dust = chain.mine("H", 0);
    chain.transact(&[(copy, 0), dust], &[("I", 15)]);
    assert_eq!(chain.streamed().ids().last(), Some(&16), "nor does what is worth nothing, and touched nothing else");
}

#[test]
fn inputs_worth_nothing_weigh_nothing_and_touch_all_the_same() {
    let mut chain = Chain::new();
    let (dust, clean) = (chain.mine("T", 0), chain.mine("A", 7));
    let mixed = chain.transact(&[dust, clean], &[("B", 7), ("B", 0)]);
    let (one_more, other) = (chain.mine("T", 0), (mixed, 1));
    let worthless = chain.transact(&[one_more, other], &[("C", 0)]);
    chain.tag("T", SANCTIONED, false);
    let exposure = chain.streamed();
    assert_eq!(exposure.vector(mixed).shares, Vector::unit(MINED).shares);
    assert!(exposure.vector(mixed).is_touched_by(SANCTIONED));
    assert_eq!(exposure.vector(worthless).share(SANCTIONED), ONE / 2);
    assert_eq!(exposure.record(worthless).firsts, [0; 16]);
}

#[test]
fn a_category_that_there_is_not_counts_as_none() {
    let mut chain = Chain::new();
    let coin = chain.mine("T", 4);
    let seq = chain.transact(&[coin], &[("B", 4)]);
    chain.tag("T", Category(16), true);
    assert_eq!(chain.streamed().vector(seq), Vector::unit(MINED));
}

#[test]
fn what_was_kept_is_checked_when_it_comes_back() {
    let mut chain = Chain::new();
    let (a, b) = (chain.mine("T", 3), chain.mine("B", 7));
    let merged = chain.transact(&[a, b], &[("D", 10)]);
    chain.tag("T", STOLEN, false);
    let exposure = chain.streamed();
    let (ids, rows) = (exposure.ids().to_vec(), exposure.rows().to_vec());
    let again = Exposure::of_parts(ids.clone(), rows.clone()).unwrap();
    assert_eq!(again.record(merged), exposure.record(merged));
    assert!(Exposure::of_parts(vec![1, 1, 17], rows.clone()).is_err(), "in the middle of a record");
    assert!(Exposure::of_parts(vec![1, 1, 99], rows.clone()).is_err());
    assert!(Exposure::of_parts(ids.clone(), rows[..rows.len() - 1].to_vec()).is_err());
    assert!(Exposure::of_parts(ids, Vec::new()).is_err());
}

/// What the tests of random chains hold a stream to.
fn check(chain: &Chain, exposure: &Exposure) -> Result<(), TestCaseError> {
    let model = Model::new(chain, &chain.known);
    for seq in (0..chain.ledger.transactions()).map(Seq) {
        let record = exposure.record(seq);
        let vector = record.vector;
        let scaled = |share: u32| U256::from(share) << (160 - ONE.trailing_zeros() as usize);
        let sum: u64 = vector.shares.iter().map(|share| u64::from(*share)).sum();
        prop_assert_eq!(sum + u64::from(vector.truncated()), u64::from(ONE));
        for category in Category::all() {
            let (low, high) = model.share(seq, category);
            prop_assert!(low <= high && high <= one() + (U256::from(1) << 20));
            prop_assert!(scaled(vector.share(category)) <= high, "{seq:?} {category:?} is above the true share");
            prop_assert!(
                low <= scaled(vector.share(category) + vector.truncated()),
                "{seq:?} {category:?} is below it"
            );
            prop_assert_eq!(vector.is_touched_by(category), model.is_touched(seq, category));
            let first = if chain.known.risks.contains(&category) { model.first(seq, category) } else { 0 };
            prop_assert_eq!(record.firsts[usize::from(category.0)], first);
            prop_assert!(vector.is_touched_by(category) || (vector.share(category) == 0 && first == 0));
        }
        for coin in chain.made(seq) {
            let held = |category: &Category| (*category, model.first_held(seq, &coin, *category));
            let mut risks = chain.known.risks.clone();
            risks.sort();
            let held: Vec<_> = risks.iter().map(held).filter(|(_, amount)| *amount > 0).collect();
            prop_assert_eq!(exposure.first_out(&chain.ledger, coin.purse), held);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_true_share_lies_within_the_certificate(steps in steps(1..14), tags in tags(0..6), with_joins: bool) {
        let mut chain = chain(&steps);
        apply(&mut chain.known, &tags);
        if with_joins {
            chain.known.risks.push(COINJOIN);
        }
        check(&chain, &chain.streamed())?;
    }

    #[test]
    fn what_is_kept_can_be_read_row_by_row(steps in steps(1..14), tags in tags(0..6)) {
        let mut chain = chain(&steps);
        apply(&mut chain.known, &tags);
        let exposure = chain.streamed();
        for (seq, id) in (0..).zip(exposure.ids()) {
            let record = Record::read(*id, |row| exposure.rows()[usize::try_from(row).unwrap()]);
            prop_assert_eq!(record, exposure.record(Seq(seq)));
        }
        let again = Exposure::of_parts(exposure.ids().to_vec(), exposure.rows().to_vec()).unwrap();
        prop_assert!(exposure.rows().len() <= 16 + RECORD_ROWS_MAX * exposure.ids().len());
        prop_assert_eq!(again.ids(), exposure.ids());
    }
}
