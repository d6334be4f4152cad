//! [`Judge`]: what is to be made of one transaction: a join, doubtful, or one party's, and then which output is change.
//!
//! A judgement is a pure function of the transaction and of what came before it, never of what came later; so verdicts
//! taken block by block are those of a run from scratch. Each rule is a file of its own with its source, its assumption
//! and its counter-example. The collapse guard decides what a rule does when it cannot know: a join taken for one
//! party's makes a supercluster of strangers, one party's taken for a join costs a little recall.

mod balance;
mod equal;
mod tally;
mod view;

pub use view::{Kind, Kinds, View};

use ledger::{Coin, Coins, Seq};

use crate::{Join, Verdict};
use tally::Tally;
use view::KindsOf;

/// The version of the rules. Verdicts of another version are to be taken again.
pub const METHOD_VERSION: u32 = 1;

/// What a judge goes by.
#[derive(Clone, Debug, Default)]
pub struct Rules {}

impl Rules {
    /// The version that is recorded beside verdicts.
    pub const fn version(&self) -> u32 {
        METHOD_VERSION
    }
}

/// Takes verdicts, one transaction at a time. It keeps nothing from one to the next but its buffers.
#[derive(Clone, Debug, Default)]
pub struct Judge {
    rules: Rules,
    spent: Vec<Coin>,
    made: Vec<Coin>,
    bench: Bench,
}

/// Buffers of the rules.
#[derive(Clone, Debug, Default)]
struct Bench {
    tally: Tally,
    desk: equal::Desk,
}

impl Judge {
    /// A judge who goes by these rules.
    pub fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// The rules.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The verdict on a transaction of a ledger.
    pub fn judge<C: Coins + ?Sized>(&mut self, coins: &C, seq: Seq) -> Verdict {
        coins.spent(seq, &mut self.spent);
        if self.spent.is_empty() {
            return Verdict::default();
        }
        coins.made(seq, &mut self.made);
        let view = View { inputs: &self.spent, outputs: &self.made, kinds: &KindsOf(coins) };
        let standing = self.bench.standing(&view);
        Verdict { join: standing.join(), is_doubtful: standing == Standing::Doubtful, change: None }
    }
}

/// Whose the inputs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// One party's, as far as can be seen.
    One,
    /// Perhaps of two parties.
    Doubtful,
    /// Of several parties.
    Several(Join),
}

impl Standing {
    const fn join(self) -> Option<Join> {
        match self {
            Self::Several(join) => Some(join),
            _ => None,
        }
    }
}

impl Bench {
    fn standing(&mut self, view: &View<'_>) -> Standing {
        if view.outputs.len() < 2 || !view.has_payers() {
            return Standing::One;
        }
        self.tally.read(view);
        match equal::look(&self.tally, &mut self.desk) {
            equal::Finding::Join => Standing::Several(Join::EqualOutputs),
            equal::Finding::Two => Standing::Doubtful,
            equal::Finding::Shape | equal::Finding::No => Standing::One,
        }
    }
}
