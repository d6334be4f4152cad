//! An obvious reader of block folders: every byte by hand, everything in memory. Nothing of it is the crate's own.

use std::path::Path;

use bitcoin::consensus::encode::deserialize;
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::{Block, BlockHash, ScriptBuf, secp256k1};

/// A folder's records, in the order of the files.
pub struct Folder {
    /// File number and block.
    pub blocks: Vec<(u32, Vec<u8>)>,
    /// File number, undo data, and its checksum.
    pub undo: Vec<(u32, Vec<u8>, [u8; 32])>,
}

/// A spent output as undo data has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    pub height: u32,
    pub coinbase: bool,
    pub value_sats: u64,
    pub script: ScriptBuf,
}

/// The file's bytes without obfuscation; preallocated zeros turn into the key.
pub fn plain(path: &Path, key: &[u8]) -> Vec<u8> {
    let mut bytes = std::fs::read(path).unwrap();
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte ^= key[at % 8];
    }
    bytes
}

impl Folder {
    pub fn read(folder: &Path) -> Self {
        let key = std::fs::read(folder.join("xor.dat")).unwrap_or_else(|_| vec![0; 8]);
        let mut found = Self { blocks: Vec::new(), undo: Vec::new() };
        for number in 0.. {
            let path = folder.join(format!("blk{number:05}.dat"));
            if !path.exists() {
                break;
            }
            found.blocks.extend(records(&plain(&path, &key), 0).into_iter().map(|block| (number, block)));
            let path = folder.join(format!("rev{number:05}.dat"));
            if !path.exists() {
                continue;
            }
            for mut undo in records(&plain(&path, &key), 32) {
                let checksum = undo.split_off(undo.len() - 32);
                found.undo.push((number, undo, checksum.try_into().unwrap()));
            }
        }
        found
    }

    pub fn decoded(&self) -> Vec<Block> {
        self.blocks.iter().map(|(_, block)| deserialize(block).unwrap()).collect()
    }
}

/// Whether `undo`, of that checksum, is a record of a child of `previous`.
pub fn belongs(undo: &[u8], checksum: &[u8; 32], previous: &BlockHash) -> bool {
    sha256d::Hash::hash(&[&previous[..], undo].concat()).to_byte_array() == *checksum
}

/// Magic, length, what is as long as that, and `more` bytes; until something else comes.
fn records(mut bytes: &[u8], more: usize) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while let Some(rest) = bytes.strip_prefix(&[0xfa, 0xbf, 0xb5, 0xda]) {
        let length = u32::from_le_bytes(rest[..4].try_into().unwrap()) as usize + more;
        records.push(rest[4..4 + length].to_vec());
        bytes = &rest[4 + length..];
    }
    records
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(count);
    *bytes = rest;
    taken
}

fn compact_size(bytes: &mut &[u8]) -> u64 {
    let mut number = |length| {
        let mut number = [0; 8];
        number[..length].copy_from_slice(take(bytes, length));
        u64::from_le_bytes(number)
    };
    match number(1) {
        0xfd => number(2),
        0xfe => number(4),
        0xff => number(8),
        small => small,
    }
}

fn var_int(bytes: &mut &[u8]) -> u64 {
    let mut value: u64 = 0;
    loop {
        let byte = take(bytes, 1)[0];
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return value;
        }
        value += 1;
    }
}

fn amount(mut folded: u64) -> u64 {
    if folded == 0 {
        return 0;
    }
    folded -= 1;
    let zeros = u32::try_from(folded % 10).unwrap();
    folded /= 10;
    let digits = if zeros < 9 { folded / 9 * 10 + folded % 9 + 1 } else { folded + 1 };
    digits * 10u64.pow(zeros)
}

fn script(bytes: &mut &[u8]) -> Vec<u8> {
    match var_int(bytes) {
        0 => [&[0x76, 0xa9, 20], take(bytes, 20), &[0x88, 0xac]].concat(),
        1 => [&[0xa9, 20], take(bytes, 20), &[0x87]].concat(),
        sign @ (2 | 3) => [&[33, u8::try_from(sign).unwrap()], take(bytes, 32), &[0xac]].concat(),
        sign @ (4 | 5) => {
            let short = [&[u8::try_from(sign - 2).unwrap()], take(bytes, 32)].concat();
            let point = secp256k1::PublicKey::from_slice(&short).unwrap();
            [&[65][..], &point.serialize_uncompressed(), &[0xac]].concat()
        }
        length => take(bytes, usize::try_from(length - 6).unwrap()).to_vec(),
    }
}

/// The spent outputs of each transaction but the coinbase.
pub fn decode(mut undo: &[u8]) -> Vec<Vec<Spent>> {
    let mut transactions = Vec::new();
    for _ in 0..compact_size(&mut undo) {
        let count = compact_size(&mut undo);
        transactions.push((0..count).map(|_| spent(&mut undo)).collect());
    }
    assert!(undo.is_empty());
    transactions
}

fn spent(bytes: &mut &[u8]) -> Spent {
    let code = var_int(bytes);
    if code > 1 {
        assert_eq!(take(bytes, 1), [0]);
    }
    Spent {
        height: u32::try_from(code / 2).unwrap(),
        coinbase: code % 2 == 1,
        value_sats: amount(var_int(bytes)),
        script: ScriptBuf::from_bytes(script(bytes)),
    }
}
