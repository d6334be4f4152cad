//! Exported tables of EVM chains: the same blocks however the bytes arrive, each sound, and one clear line for the first fault.
#![no_main]

use std::io::Read;
use std::sync::LazyLock;

use evm::exports::{Exports, Tables};
use evm::{Chain, Decoded, KeepEvents, Tokens};
use libfuzzer_sys::fuzz_target;
use tracehound_fuzz::{OneByte, assert_evm_block, assert_message};

/// The tables are read once.
static KNOWN: LazyLock<(Chain, Tokens)> = LazyLock::new(|| {
    let chain = Chain::of(1).expect("it is in the table");
    let tokens = Tokens::built_in(&chain);
    (chain, tokens)
});

fuzz_target!(|data: &[u8]| {
    let whole = read(data, |bytes| bytes);
    let slowly = read(data, OneByte);
    assert_eq!(whole, slowly, "the answer depends on how the bytes arrive");
    whole.0.iter().for_each(assert_evm_block);
});

fn read<'a, R: Read>(data: &'a [u8], reader: impl Fn(&'a [u8]) -> R) -> (Vec<Decoded>, Option<String>) {
    let mut tables = data.split(|byte| *byte == 0).map(|table| (!table.is_empty()).then_some(table));
    let mut next = || tables.next().flatten().map(&reader);
    let (chain, tokens) = &*KNOWN;
    let keep = KeepEvents::All;
    let Some(blocks) = next() else { return (Vec::new(), None) };
    let tables = Tables { blocks, transactions: next(), receipts: next(), logs: next(), traces: next() };
    let exports = match Exports::new(chain, tokens, &keep, tables) {
        Ok(exports) => exports,
        Err(fault) => return (Vec::new(), Some(said(&fault))),
    };
    let mut good = Vec::new();
    for answer in exports {
        match answer {
            Ok(decoded) => good.push(decoded),
            Err(fault) => return (good, Some(said(&fault))),
        }
    }
    (good, None)
}

fn said(fault: &evm::exports::ExportFault) -> String {
    assert_message(fault);
    fault.to_string()
}
