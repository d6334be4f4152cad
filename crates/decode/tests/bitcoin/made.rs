//! Blocks and undo data made by hand: the forms that real data here does not have, and what must be refused.

use decode::bitcoin::{
    BlockHeader, Options, Problem, RawBlock, SpentScript, Undo, attach, attach_fees, block, double_sha256, merkle_root,
    spent_outputs, transaction, undo, undo_checksum, undo_record,
};
use ledger::{Lock, Network, UtxoBlock};
use money::Amount;

use crate::data::network;

const UNCHECKED: Options = Options { check_work: false };

/// A `CompactSize`.
pub fn compact(number: usize) -> Vec<u8> {
    match u32::try_from(number).unwrap() {
        small @ 0..0xfd => vec![small.to_le_bytes()[0]],
        middle @ 0xfd..0x1_0000 => [&[0xfd], &middle.to_le_bytes()[..2]].concat(),
        large => [&[0xfe], &large.to_le_bytes()[..]].concat(),
    }
}

/// A `VARINT`, written from its last digit.
fn varint(mut number: u64) -> Vec<u8> {
    let mut digits = vec![number.to_le_bytes()[0] & 0x7f];
    while number > 0x7f {
        number = (number >> 7) - 1;
        digits.push(number.to_le_bytes()[0] & 0x7f | 0x80);
    }
    digits.reverse();
    digits
}

/// What a node's undo file says of one spent output.
pub fn spent(value: u64, height: u32, coinbase: bool, script: &[u8]) -> Vec<u8> {
    let origin = varint(u64::from(height) * 2 + u64::from(coinbase));
    let version: &[u8] = if height > 0 { &[0] } else { &[] };
    let script = match script {
        [0x76, 0xa9, 0x14, hash @ .., 0x88, 0xac] if hash.len() == 20 => [&[0], hash].concat(),
        [0xa9, 0x14, hash @ .., 0x87] if hash.len() == 20 => [&[1], hash].concat(),
        [33, parity @ (2 | 3), x @ .., 0xac] if x.len() == 32 => [&[*parity], x].concat(),
        _ => [varint(script.len() as u64 + 6), script.to_vec()].concat(),
    };
    [origin, version.to_vec(), varint(compressed(value)), script].concat()
}

/// An amount as the node compresses it.
fn compressed(mut value: u64) -> u64 {
    if value == 0 {
        return 0;
    }
    let mut zeros = 0;
    while value.is_multiple_of(10) && zeros < 9 {
        value /= 10;
        zeros += 1;
    }
    if zeros < 9 { 1 + (value / 10 * 9 + value % 10 - 1) * 10 + zeros } else { 1 + (value - 1) * 10 + 9 }
}

#[test]
fn amounts_survive_compression() {
    let odd = [2_100_000_000_000_000, 999_999_999_999_999_999, 1_234_567_890];
    for value in (0..3000).chain((0..57).map(|bit| 1 << bit)).chain(odd) {
        let bytes = [vec![1, 1], spent(value, 7, true, &[0x51])].concat();
        assert_eq!(undo(&bytes, network("bitcoin")).unwrap().spent()[0].value_units, value);
    }
}

/// A transaction: inputs by the first byte of what they spend and its index, outputs by value.
fn tx(inputs: &[(u8, u32)], values: &[u64]) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0];
    bytes.extend(compact(inputs.len()));
    for (txid, vout) in inputs {
        bytes.extend([[*txid; 32].as_slice(), &vout.to_le_bytes(), &[1, 0x51], &[0xff; 4]].concat());
    }
    bytes.extend(compact(values.len()));
    for value in values {
        bytes.extend([&value.to_le_bytes()[..], &[1, 0x51]].concat());
    }
    bytes.extend([0; 4]);
    bytes
}

fn coinbase() -> Vec<u8> {
    tx(&[(0, u32::MAX)], &[50])
}

/// The same transaction with marker, flags and what follows the outputs.
fn flagged(tx: &[u8], flags: u8, tail: &[u8]) -> Vec<u8> {
    [&tx[..4], &[0, flags], &tx[4..tx.len() - 4], tail, &tx[tx.len() - 4..]].concat()
}

/// A block of these transactions, whose ids are those of the second list.
fn made(version: i32, after_header: &[u8], txs: &[Vec<u8>], stripped: &[Vec<u8>]) -> Vec<u8> {
    let mut txids: Vec<[u8; 32]> = stripped.iter().map(|tx| double_sha256(&[tx])).collect();
    let root = merkle_root(&mut txids).unwrap_or_default();
    let header =
        [&version.to_le_bytes()[..], &[9; 32], &root, &[1, 2, 3, 4], &0x207f_ffff_u32.to_le_bytes(), &[0; 4]].concat();
    [header, after_header.to_vec(), compact(txs.len()), txs.concat()].concat()
}

