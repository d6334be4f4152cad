//! Real blocks against what the node itself says of them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};

use decode::bitcoin::{
    Contents, GapKind, Options, RawBlock, SpentScript, Undo, attach, attach_fees, block, spent_outputs, undo,
    undo_record,
};
use flate2::read::GzDecoder;
use ledger::{Lock, txid_bytes, txid_text};
use money::{Amount, Decimal};
use serde_json::Value;

use crate::data::{self, network};

const REGTEST: &str = "regtest-node-29.5/blocks.tar.xz";
const OUT_OF_ORDER: &str = "regtest-node-29.5/blocks-fastprune-out-of-order.tar.xz";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn sats(value: &Value) -> u128 {
    Decimal::parse_scientific(&value.to_string()).unwrap().to_amount(8).unwrap().units()
}

/// The node's own `getblock 3`, by hash.
fn truth() -> Option<BTreeMap<String, Value>> {
    let packed = data::file("regtest-node-29.5/ground-truth-getblock3.jsonl.gz")?;
    let lines = BufReader::new(GzDecoder::new(packed.as_slice())).lines();
    let blocks = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    Some(blocks.map(|block| (block["hash"].as_str().unwrap().to_owned(), block)).collect())
}

/// A block of the folder against the node's answer; how many spent outputs were compared.
fn compare(bytes_of_block: &[u8], records: &[Vec<u8>], truth: &Value) -> usize {
    let regtest = network("bitcoin-regtest");
    let raw = RawBlock::parse(bytes_of_block, regtest).unwrap();
    let height = truth["height"].as_u64().unwrap();
    assert_eq!(raw.coinbase_height(), Some(height).filter(|height| *height > 0));
    let chainwork = (0..=height).fold(decode::bitcoin::Work::ZERO, |work, _| work.plus(raw.header().work()));
    assert_eq!(chainwork.to_string(), truth["chainwork"].as_str().unwrap());
    let mut deed = block(bytes_of_block, regtest, height, Options::default()).unwrap();
    assert_eq!(deed.time.micros(), truth["time"].as_i64().unwrap() * 1_000_000);
    assert_eq!(deed.previous.map(|hash| txid_text(&hash)).as_deref(), truth["previousblockhash"].as_str());

    let previous = raw.header().previous();
    let matching: Vec<&[u8]> = records.iter().filter_map(|record| undo_record(record, &previous)).collect();
    // Blocks with the same parent and no payment have the same record.
    let own = matching.iter().map(|bytes| undo(bytes, regtest).unwrap());
    let own: Vec<Undo<'_>> = own.filter(|undo| attach_fees(&mut deed.clone(), undo).is_ok()).collect();
    let spent = if height == 0 { Undo::default() } else { own[0].clone() };
    let fees = attach(&mut deed, &spent).unwrap();

    let transactions = truth["tx"].as_array().unwrap();
    assert_eq!(deed.transactions.len(), transactions.len());
    let mut spent_by = spent.transactions();
    let (mut count, mut total) = (0, 0);
    for (at, (got, want)) in deed.transactions.iter().zip(transactions).enumerate() {
        assert_eq!(txid_text(&got.txid), want["txid"].as_str().unwrap());
        assert_eq!(got.fee.map(Amount::units), want.get("fee").map(sats));
        total += got.fee.map_or(0, Amount::units);
        for (output, want) in got.outputs.iter().zip(want["vout"].as_array().unwrap()) {
            assert_eq!(output.amount.units(), sats(&want["value"]));
            check_holder(&output.holder, &want["scriptPubKey"]);
        }
        assert_eq!(got.outputs.len(), want["vout"].as_array().unwrap().len());
        if at == 0 {
            assert!(got.inputs.is_empty());
            continue;
        }
        let spent = spent_by.next().unwrap();
        assert_eq!((got.inputs.len(), spent.len()), (want["vin"].as_array().unwrap().len(), got.inputs.len()));
        for ((input, spent), want) in got.inputs.iter().zip(spent).zip(want["vin"].as_array().unwrap()) {
            assert_eq!(input.outpoint.txid, txid_bytes(want["txid"].as_str().unwrap()).unwrap());
            assert_eq!(u64::from(input.outpoint.vout), want["vout"].as_u64().unwrap());
            let prevout = &want["prevout"];
            let origin = spent.origin.unwrap();
            assert_eq!(u64::from(origin.height), prevout["height"].as_u64().unwrap());
            assert_eq!(origin.coinbase, prevout["generated"].as_bool().unwrap());
            assert_eq!(
                spent.script.script().unwrap().as_ref(),
                bytes(prevout["scriptPubKey"]["hex"].as_str().unwrap())
            );
            let stated = input.spent.as_ref().unwrap();
            assert_eq!(stated.amount.units(), sats(&prevout["value"]));
            check_holder(&stated.holder, &prevout["scriptPubKey"]);
            count += 1;
        }
    }
    assert_eq!(fees.units(), total);
    rest_agrees(&deed, truth);
    count
}

