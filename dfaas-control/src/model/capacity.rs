use std::collections::BTreeMap;
use std::time::Duration;

use super::learner::Learner;
use crate::id::FunctionId;
use crate::measurements::{FunctionMeasurements, Measurements, NodeMeasurements};

/// Processors, memory, limits of functions, and concurrency where processors are not measured.
pub(crate) const RESOURCES: usize = 4;

/// Points (of 100) of each resource.
pub(crate) type Use = [f64; RESOURCES];

const CPU: usize = 0;
const MEMORY: usize = 1;
const LIMITS: usize = 2;
const CONCURRENCY: usize = 3;

/// What one invocation is believed to take of a processor until something is measured.
const GUESS: Duration = Duration::from_millis(10);

/// The longest time that counts for one invocation: numbers beyond it are none.
const LONGEST: f64 = 3600.0;

/// Points of memory that one invocation a second is believed to take until something is measured.
const MEMORY_GUESS: f64 = 0.1;

/// What each function's rate uses of a node, learnt online: see [`Learner`].
///
/// Where processors or memory are measured their use is learnt from it. A function's `max_rate` is a resource that its
/// own rate uses: as nobody said how the limits of several functions go together, they are parts of one whole. Where
/// processors are not measured, it counts how many invocations are under way on average (by Little's law), as parts of
/// `max_inflight`, else of the processors.
#[derive(Debug, Clone)]
pub struct Capacity {
    cpu: Learner,
    memory: Learner,
    /// Costs that are known without learning.
    direct: BTreeMap<FunctionId, Use>,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { cpu: Learner::new(10.0), memory: Learner::new(50.0), direct: BTreeMap::new() }
    }
}

impl Capacity {
    /// Takes a tick's measurements; `served` are the invocations a second that were served here, whoever asked.
    pub fn learn(&mut self, measured: &Measurements, served: &BTreeMap<FunctionId, f64>) {
        let node = &measured.node;
        let here = || measured.functions.iter().filter(|(_, function)| function.here);
        let rates = |prior: &dyn Fn(&FunctionMeasurements) -> f64| -> Vec<(FunctionId, f64, f64)> {
            here()
                .map(|(id, function)| (*id, served.get(id).copied().unwrap_or(0.0), prior(function)))
                .collect()
        };
        if let Some(usage) = percent(node.cpu, node.cores) {
            self.cpu.learn(usage, &rates(&|function| 100.0 * work(function) / cores(node)));
        }
        if let Some(usage) = memory(node) {
            self.memory.learn(usage, &rates(&|_| MEMORY_GUESS));
        }
        let direct = |(id, function): (&FunctionId, &FunctionMeasurements)| {
            (*id, direct(function, node, self.cpu.has_learnt()))
        };
        self.direct = here().map(direct).collect();
    }

    /// Points of each resource that are used when no function is called.
    pub(crate) fn base(&self) -> Use {
        let mut base = [0.0; RESOURCES];
        base[CPU] = self.cpu.base();
        base[MEMORY] = self.memory.base();
        base
    }

    /// Points of each resource that one invocation a second of a function adds; nothing for one that is not here.
    pub(crate) fn costs(&self, id: FunctionId) -> Use {
        let Some(mut costs) = self.direct.get(&id).copied() else { return [0.0; RESOURCES] };
        costs[CPU] = self.cpu.cost(id).unwrap_or(costs[CPU]);
        costs[MEMORY] = self.memory.cost(id).unwrap_or(0.0);
        costs
    }

    /// Points of each resource that are used when functions are called at these rates.
    pub(crate) fn used(&self, rates: &BTreeMap<FunctionId, f64>) -> Use {
        let mut used = self.base();
        for (id, rate) in rates {
            used.iter_mut().zip(self.costs(*id)).for_each(|(used, cost)| *used += rate * cost);
        }
        used
    }

    /// Points of the scarcest resource that are used when functions are called at these rates.
    pub fn usage(&self, rates: &BTreeMap<FunctionId, f64>) -> f64 {
        most(&self.used(rates))
    }

    /// Points of the resource of which it takes most that one invocation a second of a function adds.
    pub fn cost(&self, id: FunctionId) -> f64 {
        most(&self.costs(id))
    }
}

/// The largest.
pub(crate) fn most(of: &Use) -> f64 {
    of.iter().copied().fold(0.0, f64::max)
}

/// Costs by limits and by concurrency; and what is believed of processors where these are measured.
fn direct(function: &FunctionMeasurements, node: &NodeMeasurements, cpu: bool) -> Use {
    let mut costs = [0.0; RESOURCES];
    if cpu {
        costs[CPU] = 100.0 * work(function) / cores(node);
    }
    if let Some(rate) = function.max_rate.filter(|rate| rate.is_finite() && *rate > 0.0) {
        costs[LIMITS] = 100.0 / rate;
    }
    let busy = usable(function.service_time.or(function.first_byte));
    costs[CONCURRENCY] = match (function.max_inflight, busy) {
        (Some(places), Some(busy)) if places > 0 => 100.0 * busy / f64::from(places),
        (_, Some(busy)) if !cpu => 100.0 * busy / cores(node),
        _ => 0.0,
    };
    costs
}

