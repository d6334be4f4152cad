//! Which withdrawals may answer a deposit, and how much more likely each is than that a stranger's happened to fit.
//!
//! A pair's score is ln of a ratio: how likely the deposit's own withdrawal would look like this one (fee, latency,
//! recipient), times the odds that it is there at all, against how many strangers' withdrawals one would expect to look so.
//! The strangers are counted among the withdrawals of the same class, place and hours.

use rustc_hash::FxHashMap;

use super::entry::Entry;
use super::index::{Index, bucket, position};
use super::learn::{Context, Look, Model, Relation, fee_millionths};
use super::logs::{exp, ln_ratio};
use super::priors::MILLION;

/// Strangers are counted so many hours to both sides.
const AROUND_HOURS: i64 = 3;
/// The span of time in which they are counted.
const AROUND_SECONDS: u64 = 7 * 3600;
/// Where nobody is near, strangers' amounts are spread evenly over so many thousandths of a nat.
const SPREAD_MILLINATS: u64 = 8_000;
/// At least so many thousandths of a stranger fit by amount: people like round amounts.
const FITTING_LEAST_MILLI: u64 = 20;
/// A pair less likely than this against nothing, in thousandths of a nat, only weighs against the others.
const SCORE_LEAST: i32 = -4_000;
/// A pair that cannot be likelier than this is not looked at further.
const SCORE_HOPELESS: i32 = -9_000;
/// A pair so much less likely than its deposit's best only weighs against the others.
const BEHIND_MOST: i32 = 9_000;
/// No pair is surer than this: models are wrong now and then.
const SCORE_MOST: i32 = 20_000;
/// A deposit with more fitting withdrawals than this is left to its recipient alone.
pub const FITTING_MAX: usize = 4_096;
/// Of a deposit's candidates the best so many are kept.
pub const CANDIDATES_MAX: usize = 64;

/// What a score is made of: logarithms in thousandths of a nat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The fee in millionths, and how likely it is.
    pub fee: (i64, i32),
    /// The seconds between, and how likely they are.
    pub latency: (i64, i32),
    /// How the recipient stands to the deposit, and how much likelier that is than among strangers.
    pub relation: (Relation, i32),
    /// The strangers that one would expect to fit, in millionths of one, and the logarithm.
    pub strangers: (u64, i32),
    /// The odds that the withdrawal is there at all.
    pub odds: i32,
}

impl Parts {
    /// The score.
    pub fn sum(&self) -> i32 {
        (self.fee.1 + self.latency.1 + self.relation.1 - self.strangers.1 + self.odds).min(SCORE_MOST)
    }
}

/// A pair that may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The deposit, by number.
    pub deposit: u32,
    /// The withdrawal, by number.
    pub withdrawal: u32,
    /// The score, in thousandths of a nat.
    pub score: i32,
    /// What it is made of.
    pub parts: Parts,
}

/// Edges of all deposits.
#[derive(Debug, Default)]
pub struct Candidates {
    /// Ordered by deposit, then by withdrawal.
    pub edges: Vec<Edge>,
    /// Of each deposit, the weight of what is not among the edges: one for staying alone, and all that is too unlikely to be
    /// followed one by one.
    pub alone: Vec<f64>,
    /// Deposits of which too many withdrawals fit.
    pub crowded: Vec<u32>,
    /// How many candidates were left out because others were better.
    pub cut: usize,
}

/// Looks for candidates.
pub struct Scorer<'a> {
    /// In order of time.
    pub deposits: &'a [Entry],
    /// In order of time.
    pub withdrawals: &'a [Entry],
    /// Of both.
    pub index: &'a Index,
    /// What true pairs look like.
    pub model: &'a mut Model,
    /// No pair is further apart.
    pub window_seconds: i64,
    /// Empty at first.
    pub memory: Memory,
}

/// What is around a withdrawal: all that came out there in those hours, and how many of a million no deposit explains.
#[derive(Clone, Copy)]
struct Around {
    all: u64,
    strange: u64,
}

/// Counts that are asked for again and again.
#[derive(Default)]
pub struct Memory {
    look: Option<Look>,
    /// By group and hour.
    around: FxHashMap<(usize, i64), Around>,
    /// Of the deposit at hand: by group, fee bin and hour.
    fitting: FxHashMap<(usize, usize, i64), u64>,
}

