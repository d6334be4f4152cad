//! Ledger tables as CSV: every row sound, one clear line for the first fault, however the bytes arrive.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| tracehound_fuzz::check_table(data));
