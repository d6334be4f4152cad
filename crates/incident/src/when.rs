//! [`When`]: a date, or a year and month where a source says no more. It is not an instant: no time zone is guessed.

use std::fmt;

use jiff::civil::Date;

/// A day or a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    first: Date,
    whole_month: bool,
}

impl When {
    /// Reads `2022-03-23` or `2022-03`; `None` where it is neither, or no such day.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |from: usize, to: usize| text.as_bytes()[from..to].iter().all(u8::is_ascii_digit);
        let bytes = text.as_bytes();
        match bytes.len() {
            10 if digits(0, 4) && bytes[4] == b'-' && digits(5, 7) && bytes[7] == b'-' && digits(8, 10) => {
                text.parse().ok().map(|first| Self { first, whole_month: false })
            }
            7 if digits(0, 4) && bytes[4] == b'-' && digits(5, 7) => {
                format!("{text}-01").parse().ok().map(|first| Self { first, whole_month: true })
            }
            _ => None,
        }
    }

    /// Whether all of it lies before all of `other`.
    pub fn surely_before(self, other: Self) -> bool {
        let last = if self.whole_month { self.first.last_of_month() } else { self.first };
        last < other.first
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())?;
        if self.whole_month { Ok(()) } else { write!(f, "-{:02}", self.first.day()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_days_and_months_and_nothing_else() {
        for good in ["2022-03-23", "2022-03", "2024-02-29", "0001-01-01"] {
            assert_eq!(When::parse(good).map(|when| when.to_string()).as_deref(), Some(good));
        }
        for bad in
            ["", "2022", "2022-3-1", "2022-13", "2023-02-29", "2022-03-23T10:00Z", "23.03.2022", "+022-03", "é2-03"]
        {
            assert_eq!(When::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_month_is_before_a_day_only_when_it_is_over() {
        let before = |a, b| When::parse(a).unwrap().surely_before(When::parse(b).unwrap());
        assert!(before("2022-03-22", "2022-03-23"));
        assert!(before("2022-02", "2022-03-01"));
        assert!(!before("2022-03", "2022-03-31"));
        assert!(!before("2022-03-31", "2022-03"));
    }
}
