//! [`Weights`]: how much each sign of change counts, from a file that a person can read and change.
//!
//! A sum of log-odds in whole thousandths, so that the same chain gives the same verdicts everywhere. The form of the
//! file is in its own head; whatever is not understood is refused with its line.

use std::fmt;

use super::change::{Candidate, Sign};
use crate::Change;

/// The weights that come with the program.
pub const BUILT_IN_WEIGHTS: &str = include_str!("../../rules/change.csv");

/// The most that a weight may be, either way.
const WEIGHT_MAX: i32 = 20_000;
/// More lines than any sensible file has.
const LINES_MAX: usize = 1_000;
const HEAD: &str = "name,weight,meaning";
pub(crate) const STARTS: [&str; 3] = ["start-2", "start-3", "start-5"];
const FLOOR: &str = "floor";
/// How the comments begin that say what the weights were measured on.
pub const CALIBRATED: &str = "# Calibrated";

/// How much each sign of change counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Where the sum begins for two payments, for three or four, for five and more.
    starts: [i32; 3],
    signs: [i32; Sign::ALL.len()],
    floor: u16,
}

/// What is wrong with a file of weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightsError {
    /// The first line that is no comment is not the head.
    Head {
        /// Its number, from 1.
        line: usize,
    },
    /// A line without a name and a weight.
    Line {
        /// Its number, from 1.
        line: usize,
    },
    /// A name that means nothing here.
    Name {
        /// Its line's number, from 1.
        line: usize,
        /// The name.
        name: String,
    },
    /// A name that stood before.
    Twice {
        /// Its line's number, from 1.
        line: usize,
        /// The name.
        name: String,
    },
    /// A weight that is no whole number, or out of range.
    Weight {
        /// Its line's number, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// A name that is not there.
    Missing(&'static str),
    /// More lines than are read.
    Long,
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head { line } => write!(f, "line {line}: the first line must be `{HEAD}`"),
            Self::Line { line } => write!(f, "line {line}: a line is a name, a comma and a weight"),
            Self::Name { line, name } => write!(f, "line {line}: no sign of change is called `{name}`"),
            Self::Twice { line, name } => write!(f, "line {line}: `{name}` stands there twice"),
            Self::Weight { line, text } => write!(
                f,
                "line {line}: `{text}` is no weight: a whole number from -{WEIGHT_MAX} to {WEIGHT_MAX} (the floor: 500 to 999)"
            ),
            Self::Missing(name) => write!(f, "`{name}` is missing"),
            Self::Long => write!(f, "more than {LINES_MAX} lines"),
        }
    }
}

impl std::error::Error for WeightsError {}

impl Default for Weights {
    fn default() -> Self {
        Self::parse(BUILT_IN_WEIGHTS).expect("the built-in weights are well-formed, which a test holds")
    }
}

impl Weights {
    /// Reads a file of weights.
    ///
    /// # Errors
    /// Says the line of whatever is not understood, and what is missing.
    pub fn parse(text: &str) -> Result<Self, WeightsError> {
        let mut found: [Option<i32>; STARTS.len() + Sign::ALL.len() + 1] = [None; _];
        let mut has_head = false;
        for (line, content) in (1..).zip(text.lines()) {
            if line > LINES_MAX {
                return Err(WeightsError::Long);
            }
            let content = content.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            if !std::mem::replace(&mut has_head, true) {
                if content == HEAD {
                    continue;
                }
                return Err(WeightsError::Head { line });
            }
            let (place, weight) = row(line, content)?;
            if found[place].replace(weight).is_some() {
                return Err(WeightsError::Twice { line, name: names().nth(place).unwrap_or_default().to_owned() });
            }
        }
        if let Some((name, _)) = names().zip(&found).find(|(_, weight)| weight.is_none()) {
            return Err(WeightsError::Missing(name));
        }
        let weight = |place: usize| found[place].expect("none is missing");
        let floor = u16::try_from(weight(found.len() - 1)).expect("a floor was checked to be 500 to 999");
        Ok(Self {
            starts: std::array::from_fn(weight),
            signs: std::array::from_fn(|sign| weight(STARTS.len() + sign)),
            floor,
        })
    }

    /// The least probability in thousandths at which an output is called change.
    pub const fn floor(&self) -> u16 {
        self.floor
    }

