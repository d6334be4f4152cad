//! The ABI: hashes that everybody knows, the specification's example, what is refused, and a round trip.

use ledger::hex;
use proptest::prelude::*;
use ruint::aliases::U256;

use super::*;

fn shown(fields: &[Field]) -> String {
    fields.iter().map(|field| format!("{}={}", field.name, field.value)).collect::<Vec<_>>().join(" ")
}

#[test]
fn hashes_are_those_of_the_chain() {
    assert_eq!(hex::text(&keccak256(b"")), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    let cases = [
        (
            "event Transfer(address indexed from, address indexed to, uint256 value)",
            "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
        ),
        ("Deposit(address indexed dst, uint wad);", "e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c"),
        (
            "LogAnySwapIn(index_topic_1 bytes32 txhash, index_topic_2 address token, index_topic_3 address to, uint256 amount, uint256 fromChainID, uint256 toChainID)",
            "aac9ce45fe3adf5143598c4f18a369591a20a3384aedaf1b525d29127e1fcd55",
        ),
    ];
    for (text, want) in cases {
        assert_eq!(hex::text(&Signature::parse(text).unwrap().topic()), want, "{text}");
    }
    assert_eq!(hex::text(&Signature::parse("transfer(address,uint256)").unwrap().selector()), "a9059cbb");
}

#[test]
fn signatures_print_as_they_are_hashed_and_bad_ones_say_where() {
    let text = "f(uint a, (address to, bytes[] parts)[2] b, tuple(bool) memory c, address payable d)";
    let signature = Signature::parse(text).unwrap();
    assert_eq!(signature.canonical(), "f(uint256,(address,bytes[])[2],(bool),address)");
    assert_eq!(signature.inputs[3].name, "d");
    assert_eq!(Signature::parse("f(uint8,bool)").unwrap().inputs[1].name, "1");
    assert_eq!(Signature::parse(&signature.to_string()).unwrap().canonical(), signature.canonical());
    let deep = format!("f({}uint8{} a)", "(".repeat(40), ")".repeat(40));
    let cases = [
        ("", "there is no name before the parenthesis (at byte 0)"),
        ("f", "an opening parenthesis is missing (at byte 1)"),
        ("f(uint7 a)", "\"uint7\" is no type of the ABI (at byte 2)"),
        ("f(uint264 a)", "\"uint264\" is no type of the ABI (at byte 2)"),
        ("f(bytes33 a)", "\"bytes33\" is no type of the ABI (at byte 2)"),
        ("f(uint08 a)", "\"uint08\" is no type of the ABI (at byte 2)"),
        ("f(uint8 a, bool a)", "two parameters are called a (at byte 10)"),
        ("f(uint8 a", "a comma or a closing parenthesis is missing (at byte 9)"),
        ("f(uint8 a b)", "\"b\" stands after the parameter's name (at byte 9)"),
        ("f(tuple a)", "a type is missing, or a tuple's parts (at byte 8)"),
        ("f(uint8[0] a)", "an array has 1 to 1024 places (at byte 10)"),
        ("f(uint8[99999999999999999999] a)", "an array has 1 to 1024 places (at byte 29)"),
        ("f(uint8[1000][1000] a)", "the type holds more than 1024 values (at byte 20)"),
        ("f(() a)", "a tuple without parts (at byte 4)"),
        ("f(uint8 a) returns (bool)", "something stands after the closing parenthesis (at byte 11)"),
        (
            "f(bool indexed a, bool indexed b, bool indexed c, bool indexed d)",
            "more than three parameters are indexed (at byte 0)",
        ),
        (&deep, "tuples nest deeper than 8 levels (at byte 10)"),
    ];
    for (text, want) in cases {
        assert_eq!(Signature::parse(text).map_err(|error| error.to_string()), Err(want.to_owned()), "{text}");
    }
}

/// The example of the specification: `f(uint256,uint32[],bytes10,bytes)`.
#[test]
fn the_specifications_example_is_read() {
    let call = concat!(
        "8be65246",
        "0000000000000000000000000000000000000000000000000000000000000123",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "3132333435363738393000000000000000000000000000000000000000000000",
        "00000000000000000000000000000000000000000000000000000000000000e0",
        "0000000000000000000000000000000000000000000000000000000000000002",
        "0000000000000000000000000000000000000000000000000000000000000456",
        "0000000000000000000000000000000000000000000000000000000000000789",
        "000000000000000000000000000000000000000000000000000000000000000d",
        "48656c6c6f2c20776f726c642100000000000000000000000000000000000000"
    );
    let call = hex::bytes(call).unwrap();
    let signature = Signature::parse("f(uint256 a, uint32[] b, bytes10 c, bytes d)").unwrap();
    let fields = signature.decode_call(&call).unwrap();
    assert_eq!(shown(&fields), "a=291 b=[1110, 1929] c=0x31323334353637383930 d=0x48656c6c6f2c20776f726c6421");
    let values: Vec<Value> = fields.into_iter().map(|field| field.value).collect();
    assert_eq!(signature.encode_call(&values), Some(call.clone()));
    for cut in 0..call.len() - 19 {
        assert!(signature.decode_call(&call[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let event = Signature::parse("E(address indexed who, bool flag, int8 small)").unwrap();
    let (who, wide) = ([0; 32], [0xff; 32]);
    let data = |flag: u8, small: [u8; 2]| {
        let mut data = vec![0; 64];
        (data[31], data[62], data[63]) = (flag, small[0], small[1]);
        data
    };
    let decoded = |topics: &[[u8; 32]], data: &[u8]| {
        event.decode_event(topics, data).map(|fields| shown(&fields)).map_err(|error| error.to_string())
    };
    let topic = event.topic();
    let good = "who=0x0000000000000000000000000000000000000000 flag=true small=127".to_owned();
    assert_eq!(decoded(&[topic, who], &data(1, [0, 127])), Ok(good));
    let cases = [
        (&[][..], Vec::new(), "it is of another signature"),
        (&[who], Vec::new(), "it is of another signature"),
        (&[topic], data(1, [0, 1]), "the log has 1 topics, its signature 2"),
        (&[topic, wide], data(1, [0, 1]), "the bytes of who are not of its type"),
        (&[topic, who], data(2, [0, 1]), "the bytes of flag are not of its type"),
        (&[topic, who], data(1, [0, 128]), "the bytes of small are not of its type"),
        (&[topic, who], vec![0; 63], "the data ends before small"),
    ];
    for (topics, data, want) in cases {
        assert_eq!(decoded(topics, &data), Err(want.to_owned()));
    }
}

/// Every level of a nested list may point to the same items: a kilobyte would unfold into gigabytes.
#[test]
fn a_bomb_of_shared_tails_is_refused() {
    let signature = Signature::parse("f(uint256[][][][][][] a)").unwrap();
    let mut data = signature.selector().to_vec();
    data.extend(U256::from(32).to_be_bytes::<32>());
    for _ in 0..6 {
        data.extend(U256::from(32).to_be_bytes::<32>());
        for _ in 0..32 {
            data.extend(U256::from(32 * 32).to_be_bytes::<32>());
        }
    }
    assert_eq!(signature.decode_call(&data), Err(AbiError::Bomb("a".into())));
    let huge = Signature::parse("g(uint8[] a)").unwrap();
    let mut data = huge.selector().to_vec();
    data.extend(U256::from(32).to_be_bytes::<32>());
    data.extend([0xff; 32]);
    assert_eq!(huge.decode_call(&data), Err(AbiError::Short("a".into())));
}

/// A type and a value of it.
fn typed() -> impl Strategy<Value = (Type, Value)> {
    let word = any::<[u8; 32]>();
    let leaf = prop_oneof![
        (1..=32u16, word).prop_map(|(bytes, word)| {
            let number = U256::from_be_bytes(word) >> (256 - usize::from(bytes) * 8);
            (Type::Uint(bytes * 8), Value::Uint(number))
        }),
        word.prop_map(|word| (Type::Int(256), Value::Int(U256::from_be_bytes(word)))),
        any::<[u8; 20]>().prop_map(|address| (Type::Address, Value::Address(address))),
        any::<bool>().prop_map(|value| (Type::Bool, Value::Bool(value))),
        prop::collection::vec(any::<u8>(), 1..=32)
            .prop_map(|bytes| (Type::Fixed(u8::try_from(bytes.len()).unwrap()), Value::Bytes(bytes))),
        prop::collection::vec(any::<u8>(), 0..70).prop_map(|bytes| (Type::Bytes, Value::Bytes(bytes))),
        ".{0,40}".prop_map(|text| (Type::Text, Value::Text(text))),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), 0..4usize)
                .prop_map(|((kind, value), count)| { (Type::List(Box::new(kind)), Value::List(vec![value; count])) }),
            (inner.clone(), 1..4usize).prop_map(|((kind, value), count)| {
                (Type::Array(Box::new(kind), count), Value::List(vec![value; count]))
            }),
            prop::collection::vec(inner, 1..4).prop_map(|parts| {
                let (kinds, values) = parts.into_iter().enumerate().map(named).unzip();
                (Type::Tuple(kinds), Value::Tuple(values))
            }),
        ]
    })
}

fn named((place, (kind, value)): (usize, (Type, Value))) -> (Parameter, Field) {
    let name = place.to_string();
    (Parameter { name: name.clone(), kind, indexed: false }, Field { name, value })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_was_encoded_is_decoded(parts in prop::collection::vec(typed(), 0..5)) {
        let (inputs, fields): (Vec<Parameter>, Vec<Field>) = parts.into_iter().enumerate().map(named).unzip();
        let signature = Signature { name: "f".into(), inputs };
        let values: Vec<Value> = fields.iter().map(|field| field.value.clone()).collect();
        let call = signature.encode_call(&values).unwrap();
        prop_assert_eq!(signature.decode_call(&call), Ok(fields.clone()));
        let (topics, data) = signature.encode_event(&values).unwrap();
        prop_assert_eq!(signature.decode_event(&topics, &data), Ok(fields));
        prop_assert_eq!(Signature::parse(&signature.to_string()), Ok(signature));
    }

    #[test]
    fn garbage_never_panics(text in ".{0,60}", bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Signature::parse(&text);
        let signature = Signature::parse("f(bytes a, (string, uint8[])[] b, int16[3][] c)").unwrap();
        let _ = signature.decode_values(&bytes);
    }
}
