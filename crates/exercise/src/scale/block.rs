//! [`Draft`]: a block of a scale chain while it is filled, and [`Draft::seal`]: what makes a valid block of it.
//!
//! Responsible for headers, proof of work, Merkle roots, the coinbase and its witness commitment (BIP 34, BIP 141). What
//! is in the transactions is decided elsewhere.

use crate::blockfiles::undo::compact_size;
use crate::chain::{BITS, meets_target, sha256d};

/// What a block may weigh, less room for its coinbase.
pub const WEIGHT_MAX: u64 = 3_960_000;
/// Blocks between halvings on the regression-test network.
const HALVING_BLOCKS: u32 = 150;

/// What a block may make, besides collecting fees.
pub const fn subsidy_sats(height: u32) -> u64 {
    let halvings = height / HALVING_BLOCKS;
    if halvings >= 64 { 0 } else { 5_000_000_000 >> halvings }
}

/// A block's place in the chain.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub height: u32,
    pub previous: [u8; 32],
    pub time: u32,
    /// Tells a stale block's coinbase from that of the block that won.
    pub extra: u64,
}

/// Where the block stood after a transaction.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    body: usize,
    undo: usize,
    fees_sats: u64,
}

/// Transactions without their coinbase.
#[derive(Default)]
pub struct Draft {
    body: Vec<u8>,
    undo: Vec<u8>,
    txids: Vec<[u8; 32]>,
    witness_ids: Vec<[u8; 32]>,
    marks: Vec<Mark>,
    weight: u64,
    /// How many of the first transactions have no witness.
    plain: usize,
}

/// A sealed block.
pub struct Sealed {
    pub hash: [u8; 32],
    /// Header, count and coinbase.
    pub head: Vec<u8>,
    /// How much of the draft's body follows.
    pub body: usize,
    pub undo: Vec<u8>,
    pub coinbase_txid: [u8; 32],
    pub fees_sats: u64,
    /// Whether the coinbase commits to witnesses, in an output of its own.
    pub committed: bool,
}

impl Draft {
    /// Starts anew.
    pub fn clear(&mut self) {
        self.body.clear();
        self.undo.clear();
        self.txids.clear();
        self.witness_ids.clear();
        self.marks.clear();
        self.weight = 0;
        self.plain = 0;
    }

    /// How many transactions there are.
    pub const fn count(&self) -> usize {
        self.txids.len()
    }

    /// Whether another of ordinary size may not fit.
    pub const fn is_full(&self) -> bool {
        self.weight >= WEIGHT_MAX - 200_000
    }

    /// All transactions, serialised.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Adds a transaction: `plain` is its serialisation without witness; `witness` is all stacks, or nothing.
    pub fn add(&mut self, plain: &[u8], witness: &[u8], undo: &[u8], fee_sats: u64) -> [u8; 32] {
        let txid = sha256d(plain);
        let start = self.body.len();
        if witness.is_empty() {
            self.body.extend_from_slice(plain);
            self.witness_ids.push(txid);
            if self.plain == self.txids.len() {
                self.plain += 1;
            }
        } else {
            let (version, rest) = plain.split_at(4);
            let (middle, lock_time) = rest.split_at(rest.len() - 4);
            self.body.extend_from_slice(version);
            self.body.extend_from_slice(&[0, 1]);
            self.body.extend_from_slice(middle);
            self.body.extend_from_slice(witness);
            self.body.extend_from_slice(lock_time);
            self.witness_ids.push(sha256d(&self.body[start..]));
        }
        self.txids.push(txid);
        self.undo.extend_from_slice(undo);
        self.weight += (plain.len() * 3 + self.body.len() - start) as u64;
        let fees_sats = self.marks.last().map_or(0, |mark| mark.fees_sats) + fee_sats;
        self.marks.push(Mark { body: self.body.len(), undo: self.undo.len(), fees_sats });
        txid
    }

