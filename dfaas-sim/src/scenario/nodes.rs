use serde::{Deserialize, Serialize};

/// The machines.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// How many there are.
    pub count: usize,
    /// Processors: each node has one of these numbers, drawn at random; one number for each node if there are as many. With
    /// `load.runs` those of each node's kind instead.
    #[serde(default)]
    pub cores: Vec<u32>,
    /// MiB of memory for instances of functions; nothing: it is never short.
    pub memory: Option<u64>,
    /// How its processors are given to what is under way.
    #[serde(default)]
    pub discipline: Discipline,
    /// A gateway answers 429 at once to what it expects to end later than this part of its deadline, by the work that
    /// waits there and the function's mean; nothing: it takes all.
    pub patience: Option<f64>,
    /// Operators of nodes have typed as limit of each function without `max_rate` this part of what the node's processors
    /// serve of it alone, where the technique needs one (`auction`, `dfaas-base`, `dfaas-empirical`, `dfaas-random`).
    pub label_rates: Option<f64>,
    /// Whether strategies are told the processor time that invocations take, as control groups measure it.
    #[serde(default = "yes")]
    pub measure_cpu: bool,
}

impl Nodes {
    /// Nodes that have these processors, and of which a scenario says nothing else.
    pub fn new(cores: Vec<u32>) -> Self {
        Self {
            count: cores.len(),
            cores,
            memory: None,
            discipline: Discipline::default(),
            patience: None,
            label_rates: None,
            measure_cpu: yes(),
        }
    }
}

/// How processors are given to requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Discipline {
    /// First come, first served: each processor does one request to its end.
    #[default]
    Fifo,
    /// All requests get equal parts, a whole processor at most.
    Sharing,
}

fn yes() -> bool {
    true
}
