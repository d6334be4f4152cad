//! Ledger tables as NDJSON: as for CSV. The first brace is given, so that the fuzzer need not find the form.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let with_brace = [b"{".as_slice(), data.strip_prefix(b"{").unwrap_or(data)].concat();
    tracehound_fuzz::check_table(&with_brace);
});
