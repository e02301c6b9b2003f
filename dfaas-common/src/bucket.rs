//! Rate limits without a lock: the generic cell rate algorithm (ITU-T I.371, annex A, "virtual scheduling").
//!
//! The whole state is one 64-bit number, the theoretical arrival time (TAT) of the next invocation, so a bucket is
//! changed by a single compare-and-swap. It admits exactly what a token bucket of `rate * tolerance` tokens admits.

/// Most nanoseconds of unused rate that are kept: one second of invocations may arrive at once.
pub const TOLERANCE: u64 = 1_000_000_000;

/// Nanoseconds between invocations at a rate given in thousandths of an invocation a second; 0 for "no limit".
#[must_use]
pub const fn interval(millirate: u64) -> u64 {
    match 1_000_000_000_000u64.checked_div(millirate) {
        Some(interval) => interval,
        None => 0,
    }
}

/// Admits one invocation at `now` (ns): the TAT to store, or `None` if the rate is spent.
///
/// `arrival` is the stored TAT (0 at first), `interval` the nanoseconds between invocations at the limit.
#[inline(always)]
#[must_use]
pub const fn admit(arrival: u64, now: u64, interval: u64) -> Option<u64> {
    // A bucket of fewer than one token would never admit anything.
    let tolerance = if interval > TOLERANCE { interval } else { TOLERANCE };
    let start = if arrival > now { arrival } else { now };
    let next = start + interval;
    if next - now > tolerance { None } else { Some(next) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn admitted(rate: u64, arrivals: impl IntoIterator<Item = u64>) -> u64 {
        let mut state = 0;
        arrivals
            .into_iter()
            .filter(|&now| admit(state, now, interval(rate * 1000)).map(|s| state = s).is_some())
            .count() as u64
    }

    #[test]
    fn a_full_bucket_lets_one_second_of_invocations_through_at_once() {
        assert_eq!(admitted(10, std::iter::repeat_n(5_000_000_000, 50)), 10);
    }

    #[test]
    fn a_steady_load_at_the_limit_is_never_refused() {
        assert_eq!(admitted(10, (0..1000).map(|i| 1_000_000_000 + i * 100_000_000)), 1000);
    }

    #[test]
    fn a_rate_below_one_a_second_still_admits_one() {
        assert_eq!(admit(0, 1_000_000_000, interval(100)), Some(11_000_000_000));
        assert_eq!(admit(11_000_000_000, 2_000_000_000, interval(100)), None);
    }

    proptest! {
        #[test]
        fn no_window_of_time_admits_more_than_rate_times_window_plus_one_bucket(
            rate in 1u64..2000, mut times in proptest::collection::vec(1_000_000_000u64..30_000_000_000, 1..400)
        ) {
            times.sort_unstable();
            let (first, last) = (times[0], times[times.len() - 1]);
            let most = rate + 1 + (last - first) * rate / 1_000_000_000;
            prop_assert!(admitted(rate, times) <= most);
        }
    }
}
