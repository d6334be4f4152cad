//! Small blocks done by hand: what each kind of call, log and fee becomes.

#[path = "common/made.rs"]
mod made;

use evm::{Chain, Problem, Traces};
use made::{Call, account, block, decode, decode_on, geth, hex, legs, log, parity, receipts, word};
use serde_json::{Value, json};

const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const SINGLE: &str = "0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62";
const BATCH: &str = "0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb";
const DEPOSIT: &str = "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c";
const WETH: &str = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2";
const USDT: &str = "0xdac17f958d2ee523a2206206994597c13d831ec7";

/// The fee of every made-up transaction, of which 700 are burnt.
const FEE: &str = "1>- 1000f ETH";
const TIP: &str = "->miner 300f ETH";

fn call(kind: &'static str, from: u64, to: u64, value: u64, calls: Vec<Call>) -> Call {
    Call(kind, from, to, value, false, calls)
}

fn failed(call: Call) -> Call {
    Call(call.0, call.1, call.2, call.3, true, call.5)
}

/// The legs between fee and tip of a transaction with this tree of calls, read from both kinds of traces.
fn moved(root: &Call, cancun: bool) -> Vec<String> {
    let mut whole = block(vec![json!({"value": hex(root.3), "to": account(root.2)})]);
    if root.0 == "CREATE" {
        made::merge(&mut whole["transactions"][0], json!({"to": null}));
    }
    if cancun {
        made::merge(&mut whole, json!({"parentBeaconBlockRoot": word(1)}));
    }
    let status = if root.4 { "0x0" } else { "0x1" };
    let receipts = receipts(vec![(vec![], json!({"status": status}))]);
    let roots = std::slice::from_ref(root);
    let (parity, geth) = (parity(roots).to_string(), geth(roots).to_string());
    let of = |traces| legs(&decode(&whole, Some(&receipts), traces).unwrap(), 0);
    let (flat, nested) = (of(Traces::Parity(&parity)), of(Traces::Geth(&geth)));
    assert_eq!(flat, nested, "both kinds of traces say the same");
    assert_eq!((flat.first().map(String::as_str), flat.last().map(String::as_str)), (Some(FEE), Some(TIP)));
    flat[1..flat.len() - 1].to_vec()
}

#[test]
fn calls_move_coin_by_the_rules_of_the_machine() {
    let none: &[&str] = &[];
    let cases: Vec<(&str, Call, &[&str])> = vec![
        ("plain", call("CALL", 1, 2, 5, vec![]), &["1>2 5 ETH"]),
        ("nothing moves nothing", call("CALL", 1, 2, 0, vec![]), none),
        ("to itself", call("CALL", 1, 1, 5, vec![]), none),
        (
            "inner calls in order",
            call(
                "CALL",
                1,
                2,
                9,
                vec![call("CALL", 2, 3, 4, vec![call("CALL", 3, 4, 1, vec![])]), call("CALL", 2, 5, 2, vec![])],
            ),
            &["1>2 9 ETH", "2>3 4 ETH", "3>4 1 ETH", "2>5 2 ETH"],
        ),
        (
            "an inner failure voids its subtree",
            call(
                "CALL",
                1,
                2,
                9,
                vec![
                    failed(call("CALL", 2, 3, 4, vec![call("CALL", 3, 4, 1, vec![call("CALL", 4, 5, 1, vec![])])])),
                    call("CALL", 2, 6, 2, vec![]),
                ],
            ),
            &["1>2 9 ETH", "2>6 2 ETH"],
        ),
        ("a failed root voids all", failed(call("CALL", 1, 2, 9, vec![call("CALL", 2, 3, 4, vec![])])), none),
        (
            "borrowed code carries no value",
            call(
                "CALL",
                1,
                2,
                9,
                vec![
                    call("DELEGATECALL", 2, 3, 9, vec![call("CALL", 2, 4, 1, vec![])]),
                    call("CALLCODE", 2, 3, 9, vec![]),
                    call("STATICCALL", 2, 3, 0, vec![]),
                ],
            ),
            &["1>2 9 ETH", "2>4 1 ETH"],
        ),
        ("creations", call("CREATE", 1, 7, 3, vec![call("CREATE2", 7, 8, 2, vec![])]), &["1>7 3 ETH", "7>8 2 ETH"]),
        (
            "a creation that failed",
            call("CALL", 1, 2, 3, vec![failed(call("CREATE", 2, 8, 2, vec![call("CALL", 8, 9, 1, vec![])]))]),
            &["1>2 3 ETH"],
        ),
        (
            "destroyed in favour of another",
            call("CALL", 1, 2, 3, vec![call("SELFDESTRUCT", 2, 9, 8, vec![])]),
            &["1>2 3 ETH", "2>9 8 ETH"],
        ),
    ];
    for (name, root, want) in cases {
        for cancun in [false, true] {
            assert_eq!(moved(&root, cancun), want, "{name}, cancun {cancun}");
        }
    }
}

