//! How fees, latencies and recipients of true pairs are spread: counts of known pairs, each context leaning on the wider one.
//!
//! A context with few pairs says what the next wider one says: the amount's size within a route, the route, the protocol, all
//! protocols, the priors. Each level is the Dirichlet mean with its parent as base measure and [`LEAN`] pseudo-pairs
//! ("A hierarchical Dirichlet language model", `MacKay` and Peto, 1995). All of it is whole numbers.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::entry::Entry;
use super::logs::ln_ratio;
use super::priors::{Bins, MILLION, Priors};

/// How many pairs of its own a context needs until they weigh as much as the wider context.
const LEAN: u64 = 20;
/// Chances are kept in so many parts.
const PARTS: u64 = 1_000_000_000_000;
/// A bin less likely than this, of [`PARTS`], is not looked into.
const RARE: u64 = PARTS / 10_000;
/// So much, of [`PARTS`], may lie beyond either end of what is looked through in full.
const TAIL: u64 = PARTS / 300;

/// Where a pair belongs. Zero stands for any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Context {
    protocol: u32,
    from: u32,
    to: u32,
    class: u32,
    size: u32,
    level: u8,
}

impl Context {
    /// That of a deposit, by a protocol (zero: not known), to a place.
    pub fn new(protocol: u32, deposit: &Entry, to: u32) -> Self {
        let size = deposit.value.max(1).ilog2() / 2;
        Self { protocol, from: deposit.place, to, class: deposit.class, size, level: 4 }
    }

    /// The same without the amount and the class.
    pub fn route(self) -> Self {
        Self { size: 0, class: 0, level: 2, ..self }
    }

    /// The same for the protocol alone.
    pub fn protocol(self) -> Self {
        Self { from: 0, to: 0, ..self.route() }.at(1)
    }

    fn at(self, level: u8) -> Self {
        Self { level, ..self }
    }

    /// The next wider; none above the widest.
    fn wider(self) -> Option<Self> {
        match self.level {
            4 => Some(Self { size: 0, level: 3, ..self }),
            3 => Some(self.route()),
            2 => Some(self.protocol()),
            1 => Some(Self::default()),
            _ => None,
        }
    }
}

/// The chances of each bin in a context.
#[derive(Clone, Debug)]
pub struct Spread {
    /// ln of each, in thousandths of a nat.
    pub ln: Vec<i32>,
    /// The lowest and the highest value between which nearly all pairs lie.
    pub reach: (i64, i64),
    /// The same for what is worth looking at where the recipient fits.
    pub far: (i64, i64),
}

/// Which part of [`PARTS`] a weight is.
fn share(weight: u64, sum: u64) -> u64 {
    let parts = u128::from(weight) * u128::from(PARTS) / u128::from(sum.max(1));
    u64::try_from(parts).expect("a weight is no more than the sum")
}