    /// Makes a block of the first `count` transactions. `pays` are the coinbase's outputs: a share of what it may
    /// claim, and a script; the last gets what is left over.
    pub fn seal(&self, place: &Place, count: usize, pays: &[Vec<u8>]) -> Sealed {
        let mark = count.checked_sub(1).map_or(Mark::default(), |last| self.marks[last]);
        let commitment = (self.plain < count).then(|| {
            let root = merkle_root([0; 32], &self.witness_ids[..count]);
            sha256d(&[root, [0; 32]].concat())
        });
        let (coinbase, coinbase_txid) = coinbase(place, mark.fees_sats, pays, commitment);
        let root = merkle_root(coinbase_txid, &self.txids[..count]);
        let (mut head, hash) = header(place, root);
        compact_size(&mut head, count as u64 + 1);
        head.extend_from_slice(&coinbase);
        let mut undo = Vec::with_capacity(mark.undo + 5);
        compact_size(&mut undo, count as u64);
        undo.extend_from_slice(&self.undo[..mark.undo]);
        Sealed {
            hash,
            head,
            body: mark.body,
            undo,
            coinbase_txid,
            fees_sats: mark.fees_sats,
            committed: commitment.is_some(),
        }
    }
}

/// What each of `count` coinbase outputs gets of `claim_sats`: equal shares, the last with the rest.
pub fn shares(claim_sats: u64, count: usize) -> impl Iterator<Item = u64> {
    let each = claim_sats / count as u64;
    (1..=count).map(move |at| if at == count { claim_sats - each * (count as u64 - 1) } else { each })
}

/// The coinbase, serialised in full, and its id.
fn coinbase(place: &Place, fees_sats: u64, pays: &[Vec<u8>], commitment: Option<[u8; 32]>) -> (Vec<u8>, [u8; 32]) {
    let mut plain = Vec::with_capacity(128 + pays.len() * 48);
    plain.extend_from_slice(&2u32.to_le_bytes());
    plain.push(1);
    plain.extend_from_slice(&[0; 32]);
    plain.extend_from_slice(&u32::MAX.to_le_bytes());
    let mut script = Vec::new();
    push_height(&mut script, place.height);
    script.push(8);
    script.extend_from_slice(&place.extra.to_le_bytes());
    compact_size(&mut plain, script.len() as u64);
    plain.extend_from_slice(&script);
    plain.extend_from_slice(&u32::MAX.to_le_bytes());
    compact_size(&mut plain, (pays.len() + usize::from(commitment.is_some())) as u64);
    for (value_sats, script) in shares(subsidy_sats(place.height) + fees_sats, pays.len()).zip(pays) {
        plain.extend_from_slice(&value_sats.to_le_bytes());
        compact_size(&mut plain, script.len() as u64);
        plain.extend_from_slice(script);
    }
    if let Some(commitment) = commitment {
        plain.extend_from_slice(&[0; 8]);
        plain.extend_from_slice(&[38, 0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed]);
        plain.extend_from_slice(&commitment);
    }
    plain.extend_from_slice(&[0; 4]);
    let txid = sha256d(&plain);
    if commitment.is_none() {
        return (plain, txid);
    }
    let body = &plain[4..plain.len() - 4];
    // The marker, and a stack of one: the 32 reserved bytes that the commitment hashes in.
    let whole = [&plain[..4], &[0, 1], body, &[1, 32], &[0; 32], &[0; 4]].concat();
    (whole, txid)
}

/// Appends the height as a script pushes it (BIP 34): a digit's opcode up to 16, else a little-endian number with a sign.
fn push_height(script: &mut Vec<u8>, height: u32) {
    if let 1..=16 = height {
        script.push(0x50 + height.to_le_bytes()[0]);
        return;
    }
    let bytes = u64::from(height).to_le_bytes();
    let bits = u64::BITS - u64::from(height).leading_zeros();
    // One bit more, for the sign.
    let length = bits / 8 + 1;
    script.push(length.to_le_bytes()[0]);
    script.extend_from_slice(&bytes[..length as usize]);
}

/// A header with a nonce that meets the target, and its hash.
fn header(place: &Place, root: [u8; 32]) -> (Vec<u8>, [u8; 32]) {
    let mut header = Vec::with_capacity(80);
    header.extend_from_slice(&0x2000_0000u32.to_le_bytes());
    header.extend_from_slice(&place.previous);
    header.extend_from_slice(&root);
    header.extend_from_slice(&place.time.to_le_bytes());
    header.extend_from_slice(&BITS.to_le_bytes());
    header.extend_from_slice(&[0; 4]);
    for nonce in 0u32.. {
        header[76..].copy_from_slice(&nonce.to_le_bytes());
        let hash = sha256d(&header);
        if meets_target(&hash) {
            return (header, hash);
        }
    }
    unreachable!("every other nonce meets the target")
}

