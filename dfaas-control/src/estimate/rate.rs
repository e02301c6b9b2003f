//! How many invocations a second arrive.

use std::time::Duration;

use super::{periods, weight};

/// What a period leaves of the fast mean's past.
const FAST: f64 = 0.5;

/// Time after which the slow mean has forgotten most.
const SLOW: Duration = Duration::from_secs(15);

/// How many standard deviations samples lie off the mean adds up, as far as it is more than this.
const SLACK: f64 = 1.0;

/// A sum above this is a step and no noise. Noise alone is taken for one about once in 400 periods (two-sided CUSUM of
/// these figures, after Page, "Continuous inspection schemes", 1954).
const STEP: f64 = 2.5;

/// The most that a single sample below the mean adds: a gap of one period is no step yet.
const BELOW: f64 = 2.0;

/// No node is asked for more.
const MOST: f64 = 1e7;

/// A rate by two windows: a slow mean, which is calm, and a fast one, which is taken where they differ by more than the
/// noise. A step sets both anew.
///
/// The noise is how far samples lie from the fast mean, and at least what independent arrivals would show. It is not
/// measured about the slow mean, as that is far off after a step.
///
/// A large step upwards is believed at once, since what is not foreseen is refused; a small one, and one downwards, when
/// a second sample agrees. The period in which a step happens is a mixture of before and after: the next one counts for
/// itself alone. From there on the means are plain ones until they are old enough to forget. So two periods after a step
/// the rate is at rest, where halving the difference period by period would take five.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rate {
    fast: f64,
    slow: f64,
    variance: f64,
    /// Periods that were counted since the last step.
    counted: f64,
    /// How far samples lay above and below the slow mean, see [`SLACK`].
    above: f64,
    below: f64,
    /// The sample before was the first after a step.
    mixed: bool,
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
        if self.is_step(sample, passed.as_secs_f64()) {
            (self.fast, self.slow, self.counted) = (sample, sample, part.max(1.0));
            (self.above, self.below) = (0.0, 0.0);
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
    }

    /// Whether the rate begins anew with this sample of so many seconds.
    fn is_step(&mut self, sample: f64, seconds: f64) -> bool {
        if std::mem::take(&mut self.mixed) {
            return true;
        }
        if self.counted < 1.0 {
            return false;
        }
        // Square roots of counts lie about alike, whatever the rate (Freeman and Tukey 1950): half a deviation for
        // independent arrivals, more where they bunch, and more about a mean of few samples.
        let bunch = self.variance * seconds / self.slow.max(f64::MIN_POSITIVE);
        let spread = bunch.max(1.0 + 1.0 / self.counted).sqrt();
        let deviations = 2.0 * ((sample * seconds).sqrt() - (self.slow * seconds).sqrt()) / spread;
        let first = self.above <= 0.0;
        self.above = (self.above + deviations - SLACK).max(0.0);
        self.below = (self.below + (-deviations - SLACK).min(BELOW)).max(0.0);
        self.mixed = first && self.above > STEP;
        self.above > STEP || self.below > STEP
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
    fn a_step_down_is_believed_when_it_is_seen_again() {
        let mut rate = after(&[45.0; 20]);
        let values = [0.0, 0.0, 0.0].map(|sample| {
            rate.update(T, T, sample);
            rate.value()
        });
        assert_eq!(values, [22.5, 0.0, 0.0]);
        // A gap of one period leaves no trace of its own.
        let mut rate = after(&[45.0; 20]);
        for sample in [0.0, 45.0, 45.0, 45.0, 45.0, 45.0] {
            rate.update(T, T, sample);
        }
        assert!((rate.value() - 45.0).abs() < 3.0, "{rate:?}");
    }

    #[test]
    fn a_step_within_a_period_is_at_rest_two_periods_later() {
        for part in [0.4, 0.6, 0.9] {
            let mut rate = after(&[20.0; 20]);
            rate.update(T, T, 20.0 + 25.0 * part);
            for _ in 0..20 {
                rate.update(T, T, 45.0);
                assert_eq!(rate.value(), 45.0, "{part} of a period: {rate:?}");
            }
        }
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
