//! [`Tree`]: how blocks hang together by their parents' hashes, and which chain of them has the most work.
//!
//! It reads no block: heights come from the place below a root, and what height a root has is for the caller to say.

use std::collections::BTreeMap;

use decode::bitcoin::{BlockHeader, HEADER_BYTES, Work};

use super::index::Entry;

const NONE: u32 = u32::MAX;
/// While the way to the root is being walked.
const OPEN: u32 = u32::MAX - 1;

/// The blocks of an index as trees, 48 bytes a block.
pub(super) struct Tree {
    /// Numbers of entries by hash, then by place.
    order: Vec<u32>,
    parent: Vec<u32>,
    root: Vec<u32>,
    /// Blocks between it and its root.
    depth: Vec<u32>,
    /// Of all blocks from the root on.
    work: Vec<Work>,
}

/// A root, and what hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Branches {
    /// The entry with the lowest place whose parent is not there.
    pub root: u32,
    /// How many blocks there are in all, the root included.
    pub blocks: u64,
    /// The last blocks of the chains with the most work, by place; several where the work is equal.
    pub tips: Vec<u32>,
}

impl Tree {
    pub fn new(entries: &[Entry]) -> Self {
        let count = u32::try_from(entries.len()).expect("blocks are limited");
        let mut order: Vec<u32> = (0..count).collect();
        order.sort_unstable_by(|one, other| {
            entries[*one as usize].hash.cmp(&entries[*other as usize].hash).then(one.cmp(other))
        });
        let mut tree = Self {
            parent: entries.iter().map(|entry| find(entries, &order, &entry.previous).unwrap_or(NONE)).collect(),
            root: vec![NONE; entries.len()],
            depth: vec![NONE; entries.len()],
            work: vec![Work::ZERO; entries.len()],
            order,
        };
        let mut way = Vec::new();
        for entry in 0..count {
            tree.climb(entries, entry, &mut way);
        }
        tree
    }

    /// Fills in the blocks from here down to one that is known.
    fn climb(&mut self, entries: &[Entry], from: u32, way: &mut Vec<u32>) {
        let mut at = from;
        while at != NONE && self.depth[at as usize] == NONE {
            self.depth[at as usize] = OPEN;
            way.push(at);
            at = self.parent[at as usize];
        }
        if at != NONE && self.depth[at as usize] == OPEN {
            // Hashes that name each other in a ring: nobody can make them, but a loop must not depend on that.
            at = NONE;
            if let Some(last) = way.last() {
                self.parent[*last as usize] = NONE;
            }
        }
        while let Some(block) = way.pop() {
            let own = work(entries[block as usize].bits);
            let (root, depth, below) = match at {
                NONE => (block, 0, Work::ZERO),
                parent => (self.root[parent as usize], self.depth[parent as usize] + 1, self.work[parent as usize]),
            };
            (self.root[block as usize], self.depth[block as usize]) = (root, depth);
            self.work[block as usize] = below.plus(own);
            at = block;
        }
    }

    /// The first entry with this hash.
    pub fn find(&self, entries: &[Entry], hash: &[u8; 32]) -> Option<u32> {
        find(entries, &self.order, hash)
    }

    /// All entries with the hash of this one, by place.
    pub fn copies<'a>(&'a self, entries: &'a [Entry], entry: u32) -> impl Iterator<Item = u32> + 'a {
        let hash = &entries[entry as usize].hash;
        let first = self.order.partition_point(|at| entries[*at as usize].hash < *hash);
        self.order[first..].iter().copied().take_while(move |at| entries[*at as usize].hash == *hash)
    }

    /// Whether it is the first entry of its hash.
    fn is_first(&self, entries: &[Entry], entry: u32) -> bool {
        self.find(entries, &entries[entry as usize].hash) == Some(entry)
    }

    /// How many blocks are between it and its root.
    pub fn depth(&self, entry: u32) -> u32 {
        self.depth[entry as usize]
    }

