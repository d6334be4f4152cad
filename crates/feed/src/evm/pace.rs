//! [`Pace`]: how fast a node is asked: so many questions a second over all threads, and not at all while it says so.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// When the next question may be asked.
#[derive(Debug)]
pub(super) struct Pace {
    /// The time between two questions; zero where there is no limit.
    between: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    /// At most so many questions a second, if there is a limit.
    pub fn new(per_second: Option<u32>) -> Self {
        let between = per_second.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate.max(1));
        Self { between, next: Mutex::new(Instant::now()) }
    }

    /// Waits until so many questions may be asked.
    pub fn take(&self, questions: usize) {
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = (*next).max(Instant::now());
            *next = at + self.between * u32::try_from(questions).unwrap_or(u32::MAX);
            at
        };
        thread::sleep(at.saturating_duration_since(Instant::now()));
    }

    /// Nobody asks for this long.
    pub fn hold(&self, time: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(Instant::now() + time);
    }
}
