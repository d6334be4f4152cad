//! The forward pass: from the seeds to wherever the loot is at the end of the window.
//!
//! One queue of transactions, lowest first; each is visited once, with everything that is stolen in it. A purse that
//! holds loot asks for the next transaction in which it *pays*; deposits into it need no visit, because the ledger
//! tells how much lay in it. Time respect follows: nothing leaves before it arrived.

use std::collections::BTreeMap;

use ledger::{AssetId, End, Kind, Ledger, Leg, PurseId, Seq};
use money::Amount;
use rustc_hash::FxHashMap;

use crate::bridge::Bridges;
use crate::flow::{Edge, Observer, Step};
use crate::label::{LabelId, Portion, Seed, sum_of};
use crate::lots::Order;
use crate::outcome::{Outcome, Reason, Terminal, TerminalKind, Terminals, stop_terminal};
use crate::poisoning::Searched;
use crate::policy::Policy;
use crate::queue::Queue;
use crate::rule::{Parcel, Rule};
use crate::settings::Settings;
use crate::shares::{Class, Haircut, Poison};
use crate::swap::{is_payment, needs_netting};

/// Follows the seeds forward under a policy.
///
/// For policies that are not additive all seeds together are the incident set: the result answers for that set.
pub fn forward<L: Ledger + ?Sized, O: Observer>(
    ledger: &L,
    seeds: &[Seed],
    policy: Policy,
    settings: &Settings,
    observer: &mut O,
) -> Outcome {
    match policy {
        Policy::Poison => run(ledger, seeds, Poison, settings, observer),
        Policy::Haircut => run(ledger, seeds, Haircut, settings, observer),
        Policy::Fifo => run(ledger, seeds, Order::Fifo, settings, observer),
        Policy::Lifo => run(ledger, seeds, Order::Lifo, settings, observer),
        Policy::TaintFirstOut => run(ledger, seeds, Class::First, settings, observer),
        Policy::TaintLastOut => run(ledger, seeds, Class::Last, settings, observer),
        Policy::Tiho => run(ledger, seeds, Class::Highest, settings, observer),
    }
}

fn run<L: Ledger + ?Sized, R: Rule, O: Observer>(
    ledger: &L,
    seeds: &[Seed],
    rule: R,
    settings: &Settings,
    observer: &mut O,
) -> Outcome {
    let mut pass = Pass::new(ledger, seeds, rule, settings);
    pass.run_until(settings.until.unwrap_or_else(|| ledger.end()), observer);
    pass.finish()
}

/// A purse that holds loot.
struct Held<S> {
    state: S,
    /// The transaction last asked for, so that a busy purse asks once and not once a deposit.
    asked: Option<Seq>,
}

/// The state of a trace between two transactions: the frontier, and what has come to rest.
pub(crate) struct Pass<'a, L: ?Sized, R: Rule> {
    pub(crate) ledger: &'a L,
    pub(crate) rule: R,
    pub(crate) settings: &'a Settings,
    pub(crate) outcome: Outcome,
    seeds: Vec<Seed>,
    next_seed: usize,
    purses: FxHashMap<PurseId, Held<R::State>>,
    pub(crate) queue: Queue,
    pub(crate) terminals: Terminals,
    /// What departs and arrives over crossings; nothing where a ledger is traced alone.
    pub(crate) bridges: Bridges<R::State>,
    end: Seq,
    /// Which assets are left aside, as far as it was asked.
    asides: FxHashMap<AssetId, bool>,
    /// What searches for bait have read.
    pub(crate) searched: Searched,
    // Buffers that every transaction uses again.
    legs: Vec<Leg>,
    parcel: Parcel,
    pub(crate) held: Vec<(LabelId, Amount)>,
}

/// One movement that is about to be booked.
#[derive(Clone, Copy)]
pub(crate) struct Movement {
    pub seq: Seq,
    /// Which leg, where it is one; netted movements are not.
    pub leg: Option<usize>,
    pub step: Step,
    pub payer: End,
    pub payee: End,
    pub asset: AssetId,
    pub amount: Amount,
    /// What the payer held just before.
    pub before: Amount,
    /// What the payee held just before.
    pub payee_before: Amount,
    /// Where an output is spent: its purse asks once, when it is made. Accounts ask when the transaction is done.
    pub output_spent: Option<Seq>,
}

impl Movement {
    /// The movement as an observer sees it.
    pub(crate) fn edge<'e>(
        &self,
        held: &'e [(LabelId, Amount)],
        portions: &'e [Portion],
        end: Option<(TerminalKind, Reason)>,
    ) -> Edge<'e> {
        let Self { seq, leg, step, payer, payee, asset, amount, before, .. } = *self;
        Edge { seq, leg, step, payer, payee, asset, amount, before, held, portions, end, departs: false }
    }
}

