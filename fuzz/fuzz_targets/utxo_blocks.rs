//! Blocks as Bitcoin Core prints them: what is read has one coinbase, spends no more than it tells, and names holders.
#![no_main]

use decode::utxo_blocks::{BlockLine, BlockReader};
use ledger::UtxoTransaction;
use ledger::address::HOLDER_BYTES_MAX;
use ledger::network::NETWORKS;
use libfuzzer_sys::fuzz_target;
use money::Amount;
use tracehound_fuzz::{OneByte, assert_name, bitcoin, until_error};

fuzz_target!(|data: &[u8]| {
    let whole = until_error(BlockReader::new(data, bitcoin(), 8));
    let slowly = until_error(BlockReader::new(OneByte(data), bitcoin(), 8));
    assert_eq!(whole, slowly, "the answer depends on how the bytes arrive");
    for BlockLine { block, .. } in &whole.0 {
        assert_eq!(block.previous.is_none(), block.height == 0, "only genesis has no parent");
        for (at, transaction) in block.transactions.iter().enumerate() {
            assert_eq!(transaction.inputs.is_empty(), at == 0, "a coinbase is first and alone");
            check(transaction);
        }
    }
});

fn check(transaction: &UtxoTransaction) {
    for output in &transaction.outputs {
        assert_name(&output.holder.name(&NETWORKS[0]), HOLDER_BYTES_MAX);
    }
    let spent: Option<Vec<Amount>> =
        transaction.inputs.iter().map(|input| input.spent.as_ref().map(|spent| spent.amount)).collect();
    if let Some(spent) = spent.filter(|spent| !spent.is_empty()) {
        let (paid, received): (Amount, Amount) =
            (spent.into_iter().sum(), transaction.outputs.iter().map(|output| output.amount).sum());
        let rest = paid.checked_sub(received).expect("no transaction pays out more than it spends");
        assert!(transaction.fee.is_none_or(|fee| fee == rest), "the fee is what is left");
    }
}
