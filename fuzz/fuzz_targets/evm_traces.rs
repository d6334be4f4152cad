//! Traces of both kinds, of a block that is known: coin moves between accounts, or the answer is refused in one clear line.
#![no_main]

use std::sync::LazyLock;

use evm::{Chain, KeepEvents, Logs, Material, Tokens, Traces, decode_block};
use libfuzzer_sys::fuzz_target;
use tracehound_fuzz::{assert_evm_block, assert_message};

/// A block of two transactions, one of them a creation.
const BLOCK: &str = include_str!("../seeds/evm_traces.block.json");

/// The tables are read once.
static KNOWN: LazyLock<(Chain, Tokens)> = LazyLock::new(|| {
    let chain = Chain::of(1).expect("it is in the table");
    let tokens = Tokens::built_in(&chain);
    (chain, tokens)
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (chain, tokens) = &*KNOWN;
    for traces in [Traces::Parity(text), Traces::Geth(text)] {
        let material = Material { block: BLOCK, logs: Logs::None, traces };
        match decode_block(chain, tokens, &KeepEvents::None, &material) {
            Ok(decoded) => {
                assert_evm_block(&decoded);
                assert!(!decoded.block.gaps.traces, "traces were there");
            }
            Err(fault) => assert_message(&fault),
        }
    }
});