impl<'a, L: Ledger + ?Sized, R: Rule> Pass<'a, L, R> {
    pub(crate) fn new(ledger: &'a L, seeds: &[Seed], rule: R, settings: &'a Settings) -> Self {
        let mut seeds = seeds.to_vec();
        seeds.sort_unstable();
        Self {
            ledger,
            rule,
            settings,
            outcome: Outcome::default(),
            seeds,
            next_seed: 0,
            purses: FxHashMap::default(),
            queue: Queue::default(),
            terminals: Terminals::default(),
            bridges: Bridges::default(),
            end: Seq(0),
            asides: FxHashMap::default(),
            searched: Searched::default(),
            legs: Vec::new(),
            parcel: Parcel::default(),
            held: Vec::new(),
        }
    }

    /// Runs to `end`, exclusive. Running in several windows gives what one run gives.
    pub(crate) fn run_until<O: Observer>(&mut self, end: Seq, observer: &mut O) {
        self.end = end;
        loop {
            let seed = self.seeds.get(self.next_seed).map(|seed| seed.seq).filter(|seq| *seq < end);
            // What is asked for up to the next seed's transaction, then that one.
            let until = seed.map_or(end, |seq| Seq(seq.0 + 1));
            let Some(seq) = self.queue.pop_before(until).or(seed) else { break };
            let first = self.next_seed;
            let seeded = self.seeds[first..].iter().take_while(|seed| seed.seq == seq).count();
            self.next_seed += seeded;
            self.visit(seq, first..self.next_seed, observer);
        }
    }

    fn visit<O: Observer>(&mut self, seq: Seq, seeds: std::ops::Range<usize>, observer: &mut O) {
        let mut legs = std::mem::take(&mut self.legs);
        self.ledger.transaction(seq, &mut legs);
        if !self.settings.aside.is_empty() {
            self.leave_out(&mut legs);
        }
        let seeds: Vec<Seed> = self.seeds[seeds].to_vec();
        if self.bridges.any() {
            self.open_bridges(seq, &legs);
        }
        match self.ledger.kind() {
            Kind::Utxo => self.visit_pot(seq, &legs, &seeds, observer),
            Kind::Account => {
                self.outcome.visited.push(seq);
                if needs_netting(self.ledger, &legs) {
                    self.visit_netted(seq, &legs, &seeds, observer);
                } else {
                    self.visit_legs(seq, &legs, &seeds, observer);
                }
                self.ask_again(seq, &legs);
            }
        }
        if self.bridges.any() {
            self.close_bridges(seq, observer);
        }
        self.legs = legs;
    }

    /// Empties the legs of assets that are left aside. They stay in their places: legs are known by those.
    fn leave_out(&mut self, legs: &mut [Leg]) {
        for leg in legs {
            let (ledger, aside) = (self.ledger, &self.settings.aside);
            let is_aside = |asset| aside.holds(asset, &ledger.asset(asset).symbol);
            if *self.asides.entry(leg.asset).or_insert_with(|| is_aside(leg.asset)) {
                *leg = Leg { payer: End::Outside, payee: End::Outside, amount: Amount::ZERO, ..*leg };
            }
        }
    }

    /// A UTXO transaction: inputs pour into the pot, outputs and then the fee draw from it.
    fn visit_pot<O: Observer>(&mut self, seq: Seq, legs: &[Leg], seeds: &[Seed], observer: &mut O) {
        let mut pot = R::State::default();
        let mut level = Amount::ZERO;
        for (at, leg) in legs.iter().enumerate().filter(|(_, leg)| leg.payee == End::Pot) {
            if let Some(held) = leg.payer.purse().and_then(|purse| self.purses.remove(&purse)) {
                if O::WATCHES {
                    let movement = movement((seq, at), Step::Input, leg, leg.payer_before);
                    self.report_whole(&movement, &held.state, observer);
                }
                self.outcome.events += 1;
                self.rule.pour(held.state, &mut pot, level);
            }
            level += leg.amount;
        }
        let mut parcel = std::mem::take(&mut self.parcel);
        let is_draw = |at: &usize| legs[*at].payer == End::Pot;
        if self.rule.largest_first() {
            let mut draws: Vec<usize> = (0..legs.len()).filter(is_draw).collect();
            draws.sort_by_key(|at| (legs[*at].payee == End::Fee, std::cmp::Reverse(legs[*at].amount)));
            for at in draws {
                self.draw_leg((seq, at), &legs[at], &mut pot, &mut level, seeds, &mut parcel, observer);
            }
        } else {
            for at in (0..legs.len()).filter(is_draw) {
                self.draw_leg((seq, at), &legs[at], &mut pot, &mut level, seeds, &mut parcel, observer);
            }
        }
        self.parcel = parcel;
    }

