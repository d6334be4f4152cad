//! Real blocks and undo data with bytes changed: nothing panics, both readers still agree, and what passes the check has
//! the merkle root that it says.

use std::sync::OnceLock;

use bitcoin::hashes::Hash as _;
use decode::bitcoin::{Contents, Options, RawBlock, Undo, attach, block, spent_outputs, transaction, undo};
use ledger::Network;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::data::{self, unpacked};
use crate::oracle::{agree, real_blocks};

/// One change of bytes.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Flip(Index, u8),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    Repeat(Index, usize),
    Cut(Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let place = any::<Index>;
    let loud = prop_oneof![Just(0), Just(1), Just(0xfd), Just(0xfe), Just(0xff), any::<u8>()];
    let change = prop_oneof![
        4 => (place(), loud.clone()).prop_map(|(place, byte)| Change::Set(place, byte)),
        4 => (place(), 0..8_u8).prop_map(|(place, bit)| Change::Flip(place, 1 << bit)),
        1 => (place(), 1..50_usize).prop_map(|(place, count)| Change::Remove(place, count)),
        1 => (place(), prop::collection::vec(loud, 1..20)).prop_map(|(place, bytes)| Change::Insert(place, bytes)),
        1 => (place(), 1..300_usize).prop_map(|(place, count)| Change::Repeat(place, count)),
        1 => place().prop_map(Change::Cut),
    ];
    prop::collection::vec(change, 0..4)
}

fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match change {
            Change::Set(place, byte) => bytes[place.index(length)] = *byte,
            Change::Flip(place, bit) => bytes[place.index(length)] ^= bit,
            Change::Remove(place, count) => {
                let at = place.index(length);
                bytes.drain(at..(at + count).min(length));
            }
            Change::Insert(place, new) => {
                let at = place.index(length);
                bytes.splice(at..at, new.iter().copied());
            }
            Change::Repeat(place, count) => {
                let at = place.index(length);
                let again = bytes[at..(at + count).min(length)].to_vec();
                bytes.splice(at..at, again);
            }
            Change::Cut(place) => bytes.truncate(place.index(length)),
        }
    }
    bytes
}

type Blocks = Vec<(Vec<u8>, &'static Network)>;

/// Real blocks of at most 20 kB, so that a change is likely to meet what matters.
fn blocks() -> Option<&'static Blocks> {
    static BLOCKS: OnceLock<Option<Blocks>> = OnceLock::new();
    let small = |blocks: Blocks| blocks.into_iter().filter(|(bytes, _)| bytes.len() < 20_000).collect();
    BLOCKS.get_or_init(|| real_blocks().map(small)).as_ref()
}

fn records() -> Option<&'static Vec<Vec<u8>>> {
    static RECORDS: OnceLock<Option<Vec<Vec<u8>>>> = OnceLock::new();
    let read = || {
        let folder = unpacked("regtest-node-29.5/blocks.tar.xz")?;
        let mut records = data::bodies(&folder, "rev", Contents::Undo, data::network("bitcoin-regtest").magic);
        for record in &mut records {
            record.truncate(record.len() - 32);
        }
        Some(records)
    };
    RECORDS.get_or_init(read).as_ref()
}

fn check_undo(undo: &Undo<'_>, bytes: &[u8]) {
    assert!(undo.spent().len() <= bytes.len() / 3);
    assert_eq!(undo.transactions().map(<[_]>::len).sum::<usize>(), undo.spent().len());
    for spent in undo.spent() {
        assert_eq!(spent.script.lock().is_some(), spent.script.script().is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn both_readers_agree_on_damaged_blocks(which in any::<Index>(), changes in changes(), also in any::<Index>()) {
        let Some(blocks) = blocks() else { return Ok(()) };
        let (bytes, network) = &blocks[which.index(blocks.len())];
        let bytes = changed(bytes, &changes);
        let is_one = agree(&bytes, network);
        let deed = block(&bytes, network, 1, Options { check_work: false });
        prop_assert!(deed.is_err() || is_one);
        if let Err(problem) = &deed {
            prop_assert!(problem.offset() <= bytes.len());
        }
        if let Ok(mut deed) = deed {
            let txids = deed.transactions.iter().map(|tx| bitcoin::Txid::from_byte_array(tx.txid));
            let root = bitcoin::merkle_tree::calculate_root(txids).unwrap();
            prop_assert_eq!(RawBlock::parse(&bytes, network).unwrap().header().merkle_root(), root.to_byte_array());
            let Some(records) = records() else { return Ok(()) };
            let undo = undo(&records[also.index(records.len())], network).unwrap();
            if let Ok(fees) = attach(&mut deed, &undo) {
                prop_assert_eq!(deed.transactions.iter().filter_map(|tx| tx.fee).sum::<money::Amount>(), fees);
            }
        }
        for other in ["litecoin", "dogecoin"] {
            let _ = block(&bytes, data::network(other), 1, Options::default());
        }
        let _ = transaction(&bytes[bytes.len().min(81)..], network);
    }

    #[test]
    fn damaged_undo_data_is_read_or_refused(which in any::<Index>(), changes in changes()) {
        let Some(records) = records() else { return Ok(()) };
        let bytes = changed(&records[which.index(records.len())], &changes);
        for network in ["bitcoin-regtest", "litecoin"] {
            if let Ok(undo) = undo(&bytes, data::network(network)) {
                check_undo(&undo, &bytes);
            }
        }
        if let Ok(undo) = spent_outputs(&bytes) {
            check_undo(&undo, &bytes);
        }
    }
}
