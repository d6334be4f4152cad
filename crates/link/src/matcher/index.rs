//! Withdrawals by class, place, hour and amount, so that a deposit looks at those that may fit and at no others.

use rustc_hash::FxHashMap;

use super::entry::Entry;

/// The width of a bucket of time.
pub const BUCKET_SECONDS: i64 = 3600;

/// The bucket that a time is in.
pub fn bucket(seconds: i64) -> i64 {
    seconds.div_euclid(BUCKET_SECONDS)
}

/// Withdrawals of one class in one place, by hour, and by amount within the hour.
#[derive(Debug, Default)]
pub struct Group {
    /// Where they came out.
    pub place: u32,
    hours: Vec<i64>,
    starts: Vec<usize>,
    values: Vec<u128>,
    ids: Vec<u32>,
}

impl Group {
    /// The hours that hold anything, of those from one to another inclusive, by their position.
    pub fn hours(&self, from: i64, to: i64) -> std::ops::Range<usize> {
        let start = self.hours.partition_point(|hour| *hour < from);
        start..self.hours.partition_point(|hour| *hour <= to).max(start)
    }

    /// The withdrawals of the hour at that position, of amounts between two, both inclusive.
    pub fn between(&self, at: usize, low: u128, high: u128) -> &[u32] {
        let (start, end) = (self.starts[at], self.starts[at + 1]);
        let values = &self.values[start..end];
        let first = values.partition_point(|value| *value < low);
        let last = values.partition_point(|value| *value <= high).max(first);
        &self.ids[start + first..start + last]
    }

    /// How many lie in those hours, of amounts between two.
    pub fn count(&self, hours: (i64, i64), low: u128, high: u128) -> usize {
        self.hours(hours.0, hours.1).map(|at| self.between(at, low, high).len()).sum()
    }

    /// How many lie in those hours.
    pub fn count_all(&self, hours: (i64, i64)) -> usize {
        let at = self.hours(hours.0, hours.1);
        self.starts[at.end] - self.starts[at.start]
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct Index {
    groups: Vec<Group>,
    /// Groups of a class, by position, with their places.
    of_class: FxHashMap<u32, Vec<usize>>,
    /// Withdrawals of a group to one recipient, in order of time.
    to: FxHashMap<(usize, u32), Vec<u32>>,
    /// Deposits of a class, by hour, that may have gone to a place; place zero: that name none.
    crowd: FxHashMap<(u32, u32, i64), usize>,
}

impl Index {
    /// Sorts withdrawals in, and counts deposits. Both are in order of time.
    pub fn new(deposits: &[Entry], withdrawals: &[Entry]) -> Self {
        let mut index = Self::default();
        let mut order: Vec<u32> = (0..).take(withdrawals.len()).collect();
        let entry = |id: &u32| &withdrawals[position(*id)];
        order.sort_by_key(|id| {
            let of = entry(id);
            (of.class, of.place, bucket(of.seconds), of.value, *id)
        });
        for chunk in order.chunk_by(|a, b| (entry(a).class, entry(a).place) == (entry(b).class, entry(b).place)) {
            let first = entry(&chunk[0]);
            let mut group = Group { place: first.place, ..Group::default() };
            for id in chunk {
                let hour = bucket(entry(id).seconds);
                if group.hours.last() != Some(&hour) {
                    group.hours.push(hour);
                    group.starts.push(group.ids.len());
                }
                group.ids.push(*id);
                group.values.push(entry(id).value);
            }
            group.starts.push(group.ids.len());
            let at = index.groups.len();
            index.of_class.entry(first.class).or_default().push(at);
            index.groups.push(group);
            let mut by_time = chunk.to_vec();
            by_time.sort_unstable();
            for id in by_time.into_iter().filter(|id| entry(id).recipient != 0) {
                index.to.entry((at, entry(&id).recipient)).or_default().push(id);
            }
        }
        for deposit in deposits {
            *index.crowd.entry((deposit.class, deposit.other, bucket(deposit.seconds))).or_default() += 1;
        }
        index
    }

    /// The groups that a deposit may have gone to, by position.
    pub fn groups_for(&self, deposit: &Entry) -> Vec<usize> {
        let groups = self.of_class.get(&deposit.class).map_or(&[][..], Vec::as_slice);
        let fits = |at: &&usize| {
            let place = self.groups[**at].place;
            place != deposit.place && (deposit.other == 0 || deposit.other == place)
        };
        groups.iter().filter(fits).copied().collect()
    }

    /// A group.
    pub fn group(&self, at: usize) -> &Group {
        &self.groups[at]
    }

    /// Withdrawals of a group to a recipient, in order of time.
    pub fn to(&self, group: usize, recipient: u32) -> &[u32] {
        self.to.get(&(group, recipient)).map_or(&[][..], Vec::as_slice)
    }

    /// How many deposits of those hours may have gone to that place.
    pub fn crowd(&self, class: u32, place: u32, hours: (i64, i64)) -> usize {
        (hours.0..=hours.1)
            .flat_map(|hour| [(class, place, hour), (class, 0, hour)])
            .filter_map(|key| self.crowd.get(&key))
            .sum()
    }
}

/// A number of an entry as a position.
pub fn position(id: u32) -> usize {
    usize::try_from(id).expect("32 bits fit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_counts_as_a_scan_does() {
        let entry = |at: u32| Entry {
            class: at % 2,
            place: 1 + at % 3,
            seconds: i64::from(at) * 701,
            value: u128::from(at * 7919 % 101),
            ..Entry::default()
        };
        let entries: Vec<Entry> = (0..500).map(entry).collect();
        let index = Index::new(&[], &entries);
        let deposit = Entry { class: 1, place: 9, ..Entry::default() };
        let groups = index.groups_for(&deposit);
        assert_eq!(groups.len(), 3);
        for at in groups {
            let group = index.group(at);
            for (hours, low, high) in [((0, 100), 0, 100), ((3, 20), 10, 50), ((50, 40), 0, 9), ((-5, 4), 7, 7)] {
                let fits = |entry: &&Entry| {
                    entry.class == 1
                        && entry.place == group.place
                        && (hours.0..=hours.1).contains(&bucket(entry.seconds))
                        && (low..=high).contains(&entry.value)
                };
                assert_eq!(group.count(hours, low, high), entries.iter().filter(fits).count());
            }
            assert_eq!(group.count_all((3, 20)), group.count((3, 20), 0, u128::MAX));
        }
        let named = Entry { other: 2, ..deposit };
        assert_eq!(index.groups_for(&named).len(), 1);
        assert_eq!(index.groups_for(&Entry { place: 2, ..named }).len(), 0);
    }
}
