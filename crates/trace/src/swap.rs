//! Atomic netting: what an account transaction did in effect, and swaps.
//!
//! Where a holder both pays and is paid within one transaction, the movements inside are treasury: routers, flash
//! loans, aggregators. Only the net change of each (holder, asset) counts (TRACING rules, "EVM transaction = atomic
//! netting first"). A holder whose net is down in one asset and up in another has *exchanged*:
//!
//! * what an exchanger gave turns into what it received (its proceeds), origin kept;
//! * what somebody else paid to an exchanger passes through it, to those who got what the exchanger gave;
//! * the pool on the other side of a swap is an exchanger as well: it never becomes tainted by a customer's loot.
//!
//! Where several assets stand on one side and no price is known, each is given the same weight, and the transaction
//! is listed among the outcome's problems.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{AssetId, End, HolderId, Ledger, Leg, PurseId, Seq};
use money::Amount;
use rustc_hash::FxHashMap;

use crate::flow::{Observer, Step};
use crate::forward::{Movement, Pass, step_of};
use crate::label::{Seed, sum_of};
use crate::rule::{Parcel, Rule, convert};

/// Past so many net payments a transaction is a batch and no swap: everybody is paid, nobody exchanges. Matching what
/// exchangers gave and got takes the square of the payments; a swap through many pools has some hundreds.
pub(crate) const SWAP_FLOWS_MAX: usize = 4_096;

/// The net change of one purse, or of the outside in one asset.
#[derive(Clone, Debug)]
pub(crate) struct Net {
    pub end: End,
    holder: Option<HolderId>,
    pub asset: AssetId,
    /// What it held when the transaction began.
    pub before: Amount,
    paid: Amount,
    got: Amount,
    /// What deliveries of this transaction have brought so far.
    filled: Amount,
}

impl Net {
    fn given(&self) -> Amount {
        self.paid.saturating_sub(self.got)
    }

    pub(crate) fn received(&self) -> Amount {
        self.got.saturating_sub(self.paid)
    }
}

/// `amount` of one asset that goes from one net payer to one net payee.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub payer: usize,
    pub payee: usize,
    pub amount: Amount,
    /// What of it the payee still has to be given a content for.
    open: Amount,
}

/// A parcel that took part in an exchange, on its way to the other side.
struct Exchanged {
    exchanger: HolderId,
    /// Whether the exchanger's own money was exchanged, or somebody else's passed through.
    own: bool,
    flow: usize,
    asset: AssetId,
    amount: Amount,
    parcel: Parcel,
}

/// Whether a leg is a payment; fees, what a producer gets of them and drift are not.
pub(crate) fn is_payment(leg: &Leg) -> bool {
    let is_aside = |end: End| matches!(end, End::Fee | End::Drift);
    !is_aside(leg.payer) && !is_aside(leg.payee)
}

/// Who stands behind an end of a leg. A token that is minted or burnt comes from, or goes back to, its own contract: so
/// wrapping, shares of a pool and receipts of a vault have another side like any swap.
fn holder_of<L: Ledger + ?Sized>(ledger: &L, end: End, asset: AssetId) -> Option<HolderId> {
    match end {
        End::Purse(purse) => Some(ledger.purse(purse).holder),
        End::Outside => {
            let (_, contract) = ledger.asset(asset).symbol.split_once("/erc20:")?;
            ledger.find_holder(contract)
        }
        _ => None,
    }
}

/// Whether some holder both pays and is paid, fees and drift aside.
pub(crate) fn needs_netting<L: Ledger + ?Sized>(ledger: &L, legs: &[Leg]) -> bool {
    if legs.iter().filter(|leg| is_payment(leg)).nth(1).is_none() {
        return false;
    }
    let payments = || legs.iter().filter(|leg| is_payment(leg));
    let mut payers: Vec<HolderId> = payments().filter_map(|leg| holder_of(ledger, leg.payer, leg.asset)).collect();
    payers.sort_unstable();
    payments()
        .filter_map(|leg| holder_of(ledger, leg.payee, leg.asset))
        .any(|payee| payers.binary_search(&payee).is_ok())
}

