//! Where the money came from that holders received, or that a transaction makes: direct and indirect, in base units.
//!
//! Direct is what inputs of holders with a category paid; so is what was mined, and what comes out of a join, for nobody
//! can say which of its inputs paid. Indirect is what other inputs inherited from the transactions that made them. Every
//! amount is rounded down once, and the rest is said.

use ledger::{Coin, Coins, HolderId, PurseId, Seq};

use crate::category::{CATEGORIES_MAX, COINJOIN, Category, Facts, MINED, UNKNOWN};
use crate::inquiry::{Inquiry, Split, portion, put};
use crate::mix::{Mixer, Standing};
use crate::vector::{ONE, Vector, Vectors};

/// What is said of money that the holders who are asked about paid themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// It is told apart: change and moves among one's own purses are nothing received.
    Apart,
    /// It is what it was before they had it: for what they hold now.
    Through,
}

/// What the outputs of one transaction are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// The value of all inputs; 1 where the outputs are of one kind.
    total: u128,
    direct: [u128; CATEGORIES_MAX],
    own: u128,
    /// By category, the value of the other inputs times their share of it, in parts of [`ONE`].
    inherited: [u128; CATEGORIES_MAX],
    /// The holders with a category among the inputs, lowest number first, and what they paid.
    payers: Vec<(HolderId, Category, u128)>,
}

impl Origins {
    fn whole(category: Category) -> Self {
        let mut origins = Self { total: 1, ..Self::default() };
        put(&mut origins.direct, category, 1);
        origins
    }

    /// The parts of an amount out of this transaction.
    pub fn split(&self, value: u64) -> Split {
        let value = u128::from(value);
        let part = |part, whole| if part == 0 { 0 } else { portion(value, part, whole) };
        let direct = self.direct.map(|paid| part(paid, self.total));
        let indirect = self.inherited.map(|sum| part(sum, self.total << ONE.trailing_zeros()));
        let own = part(self.own, self.total);
        let mut split = Split { direct, indirect, own, truncated: 0 };
        split.truncated = value - split.total();
        split
    }

    /// Who with a category paid for an amount out of this transaction, lowest number first, each with the part that is
    /// theirs, rounded down.
    pub fn payers(&self, value: u64) -> impl Iterator<Item = (HolderId, Category, u128)> + '_ {
        let part = move |paid: u128| portion(u128::from(value), paid, self.total);
        self.payers.iter().map(move |(holder, category, paid)| (*holder, *category, part(*paid)))
    }
}

/// What holders received in all, and where it came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The value of the outputs that were looked at.
    pub amount: u128,
    /// How many they are.
    pub purses: u64,
    /// Its parts; they add up to the amount.
    pub split: Split,
}

impl<C, F, V> Inquiry<'_, C, F, V>
where
    C: Coins + ?Sized,
    F: Facts + ?Sized,
    V: Vectors + ?Sized,
{
    /// What the outputs of a transaction are made of, as those see it to whom `is_own` holders belong.
    pub fn origins(&self, seq: Seq, own: Own, is_own: &dyn Fn(HolderId) -> bool) -> Origins {
        let mut spent = Vec::new();
        self.coins.spent(seq, &mut spent);
        if spent.is_empty() {
            return Origins::whole(MINED);
        }
        self.origins_of(&spent, self.facts.is_join(seq), own, is_own)
    }

    /// The same of a transaction that is not in the ledger yet and spends these coins.
    pub fn origins_of(&self, spent: &[Coin], is_join: bool, own: Own, is_own: &dyn Fn(HolderId) -> bool) -> Origins {
        if is_join {
            return Origins::whole(COINJOIN);
        }
        let (mut origins, mut mixer) = (Origins::default(), Mixer::default());
        for coin in spent {
            let (value, is_mine) = (u128::from(coin.value), is_own(coin.holder));
            origins.total += value;
            match self.category(coin.holder) {
                _ if is_mine && own == Own::Apart => origins.own += value,
                Some(category) if !is_mine => {
                    put(&mut origins.direct, category, value);
                    origins.payers.push((coin.holder, category, value));
                }
                _ => mixer.add_vector(&self.made_of(coin.purse), coin.value),
            }
        }
        origins.inherited = *mixer.sums();
        origins.payers.sort_unstable_by_key(|(holder, ..)| *holder);
        origins.payers.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            kept.2 += if is_same { next.2 } else { 0 };
            is_same
        });
        origins
    }

    /// The vector that a transaction which spends these coins would have.
    pub fn vector_of(&self, spent: &[Coin], is_join: bool) -> Vector {
        let mut mixer = Mixer::default();
        let is_worthless = spent.iter().all(|coin| coin.value == 0);
        for coin in spent {
            let value = if is_worthless { 1 } else { coin.value };
            let standing = Standing::of(self.facts, coin.holder);
            let before = self.made_of(coin.purse);
            match standing.category() {
                Some(category) => mixer.add_unit(category, value),
                None => mixer.add_vector(&before, value),
            }
            mixer.touch(standing.poison(before.poison));
        }
        if is_join { mixer.joined().vector } else { mixer.record().vector }
    }

    /// The vector of the transaction that made an output.
    fn made_of(&self, purse: PurseId) -> Vector {
        self.coins.made_by(purse).map_or_else(|| Vector::unit(UNKNOWN), |maker| self.vectors.vector(maker))
    }

    /// Where the money in these outputs came from; cheapest if they are in the order of their numbers. `each` is told of
    /// every holder with a category that paid for one of them: the output, the holder, its category, and how much.
    pub fn received(
        &self,
        purses: impl IntoIterator<Item = PurseId>,
        own: Own,
        is_own: &dyn Fn(HolderId) -> bool,
        each: &mut dyn FnMut(PurseId, HolderId, Category, u128),
    ) -> Received {
        let mut received = Received::default();
        let mut last: Option<(Seq, Origins)> = None;
        for purse in purses {
            let value = self.coins.coin(purse).value;
            received.amount += u128::from(value);
            received.purses += 1;
            let Some(maker) = self.coins.made_by(purse) else {
                put(&mut received.split.indirect, UNKNOWN, u128::from(value));
                continue;
            };
            let (_, origins) = match last.take() {
                Some(kept) if kept.0 == maker => last.insert(kept),
                _ => last.insert((maker, self.origins(maker, own, is_own))),
            };
            received.split.add(&origins.split(value));
            for (holder, category, amount) in origins.payers(value) {
                each(purse, holder, category, amount);
            }
        }
        received
    }

    /// Where the money came from that a transaction makes, all outputs together, as those see it to whom nothing belongs.
    pub fn made(&self, seq: Seq) -> Received {
        let mut made = Vec::new();
        self.coins.made(seq, &mut made);
        self.received(made.iter().map(|coin| coin.purse), Own::Apart, &|_| false, &mut |_, _, _, _| {})
    }
}
