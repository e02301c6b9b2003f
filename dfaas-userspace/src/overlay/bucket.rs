use std::time::{Duration, Instant};

/// A token bucket. Time is an argument.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    /// Tokens a second.
    rate: f64,
    /// Most tokens it holds.
    size: f64,
    /// Tokens at `at`.
    level: f64,
    at: Instant,
}

impl Bucket {
    /// A full bucket of `size` tokens that gains `rate` tokens a second.
    pub(super) fn new(rate: f64, size: f64, now: Instant) -> Self {
        Self { rate, size, level: size, at: now }
    }

    /// Takes `cost` tokens, or says how long until it has them. What costs more than the bucket holds is given from a
    /// full one.
    pub(super) fn take(&mut self, cost: f64, now: Instant) -> Result<(), Duration> {
        self.fill(now);
        let cost = cost.min(self.size);
        let missing = cost - self.level;
        if missing > 0.0 {
            // Rounded up, so that who waits so long does find them.
            return Err(Duration::from_secs_f64(missing / self.rate) + Duration::from_micros(1));
        }
        self.level -= cost;
        Ok(())
    }

    /// Whether nothing is owed, so that a new bucket would be the same.
    pub(super) fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.level >= self.size
    }

    fn fill(&mut self, now: Instant) {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.rate;
        self.level = (self.level + gained).min(self.size);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(20.0, 40.0, start);
        assert_eq!((0..100).filter(|_| bucket.take(1.0, start).is_ok()).count(), 40);
        assert!(!bucket.is_full(start));
        let taken = (1..=100).filter(|ms| bucket.take(1.0, start + Duration::from_millis(10 * ms)).is_ok());
        assert_eq!(taken.count(), 20, "in one second");
        assert!(bucket.is_full(start + Duration::from_secs(10)));
    }

    #[test]
    fn who_waits_as_told_is_served() {
        let start = Instant::now();
        let mut bucket = Bucket::new(20.0, 40.0, start);
        while bucket.take(3.0, start).is_ok() {}
        let wait = bucket.take(16.0, start).unwrap_err();
        assert!(bucket.take(16.0, start + wait).is_ok());
        let wait = bucket.take(1000.0, start + wait).unwrap_err();
        assert!(wait <= Duration::from_secs(3), "{wait:?}");
    }

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_the_rate(steps in proptest::collection::vec((0..500_u64, 0.1..20.0_f64), 1..200)) {
            let start = Instant::now();
            let mut bucket = Bucket::new(20.0, 40.0, start);
            let (mut now, mut taken) = (start, 0.0);
            for (step, cost) in steps {
                now += Duration::from_millis(step);
                if bucket.take(cost, now).is_ok() {
                    taken += cost;
                }
                prop_assert!(taken <= 40.0 + 20.0 * (now - start).as_secs_f64() + 1e-6);
            }
        }
    }
}
