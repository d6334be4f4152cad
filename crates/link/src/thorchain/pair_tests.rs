//! Shares, refunds, affiliates and registered memos.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const IN: &str = "65A75EE7D50DD30A9A401678E8582441DFCC43C2F0F4B9EC9CB1123A64F6E3DC";
const OUT: &str = "2DB94227C2BA801E586764E060A5144749E6502547498DF80A023849AE435140";

fn paired(document: &serde_json::Value) -> Paired {
    let mut records = Records::new(Scheme::Thorchain);
    records.add(&document.to_string()).unwrap();
    pair(&records, "test", &|_, asset| asset.ends_with("ad93e").then_some(18))
}

/// A swap of 24 January 2024, as Midgard told it: 0.04197906 BNB and a fee for the affiliate.
fn midgard() -> serde_json::Value {
    json!({ "actions": [{ "date": "1706118640078720597", "height": "14411428", "type": "swap", "status": "success",
        "in": [{ "address": "0x6cc41829d0a67456970529f92d6abacc83d69e61", "txID": IN,
                 "coins": [{ "amount": "4227498", "asset": "BSC.BNB" }] }],
        "metadata": { "swap": { "affiliateAddress": "ti", "affiliateFee": "70",
            "memo": "=:ETH.ETH:0x6CC41829d0a67456970529F92d6abACc83d69E61:0/1/0:ti:70" } },
        "out": [
            { "address": "thor1dl7un46w7l7f3ewrnrm6nq58nerjtp0dradjtd", "height": "14411428", "txID": "",
              "coins": [{ "amount": "111276", "asset": "THOR.RUNE" }] },
            { "address": "0x6cc41829d0a67456970529f92d6abacc83d69e61", "height": "14411452", "txID": OUT,
              "coins": [{ "amount": "430022", "asset": "ETH.ETH" }] } ] }] })
}

#[test]
fn a_swap_with_an_affiliate_is_one_claim_and_the_fee_is_told_aside() {
    let paired = paired(&midgard());
    assert!(paired.problems.is_empty(), "{:?}", paired.problems);
    let [claim] = paired.claims.as_slice() else { panic!("{:?}", paired.claims) };
    // 70 basis points went to the affiliate, within THORChain.
    assert_eq!(claim.share.to_string(), "0.993");
    assert_eq!((claim.from.ledger.as_str(), claim.to.ledger.as_str()), ("eip155:56", "eip155:1"));
    assert_eq!(claim.from.tx, format!("0x{}", IN.to_lowercase()));
    assert_eq!((claim.from.asset.as_str(), claim.from.units), ("BNB", 42_274_980_000_000_000));
    assert_eq!((claim.to.asset.as_str(), claim.to.units), ("ETH", 4_300_220_000_000_000));
    assert_eq!(claim.to.holder.as_deref(), Some("0x6cc41829d0a67456970529f92d6abacc83d69e61"));
    assert!(claim.evidence.contains("42274980000000000 to 42274989999999999 units went in"), "{}", claim.evidence);
    assert!(
        paired.aside.len() == 1 && paired.aside[0].contains("0.007 of it (an affiliate's fee)"),
        "{:?}",
        paired.aside
    );
}

#[test]
fn a_refund_goes_back_to_the_same_chain() {
    let document = json!({ "actions": [{ "type": "refund", "height": "14410795",
        "in": [{ "address": "0x9c2e658ffc8ea7fad00a4829bd4b554e8a716f73", "txID": IN,
                 "coins": [{ "amount": "6576999", "asset": "ETH.YFI-0X0BC529C00C6401AEF6D220BE8C6EA1667F6AD93E" }] }],
        "metadata": { "refund": { "memo": "SWAP:BSC/BNB:thor166:157499274", "reason": "less than price limit" } },
        "out": [{ "address": "0x9c2e658ffc8ea7fad00a4829bd4b554e8a716f73", "txID": OUT, "height": "14410801",
                  "coins": [{ "amount": "6539178", "asset": "ETH.YFI-0X0BC529C00C6401AEF6D220BE8C6EA1667F6AD93E" }] }] }] });
    let paired = paired(&document);
    let [claim] = paired.claims.as_slice() else { panic!("{paired:?}") };
    assert_eq!(claim.from.ledger, claim.to.ledger);
    assert_eq!(claim.from.asset, claim.to.asset);
    // The value of the token transfer of transaction 0x6cf85bb3….
    assert_eq!((claim.to.units, claim.share), (65_391_780_000_000_000, Portion::ONE));
    assert!(claim.evidence.starts_with("REFUND:"));
}

#[test]
fn a_token_of_unknown_decimals_is_a_problem_that_says_what_to_do() {
    let mut document = midgard();
    document["actions"][0]["out"][1]["coins"][0]["asset"] =
        json!("ETH.USDT-0XDAC17F958D2EE523A2206206994597C13D831EC7");
    let paired = paired(&document);
    assert!(paired.claims.is_empty());
    assert!(paired.problems[0].ends_with("say --scale eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7=N"));
}

