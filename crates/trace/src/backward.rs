//! The backward pass: from money that lies somewhere to where it came from (source of funds).
//!
//! The mirror image of the forward pass. One queue of transactions, highest first; each is visited once, its legs last
//! to first, with everything that is wanted of the purses in it. What is wanted of a leg becomes wanted of its payer
//! as the payer's purse stood before. Time respect follows: no money comes from what happened later.
//!
//! Only policies that look at all money alike run backwards: haircut, FIFO and LIFO. For FIFO and LIFO the two passes
//! agree unit by unit; for haircut they are the row and the column of one matrix, up to rounding.
//!
//! Swaps are not followed: what an exchanger received ends as [`OriginKind::Exchange`]. A further question can start
//! from what was given there.

use std::collections::{BTreeMap, BinaryHeap};

use ledger::{AssetId, End, Kind, Ledger, Leg, PurseId, Seq};
use money::Amount;
use rustc_hash::FxHashMap;

use crate::flow::Step;
use crate::label::LabelId;
use crate::lots::Order;
use crate::policy::Policy;
use crate::shares::Haircut;
use crate::swap::needs_netting;

mod netted;
mod source;
mod want;

pub use source::{
    BackwardSettings, Hop, HopObserver, Money, NoWayBack, Origin, OriginKey, OriginKind, Sources, Target,
};
pub use want::Want;

use want::Unwind;

/// Follows targets back to their sources under a policy.
///
/// # Errors
/// Policies that ask "is it stolen?" have no way back.
pub fn backward<L: Ledger + ?Sized, O: HopObserver>(
    ledger: &L,
    targets: &[Target],
    policy: Policy,
    settings: &BackwardSettings,
    observer: &mut O,
) -> Result<Sources, NoWayBack> {
    match policy {
        Policy::Haircut => Ok(Pass::new(ledger, Haircut, settings).run(targets, observer)),
        Policy::Fifo => Ok(Pass::new(ledger, Order::Fifo, settings).run(targets, observer)),
        Policy::Lifo => Ok(Pass::new(ledger, Order::Lifo, settings).run(targets, observer)),
        Policy::Poison | Policy::TaintFirstOut | Policy::TaintLastOut | Policy::Tiho => Err(NoWayBack(policy)),
    }
}

/// A purse of which something is wanted.
struct Wanted<S> {
    state: S,
    /// What it is where no further transaction is looked at: what lay there at the beginning, or at the window's.
    rest: OriginKind,
}

/// A target that names a leg.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ask {
    seq: Seq,
    leg: usize,
    label: LabelId,
    amount: Option<Amount>,
}

/// A target that names a purse's content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Content {
    before: Seq,
    purse: PurseId,
    label: LabelId,
    amount: Option<Amount>,
}

/// One movement that is about to be undone.
#[derive(Clone, Copy)]
struct Movement {
    seq: Seq,
    step: Step,
    payer: End,
    payee: End,
    asset: AssetId,
    amount: Amount,
    /// What the payer held just before.
    payer_before: Amount,
    /// What the payee held just before.
    payee_before: Amount,
}

/// The state of a backward trace between two transactions.
struct Pass<'a, L: ?Sized, R: Unwind> {
    ledger: &'a L,
    rule: R,
    settings: &'a BackwardSettings,
    asks: Vec<Ask>,
    contents: Vec<Content>,
    purses: FxHashMap<PurseId, Wanted<R::State>>,
    /// Transactions to visit, highest first.
    agenda: BinaryHeap<u64>,
    origins: BTreeMap<OriginKey, Origin>,
    sources: Sources,
    // Buffers that every movement uses again.
    legs: Vec<Leg>,
    wants: Vec<Want>,
    small: Vec<Want>,
    held: Vec<(LabelId, Amount)>,
}

