//! [`Chain`]: the exercise's UTXO ledger as it grows: coins, transactions, blocks, written as one JSON line a block, and
//! to block files as well where they are wanted.
//!
//! Responsible for ids, fees, block times and the file's shape (Bitcoin Core's `getblock 2`). It does not decide who
//! pays whom. A txid is the double SHA-256 of the transaction in Bitcoin's own serialisation without signatures, a
//! block hash that of an 80-byte header with a true Merkle root and as much work as the regression-test network asks
//! for; there is no subsidy schedule.

mod stored;

use std::fmt::Write as _;
use std::io::{self, Write};

use ledger::hex;
use sha2::{Digest, Sha256};

use crate::blockfiles::BlockFiles;
use crate::blockfiles::undo::compact_size;
use crate::exact::Exact;
use crate::keys::{Key, Lock, Owner};
use stored::Stored;

/// Decimals of a bitcoin.
pub const SCALE: u8 = 8;
/// What a block brings its miner, besides fees.
const SUBSIDY_SATS: u64 = 312_500_000;
/// The easiest target there is, as the regression-test network has it: every other nonce will do.
pub const BITS: u32 = 0x207f_ffff;
/// Outputs below this are not made: change that small goes to the miner.
pub const DUST_SATS: u64 = 546;
/// Outputs of one founding coinbase.
pub const FOUNDING_OUTPUTS_MAX: usize = 400;

/// An unspent output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coin {
    pub txid: [u8; 32],
    pub vout: u32,
    pub value_sats: u64,
    pub key: Key,
    /// The height of the block that made it.
    pub height: u32,
    /// Whether a coinbase made it.
    pub coinbase: bool,
    /// Whether any stolen coin is among its ancestors, through anybody's hands.
    pub tainted: bool,
}

/// An output to be made.
#[derive(Clone, Copy, Debug)]
pub struct Pay {
    pub key: Key,
    pub value_sats: u64,
}

/// Counts for the manifest.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChainCounts {
    pub blocks: u64,
    pub transactions: u64,
    pub inputs: u64,
    pub outputs: u64,
    pub tainted_legs: u64,
}

/// The ledger under construction. It holds one block at a time.
pub struct Chain<W> {
    out: W,
    seed: u64,
    mark: u32,
    previous: Option<[u8; 32]>,
    id: Option<String>,
    block_time: i64,
    body: String,
    txids: Vec<[u8; 32]>,
    fees_sats: u64,
    counts: ChainCounts,
    raw: Vec<u8>,
    stored: Option<Stored>,
}

impl<W: Write> Chain<W> {
    /// A ledger for the world of `seed`; `mark` tells it from others of the same seed. It goes into `files` as well.
    pub fn new(out: W, seed: u64, mark: u32, files: Option<BlockFiles>) -> Self {
        Self {
            out,
            seed,
            mark,
            previous: None,
            id: None,
            block_time: 0,
            body: String::new(),
            txids: Vec::new(),
            fees_sats: 0,
            counts: ChainCounts::default(),
            raw: Vec::new(),
            stored: files.map(Stored::new),
        }
    }

    /// Closes block files, and says what there is.
    pub fn finish(self) -> io::Result<ChainCounts> {
        if let Some(stored) = self.stored {
            stored.finish()?;
        }
        Ok(self.counts)
    }

    /// The ledger's CAIP-2 id: 32 digits of its own genesis hash. Known once genesis is made.
    pub fn id(&self) -> &str {
        self.id.as_deref().expect("founding comes first")
    }

    pub const fn counts(&self) -> ChainCounts {
        self.counts
    }

    /// How many transactions wait for the block to be sealed.
    pub fn waiting(&self) -> usize {
        self.txids.len()
    }

    /// The time of the block that is being filled.
    pub const fn time(&self) -> i64 {
        self.block_time
    }

    /// Sets the time of the block that is being filled; only before its first transaction.
    pub fn open(&mut self, time: i64) {
        debug_assert!(self.txids.is_empty(), "a block has one time");
        self.block_time = time;
    }

    /// Makes a block of nothing but a coinbase that pays all of `pays`.
    pub fn found(&mut self, pays: &[Pay]) -> io::Result<Vec<Coin>> {
        assert!(self.txids.is_empty() && pays.len() <= FOUNDING_OUTPUTS_MAX, "founding blocks stand alone");
        self.seal_with(pays)
    }

    /// Seals the block: its coinbase pays subsidy and fees to `miner`.
    pub fn seal(&mut self, miner: Key) -> io::Result<Coin> {
        let pays = [Pay { key: miner, value_sats: SUBSIDY_SATS + self.fees_sats }];
        Ok(self.seal_with(&pays)?.remove(0))
    }