    /// One output, or the fee, drawn from the pot.
    #[expect(clippy::too_many_arguments, reason = "the inside of one loop, shared by two orders")]
    fn draw_leg<O: Observer>(
        &mut self,
        (seq, at): (Seq, usize),
        leg: &Leg,
        pot: &mut R::State,
        level: &mut Amount,
        seeds: &[Seed],
        parcel: &mut Parcel,
        observer: &mut O,
    ) {
        let step = if leg.payee == End::Fee { Step::Fee } else { Step::Output };
        self.note_held::<O>(pot, *level);
        self.draw(pot, *level, leg.amount, parcel);
        self.land(seq, Some(at), leg.payee, leg.amount, parcel, observer);
        self.plant(parcel, leg.amount, of_leg(seeds, at));
        let movement = Movement { output_spent: leg.payee_next, ..movement((seq, at), step, leg, *level) };
        self.deliver(&movement, parcel, observer);
        *level -= leg.amount;
    }

    /// An account transaction in which no holder both pays and is paid: leg by leg.
    fn visit_legs<O: Observer>(&mut self, seq: Seq, legs: &[Leg], seeds: &[Seed], observer: &mut O) {
        let mut parcel = std::mem::take(&mut self.parcel);
        if self.rule.largest_first() && legs.len() > 1 {
            for (at, before) in largest_first(legs) {
                self.pay_leg((seq, at), &legs[at], before, seeds, &mut parcel, observer);
            }
        } else {
            for (at, leg) in legs.iter().enumerate() {
                self.pay_leg((seq, at), leg, leg.payer_before, seeds, &mut parcel, observer);
            }
        }
        self.parcel = parcel;
    }

    /// One payment between accounts, out of a purse that holds `before`. A payment to oneself changes nothing.
    fn pay_leg<O: Observer>(
        &mut self,
        (seq, at): (Seq, usize),
        leg: &Leg,
        before: Amount,
        seeds: &[Seed],
        parcel: &mut Parcel,
        observer: &mut O,
    ) {
        if leg.payer == leg.payee {
            return;
        }
        self.take_leg(leg, before, parcel, O::WATCHES);
        self.land(seq, Some(at), leg.payee, leg.amount, parcel, observer);
        self.plant(parcel, leg.amount, of_leg(seeds, at));
        let step = step_of(leg);
        self.deliver(&movement((seq, at), step, leg, before), parcel, observer);
    }

    /// Takes what a leg carries out of a purse: a payment by the policy, a loss of everything alike.
    pub(crate) fn take_leg(&mut self, leg: &Leg, before: Amount, parcel: &mut Parcel, watched: bool) {
        if leg.payee != End::Drift {
            return self.take(leg.payer, before, leg.amount, parcel, watched);
        }
        parcel.clear();
        self.held.clear();
        let Some(purse) = leg.payer.purse() else { return };
        let Some(mut held) = self.purses.remove(&purse) else { return };
        if watched {
            self.note_held_of(&held.state, before);
        }
        if !leg.amount.is_zero() {
            self.rule.shrink(&mut held.state, before, leg.amount, parcel);
        }
        if !R::is_clean(&held.state) {
            self.purses.insert(purse, held);
        }
    }

    /// Takes what a payment carries out of a purse.
    pub(crate) fn take(&mut self, payer: End, before: Amount, amount: Amount, parcel: &mut Parcel, watched: bool) {
        parcel.clear();
        self.held.clear();
        let Some(purse) = payer.purse() else { return };
        let Some(mut held) = self.purses.remove(&purse) else { return };
        if watched {
            self.note_held_of(&held.state, before);
        }
        self.draw(&mut held.state, before, amount, parcel);
        if !R::is_clean(&held.state) {
            self.purses.insert(purse, held);
        }
    }

    fn draw(&self, state: &mut R::State, before: Amount, amount: Amount, parcel: &mut Parcel) {
        // A movement of nothing out of a purse with something in it moves nothing, and flags nothing.
        if R::is_clean(state) || (amount.is_zero() && !before.is_zero()) {
            parcel.clear();
        } else {
            self.rule.withdraw(state, before, amount, parcel);
        }
    }

