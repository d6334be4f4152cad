//! [`Crowds`]: the writer's tables of the purses of holders that have many.
//!
//! A holder's purses are a chain, which is walked for the one that is of some asset. Most holders have a few, but an exchange has one
//! for each token that it was ever sent. Whose chain proves long has it read once into a table. Nothing of it is on disk.

use rustc_hash::{FxHashMap, FxHashSet};

use super::purses::Key;
use super::rows::{PURSES, PurseRow};
use crate::column::{Growing, Rows as _};
use crate::names::{HOLDER_TAIL, HOLDERS};
use crate::numbers::NONE;

/// A longer chain is read into a table.
const WALKED_MAX: usize = 32;
/// How many purses the tables have room for: some 64 MiB.
const PURSES_MAX: usize = 1 << 21;

/// Purses of holders that have many.
#[derive(Debug)]
pub(super) struct Crowds {
    holders: FxHashSet<u64>,
    purses: FxHashMap<Key, u64>,
    pub(super) purses_max: usize,
}

impl Default for Crowds {
    fn default() -> Self {
        Self { holders: FxHashSet::default(), purses: FxHashMap::default(), purses_max: PURSES_MAX }
    }
}

impl Crowds {
    pub(super) fn forget(&mut self) {
        self.holders.clear();
        self.purses.clear();
    }

    /// The purse of a holder and an asset.
    pub(super) fn find(&mut self, columns: &[Growing], key: Key) -> Option<u64> {
        let (holder, asset) = key;
        if self.holders.contains(&holder) {
            return self.purses.get(&key).copied();
        }
        for (step, (purse, of)) in chain(columns, holder).enumerate() {
            if of == asset {
                return Some(purse);
            }
            if step >= WALKED_MAX {
                return self.read(columns, key);
            }
        }
        None
    }

    /// Reads all purses of a holder, and finds one. A holder with more than there is room for is walked each time.
    fn read(&mut self, columns: &[Growing], (holder, asset): Key) -> Option<u64> {
        let mut found = None;
        let mut count = 0;
        for (purse, of) in chain(columns, holder) {
            count += 1;
            if of == asset {
                found = Some(purse);
            }
        }
        if self.purses.len() + count > self.purses_max {
            self.forget();
        }
        if count <= self.purses_max {
            self.purses.extend(chain(columns, holder).map(|(purse, of)| ((holder, of), purse)));
            self.holders.insert(holder);
        }
        found
    }

    /// Takes in a purse that was made just now.
    pub(super) fn add(&mut self, key: Key, purse: u64) {
        if self.holders.contains(&key.0) {
            self.purses.insert(key, purse);
        }
    }
}

/// A holder's purses and their assets, newest first.
fn chain(columns: &[Growing], holder: u64) -> impl Iterator<Item = (u64, u32)> + '_ {
    let mut next = columns[HOLDERS].word(holder, HOLDER_TAIL);
    std::iter::from_fn(move || {
        let purse = Some(next).filter(|purse| *purse != NONE)?;
        let row = PurseRow::of(columns[PURSES].words(purse));
        next = if row.previous < purse { row.previous } else { NONE };
        Some((purse, row.asset))
    })
}

#[cfg(test)]
mod tests {
    use ledger::memory::MemoryLedger;
    use ledger::{AccountLeg, AccountTransaction, Kind, Ledger as _, LedgerId, LegKind, Seq, Time};
    use money::{Amount, Asset};

    use crate::{Book, BookLedger};

    const ASSETS: u64 = 300;

    /// Three holders that soon have all assets, one that has a few, and everybody else.
    fn transaction(number: u64) -> AccountTransaction {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let from = if number.is_multiple_of(7) { 1_000 + number } else { number % 3 };
        let to = if number.is_multiple_of(5) { 9 } else { (number + 1) % 3 };
        let asset = if to == 9 { mixed % 4 } else { mixed % ASSETS };
        let leg = AccountLeg {
            from: Some(format!("holder-{from}")),
            to: Some(format!("holder-{to}")),
            asset: asset.to_string(),
            amount: Amount::new(u128::from(mixed % 9)),
            fee: Amount::ZERO,
            kind: LegKind::Transfer,
        };
        AccountTransaction { name: number.to_string(), time: Time::from_micros(5), legs: vec![leg] }
    }

    #[test]
    fn holders_with_many_purses_have_one_of_each_asset_whatever_there_is_room_for() {
        let id = LedgerId::parse("table:crowds").unwrap();
        let assets: Vec<Asset> = (0..ASSETS).map(|at| Asset { symbol: at.to_string(), scale: 0 }).collect();
        let mut model = MemoryLedger::new(id.clone(), Kind::Account, assets.clone());
        for number in 0..3_000 {
            model.push(&transaction(number));
        }
        let scratch = tempfile::tempdir().unwrap();
        for (at, room) in [0, 350, 1 << 20].into_iter().enumerate() {
            let book = Book::create(scratch.path().join(at.to_string())).unwrap();
            let mut writer = book.account_writer(&id).unwrap();
            for asset in &assets {
                writer.declare_asset(asset).unwrap();
            }
            for number in 0..3_000 {
                writer.crowds_max(room);
                writer.push(&transaction(number)).unwrap();
                if number % 200 == 199 {
                    writer.commit().unwrap();
                    writer.forget_purses();
                }
                if number == 1_999 {
                    writer.undo(900).unwrap();
                    for again in 1_100..2_000 {
                        writer.push(&transaction(again)).unwrap();
                    }
                }
                if number % 700 == 699 {
                    writer.commit().unwrap();
                    drop(writer);
                    writer = book.account_writer(&id).unwrap();
                }
            }
            writer.commit().unwrap();
            drop(writer);
            let BookLedger::Account(open) = book.ledger(&id).unwrap() else { panic!("accounts") };
            let (mut legs, mut want) = (Vec::new(), Vec::new());
            for seq in (0..3_000).map(Seq) {
                open.transaction(seq, &mut legs);
                model.transaction(seq, &mut want);
                assert_eq!(legs, want, "{seq:?}, room for {room}");
            }
            let busy = open.find_holder("holder-0").unwrap();
            assert_eq!(open.purses(busy).len(), model.purses(model.find_holder("holder-0").unwrap()).len());
            assert!(open.purses(busy).len() > 250);
        }
    }
}
