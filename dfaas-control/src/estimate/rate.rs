//! How many invocations a second arrive.

use std::time::Duration;

use super::{periods, weight};

/// What a period leaves of the fast mean's past.
const FAST: f64 = 0.5;

/// Time after which the slow mean has forgotten most.
const SLOW: Duration = Duration::from_secs(15);

/// A sample, or a mean, that is off by more than this many deviations is a step and no noise.
const STEP: f64 = 3.0;

/// For so many periods on end the fast mean may be off on one side: then the slow one lags, and begins anew.
const LAG: f64 = 5.0;

/// No node is asked for more.
const MOST: f64 = 1e7;

/// A rate by two windows: a slow mean, which is calm, and a fast one, which is taken where they differ by more than the
/// noise.
///
/// The noise is how far samples lie from the fast mean, and at least what independent arrivals would show. It is not
/// measured about the slow mean, as that is far off after a step: some ten seconds later the two means would lie within
/// such a deviation of each other, and the rate would fall to a half. For the same reason a step sets the slow mean anew,
/// and so does a difference that lasts. A step upwards is believed at once, since what is not foreseen is refused, while one downwards takes a few periods.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rate {
    fast: f64,
    slow: f64,
    variance: f64,
    /// Periods that were counted.
    counted: f64,
    /// For how many periods the fast mean was above the slow one by more than the noise, or, below zero, below it.
    off: f64,
}

impl Rate {
    /// Takes the mean rate over the time that passed since the sample before. Samples that cannot be meant count as zero.
    pub(crate) fn update(&mut self, passed: Duration, period: Duration, sample: f64) {
        let sample = if sample.is_finite() { sample.clamp(0.0, MOST) } else { 0.0 };
        let passed = passed.min(period * 10);
        let part = periods(passed, period, 10.0);
        if part <= 0.0 {
            return;
        }
        let chance = self.fast.max(sample) / passed.as_secs_f64();
        let noise = self.variance.max(chance).sqrt();
        if self.counted >= 1.0 && sample - self.fast > STEP * noise {
            (self.fast, self.slow, self.off) = (sample, sample, 0.0);
            self.counted += part;
            return;
        }
        let slow = weight(1.0 - (-passed.as_secs_f64() / SLOW.as_secs_f64()).exp(), part, self.counted);
        let fast = weight(1.0 - FAST.powf(part), part, self.counted);
        if self.counted > 0.0 {
            self.variance += slow * ((sample - self.fast).powi(2) - self.variance);
        }
        self.fast += fast * (sample - self.fast);
        self.slow += slow * (sample - self.slow);
        self.counted += part;
        let gap = self.fast - self.slow;
        let side = if gap.abs() > self.noise() { gap.signum() } else { 0.0 };
        self.off = if side * self.off > 0.0 { self.off + side * part } else { side * part };
        if gap.abs() > STEP * noise || self.off.abs() >= LAG {
            (self.slow, self.off) = (self.fast, 0.0);
        }
    }

    fn noise(&self) -> f64 {
        self.variance.max(self.slow).sqrt()
    }

    /// Invocations a second.
    pub(crate) fn value(&self) -> f64 {
        if (self.fast - self.slow).abs() > self.noise() { self.fast } else { self.slow }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T: Duration = Duration::from_secs(1);

    fn after(samples: &[f64]) -> Rate {
        let mut rate = Rate::default();
        samples.iter().for_each(|sample| rate.update(T, T, *sample));
        rate
    }

    #[test]
    fn the_first_sample_is_all_there_is_and_the_second_counts_for_half() {
        assert_eq!(after(&[4.0]).value(), 4.0);
        let two = after(&[4.0, 6.0]);
        assert_eq!((two.fast, two.slow), (5.0, 5.0));
        // Of no time nothing follows, and a tenth of a period is little to go by.
        let mut rate = Rate::default();
        rate.update(Duration::ZERO, T, 1000.0);
        assert_eq!(rate.value(), 0.0);
        rate.update(T / 10, T, 10.0);
        rate.update(T * 9 / 10, T, 20.0);
        assert!((rate.value() - 19.0).abs() < 1e-9, "{rate:?}");
    }

    #[test]
    fn a_step_up_is_believed_at_once_and_stays_believed() {
        let mut rate = after(&[0.0; 20]);
        for _ in 0..60 {
            rate.update(T, T, 45.0);
            assert_eq!(rate.value(), 45.0, "{rate:?}");
        }
    }

    #[test]
    fn a_step_down_takes_a_few_periods() {
        let mut rate = after(&[45.0; 20]);
        let values: Vec<f64> = (0..30)
            .map(|_| {
                rate.update(T, T, 0.0);
                rate.value()
            })
            .collect();
        assert_eq!(values[..2], [22.5, 11.25]);
        assert!(values[4..].iter().all(|value| *value < 2.0), "{values:?}");
    }

    #[test]
    fn chance_does_not_move_the_rate_much() {
        let mut rate = after(&[45.0; 20]);
        for sample in [52.0, 38.0, 45.0, 51.0, 40.0, 44.0, 56.0, 36.0] {
            rate.update(T, T, sample);
            assert!((rate.value() - 45.0).abs() < 3.0, "{rate:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_measured_the_rate_is_a_number_within_what_was_seen(
            samples in proptest::collection::vec((0_u64..5_000, prop_oneof![any::<f64>(), 0.0_f64..100.0]), 1..50)
        ) {
            let mut rate = Rate::default();
            let mut most = 0.0_f64;
            for (passed, sample) in samples {
                rate.update(Duration::from_millis(passed), T, sample);
                if sample.is_finite() { most = most.max(sample.min(MOST)); }
                let value = rate.value();
                prop_assert!(value.is_finite() && value >= 0.0 && value <= most * (1.0 + 1e-9), "{rate:?}");
            }
        }
    }
}
