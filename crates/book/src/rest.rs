//! The rest of a look-up: its newest entries, which no run holds yet.
//!
//! The writer's is [`Rest`]: the fingerprints in order of their numbers, which the next run is made of, and a table over
//! them that is made only if somebody asks. The reader's is [`ReaderRest`]: a process that asks for one name and ends
//! should not hash sixty thousand others, so the first few searches compare keys one by one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::numbers::index;

/// The smallest table.
const SLOTS_MIN: usize = 1 << 10;
/// How many searches of a reader go through all keys before it makes a table: one such search takes a tenth of the time.
const SCANS_MAX: u32 = 10;

/// Entries that are in no run yet, numbered from `start`.
#[derive(Debug)]
pub(crate) struct Rest {
    start: u64,
    fingerprints: Vec<u64>,
    /// Open addressing: the upper half of a fingerprint, and its place in `fingerprints` plus 1; 0 where it is empty.
    /// A power of two, or none if nobody ever asked.
    slots: Vec<u64>,
    /// How many of the fingerprints are in `slots`.
    mapped: usize,
    is_kept_ready: bool,
}

impl Rest {
    pub(crate) fn new(start: u64) -> Self {
        Self { start, fingerprints: Vec::new(), slots: Vec::new(), mapped: 0, is_kept_ready: false }
    }

    /// The first number.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// The number after the last.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.fingerprints.len() as u64
    }

    pub(crate) fn fingerprints(&self) -> &[u64] {
        &self.fingerprints
    }

    /// Forgets all entries; the next one has the number `start`.
    pub(crate) fn restart(&mut self, start: u64) {
        self.start = start;
        self.fingerprints.clear();
        self.empty_slots();
        self.is_kept_ready = false;
    }

    /// Forgets the entries before number `start`.
    pub(crate) fn shift(&mut self, start: u64) {
        self.fingerprints.drain(..index(start - self.start));
        self.start = start;
        self.empty_slots();
        if self.is_kept_ready {
            self.map();
        }
    }

    fn empty_slots(&mut self) {
        self.slots.clear();
        self.mapped = 0;
    }

    pub(crate) fn push(&mut self, fingerprint: u64) {
        self.fingerprints.push(fingerprint);
        if self.is_kept_ready {
            self.map();
        }
    }

    /// From now on every entry is in the table.
    pub(crate) fn keep_ready(&mut self) {
        if !self.is_kept_ready {
            self.is_kept_ready = true;
            self.map();
        }
    }

    fn map(&mut self) {
        // At most five eighths full.
        if self.fingerprints.len() * 8 > self.slots.len() * 5 {
            let slots = (self.fingerprints.len() * 2).next_power_of_two().max(SLOTS_MIN);
            self.slots.clear();
            self.slots.resize(slots, 0);
            self.mapped = 0;
        }
        let mask = self.slots.len().wrapping_sub(1);
        for (at, fingerprint) in self.fingerprints.iter().enumerate().skip(self.mapped) {
            let slot = probes(*fingerprint, mask).find(|slot| self.slots[*slot] == 0).expect("never full");
            self.slots[slot] = fingerprint >> 32 << 32 | (at as u64 + 1);
        }
        self.mapped = self.fingerprints.len();
    }

    /// Looks at where a fingerprint would be.
    #[inline]
    pub(crate) fn touch(&self, fingerprint: u64) -> u64 {
        let Some(mask) = self.slots.len().checked_sub(1) else { return 0 };
        self.slots[home(fingerprint) & mask]
    }

    /// The last number with this fingerprint that `is_it` accepts.
    pub(crate) fn find(&self, fingerprint: u64, is_it: &mut impl FnMut(u64) -> bool) -> Option<u64> {
        let mut is_entry = |at: usize| self.fingerprints[at] == fingerprint && is_it(self.start + at as u64);
        if let Some(at) = (self.mapped..self.fingerprints.len()).rev().find(|at| is_entry(*at)) {
            return Some(self.start + at as u64);
        }
        if self.mapped == 0 {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut last = None;
        // The table is never full, so a search ends at an empty slot.
        for word in probes(fingerprint, mask).map(|slot| self.slots[slot]).take_while(|word| *word != 0) {
            let at = index(word & u64::from(u32::MAX)) - 1;
            if word >> 32 == fingerprint >> 32 && last < Some(at) && is_entry(at) {
                last = Some(at);
            }
        }
        last.map(|at| self.start + at as u64)
    }
}

