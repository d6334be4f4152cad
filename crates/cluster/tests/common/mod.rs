//! Small random chains with random verdicts, and the obvious model of what their clusters are.

use std::collections::{BTreeMap, BTreeSet};

use cluster::{Change, Conflict, Edge, Heuristic, Join, Layer, Nobody, Problem, Verdict, family};
use ledger::memory::MemoryLedger;
use ledger::{
    Coins, HolderId, Kind, LedgerId, Lock, Outpoint, Seq, Time, UtxoBlock, UtxoInput, UtxoOutput, UtxoTransaction,
};
use money::{Amount, Asset};
use proptest::prelude::*;
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};

/// A transaction as the dice gave it.
#[derive(Clone, Debug)]
pub struct Dice {
    pub inputs: Vec<u16>,
    pub outputs: Vec<u8>,
    pub foreign: Option<u8>,
    pub verdict: (u8, u8),
}

pub fn dice() -> impl Strategy<Value = Dice> {
    let parts = (
        prop::collection::vec(any::<u16>(), 0..4),
        prop::collection::vec(any::<u8>(), 1..5),
        prop::option::weighted(0.1, any::<u8>()),
        any::<(u8, u8)>(),
    );
    parts.prop_map(|(inputs, outputs, foreign, verdict)| Dice { inputs, outputs, foreign, verdict })
}

fn hash160(bytes: &[u8]) -> [u8; 20] {
    Ripemd160::digest(Sha256::digest(bytes)).into()
}

/// One of a few dozen holders: five forms of some keys, names without a script, and some that are nobody.
pub fn lock(number: u8) -> Lock {
    let key = [&[2][..], &[number / 5 % 5; 32]].concat();
    let hash = hash160(&key);
    let witness = [&[0, 20], &hash[..]].concat();
    match number {
        0..=99 => match number % 5 {
            0 => Lock::of_script(&[&[33], &key[..], &[0xac]].concat()),
            1 => Lock::of_script(&[&[0x76, 0xa9, 20], &hash[..], &[0x88, 0xac]].concat()),
            2 => Lock::of_script(&witness),
            _ => Lock::of_script(&[&[0xa9, 20], &hash160(&witness)[..], &[0x87]].concat()),
        },
        100..=105 => Lock::of_script(&[0x51, 2, 0x4e, 0x73]),
        106..=108 => Lock::from("unknown"),
        _ => Lock::from(format!("holder {}", number % 30)),
    }
}

fn verdict((kind, change): (u8, u8), outputs: usize) -> Verdict {
    let change = u16::from(change % 8);
    Verdict {
        join: (kind % 8 == 0).then_some(Join::EqualOutputs),
        is_doubtful: kind % 8 == 1,
        // Sometimes an output that is not there.
        change: (usize::from(change) <= outputs).then_some(Change { output: change, permille: 900, votes: 0 }),
    }
}

/// Transactions that can be made into a ledger again and again.
#[derive(Clone, Debug, Default)]
pub struct Source {
    transactions: Vec<(UtxoTransaction, Verdict)>,
    unspent: Vec<(Outpoint, u128)>,
    spent: Vec<Vec<(Outpoint, u128)>>,
    made: u64,
}

impl Source {
    pub fn push(&mut self, dice: &Dice) {
        self.made += 1;
        let mut txid = [0; 32];
        txid[..8].copy_from_slice(&self.made.to_le_bytes());
        let mut total = 0;
        let mut inputs = Vec::new();
        for pick in &dice.inputs {
            if !self.unspent.is_empty() {
                let (outpoint, amount) = self.unspent.remove(usize::from(*pick) % self.unspent.len());
                total += amount;
                inputs.push(UtxoInput { outpoint, spent: None });
            }
        }
        if let Some(foreign) = dice.foreign {
            let spent = UtxoOutput { amount: Amount::new(1_000), holder: lock(foreign) };
            total += 1_000;
            let outpoint = Outpoint { txid: [0xff; 32].map(|byte: u8| byte ^ txid[0]), vout: u32::from(txid[1]) };
            inputs.push(UtxoInput { outpoint, spent: Some(spent) });
        }
        let each = if inputs.is_empty() { 10_000 } else { total / dice.outputs.len() as u128 };
        let output = |holder: &u8| UtxoOutput { amount: Amount::new(each), holder: lock(*holder) };
        let outputs: Vec<UtxoOutput> = dice.outputs.iter().map(output).collect();
        let made = (0u32..).zip(&outputs).map(|(vout, _)| (Outpoint { txid, vout }, each));
        self.unspent.extend(made);
        let verdict = verdict(dice.verdict, outputs.len());
        self.transactions.push((UtxoTransaction { txid, inputs, outputs, fee: None }, verdict));
        self.spent.push(self.unspent.clone());
    }

