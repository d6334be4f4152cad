//! The one ledger model that everything downstream sees.
//!
//! A *transaction* is an ordered, atomic list of *legs*; a leg moves an exact amount of one asset between *purses*. A
//! purse is an unspent output (UTXO chains) or an (account, asset) pair (EVM chains, banks, tables). This room holds
//! those plain values, the [`Ledger`] trait through which they are read, ledger names (CAIP-2), addresses with their
//! checksums, the networks that they are of, times, and a small [`memory`] ledger that says in the most obvious way what any other must answer.
//!
//! It does no I/O and knows no file format.

pub mod address;
mod coins;
mod deed;
pub mod hex;
mod id;
mod lock;
pub mod memory;
mod model;
pub mod network;
mod time;

pub use coins::{Coin, Coins};
pub use deed::{
    AccountBlock, AccountLeg, AccountTransaction, BlockEvent, Event, Gaps, LegKind, Outpoint, UtxoBlock, UtxoInput,
    UtxoOutput, UtxoTransaction, txid_bytes, txid_text,
};
pub use id::{ID_BYTES_MAX, LedgerId, LedgerIdError};
pub use lock::{Lock, SCRIPT_BYTES_MAX};
pub use model::{AssetId, Contracts, End, HolderId, Kind, Ledger, Leg, Purse, PurseId, Seq, Stamp};
pub use network::Network;
pub use time::{Time, TimeError};
