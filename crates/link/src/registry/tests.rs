//! The registry: the built-in entries, what is refused and where, and each protocol's logs made by hand.

use evm::abi::{Field, Parameter, Type, U256, Value};

use super::*;
use crate::Crossing;

#[test]
fn every_built_in_entry_is_read() {
    for (file, text) in BUILT_IN {
        let read = parse::protocol(text.as_bytes(), file);
        assert!(read.is_ok(), "{}", read.err().map(|fault| fault.in_file(file)).unwrap_or_default());
    }
    assert_eq!(Registry::built_in().protocols().len(), BUILT_IN.len());
}

/// Topics as block explorers and generated bindings print them, so that a slip in a signature shows.
#[test]
fn topics_are_those_of_the_chain() {
    let known = [
        "97116cf6cd4f6412bb47914d6db18da9e16ab2142f543b86e207c24fbd16b23a",
        "409e0ad946b19f77602d6cf11d59e1796ddaa4828159a0b4fb7fa2ff6b161b79",
        "aac9ce45fe3adf5143598c4f18a369591a20a3384aedaf1b525d29127e1fcd55",
        "6eb224fb001ed210e379b335e35efe88672a8ce935d981a6896b27ffdf52a3b2",
        "caf280c8cfeba144da67230d9b009c8f868a75bac9a528fa0474be1ba317c169",
        "2fa9ca894982930190727e75500a97d8dc500233a5065e0f3126c48fbe0343c0",
        "58200b4c34ae05ee816d710053fff3fb75af4395915d3d2a771b24aa10e3cc5d",
        "1b2a7ff080b8cb6ff436ce0372e399692bbfb6d4ae5766fd8d58a7b8cc6142e6",
        "50c55e915134d457debfa58eb6f4342956f8b0616d51a89a3659360178e1ab63",
        "0c8c1cbdc5190613ebd485511d4e2812cfa45eecb79d845893331fedad5130a5",
        "85496b760a4b7f8d66384b9df21b381f5d1b1e79f229a47aaf4c232edc2fe59a",
        "efed6d3500546b29533b128a29e3a94d70788727f0507505ac12eaf2e578fd9c",
        "34660fc8af304464529f48a778e03d03e4d34bcd5f9b6f0cfbf3cd238c642f7f",
        "fb2b592367452f1c437675bed47f5e1e6c25188c17d7ba01a12eb030bc41ccef",
        "6ad3bf15c1988bc04bc153490cab16db8efb9a3990215bf1c64ea6e28be88483",
        "8a4a2663ce60ce4955c595da2894de0415240f1ace024cfbff85f513b656bdae",
        "8636abd6d0e464fe725a13346c7ac779b73561c705506044a2e6b2cdb1295ea5",
        "d90288730b87c2b8e0c45bd82260fd22478aba30ae1c4d578b8daba9261604df",
        "a123dc29aebf7d0c3322c8eeb5b999e859f39937950ed31056532713d0de396f",
        "571749edf1d5c9599318cdbc4e28a6475d65e87fd3b2ddbe1e9a8d5e7a0f0ff7",
        "32ed1a409ef04c7b0227189c3a103dc5ac10e775a15b785dcc510201f7c25ad3",
        "44b559f101f8fbcc8a0ea43fa91a05a729a5ea6e14a7c75aa750374690137208",
        "89d8051e597ab4178a863a5190407b98abfeff406aa8db90c59af76612e58f01",
        "79fa08de5149d912dce8e5e8da7a7c17ccdf23dd5d3bfe196802e6eb86347c7c",
        "05d0634fe981be85c22e2942a880821b70095d84e152c3ea3c17a4e4250d9d61",
    ];
    let topics: BTreeSet<String> = Registry::built_in().topics().iter().map(|topic| hex::text(topic)).collect();
    for topic in known {
        assert!(topics.contains(topic), "{topic}");
    }
}

const GOOD: &str = "protocol: good
pairing: key
fee: up to 5%
contracts:
  - {ledger: eip155:1, address: '0x5427FEFA711Eff984124bFBB1AB6fbf5E3DA1820', name: Bridge, role: bridge}
