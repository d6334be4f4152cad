//! Whether the sums of a transaction come out as those of several parties who each pay for themselves.
//!
//! Every party puts in the common value, its change, and a little for the miner; whoever offers its coins for a fee
//! puts in a little less. So payers are matched to "common value + change", the largest to the largest, within that
//! slack. What is left (parties with several payers) is searched for in full where it is small; where it is not, the
//! collapse guard says join.
//!
//! The idea of matching sums is that of subset-sum analyses of joins (Maurer, Neudecker, Florian 2017; `BlockSci`).

use ledger::HolderId;

/// By how much a party may be off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slack {
    /// It may get out so much more than it put in: a maker's fee.
    pub gain: u64,
    /// It may get out so much less: its part of the miner's fee and of a coordinator's.
    pub loss: u64,
}

impl Slack {
    /// For so many parties with a common value, when `fee` is all that is lost.
    pub(crate) fn of(value: u64, fee: u64, parties: usize) -> Self {
        // Half a percent is above what makers and coordinators ask; 5,000 covers absolute fees on small values.
        let served = (value / 200).max(5_000).min(value / 8);
        // Whoever pays the whole fee (a taker) is one party, and one may be off.
        let share = fee / u64::try_from(parties).unwrap_or(u64::MAX).max(1);
        Self { gain: served, loss: served.saturating_add(fee.min(share.saturating_mul(3))) }
    }
}

/// Buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Desk {
    /// What parties must put in, the largest first.
    targets: Vec<u64>,
    /// Payers and targets that were not matched one to one.
    payers_left: Vec<u64>,
    targets_left: Vec<u64>,
}

/// The most payers for which the search for parties with several payers is made.
const SEARCH_PAYERS_MAX: usize = 24;
/// After so many steps the search gives up.
const SEARCH_STEPS_MAX: u32 = 20_000;

/// Whether `payers` (the largest first) can be `parties` who each get `value`, some of whom also get one of `others`
/// (the largest first). Where that cannot be told in reasonable time the answer is yes.
pub(crate) fn is_balanced(
    payers: &[(u64, HolderId)],
    parties: usize,
    value: u64,
    others: &[u64],
    slack: Slack,
    desk: &mut Desk,
) -> bool {
    let changes = &others[..others.len().min(parties)];
    let bare = parties - changes.len();
    desk.targets.clear();
    desk.targets.extend(changes.iter().map(|change| change.saturating_add(value)));
    desk.targets.extend(std::iter::repeat_n(value, bare));
    desk.matched(payers, slack);
    let bare_left = desk.targets_left.iter().filter(|target| **target == value).count();
    // Who has no change brought a coin of just that value. One may have put several together (who empties a wallet).
    if bare_left > 1 {
        return false;
    }
    let left = desk.targets_left.len();
    // What all but one have in common, the last has too: the sums of the whole agree.
    if left <= 1 {
        return desk.payers_left.len() >= left;
    }
    if left <= parties / 2 && desk.payers_left.len() >= left {
        return true;
    }
    desk.search(slack)
}

impl Desk {
    /// Matches payers to targets one to one. Both are sorted, and every window is as wide as the other, so going down
    /// both at once finds the most pairs.
    fn matched(&mut self, payers: &[(u64, HolderId)], slack: Slack) {
        self.payers_left.clear();
        self.targets_left.clear();
        let (mut payer, mut target) = (0, 0);
        while let (Some((paid, _)), Some(wanted)) = (payers.get(payer), self.targets.get(target)) {
            if *paid > wanted.saturating_add(slack.loss) {
                self.payers_left.push(*paid);
                payer += 1;
            } else if paid.saturating_add(slack.gain) < *wanted {
                self.targets_left.push(*wanted);
                target += 1;
            } else {
                (payer, target) = (payer + 1, target + 1);
            }
        }
        self.payers_left.extend(payers[payer..].iter().map(|(paid, _)| *paid));
        self.targets_left.extend_from_slice(&self.targets[target..]);
    }

    /// Whether the payers that are left can be put together to the targets that are left, all but one of them; the last
    /// has what remains.
    fn search(&self, slack: Slack) -> bool {
        if self.payers_left.len() < self.targets_left.len() {
            return false;
        }
        if self.payers_left.len() > SEARCH_PAYERS_MAX {
            return true;
        }
        let mut search = Search { payers: &self.payers_left, slack, steps: 0 };
        let (_, wanted) = self.targets_left.split_last().expect("two or more are left");
        search.party(0, wanted)
    }
}

struct Search<'a> {
    payers: &'a [u64],
    slack: Slack,
    steps: u32,
}

impl Search<'_> {
    /// Finds payers for the first of `wanted` and then for the others; `taken` is a set of bits. Giving up is a yes.
    fn party(&mut self, taken: u32, wanted: &[u64]) -> bool {
        match wanted.split_first() {
            None => true,
            Some((first, rest)) => self.add(taken, 0, *first, 0, rest),
        }
    }

    fn add(&mut self, taken: u32, from: usize, wanted: u64, sum: u64, rest: &[u64]) -> bool {
        self.steps += 1;
        if self.steps > SEARCH_STEPS_MAX {
            return true;
        }
        if sum > 0 && sum.saturating_add(self.slack.gain) >= wanted && self.party(taken, rest) {
            return true;
        }
        let most = wanted.saturating_add(self.slack.loss);
        for index in from..self.payers.len() {
            let (bit, sum) = (1 << index, sum.saturating_add(self.payers[index]));
            if taken & bit == 0 && sum <= most && self.add(taken | bit, index + 1, wanted, sum, rest) {
                return true;
            }
        }
        false
    }
}
