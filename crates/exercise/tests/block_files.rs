//! The writer of block folders, against the folder that a real node wrote; and an exercise's, against its lines.

mod folder;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, secp256k1};
use exercise::Plan;
use exercise::blockfiles::{BlockFiles, MAGIC_REGTEST, undo};
use folder::{Folder, Spent, belongs, decode};
use serde_json::Value;

const REAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/bitcoin/regtest-node-29.5/blocks.tar.xz");

/// The real folder, unpacked; nothing where the data is not on this machine.
fn real() -> Option<tempfile::TempDir> {
    let Ok(packed) = fs::File::open(REAL) else {
        eprintln!("NOT CHECKED against a real node's block files: {REAL} is missing");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let unpacked = lzma_rust2::XzReader::new(std::io::BufReader::new(packed), true);
    tar::Archive::new(unpacked).unpack(folder.path()).unwrap();
    Some(folder)
}

fn is_point(key: &[u8]) -> bool {
    secp256k1::PublicKey::from_slice(key).is_ok()
}

#[test]
fn spent_outputs_are_packed_as_a_real_node_packs_them() {
    let Some(real) = real() else { return };
    let found = Folder::read(&real.path().join("blocks"));
    assert_eq!(found.undo.len(), 314, "every block but genesis");
    let mut outputs = 0;
    for (_, packed, _) in &found.undo {
        let transactions = decode(packed);
        let mut bytes = Vec::new();
        undo::compact_size(&mut bytes, transactions.len() as u64);
        for transaction in &transactions {
            undo::compact_size(&mut bytes, transaction.len() as u64);
            for spent in transaction {
                let script = spent.script.as_bytes();
                let (height, coinbase, value_sats) = (spent.height, spent.coinbase, spent.value_sats);
                undo::spent(&mut bytes, undo::Spent { height, coinbase, value_sats, script }, is_point);
                outputs += 1;
            }
        }
        assert_eq!(&bytes, packed);
    }
    assert_eq!(outputs, 12_932);
}

#[test]
fn a_real_folder_written_again_is_the_same_byte_for_byte() {
    let Some(real) = real() else { return };
    let real = real.path().join("blocks");
    let found = Folder::read(&real);
    let again = tempfile::tempdir().unwrap();
    let key = fs::read(real.join("xor.dat")).unwrap().try_into().unwrap();
    let mut files = BlockFiles::create(again.path(), MAGIC_REGTEST, Some(key)).unwrap();
    for (number, block) in &found.blocks {
        assert_eq!(files.block(&[block]).unwrap(), *number);
    }
    let parents: Vec<_> = found.decoded().iter().map(|block| block.header.prev_blockhash).collect();
    for (number, undo, checksum) in &found.undo {
        let parent = parents.iter().find(|parent| belongs(undo, checksum, parent)).expect("a record is of some block");
        files.undo(*number, &parent.to_byte_array(), undo).unwrap();
    }
    files.finish().unwrap();
    let same = |name: &str, from: &Path| fs::read(from.join(name)).unwrap();
    for name in ["blk00000.dat", "rev00000.dat", "xor.dat"] {
        assert!(same(name, again.path()) == same(name, &real), "{name}");
    }
}

/// With the `bitcoin` crate and plain maps: the blocks are those of the lines, and undo data is what is spent.
#[test]
fn an_exercise_s_block_files_are_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::scaled(4_000);
    let summary = exercise::write_with_blocks(&plan, folder.path(), true).unwrap();
    let lines = fs::read_to_string(folder.path().join("chain.ndjson")).unwrap();
    let found = Folder::read(&folder.path().join("blocks"));
    let blocks = found.decoded();
    assert_eq!(blocks.len(), lines.lines().count());
    assert_eq!(found.undo.len() + 1, blocks.len(), "every block but genesis");
    let mut unspent: BTreeMap<OutPoint, Spent> = BTreeMap::new();
    for (height, (block, line)) in (0u32..).zip(blocks.iter().zip(lines.lines())) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["hash"], block.block_hash().to_string());
        assert!(block.check_merkle_root());
        block.header.validate_pow(block.header.target()).unwrap();
        let script = &block.txdata[0].input[0].script_sig;
        assert!(block.txdata[0].is_coinbase() && (2..=100).contains(&script.len()));
        let txids: Vec<Value> = block.txdata.iter().map(|tx| tx.compute_txid().to_string().into()).collect();
        assert_eq!(line["tx"].as_array().unwrap().iter().map(|tx| tx["txid"].clone()).collect::<Vec<_>>(), txids);
        let mut spent = Vec::new();
        for transaction in &block.txdata {
            let (txid, coinbase) = (transaction.compute_txid(), transaction.is_coinbase());
            if !coinbase {
                let mut take = |point| unspent.remove(point).expect("spent once, and after it was made");
                spent.push(transaction.input.iter().map(|input| take(&input.previous_output)).collect::<Vec<_>>());
            }
            for (vout, output) in (0..).zip(&transaction.output) {
                let (value_sats, script) = (output.value.to_sat(), output.script_pubkey.clone());
                unspent.insert(OutPoint { txid, vout }, Spent { height, coinbase, value_sats, script });
            }
        }
        if height > 0 {
            let (_, packed, checksum) = &found.undo[height as usize - 1];
            assert!(belongs(packed, checksum, &block.header.prev_blockhash));
            assert_eq!(decode(packed), spent);
        }
    }
    assert!(unspent.len() > 100 && blocks.len() > 100);
    let names: Vec<&str> = summary.files.iter().map(|file| file.file.as_str()).collect();
    assert_eq!(names[names.len() - 3..], ["blocks/blk00000.dat", "blocks/rev00000.dat", "blocks/xor.dat"]);
}
