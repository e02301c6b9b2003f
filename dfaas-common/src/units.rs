//! From rates and times, as strategies give them, to what the programs count in; for all that writes plans, the agent and the
//! simulator. Rates count in thousandths of an invocation a second, times in whole microseconds, rounded up.

use std::time::Duration;

use crate::bucket;
use crate::choice::NO_WAY;
use crate::config::{Peer, Report};

/// Longest time (ns) for which an admission saves up unused rate: a burst is forgotten within a day.
const LONGEST_TOLERANCE: f64 = 86_400e9;

/// Nanoseconds between invocations at a rate (a second): below half of a thousandth nothing is admitted
/// ([`bucket::NEVER`]), and beyond what a clock can tell apart there is no limit (0).
#[must_use]
pub fn interval(rate: f64) -> u64 {
    // A rate that is no number becomes 0 too.
    match (rate * 1000.0).round() as u64 {
        0 => bucket::NEVER,
        millirate => bucket::interval(millirate),
    }
}

/// Microseconds, as far as the programs count; always less than [`NO_WAY`].
#[must_use]
pub fn micros(time: Duration) -> u32 {
    let micros = time.as_nanos().div_ceil(1000);
    u32::try_from(micros).map_or(NO_WAY - 1, |micros| micros.min(NO_WAY - 1))
}

/// A limit of an expected wait (us), 0 being none.
#[must_use]
pub fn wait_limit(longest: Option<Duration>) -> u32 {
    longest.map_or(0, |longest| micros(longest).max(1))
}

impl Report {
    /// What a backend has said: how long one waits there, and how many processors do what is sent there. What is sent from
    /// `sent` on ([`crate::config::Load::sent`]) is added.
    #[must_use]
    pub fn of(wait: Duration, cores: f64, sent: u32) -> Self {
        // Where nothing works what is sent waits for ever; where it is not known, it adds nothing.
        let pace = if cores.is_nan() { 0.0 } else { 65_536.0 / cores.max(0.0) };
        Self { wait: micros(wait), sent, pace: pace as u32, known: 1 }
    }
}

impl Peer {
    /// Everything is taken from it.
    #[must_use]
    pub const fn without_limits(self) -> Self {
        Self { interval: 0, tolerance: 0, inflight: 0, wait: 0, ..self }
    }

    /// Of its connections so many are taken at one time, so many a second and at once, and none beyond an expected wait.
    #[must_use]
    pub fn with_limits(self, inflight: u32, rate: f64, burst: f64, wait: Option<Duration>) -> Self {
        // For the programs 0 is no limit.
        let every = if inflight == 0 { bucket::NEVER } else { interval(rate) };
        let (tolerance, inflight) = match every {
            bucket::NEVER => (0, 0),
            every => ((burst.max(1.0) * every as f64).min(LONGEST_TOLERANCE).round() as u64, inflight),
        };
        Self { interval: every, tolerance, inflight, wait: wait_limit(wait), ..self }
    }
}