fn block(memo: &str, coin: &str, outs: &[(&str, &str, &str)]) -> serde_json::Value {
    let event = |(at, (to, coin, word)): (usize, &(&str, &str, &str))| {
        let chain = coin.split([' ', '.']).nth(1).unwrap();
        json!({ "type": "outbound", "in_tx_id": IN, "id": format!("{:064x}", at + 1), "chain": chain, "from": "v",
                "to": to, "coin": coin, "memo": format!("{word}:{IN}") })
    };
    let (amount, asset) = coin.split_once(' ').unwrap();
    let observed = json!({ "id": IN, "chain": "ETH", "from_address": "0x1", "to_address": "0x2", "memo": memo,
        "coins": [{ "asset": asset, "amount": amount }] });
    json!({ "header": { "height": "10" }, "end_block_events": outs.iter().enumerate().map(event).collect::<Vec<_>>(),
        "txs": [{ "hash": "", "tx": { "messages": [{ "@type": "/types.MsgObservedTxQuorum",
            "quoTx": { "inbound": true, "obsTx": { "tx": observed } } }] } }] })
}

fn shares_of(paired: &Paired) -> Vec<String> {
    paired.claims.iter().map(|claim| format!("{} {}", claim.share, claim.to.units)).collect()
}

#[test]
fn several_payments_share_by_amount_and_a_part_that_came_back_by_the_input() {
    let two = block("=:b:bc1q:0/1/0", "900 ETH.ETH", &[("bc1q", "100 BTC.BTC", "OUT"), ("bc1q", "200 BTC.BTC", "OUT")]);
    assert_eq!(shares_of(&paired(&two)), ["0.333333333 100", "0.666666667 200"]);
    let partly =
        block("=:b:bc1q:9/1/9", "900 ETH.ETH", &[("bc1q", "100 BTC.BTC", "OUT"), ("0x1", "225 ETH.ETH", "REFUND")]);
    assert_eq!(shares_of(&paired(&partly)), ["0.75 100", "0.25 2250000000000"]);
    let fees = block(
        "=:b:bc1q00000000000000000000:0/1/0:t/dx:100/300",
        "900 ETH.ETH",
        &[
            ("thor1t", "1 THOR.RUNE", "OUT"),
            ("bc1q00000000000000000000", "5 BTC.BTC", "OUT"),
            ("thor1d", "3 THOR.RUNE", "OUT"),
        ],
    );
    let paired = paired(&fees);
    assert_eq!(shares_of(&paired), ["0.01 1", "0.96 5", "0.03 3"]);
    assert_eq!(paired.claims.iter().filter(|claim| claim.evidence.contains("affiliate")).count(), 2);
}

#[test]
fn liquidity_that_is_taken_out_is_no_link_and_a_swap_without_an_answer_waits() {
    let out = block("wd:ETH.ETH:10000", "1 ETH.ETH", &[("0x1", "99 ETH.ETH", "OUT")]);
    assert!(paired(&out).claims.is_empty() && paired(&out).problems.is_empty());
    let waiting = paired(&block("=:b:bc1q", "1 ETH.ETH", &[])).waiting;
    assert!(matches!(waiting.as_slice(), [(_, _, Memo::Swap(swap))] if swap.destination == "bc1q"));
}

#[test]
fn a_payment_without_a_memo_is_told_by_its_last_digits() {
    let coin = |amount, decimals| Coin { asset: Asset::parse("x").unwrap(), amount, decimals };
    let cases = [
        (coin(100_000_042, None), Some("00042")),
        (coin(123_456_789, Some(8)), Some("56789")),
        (coin(500_000_000, None), None),
        // Six decimals: the last two digits of the protocol's count are not the asset's.
        (coin(123_456_700, Some(6)), Some("34567")),
        (coin(5, Some(18)), Some("00005")),
    ];
    for (coin, want) in cases {
        assert_eq!(reference(&coin).as_deref(), want, "{coin:?}");
    }
    let registered = |height: u64| json!({ "asset": "ETH.ETH", "memo": "=:b:bc1q", "reference": "00042", "height": height, "registration_hash": "AB" });
    let of = |amount: &str, registrations: &[serde_json::Value]| {
        let mut records = Records::new(Scheme::Thorchain);
        for registration in registrations {
            records.add(&registration.to_string()).unwrap();
        }
        let coin = format!("{amount} ETH.ETH");
        records.add(&block("", &coin, &[("bc1q", "7 BTC.BTC", "OUT")]).to_string()).unwrap();
        pair(&records, "test", &|_, _| None).claims.into_iter().map(|claim| claim.evidence).collect::<Vec<_>>()
    };
    let found = of("100000042", &[registered(9)]);
    assert!(found.len() == 1 && found[0].contains("memo registered as 00042: =:b:bc1q"), "{found:?}");
    // Other digits, or registered too late: not that memo.
    assert!(of("100000043", &[registered(9)]).is_empty());
    assert!(of("100000042", &[registered(10)]).is_empty());
}

proptest! {
    /// The shares of what was paid outside of THORChain add up to one, to the last billionth.
    #[test]
    fn shares_add_up(amounts in proptest::collection::vec((0u64.., any::<bool>()), 1..8), paid_in in 1u64..) {
        let outs: Vec<(String, String)> = amounts.iter().map(|(amount, refund)| {
            let (asset, word) = if *refund { ("ETH.ETH", "REFUND") } else { ("BTC.BTC", "OUT") };
            (format!("{amount} {asset}"), word.to_owned())
        }).collect();
        let outs: Vec<(&str, &str, &str)> = outs.iter().map(|(coin, word)| ("bc1q", coin.as_str(), word.as_str())).collect();
        let paired = paired(&block("=:b:bc1q", &format!("{paid_in} ETH.ETH"), &outs));
        let sum: u64 = paired.claims.iter().map(|claim| u64::from(claim.share.parts())).sum();
        prop_assert_eq!(sum, u64::from(Portion::ONE_PARTS));
    }
}
