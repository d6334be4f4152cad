//! Random chains, as plans that a test can print and shrink.

use exposure::Category;
use ledger::{HolderId, Seq};
use proptest::prelude::*;

use super::{Chain, Known};

pub const NAMES: [&str; 8] = ["P0", "P1", "P2", "P3", "P4", "P5", "P6", "P7"];

/// A transaction: which of the unspent outputs it spends, whom it pays in which proportion, and what else.
#[derive(Clone, Debug)]
pub struct Step {
    picks: Vec<usize>,
    pays: Vec<(usize, u32)>,
    mined: u64,
    fee: u32,
    is_foreign: bool,
    is_join: bool,
}

pub fn steps(count: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<Step>> {
    let pays = prop::collection::vec((0..NAMES.len(), 0..50u32), 1..4);
    let mined = prop_oneof![4 => 0..1000u64, 2 => 0..1u64 << 45, 1 => Just(0), 1 => (u64::MAX - 9)..=u64::MAX];
    let picks = prop_oneof![1 => Just(Vec::new()), 4 => prop::collection::vec(0..1000usize, 1..4)];
    let rare = |permille: u32| (0..1000u32).prop_map(move |dice| dice < permille);
    let step = (picks, pays, mined, 0..4u32, rare(60), rare(80));
    let step = step.prop_map(|(picks, pays, mined, fee, is_foreign, is_join)| Step {
        picks,
        pays,
        mined,
        fee,
        is_foreign,
        is_join,
    });
    prop::collection::vec(step, count)
}

/// A tag: of whom, as what (`None` takes it away), and whether the holder resets poison.
pub fn tags(count: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<(usize, Option<u8>, bool)>> {
    let category = prop_oneof![3 => (3..8u8).prop_map(Some), 1 => (0..3u8).prop_map(Some), 2 => Just(None)];
    prop::collection::vec((0..NAMES.len(), category, any::<bool>()), count)
}

/// The chain of these steps. Every name has a first output in the first transaction, so that its number is known.
pub fn chain(steps: &[Step]) -> Chain {
    let mut chain = Chain::new();
    let all: Vec<(&str, u64)> =
        NAMES.iter().zip([7, 0, 100, 1 << 33, 5, 1 << 40, 3, 1]).map(|(name, value)| (*name, value)).collect();
    let first = chain.transact(&[], &all);
    let mut unspent: Vec<((Seq, u32), u64)> =
        (0..).zip(&all).map(|(vout, (_, value))| ((first, vout), *value)).collect();
    for step in steps {
        let (mut inputs, mut sum) = (Vec::new(), 0u128);
        for pick in &step.picks {
            if !unspent.is_empty() {
                let (outpoint, value) = unspent.swap_remove(pick % unspent.len());
                inputs.push(outpoint);
                sum += u128::from(value);
            }
        }
        if inputs.is_empty() {
            sum = u128::from(step.mined);
        } else {
            sum -= sum * u128::from(step.fee) / 10;
        }
        let weights: u128 = step.pays.iter().map(|(_, weight)| u128::from(*weight)).sum();
        let pays: Vec<(&str, u64)> = step
            .pays
            .iter()
            .map(|(name, weight)| {
                let value = (sum * u128::from(*weight)).checked_div(weights).unwrap_or(0);
                (NAMES[*name], u64::try_from(value).unwrap_or(u64::MAX))
            })
            .collect();
        let seq = if inputs.is_empty() && step.is_foreign {
            let value = pays.iter().fold(0, |sum: u64, (_, value)| sum.saturating_add(*value));
            chain.spend_foreign(NAMES[step.pays[0].0], value, &pays)
        } else {
            chain.transact(&inputs, &pays)
        };
        if step.is_join && !inputs.is_empty() {
            chain.known.joins.insert(seq);
        }
        unspent.extend((0..).zip(&pays).map(|(vout, (_, value))| ((seq, vout), *value)));
    }
    chain
}

/// Applies tags; tells whose changed.
pub fn apply(known: &mut Known, tags: &[(usize, Option<u8>, bool)]) -> Vec<HolderId> {
    for (name, category, resets) in tags {
        match category {
            Some(category) => known.categories.insert(HolderId(*name as u64), (Category(*category), *resets)),
            None => known.categories.remove(&HolderId(*name as u64)),
        };
    }
    tags.iter().map(|(name, ..)| HolderId(*name as u64)).collect()
}