impl<L: Ledger + ?Sized, R: Rule> Pass<'_, L, R> {
    /// Visits a transaction by its net effect.
    pub(crate) fn visit_netted<O: Observer>(&mut self, seq: Seq, legs: &[Leg], seeds: &[Seed], observer: &mut O) {
        let nets = nets(self.ledger, legs);
        let mut flows = flows(&nets);
        let exchanges = exchanges(&nets, &flows);
        self.landings_are_netted(|purse| {
            nets.iter().any(|net| net.end == End::Purse(purse) && !net.received().is_zero())
        });

        // All payments first, all arrivals after: the transaction is one moment.
        let places: FxHashMap<(End, AssetId), usize> =
            nets.iter().enumerate().map(|(at, net)| ((net.end, net.asset), at)).collect();
        let mut arrivals: Vec<(Movement, Parcel)> = Vec::new();
        let mut exchanged: Vec<Exchanged> = Vec::new();
        let mut left: Vec<Amount> = nets.iter().map(|net| net.before).collect();
        for (at, flow) in flows.iter_mut().enumerate() {
            let (payer, payee) = (&nets[flow.payer], &nets[flow.payee]);
            let mut parcel = Parcel::default();
            self.take(payer.end, left[flow.payer], flow.amount, &mut parcel, O::WATCHES);
            self.land_through(seq, (payer.end, payer.asset), flow.amount, &mut parcel, observer);
            let before = left[flow.payer];
            left[flow.payer] = before.saturating_sub(flow.amount);
            let movement = Movement {
                seq,
                leg: None,
                step: Step::Transfer,
                payer: payer.end,
                payee: payee.end,
                asset: payer.asset,
                amount: flow.amount,
                before,
                payee_before: Amount::ZERO,
                output_spent: None,
            };
            if let Some((exchanger, own)) = exchanges[at] {
                self.report_exchange(&movement, &parcel, observer);
                exchanged.push(Exchanged { exchanger, own, flow: at, asset: payer.asset, amount: flow.amount, parcel });
            } else {
                flow.open = Amount::ZERO;
                arrivals.push((movement, parcel));
            }
        }
        let mut nets = nets;
        let mut seeds = seeds.to_vec();
        arrivals.extend(self.exchange(seq, &nets, &mut flows, exchanged));
        for (movement, parcel) in arrivals {
            let net = places.get(&(movement.payee, movement.asset)).map(|at| &mut nets[*at]);
            self.arrive(net, movement, parcel, &mut seeds, observer);
        }
        for net in &mut nets {
            // Loot that came in without anything traced: what an exchanger received for clean money, and the like.
            let rest = net.received().saturating_sub(net.filled);
            let movement = Movement {
                seq,
                leg: None,
                step: Step::Transfer,
                payer: End::Outside,
                payee: net.end,
                asset: net.asset,
                amount: rest,
                before: Amount::ZERO,
                payee_before: Amount::ZERO,
                output_spent: None,
            };
            if !rest.is_zero() {
                self.arrive(Some(net), movement, Parcel::default(), &mut seeds, observer);
            }
        }
        for seed in seeds {
            self.uncounted(seed.label, seed.amount);
        }
        self.pay_fees(seq, legs, &nets, observer);
    }

    /// Books an arrival on top of what the purse held and of what this transaction already brought.
    fn arrive<O: Observer>(
        &mut self,
        net: Option<&mut Net>,
        mut movement: Movement,
        mut parcel: Parcel,
        seeds: &mut Vec<Seed>,
        observer: &mut O,
    ) {
        if let Some(net) = net {
            movement.payee_before = net.before + net.filled;
            net.filled += movement.amount;
        }
        self.land(movement.seq, None, movement.payee, movement.amount, &mut parcel, observer);
        let here: Vec<Seed> = seeds.iter().filter(|seed| movement.payee == End::Purse(seed.purse)).copied().collect();
        for seed in here {
            // What already is loot of this label leaves the seed for a later arrival.
            let (there, _) = sum_of(&parcel.portions, seed.label);
            let amount = seed.amount.min(movement.amount.saturating_sub(there));
            self.plant(&mut parcel, movement.amount, std::iter::once(&Seed { amount, ..seed }));
            if let Some(open) = seeds.iter_mut().find(|open| **open == seed) {
                open.amount -= amount;
            }
        }
        seeds.retain(|seed| !seed.amount.is_zero());
        self.deliver(&movement, &mut parcel, observer);
    }

    /// Turns what exchangers gave, or what was paid through them, into what stands on the other side.
    fn exchange(
        &mut self,
        seq: Seq,
        nets: &[Net],
        flows: &mut [Flow],
        parts: Vec<Exchanged>,
    ) -> Vec<(Movement, Parcel)> {
        let mut arrivals = Vec::new();
        let mut given = given_by(nets, flows, &parts);
        // What passes through is served first: the exchanger's own proceeds are the rest of what it received.
        let (own, through): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part.own);
        for part in through.into_iter().chain(own) {
            let targets = if part.own {
                open_flows(flows, |flow| nets[flow.payee].holder == Some(part.exchanger))
            } else {
                behind(nets, flows, part.exchanger)
            };
            if targets.is_empty() {
                arrivals.push(returned(seq, nets, flows, part));
                continue;
            }
            for (at, movement, parcel) in self.spread(seq, nets, flows, &part, &mut given, &targets) {
                flows[at].open -= movement.amount;
                arrivals.push((movement, parcel));
            }
        }
        arrivals
    }

    /// Spreads one parcel over its targets: equal weight per asset, in order within an asset.
    fn spread(
        &mut self,
        seq: Seq,
        nets: &[Net],
        flows: &[Flow],
        part: &Exchanged,
        given: &mut BTreeMap<(bool, HolderId, AssetId), Amount>,
        targets: &[usize],
    ) -> Vec<(usize, Movement, Parcel)> {
        let assets: BTreeSet<AssetId> = targets.iter().map(|at| nets[flows[*at].payee].asset).collect();
        // Parts come asset by asset, so the assets that still share what was received are this one and later ones.
        let sources = given.keys().filter(|(own, holder, _)| (*own, *holder) == (part.own, part.exchanger));
        let sources_left = sources.clone().filter(|(_, _, asset)| *asset >= part.asset).count() as u128;
        if assets.len() > 1 || sources.count() > 1 {
            self.outcome.weighed.push(seq);
        }
        let given_left = given.get_mut(&(part.own, part.exchanger, part.asset)).expect("every part was counted");
        let weight = Amount::new(given_left.units().saturating_mul(sources_left));
        *given_left -= part.amount;
        let own_net = |net: &&Net| net.holder == Some(part.exchanger) && net.asset == part.asset;
        let payer = nets.iter().find(own_net).map_or(End::Outside, |net| net.end);

        let mut arrivals = Vec::new();
        // The parcel as a temporary purse, from which each asset takes an equal part.
        let mut source = R::State::default();
        self.rule.deposit(&mut source, Amount::ZERO, &part.parcel, seq);
        let mut left = part.amount;
        for (turn, asset) in assets.iter().enumerate() {
            let turns_left = Amount::new((assets.len() - turn) as u128);
            let taken = left.share(Amount::new(1), turns_left);
            let mut parcel = self.draw_from(&mut source, left, taken);
            left -= taken;
            let here: Vec<usize> =
                targets.iter().filter(|at| nets[flows[**at].payee].asset == *asset).copied().collect();
            let all: Amount = here.iter().map(|at| flows[*at].open).sum();
            // As much of what was received as this part is of what was given.
            let out = all.share(part.amount, weight);
            self.rule.convert(&mut parcel, taken, out);
            let mut pot = R::State::default();
            self.rule.deposit(&mut pot, Amount::ZERO, &parcel, seq);
            let mut level = out;
            for at in here {
                let amount = level.min(flows[at].open);
                let slice = self.draw_from(&mut pot, level, amount);
                level -= amount;
                arrivals.push((at, swap_movement(seq, payer, nets[flows[at].payee].end, *asset, amount), slice));
            }
        }
        arrivals
    }

    fn draw_from(&self, state: &mut R::State, before: Amount, amount: Amount) -> Parcel {
        let mut parcel = Parcel::default();
        if !R::is_clean(state) {
            self.rule.withdraw(state, before, amount, &mut parcel);
        }
        parcel
    }

    fn pay_fees<O: Observer>(&mut self, seq: Seq, legs: &[Leg], nets: &[Net], observer: &mut O) {
        let mut parcel = Parcel::default();
        for (at, before) in fees(nets, legs) {
            let leg = &legs[at];
            self.take_leg(leg, before, &mut parcel, O::WATCHES);
            let movement = Movement {
                seq,
                leg: Some(at),
                step: step_of(leg),
                payer: leg.payer,
                payee: leg.payee,
                asset: leg.asset,
                amount: leg.amount,
                before,
                payee_before: Amount::ZERO,
                output_spent: None,
            };
            self.deliver(&movement, &mut parcel, observer);
        }
    }
}

