//! What a text names: a transaction, an output, a block, a holder, on whichever of the book's ledgers has it.

use book::{AccountLedger, Block, BookLedger, UtxoLedger};
use ledger::{HolderId, Ledger, PurseId, Seq, hex, txid_bytes};

/// What was found on a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Transaction(Seq),
    Output(PurseId),
    /// The block's row.
    Block(u64),
    /// A block of a chain of accounts.
    AccountBlock(Block),
    Holder(HolderId),
}

/// What `text` names on this ledger.
///
/// Digits alone are a height on a chain; a holder with such a name is found where there are accounts without blocks.
pub fn find(opened: &BookLedger, text: &str) -> Option<Target> {
    let ledger = opened.as_ledger();
    if let Some(seq) = ledger.find_transaction(text) {
        return Some(Target::Transaction(seq));
    }
    if let BookLedger::Utxo(chain) = opened {
        if let Some(row) = block(chain, text) {
            return Some(Target::Block(row));
        }
        if let Some((txid, vout)) = text.rsplit_once(':')
            && let Some(purse) = vout.parse().ok().and_then(|vout| ledger.find_output(txid, vout))
        {
            return Some(Target::Output(purse));
        }
    }
    if let BookLedger::Account(chain) = opened
        && let Some(target) = on_accounts(chain, text)
    {
        return Some(target);
    }
    named(ledger, text).map(Target::Holder)
}

/// A block, or a transaction whose hash is written in capitals.
fn on_accounts(chain: &AccountLedger, text: &str) -> Option<Target> {
    if let Some(height) = height(text) {
        return chain.block(height).map(Target::AccountBlock);
    }
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).filter(|digits| digits.len() == 64)?;
    let hash: [u8; 32] = hex::bytes(digits)?.try_into().ok()?;
    let transaction = chain.find_transaction(&format!("0x{}", hex::text(&hash))).map(Target::Transaction);
    transaction.or_else(|| chain.block_by_hash(&hash).map(Target::AccountBlock))
}

fn height(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

fn block(chain: &UtxoLedger, text: &str) -> Option<u64> {
    if let Some(hash) = txid_bytes(text) {
        return chain.find_block(&hash);
    }
    chain.block_at(height(text)?)
}

/// The holder of that name. One that has no address's form may still be one that the ledger gave, on a network of its own.
pub fn named(ledger: &dyn Ledger, text: &str) -> Option<HolderId> {
    let canonical = ledger::address::canonical(ledger.id(), text).ok().and_then(|name| ledger.find_holder(&name));
    canonical.or_else(|| ledger.find_holder(text.trim()))
}