impl<'a, L: Ledger + ?Sized, R: Unwind> Pass<'a, L, R> {
    fn new(ledger: &'a L, rule: R, settings: &'a BackwardSettings) -> Self {
        Self {
            ledger,
            rule,
            settings,
            asks: Vec::new(),
            contents: Vec::new(),
            purses: FxHashMap::default(),
            agenda: BinaryHeap::new(),
            origins: BTreeMap::new(),
            sources: Sources::default(),
            legs: Vec::new(),
            wants: Vec::new(),
            small: Vec::new(),
            held: Vec::new(),
        }
    }

    fn run<O: HopObserver>(mut self, targets: &[Target], observer: &mut O) -> Sources {
        for Target { label, money, amount } in targets {
            let (label, amount) = (*label, *amount);
            match *money {
                Money::Content { purse, before } => {
                    let before = before.min(self.ledger.end());
                    self.contents.push(Content { before, purse, label, amount });
                }
                Money::Leg { seq, leg } => {
                    self.asks.push(Ask { seq, leg, label, amount });
                    if seq < self.ledger.end() {
                        self.agenda.push(seq.0);
                    } else {
                        self.count(label, Amount::ZERO, amount.unwrap_or_default());
                    }
                }
            }
        }
        self.asks.sort_unstable();
        self.contents.sort_unstable();
        loop {
            let next = self.agenda.peek().copied();
            // A content is what every later transaction has been undone from.
            if let Some(content) = self.contents.pop_if(|content| next.is_none_or(|seq| seq < content.before.0)) {
                self.ask_content(&content);
                continue;
            }
            let Some(seq) = next else { break };
            while self.agenda.peek() == Some(&seq) {
                self.agenda.pop();
            }
            self.visit(Seq(seq), observer);
        }
        self.finish()
    }

    fn is_before_window(&self, seq: Seq) -> bool {
        self.settings.from.is_some_and(|from| seq < from)
    }

    fn visit<O: HopObserver>(&mut self, seq: Seq, observer: &mut O) {
        let mut legs = std::mem::take(&mut self.legs);
        self.ledger.transaction(seq, &mut legs);
        if self.is_before_window(seq) {
            // Only a target leads here. Its purses are not followed into that time, so it cannot be answered.
            for (at, leg) in legs.iter().enumerate() {
                self.refuse(seq, at, leg.amount);
            }
        } else {
            match self.ledger.kind() {
                Kind::Utxo => self.visit_pot(seq, &legs, observer),
                Kind::Account if needs_netting(self.ledger, &legs) => self.visit_netted(seq, &legs, observer),
                Kind::Account => self.visit_legs(seq, &legs, observer),
            }
            self.look_further(seq, &legs);
        }
        self.refuse_beyond(seq, legs.len());
        self.legs = legs;
    }

    /// An account transaction in which no holder both pays and is paid: leg by leg.
    fn visit_legs<O: HopObserver>(&mut self, seq: Seq, legs: &[Leg], observer: &mut O) {
        let mut wants = std::mem::take(&mut self.wants);
        for (at, leg) in legs.iter().enumerate().rev() {
            if leg.payer == leg.payee {
                self.refuse(seq, at, leg.amount);
                continue;
            }
            let step = if leg.payee == End::Fee { Step::Fee } else { Step::Transfer };
            let movement = movement(seq, step, leg);
            self.undo_arrival::<O>(&movement, &mut wants);
            self.ask_leg(seq, at, leg.amount, &mut wants);
            self.pass_on(&movement, &mut wants, observer);
        }
        self.wants = wants;
    }