    /// Marks seeds in an arriving parcel and books the loot that they bring.
    pub(crate) fn plant<'s>(&mut self, parcel: &mut Parcel, moved: Amount, seeds: impl Iterator<Item = &'s Seed>) {
        for seed in seeds {
            let (there, _) = sum_of(&parcel.portions, seed.label);
            // What already is loot of this label is not stolen from the victim once more.
            let amount = seed.amount.min(moved.saturating_sub(there));
            if !amount.is_zero() {
                self.rule.seed(parcel, moved, &Seed { amount, ..*seed });
                *self.outcome.loot.entry(seed.label).or_default() += amount;
            }
            self.uncounted(seed.label, seed.amount - amount);
        }
    }

    pub(crate) fn uncounted(&mut self, label: LabelId, amount: Amount) {
        if !amount.is_zero() {
            *self.outcome.uncounted.entry(label).or_default() += amount;
        }
    }

    /// Brings a parcel to its payee: on into a purse, over a crossing, or to a terminal.
    pub(crate) fn deliver<O: Observer>(&mut self, movement: &Movement, parcel: &mut Parcel, observer: &mut O) {
        if let Some(gate) = self.bridges.gate(movement.payee, movement.asset) {
            // Clean money takes its place among what departs as well.
            self.depart(gate, movement, parcel, observer);
            return;
        }
        if parcel.is_empty() {
            return;
        }
        self.outcome.events += 1;
        count_hop(movement, parcel);
        let end = self.fate(movement, &parcel.portions);
        if O::WATCHES {
            observer.edge(&movement.edge(&self.held, &parcel.portions, end));
        }
        match (end, movement.payee) {
            (Some(end), payee) => {
                for portion in &parcel.portions {
                    let arrived = Portion { since: movement.seq, ..*portion };
                    self.terminals.add(Terminal::of(end, payee.purse(), movement.asset, &arrived));
                }
            }
            (None, End::Purse(purse)) => self.put(purse, movement, parcel),
            (None, _) => unreachable!("only purses are followed"),
        }
    }

    fn put(&mut self, purse: PurseId, movement: &Movement, parcel: &Parcel) {
        if let Some(spender) = movement.output_spent {
            self.queue.push(spender);
        }
        let held = self.purses.entry(purse).or_insert_with(|| {
            if self.ledger.kind() == Kind::Account && !self.ledger.opening(purse).is_zero() {
                self.outcome.incomplete.push(purse);
            }
            Held { state: R::State::default(), asked: None }
        });
        self.rule.deposit(&mut held.state, movement.payee_before, parcel, movement.seq);
    }

    /// Whether the trace ends at a movement, and how.
    fn fate(&mut self, movement: &Movement, portions: &[Portion]) -> Option<(TerminalKind, Reason)> {
        let purse = match movement.payee {
            End::Fee => return Some((TerminalKind::Fee, Reason::Fee)),
            End::Drift => return Some((TerminalKind::Fee, Reason::Drift)),
            End::Outside | End::Pot => return Some((TerminalKind::Unknown, Reason::LeftLedger)),
            End::Purse(purse) => purse,
        };
        if !self.settings.stops.is_empty()
            && let Some(stop) = self.settings.stops.get(&self.ledger.purse(purse).holder)
        {
            return Some((stop_terminal(*stop), Reason::StopRule));
        }
        if self.settings.marks_poisoning && self.is_poisoning(movement) {
            return Some((TerminalKind::Truncated, Reason::Poisoning));
        }
        if self.settings.dust.get(&movement.asset).is_some_and(|dust| movement.amount < *dust) {
            return Some((TerminalKind::Truncated, Reason::BelowDust));
        }
        if let Some(floor) = self.settings.share_floor {
            // A label's loot may come in many lots; its share is that of all of them.
            let mut sums: BTreeMap<LabelId, Amount> = BTreeMap::new();
            for portion in portions {
                *sums.entry(portion.label).or_default() += portion.amount;
            }
            let stolen = sums.into_values().max().unwrap_or_default();
            if floor.is_above(stolen, movement.amount) {
                return Some((TerminalKind::Truncated, Reason::BelowShare));
            }
        }
        None
    }

    /// Every purse of the transaction that holds loot asks for the transaction in which it pays next.
    fn ask_again(&mut self, seq: Seq, legs: &[Leg]) {
        // From the last leg back: what stands on a purse's last leg points past this transaction.
        for leg in legs.iter().rev() {
            for (end, next) in [(leg.payee, leg.payee_next), (leg.payer, leg.payer_next)] {
                let Some(held) = end.purse().and_then(|purse| self.purses.get_mut(&purse)) else { continue };
                if let Some(next) = next.filter(|next| *next > seq && held.asked != Some(*next)) {
                    held.asked = Some(next);
                    self.queue.push(next);
                }
            }
        }
    }

    fn note_held<O: Observer>(&mut self, state: &R::State, balance: Amount) {
        if O::WATCHES {
            self.note_held_of(state, balance);
        }
    }

    pub(crate) fn note_held_of(&mut self, state: &R::State, balance: Amount) {
        let mut content = Vec::new();
        self.rule.content(state, balance, &mut content);
        self.held.clear();
        for portion in content {
            match self.held.last_mut() {
                Some((label, amount)) if *label == portion.label => *amount += portion.amount,
                _ => self.held.push((portion.label, portion.amount)),
            }
        }
    }

    pub(crate) fn report_exchange<O: Observer>(&self, movement: &Movement, parcel: &Parcel, observer: &mut O) {
        if O::WATCHES && !parcel.is_empty() {
            let movement = Movement { step: Step::Exchange, ..*movement };
            observer.edge(&movement.edge(&self.held, &parcel.portions, None));
        }
    }

    fn report_whole<O: Observer>(&mut self, movement: &Movement, state: &R::State, observer: &mut O) {
        let mut content = Vec::new();
        self.rule.content(state, movement.amount, &mut content);
        self.note_held_of(state, movement.amount);
        observer.edge(&movement.edge(&self.held, &content, None));
    }

    /// Books what still lies in purses and closes the account.
    pub(crate) fn finish(mut self) -> Outcome {
        let reason = match self.ledger.kind() {
            Kind::Utxo => Reason::Unspent,
            Kind::Account => Reason::Held,
        };
        let mut content = Vec::new();
        for (purse, held) in &self.purses {
            // The others know what they put there.
            let balance = if R::FLAGS { self.ledger.balance(*purse, self.end) } else { Amount::ZERO };
            content.clear();
            self.rule.content(&held.state, balance, &mut content);
            let asset = self.ledger.purse(*purse).asset;
            for portion in &content {
                self.terminals.find(Terminal::of((TerminalKind::Balance, reason), Some(*purse), asset, portion));
            }
        }
        self.outcome.terminals = self.terminals.into_sorted();
        self.outcome.incomplete.sort_unstable();
        self.outcome.incomplete.dedup();
        self.outcome
    }
}

