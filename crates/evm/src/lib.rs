//! Ethereum and its kin, read: blocks, receipts, logs and traces become the deeds of an account ledger.
//!
//! It is sans-IO: bytes that a node, a recording or an export gave go in, [`ledger::AccountBlock`] comes out, with what
//! was wrong or could not be represented said beside it. It knows the ABI and a table of tokens. It does not talk to
//! nodes (`feed`), does not net transactions (`trace`), and does not know bridges (`link`). How each leg comes about is
//! said in `docs/ethereum.md`.

pub mod abi;
mod address;
mod answers;
mod assemble;
mod bloom;
mod chain;
mod check;
pub mod exports;
mod fault;
mod fees;
mod material;
mod rewards;
mod roots;
mod tokens;
mod trace;
mod transfers;
mod words;

pub use address::is_look_alike;
pub use chain::{Chain, ledger_id};
pub use fault::{BlockFault, Method, Problem};
pub use material::{Answers, Decoded, KeepEvents, Logs, Material, Traces, decode_block, tokens_of};
pub use tokens::{Flags, Standard, Token, Tokens};
