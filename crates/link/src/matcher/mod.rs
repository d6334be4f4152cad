//! Links beyond the registry: of payments in and out that no message ties together, which belongs to which.
//!
//! [`match_crossings`] takes what decoders could not pair and the pairs that they could. From the pairs it learns how fees,
//! latencies and recipients of true pairs are spread (`learn`), and which tokens are of one class (`classes`). It looks for
//! candidates in an index of time and amount (`index`), scores each against the strangers around it (`score`), finds the
//! best one-to-one pairing of everything that competes (`assign`) and the chance of each pair (`posterior`). What comes out
//! are claims that a trace weighs by their probability; `docs/methods/bridges.md` says how often they are wrong.
//!
//! It does not decode, knows no price (`swapper` does), and joins no payments: one deposit is answered by one withdrawal.
//! The same crossings in any order give the same claims. What lies far away in time changes nothing.

mod assign;
mod claims;
mod classes;
mod entry;
mod index;
mod learn;
mod logs;
mod posterior;
mod priors;
mod score;
mod solve;

use std::collections::BTreeMap;
use std::fmt;

pub use claims::{METHOD, METHOD_VERSION};
pub use classes::{Classes, Member, TEACHING_PAIRS};
pub use priors::{Bins, Priors, PriorsError};

pub(crate) use claims::claim;
pub(crate) use entry::{Entry, Names, kind};
pub(crate) use index::position;
pub(crate) use learn::Model;
pub(crate) use solve::Found;

use crate::{Claim, Class, Crossing, Direction, Portion, Side};

/// A pair that a message or a registry entry tied together: deposit and withdrawal.
pub type Pair = (Crossing, Crossing);

/// More crossings than these at once are refused: their numbers would not fit.
pub const CROSSINGS_MAX: usize = 1 << 30;

/// What the matcher is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which assets are worth one another.
    pub classes: Classes,
    /// What is believed before any pair was seen.
    pub priors: Priors,
    /// No pair is further apart in time.
    pub window_seconds: i64,
    /// Less likely pairs are not claimed.
    pub least: Portion,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            classes: Classes::built_in(),
            priors: Priors::built_in(),
            window_seconds: 7 * 86_400,
            least: Portion::new(10_000_000).expect("a hundredth is less than one"),
        }
    }
}

/// What was not looked at, or not in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Nothing could be made of so many crossings, because they name no time.
    WithoutTime(usize),
    /// So many crossings of this asset were left out: no class is known for it. Nothing: they name no asset.
    WithoutClass(Option<String>, usize),
    /// So many crossings were left out: their amounts are beyond 128 bits in the common scale, or nothing.
    BadAmount(usize),
    /// So many payments to or from swappers were left out: no time, no known digits, or no price at that time.
    WithoutPrice(usize),
    /// So many refunds were left out: they have no other side.
    Refunds(usize),
    /// Too many withdrawals fit this deposit; only those to the expected recipient were looked at.
    Crowded {
        /// The deposit's transaction.
        tx: String,
    },
    /// So many candidates were left out because their deposits had enough that were better.
    Cut(usize),
    /// So many crossings compete with one another that their best pairing was not proven.
    Greedy {
        /// How many deposits.
        deposits: usize,
        /// How many withdrawals.
        withdrawals: usize,
    },
    /// More crossings than can be numbered; nothing was done.
    TooMany(usize),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WithoutTime(count) => write!(f, "{count} crossings name no time and were not matched"),
            Self::WithoutClass(Some(token), count) => {
                write!(f, "{count} crossings of {token} were not matched: no class of assets is known for it")
            }
            Self::WithoutClass(None, count) => write!(f, "{count} crossings name no asset and were not matched"),
            Self::BadAmount(count) => {
                write!(f, "{count} crossings have an amount of nothing, or beyond 128 bits, and were not matched")
            }
            Self::WithoutPrice(count) => write!(f, "{count} payments have no price at their time and were not matched"),
            Self::Refunds(count) => write!(f, "{count} refunds were not matched"),
            Self::Crowded { tx } => {
                write!(f, "too many withdrawals fit deposit {tx}; only those to the expected recipient were looked at")
            }
            Self::Cut(count) => {
                write!(f, "{count} candidates were left out: their deposits have enough that are better")
            }
            Self::Greedy { deposits, withdrawals } => {
                write!(
                    f,
                    "{deposits} deposits and {withdrawals} withdrawals compete; their pairing is good, and not proven best"
                )
            }
            Self::TooMany(count) => write!(f, "{count} crossings at once are too many; nothing was matched"),
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// Pairs with their chances, ordered by the deposit's time, then the withdrawal's. Over a deposit's, and over a
    /// withdrawal's, probabilities add up to one at most.
    pub claims: Vec<Claim>,
    /// Of each claim, whether it is of the best one-to-one pairing.
    pub chosen: Vec<bool>,
    /// What was left out.
    pub notes: Vec<Note>,
}

