//! THORChain, and MAYAChain after it: links from their own records, offline, and from memos on the chains they join.
//!
//! A payment into a vault says in its memo what it is for; a payment out of one names the payment in that it answers
//! (`OUT:TXID`, `REFUND:TXID`). So both directions of a link are certain, wherever one of three things is at hand: the
//! protocol's blocks ([`Records`]), Midgard's export of them, or the two chains themselves ([`from_ledgers`]).
//!
//! Sources stand in each file; docs/thorchain.md has them together.

mod asset;
mod chains;
mod memo;
mod onchain;
mod pair;
mod records;
pub(crate) mod table;

pub use asset::{ASSET_BYTES_MAX, Asset, Form};
pub use chains::{Chain, Place, Router, Scheme, Units, chain, parse_routers, place, routers, units};
pub use memo::{MEMO_BYTES_MAX, Memo, Swap, pushed_text};
pub use onchain::{EVENTS, Found, LEDGERS_METHOD, Outputs, from_ledgers, topics};
pub use pair::{METHOD, Paired, REFERENCE_BLOCKS, REFERENCE_DIGITS, Scales, pair, reference};
pub use records::{Added, Coin, DOCUMENT_BYTES_MAX, Inbound, Outbound, Records, Registration};
