//! How a trace is put together: incidents and tags in, one result per policy out.
//!
//! [`case`] reads what the user names and finds it on the book's ledgers; [`run`] traces each ledger; [`result`] holds
//! what came out, with names in place of numbers.

pub mod case;
pub mod result;
pub mod run;
