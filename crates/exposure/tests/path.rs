//! The nearest path against a search that tries every way.

mod common;

use common::random::{NAMES, apply, chain, steps, tags};
use common::{Chain, EXCHANGE, MIXER, STOLEN};
use exposure::{COINJOIN, Category, Direction, Facts as _, Hop, Inquiry, Limits, MINED, Nearest, Path, Proof, UNKNOWN};
use ledger::{Coin, Coins as _, HolderId, PurseId, Seq};
use proptest::prelude::*;

struct Every<'a> {
    chain: &'a Chain,
    category: Category,
    direction: Direction,
    proof: Proof,
    own: &'a [usize],
}

impl Every<'_> {
    fn next(&self, purse: PurseId) -> Option<Seq> {
        match self.direction {
            Direction::Backward => self.chain.ledger.made_by(purse),
            Direction::Forward => self.chain.ledger.spent_by(purse),
        }
    }

    fn ends(&self, seq: Seq) -> Vec<Coin> {
        match self.direction {
            Direction::Backward => self.chain.spent(seq),
            Direction::Forward => self.chain.made(seq),
        }
    }

    /// Whether a coin is an end, or how one goes on from it.
    fn meet(&self, coin: Coin) -> Result<(), Option<Seq>> {
        let known = &self.chain.known;
        let tag = known.category(coin.holder).filter(|_| !self.own.iter().any(|own| *own as u64 == coin.holder.0));
        match tag {
            Some(category) if category == self.category => return Ok(()),
            Some(_) if self.proof == Proof::Share || known.resets_poison(coin.holder) => return Err(None),
            _ => {}
        }
        let next = self.next(coin.purse);
        let is_foreign = next.is_none() && self.direction == Direction::Backward;
        if is_foreign && self.category == UNKNOWN { Ok(()) } else { Err(next) }
    }

    /// The fewest hops from a transaction; every way is tried.
    fn fewest(&self, seq: Seq) -> Option<usize> {
        let (known, ends) = (&self.chain.known, self.ends(seq));
        let is_mined = ends.is_empty() && self.direction == Direction::Backward && self.category == MINED;
        if is_mined || known.is_join(seq) && self.category == COINJOIN {
            return Some(1);
        }
        if known.is_join(seq) && self.proof == Proof::Share {
            return None;
        }
        let way = |coin: Coin| match self.meet(coin) {
            Ok(()) => Some(1),
            Err(next) => next.and_then(|next| self.fewest(next)).map(|hops| hops + 1),
        };
        ends.into_iter().filter(|coin| coin.value > 0).filter_map(way).min()
    }

    /// Whether a path is one.
    fn holds(&self, path: &Path) -> Result<(), TestCaseError> {
        let mut seq = path.hops[0].seq;
        prop_assert!(path.start.is_none_or(|start| self.next(start) == Some(seq)));
        for (at, hop) in path.hops.iter().enumerate() {
            prop_assert_eq!(hop.seq, seq);
            let Some(coin) = hop.coin else {
                prop_assert_eq!(self.fewest(seq), Some(1));
                prop_assert_eq!(at + 1, path.hops.len());
                break;
            };
            prop_assert!(coin.value > 0 && self.ends(seq).contains(&coin));
            match self.meet(coin) {
                Ok(()) => prop_assert_eq!(at + 1, path.hops.len()),
                Err(next) => seq = next.expect("the path goes on"),
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_way_has_fewer_hops(
        steps in steps(1..14), tags in tags(1..6), own in prop::collection::vec(0..NAMES.len(), 0..3),
        category in 0..8u8, forward: bool, touch: bool, tagged_own: bool,
    ) {
        let mut chain = chain(&steps);
        apply(&mut chain.known, &tags);
        if !tagged_own {
            chain.known.categories.retain(|holder, _| !own.iter().any(|own| *own as u64 == holder.0));
        }
        let exposure = chain.streamed();
        let direction = if forward { Direction::Forward } else { Direction::Backward };
        let proof = if touch { Proof::Touch } else { Proof::Share };
        let category = Category(category);
        let inquiry = Inquiry::new(&chain.ledger, &chain.known, &exposure);
        let is_own = |holder: HolderId| own.iter().any(|own| *own as u64 == holder.0);
        let every = Every { chain: &chain, category, direction, proof, own: &own };
        let is_ours = |purse: &PurseId| is_own(chain.ledger.coin(*purse).holder);
        let purses: Vec<PurseId> = (0..chain.ledger.purse_count()).map(PurseId).filter(is_ours).collect();
        let worth = purses.iter().filter(|purse| chain.ledger.coin(**purse).value > 0);
        let fewest = worth.filter_map(|purse| every.next(*purse)).filter_map(|seq| every.fewest(seq)).min();
        match inquiry.nearest_path(purses.iter().copied(), category, direction, proof, &is_own) {
            Nearest::Found(path) => {
                prop_assert_eq!(Some(path.hops.len()), fewest);
                every.holds(&path)?;
            }
            // A custodian who asks about itself: what came before its own money is not in the vectors.
            other => prop_assert!(other == Nearest::Nothing && (fewest.is_none() || tagged_own && !forward)),
        }
        let all = inquiry.nearest_paths(purses.iter().copied(), u16::MAX, direction, proof, &is_own);
        prop_assert_eq!(all.len(), 16);
        for (category, nearest) in all {
            let alone = inquiry.nearest_path(purses.iter().copied(), category, direction, proof, &is_own);
            prop_assert!(nearest == alone || tagged_own, "{:?}: {:?}, alone {:?}", category, nearest, alone);
        }
        let every = Every { own: &[], ..every };
        for seq in (0..chain.ledger.transactions()).map(Seq) {
            match inquiry.nearest_path_of(seq, category, direction, proof) {
                Nearest::Found(path) => {
                    prop_assert_eq!(Some(path.hops.len()), every.fewest(seq));
                    every.holds(&path)?;
                }
                other => prop_assert_eq!((other, every.fewest(seq)), (Nearest::Nothing, None)),
            }
        }
    }
}

#[test]
fn a_path_is_told_hop_by_hop_and_ends_at_a_limit() {
    let mut chain = Chain::new();
    let stolen = chain.mine("T", 100);
    let mut last = chain.transact(&[stolen], &[("H0", 100)]);
    let first = last;
    for hop in 1..30 {
        last = chain.transact(&[(last, 0)], &[(&format!("H{hop}"), 100)]);
    }
    chain.tag("T", STOLEN, false);
    let exposure = chain.streamed();
    let inquiry = Inquiry::new(&chain.ledger, &chain.known, &exposure);
    let start = chain.purse((last, 0));
    let back = |inquiry: &Inquiry<_, _, _>| {
        inquiry.nearest_path([start], STOLEN, Direction::Backward, Proof::Share, &|_| false)
    };
    let Nearest::Found(path) = back(&inquiry) else { panic!("there is a path") };
    assert_eq!((path.start, path.hops.len()), (Some(start), 30));
    assert_eq!(path.hops[29], Hop { seq: first, coin: Some(chain.spent(first)[0]) });
    let nothing = inquiry.nearest_path([start], EXCHANGE, Direction::Backward, Proof::Share, &|_| false);
    assert_eq!(nothing, Nearest::Nothing);
    let inquiry = inquiry.within(Limits { transactions: 29, ends: 1000 });
    assert_eq!(back(&inquiry), Nearest::Cut);
    let inquiry = inquiry.within(Limits { transactions: 1000, ends: 29 });
    assert_eq!(back(&inquiry), Nearest::Cut);
}

#[test]
fn a_touch_goes_through_mixers_and_a_share_does_not() {
    let mut chain = Chain::new();
    let stolen = chain.mine("T", 10);
    let into = chain.transact(&[stolen], &[("M", 10)]);
    let out = chain.transact(&[(into, 0)], &[("Z", 10)]);
    chain.tag("T", STOLEN, false);
    chain.tag("M", MIXER, false);
    let exposure = chain.streamed();
    let inquiry = Inquiry::new(&chain.ledger, &chain.known, &exposure);
    let path = |proof| inquiry.nearest_path_of(out, STOLEN, Direction::Backward, proof);
    assert_eq!(path(Proof::Share), Nearest::Nothing);
    let Nearest::Found(path) = path(Proof::Touch) else { panic!("there is a path") };
    assert_eq!(path.hops.len(), 2);
}