events:
  - signature: Sent(bytes32 id, address token, uint256 amount, bytes body, uint64 chain)
    direction: deposit
    token: token
    amount: amount
    other: chain
    key: id
  - signature: Paid(bytes32 id, uint256 amount)
    direction: withdrawal
    amount: amount
    key: id
";

#[test]
fn a_bad_entry_is_refused_by_line_and_field() {
    assert!(parse::protocol(GOOD.as_bytes(), "good.yaml").is_ok());
    let cases = [
        ("protocol: good", "protocol: Good One", "1:protocol: \"Good One\" is no name of a protocol"),
        ("protocol: good\n", "", "there is no \"protocol\" here"),
        ("pairing: key", "paring: key", "unknown key \"paring\""),
        ("pairing: key", "pairing: luck", "2:pairing: \"luck\" is not known here; write one of key, transaction, none"),
        (
            "pairing: key",
            "pairing: transaction",
            "2:pairing: pairing is by transaction, and no withdrawal has `other_tx`",
        ),
        ("up to 5%", "5%", "3:fee: \"5%\" is no fee"),
        ("up to 5%", "up to 500%", "3:fee: \"up to 500%\" is no fee"),
        ("ledger: eip155:1", "ledger: nowhere", "5:ledger: \"nowhere\" is no chain that is known"),
        ("ledger: eip155:1", "ledger: bitcoin", "5:address: contracts on bip122:"),
        (
            "E3DA1820'",
            "E3DA1821'",
            "5:address: \"0x5427FEFA711Eff984124bFBB1AB6fbf5E3DA1821\": the EIP-55 checksum is wrong",
        ),
        ("E3DA1820'", "E3'", "5:address: "),
        ("role: bridge", "role: king", "5:role: \"king\" is not known here"),
        ("role: bridge", "rule: bridge", "5:contracts: unknown key \"rule\""),
        ("(bytes32 id, address token,", "(bytes33 id, address token,", "7:signature: \"Sent(bytes33 id"),
        ("direction: deposit", "direction: up", "8:direction: \"up\" is not known here"),
        (
            "    token: token",
            "    token: coin",
            "9:token: Sent has no argument \"coin\"; known here: amount, body, chain, id, token",
        ),
        ("    token: token", "    token: amount", "9:token: \"amount\" is of type uint256, which is no token"),
        ("    token: token", "    token: '@chain'", "9:token: Sent has no argument \"@chain\""),
        ("    amount: amount\n    other", "    other", "there is no \"amount\" here"),
        ("    amount: amount\n    other", "    amount: token\n    other", "10:amount: \"token\" is of type address"),
        ("    other: chain", "    other: token", "11:other: \"token\" is of type address, which is no other"),
        ("    key: id\n  -", "    key: [id, nonce]\n  -", "12:key: Sent has no argument \"nonce\""),
        (
            "    key: id\n  -",
            "    key: id\n    contracts: [Vault]\n  -",
            "13:contracts: there is no contract \"Vault\" here",
        ),
        ("    key: id\n  -", "    key: id\n    when: {kind: 1}\n  -", "13:when: Sent has no argument \"kind\""),
        (
            "    key: id\n  -",
            "    key: id\n    unpack: [{argument: token, packed: uint8 a}]\n  -",
            "13:argument: \"token\" is no argument of bytes here",
        ),
        (
            "    key: id\n  -",
            "    key: id\n    unpack: [{argument: body, packed: 'bytes a, uint8 b'}]\n  -",
            "13:packed: ",
        ),
        (
            "    key: id\n  -",
            "    key: id\n    unpack: [{argument: body, protobuf: {a: 0}}]\n  -",
            "13:protobuf: \"0\" is no number of a field",
        ),
        ("    key: id\n  -", "    key: id\n    unpack: [{argument: body}]\n  -", "13:unpack: the form is missing"),
        (
            "    key: id\n  -",
            "    key: id\n    with: {signature: M(uint8 a), place: near}\n  -",
            "13:place: \"near\" is not known here",
        ),
        ("fee:", "chains: {one: nowhere}\nfee:", "3:chains: \"nowhere\" is no chain that is known"),
    ];
    for (old, new, want) in cases {
        assert!(GOOD.contains(old), "{old}");
        let fault = parse::protocol(GOOD.replacen(old, new, 1).as_bytes(), "bad.yaml");
        let said = fault.map_or_else(|fault| fault.to_string(), |_| "taken".to_owned());
        assert!(said.contains(want), "{new}:\n  {said}\n  {want}");
    }
}

