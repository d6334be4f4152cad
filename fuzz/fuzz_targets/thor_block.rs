//! Records of THORChain in each of their forms, and the links that they come to: shares of one input never exceed it.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use link::thorchain::{Records, Scheme, pair};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut records = Records::new(Scheme::Thorchain);
    let _ = records.add(text);
    let mut shares = BTreeMap::<_, u64>::new();
    for claim in pair(&records, "fuzz", &|_, _| Some(18)).claims {
        *shares.entry(claim.from).or_default() += u64::from(claim.share.parts());
    }
    assert!(shares.values().all(|sum| *sum <= 1_000_000_000));
});
