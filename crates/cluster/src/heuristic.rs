//! [`Heuristic`]: by which rule two holders are said to be one, and [`Layer`]: how far one is willing to go.

/// A rule by which two holders are said to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Heuristic {
    /// Two locks of one key: its hash, its witness, the wrap of its witness, the key itself. Mathematics, no guess.
    Wrap,
    /// Inputs of one transaction that is no join.
    CoSpend,
    /// The output that looks like the payer's own change.
    Change,
}

impl Heuristic {
    /// All of them, the surest first.
    pub const ALL: [Self; 3] = [Self::Wrap, Self::CoSpend, Self::Change];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wrap => "wrap",
            Self::CoSpend => "co-spend",
            Self::Change => "change",
        }
    }

    /// The lowest layer that it is part of.
    pub const fn layer(self) -> Layer {
        match self {
            Self::Wrap | Self::CoSpend => Layer::CoSpend,
            Self::Change => Layer::Change,
        }
    }
}

/// Which heuristics a partition rests on; each layer holds all below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Wraps and co-spends. Tags are inherited on this layer only.
    CoSpend,
    /// Calibrated change as well: leads, not findings.
    Change,
}

impl Layer {
    /// All of them, the surest first.
    pub const ALL: [Self; 2] = [Self::CoSpend, Self::Change];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CoSpend => "co-spend",
            Self::Change => "change",
        }
    }

    /// Whether a heuristic is part of it.
    pub fn has(self, heuristic: Heuristic) -> bool {
        heuristic.layer() <= self
    }
}