/// The same block's outputs, served as REST serves them.
fn rest_agrees(deed: &ledger::UtxoBlock, truth: &Value) {
    let mut served = Vec::new();
    let put_count = |served: &mut Vec<u8>, count: usize| match u16::try_from(count).unwrap() {
        small @ 0..0xfd => served.push(u8::try_from(small).unwrap()),
        large => served.extend([&[0xfd][..], &large.to_le_bytes()].concat()),
    };
    put_count(&mut served, deed.transactions.len());
    for tx in truth["tx"].as_array().unwrap() {
        let prevouts: Vec<&Value> =
            tx["vin"].as_array().unwrap().iter().filter_map(|input| input.get("prevout")).collect();
        put_count(&mut served, prevouts.len());
        for prevout in prevouts {
            let script = bytes(prevout["scriptPubKey"]["hex"].as_str().unwrap());
            served.extend(u64::try_from(sats(&prevout["value"])).unwrap().to_le_bytes());
            put_count(&mut served, script.len());
            served.extend(script);
        }
    }
    let mut bare = deed.clone();
    for transaction in &mut bare.transactions {
        transaction.fee = None;
        transaction.inputs.iter_mut().for_each(|input| input.spent = None);
    }
    attach(&mut bare, &spent_outputs(&served).unwrap()).unwrap();
    assert_eq!(&bare, deed);
}

fn check_holder(holder: &Lock, script: &Value) {
    let hex = script["hex"].as_str().unwrap();
    assert_eq!(holder, &Lock::of_script(&bytes(hex)));
    if let Some(address) = script["address"].as_str() {
        assert_eq!(holder.name(network("bitcoin-regtest")), address);
    }
}

#[test]
fn every_spent_output_of_the_regtest_node_agrees_with_the_node() {
    let (Some(folder), Some(truth)) = (data::unpacked(REGTEST), truth()) else { return };
    let magic = network("bitcoin-regtest").magic;
    let records = data::bodies(&folder, "rev", Contents::Undo, magic);
    let blocks = data::bodies(&folder, "blk", Contents::Blocks, magic);
    assert_eq!((blocks.len(), records.len()), (315, 314), "genesis has no undo data");
    let spent: usize = blocks.iter().map(|bytes| compare(bytes, &records, &truth[&hash(bytes)])).sum();
    assert_eq!(spent, 12_932);
}

#[test]
fn the_out_of_order_folder_has_the_same_blocks_and_fourteen_others() {
    let (Some(folder), Some(truth)) = (data::unpacked(OUT_OF_ORDER), truth()) else { return };
    let magic = network("bitcoin-regtest").magic;
    let records = data::bodies(&folder, "rev", Contents::Undo, magic);
    let blocks = data::bodies(&folder, "blk", Contents::Blocks, magic);
    assert_eq!(blocks.len(), 323);
    let (known, own): (Vec<_>, Vec<_>) = blocks.iter().partition(|bytes| truth.contains_key(&hash(bytes)));
    assert_eq!((known.len(), own.len()), (315, 8));
    for bytes in known {
        compare(bytes, &records, &truth[&hash(bytes)]);
    }
}