#[test]
fn who_is_destroyed_in_its_own_favour_burns_only_where_it_dies() {
    let own = |created: bool| {
        let mut calls = vec![call("CALL", 1, 2, 0, vec![call("SELFDESTRUCT", 2, 2, 8, vec![])])];
        if created {
            calls.insert(0, call("CREATE", 1, 2, 8, vec![]));
        }
        call("CALL", 1, 9, 0, calls)
    };
    // The last calls come from the sender so that the trees stay small.
    assert_eq!(moved(&own(false), false), ["2>- 8 ETH"]);
    assert_eq!(moved(&own(false), true), [""; 0], "since Cancun an old contract lives on");
    assert_eq!(moved(&own(true), true), ["1>2 8 ETH", "2>- 8 ETH"]);
    // What arrives after the end, and is not passed on, is gone too.
    let late = |pass: u64| {
        let late = call("CALL", 1, 2, 5, vec![call("CALL", 2, 3, pass, vec![])]);
        call("CALL", 1, 9, 0, vec![call("CREATE", 1, 2, 8, vec![]), call("SELFDESTRUCT", 2, 4, 8, vec![]), late])
    };
    assert_eq!(moved(&late(2), true), ["1>2 8 ETH", "2>4 8 ETH", "1>2 5 ETH", "2>3 2 ETH", "2>- 3 ETH"]);
    assert_eq!(moved(&late(5), false).last().map(String::as_str), Some("2>3 5 ETH"));
}

#[test]
fn calls_may_nest_as_deep_as_the_machine_goes_and_no_deeper() {
    let nest = |depth: usize| {
        let root = format!("{{\"type\":\"CALL\",\"from\":\"{}\",\"to\":\"{}\",\"calls\":[", account(1), account(2));
        let inner = json!({"type": "CALL", "from": account(1), "to": account(2), "value": "0x1"}).to_string();
        let frame = root.repeat(depth) + &inner + &"]}".repeat(depth);
        format!("[{{\"result\":{frame}}}]")
    };
    let whole = block(vec![json!({})]);
    let read = |depth| decode(&whole, None, Traces::Geth(&nest(depth)));
    assert_eq!(legs(&read(1024).unwrap(), 0), ["1>2 1 ETH"]);
    let fault = read(100_000).unwrap_err().to_string();
    assert!(fault.contains("nests more than"), "{fault}");
}

fn transfer(contract: &str, from: u64, to: u64, amount: &str) -> Value {
    let mut log = log(0, &[TRANSFER.to_owned(), word(from), word(to)], amount);
    log["address"] = json!(contract);
    log
}

/// The token legs of one transaction's logs, and the problems.
fn logged(logs: Vec<Value>) -> (Vec<String>, Vec<String>) {
    let receipts = receipts(vec![(logs, json!({}))]);
    let decoded = decode(&block_without_bloom(), Some(&receipts), Traces::None).unwrap();
    let legs = legs(&decoded, 0).into_iter().filter(|leg| !leg.ends_with(" ETH")).collect();
    let told = |problem: &Problem| !matches!(problem, Problem::NoDecimals { .. });
    (legs, decoded.problems.iter().filter(|problem| told(problem)).map(ToString::to_string).collect())
}

fn block_without_bloom() -> Value {
    block(vec![json!({})])
}

