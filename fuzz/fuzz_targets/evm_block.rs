//! Blocks, receipts and logs of EVM chains as a node may answer them: what is read is sound, what is not is one clear line.
#![no_main]

use std::sync::LazyLock;

use evm::{Chain, KeepEvents, Logs, Material, Tokens, Traces, decode_block, tokens_of};
use libfuzzer_sys::fuzz_target;
use tracehound_fuzz::{assert_evm_block, assert_message};

/// The tables are read once.
static KNOWN: LazyLock<(Chain, Tokens)> = LazyLock::new(|| {
    let chain = Chain::of(10).expect("it is in the table");
    let tokens = Tokens::built_in(&chain);
    (chain, tokens)
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (block, logs) = text.split_once('\0').unwrap_or((text, "null"));
    let (kind, logs) = (logs.as_bytes().first().copied(), logs.get(1..).unwrap_or_default());
    let logs = match kind {
        Some(b'r') => Logs::Receipts(logs),
        Some(b'l') => Logs::Logs(logs),
        _ => Logs::None,
    };
    let (chain, tokens) = &*KNOWN;
    let material = Material { block, logs, traces: Traces::None };
    let contracts = tokens_of(chain, &material);
    assert!(contracts.is_sorted_by(|a, b| a < b), "ascending, each once");
    match decode_block(chain, tokens, &KeepEvents::All, &material) {
        Ok(decoded) => assert_evm_block(&decoded),
        Err(fault) => assert_message(&fault),
    }
});
