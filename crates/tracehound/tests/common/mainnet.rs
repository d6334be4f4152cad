//! A raw block of Bitcoin's main chain, with the outputs that it spends, as the line that `getblock HASH 3` prints.
//!
//! The spent outputs come as a JSON list in the order of the block's inputs, packed with zstd. Amounts are satoshis there
//! and become decimals here by their digits. The block is from 2015: there are no witnesses to skip.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// What a test wants to know of the block besides its line.
pub struct Block {
    /// One line of NDJSON.
    pub line: String,
    /// Each transaction's id and the values of its outputs in satoshis, in order.
    pub transactions: Vec<(String, Vec<u64>)>,
    /// The sum of the inputs less the sum of the outputs, without the coinbase.
    pub fees_sats: u64,
    /// How many outputs it spends.
    pub inputs: usize,
}

/// Reads the block at `height`.
pub fn block(folder: &Path, height: u64) -> Block {
    let raw = std::fs::read(folder.join(format!("block_{height}_raw"))).expect("the block can be read");
    Reader { bytes: &raw, at: 0 }.block(height, &spent(folder, height))
}

/// The outputs that the block at `height` spends, in the order of its inputs.
pub fn spent(folder: &Path, height: u64) -> Vec<Value> {
    let packed = std::fs::File::open(folder.join(format!("block_{height}_spent_utxos.zst"))).expect("it is there");
    let mut spent = Vec::new();
    let mut unpacked = ruzstd::decoding::StreamingDecoder::new(packed).expect("it is a zstd file");
    unpacked.read_to_end(&mut spent).expect("it unpacks");
    serde_json::from_slice(&spent).expect("it is a list of outputs")
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        taken
    }

    fn number(&mut self, bytes: usize) -> u64 {
        self.take(bytes).iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Bitcoin's `CompactSize`.
    fn count(&mut self) -> usize {
        let number = match self.number(1) {
            0xfd => self.number(2),
            0xfe => self.number(4),
            0xff => self.number(8),
            small => small,
        };
        usize::try_from(number).expect("a block is small")
    }

    fn hash(&mut self) -> String {
        printed(self.take(32))
    }

    fn block(mut self, height: u64, spent: &[Value]) -> Block {
        let header = self.take(80);
        let previous = printed(&header[4..36]);
        let time = u32::from_le_bytes(header[68..72].try_into().expect("four bytes"));
        let count = self.count();
        let mut block = Block { line: String::new(), transactions: Vec::new(), fees_sats: 0, inputs: 0 };
        let mut txids = Vec::new();
        let mut lines = Vec::new();
        let mut rest = spent.iter();
        for _ in 0..count {
            let begin = self.at;
            let (vin, taken) = self.inputs(&mut rest, &mut block.inputs);
            let (vout, values) = self.outputs();
            self.take(4);
            let txid = twice(&self.bytes[begin..self.at]);
            let paid: u64 = values.iter().sum();
            block.fees_sats += taken.map_or(0, |taken| taken - paid);
            lines.push(format!(r#"{{"txid":"{}","vin":[{vin}],"vout":[{vout}]}}"#, printed(&txid)));
            block.transactions.push((printed(&txid), values));
            txids.push(txid);
        }
        assert_eq!((self.at, rest.len()), (self.bytes.len(), 0), "nothing is left over");
        assert_eq!(merkle(txids), header[36..68], "the transactions are the header's");
        let _ = writeln!(
            block.line,
            r#"{{"hash":"{}","height":{height},"time":{time},"previousblockhash":"{previous}","nTx":{count},"tx":[{}]}}"#,
            printed(&twice(header)),
            lines.join(",")
        );
        block
    }

    /// The inputs as JSON, and what they bring; nothing for a coinbase.
    fn inputs<'s>(&mut self, spent: &mut impl Iterator<Item = &'s Value>, all: &mut usize) -> (String, Option<u64>) {
        assert_eq!(self.number(4) >> 3, 0, "a version of 2015");
        let count = self.count();
        let mut inputs = Vec::with_capacity(count);
        let mut taken = 0;
        for _ in 0..count {
            let (txid, vout) = (self.hash(), self.number(4));
            let script = self.count();
            self.take(script + 4);
            if txid.bytes().all(|digit| digit == b'0') {
                return (r#"{"coinbase":"00"}"#.to_owned(), None);
            }
            let output = &spent.next().expect("each input spends an output")["txout"];
            let value = output["value"].as_u64().expect("satoshis");
            let (text, hex) = (bitcoins(value), output["script_pubkey"].as_str().expect("a script"));
            taken += value;
            *all += 1;
            let prevout = format!(r#"{{"value":{text},"scriptPubKey":{{"hex":"{hex}"}}}}"#);
            inputs.push(format!(r#"{{"txid":"{txid}","vout":{vout},"prevout":{prevout}}}"#));
        }
        (inputs.join(","), Some(taken))
    }

    fn outputs(&mut self) -> (String, Vec<u64>) {
        let count = self.count();
        let mut outputs = Vec::with_capacity(count);
        let mut values = Vec::with_capacity(count);
        for n in 0..count {
            let value = self.number(8);
            let length = self.count();
            let script = hex(self.take(length).iter());
            let text = bitcoins(value);
            outputs.push(format!(r#"{{"value":{text},"n":{n},"scriptPubKey":{{"hex":"{script}"}}}}"#));
            values.push(value);
        }
        (outputs.join(","), values)
    }
}

/// Satoshis as a decimal number of bitcoins.
pub fn bitcoins(sats: u64) -> String {
    format!("{}.{:08}", sats / 100_000_000, sats % 100_000_000)
}

fn twice(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(bytes)).into()
}

/// Hashes are printed from their last byte to their first.
fn printed(hash: &[u8]) -> String {
    hex(hash.iter().rev())
}

fn hex<'a>(bytes: impl Iterator<Item = &'a u8>) -> String {
    bytes.fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn merkle(mut hashes: Vec<[u8; 32]>) -> [u8; 32] {
    while hashes.len() > 1 {
        let pair = |pair: &[[u8; 32]]| twice(&[pair[0], *pair.last().expect("a pair has one")].concat());
        hashes = hashes.chunks(2).map(pair).collect();
    }
    hashes[0]
}
