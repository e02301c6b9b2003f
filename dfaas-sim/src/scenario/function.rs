use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A function.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Processor time that an invocation takes in the mean.
    #[serde(with = "humantime_serde")]
    pub cpu: Duration,
    /// Standard deviation of that time over its mean.
    #[serde(default = "spread")]
    pub cv: f64,
    /// How the time is distributed.
    #[serde(default)]
    pub law: Law,
    /// Time within which an answer is of use.
    #[serde(with = "humantime_serde", default = "second")]
    pub deadline: Duration,
    /// Bytes of a request.
    #[serde(default)]
    pub payload: u64,
    /// Its part of the work, relative to others'.
    #[serde(default = "one")]
    pub weight: f64,
    /// Most invocations a second that a node serves, as by the label `dfaas.maxrate`.
    pub max_rate: Option<f64>,
    /// Most invocations at one time at a node's gateway.
    pub max_inflight: Option<u32>,
    /// MiB that an instance takes of `nodes.memory`.
    #[serde(default)]
    pub memory: u64,
    /// Requests that an instance serves at one time; nothing: any number.
    pub concurrency: Option<u32>,
    /// Time that an instance takes to start.
    #[serde(with = "humantime_serde", default)]
    pub cold_start: Duration,
}

impl Function {
    /// A function of which a scenario says nothing else.
    pub fn new(name: &str, cpu: Duration) -> Self {
        Self {
            name: name.to_owned(),
            cpu,
            cv: spread(),
            law: Law::default(),
            deadline: second(),
            payload: 0,
            weight: one(),
            max_rate: None,
            max_inflight: None,
            memory: 0,
            concurrency: None,
            cold_start: Duration::ZERO,
        }
    }
}

/// A distribution of processor times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Law {
    /// Log-normal; with a `cv` of 0 constant.
    #[default]
    Lognormal,
    /// Exponential; `cv` does not count.
    Exponential,
}

/// Functions that are drawn: a few carry most of the load, as in the cloud (Shahrad and others, "Serverless in the wild",
/// ATC 2020).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// How many.
    pub count: usize,
    /// Users of each node call at least the first and at most the second number of them.
    pub called: (usize, usize),
    /// Median of their mean processor times.
    #[serde(with = "humantime_serde")]
    pub cpu: Duration,
    /// Standard deviation of the logarithm of those.
    pub cpu_spread: f64,
    /// The longest of those.
    #[serde(with = "humantime_serde")]
    pub cpu_most: Duration,
    /// Standard deviation of the logarithm of a function's rate at a node.
    pub popularity: f64,
    /// `cv` of every function.
    #[serde(default = "spread")]
    pub cv: f64,
    /// Deadline of every function.
    #[serde(with = "humantime_serde", default = "second")]
    pub deadline: Duration,
}

fn spread() -> f64 {
    0.7
}

fn second() -> Duration {
    Duration::from_secs(1)
}

fn one() -> f64 {
    1.0
}
