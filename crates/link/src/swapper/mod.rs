//! Instant swappers: of payments to a swapper and payments out of its wallets, which belongs to which.
//!
//! A swapper takes one coin and pays another, and names neither customer nor order on any ledger. What is left is value and
//! time: the payout is worth what was paid in, at the price of the moment less a margin, within hours. So both sides are
//! valued by a table of prices, and then matched as bridges are (`matcher`): fees and latencies as known pairs show them, one
//! partner each, chances against the swapper's other payouts. The method of Yousaf, Kappos and Meiklejohn for `ShapeShift`
//! (USENIX Security 2019), with chances in place of "the only one that fits"; theirs could ask the swapper, ours cannot.
//!
//! Which addresses are a swapper's is the caller's to say (tags). The crossings' `protocol` is the swapper's name; without one
//! a crossing is left out.

mod rates;
mod uturn;

use std::collections::BTreeMap;

pub use rates::{HOLDS_SECONDS, RATES_MAX, Rates};
pub use uturn::{UTurn, WITHIN_MILLIONTHS, WITHIN_SECONDS, u_turns};

use crate::matcher::{
    self, CROSSINGS_MAX, Classes, Entry, Matched, Model, Names, Note, Options, Pair, Priors, kind, position,
};
use crate::{Crossing, Direction};

/// The method's name in claims.
pub const METHOD: &str = "swapper-match";
/// Its version.
pub const METHOD_VERSION: u32 = 1;

const PRIORS: &str = include_str!("../../rules/swap-priors.csv");

/// What is believed of swappers before any pair is known.
pub fn priors() -> Priors {
    Priors::parse(PRIORS).expect("a test reads the built-in table")
}

/// The usual options, with the priors of swappers and a window of a day.
pub fn options() -> Options {
    Options { priors: priors(), window_seconds: 86_400, ..Options::default() }
}

/// Finds which payout belongs to which payment in. What has no price, no time or no known scale is left out and noted.
pub fn match_swaps(unpaired: &[Crossing], known: &[Pair], rates: &Rates, options: &Options) -> Matched {
    if unpaired.len().saturating_add(known.len() * 2) > CROSSINGS_MAX {
        return Matched { notes: vec![Note::TooMany(unpaired.len())], ..Matched::default() };
    }
    let mut intake = Intake { classes: &options.classes, rates, names: Names::default(), coins: BTreeMap::new() };
    let mut model = Model::new(options.priors.clone());
    for (deposit, payout) in known {
        if let (Some(deposit), Some(payout)) = (intake.entry(deposit, 0), intake.entry(payout, 0)) {
            model.learn(&deposit, &payout);
        }
    }
    let mut sorted: Vec<(u32, &Crossing)> = (0..).zip(unpaired).collect();
    sorted.sort_by(|a, b| (a.1.time, a.1).cmp(&(b.1.time, b.1)));
    let (mut deposits, mut payouts, mut without) = (Vec::new(), Vec::new(), 0);
    for (input, crossing) in sorted {
        match (intake.entry(crossing, input), crossing.direction) {
            (Some(entry), Direction::Deposit) => deposits.push(entry),
            (Some(entry), Direction::Withdrawal) => payouts.push(entry),
            _ => without += 1,
        }
    }
    let answer = matcher::pair_up(&deposits, &payouts, &mut model, options);
    let mut matched = Matched::default();
    matched.notes.extend((without > 0).then_some(Note::WithoutPrice(without)));
    let crossing = |entry: &Entry| &unpaired[position(entry.input)];
    matched.notes.extend(answer.notes(|id| crossing(&deposits[position(id)]).tx.clone()));
    for (found, candidates) in answer.worth(options.least) {
        let from = crossing(&deposits[position(found.edge.deposit)]);
        let to = crossing(&payouts[position(found.edge.withdrawal)]);
        let mut claim = matcher::claim(from, to, found, candidates, None);
        METHOD.clone_into(&mut claim.method);
        claim.version = METHOD_VERSION;
        claim.evidence.insert_str(0, "both sides valued by the table of prices; ");
        matched.claims.push(claim);
        matched.chosen.push(found.chosen);
    }
    matched
}

/// Makes entries of crossings: the class is the swapper, the place is the coin, the amount is the value.
struct Intake<'a> {
    classes: &'a Classes,
    rates: &'a Rates,
    names: Names<'a>,
    /// A coin is a token on a ledger.
    coins: BTreeMap<(u32, u32), u32>,
}

impl<'a> Intake<'a> {
    fn entry(&mut self, crossing: &'a Crossing, input: u32) -> Option<Entry> {
        let seconds = crossing.time?.micros().div_euclid(1_000_000);
        let token = crossing.token.as_ref()?;
        let member = self.classes.of(&crossing.ledger, token)?;
        let name = self.classes.name(member.class);
        let price = self.rates.at(&token.to_ascii_lowercase(), seconds).or_else(|| self.rates.at(name, seconds))?;
        // 18 digits of the amount and 9 of the price, less 9: small values keep their digits, large ones fit.
        let value = (member.value(crossing.units)? / 1_000_000).checked_mul(price)? / 1_000;
        let swapper = self.names.number(crossing.protocol.as_bytes());
        let coin = (self.names.number(crossing.ledger.as_str().as_bytes()), self.names.number(token.as_bytes()));
        let next = u32::try_from(self.coins.len() + 1).expect("fewer coins than crossings");
        let place = *self.coins.entry(coin).or_insert(next);
        let namespace = crossing.ledger.namespace();
        let mut holder = |holder: Option<&'a str>| match holder {
            Some(holder) => (self.names.number(holder.as_bytes()), self.names.number(kind(holder, namespace))),
            None => (0, 0),
        };
        let (sender, sender_kind) = holder(crossing.sender.as_deref());
        let (recipient, recipient_kind) = holder(crossing.recipient.as_deref());
        let other = 0;
        let entry = Entry {
            input,
            class: swapper,
            place,
            other,
            protocol: swapper,
            seconds,
            value,
            sender,
            sender_kind,
            recipient,
            recipient_kind,
            key: 0,
        };
        Some(entry).filter(|entry| entry.value > 0 && entry.class > 0)
    }
}
