//! How much processor time an invocation takes.

use std::time::Duration;

use super::weight;
use crate::measurements::FunctionMeasurements;

/// What is assumed of a function of which nothing is known yet (s): much, so that a node does not promise what it has
/// not seen.
const PRIOR: f64 = 0.1;

/// Bounds of a cost (s).
const BOUNDS: (f64, f64) = (1e-6, 1e3);

/// Weight of a period's mean.
const STEADY: f64 = 0.2;

/// By how much of the difference the unloaded time rises in a period; it falls by half of it.
const RISE: f64 = 0.02;
const FALL: f64 = 0.5;

/// The cost of one function (s of one processor).
///
/// The containers' processor time for each completion, where that is measured. Else the time for which the gateway was
/// busy with an invocation, by its service time, by Little's law, or up to the first byte. That is longer while
/// invocations wait for each other, and what waits is not work: so the least of it counts, slowly forgotten.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    processor: Option<f64>,
    unloaded: Option<f64>,
    /// The latest time for which the gateway was busy.
    busy: Option<f64>,
    counted: f64,
}

impl Cost {
    /// Takes a tick's measurements, over so many periods.
    pub(crate) fn update(&mut self, part: f64, measured: &FunctionMeasurements) {
        if part <= 0.0 {
            return;
        }
        if let Some(sample) = measured.cpu_time.and_then(seconds) {
            let old = self.processor.unwrap_or(sample);
            let weight = weight(1.0 - (1.0 - STEADY).powf(part), part, self.counted);
            self.processor = Some(old + weight * (sample - old));
            self.counted += part;
        }
        self.busy = busy(measured);
        if let Some(sample) = self.busy {
            let old = self.unloaded.unwrap_or(sample);
            let keep = if sample < old { 1.0 - FALL } else { 1.0 - RISE };
            self.unloaded = Some(sample + keep.powf(part) * (old - sample));
        }
    }

    /// What an invocation costs at a node of `capacity` processors; at least what leaves room for no more than
    /// `max_rate` of them, so that functions that wait more than they compute have a price too. `hint` is what others
    /// say of it.
    pub(crate) fn value(&self, capacity: f64, max_rate: Option<f64>, hint: Option<f64>) -> f64 {
        let limit = max_rate.filter(|rate| rate.is_finite() && *rate > 0.0).map(|rate| capacity / rate);
        let known = self.processor.or(self.unloaded);
        let cost = match (known, limit) {
            (Some(known), Some(limit)) => known.max(limit),
            (Some(known), None) => known,
            (None, Some(limit)) => limit,
            (None, None) => hint.unwrap_or(PRIOR),
        };
        cost.clamp(BOUNDS.0, BOUNDS.1)
    }

    /// Whether anything was measured.
    pub(crate) fn is_known(&self) -> bool {
        self.processor.is_some() || self.unloaded.is_some()
    }

    /// How much longer invocations take now than they do without load; `None` if that is not known.
    pub(crate) fn stretch(&self) -> Option<f64> {
        Some((self.busy? / self.unloaded?).clamp(0.1, 100.0))
    }
}

/// A cost as another node tells it, if it can be meant.
pub(crate) fn usable_cost(told: f32) -> Option<f64> {
    (told.is_finite() && told > 0.0).then(|| f64::from(told).clamp(BOUNDS.0, BOUNDS.1))
}

fn busy(measured: &FunctionMeasurements) -> Option<f64> {
    let by_littles_law = || {
        let completed = measured.completion_rate.filter(|rate| rate.is_finite() && *rate > 0.0)?;
        let time = measured.inflight as f64 / completed;
        (time > 0.0).then(|| time.clamp(BOUNDS.0, BOUNDS.1))
    };
    let first_byte = || measured.first_byte.and_then(seconds);
    measured.service_time.and_then(seconds).or_else(by_littles_law).or_else(first_byte)
}