fn hash(bytes: &[u8]) -> String {
    txid_text(&decode::bitcoin::BlockHeader::of(bytes).unwrap().hash())
}

#[test]
fn the_first_600_blocks_of_the_main_chain_have_their_work_and_their_merkle_roots() {
    let main = network("bitcoin");
    let mut previous = [0; 32];
    let mut height = 0;
    let mut work = decode::bitcoin::Work::ZERO;
    for name in ["blk00000.dat", "blk00001.dat"] {
        let Some(file) = data::file(&format!("mainnet-blk-first-600/{name}")) else { return };
        let key = decode::bitcoin::Obfuscation::NONE;
        let (records, gaps, read) = data::walk(Contents::Blocks, main.magic, key, &file);
        assert!(gaps.iter().all(|gap| gap.what == GapKind::Unused), "{gaps:?}");
        assert!(read < records.len() * 96 + 16, "only heads are read");
        for record in &records {
            let bytes = data::body(&file, key, record);
            let deed = block(&bytes, main, height, Options::default()).unwrap();
            assert_eq!(record.header.unwrap().hash(), deed.hash);
            assert_eq!(deed.previous.unwrap_or_default(), previous);
            assert_eq!(
                deed.transactions[0].outputs.iter().map(|output| output.amount).sum::<Amount>().units(),
                5_000_000_000
            );
            assert_eq!(RawBlock::parse(&bytes, main).unwrap().coinbase_height(), None, "version 1");
            work = work.plus(record.header.unwrap().work());
            previous = deed.hash;
            height += 1;
        }
    }
    assert_eq!(height, 600);
    assert_eq!(work.to_string(), format!("{:064x}", 600_u64 * 0x1_0001_0001));
}

#[test]
fn a_full_block_of_the_main_chain_has_its_fees() {
    let Some(bytes_of_block) = data::file("mainnet-block-367891/block_367891_raw") else { return };
    let packed = data::file("mainnet-block-367891/block_367891_spent_utxos.zst").unwrap();
    let mut text = String::new();
    ruzstd::decoding::StreamingDecoder::new(packed.as_slice()).unwrap().read_to_string(&mut text).unwrap();
    let spent: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut deed = block(&bytes_of_block, network("bitcoin"), 367_891, Options::default()).unwrap();
    assert_eq!((deed.transactions.len(), spent.len()), (420, 20_817));
    assert_eq!(RawBlock::parse(&bytes_of_block, network("bitcoin")).unwrap().coinbase_height(), Some(367_891));

    let mut written = crate::made::compact(419);
    let script_of = |output: &Value| bytes(output["txout"]["script_pubkey"].as_str().unwrap());
    let short = spent.iter().filter(|output| matches!(script_of(output)[..], [0x76, 0xa9, 0x14, .., 0xac])).count();
    let mut spent = spent.iter();
    for transaction in &deed.transactions[1..] {
        written.extend(crate::made::compact(transaction.inputs.len()));
        for output in spent.by_ref().take(transaction.inputs.len()) {
            let script = script_of(output);
            let height = u32::try_from(output["creation_height"].as_u64().unwrap()).unwrap();
            let coinbase = output["is_coinbase"].as_bool().unwrap();
            written.extend(crate::made::spent(output["txout"]["value"].as_u64().unwrap(), height, coinbase, &script));
        }
    }
    let undo = undo(&written, network("bitcoin")).unwrap();
    assert_eq!(attach_fees(&mut deed, &undo).unwrap().units(), 14_001_930);
    assert_eq!(attach(&mut deed, &undo).unwrap().units(), 14_001_930);
    let hashes = undo.spent().iter().filter(|spent| matches!(spent.script, SpentScript::KeyHash(_)));
    assert_eq!(hashes.count(), short, "scripts in their short form");
}
