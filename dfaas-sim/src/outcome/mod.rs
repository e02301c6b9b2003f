//! What came out of a run.

mod digest;
mod latencies;
mod record;
mod served;
mod settle;

use serde::{Deserialize, Serialize};

pub use latencies::Latencies;
pub(crate) use record::Record;
pub use record::{End, Ends};
pub use served::{Served, ServedBy};

/// What came out of a run. Only what users asked for after the warm-up counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Requests that users made.
    pub requests: u64,
    /// The part of them that was answered within the deadline.
    pub goodput: f64,
    /// The part of the processor time asked for whose requests were answered within the deadline.
    pub work: f64,
    /// Mean time from asking to the answer, of those that were served (ms).
    pub mean: f64,
    /// Of the same times (ms) the median, and below, what 95 and 99 of a hundred are below.
    pub p50: f64,
    /// See `p50`.
    pub p95: f64,
    /// See `p50`.
    pub p99: f64,
    /// The part of the requests that a peer was given.
    pub forwarded: f64,
    /// The part of the requests that relieved a node, chosen by waits.
    pub overflowed: f64,
    /// What became of the requests.
    pub ends: Ends,
    /// Bytes of messages that a node sent a second, in the mean, without frames.
    pub control_bytes_per_node_s: f64,
    /// Seconds after the step, or the first failure, until plans change by less than 5 % a second for good; `None`: there
    /// is nothing to settle from, or they do not.
    pub settle_s: Option<f64>,
    /// Of where and how each request ended, and when, in the order in which they did. Runs with equal ones went the same way.
    pub digest: u64,
    /// Seconds of each node, node by node.
    pub series: Vec<Vec<Second>>,
    /// How long those that were served took.
    pub latencies: Latencies,
    /// Who served whom within the deadline.
    pub served: Vec<Served>,
}

/// One second of one node, by the moment when users asked.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Second {
    /// Requests of its users.
    pub asked: u32,
    /// Those answered within the deadline.
    pub in_time: u32,
    /// Those that peers were given.
    pub forwarded: u32,
    /// Those answered 429 or 503, by whom ever.
    pub rejected: u32,
    /// Processors at work at its start.
    pub busy: u32,
    /// The part of its users' requests that plans kept at home at its start.
    pub local: f64,
}

impl Outcome {
    /// The part of the requests of these nodes' users that was answered within the deadline; 1 if there were none.
    pub fn goodput_of(&self, nodes: impl Fn(usize) -> bool) -> f64 {
        let chosen = self.series.iter().enumerate().filter(|(node, _)| nodes(*node));
        let sums = chosen.flat_map(|(_, seconds)| seconds).fold((0u64, 0u64), |(in_time, asked), second| {
            (in_time + u64::from(second.in_time), asked + u64::from(second.asked))
        });
        if sums.1 > 0 { sums.0 as f64 / sums.1 as f64 } else { 1.0 }
    }
}