    /// The probability in thousandths that an output which shows these signs (a set of [`Sign::bit`]) is change, in a
    /// transaction with so many payments.
    pub fn permille(&self, payments: usize, signs: u8) -> u16 {
        let start = self.starts[start_of(payments)];
        let shown = Sign::ALL.into_iter().filter(|sign| signs & sign.bit() != 0);
        logistic(start + shown.map(|sign| self.signs[sign as usize]).sum::<i32>())
    }

    /// The likeliest of the payments that may be change, if it is likely enough and no other is likelier than not.
    pub fn choose(&self, payments: usize, candidates: &[Candidate]) -> Option<Change> {
        let (mut best, mut second) = (None, 0);
        for Candidate { output, signs } in candidates {
            let permille = self.permille(payments, *signs);
            let before = best.map_or(0, |best: Change| best.permille);
            if permille > before {
                best = Some(Change { output: *output, permille, votes: *signs });
            }
            second = second.max(permille.min(before));
        }
        // Two cannot both be likelier than not.
        best.filter(|best| best.permille >= self.floor && second < 500)
    }

    /// Weights that were measured, in thousandths; any that no file could hold is cut to what one can.
    pub(crate) fn of_milli(starts: [i32; STARTS.len()], signs: [i32; Sign::ALL.len()], floor: u16) -> Self {
        let cut = |weight: i32| weight.clamp(-WEIGHT_MAX, WEIGHT_MAX);
        Self { starts: starts.map(cut), signs: signs.map(cut), floor }
    }