/// What deterministic claims teach, as pairs. Claims name no sender, so that recipients are not learnt from them.
pub fn pairs_of(claims: &[Claim]) -> Vec<Pair> {
    let crossing = |claim: &Claim, side: &Side, direction| Crossing {
        direction,
        ledger: side.ledger.clone(),
        tx: side.tx.clone(),
        index: side.index,
        time: side.time,
        protocol: claim.protocol.clone(),
        contract: String::new(),
        token: Some(side.asset.clone()).filter(|asset| !asset.is_empty()),
        units: side.units,
        fee_units: None,
        sender: None,
        recipient: side.holder.clone().filter(|_| direction == Direction::Withdrawal),
        other: None,
        key: None,
        other_tx: None,
    };
    let certain = claims.iter().filter(|claim| claim.class == Class::Deterministic && claim.share == Portion::ONE);
    certain
        .map(|claim| {
            (crossing(claim, &claim.from, Direction::Deposit), crossing(claim, &claim.to, Direction::Withdrawal))
        })
        .collect()
}

/// Finds which withdrawal belongs to which deposit.
pub fn match_crossings(unpaired: &[Crossing], known: &[Pair], options: &Options) -> Matched {
    if unpaired.len().saturating_add(known.len() * 2) > CROSSINGS_MAX {
        return Matched { notes: vec![Note::TooMany(unpaired.len())], ..Matched::default() };
    }
    let mut classes = options.classes.clone();
    classes.learn(known);
    let mut intake = Intake::new(&classes);
    let pairs: Vec<(Option<Entry>, Option<Entry>)> = known
        .iter()
        .map(|(deposit, withdrawal)| (intake.entry(deposit, 0).ok(), intake.entry(withdrawal, 0).ok()))
        .collect();
    let mut sorted: Vec<(u32, &Crossing)> = (0..).zip(unpaired).collect();
    sorted.sort_by(|a, b| (a.1.time, a.1).cmp(&(b.1.time, b.1)));
    let (mut deposits, mut withdrawals, mut left_out) = (Vec::new(), Vec::new(), LeftOut::default());
    for (input, crossing) in sorted {
        match (crossing.direction, intake.entry(crossing, input)) {
            (Direction::Refund, _) => left_out.refunds += 1,
            (_, Err(why)) => left_out.count(crossing, why),
            (Direction::Deposit, Ok(entry)) => deposits.push(entry),
            (Direction::Withdrawal, Ok(entry)) => withdrawals.push(entry),
        }
    }
    let mut model = Model::new(options.priors.clone());
    for pair in &pairs {
        if let (Some(deposit), Some(withdrawal)) = pair {
            model.learn(deposit, withdrawal);
        }
    }
    let answer = pair_up(&deposits, &withdrawals, &mut model, options);
    let mut matched = Matched { notes: left_out.notes(), ..Matched::default() };
    let crossing = |entry: &Entry| &unpaired[position(entry.input)];
    matched.notes.extend(answer.notes(|id| crossing(&deposits[position(id)]).tx.clone()));
    for (found, candidates) in answer.worth(options.least) {
        let (deposit, withdrawal) =
            (&deposits[position(found.edge.deposit)], &withdrawals[position(found.edge.withdrawal)]);
        let (from, to) = (crossing(deposit), crossing(withdrawal));
        let member = to.token.as_ref().and_then(|token| classes.of(&to.ledger, token));
        let gross = member.map(|member| classes::units(member, deposit.value));
        matched.claims.push(claim(from, to, found, candidates, gross));
        matched.chosen.push(found.chosen);
    }
    matched
}

/// Pairs of entries with all that is to be said of them.
pub(crate) struct Answer {
    found: Vec<Found>,
    crowded: Vec<u32>,
    cut: usize,
}

/// Candidates, the best pairing and the chances, for entries in order of time.
pub(crate) fn pair_up(deposits: &[Entry], withdrawals: &[Entry], model: &mut Model, options: &Options) -> Answer {
    let index = index::Index::new(deposits, withdrawals);
    let window_seconds = options.window_seconds;
    let candidates =
        score::Scorer { deposits, withdrawals, index: &index, model, window_seconds, memory: score::Memory::default() }
            .candidates();
    let found = solve::solve(&candidates, withdrawals.len());
    Answer { found, crowded: candidates.crowded, cut: candidates.cut }
}

