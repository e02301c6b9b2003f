use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::FunctionId;
use crate::measurements::{FunctionMeasurements, Measurements};
use crate::strategies::plain::limit;

/// What the least time of a function grows by in a tick, so that one that has become slower is noticed.
const GROWTH: f64 = 1.02;

/// The longest wait that is told.
const LONGEST: f64 = 1.0;

/// Bounds of the processors that a peer is taken to have.
const CORES: (f64, f64) = (0.25, 1024.0);

/// What this node has to do.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// What one invocation takes (s) when nothing else is in its way.
    work: BTreeMap<FunctionId, f64>,
    cores: Option<f64>,
    inflight: u64,
    /// Seconds that one which comes now waits.
    wait: f64,
}

impl Load {
    /// Takes a tick's measurements.
    pub(super) fn measure(&mut self, measured: &Measurements) {
        self.cores = measured.node.cores.filter(|cores| cores.is_finite() && *cores > 0.0);
        let before = std::mem::take(&mut self.work);
        let work = |(id, function): (&FunctionId, &FunctionMeasurements)| {
            Some((*id, least(function, before.get(id).copied())?))
        };
        self.work = measured.functions.iter().filter_map(work).collect();
        let here = || measured.functions.iter().filter(|(_, function)| function.here);
        self.inflight = here().fold(0, |sum, (_, function)| sum.saturating_add(function.inflight));
        let under_way: f64 = here()
            .map(|(id, function)| function.inflight as f64 * self.work.get(id).copied().unwrap_or(0.0))
            .sum();
        let limited = here().map(|(_, function)| behind_limit(function)).fold(0.0, f64::max);
        self.wait = (under_way / self.cores() + limited).min(LONGEST);
    }

    /// Invocations under way here.
    pub(super) fn inflight(&self) -> u32 {
        u32::try_from(self.inflight).unwrap_or(u32::MAX)
    }

    /// How long (us) an invocation that comes now waits.
    pub(super) fn wait(&self) -> u32 {
        (self.wait * 1e6).round() as u32
    }

    /// Processors of this node.
    pub(super) fn cores(&self) -> f64 {
        self.cores.unwrap_or(1.0)
    }

    /// What one invocation of a function takes; zero: not known.
    pub(super) fn work(&self, id: FunctionId) -> Duration {
        Duration::from_secs_f64(self.work.get(&id).copied().unwrap_or(0.0))
    }

    /// The processors of a peer where so many invocations under way make one wait this long; `None`: that does not tell.
    pub(super) fn cores_of(&self, inflight: u32, wait: Duration) -> Option<f64> {
        if inflight == 0 || wait.is_zero() || self.work.is_empty() {
            return None;
        }
        let mean = self.work.values().sum::<f64>() / self.work.len() as f64;
        let cores = mean * f64::from(inflight) / wait.as_secs_f64();
        (mean > 0.0).then(|| cores.clamp(CORES.0, CORES.1))
    }
}

/// Seconds that one invocation takes: its processor time, else the shortest that it took lately.
fn least(function: &FunctionMeasurements, before: Option<f64>) -> Option<f64> {
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64().min(LONGEST));
    if let Some(cpu) = seconds(function.cpu_time) {
        return Some(cpu);
    }
    let grown = before.map(|before| (before * GROWTH).min(LONGEST));
    match (seconds(function.service_time.or(function.first_byte)), grown) {
        (Some(now), Some(grown)) => Some(now.min(grown)),
        (now, grown) => now.or(grown),
    }
}

/// Seconds that invocations of a function with a `max_rate` wait for their turn, as in a queue that serves so many a
/// second (M/M/1): far from the limit nearly nothing, at the limit without end.
fn behind_limit(function: &FunctionMeasurements) -> f64 {
    let Some(most) = limit(function) else { return 0.0 };
    let asked = function.user_rate + function.peer_rate;
    if !asked.is_finite() || asked <= 0.0 {
        return 0.0;
    }
    if asked >= most { LONGEST } else { (asked / most / (most - asked)).min(LONGEST) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: FunctionId = FunctionId(1);

    fn measured(function: FunctionMeasurements, cores: f64) -> Measurements {
        let mut measured = Measurements { functions: [(A, function)].into(), ..Measurements::default() };
        measured.node.cores = Some(cores);
        measured
    }

    fn loaded(function: FunctionMeasurements, cores: f64) -> Load {
        let mut load = Load::default();
        load.measure(&measured(function, cores));
        load
    }

    #[test]
    fn one_waits_for_the_work_under_way_on_all_processors() {
        let function = FunctionMeasurements {
            inflight: 6,
            service_time: Some(Duration::from_millis(50)),
            ..FunctionMeasurements::default()
        };
        let load = loaded(function, 2.0);
        assert_eq!((load.inflight(), load.wait(), load.work(A)), (6, 150_000, Duration::from_millis(50)));
        assert_eq!(loaded(FunctionMeasurements { here: false, ..function }, 2.0).wait(), 0);
    }

    #[test]
    fn near_its_limit_a_function_makes_one_wait() {
        let asked =
            |user_rate| FunctionMeasurements { user_rate, max_rate: Some(10.0), ..Default::default() };
        let waits = [0.0, 5.0, 9.0, 10.0, 50.0].map(|rate| loaded(asked(rate), 1.0).wait());
        assert_eq!(waits, [0, 100_000, 900_000, 1_000_000, 1_000_000]);
    }

    #[test]
    fn work_is_the_shortest_time_seen_and_grows_slowly() {
        let taking =
            |ms| FunctionMeasurements { first_byte: Some(Duration::from_millis(ms)), ..Default::default() };
        let mut load = loaded(taking(10), 1.0);
        load.measure(&measured(taking(500), 1.0));
        assert!((load.work(A).as_secs_f64() - 0.0102).abs() < 1e-6, "{:?}", load.work(A));
        load.measure(&measured(taking(4), 1.0));
        assert_eq!(load.work(A), Duration::from_millis(4));
        load.measure(&measured(FunctionMeasurements::default(), 1.0));
        assert!(load.work(A) > Duration::from_millis(4), "nothing measured: it is still known");
    }

    #[test]
    fn a_peers_processors_follow_from_what_it_reports() {
        let function = FunctionMeasurements {
            service_time: Some(Duration::from_millis(100)),
            ..FunctionMeasurements::default()
        };
        let load = loaded(function, 1.0);
        let wait = Duration::from_millis(200);
        assert_eq!(load.cores_of(8, wait), Some(4.0));
        assert_eq!((load.cores_of(0, wait), load.cores_of(8, Duration::ZERO)), (None, None));
        assert_eq!(load.cores_of(u32::MAX, wait), Some(1024.0));
    }

    #[test]
    fn impossible_measurements_are_no_load() {
        for odd in [f64::NAN, f64::INFINITY, -5.0] {
            let function =
                FunctionMeasurements { user_rate: odd, max_rate: Some(10.0), ..Default::default() };
            assert_eq!((loaded(function, odd).wait(), loaded(function, odd).cores()), (0, 1.0), "{odd}");
        }
    }
}