    /// As a file: the built-in one with these numbers, and without what it says of where its own came from.
    pub fn to_csv(&self) -> String {
        let numbers = self.starts.iter().chain(&self.signs).copied().chain([i32::from(self.floor)]);
        let rows: Vec<(&str, i32)> = names().zip(numbers).collect();
        let mut text = String::new();
        for line in BUILT_IN_WEIGHTS.lines().filter(|line| !line.starts_with(CALIBRATED)) {
            let mut fields = line.splitn(3, ',');
            let name = fields.next().unwrap_or_default();
            match (rows.iter().find(|(known, _)| *known == name), fields.nth(1)) {
                (Some((name, weight)), Some(meaning)) => text.extend([*name, ",", &weight.to_string(), ",", meaning]),
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }
}

/// Which of the starts a transaction with so many payments has.
pub(crate) fn start_of(payments: usize) -> usize {
    usize::from(payments > 2) + usize::from(payments > 4)
}

/// Every name of the file, in the order in which they are kept.
fn names() -> impl Iterator<Item = &'static str> {
    STARTS.into_iter().chain(Sign::ALL.into_iter().map(Sign::as_str)).chain([FLOOR])
}

fn row(line: usize, content: &str) -> Result<(usize, i32), WeightsError> {
    let (name, rest) = content.split_once(',').ok_or(WeightsError::Line { line })?;
    let text = rest.split(',').next().unwrap_or_default().trim();
    let name = name.trim();
    let Some(place) = names().position(|known| known == name) else {
        return Err(WeightsError::Name { line, name: name.chars().take(40).collect() });
    };
    let range = if name == FLOOR { 500..=999 } else { -WEIGHT_MAX..=WEIGHT_MAX };
    match text.parse::<i32>() {
        Ok(weight) if range.contains(&weight) => Ok((place, weight)),
        _ => Err(WeightsError::Weight { line, text: text.chars().take(40).collect() }),
    }
}

/// `1000 / (1 + e^-x)` at every quarter of a unit from 0, rounded; past the end nothing is surer.
const LOGISTIC: [u16; 29] = [
    500, 562, 622, 679, 731, 777, 818, 852, 881, 905, 924, 940, 953, 963, 971, 977, 982, 986, 989, 991, 993, 995, 996,
    997, 998, 998, 998, 999, 999,
];
const LOGISTIC_STEP: u32 = 250;

/// The probability in thousandths of these log-odds in thousandths, between the table's entries in a straight line.
fn logistic(milli: i32) -> u16 {
    let size = milli.unsigned_abs();
    let place = (size / LOGISTIC_STEP) as usize;
    let above = match (LOGISTIC.get(place), LOGISTIC.get(place + 1)) {
        (Some(low), Some(high)) => {
            let part = u32::from(high - low) * (size % LOGISTIC_STEP) / LOGISTIC_STEP;
            low + u16::try_from(part).expect("it is less than the step between two entries")
        }
        _ => LOGISTIC[LOGISTIC.len() - 1],
    };
    if milli < 0 { 1000 - above } else { above }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_weights_are_read() {
        let weights = Weights::default();
        assert_eq!(weights.floor(), 990);
        let strong = Sign::OnlyFresh.bit() | Sign::RestRound.bit();
        for payments in [2, 3, 5] {
            assert!(weights.permille(payments, 0) < 500, "nothing speaks for it");
            assert!(weights.permille(payments, strong) > 990);
            assert!(weights.permille(payments, strong | Sign::OtherKind.bit()) < weights.permille(payments, strong));
        }
        assert!(
            Sign::ALL
                .into_iter()
                .all(|sign| weights.choose(2, &[Candidate { output: 0, signs: sign.bit() }]).is_none()
                    || sign == Sign::RestRound),
            "one sign is not enough, but for the round rest"
        );
    }

    #[test]
    fn the_likeliest_is_chosen_if_it_is_likely_and_alone() {
        let text = "name,weight\nstart-2,0\nstart-3,0\nstart-5,0\nonly-fresh,2300\nonly-kind,2500\nother-kind,0\nbelow-inputs,1000\nrest-round,0\nround,-9000\none-time,0\nlargest,-500\nfloor,900\n";
        let weights = Weights::parse(&text.replace("weight", "weight,meaning")).unwrap();
        let [fresh, kind, below, round, largest] =
            [Sign::OnlyFresh, Sign::OnlyKind, Sign::BelowInputs, Sign::Round, Sign::Largest].map(Sign::bit);
        for (signs, chosen) in [
            (vec![fresh, round], Some(0)),
            (vec![round, fresh], Some(1)),
            (vec![round, fresh, largest], Some(1)),
            (vec![fresh, kind], None),
            (vec![fresh, below], None),
            (vec![fresh, 0], None),
            (vec![below], None),
            (vec![], None),
        ] {
            let candidates: Vec<_> =
                (0..).zip(&signs).map(|(output, signs)| Candidate { output, signs: *signs }).collect();
            assert_eq!(weights.choose(2, &candidates).map(|change| change.output), chosen, "{signs:?}");
        }
    }

    #[test]
    fn odds_are_turned_into_probabilities() {
        for (milli, permille) in
            [(0, 500), (693, 666), (-693, 334), (2197, 899), (2250, 905), (4600, 989), (7000, 999), (i32::MAX, 999)]
        {
            assert_eq!(logistic(milli), permille, "{milli}");
        }
        assert!((-9_000..9_000).all(|milli| logistic(milli) <= logistic(milli + 1)));
        assert!((-9_000..9_000).all(|milli| logistic(milli) + logistic(-milli) == 1000));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        let good = BUILT_IN_WEIGHTS;
        let head = 1 + good.lines().position(|line| line == HEAD).unwrap();
        let largest = format!("largest,{},", Weights::default().signs[Sign::Largest as usize]);
        let cases = [
            (good.replace(HEAD, "name,weight"), format!("line {head}: the first line must be `{HEAD}`")),
            (good.replace(&largest, "largest 300: "), "a line is a name, a comma and a weight".to_owned()),
            (good.replace("largest,", "biggest,"), "no sign of change is called `biggest`".to_owned()),
            (good.replace("largest,", "round,"), "`round` stands there twice".to_owned()),
            (good.replace(&largest, "largest,0.3,"), "`0.3` is no weight".to_owned()),
            (good.replace(&largest, "largest,20001,"), "`20001` is no weight".to_owned()),
            (good.replace("floor,990", "floor,1000"), "`1000` is no weight".to_owned()),
            (
                good.lines().filter(|line| !line.starts_with("only-kind")).collect::<Vec<_>>().join("\n"),
                "`only-kind` is missing".to_owned(),
            ),
            (String::new(), "`start-2` is missing".to_owned()),
            ("#\n".repeat(LINES_MAX + 1), "more than 1000 lines".to_owned()),
        ];
        for (text, want) in cases {
            let error = Weights::parse(&text).unwrap_err().to_string();
            assert!(error.contains(&want), "{error}: wanted {want}");
        }
        assert_eq!(Weights::parse(&good.replace('\n', "\r\n")), Ok(Weights::default()));
        assert_eq!(Weights::parse(&Weights::default().to_csv()), Ok(Weights::default()));
        assert!(good.contains(CALIBRATED) && !Weights::default().to_csv().contains(CALIBRATED));
    }
}
