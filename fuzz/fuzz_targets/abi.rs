//! The ABI: a signature that is read prints as one that is read, and no bytes decode into more than a multiple of them.
#![no_main]

use evm::abi::{Signature, keccak256};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &[u8])| {
    let (text, bytes) = input;
    let Ok(signature) = Signature::parse(text) else { return };
    assert_eq!(Signature::parse(&signature.to_string()).map(|again| again.topic()), Ok(signature.topic()));
    assert_eq!(keccak256(signature.canonical().as_bytes()), signature.topic());
    let Ok(fields) = signature.decode_values(bytes) else { return };
    let values: Vec<_> = fields.into_iter().map(|field| field.value).collect();
    if let Some(call) = signature.encode_call(&values) {
        let again = signature.decode_call(&call).expect("what was encoded is decoded");
        assert!(again.into_iter().map(|field| field.value).eq(values));
    }
});