    pub fn extend(&mut self, dice: &[Dice]) {
        for dice in dice {
            self.push(dice);
        }
    }

    /// Takes the last transactions back.
    pub fn cut(&mut self, keep: usize) {
        self.transactions.truncate(keep);
        self.spent.truncate(keep);
        self.unspent = self.spent.last().cloned().unwrap_or_default();
    }

    pub fn len(&self) -> usize {
        self.transactions.len()
    }

    pub fn ledger(&self) -> (MemoryLedger, Vec<Verdict>) {
        let asset = Asset { symbol: "BTC".into(), scale: 8 };
        let mut ledger = MemoryLedger::new(LedgerId::parse("bitcoin").unwrap(), Kind::Utxo, vec![asset]);
        for (height, (transaction, _)) in (0..).zip(&self.transactions) {
            ledger.push_block(&UtxoBlock {
                height,
                hash: [0; 32],
                previous: None,
                time: Time::from_micros(1),
                transactions: vec![transaction.clone()],
            });
        }
        (ledger, self.transactions.iter().map(|(_, verdict)| *verdict).collect())
    }
}

/// A ruling, as the model takes it: the last one that covers an edge decides.
#[derive(Clone, Copy, Debug)]
pub enum Ruling {
    Edge(Edge, bool),
    All(Heuristic, bool),
    Apart(HolderId, HolderId, bool),
}

pub fn is_off(rulings: &[Ruling], edge: Edge) -> bool {
    let last = rulings.iter().rev().find_map(|ruling| match ruling {
        Ruling::Edge(of, off) if *of == edge => Some(*off),
        Ruling::All(of, off) if *of == edge.heuristic() => Some(*off),
        _ => None,
    });
    last.unwrap_or(false)
}

/// Pairs that are apart, in the order in which they were last ruled so.
fn apart(rulings: &[Ruling]) -> Vec<(HolderId, HolderId)> {
    let mut pairs = Vec::new();
    for ruling in rulings {
        if let Ruling::Apart(one, other, on) = ruling {
            let pair = (*one.min(other), *one.max(other));
            pairs.retain(|known| *known != pair);
            if *on && pair.0 != pair.1 {
                pairs.push(pair);
            }
        }
    }
    pairs
}

/// Clusters as sets, with what is quarantined: everything taken in chain order, from nothing.
pub struct Model<'a> {
    pub ledger: &'a MemoryLedger,
    pub verdicts: &'a [Verdict],
    pub services: &'a BTreeMap<HolderId, u32>,
    pub rulings: &'a [Ruling],
    pub layer: Layer,
    pub clusters: Vec<BTreeSet<HolderId>>,
    pub problems: BTreeMap<Edge, Problem>,
    /// Whatever ties two holders: by which edge.
    pub ties: Vec<(HolderId, HolderId, Edge)>,
}

