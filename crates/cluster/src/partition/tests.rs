//! The partition against sets that are relabelled by hand, and the bulk way against the other.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Clusters as plain sets.
#[derive(Clone, Debug, Default)]
struct Model(Vec<BTreeSet<u32>>);

impl Model {
    fn of(&self, holder: u32) -> usize {
        self.0.iter().position(|set| set.contains(&holder)).unwrap()
    }

    fn unite(&mut self, one: u32, other: u32) {
        let (one, other) = (self.of(one), self.of(other));
        if one != other {
            let moved = std::mem::take(&mut self.0[other]);
            self.0[one].extend(moved);
        }
    }

    fn split(&mut self, members: &BTreeSet<u32>) {
        for set in &mut self.0 {
            *set = set.difference(members).copied().collect();
        }
        self.0.push(members.clone());
    }

    fn labels(&self, holders: u32) -> Vec<u32> {
        (0..holders).map(|holder| *self.0[self.of(holder)].first().unwrap()).collect()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Grow(u32),
    Shrink(u32),
    Unite(u32, u32),
    Split(u32, u64),
    Sets(Vec<Vec<u32>>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (1u32..6).prop_map(Step::Grow),
        1 => (1u32..4).prop_map(Step::Shrink),
        6 => any::<(u32, u32)>().prop_map(|(one, other)| Step::Unite(one, other)),
        3 => any::<(u32, u64)>().prop_map(|(one, mask)| Step::Split(one, mask)),
        1 => vec(vec(any::<u32>(), 0..5), 0..30).prop_map(Step::Sets),
    ];
    vec(step, 0..40)
}

/// The arrays as somebody keeps them who writes down only what is told to have changed.
fn keep(kept: &mut [Vec<u32>; 3], partition: &mut Partition) {
    let changes = partition.take_changes();
    for (kept, now) in kept.iter_mut().zip(partition.columns()) {
        match &changes {
            Changes::Everything => *kept = now.to_vec(),
            Changes::Entries(entries) => {
                kept.resize(now.len(), u32::MAX);
                for entry in entries {
                    kept[at(*entry)] = now[at(*entry)];
                }
            }
        }
        assert_eq!(kept.as_slice(), now);
    }
}

fn check(partition: &Partition, model: &Model) {
    let holders = u32::try_from(partition.holders()).unwrap();
    assert_eq!(partition.label, model.labels(holders));
    for holder in 0..holders {
        let id = HolderId(u64::from(holder));
        let members: Vec<u32> = partition.members(id).map(narrow).collect();
        let set = &model.0[model.of(holder)];
        assert_eq!(members.len(), set.len(), "no member twice");
        assert_eq!(members.iter().copied().collect::<BTreeSet<u32>>(), *set);
        assert_eq!(members.first(), set.first());
        assert_eq!(partition.size(id), set.len() as u64);
        let (before, after) = (partition.previous[at(holder)], partition.next[at(holder)]);
        assert_eq!((partition.next[at(before)], partition.previous[at(after)]), (holder, holder));
    }
    assert_eq!(partition.clusters(), model.0.iter().filter(|set| !set.is_empty()).count() as u64);
    let mut again = Partition::of_labels(partition.label.clone()).unwrap();
    assert_eq!(again.size, partition.size);
    assert_eq!(again.take_changes(), Changes::Entries(Vec::new()));
}

fn apply(step: &Step, partition: &mut Partition, model: &mut Model) {
    let holders = u32::try_from(partition.holders()).unwrap();
    let id = |holder: u32| HolderId(u64::from(holder));
    match step {
        Step::Grow(more) => {
            partition.grow(u64::from(holders + more)).unwrap();
            model.0.extend((holders..holders + more).map(|holder| BTreeSet::from([holder])));
        }
        Step::Shrink(less) => {
            let keep = holders.saturating_sub(*less);
            partition.shrink(u64::from(keep));
            for set in &mut model.0 {
                set.retain(|holder| *holder < keep);
            }
            model.0.retain(|set| !set.is_empty());
        }
        _ if holders == 0 => {}
        Step::Unite(one, other) => {
            let (one, other) = (one % holders, other % holders);
            let were_two = model.of(one) != model.of(other);
            assert_eq!(partition.unite(id(one), id(other)), were_two);
            model.unite(one, other);
        }
        Step::Split(one, mask) => {
            let set = &model.0[model.of(one % holders)];
            let leaving: BTreeSet<u32> = set
                .iter()
                .enumerate()
                .filter(|(nth, _)| mask >> (nth % 64) & 1 == 1)
                .map(|(_, member)| *member)
                .collect();
            partition.split(&leaving.iter().rev().copied().map(id).collect::<Vec<_>>());
            model.split(&leaving);
            model.0.retain(|set| !set.is_empty());
        }
        Step::Sets(sets) => {
            let mut offsets = vec![0];
            let mut members = Vec::new();
            for set in sets {
                members.extend(set.iter().map(|member| member % holders));
                offsets.push(members.len() as u64);
                for pair in set.windows(2) {
                    model.unite(pair[0] % holders, pair[1] % holders);
                }
            }
            partition.unite_sets(&offsets, &members);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_partition_is_what_plain_sets_are(steps in steps()) {
        let mut partition = Partition::new();
        let mut model = Model::default();
        let mut kept = [Vec::new(), Vec::new(), Vec::new()];
        for step in &steps {
            apply(step, &mut partition, &mut model);
            check(&partition, &model);
            keep(&mut kept, &mut partition);
        }
    }

    #[test]
    fn the_bulk_way_gives_what_one_by_one_gives(sets in vec(vec(0u32..3_000, 0..6), 0..1_500), first in 0usize..3) {
        let mut offsets = vec![first as u64];
        let mut members = vec![7; first];
        let [mut bulk, mut single, mut halved] = [(); 3].map(|()| Partition::new());
        for partition in [&mut bulk, &mut single, &mut halved] {
            partition.grow(3_000).unwrap();
        }
        let mut open = halved.bulk();
        for set in &sets {
            members.extend(set);
            offsets.push(members.len() as u64);
            for pair in set.windows(2) {
                single.unite(HolderId(u64::from(pair[0])), HolderId(u64::from(pair[1])));
                let (one, other) = (open.find(pair[0]), open.find(pair[1]));
                open.link(one, other);
            }
        }
        open.finish();
        bulk.unite_sets(&offsets, &members);
        prop_assert_eq!(&bulk.label, &single.label);
        prop_assert_eq!(&bulk.size, &single.size);
        prop_assert_eq!(&bulk, &halved);
    }
}

#[test]
fn labels_that_no_partition_has_are_refused() {
    for (label, holder) in [(vec![1, 1], 0), (vec![0, 0, 1], 2), (vec![0, 5], 1)] {
        assert_eq!(Partition::of_labels(label).unwrap_err(), PartitionError::Label(holder));
    }
    let mut partition = Partition::new();
    assert_eq!(partition.grow(HOLDERS_MAX + 1), Err(PartitionError::TooManyHolders(HOLDERS_MAX + 1)));
}

/// Enough members that several threads share them, and few enough holders that they meet.
#[test]
fn many_threads_give_what_one_gives() {
    const HOLDERS: u64 = 5_000;
    let mut state = 7u64;
    let mut number = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    for rare in [2, 40, 4_000] {
        // Pairs of near holders; one in `rare` joins any two, so that clusters are many, few, or one.
        let near =
            |number: u64, other: u64| if other.is_multiple_of(rare) { other % HOLDERS } else { number % HOLDERS };
        let mut members = Vec::new();
        for _ in 0..600_000 {
            let (one, other) = (number(), number());
            let first = one % HOLDERS;
            let second = if rare == 4_000 { (first / 8) * 8 + other % 8 } else { near(first, other) };
            members.extend([first, second].map(|id| u32::try_from(id).unwrap()));
        }
        let offsets: Vec<u64> = (0..=600_000).map(|set| 2 * set).collect();
        let (mut shared, mut alone) = (Partition::new(), Partition::new());
        for partition in [&mut shared, &mut alone] {
            partition.grow(HOLDERS).unwrap();
        }
        shared.unite_sets(&offsets, &members);
        for pair in members.chunks(2) {
            alone.unite(HolderId(pair[0].into()), HolderId(pair[1].into()));
        }
        assert_eq!((&shared.label, &shared.size), (&alone.label, &alone.size));
    }
}