/// Processor seconds that an invocation is believed to take.
fn work(function: &FunctionMeasurements) -> f64 {
    let told = [function.cpu_time, function.service_time, function.first_byte];
    told.into_iter().find_map(usable).unwrap_or(GUESS.as_secs_f64())
}

fn usable(time: Option<Duration>) -> Option<f64> {
    time.map(|time| time.as_secs_f64()).filter(|seconds| *seconds > 0.0 && *seconds < LONGEST)
}

fn cores(node: &NodeMeasurements) -> f64 {
    node.cores.filter(|cores| cores.is_finite() && *cores > 0.0).unwrap_or(1.0)
}

fn percent(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    let percent = 100.0 * part? / whole.filter(|whole| *whole > 0.0)?;
    percent.is_finite().then_some(percent)
}

fn memory(node: &NodeMeasurements) -> Option<f64> {
    let (free, total) = (node.memory_free? as f64, node.memory_total? as f64);
    percent(Some((total - free).max(0.0)), Some(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: FunctionId = FunctionId(1);

    fn measured(function: FunctionMeasurements, node: NodeMeasurements) -> Measurements {
        Measurements { functions: [(A, function)].into(), node, ..Measurements::default() }
    }

    fn learnt(function: FunctionMeasurements, node: NodeMeasurements) -> Capacity {
        let mut capacity = Capacity::default();
        capacity.learn(&measured(function, node), &BTreeMap::new());
        capacity
    }

    #[test]
    fn a_limit_is_used_by_its_own_functions_rate() {
        let function = FunctionMeasurements { max_rate: Some(20.0), ..FunctionMeasurements::default() };
        let capacity = learnt(function, NodeMeasurements::default());
        assert_eq!((capacity.cost(A), capacity.usage(&[(A, 10.0)].into())), (5.0, 50.0));
        assert_eq!(capacity.cost(FunctionId(2)), 0.0, "it is not here");
    }

    #[test]
    fn without_a_measured_processor_time_in_flight_counts() {
        let node = NodeMeasurements { cores: Some(4.0), ..NodeMeasurements::default() };
        let function = FunctionMeasurements {
            service_time: Some(Duration::from_millis(200)),
            ..FunctionMeasurements::default()
        };
        // 10 a second of 0.2 s each are two at a time, of four.
        assert_eq!(learnt(function, node).usage(&[(A, 10.0)].into()), 50.0);
        let places = FunctionMeasurements { max_inflight: Some(8), ..function };
        assert_eq!(learnt(places, node).usage(&[(A, 10.0)].into()), 25.0);
    }

    #[test]
    fn the_same_function_costs_half_on_a_node_of_twice_the_processors() {
        let cost = |cores: f64| {
            let mut capacity = Capacity::default();
            for tick in 0..200_u32 {
                let rate = 10.0 + 5.0 * f64::from(tick).sin();
                // 50 ms of one processor each.
                let node =
                    NodeMeasurements { cores: Some(cores), cpu: Some(0.05 * rate), ..Default::default() };
                let function = FunctionMeasurements { user_rate: rate, ..FunctionMeasurements::default() };
                capacity.learn(&measured(function, node), &[(A, rate)].into());
            }
            capacity.cost(A)
        };
        assert!(
            (cost(1.0) - 5.0).abs() < 0.25 && (cost(2.0) - 2.5).abs() < 0.12,
            "{} {}",
            cost(1.0),
            cost(2.0)
        );
    }

    #[test]
    fn a_machine_whose_memory_is_nearly_full_is_used_by_that() {
        let node = NodeMeasurements { memory_free: Some(5), memory_total: Some(100), ..Default::default() };
        let mut capacity = Capacity::default();
        for _ in 0..20 {
            capacity.learn(&measured(FunctionMeasurements::default(), node), &BTreeMap::new());
        }
        assert!((capacity.usage(&BTreeMap::new()) - 95.0).abs() < 1.0, "{capacity:?}");
    }

    #[test]
    fn impossible_measurements_teach_nothing() {
        for odd in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            let node = NodeMeasurements { cores: Some(odd), cpu: Some(odd), ..NodeMeasurements::default() };
            let function = FunctionMeasurements { max_rate: Some(odd), ..FunctionMeasurements::default() };
            let usage = learnt(function, node).usage(&[(A, 10.0)].into());
            assert!(usage.is_finite() && usage >= 0.0, "{odd}: {usage}");
        }
    }
}
