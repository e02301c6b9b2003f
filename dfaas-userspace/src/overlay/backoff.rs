use std::time::Duration;

/// Waits that double with each failure up to a cap, spread by chance so that nodes which failed together do not come
/// back together.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    first: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    /// Waits from `first` to `cap`.
    pub(super) fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap, failures: 0 }
    }

    /// The wait after one more failure; `chance` is a random number from 0 to 1.
    pub(super) fn fail(&mut self, chance: f64) -> Duration {
        // 2^16 times any first wait is beyond every cap.
        let doubled = self.first.saturating_mul(1 << self.failures.min(16)).min(self.cap);
        self.failures = self.failures.saturating_add(1);
        doubled.mul_f64(0.75 + 0.5 * chance.clamp(0.0, 1.0))
    }

    /// Begins anew.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures since the last success.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_the_cap_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        let waits: Vec<u64> = (0..9).map(|_| backoff.fail(0.5).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        (0..100).for_each(|_| assert_eq!(backoff.fail(0.5).as_secs(), 60));
        assert_eq!(backoff.failures(), 109);
        backoff.reset();
        assert_eq!(backoff.fail(0.5), Duration::from_secs(1));
    }

    #[test]
    fn chance_spreads_waits_by_a_quarter_to_both_sides() {
        let wait =
            |chance| Backoff::new(Duration::from_secs(100), Duration::from_secs(100)).fail(chance).as_secs();
        assert_eq!((wait(0.0), wait(1.0), wait(7.0)), (75, 125, 125));
    }
}
