//! [`Wraps`]: which holders are locks of one key, found whenever holders appear.
//!
//! A younger lock of a key is tied to the oldest one of its family by one edge, so that retracting `wrap:ADDRESS` takes
//! exactly that address out. To find families a 32-bit tag is kept for each holder (the beginning of its family's
//! hash): a whole chain is one sort, a block is one scan of the tags, and no look-up by hash is needed in either. Equal
//! tags are only a hint: the hashes themselves are compared.

use ledger::{Coins, HolderId};
use rustc_hash::FxHashMap;

use crate::keys::{Family, family};
use crate::partition::{at, narrow};

/// Tags of so many holders are sorted instead of scanned, as one part of all in this many.
const SORTED_PART: usize = 8;

/// Bits of the filter that a scan asks first; 128 KiB, so that it stays in a core's cache.
const FILTER_BITS: u32 = 20;

/// Two holders of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrap {
    /// The younger one, whose name the edge has.
    pub younger: u32,
    /// The oldest of the family.
    pub oldest: u32,
    /// The transaction in which the younger one appears.
    pub seq: u64,
}

/// All wraps of a ledger's holders. See the module's text.
#[derive(Clone, Debug, Default)]
pub struct Wraps {
    tags: Vec<u32>,
    /// By the younger holder, ascending.
    edges: Vec<Wrap>,
    of_oldest: FxHashMap<u32, Vec<u32>>,
}

fn tag_of<C: Coins + ?Sized>(coins: &C, holder: u32) -> u32 {
    let family = family(&coins.lock(HolderId(u64::from(holder))));
    family.map_or(0, |[a, b, c, d, ..]| u32::from_le_bytes([a, b, c, d]).max(1))
}

/// A tag with its holder, so that sorting brings families together, the oldest first.
const fn pair(tag: u32, holder: u32) -> u64 {
    (tag as u64) << 32 | holder as u64
}

const fn unpair(pair: u64) -> (u32, u32) {
    ((pair >> 32) as u32, (pair & 0xffff_ffff) as u32)
}

impl Wraps {
    /// From what was kept: a tag for each holder, and the wraps in order.
    pub fn of_parts(tags: Vec<u32>, edges: Vec<Wrap>) -> Self {
        let mut of_oldest: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for wrap in &edges {
            of_oldest.entry(wrap.oldest).or_default().push(wrap.younger);
        }
        Self { tags, edges, of_oldest }
    }

    /// A tag for each holder.
    pub fn tags(&self) -> &[u32] {
        &self.tags
    }

    /// The wraps, by the younger holder.
    pub fn edges(&self) -> &[Wrap] {
        &self.edges
    }

    /// The wraps from a place on, to have their transactions written in.
    pub(crate) fn edges_from(&mut self, place: usize) -> &mut [Wrap] {
        &mut self.edges[place..]
    }

    /// The wrap whose younger holder this is.
    pub fn of_younger(&self, younger: u32) -> Option<Wrap> {
        self.edges.binary_search_by_key(&younger, |wrap| wrap.younger).ok().map(|place| self.edges[place])
    }

    /// The younger holders that are tied to this one, ascending.
    pub fn of_oldest(&self, oldest: u32) -> &[u32] {
        self.of_oldest.get(&oldest).map_or(&[], Vec::as_slice)
    }

    /// Takes in new holders, up to `holders` in all; gives the place of the first new wrap.
    pub(crate) fn grow<C: Coins + ?Sized>(&mut self, coins: &C, holders: u32) -> usize {
        let known = self.tags.len();
        let first = u32::try_from(known).expect("no partition is longer");
        self.tags.extend((first..holders).map(|holder| tag_of(coins, holder)));
        let place = self.edges.len();
        let mut pairs =
            if (self.tags.len() - known) * SORTED_PART >= self.tags.len() { self.all() } else { self.like(known) };
        pairs.sort_unstable();
        for group in pairs.chunk_by(|one, other| unpair(*one).0 == unpair(*other).0) {
            if group.len() > 1 {
                self.tie(coins, group, first);
            }
        }
        self.edges[place..].sort_unstable_by_key(|wrap| wrap.younger);
        for wrap in &self.edges[place..] {
            self.of_oldest.entry(wrap.oldest).or_default().push(wrap.younger);
        }
        place
    }

    fn all(&self) -> Vec<u64> {
        let tagged = (0u32..).zip(&self.tags).filter(|(_, tag)| **tag != 0);
        tagged.map(|(holder, tag)| pair(*tag, holder)).collect()
    }

    /// Holders whose tags are among those of the holders from `known` on.
    fn like(&self, known: usize) -> Vec<u64> {
        let mut wanted: Vec<u32> = self.tags[known..].iter().copied().filter(|tag| *tag != 0).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let bit = |tag: u32| (at(tag >> (32 - FILTER_BITS + 6)), tag >> (32 - FILTER_BITS) & 63);
        let mut filter = vec![0u64; 1 << (FILTER_BITS - 6)];
        for tag in &wanted {
            let (word, bit) = bit(*tag);
            filter[word] |= 1 << bit;
        }
        let likely = (0u32..).zip(&self.tags).filter(|(_, tag)| {
            let (word, bit) = bit(**tag);
            filter[word] >> bit & 1 == 1
        });
        likely.filter(|(_, tag)| wanted.binary_search(tag).is_ok()).map(|(holder, tag)| pair(*tag, holder)).collect()
    }

