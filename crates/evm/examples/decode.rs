//! How fast recorded answers become deeds: `cargo run --release -p evm --example decode -- FOLDER [SECONDS]`.
//!
//! The folder has JSON-RPC answers of Ethereum, in arrays or one a line. They are told by their shape, put together by
//! block, and decoded again and again on one core. A transfer is a leg that is no fee.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use evm::{Chain, KeepEvents, Logs, Material, Tokens, Traces, decode_block};
use ledger::LegKind;
use serde_json::Value;
use serde_json::value::RawValue;

/// What was recorded of one block.
#[derive(Default)]
struct Recorded {
    block: Option<String>,
    logs: Option<String>,
    receipts: Option<String>,
    parity: Option<String>,
}

#[derive(serde::Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    result: &'a RawValue,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("usage: decode FOLDER [SECONDS]");
    let seconds = arguments.next().map_or(5, |text| text.parse().expect("a number of seconds"));
    let blocks = recorded(Path::new(&folder));
    let chain = Chain::of(1).expect("it is in the table");
    let tokens = Tokens::built_in(&chain);
    let materials: Vec<Material<'_>> = blocks.values().filter_map(material).collect();
    let bytes: usize = materials.iter().map(size).sum();
    let before = cpu_seconds().unwrap_or_default();
    let (began, mut rounds, mut transfers, mut refused) = (Instant::now(), 0_u64, 0_u64, 0_u64);
    while rounds == 0 || began.elapsed() < Duration::from_secs(seconds) {
        for material in &materials {
            match decode_block(&chain, &tokens, &KeepEvents::None, material) {
                Ok(decoded) => {
                    let legs = decoded.block.transactions.iter().flat_map(|transaction| &transaction.legs);
                    transfers += legs.filter(|leg| leg.kind == LegKind::Transfer).count() as u64;
                }
                Err(fault) if rounds == 0 => {
                    eprintln!("{fault}");
                    refused += 1;
                }
                Err(_) => refused += 1,
            }
        }
        rounds += 1;
    }
    let spent = cpu_seconds().unwrap_or_else(|| began.elapsed().as_secs_f64()) - before;
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (rate, volume) = (transfers as f64 / spent, bytes as f64 * rounds as f64 / spent / 1e6);
    println!(
        "{} blocks, {bytes} bytes, {rounds} rounds, {refused} refused: {rate:.0} transfers and {volume:.0} MB a CPU second",
        materials.len()
    );
}

/// The processor time that this program has used, where Linux tells it, in its ticks of a hundredth.
fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let ticks: u32 = text.rsplit_once(')')?.1.split_whitespace().nth(11)?.parse().ok()?;
    Some(f64::from(ticks) / 100.0)
}

fn size(material: &Material<'_>) -> usize {
    let logs = match material.logs {
        Logs::Receipts(text) | Logs::Logs(text) => text.len(),
        Logs::None => 0,
    };
    let traces = match material.traces {
        Traces::Parity(text) | Traces::Geth(text) => text.len(),
        Traces::None => 0,
    };
    material.block.len() + logs + traces
}

fn material(recorded: &Recorded) -> Option<Material<'_>> {
    let logs = match (&recorded.receipts, &recorded.logs) {
        (Some(text), _) => Logs::Receipts(text),
        (None, Some(text)) => Logs::Logs(text),
        (None, None) => Logs::None,
    };
    let traces = recorded.parity.as_deref().map_or(Traces::None, Traces::Parity);
    Some(Material { block: recorded.block.as_deref()?, logs, traces })
}

fn recorded(folder: &Path) -> BTreeMap<u64, Recorded> {
    let mut blocks: BTreeMap<u64, Recorded> = BTreeMap::new();
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("the folder can be read").flatten().collect();
    files.sort_by_key(std::fs::DirEntry::path);
    for file in files {
        let Ok(text) = std::fs::read_to_string(file.path()) else { continue };
        if let Ok(answers) = serde_json::from_str::<Vec<Answer<'_>>>(&text) {
            for answer in answers {
                put(&mut blocks, answer.result.get());
            }
        } else {
            for line in text.lines() {
                if let Ok(answer) = serde_json::from_str::<Answer<'_>>(line) {
                    put(&mut blocks, answer.result.get());
                }
            }
        }
    }
    blocks
}

/// Tells an answer by its shape. The first of its kind counts.
fn put(blocks: &mut BTreeMap<u64, Recorded>, text: &str) {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return };
    let first = value.get(0).unwrap_or(&value);
    let number = match first.get("blockNumber").or_else(|| first.get("number")) {
        Some(Value::String(hex)) => u64::from_str_radix(hex.trim_start_matches("0x"), 16).ok(),
        Some(number) => number.as_u64(),
        None => None,
    };
    let Some(number) = number else { return };
    let own = blocks.entry(number).or_default();
    let has = |field: &str| first.get(field).is_some();
    let place = match () {
        () if value.is_object() && has("transactions") => &mut own.block,
        () if has("cumulativeGasUsed") => &mut own.receipts,
        () if has("logIndex") => &mut own.logs,
        () if has("traceAddress") => &mut own.parity,
        () => return,
    };
    place.get_or_insert_with(|| text.to_owned());
}