    /// A UTXO transaction: what is wanted of the outputs is wanted of the pot, and then of the inputs.
    fn visit_pot<O: HopObserver>(&mut self, seq: Seq, legs: &[Leg], observer: &mut O) {
        let is_input = |leg: &&Leg| leg.payee == End::Pot;
        let poured: Amount = legs.iter().filter(is_input).map(|leg| leg.amount).sum();
        let drawn: Amount = legs.iter().filter(|leg| leg.payer == End::Pot).map(|leg| leg.amount).sum();
        let is_minted = legs.iter().filter(is_input).all(|leg| leg.payer == End::Outside);
        let mut wants = std::mem::take(&mut self.wants);
        let mut pot = R::State::default();
        let mut level = poured.saturating_sub(drawn);
        for (at, leg) in legs.iter().enumerate().rev().filter(|(_, leg)| leg.payer == End::Pot) {
            level += leg.amount;
            let step = if leg.payee == End::Fee { Step::Fee } else { Step::Output };
            // Where all of the pot comes from outside, the output is where it comes into the ledger.
            let payer = if is_minted { End::Outside } else { End::Pot };
            let movement = Movement { payer, payer_before: level, ..movement(seq, step, leg) };
            self.undo_arrival::<O>(&movement, &mut wants);
            self.ask_leg(seq, at, leg.amount, &mut wants);
            if is_minted {
                self.end(&movement, &wants, OriginKind::Outside, observer);
            } else {
                self.report(&movement, &wants, None, observer);
            }
            self.rule.paid(&mut pot, level, leg.amount, &wants);
        }
        level = poured;
        for (at, leg) in legs.iter().enumerate().rev().filter(|(_, leg)| leg.payee == End::Pot) {
            level = level.saturating_sub(leg.amount);
            let movement = Movement { payee_before: level, ..movement(seq, Step::Input, leg) };
            self.note::<O>(&pot, level + leg.amount);
            self.rule.arrived(&mut pot, level, leg.amount, &mut wants);
            self.rule.unpour(leg.amount, &mut wants);
            if is_minted {
                // What the outputs want is booked there; this leg may be a target itself.
                self.ask_minted(&movement, at, &mut wants, observer);
            } else {
                self.ask_leg(seq, at, leg.amount, &mut wants);
                self.pass_on(&movement, &mut wants, observer);
            }
        }
        self.wants = wants;
    }

    /// Books what targets want of money that is minted, besides what is wanted of it already.
    fn ask_minted<O: HopObserver>(&mut self, movement: &Movement, leg: usize, wants: &mut Vec<Want>, observer: &mut O) {
        let before = sums(wants);
        self.ask_leg(movement.seq, leg, movement.amount, wants);
        let more = sums(wants).into_iter().filter_map(|(label, sum)| {
            let known = before.iter().find(|(known, _)| *known == label).map_or(Amount::ZERO, |(_, sum)| *sum);
            let amount = sum - known;
            (!amount.is_zero()).then_some(Want { label, offset: Amount::ZERO, amount, hops: 0 })
        });
        let more: Vec<Want> = more.collect();
        self.end(movement, &more, OriginKind::Outside, observer);
    }

    /// Takes what is wanted of a movement out of what is wanted of its payee.
    fn undo_arrival<O: HopObserver>(&mut self, movement: &Movement, wants: &mut Vec<Want>) {
        wants.clear();
        self.held.clear();
        let Some(mut wanted) = movement.payee.purse().and_then(|purse| self.purses.remove(&purse)) else { return };
        self.note::<O>(&wanted.state, movement.payee_before + movement.amount);
        self.rule.arrived(&mut wanted.state, movement.payee_before, movement.amount, wants);
        if let Some(purse) = movement.payee.purse().filter(|_| !R::is_clear(&wanted.state)) {
            self.purses.insert(purse, wanted);
        }
    }

    /// Hands what is wanted of a movement on to its payer, or books it where the way ends.
    fn pass_on<O: HopObserver>(&mut self, movement: &Movement, wants: &mut Vec<Want>, observer: &mut O) {
        let Some(purse) = movement.payer.purse() else {
            self.end(movement, wants, OriginKind::Outside, observer);
            return;
        };
        for want in wants.iter_mut() {
            want.hops += u32::from(movement.step != Step::Fee);
        }
        let stop = if wants.is_empty() || self.settings.stops.is_empty() {
            None
        } else {
            self.settings.stops.get(&self.ledger.purse(purse).holder)
        };
        if let Some(stop) = stop {
            self.end(movement, wants, OriginKind::of_stop(*stop), observer);
            wants.clear();
        }
        self.cut_small(movement, wants, observer);
        self.report(movement, wants, None, observer);
        // A payment moves a queue's places even where nothing of it is wanted.
        let wanted = if wants.is_empty() {
            self.purses.get_mut(&purse)
        } else {
            let new = || Wanted { state: R::State::default(), rest: OriginKind::Opening };
            Some(self.purses.entry(purse).or_insert_with(new))
        };
        if let Some(wanted) = wanted {
            self.rule.paid(&mut wanted.state, movement.payer_before, movement.amount, wants);
        }
    }

