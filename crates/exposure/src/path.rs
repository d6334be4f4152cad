//! The nearest path that proves an exposure: from a holder's coins, through holders of no category, to the nearest coin of
//! a holder of the category that is asked for.
//!
//! Breadth first over transactions, so that no path has fewer hops; among equals the transaction that was reached first, or
//! the one with the lowest number, wins. Backward, transactions that the category never touched are not visited at all:
//! their vectors say so. Coins of no value prove nothing and are passed over.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Coin, Coins, HolderId, PurseId, Seq};

use crate::category::{COINJOIN, Category, Facts, MINED, UNKNOWN, places};
use crate::inquiry::Inquiry;
use crate::mix::Standing;
use crate::vector::Vectors;

/// Which way to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Where the money came from.
    Backward,
    /// Where it went.
    Forward,
}

/// What a path is to prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A share: any holder of another category, and any join, ends it.
    Share,
    /// A touch: only custodians end it, as they reset poison.
    Touch,
}

/// A step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The transaction.
    pub seq: Seq,
    /// Backward the input that it spends, forward the output that it makes. None at the end of a path to what was mined, or
    /// to a join: the transaction itself is the end.
    pub coin: Option<Coin>,
}

/// A path that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The coin that it begins with; none where it was asked for from a transaction.
    pub start: Option<PurseId>,
    /// The steps, away from the start.
    pub hops: Vec<Hop>,
}

/// What came of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nearest {
    /// There is one, and none has fewer hops.
    Found(Path),
    /// There is none.
    Nothing,
    /// A limit was reached before one was found.
    Cut,
}

impl Nearest {
    fn only(mut found: BTreeMap<Category, Self>, category: Category) -> Self {
        found.remove(&category).unwrap_or(Self::Nothing)
    }
}

/// A transaction that was reached: from which other one, and through which coin.
#[derive(Clone, Copy, Debug)]
struct Reached {
    seq: Seq,
    from: Option<usize>,
    coin: Option<Coin>,
    start: Option<PurseId>,
}

/// What a coin is to the search: an end for these categories, a way to another transaction, both, or neither.
#[derive(Clone, Copy, Debug)]
struct Meeting {
    ends: u16,
    way: Option<Seq>,
}

impl<C, F, V> Inquiry<'_, C, F, V>
where
    C: Coins + ?Sized,
    F: Facts + ?Sized,
    V: Vectors + ?Sized,
{
    /// The nearest path from any of these outputs. Holders that `is_own` are the asker's: they are ways, and no ends.
    pub fn nearest_path(
        &self,
        from: impl IntoIterator<Item = PurseId>,
        category: Category,
        direction: Direction,
        proof: Proof,
        is_own: &dyn Fn(HolderId) -> bool,
    ) -> Nearest {
        Nearest::only(self.nearest_paths(from, category.bit(), direction, proof, is_own), category)
    }

    /// The same for all categories of a set of bits, in one search; what was looked for, lowest category first. All of
    /// it costs what the costliest of them does.
    pub fn nearest_paths(
        &self,
        from: impl IntoIterator<Item = PurseId>,
        categories: u16,
        direction: Direction,
        proof: Proof,
        is_own: &dyn Fn(HolderId) -> bool,
    ) -> BTreeMap<Category, Nearest> {
        let mut first = BTreeMap::new();
        for purse in from {
            let seq = match direction {
                Direction::Backward => self.coins.made_by(purse),
                Direction::Forward => self.coins.spent_by(purse),
            };
            if let Some(seq) = seq.filter(|_| self.coins.coin(purse).value > 0) {
                let start = first.entry(seq).or_insert(purse);
                *start = purse.min(*start);
            }
        }
        let first = first.into_iter().map(|(seq, purse)| Reached { seq, from: None, coin: None, start: Some(purse) });
        Search { inquiry: self, direction, proof, is_own }.run(first.collect(), categories)
    }

    /// The nearest path from a transaction: backward from what it spends, forward from what it makes.
    pub fn nearest_path_of(&self, seq: Seq, category: Category, direction: Direction, proof: Proof) -> Nearest {
        let first = Reached { seq, from: None, coin: None, start: None };
        let search = Search { inquiry: self, direction, proof, is_own: &|_| false };
        Nearest::only(search.run(vec![first], category.bit()), category)
    }
}

struct Search<'a, C: ?Sized, F: ?Sized, V: ?Sized> {
    inquiry: &'a Inquiry<'a, C, F, V>,
    direction: Direction,
    proof: Proof,
    is_own: &'a dyn Fn(HolderId) -> bool,
}

