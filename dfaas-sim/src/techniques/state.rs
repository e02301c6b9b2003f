use dfaas_control::{FunctionId, FunctionMeasurements, Measurements};
use serde::{Deserialize, Serialize};

use super::neighbours::{limit, overloaded, rate};
use super::technique::{Act, Word};

/// How a node is: what the agents of the original could read of each other. A number that is not measured is 0.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StateWord {
    /// Processors.
    pub cores: f64,
    /// Part of its processors that is in use.
    pub cpu: f64,
    /// Part of its memory that is in use.
    pub memory: f64,
    /// Bytes of memory that are free.
    pub memory_free: u64,
    /// Functions that it has.
    pub functions: Vec<FunctionState>,
}

/// How a function of a node is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FunctionState {
    /// The function.
    pub function: FunctionId,
    /// Instances.
    pub replicas: u32,
    /// Invocations a second, of users.
    pub rate: f64,
    /// Most invocations a second; `None`: no limit, and then it has no margin and is never overloaded.
    pub max_rate: Option<f64>,
    /// Mean time (s) of one invocation.
    pub time: f64,
    /// Invocations a second that it could serve besides.
    pub margin: f64,
    /// Part of the node's processors that one invocation a second takes.
    pub cpu: f64,
    /// Whether users ask for as much as it serves, or more.
    pub overloaded: bool,
}

impl StateWord {
    /// What this node says to each of its peers about itself.
    pub(super) fn to_all(measured: &Measurements) -> impl Iterator<Item = Act> {
        let word = Word::State(Self::of(measured));
        measured.peers.keys().map(move |node| Act::Say(*node, word.clone()))
    }

    /// Of this node, as far as it is measured; of functions that it does for others.
    fn of(measured: &Measurements) -> Self {
        let cores = measured.node.cores.map_or(0.0, rate);
        let part = |used: f64, of: f64| if of > 0.0 { (used / of).clamp(0.0, 1.0) } else { 0.0 };
        let free = measured.node.memory_free;
        let memory = measured
            .node
            .memory_total
            .zip(free)
            .map_or(0.0, |(total, free)| part(total.saturating_sub(free) as f64, total as f64));
        let told = measured.functions.iter().filter(|(_, of)| of.here && !of.local_only);
        Self {
            cores,
            cpu: part(measured.node.cpu.map_or(0.0, rate), cores),
            memory,
            memory_free: free.unwrap_or(0),
            functions: told.map(|(id, of)| function(*id, of, cores)).collect(),
        }
    }

    /// How a function is there.
    pub(super) fn function(&self, id: FunctionId) -> Option<&FunctionState> {
        self.functions.iter().find(|state| state.function == id)
    }
}

fn function(id: FunctionId, of: &FunctionMeasurements, cores: f64) -> FunctionState {
    let max_rate = limit(of);
    let asked = rate(of.user_rate);
    let seconds = |time: Option<std::time::Duration>| time.map_or(0.0, |time| time.as_secs_f64());
    FunctionState {
        function: id,
        replicas: of.replicas.unwrap_or(1),
        rate: asked,
        max_rate,
        time: seconds(of.service_time),
        margin: max_rate.map_or(0.0, |most| (most - asked).max(0.0)),
        cpu: if cores > 0.0 { seconds(of.cpu_time) / cores } else { 0.0 },
        overloaded: overloaded(of),
    }
}
