//! [`Time`]: a UTC instant in whole microseconds, read from and printed as RFC 3339.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeError;

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the time is not RFC 3339, such as 2022-03-23T13:29:00Z or 2022-03-23")
    }
}

impl std::error::Error for TimeError {}

impl Time {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the epoch, or `None` where that is beyond any calendar.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        Timestamp::from_second(seconds).ok().map(|t| Self(t.as_microsecond()))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with any offset, a date and time without one (taken as UTC), or a date (its midnight).
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let text = text.trim();
        let text = text.strip_suffix(" UTC").unwrap_or(text);
        let timestamp = if let Ok(timestamp) = text.parse::<Timestamp>() {
            timestamp
        } else {
            let civil = match text.parse::<Date>() {
                Ok(date) if text.len() <= 10 => date.to_datetime(jiff::civil::Time::midnight()),
                _ => text.parse::<DateTime>().map_err(|_| TimeError)?,
            };
            TimeZone::UTC.to_timestamp(civil).map_err(|_| TimeError)?
        };
        Ok(Self(timestamp.as_microsecond()))
    }

    /// The date alone, as `2022-03-23`.
    pub fn date(self) -> String {
        self.to_string().chars().take(10).collect()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_microsecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => write!(f, "{} µs since 1970", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_that_files_have() {
        let cases = [
            ("2022-03-23T13:29:00Z", "2022-03-23T13:29:00Z"),
            ("2022-03-23T13:29:00+02:00", "2022-03-23T11:29:00Z"),
            ("2022-03-23T13:29:00.25Z", "2022-03-23T13:29:00.25Z"),
            ("2022-03-23 13:29:00", "2022-03-23T13:29:00Z"),
            ("2022-03-23 13:29:00 UTC", "2022-03-23T13:29:00Z"),
            ("2022-03-23", "2022-03-23T00:00:00Z"),
        ];
        for (text, want) in cases {
            assert_eq!(Time::parse(text).map(|t| t.to_string()).as_deref(), Ok(want), "{text}");
        }
        for bad in ["", "yesterday", "2022-13-01", "2022-02-30", "23.03.2022", "1647988140", "2022-03-23T25:00:00Z"] {
            assert!(Time::parse(bad).is_err(), "{bad}");
        }
    }
}
