//! Small ledgers for the tracer's tests, built from plain lists.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod model;
pub mod units;

use ledger::memory::MemoryLedger;
use ledger::{
    AccountLeg, AccountTransaction, Kind, Ledger, LedgerId, LegKind, Outpoint, Seq, Time, UtxoBlock, UtxoInput,
    UtxoOutput, UtxoTransaction,
};
use money::{Amount, Asset};
use trace::{LabelId, Outcome, Seed};

/// An account ledger under construction; every movement is its own transaction unless said otherwise.
pub struct Accounts {
    pub ledger: MemoryLedger,
    pub seeds: Vec<Seed>,
    count: i64,
}

impl Accounts {
    pub fn new(assets: &[&str]) -> Self {
        let assets = assets.iter().map(|symbol| Asset { symbol: (*symbol).into(), scale: 0 }).collect();
        let ledger = MemoryLedger::new(LedgerId::parse("table:test").unwrap(), Kind::Account, assets);
        Self { ledger, seeds: Vec::new(), count: 0 }
    }

    /// One transaction; an empty name is outside.
    pub fn transact(&mut self, legs: &[(&str, &str, &str, u128)]) -> Seq {
        let legs: Vec<_> = legs.iter().map(|(from, to, asset, amount)| (*from, *to, *asset, *amount, 0)).collect();
        self.transact_with_fees(&legs)
    }

    /// One transaction in which the payer of each leg pays a fee on top.
    pub fn transact_with_fees(&mut self, legs: &[(&str, &str, &str, u128, u128)]) -> Seq {
        let name = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.count += 1;
        self.ledger.push(&AccountTransaction {
            name: format!("t{}", self.count),
            time: Time::from_micros(self.count),
            legs: legs
                .iter()
                .map(|(from, to, asset, amount, fee)| AccountLeg {
                    from: name(from),
                    to: name(to),
                    asset: (*asset).into(),
                    amount: Amount::new(*amount),
                    fee: Amount::new(*fee),
                    kind: LegKind::Transfer,
                })
                .collect(),
        })
    }

    /// A balance that the asset's books make smaller.
    pub fn drift(&mut self, from: &str, asset: &str, amount: u128) -> Seq {
        self.one_leg(Some(from), None, asset, amount, LegKind::Drift)
    }

    /// A transaction of one leg of any kind.
    pub fn one_leg(&mut self, from: Option<&str>, to: Option<&str>, asset: &str, amount: u128, kind: LegKind) -> Seq {
        self.count += 1;
        self.ledger.push(&AccountTransaction {
            name: format!("t{}", self.count),
            time: Time::from_micros(self.count),
            legs: vec![leg(from, to, asset, amount, kind)],
        })
    }

    pub fn pay(&mut self, from: &str, to: &str, amount: u128) -> Seq {
        self.transact(&[(from, to, "A", amount)])
    }

    /// Money from outside; a label above 0 makes it loot.
    pub fn bring(&mut self, to: &str, amount: u128, label: Option<u32>) {
        let seq = self.pay("", to, amount);
        if let Some(label) = label {
            self.loot(seq, 0, label, amount);
        }
    }

    /// Counts part of a leg as loot.
    pub fn loot(&mut self, seq: Seq, leg: usize, label: u32, amount: u128) {
        let mut legs = Vec::new();
        self.ledger.transaction(seq, &mut legs);
        let purse = legs[leg].payee.purse().expect("loot comes into a purse");
        self.seeds.push(Seed { seq, leg, purse, label: LabelId(label), amount: Amount::new(amount) });
    }
}

/// A leg without a fee.
pub fn leg(from: Option<&str>, to: Option<&str>, asset: &str, amount: u128, kind: LegKind) -> AccountLeg {
    AccountLeg {
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
        asset: asset.to_owned(),
        amount: Amount::new(amount),
        fee: Amount::ZERO,
        kind,
    }
}

/// A UTXO ledger under construction, one block a transaction; outputs are named by (transaction, index).
pub struct Chain {
    pub ledger: MemoryLedger,
    pub seeds: Vec<Seed>,
    count: u64,
}

