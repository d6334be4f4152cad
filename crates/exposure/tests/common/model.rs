//! The definition, as slow and obvious as it can be said: every answer asks the transactions before it, down to the coins
//! that were mined. Shares are bounds 2^-160 apart, so that they hold for the true fraction.

use exposure::{COINJOIN, Category, Facts, MINED, UNKNOWN};
use ledger::{Coin, Coins, Seq};
use ruint::aliases::U256;

use super::{Chain, Known};

/// A whole, in these bounds.
pub fn one() -> U256 {
    U256::from(1) << 160
}

/// A lower and an upper bound of the true share, per category and transaction.
pub struct Model<'a> {
    chain: &'a Chain,
    known: &'a Known,
    shares: Vec<[(U256, U256); 16]>,
}

impl<'a> Model<'a> {
    pub fn new(chain: &'a Chain, known: &'a Known) -> Self {
        let mut model = Self { chain, known, shares: Vec::new() };
        for seq in 0..chain.ledger.transactions() {
            let shares = std::array::from_fn(|at| model.mixed(Seq(seq), Category(u8::try_from(at).unwrap())));
            model.shares.push(shares);
        }
        model
    }

    /// The bounds of a category's true share of what a transaction makes.
    pub fn share(&self, seq: Seq, category: Category) -> (U256, U256) {
        self.shares[usize::try_from(seq.0).unwrap()][usize::from(category.0)]
    }

    fn whole(is_all: bool) -> (U256, U256) {
        if is_all { (one(), one()) } else { (U256::ZERO, U256::ZERO) }
    }

    fn mixed(&self, seq: Seq, category: Category) -> (U256, U256) {
        let spent = self.chain.spent(seq);
        if spent.is_empty() {
            return Self::whole(category == MINED);
        }
        if self.known.is_join(seq) {
            return Self::whole(category == COINJOIN);
        }
        let is_worthless = spent.iter().all(|coin| coin.value == 0);
        let weight = |coin: &Coin| U256::from(if is_worthless { 1 } else { coin.value });
        let total: U256 = spent.iter().map(weight).sum();
        let (mut low, mut high) = (U256::ZERO, U256::ZERO);
        for coin in &spent {
            let (share_low, share_high) = self.of_coin(coin, category);
            low += weight(coin) * share_low;
            high += weight(coin) * share_high;
        }
        (low / total, high.div_ceil(total))
    }

    /// The share of a coin that its holder spends.
    pub fn of_coin(&self, coin: &Coin, category: Category) -> (U256, U256) {
        match (self.known.category(coin.holder), self.chain.ledger.made_by(coin.purse)) {
            (Some(own), _) => Self::whole(category == own),
            (None, None) => Self::whole(category == UNKNOWN),
            (None, Some(maker)) => self.share(maker, category),
        }
    }

    /// Whether a category ever touched what a transaction makes.
    pub fn is_touched(&self, seq: Seq, category: Category) -> bool {
        let spent = self.chain.spent(seq);
        if spent.is_empty() {
            return category == MINED;
        }
        self.known.is_join(seq) && category == COINJOIN || spent.iter().any(|coin| self.is_coin_touched(coin, category))
    }

    fn is_coin_touched(&self, coin: &Coin, category: Category) -> bool {
        if self.known.category(coin.holder) == Some(category) {
            return true;
        }
        match self.chain.ledger.made_by(coin.purse) {
            _ if self.known.resets_poison(coin.holder) => false,
            None => category == UNKNOWN,
            Some(maker) => self.is_touched(maker, category),
        }
    }

    /// How much of a risk a transaction's inputs bring, if taint leaves first.
    pub fn first(&self, seq: Seq, category: Category) -> u64 {
        let spent = self.chain.spent(seq);
        if self.known.is_join(seq) && category == COINJOIN {
            return spent.iter().map(|coin| coin.value).fold(0, u64::saturating_add);
        }
        spent.iter().map(|coin| self.first_of_coin(coin, category)).fold(0, u64::saturating_add)
    }

    fn first_of_coin(&self, coin: &Coin, category: Category) -> u64 {
        if self.known.category(coin.holder) == Some(category) {
            return coin.value;
        }
        let maker = self.chain.ledger.made_by(coin.purse).filter(|_| !self.known.resets_poison(coin.holder));
        maker.map_or(0, |maker| self.first_held(maker, coin, category))
    }

    /// How much of a risk an output holds, if taint leaves first.
    pub fn first_held(&self, maker: Seq, coin: &Coin, category: Category) -> u64 {
        let mut left = self.first(maker, category);
        for made in self.chain.made(maker) {
            if made.purse == coin.purse {
                return left.min(made.value);
            }
            left = left.saturating_sub(made.value);
        }
        unreachable!("an output is among those that its transaction made")
    }
}