/// The root over the coinbase's id and the others', in Bitcoin's way: an odd last one pairs with itself.
fn merkle_root(coinbase: [u8; 32], others: &[[u8; 32]]) -> [u8; 32] {
    let mut row = Vec::with_capacity(others.len() + 2);
    row.push(coinbase);
    row.extend_from_slice(others);
    while row.len() > 1 {
        if row.len() % 2 == 1 {
            row.push(row[row.len() - 1]);
        }
        for at in 0..row.len() / 2 {
            row[at] = sha256d(row[at * 2..at * 2 + 2].as_flattened());
        }
        row.truncate(row.len() / 2);
    }
    row[0]
}

/// The regression-test network's first block: the main network's with another time, target and nonce. Its message and
/// key are the ones everybody knows. Nobody can spend it.
pub fn genesis() -> (Vec<u8>, [u8; 32]) {
    const MESSAGE: &[u8] = b"The Times 03/Jan/2009 Chancellor on brink of second bailout for banks";
    const KEY: [u8; 65] = [
        0x04, 0x67, 0x8a, 0xfd, 0xb0, 0xfe, 0x55, 0x48, 0x27, 0x19, 0x67, 0xf1, 0xa6, 0x71, 0x30, 0xb7, 0x10, 0x5c,
        0xd6, 0xa8, 0x28, 0xe0, 0x39, 0x09, 0xa6, 0x79, 0x62, 0xe0, 0xea, 0x1f, 0x61, 0xde, 0xb6, 0x49, 0xf6, 0xbc,
        0x3f, 0x4c, 0xef, 0x38, 0xc4, 0xf3, 0x55, 0x04, 0xe5, 0x1e, 0xc1, 0x12, 0xde, 0x5c, 0x38, 0x4d, 0xf7, 0xba,
        0x0b, 0x8d, 0x57, 0x8a, 0x4c, 0x70, 0x2b, 0x6b, 0xf1, 0x1d, 0x5f,
    ];
    let mut coinbase = vec![1, 0, 0, 0, 1];
    coinbase.extend_from_slice(&[0; 32]);
    coinbase.extend_from_slice(&[0xff; 4]);
    coinbase.extend_from_slice(&[77, 4, 0xff, 0xff, 0, 0x1d, 1, 4, 69]);
    coinbase.extend_from_slice(MESSAGE);
    coinbase.extend_from_slice(&[0xff; 4]);
    coinbase.push(1);
    coinbase.extend_from_slice(&5_000_000_000u64.to_le_bytes());
    coinbase.extend_from_slice(&[67, 65]);
    coinbase.extend_from_slice(&KEY);
    coinbase.push(0xac);
    coinbase.extend_from_slice(&[0; 4]);
    let mut block = vec![1, 0, 0, 0];
    block.extend_from_slice(&[0; 32]);
    block.extend_from_slice(&sha256d(&coinbase));
    block.extend_from_slice(&1_296_688_602u32.to_le_bytes());
    block.extend_from_slice(&BITS.to_le_bytes());
    block.extend_from_slice(&2u32.to_le_bytes());
    let hash = sha256d(&block);
    block.push(1);
    block.extend_from_slice(&coinbase);
    (block, hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genesis_is_the_real_one() {
        let (block, hash) = genesis();
        let text = ledger::txid_text(&hash);
        assert_eq!(text, "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206");
        assert_eq!(block.len(), 285);
    }

    #[test]
    fn heights_are_pushed_as_scripts_push_numbers() {
        for (height, pushed) in [
            (1, &[0x51][..]),
            (16, &[0x60]),
            (17, &[1, 17]),
            (127, &[1, 127]),
            (128, &[2, 128, 0]),
            (255, &[2, 255, 0]),
            (32_767, &[2, 0xff, 0x7f]),
            (32_768, &[3, 0, 0x80, 0]),
            (840_000, &[3, 0x40, 0xd1, 0x0c]),
        ] {
            let mut script = Vec::new();
            push_height(&mut script, height);
            assert_eq!(script, pushed, "{height}");
        }
    }

    #[test]
    fn subsidies_halve_and_shares_add_up() {
        assert_eq!(
            [0, 149, 150, 300, 9_600].map(subsidy_sats),
            [5_000_000_000, 5_000_000_000, 2_500_000_000, 1_250_000_000, 0]
        );
        assert_eq!(shares(100, 3).collect::<Vec<_>>(), [33, 33, 34]);
    }
}
