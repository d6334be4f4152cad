//! What following any node takes: waiting for it, being woken, what there is to tell, what ends it, and where two
//! chains part. It knows no chain; `node` follows Bitcoin's, `evm` the chains of Ethereum's kind.

mod event;
mod fetch;
mod part;
mod run;
mod trouble;
mod wake;

pub use event::Event;
pub(crate) use fetch::in_order;
pub(crate) use part::last_common;
pub use run::Turn;
pub(crate) use run::{Run, Turns};
pub use trouble::FollowError;
pub(crate) use wake::{Bell, Wake, connect};