/// How many bins at this end hold no more than [`TAIL`] together.
fn beyond<'a>(chances: impl Iterator<Item = &'a u64>) -> usize {
    let sums = chances.scan(0, |sum, chance| {
        *sum += chance;
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= TAIL).count()
}

/// Counts in bins, by context.
#[derive(Debug)]
struct Histogram {
    counts: FxHashMap<Context, Vec<u64>>,
    spreads: FxHashMap<Context, Rc<Spread>>,
    bins: Bins,
}

impl Histogram {
    fn new(bins: &Bins) -> Self {
        Self { counts: FxHashMap::default(), spreads: FxHashMap::default(), bins: bins.clone() }
    }

    fn count(&mut self, context: Context, value: i64) {
        let Some(bin) = self.bins.bin(value) else { return };
        let mut next = Some(context);
        while let Some(context) = next {
            self.counts.entry(context).or_insert_with(|| vec![0; self.bins.uppers.len()])[bin] += 1;
            next = context.wider();
        }
    }

    /// Of [`PARTS`], those of each bin.
    fn chances(&self, context: Context) -> Vec<u64> {
        let wider = match context.wider() {
            Some(wider) => self.chances(wider),
            None => {
                let sum: u64 = self.bins.weights.iter().sum();
                self.bins.weights.iter().map(|weight| share(*weight, sum)).collect()
            }
        };
        let Some(counts) = self.counts.get(&context) else { return wider };
        let all: u64 = counts.iter().sum();
        let mean = |(count, base): (&u64, u64)| {
            let parts = u128::from(*count) * u128::from(PARTS) + u128::from(LEAN) * u128::from(base);
            u64::try_from(parts / u128::from(all + LEAN)).expect("a mean of parts of PARTS")
        };
        counts.iter().zip(wider).map(mean).collect()
    }

    fn spread(&mut self, context: Context) -> Rc<Spread> {
        if !self.spreads.contains_key(&context) {
            let chances = self.chances(context);
            let worth = |chance: &u64| *chance >= RARE;
            let first = chances.iter().position(worth).unwrap_or(0);
            let last = chances.iter().rposition(worth).unwrap_or(0);
            let far = (self.bins.edges(first).0, self.bins.edges(last).1);
            let low = beyond(chances.iter());
            let high = chances.len() - 1 - beyond(chances.iter().rev());
            let reach = (self.bins.edges(low.min(high)).0, self.bins.edges(high).1);
            let ln = chances.iter().map(|chance| ln_ratio(*chance, PARTS)).collect();
            self.spreads.insert(context, Rc::new(Spread { ln, reach, far }));
        }
        Rc::clone(&self.spreads[&context])
    }
}

/// Pairs that paid the expected recipient, of all with one.
#[derive(Debug, Default)]
struct Equals {
    counts: FxHashMap<Context, (u64, u64)>,
}

impl Equals {
    fn count(&mut self, context: Context, equal: bool) {
        for context in [context.protocol(), Context::default()] {
            let (same, all) = self.counts.entry(context).or_default();
            *same += u64::from(equal);
            *all += 1;
        }
    }

    /// Of a million, those that are equal.
    fn share(&self, context: Context, prior: u64) -> u64 {
        [Context::default(), context.protocol()].iter().fold(prior, |wider, context| {
            let (same, all) = self.counts.get(context).copied().unwrap_or_default();
            (same * MILLION + LEAN * wider) / (all + LEAN)
        })
    }
}

/// How a withdrawal's recipient stands to a deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// The deposit names a recipient, and it is he.
    ToldEqual,
    /// The deposit names a recipient, and it is another.
    ToldOther,
    /// No recipient is named; it is the sender.
    SenderEqual,
    /// No recipient is named, and it is not the sender.
    SenderOther,
    /// Nobody can say.
    Unknown,
}

impl Relation {
    const ALL: [Self; 5] = [Self::ToldEqual, Self::ToldOther, Self::SenderEqual, Self::SenderOther, Self::Unknown];

    /// That of two sides.
    pub fn of(deposit: &Entry, withdrawal: &Entry) -> Self {
        if withdrawal.recipient == 0 {
            return Self::Unknown;
        }
        if deposit.recipient != 0 {
            return if deposit.recipient == withdrawal.recipient { Self::ToldEqual } else { Self::ToldOther };
        }
        if deposit.sender == 0 {
            return Self::Unknown;
        }
        // Addresses of two kinds of ledger never look alike: that says nothing.
        match (deposit.sender == withdrawal.recipient, deposit.sender_kind == withdrawal.recipient_kind) {
            (true, _) => Self::SenderEqual,
            (false, true) => Self::SenderOther,
            (false, false) => Self::Unknown,
        }
    }

    /// Whether the money came out where it was expected.
    pub fn is_equal(self) -> bool {
        matches!(self, Self::ToldEqual | Self::SenderEqual)
    }
}

/// How true pairs of one context look.
#[derive(Clone, Debug)]
pub struct Look {
    /// Which.
    pub context: Context,
    /// How fees are spread.
    pub fee: Rc<Spread>,
    /// How latencies are spread.
    pub latency: Rc<Spread>,
    relations: [i32; 5],
}

impl Look {
    /// ln of how likely a true pair's recipient stands so to the deposit, in thousandths of a nat.
    pub fn relation(&self, relation: Relation) -> i32 {
        Relation::ALL.iter().zip(self.relations).find(|(known, _)| **known == relation).map_or(0, |(_, ln)| ln)
    }
}

/// What is known of true pairs.
#[derive(Debug)]
pub struct Model {
    /// Before anything was seen.
    pub priors: Priors,
    fee: Histogram,
    latency: Histogram,
    told: Equals,
    sender: Equals,
}

impl Model {
    /// Without pairs.
    pub fn new(priors: Priors) -> Self {
        let (fee, latency) = (Histogram::new(&priors.fee), Histogram::new(&priors.latency));
        Self { priors, fee, latency, told: Equals::default(), sender: Equals::default() }
    }

    /// Counts a true pair.
    pub fn learn(&mut self, deposit: &Entry, withdrawal: &Entry) {
        let protocol = if deposit.protocol == 0 { withdrawal.protocol } else { deposit.protocol };
        let context = Context::new(protocol, deposit, withdrawal.place);
        let fee = fee_millionths(deposit.value, withdrawal.value);
        if let Some(fee) = fee.filter(|_| deposit.class == withdrawal.class) {
            self.fee.count(context, fee);
        }
        self.latency.count(context.route(), withdrawal.seconds - deposit.seconds);
        match Relation::of(deposit, withdrawal) {
            Relation::ToldEqual => self.told.count(context, true),
            Relation::ToldOther => self.told.count(context, false),
            Relation::SenderEqual => self.sender.count(context, true),
            Relation::SenderOther => self.sender.count(context, false),
            Relation::Unknown => {}
        }
    }

