//! [`Progress`]: how an ingest tells where it is. It draws nothing; the binary does.

/// What an ingest is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading standard input into a temporary file.
    Spooling,
    /// Reading and checking everything; the book is not touched.
    Checking,
    /// Finding where the blocks of a folder are; counts its files.
    Indexing,
    /// Bringing rows into the order of time.
    Ordering,
    /// Filling the book.
    Filling,
}

/// Where an ingest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it is doing.
    pub phase: Phase,
    /// How much of this phase is done, in bytes of the source (items, while ordering and filling out of order).
    pub done: u64,
    /// How much there is, where that is known.
    pub total: Option<u64>,
    /// Rows or blocks so far in this phase.
    pub items: u64,
}

/// Whoever wants to know.
pub trait Progress {
    /// Called every few thousand rows, and at every block.
    fn step(&mut self, step: Step);
}

/// Nobody wants to know.
impl Progress for () {
    fn step(&mut self, _: Step) {}
}

impl<F: FnMut(Step)> Progress for F {
    fn step(&mut self, step: Step) {
        self(step);
    }
}
