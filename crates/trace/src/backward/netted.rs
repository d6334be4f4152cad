//! Netted account transactions, backwards: fees first, then arrivals, then payments.
//!
//! The forward pass draws all net payments before anything arrives and pays fees last (`swap`); this undoes it in the
//! opposite order, from the same net changes. Plain payments are followed to their net payer. What a purse received in
//! exchange for something else came last, as one piece, and ends the way.

use ledger::{End, Ledger, Leg, Seq};
use money::Amount;

use super::source::{HopObserver, OriginKind};
use super::want::{Unwind, Want};
use super::{Ask, Movement, Pass, movement};
use crate::flow::Step;
use crate::label::LabelId;
use crate::swap::{Flow, Net, exchanges, fees, flows, nets};

/// What one net payee received, in order of arrival: plain payments one by one, then all that came in exchange.
#[derive(Clone, Copy)]
struct Arrival {
    /// The plain payment; `None` is the exchange.
    flow: Option<usize>,
    payer: End,
    amount: Amount,
    before: Amount,
}

/// What is wanted of an arrival that is undone, before the payment is.
#[derive(Clone, Default)]
struct Undone {
    wants: Vec<Want>,
    /// What was wanted of the payee just after, and what it held just before, for observers.
    held: Vec<(LabelId, Amount)>,
    before: Amount,
}

impl<L: Ledger + ?Sized, R: Unwind> Pass<'_, L, R> {
    /// Visits a transaction by its net effect.
    pub(super) fn visit_netted<O: HopObserver>(&mut self, seq: Seq, legs: &[Leg], observer: &mut O) {
        for (at, leg) in legs.iter().enumerate().filter(|(_, leg)| leg.payer == leg.payee) {
            self.refuse(seq, at, leg.amount);
        }
        let nets = nets(self.ledger, legs);
        let flows = flows(&nets);
        let is_plain: Vec<bool> = exchanges(&nets, &flows).iter().map(Option::is_none).collect();
        let mut wants = std::mem::take(&mut self.wants);
        for (at, before) in fees(&nets, legs).into_iter().rev() {
            let leg = &legs[at];
            let movement = Movement { payer_before: before, ..movement(seq, Step::Fee, leg) };
            wants.clear();
            self.held.clear();
            self.ask_leg(seq, at, leg.amount, &mut wants);
            self.pass_on(&movement, &mut wants, observer);
        }

        let mut undone: Vec<Undone> = vec![Undone::default(); flows.len()];
        for (payee, net) in nets.iter().enumerate() {
            let asks = self.asks_of_net(seq, legs, net);
            if asks.is_empty() && net.end.purse().is_none_or(|purse| !self.purses.contains_key(&purse)) {
                continue;
            }
            let arrivals = arrivals(&nets, &flows, &is_plain, payee);
            let mut parts = vec![Undone::default(); arrivals.len()];
            for (arrival, part) in arrivals.iter().zip(&mut parts).rev() {
                self.undo_arrival::<O>(&arriving(seq, net, arrival), &mut part.wants);
                part.held.clone_from(&self.held);
                part.before = arrival.before;
            }
            self.ask_arrivals(&asks, &arrivals, &mut parts);
            for (arrival, part) in arrivals.iter().zip(parts) {
                if let Some(flow) = arrival.flow {
                    undone[flow] = part;
                } else {
                    self.held = part.held;
                    self.end(&arriving(seq, net, arrival), &part.wants, OriginKind::Exchange, observer);
                }
            }
        }
        self.undo_payments(seq, &nets, &flows, undone, observer);
        self.wants = wants;
    }

    /// Gives the targets of a net payee to its arrivals, first come first served. What a target asks beyond what the
    /// payee received net only passed through.
    fn ask_arrivals(&mut self, asks: &[Ask], arrivals: &[Arrival], parts: &mut [Undone]) {
        for ask in asks {
            let asked = ask.amount.unwrap_or_default();
            let mut left = asked;
            for (arrival, part) in arrivals.iter().zip(&mut *parts) {
                left -= self.rule.ask(&mut part.wants, arrival.amount, ask.label, left);
            }
            self.count(ask.label, asked - left, asked);
        }
    }

    /// Undoes the net payments, last first.
    fn undo_payments<O: HopObserver>(
        &mut self,
        seq: Seq,
        nets: &[Net],
        flows: &[Flow],
        undone: Vec<Undone>,
        observer: &mut O,
    ) {
        let mut left: Vec<Amount> = nets.iter().map(|net| net.before).collect();
        let mut befores = Vec::with_capacity(flows.len());
        for flow in flows {
            befores.push(left[flow.payer]);
            left[flow.payer] = left[flow.payer].saturating_sub(flow.amount);
        }
        for ((flow, payer_before), mut undone) in flows.iter().zip(befores).zip(undone).rev() {
            let (payer, payee) = (&nets[flow.payer], &nets[flow.payee]);
            let movement = Movement {
                seq,
                step: Step::Transfer,
                payer: payer.end,
                payee: payee.end,
                asset: payer.asset,
                amount: flow.amount,
                payer_before,
                payee_before: undone.before,
            };
            self.held = undone.held;
            self.pass_on(&movement, &mut undone.wants, observer);
        }
    }

    /// The targets that name a leg which pays this net payee, each with its amount.
    fn asks_of_net(&self, seq: Seq, legs: &[Leg], net: &Net) -> Vec<Ask> {
        let from = self.asks.partition_point(|ask| ask.seq < seq);
        let here = self.asks[from..].iter().take_while(|ask| ask.seq == seq);
        here.filter_map(|ask| {
            let leg = legs.get(ask.leg).filter(|leg| leg.payer != leg.payee)?;
            let pays_net = (leg.payee, leg.asset) == (net.end, net.asset);
            pays_net.then(|| Ask { amount: Some(ask.amount.unwrap_or(leg.amount)), ..*ask })
        })
        .collect()
    }
}

fn arrivals(nets: &[Net], flows: &[Flow], is_plain: &[bool], payee: usize) -> Vec<Arrival> {
    let mut arrivals = Vec::new();
    let mut before = nets[payee].before;
    for (at, flow) in flows.iter().enumerate().filter(|(at, flow)| flow.payee == payee && is_plain[*at]) {
        arrivals.push(Arrival { flow: Some(at), payer: nets[flow.payer].end, amount: flow.amount, before });
        before += flow.amount;
    }
    let mut exchanged = flows.iter().enumerate().filter(|(at, flow)| flow.payee == payee && !is_plain[*at]);
    if let Some((_, first)) = exchanged.next() {
        let (payer, mut amount) = (first.payer, first.amount);
        let mut is_only = true;
        for (_, flow) in exchanged {
            amount += flow.amount;
            is_only &= flow.payer == payer;
        }
        // Where several paid, none of them is the other side.
        let payer = if is_only { nets[payer].end } else { End::Outside };
        arrivals.push(Arrival { flow: None, payer, amount, before });
    }
    arrivals
}

fn arriving(seq: Seq, net: &Net, arrival: &Arrival) -> Movement {
    Movement {
        seq,
        step: if arrival.flow.is_some() { Step::Transfer } else { Step::Exchange },
        payer: arrival.payer,
        payee: net.end,
        asset: net.asset,
        amount: arrival.amount,
        payer_before: Amount::ZERO,
        payee_before: arrival.before,
    }
}
