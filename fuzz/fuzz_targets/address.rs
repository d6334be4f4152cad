//! Addresses: the canonical form is bounded, holds no control character, and is its own canonical form.
#![no_main]

use ledger::LedgerId;
use ledger::address::{HOLDER_BYTES_MAX, canonical};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for name in ["bitcoin", "ethereum", "table:fuzz", "bank:TESTGB2L"] {
        let ledger = LedgerId::parse(name).expect("these names are ledger ids");
        let Ok(once) = canonical(&ledger, text) else { continue };
        assert!(!once.is_empty() && once.len() <= HOLDER_BYTES_MAX, "{once:?} is no holder name");
        assert!(!once.chars().any(char::is_control), "{once:?} holds a control character");
        let twice = canonical(&ledger, &once).expect("a canonical form is valid");
        assert_eq!(once, twice, "on {ledger}");
    }
});