impl Scorer<'_> {
    /// The candidates of all deposits.
    pub fn candidates(&mut self) -> Candidates {
        let mut all = Candidates::default();
        for id in (0..).take(self.deposits.len()) {
            self.memory.fitting.clear();
            let (mut edges, crowded) = self.of(id);
            if crowded {
                all.crowded.push(id);
            }
            edges.sort_by(|a, b| b.score.cmp(&a.score).then(a.withdrawal.cmp(&b.withdrawal)));
            let least = edges.first().map_or(0, |best| SCORE_LEAST.max(best.score - BEHIND_MOST));
            let worth = edges.partition_point(|edge| edge.score >= least);
            let kept = worth.min(CANDIDATES_MAX);
            all.cut += worth - kept;
            all.alone.push(edges[kept..].iter().fold(1.0, |sum, edge| sum + exp(edge.score)));
            edges.truncate(kept);
            edges.sort_by_key(|edge| edge.withdrawal);
            all.edges.append(&mut edges);
        }
        all
    }

    /// Those of one deposit, and whether too many fit.
    fn of(&mut self, id: u32) -> (Vec<Edge>, bool) {
        let deposit = self.deposits[position(id)];
        let groups = self.index.groups_for(&deposit);
        let odds = ln_ratio(self.model.priors.finish, MILLION - self.model.priors.finish)
            - ln_ratio(u64::try_from(groups.len().max(1)).expect("64 bits"), 1);
        let (mut edges, mut crowded) = (Vec::new(), false);
        for at in &groups {
            let (fitting, too_many) = self.fitting(&deposit, *at);
            crowded |= too_many;
            for withdrawal in fitting {
                if let Some(parts) = self.parts(&deposit, withdrawal, *at, odds) {
                    edges.push(Edge { deposit: id, withdrawal, score: parts.sum(), parts });
                }
            }
        }
        (edges, crowded)
    }

    /// The withdrawals of a group that come at a time and with an amount that can be: those near enough, and those further
    /// away whose recipient fits. Also whether too many were near.
    fn fitting(&mut self, deposit: &Entry, at: usize) -> (Vec<u32>, bool) {
        let group = self.index.group(at);
        let context = Context::new(deposit.protocol, deposit, group.place);
        let look = self.look(context);
        let (fee, latency) = (look.fee.reach, &look.latency);
        let time = |reach: (i64, i64)| {
            let until = reach.1.min(self.window_seconds);
            (deposit.seconds.saturating_add(reach.0), deposit.seconds.saturating_add(until))
        };
        let (from, to) = time(latency.reach);
        let (low, high) = (part(deposit.value, fee.1), part(deposit.value, fee.0));
        let mut fitting = Vec::new();
        let mut crowded = false;
        for hour in group.hours(bucket(from), bucket(to)) {
            let ids = group.between(hour, low, high);
            let in_time = |id: &&u32| (from..=to).contains(&self.withdrawals[position(**id)].seconds);
            fitting.extend(ids.iter().filter(in_time));
            crowded |= fitting.len() > FITTING_MAX;
            if crowded {
                fitting.clear();
                break;
            }
        }
        fitting.extend(self.to_recipient(deposit, at, time(latency.far)));
        fitting.sort_unstable();
        fitting.dedup();
        (fitting, crowded)
    }

    /// The withdrawals in that time to whom the deposit names, or to the sender.
    fn to_recipient(&self, deposit: &Entry, at: usize, time: (i64, i64)) -> Vec<u32> {
        let expected = if deposit.recipient == 0 { deposit.sender } else { deposit.recipient };
        let ids = if expected == 0 { &[][..] } else { self.index.to(at, expected) };
        let first = ids.partition_point(|id| self.withdrawals[position(*id)].seconds < time.0);
        let last = ids.partition_point(|id| self.withdrawals[position(*id)].seconds <= time.1).max(first);
        ids[first..last].iter().take(FITTING_MAX).copied().collect()
    }

    /// What the score of a pair is made of; `None` where it cannot be one, or not a likely one.
    fn parts(&mut self, deposit: &Entry, id: u32, at: usize, odds: i32) -> Option<Parts> {
        let withdrawal = self.withdrawals[position(id)];
        if !may_pair(deposit, &withdrawal) {
            return None;
        }
        let context = Context::new(deposit.protocol.max(withdrawal.protocol), deposit, withdrawal.place);
        let fee = fee_millionths(deposit.value, withdrawal.value)?;
        let seconds = withdrawal.seconds - deposit.seconds;
        let fee_bin = self.model.priors.fee.bin(fee)?;
        let latency_bin = self.model.priors.latency.bin(seconds)?;
        let look = self.look(context);
        let (fee_ln, latency_ln) = (look.fee.ln[fee_bin], look.latency.ln[latency_bin]);
        let relation = Relation::of(deposit, &withdrawal);
        let around = self.around(&withdrawal, at);
        let room = self.room_milli(fee_bin, around.all);
        // As if nobody else fitted, and everybody else had another recipient.
        let chance = if relation.is_equal() { ln_ratio(self.model.priors.chance_equal, MILLION) } else { 0 };
        let true_relation = look.relation(relation);
        let most = fee_ln + latency_ln + odds + true_relation - chance;
        if most - ln_ratio(self.strangers(room, around, latency_bin), MILLION) < SCORE_HOPELESS {
            return None;
        }
        let fitting = room + self.others_milli(deposit, &withdrawal, at, fee_bin);
        let strangers = self.strangers(fitting, around, latency_bin);
        Some(Parts {
            fee: (fee, fee_ln),
            latency: (seconds, latency_ln),
            relation: (relation, self.relation(deposit, &withdrawal, at, (relation, true_relation), fitting)),
            strangers: (strangers, ln_ratio(strangers, MILLION)),
            odds,
        })
    }

    /// How true pairs of a context look; the last answer is kept.
    fn look(&mut self, context: Context) -> Look {
        match &self.memory.look {
            Some(look) if look.context == context => look.clone(),
            _ => self.memory.look.insert(self.model.look(context)).clone(),
        }
    }

    /// What is around a withdrawal.
    fn around(&mut self, withdrawal: &Entry, at: usize) -> Around {
        let hour = bucket(withdrawal.seconds);
        let (index, priors) = (self.index, &self.model.priors);
        *self.memory.around.entry((at, hour)).or_insert_with(|| {
            let hours = (hour - AROUND_HOURS, hour + AROUND_HOURS);
            let all = count(index.group(at).count_all(hours)).max(1);
            let caused =
                count(index.crowd(withdrawal.class, withdrawal.place, hours)).saturating_mul(priors.finish) / all;
            Around { all, strange: MILLION.saturating_sub(caused).max(priors.strangers_least) }
        })
    }

    /// How many strangers one expects in a bin of fees though none was seen, in thousandths: all amounts being as likely.
    fn room_milli(&self, fee_bin: usize, all: u64) -> u64 {
        let (least, most) = self.model.priors.fee.edges(fee_bin);
        // The width in ln of amount, from the two edges as what is left of a million.
        let left = |fee: i64| u64::try_from(1_000_000 - fee).unwrap_or(1).max(1);
        let width = (left(least) - left(most)).saturating_mul(1_000) / left(most);
        (all * 1_000 * width.min(SPREAD_MILLINATS) / SPREAD_MILLINATS).max(FITTING_LEAST_MILLI)
    }

    /// How many strangers one expects in a bin of latency, in millionths, given those that fit by amount.
    fn strangers(&self, fitting_milli: u64, around: Around, latency_bin: usize) -> u64 {
        let (after, until) = self.model.priors.latency.edges(latency_bin);
        let width_seconds = u64::try_from(until - after).unwrap_or(1).max(1);
        let fitting = fitting_milli.saturating_mul(around.strange) / 1_000;
        let strangers = u128::from(fitting) * u128::from(width_seconds) / u128::from(AROUND_SECONDS);
        u64::try_from(strangers).unwrap_or(u64::MAX).max(1)
    }

    /// How many other withdrawals around this one fit by amount, in thousandths.
    fn others_milli(&mut self, deposit: &Entry, withdrawal: &Entry, at: usize, fee_bin: usize) -> u64 {
        let hour = bucket(withdrawal.seconds);
        let (group, bins) = (self.index.group(at), &self.model.priors.fee);
        *self.memory.fitting.entry((at, fee_bin, hour)).or_insert_with(|| {
            let (least, most) = bins.edges(fee_bin);
            let (low, high) = (part(deposit.value, most), part(deposit.value, least));
            let hours = (hour - AROUND_HOURS, hour + AROUND_HOURS);
            count(group.count(hours, low, high)).saturating_sub(1) * 1_000
        })
    }

    /// How much likelier the recipient is in a true pair than among strangers.
    fn relation(
        &self,
        deposit: &Entry,
        withdrawal: &Entry,
        at: usize,
        (relation, true_pair): (Relation, i32),
        fitting_milli: u64,
    ) -> i32 {
        if !relation.is_equal() {
            return true_pair;
        }
        let around = AROUND_HOURS * super::index::BUCKET_SECONDS;
        let ids = self.index.to(at, withdrawal.recipient);
        let first = ids.partition_point(|id| self.withdrawals[position(*id)].seconds < withdrawal.seconds - around);
        let fits = |id: &&u32| {
            let other = &self.withdrawals[position(**id)];
            let fee = fee_millionths(deposit.value, other.value);
            fee.is_some_and(|fee| self.model.priors.fee.bin(fee).is_some())
        };
        let near = |id: &&u32| self.withdrawals[position(**id)].seconds <= withdrawal.seconds + around;
        let same = ids[first..].iter().take_while(near).take(FITTING_MAX).filter(fits).count().saturating_sub(1);
        let same_milli = count(same) * 1_000;
        let chance = same_milli.saturating_mul(MILLION) / (fitting_milli + 1_000) + self.model.priors.chance_equal;
        true_pair - ln_ratio(chance.min(MILLION), MILLION)
    }
}

/// Whether what both sides name allows them to be a pair.
fn may_pair(deposit: &Entry, withdrawal: &Entry) -> bool {
    let both = deposit.protocol != 0 && withdrawal.protocol != 0;
    let protocols = !both || deposit.protocol == withdrawal.protocol;
    let places = withdrawal.other == 0 || withdrawal.other == deposit.place;
    // Two keys of one protocol that were the same would have been a pair already.
    let keys = !both || deposit.key == 0 || withdrawal.key == 0 || deposit.key == withdrawal.key;
    protocols && places && keys
}

fn count(count: usize) -> u64 {
    u64::try_from(count).expect("a count fits 64 bits")
}

/// What is left of an amount after a fee in millionths, saturating.
fn part(value: u128, fee: i64) -> u128 {
    let left = u128::try_from(1_000_000 - fee).unwrap_or(0);
    value / 1_000_000 * left + value % 1_000_000 * left / 1_000_000
}
