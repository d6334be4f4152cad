//! [`Partition`]: which holders are one party's, as flat arrays: a label for each holder, and each cluster's members in
//! a circle. It can grow, unite and take apart again; why two holders belong together it does not know.
//!
//! A cluster's label is its oldest member, so that it keeps its name while it grows, and two partitions are equal
//! exactly when their labels are. Uniting walks the younger cluster, taking apart walks what leaves (and what stays
//! only where the oldest member leaves). [`crate::bulk`] is the way for a whole chain.

use ledger::HolderId;

/// The most holders that a partition can number.
pub const HOLDERS_MAX: u64 = u32::MAX as u64 - 1;

/// How many changed entries are listed before all count as changed.
pub const CHANGES_MAX: usize = 1 << 21;

/// Why a partition cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionError {
    /// More holders than numbers.
    TooManyHolders(u64),
    /// A label that is no cluster's oldest member, at this holder.
    Label(u32),
}

impl std::fmt::Display for PartitionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooManyHolders(holders) => {
                write!(f, "{holders} holders are more than a partition can number (at most {HOLDERS_MAX})")
            }
            Self::Label(holder) => {
                write!(f, "the label of holder {holder} is no cluster's oldest member; build the clusters anew")
            }
        }
    }
}

impl std::error::Error for PartitionError {}

/// Which entries differ from when changes were last taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// Those of these holders, ascending; holders that are no longer there are left out.
    Entries(Vec<u32>),
    /// So many that listing them does not pay.
    Everything,
}

/// Who is one with whom. See the module's text.
#[derive(Clone, Debug, Default)]
pub struct Partition {
    /// The oldest member of each holder's cluster.
    pub(crate) label: Vec<u32>,
    /// The members of a cluster in a circle, both ways. In no order that means anything.
    next: Vec<u32>,
    previous: Vec<u32>,
    /// How many members, at the oldest one; 0 at all others.
    size: Vec<u32>,
    /// Holders whose entries changed; `None` once they are too many.
    changed: Option<Vec<u32>>,
}

/// Labels decide; the order of members does not count.
impl PartialEq for Partition {
    fn eq(&self, other: &Self) -> bool {
        self.label == other.label
    }
}

impl Eq for Partition {}

/// A holder's number as the arrays have it.
///
/// # Panics
/// On a number that is in no partition.
pub(crate) fn narrow(holder: HolderId) -> u32 {
    u32::try_from(holder.0).expect("a partition refuses to grow past these numbers")
}

/// The position of a number in the arrays.
#[inline]
pub(crate) const fn at(holder: u32) -> usize {
    holder as usize
}

impl Partition {
    /// Nobody.
    pub fn new() -> Self {
        Self { changed: Some(Vec::new()), ..Self::default() }
    }

    /// From labels that were kept.
    pub fn of_labels(label: Vec<u32>) -> Result<Self, PartitionError> {
        if label.len() as u64 > HOLDERS_MAX {
            return Err(PartitionError::TooManyHolders(label.len() as u64));
        }
        for (holder, oldest) in (0u32..).zip(&label) {
            if *oldest > holder || label[at(*oldest)] != *oldest {
                return Err(PartitionError::Label(holder));
            }
        }
        let mut partition = Self { label, changed: Some(Vec::new()), ..Self::default() };
        partition.list_members();
        Ok(partition)
    }

    /// How many holders there are.
    pub fn holders(&self) -> u64 {
        self.label.len() as u64
    }

    /// The oldest member of a holder's cluster: the cluster's name.
    pub fn cluster(&self, holder: HolderId) -> HolderId {
        HolderId(u64::from(self.label[at(narrow(holder))]))
    }

    /// How many members a holder's cluster has.
    pub fn size(&self, holder: HolderId) -> u64 {
        u64::from(self.size[at(self.label[at(narrow(holder))])])
    }

