//! What an update tells while it runs, and what it did.

/// What an update is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Taking back blocks that the chain no longer has.
    Undo,
    /// Taking verdicts on new transactions.
    Verdicts,
    /// Reading the tags against the ledger.
    Tags,
    /// Growing the clusters.
    Clusters,
    /// Mixing again what changed tags and clusters change.
    Correction,
    /// Mixing new transactions.
    Exposure,
}

impl Stage {
    /// The words for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Undo => "taking back",
            Self::Verdicts => "verdicts",
            Self::Tags => "tags",
            Self::Clusters => "clusters",
            Self::Correction => "correcting exposure",
            Self::Exposure => "exposure",
        }
    }
}

/// How far an update is in its stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The stage.
    pub stage: Stage,
    /// How much of it is done.
    pub done: u64,
    /// How much it is in all.
    pub total: u64,
}

/// What an update did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many blocks were new.
    pub added_blocks: u64,
    /// How many blocks the chain no longer has.
    pub undone_blocks: u64,
    /// How many transactions got verdicts.
    pub judged: u64,
    /// Whether tags were read anew.
    pub has_read_tags: bool,
    /// How many holders' exposure category changed.
    pub recategorised: u64,
    /// How many transactions were mixed again because of that.
    pub mixed_again: u64,
    /// How many of these came out other than they were.
    pub corrected: u64,
    /// Why things were made from nothing though something was kept.
    pub rebuilt: Vec<String>,
    /// What a reader should know of the tags.
    pub tag_problems: Vec<know::Problem>,
    /// Whether it was interrupted; what is done is kept.
    pub is_interrupted: bool,
}

impl Report {
    /// Whether there was nothing to do.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}
