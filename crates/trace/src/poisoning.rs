//! Address poisoning: next to nothing, moved by or to an address that was made to look like another.
//!
//! Whoever copies an address from a list of past payments looks at its first and last digits. So somebody makes an
//! address that has the same ones and sees to it that it stands in that list. Such movements are bait and lead nowhere.

use ledger::{End, HolderId, Kind, Ledger, Leg, PurseId, Seq};
use money::Amount;

use crate::forward::{Movement, Pass};
use crate::rule::Rule;

/// How many of a purse's latest movements are searched for somebody who may be imitated.
const HISTORY_MAX: usize = 64;

/// What moves is next to nothing if it is at most this part of what the imitated payment moved.
const NEXT_TO_NOTHING: u128 = 1_000;

/// How little a movement must be of what its ends hold, for the search to be worth while.
const WORTH_A_LOOK: u128 = 16;

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

impl<L: Ledger + ?Sized, R: Rule> Pass<'_, L, R> {
    /// Whether a movement is bait: its payee looks like somebody whom the payer has dealt with, or its payer like somebody
    /// whom the payee has.
    pub(crate) fn is_poisoning(&self, movement: &Movement) -> bool {
        let (End::Purse(payer), End::Purse(payee)) = (movement.payer, movement.payee) else { return false };
        if self.ledger.kind() != Kind::Account {
            return false;
        }
        let is_little = |of: Amount| movement.amount.units().saturating_mul(WORTH_A_LOOK) <= of.units();
        let strange = |purse| self.ledger.purse(purse).holder;
        // Bait goes to, or comes from, an address that has next to nothing itself.
        let to_bait =
            is_little(movement.before) && movement.payee_before.units() <= movement.before.units() / WORTH_A_LOOK;
        (to_bait && self.imitates(strange(payee), payer, movement))
            || (is_little(movement.payee_before) && self.imitates(strange(payer), payee, movement))
    }

    /// Whether `stranger` looks like somebody with whom `purse` has moved a thousand times as much lately.
    fn imitates(&self, stranger: HolderId, purse: PurseId, movement: &Movement) -> bool {
        let name = self.ledger.holder_name(stranger);
        let mut legs: Vec<Leg> = Vec::new();
        let mut before: Seq = movement.seq;
        for _ in 0..HISTORY_MAX {
            let Some(seq) = self.ledger.previous(purse, before) else { return false };
            before = seq;
            self.ledger.transaction(seq, &mut legs);
            for leg in legs.iter().filter(|leg| leg.amount.units() / NEXT_TO_NOTHING >= movement.amount.units()) {
                let other = match (leg.payer, leg.payee) {
                    (End::Purse(payer), End::Purse(payee)) if payer == purse => payee,
                    (End::Purse(payer), End::Purse(payee)) if payee == purse => payer,
                    _ => continue,
                };
                let other = self.ledger.purse(other).holder;
                if other != stranger && look_alike(&name, &self.ledger.holder_name(other)) {
                    return true;
                }
            }
        }
        false
    }
}
