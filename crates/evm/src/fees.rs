//! What a transaction pays for being carried out, and who gets it.
//!
//! Gas used times the price that was paid; of it the base fee is burnt (or goes to the chain's own account), the rest is
//! the producer's. Blob gas is burnt. Rollups charge for their place on the chain below. Sources: EIP-1559, EIP-2930,
//! EIP-4844; the OP Stack specification for `l1Fee`.

use ruint::aliases::U256;

use crate::answers::{Receipt, Transaction};

/// The parts of a fee, in wei.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fee {
    /// The part of the block's producer.
    pub tip: U256,
    /// The base fee.
    pub base: U256,
    /// Paid for blobs.
    pub blob: U256,
    /// Paid for the place on the chain below.
    pub l1: U256,
}

impl Fee {
    /// All that the sender pays. What does not fit 256 bits saturates, and is then refused as too large.
    pub fn total(&self) -> U256 {
        [self.base, self.blob, self.l1].into_iter().fold(self.tip, U256::saturating_add)
    }
}

/// The fee of a transaction; `None` where neither receipt nor transaction says at what price.
pub fn fee(transaction: &Transaction, receipt: &Receipt<'_>, base_price: U256) -> Option<Fee> {
    let price = price(transaction, receipt, base_price)?;
    let gas = U256::from(receipt.gas_used.0);
    // What a chain sends to itself is carried out below the base fee, and burns no more than it pays.
    let base_price = base_price.min(price);
    let blob_gas = receipt.blob_gas_used.map_or(0, |gas| gas.0);
    let blob_price = receipt.blob_gas_price.map_or(U256::ZERO, |price| price.0);
    Some(Fee {
        tip: gas.saturating_mul(price - base_price),
        base: gas.saturating_mul(base_price),
        blob: U256::from(blob_gas).saturating_mul(blob_price),
        l1: receipt.l1_fee.map_or(U256::ZERO, |fee| fee.0),
    })
}

/// The price of a unit of gas: as the receipt states it, or by EIP-1559's rule, or as the transaction offers it.
fn price(transaction: &Transaction, receipt: &Receipt<'_>, base_price: U256) -> Option<U256> {
    if let Some(price) = receipt.effective_gas_price {
        return Some(price.0);
    }
    match (transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas) {
        (Some(most), Some(tip)) => Some(most.0.min(base_price.saturating_add(tip.0))),
        _ => transaction.gas_price.map(|price| price.0),
    }
}