/// Where a fingerprint is looked for first. The other half of it stands in the slot.
fn home(fingerprint: u64) -> usize {
    index(fingerprint & u64::from(u32::MAX))
}

/// All slots of a table, in the order in which a fingerprint is looked for: steps grow by one, so that neighbours made on
/// purpose do not share one long way.
#[inline]
fn probes(fingerprint: u64, mask: usize) -> impl Iterator<Item = usize> {
    let mut slot = home(fingerprint) & mask;
    (1..=mask + 1).map(move |step| {
        let here = slot;
        slot = (slot + step) & mask;
        here
    })
}

/// A reader's rest: the entries `from..to`.
#[derive(Debug)]
pub(crate) struct ReaderRest {
    from: u64,
    to: u64,
    scans: AtomicU32,
    table: OnceLock<Rest>,
}

impl ReaderRest {
    pub(crate) fn new(from: u64, to: u64) -> Self {
        Self { from, to, scans: AtomicU32::new(0), table: OnceLock::new() }
    }

    /// The last number that `is_it` accepts.
    pub(crate) fn find(
        &self,
        fingerprint: u64,
        fingerprint_of: impl Fn(u64) -> u64,
        is_it: &mut impl FnMut(u64) -> bool,
    ) -> Option<u64> {
        if self.table.get().is_none() && self.scans.fetch_add(1, Ordering::Relaxed) < SCANS_MAX {
            return (self.from..self.to).rev().find(|number| is_it(*number));
        }
        let table = self.table.get_or_init(|| {
            let mut rest = Rest::new(self.from);
            for number in self.from..self.to {
                rest.push(fingerprint_of(number));
            }
            rest.keep_ready();
            rest
        });
        table.find(fingerprint, is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The obvious answer.
    fn last_of(entries: &[u64], start: u64, fingerprint: u64) -> Option<u64> {
        (start..).zip(entries).filter(|entry| *entry.1 == fingerprint).map(|entry| entry.0).last()
    }

    #[test]
    fn found_are_the_last_of_equal_fingerprints_ready_or_not_and_whatever_they_have_in_common() {
        // Few values, of which many share the half that says where they lie, the half that tells them apart, or both.
        let value = |number: u64| (number % 7) << 32 | (number % 5);
        for ready_from in [0, 1, 700, 5_000] {
            let mut rest = Rest::new(10);
            let mut entries = Vec::new();
            for number in 0..3_000u64 {
                if number == ready_from {
                    rest.keep_ready();
                }
                rest.push(value(number * number));
                entries.push(value(number * number));
                if number % 500 == 77 {
                    for asked in 0..40 {
                        let found = rest.find(value(asked), &mut |_| true);
                        assert_eq!(found, last_of(&entries, 10, value(asked)), "{ready_from} {number}");
                    }
                }
            }
            let refused = rest.find(value(4), &mut |number| number < 100);
            assert_eq!(refused, last_of(&entries[..90], 10, value(4)));
            rest.shift(2_010);
            for asked in 0..40 {
                assert_eq!(rest.find(value(asked), &mut |_| true), last_of(&entries[2_000..], 2_010, value(asked)));
            }
            assert_eq!((rest.start(), rest.end()), (2_010, 3_010));
        }
    }

    #[test]
    fn a_reader_finds_the_same_before_and_after_it_makes_its_table() {
        let rest = ReaderRest::new(3, 900);
        for round in 0..40u64 {
            let key = round * 17 % 300;
            let found = rest.find(key, |number| number % 300, &mut |number| number % 300 == key);
            assert_eq!(found, (3..900).filter(|number| number % 300 == key).max());
            assert_eq!(rest.find(u64::MAX, |number| number % 300, &mut |_| false), None);
        }
        assert!(rest.table.get().is_some());
    }
}
