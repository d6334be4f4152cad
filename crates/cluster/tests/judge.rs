//! Laws of the judge: it never stumbles, order says nothing, one holder is one party, and nothing later is looked at.

use cluster::{Join, Judge, Kind, Past, Rules, View};
use ledger::memory::MemoryLedger;
use ledger::{
    Coin, Coins as _, HolderId, LedgerId, Lock, Outpoint, PurseId, Seq, Time, UtxoBlock, UtxoInput, UtxoOutput,
    UtxoTransaction,
};
use money::{Amount, Asset};
use proptest::prelude::*;

/// A past in which a holder's number says what is known.
struct Numbers;

impl Past for Numbers {
    fn kind(&self, holder: HolderId) -> Kind {
        [Kind::KeyHash, Kind::WitnessKey, Kind::Taproot, Kind::Unspendable][usize::try_from(holder.0 % 4).unwrap()]
    }

    fn is_first(&self, purse: PurseId) -> bool {
        purse.0.is_multiple_of(2)
    }
}

/// Values that make sums come out: few of them, some of them extreme.
fn coin() -> impl Strategy<Value = Coin> {
    let value = prop_oneof![
        8 => (1..6u64, 0..4u64).prop_map(|(times, more)| times * 10_000_000 + more * 500),
        2 => 0..2_000_000u64,
        1 => Just(100_000_000),
        1 => prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(u64::MAX / 2)],
    ];
    (0..40u64, value).prop_map(|(holder, value)| Coin { purse: PurseId(holder * 3), holder: HolderId(holder), value })
}

fn coins(most: usize) -> impl Strategy<Value = Vec<Coin>> {
    prop::collection::vec(coin(), 1..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_verdict_is_given_and_order_does_not_change_whose_the_inputs_are(
        inputs in coins(40),
        outputs in coins(40),
        turn in any::<(usize, usize)>(),
    ) {
        let mut judge = Judge::new(Rules::default());
        let verdict = judge.judge_view(&View { inputs: &inputs, outputs: &outputs, past: &Numbers });
        let (mut turned_in, mut turned_out) = (inputs.clone(), outputs.clone());
        turned_in.rotate_left(turn.0 % inputs.len());
        turned_out.rotate_left(turn.1 % outputs.len());
        turned_out.reverse();
        let turned = judge.judge_view(&View { inputs: &turned_in, outputs: &turned_out, past: &Numbers });
        prop_assert_eq!((verdict.join, verdict.is_doubtful), (turned.join, turned.is_doubtful));
        prop_assert!(verdict.change.is_none() || verdict.joins_inputs());
        if let Some(change) = verdict.change {
            let output = outputs[usize::from(change.output)];
            prop_assert!(inputs.iter().all(|input| input.holder != output.holder));
            prop_assert!(change.permille >= judge.rules().change().floor());
        }
    }

    #[test]
    fn what_one_holder_pays_is_one_party_s(mut inputs in coins(40), outputs in coins(40)) {
        for input in &mut inputs {
            input.holder = HolderId(7);
        }
        let verdict = Judge::new(Rules::default()).judge_view(&View { inputs: &inputs, outputs: &outputs, past: &Numbers });
        prop_assert!(verdict.joins_inputs());
    }
}

/// A chain of joins and payments among twenty holders, of which each transaction spends the outputs of the one before.
fn chain(length: u64) -> MemoryLedger {
    let asset = Asset { symbol: "BTC".into(), scale: 8 };
    let mut ledger = MemoryLedger::new(LedgerId::parse("bitcoin").unwrap(), ledger::Kind::Utxo, vec![asset]);
    let output = |holder: u64, sats: u64| UtxoOutput {
        amount: Amount::new(u128::from(sats)),
        holder: Lock::of_script(&[&[0, 20], &[u8::try_from(holder % 20).unwrap(); 20][..]].concat()),
    };
    let mut before: Vec<(Outpoint, u64)> = Vec::new();
    for number in 0..length {
        let mut txid = [0; 32];
        txid[..8].copy_from_slice(&number.to_le_bytes());
        let total: u64 = before.iter().map(|(_, sats)| sats).sum();
        let outputs: Vec<UtxoOutput> = match number % 3 {
            0 => (0..8).map(|at| output(number * 7 + at, 10_000_000 + number * 1_000 + at * 3_333_333)).collect(),
            1 => {
                let change = before.iter().map(|(_, sats)| sats - 9_001_000).enumerate();
                change.flat_map(|(at, sats)| [output(at as u64, 9_000_000), output(at as u64 * 3, sats)]).collect()
            }
            _ => vec![output(number, 50_000_000), output(number * 3 + 1, total - 50_010_000)],
        };
        let inputs = if number % 3 == 0 { &[][..] } else { &before };
        let inputs = inputs.iter().map(|(outpoint, _)| UtxoInput { outpoint: *outpoint, spent: None }).collect();
        let sats = |output: &UtxoOutput| u64::try_from(output.amount.units()).unwrap();
        before = (0..).zip(&outputs).map(|(vout, output)| (Outpoint { txid, vout }, sats(output))).collect();
        let transactions = vec![UtxoTransaction { txid, inputs, outputs, fee: None }];
        let (hash, time) = ([0; 32], Time::from_micros(1));
        ledger.push_block(&UtxoBlock { height: number, hash, previous: None, time, transactions });
    }
    ledger
}

#[test]
fn nothing_later_is_looked_at() {
    let (mut judge, whole) = (Judge::new(Rules::default()), chain(60));
    let verdicts: Vec<_> = (0..whole.transactions()).map(|seq| judge.judge(&whole, Seq(seq))).collect();
    assert_eq!(verdicts.iter().filter(|verdict| verdict.join.is_some()).count(), 20);
    assert!(verdicts.iter().any(|verdict| verdict.change.is_some()));
    for length in 1..60 {
        let part = chain(length);
        assert_eq!(
            Judge::new(Rules::default()).judge(&part, Seq(length - 1)),
            verdicts[usize::try_from(length - 1).unwrap()]
        );
    }
}

#[test]
fn a_block_full_of_inputs_and_outputs_is_judged_at_once() {
    let many = |count: u64, step: u64, from: u64| -> Vec<Coin> {
        let coin = |at| Coin { purse: PurseId(at), holder: HolderId(from + at), value: 10_000_000 + at % step };
        (0..count).map(coin).collect()
    };
    let mut judge = Judge::new(Rules::default());
    // No more than a few passes over sorted lists, however alike the values are.
    for (inputs, outputs, join) in [
        (many(24_000, 1, 0), many(24_000, 1, 50_000), Some(Join::EqualOutputs)),
        (many(24_000, 7, 0), many(24_000, 12_000, 50_000), None),
    ] {
        let verdict = judge.judge_view(&View { inputs: &inputs, outputs: &outputs, past: &Numbers });
        assert_eq!(verdict.join, join);
    }
}
