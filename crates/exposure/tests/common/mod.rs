//! Small chains for the tests, built from plain lists, and who their holders are.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod model;
pub mod random;

use std::collections::{BTreeMap, BTreeSet};

use exposure::{Category, Facts};
use ledger::memory::MemoryLedger;
use ledger::{
    Coin, Coins, HolderId, Kind, Ledger, LedgerId, Outpoint, PurseId, Seq, Time, UtxoBlock, UtxoInput, UtxoOutput,
    UtxoTransaction,
};
use money::{Amount, Asset};

pub const EXCHANGE: Category = Category(3);
pub const MIXER: Category = Category(4);
pub const STOLEN: Category = Category(5);
pub const SANCTIONED: Category = Category(6);

/// Who is what.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub categories: BTreeMap<HolderId, (Category, bool)>,
    pub joins: BTreeSet<Seq>,
    pub risks: Vec<Category>,
}

impl Facts for Known {
    fn category(&self, holder: HolderId) -> Option<Category> {
        self.categories.get(&holder).map(|(category, _)| *category)
    }

    fn resets_poison(&self, holder: HolderId) -> bool {
        self.categories.get(&holder).is_some_and(|(_, resets)| *resets)
    }

    fn is_join(&self, seq: Seq) -> bool {
        self.joins.contains(&seq)
    }

    fn is_risk(&self, category: Category) -> bool {
        self.risks.contains(&category)
    }
}

/// A chain under construction, one transaction a block; outputs are named by transaction and index.
#[derive(Clone, Debug)]
pub struct Chain {
    pub ledger: MemoryLedger,
    pub known: Known,
}

fn txid(number: u64) -> [u8; 32] {
    let mut txid = [0; 32];
    txid[..8].copy_from_slice(&number.to_le_bytes());
    txid
}

impl Chain {
    pub fn new() -> Self {
        let assets = vec![Asset { symbol: "BTC".into(), scale: 0 }];
        let id = LedgerId::parse("bip122:0f9188f13cb7b2c71f2a335e3a4fc328").unwrap();
        let known = Known { risks: vec![MIXER, STOLEN, SANCTIONED], ..Known::default() };
        Self { ledger: MemoryLedger::new(id, Kind::Utxo, assets), known }
    }

    /// Spends outputs of earlier transactions; without inputs it is a coinbase. What outputs leave over is the fee.
    pub fn transact(&mut self, inputs: &[(Seq, u32)], outputs: &[(&str, u64)]) -> Seq {
        let inputs = inputs.iter().map(|(seq, vout)| (Outpoint { txid: txid(seq.0), vout: *vout }, None));
        self.push(inputs.collect(), outputs)
    }

    /// Spends one output from before the chain's first block.
    pub fn spend_foreign(&mut self, holder: &str, value: u64, outputs: &[(&str, u64)]) -> Seq {
        let outpoint = Outpoint { txid: [0xff; 32], vout: u32::try_from(self.ledger.end().0).unwrap() };
        self.push(vec![(outpoint, Some((holder, value)))], outputs)
    }

    pub fn push(&mut self, inputs: Vec<(Outpoint, Option<(&str, u64)>)>, outputs: &[(&str, u64)]) -> Seq {
        let seq = self.ledger.end();
        let output =
            |(holder, value): (&str, u64)| UtxoOutput { amount: Amount::new(u128::from(value)), holder: holder.into() };
        let transaction = UtxoTransaction {
            txid: txid(seq.0),
            inputs: inputs
                .into_iter()
                .map(|(outpoint, spent)| UtxoInput { outpoint, spent: spent.map(output) })
                .collect(),
            outputs: outputs.iter().copied().map(output).collect(),
            fee: None,
        };
        self.ledger.push_block(&UtxoBlock {
            height: seq.0,
            hash: txid(seq.0),
            previous: None,
            time: Time::from_micros(i64::try_from(seq.0).unwrap()),
            transactions: vec![transaction],
        });
        seq
    }

    pub fn mine(&mut self, holder: &str, value: u64) -> (Seq, u32) {
        (self.transact(&[], &[(holder, value)]), 0)
    }

    pub fn holder(&self, name: &str) -> HolderId {
        self.ledger.find_holder(name).expect("the holder is there")
    }

    /// Tags a holder; a custodian resets poison.
    pub fn tag(&mut self, name: &str, category: Category, resets: bool) {
        let holder = self.holder(name);
        self.known.categories.insert(holder, (category, resets));
    }

    pub fn purse(&self, (seq, vout): (Seq, u32)) -> PurseId {
        self.made(seq)[vout as usize].purse
    }

    pub fn made(&self, seq: Seq) -> Vec<Coin> {
        let mut made = Vec::new();
        self.ledger.made(seq, &mut made);
        made
    }

    pub fn spent(&self, seq: Seq) -> Vec<Coin> {
        let mut spent = Vec::new();
        self.ledger.spent(seq, &mut spent);
        spent
    }

    pub fn streamed(&self) -> exposure::Exposure {
        let mut exposure = exposure::Exposure::new();
        exposure.advance(&self.ledger, &self.known, self.ledger.end()).expect("it is small");
        exposure
    }
}
