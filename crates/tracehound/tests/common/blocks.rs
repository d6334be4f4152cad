//! Block files for tests: the real node's folders, and files changed or made by hand.
//!
//! Records are found here in the plainest way (one after the other from the file's beginning), so that what these tests
//! damage is not chosen by the code under test.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Desk, data};

/// What blocks of the regression-test network begin with.
pub const REGTEST: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];
/// The same of the main chain.
pub const MAINNET: [u8; 4] = [0xf9, 0xbe, 0xb4, 0xd9];
/// The ledger of the real node's folders.
pub const LEDGER: &str = "bitcoin-regtest";

/// Unpacks `blocks.tar.xz` or the other folder of the real node into `name`; nothing where the data is missing.
pub fn unpacked(desk: &Desk, archive: &str, name: &str) -> Option<PathBuf> {
    let packed = fs::File::open(data(&format!("bitcoin/regtest-node-29.5/{archive}"))?).expect("it can be opened");
    let plain = lzma_rust2::XzReader::new(std::io::BufReader::new(packed), true);
    let folder = desk.path(name);
    tar::Archive::new(plain).unpack(&folder).expect("it unpacks");
    Some(folder.join("blocks"))
}

/// The node's own `getblock 3` of its first `count` blocks, as a file to ingest.
pub fn truth(desk: &Desk, count: usize) -> Option<String> {
    let packed = fs::File::open(data("bitcoin/regtest-node-29.5/ground-truth-getblock3.jsonl.gz")?).expect("it opens");
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).expect("it unpacks");
    let lines: Vec<&str> = text.lines().take(count).collect();
    assert_eq!(lines.len(), count.min(315));
    desk.write("truth.ndjson", lines.join("\n"));
    Some("truth.ndjson".to_owned())
}

/// A file of a `blocks` folder with its key taken off, to be read, changed and put back.
pub struct Plain {
    path: PathBuf,
    key: Vec<u8>,
    pub bytes: Vec<u8>,
}

impl Plain {
    pub fn open(folder: &Path, name: &str) -> Self {
        let key = fs::read(folder.join("xor.dat")).unwrap_or_else(|_| vec![0; 8]);
        let path = folder.join(name);
        let mut bytes = fs::read(&path).expect("the file can be read");
        apply(&key, &mut bytes);
        Self { path, key, bytes }
    }

    /// Where each record's body begins and how long it is; `more` is what follows that its size does not count.
    pub fn records(&self, more: usize) -> Vec<(usize, usize)> {
        let (mut at, mut records) = (0, Vec::new());
        while self.bytes.get(at..at + 4) == Some(&REGTEST[..]) {
            let size = u32::from_le_bytes(self.bytes[at + 4..at + 8].try_into().expect("four bytes")) as usize;
            records.push((at + 8, size));
            at += 8 + size + more;
        }
        records
    }

    pub fn flip(&mut self, at: usize) {
        self.bytes[at] ^= 0x10;
    }

    pub fn save(mut self) {
        apply(&self.key, &mut self.bytes);
        fs::write(&self.path, &self.bytes).expect("the file can be written");
    }
}

fn apply(key: &[u8], bytes: &mut [u8]) {
    for (byte, key) in bytes.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// A record of a file: magic, size, body.
pub fn record(magic: [u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).expect("a body is short");
    [&magic[..], &size.to_le_bytes(), body].concat()
}

/// A record of a `rev*.dat` for the block with this parent.
pub fn undo_record(magic: [u8; 4], previous: &[u8], undo: &[u8]) -> Vec<u8> {
    let checksum = Sha256::digest(Sha256::digest([previous, undo].concat()));
    [record(magic, undo), checksum.to_vec()].concat()
}

/// Undo data from spent outputs (`txout` with `value` in satoshis and `script_pubkey`) and how many of them each
/// transaction but the coinbase spends, as Bitcoin Core's `undo.h` writes it, with no script in its short form.
pub fn undo_data(spent: &[Value], counts: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    compact_size(counts.len(), &mut bytes);
    let mut rest = spent.iter();
    for count in counts {
        compact_size(*count, &mut bytes);
        for output in rest.by_ref().take(*count) {
            let output = &output["txout"];
            let hex = output["script_pubkey"].as_str().expect("a script");
            let script: Vec<u8> =
                (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
            // The height is not known: zero, which no version follows.
            varint(0, &mut bytes);
            varint(compressed(output["value"].as_u64().expect("satoshis")), &mut bytes);
            varint(script.len() as u64 + 6, &mut bytes);
            bytes.extend(script);
        }
    }
    assert!(rest.next().is_none(), "the counts are the block's");
    bytes
}

fn compact_size(count: usize, bytes: &mut Vec<u8>) {
    if count < 0xfd {
        bytes.push(u8::try_from(count).expect("it is small"));
    } else {
        bytes.push(0xfd);
        bytes.extend(u16::try_from(count).expect("a block of 1 MB").to_le_bytes());
    }
}

/// `VarInt` of `serialize.h`: base 128, the highest first, each but the last one less.
fn varint(mut number: u64, bytes: &mut Vec<u8>) {
    let mut digits = Vec::new();
    loop {
        let more = if digits.is_empty() { 0 } else { 0x80 };
        digits.push(u8::try_from(number & 0x7f).expect("seven bits") | more);
        if number <= 0x7f {
            break;
        }
        number = (number >> 7) - 1;
    }
    bytes.extend(digits.iter().rev());
}

/// `CompressAmount` of `compressor.cpp`.
fn compressed(mut sats: u64) -> u64 {
    if sats == 0 {
        return 0;
    }
    let mut zeros = 0;
    while sats.is_multiple_of(10) && zeros < 9 {
        sats /= 10;
        zeros += 1;
    }
    if zeros < 9 { 1 + ((sats / 10) * 9 + sats % 10 - 1) * 10 + zeros } else { 1 + (sats - 1) * 10 + 9 }
}
