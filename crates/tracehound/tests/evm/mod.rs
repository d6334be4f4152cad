//! What the tests on live EVM chains share: a real node (`anvil`), the contracts that it runs, and the stage on which
//! thieves and honest people meet.
//!
//! Like the Bitcoin node's harness it knows nothing of Tracehound, so that a fault of what is under test cannot hide
//! in it: what a test expects is asked of the node, or written by hand.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod anvil;
pub mod contracts;
pub mod heist;
pub mod play;
pub mod stage;