fn seconds(time: Duration) -> Option<f64> {
    (time > Duration::ZERO).then(|| time.as_secs_f64().clamp(BOUNDS.0, BOUNDS.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(measured: &[FunctionMeasurements]) -> Cost {
        let mut cost = Cost::default();
        measured.iter().for_each(|measured| cost.update(1.0, measured));
        cost
    }

    fn served_in(milliseconds: u64) -> FunctionMeasurements {
        let service_time = Some(Duration::from_millis(milliseconds));
        FunctionMeasurements { service_time, ..FunctionMeasurements::default() }
    }

    #[test]
    fn processor_time_counts_before_any_other_and_a_limit_is_a_price() {
        let cpu_time = Some(Duration::from_millis(30));
        let measured = FunctionMeasurements { cpu_time, ..served_in(500) };
        assert_eq!(after(&[measured]).value(2.0, None, None), 0.03);
        assert_eq!(
            after(&[measured]).value(2.0, Some(10.0), None),
            0.2,
            "ten a second use up two processors"
        );
        assert_eq!(after(&[measured]).value(2.0, Some(1000.0), None), 0.03);
        assert_eq!(after(&[]).value(2.0, Some(10.0), None), 0.2);
        assert_eq!(after(&[]).value(2.0, Some(0.0), None), 0.1, "no limit, and nothing known");
        assert_eq!(after(&[]).value(2.0, None, Some(0.4)), 0.4);
    }

    #[test]
    fn without_it_the_busy_time_counts_by_what_is_known_of_it() {
        let none = FunctionMeasurements::default();
        let little = FunctionMeasurements { inflight: 3, completion_rate: Some(60.0), ..none };
        let first_byte = FunctionMeasurements { first_byte: Some(Duration::from_millis(20)), ..none };
        assert_eq!(after(&[served_in(40)]).value(1.0, None, None), 0.04);
        assert_eq!(after(&[little]).value(1.0, None, None), 0.05);
        assert_eq!(after(&[first_byte]).value(1.0, None, None), 0.02);
        assert_eq!(after(&[FunctionMeasurements { inflight: 0, ..little }]).value(1.0, None, None), 0.1);
    }

    #[test]
    fn waiting_for_each_other_is_no_work() {
        let cost = after(&[served_in(10), served_in(200), served_in(200)]);
        assert!(cost.value(1.0, None, None) < 0.02, "{cost:?}");
        assert!(cost.stretch().unwrap() > 10.0);
        let cost = after(&[served_in(200), served_in(10), served_in(10), served_in(10)]);
        assert!((cost.value(1.0, None, None) - 0.034).abs() < 0.001, "{cost:?}");
    }

    #[test]
    fn what_others_tell_must_be_a_cost() {
        for told in [f32::NAN, f32::INFINITY, -1.0, 0.0] {
            assert_eq!(usable_cost(told), None);
        }
        assert_eq!(usable_cost(1e30), Some(1e3));
        assert_eq!(usable_cost(0.25), Some(0.25));
    }

    proptest! {
        #[test]
        fn whatever_is_measured_a_cost_is_within_bounds(
            samples in proptest::collection::vec((any::<Option<u64>>(), any::<Option<u64>>(), any::<u64>(), any::<Option<f64>>()), 0..20),
            capacity: f64, max_rate: Option<f64>,
        ) {
            let mut cost = Cost::default();
            for (cpu, service, inflight, completed) in samples {
                cost.update(1.0, &FunctionMeasurements {
                    cpu_time: cpu.map(Duration::from_nanos),
                    service_time: service.map(Duration::from_nanos),
                    inflight,
                    completion_rate: completed,
                    ..FunctionMeasurements::default()
                });
            }
            let capacity = if capacity.is_finite() { capacity.abs() } else { 1.0 };
            let value = cost.value(capacity, max_rate, None);
            prop_assert!((BOUNDS.0..=BOUNDS.1).contains(&value), "{value} of {cost:?}");
            prop_assert!(cost.stretch().is_none_or(|stretch| (0.1..=100.0).contains(&stretch)));
        }
    }
}
