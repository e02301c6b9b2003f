use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::{FunctionId, Time};
use crate::measurements::{FunctionMeasurements, Measurements};

/// An overloaded function stays so until its users ask for less than this part of `max_rate`. Users that ask for just
/// about `max_rate` are counted a little above it in one period and a little below it in the next; without this the
/// flag, and with it everybody's grants, would flip each time. It costs at most a tenth of the function's margin.
const RELIEF: f64 = 0.9;

/// Invocations a second below which nobody asks for a function.
const ASKED: f64 = 0.01;

/// A tick counts in full when this part of a period has passed since the one before.
const FULL: f64 = 0.9;

/// The part of a period that must have been counted before a load is known: an agent that starts while its users are
/// many must not grant what it does not have, because it has counted nobody yet.
const KNOWN: f64 = 0.5;

/// What this node's users ask of each function that takes part.
#[derive(Debug, Default)]
pub(super) struct Demand {
    loads: BTreeMap<FunctionId, Load>,
    ticked: Option<Time>,
    /// For how many periods users were counted at all.
    counted: f64,
}

/// One function's load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// Invocations a second that this node serves at most; 0 for a function that only peers have.
    pub capacity: f64,
    /// Invocations a second that users ask for, as far as they were counted.
    pub rate: f64,
    /// For how many periods they were counted.
    counted: f64,
    /// Whether users ask for more than is served.
    pub overloaded: bool,
}

impl Load {
    /// What users leave of the capacity; nothing while it is overloaded, or not known yet.
    pub(super) fn margin(&self) -> f64 {
        let gives = self.counted >= KNOWN && !self.overloaded;
        if gives { (self.capacity - self.rate).max(0.0) } else { 0.0 }
    }
}

impl Demand {
    /// Takes a tick's measurements.
    ///
    /// Ticks also come at once after functions or peers came or went, and then a rate is that of a moment: it counts
    /// by the part of a period that it covers. The rates of the first tick are of no time at all.
    pub(super) fn update(&mut self, now: Time, measured: &Measurements, period: Duration) {
        let passed = self.ticked.map_or(Duration::ZERO, |then| now.since(then));
        let passed = (passed.as_secs_f64() / (FULL * period.as_secs_f64())).min(1.0);
        self.ticked = Some(now);
        self.counted += passed;
        let before = std::mem::take(&mut self.loads);
        for (id, function) in &measured.functions {
            let Some(capacity) = capacity(function) else { continue };
            let old = before.get(id).copied();
            let old = old.unwrap_or(Load { capacity, rate: 0.0, counted: 0.0, overloaded: false });
            let sample = if function.user_rate.is_finite() { function.user_rate.max(0.0) } else { 0.0 };
            let counted = old.counted + passed;
            let weight = if counted > 0.0 { passed / counted.min(1.0) } else { 0.0 };
            let rate = (1.0 - weight) * old.rate + weight * sample;
            let least = if old.overloaded { RELIEF * capacity } else { capacity };
            let overloaded = counted >= KNOWN && rate >= least && rate >= ASKED;
            self.loads.insert(*id, Load { capacity, rate, counted, overloaded });
        }
    }

    /// Whether users were counted for long enough to speak of them.
    pub(super) fn known(&self) -> bool {
        self.counted >= KNOWN
    }

    /// The functions that take part, with their loads.
    pub(super) fn loads(&self) -> impl Iterator<Item = (FunctionId, &Load)> {
        self.loads.iter().map(|(id, load)| (*id, load))
    }

    /// Invocations a second that users ask for above what is served here.
    pub(super) fn excess(&self, id: FunctionId) -> f64 {
        self.loads.get(&id).map_or(0.0, |load| (load.rate - load.capacity).max(0.0))
    }
}

/// What this node serves of a function at most; `None` if the function takes no part.
pub(super) fn capacity(function: &FunctionMeasurements) -> Option<f64> {
    if function.local_only {
        return None;
    }
    if !function.here {
        return Some(0.0);
    }
    function.max_rate.filter(|rate| rate.is_finite() && *rate > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGLET: FunctionId = FunctionId(7);
    const PERIOD: Duration = Duration::from_secs(1);

    /// Loads after ticks at these milliseconds with these rates, of a function that serves 10 a second.
    fn after(ticks: &[(u64, f64)], here: bool) -> Load {
        let mut demand = Demand::default();
        for (milliseconds, user_rate) in ticks {
            let function = FunctionMeasurements {
                here,
                user_rate: *user_rate,
                max_rate: Some(10.0),
                ..FunctionMeasurements::default()
            };
            let measured = Measurements { functions: [(FIGLET, function)].into(), ..Measurements::default() };
            demand.update(Time(Duration::from_millis(*milliseconds)), &measured, PERIOD);
        }
        demand.loads[&FIGLET]
    }

    #[test]
    fn nothing_is_granted_before_users_could_be_counted() {
        let first = after(&[(0, 0.0)], true);
        assert_eq!((first.margin(), first.overloaded), (0.0, false));
        // Nobody came in ten milliseconds, or somebody did: neither tells much.
        for rate in [0.0, 100.0] {
            let soon = after(&[(0, 0.0), (10, rate)], true);
            assert_eq!((soon.margin(), soon.overloaded), (0.0, false));
        }
        // Short counts add up, each by its time.
        let load = after(&[(0, 0.0), (100, 8.0), (400, 4.0), (500, 8.0)], true);
        assert!((load.rate - 5.6).abs() < 1e-9 && (load.margin() - 4.4).abs() < 1e-9, "{load:?}");
        assert_eq!(after(&[(0, 0.0), (1_000, 4.0)], true).margin(), 6.0);
    }

    #[test]
    fn overload_begins_at_the_limit_and_ends_a_tenth_below_it() {
        let ticks = [(0, 0.0), (1_000, 10.0), (2_000, 9.0), (3_000, 8.9), (4_000, 9.9)];
        let flags: Vec<bool> = (2..=5).map(|count| after(&ticks[..count], true).overloaded).collect();
        assert_eq!(flags, [true, true, false, false]);
        assert_eq!(after(&ticks[..3], true).margin(), 0.0, "none while it is overloaded");
    }

    #[test]
    fn a_tick_that_comes_early_counts_by_the_time_it_covers() {
        // One invocation in five milliseconds is not two hundred a second.
        let load = after(&[(0, 0.0), (1_000, 4.0), (1_005, 200.0)], true);
        assert!(!load.overloaded && load.rate < 6.0, "{load:?}");
    }

    #[test]
    fn a_function_that_is_not_here_is_overloaded_as_soon_as_anybody_asks_for_it() {
        assert!(!after(&[(0, 0.0), (1_000, 0.0)], false).overloaded);
        assert!(after(&[(0, 0.0), (1_000, 0.5)], false).overloaded);
        assert!(!after(&[(0, 0.0), (1_000, 0.5), (2_000, 0.0)], false).overloaded);
    }

    #[test]
    fn impossible_rates_count_as_none() {
        for rate in [f64::NAN, f64::INFINITY, -5.0] {
            assert_eq!(after(&[(0, 0.0), (1_000, rate)], true).rate, 0.0, "{rate}");
        }
    }
}