fn plain(txs: &[Vec<u8>]) -> Vec<u8> {
    made(1, &[], txs, txs)
}

fn read(bytes: &[u8], network: &Network) -> Result<UtxoBlock, Problem> {
    block(bytes, network, 7, UNCHECKED)
}

fn refused(bytes: &[u8]) -> String {
    read(bytes, network("bitcoin-regtest")).unwrap_err().to_string()
}

#[test]
fn a_small_block_is_read() {
    let payment = tx(&[(1, 0), (1, 7)], &[30, 0]);
    let deed = read(&plain(&[coinbase(), payment.clone()]), network("bitcoin-regtest")).unwrap();
    assert_eq!((deed.height, deed.previous, deed.transactions.len()), (7, Some([9; 32]), 2));
    let [first, second] = deed.transactions.as_slice() else { panic!("two transactions") };
    assert_eq!((first.inputs.len(), first.outputs[0].amount), (0, Amount::new(50)));
    assert_eq!((second.inputs[1].outpoint.txid, second.inputs[1].outpoint.vout), ([1; 32], 7));
    assert_eq!((second.outputs.len(), &second.outputs[0].holder), (2, &Lock::of_script(&[0x51])));
    assert_eq!(transaction(&payment, network("bitcoin")).unwrap(), *second);
}

#[test]
fn a_witness_is_not_part_of_the_id() {
    let payment = tx(&[(1, 0), (1, 7)], &[30]);
    let witnessed = flagged(&payment, 1, &[2, 1, 0xaa, 0, 0]);
    let block = made(1, &[], &[coinbase(), witnessed.clone()], &[coinbase(), payment.clone()]);
    let deed = read(&block, network("bitcoin-regtest")).unwrap();
    assert_eq!(deed.transactions[1].txid, double_sha256(&[&payment]));
    assert_eq!(
        transaction(&witnessed, network("bitcoin")).unwrap(),
        transaction(&payment, network("bitcoin")).unwrap()
    );
    let empty = flagged(&payment, 1, &[0, 0]);
    assert!(refused(&made(1, &[], &[coinbase(), empty], &[coinbase(), payment.clone()])).contains("all are empty"));
    for flags in [0, 2, 3, 8, 9] {
        let odd = flagged(&payment, flags, &[2, 1, 0xaa, 0, 0]);
        assert!(
            refused(&made(1, &[], &[coinbase(), odd], &[coinbase(), payment.clone()])).contains("flags"),
            "{flags}"
        );
    }
}

#[test]
fn what_is_no_block_says_where_and_why() {
    let payment = tx(&[(1, 0)], &[30]);
    let cases: [(Vec<u8>, &str); 10] = [
        (vec![0; 79], "byte 0: the bytes end inside the block's header; "),
        (plain(&[]), "byte 80: the block has no transactions; "),
        (plain(std::slice::from_ref(&payment)), "byte 81: the first transaction, and no other, must have"),
        (plain(&[coinbase(), coinbase()]), "transaction 1 is different"),
        (plain(&[coinbase(), tx(&[(1, 0), (0, u32::MAX)], &[1])]), "transaction 1 is different"),
        (plain(&[coinbase(), tx(&[(1, 0)], &[u64::MAX])]), "byte 191: an output's value is -1; "),
        (plain(&[coinbase(), tx(&[(1, 0), (1, 1)], &[])]), "byte 232: a transaction has no outputs; "),
        ([plain(&[coinbase()]), vec![0]].concat(), "byte 143: 1 bytes are left after the last transaction; "),
        (made(1, &[], &[coinbase(), payment.clone()], &[coinbase()]), "byte 36: the merkle root"),
        (plain(&[coinbase(), payment.clone(), payment.clone(), payment.clone()]), "CVE-2012-2459"),
    ];
    for (bytes, want) in cases {
        let said = refused(&bytes);
        assert!(said.contains(want), "{said:?} should say {want:?}");
    }
    let good = plain(&[coinbase(), payment]);
    for cut in 0..good.len() {
        assert!(read(&good[..cut], network("bitcoin")).is_err(), "cut at {cut}");
    }
    let regtest = network("bitcoin-regtest");
    assert!(block(&good, regtest, 0, UNCHECKED).unwrap_err().what().contains("names a parent"));
}