    /// The first block of the chain that a block is in.
    pub fn root(&self, entry: u32) -> u32 {
        self.root[entry as usize]
    }

    /// The work of a chain from its root to this block.
    pub fn work(&self, entry: u32) -> Work {
        self.work[entry as usize]
    }

    /// Every root with its branches, in order of place.
    pub fn branches(&self, entries: &[Entry]) -> Vec<Branches> {
        let mut all: BTreeMap<u32, Branches> = BTreeMap::new();
        for entry in (0..).take(entries.len()).filter(|entry| self.is_first(entries, *entry)) {
            let root = self.root[entry as usize];
            let branches = all.entry(root).or_insert_with(|| Branches { root, blocks: 0, tips: Vec::new() });
            branches.blocks += 1;
            let best = branches.tips.first().map_or(Work::ZERO, |tip| self.work(*tip));
            if self.work(entry) > best {
                branches.tips.clear();
            }
            if self.work(entry) >= best {
                branches.tips.push(entry);
            }
        }
        all.into_values().collect()
    }

    /// The blocks from the root to `tip`.
    pub fn chain(&self, tip: u32) -> Vec<u32> {
        let mut chain = Vec::with_capacity(self.depth(tip) as usize + 1);
        let mut at = tip;
        while at != NONE {
            chain.push(at);
            at = self.parent[at as usize];
        }
        chain.reverse();
        chain
    }
}

fn find(entries: &[Entry], order: &[u32], hash: &[u8; 32]) -> Option<u32> {
    let first = order.partition_point(|at| entries[*at as usize].hash < *hash);
    order.get(first).copied().filter(|at| entries[*at as usize].hash == *hash)
}

fn work(bits: u32) -> Work {
    let mut header = [0; HEADER_BYTES];
    header[72..76].copy_from_slice(&bits.to_le_bytes());
    BlockHeader::new(header).work()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EASY: u32 = 0x207f_ffff;
    const HARD: u32 = 0x2000_ffff;

    fn entry(hash: u8, previous: u8, bits: u32) -> Entry {
        Entry { hash: [hash; 32], previous: [previous; 32], offset: 0, length: 0, file: 0, bits, paying: 0 }
    }

    fn best(entries: &[Entry]) -> Vec<Vec<u8>> {
        let tree = Tree::new(entries);
        let chains = tree.branches(entries).into_iter().flat_map(|branches| branches.tips).map(|tip| tree.chain(tip));
        chains.map(|chain| chain.iter().map(|at| entries[*at as usize].hash[0]).collect()).collect()
    }

    #[test]
    fn the_most_work_wins_and_not_the_most_blocks() {
        let short = [entry(1, 0, EASY), entry(2, 1, EASY), entry(3, 2, EASY), entry(4, 1, HARD)];
        assert_eq!(best(&short), [[1, 4]]);
        let mut turned = short;
        turned.reverse();
        assert_eq!(best(&turned), [[1, 4]]);
    }

    #[test]
    fn equal_work_gives_every_tip_and_copies_count_once() {
        let entries = [entry(3, 1, EASY), entry(2, 1, EASY), entry(1, 0, EASY), entry(3, 1, EASY)];
        assert_eq!(best(&entries), [[1, 3], [1, 2]]);
        let tree = Tree::new(&entries);
        assert_eq!(tree.branches(&entries)[0].blocks, 3);
        assert_eq!(tree.copies(&entries, 3).collect::<Vec<_>>(), [0, 3]);
    }

    #[test]
    fn what_hangs_on_nothing_is_a_tree_of_its_own() {
        let entries = [entry(1, 0, EASY), entry(5, 4, EASY), entry(6, 5, EASY)];
        assert_eq!(best(&entries), [vec![1], vec![5, 6]]);
    }

    #[test]
    fn a_ring_ends() {
        let entries = [entry(1, 2, EASY), entry(2, 1, EASY), entry(3, 1, EASY)];
        let tree = Tree::new(&entries);
        assert_eq!(tree.branches(&entries).len(), 1);
    }
}
