//! A small town with an exchange, a pool, a payroll and people, and what shows of it.

use cluster::{Chain, Clusters, Detection, ServiceKind, Verdict};
use ledger::memory::MemoryLedger;
use ledger::{Kind, Ledger, LedgerId, Lock, Outpoint, Seq, Time, UtxoBlock, UtxoInput, UtxoOutput, UtxoTransaction};
use money::{Amount, Asset};

struct Town {
    ledger: MemoryLedger,
    verdicts: Vec<Verdict>,
}

impl Town {
    fn new() -> Self {
        let asset = Asset { symbol: "BTC".into(), scale: 8 };
        let ledger = MemoryLedger::new(LedgerId::parse("bitcoin").unwrap(), Kind::Utxo, vec![asset]);
        Self { ledger, verdicts: Vec::new() }
    }

    /// Pays; each output is named by whom it is paid to. Gives the outputs.
    fn pay(&mut self, inputs: &[Outpoint], outputs: &[(&str, u128)]) -> Vec<Outpoint> {
        let height = self.verdicts.len() as u64;
        let mut txid = [0; 32];
        txid[..8].copy_from_slice(&height.to_le_bytes());
        let output =
            |(name, amount): &(&str, u128)| UtxoOutput { amount: Amount::new(*amount), holder: Lock::from(*name) };
        let transaction = UtxoTransaction {
            txid,
            inputs: inputs.iter().map(|outpoint| UtxoInput { outpoint: *outpoint, spent: None }).collect(),
            outputs: outputs.iter().map(output).collect(),
            fee: None,
        };
        let (hash, time) = ([0; 32], Time::from_micros(1));
        self.ledger.push_block(&UtxoBlock { height, hash, previous: None, time, transactions: vec![transaction] });
        self.verdicts.push(Verdict::default());
        (0..).zip(outputs).map(|(vout, _)| Outpoint { txid, vout }).collect()
    }

    fn detect(&self) -> Vec<(ServiceKind, String, u32, u64)> {
        let chain = Chain { coins: &self.ledger, verdicts: &self.verdicts, services: &() };
        let mut clusters = Clusters::new();
        clusters.advance(&chain, Seq(self.verdicts.len() as u64)).unwrap();
        let told = |found: Detection| {
            assert!(!found.evidence.is_empty() && found.evidence.len() as u64 <= found.count);
            assert_eq!(found.of.is_some(), found.kind == ServiceKind::Deposit);
            (found.kind, self.ledger.holder_name(found.holder), found.score_permille, found.count)
        };
        clusters.detect(&chain).into_iter().map(told).collect()
    }
}

/// Rounds in each of which some customers' deposits, all but one, are swept into one holder.
fn exchange(town: &mut Town, hot: &str, rounds: u32, customers: u32) -> Vec<Outpoint> {
    let mut kept = Vec::new();
    for round in 0..rounds {
        let mut deposits = Vec::new();
        for customer in 0..customers {
            deposits.extend(town.pay(&[], &[(&format!("{hot} customer {round} {customer}"), 100)]));
        }
        // The last stays where it is.
        kept.extend(deposits.pop());
        town.pay(&deposits, &[(hot, 100), ("fee collector", 1)]);
    }
    kept
}

#[test]
fn a_hot_wallet_and_its_deposits_are_seen() {
    let mut town = Town::new();
    exchange(&mut town, "hot", 3, 18);
    let found = town.detect();
    assert_eq!(found[0], (ServiceKind::HotWallet, "hot".into(), 1_000, 3));
    assert_eq!(found.len(), 1 + 51);
    assert!(found[1..].iter().all(|(kind, name, _, count)| {
        *kind == ServiceKind::Deposit && name.starts_with("hot customer") && *count == 1
    }));
}

#[test]
fn too_few_deposits_or_too_many_that_are_spent_otherwise_are_none() {
    let mut town = Town::new();
    exchange(&mut town, "small", 3, 17);
    assert_eq!(town.detect(), [], "48 deposits");

    for (customers, is_seen) in [(9, false), (10, true)] {
        let mut town = Town::new();
        exchange(&mut town, "often", 7, customers);
        assert_eq!(town.detect().is_empty(), !is_seen, "7 sweeps of {}", customers - 1);
    }

    let mut town = Town::new();
    exchange(&mut town, "hot", 3, 22);
    for customer in 0..13 {
        // Somebody uses an address that was swept.
        let again = town.pay(&[], &[(&format!("hot customer 0 {customer}"), 100)]);
        town.pay(&again, &[("shop", 100)]);
        let deposits = town.detect().iter().filter(|(kind, ..)| *kind == ServiceKind::Deposit).count();
        // 51 of 63 are enough, 50 are less than four fifths.
        assert_eq!(deposits, if customer < 12 { 62 - customer } else { 0 });
    }
}

#[test]
fn payers_of_many_and_pools_are_told_apart() {
    let names: Vec<String> = (0..10).map(|nth| format!("payee {nth}")).collect();
    let payees: Vec<(&str, u128)> = names.iter().map(|name| (name.as_str(), 10)).collect();
    let mut town = Town::new();
    for nth in 0..6 {
        let mined = town.pay(&[], &[("pool", 100)]);
        town.pay(&mined, &payees);
        let salary = town.pay(&[], &[("payroll", 100), ("owner", 100)]);
        let one = usize::from(nth == 0);
        town.pay(&salary[..1], &payees[..10 - one]);
    }
    let found = town.detect();
    assert_eq!(
        found,
        [(ServiceKind::Pool, "pool".into(), 1_000, 6), (ServiceKind::BatchPayer, "payroll".into(), 833, 5),]
    );
}