    /// Adds a transaction to the open block. What the outputs leave of the inputs is its fee.
    pub fn spend(&mut self, inputs: &[Coin], pays: &[Pay]) -> Vec<Coin> {
        let paid_in: u64 = inputs.iter().map(|coin| coin.value_sats).sum();
        let paid_out: u64 = pays.iter().map(|pay| pay.value_sats).sum();
        let fee = paid_in.checked_sub(paid_out).expect("nobody spends more than the inputs hold");
        let locks = self.locks(pays);
        let raw = &mut self.raw;
        raw.clear();
        raw.extend(2u32.to_le_bytes());
        compact_size(raw, inputs.len() as u64);
        for coin in inputs {
            raw.extend(coin.txid);
            raw.extend(coin.vout.to_le_bytes());
            raw.push(0);
            raw.extend(u32::MAX.to_le_bytes());
        }
        let txid = close(raw, pays, &locks);
        if let Some(stored) = &mut self.stored {
            stored.spend(raw, inputs, self.seed);
        }

        if !self.txids.is_empty() {
            self.body.push(',');
        }
        open_json(&mut self.body, &txid);
        for (at, coin) in inputs.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(self.body, "{comma}{{\"txid\":\"");
            hex_reversed(&mut self.body, &coin.txid);
            let _ = write!(self.body, "\",\"vout\":{},\"sequence\":4294967295}}", coin.vout);
        }
        close_json(&mut self.body, pays, &locks, &mut self.raw);
        let _ = write!(self.body, ",\"fee\":{}}}", Exact::new(fee.into(), SCALE));

        let tainted = inputs.iter().any(|coin| coin.tainted);
        if tainted {
            let touched = inputs.iter().filter(|coin| coin.tainted).count() + pays.len() + usize::from(fee > 0);
            self.counts.tainted_legs += touched as u64;
        }
        self.fees_sats += fee;
        self.txids.push(txid);
        self.counts.transactions += 1;
        self.counts.inputs += inputs.len() as u64;
        self.counts.outputs += pays.len() as u64;
        let made = Coin { tainted, ..self.blank(txid, false) };
        coins(made, pays)
    }

    /// A coin that a transaction of the open block makes, of nobody's yet.
    fn blank(&self, txid: [u8; 32], coinbase: bool) -> Coin {
        let height =
            u32::try_from(self.counts.blocks).expect("TRANSACTIONS_MAX transactions fill fewer than 2^32 blocks");
        let key = Key { owner: Owner(0), number: 0 };
        Coin { txid, vout: 0, value_sats: 0, key, height, coinbase, tainted: false }
    }

    fn locks(&self, pays: &[Pay]) -> Vec<Lock> {
        pays.iter().map(|pay| Lock::of(self.seed, pay.key)).collect()
    }

    /// The block's 80-byte header, its nonce and its hash.
    fn header(&self, merkle: &[u8; 32]) -> ([u8; 80], u32, [u8; 32]) {
        let mut header = [0; 80];
        header[..4].copy_from_slice(&4u32.to_le_bytes());
        header[4..36].copy_from_slice(&self.previous.unwrap_or([0; 32]));
        header[36..68].copy_from_slice(merkle);
        header[68..72].copy_from_slice(&self.block_time.to_le_bytes()[..4]);
        header[72..76].copy_from_slice(&BITS.to_le_bytes());
        // From the plan's mark on: each plan starts from a genesis, and so a ledger id, of its own.
        let mut nonce = self.mark;
        loop {
            header[76..].copy_from_slice(&nonce.to_le_bytes());
            let hash = sha256d(&header);
            if meets_target(&hash) {
                return (header, nonce, hash);
            }
            nonce = nonce.wrapping_add(1);
        }
    }

    fn seal_with(&mut self, pays: &[Pay]) -> io::Result<Vec<Coin>> {
        let locks = self.locks(pays);
        let height = self.counts.blocks;
        let mut script = vec![8];
        script.extend(height.to_le_bytes());
        let raw = &mut self.raw;
        raw.clear();
        raw.extend(2u32.to_le_bytes());
        raw.push(1);
        raw.extend([0; 32]);
        raw.extend(u32::MAX.to_le_bytes());
        compact_size(raw, script.len() as u64);
        raw.extend(&script);
        raw.extend(u32::MAX.to_le_bytes());
        let txid = close(raw, pays, &locks);
        let merkle = merkle_root(txid, &self.txids);

        let (header, nonce, hash) = self.header(&merkle);
        if let Some(stored) = &mut self.stored {
            stored.seal(&header, &self.raw, self.previous.as_ref())?;
        }

        let mut line = String::with_capacity(self.body.len() + 1024);
        line.push_str("{\"hash\":\"");
        hex_reversed(&mut line, &hash);
        if self.previous.is_none() {
            self.id = Some(format!("bip122:{}", &line[line.len() - 64..line.len() - 32]));
        }
        let _ = write!(line, "\",\"height\":{height},\"version\":4,\"merkleroot\":\"");
        hex_reversed(&mut line, &merkle);
        let _ = write!(
            line,
            "\",\"time\":{},\"nonce\":{nonce},\"bits\":\"{BITS:08x}\",\"nTx\":{}",
            self.block_time,
            self.txids.len() + 1
        );
        if let Some(previous) = self.previous {
            line.push_str(",\"previousblockhash\":\"");
            hex_reversed(&mut line, &previous);
            line.push('"');
        }
        line.push_str(",\"tx\":[");
        open_json(&mut line, &txid);
        line.push_str("{\"coinbase\":\"");
        hex::push(&mut line, &script);
        line.push_str("\",\"sequence\":4294967295}");
        close_json(&mut line, pays, &locks, &mut self.raw);
        line.push('}');
        if !self.body.is_empty() {
            line.push(',');
            line.push_str(&self.body);
        }
        line.push_str("]}\n");
        self.out.write_all(line.as_bytes())?;

        let made = self.blank(txid, true);
        self.previous = Some(hash);
        self.body.clear();
        self.txids.clear();
        self.fees_sats = 0;
        self.counts.blocks += 1;
        self.counts.transactions += 1;
        self.counts.outputs += pays.len() as u64;
        Ok(coins(made, pays))
    }
}

