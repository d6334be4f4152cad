//! Where the money went that holders sent: forward by haircut from what they spent, to the first holder with a category.
//!
//! Nothing is kept for this side: it is a pass over what lies downstream, in the chain's order and within [`crate::Limits`]. Each
//! transaction is visited once, after all that it spends; what it is given is divided among its outputs and the fee by
//! value, rounded down, and the rest is said.

use std::collections::BTreeMap;

use ledger::{Coin, Coins, HolderId, PurseId, Seq};

use crate::category::{COINJOIN, Category, Facts};
use crate::inquiry::{Inquiry, Split, portion, put};
use crate::vector::Vectors;

/// What holders sent in all, and where it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// The value of the outputs that they spent.
    pub amount: u128,
    /// How many these are.
    pub purses: u64,
    /// What reached holders with a category, what came back to the holders' own purses (change), and what rounding took.
    /// With the three parts below it adds up to the amount.
    pub split: Split,
    /// Left to miners on the way.
    pub fees: u128,
    /// Lies unspent with holders of no category.
    pub unspent: u128,
    /// Not followed further, because a limit was reached.
    pub cut: u128,
    /// How many transactions downstream were visited.
    pub visited: u64,
}

impl Sent {
    /// The sum of all parts: the amount.
    pub fn total(&self) -> u128 {
        self.split.total() + self.fees + self.unspent + self.cut
    }
}

/// A pass under way.
struct Pass<'a> {
    sent: Sent,
    /// What the transactions still to be visited are given.
    due: BTreeMap<Seq, u128>,
    ends_left: u64,
    is_own: &'a dyn Fn(HolderId) -> bool,
    spent: Vec<Coin>,
    made: Vec<Coin>,
}

impl<C, F, V> Inquiry<'_, C, F, V>
where
    C: Coins + ?Sized,
    F: Facts + ?Sized,
    V: Vectors + ?Sized,
{
    /// Where the money in these outputs went, as far as they are spent. `each` is told of every output of a holder with a
    /// category that was paid at once: the output, the holder, its category, and how much.
    pub fn sent(
        &self,
        purses: impl IntoIterator<Item = PurseId>,
        is_own: &dyn Fn(HolderId) -> bool,
        each: &mut dyn FnMut(PurseId, HolderId, Category, u128),
    ) -> Sent {
        let (spent, made, due) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut pass = Pass { sent: Sent::default(), due, ends_left: self.limits.ends, is_own, spent, made };
        let mut spends: BTreeMap<Seq, u128> = BTreeMap::new();
        for purse in purses {
            if let Some(spender) = self.coins.spent_by(purse) {
                let value = u128::from(self.coins.coin(purse).value);
                *spends.entry(spender).or_default() += value;
                pass.sent.amount += value;
                pass.sent.purses += 1;
            }
        }
        for (seq, amount) in spends {
            self.pass_on(&mut pass, seq, amount, Some(&mut *each));
        }
        while pass.sent.visited < self.limits.transactions
            && pass.ends_left > 0
            && let Some((seq, amount)) = pass.due.pop_first()
        {
            pass.sent.visited += 1;
            self.pass_on(&mut pass, seq, amount, None);
        }
        pass.sent.cut += pass.due.values().sum::<u128>();
        pass.sent
    }

    /// Divides what a transaction is given among its outputs and the fee. At the first transactions there is somebody to
    /// tell of direct payments.
    fn pass_on(
        &self,
        pass: &mut Pass<'_>,
        seq: Seq,
        amount: u128,
        mut each: Option<&mut dyn FnMut(PurseId, HolderId, Category, u128)>,
    ) {
        let is_direct = each.is_some();
        if self.facts.is_join(seq) {
            let parts = if is_direct { &mut pass.sent.split.direct } else { &mut pass.sent.split.indirect };
            put(parts, COINJOIN, amount);
            return;
        }
        self.coins.spent(seq, &mut pass.spent);
        self.coins.made(seq, &mut pass.made);
        let sum = |coins: &[Coin]| coins.iter().map(|coin| u128::from(coin.value)).sum::<u128>();
        let (whole, made) = (sum(&pass.spent), sum(&pass.made));
        pass.ends_left = pass.ends_left.saturating_sub((pass.spent.len() + pass.made.len()) as u64);
        let fee = portion(amount, whole.saturating_sub(made), whole);
        let mut left = amount - fee;
        pass.sent.fees += fee;
        for at in 0..pass.made.len() {
            let coin = pass.made[at];
            let part = portion(amount, u128::from(coin.value), whole).min(left);
            left -= part;
            if part == 0 {
                continue;
            }
            match self.category(coin.holder) {
                _ if (pass.is_own)(coin.holder) => pass.sent.split.own += part,
                Some(category) => match &mut each {
                    Some(each) => {
                        put(&mut pass.sent.split.direct, category, part);
                        each(coin.purse, coin.holder, category, part);
                    }
                    None => put(&mut pass.sent.split.indirect, category, part),
                },
                None => match self.coins.spent_by(coin.purse) {
                    Some(spender) => *pass.due.entry(spender).or_default() += part,
                    None => pass.sent.unspent += part,
                },
            }
        }
        pass.sent.split.truncated += left;
    }
}
