//! Whether answers are of the block that they are said to be of, and whole.
//!
//! A node may lie, be broken, or change its mind about a block between two questions. Everything that can be held
//! against the block is: hashes, places, counts, gas, and the bloom filter of the header, which every log must be in.

use crate::answers::{Block, Log, Receipt};
use crate::bloom::Bloom;
use crate::chain::Chain;
use crate::fault::{BlockFault, Method};
use crate::roots;
use crate::words::{HashBytes, hash_text};

/// Checks a block against itself.
pub fn block(chain: &Chain, block: &Block<'_>) -> Result<(), BlockFault> {
    let fault = |what| Err(BlockFault::new(Method::Block, what));
    for (at, transaction) in block.transactions.iter().enumerate() {
        if transaction.block_hash.is_some_and(|hash| hash != block.hash) {
            return fault(format!("transaction {at} says that it is in another block"));
        }
        if transaction.block_number.is_some_and(|number| number != block.number) {
            return fault(format!("transaction {at} says that it is at another height"));
        }
        if transaction.transaction_index.is_some_and(|index| index.0 != at as u64) {
            return fault(format!("transaction {at} says that it has another place"));
        }
    }
    if chain.standard && roots::are_withdrawals(block) == Some(false) {
        return fault("the withdrawals are not those of the header's withdrawalsRoot".to_owned());
    }
    let mut hashes: Vec<&HashBytes> = block.transactions.iter().map(|transaction| &transaction.hash.0).collect();
    hashes.sort_unstable();
    match hashes.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => fault(format!("transaction {} stands twice", hash_text(pair[0]))),
        None => Ok(()),
    }
}

/// Checks receipts against their block, and their logs among themselves.
pub fn receipts(chain: &Chain, block: &Block<'_>, receipts: &[Receipt<'_>]) -> Result<(), BlockFault> {
    let fault = |what| Err(BlockFault::new(Method::Receipts, what));
    let (have, want) = (receipts.len(), block.transactions.len());
    if have != want {
        return fault(format!("{have} receipts for {want} transactions"));
    }
    let mut gas = 0_u64;
    for (at, (receipt, transaction)) in receipts.iter().zip(&block.transactions).enumerate() {
        if receipt.block_hash != block.hash || receipt.block_number != block.number {
            let of = hash_text(&receipt.block_hash.0);
            return fault(format!("receipt {at} is of block {} ({of})", receipt.block_number.0));
        }
        if receipt.transaction_hash != transaction.hash || receipt.transaction_index.0 != at as u64 {
            return fault(format!("receipt {at} is not of transaction {at} ({})", hash_text(&transaction.hash.0)));
        }
        gas = gas.saturating_add(receipt.gas_used.0);
        if chain.standard && receipt.cumulative_gas_used.is_some_and(|sum| sum.0 != gas) {
            return fault(format!("the gas of the receipts up to {at} does not add up"));
        }
    }
    if chain.standard && block.gas_used.is_some_and(|sum| sum.0 != gas) {
        return fault(format!("the receipts used {gas} gas, the block says another sum"));
    }
    let all = receipts.iter().enumerate().flat_map(|(at, receipt)| receipt.logs.iter().map(move |log| (log, Some(at))));
    logs(Method::Receipts, chain, block, all)?;
    if chain.standard && roots::are_receipts(block, receipts) == Some(false) {
        return fault(
            "the receipts are not those of the header's receiptsRoot: something in them was changed".to_owned(),
        );
    }
    Ok(())
}

/// Checks logs that came on their own.
pub fn flat_logs(chain: &Chain, block: &Block<'_>, flat: &[Log<'_>]) -> Result<(), BlockFault> {
    logs(Method::Logs, chain, block, flat.iter().map(|log| (log, None)))
}

fn logs<'l, 'a: 'l>(
    method: Method,
    chain: &Chain,
    block: &Block<'_>,
    logs: impl Iterator<Item = (&'l Log<'a>, Option<usize>)>,
) -> Result<(), BlockFault> {
    let fault = |what| Err(BlockFault::new(method, what));
    let mut before: Option<&Log<'_>> = None;
    let mut bloom = Bloom::default();
    for (log, receipt) in logs {
        let index = log.log_index.0;
        if log.block_hash != block.hash || log.block_number != block.number {
            let of = hash_text(&log.block_hash.0);
            return fault(format!("log {index} is of block {} ({of})", log.block_number.0));
        }
        let place = usize::try_from(log.transaction_index.0).unwrap_or(usize::MAX);
        let transaction = block.transactions.get(place);
        if transaction.is_none_or(|transaction| transaction.hash != log.transaction_hash) {
            return fault(format!("log {index} is of no transaction of the block, or of another than it says"));
        }
        if receipt.is_some_and(|receipt| receipt != place) {
            return fault(format!("log {index} stands in the receipt of another transaction"));
        }
        if log.removed || u32::try_from(index).is_err() {
            return fault(format!("log {index} was taken back, or has an index that no log can have"));
        }
        let expected = before.map_or(0, |before| before.log_index.0 + 1);
        if index < expected || (chain.standard && index > expected) {
            return fault(format!("log {index} follows where log {expected} was due"));
        }
        if before.is_some_and(|before| before.transaction_index > log.transaction_index) {
            return fault(format!("log {index} is of an earlier transaction than the log before it"));
        }
        if chain.standard {
            bloom.add(&log.address.0);
            log.topics.as_slice().iter().for_each(|topic| bloom.add(topic));
        }
        before = Some(log);
    }
    let stated = block.logs_bloom.as_ref().filter(|_| chain.standard);
    match stated {
        Some(stated) if !bloom.is(stated) => {
            fault("the logs are not those of the header's bloom filter: some are missing, or changed".to_owned())
        }
        _ => Ok(()),
    }
}

/// Whether the header says that the block has no logs at all.
pub fn is_without_logs(chain: &Chain, block: &Block<'_>) -> bool {
    chain.standard && block.logs_bloom.as_ref().is_some_and(|stated| Bloom::default().is(stated))
}
