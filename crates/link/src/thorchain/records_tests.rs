//! Blocks and exports in the forms that the node, CometBFT and Midgard give them.

use proptest::prelude::*;
use serde_json::json;

use super::*;

pub(super) const IN: &str = "26D5E260244B1B8299B7EC8A48394D81088C7AEE22DD500899A2DACC8B310A42";
const OUT: &str = "C4FF1F43C1F4BDEC566679BAEF1A702C4AC6460994B878B8554219AD4B993844";
const LOST: &str = "6C2C9FCDE12444B45BB0496209A81B70D43DD732FBEA89638C4E9EEDE1096120";
const USDT: &str = "TRON.USDT-TR7NHQJEKQXGTCI8Q8ZY4PL8OTSZGJLJ6T";

fn observed(id: &str, amount: &str, memo: &str) -> serde_json::Value {
    json!({ "id": id, "chain": "ETH", "from_address": "0xAb", "to_address": "0xva",
            "coins": [{ "asset": "ETH.ETH", "amount": amount }], "gas": [], "memo": memo })
}

fn quorum(tx: &serde_json::Value, inbound: bool, events: &serde_json::Value) -> serde_json::Value {
    json!({ "hash": "N", "tx": { "messages": [{ "@type": "/types.MsgObservedTxQuorum",
            "quoTx": { "obsTx": { "tx": tx, "status": "incomplete" }, "inbound": inbound } }] },
            "result": { "code": 0, "events": events } })
}

fn block(height: u64, txs: &[serde_json::Value]) -> String {
    json!({ "header": { "height": height.to_string(), "time": "2026-07-10T06:21:19.607Z" }, "txs": txs,
            "begin_block_events": [], "end_block_events": [] })
    .to_string()
}

fn outbound(id: &str, amount: u128) -> serde_json::Value {
    json!({ "type": "outbound", "id": id, "in_tx_id": IN, "chain": "TRON", "from": "TVault", "to": "TUser",
            "coin": format!("{amount} {USDT}"), "memo": format!("OUT:{IN}") })
}

#[test]
fn an_attempt_that_was_not_accepted_is_no_payment() {
    let mut records = Records::new(Scheme::Thorchain);
    let paid = quorum(&observed(IN, "15014200000", "=:TRON.USDT:TUser:0/1/0"), true, &json!([]));
    let good = quorum(&observed(OUT, "1", ""), false, &json!([outbound(OUT, 9_436_391_688_400)]));
    // Observed, and no event says that it was accepted: another vault paid it later.
    let lost = quorum(&observed(LOST, "1", ""), false, &json!([]));
    let added = records.add(&block(26_944_845, &[paid, good, lost])).unwrap();
    assert_eq!((added.blocks, records.blocks()), (1, Some((1, 26_944_845, 26_944_845))));
    let outs = records.outbounds(&IN.to_lowercase());
    assert_eq!(outs.len(), 1);
    assert_eq!((outs[0].tx.as_deref(), outs[0].coin.amount), (Some(OUT.to_lowercase().as_str()), 9_436_391_688_400));
    let (inbound, height) = records.inbound(&IN.to_lowercase()).unwrap();
    assert_eq!((inbound.chain.as_str(), inbound.coins[0].amount, height), ("ETH", 15_014_200_000, 26_944_845));
    // Twice is once.
    records.add(&block(26_944_845, &[quorum(&observed(OUT, "1", ""), false, &json!([outbound(OUT, 1)]))])).unwrap();
    assert_eq!((records.outbounds(&IN.to_lowercase()).len(), records.problems().0.len()), (1, 1));
}

#[test]
fn most_observers_are_right_and_a_failed_transaction_says_nothing() {
    let one = |amount: &str, code: u32| {
        json!({ "hash": "N", "result": { "code": code, "events": [] }, "tx": { "body": { "messages": [
            { "@type": "/types.MsgObservedTxIn", "txs": [{ "tx": observed(IN, amount, "=:b:bc1q") }] }] } } })
    };
    let mut records = Records::new(Scheme::Thorchain);
    records.add(&block(1, &[one("7", 0), one("5", 0), one("9", 5), one("9", 5), one("9", 5)])).unwrap();
    records.add(&block(2, &[one("5", 0)])).unwrap();
    let (inbound, height) = records.inbound(&IN.to_lowercase()).unwrap();
    assert_eq!((inbound.coins[0].amount, height), (5, 1));
}

