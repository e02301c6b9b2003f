use std::collections::BTreeMap;
use std::time::Duration;

use crate::estimate::{Cost, Rate, periods};
use crate::id::{FunctionId, Time};
use crate::measurements::{FunctionMeasurements, Measurements};

/// The part of a period that must have been counted before a demand is known: an agent that starts while its users are
/// many must not grant what it does not have, because it has counted nobody yet.
const KNOWN: f64 = 0.5;

/// (1 + cv^2) of service times whose coefficient of variation is 0.7.
const SPREAD: f64 = 1.5;

/// Deviations of a period's demand that are kept free.
const DEVIATIONS: f64 = 0.5;

/// What this node's own users ask for.
#[derive(Debug, Default)]
pub(super) struct Demand {
    functions: BTreeMap<FunctionId, (Rate, Cost)>,
    loads: BTreeMap<FunctionId, Load>,
    ticked: Option<Time>,
    /// For how many periods users were counted.
    counted: f64,
}

/// One function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    /// Invocations a second that users ask for.
    pub rate: f64,
    /// Processor time (s) that one takes here, or is expected to take where it is served.
    pub cost: f64,
    /// Invocations a second that peers send.
    pub of_peers: f64,
    /// Whether this node has it.
    pub here: bool,
    /// Whether it may leave this node.
    pub may_leave: bool,
    /// Most invocations a second served here.
    pub most: Option<f64>,
    /// Whether the cost is known here, by measurement or limit.
    pub priced: bool,
}

impl Load {
    /// Processors that its users ask of this node.
    pub(super) fn work(&self) -> f64 {
        if self.here { self.rate * self.cost } else { 0.0 }
    }
}

impl Demand {
    /// How much of a period passed since the tick before; the first tick is of no time at all.
    pub(super) fn passed(&self, now: Time) -> Duration {
        self.ticked.map_or(Duration::ZERO, |then| now.since(then))
    }

    /// Takes a tick's measurements at a node that uses `capacity` processors; `hint` is what peers say that a function
    /// costs them.
    pub(super) fn update(
        &mut self,
        now: Time,
        period: Duration,
        measured: &Measurements,
        capacity: f64,
        hint: impl Fn(FunctionId) -> Option<f64>,
    ) {
        let passed = self.passed(now);
        self.ticked = Some(now);
        let part = periods(passed, period, 1.0);
        self.counted += part;
        let mut before = std::mem::take(&mut self.functions);
        self.loads.clear();
        for (id, function) in &measured.functions {
            let (mut rate, mut cost) = before.remove(id).unwrap_or_default();
            rate.update(passed, period, function.user_rate);
            cost.update(part, function);
            let most = limit(function);
            let load = Load {
                rate: rate.value(),
                cost: cost.value(capacity, most, hint(*id)),
                of_peers: usable(function.peer_rate),
                here: function.here,
                may_leave: !function.local_only,
                most,
                priced: function.here && (most.is_some() || cost.is_known()),
            };
            self.loads.insert(*id, load);
            self.functions.insert(*id, (rate, cost));
        }
    }

    /// Whether users were counted for long enough to speak of them.
    pub(super) fn known(&self) -> bool {
        self.counted >= KNOWN
    }

    /// The functions, each with what is asked of it.
    pub(super) fn loads(&self) -> &BTreeMap<FunctionId, Load> {
        &self.loads
    }

    /// Processors that this node's users ask of it.
    pub(super) fn total(&self) -> f64 {
        self.loads.values().map(Load::work).sum()
    }

    /// Processors that peers use here.
    pub(super) fn of_peers(&self) -> f64 {
        self.loads.values().filter(|load| load.here).map(|load| load.of_peers * load.cost).sum()
    }

    /// Processors kept free for what chance adds to the demand of a period.
    pub(super) fn safety_stock(&self, period: Duration) -> f64 {
        let here = self.loads.values().filter(|load| load.here);
        let variance: f64 = here.map(|load| load.rate * load.cost * load.cost * SPREAD).sum();
        DEVIATIONS * (variance / period.as_secs_f64()).sqrt()
    }

    /// How much longer invocations take than without load: the mean over the work done here.
    pub(super) fn stretch(&self) -> Option<f64> {
        let mut sums = (0.0, 0.0);
        for (id, load) in &self.loads {
            if let Some(stretch) = self.functions.get(id).and_then(|(_, cost)| cost.stretch()) {
                let weight = (load.rate + load.of_peers) * load.cost;
                sums = (sums.0 + weight * stretch, sums.1 + weight);
            }
        }
        (sums.1 > 0.0).then(|| sums.0 / sums.1)
    }

    /// Work (processor-seconds) of a typical invocation under way: the longer one takes, the more often it is met.
    pub(super) fn typical_work(&self) -> f64 {
        let (mut twice, mut once) = (0.0, 0.0);
        for load in self.loads.values().filter(|load| load.here) {
            let work = (load.rate + load.of_peers) * load.cost;
            (twice, once) = (twice + work * load.cost, once + work);
        }
        if once > 0.0 { twice / once } else { 0.0 }
    }
}

/// The function's `max_rate`, if it is one.
fn limit(function: &FunctionMeasurements) -> Option<f64> {
    function.max_rate.filter(|rate| rate.is_finite() && *rate > 0.0)
}

fn usable(rate: f64) -> f64 {
    if rate.is_finite() { rate.clamp(0.0, 1e7) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Duration = Duration::from_secs(1);
    const FIGLET: FunctionId = FunctionId(7);
    const ELSEWHERE: FunctionId = FunctionId(8);

    fn demand() -> Demand {
        let figlet = FunctionMeasurements {
            user_rate: 8.0,
            peer_rate: 2.0,
            max_rate: Some(10.0),
            ..FunctionMeasurements::default()
        };
        let elsewhere =
            FunctionMeasurements { here: false, user_rate: 5.0, ..FunctionMeasurements::default() };
        let functions = [(FIGLET, figlet), (ELSEWHERE, elsewhere)].into();
        let measured = Measurements { functions, ..Measurements::default() };
        let mut demand = Demand::default();
        for second in 0..3 {
            let hint = |id| (id == ELSEWHERE).then_some(0.25);
            demand.update(Time(T * second), T, &measured, 2.0, hint);
        }
        demand
    }

    #[test]
    fn demand_is_what_the_nodes_own_users_ask_of_it() {
        let demand = demand();
        assert!(demand.known());
        // A fifth of a processor-second each, as ten a second use up two processors.
        assert!((demand.total() - 1.6).abs() < 1e-9 && (demand.of_peers() - 0.4).abs() < 1e-9, "{demand:?}");
        assert_eq!((demand.loads()[&ELSEWHERE].cost, demand.loads()[&ELSEWHERE].work()), (0.25, 0.0));
        assert!((demand.typical_work() - 0.2).abs() < 1e-9);
    }

    #[test]
    fn the_safety_stock_is_half_a_deviation_of_the_demand() {
        // 8 a second of 0.2 s: the variance is 8 * 0.04 * 1.5 in a second, and a quarter of that in four.
        assert!((demand().safety_stock(T) - 0.5 * 0.48_f64.sqrt()).abs() < 1e-9);
        assert!((demand().safety_stock(T * 4) - 0.25 * 0.48_f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_known_before_half_a_period_was_counted() {
        let mut demand = Demand::default();
        for (at, known) in [(0, false), (400, false), (500, true)] {
            demand.update(Time(Duration::from_millis(at)), T, &Measurements::default(), 1.0, |_| None);
            assert_eq!(demand.known(), known, "at {at} ms");
        }
    }
}
