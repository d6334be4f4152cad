//! How results are printed: exact JSON and CSV for programs, the account of the loot for people.

pub mod csv;
pub mod edges;
pub mod json;
pub mod screen;
pub mod screen_json;
pub mod text;
