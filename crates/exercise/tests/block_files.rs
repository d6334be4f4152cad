//! The writer of block folders, against the folder that a real node wrote.

mod folder;

use std::fs;
use std::path::Path;

use bitcoin::hashes::Hash;
use bitcoin::secp256k1;
use exercise::blockfiles::{BlockFiles, MAGIC_REGTEST, undo};
use folder::{Folder, belongs, decode};

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
