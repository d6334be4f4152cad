//! [`Times`]: how long something took, several times over, told as a median with its spread.
//!
//! Each run is timed twice: by the wall, and by what this process got of the cores. On a machine that others use as well
//! the second is what the work costs; the first is what a user waits. No statistics beyond that: the spread says what a
//! confidence interval would hide.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Durations of the same work.
#[derive(Clone, Debug)]
pub struct Times {
    /// By the wall.
    pub wall: Spread,
    /// By the cores' time that this process used, all its threads together.
    pub core: Spread,
}

impl Times {
    /// Runs `work` `runs` times; what it returns is dropped when the clock has stopped.
    pub fn of<T>(runs: usize, mut work: impl FnMut() -> T) -> Self {
        let runs: Vec<_> = (0..runs.max(1)).map(|_| once(&mut work).1).collect();
        Self::from(runs)
    }

    /// How many of `things` are done in a second of a core.
    pub fn core_rate(&self, things: u64) -> f64 {
        things as f64 / self.core.median().as_secs_f64()
    }
}

impl From<Vec<Took>> for Times {
    fn from(took: Vec<Took>) -> Self {
        Self {
            wall: Spread::of(took.iter().map(|took| took.wall).collect()),
            core: Spread::of(took.iter().map(|took| took.core).collect()),
        }
    }
}

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// By the wall.
    pub wall: Duration,
    /// By the cores' time that this process used, all its threads together.
    pub core: Duration,
}

/// Times one run of something that cannot be repeated as it stands.
pub fn once<T>(work: impl FnOnce() -> T) -> (T, Took) {
    let (start, core) = (Instant::now(), core_time());
    let made = work();
    (made, Took { core: core_time().saturating_sub(core), wall: start.elapsed() })
}

fn core_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let nanos = u32::try_from(time.tv_nsec).expect("less than a second");
    Duration::new(u64::try_from(time.tv_sec).expect("time used is not negative"), nanos)
}

/// Durations, shortest first.
#[derive(Clone, Debug)]
pub struct Spread(Vec<Duration>);

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        assert!(!times.is_empty(), "something was timed");
        times.sort_unstable();
        Self(times)
    }

    /// The middle one.
    pub fn median(&self) -> Duration {
        self.0[self.0.len() / 2]
    }

    /// The shortest.
    pub fn least(&self) -> Duration {
        self.0[0]
    }

    /// The longest.
    pub fn most(&self) -> Duration {
        self.0[self.0.len() - 1]
    }

    /// `12.3 ms (12.1–14.0)`.
    pub fn text(&self) -> String {
        let unit = Unit::of(self.median());
        let [least, median, most] = [self.least(), self.median(), self.most()].map(|time| unit.figure(time));
        let name = unit.name;
        if self.0.len() == 1 { format!("{median} {name}") } else { format!("{median} {name} ({least}–{most})") }
    }
}

struct Unit {
    name: &'static str,
    seconds: f64,
}

impl Unit {
    fn of(time: Duration) -> Self {
        match time.as_secs_f64() {
            seconds if seconds < 1e-3 => Self { name: "µs", seconds: 1e-6 },
            seconds if seconds < 1.0 => Self { name: "ms", seconds: 1e-3 },
            _ => Self { name: "s", seconds: 1.0 },
        }
    }

    fn figure(&self, time: Duration) -> String {
        three_digits(time.as_secs_f64() / self.seconds)
    }
}

/// A figure with three digits, as far as it has decimals: `1.23`, `12.3`, `1234`.
pub fn three_digits(figure: f64) -> String {
    match figure.abs() {
        size if size < 10.0 => format!("{figure:.2}"),
        size if size < 100.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

/// A rate for reading: `3.21 M`, `45.6 k`.
pub fn rate_text(rate: f64) -> String {
    match rate {
        rate if rate >= 1e6 => format!("{} M", three_digits(rate / 1e6)),
        rate if rate >= 1e3 => format!("{} k", three_digits(rate / 1e3)),
        rate => three_digits(rate),
    }
}
