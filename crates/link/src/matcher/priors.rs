//! What is believed before any pair was seen, and the bins in which pairs are counted: `rules/priors.csv`.

use std::fmt;

const BUILT_IN: &str = include_str!("../../rules/priors.csv");

/// A million, of which weights and fees are parts.
pub const MILLION: u64 = 1_000_000;
/// More bins than these are a mistake.
const BINS_MAX: usize = 256;

/// Why a table of priors cannot be used: its line, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriorsError {
    /// Counted from one; 0 where something lacks.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for PriorsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for PriorsError {}

/// Bins that lie side by side, and how likely each is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bins {
    /// Below it nothing is counted.
    pub from: i64,
    /// The highest value in each bin, rising.
    pub uppers: Vec<i64>,
    /// The weight of each.
    pub weights: Vec<u64>,
}

impl Bins {
    /// Which bin a value is in.
    pub fn bin(&self, value: i64) -> Option<usize> {
        let bin = self.uppers.partition_point(|upper| *upper < value);
        (value >= self.from && bin < self.uppers.len()).then_some(bin)
    }

    /// The highest value below a bin, and the highest in it.
    pub fn edges(&self, bin: usize) -> (i64, i64) {
        let below = if bin == 0 { self.from } else { self.uppers[bin - 1] };
        (below, self.uppers[bin])
    }
}

/// The priors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priors {
    /// Of fees, in millionths of what went in.
    pub fee: Bins,
    /// Of seconds between the two sides.
    pub latency: Bins,
    /// Of a million pairs with a recipient told, those that paid him.
    pub told_equal: u64,
    /// Of a million pairs with none told, those that paid the sender.
    pub sender_equal: u64,
    /// Of a million strangers, those that pay the recipient by chance.
    pub chance_equal: u64,
    /// Of a million deposits, those whose withdrawal is there.
    pub finish: u64,
    /// Of a million withdrawals, those at least that have no deposit there.
    pub strangers_least: u64,
}

impl Priors {
    /// Those of this project.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("a test reads the built-in table")
    }

    /// Reads a table in the form of `rules/priors.csv`.
    pub fn parse(text: &str) -> Result<Self, PriorsError> {
        let empty = || Bins { from: i64::MAX, uppers: Vec::new(), weights: Vec::new() };
        let (mut fee, mut latency) = (empty(), empty());
        let mut singles = [
            ("told-equal", None),
            ("sender-equal", None),
            ("chance-equal", None),
            ("finish", None),
            ("strangers-least", None),
        ];
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        for (line, row) in lines.filter(|(_, row)| !row.is_empty() && !row.starts_with('#')).skip(1) {
            let fail = |what: &str| PriorsError { line, what: format!("{what}: {row:?}") };
            let mut cells = row.split(',');
            let (Some(what), Some(upper), Some(weight), None) =
                (cells.next(), cells.next(), cells.next(), cells.next())
            else {
                return Err(fail("a row has three cells"));
            };
            let upper = || upper.parse::<i64>().map_err(|_| fail("the second cell is no whole number"));
            let weight = || weight.parse::<u64>().map_err(|_| fail("the third cell is no whole number"));
            match what {
                "fee-from" => fee.from = upper()?,
                "latency-from" => latency.from = upper()?,
                "fee" | "latency" => {
                    let bins = if what == "fee" { &mut fee } else { &mut latency };
                    let (upper, weight) = (upper()?, weight()?);
                    if bins.uppers.last().is_some_and(|last| *last >= upper)
                        || upper <= bins.from
                        || bins.uppers.len() == BINS_MAX
                    {
                        return Err(fail(
                            "bins come after where they start, each above the one before, and are no more than 256",
                        ));
                    }
                    if weight == 0 || weight > MILLION {
                        return Err(fail("a weight is 1 to 1000000"));
                    }
                    bins.uppers.push(upper);
                    bins.weights.push(weight);
                }
                name => {
                    let single = singles.iter_mut().find(|(known, _)| *known == name);
                    let (_, single) = single.ok_or_else(|| fail("there is no such prior"))?;
                    let weight = weight()?;
                    if weight == 0 || weight >= MILLION {
                        return Err(fail("a share of a million is 1 to 999999"));
                    }
                    *single = Some(weight);
                }
            }
        }
        if fee.uppers.is_empty() || latency.uppers.is_empty() {
            return Err(PriorsError { line: 0, what: "fee or latency has no bins".to_owned() });
        }
        if fee.uppers.last().is_some_and(|last| *last >= 1_000_000) {
            return Err(PriorsError { line: 0, what: "a fee of everything leaves no pair".to_owned() });
        }
        let single = |name: &str| {
            let found = singles.iter().find(|(known, _)| *known == name).and_then(|(_, value)| *value);
            found.ok_or_else(|| PriorsError { line: 0, what: format!("there is no {name}") })
        };
        Ok(Self {
            told_equal: single("told-equal")?,
            sender_equal: single("sender-equal")?,
            chance_equal: single("chance-equal")?,
            finish: single("finish")?,
            strangers_least: single("strangers-least")?,
            fee,
            latency,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_read() {
        let priors = Priors::built_in();
        assert_eq!(priors.fee.bin(0), priors.fee.uppers.iter().position(|upper| *upper == 0));
        assert_eq!(priors.fee.bin(-20_001), None);
        assert_eq!(priors.fee.bin(1_000_000), None);
        assert_eq!(priors.latency.bin(-600), Some(0));
        assert_eq!(priors.latency.bin(1), Some(1));
        assert_eq!(priors.latency.edges(1), (0, 30));
    }

    #[test]
    fn a_bad_row_is_named() {
        for (bad, line) in [
            ("what,upper,weight\nfee,5\n", 2),
            ("what,upper,weight\nfee-from,0,\nfee,5,1\nfee,5,1\n", 4),
            ("what,upper,weight\nfee-from,0,\nfee,5,0\n", 3),
            ("what,upper,weight\n\nnothing,,1\n", 3),
            ("what,upper,weight\nfinish,,1000000\n", 2),
            ("what,upper,weight\n", 0),
        ] {
            assert_eq!(Priors::parse(bad).unwrap_err().line, line, "{bad}");
        }
    }
}