/// What kind of movement a leg between accounts is.
pub(crate) fn step_of(leg: &Leg) -> Step {
    match leg.payee {
        End::Fee => Step::Fee,
        End::Drift => Step::Drift,
        _ => Step::Transfer,
    }
}

/// One transfer more, unless it is a fee or has not left the transaction that brought it.
pub(crate) fn count_hop(movement: &Movement, parcel: &mut Parcel) {
    for portion in &mut parcel.portions {
        portion.hops += u32::from(!matches!(movement.step, Step::Fee | Step::Drift) && portion.since != movement.seq);
    }
}

/// The seeds of one leg, out of a transaction's seeds in order.
fn of_leg(seeds: &[Seed], leg: usize) -> std::slice::Iter<'_, Seed> {
    let first = seeds.partition_point(|seed| seed.leg < leg);
    let behind = seeds.partition_point(|seed| seed.leg <= leg);
    seeds[first..behind].iter()
}

/// The legs largest first, the fee last, each with what its payer holds in that order. No payer is paid here, so its
/// balance only falls from what it held before its first leg.
fn largest_first(legs: &[Leg]) -> Vec<(usize, Amount)> {
    let mut order: Vec<usize> = (0..legs.len()).collect();
    order.sort_by_key(|at| (!is_payment(&legs[*at]), std::cmp::Reverse(legs[*at].amount)));
    let mut balances: FxHashMap<End, Amount> = FxHashMap::default();
    for leg in legs.iter().rev() {
        balances.insert(leg.payer, leg.payer_before);
    }
    let mut served = Vec::with_capacity(order.len());
    for at in order {
        let balance = balances.entry(legs[at].payer).or_default();
        served.push((at, *balance));
        *balance = balance.saturating_sub(legs[at].amount);
    }
    served
}

fn movement((seq, at): (Seq, usize), step: Step, leg: &Leg, before: Amount) -> Movement {
    Movement {
        seq,
        leg: Some(at),
        step,
        payer: leg.payer,
        payee: leg.payee,
        asset: leg.asset,
        amount: leg.amount,
        before,
        payee_before: leg.payee_before,
        output_spent: None,
    }
}