    /// Ties the new holders of one tag to the oldest of their families.
    fn tie<C: Coins + ?Sized>(&mut self, coins: &C, group: &[u64], first_new: u32) {
        let holders = group.iter().map(|pair| unpair(*pair).1);
        let mut families: Vec<(Family, u32)> =
            holders.filter_map(|holder| Some((family(&coins.lock(HolderId(u64::from(holder))))?, holder))).collect();
        families.sort_unstable();
        for members in families.chunk_by(|one, other| one.0 == other.0) {
            let oldest = members[0].1;
            let new = members[1..].iter().filter(|(_, holder)| *holder >= first_new);
            self.edges.extend(new.map(|(_, younger)| Wrap { younger: *younger, oldest, seq: u64::MAX }));
        }
    }

    /// Takes the youngest holders out, down to `holders` in all.
    pub(crate) fn shrink(&mut self, holders: u32) {
        self.tags.truncate(at(holders));
        let keep = self.edges.partition_point(|wrap| wrap.younger < holders);
        for wrap in self.edges.drain(keep..) {
            if let Some(youngers) = self.of_oldest.get_mut(&wrap.oldest) {
                youngers.retain(|younger| *younger < holders);
            }
        }
    }

    /// The wrap of a holder, by its number in the ledger.
    pub(crate) fn of(&self, younger: HolderId) -> Option<Wrap> {
        self.of_younger(narrow(younger))
    }
}

#[cfg(test)]
mod tests {
    use ledger::memory::MemoryLedger;
    use ledger::{Kind, LedgerId, Lock, Time, UtxoBlock, UtxoOutput, UtxoTransaction};
    use money::{Amount, Asset};

    use super::*;

    /// Holders in this order, each paid once.
    fn ledger(locks: &[Lock]) -> MemoryLedger {
        let asset = Asset { symbol: "BTC".into(), scale: 8 };
        let mut ledger = MemoryLedger::new(LedgerId::parse("bitcoin").unwrap(), Kind::Utxo, vec![asset]);
        let outputs = locks.iter().map(|lock| UtxoOutput { amount: Amount::new(1), holder: lock.clone() }).collect();
        let transactions = vec![UtxoTransaction { txid: [0; 32], inputs: Vec::new(), outputs, fee: None }];
        let (hash, time) = ([0; 32], Time::from_micros(1));
        ledger.push_block(&UtxoBlock { height: 0, hash, previous: None, time, transactions });
        ledger
    }

    fn witness(key: u8) -> Lock {
        Lock::of_script(&[&[0, 20][..], &[key; 20]].concat())
    }

    fn key_hash(key: u8) -> Lock {
        Lock::of_script(&[&[0x76, 0xa9, 20][..], &[key; 20], &[0x88, 0xac]].concat())
    }

    #[test]
    fn equal_tags_of_different_keys_tie_nobody() {
        let ledger = ledger(&[witness(1), witness(2), key_hash(2), key_hash(1)]);
        let mut wraps = Wraps::default();
        wraps.tie(&ledger, &[0, 1, 2, 3].map(|holder| pair(7, holder)), 0);
        wraps.edges.sort_unstable_by_key(|wrap| wrap.younger);
        let ties: Vec<_> = wraps.edges.iter().map(|wrap| (wrap.younger, wrap.oldest)).collect();
        assert_eq!(ties, [(2, 1), (3, 0)]);
    }

    /// A scan of all tags and a sort of them, for batches of all sizes.
    #[test]
    fn families_are_the_same_however_holders_come() {
        let locks: Vec<Lock> =
            (0..90).map(|nth| if nth % 2 == 0 { witness(nth / 6) } else { key_hash(nth / 6) }).collect();
        let ledger = ledger(&locks);
        let holders = u32::try_from(ledger.holders()).unwrap();
        assert_eq!(holders, 30, "two forms of 15 keys");
        let mut whole = Wraps::default();
        whole.grow(&ledger, holders);
        assert_eq!(whole.edges.len(), 15);
        for step in [1usize, 2, 3, 7, 29] {
            let mut wraps = Wraps::default();
            for until in (0..holders).step_by(step).chain([holders]) {
                wraps.grow(&ledger, until);
            }
            assert_eq!((&wraps.tags, &wraps.edges, &wraps.of_oldest), (&whole.tags, &whole.edges, &whole.of_oldest));
            wraps.shrink(11);
            assert!(wraps.edges.iter().all(|wrap| wrap.younger < 11) && wraps.of_oldest(0) == [1]);
            wraps.grow(&ledger, holders);
            assert_eq!(wraps.edges, whole.edges);
        }
    }
}
