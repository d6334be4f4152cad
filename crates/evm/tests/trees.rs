//! Random trees of calls: both kinds of traces against a model that walks the tree as a person would.

#[path = "common/made.rs"]
mod made;

use evm::Traces;
use made::{Call, account, block, decode, geth, hex, legs, parity};
use proptest::prelude::*;
use serde_json::json;

fn trees() -> impl Strategy<Value = Call> {
    let kind = prop_oneof![
        4 => Just("CALL"),
        1 => Just("DELEGATECALL"),
        1 => Just("STATICCALL"),
        1 => Just("CALLCODE"),
        1 => Just("CREATE"),
    ];
    let call = (kind, 1..6_u64, 1..6_u64, 0..9_u64, prop::bool::weighted(0.2));
    let leaf = call.clone().prop_map(|(kind, from, to, value, failed)| Call(kind, from, to, value, failed, vec![]));
    leaf.prop_recursive(6, 40, 4, move |inner| {
        (call.clone(), prop::collection::vec(inner, 0..4))
            .prop_map(|((kind, from, to, value, failed), calls)| Call(kind, from, to, value, failed, calls))
    })
}

/// What moves: nothing that failed, nothing below it, and only what carries coin to another.
fn walk(call: &Call, moved: &mut Vec<String>) {
    let Call(kind, from, to, value, failed, calls) = call;
    if *failed {
        return;
    }
    if ["CALL", "CREATE"].contains(kind) && from != to && *value > 0 {
        moved.push(format!("{from}>{to} {value} ETH"));
    }
    for call in calls {
        walk(call, moved);
    }
}

proptest! {
    #[test]
    fn both_kinds_of_traces_say_what_the_model_says(calls in prop::collection::vec(trees(), 0..4), failed: bool) {
        let root = Call("CALL", 1, 2, 5, failed, calls);
        let whole = block(vec![json!({"value": hex(5_u64), "to": account(2)})]);
        let mut want = Vec::new();
        walk(&root, &mut want);
        let roots = [root];
        let (parity, geth) = (parity(&roots).to_string(), geth(&roots).to_string());
        for traces in [Traces::Parity(&parity), Traces::Geth(&geth)] {
            let decoded = decode(&whole, None, traces).unwrap();
            prop_assert_eq!(&legs(&decoded, 0), &want);
        }
    }
}