impl<C, F, V> Search<'_, C, F, V>
where
    C: Coins + ?Sized,
    F: Facts + ?Sized,
    V: Vectors + ?Sized,
{
    fn run(&self, first: Vec<Reached>, wanted: u16) -> BTreeMap<Category, Nearest> {
        let mut found = Found { wanted, paths: BTreeMap::new() };
        let is_through = self.search(first, &mut found);
        let Found { wanted: open, mut paths } = found;
        let other = if is_through { Nearest::Nothing } else { Nearest::Cut };
        paths.extend(Category::all().filter(|category| category.bit() & open != 0).map(|open| (open, other.clone())));
        paths
    }

    /// Looks for paths until all are found (`true`), nothing is left to look at (`true`), or a limit is reached (`false`).
    fn search(&self, first: Vec<Reached>, found: &mut Found) -> bool {
        let Inquiry { coins, facts, limits, .. } = *self.inquiry;
        let mut reached = first;
        let mut seen: BTreeSet<Seq> = reached.iter().map(|reached| reached.seq).collect();
        let (mut ends, mut ends_left) = (Vec::new(), limits.ends);
        let mut level = 0..reached.len();
        while !level.is_empty() {
            let mut next: BTreeMap<Seq, (usize, Coin)> = BTreeMap::new();
            for at in level {
                let seq = reached[at].seq;
                if self.is_beside(seq, found.wanted) {
                    continue;
                }
                match self.direction {
                    Direction::Backward => coins.spent(seq, &mut ends),
                    Direction::Forward => coins.made(seq, &mut ends),
                }
                let is_join = facts.is_join(seq);
                if self.direction == Direction::Backward && ends.is_empty() {
                    found.put(MINED, || path(&reached, at, None));
                } else if is_join {
                    found.put(COINJOIN, || path(&reached, at, None));
                }
                if is_join && self.proof == Proof::Share {
                    continue;
                }
                let Some(left) = ends_left.checked_sub(ends.len() as u64) else { return false };
                ends_left = left;
                for coin in ends.iter().filter(|coin| coin.value > 0) {
                    let Meeting { ends, way } = self.meet(coin);
                    for category in places(ends & found.wanted).filter_map(|place| Category::all().nth(place)) {
                        found.put(category, || path(&reached, at, Some(*coin)));
                    }
                    if let Some(seq) = way.filter(|seq| !seen.contains(seq)) {
                        next.entry(seq).or_insert((at, *coin));
                    }
                }
            }
            if found.wanted == 0 {
                return true;
            }
            if (seen.len() + next.len()) as u64 > limits.transactions {
                return false;
            }
            level = reached.len()..reached.len() + next.len();
            seen.extend(next.keys());
            let further = next.into_iter();
            reached.extend(further.map(|(seq, (from, coin))| Reached {
                seq,
                from: Some(from),
                coin: Some(coin),
                start: None,
            }));
        }
        true
    }

    /// Whether nothing that is still looked for can lie behind a transaction.
    fn is_beside(&self, seq: Seq, wanted: u16) -> bool {
        wanted == 0 || self.direction == Direction::Backward && self.inquiry.vectors.vector(seq).poison & wanted == 0
    }

    fn meet(&self, coin: &Coin) -> Meeting {
        let standing =
            if (self.is_own)(coin.holder) { Standing::Plain } else { Standing::of(self.inquiry.facts, coin.holder) };
        let ends = standing.category().map_or(0, Category::bit);
        if standing.resets() || ends != 0 && self.proof == Proof::Share {
            return Meeting { ends, way: None };
        }
        let way = match self.direction {
            Direction::Forward => self.inquiry.coins.spent_by(coin.purse),
            Direction::Backward => self.inquiry.coins.made_by(coin.purse),
        };
        let is_foreign = way.is_none() && self.direction == Direction::Backward;
        Meeting { ends: if is_foreign { ends | UNKNOWN.bit() } else { ends }, way }
    }
}

/// What was found, and what is still looked for.
struct Found {
    wanted: u16,
    paths: BTreeMap<Category, Nearest>,
}

impl Found {
    fn put(&mut self, category: Category, path: impl FnOnce() -> Path) {
        if self.wanted & category.bit() != 0 {
            self.wanted &= !category.bit();
            self.paths.insert(category, Nearest::Found(path()));
        }
    }
}

/// The way from the start to the transaction that was reached at `at`, and one step on.
fn path(reached: &[Reached], at: usize, last: Option<Coin>) -> Path {
    let mut hops = vec![Hop { seq: reached[at].seq, coin: last }];
    let mut place = at;
    while let Some(from) = reached[place].from {
        hops.push(Hop { seq: reached[from].seq, coin: reached[place].coin });
        place = from;
    }
    hops.reverse();
    Path { start: reached[place].start, hops }
}