impl Model<'_> {
    fn of(&self, holder: HolderId) -> usize {
        self.clusters.iter().position(|cluster| cluster.contains(&holder)).unwrap()
    }

    fn conflict(&self, all: &BTreeSet<HolderId>) -> Option<Conflict> {
        let services: BTreeSet<u32> = all.iter().filter_map(|holder| self.services.get(holder)).copied().collect();
        let mut services = services.into_iter();
        if let (Some(one), Some(other)) = (services.next(), services.next()) {
            return Some(Conflict::Services(one, other));
        }
        let pair = apart(self.rulings).into_iter().find(|(one, other)| all.contains(one) && all.contains(other))?;
        Some(Conflict::Apart(pair.0, pair.1))
    }

    /// Whether the edge was applied.
    fn tie(&mut self, edge: Edge, seq: Seq, ends: &BTreeSet<HolderId>) -> bool {
        if is_off(self.rulings, edge) {
            return false;
        }
        let places: BTreeSet<usize> = ends.iter().map(|end| self.of(*end)).collect();
        let all: BTreeSet<HolderId> = places.iter().flat_map(|place| self.clusters[*place].clone()).collect();
        if places.len() > 1 {
            if let Some(conflict) = self.conflict(&all) {
                self.problems.insert(edge, Problem { seq, edge, layer: self.layer, conflict });
                return false;
            }
            for place in places {
                self.clusters[place].clear();
            }
            self.clusters.retain(|cluster| !cluster.is_empty());
            self.clusters.push(all);
        }
        for one in ends {
            self.ties.extend(ends.iter().filter(|other| *other != one).map(|other| (*one, *other, edge)));
        }
        true
    }

    fn appear(&mut self, holder: HolderId, seq: Seq) {
        if self.clusters.iter().any(|cluster| cluster.contains(&holder)) {
            return;
        }
        self.clusters.push(BTreeSet::from([holder]));
        let own = family(&self.ledger.lock(holder));
        let oldest =
            (0..holder.0).map(HolderId).find(|other| own.is_some() && family(&self.ledger.lock(*other)) == own);
        if let Some(oldest) = oldest {
            self.tie(Edge::Wrap(holder), seq, &BTreeSet::from([oldest, holder]));
        }
    }

    pub fn run(&mut self, until: u64) {
        let nobody: Vec<HolderId> = Nobody::locks().iter().filter_map(|lock| self.ledger.find_lock(lock)).collect();
        let (mut spent, mut made) = (Vec::new(), Vec::new());
        for seq in (0..until).map(Seq) {
            self.ledger.spent(seq, &mut spent);
            self.ledger.made(seq, &mut made);
            for coin in spent.iter().chain(&made) {
                self.appear(coin.holder, seq);
            }
            let verdict = self.verdicts[usize::try_from(seq.0).unwrap()];
            if verdict.join.is_some() || verdict.is_doubtful {
                continue;
            }
            let payers: BTreeSet<HolderId> =
                spent.iter().map(|coin| coin.holder).filter(|holder| !nobody.contains(holder)).collect();
            let Some(first) = payers.first().copied() else { continue };
            if payers.len() > 1 && !self.tie(Edge::CoSpend(seq), seq, &payers) {
                continue;
            }
            let change = verdict.change.and_then(|change| made.get(usize::from(change.output)));
            if let Some(change) = change.map(|coin| coin.holder)
                && self.layer == Layer::Change
                && !nobody.contains(&change)
                && !payers.contains(&change)
            {
                let edge = Edge::Change(seq);
                if self.tie(edge, seq, &BTreeSet::from([first, change])) {
                    self.ties.extend(payers.iter().flat_map(|payer| [(*payer, change, edge), (change, *payer, edge)]));
                }
            }
        }
    }

    /// How many ties away each holder of a cluster is.
    pub fn distances(&self, from: HolderId) -> BTreeMap<HolderId, usize> {
        let mut distances = BTreeMap::new();
        let mut frontier = BTreeSet::from([from]);
        for distance in 0.. {
            frontier.retain(|holder| !distances.contains_key(holder));
            if frontier.is_empty() || !self.clusters.iter().any(|cluster| cluster.contains(&from)) {
                break;
            }
            distances.extend(frontier.iter().map(|holder| (*holder, distance)));
            let next = self.ties.iter().filter(|(one, _, _)| frontier.contains(one)).map(|(_, other, _)| *other);
            frontier = next.collect();
        }
        distances
    }

    pub fn labels(&self) -> Vec<u64> {
        let holders: BTreeMap<HolderId, HolderId> = self
            .clusters
            .iter()
            .flat_map(|cluster| cluster.iter().map(|holder| (*holder, *cluster.first().unwrap())))
            .collect();
        holders.into_values().map(|oldest| oldest.0).collect()
    }
}