/// What each purse of a transaction held when it began: what it held at the first leg that touches it, fees and all.
fn balances_before(legs: &[Leg]) -> FxHashMap<PurseId, Amount> {
    let mut balances = FxHashMap::default();
    for leg in legs {
        for (end, before) in [(leg.payer, leg.payer_before), (leg.payee, leg.payee_before)] {
            if let Some(purse) = end.purse() {
                balances.entry(purse).or_insert(before);
            }
        }
    }
    balances
}

/// Net changes by purse, in order of first appearance; fees and drift aside.
pub(crate) fn nets<L: Ledger + ?Sized>(ledger: &L, legs: &[Leg]) -> Vec<Net> {
    let balances = balances_before(legs);
    let mut nets: Vec<Net> = Vec::new();
    let mut places = FxHashMap::default();
    for leg in legs.iter().filter(|leg| is_payment(leg) && leg.payer != leg.payee) {
        for (end, pays) in [(leg.payer, true), (leg.payee, false)] {
            let key: (Option<PurseId>, AssetId) = (end.purse(), leg.asset);
            let at = *places.entry(key).or_insert_with(|| {
                nets.push(Net {
                    end,
                    holder: holder_of(ledger, end, leg.asset),
                    asset: leg.asset,
                    before: end.purse().map_or(Amount::ZERO, |purse| balances[&purse]),
                    paid: Amount::ZERO,
                    got: Amount::ZERO,
                    filled: Amount::ZERO,
                });
                nets.len() - 1
            });
            let side = if pays { &mut nets[at].paid } else { &mut nets[at].got };
            *side += leg.amount;
        }
    }
    nets
}