    /// How true pairs of a context look.
    pub fn look(&mut self, context: Context) -> Look {
        let relations = Relation::ALL.map(|relation| self.relation(context, relation));
        Look { context, fee: self.fee.spread(context), latency: self.latency.spread(context.route()), relations }
    }

    /// ln of how likely a true pair stands so, in thousandths of a nat.
    fn relation(&self, context: Context, relation: Relation) -> i32 {
        let told = || self.told.share(context, self.priors.told_equal);
        let sender = || self.sender.share(context, self.priors.sender_equal);
        match relation {
            Relation::ToldEqual => ln_ratio(told(), MILLION),
            Relation::ToldOther => ln_ratio((MILLION - told()).max(1), MILLION),
            Relation::SenderEqual => ln_ratio(sender(), MILLION),
            Relation::SenderOther => ln_ratio((MILLION - sender()).max(1), MILLION),
            Relation::Unknown => 0,
        }
    }
}

/// What lacks of the first amount in the second, in millionths of the first, rounded up. Below zero: more came out.
pub fn fee_millionths(paid: u128, got: u128) -> Option<i64> {
    let shift = (128 - paid.max(got).leading_zeros()).saturating_sub(100);
    let signed = |amount: u128| i128::try_from(amount >> shift).expect("at most 100 bits are left");
    let (paid, got) = (signed(paid), signed(got));
    if paid == 0 {
        return None;
    }
    let fee = (paid - got) * 1_000_000;
    i64::try_from(fee.div_euclid(paid) + i128::from(fee.rem_euclid(paid) != 0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(value: u128, seconds: i64) -> Entry {
        Entry { value, seconds, protocol: 1, place: 1, class: 1, recipient: 7, ..Entry::default() }
    }

    #[test]
    fn fees_are_rounded_up_and_know_no_overflow() {
        assert_eq!(fee_millionths(1_000_000, 999_600), Some(400));
        assert_eq!(fee_millionths(3, 3), Some(0));
        assert_eq!(fee_millionths(u128::MAX, u128::MAX - 1), Some(0));
        assert_eq!(fee_millionths(10_000_000, 9_999_999), Some(1));
        assert_eq!(fee_millionths(1_000_000, 1_000_100), Some(-100));
        assert_eq!(fee_millionths(0, 1), None);
        assert_eq!(fee_millionths(1, u128::MAX), None);
    }

    #[test]
    fn chances_add_up_and_follow_the_pairs() {
        let mut model = Model::new(Priors::built_in());
        let deposit = entry(10u128.pow(18), 0);
        let context = Context::new(1, &deposit, 2);
        let before = model.look(context).fee.ln.clone();
        let mut model = Model::new(Priors::built_in());
        for _ in 0..100 {
            model.learn(&deposit, &Entry { place: 2, ..entry(10u128.pow(18) - 4 * 10u128.pow(14), 300) });
        }
        let bin = model.priors.fee.bin(400).unwrap();
        assert!(model.look(context).fee.ln[bin] > -200, "nearly all fees are alike");
        assert!(before[bin] < -2000);
        let elsewhere = Context::new(9, &entry(10u128.pow(20), 0), 3);
        assert!(model.look(elsewhere).fee.ln[bin] > before[bin], "other protocols learn from the pool");
        let chances = model.fee.chances(context);
        let sum: u64 = chances.iter().sum();
        assert!(PARTS - sum < PARTS / 100_000, "{sum}");
        assert_eq!(model.look(context).fee.reach.1, 400);
    }

    #[test]
    fn a_recipient_of_another_kind_of_ledger_says_nothing() {
        let deposit = Entry { recipient: 0, sender: 5, sender_kind: 1, ..entry(1, 0) };
        let paid = |recipient, recipient_kind| Entry { recipient, recipient_kind, ..entry(1, 0) };
        assert_eq!(Relation::of(&deposit, &paid(5, 1)), Relation::SenderEqual);
        assert_eq!(Relation::of(&deposit, &paid(6, 1)), Relation::SenderOther);
        assert_eq!(Relation::of(&deposit, &paid(6, 2)), Relation::Unknown);
        assert_eq!(Relation::of(&deposit, &paid(0, 0)), Relation::Unknown);
        assert_eq!(Relation::of(&entry(1, 0), &paid(7, 2)), Relation::ToldEqual);
    }
}
