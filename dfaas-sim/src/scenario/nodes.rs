use serde::{Deserialize, Serialize};

/// The machines.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// How many there are.
    pub count: usize,
    /// Processors: each node has one of these numbers, drawn at random; one number for each node if there are as many.
    pub cores: Vec<u32>,
    /// A gateway answers 429 at once to what it expects to end later than this part of its deadline, by the work that
    /// waits there and the function's mean; nothing: it takes all.
    pub patience: Option<f64>,
    /// Whether strategies are told the processor time that invocations take, as control groups measure it.
    #[serde(default = "yes")]
    pub measure_cpu: bool,
}

fn yes() -> bool {
    true
}