#[test]
fn block_results_say_the_same_in_plain_and_in_base64() {
    use base64::Engine;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let attributes = [
        ("in_tx_id", IN.to_owned()),
        ("id", OUT.to_owned()),
        ("chain", "BTC".to_owned()),
        ("from", "bc1qv".to_owned()),
        ("to", "bc1qu".to_owned()),
        ("coin", "8277724 BTC.BTC".to_owned()),
        ("memo", format!("REFUND:{IN}")),
    ];
    let event = |code: &dyn Fn(&str) -> String| {
        let list: Vec<_> = attributes
            .iter()
            .map(|(key, value)| json!({ "key": code(key), "value": code(value), "index": true }))
            .collect();
        json!({ "type": "outbound", "attributes": list })
    };
    let plain = json!({ "jsonrpc": "2.0", "id": -1, "result": { "height": "5", "txs_results": null,
        "finalize_block_events": [event(&|text| text.to_owned())] } });
    let coded =
        json!({ "height": "5", "txs_results": [{ "code": 0, "events": [event(&encode)] }], "end_block_events": null });
    let read = |document: &serde_json::Value| {
        let mut records = Records::new(Scheme::Thorchain);
        records.add(&document.to_string()).unwrap();
        records.outbounds(&IN.to_lowercase()).to_vec()
    };
    assert_eq!(read(&plain), read(&coded));
    assert!(read(&plain)[0].refund && read(&plain)[0].coin.amount == 8_277_724);
}

#[test]
fn parts_of_a_streaming_swap_add_up_and_the_second_pool_is_not_counted() {
    let part = |coin: &str, quantity: u32| {
        json!({ "type": "swap", "id": IN, "pool": "X", "chain": "BSC", "from": "0x15", "to": "0x07", "coin": coin,
                "memo": "=:r:thor1l5", "streaming_swap_quantity": quantity.to_string(), "emit_asset": "1 THOR.RUNE" })
    };
    let mut records = Records::new(Scheme::Thorchain);
    for height in 1..=3u64 {
        let document = json!({ "header": { "height": height }, "txs": [], "end_block_events": [
            part("100 BSC.USDT-0X55D398326F99059FF775485246999027B3197955", 3), part("7 THOR.RUNE", 3)] });
        records.add(&document.to_string()).unwrap();
    }
    let (inbound, _) = records.inbound(&IN.to_lowercase()).unwrap();
    assert_eq!((inbound.coins.len(), inbound.coins[0].amount, inbound.to.as_str()), (1, 300, "0x07"));
}

#[test]
fn what_is_none_of_the_forms_is_refused_with_what_was_expected() {
    let mut records = Records::new(Scheme::Thorchain);
    for bad in ["", "{", "7", "{}", r#"{"header":{},"txs":[]}"#, r#"{"height":"x","txs_results":[]}"#, "[[[[[[{}]]]]]]"]
    {
        assert!(records.add(bad).is_err(), "{bad}");
    }
    assert!(records.add("{}").unwrap_err().contains("docs/thorchain.md"));
    assert_eq!(records.add("[]").unwrap(), Added::default());
}

/// Documents that are nearly right.
fn odd() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!(IN)),
        Just(json!("12 BTC.BTC, x")),
        Just(json!("99999999999999999999999999999999999999 ETH.ETH")),
        Just(json!("=:b:x:1e3/1/0:t:10")),
        any::<u64>().prop_map(|number| json!(number)),
        "[a-z:=/.~-]{0,12}".prop_map(|text| json!(text)),
    ];
    let names = [
        "header",
        "height",
        "txs",
        "tx",
        "messages",
        "body",
        "@type",
        "quoTx",
        "obsTx",
        "result",
        "events",
        "type",
        "id",
        "in_tx_id",
        "coin",
        "coins",
        "asset",
        "amount",
        "actions",
        "in",
        "out",
        "txID",
        "memo",
        "reference",
        "attributes",
        "key",
        "value",
        "end_block_events",
        "txs_results",
        "code",
    ];
    leaf.prop_recursive(6, 60, 5, move |inner| {
        let name = proptest::sample::select(names.to_vec());
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::Array),
            proptest::collection::vec((name, inner), 0..6)
                .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_document_is_too_odd(document in odd()) {
        let mut records = Records::new(Scheme::Thorchain);
        let _ = records.add(&document.to_string());
        let paired = super::super::pair::pair(&records, "test", &|_, _| Some(6));
        for claim in paired.claims {
            prop_assert!(claim.share.parts() <= crate::Portion::ONE_PARTS);
        }
    }
}
