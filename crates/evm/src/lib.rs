//! Ethereum and its kin, read: blocks, receipts, logs and traces become the deeds of an account ledger.
//!
//! It is sans-IO: bytes that a node, a recording or an export gave go in, [`ledger::AccountBlock`] comes out, with what
//! was wrong or could not be represented said beside it. It knows the ABI and a table of tokens. It does not talk to
//! nodes (`feed`), does not net transactions (`trace`), and does not know bridges (`link`).

pub mod abi;

/// How a ledger of an EVM chain is named: its CAIP-2 id, from the chain's number.
pub fn ledger_id(chain: u64) -> ledger::LedgerId {
    ledger::LedgerId::parse(&format!("eip155:{chain}")).expect("a number is a CAIP-2 reference")
}