    /// Books what is too little to be followed, label by label, so that labels asked together and apart agree.
    fn cut_small<O: HopObserver>(&mut self, movement: &Movement, wants: &mut Vec<Want>, observer: &mut O) {
        let Some(dust) = self.settings.dust.get(&movement.asset).copied() else { return };
        let sums = sums(wants);
        if sums.iter().all(|(_, sum)| *sum >= dust) {
            return;
        }
        let is_small = |want: &Want| sums.iter().any(|(label, sum)| *label == want.label && *sum < dust);
        let mut small = std::mem::take(&mut self.small);
        small.clear();
        small.extend(wants.iter().filter(|want| is_small(want)));
        wants.retain(|want| !is_small(want));
        self.end(movement, &small, OriginKind::Truncated, observer);
        self.small = small;
    }

    /// Books what comes from where the way ends.
    fn end<O: HopObserver>(&mut self, movement: &Movement, wants: &[Want], kind: OriginKind, observer: &mut O) {
        self.report(movement, wants, Some(kind), observer);
        for want in wants {
            let key = OriginKey {
                label: want.label,
                kind,
                asset: movement.asset,
                payer: movement.payer.purse(),
                payee: movement.payee.purse(),
                seq: Some(movement.seq),
            };
            self.book(key, want);
        }
    }

    fn book(&mut self, key: OriginKey, want: &Want) {
        let origin = self.origins.entry(key).or_insert(Origin { key, amount: Amount::ZERO, hops: want.hops });
        origin.amount += want.amount;
        origin.hops = origin.hops.min(want.hops);
    }

    /// Wants a purse's content as it stands now.
    fn ask_content(&mut self, content: &Content) {
        let Content { before, purse, label, amount } = *content;
        let balance = self.ledger.balance(purse, before);
        let asked = amount.unwrap_or(balance);
        if self.is_before_window(before) {
            self.count(label, Amount::ZERO, asked);
            return;
        }
        let mut wants = std::mem::take(&mut self.wants);
        wants.clear();
        if let Some(wanted) = self.purses.remove(&purse) {
            self.rule.everything(&wanted.state, balance, &mut wants);
        }
        let counted = self.rule.ask(&mut wants, balance, label, asked);
        self.count(label, counted, asked);
        if !wants.is_empty() {
            let mut state = R::State::default();
            self.rule.paid(&mut state, balance, balance, &wants);
            self.purses.insert(purse, Wanted { state, rest: OriginKind::Opening });
            self.look_before(purse, before);
        }
        self.wants = wants;
    }

    /// The targets that name this leg.
    fn asks_of(&self, seq: Seq, leg: usize) -> std::ops::Range<usize> {
        let from = self.asks.partition_point(|ask| (ask.seq, ask.leg) < (seq, leg));
        let count = self.asks[from..].iter().take_while(|ask| (ask.seq, ask.leg) == (seq, leg)).count();
        from..from + count
    }

    fn ask_leg(&mut self, seq: Seq, leg: usize, moved: Amount, wants: &mut Vec<Want>) {
        for at in self.asks_of(seq, leg) {
            let Ask { label, amount, .. } = self.asks[at];
            let asked = amount.unwrap_or(moved);
            let counted = self.rule.ask(wants, moved, label, asked);
            self.count(label, counted, asked);
        }
    }

