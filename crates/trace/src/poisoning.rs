//! Address poisoning: next to nothing, moved by or to an address that was made to look like another.
//!
//! Whoever copies an address from a list of past payments looks at its first and last digits. So somebody makes an
//! address that has the same ones and sees to it that it stands in that list. Such movements are bait and lead nowhere.

use std::collections::VecDeque;

use ledger::{End, HolderId, Kind, Ledger, Leg, PurseId, Seq};
use money::Amount;
use rustc_hash::FxHashMap;

use crate::forward::{Movement, Pass};
use crate::rule::Rule;

/// How many of a purse's latest movements are searched for somebody who may be imitated.
const HISTORY_MAX: usize = 64;

/// What moves is next to nothing if it is at most this part of what the imitated payment moved.
const NEXT_TO_NOTHING: u128 = 1_000;

/// How little a movement must be of what its ends hold, for the search to be worth while.
const WORTH_A_LOOK: u128 = 16;

/// How much of what was searched is kept; past it, all is forgotten and read again. Some 64 MiB.
const KEPT_MAX: usize = 1 << 20;

/// How many digits people look at, at either end.
const SEEN: usize = 4;

/// Whether two addresses look the same and are not.
pub(crate) fn look_alike(one: &str, other: &str) -> bool {
    let digits = |name: &str| -> Option<(String, String, String)> {
        let digits = name.strip_prefix("0x").filter(|digits| digits.len() == 40 && digits.is_ascii())?;
        let (first, rest) = digits.split_at(SEEN);
        let (middle, last) = rest.split_at(rest.len() - SEEN);
        Some((first.to_owned(), middle.to_owned(), last.to_owned()))
    };
    match (digits(one), digits(other)) {
        (Some(one), Some(other)) => one.0 == other.0 && one.2 == other.2 && one.1 != other.1,
        _ => false,
    }
}

/// The digits that people look at, as bytes; `None` where a name is no such address.
fn seen_of(name: &str) -> Option<Seen> {
    let digits = name.strip_prefix("0x").filter(|digits| digits.len() == 40)?.as_bytes();
    let mut seen = [0; 2 * SEEN];
    seen[..SEEN].copy_from_slice(&digits[..SEEN]);
    seen[SEEN..].copy_from_slice(&digits[digits.len() - SEEN..]);
    Some(seen)
}

type Seen = [u8; 2 * SEEN];

/// With whom a purse moved money lately.
#[derive(Debug, Default)]
struct Recent {
    /// The purse's latest transactions, oldest first.
    transactions: VecDeque<Seq>,
    /// What it moved in them, in the same order.
    moves: VecDeque<Move>,
}

#[derive(Clone, Copy, Debug)]
struct Move {
    seq: Seq,
    other: HolderId,
    amount: Amount,
}

/// What was searched before. A busy purse is searched at each of its payments: what is new since the last time is little.
#[derive(Debug, Default)]
pub(crate) struct Searched {
    recent: FxHashMap<PurseId, Recent>,
    seen: FxHashMap<HolderId, Option<Seen>>,
    /// How much is kept in `recent`.
    kept: usize,
    legs: Vec<Leg>,
    new: Vec<Seq>,
}

impl Searched {
    /// Brings what is known of a purse up to a transaction, exclusive. Transactions are asked for in ascending order.
    fn catch_up<L: Ledger + ?Sized>(&mut self, ledger: &L, purse: PurseId, until: Seq) {
        if self.kept > KEPT_MAX || self.seen.len() > KEPT_MAX {
            self.recent.clear();
            self.seen.clear();
            self.kept = 0;
        }
        let recent = self.recent.entry(purse).or_default();
        let before = recent.transactions.len() + recent.moves.len();
        let known = recent.transactions.back().copied();
        self.new.clear();
        let mut at = until;
        while self.new.len() < HISTORY_MAX
            && let Some(seq) = ledger.previous(purse, at).filter(|seq| known.is_none_or(|known| *seq > known))
        {
            self.new.push(seq);
            at = seq;
        }
        for seq in self.new.drain(..).rev() {
            if recent.transactions.len() == HISTORY_MAX {
                let gone = recent.transactions.pop_front();
                while recent.moves.front().is_some_and(|front| Some(front.seq) == gone) {
                    recent.moves.pop_front();
                }
            }
            recent.transactions.push_back(seq);
            ledger.transaction(seq, &mut self.legs);
            for leg in &self.legs {
                let other = match (leg.payer, leg.payee) {
                    (End::Purse(payer), End::Purse(payee)) if payer == purse => payee,
                    (End::Purse(payer), End::Purse(payee)) if payee == purse => payer,
                    _ => continue,
                };
                recent.moves.push_back(Move { seq, other: ledger.purse(other).holder, amount: leg.amount });
            }
        }
        self.kept = self.kept + recent.transactions.len() + recent.moves.len() - before;
    }

    fn seen<L: Ledger + ?Sized>(&mut self, ledger: &L, holder: HolderId) -> Option<Seen> {
        *self.seen.entry(holder).or_insert_with(|| seen_of(&ledger.holder_name(holder)))
    }

    /// Whether `stranger` looks like somebody with whom `purse` has moved a thousand times as much lately.
    fn imitates<L: Ledger + ?Sized>(
        &mut self,
        ledger: &L,
        stranger: HolderId,
        purse: PurseId,
        movement: &Movement,
    ) -> bool {
        let Some(seen) = self.seen(ledger, stranger) else { return false };
        self.catch_up(ledger, purse, movement.seq);
        let Some(recent) = self.recent.get(&purse) else { return false };
        let names = &mut self.seen;
        recent
            .moves
            .iter()
            .filter(|one| one.other != stranger && one.amount.units() / NEXT_TO_NOTHING >= movement.amount.units())
            .any(|one| {
                let name = || ledger.holder_name(one.other);
                let same = *names.entry(one.other).or_insert_with(|| seen_of(&name())) == Some(seen);
                same && look_alike(&ledger.holder_name(stranger), &name())
            })
    }
}

impl<L: Ledger + ?Sized, R: Rule> Pass<'_, L, R> {
    /// Whether a movement is bait: its payee looks like somebody whom the payer has dealt with, or its payer like somebody
    /// whom the payee has.
    pub(crate) fn is_poisoning(&mut self, movement: &Movement) -> bool {
        let (End::Purse(payer), End::Purse(payee)) = (movement.payer, movement.payee) else { return false };
        if self.ledger.kind() != Kind::Account {
            return false;
        }
        let is_little = |of: Amount| movement.amount.units().saturating_mul(WORTH_A_LOOK) <= of.units();
        let (ledger, searched) = (self.ledger, &mut self.searched);
        let strange = |purse| ledger.purse(purse).holder;
        // Bait goes to, or comes from, an address that has next to nothing itself.
        let to_bait =
            is_little(movement.before) && movement.payee_before.units() <= movement.before.units() / WORTH_A_LOOK;
        (to_bait && searched.imitates(ledger, strange(payee), payer, movement))
            || (is_little(movement.payee_before) && searched.imitates(ledger, strange(payer), payee, movement))
    }
}
