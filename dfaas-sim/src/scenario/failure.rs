use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Something that goes wrong, or a node that comes late.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// When.
    #[serde(with = "humantime_serde")]
    pub at: Duration,
    /// Until when; nothing: for ever.
    #[serde(with = "humantime_serde", default)]
    pub until: Option<Duration>,
    /// What.
    pub what: What,
    /// The nodes, counted from 0.
    pub nodes: Vec<usize>,
    /// `slow`: how many times as long everything takes; `liar`: how many times what it has it says it has, twice if absent.
    pub factor: Option<f64>,
}

/// Kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The nodes are gone with all that is under way there, and so is what their users ask for.
    Kill,
    /// The nodes come only now. `until` has no meaning.
    Join,
    /// Nothing passes between these nodes and all others.
    Partition,
    /// The nodes take what peers send and answer nothing; their agents notice nothing.
    BlackHole,
    /// The nodes' agents promise and report `factor` times what they have, and hide that one waits there. What their kernels
    /// take is what their strategies had decided.
    Liar,
    /// The nodes' operators drain them: they serve their users and take nothing new from others.
    Drain,
    /// Everything takes `factor` times as long there.
    Slow,
}
