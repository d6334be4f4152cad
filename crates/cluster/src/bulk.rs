//! [`Bulk`]: the way to unite a whole chain's holders. While it is open, labels are a forest whose trees point from
//! younger to older; closing it flattens them in one pass and lists the members in another.
//!
//! Union by the older root, with path halving (Tarjan and van Leeuwen 1984). Linking by age costs the worst-case bound
//! of linking by rank and saves its array and a renaming at the end: the root is the name. What counts at these sizes
//! is how often memory is waited for, so [`Bulk::unite_sets`] follows the labels of many members at once.

use std::num::NonZero;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use crate::partition::{Partition, at};

/// How many members' labels are followed at once: as many reads as a core keeps in flight, and some.
const ABREAST: usize = 32;
/// A thread of its own pays for so many members.
const MEMBERS_A_THREAD: usize = 1 << 18;

/// A partition while many holders are united. See the module's text.
#[derive(Debug)]
pub struct Bulk<'a> {
    partition: &'a mut Partition,
    forest: Forest,
}

/// Trees that point from younger to older. Several threads may link at once: a label only ever becomes an older member of
/// the same tree, and a root is linked by whoever changes it first, so the roots at the end are the same whoever was
/// faster (Anderson and Woll 1991).
#[derive(Debug, Default)]
struct Forest(Vec<AtomicU32>);

impl Partition {
    /// Opens the way for many unions.
    pub fn bulk(&mut self) -> Bulk<'_> {
        self.all_changed();
        // The same memory under another name.
        let forest = Forest(std::mem::take(&mut self.label).into_iter().map(AtomicU32::new).collect());
        Bulk { partition: self, forest }
    }

    /// Unites the members of each set: set `i` is `members[offsets[i]..offsets[i + 1]]`.
    ///
    /// # Panics
    /// On offsets that leave `members`, and on a member that is no holder.
    pub fn unite_sets(&mut self, offsets: &[u64], members: &[u32]) {
        let mut bulk = self.bulk();
        bulk.unite_sets(offsets, members);
        bulk.finish();
    }
}

impl Bulk<'_> {
    /// The oldest member of a holder's tree.
    #[inline]
    pub fn find(&mut self, holder: u32) -> u32 {
        self.forest.find(holder)
    }

    /// Hangs the younger of two roots below the older; gives the older.
    #[inline]
    pub fn link(&mut self, one: u32, other: u32) -> u32 {
        self.forest.unite(one, other)
    }

    /// Unites the members of each set; see [`Partition::unite_sets`]. Many sets are shared out among the cores.
    pub fn unite_sets(&mut self, offsets: &[u64], members: &[u32]) {
        let Some(sets) = offsets.len().checked_sub(1) else { return };
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = cores.min(1 + members.len() / MEMBERS_A_THREAD).min(sets.max(1));
        let forest = &self.forest;
        thread::scope(|scope| {
            for nth in 1..threads {
                let part = &offsets[sets * nth / threads..=sets * (nth + 1) / threads];
                scope.spawn(move || forest.unite_sets(part, members));
            }
            forest.unite_sets(&offsets[..=sets / threads], members);
        });
    }

    /// Closes: labels become flat, members are listed.
    pub fn finish(self) {
        let mut label: Vec<u32> = self.forest.0.into_iter().map(AtomicU32::into_inner).collect();
        // Each parent is older than its child, so it is flat by the time that it is read.
        for holder in 0..label.len() {
            let oldest = label[at(label[holder])];
            if label[holder] != oldest {
                label[holder] = oldest;
            }
        }
        self.partition.label = label;
        self.partition.list_members();
    }
}

impl Forest {
    #[inline]
    fn label(&self, holder: u32) -> u32 {
        self.0[at(holder)].load(Relaxed)
    }

    #[inline]
    fn find(&self, holder: u32) -> u32 {
        let (mut holder, mut parent) = (holder, self.label(holder));
        while parent != holder {
            let above = self.label(parent);
            if above == parent {
                return parent;
            }
            self.0[at(holder)].store(above, Relaxed);
            (holder, parent) = (above, self.label(above));
        }
        holder
    }

    #[inline]
    fn unite(&self, one: u32, other: u32) -> u32 {
        let (mut old, mut young) = (one.min(other), one.max(other));
        // Another thread may have linked either root meanwhile; each failure leaves the young one older than it was.
        while old != young && self.0[at(young)].compare_exchange(young, old, Relaxed, Relaxed).is_err() {
            let (one, other) = (self.find(old), self.find(young));
            (old, young) = (one.min(other), one.max(other));
        }
        old
    }

    fn unite_sets(&self, offsets: &[u64], members: &[u32]) {
        let position = |offset: &u64| usize::try_from(*offset).expect("an offset into a slice");
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return };
        let members = &members[position(first)..position(last)];
        let mut ends = offsets[1..].iter().map(|end| position(end) - position(first));
        let (mut start, mut end) = (0, 0);
        let mut root = 0;
        let mut roots = [0; ABREAST];
        for (chunk, batch) in members.chunks(ABREAST).enumerate() {
            self.roots(batch, &mut roots);
            for (nth, (member, found)) in batch.iter().zip(&roots).enumerate() {
                let place = chunk * ABREAST + nth;
                while place == end {
                    let Some(next) = ends.next() else { return };
                    (start, end) = (end, next);
                }
                // Links made within this batch are seen from here; what was read is in the cache by now.
                let found = self.find(*found);
                root = if place == start || found == root { found } else { self.unite(root, found) };
                // Whoever is no root never becomes one again, so that its label may be written over by any thread.
                if *member != root && self.label(*member) != root {
                    self.0[at(*member)].store(root, Relaxed);
                }
            }
        }
    }

    /// Follows labels to the roots, all abreast, so that reads wait together and not for each other.
    #[inline]
    fn roots(&self, members: &[u32], roots: &mut [u32; ABREAST]) {
        for (root, member) in roots.iter_mut().zip(members) {
            *root = self.label(*member);
        }
        let mut moved = true;
        while moved {
            moved = false;
            for root in roots.iter_mut().take(members.len()) {
                let above = self.label(*root);
                moved |= above != *root;
                *root = above;
            }
        }
    }
}