#[test]
fn work_is_checked_where_the_hash_is_the_works() {
    let payment = tx(&[(1, 0)], &[30]);
    let mut bytes = plain(&[coinbase(), payment]);
    let meets = |bytes: &[u8]| BlockHeader::of(bytes).map(|header| header.meets_target(&header.hash())).unwrap();
    while meets(&bytes) {
        bytes[76] += 1;
    }
    let hard = block(&bytes, network("bitcoin-regtest"), 7, Options::default()).unwrap_err();
    assert_eq!(hard.offset(), 72);
    assert!(block(&bytes, network("litecoin"), 7, Options::default()).is_ok());
    while !meets(&bytes) {
        bytes[76] = bytes[76].wrapping_add(1);
    }
    assert!(block(&bytes, network("bitcoin-regtest"), 7, Options::default()).is_ok());
}

#[test]
fn a_litecoin_block_may_end_in_an_extension_block() {
    let hogex = tx(&[(1, 0)], &[30]);
    let flags = flagged(&hogex, 8, &[0]);
    let bytes = made(1, &[], &[coinbase(), flags.clone()], &[coinbase(), hogex.clone()]);
    let extended = [bytes.clone(), vec![1, 2, 3, 4]].concat();
    for bytes in [&bytes, &extended] {
        let deed = read(bytes, network("litecoin")).unwrap();
        assert_eq!(deed.transactions[1].txid, double_sha256(&[&hogex]));
        assert!(read(bytes, network("bitcoin")).is_err());
    }
    let both = flagged(&hogex, 9, &[1, 1, 0xaa, 0]);
    assert!(read(&made(1, &[], &[coinbase(), both], &[coinbase(), hogex.clone()]), network("litecoin")).is_ok());
    let inside = flagged(&hogex, 8, &[1]);
    let inside = made(1, &[], &[coinbase(), inside], &[coinbase(), hogex.clone()]);
    assert!(read(&inside, network("litecoin")).unwrap_err().what().contains("outside the extension block"));
    let no_hogex = [plain(&[coinbase(), hogex]), vec![1]].concat();
    assert!(read(&no_hogex, network("litecoin")).is_err());
}

#[test]
fn a_merge_mined_block_has_its_parent_s_proof_before_the_transactions() {
    let branch = [compact(2), vec![7; 64], vec![0; 4]].concat();
    let proof = [coinbase(), vec![5; 32], branch.clone(), compact(0), vec![1; 4], vec![6; 80]].concat();
    let payment = tx(&[(1, 0)], &[30]);
    let txs = [coinbase(), payment];
    let merged = made(0x0062_0102, &proof, &txs, &txs);
    assert_eq!(read(&merged, network("dogecoin")).unwrap().transactions.len(), 2);
    assert!(read(&merged, network("bitcoin")).is_err());
    assert!(read(&made(0x0062_0002, &[], &txs, &txs), network("dogecoin")).is_ok());
    assert!(read(&made(0x0062_0102, &proof[..proof.len() - 1], &txs, &txs), network("dogecoin")).is_err());
}

#[test]
fn the_height_in_a_coinbase_is_a_number_of_the_script() {
    let cases: [(&[u8], Option<u64>); 8] = [
        (&[0], Some(0)),
        (&[0x51], Some(1)),
        (&[0x60], Some(16)),
        (&[1, 17], Some(17)),
        (&[3, 0x40, 0x0d, 0x03], Some(200_000)),
        (&[2, 0xff, 0x80], None),
        (&[3, 1, 2], None),
        (&[5, 1, 2, 3, 4, 5], None),
    ];
    for (script, height) in cases {
        let mut coinbase = coinbase();
        coinbase.splice(41..43, [compact(script.len()), script.to_vec()].concat());
        let txs = [coinbase];
        let old = made(1, &[], &txs, &txs);
        let new = made(2, &[], &txs, &txs);
        let regtest = network("bitcoin-regtest");
        assert_eq!(RawBlock::parse(&new, regtest).unwrap().coinbase_height(), height, "{script:?}");
        assert_eq!(RawBlock::parse(&old, regtest).unwrap().coinbase_height(), None);
    }
}