    /// Counts the targets of a leg that has no answer: nothing moved, or too early.
    fn refuse(&mut self, seq: Seq, leg: usize, moved: Amount) {
        for at in self.asks_of(seq, leg) {
            let Ask { label, amount, .. } = self.asks[at];
            self.count(label, Amount::ZERO, amount.unwrap_or(moved));
        }
    }

    /// Counts targets that name a leg which the transaction does not have.
    fn refuse_beyond(&mut self, seq: Seq, legs: usize) {
        let from = self.asks.partition_point(|ask| (ask.seq, ask.leg) < (seq, legs));
        for at in from..self.asks.partition_point(|ask| ask.seq <= seq) {
            let Ask { label, amount, .. } = self.asks[at];
            self.count(label, Amount::ZERO, amount.unwrap_or_default());
        }
    }

    fn count(&mut self, label: LabelId, counted: Amount, asked: Amount) {
        *self.sources.wanted.entry(label).or_default() += counted;
        let uncounted = asked.saturating_sub(counted);
        if !uncounted.is_zero() {
            *self.sources.uncounted.entry(label).or_default() += uncounted;
        }
    }

    /// Every purse of the transaction of which something is wanted asks for the transaction before.
    fn look_further(&mut self, seq: Seq, legs: &[Leg]) {
        for leg in legs {
            for purse in [leg.payer, leg.payee].into_iter().filter_map(End::purse) {
                self.look_before(purse, seq);
            }
        }
    }

    fn look_before(&mut self, purse: PurseId, before: Seq) {
        let Some(wanted) = self.purses.get_mut(&purse) else { return };
        match self.ledger.previous(purse, before) {
            None => wanted.rest = OriginKind::Opening,
            Some(seq) if self.settings.from.is_some_and(|from| seq < from) => wanted.rest = OriginKind::Window,
            Some(seq) => self.agenda.push(seq.0),
        }
    }

    fn note<O: HopObserver>(&mut self, state: &R::State, balance: Amount) {
        if O::WATCHES {
            let mut wants = Vec::new();
            self.rule.everything(state, balance, &mut wants);
            self.held = sums(&wants);
        }
    }

    fn report<O: HopObserver>(
        &mut self,
        movement: &Movement,
        wants: &[Want],
        end: Option<OriginKind>,
        observer: &mut O,
    ) {
        if wants.is_empty() {
            return;
        }
        self.sources.events += 1;
        if O::WATCHES {
            observer.hop(&Hop {
                seq: movement.seq,
                step: movement.step,
                payer: movement.payer,
                payee: movement.payee,
                asset: movement.asset,
                amount: movement.amount,
                before: movement.payee_before,
                wanted: &self.held,
                wants,
                end,
            });
        }
    }

    /// Books what was in purses when the ledger or the window begins.
    fn finish(mut self) -> Sources {
        let mut wants = Vec::new();
        for (purse, wanted) in std::mem::take(&mut self.purses) {
            // The places within do not matter any more, so neither does the balance.
            self.rule.everything(&wanted.state, Amount::ZERO, &mut wants);
            let asset = self.ledger.purse(purse).asset;
            for want in &wants {
                let kind = wanted.rest;
                let key = OriginKey { label: want.label, kind, asset, payer: None, payee: Some(purse), seq: None };
                self.book(key, want);
            }
        }
        let Self { mut sources, origins, .. } = self;
        sources.origins = origins.into_values().collect();
        sources
    }
}

/// Sums by label of an ordered list of wants.
fn sums(wants: &[Want]) -> Vec<(LabelId, Amount)> {
    let mut sums: Vec<(LabelId, Amount)> = Vec::new();
    for want in wants {
        match sums.last_mut() {
            Some((label, sum)) if *label == want.label => *sum += want.amount,
            _ => sums.push((want.label, want.amount)),
        }
    }
    sums
}

fn movement(seq: Seq, step: Step, leg: &Leg) -> Movement {
    let Leg { payer, payee, asset, amount, payer_before, payee_before, .. } = *leg;
    Movement { seq, step, payer, payee, asset, amount, payer_before, payee_before }
}