impl Answer {
    /// Pairs that are likely enough, each with how many such its deposit or its withdrawal has, whichever are more.
    pub(crate) fn worth(&self, least: Portion) -> Vec<(&Found, u32)> {
        let worth: Vec<&Found> = self.found.iter().filter(|found| found.probability >= least).collect();
        let (mut of_deposit, mut of_withdrawal) = (BTreeMap::new(), BTreeMap::new());
        for found in &worth {
            *of_deposit.entry(found.edge.deposit).or_insert(0u32) += 1;
            *of_withdrawal.entry(found.edge.withdrawal).or_insert(0u32) += 1;
        }
        let rivals = |found: &&Found| of_deposit[&found.edge.deposit].max(of_withdrawal[&found.edge.withdrawal]);
        worth.iter().map(|found| (*found, rivals(found))).collect()
    }

    /// What was not looked at in full.
    pub(crate) fn notes(&self, tx: impl Fn(u32) -> String) -> Vec<Note> {
        let mut notes: Vec<Note> = self.crowded.iter().map(|id| Note::Crowded { tx: tx(*id) }).collect();
        if self.cut > 0 {
            notes.push(Note::Cut(self.cut));
        }
        let mut greedy: Vec<(usize, usize)> =
            self.found.iter().filter(|found| !found.best).map(|found| found.component).collect();
        greedy.dedup();
        notes.extend(greedy.into_iter().map(|(deposits, withdrawals)| Note::Greedy { deposits, withdrawals }));
        notes
    }
}

/// Why a crossing is not matched.
#[derive(Clone, Copy)]
enum Why {
    Time,
    Class,
    Amount,
}

/// How many crossings were not matched, and why.
#[derive(Default)]
struct LeftOut {
    time: usize,
    amount: usize,
    refunds: usize,
    class: BTreeMap<Option<String>, usize>,
}

impl LeftOut {
    fn count(&mut self, crossing: &Crossing, why: Why) {
        match why {
            Why::Time => self.time += 1,
            Why::Amount => self.amount += 1,
            Why::Class => *self.class.entry(crossing.token.clone()).or_default() += 1,
        }
    }

    fn notes(self) -> Vec<Note> {
        let some = |count: usize, note: fn(usize) -> Note| (count > 0).then(|| note(count));
        let mut notes = Vec::new();
        notes.extend(some(self.time, Note::WithoutTime));
        notes.extend(some(self.amount, Note::BadAmount));
        notes.extend(some(self.refunds, Note::Refunds));
        notes.extend(self.class.into_iter().map(|(token, count)| Note::WithoutClass(token, count)));
        notes
    }
}

/// Makes entries of crossings.
struct Intake<'a> {
    classes: &'a Classes,
    ledgers: Names<'a>,
    protocols: Names<'a>,
    holders: Names<'a>,
    kinds: Names<'a>,
    keys: Names<'a>,
}

impl<'a> Intake<'a> {
    fn new(classes: &'a Classes) -> Self {
        let empty = Names::default;
        Self { classes, ledgers: empty(), protocols: empty(), holders: empty(), kinds: empty(), keys: empty() }
    }

    fn entry(&mut self, crossing: &'a Crossing, input: u32) -> Result<Entry, Why> {
        let seconds = crossing.time.ok_or(Why::Time)?.micros().div_euclid(1_000_000);
        let token = crossing.token.as_ref().ok_or(Why::Class)?;
        let member = self.classes.of(&crossing.ledger, token).ok_or(Why::Class)?;
        let value = member.value(crossing.units).filter(|value| *value > 0).ok_or(Why::Amount)?;
        let out =
            if crossing.direction == Direction::Deposit { crossing.other.as_ref() } else { Some(&crossing.ledger) };
        let (sender, sender_kind) = self.holder(crossing.sender.as_deref(), crossing.ledger.namespace());
        let namespace = out.map_or("", |ledger| ledger.namespace());
        let (recipient, recipient_kind) = self.holder(crossing.recipient.as_deref(), namespace);
        Ok(Entry {
            input,
            class: member.class,
            place: self.ledgers.number(crossing.ledger.as_str().as_bytes()),
            other: crossing.other.as_ref().map_or(0, |other| self.ledgers.number(other.as_str().as_bytes())),
            protocol: self.protocols.number(crossing.protocol.as_bytes()),
            seconds,
            value,
            sender,
            sender_kind,
            recipient,
            recipient_kind,
            key: self.keys.number(crossing.key.as_deref().unwrap_or_default()),
        })
    }

    fn holder(&mut self, holder: Option<&'a str>, namespace: &'a str) -> (u32, u32) {
        let Some(holder) = holder else { return (0, 0) };
        (self.holders.number(holder.as_bytes()), self.kinds.number(kind(holder, namespace)))
    }
}
