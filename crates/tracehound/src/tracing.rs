//! How a trace is put together: incidents and tags in, one result per policy out.
//!
//! [`case`] reads what the user names and finds it on the book's ledgers; [`links`] finds the ways between them; [`run`] traces all ledgers together, [`crossed`] says
//! what went from one to another; [`result`] holds
//! what came out, with names in place of numbers.

pub mod case;
pub mod crossed;
pub mod links;
pub mod result;
pub mod run;