#[test]
fn logs_move_tokens_of_every_standard() {
    let token = account(0x70);
    let data = |words: &[u64]| words.iter().fold("0x".to_owned(), |text, number| text + &word(*number)[2..]);
    let topics = |of: &str, words: &[u64]| -> Vec<String> {
        std::iter::once(of.to_owned()).chain(words.iter().map(|number| word(*number))).collect()
    };
    let cases: Vec<(&str, Value, &[&str])> = vec![
        ("a transfer", transfer(&token, 3, 4, &word(5)), &["3>4 5 erc20"]),
        ("of nothing, kept", transfer(&token, 3, 4, &word(0)), &["3>4 0 erc20"]),
        ("made", transfer(&token, 0, 4, &word(5)), &["->4 5 erc20"]),
        ("unmade", transfer(&token, 3, 0, &word(5)), &["3>- 5 erc20"]),
        ("from nowhere to nowhere", transfer(&token, 0, 0, &word(5)), &[]),
        ("nothing indexed", log(0x70, &topics(TRANSFER, &[]), &data(&[3, 4, 5])), &["3>4 5 erc20"]),
        ("a piece", log(0x70, &topics(TRANSFER, &[3, 4, 777]), "0x"), &["3>4 1 erc721"]),
        ("pieces of one kind", log(0x70, &topics(SINGLE, &[9, 3, 4]), &data(&[777, 6])), &["3>4 6 erc1155"]),
        (
            "pieces of several",
            log(0x70, &topics(BATCH, &[9, 3, 0]), &data(&[0x40, 0xa0, 2, 7, 8, 2, 10, 20])),
            &["3>- 30 erc1155"],
        ),
        ("an empty batch", log(0x70, &topics(BATCH, &[9, 3, 4]), &data(&[0x40, 0x60, 0, 0])), &["3>4 0 erc1155"]),
        ("a deposit of anybody", log(0x70, &topics(DEPOSIT, &[3]), &data(&[5])), &[]),
    ];
    for (name, log, want) in cases {
        assert_eq!(logged(vec![log]), (want.iter().map(ToString::to_string).collect(), vec![]), "{name}");
    }
    // CryptoKitties' transfers look like those of units.
    let mut kitty = log(0, &topics(TRANSFER, &[]), &data(&[3, 4, 500_000]));
    kitty["address"] = json!("0x06012c8cf97bead5deae237070f9587f8e7a266d");
    assert_eq!(logged(vec![kitty]).0, ["3>4 1 erc721"]);
}

#[test]
fn odd_logs_are_named_and_move_nothing() {
    let token = account(0x70);
    let huge = format!("0x{}", "f".repeat(64));
    let (legs, problems) = logged(vec![transfer(&token, 3, 4, &huge), transfer(&token, 3, 4, &word(1))]);
    assert_eq!(legs, ["3>4 1 erc20"], "the rest of the transaction is not touched");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("115792089237316195423570985008687907853269984665640564039457584007913129639935"));
    assert!(problems[0].contains(&made::hash(0)) && problems[0].contains(&token), "{problems:?}");

    let list = |words: &[u64]| words.iter().fold("0x".to_owned(), |text, number| text + &word(*number)[2..]);
    let of = |of: &str, data: &str| log(0x70, &[of.to_owned(), word(9), word(3), word(4)], data);
    let cases = [
        ("short", transfer(&token, 3, 4, "0x01")),
        ("long", transfer(&token, 3, 4, &list(&[1, 2]))),
        ("no digits", transfer(&token, 3, 4, &format!("0x{}", "zz".repeat(32)))),
        ("no address", log(0x70, &[TRANSFER.to_owned(), huge.clone(), word(4)], &word(1))),
        ("lists of different length", of(BATCH, &list(&[0x40, 0x80, 1, 7, 2, 1, 1]))),
        ("a list past the end", of(BATCH, &list(&[0x40, 0x60, 1_000_000, 1_000_000]))),
        ("a place past all ends", of(BATCH, &format!("{huge}{}", &huge[2..]))),
    ];
    for (name, log) in cases {
        let (legs, problems) = logged(vec![log]);
        assert_eq!((legs.len(), problems.len()), (0, 1), "{name}: {legs:?} {problems:?}");
    }
}

#[test]
fn wrapped_coin_is_made_once_whether_its_contract_logs_a_transfer_or_not() {
    let mut deposit = log(0, &[DEPOSIT.to_owned(), word(3)], &word(5));
    deposit["address"] = json!(WETH);
    assert_eq!(logged(vec![deposit.clone()]).0, ["->3 5 erc20"]);
    assert_eq!(logged(vec![deposit.clone(), transfer(WETH, 0, 3, &word(5))]).0, ["->3 5 erc20"]);
    assert_eq!(logged(vec![deposit.clone(), transfer(WETH, 0, 3, &word(6))]).0, ["->3 5 erc20", "->3 6 erc20"]);
    let withdrawal = "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65";
    deposit["topics"] = json!([withdrawal, word(3)]);
    assert_eq!(logged(vec![deposit]).0, ["3>- 5 erc20"]);
}

