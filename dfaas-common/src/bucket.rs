//! Rate limits without a lock: the generic cell rate algorithm (ITU-T I.371, annex A, "virtual scheduling").
//!
//! The whole state is one 64-bit number, the theoretical arrival time (TAT) of the next invocation, so a bucket is
//! changed by a single compare-and-swap. It admits exactly what a token bucket of `rate * tolerance` tokens admits.

/// Most nanoseconds of unused rate that are kept: one second of invocations may arrive at once.
pub const TOLERANCE: u64 = 1_000_000_000;

/// The interval of a limit that admits nothing.
pub const NEVER: u64 = u64::MAX;

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
/// `arrival` is the stored TAT (0 at first), `interval` the nanoseconds between invocations at the limit, or
/// [`NEVER`].
#[inline(always)]
#[must_use]
pub const fn admit(arrival: u64, now: u64, interval: u64) -> Option<u64> {
    admit_within(arrival, now, interval, TOLERANCE)
}

/// As [`admit`], with a bucket of `tolerance / interval` tokens, but at least one. Both are below 2^61 ns, some 73
/// years, unless `interval` is [`NEVER`].
#[inline(always)]
#[must_use]
pub const fn admit_within(arrival: u64, now: u64, interval: u64, tolerance: u64) -> Option<u64> {
    if interval == NEVER {
        return None;
    }
    // A bucket of fewer than one token would never admit anything.
    let tolerance = if interval > tolerance { interval } else { tolerance };
    let start = if arrival > now { arrival } else { now };
    let next = start + interval;
    if next - now > tolerance { None } else { Some(next) }
}

/// The TAT from which a limit that may have been changed goes on: a slower one can have left a state so far ahead that
/// it would hold the present one up for as long as its own interval was. Then one invocation is left.
///
/// A state within twice the bucket's time is believed, so clocks of CPUs that differ a little do no harm.
#[inline(always)]
#[must_use]
pub const fn carried(arrival: u64, now: u64, interval: u64, tolerance: u64) -> u64 {
    let tolerance = if interval > tolerance { interval } else { tolerance };
    let ahead = arrival.saturating_sub(now);
    if ahead / 2 > tolerance { now + tolerance - interval } else { arrival }
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

    #[test]
    fn a_limit_that_admits_nothing_admits_nothing() {
        assert_eq!(admit(0, 5_000_000_000, NEVER), None);
        assert_eq!(admit_within(0, u64::MAX / 2, NEVER, u64::MAX), None);
    }

    #[test]
    fn a_burst_of_three_lets_three_through_at_once_and_then_one_an_interval() {
        let (second, mut state) = (1_000_000_000, 0);
        let mut admits = |now| admit_within(state, now, second, 3 * second).map(|s| state = s).is_some();
        let at_once: Vec<bool> = (0..5).map(|_| admits(10 * second)).collect();
        assert_eq!(at_once, [true, true, true, false, false]);
        assert_eq!([admits(11 * second), admits(11 * second), admits(12 * second)], [true, false, true]);
    }

    #[test]
    fn a_limit_that_is_raised_does_not_wait_for_what_the_slower_one_left() {
        let now = 5_000_000_000;
        let slow = admit(0, now, interval(1)).expect("the first is admitted");
        assert_eq!(slow, now + 1_000_000_000_000, "a thousand seconds ahead");
        let fast = interval(10_000);
        let admit = |arrival, now| admit(carried(arrival, now, fast, TOLERANCE), now, fast);
        let first = admit(slow, now).expect("one at once");
        assert_eq!(admit(first, now), None, "but no whole bucket");
        assert!(admit(first, now + 100_000_000).is_some());
    }

    proptest! {
        #[test]
        fn no_window_admits_more_than_rate_times_window_plus_the_burst(
            interval in 1_000_000u64..2_000_000_000,
            burst in 0u64..50,
            mut times in proptest::collection::vec(1_000_000_000u64..30_000_000_000, 1..400),
        ) {
            times.sort_unstable();
            let (first, last) = (times[0], times[times.len() - 1]);
            let mut state = 0;
            let admitted = times.into_iter().filter(|&now| {
                admit_within(state, now, interval, burst * interval).map(|s| state = s).is_some()
            });
            prop_assert!(admitted.count() as u64 <= burst.max(1) + (last - first) / interval);
        }

        #[test]
        fn a_bucket_that_rests_is_full_again_whatever_limit_it_had_before(
            now in 1u64..1 << 60, ahead in 0u64..1 << 46, interval in 1u64..1 << 40, burst in 1u64..20,
        ) {
            let tolerance = burst * interval;
            let admit = |arrival, now| {
                admit_within(carried(arrival, now, interval, tolerance), now, interval, tolerance)
            };
            let mut state = admit(now + ahead, now).unwrap_or(now + ahead);
            let rested = now + 2 * tolerance + 1;
            let at_once = (0..burst + 1).filter(|_| admit(state, rested).map(|s| state = s).is_some());
            prop_assert_eq!(at_once.count() as u64, burst);
        }

        #[test]
        fn a_limit_that_stays_the_same_is_carried_on_as_it_is(
            rate in 1u64..2000, mut times in proptest::collection::vec(1_000_000_000u64..30_000_000_000, 1..400)
        ) {
            times.sort_unstable();
            let (interval, mut state) = (interval(rate * 1000), 0);
            for now in times {
                prop_assert_eq!(carried(state, now, interval, TOLERANCE), state);
                state = admit(state, now, interval).unwrap_or(state);
            }
        }

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
