//! Bitcoin's blocks and undo data as nodes keep them, against the node's own answers, another library, and damage.

mod data;
mod made;
mod real;