/// A value of any type, by the parameter's place: 1 for numbers that say a chain, otherwise told apart by their bytes.
fn value(parameter: &Parameter, place: u8) -> Value {
    let name = parameter.name.to_ascii_lowercase();
    match &parameter.kind {
        Type::Uint(_) | Type::Int(_) if name.contains("chain") || name.contains("domain") || name.contains("eid") => {
            Value::Uint(U256::from(2))
        }
        Type::Uint(bits) => Value::Uint(U256::from(if *bits > 8 { 1000 + u64::from(place) } else { 1 })),
        Type::Int(_) => Value::Int(U256::from(7)),
        Type::Address => Value::Address([0x10 + place; 20]),
        Type::Bool => Value::Bool(true),
        Type::Fixed(32) if name.contains("recipient") || name.contains("token") || name.contains("deposit") => {
            Value::Bytes([vec![0; 12], vec![0x10 + place; 20]].concat())
        }
        Type::Fixed(length) => Value::Bytes(vec![0x10 + place; usize::from(*length)]),
        Type::Bytes => Value::Bytes(vec![0x10 + place; 32]),
        Type::Text => Value::Text("0x1111111111111111111111111111111111111111".into()),
        Type::List(_) | Type::Array(..) => Value::List(Vec::new()),
        Type::Tuple(parts) => {
            let part = |(at, part): (usize, &Parameter)| Field {
                name: part.name.clone(),
                value: value(part, u8::try_from(at).unwrap()),
            };
            Value::Tuple(parts.iter().enumerate().map(part).collect())
        }
    }
}

/// The topics and data of a log with made values; an indexed value that does not fit is a hash.
fn encoded(signature: &Signature) -> (Vec<[u8; 32]>, Vec<u8>) {
    let made = |(at, input): (usize, &Parameter)| match value(input, u8::try_from(at).unwrap()) {
        _ if input.indexed && input.kind.is_dynamic() => Value::Hash([0xaa; 32]),
        value => value,
    };
    let values: Vec<Value> = signature.inputs.iter().enumerate().map(made).collect();
    signature.encode_event(&values).expect("the values are of their types")
}

/// What every event of every built-in protocol makes of a log with made values: that it is a crossing of its direction, with
/// everything that its entry promises. What needs a packed message is played in a test of its own.
#[test]
fn every_event_of_every_protocol_makes_its_crossing() {
    let registry = Registry::built_in();
    let mut played = 0;
    for protocol in registry.protocols() {
        for entry in protocol.events.iter().filter(|entry| entry.unpack.is_empty() && entry.when.is_empty()) {
            let fits = |contract: &&Contract| entry.contracts.is_empty() || entry.contracts.contains(&contract.name);
            let contract = protocol.contracts.iter().find(fits).unwrap();
            let (topics, data) = encoded(&entry.signature);
            let with = entry.with.as_ref().map(|with| encoded(&with.signature));
            let mut logs = vec![Log { index: 5, contract: contract.address, topics: &topics, data: &data }];
            if let (Some(with), Some((topics, data))) = (&entry.with, &with) {
                let (at, index) = if with.place == Place::Before { (0, 4) } else { (1, 6) };
                let messenger = protocol.contracts.iter().find(|other| other.ledger == contract.ledger);
                logs.insert(at, Log { index, contract: messenger.unwrap().address, topics, data });
            }
            let inside = format!("0x{}", hex::text(&contract.address));
            let alice = Some("0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1".to_owned());
            let takes = contract.role.takes_money();
            let place = takes.then_some(inside);
            let (from, to) = if entry.direction == Direction::Deposit { (alice, place) } else { (place, alice) };
            let units = entry
                .signature
                .inputs
                .iter()
                .enumerate()
                .find(|(_, input)| entry.amount == Term::Argument(input.name.clone()));
            let units = units.map_or(77, |(at, _)| 1000 + at as u128);
            let moved = [Moved { from, to, asset: "MOVED".into(), units }];
            let reading = Reading {
                registry: &registry,
                ledger: &contract.ledger,
                tx: "0xabc",
                time: None,
                native: Some("ETH"),
                moved: &moved,
            };
            let (crossings, refusals) = reading.logs(&logs);
            let said = format!("{} {}", protocol.name, entry.signature);
            assert_eq!(refusals, vec![], "{said}");
            let of_entry = |crossing: &&Crossing| crossing.index == Some(5);
            let crossing = crossings.iter().find(of_entry).unwrap_or_else(|| panic!("{said}: no crossing"));
            assert_eq!(crossing.direction, entry.direction, "{said}");
            assert_eq!(crossing.token.is_some(), entry.token.is_some(), "{said}");
            assert_eq!(crossing.key.is_some(), !entry.key.is_empty(), "{said}");
            assert_eq!(crossing.recipient.is_some(), entry.recipient.is_some(), "{said}");
            assert_eq!(crossing.other_tx.is_some(), entry.other_tx.is_some(), "{said}");
            assert!(crossing.units > 0, "{said}");
            played += 1;
        }
    }
    assert!(played >= 35, "{played} events were played");
}

