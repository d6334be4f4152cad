//! The worked examples of the published rules that are UTXO transactions, from `../shared/data/vectors`: haircut, poison and
//! taint first out, output by output.

mod common;

use common::{Chain, SANCTIONED, STOLEN};
use exposure::{Category, Inquiry, Own};
use ledger::Seq;
use serde_json::Value;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/vectors/policy-vectors.json");
/// Amounts in the file are fractions; sixty times each is whole.
const SCALE: u64 = 60;

fn fraction(text: &str) -> (u64, u64) {
    let (above, below) = text.split_once('/').unwrap_or((text, "1"));
    (above.parse().unwrap(), below.parse().unwrap())
}

fn scaled(value: &Value) -> u64 {
    let (above, below) = fraction(value.as_str().expect("amounts are texts"));
    assert_eq!(above * SCALE % below, 0, "{value} in sixtieths");
    above * SCALE / below
}

/// The label's holder: whoever holds clean money has no tag.
fn label(name: &str) -> Option<(&'static str, Category)> {
    match name {
        "D" | "V1" => Some(("thief", STOLEN)),
        "V2" => Some(("robber", SANCTIONED)),
        _ => None,
    }
}

/// The example's transaction, with its inputs made as it says.
fn build(example: &Value) -> (Chain, Seq) {
    let (mut chain, mut inputs) = (Chain::new(), Vec::new());
    for lots in example["inputs"].as_array().unwrap() {
        let lots: Vec<_> =
            lots.as_array().unwrap().iter().map(|lot| (lot[0].as_str().unwrap(), scaled(&lot[1]))).collect();
        let mined =
            lots.iter().map(|(name, value)| chain.mine(label(name).map_or("clean", |(holder, _)| holder), *value));
        let mined: Vec<_> = mined.collect();
        let sum = lots.iter().map(|(_, value)| value).sum();
        inputs.push(if mined.len() == 1 { mined[0] } else { (chain.transact(&mined, &[("mixed", sum)]), 0) });
    }
    let outputs: Vec<_> = example["outputs"].as_array().unwrap().iter().map(|value| ("payee", scaled(value))).collect();
    let seq = chain.transact(&inputs, &outputs);
    for (holder, category) in ["V1", "V2"].into_iter().filter_map(label) {
        if ledger::Ledger::find_holder(&chain.ledger, holder).is_some() {
            chain.tag(holder, category, false);
        }
    }
    (chain, seq)
}

/// Checks one output against what is expected of it; tells whether first-out amounts could be compared.
fn check(name: &str, example: &Value, at: usize, chain: &Chain, seq: Seq) -> bool {
    let exposure = chain.streamed();
    let coin = chain.made(seq)[at];
    let split =
        Inquiry::new(&chain.ledger, &chain.known, &exposure).origins(seq, Own::Apart, &|_| false).split(coin.value);
    let expected = |policy: &str, label: &str| fraction(example["expect"][policy][at][label].as_str().unwrap_or("0"));
    let labels: Vec<_> =
        ["D", "V1", "V2"].into_iter().filter(|label| example["inputs"].to_string().contains(*label)).collect();
    let firsts = exposure.first_out(&chain.ledger, coin.purse);
    for name_of_label in &labels {
        let category = label(name_of_label).expect("a dirty label").1;
        let (above, below) = expected("HAIRCUT", name_of_label);
        let (said, true_amount) = (split.of(category) * u128::from(below), u128::from(above * SCALE));
        let within = said <= true_amount && true_amount <= said + split.truncated * u128::from(below);
        assert!(within, "{name}, output {at}, {name_of_label}: {split:?}");
        let is_flagged = expected("POISON", name_of_label).0 > 0;
        assert_eq!(
            exposure.record(seq).vector.is_touched_by(category),
            is_flagged,
            "{name}, output {at}, {name_of_label}"
        );
        if labels.len() == 1 {
            let first = firsts.iter().find(|(of, _)| *of == category).map_or(0, |(_, amount)| *amount);
            let (above, below) = expected("TFO", name_of_label);
            assert_eq!(first * below, above * SCALE, "{name}, output {at}, taint first out");
        }
    }
    labels.len() == 1
}

#[test]
fn the_published_transactions_come_out_as_published() {
    let Ok(text) = std::fs::read_to_string(FILE) else {
        eprintln!("SKIPPED: {FILE} is not there; the worked examples were not checked");
        return;
    };
    let examples: Value = serde_json::from_str(&text).unwrap();
    let (mut outputs, mut firsts) = (0, 0);
    for (name, example) in examples.as_object().unwrap().iter().filter(|(_, example)| example["kind"] == "utxo") {
        let (chain, seq) = build(example);
        for at in 0..chain.made(seq).len() {
            outputs += 1;
            firsts += u32::from(check(name, example, at, &chain, seq));
        }
    }
    assert!(outputs >= 10 && firsts >= 8, "{outputs} outputs, {firsts} of them with one label");
}