/// The fees and losses of a netted transaction: each such leg with what its payer holds by then. They come last, so that
/// is not what the ledger says of the moment of the leg.
pub(crate) fn fees(nets: &[Net], legs: &[Leg]) -> Vec<(usize, Amount)> {
    if legs.iter().all(is_payment) {
        return Vec::new();
    }
    let mut balances = balances_before(legs);
    for net in nets {
        if let Some(balance) = net.end.purse().and_then(|purse| balances.get_mut(&purse)) {
            *balance = (*balance + net.received()).saturating_sub(net.given());
        }
    }
    let mut fees = Vec::new();
    for (at, leg) in legs.iter().enumerate().filter(|(_, leg)| !is_payment(leg)) {
        if let Some(payer) = leg.payer.purse() {
            let before = balances.entry(payer).or_default();
            fees.push((at, *before));
            *before = before.saturating_sub(leg.amount);
        }
        if let Some(payee) = leg.payee.purse() {
            *balances.entry(payee).or_default() += leg.amount;
        }
    }
    fees
}

/// Which flows take part in an exchange: by whom, and whether it is the exchanger's own money or somebody else's that
/// passes through. The others are plain payments.
pub(crate) fn exchanges(nets: &[Net], flows: &[Flow]) -> Vec<Option<(HolderId, bool)>> {
    if flows.len() > SWAP_FLOWS_MAX {
        return vec![None; flows.len()];
    }
    let exchangers = exchangers(nets);
    let is_exchanger = |net: usize| nets[net].holder.is_some_and(|holder| exchangers.contains(&holder));
    let mut fed: BTreeSet<HolderId> = flows
        .iter()
        .filter(|flow| is_exchanger(flow.payee) && !is_exchanger(flow.payer))
        .filter_map(|flow| nets[flow.payee].holder)
        .collect();
    // What passes through one passes on through those whom it pays.
    let mut front = fed.clone();
    while !front.is_empty() {
        let paid = |flow: &&Flow| nets[flow.payer].holder.is_some_and(|holder| front.contains(&holder));
        let next = flows.iter().filter(paid).filter(|flow| is_exchanger(flow.payee));
        front = next.filter_map(|flow| nets[flow.payee].holder).filter(|holder| !fed.contains(holder)).collect();
        fed.extend(&front);
    }
    let exchange = |flow: &Flow| {
        let (payer, payee) = (nets[flow.payer].holder, nets[flow.payee].holder);
        let own =
            is_exchanger(flow.payer) && (is_exchanger(flow.payee) || payer.is_some_and(|holder| fed.contains(&holder)));
        let exchanger = if own { payer } else { payee.filter(|_| is_exchanger(flow.payee)) };
        exchanger.map(|exchanger| (exchanger, own))
    };
    flows.iter().map(exchange).collect()
}

fn swap_movement(seq: Seq, payer: End, payee: End, asset: AssetId, amount: Amount) -> Movement {
    Movement {
        seq,
        leg: None,
        step: Step::Swap,
        payer,
        payee,
        asset,
        amount,
        before: amount,
        payee_before: Amount::ZERO,
        output_spent: None,
    }
}

