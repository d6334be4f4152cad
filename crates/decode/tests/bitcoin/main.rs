//! Bitcoin's blocks and undo data as nodes keep them, against the node's own answers, another library, and damage.

mod data;
mod frames;
mod made;
mod mutated;
mod oracle;
mod real;
