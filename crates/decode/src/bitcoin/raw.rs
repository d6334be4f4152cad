//! [`RawBlock`]: a block as a view into its bytes: header, what merged mining and extension blocks add, transactions.

use ledger::Network;
use ledger::network::Header;

use super::cursor::Cursor;
use super::digest::{LANE_BYTES_MAX, Lanes};
use super::transaction::{RawTransaction, TRANSACTION_BYTES_MIN};
use super::{BLOCK_BYTES_MAX, BlockHeader, HEADER_BYTES, Options, Problem, merkle_root};

/// The bit of the version that says that a parent's proof of work follows the header.
const VERSION_AUXILIARY: i32 = 1 << 8;
/// The first version of blocks whose coinbase begins with the height (BIP 34).
const VERSION_WITH_HEIGHT: i32 = 2;
/// The most bytes that a height takes in a coinbase's script; four reach further than any chain.
const HEIGHT_BYTES_MAX: u8 = 4;

/// A block whose form is right: one coinbase at the front, and nothing left over at the end.
#[derive(Clone, Debug)]
pub struct RawBlock<'a> {
    header: BlockHeader,
    transactions: Vec<RawTransaction<'a>>,
    work_is_checked: bool,
}

impl<'a> RawBlock<'a> {
    /// Reads the form of a block. What the bytes hash to is for [`RawBlock::check`].
    pub fn parse(bytes: &'a [u8], network: &Network) -> Result<Self, Problem> {
        if bytes.len() > BLOCK_BYTES_MAX {
            let what = format!("a block of {} bytes is larger than {BLOCK_BYTES_MAX}", bytes.len());
            return Err(Problem::new(0, what));
        }
        let mut cursor = Cursor::new(bytes);
        let header = BlockHeader::new(*cursor.array::<HEADER_BYTES>("the block's header")?);
        if network.header == Header::AuxiliaryWork && header.version() & VERSION_AUXILIARY != 0 {
            skip_auxiliary_work(&mut cursor, bytes, network)?;
        }
        let count_at = cursor.offset();
        let count = cursor.count(TRANSACTION_BYTES_MIN, "the number of transactions")?;
        if count == 0 {
            return Err(Problem::new(count_at, "the block has no transactions"));
        }
        // `count` transactions of the least size are there, so this is at most one and a half times the block.
        let mut transactions = Vec::with_capacity(count);
        let mut at = cursor.offset();
        for number in 0..count {
            let transaction = RawTransaction::scan(bytes, at, network)?;
            if (number == 0) != transaction.is_coinbase() || (number > 0 && transaction.has_null_input()) {
                let what = "the first transaction, and no other, must have one input that spends nothing and no more";
                return Err(Problem::new(at, format!("{what}; transaction {number} is different")));
            }
            at += transaction.as_bytes().len();
            transactions.push(transaction);
        }
        let extended = transactions.last().is_some_and(RawTransaction::is_hogex);
        if at < bytes.len() && !extended {
            let what = format!("{} bytes are left after the last transaction", bytes.len() - at);
            return Err(Problem::new(at, what));
        }
        Ok(Self { header, transactions, work_is_checked: network.header == Header::Work })
    }

    /// The header.
    pub fn header(&self) -> &BlockHeader {
        &self.header
    }

    /// In block order, coinbase first; there is at least one.
    pub fn transactions(&self) -> &[RawTransaction<'a>] {
        &self.transactions
    }

    /// The ids of the transactions, once the merkle root and, if asked for and if this chain's work is of the block's
    /// own hash, the proof of work were found right.
    pub fn check(&self, options: Options) -> Result<Vec<[u8; 32]>, Problem> {
        if options.check_work && self.work_is_checked && !self.header.meets_target(&self.header.hash()) {
            let what = format!("the block's hash is above the target {:08x} of its header", self.header.bits());
            return Err(Problem::new(72, what));
        }
        let txids = self.txids();
        match merkle_root(&mut txids.clone()) {
            Some(root) if root == self.header.merkle_root() => Ok(txids),
            Some(_) => Err(Problem::new(36, "the merkle root of the transactions is not the header's")),
            None => Err(Problem::new(HEADER_BYTES, "transactions stand twice in the block (CVE-2012-2459)")),
        }
    }

    /// The ids of the transactions in block order, whatever the header says.
    pub fn txids(&self) -> Vec<[u8; 32]> {
        let mut txids = Vec::with_capacity(self.transactions.len());
        let mut lanes = Lanes::new();
        for transaction in &self.transactions {
            let long = transaction.stripped_bytes() > LANE_BYTES_MAX;
            if long || lanes.is_full() {
                txids.extend(lanes.finish());
            }
            if long {
                txids.push(transaction.txid());
            } else {
                lanes.push(&transaction.stripped());
            }
        }
        txids.extend(lanes.finish());
        txids
    }

    /// The height that the coinbase says (BIP 34). `None` before version 2, and where it says none.
    pub fn coinbase_height(&self) -> Option<u64> {
        if self.header.version() < VERSION_WITH_HEIGHT {
            return None;
        }
        let script = self.transactions.first()?.inputs().next()?.script;
        match *script.first()? {
            0 => Some(0),
            small @ 0x51..=0x60 => Some(u64::from(small - 0x50)),
            length @ 1..=HEIGHT_BYTES_MAX => {
                let digits = script.get(1..=usize::from(length))?;
                // The last byte's highest bit is the sign.
                let negative = digits.last()? & 0x80 != 0;
                let height = digits.iter().rev().fold(0, |height, digit| height << 8 | u64::from(*digit));
                (!negative).then_some(height)
            }
            _ => None,
        }
    }
}

/// Steps over the proof that a merge-mined parent block gives: its coinbase, its hash, two merkle branches with their
/// places, its header. Only the form is read; the parent's work is of another function.
fn skip_auxiliary_work<'a>(cursor: &mut Cursor<'a>, bytes: &'a [u8], network: &Network) -> Result<(), Problem> {
    let coinbase = RawTransaction::scan(bytes, cursor.offset(), network)?;
    cursor.take(coinbase.as_bytes().len(), "the parent's coinbase")?;
    cursor.take(32, "the parent's hash")?;
    for branch in ["the coinbase's merkle branch", "the chain's merkle branch"] {
        let count = cursor.count(32, branch)?;
        cursor.take(32 * count, branch)?;
        cursor.u32(branch)?;
    }
    cursor.take(HEADER_BYTES, "the parent's header").map(|_| ())
}
