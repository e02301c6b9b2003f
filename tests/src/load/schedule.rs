//! When invocations are due.

use std::time::Duration;

/// Times that are evenly spaced, before and after one moment at which the rate may change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Schedule {
    rate: f64,
    count: u64,
    /// When another rate begins, that rate, and how many are due at it.
    later: (Duration, f64, u64),
}

impl Schedule {
    /// `rate` a second for so long, or until another rate begins; nothing of a rate that is not above 0.
    pub(super) fn new(rate: f64, duration: Duration, later: Option<(Duration, f64)>) -> Self {
        let (change, next) = later.map_or((duration, 0.0), |(at, rate)| (at.min(duration), rate));
        // A rate that is not a number, negative or absurd ends up at 0 or at the largest count.
        let count = |rate: f64, time: Duration| (rate * time.as_secs_f64()).round().max(0.0) as u64;
        let (first, second) = (count(rate, change), count(next, duration.saturating_sub(change)));
        Self { rate, count: first, later: (change, next, second) }
    }

    /// When number `n`, from 0, is due, from the start; `None` after the last.
    pub(super) fn due(self, n: u64) -> Option<Duration> {
        if n < self.count {
            return Some(Duration::from_secs_f64(n as f64 / self.rate));
        }
        let (change, rate, count) = self.later;
        let n = n - self.count;
        (n < count).then(|| change + Duration::from_secs_f64(n as f64 / rate))
    }
}

/// The second, from 0, to which an invocation due at this time belongs.
pub(super) fn second(due: Duration) -> usize {
    usize::try_from(due.as_secs()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invocations_are_evenly_spaced_and_none_is_due_after_the_end() {
        let schedule = Schedule::new(4.0, Duration::from_secs(2), None);
        let due: Vec<_> = (0..).map_while(|n| schedule.due(n)).map(|due| due.as_millis()).collect();
        assert_eq!(due, [0, 250, 500, 750, 1000, 1250, 1500, 1750]);
    }

    #[test]
    fn every_second_has_as_many_as_the_rate_says() {
        for rate in [1.0, 45.0, 50.0, 333.0, 10_000.0] {
            let schedule = Schedule::new(rate, Duration::from_secs(20), None);
            let mut seconds = vec![0.0; 20];
            for due in (0..).map_while(|n| schedule.due(n)) {
                seconds[second(due)] += 1.0;
            }
            assert_eq!(seconds, vec![rate; 20]);
        }
    }

    #[test]
    fn from_one_moment_on_the_rate_is_another() {
        let schedule = Schedule::new(2.0, Duration::from_secs(3), Some((Duration::from_secs(1), 4.0)));
        let due: Vec<_> = (0..).map_while(|n| schedule.due(n)).map(|due| due.as_millis()).collect();
        assert_eq!(due, [0, 500, 1000, 1250, 1500, 1750, 2000, 2250, 2500, 2750]);
        let late = Schedule::new(2.0, Duration::from_secs(1), Some((Duration::from_secs(9), 4.0)));
        assert_eq!((0..).map_while(|n| late.due(n)).count(), 2);
    }

    #[test]
    fn a_rate_that_is_no_rate_sends_nothing() {
        for rate in [0.0, -1.0, f64::NAN] {
            assert_eq!(Schedule::new(rate, Duration::from_secs(1), None).due(0), None);
        }
    }
}
