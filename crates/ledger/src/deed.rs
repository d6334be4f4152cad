//! What a source hands to a ledger that is being filled: transactions by name, before they have numbers.
//!
//! Decoders make these values, the book and the memory ledger take them. They are complete and checked for shape;
//! whether they fit what the ledger already holds is for the ledger to say.

use money::Amount;

use crate::{Lock, Time, hex};

/// One atomic transaction of an account ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountTransaction {
    /// Its id, unique in the ledger.
    pub name: String,
    /// When it was booked.
    pub time: Time,
    /// Its movements, in order.
    pub legs: Vec<AccountLeg>,
}

/// One movement of an account ledger, by names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLeg {
    /// The paying holder in canonical form; `None` is outside.
    pub from: Option<String>,
    /// The paid holder; `None` is outside.
    pub to: Option<String>,
    /// The asset's symbol.
    pub asset: String,
    /// How much, in base units.
    pub amount: Amount,
    /// What the payer pays on top for the movement itself, in the same asset; booked as a leg of its own right after.
    pub fee: Amount,
    /// What kind of movement it is: says what an end without a name stands for.
    pub kind: LegKind,
}

/// What a movement of an account ledger is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LegKind {
    /// A payment. An end without a name is outside the ledger: issue, mint; burn.
    #[default]
    Transfer,
    /// A fee as a movement of its own. Without `to` it goes to whoever collects fees; without `from` it is that part
    /// of the collected fees that a block's producer receives.
    Fee,
    /// The asset's own books changed a balance without a payment: a rebase, a tax on transfers that no log shows.
    /// Without `from` the holder gained, without `to` it lost.
    Drift,
}

/// One block of an account ledger that is a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountBlock {
    /// Height above genesis.
    pub height: u64,
    /// The block's hash, first byte first, as such chains print it.
    pub hash: [u8; 32],
    /// The parent's hash; `None` at genesis.
    pub previous: Option<[u8; 32]>,
    /// The header's time.
    pub time: Time,
    /// In block order. What happens outside of transactions (rewards, withdrawals of stakers, drift that was seen at the
    /// block's end) stands in transactions of its own, named `block:HEIGHT` and `drift:HEIGHT`.
    pub transactions: Vec<AccountTransaction>,
    /// What contracts wrote, as far as it is kept; ascending by transaction, then by index.
    pub events: Vec<BlockEvent>,
    /// What the source could not tell.
    pub gaps: Gaps,
}

/// What is not known of a block, because its source did not have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// No traces: native coin may have moved between contracts unseen.
    pub traces: bool,
    /// No receipts: fees are missing, and so is whether a transaction failed, unless traces say it.
    pub receipts: bool,
    /// No logs: tokens may have moved unseen.
    pub logs: bool,
}

impl Gaps {
    /// Whether something is missing.
    pub const fn any(self) -> bool {
        self.traces || self.receipts || self.logs
    }
}

/// A log, and which of the block's transactions wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockEvent {
    /// The transaction's place in [`AccountBlock::transactions`].
    pub transaction: u32,
    /// The log.
    pub event: Event,
}

/// What a contract wrote: kept as it came, so that decoders of bridges and mixers can be better tomorrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The log's index within its block.
    pub index: u32,
    /// The contract.
    pub contract: [u8; 20],
    /// Up to four topics; the first is the hash of the event's signature, unless it is anonymous.
    pub topics: Vec<[u8; 32]>,
    /// The fields that are not indexed, ABI-encoded.
    pub data: Vec<u8>,
}

/// One block of a UTXO ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UtxoBlock {
    /// Height above genesis.
    pub height: u64,
    /// The block's hash, in internal byte order.
    pub hash: [u8; 32],
    /// The parent's hash; `None` at genesis.
    pub previous: Option<[u8; 32]>,
    /// The header's time.
    pub time: Time,
    /// In block order, coinbase first.
    pub transactions: Vec<UtxoTransaction>,
}

/// One transaction of a UTXO ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UtxoTransaction {
    /// Its id, in internal byte order.
    pub txid: [u8; 32],
    /// In index order; empty for a coinbase.
    pub inputs: Vec<UtxoInput>,
    /// In index order.
    pub outputs: Vec<UtxoOutput>,
    /// The fee where the source states it; checked against the sums where those are known.
    pub fee: Option<Amount>,
}

/// An output by transaction and index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Outpoint {
    /// The creating transaction, in internal byte order.
    pub txid: [u8; 32],
    /// The output's index.
    pub vout: u32,
}

/// One input: what it spends and, where the source tells, what that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UtxoInput {
    /// What it spends.
    pub outpoint: Outpoint,
    /// The spent output as the source states it (`prevout`), for outputs from before the ledger's first block.
    pub spent: Option<UtxoOutput>,
}

/// One output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UtxoOutput {
    /// How much, in base units.
    pub amount: Amount,
    /// The holder: what its script asks of a spender.
    pub holder: Lock,
}

/// A transaction id as people write it: hex, last byte first.
pub fn txid_text(txid: &[u8; 32]) -> String {
    let mut text = String::with_capacity(64);
    hex::push(&mut text, txid.iter().rev());
    text
}

/// The bytes of a transaction id, in internal order; `None` where the text is not 64 hex digits.
pub fn txid_bytes(text: &str) -> Option<[u8; 32]> {
    // Whatever is longer is refused before it is read.
    let mut bytes: [u8; 32] = if text.len() == 64 { hex::bytes(text)?.try_into().ok()? } else { return None };
    bytes.reverse();
    Some(bytes)
}
