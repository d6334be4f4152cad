//! [`Coins`]: every live output of a scale chain, in drawers from which some are taken sooner than others.
//!
//! Responsible for how old an output is when it is spent. An output is put into a drawer at birth; from a full enough
//! drawer outputs leave at random, so that each drawer gives ages around its own size, and all together a distribution
//! with a long tail. It does not decide who pays whom.

use std::collections::VecDeque;

use crate::dice::Dice;

/// Blocks that a coinbase rests before it may be spent.
pub const MATURITY: u32 = 100;
/// How full the drawers are kept, where the chain is long enough. In outputs; a block has about 5,000.
const HOT_MAX: u64 = 1_500;
const WARM_MAX: u64 = 12_000;
const COOL_MAX: u64 = 40_000;

/// A live output, in 24 bytes: what makes memory grow, and nothing else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coin {
    pub value_sats: u64,
    /// The number of its transaction.
    pub transaction: u32,
    /// The number of its lock.
    pub lock: u32,
    pub height: u32,
    pub vout: u16,
    pub coinbase: bool,
}

/// All of them.
pub struct Coins {
    /// Hot, warm, cool, cold, and what is put by for years.
    drawers: [Vec<Coin>; 5],
    /// Until a drawer holds this many, it gives nothing if another can. The last two may run empty.
    keep: [usize; 5],
    resting: VecDeque<Coin>,
}

impl Coins {
    /// For a chain of `transactions`; short chains get small drawers.
    pub fn new(transactions: u64) -> Self {
        let keep =
            [HOT_MAX.min(transactions / 512), WARM_MAX.min(transactions / 128), COOL_MAX.min(transactions / 128), 0, 0];
        Self {
            drawers: Default::default(),
            keep: keep.map(|keep| usize::try_from(keep).expect("at most COOL_MAX")),
            resting: VecDeque::new(),
        }
    }

    /// How many can be spent.
    pub fn ripe(&self) -> usize {
        self.drawers.iter().map(Vec::len).sum()
    }

    /// How many there are.
    pub fn live(&self) -> usize {
        self.ripe() + self.resting.len()
    }

    /// Puts an output away. A coinbase's can be had after [`MATURITY`] blocks.
    pub fn put(&mut self, coin: Coin, dice: &mut Dice) {
        if coin.coinbase {
            self.resting.push_back(coin);
        } else {
            self.sort(coin, dice);
        }
    }

    /// Says that the block of `height` is being filled: coinbases that are old enough can be spent.
    pub fn open(&mut self, height: u32, dice: &mut Dice) {
        while let Some(coin) = self.resting.pop_front_if(|coin| coin.height + MATURITY <= height) {
            self.sort(coin, dice);
        }
    }

    fn sort(&mut self, coin: Coin, dice: &mut Dice) {
        let drawer = match dice.below(100) {
            0..44 => 0,
            44..71 => 1,
            71..87 => 2,
            87..92 => 3,
            _ => 4,
        };
        self.drawers[drawer].push(coin);
    }

    /// Takes one to be spent. The shares of the first three are a little above those of [`Coins::put`], so that they
    /// stay as full as they should be; what cannot come from them comes from the fourth. Of what is put by, more is
    /// added than taken.
    pub fn take(&mut self, dice: &mut Dice) -> Option<Coin> {
        let wanted = match dice.below(100) {
            0..48 => 0,
            48..78 => 1,
            78..96 => 2,
            96..97 => 3,
            _ => 4,
        };
        let full = |drawer: &usize| self.drawers[*drawer].len() > self.keep[*drawer];
        let any = |drawer: &usize| !self.drawers[*drawer].is_empty();
        // The wanted one, the others in turn: a drawer that is full enough, else the oldest there are.
        let others = (wanted..4).chain(0..wanted.min(4));
        let drawer = std::iter::once(wanted).chain(others).find(full).or_else(|| (0..5).rev().find(any))?;
        let at = dice.index(self.drawers[drawer].len());
        Some(self.drawers[drawer].swap_remove(at))
    }

    /// The lock of some output that was made lately.
    pub fn recent_lock(&self, dice: &mut Dice) -> Option<u32> {
        let drawer = self.drawers[..2].iter().find(|drawer| !drawer.is_empty())?;
        Some(drawer[dice.index(drawer.len())].lock)
    }
}
