//! What all races share: taking times, naming the machine, keeping made data between runs, printing tables.
//!
//! It measures nothing by itself. Tables come out as Markdown, so that docs/bench can hold what a run printed.

pub mod clock;
pub mod folder;
pub mod heist;
pub mod machine;
pub mod table;

/// What a race returns when something is missing or broken.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