#[test]
fn undo_data_fits_its_block_or_is_refused() {
    let regtest = network("bitcoin-regtest");
    let deed = read(&plain(&[coinbase(), tx(&[(1, 0), (1, 7)], &[30])]), regtest).unwrap();
    let two = [spent(20, 5, true, &[0x51]), spent(15, 6, false, &[0x52])].concat();
    let good = [vec![1, 2], two.clone()].concat();
    let mut filled = deed.clone();
    assert_eq!(attach(&mut filled, &undo(&good, regtest).unwrap()).unwrap(), Amount::new(5));
    assert_eq!(filled.transactions[1].fee, Some(Amount::new(5)));
    assert_eq!(filled.transactions[1].inputs[1].spent.as_ref().unwrap().holder, Lock::of_script(&[0x52]));
    assert_eq!(filled.transactions[0], deed.transactions[0]);
    let mut priced = deed.clone();
    assert_eq!(attach_fees(&mut priced, &undo(&good, regtest).unwrap()).unwrap(), Amount::new(5));
    assert!(priced.transactions[1].inputs.iter().all(|input| input.spent.is_none()));

    let poor = [vec![1, 2], spent(20, 5, true, &[]), spent(9, 6, false, &[])].concat();
    // 5³ + 7 has no root.
    let key = [vec![12, 0, varint(compressed(20))[0], 4], vec![0; 31], vec![5]].concat();
    let off_curve = [vec![1, 2], spent(20, 5, true, &[]), key].concat();
    let cases = [
        (vec![0], "undo data of 0 transactions for a block that has 1"),
        ([vec![2, 2], two.clone(), vec![0]].concat(), "undo data of 2 transactions"),
        ([vec![1, 1], spent(20, 5, true, &[])].concat(), "transaction 1: 1 spent outputs for 2 inputs"),
        (poor, "transaction 1: it pays out 30, and its inputs are 29"),
        (off_curve, "transaction 1: a spent output's public key is not on the curve"),
    ];
    for (bytes, want) in cases {
        let said = attach(&mut deed.clone(), &undo(&bytes, regtest).unwrap()).unwrap_err().to_string();
        assert!(said.contains(want), "{said:?} should say {want:?}");
    }
    for cut in 0..good.len() {
        assert!(undo(&good[..cut], regtest).is_err(), "cut at {cut}");
    }
    let longer = [good.clone(), vec![0]].concat();
    assert!(undo(&longer, regtest).unwrap_err().what().contains("left after the last spent output"));
    assert_eq!(undo(&longer, network("litecoin")).unwrap(), undo(&good, regtest).unwrap());
    let checksum = undo_checksum(&[9; 32], &good);
    let mut record = [&good[..], &checksum].concat();
    assert_eq!(undo_record(&record, &[9; 32]), Some(good.as_slice()));
    assert_eq!(undo_record(&record, &[8; 32]), None);
    record[1] ^= 1;
    assert_eq!(undo_record(&record, &[9; 32]), None);
    assert_eq!(undo_record(&record[..31], &[9; 32]), None);
}

#[test]
fn a_height_of_nothing_is_unknown_and_has_no_version() {
    let regtest = network("bitcoin-regtest");
    let bytes = [vec![1, 2], spent(1, 0, true, &[0x51]), spent(1, 1, false, &[])].concat();
    let read = undo(&bytes, regtest).unwrap();
    assert_eq!(read.spent()[0].origin, None);
    assert_eq!(read.spent()[1].origin.map(|origin| (origin.height, origin.coinbase)), Some((1, false)));
    assert_eq!(read.spent()[0].script, SpentScript::Plain(&[0x51]));
    let large = [vec![1, 1], varint(1 << 32), vec![0, 0, 6]].concat();
    assert!(undo(&large, regtest).unwrap_err().what().contains("31 bits"));
}

#[test]
fn the_rest_answer_begins_with_the_coinbase_s_empty_list() {
    let one = [&[2, 0, 1][..], &7_u64.to_le_bytes(), &[1, 0x51]].concat();
    let read = spent_outputs(&one).unwrap();
    assert_eq!((read.transaction_count(), read.spent()[0].value_units, read.spent()[0].origin), (1, 7, None));
    assert_eq!(spent_outputs(&[1, 0]), Ok(Undo::default()));
    for bad in [&[][..], &[0], &[1], &[1, 1], &[1, 0, 0], &[2, 0], &one[..one.len() - 1], &[0xff; 60]] {
        assert!(spent_outputs(bad).is_err(), "{bad:?}");
    }
    let negative = [&[2, 0, 1][..], &u64::MAX.to_le_bytes(), &[1, 0x51]].concat();
    assert!(spent_outputs(&negative).unwrap_err().what().contains("-1"));
}