    /// The members of a holder's cluster, the oldest first, the rest in no order that means anything.
    pub fn members(&self, holder: HolderId) -> impl Iterator<Item = HolderId> + '_ {
        self.circle(self.label[at(narrow(holder))]).map(|member| HolderId(u64::from(member)))
    }

    /// How many clusters there are, lone holders included.
    pub fn clusters(&self) -> u64 {
        self.size.iter().filter(|size| **size > 0).count() as u64
    }

    /// The arrays as they are kept on disk: labels, the next member, sizes.
    pub fn columns(&self) -> [&[u32]; 3] {
        [&self.label, &self.next, &self.size]
    }

    /// New holders, up to `holders` in all, each alone.
    pub fn grow(&mut self, holders: u64) -> Result<(), PartitionError> {
        if holders > HOLDERS_MAX {
            return Err(PartitionError::TooManyHolders(holders));
        }
        let holders = u32::try_from(holders).expect("just compared");
        let first = u32::try_from(self.label.len()).expect("no partition is longer");
        for array in [&mut self.label, &mut self.next, &mut self.previous] {
            array.extend(first..holders);
        }
        self.size.resize(self.label.len(), 1);
        for holder in first..holders {
            self.note(holder);
        }
        Ok(())
    }

    /// Takes the youngest holders out, down to `holders` in all. The rest of their clusters stays together.
    pub fn shrink(&mut self, holders: u64) {
        let Ok(keep) = u32::try_from(holders) else { return };
        let held = u32::try_from(self.label.len()).expect("no partition is longer");
        for holder in keep..held {
            let oldest = self.label[at(holder)];
            if oldest < keep {
                self.unlink(holder);
                self.size[at(oldest)] -= 1;
                self.note(oldest);
            }
        }
        for array in [&mut self.label, &mut self.next, &mut self.previous, &mut self.size] {
            array.truncate(at(keep));
        }
    }

    /// Makes two holders' clusters one. Says whether they were two.
    pub fn unite(&mut self, one: HolderId, other: HolderId) -> bool {
        let (one, other) = (self.label[at(narrow(one))], self.label[at(narrow(other))]);
        let (old, young) = (one.min(other), one.max(other));
        if old == young {
            return false;
        }
        self.relabel(young, old);
        let (after_old, after_young) = (self.next[at(old)], self.next[at(young)]);
        self.next[at(old)] = after_young;
        self.previous[at(after_young)] = old;
        self.next[at(young)] = after_old;
        self.previous[at(after_old)] = young;
        self.size[at(old)] += std::mem::take(&mut self.size[at(young)]);
        for holder in [old, after_old] {
            self.note(holder);
        }
        true
    }

    /// Takes members out of their cluster and makes them one of their own. They must be members of one cluster; all
    /// of it, or none, changes nothing.
    pub fn split(&mut self, members: &[HolderId]) {
        let mut leaving: Vec<u32> = members.iter().map(|holder| narrow(*holder)).collect();
        leaving.sort_unstable();
        leaving.dedup();
        let Some(oldest) = leaving.first().copied() else { return };
        let label = self.label[at(oldest)];
        debug_assert!(leaving.iter().all(|holder| self.label[at(*holder)] == label), "members of one cluster");
        let count = u32::try_from(leaving.len()).expect("holders are numbered with 32 bits");
        let whole = self.size[at(label)];
        if count == whole {
            return;
        }
        let stays = leaving.iter().fold(label, |_, holder| self.unlink(*holder));
        self.circle_of(&leaving);
        self.size[at(label)] = 0;
        if oldest == label {
            let rest: u32 = self.circle(stays).min().expect("a circle holds at least where it begins");
            self.relabel(stays, rest);
            self.size[at(rest)] = whole - count;
            self.note(rest);
        } else {
            self.size[at(label)] = whole - count;
            self.note(label);
        }
        self.relabel(oldest, oldest);
        self.size[at(oldest)] = count;
    }

    /// Makes whole clusters' members lone holders.
    pub(crate) fn scatter(&mut self, members: &[u32]) {
        for member in members {
            for array in [&mut self.label, &mut self.next, &mut self.previous] {
                array[at(*member)] = *member;
            }
            self.size[at(*member)] = 1;
            self.note(*member);
        }
    }

    /// The changed entries since this was last asked.
    pub fn take_changes(&mut self) -> Changes {
        let holders = self.label.len();
        match self.changed.replace(Vec::new()) {
            None => Changes::Everything,
            Some(mut changed) => {
                changed.sort_unstable();
                changed.dedup();
                changed.truncate(changed.partition_point(|holder| at(*holder) < holders));
                Changes::Entries(changed)
            }
        }
    }

    pub(crate) fn all_changed(&mut self) {
        self.changed = None;
    }

    /// Members from one on, in their circle.
    pub(crate) fn circle(&self, first: u32) -> impl Iterator<Item = u32> + '_ {
        let after = move |member: &u32| Some(self.next[at(*member)]).filter(|next| *next != first);
        std::iter::successors(Some(first), after)
    }

    /// Makes circles and sizes of the labels, in linear passes.
    pub(crate) fn list_members(&mut self) {
        let holders = u32::try_from(self.label.len()).expect("no partition is longer");
        for array in [&mut self.next, &mut self.previous] {
            array.clear();
            array.extend(0..holders);
        }
        self.size.clear();
        self.size.resize(self.label.len(), 1);
        // From the youngest on, each right behind its oldest member: circles then run in order of age.
        for holder in (0..holders).rev() {
            let oldest = self.label[at(holder)];
            if oldest != holder {
                let after = self.next[at(oldest)];
                self.next[at(holder)] = after;
                self.previous[at(after)] = holder;
                self.next[at(oldest)] = holder;
                self.previous[at(holder)] = oldest;
                self.size[at(oldest)] += 1;
                self.size[at(holder)] = 0;
            }
        }
    }

    fn relabel(&mut self, first: u32, label: u32) {
        let mut member = first;
        loop {
            self.label[at(member)] = label;
            self.note(member);
            member = self.next[at(member)];
            if member == first {
                return;
            }
        }
    }

    /// Takes a holder out of its circle; gives a neighbour.
    fn unlink(&mut self, holder: u32) -> u32 {
        let (before, after) = (self.previous[at(holder)], self.next[at(holder)]);
        self.next[at(before)] = after;
        self.previous[at(after)] = before;
        self.note(before);
        after
    }

    fn circle_of(&mut self, members: &[u32]) {
        let following = members.iter().skip(1).chain(members.first());
        for (member, next) in members.iter().zip(following) {
            self.next[at(*member)] = *next;
            self.previous[at(*next)] = *member;
        }
    }

    #[inline]
    fn note(&mut self, holder: u32) {
        if let Some(changed) = &mut self.changed {
            if changed.len() < CHANGES_MAX {
                changed.push(holder);
            } else {
                self.changed = None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
