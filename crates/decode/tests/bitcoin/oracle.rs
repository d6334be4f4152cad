//! Blocks as the `bitcoin` crate reads them: another reader of the same bytes, real and damaged.

use bitcoin::Block;
use bitcoin::consensus::deserialize;
use bitcoin::hashes::Hash as _;
use decode::bitcoin::{Contents, Obfuscation, Options, RawBlock, VALUE_UNITS_MAX, merkle_root};
use ledger::{Lock, Network};

use crate::data::{self, network, unpacked, walk};

/// Whether a block that the other library reads has the form that ours asks for beyond that.
fn in_form(block: &Block) -> bool {
    let one_coinbase = block.txdata.iter().enumerate().all(|(at, tx)| {
        if at == 0 { tx.is_coinbase() } else { tx.input.iter().all(|input| !input.previous_output.is_null()) }
    });
    let outputs = || block.txdata.iter().flat_map(|tx| &tx.output);
    !block.txdata.is_empty()
        && one_coinbase
        && block.txdata.iter().all(|tx| !tx.input.is_empty() && !tx.output.is_empty())
        && outputs().all(|output| output.value.to_sat() <= VALUE_UNITS_MAX)
}

/// Both readers on the same bytes: they agree on whether it is a block, and on everything in it. Whether it was one.
pub fn agree(bytes: &[u8], network: &Network) -> bool {
    let theirs = deserialize::<Block>(bytes).ok().filter(in_form);
    let ours = RawBlock::parse(bytes, network);
    let (Ok(ours), Some(theirs)) = (&ours, &theirs) else {
        assert_eq!(ours.is_ok(), theirs.is_some(), "one reads it and one does not: {ours:?}");
        return false;
    };
    let hash = theirs.block_hash().to_byte_array();
    assert_eq!(ours.header().hash(), hash);
    assert_eq!(ours.header().previous(), theirs.header.prev_blockhash.to_byte_array());
    assert_eq!(ours.header().time_seconds(), theirs.header.time);
    assert_eq!(ours.header().nonce(), theirs.header.nonce);
    assert_eq!(ours.header().version(), theirs.header.version.to_consensus());
    // Beyond that exponent the other library does not look for bits that do not fit.
    if ours.header().bits() >> 24 <= 32 && theirs.header.target() != bitcoin::Target::ZERO {
        assert_eq!(ours.header().meets_target(&hash), theirs.header.target().is_met_by(theirs.block_hash()));
        assert_eq!(ours.header().work().to_string(), format!("{:064x}", theirs.header.work()));
    }
    let mut txids = Vec::new();
    for (ours, theirs) in ours.transactions().iter().zip(&theirs.txdata) {
        assert_eq!(ours.txid(), theirs.compute_txid().to_byte_array());
        assert_eq!(ours.as_bytes().len(), theirs.total_size());
        txids.push(ours.txid());
        for (ours, theirs) in ours.inputs().zip(&theirs.input) {
            assert_eq!(ours.outpoint.txid, theirs.previous_output.txid.to_byte_array());
            assert_eq!(ours.outpoint.vout, theirs.previous_output.vout);
            assert_eq!(ours.script, theirs.script_sig.as_bytes());
        }
        for (ours, theirs) in ours.outputs().zip(&theirs.output) {
            assert_eq!(ours.value_units, theirs.value.to_sat());
            assert_eq!(ours.script, theirs.script_pubkey.as_bytes());
        }
        assert_eq!((ours.input_count(), ours.output_count()), (theirs.input.len(), theirs.output.len()));
    }
    assert_eq!(ours.transactions().len(), theirs.txdata.len());
    let checked = ours.check(Options { check_work: false });
    assert_eq!(checked.is_ok(), theirs.check_merkle_root() && merkle_root(&mut txids.clone()).is_some());
    assert!(checked.is_err() || checked == Ok(txids));
    true
}

/// Real blocks, the regtest node's and the main chain's first, and the networks they are of.
pub fn real_blocks() -> Option<Vec<(Vec<u8>, &'static Network)>> {
    let (regtest, main) = (network("bitcoin-regtest"), network("bitcoin"));
    let folder = unpacked("regtest-node-29.5/blocks.tar.xz")?;
    let blocks = data::bodies(&folder, "blk", Contents::Blocks, regtest.magic);
    let mut all: Vec<_> = blocks.into_iter().map(|bytes| (bytes, regtest)).collect();
    let file = data::file("mainnet-blk-first-600/blk00001.dat")?;
    let (records, _, _) = walk(Contents::Blocks, main.magic, Obfuscation::NONE, &file);
    all.extend(records.iter().map(|record| (data::body(&file, Obfuscation::NONE, record), main)));
    Some(all)
}

#[test]
fn real_blocks_read_the_same_in_both() {
    let Some(blocks) = real_blocks() else { return };
    assert!(blocks.iter().all(|(bytes, network)| agree(bytes, network)));
    let full = data::file("mainnet-block-367891/block_367891_raw").unwrap();
    assert!(agree(&full, network("bitcoin")));
}

#[test]
fn locks_have_the_addresses_that_the_other_library_prints() {
    let Some(blocks) = real_blocks() else { return };
    let mut addresses = 0;
    for (bytes, network) in &blocks {
        let block: Block = deserialize(bytes).unwrap();
        let named = if network.alias == "bitcoin" { bitcoin::Network::Bitcoin } else { bitcoin::Network::Regtest };
        for output in block.txdata.iter().flat_map(|tx| &tx.output) {
            let lock = Lock::of_script(output.script_pubkey.as_bytes());
            if let Ok(address) = bitcoin::Address::from_script(&output.script_pubkey, named) {
                assert_eq!(lock.name(network), address.to_string());
                addresses += 1;
            }
        }
    }
    assert!(addresses > 10_000, "{addresses}");
}
