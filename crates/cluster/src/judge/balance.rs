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
        Self { gain: served, loss: served.saturating_add(share(fee, parties)) }
    }

    /// For where there is no service to pay, so that chance has little room.
    pub(crate) fn tight(value: u64, fee: u64, parties: usize) -> Self {
        let gain = (value / 1_000).min(5_000);
        Self { gain, loss: gain.saturating_add(share(fee, parties)) }
    }
}

/// The most that one party pays of the fee. Whoever pays all of it (a taker) is one, and one may be off.
fn share(fee: u64, parties: usize) -> u64 {
    let equal = fee / u64::try_from(parties).unwrap_or(u64::MAX).max(1);
    fee.min(equal.saturating_mul(3))
}

/// How the sums came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sums {
    /// How many parties were found to pay with one payer each.
    pub single: usize,
    /// How many of those got out no less than they put in.
    pub gainers: usize,
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
pub(crate) fn sums(
    payers: &[(u64, HolderId)],
    parties: usize,
    value: u64,
    others: &[u64],
    slack: Slack,
    desk: &mut Desk,
) -> Option<Sums> {
    let changes = &others[..others.len().min(parties)];
    let bare = parties - changes.len();
    desk.targets.clear();
    desk.targets.extend(changes.iter().map(|change| change.saturating_add(value)));
    desk.targets.extend(std::iter::repeat_n(value, bare));
    let gainers = desk.matched(payers, slack);
    let (left, payers_left) = (desk.targets_left.len(), desk.payers_left.len());
    let sums = Some(Sums { single: parties - left, gainers });
    // Who has no change brought a coin of just that value. A few may have put several together: who empties a wallet.
    let bare_left = desk.targets_left.iter().filter(|target| **target == value).count();
    if payers_left < left || bare_left > 1 + parties / 10 {
        return None;
    }
    // What all but one have in common the last has too: the sums of the whole agree. And where half are plain to see
    // the others are of their kind.
    if left <= 1 || left <= parties / 2 || desk.search(slack) {
        return sums;
    }
    // A pair that was matched by chance may have taken what the others need.
    if left < parties && bare <= 1 && desk.search_all(payers, slack) { sums } else { None }
}

impl Desk {
    /// Matches payers to targets one to one, and returns how many got out no less than they put in. Both are sorted,
    /// and every window is as wide as the other, so going down both at once finds the most pairs.
    fn matched(&mut self, payers: &[(u64, HolderId)], slack: Slack) -> usize {
        self.payers_left.clear();
        self.targets_left.clear();
        let (mut payer, mut target, mut gainers) = (0, 0, 0);
        while let (Some((paid, _)), Some(wanted)) = (payers.get(payer), self.targets.get(target)) {
            if *paid > wanted.saturating_add(slack.loss) {
                self.payers_left.push(*paid);
                payer += 1;
            } else if paid.saturating_add(slack.gain) < *wanted {
                self.targets_left.push(*wanted);
                target += 1;
            } else {
                gainers += usize::from(paid <= wanted);
                (payer, target) = (payer + 1, target + 1);
            }
        }
        self.payers_left.extend(payers[payer..].iter().map(|(paid, _)| *paid));
        self.targets_left.extend_from_slice(&self.targets[target..]);
        gainers
    }

    /// The same search with nothing matched before.
    fn search_all(&mut self, payers: &[(u64, HolderId)], slack: Slack) -> bool {
        self.payers_left.clear();
        self.payers_left.extend(payers.iter().map(|(paid, _)| *paid));
        self.targets_left.clone_from(&self.targets);
        self.search(slack)
    }

    /// Whether the payers that are left can be put together to the targets that are left, all but one of them, which
    /// has what remains: whoever pays for the others is off by what they gain.
    fn search(&self, slack: Slack) -> bool {
        if self.payers_left.len() > SEARCH_PAYERS_MAX {
            return true;
        }
        let mut search = Search { payers: &self.payers_left, slack, steps: 0 };
        search.party(0, &self.targets_left, true)
    }
}

/// How many of `payers` (the largest first) are found again as `value` and one of `changes` (the same). Both are
/// taken out of the lists.
pub(crate) fn take_matched(payers: &mut Vec<u64>, value: u64, changes: &mut Vec<u64>, slack: Slack) -> usize {
    let (mut payer, mut change, before) = (0, 0, payers.len());
    let (mut payers_kept, mut changes_kept) = (0, 0);
    while let (Some(paid), Some(got)) = (payers.get(payer).copied(), changes.get(change).copied()) {
        let wanted = got.saturating_add(value);
        if paid > wanted.saturating_add(slack.loss) {
            payers[payers_kept] = paid;
            (payers_kept, payer) = (payers_kept + 1, payer + 1);
        } else if paid.saturating_add(slack.gain) < wanted {
            changes[changes_kept] = got;
            (changes_kept, change) = (changes_kept + 1, change + 1);
        } else {
            (payer, change) = (payer + 1, change + 1);
        }
    }
    payers.drain(payers_kept..payer);
    changes.drain(changes_kept..change);
    before - payers.len()
}

struct Search<'a> {
    payers: &'a [u64],
    slack: Slack,
    steps: u32,
}

impl Search<'_> {
    /// Finds payers for the first of `wanted` and then for the others; `taken` is a set of bits, and one may be left
    /// out. Giving up is a yes.
    fn party(&mut self, taken: u32, wanted: &[u64], may_skip: bool) -> bool {
        match wanted.split_first() {
            // Somebody has to pay for the one that was left out.
            None => may_skip || (taken.count_ones() as usize) < self.payers.len(),
            Some((first, rest)) => {
                self.add(taken, 0, *first, 0, rest, may_skip) || (may_skip && self.party(taken, rest, false))
            }
        }
    }

    fn add(&mut self, taken: u32, from: usize, wanted: u64, sum: u64, rest: &[u64], may_skip: bool) -> bool {
        self.steps += 1;
        if self.steps > SEARCH_STEPS_MAX {
            return true;
        }
        if sum > 0 && sum.saturating_add(self.slack.gain) >= wanted && self.party(taken, rest, may_skip) {
            return true;
        }
        let most = wanted.saturating_add(self.slack.loss);
        for index in from..self.payers.len() {
            let (bit, sum) = (1 << index, sum.saturating_add(self.payers[index]));
            if taken & bit == 0 && sum <= most && self.add(taken | bit, index + 1, wanted, sum, rest, may_skip) {
                return true;
            }
        }
        false
    }
}
