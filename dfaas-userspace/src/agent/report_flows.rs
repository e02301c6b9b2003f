//! What `dfaas flows` is told.

use serde::{Deserialize, Serialize};

use crate::dataplane::{FlowView, Seen};

/// The connections of `dfaas flows`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowsReport {
    /// Connections that the node has.
    pub total: usize,
    /// Those of them that were asked for.
    pub matching: usize,
    /// Of these the youngest, as many as were asked for.
    pub flows: Vec<FlowView>,
}

/// A line of `dfaas flows --follow`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FollowLine {
    /// The first line: from here on one invocation in `sample` is told.
    Following {
        /// 1: all.
        sample: u32,
    },
    /// An invocation is over.
    Invocation(Box<Seen>),
    /// Invocations were over that cannot be told.
    Missed {
        /// Whoever they were of: there was no room in the kernel.
        in_kernel: u64,
        /// Of those that others may have been told: this reader was too slow.
        by_reader: u64,
    },
}
