//! [`Judge`]: what is to be made of one transaction: a join, doubtful, or one party's, and then which output is change.
//!
//! A judgement is a pure function of the transaction and of what came before it, never of what came later; so verdicts
//! taken block by block are those of a run from scratch. Each rule is a file of its own with its source, its assumption
//! and its counter-example. The collapse guard decides what a rule does when it cannot know: a join taken for one
//! party's makes a supercluster of strangers, one party's taken for a join costs a little recall.

mod balance;
#[cfg(test)]
mod cases;
mod change;
mod dodge;
mod equal;
mod joinmarket;
mod payjoin;
#[cfg(test)]
mod table;
mod tally;
mod view;
mod wasabi1;
mod wasabi2;
mod weights;
mod whirlpool;

pub use change::{CHANGE_OUTPUTS_MAX, Candidate, ROUND_SATS, Sign};
pub use view::{Kind, Past, View};
pub use weights::{BUILT_IN_WEIGHTS, CALIBRATED, Weights, WeightsError};
pub(crate) use weights::{STARTS, start_of};

use ledger::{Coin, Coins, Seq};

use crate::{Join, Verdict};
use equal::Finding;
use tally::Tally;
use view::PastOf;

/// The version of the rules. Verdicts of another version are to be taken again.
pub const METHOD_VERSION: u32 = 2;

/// What a judge goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    change: Weights,
    fingerprint: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self::with_change(BUILT_IN_WEIGHTS).expect("the built-in weights are well-formed, which a test holds")
    }
}

impl Rules {
    /// The rules with other weights of change, from the text of their file.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn with_change(text: &str) -> Result<Self, WeightsError> {
        // FNV-1a, of the text as it stands: it tells one file from another and defends against nobody.
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let fingerprint = text.bytes().fold(0xcbf2_9ce4_8422_2325, hash);
        Ok(Self { change: Weights::parse(text)?, fingerprint })
    }

    /// The version of the rules in code.
    pub const fn version(&self) -> u32 {
        METHOD_VERSION
    }

    /// Tells the rules in files from others: record it beside the version, and take the verdicts again when either is
    /// another.
    pub const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The weights of change.
    pub const fn change(&self) -> &Weights {
        &self.change
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
    equal: equal::Desk,
    change: change::Desk,
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
        let view = View { inputs: &self.spent, outputs: &self.made, past: &PastOf(coins) };
        self.bench.verdict(&view, &self.rules)
    }

    /// The verdict on a transaction that is no coinbase.
    pub fn judge_view(&mut self, view: &View<'_>) -> Verdict {
        self.bench.verdict(view, &self.rules)
    }

    /// How many payments a transaction makes, and those that may be change with their signs, whatever they weigh: for
    /// calibration. None where no change is looked for: coinbases, joins, doubtful ones, sweeps, batches, and where a
    /// payment goes back to a payer.
    pub fn candidates<C: Coins + ?Sized>(&mut self, coins: &C, seq: Seq) -> (usize, &[Candidate]) {
        coins.spent(seq, &mut self.spent);
        coins.made(seq, &mut self.made);
        let view = View { inputs: &self.spent, outputs: &self.made, past: &PastOf(coins) };
        self.bench.change.candidates.clear();
        let is_one = !self.spent.is_empty() && self.bench.standing(&view) == Standing::One;
        let payments = if is_one { self.bench.change.find(&view) } else { 0 };
        (payments, &self.bench.change.candidates)
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

impl Bench {
    fn verdict(&mut self, view: &View<'_>, rules: &Rules) -> Verdict {
        match self.standing(view) {
            Standing::One => {
                let payments = self.change.find(view);
                Verdict { change: rules.change().choose(payments, &self.change.candidates), ..Verdict::default() }
            }
            Standing::Doubtful => Verdict { is_doubtful: true, ..Verdict::default() },
            Standing::Several(join) => Verdict { join: Some(join), ..Verdict::default() },
        }
    }

    fn standing(&mut self, view: &View<'_>) -> Standing {
        if view.outputs.len() < 2 || !view.has_payers() {
            return Standing::One;
        }
        let tally = &mut self.tally;
        tally.read(view);
        if let Some(join) = known_design(tally) {
            return Standing::Several(join);
        }
        let found = equal::look(tally, &mut self.equal);
        if let Finding::Join { parties, sums } = found {
            let is_market = joinmarket::is_round(tally, parties, sums);
            return Standing::Several(if is_market { Join::JoinMarket } else { Join::EqualOutputs });
        }
        let is_first = whirlpool::is_first(tally);
        let dodged = if is_first { Finding::No } else { dodge::look(tally, &mut self.equal) };
        match (found, dodged) {
            (_, Finding::Join { .. }) => Standing::Several(Join::EqualOutputs),
            (Finding::Two, _) | (_, Finding::Two) => Standing::Doubtful,
            // The collapse guard: equal outputs, and inputs that are not of one wallet by their looks.
            (Finding::Shape, _) if !is_first && view.input_kind().is_none() => Standing::Doubtful,
            _ if payjoin::is_doubtful(view, tally) => Standing::Doubtful,
            _ => Standing::One,
        }
    }
}

/// The designs that are known by their values.
fn known_design(tally: &Tally) -> Option<Join> {
    if tally.groups.is_empty() && tally.payments.len() < 5 {
        return None;
    }
    if whirlpool::is_round(tally) {
        Some(Join::Whirlpool)
    } else if wasabi2::is_round(tally) {
        Some(Join::Wasabi2)
    } else if wasabi1::is_round(tally) {
        Some(Join::Wasabi1)
    } else {
        None
    }
}
