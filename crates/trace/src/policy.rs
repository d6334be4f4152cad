//! [`Policy`]: by which rule a payment out of a mixed purse carries stolen money along.

use std::fmt;

/// A tracing policy. Each name is the field's own; [`Policy::sentence`] defines it as every report must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// Anything that touches loot is loot. Flags, does not account.
    Poison,
    /// Every unit carries the same stolen fraction.
    Haircut,
    /// What came first leaves first.
    Fifo,
    /// What came last leaves first.
    Lifo,
    /// Stolen units leave first.
    TaintFirstOut,
    /// Stolen units leave last: the lowest-intermediate-balance rule.
    TaintLastOut,
    /// Stolen units go to the largest payments of a transaction.
    Tiho,
}

impl Policy {
    /// All policies, in the order in which reports print them.
    pub const ALL: [Self; 7] =
        [Self::Poison, Self::Haircut, Self::Fifo, Self::Lifo, Self::TaintFirstOut, Self::TaintLastOut, Self::Tiho];

    /// The name on the command line and in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Poison => "poison",
            Self::Haircut => "haircut",
            Self::Fifo => "fifo",
            Self::Lifo => "lifo",
            Self::TaintFirstOut => "taint-first-out",
            Self::TaintLastOut => "taint-last-out",
            Self::Tiho => "tiho",
        }
    }

    /// The policy of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }

    /// The sentence that defines the policy, printed wherever its figures are.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Poison => {
                "Poison: whatever is paid from a purse that ever received stolen money is flagged in full; the flags do not add up to the loss."
            }
            Self::Haircut => {
                "Haircut: each payment carries the stolen fraction of the purse that it leaves (pro rata)."
            }
            Self::Fifo => "FIFO: money leaves a purse in the order in which it came in (Clayton's Case).",
            Self::Lifo => "LIFO: the money that came into a purse last leaves it first.",
            Self::TaintFirstOut => "Taint first out: stolen money leaves a purse before any other money does.",
            Self::TaintLastOut => {
                "Taint last out: stolen money leaves a purse only when no other money is left in it (the lowest intermediate balance, Re Hallett)."
            }
            Self::Tiho => {
                "TIHO (taint in, highest out): within a transaction stolen money goes to the largest payments first."
            }
        }
    }

    /// Whether the account closes: what was stolen equals the sum over the terminals. All but poison.
    pub const fn conserves(self) -> bool {
        !matches!(self, Self::Poison)
    }

    /// Whether tracing many incidents at once gives each the figures that it has alone. The others ask "is it
    /// stolen?", so their answer depends on the set of incidents traced together, which results must name.
    pub const fn is_additive(self) -> bool {
        matches!(self, Self::Haircut | Self::Fifo | Self::Lifo)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
