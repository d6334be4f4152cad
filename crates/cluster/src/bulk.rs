//! [`Bulk`]: the way to unite a whole chain's holders. While it is open, labels are a forest whose trees point from
//! younger to older; closing it flattens them in one pass and lists the members in another.
//!
//! Union by the older root, with path halving (Tarjan and van Leeuwen 1984). Linking by age costs the worst-case bound
//! of linking by rank and saves its array and a renaming at the end: the root is the name. What counts at these sizes
//! is how often memory is waited for, so [`Bulk::unite_sets`] follows the labels of many members at once.

use crate::partition::{Partition, at};

/// How many members' labels are followed at once: as many reads as a core keeps in flight, and some.
const ABREAST: usize = 32;

/// A partition while many holders are united. See the module's text.
#[derive(Debug)]
pub struct Bulk<'a> {
    partition: &'a mut Partition,
}

impl Partition {
    /// Opens the way for many unions.
    pub fn bulk(&mut self) -> Bulk<'_> {
        self.all_changed();
        Bulk { partition: self }
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
        let label = &mut self.partition.label;
        let (mut holder, mut parent) = (holder, label[at(holder)]);
        while parent != holder {
            let above = label[at(parent)];
            if above == parent {
                return parent;
            }
            label[at(holder)] = above;
            (holder, parent) = (above, label[at(above)]);
        }
        holder
    }

    /// Hangs the younger of two roots below the older; gives the older.
    #[inline]
    pub fn link(&mut self, one: u32, other: u32) -> u32 {
        let (old, young) = (one.min(other), one.max(other));
        self.partition.label[at(young)] = old;
        old
    }

    /// Unites the members of each set; see [`Partition::unite_sets`].
    pub fn unite_sets(&mut self, offsets: &[u64], members: &[u32]) {
        let Some((first, ends)) = offsets.split_first() else { return };
        let position = |offset: u64| usize::try_from(offset).expect("an offset into a slice");
        let members = &members[position(*first)..];
        let mut ends = ends.iter().map(|end| position(end - first));
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
                root = if place == start || found == root { found } else { self.link(root, found) };
                let label = &mut self.partition.label[at(*member)];
                if *label != root {
                    *label = root;
                }
            }
        }
    }

    /// Follows labels to the roots, all abreast, so that reads wait together and not for each other.
    #[inline]
    fn roots(&self, members: &[u32], roots: &mut [u32; ABREAST]) {
        let label = self.partition.label.as_slice();
        for (root, member) in roots.iter_mut().zip(members) {
            *root = label[at(*member)];
        }
        let mut moved = true;
        while moved {
            moved = false;
            for root in roots.iter_mut().take(members.len()) {
                let above = label[at(*root)];
                moved |= above != *root;
                *root = above;
            }
        }
    }

    /// Closes: labels become flat, members are listed.
    pub fn finish(self) {
        // Each parent is older than its child, so it is flat by the time that it is read.
        let label = &mut self.partition.label;
        for holder in 0..label.len() {
            let oldest = label[at(label[holder])];
            if label[holder] != oldest {
                label[holder] = oldest;
            }
        }
        self.partition.list_members();
    }
}