impl Chain {
    pub fn new() -> Self {
        let assets = vec![Asset { symbol: "BTC".into(), scale: 0 }];
        let id = LedgerId::parse("bip122:0f9188f13cb7b2c71f2a335e3a4fc328").unwrap();
        Self { ledger: MemoryLedger::new(id, Kind::Utxo, assets), seeds: Vec::new(), count: 0 }
    }

    fn txid(count: u64) -> [u8; 32] {
        let mut txid = [0; 32];
        txid[..8].copy_from_slice(&count.to_le_bytes());
        txid
    }

    /// Spends outputs of earlier transactions; without inputs it is a coinbase. What outputs leave over is the fee.
    pub fn transact(&mut self, inputs: &[(Seq, u32)], outputs: &[(&str, u128)]) -> Seq {
        let seq = self.ledger.end();
        let inputs = inputs
            .iter()
            .map(|(seq, vout)| UtxoInput { outpoint: Outpoint { txid: Self::txid(seq.0), vout: *vout }, spent: None });
        let outputs = outputs
            .iter()
            .map(|(holder, amount)| UtxoOutput { amount: Amount::new(*amount), holder: (*holder).into() });
        let transaction = UtxoTransaction {
            txid: Self::txid(seq.0),
            inputs: inputs.collect(),
            outputs: outputs.collect(),
            fee: None,
        };
        self.ledger.push_block(&UtxoBlock {
            height: self.count,
            hash: Self::txid(self.count),
            previous: None,
            time: Time::from_micros(i64::try_from(self.count).unwrap()),
            transactions: vec![transaction],
        });
        self.count += 1;
        seq
    }

    /// A new output from nowhere; a label makes it loot.
    pub fn mint(&mut self, holder: &str, amount: u128, label: Option<u32>) -> (Seq, u32) {
        let seq = self.transact(&[], &[(holder, amount)]);
        if let Some(label) = label {
            self.loot(seq, 0, label, amount);
        }
        (seq, 0)
    }

    /// Counts part of an output as loot.
    pub fn loot(&mut self, seq: Seq, vout: u32, label: u32, amount: u128) {
        let mut legs = Vec::new();
        self.ledger.transaction(seq, &mut legs);
        let is_output = |(_, leg): &(usize, &ledger::Leg)| leg.payer == ledger::End::Pot;
        let (leg, at) = legs.iter().enumerate().filter(is_output).nth(vout as usize).expect("the output is there");
        let purse = at.payee.purse().expect("an output is a purse");
        self.seeds.push(Seed { seq, leg, purse, label: LabelId(label), amount: Amount::new(amount) });
    }
}

/// A holder's share of an outcome under one label, balances and stops and all.
pub fn at_holder(ledger: &MemoryLedger, outcome: &Outcome, holder: &str, label: u32) -> u128 {
    let is_there = |terminal: &&trace::Terminal| {
        terminal.label == LabelId(label)
            && terminal.purse.is_some_and(|purse| ledger.holder_name(ledger.purse(purse).holder) == holder)
    };
    outcome.terminals.iter().filter(is_there).map(|terminal| terminal.amount.units()).sum()
}

/// The sum of a label's terminals in origin units.
pub fn total(outcome: &Outcome, label: u32) -> u128 {
    let own = |terminal: &&trace::Terminal| terminal.label == LabelId(label);
    outcome.terminals.iter().filter(own).map(|terminal| terminal.origin.units()).sum()
}

/// A trace over several ledgers with these settings each.
pub fn together_with(
    grounds: &[(&MemoryLedger, &[Seed], &trace::Settings)],
    crossings: &[trace::Crossing],
    policy: trace::Policy,
) -> trace::together::Journey {
    let territories: Vec<_> = grounds
        .iter()
        .map(|(ledger, seeds, settings)| trace::together::Territory {
            ground: trace::together::Ground::<MemoryLedger, MemoryLedger>::Account(ledger),
            seeds,
            settings,
        })
        .collect();
    trace::together::forward_over(&territories, crossings, policy, &mut ())
}

/// A trace over several ledgers with no settings.
pub fn together(
    grounds: &[(&MemoryLedger, &[Seed])],
    crossings: &[trace::Crossing],
    policy: trace::Policy,
) -> trace::together::Journey {
    let settings = trace::Settings::default();
    let grounds: Vec<_> = grounds.iter().map(|(ledger, seeds)| (*ledger, *seeds, &settings)).collect();
    together_with(&grounds, crossings, policy)
}
