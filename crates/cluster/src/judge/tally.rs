//! [`Tally`]: one transaction in order of size: who pays how much in all, which payments are alike.
//!
//! Rules of joins read it and not the transaction itself, because the order of inputs and outputs says nothing. It is
//! filled again for each transaction and keeps its buffers.

use ledger::HolderId;

use super::view::View;

/// Equal payments: more than one output of the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// What each is worth.
    pub value: u64,
    /// How many there are.
    pub count: usize,
}

/// One transaction in order of size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Each input holder once, with all that it pays, the largest first.
    pub payers: Vec<(u64, HolderId)>,
    /// The outputs that are worth something, the largest first. An output of nothing is a message, not a payment.
    pub payments: Vec<u64>,
    /// Values that several payments share, the most frequent first, then the largest.
    pub groups: Vec<Group>,
    /// How many holders are paid.
    pub payees: usize,
    /// How many outputs are worth nothing.
    pub messages: usize,
    /// What the miner gets.
    pub fee: u64,
    /// How many inputs there are, and how many of them the holder with the most has.
    pub inputs: usize,
    /// The largest number of inputs of one holder.
    pub inputs_of_one: usize,
    holders: Vec<HolderId>,
}

impl Tally {
    /// Takes a transaction in.
    pub(crate) fn read(&mut self, view: &View<'_>) {
        self.read_payers(view);
        self.payments.clear();
        self.payments.extend(view.outputs.iter().map(|output| output.value).filter(|value| *value > 0));
        self.messages = view.outputs.len() - self.payments.len();
        self.payments.sort_unstable_by(|one, other| other.cmp(one));
        let out = self.payments.iter().fold(0, |sum: u64, value| sum.saturating_add(*value));
        let paid = self.payers.iter().fold(0, |sum: u64, (total, _)| sum.saturating_add(*total));
        self.fee = paid.saturating_sub(out);
        self.holders.clear();
        self.holders.extend(view.outputs.iter().filter(|output| output.value > 0).map(|output| output.holder));
        self.holders.sort_unstable();
        self.holders.dedup();
        self.payees = self.holders.len();
        self.group();
    }

    fn read_payers(&mut self, view: &View<'_>) {
        self.payers.clear();
        self.payers.extend(view.inputs.iter().map(|input| (input.value, input.holder)));
        self.inputs = self.payers.len();
        self.payers.sort_unstable_by_key(|(_, holder)| *holder);
        let (mut run, mut longest) = (1, 1);
        self.payers.dedup_by(|next, kept| {
            let is_same = next.1 == kept.1;
            if is_same {
                kept.0 = kept.0.saturating_add(next.0);
                run += 1;
                longest = longest.max(run);
            } else {
                run = 1;
            }
            is_same
        });
        self.inputs_of_one = longest;
        self.payers.sort_unstable_by(|one, other| other.cmp(one));
    }

    fn group(&mut self) {
        self.groups.clear();
        for alike in self.payments.chunk_by(|one, other| one == other).filter(|alike| alike.len() > 1) {
            self.groups.push(Group { value: alike[0], count: alike.len() });
        }
        self.groups.sort_unstable_by_key(|group| std::cmp::Reverse((group.count, group.value)));
    }

    /// How many parties could pay `value` each, at the most: a holder who has it is one party, the smaller ones are
    /// taken together. One holder's riches are one party's, however many payments they would cover.
    pub(crate) fn parties_max(&self, value: u64) -> usize {
        let rich = self.payers.partition_point(|(total, _)| *total >= value);
        let poor = self.payers[rich..].iter().fold(0, |sum: u64, (total, _)| sum.saturating_add(*total));
        rich + usize::try_from(poor / value.max(1)).unwrap_or(usize::MAX).min(self.payers.len() - rich)
    }
}
