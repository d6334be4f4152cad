//! Movements of loot as an observer sees them: every hop with the arithmetic that a spreadsheet can redo.

use ledger::{AssetId, End, PurseId, Seq};
use money::Amount;

use crate::crossing::Sent;
use crate::label::{LabelId, Portion};
use crate::outcome::{Reason, TerminalKind};

/// What kind of movement an edge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// An output that is spent: purse → pot.
    Input,
    /// A new output: pot → purse.
    Output,
    /// A payment between purses, or out of the ledger.
    Transfer,
    /// A fee.
    Fee,
    /// A balance that the asset's own books made smaller.
    Drift,
    /// A payment into a swap: it does not rest with the payee, its value stands on the other side.
    Exchange,
    /// The other side of a swap: what was paid in one asset lives on in another.
    Swap,
}

impl Step {
    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Transfer => "transfer",
            Self::Fee => "fee",
            Self::Drift => "drift",
            Self::Exchange => "exchange",
            Self::Swap => "swap",
        }
    }
}

/// One movement that carries loot.
#[derive(Clone, Copy, Debug)]
pub struct Edge<'a> {
    /// The transaction.
    pub seq: Seq,
    /// Which of its legs, where the movement is one; netted movements are not.
    pub leg: Option<usize>,
    /// The kind of movement.
    pub step: Step,
    /// Where it comes from.
    pub payer: End,
    /// Where it goes.
    pub payee: End,
    /// The asset that moves.
    pub asset: AssetId,
    /// How much moves in all.
    pub amount: Amount,
    /// What the payer's purse, or the pot, held just before.
    pub before: Amount,
    /// What of it was loot just before, per label. For a swap: what went in.
    pub held: &'a [(LabelId, Amount)],
    /// The stolen portions that move.
    pub portions: &'a [Portion],
    /// How the trace ends here; `None` where it goes on behind the payee.
    pub end: Option<(TerminalKind, Reason)>,
    /// Whether it goes on over a crossing: then what follows is told by [`Observer::sent`].
    pub departs: bool,
}

/// Someone who watches a trace hop by hop.
pub trait Observer {
    /// Whether edges are wanted at all; where not, their arithmetic is not even formed.
    const WATCHES: bool;
    /// One movement of loot.
    fn edge(&mut self, edge: &Edge<'_>);
    /// Which of several ledgers the next movements are on.
    fn on(&mut self, _ledger: usize) {}
    /// A part of what departed in movements that were told before.
    fn sent(&mut self, _sent: &Sent<'_>) {}
    /// In the movement that is told next, what arrived over a crossing for this purse comes in.
    fn landed(&mut self, _seq: Seq, _purse: PurseId) {}
    /// What arrived for this purse found no room, or not all of it.
    fn stranded(&mut self, _seq: Seq, _purse: PurseId) {}
}

/// Nobody watches.
impl Observer for () {
    const WATCHES: bool = false;
    fn edge(&mut self, _edge: &Edge<'_>) {}
}