/// The outputs of one transaction; `made` holds what they have in common.
fn coins(made: Coin, pays: &[Pay]) -> Vec<Coin> {
    (0u32..).zip(pays).map(|(vout, pay)| Coin { vout, value_sats: pay.value_sats, key: pay.key, ..made }).collect()
}

/// Appends the outputs and the lock time, and hashes the whole.
fn close(raw: &mut Vec<u8>, pays: &[Pay], locks: &[Lock]) -> [u8; 32] {
    compact_size(raw, pays.len() as u64);
    for (pay, lock) in pays.iter().zip(locks) {
        raw.extend(pay.value_sats.to_le_bytes());
        let at = raw.len();
        raw.push(0);
        let length = lock.script(raw);
        raw[at] = u8::try_from(length).expect("a script is 35 bytes at most");
    }
    raw.extend([0; 4]);
    sha256d(raw)
}

fn open_json(text: &mut String, txid: &[u8; 32]) {
    text.push_str("{\"txid\":\"");
    hex_reversed(text, txid);
    text.push_str("\",\"version\":2,\"locktime\":0,\"vin\":[");
}

fn close_json(text: &mut String, pays: &[Pay], locks: &[Lock], scratch: &mut Vec<u8>) {
    text.push_str("],\"vout\":[");
    for (at, (pay, lock)) in pays.iter().zip(locks).enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let value = Exact::new(pay.value_sats.into(), SCALE);
        let _ = write!(text, "{comma}{{\"value\":{value},\"n\":{at},\"scriptPubKey\":{{\"hex\":\"");
        scratch.clear();
        lock.script(scratch);
        hex::push(text, scratch.iter());
        if lock.has_address() {
            let _ = write!(text, "\",\"address\":\"{lock}");
        }
        let _ = write!(text, "\",\"type\":\"{}\"}}}}", lock.kind());
    }
    text.push(']');
}

pub fn sha256d(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(bytes)).into()
}

/// Whether a block's hash is low enough for [`BITS`]: 7fffff followed by 29 bytes of zeros. A hash is read from its end.
pub const fn meets_target(hash: &[u8; 32]) -> bool {
    hash[31] < 0x7f || (hash[31] == 0x7f && (hash[30] < 0xff || hash[29] < 0xff))
}

/// The root over the coinbase's id and the others', in Bitcoin's way: an odd last one pairs with itself.
fn merkle_root(coinbase: [u8; 32], others: &[[u8; 32]]) -> [u8; 32] {
    let mut row: Vec<[u8; 32]> = std::iter::once(coinbase).chain(others.iter().copied()).collect();
    while row.len() > 1 {
        row = row.chunks(2).map(|pair| sha256d(&[pair[0], pair[pair.len() - 1]].concat())).collect();
    }
    row[0]
}

fn hex_reversed(text: &mut String, bytes: &[u8; 32]) {
    hex::push(text, bytes.iter().rev());
}
