//! How many of the published Celer pairs (Ethereum to Polygon) tie without their logs: the transfer id that a relay names is
//! the hash of the deposit's fields and of a nonce, which wallets take from the clock in milliseconds. So a deposit's id can
//! be recomputed by trying the milliseconds before its block; a hit in 256 bits is no chance. Prints the
//! figures. The calls name no transaction, so that the published labels cannot be held against it row by row.
//!
//! Run: `cargo run --release -p link --example celer_ids -- SHARED_DATA_FOLDER`.

use std::collections::BTreeSet;

use evm::abi::keccak256;
use ledger::hex;
use link::registry::Registry;
use link::{Crossing, outside};

/// How long before the block, and after it, a nonce may lie; in milliseconds.
const BEFORE: u64 = 20 * 60_000;
const AFTER: u64 = 60_000;

fn address(text: Option<&str>) -> Vec<u8> {
    let text = text.and_then(|text| text.rsplit_once("0x")).map_or("", |(_, digits)| digits);
    hex::bytes(text).unwrap_or_default()
}

/// The forms that are hashed, each in what stands before the nonce and what stands after it.
fn forms(deposit: &Crossing) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (sender, receiver) = (address(deposit.sender.as_deref()), address(deposit.recipient.as_deref()));
    let token = address(deposit.token.as_deref());
    let amount = [[0; 16], deposit.units.to_be_bytes()].concat();
    let (there, here) = (137u64.to_be_bytes(), 1u64.to_be_bytes());
    let send = [&sender[..], &receiver, &token, &amount, &there].concat();
    let vault = [&sender[..], &token, &amount, &there, &receiver].concat();
    let second = [&here[..], &address(Some("0x7510792a3b1969f9307f3845ce88e39578f2bae1"))].concat();
    vec![(send, here.to_vec()), (vault.clone(), here.to_vec()), (vault, second)]
}

fn found(deposit: &Crossing, ids: &BTreeSet<Vec<u8>>) -> Option<Vec<u8>> {
    let time = u64::try_from(deposit.time?.micros() / 1000).ok()?;
    let forms = forms(deposit);
    (time.saturating_sub(BEFORE)..time + AFTER).rev().find_map(|nonce| {
        forms.iter().find_map(|(before, after)| {
            let id = keccak256(&[before, &nonce.to_be_bytes()[..], after].concat()).to_vec();
            ids.contains(&id).then_some(id)
        })
    })
}

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "../shared/data".to_owned());
    let read = |name: &str| {
        let path = format!("{folder}/bridges/ETH-Polygon/Celer/{name}");
        std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let registry = Registry::built_in();
    let polygon = evm::ledger_id(137);
    let deposits = outside::read(&read("sample.json"), &registry, None).expect("the sample is read").crossings;
    let calls = outside::read(&read("input.csv"), &registry, Some(&polygon)).expect("the calls are read").crossings;
    let ids: BTreeSet<Vec<u8>> = calls.iter().filter_map(|call| call.key.clone()).collect();
    let mut tied = BTreeSet::new();
    for deposit in &deposits {
        let Some(id) = found(deposit, &ids) else { continue };
        tied.insert(id);
    }
    println!(
        "{} deposits, {} calls with an id: {} of them tied by a recomputed id",
        deposits.len(),
        ids.len(),
        tied.len()
    );
}
