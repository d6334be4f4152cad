//! The obvious model of the source of funds under FIFO and LIFO: walk the ledger forward with every single unit
//! carrying where it came from, and read the answer off the units that a target names.

use std::collections::{BTreeMap, BTreeSet};

use ledger::memory::MemoryLedger;
use ledger::{End, Ledger, Leg, PurseId, Seq};
use trace::backward::{BackwardSettings, Money, OriginKey, OriginKind, Target};
use trace::{LabelId, StopKind};

/// One unit of money: itself, and where it came from.
#[derive(Clone, Copy)]
struct Unit {
    id: u64,
    kind: OriginKind,
    payer: Option<PurseId>,
    payee: Option<PurseId>,
    seq: Option<Seq>,
}

/// Origins by key, and what could not be counted by label.
pub type Answer = (BTreeMap<OriginKey, u128>, BTreeMap<LabelId, u128>);

struct Walk<'a> {
    ledger: &'a MemoryLedger,
    settings: &'a BackwardSettings,
    is_lifo: bool,
    purses: BTreeMap<PurseId, Vec<Unit>>,
    units: u64,
}

/// The model's answer. It knows no netting: ledgers given to it need none.
pub fn sources(ledger: &MemoryLedger, targets: &[Target], is_lifo: bool, settings: &BackwardSettings) -> Answer {
    let mut walk = Walk { ledger, settings, is_lifo, purses: BTreeMap::new(), units: 0 };
    // What each target names, as units in the order in which they leave.
    let mut named: Vec<Vec<Unit>> = vec![Vec::new(); targets.len()];
    let mut legs = Vec::new();
    for at in 0..=ledger.end().0 {
        let seq = Seq(at);
        if settings.from == Some(seq) {
            walk.begin_window(seq);
        }
        for (target, named) in targets.iter().zip(&mut named) {
            if let Money::Content { purse, before } = target.money
                && before == seq
            {
                let mut all = walk.purse(purse).clone();
                *named = walk.draw(&mut all, ledger.balance(purse, seq).units());
            }
        }
        if seq == ledger.end() {
            break;
        }
        ledger.transaction(seq, &mut legs);
        let mut pot = Vec::new();
        for (index, leg) in legs.iter().enumerate() {
            if let (End::Purse(purse), true) = (leg.payer, leg.payer == leg.payee) {
                walk.purse(purse);
                continue;
            }
            let units = walk.pay(seq, leg, &mut pot);
            for (target, named) in targets.iter().zip(&mut named) {
                if target.money == (Money::Leg { seq, leg: index }) {
                    named.clone_from(&units);
                }
            }
            match leg.payee {
                End::Purse(purse) => walk.purse(purse).extend(units),
                // Poured whole, in the order in which it lay there.
                End::Pot if is_lifo && leg.payer != End::Outside => pot.extend(units.into_iter().rev()),
                End::Pot => pot.extend(units),
                End::Outside | End::Fee | End::Drift => {}
            }
        }
    }
    count(ledger, targets, &named, settings)
}

impl Walk<'_> {
    fn purse(&mut self, purse: PurseId) -> &mut Vec<Unit> {
        let (ledger, units) = (self.ledger, &mut self.units);
        self.purses.entry(purse).or_insert_with(|| {
            let opening = ledger.opening(purse).units();
            (0..opening)
                .map(|_| {
                    *units += 1;
                    Unit { id: *units, kind: OriginKind::Opening, payer: None, payee: Some(purse), seq: None }
                })
                .collect()
        })
    }

    fn draw(&self, from: &mut Vec<Unit>, amount: u128) -> Vec<Unit> {
        let amount = usize::try_from(amount).expect("model ledgers are small");
        if self.is_lifo { from.drain(from.len() - amount..).rev().collect() } else { from.drain(..amount).collect() }
    }

    /// The units of a leg, in the order in which they leave the payer.
    fn pay(&mut self, seq: Seq, leg: &Leg, pot: &mut Vec<Unit>) -> Vec<Unit> {
        let amount = leg.amount.units();
        let new = |kind, payer| (kind, payer, leg.payee.purse(), Some(seq));
        let mut units = match leg.payer {
            End::Purse(purse) => {
                let mut content = std::mem::take(self.purse(purse));
                let drawn = self.draw(&mut content, amount);
                self.purses.insert(purse, content);
                drawn
            }
            End::Pot => self.draw(pot, amount),
            End::Outside | End::Fee | End::Drift => {
                let (kind, payer, payee, seq) = new(OriginKind::Outside, None);
                let unit = |id| Unit { id, kind, payer, payee, seq };
                let first = self.units;
                self.units += u64::try_from(amount).expect("model ledgers are small");
                (first + 1..=self.units).map(unit).collect()
            }
        };
        let stop = leg.payer.purse().and_then(|purse| self.settings.stops.get(&self.ledger.purse(purse).holder));
        for unit in &mut units {
            if let Some(stop) = stop {
                let kind = match stop {
                    StopKind::Service => OriginKind::Service,
                    StopKind::Mixer => OriginKind::Mixer,
                    StopKind::Bridge => OriginKind::Bridge,
                };
                self.units += 1;
                let (kind, payer, payee, seq) = new(kind, leg.payer.purse());
                *unit = Unit { id: self.units, kind, payer, payee, seq };
            } else if leg.payer == End::Pot && unit.kind == OriginKind::Outside && unit.seq == Some(seq) {
                unit.payee = leg.payee.purse();
            }
        }
        units
    }

    fn begin_window(&mut self, from: Seq) {
        for (purse, units) in &mut self.purses {
            if self.ledger.previous(*purse, from).is_some() {
                for unit in units {
                    *unit = Unit { kind: OriginKind::Window, payer: None, payee: Some(*purse), seq: None, ..*unit };
                }
            }
        }
    }
}

/// Counts each unit once per label, later targets first, and of each target what leaves first.
fn count(ledger: &MemoryLedger, targets: &[Target], named: &[Vec<Unit>], settings: &BackwardSettings) -> Answer {
    let moment = |target: &Target| match target.money {
        Money::Content { before, .. } => (before, 0, 0),
        Money::Leg { seq, leg } => (seq, 1, leg),
    };
    let mut order: Vec<usize> = (0..targets.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(moment(&targets[*at])));
    let (mut origins, mut uncounted) = (BTreeMap::new(), BTreeMap::new());
    let mut seen: BTreeSet<(LabelId, u64)> = BTreeSet::new();
    let mut legs = Vec::new();
    for at in order {
        let Target { label, money, amount } = targets[at];
        let (asset, all) = match money {
            Money::Content { purse, before } => (ledger.purse(purse).asset, ledger.balance(purse, before)),
            Money::Leg { seq, leg } => {
                ledger.transaction(seq, &mut legs);
                (legs[leg].asset, legs[leg].amount)
            }
        };
        let mut left = amount.unwrap_or(all).units();
        let is_early = settings.from.is_some_and(|from| moment(&targets[at]).0 < from);
        for unit in named[at].iter().filter(|_| !is_early) {
            if left > 0 && seen.insert((label, unit.id)) {
                let Unit { kind, payer, payee, seq, .. } = *unit;
                *origins.entry(OriginKey { label, kind, asset, payer, payee, seq }).or_default() += 1;
                left -= 1;
            }
        }
        if left > 0 {
            *uncounted.entry(label).or_default() += left;
        }
    }
    (origins, uncounted)
}