#[test]
fn whoever_acts_as_a_wrapper_of_the_coin_is_taken_for_one() {
    type Case = (&'static str, Option<u8>, Vec<Value>, String, &'static [&'static str]);
    let withdrawal = "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65";
    let said = |topic: &str, amount: u64| log(0x70, &[topic.to_owned(), word(2)], &word(amount));
    let inside = |calls: Vec<Call>| parity(&[call("CALL", 1, 2, 0, calls)]).to_string();
    let (goes_in, comes_out) = (call("CALL", 2, 0x70, 5, vec![]), call("CALL", 0x70, 2, 5, vec![]));
    let cases: Vec<Case> = vec![
        ("wrapped", Some(18), vec![said(DEPOSIT, 5)], inside(vec![goes_in]), &["->2 5 erc20"]),
        ("unwrapped", Some(18), vec![said(withdrawal, 5)], inside(vec![comes_out]), &["2>- 5 erc20"]),
        ("no coin moves", Some(18), vec![said(DEPOSIT, 5)], inside(vec![]), &[]),
        ("other coin moves", Some(18), vec![said(DEPOSIT, 4)], inside(vec![call("CALL", 2, 0x70, 5, vec![])]), &[]),
        ("no token", None, vec![said(DEPOSIT, 5)], inside(vec![call("CALL", 2, 0x70, 5, vec![])]), &[]),
        ("a token of dollars", Some(6), vec![said(DEPOSIT, 5)], inside(vec![call("CALL", 2, 0x70, 5, vec![])]), &[]),
        (
            "shares at a price, which it logs itself",
            Some(18),
            vec![said(DEPOSIT, 5), transfer(&account(0x70), 0, 2, &word(4))],
            inside(vec![call("CALL", 2, 0x70, 5, vec![])]),
            &["->2 4 erc20"],
        ),
    ];
    let chain = Chain::of(1).unwrap();
    for (name, decimals, logs, traces, want) in cases {
        let mut tokens = evm::Tokens::built_in(&chain);
        if let Some(decimals) = decimals {
            let contract = ledger::hex::bytes(&account(0x70)[2..]).unwrap().try_into().unwrap();
            tokens.add_decimals(contract, decimals);
        }
        let receipts = receipts(vec![(logs, json!({}))]);
        let whole = block(vec![json!({})]);
        let decoded = made::decode_with(&chain, &tokens, &whole, Some(&receipts), Traces::Parity(&traces)).unwrap();
        let moved: Vec<String> = legs(&decoded, 0).into_iter().filter(|leg| !leg.ends_with(" ETH")).collect();
        assert_eq!(moved, want, "{name}");
    }
}

#[test]
fn usdt_is_made_and_destroyed_by_events_of_its_own() {
    let event = |signature: &str, data: &str| {
        let topic = format!("0x{}", ledger::hex::text(&evm::abi::keccak256(signature.as_bytes())));
        let mut log = log(0, &[topic], data);
        log["address"] = json!(USDT);
        log
    };
    let owner = "c6cde7c39eb2f0f0095f41570af89efc2c1ea828";
    let owner = format!("{:x}", u128::from_str_radix(&owner[8..], 16).unwrap());
    assert_eq!(logged(vec![event("Issue(uint256)", &word(5))]).0, [format!("->{owner} 5 erc20")]);
    assert_eq!(logged(vec![event("Redeem(uint256)", &word(5))]).0, [format!("{owner}>- 5 erc20")]);
    let black = event("DestroyedBlackFunds(address,uint256)", &format!("{}{}", word(3), &word(7)[2..]));
    assert_eq!(logged(vec![black]).0, ["3>- 7 erc20"]);
}

#[test]
fn fees_of_each_era_are_paid_burnt_and_received() {
    let ten = hex(10_u64);
    let cases: Vec<(&str, Value, Value, Value, &[&str])> = vec![
        ("london", json!({}), json!({}), json!({}), &[FEE, "1>2 5 ETH", TIP]),
        (
            "before london",
            json!({"baseFeePerGas": null}),
            json!({}),
            json!({"effectiveGasPrice": null}),
            &[FEE, "1>2 5 ETH", "->miner 1000f ETH"],
        ),
        (
            "a price by rule",
            json!({}),
            json!({"maxFeePerGas": hex(9_u64), "maxPriorityFeePerGas": hex(9_u64)}),
            json!({"effectiveGasPrice": null}),
            &["1>- 900f ETH", "1>2 5 ETH", "->miner 200f ETH"],
        ),
        (
            "a price below the most",
            json!({}),
            json!({"maxFeePerGas": ten, "maxPriorityFeePerGas": "0x1"}),
            json!({"effectiveGasPrice": null}),
            &["1>- 800f ETH", "1>2 5 ETH", "->miner 100f ETH"],
        ),
        (
            "blobs",
            json!({}),
            json!({}),
            json!({"blobGasUsed": "0x20000", "blobGasPrice": "0x3"}),
            &["1>- 394216f ETH", "1>2 5 ETH", TIP],
        ),
        ("failed", json!({}), json!({}), json!({"status": "0x0"}), &[FEE, TIP]),
        (
            "failed before byzantium",
            json!({}),
            json!({"gas": hex(30_000_u64)}),
            json!({"status": null, "gasUsed": hex(30_000_u64)}),
            &["1>- 300000f ETH", "->miner 90000f ETH"],
        ),
        ("free", json!({}), json!({}), json!({"effectiveGasPrice": "0x0"}), &["1>2 5 ETH"]),
        ("created", json!({}), json!({"to": null}), json!({"contractAddress": account(8)}), &[FEE, "1>8 5 ETH", TIP]),
    ];
    for (name, header, transaction, receipt, want) in cases {
        let mut whole = block(vec![json!({"value": "0x5"})]);
        made::merge(&mut whole, header);
        made::merge(&mut whole["transactions"][0], transaction);
        let receipts = receipts(vec![(vec![], receipt)]);
        let decoded = decode(&whole, Some(&receipts), Traces::None).unwrap();
        assert_eq!(legs(&decoded, 0), want, "{name}");
    }
    let mut whole = block(vec![json!({"gasPrice": null})]);
    let bare = receipts(vec![(vec![], json!({"effectiveGasPrice": null}))]);
    assert!(decode(&whole, Some(&bare), Traces::None).unwrap_err().to_string().contains("at what price"));
    made::merge(&mut whole, json!({"timestamp": hex(u128::from(u64::MAX))}));
    assert!(decode(&whole, None, Traces::None).unwrap_err().to_string().contains("calendar"));
}

#[test]
fn rollups_charge_for_their_place_and_keep_the_base_fee() {
    let whole = block(vec![json!({"mint": "0x9", "value": "0x5"})]);
    let receipts = receipts(vec![(vec![], json!({"l1Fee": "0x11"}))]);
    let decoded = decode_on(&Chain::of(10).unwrap(), &whole, Some(&receipts), Traces::None).unwrap();
    let want = ["->1 9 ETH", "1>- 1017f ETH", "1>2 5 ETH", "->miner 300f ETH", "->19 700f ETH", "->1a 17f ETH"];
    assert_eq!(legs(&decoded, 0), want);
}

#[test]
fn stakers_and_producers_are_paid_at_the_end_of_the_block() {
    let mut whole = block(vec![json!({})]);
    made::merge(
        &mut whole,
        json!({"withdrawals": [{"index": "0x0", "validatorIndex": "0x1", "address": account(5), "amount": "0x2"}]}),
    );
    let mut traces = parity(&[call("CALL", 1, 2, 0, vec![])]);
    let reward = |to, kind, value| {
        json!({
            "type": "reward", "action": {"author": to, "rewardType": kind, "value": value}, "result": null, "subtraces": 0,
            "traceAddress": [], "blockHash": made::block_hash(), "blockNumber": made::BLOCK,
        })
    };
    let list = traces.as_array_mut().unwrap();
    list.push(reward(account(6), "block", "0x7"));
    list.push(reward(account(7), "uncle", "0x3"));
    let decoded = decode(&whole, None, Traces::Parity(&traces.to_string())).unwrap();
    assert_eq!(decoded.block.transactions[1].name, "block:16");
    assert_eq!(legs(&decoded, 1), ["->6 7 ETH", "->7 3 ETH", "->5 2000000000 ETH"]);
}

#[test]
fn gaps_say_what_a_block_was_not_told() {
    let gaps = |gas: u64, receipts: bool, traces: bool| {
        let whole = block(vec![json!({})]);
        let given = self::receipts(vec![(vec![], json!({"gasUsed": hex(gas)}))]);
        let tree = parity(&[call("CALL", 1, 2, 0, vec![])]).to_string();
        let traces = if traces { Traces::Parity(&tree) } else { Traces::None };
        let gaps = decode(&whole, receipts.then_some(&given), traces).unwrap().block.gaps;
        (gaps.traces, gaps.receipts, gaps.logs)
    };
    assert_eq!(gaps(30_000, true, true), (false, false, false));
    assert_eq!(gaps(30_000, true, false), (true, false, false));
    assert_eq!(gaps(21_000, true, false), (false, false, false), "a plain payment runs no contract");
    assert_eq!(gaps(21_000, false, false), (true, true, true));
    assert!(!decode(&block(vec![]), None, Traces::None).unwrap().block.gaps.any());
}