/// How much each exchanger exchanged per asset: of its own what went into exchanges, of others' what it received in all.
fn given_by(nets: &[Net], flows: &[Flow], parts: &[Exchanged]) -> BTreeMap<(bool, HolderId, AssetId), Amount> {
    let mut given = BTreeMap::new();
    for part in parts {
        let sum = given.entry((part.own, part.exchanger, part.asset)).or_insert(Amount::ZERO);
        if part.own {
            *sum += part.amount;
        } else if sum.is_zero() {
            let paid_in = |flow: &&Flow| {
                let payee = &nets[flow.payee];
                payee.holder == Some(part.exchanger) && payee.asset == part.asset
            };
            *sum = flows.iter().filter(paid_in).map(|flow| flow.amount).sum();
        }
    }
    given
}

/// What an exchanged part becomes where the other side has no room left for it. Somebody else's money then was a
/// payment to the exchanger after all; the exchanger's own lies in what it received, as loot without an amount: its
/// value is gone, its origin must not be.
fn returned(seq: Seq, nets: &[Net], flows: &mut [Flow], mut part: Exchanged) -> (Movement, Parcel) {
    let proceeds = |net: &Net| net.holder == Some(part.exchanger) && !net.received().is_zero();
    let elsewhere = if part.own { nets.iter().position(proceeds) } else { None };
    let flow = &mut flows[part.flow];
    let at = elsewhere.unwrap_or(flow.payee);
    let amount = if elsewhere.is_some() { Amount::ZERO } else { part.amount.min(flow.open) };
    convert(&mut part.parcel, part.amount, amount);
    flow.open -= amount;
    (swap_movement(seq, nets[flow.payee].end, nets[at].end, nets[at].asset, amount), part.parcel)
}

/// Flows that still lack a content.
fn open_flows(flows: &[Flow], which: impl Fn(&Flow) -> bool) -> Vec<usize> {
    (0..flows.len()).filter(|at| !flows[*at].open.is_zero() && which(&flows[*at])).collect()
}

/// Who gets in the end what an exchanger paid: outsiders to the exchange whom it paid itself; else those whom they paid
/// whom it paid, from pool to pool; else everybody whom it paid.
fn behind(nets: &[Net], flows: &[Flow], exchanger: HolderId) -> Vec<usize> {
    let exchangers = exchangers(nets);
    let outsider = |flow: &Flow| nets[flow.payee].holder.is_none_or(|holder| !exchangers.contains(&holder));
    let mut reached = BTreeSet::from([exchanger]);
    let mut front = reached.clone();
    while !front.is_empty() {
        let paid = |flow: &Flow| nets[flow.payer].holder.is_some_and(|holder| front.contains(&holder));
        let outsiders = open_flows(flows, |flow| paid(flow) && outsider(flow));
        if !outsiders.is_empty() {
            return outsiders;
        }
        let next = flows.iter().filter(|flow| paid(flow)).filter_map(|flow| nets[flow.payee].holder);
        front = next.filter(|holder| !reached.contains(holder)).collect();
        reached.extend(&front);
    }
    open_flows(flows, |flow| nets[flow.payer].holder == Some(exchanger))
}

/// Holders whose net is down in one asset and up in another.
fn exchangers(nets: &[Net]) -> BTreeSet<HolderId> {
    let holders = |which: fn(&Net) -> Amount| -> BTreeSet<HolderId> {
        nets.iter().filter(|net| !which(net).is_zero()).filter_map(|net| net.holder).collect()
    };
    holders(Net::given).intersection(&holders(Net::received)).copied().collect()
}

/// Who paid whom in effect: within each asset payers and payees are matched in order of appearance.
pub(crate) fn flows(nets: &[Net]) -> Vec<Flow> {
    let mut flows = Vec::new();
    let assets: BTreeSet<AssetId> = nets.iter().map(|net| net.asset).collect();
    for asset in assets {
        let mut payees = (0..nets.len())
            .filter(|at| nets[*at].asset == asset && !nets[*at].received().is_zero())
            .map(|at| (at, nets[at].received()))
            .collect::<Vec<_>>()
            .into_iter()
            .peekable();
        for payer in (0..nets.len()).filter(|at| nets[*at].asset == asset) {
            let mut left = nets[payer].given();
            while !left.is_zero() {
                let Some((payee, room)) = payees.peek_mut() else { break };
                let amount = left.min(*room);
                flows.push(Flow { payer, payee: *payee, amount, open: amount });
                left -= amount;
                *room -= amount;
                if room.is_zero() {
                    payees.next();
                }
            }
        }
    }
    flows
}
