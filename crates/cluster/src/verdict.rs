//! [`Verdict`]: what the clusterer makes of one transaction, from its inputs, its outputs and what came before it.
//!
//! A verdict never changes: it looks at nothing later. It is eight bytes, so that a chain's verdicts are one dense
//! column beside its transactions.

/// How many bytes a verdict takes.
pub const VERDICT_BYTES: usize = 8;

/// A transaction made by several parties together; their inputs say nothing about who is one with whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Join {
    /// Coordinated rounds of one base denomination (0.1 BTC and its doublings).
    Wasabi1 = 1,
    /// Coordinated rounds of many standard denominations.
    Wasabi2 = 2,
    /// As many equal outputs as inputs, in a pool of fixed denominations.
    Whirlpool = 3,
    /// A taker and makers: one group of equal outputs, change for most.
    JoinMarket = 4,
    /// Equal outputs and several parties, of no known design.
    EqualOutputs = 5,
}

impl Join {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Wasabi1, Self::Wasabi2, Self::Whirlpool, Self::JoinMarket, Self::EqualOutputs];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wasabi1 => "wasabi-1",
            Self::Wasabi2 => "wasabi-2",
            Self::Whirlpool => "whirlpool",
            Self::JoinMarket => "joinmarket",
            Self::EqualOutputs => "equal-outputs",
        }
    }
}

/// Which output looks like change, and how surely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The output's index.
    pub output: u16,
    /// The calibrated probability that it is the payer's own, in thousandths.
    pub permille: u16,
    /// Which votes spoke for it: a set of bits, see the change rules.
    pub votes: u8,
}

/// What the clusterer makes of one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The design of the join that it is.
    pub join: Option<Join>,
    /// Whether the inputs may be of two parties although nothing else shows it (PayJoin): co-spend edges of such a
    /// transaction are kept as evidence and not applied.
    pub is_doubtful: bool,
    /// The output that looks like change.
    pub change: Option<Change>,
}

impl Verdict {
    /// Whether its inputs are taken for one party's.
    pub const fn joins_inputs(&self) -> bool {
        self.join.is_none() && !self.is_doubtful
    }

    /// As kept: join, flags, votes, a spare byte, then the change's output and thousandths, little-endian.
    pub fn bytes(self) -> [u8; VERDICT_BYTES] {
        let join = self.join.map_or(0, |join| join as u8);
        let flags = u8::from(self.is_doubtful) | u8::from(self.change.is_some()) << 1;
        let Change { output, permille, votes } = self.change.unwrap_or(Change { output: 0, permille: 0, votes: 0 });
        let ([o0, o1], [p0, p1]) = (output.to_le_bytes(), permille.to_le_bytes());
        [join, flags, votes, 0, o0, o1, p0, p1]
    }

    /// From what was kept; a join that this version does not know is one of unknown design.
    pub fn of_bytes([join, flags, votes, _, o0, o1, p0, p1]: [u8; VERDICT_BYTES]) -> Self {
        let known = Join::ALL.into_iter().find(|known| *known as u8 == join);
        let output = u16::from_le_bytes([o0, o1]);
        let change = Change { output, permille: u16::from_le_bytes([p0, p1]), votes };
        Self {
            join: if join == 0 { None } else { Some(known.unwrap_or(Join::EqualOutputs)) },
            is_doubtful: flags & 1 != 0,
            change: (flags & 2 != 0).then_some(change),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_comes_back_as_it_was_kept() {
        let change = Some(Change { output: 65535, permille: 987, votes: 0b1010_0101 });
        for join in Join::ALL.into_iter().map(Some).chain([None]) {
            for (is_doubtful, change) in [(false, None), (true, None), (false, change), (true, change)] {
                let verdict = Verdict { join, is_doubtful, change };
                assert_eq!(Verdict::of_bytes(verdict.bytes()), verdict);
            }
        }
    }
}
