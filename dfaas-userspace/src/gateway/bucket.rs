//! How many invocations a second a function takes: the rate limit of the kernel programs, for a function of the
//! gateway.

use std::time::Duration;

use dfaas_common::bucket::{admit, interval};

/// A bucket that holds the tokens of one second, at least one, and is full at first. Time is an argument:
/// a span since any fixed moment.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    /// Nanoseconds between invocations at the limit.
    interval: u64,
    /// When the next invocation would be due at the limit, ns.
    arrival: u64,
}

impl TokenBucket {
    /// A full bucket that gains `rate` tokens a second, which must be above zero.
    pub fn new(rate: f64) -> Self {
        // Rates are counted in thousandths; 0 would mean no limit.
        Self { interval: interval((rate * 1000.0).round().max(1.0) as u64), arrival: 0 }
    }

    /// Takes one token. `false` when there is none.
    pub fn take(&mut self, now: Duration) -> bool {
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX / 2);
        match admit(self.arrival, now, self.interval) {
            Some(arrival) => {
                self.arrival = arrival;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_full_bucket_takes_one_second_of_work_at_once_and_then_refuses() {
        let mut bucket = TokenBucket::new(10.0);
        let taken = (0..20).filter(|_| bucket.take(ms(0))).count();
        assert_eq!(taken, 10);
    }

    #[test]
    fn an_emptied_bucket_takes_exactly_its_rate() {
        let mut bucket = TokenBucket::new(10.0);
        while bucket.take(ms(0)) {}
        let taken = (1..=1000).filter(|step| bucket.take(ms(step * 10))).count();
        assert_eq!(taken, 100, "10 a second for 10 seconds, asked every 10 ms");
    }

    #[test]
    fn work_at_exactly_the_rate_is_never_refused() {
        let mut bucket = TokenBucket::new(10.0);
        while bucket.take(ms(0)) {}
        assert!((1..=10_000).all(|step| bucket.take(ms(step * 100))));
    }

    #[test]
    fn a_rate_below_one_still_holds_one_token() {
        let mut bucket = TokenBucket::new(0.5);
        assert!(bucket.take(ms(0)));
        assert!(!bucket.take(ms(1999)));
        assert!(bucket.take(ms(2000)));
    }

    #[test]
    fn an_idle_bucket_holds_no_more_than_one_second() {
        let mut bucket = TokenBucket::new(3.0);
        let taken = (0..10).filter(|_| bucket.take(ms(3_600_000))).count();
        assert_eq!(taken, 3);
    }

    #[test]
    fn time_that_jumps_back_gives_nothing() {
        let mut bucket = TokenBucket::new(1.0);
        assert!(bucket.take(ms(5000)));
        assert!(!bucket.take(ms(1000)));
        assert!(!bucket.take(ms(5500)));
        assert!(bucket.take(ms(6000)));
    }
}