#[test]
fn a_wormhole_transfer_is_read_out_of_its_message() {
    let registry = Registry::built_in();
    let protocol = registry.protocol("wormhole").unwrap();
    let ledger = evm::ledger_id(1);
    let find = |name: &str| protocol.contracts.iter().find(|c| c.name == name && c.ledger == ledger).unwrap().address;
    let (core, bridge) = (find("Core"), find("TokenBridge"));
    let recipient = [[0; 12].as_slice(), &[0xcc; 20]].concat();
    let payload =
        |kind: u8| [&[kind][..], &[0; 31], &[9], &[0xdd; 32], &[0, 2], &recipient, &[0, 4], &[0; 32]].concat();
    let log = |sender: [u8; 20], kind: u8| {
        let values = [
            Value::Address(sender),
            Value::Uint(U256::from(1234)),
            Value::Uint(U256::ZERO),
            Value::Bytes(payload(kind)),
            Value::Uint(U256::from(1)),
        ];
        protocol.events[0].signature.encode_event(&values).unwrap()
    };
    let text = |address: &[u8]| Some(format!("0x{}", hex::text(address)));
    let moved = [Moved { from: text(&[0xa1; 20]), to: text(&bridge), asset: "USDC".into(), units: 900 }];
    let read = |sender, kind| {
        let (topics, data) = log(sender, kind);
        let logs = [Log { index: 1, contract: core, topics: &topics, data: &data }];
        let reading =
            Reading { registry: &registry, ledger: &ledger, tx: "0xabc", time: None, native: None, moved: &moved };
        reading.logs(&logs)
    };
    let (crossings, refusals) = read(bridge, 1);
    assert_eq!(refusals, vec![]);
    let [crossing] = crossings.as_slice() else { panic!("one crossing, not {crossings:?}") };
    assert_eq!((crossing.units, crossing.token.as_deref()), (900, Some("USDC")));
    assert_eq!((&crossing.sender, &crossing.recipient), (&text(&[0xa1; 20]), &text(&[0xcc; 20])));
    assert_eq!(crossing.other, Some(evm::ledger_id(56)));
    // What TransferRedeemed on the other side carries: chain 2, the bridge as 32 bytes, the sequence.
    let number = |n: u64| U256::from(n).to_be_bytes::<32>().to_vec();
    let key = [number(2), [vec![0; 12], bridge.to_vec()].concat(), number(1234)].concat();
    assert_eq!(crossing.key, Some(key));
    assert_eq!(read(bridge, 2).0, vec![], "another kind of message is no transfer");
    assert_eq!(read([0x66; 20], 1).0, vec![], "anybody can publish a message");
}
