//! What joins two holders of one cluster: the shortest way from the one to the other over evidence that stands, within
//! the time that a screening has. `clusters explain` looks further.

use std::collections::{BTreeMap, BTreeSet};

use cluster::{Active, Edge, Nobody, Verdict};
use ledger::{Coins, HolderId, Lock, PurseId, Seq};

/// How many outputs are looked at for one way.
pub const OUTPUTS_MAX: usize = 2_000;

/// A chain with its verdicts and rulings.
pub struct Joined<'a, C: ?Sized> {
    /// The chain.
    pub coins: &'a C,
    /// The verdict on a transaction.
    pub verdict: &'a dyn Fn(Seq) -> Verdict,
    /// What the rulings come to.
    pub active: &'a Active,
    /// The cluster of a holder, by co-spends and wraps.
    pub cluster: &'a dyn Fn(HolderId) -> HolderId,
}

/// How a holder was reached: from whom, by what.
type Reached = BTreeMap<HolderId, Option<(HolderId, Edge)>>;

impl<C: Coins + ?Sized> Joined<'_, C> {
    /// The way, as (from, to, edge); empty where none was found.
    pub fn way(&self, from: HolderId, to: HolderId) -> Vec<(HolderId, HolderId, Edge)> {
        if from == to || (self.cluster)(from) != (self.cluster)(to) {
            return Vec::new();
        }
        if let Some(way) = self.search(from, to) {
            return way;
        }
        // A script hash does not tell which key it wraps: that step is seen from the other end only.
        let back = self.search(to, from).unwrap_or_default();
        back.into_iter().rev().map(|(one, other, edge)| (other, one, edge)).collect()
    }

    fn search(&self, from: HolderId, to: HolderId) -> Option<Vec<(HolderId, HolderId, Edge)>> {
        let nobody = Nobody::of(self.coins);
        let mut reached: Reached = BTreeMap::from([(from, None)]);
        let (mut seen, mut left) = (BTreeSet::new(), OUTPUTS_MAX);
        let mut frontier = vec![from];
        while !frontier.is_empty() {
            let mut next = Vec::new();
            for holder in frontier {
                for (other, edge) in self.beside(holder, &mut seen, &mut left)? {
                    let is_nobody = u32::try_from(other.0).is_ok_and(|other| nobody.has(other));
                    if is_nobody || reached.contains_key(&other) || (self.cluster)(other) != (self.cluster)(from) {
                        continue;
                    }
                    reached.insert(other, Some((holder, edge)));
                    if other == to {
                        return Some(back(&reached, to));
                    }
                    next.push(other);
                }
            }
            frontier = next;
        }
        None
    }

    /// Who is tied to a holder at once, and by what; nothing once too much was looked at.
    fn beside(&self, holder: HolderId, seen: &mut BTreeSet<Seq>, left: &mut usize) -> Option<Vec<(HolderId, Edge)>> {
        let mut beside = Vec::new();
        let mut spent = Vec::new();
        let mut next: Option<PurseId> = self.coins.last_purse(holder);
        while let Some(purse) = next {
            *left = left.checked_sub(1)?;
            next = self.coins.purse_before(purse);
            let Some(spender) = self.coins.spent_by(purse).filter(|spender| seen.insert(*spender)) else { continue };
            let edge = Edge::CoSpend(spender);
            if !(self.verdict)(spender).joins_inputs() || self.active.is_off(edge) {
                continue;
            }
            self.coins.spent(spender, &mut spent);
            *left = left.checked_sub(spent.len())?;
            beside.extend(spent.iter().map(|coin| (coin.holder, edge)));
        }
        for lock in of_the_same_key(&self.coins.lock(holder)) {
            if let Some(other) = self.coins.find_lock(&lock).filter(|other| *other != holder) {
                let edge = Edge::Wrap(holder.max(other));
                if !self.active.is_off(edge) {
                    beside.push((other, edge));
                }
            }
        }
        Some(beside)
    }
}

fn back(reached: &Reached, to: HolderId) -> Vec<(HolderId, HolderId, Edge)> {
    let mut way = Vec::new();
    let mut at = to;
    while let Some(Some((from, edge))) = reached.get(&at) {
        way.push((*from, at, *edge));
        at = *from;
    }
    way.reverse();
    way
}

/// The locks of the key or script whose hash a lock shows: its hash, its witness, and the wrap of its witness.
fn of_the_same_key(lock: &Lock) -> Vec<Lock> {
    let Some(script) = lock.script() else { return Vec::new() };
    let mut locks = Vec::new();
    if let [0x76, 0xa9, 0x14, hash @ .., 0x88, 0xac] | [0x00, 0x14, hash @ ..] = script.as_slice()
        && hash.len() == 20
    {
        locks.push(Lock::of_script(&[&[0x76, 0xa9, 0x14], hash, &[0x88, 0xac]].concat()));
        locks.push(Lock::of_script(&[&[0x00, 0x14], hash].concat()));
    }
    if let Some(family) = cluster::family(lock) {
        locks.push(Lock::of_script(&[&[0xa9, 0x14], family.as_slice(), &[0x87]].concat()));
    }
    locks
}
