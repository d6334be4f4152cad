//! [`RuleBook`]: the user's own rules: from what exposure, tag or poison on a screening is a hit, or wants a look.
//!
//! These are values; the file that they stand in is read by `parse`, and what they say of a finding by `judge`.

use money::Decimal;

use crate::CategorySet;

/// The most rules of a file.
pub const RULES_MAX: usize = 1_000;
/// The most groups of a file.
pub const GROUPS_MAX: usize = 1_000;
/// The largest rules file.
pub const RULES_BYTES_MAX: usize = 1 << 20;
/// The longest name of a policy, a rule or a group, in characters.
pub const NAME_CHARS_MAX: usize = 64;
/// A whole, in the unit of shares.
pub const SHARE_WHOLE_MILLIONTHS: u32 = 1_000_000;

/// All rules of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleBook {
    /// What the user calls it; printed with every result.
    pub policy: String,
    /// SHA-256 of the file, in hexadecimal.
    pub hash: String,
    /// Which end of the interval that a share lies in is held against the thresholds.
    pub certificate: Certificate,
    /// The rules, in the file's order.
    pub rules: Vec<Rule>,
}

/// Which end of the interval `[x, x + ε]` counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certificate {
    /// What is certain.
    Lower,
    /// What cannot be excluded.
    #[default]
    Upper,
}

impl Certificate {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Upper => "upper",
        }
    }
}

/// What a rule makes of what it finds. Ordered: the last is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Somebody should look.
    Review,
    /// It must not pass.
    Hit,
}

impl Action {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Hit => "hit",
        }
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name; `rule 3` for the third one of a file if it was given none.
    pub name: String,
    /// The line of the file where it begins.
    pub line: u64,
    /// What it looks for.
    pub test: Test,
    /// What it makes of that.
    pub action: Action,
}

/// What a rule looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// Money that came from, or went to, some categories.
    Exposure {
        /// Which, and the words that the file has for them.
        categories: Named,
        /// On which side; nothing for either, each for itself.
        direction: Option<Direction>,
        /// At what distance; nothing for both together.
        reach: Option<Reach>,
        /// More than this share of what moved in that direction, in millionths.
        share_millionths: Option<u32>,
        /// More than this amount.
        amount: Option<AmountLimit>,
    },
    /// A tag on the holder itself.
    Tag {
        /// Of which categories.
        categories: Named,
        /// On whom; nothing for either.
        on: Option<Bearer>,
        /// At least this confidence, in percent.
        confidence: u8,
    },
    /// Money of these categories that was ever mixed in, however little, joins and mixers notwithstanding.
    Poison {
        /// Which.
        categories: Named,
    },
}

/// Categories, and how the file calls them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// As written: one word, or several with commas.
    pub words: String,
    /// What that comes to.
    pub set: CategorySet,
}

/// Which way money moved, seen from the holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// In.
    Received,
    /// Out.
    Sent,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Received, Self::Sent];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
        }
    }
}

/// How far away the other side of an exposure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// In the same transaction.
    Direct,
    /// With holders of no category in between.
    Indirect,
}

impl Reach {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Direct, Self::Indirect];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Indirect => "indirect",
        }
    }
}

/// Who carries a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bearer {
    /// The address that was asked about.
    Address,
    /// Another member of its cluster.
    Cluster,
}

impl Bearer {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Address, Self::Cluster];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Cluster => "cluster",
        }
    }
}

/// An amount in a coin's own unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmountLimit {
    /// How much.
    pub amount: Decimal,
    /// Of which coin; nothing for the native coin of any ledger. On a ledger of another coin the rule says nothing.
    pub symbol: Option<String>,
}
