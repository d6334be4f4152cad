//! Blocks as nodes keep them, of every network: what is read has one coinbase, the ids that its transactions hash to and
//! their merkle root, and it can be read again from the pieces.
#![no_main]

use decode::bitcoin::{Options, RawBlock, block, double_sha256, merkle_root, transaction};
use ledger::network::NETWORKS;
use libfuzzer_sys::fuzz_target;
use tracehound_fuzz::assert_message;

fuzz_target!(|data: &[u8]| {
    let Some((first, data)) = data.split_first() else { return };
    let network = &NETWORKS[usize::from(*first) % NETWORKS.len()];
    if let Err(problem) = transaction(data, network) {
        assert_message(&problem);
    }
    let raw = match RawBlock::parse(data, network) {
        Ok(raw) => raw,
        Err(problem) => {
            assert!(problem.offset() <= data.len(), "the place is in the bytes");
            return assert_message(&problem);
        }
    };
    let mut txids = Vec::new();
    for (at, tx) in raw.transactions().iter().enumerate() {
        assert_eq!(tx.is_coinbase(), at == 0, "a coinbase is first and alone");
        assert_eq!((tx.inputs().count(), tx.outputs().count()), (tx.input_count(), tx.output_count()));
        assert_eq!(&data[tx.offset()..tx.offset() + tx.as_bytes().len()], tx.as_bytes());
        if tx.as_bytes()[4] != 0 {
            assert_eq!(tx.txid(), double_sha256(&[tx.as_bytes()]));
        }
        txids.push(tx.txid());
    }
    let options = Options { check_work: false };
    let checked = raw.check(options);
    let root = merkle_root(&mut txids.clone());
    assert_eq!(checked.is_ok(), root == Some(raw.header().merkle_root()));
    if let Ok(deed) = block(data, network, 1, options) {
        assert_eq!(Ok(deed.transactions.iter().map(|tx| tx.txid).collect()), checked);
        assert!(deed.transactions.iter().enumerate().all(|(at, tx)| tx.inputs.is_empty() == (at == 0)));
    }
});
